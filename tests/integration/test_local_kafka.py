"""The local broker: durable over kill -9, the same address for good, and one clear line where something is missing."""

import os
import subprocess
import sys
from pathlib import Path

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from medfund.events.kinds import FAMILIES
from medfund.lanes.settings import NOBODY
from medfund.local import prepare
from medfund.local.kafka import Kafka, fetch
from medfund.local.server import write_file
from tests.conftest import FORGETFUL, LANES
from tests.integration import log_of


async def append(bootstrap: str, topic: str, value: bytes, **options: object) -> int:
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", **options) as producer:
        placed = await producer.send_and_wait(topic, value, partition=0)
    return int(placed.offset)


async def read(bootstrap: str, topic: str, offset: int) -> bytes:
    place = aiokafka.TopicPartition(topic, 0)
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([place])
        consumer.seek(place, offset)
        return bytes((await consumer.getone(place)).value)


async def test_what_was_acknowledged_outlives_a_killed_broker_and_a_stop_is_clean(folder: Path) -> None:
    write_file(folder / "cluster-id", "-LwrC0TnT3eLU-HklCCDJg")  # as hard to pass on as an id can be
    broker = Kafka(folder, settings=FORGETFUL)
    broker.start()
    try:
        address = broker.address
        await prepare.topics(address, prefix="kept", lanes=1, families=["claims"], identity=NOBODY)
        offset = await append(address, "kept.claims", b"before the kill")
        broker.kill()
        assert not broker.running
        broker.start()
        assert broker.address == address
        assert await read(address, "kept.claims", offset) == b"before the kill"
    finally:
        broker.stop()
    assert not broker.running
    assert (folder / "data" / ".kafka_cleanshutdown").exists()


async def test_topics_keep_everything_at_the_brokers_time_and_take_24_mib(kafka: Kafka, topic_prefix: str) -> None:
    topic = f"{topic_prefix}.claims"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        described = await admin.describe_topics([f"{topic_prefix}.{family}" for family in FAMILIES])
    finally:
        await admin.close()
    config = {name: value for name, value, *_ in answer.resources[0][4]}
    assert {name: config[name] for name in prepare.CONFIG} == prepare.CONFIG
    assert [len(found["partitions"]) for found in described] == [LANES] * len(FAMILIES)
    # The batch that carries a record needs a few bytes of its own.
    value = b"x" * ((24 << 20) - 1024)
    assert await append(kafka.address, topic, value, max_request_size=25 << 20) == 0


async def test_a_topic_with_another_number_of_partitions_is_refused(kafka: Kafka, topic_prefix: str) -> None:
    with pytest.raises(prepare.NotAsAsked, match="has 4 partitions instead of 5"):
        await prepare.topics(kafka.address, prefix=topic_prefix, lanes=5, identity=NOBODY)


def asked_to_fetch(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Fetch the broker on a machine that has only these programs, each a shell script."""
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environment |= {"PATH": str(folder), "MEDFUND_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "medfund.local.kafka"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


JAVA_11 = """echo 'openjdk version "11.0.2" 2019-01-15' >&2"""
JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""


@pytest.mark.parametrize(
    ("programs", "line"),
    [
        ({}, "Java is missing: install Java 17 or newer (a JRE is enough)"),
        ({"java": JAVA_11}, "Java 11 is too old: install Java 17 or newer (a JRE is enough)"),
        ({"java": JAVA_17}, "Maven is missing: install Maven 3.6 or newer (it fetches Apache Kafka once)"),
    ],
)
def test_a_missing_prerequisite_is_one_line_that_says_what_to_install(
    folder: Path, programs: dict[str, str], line: str
) -> None:
    said = asked_to_fetch(folder, **programs)
    assert (said.returncode, said.stderr.splitlines()) == (1, [line])


FETCHES = """for argument in "$@"; do case $argument in -DoutputDirectory=*) jars=${argument#*=};; esac; done
[ -d "$jars" ] || mkdir "$jars"
echo "[INFO] Downloaded from central: somewhere/kafka.jar (1 kB at 1 kB/s)"
"""
FAILS = FETCHES + """echo one > "$jars/kafka.jar"; echo 'no such artifact'; exit 1"""
DIES = FETCHES + """echo one > "$jars/kafka.jar"; kill -9 $$"""
ENDS = FETCHES + """read found < "$jars/kafka.jar"; echo "found $found"; echo two > "$jars/scala.jar" """


@pytest.mark.parametrize(("maven", "why"), [(FAILS, ["no such artifact"]), (DIES, [])])
def test_what_a_fetch_brought_that_failed_is_kept_and_taken_up_again_and_does_not_look_whole(
    folder: Path, maven: str, why: list[str]
) -> None:
    (folder / "mkdir").symlink_to("/bin/mkdir")
    broken = asked_to_fetch(folder, java=JAVA_17, mvn=maven)
    assert broken.returncode == 1
    kept = "Maven could not fetch Kafka; what it has fetched is kept"
    assert broken.stderr.splitlines() == ["Apache Kafka is fetched, once", "fetched kafka.jar", kept, *why]
    [jars] = (folder / "cache").glob("kafka-*")
    assert jars.name.endswith(".fetching")
    # The second one does not get its broker to run, with a Java like this, and keeps the jars all the same.
    again = asked_to_fetch(folder, java=JAVA_17, mvn=ENDS)
    assert again.returncode == 0, again.stderr
    assert "later starts will take longer" in again.stderr.splitlines()[-1]
    [whole] = (folder / "cache").glob("kafka-*")
    assert {jar.name: jar.read_text(encoding="utf-8") for jar in whole.iterdir()} == {
        "kafka.jar": "one\n",
        "scala.jar": "two\n",
    }
    assert asked_to_fetch(folder, java=JAVA_17, mvn="exit 1").returncode == 0, "it is not fetched again"


def test_what_was_fetched_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch, kafka: Kafka) -> None:
    monkeypatch.setenv("PATH", "")
    assert (fetch() / "classes.jsa").exists()


async def test_lanes_are_told_once_from_when_on_they_ask_however_often_the_log_is_prepared(
    kafka: Kafka, topic_prefix: str
) -> None:
    for _ in range(12):
        await prepare.opened(kafka.address, prefix=topic_prefix, lanes=LANES, identity=NOBODY)
    assert len(await log_of.records(kafka.address, f"{topic_prefix}.agency", lanes=LANES)) == LANES
