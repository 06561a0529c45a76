"""What lanes may rely on, of the log on Kafka and of the log in memory that simulations use."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaConnectionError

from medfund.lanes.kafka import FETCH_WAIT_MS, FETCHES, QUIET_WAIT_MS, KafkaLog
from medfund.lanes.log import Decision, LaneLog, Log, LogTruncated, Run
from medfund.lanes.settings import NOBODY
from medfund.local.kafka import Kafka
from tests.simulation.memory_log import MemoryLog

LANE = 1
TOPICS = ("agency", "claims", "ledger")
WAIT_S = 5.0


@dataclass
class Subject:
    """A log, and how the world changes it."""

    log: Log
    mark: Callable[[str], Awaitable[None]]
    """Append a control record: an offset that holds no event."""
    truncate: Callable[[str, int], Awaitable[None]]
    """Remove everything before an offset."""

    async def put(self, topic: str, *ids: str, lane: int = LANE) -> None:
        await self.log.append(lane, [decision(topic, id) for id in ids])


def decision(topic: str, id: str) -> Decision:
    return Decision(topic, f"key-{id}".encode(), "/tests", id, "test.v1", "2025-03-04T10:15:30+08:00", id.encode())


@pytest.fixture(scope="module")
async def transactional(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id="conformance")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
def memory() -> Subject:
    log = MemoryLog()

    async def mark(topic: str) -> None:
        log.mark(topic, LANE)

    async def truncate(topic: str, offset: int) -> None:
        log.truncate(topic, LANE, offset)

    return Subject(log, mark, truncate)


@pytest.fixture
async def on_kafka(kafka: Kafka, topic_prefix: str, transactional: AIOKafkaProducer) -> AsyncIterator[Subject]:
    log = KafkaLog(kafka.address, prefix=topic_prefix, identity=NOBODY)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()

    async def mark(topic: str) -> None:
        """An aborted transaction: a record that was never there, and the marker that says so."""
        await transactional.begin_transaction()
        await transactional.send_and_wait(f"{topic_prefix}.{topic}", b"never", partition=LANE)
        await transactional.abort_transaction()

    async def truncate(topic: str, offset: int) -> None:
        place = TopicPartition(f"{topic_prefix}.{topic}", LANE)
        await admin.delete_records({place: RecordsToDelete(before_offset=offset)})

    yield Subject(log, mark, truncate)
    await admin.close()
    await log.close()


@pytest.fixture(params=["on_kafka", "memory"])
def subject(request: pytest.FixtureRequest) -> Subject:
    made: Subject = request.getfixturevalue(request.param)
    return made


@asynccontextmanager
async def opened(log: Log, *, topics: Sequence[str] = TOPICS, **positions: int) -> AsyncIterator[LaneLog]:
    lane = await log.open_lane(LANE, topics)
    lane.seek(positions)
    try:
        yield lane
    finally:
        await lane.close()


async def everything(lane: LaneLog, until: dict[str, int], *, limit: int = 1000) -> list[Run]:
    """Runs up to these positions."""
    runs: list[Run] = []
    while any(lane.position(topic) < position for topic, position in until.items()):
        read = await lane.read(limit=limit, wait_s=WAIT_S)
        assert read, "nothing more comes"
        runs += read
    return runs


def ids(runs: Sequence[Run], topic: str) -> list[str]:
    return [(record.value or b"").decode() for run in runs if run.topic == topic for record in run.records]


async def test_an_empty_partition_begins_and_ends_at_0(subject: Subject) -> None:
    async with opened(subject.log) as lane:
        assert (await lane.first("claims"), await lane.end("claims")) == (0, 0)
        assert await lane.record_at("claims", 0) is None


async def test_what_was_appended_is_read_whole_and_in_its_order(subject: Subject) -> None:
    names = [f"e{n}" for n in range(300)]
    await subject.put("claims", *names[:100])
    await subject.put("claims", *names[100:])
    async with opened(subject.log, claims=0) as lane:
        assert await lane.end("claims") == 300
        runs = await everything(lane, {"claims": 300})
    assert ids(runs, "claims") == names
    records = [record for run in runs for record in run.records]
    assert [record.offset for record in records] == list(range(300))
    assert {record.partition for record in records} == {LANE}
    assert [record.key for record in records] == [f"key-{name}".encode() for name in names]
    assert dict(records[7].headers)["ce_id"] == b"e7"
    assert [record.timestamp for record in records] == sorted(record.timestamp for record in records)


async def test_runs_follow_each_other_without_a_gap_and_say_where_reading_goes_on(subject: Subject) -> None:
    await subject.put("claims", *"abcdefgh")
    async with opened(subject.log, claims=0) as lane:
        runs = await everything(lane, {"claims": 8}, limit=3)
        assert [run.first for run in runs[1:]] == [run.next for run in runs[:-1]]
        assert (runs[0].first, runs[-1].next, lane.position("claims")) == (0, 8, 8)


async def test_a_read_gives_no_more_than_its_limit(subject: Subject) -> None:
    await subject.put("claims", *"abcde")
    await subject.put("agency", *"vwxyz")
    async with opened(subject.log, claims=0, agency=0) as lane:
        assert await lane.read(limit=0, wait_s=0) == []
        for _ in range(5):
            assert sum(len(run.records) for run in await lane.read(limit=2, wait_s=WAIT_S)) == 2


async def test_reading_goes_on_where_seek_says(subject: Subject) -> None:
    await subject.put("claims", *"abcdef")
    async with opened(subject.log, claims=4) as lane:
        assert ids(await everything(lane, {"claims": 6}), "claims") == ["e", "f"]
        lane.seek({"claims": 1})
        assert lane.position("claims") == 1
        assert ids(await everything(lane, {"claims": 6}), "claims") == ["b", "c", "d", "e", "f"]


async def test_nothing_to_read_is_nothing_after_the_wait(subject: Subject) -> None:
    await subject.put("claims", "a")
    async with opened(subject.log, claims=1) as lane:
        assert await lane.read(limit=10, wait_s=0.05) == []
        assert lane.position("claims") == 1


async def test_what_comes_while_a_lane_is_open_is_read(subject: Subject) -> None:
    async with opened(subject.log, claims=0) as lane:
        assert await lane.read(limit=10, wait_s=0) == []
        await subject.put("claims", "late")
        assert ids(await everything(lane, {"claims": 1}), "claims") == ["late"]


async def test_whoever_asks_where_a_quiet_topic_ends_does_not_wait_for_it(subject: Subject) -> None:
    """The broker holds what a quiet lane asked for, and answers each connection in its order."""
    async with opened(subject.log, claims=0, agency=0, ledger=0) as lane:
        assert await lane.read(limit=10, wait_s=0.3) == []
        async with asyncio.timeout(QUIET_WAIT_MS / 2000):
            assert await lane.end("claims") == 0
            await subject.put("claims", "late")
            assert ids(await everything(lane, {"claims": 1}), "claims") == ["late"]


async def test_a_quiet_lane_hardly_asks_and_hears_at_once(on_kafka: Subject, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(on_kafka.log, claims=0, agency=0, ledger=0) as lane:
        assert await lane.read(limit=10, wait_s=0.5) == []
        with caplog.at_level("DEBUG", "aiokafka.conn"):
            assert await lane.read(limit=10, wait_s=3.0) == []
        asked = [record for record in caplog.records if "FetchRequest" in record.getMessage()]
        assert len(asked) <= 1, "the broker holds one question for all three topics"
        reading = asyncio.create_task(lane.read(limit=10, wait_s=WAIT_S))
        await on_kafka.put("ledger", "late")
        async with asyncio.timeout(1.0):
            assert ids(await reading, "ledger") == ["late"]


async def test_a_lane_whose_connection_has_just_broken_is_left_whole(on_kafka: Subject) -> None:
    async with opened(on_kafka.log, claims=0) as lane:
        assert await lane.read(limit=10, wait_s=0.5) == []
        client = lane._consumer._client
        [broken] = [connection for (_, group), connection in client._conns.items() if group is FETCHES]
        broken._writer.transport.abort()
        await asyncio.sleep(0.1)  # the client waits a moment before it asks again
        await lane.close()
        assert not [connection for connection in client._conns.values() if connection.connected()]


async def test_a_break_that_is_heard_of_only_as_the_next_question_is_sent_is_a_break(on_kafka: Subject) -> None:
    async with opened(on_kafka.log, claims=0) as lane:
        assert await lane.read(limit=10, wait_s=0.5) == []
        client = lane._consumer._client
        [(node, broken)] = [(node, known) for (node, group), known in client._conns.items() if group is not FETCHES]
        broken._reader.feed_eof()
        assert await client.ready(node)
        with pytest.raises(KafkaConnectionError, match="the connection broke"):
            await lane.read(limit=10, wait_s=0.5)


async def test_a_topic_is_read_on_while_records_of_another_wait_and_a_quiet_third_is_asked(subject: Subject) -> None:
    """What waits unread is not asked for again before the broker has answered for the others."""
    await subject.put("claims", "a", "b")
    async with opened(subject.log, claims=0, agency=0) as lane:
        async with asyncio.timeout(QUIET_WAIT_MS / 2000):
            assert ids(await lane.read(limit=1, wait_s=WAIT_S), "claims") == ["a"]
            await asyncio.sleep(3 * FETCH_WAIT_MS / 1000)
            await subject.put("claims", "c")
            assert ids(await everything(lane, {"claims": 3}), "claims") == ["b", "c"]


async def test_a_read_of_some_topics_leaves_the_others_where_they_are(subject: Subject) -> None:
    await subject.put("claims", "a")
    await subject.put("agency", "v", "w")
    async with opened(subject.log, claims=0, agency=0) as lane:
        read: list[Run] = []
        while lane.position("agency") < 2:
            read += await lane.read(limit=10, wait_s=WAIT_S, topics=["agency"])
        assert {run.topic for run in read} == {"agency"}
        assert lane.position("claims") == 0
        assert ids(await everything(lane, {"claims": 1}), "claims") == ["a"]


async def test_another_lane_is_another_partition(subject: Subject) -> None:
    await subject.put("claims", "other", lane=LANE + 1)
    await subject.put("claims", "mine")
    async with opened(subject.log, claims=0) as lane:
        assert ids(await everything(lane, {"claims": 1}), "claims") == ["mine"]


async def test_a_record_is_found_at_its_offset_and_reading_is_not_disturbed(subject: Subject) -> None:
    await subject.put("claims", *"abcd")
    async with opened(subject.log, claims=3) as lane:
        record = await lane.record_at("claims", 1)
        assert record is not None
        assert (record.offset, record.value) == (1, b"b")
        assert record.topic.endswith(".claims")
        assert await lane.record_at("claims", 4) is None
        assert lane.position("claims") == 3
        assert ids(await everything(lane, {"claims": 4}), "claims") == ["d"]


async def test_offsets_without_an_event_are_passed_over_and_counted(subject: Subject) -> None:
    await subject.put("claims", "a")
    await subject.mark("claims")
    await subject.put("claims", "b")
    await subject.mark("claims")
    async with opened(subject.log, claims=0) as lane:
        end = await lane.end("claims")
        assert end > 3
        runs = await everything(lane, {"claims": end})
        assert ids(runs, "claims") == ["a", "b"]
        assert runs[-1].next == end, "a marker at the end does not hold the position back"
        assert await lane.record_at("claims", end - 1) is None
        assert await lane.read(limit=10, wait_s=0) == []


async def test_a_position_that_the_log_no_longer_has_is_said_so_and_never_reset(subject: Subject) -> None:
    await subject.put("claims", *"abcdef")
    await subject.truncate("claims", 4)
    async with opened(subject.log, claims=2) as lane:
        assert (await lane.first("claims"), await lane.end("claims")) == (4, 6)
        assert await lane.record_at("claims", 2) is None
        for _ in range(2):
            with pytest.raises(LogTruncated):
                await everything(lane, {"claims": 6})
        assert lane.position("claims") == 2


async def test_a_position_that_the_log_does_not_have_yet_is_said_so(subject: Subject) -> None:
    await subject.put("claims", "a")
    async with opened(subject.log, claims=5) as lane:
        with pytest.raises(LogTruncated):
            await everything(lane, {"claims": 6})
