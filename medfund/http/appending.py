"""Events to the log on behalf of publishers: keyed, idempotent, acknowledged by all replicas, in bounded time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import aiokafka
from aiokafka.errors import KafkaError

from medfund import faults
from medfund.events.envelope import Headers
from medfund.http.problems import Problem

APPEND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
REQUEST_BYTES_MAX = 2 << 20


class Message(NamedTuple):
    family: str
    lane: int
    key: bytes
    value: bytes
    headers: Headers


class Placed(NamedTuple):
    """Where the log has a message; None where it did not say so in time, `sent` or not."""

    offset: int | None
    sent: bool


AGAIN = "Send the same events again; what has arrived is not doubled"


def _has_arrived(done: "asyncio.Future[aiokafka.structs.RecordMetadata]") -> bool:
    return done.done() and not done.cancelled() and done.exception() is None


class Appending:
    """One producer per process, started when the first event comes."""

    def __init__(self, bootstrap: str, *, prefix: str, identity: Mapping[str, Any]) -> None:
        self._broker = {"bootstrap_servers": bootstrap, **identity}
        self._prefix = prefix
        self._producer: aiokafka.AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def append(self, messages: Sequence[Message]) -> list[int]:
        """The offsets, once the log has all of them.

        Raises `Problem` when that is not known in time; then the same events may be sent again, for one that has
        arrived is recognised by its source and id.
        """
        offsets = [placed.offset for placed in await self.place(messages)]
        if None in offsets:
            raise Problem("log_unavailable", AGAIN)
        return offsets  # type: ignore[return-value]

    async def place(self, messages: Sequence[Message]) -> list[Placed]:
        """What became of each, in bounded time. Raises `Problem` when the log has told of none."""
        sent: list[asyncio.Future[aiokafka.structs.RecordMetadata]] = []
        try:
            async with asyncio.timeout(APPEND_TIMEOUT_S):
                producer = await self._started()
                for message in messages:
                    sent.append(await self._send(producer, message))
                # Not gathered: what is waited for in vain is still told of while the producer closes.
                if sent:
                    await asyncio.wait(sent)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            if not any(map(_has_arrived, sent)):
                raise Problem("log_unavailable", AGAIN) from error
        else:
            if not all(map(_has_arrived, sent)):
                await self.close()
        placed = [Placed(done.result().offset if _has_arrived(done) else None, sent=True) for done in sent]
        return placed + [Placed(None, sent=False)] * (len(messages) - len(sent))

    async def _send(
        self, producer: aiokafka.AIOKafkaProducer, message: Message
    ) -> "asyncio.Future[aiokafka.structs.RecordMetadata]":
        faults.point("append.sending")
        sent: asyncio.Future[aiokafka.structs.RecordMetadata] = await producer.send(
            f"{self._prefix}.{message.family}",
            message.value,
            key=message.key,
            partition=message.lane,
            headers=list(message.headers),
        )
        return sent

    async def _started(self) -> aiokafka.AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = aiokafka.AIOKafkaProducer(
                    **self._broker,
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    linger_ms=2,
                    max_request_size=REQUEST_BYTES_MAX,
                    request_timeout_ms=int(APPEND_TIMEOUT_S * 1000),
                )
                self._producer = producer
                await producer.start()
        return self._producer

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await producer.stop()
            except (KafkaError, TimeoutError):
                pass  # what it still held was never acknowledged
