"""The log on Apache Kafka: one consumer per lane with `assign` and `seek`, one idempotent producer per worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import aiokafka
import structlog
from aiokafka.client import ConnectionGroup
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest

from medfund.events.envelope import RETRY_OF
from medfund.lanes import fetched, knocking, watching
from medfund.lanes.fetched import Terms
from medfund.lanes.log import Copy, Decision, Fault, LogTruncated, Record, Run

__all__ = ["KafkaError", "KafkaLane", "KafkaLog"]

log = structlog.get_logger(__name__)

MiB = 1 << 20
# The connection of consumer groups, of which we have none.
FETCHES = ConnectionGroup.COORDINATION
# One response holds at most this much for a lane, so that a worker's memory does not follow its backlog.
FETCH_BYTES_MAX = 2 * MiB
# While records of one topic wait here unread, the client asks for the others alone, and does not ask for that one again
# before the broker has answered: for as long as this when they are quiet.
FETCH_WAIT_MS = 100
# A request for all of them is answered as soon as one has something; where none has, it costs both sides the less, the
# longer the broker may hold it. The client's own loop goes on looking five times a second (`consumer_timeout_ms`): told
# to sleep longer, it now and then sleeps over what has come.
QUIET_WAIT_MS = 10_000
# A lane's decisions go to the log in as few requests as this allows.
BATCH_BYTES_MAX = MiB // 4
CALL_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 2.0
LOOK_MS = 250


class KafkaLane:
    """One partition of every topic. Kept by one lane only, so that no lane waits for another's unread records."""

    def __init__(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        partitions: Mapping[str, aiokafka.TopicPartition],
        open_consumer: Callable[[int, Terms], Awaitable[aiokafka.AIOKafkaConsumer]],
        terms: Terms,
    ) -> None:
        self._consumer = consumer
        self._terms = terms
        self._partitions = dict(partitions)
        self._open_consumer = open_consumer
        self._positions: dict[str, int] = {}
        self._broke = False
        _on_break(consumer, self._breaks)

    def _breaks(self) -> None:
        self._broke = True

    async def first(self, topic: str) -> int:
        return await self._offset(self._consumer.beginning_offsets, topic)

    async def end(self, topic: str) -> int:
        return await self._offset(self._consumer.end_offsets, topic)

    async def _offset(self, ask, topic: str) -> int:  # type: ignore[no-untyped-def]
        partition = self._partitions[topic]
        async with asyncio.timeout(CALL_TIMEOUT_S):
            offsets: dict[aiokafka.TopicPartition, int] = await ask([partition])
        return offsets[partition]

    async def record_at(self, topic: str, offset: int) -> Record | None:
        if not await self.first(topic) <= offset < await self.end(topic):
            return None
        # A client of its own: reading goes on undisturbed, and one record is fetched, not a buffer full.
        consumer = await self._open_consumer(1, Terms(gaps=True))
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await _look(consumer, self._partitions[topic], offset)
        finally:
            await fetched.stop(consumer)

    def seek(self, positions: Mapping[str, int]) -> None:
        for family, offset in positions.items():
            self._positions[family] = offset
            self._consumer.seek(self._partitions[family], offset)

    def position(self, topic: str) -> int:
        return self._positions[topic]

    def put_aside(self, batches: Iterable[tuple[str, int]]) -> None:
        self._terms.aside = {(self._partitions[family], offset) for family, offset in batches}

    async def read(self, *, limit: int, wait_s: float, topics: Sequence[str] | None = None) -> list[Run]:
        if self._broke:
            raise KafkaConnectionError("the connection broke: what it comes back to may be another log")
        if limit < 1:
            return []
        wanted = {self._partitions[family]: family for family in topics or self._positions}
        try:
            records = await self._consumer.getmany(*wanted, timeout_ms=int(wait_s * 1000), max_records=limit)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise LogTruncated(f"the log does not have the position asked for: {error}") from error
        runs = [await self._run(partition, family, records.get(partition, ())) for partition, family in wanted.items()]
        return [run for run in runs if run.next > run.first]

    async def _run(self, partition: aiokafka.TopicPartition, family: str, records: Sequence[Record]) -> Run:
        first = self._positions[family]
        # Not the last record's offset: where only markers follow, there may never be another record.
        self._positions[family] = await self._consumer.position(partition)
        return Run(family, first, self._positions[family], records)

    async def close(self) -> None:
        await fetched.stop(self._consumer)


class KafkaLog:
    """Topics are `<prefix>.<family>`."""

    def __init__(self, bootstrap: str, *, prefix: str, identity: Mapping[str, Any]) -> None:
        self._bootstrap = bootstrap
        self._identity = identity
        self._broker = {"bootstrap_servers": bootstrap, **identity}
        self._prefix = prefix
        self._producer: aiokafka.AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    def topic(self, family: str) -> str:
        return f"{self._prefix}.{family}"

    async def partitions(self, family: str) -> int:
        """How many partitions a topic has; 0 where it does not exist."""
        producer = await self._started()
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return len(await producer.partitions_for(self.topic(family)))

    async def open_lane(self, lane: int, topics: Sequence[str]) -> KafkaLane:
        terms = Terms()
        consumer = await self._open_consumer(FETCH_BYTES_MAX, terms)
        partitions = {family: aiokafka.TopicPartition(self.topic(family), lane) for family in topics}
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                if missing := {partition.topic for partition in partitions.values()} - await consumer.topics():
                    raise UnknownTopicOrPartitionError(f"the broker has no topic {', '.join(sorted(missing))}")
                consumer.assign(list(partitions.values()))
                await consumer.end_offsets(list(partitions.values()))  # it knows the leaders from here on
        except BaseException:
            await fetched.stop(consumer)
            raise
        return KafkaLane(consumer, partitions, self._open_consumer, terms)

    async def _open_consumer(self, fetch_bytes_max: int, terms: Terms) -> aiokafka.AIOKafkaConsumer:
        consumer = aiokafka.AIOKafkaConsumer(
            **self._broker,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_bytes=fetch_bytes_max,
            max_partition_fetch_bytes=fetch_bytes_max,
            request_timeout_ms=int(CALL_TIMEOUT_S * 1000),
            retry_backoff_ms=250,
        )
        try:
            await knocking.let_in(consumer.start(), self._broker)
        except BaseException:
            await fetched.stop(consumer)
            raise
        fetched.read_through(consumer, terms)
        _ask_apart(consumer)
        return consumer

    async def append(self, lane: int, decisions: Sequence[Decision | Copy]) -> None:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            producer = await self._started()
            try:
                await asyncio.gather(*[await self._sent(producer, lane, decision) for decision in decisions])
            except BaseException:
                # What it counts as sent the log may not have; it would then refuse whatever follows, for ever.
                self._discard(producer)
                raise

    async def _sent(
        self, producer: aiokafka.AIOKafkaProducer, lane: int, decision: Decision | Copy
    ) -> "asyncio.Future[aiokafka.structs.RecordMetadata]":
        sent: asyncio.Future[aiokafka.structs.RecordMetadata] = await producer.send(
            self.topic(decision.topic), decision.value, key=decision.key, partition=lane, headers=headers_of(decision)
        )
        return sent

    async def faults(self, topics: Sequence[str], lanes: int) -> Sequence[Fault]:
        return await watching.look(
            self._bootstrap, prefix=self._prefix, families=topics, lanes=lanes, identity=self._identity
        )

    async def _started(self) -> aiokafka.AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = aiokafka.AIOKafkaProducer(
                    **self._broker,
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=int(CALL_TIMEOUT_S * 1000),
                    max_request_size=24 * MiB,
                    max_batch_size=BATCH_BYTES_MAX,
                )
                try:
                    await knocking.let_in(producer.start(), self._broker)
                except BaseException:
                    await _end(producer)
                    raise
                self._producer = producer
        return self._producer

    def _discard(self, producer: aiokafka.AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            task = asyncio.create_task(_end(producer))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        if self._producer is not None:
            self._discard(self._producer)
        await asyncio.gather(*self._ending)


async def _end(producer: aiokafka.AIOKafkaProducer) -> None:
    """At once: it would try for ever to deliver what it has, which whoever appended it has kept."""
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await producer.stop()
    except (TimeoutError, KafkaError) as error:
        log.warning("the log's producer did not close", error=str(error) or type(error).__name__)
    finally:
        producer._message_accumulator.fail_all(KafkaError("the producer ended"))  # nobody waits for it any more
        await producer.client.close()


def _on_break(consumer: aiokafka.AIOKafkaConsumer, call: Callable[[], None]) -> None:
    """Call when a connection breaks, or the broker says that it does not have, or does not lead, a partition.

    The client gets over all of that by itself and in silence: it asks who leads now, and goes on at the same offset, be
    it of another topic under the same name. Asking is all that it does in each of these cases, and in no other once it
    knows its topics. Where it hears of the break as it is about to send, it asks nothing: the connection is forgotten.
    """
    client = consumer._client
    ask, connection_to = client.force_metadata_update, client._get_conn

    def asked() -> "asyncio.Future[bool]":
        call()
        return ask()  # type: ignore[no-any-return]

    def known(node_id, *, group=ConnectionGroup.DEFAULT, **named):  # type: ignore[no-untyped-def]
        connection = client._conns.get((node_id, group))
        if connection is not None and not connection.connected():
            connection.close()
            call()
        return connection_to(node_id, group=group, **named)

    client.force_metadata_update, client._get_conn = asked, known


def _ask_apart(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """Let the broker hold a request for everything, and give fetches a connection of their own: it answers those of one
    connection in their order, and whoever asks where a topic ends would wait behind one that is held. A topic ends
    where its last record stands."""
    fetcher, client = consumer._fetcher, consumer._client
    actions, send, close = fetcher._get_actions_per_node, client.send, client.close

    def with_patience(assignment):  # type: ignore[no-untyped-def]
        fetcher._fetch_max_wait_ms = FETCH_WAIT_MS if fetcher._records else QUIET_WAIT_MS
        return actions(assignment)

    def apart(node_id, request, *, group=ConnectionGroup.DEFAULT):  # type: ignore[no-untyped-def]
        if isinstance(request, OffsetRequest):
            # What is behind an open transaction counts: who has read as far as it may has not read all.
            request._isolation_level = READ_UNCOMMITTED
        return send(node_id, request, group=FETCHES if isinstance(request, FetchRequest) else group)

    async def at_once() -> None:
        # Under TLS both sides say that they close, and a broker says nothing before it has answered what it holds.
        for connection in client._conns.values():
            if connection.connected():
                connection._writer.transport.abort()
        await close()

    fetcher._get_actions_per_node, client.send, client.close = with_patience, apart, at_once


async def _look(consumer: aiokafka.AIOKafkaConsumer, partition: aiokafka.TopicPartition, offset: int) -> Record | None:
    """The record at an offset; None when the position passes it without one: over a marker, or what was aborted."""
    consumer.assign([partition])
    consumer.seek(partition, offset)
    while await consumer.position(partition) <= offset:
        records = await consumer.getmany(partition, timeout_ms=LOOK_MS, max_records=1)
        for record in records.get(partition, ()):
            return record if record.offset == offset else None
    return None


def headers_of(decision: Decision | Copy) -> list[tuple[str, bytes]]:
    """CloudEvents binary mode."""
    retried = [(f"ce_{RETRY_OF}", decision.retry_of.encode())] if isinstance(decision, Copy) else []
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", decision.id.encode()),
        ("ce_source", decision.source.encode()),
        ("ce_type", decision.type.encode()),
        ("ce_time", decision.time.encode()),
        ("content-type", b"application/json"),
        *retried,
    ]
