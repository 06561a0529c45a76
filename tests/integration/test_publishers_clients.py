"""Publishers bring their own clients, and they land in our lanes when they are told to hash as the Java client does."""

import asyncio

import pytest
from confluent_kafka import Producer

from medfund.events import codec
from medfund.events.codec import Accepted, Refused
from medfund.events.refusals import Reason
from medfund.lanes import partition
from medfund.local.kafka import Kafka
from tests import clients
from tests.conftest import LANES
from tests.events import Message, settlement
from tests.integration import log_of

FLUSH_S = 30.0
MESSAGES = [
    settlement(f"H1525020{number:04d}", id=f"client-{number}", funds={"390100": number}) for number in range(1, 65)
]


def produce(bootstrap: str, topic: str, settings: dict[str, str]) -> None:
    """Send every message with librdkafka, which alone chooses the partitions."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, **settings})

    def delivered(error: object, _: object) -> None:
        if error is not None:
            failures.append(error)

    def send(message: Message) -> None:
        headers = list(message.headers)
        producer.produce(topic, key=message.key, value=message.value, headers=headers, on_delivery=delivered)

    for message in MESSAGES:
        send(message)
    assert producer.flush(FLUSH_S) == 0
    assert not failures


async def outcomes(kafka: Kafka, prefix: str, settings: dict[str, str]) -> list[Accepted | Refused]:
    topic = f"{prefix}.claims"
    await asyncio.to_thread(produce, kafka.address, topic, settings)
    records = await log_of.records(kafka.address, topic, lanes=LANES)
    assert len(records) == len(MESSAGES)
    return [codec.decode(record, family="claims", lanes=LANES) for record in records]


async def test_librdkafka_with_murmur2_random_lands_in_the_lanes_of_the_java_client(
    kafka: Kafka, topic_prefix: str
) -> None:
    found = await outcomes(kafka, topic_prefix, {"partitioner": "murmur2_random"})
    assert all(isinstance(outcome, Accepted) for outcome in found)
    assert {outcome.record.partition for outcome in found} == set(range(LANES))
    assert all(partition.lane_of(outcome.record.key or b"", LANES) == outcome.record.partition for outcome in found)


async def test_librdkafka_by_default_lands_elsewhere_and_is_told_what_to_set(kafka: Kafka, topic_prefix: str) -> None:
    found = await outcomes(kafka, topic_prefix, {})
    refused = [outcome for outcome in found if isinstance(outcome, Refused)]
    assert len(MESSAGES) // 2 < len(refused) < len(MESSAGES)
    assert {outcome.reason for outcome in refused} == {Reason.WRONG_LANE}
    assert all("partitioner=murmur2_random" in outcome.detail for outcome in refused)


@pytest.mark.timeout(clients.MAKE_LIMIT_S + clients.RUN_LIMIT_S)
@pytest.mark.parametrize("client", ["sarama", "kafkajs"])
def test_other_clients_find_the_same_lanes(client: str) -> None:
    keys = sorted({(message.key or b"").decode() for message in MESSAGES} | {"152500", "P31020000018"})
    said = clients.run(clients.program(client), clients.folder(client), KEYS=" ".join(keys))
    told = {(key, int(lanes), int(lane)) for key, lanes, lane in map(str.split, said.splitlines())}
    assert told == {(key, lanes, partition.lane_of(key.encode(), lanes)) for key in keys for lanes in (6, 12, 24)}
