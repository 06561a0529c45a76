#!/bin/bash
# aiokafka 0.14.0, Python 3.11, Apache Kafka 4.4.0: seek_to_beginning() soon after assign(), with the default reset.
#
# A consumer without a group that has just been assigned partitions is on its way to their ends (auto_offset_reset is
# "latest"). seek_to_beginning() in that moment returns without an error, and mostly position() is the end: the
# answer to the earlier question is taken for that to the later one, because nothing but "a reset is awaited" is looked
# at. Whoever then reads from the position to end_offsets() reads nothing, and takes the topic for empty.
# Expected by the documents: seek_to_beginning() is to "seek to the oldest available offset". Java's client had the same
# with seekToEnd (KAFKA-7703, mended since). What helps is auto_offset_reset="earliest" instead of seeking.
#
# Needs Python 3.11, Java 17 and Maven. Ends with 0 while it is so, and with 1 once it is otherwise.
set -euo pipefail
folder=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || { kill "$broker" 2>/dev/null || true; wait "$broker" || true; }; rm -rf "$folder"' EXIT
cd "$folder"

python3.11 -m venv venv
venv/bin/pip install -q --disable-pip-version-check aiokafka==0.14.0
cat > pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.4.0</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=jars > maven.log 2>&1 || { cat maven.log >&2; exit 1; }

read -r port controller < <(python3.11 -c 'import socket
both = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[one.getsockname()[1] for one in both])')
cat > broker.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:$controller
log.dirs=$folder/data
PROPERTIES
java -cp 'jars/*' kafka.tools.StorageTool format --cluster-id=AAAAAAAAAAAAAAAAAAAAAA -c broker.properties > format.log 2>&1
java -Xmx400m -cp 'jars/*' kafka.Kafka broker.properties > broker.log 2>&1 &
broker=$!

cat > consumer.py <<'PYTHON'
import asyncio
import sys
import time

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

ADDRESS, TRIES = sys.argv[1], 60
PLACES = [aiokafka.TopicPartition("parcels", number) for number in range(4)]


async def made():
    deadline = time.monotonic() + 60
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=ADDRESS)
        try:
            await admin.start()
            await admin.create_topics([NewTopic("parcels", 4, 1)])
            return
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        finally:
            await admin.close()


async def filled():
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=ADDRESS) as producer:
        for place in PLACES:
            await producer.send_and_wait(place.topic, b"one", partition=place.partition)


async def begins(**settings):
    """The positions that a consumer has after it went to the beginning."""
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=ADDRESS, **settings) as consumer:
        consumer.assign(PLACES)
        await consumer.end_offsets(PLACES)
        await consumer.seek_to_beginning(*PLACES)
        found = [await consumer.position(place) for place in PLACES]
        await asyncio.sleep(0.3)
        return found


async def main():
    await made()
    await filled()
    usual = [await begins() for _ in range(TRIES)]
    earliest = [await begins(auto_offset_reset="earliest") for _ in range(TRIES)]
    wrong = sum(found != [0, 0, 0, 0] for found in usual)
    print(f"of {TRIES} consumers that went to the beginning of four partitions, {'some' if wrong else 'none'} stood at an end;",
          "with auto_offset_reset='earliest'", "some" if any(map(any, earliest)) else "none")
    print(f"this time {wrong}", file=sys.stderr)
    return wrong > 0 and not any(map(any, earliest))


print("aiokafka", aiokafka.__version__, "Python", sys.version.split()[0])
same = asyncio.run(main())
print("as it was found" if same else "IT IS OTHERWISE NOW")
sys.exit(not same)
PYTHON
venv/bin/python -W ignore consumer.py "127.0.0.1:$port" 2> errors.log || { tail -n 20 errors.log >&2; exit 1; }
grep 'this time' errors.log >&2
