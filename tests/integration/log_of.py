"""What the broker holds: every record of a topic, in the order of its lanes."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

READ_LIMIT_MS = 10_000


async def records(bootstrap: str, topic: str, *, lanes: int) -> list[ConsumerRecord]:
    """All records of a topic, lane after lane."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, lane) for lane in range(lanes)]
        consumer.assign(partitions)
        left = sum((await consumer.end_offsets(partitions)).values())
        found: list[ConsumerRecord] = []
        while left:
            fetched = await consumer.getmany(timeout_ms=READ_LIMIT_MS)
            assert fetched, f"{left} records of {topic} did not come"
            for batch in fetched.values():
                found += batch
                left -= len(batch)
    finally:
        await consumer.stop()
    return sorted(found, key=lambda record: (record.partition, record.offset))
