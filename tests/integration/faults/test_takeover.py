"""Workers that sleep, wake, or share a name: only the newest epoch of a lane commits (rows 11, 12, 17)."""

import signal

from tests.conftest import LANES
from tests.integration.workers import Books, WorkerProcess, hospitals, registrations, settlements, until


async def owned(books: Books, **lanes: int) -> None:
    """Wait until each worker named has so many lanes."""

    async def shared() -> bool:
        owners = list((await books.owners()).values())
        return {name: owners.count(name) for name in lanes} == lanes

    await until(shared, f"lanes shared as {lanes}")


async def refused_to_write(worker: WorkerProcess) -> bool:
    return any("is not ours to write" in lost["reason"] for lost in worker.said("lane lost"))


async def test_a_worker_that_slept_through_its_lease_cannot_commit_says_so_and_joins_again(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 30)])
    # Its other lanes may be anywhere in a transaction, or in the middle of a COPY: its successor ends both.
    with books.working("sleeper", STOP_AT="after_fetch:5") as sleeper:
        await sleeper.is_stopped()
        with books.working("successor") as successor:
            await owned(books, successor=LANES)
            await books.hold()
            sleeper.signal(signal.SIGCONT)
            await until(lambda: refused_to_write(sleeper), "the database refuses what the sleeper had read")
            await owned(books, sleeper=LANES // 2, successor=LANES // 2)
            await books.publish(settlements(providers, 5, name="later"))
            await books.hold()
            assert successor.alive
    assert await books.value("select sum(duplicate) from positions") == 0


async def test_a_worker_that_slept_while_nothing_happened_notices_that_its_lanes_are_gone(books: Books) -> None:
    providers = hospitals()
    await books.publish(registrations(providers))
    with books.working("sleeper") as sleeper:
        await books.booked()
        sleeper.signal(signal.SIGSTOP)
        with books.working("successor"):
            await owned(books, successor=LANES)
            sleeper.signal(signal.SIGCONT)
            await sleeper.says("lane lost", times=LANES)
            await owned(books, sleeper=LANES // 2, successor=LANES // 2)
            await books.publish(settlements(providers, 5))
            await books.hold(limit_s=20)


async def test_a_worker_stopped_inside_its_transaction_keeps_its_lane_no_longer_than_its_lease(books: Books) -> None:
    """By its successor, long before the time-out for idle transactions."""
    await _stopped_in_a_transaction(books, {"IDLE_IN_TRANSACTION_S": "60"}, evicted=True)


async def test_a_transaction_that_stands_still_is_ended_by_the_database_itself(books: Books) -> None:
    """Also where nobody else is there to end it."""
    await _stopped_in_a_transaction(books, {"IDLE_IN_TRANSACTION_S": "0.5"}, evicted=False)


async def _stopped_in_a_transaction(books: Books, limits: dict[str, str], *, evicted: bool) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 30)])
    with books.working("sleeper", STOP_AT="mid_batch:6", **limits) as sleeper:
        await sleeper.is_stopped()
        if not evicted:
            await until(lambda: _no_transaction_idles(books), "the database ends what stands still")
        with books.working("successor") as successor:
            await owned(books, successor=LANES)
            await books.hold()
            assert not evicted or successor.said("ended sessions that kept lanes locked")
            sleeper.signal(signal.SIGCONT)
            await sleeper.says("lane interrupted")
            await owned(books, sleeper=LANES // 2, successor=LANES // 2)
            await books.publish(settlements(providers, 5, name="later"))
            await books.hold()


async def _no_transaction_idles(books: Books) -> bool:
    query = "select count(*) from pg_stat_activity where datname = $1 and state like 'idle in transaction%'"
    return not await books.value(query, books.database.name)


async def test_of_two_workers_under_one_name_the_first_gives_way_and_both_say_so(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 20)])
    with books.working("twin") as first:
        await first.says("lane claimed", times=LANES)
        with books.working("twin") as second:
            await second.says("took the name over from a running worker", worker="twin")
            assert await first.exit_code() == 3
            assert "under the name twin" in first.said("worker superseded")[-1]["reason"]
            await owned(books, twin=LANES)
            await books.publish(settlements(providers, 5, name="later"))
            await books.hold()
            await second.drain()
