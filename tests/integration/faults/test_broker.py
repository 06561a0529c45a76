"""What the broker does to a worker: restarts, truncated and replaced topics, transactions (rows 18, 23, 26, 27)."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from medfund.lanes.settings import NOBODY
from medfund.local import prepare
from medfund.local.kafka import Kafka
from tests import events
from tests.conftest import FORGETFUL, LANES, Database, fresh_topics
from tests.integration import served
from tests.integration.faults.conftest import kept
from tests.integration.workers import (
    Books,
    WorkerProcess,
    hospitals,
    owed,
    registrations,
    settlements,
    until,
    without_value,
)

T = TypeVar("T")


@pytest.fixture(scope="module")
def broker(session_folder: Path) -> Iterator[Kafka]:
    """One that may be killed."""
    server = Kafka(session_folder / "broker-that-dies", settings=FORGETFUL)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def endangered(database: Database, broker: Kafka, folder: Path) -> AsyncIterator[Books]:
    with kept(database, broker, await fresh_topics(broker), folder) as made:
        yield made


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_broker_that_comes_back_is_used_again_by_the_same_worker(
    endangered: Books, broker: Kafka, end: str
) -> None:
    books, providers = endangered, hospitals()
    settled = settlements(providers, 60)
    await books.publish([*registrations(providers), *settled[:120]])
    # Refusals keep the outbox busy, so that appending is interrupted too.
    await books.publish([without_value(event) for event in settled[120:140]], refused=True)
    await books.publish(settled[120:])
    with books.working(BATCH_RECORDS_MAX="5") as worker:
        await until(lambda: _has_booked(books, 40), "the worker is in the middle of it")
        await asyncio.to_thread(getattr(broker, end))
        await asyncio.to_thread(broker.start)
        await books.hold(limit_s=30)
        assert worker.alive
        await worker.drain()


async def _has_booked(books: Books, count: int) -> bool:
    return len(await books.identities()) >= count


async def test_a_worker_ends_in_time_while_the_broker_is_away_and_what_it_owed_to_the_log_is_told_later(
    endangered: Books, broker: Kafka
) -> None:
    books = endangered
    first, *more = [without_value(event) for event in settlements(events.providers(0, LANES, 1), 10)]
    await books.publish([first], refused=True)
    # Stopped after its third commit: of the first refusal, of the event that tells of it, and of what comes then.
    with books.working(STOP_AT="after_commit:3") as worker:
        await books.booked()
        await books.publish(more, refused=True)
        await worker.is_stopped()
        assert await books.value("select count(*) from outbox") > 0
        await asyncio.to_thread(broker.kill)
        worker.signal(signal.SIGCONT)
        await until(lambda: _complains(worker), "it tries to append")
        worker.signal(signal.SIGTERM)
        assert await worker.exit_code(limit_s=12) == 0
    await asyncio.to_thread(broker.start)
    with books.working():
        await books.hold()


async def _complains(worker: WorkerProcess) -> bool:
    return any("aiokafka" in str(line.get("logger")) for line in worker.lines())


async def test_a_producer_that_sends_everything_twice_changes_nothing_but_the_count_of_repeats(books: Books) -> None:
    providers = hospitals()
    once = [*registrations(providers), *settlements(providers, 20)]
    twice = [message for message in once for _ in range(2)]
    await books.publish(twice)
    with books.working():
        report = await books.hold()
    assert report.repeats == len(once)


async def test_an_aborted_transaction_is_never_booked_and_its_markers_hold_nothing_up(books: Books) -> None:
    providers = hospitals()
    known, settled = registrations(providers), settlements(providers, 3)
    with books.working() as worker:
        async with books.producing(transactional_id=books.prefix) as producer:
            # The registrations end with a marker; a lane that looks for more of them must not wait for it.
            async with producer.transaction():
                await books.send(producer, known)
            await producer.begin_transaction()
            await books.send(producer, settlements(providers, 3, name="never"))
            await producer.abort_transaction()
            async with producer.transaction():
                await books.send(producer, settled)
        books.expect([*known, *settled])
        strangers = events.providers(0, LANES, 3)[2:]
        await books.publish(settlements(strangers, 2), refused=True)
        await books.hold(limit_s=20)
        assert await books.value("select sum(control) from positions") > 0
        assert not worker.said("lane interrupted")


async def test_a_lane_whose_next_records_are_gone_stops_with_the_reason_and_never_resets(books: Books) -> None:
    providers = hospitals()
    late = settlements(providers, 5, name="late")
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    with books.working() as worker:
        await books.hold()
        await worker.drain()
    before = {place: offset for place, offset in (await books.positions()).items() if place[1] == 2}
    await books.publish(late)
    await truncate(books, "claims", 2, before=5)
    with books.working() as worker:
        await until(books.stopped, "the reason is written down")
        for _ in range(40):  # it is tried again and again meanwhile
            assert set(await books.stopped()) == {2}, "the reason is there until the lane works again"
        await worker.says("lane stopped", lane=2, times=3)
        [reason] = (await books.stopped()).values()
        assert reason.startswith("LogTruncated: ")
        assert "of claims: the log no longer has our position 3" in reason
        await until(lambda: _has_booked(books, (LANES - 1) * 9 + 4), "the other lanes go on")
        assert {place: offset for place, offset in (await books.positions()).items() if place[1] == 2} == before
        assert await faults_of(books) == ({"lane_stopped"}, [2])


async def test_a_lane_whose_next_records_go_while_it_sleeps_stops_as_well(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    with books.working() as worker:
        await books.hold()
        worker.signal(signal.SIGSTOP)
        await worker.is_stopped()
        await books.publish(settlements(providers, 1, name="asked for"))
        await asyncio.sleep(1)  # where it asked before it fell asleep, that is answered, with this
        await books.publish(settlements(providers, 5, name="late"))
        await truncate(books, "claims", 1, before=6)
        worker.signal(signal.SIGCONT)
        await worker.says("lane stopped", lane=1, times=2)
        assert (await books.stopped())[1].startswith("LogTruncated: ")
        assert await books.value("select next_offset from positions where lane = 1 and topic = 'claims'") in (3, 4)


async def test_what_was_booked_may_leave_the_log_and_no_group_of_the_broker_keeps_a_position(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    with books.working():
        await books.booked()
    for lane in range(LANES):
        await truncate(books, "claims", lane, before=3)
        await truncate(books, "agency", lane, before=1)
    await books.publish(settlements(providers, 2, name="later"))
    with books.working() as worker:
        await books.booked()
        assert not worker.said("lane stopped")
    assert await books.identities() == set(books.accepted)
    assert await books.owed() == owed(books.accepted.values())
    assert await administer(books, lambda admin: admin.list_consumer_groups()) == []


@pytest.mark.parametrize("refill", [0, 10], ids=["empty", "with other events"])
async def test_a_topic_that_was_made_anew_is_found_out_before_anything_of_it_is_applied(
    books: Books, refill: int
) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    with books.working() as worker:
        await books.hold()
        await worker.drain()
    before, kept = await books.positions(), await books.identities()
    await make_anew(books, "claims")
    await books.publish(settlements(providers, refill, name="other"))
    with books.working() as worker:
        await worker.says("lane stopped", times=2 * LANES)
        reasons = await books.stopped()
        assert set(reasons) == set(range(LANES))
        assert all(reason.startswith("LogReplaced: ") for reason in reasons.values())
    assert (await books.positions(), await books.identities()) == (before, kept)


async def test_a_topic_that_is_made_anew_under_a_working_lane_is_found_out_too(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    with books.working() as worker:
        await books.hold()
        kept = await books.identities()
        await make_anew(books, "claims")
        await books.publish(settlements(providers, 10, name="other"))
        await worker.says("lane stopped", times=LANES)
        # While the new topic is still empty, all that can be said is that it lacks the position.
        await until(lambda: _all_replaced(books), "every lane says that the log was replaced")
    assert await books.identities() == kept


async def _all_replaced(books: Books) -> bool:
    reasons = (await books.stopped()).values()
    return len(reasons) == LANES and all(reason.startswith("LogReplaced: ") for reason in reasons)


async def truncate(books: Books, topic: str, lane: int, *, before: int) -> None:
    """What retention does."""
    place = TopicPartition(f"{books.prefix}.{topic}", lane)
    await administer(books, lambda admin: admin.delete_records({place: RecordsToDelete(before_offset=before)}))


async def make_anew(books: Books, topic: str) -> None:
    """Deleted and created under the same name, with nothing in it."""
    name = f"{books.prefix}.{topic}"
    await administer(books, lambda admin: admin.delete_topics([name]))
    await until(lambda: _is_gone(books, name), "the topic is gone")
    await prepare.topics(books.bootstrap, prefix=books.prefix, lanes=LANES, identity=NOBODY)


async def _is_gone(books: Books, name: str) -> bool:
    return name not in await administer(books, lambda admin: admin.list_topics())


async def faults_of(books: Books) -> tuple[set[str], list[int]]:
    """What the API's health says: faults, and lanes that stopped."""
    async with served.serving(books.database, books.bootstrap, books.prefix, books.folder / "keys") as api:
        answer = (await api.client.get("/healthz")).json()
    return set(answer["faults"]), answer["lanes_stopped"]


async def administer(books: Books, work: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
    admin = AIOKafkaAdminClient(bootstrap_servers=books.bootstrap)
    await admin.start()
    try:
        return await work(admin)
    finally:
        await admin.close()
