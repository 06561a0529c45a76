"""To the log as publishers write it, in the order of each lane, fast."""

import asyncio
from typing import Any

import aiokafka

from bench.ground import LANES, PREFIX
from medfund.lanes import partition
from tests import events

BATCH_BYTES = 1 << 19
UNCONFIRMED_MAX = 64


def in_lane(lane: int, type: str, *, id: str, **data: Any) -> events.Message:
    """An event that is written into every lane, for one of them."""
    told = events.message(type, id=id, **data)
    return events.Message(told.topic, partition.lane_key(lane, LANES), told.value, told.headers)


def producer(bootstrap: str) -> aiokafka.AIOKafkaProducer:
    return aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES, max_request_size=8 << 20
    )


class Writing:
    """To the log, in the order of each lane."""

    def __init__(self, producer: aiokafka.AIOKafkaProducer) -> None:
        self._producer = producer
        self._unconfirmed: set[asyncio.Future[Any]] = set()

    async def put(self, lane: int, message: events.Message) -> None:
        future = await self._producer.send(
            f"{PREFIX}.{message.topic}", message.value, key=message.key, partition=lane, headers=list(message.headers)
        )
        await self.wait_for(future)

    async def wait_for(self, future: "asyncio.Future[Any]") -> None:
        self._unconfirmed.add(future)
        if len(self._unconfirmed) >= UNCONFIRMED_MAX:
            await self.confirmed()

    async def confirmed(self) -> None:
        await asyncio.gather(*self._unconfirmed)
        self._unconfirmed.clear()
