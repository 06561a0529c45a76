"""What the broker does to a worker: restarts, truncated and replaced topics, transactions (rows 18, 23, 26, 27)."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from medfund.local.kafka import Kafka
from tests import events
from tests.conftest import LANES, Database, fresh_topics
from tests.integration.workers import Books, WorkerProcess, hospitals, registrations, settlements, until, without_value


@pytest.fixture(scope="module")
def broker(session_folder: Path) -> Iterator[Kafka]:
    """One that may be killed."""
    server = Kafka(session_folder / "broker-that-dies")
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def endangered(database: Database, broker: Kafka, folder: Path) -> AsyncIterator[Books]:
    made = Books(database, broker.address, await fresh_topics(broker), folder)
    yield made
    made.end()


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
    early, late = settlements(providers, 3), settlements(providers, 5, name="late")
    await books.publish([*registrations(providers), *early])
    with books.working() as worker:
        await books.hold()
        await worker.drain()
    lost = events.providers(2, LANES, 1)
    await books.publish(late)
    place = TopicPartition(f"{books.prefix}.claims", 2)
    await _administer(books, lambda admin: admin.delete_records({place: RecordsToDelete(before_offset=5)}))
    before = await books.positions()
    with books.working() as worker:
        await worker.says("lane stopped", lane=2, times=3)
        reasons = await books.stopped()
        assert set(reasons) == {2}
        assert reasons[2].startswith("LogTruncated: ")
        assert "of claims: the log no longer has our position 3" in reasons[2]
        # The others go on, and nothing of this one moves.
        others = {message.key for message in late} - {lost[0].encode()}
        await until(lambda: _owes(books, others, 8), "the other lanes book")
        assert {place: offset for place, offset in (await books.positions()).items() if place[1] == 2} == {
            place: offset for place, offset in before.items() if place[1] == 2
        }


async def _owes(books: Books, keys: set[bytes | None], count: int) -> bool:
    query = "select count(*) from identities where topic = 'claims' and lane <> 2"
    return bool(await books.value(query) == len(keys) * count)


async def _administer(books: Books, work):  # type: ignore[no-untyped-def]
    admin = AIOKafkaAdminClient(bootstrap_servers=books.bootstrap)
    await admin.start()
    try:
        return await work(admin)
    finally:
        await admin.close()
