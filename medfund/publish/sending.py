"""Records to Kafka: whole batches per lane, acknowledged by all replicas, each appended once by the producer.

What stays true: records of a lane are appended in the order in which they were given; nothing counts as sent before
the broker acknowledged it; a broker that stays away ends in `BrokerAway` within a bounded time.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple, Self

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from medfund.lanes import fetched, knocking
from medfund.publish.drafts import Draft

# One batch takes what one piece of a file gives to a lane, so that a piece costs one request.
BATCH_BYTES = 1 << 20
REQUEST_BYTES_MAX = 32 << 20
CONNECT_PAUSES_S = (0.25, 0.5, 1.0, 2.0)
STOP_LIMIT_S = 5.0
FAILED_STOP_LIMIT_S = 0.5


class BrokerAway(Exception):
    """The broker could not be reached, or did not acknowledge in time."""


class Place(NamedTuple):
    """One partition of one topic."""

    family: str
    lane: int


class Appended(NamedTuple):
    """An acknowledged batch: so many records, the last at this offset."""

    place: Place
    records: int
    last: int


class Load:
    """Records on their way, gathered in batches per place."""

    def __init__(self, producer: aiokafka.AIOKafkaProducer, lanes: int) -> None:
        self._producer = producer
        self._lanes = lanes
        self.batches: defaultdict[Place, list[BatchBuilder]] = defaultdict(list)

    def add(self, draft: Draft) -> None:
        for lane, key in draft.keys(self._lanes):
            batches = self.batches[Place(draft.family, lane)]
            if not batches or not self._appended(batches[-1], key, draft):
                batches.append(self._producer.create_batch())
                self._appended(batches[-1], key, draft)

    @staticmethod
    def _appended(batch: BatchBuilder, key: bytes, draft: Draft) -> bool:
        # No timestamp: the topics carry the broker's own append time.
        return batch.append(timestamp=None, key=key, value=draft.value, headers=draft.headers) is not None


Queued = tuple[Place, int, "asyncio.Future[aiokafka.structs.RecordMetadata]"]
"""A batch in the producer's hands: its place, how many records, and what the broker will say."""


class Sending:
    """A load that was handed over and not yet acknowledged."""

    def __init__(self, batches: Sequence[Queued], *, patience_s: float) -> None:
        self._batches = batches
        self._patience_s = patience_s

    async def acknowledged(self) -> list[Appended]:
        """Wait for the broker. Raises `BrokerAway`; then none of the load counts as sent."""
        async with _patience(self._patience_s):
            results = await asyncio.gather(*(future for _, _, future in self._batches))
        return [
            Appended(place, count, result.offset + count - 1)
            for (place, count, _), result in zip(self._batches, results, strict=True)
        ]


class Sender:
    """A producer for one file."""

    def __init__(self, bootstrap: str, *, topic_prefix: str, patience_s: float, identity: Mapping[str, Any]) -> None:
        self._bootstrap = bootstrap
        self._broker = {"bootstrap_servers": bootstrap, **identity}
        self._topic_prefix = topic_prefix
        self._patience_s = patience_s
        self._producer: aiokafka.AIOKafkaProducer
        self.cluster = ""
        self.lanes = 0

    async def __aenter__(self) -> Self:
        deadline = time.monotonic() + self._patience_s
        for pause in chain(CONNECT_PAUSES_S, repeat(CONNECT_PAUSES_S[-1])):
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 1.0)):
                    await self._connect()
                break
            except (KafkaError, TimeoutError, OSError) as error:
                if time.monotonic() + pause >= deadline:
                    raise BrokerAway(f"no broker answers at {self._bootstrap}: {_said(error)}") from error
            await asyncio.sleep(pause)
        if not self.lanes:
            await self._producer.stop()
            raise BrokerAway(f"the broker at {self._bootstrap} has no topic {self.topic('claims')}")
        return self

    async def _connect(self) -> None:
        await self._look_around()
        producer = aiokafka.AIOKafkaProducer(
            **self._broker,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=int(self._patience_s * 1000),
        )
        await producer.start()
        self._producer = producer

    async def _look_around(self) -> None:
        admin = AIOKafkaAdminClient(**self._broker)
        await knocking.let_in(admin.start(), self._broker)
        try:
            self.cluster = str((await admin.describe_cluster())["cluster_id"])
            topics = await admin.describe_topics([self.topic("claims")])
            self.lanes = sum(len(topic["partitions"]) for topic in topics)
        finally:
            await admin.close()

    def topic(self, family: str) -> str:
        return f"{self._topic_prefix}.{family}"

    def load(self) -> Load:
        return Load(self._producer, self.lanes)

    async def hand_over(self, load: Load) -> Sending:
        """Queue a load behind those that were handed over before; waits while a lane's last batch has not left."""
        async with _patience(self._patience_s):
            queued = await asyncio.gather(*(self._queue(*lane) for lane in load.batches.items()))
        return Sending([batch for batches in queued for batch in batches], patience_s=self._patience_s)

    async def _queue(self, place: Place, batches: list[BatchBuilder]) -> list[Queued]:
        queued = []
        for batch in batches:
            count = batch.record_count()
            future = await self._producer.send_batch(batch, self.topic(place.family), partition=place.lane)
            queued.append((place, count, future))
        return queued

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """The offset that the next record of each place would get."""
        partitions = {aiokafka.TopicPartition(self.topic(place.family), place.lane): place for place in places}
        consumer = aiokafka.AIOKafkaConsumer(**self._broker)
        async with _patience(self._patience_s):
            try:
                await consumer.start()
                found = await consumer.end_offsets(list(partitions))
            finally:
                await fetched.stop(consumer)
        return {partitions[partition]: offset for partition, offset in found.items()}

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            async with asyncio.timeout(STOP_LIMIT_S if kind is None else FAILED_STOP_LIMIT_S):
                await self._producer.stop()
        except (TimeoutError, KafkaError):
            pass  # What it still held was never acknowledged, and never counted.


@contextlib.asynccontextmanager
async def _patience(limit_s: float) -> AsyncIterator[None]:
    """An end to waiting: an idempotent producer by itself tries for ever. Raises `BrokerAway`."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise BrokerAway(f"the broker did not answer for {limit_s:g} s") from error
    except KafkaError as error:
        raise BrokerAway(_said(error)) from error


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
