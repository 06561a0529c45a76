#!/bin/bash
# aiokafka 0.14.0, Python 3.11, Apache Kafka 4.4.0: a consumer without a group that is stopped right after it was started.
#
# Known: `stop()` then raises CancelledError (aio-libs/aiokafka issue 647, open since 2020, for 0.5.2). What that comes to
# today is not told there:
#   1. inside an asyncio.TaskGroup the rest of the task is left out, and the group ends as if all of it had been done;
#   2. the client's own tasks go on behind the consumer's back, and no further `stop()` ends them.
# Expected by the documents: `stop()` is to "close the consumer"; asyncio's CancelledError says that somebody has
# cancelled the task, which nobody has.
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
from aiokafka.errors import KafkaError

ADDRESS = sys.argv[1]


def others():
    """What runs in this program beside the task that asks."""
    return sorted(task.get_coro().__qualname__ for task in asyncio.all_tasks() - {asyncio.current_task()})


async def answered():
    deadline = time.monotonic() + 60
    while True:
        client = aiokafka.AIOKafkaConsumer(bootstrap_servers=ADDRESS)
        try:
            await client.start()
            await asyncio.sleep(0.1)
            return await client.stop()
        except KafkaError:
            await client.stop()
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


async def look(consumer, done):
    await consumer.start()
    done.append("started")
    await consumer.stop()
    done.append("stopped")


async def main():
    await answered()
    assert others() == [], "one that is stopped a moment later leaves nothing"
    consumer, done = aiokafka.AIOKafkaConsumer(bootstrap_servers=ADDRESS), []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(look(consumer, done))
    print("the group ended without an error; of the task was done:", done, "- cancelled:", task.cancelled())
    await consumer.stop()
    await asyncio.sleep(0.5)
    print("what runs after a second stop():", *others())
    return done == ["started"] and task.cancelled() and len(others()) > 0


print("aiokafka", aiokafka.__version__, "Python", sys.version.split()[0])
same = asyncio.run(main())
print("as it was found" if same else "IT IS OTHERWISE NOW")
sys.exit(not same)
PYTHON
venv/bin/python -W ignore consumer.py "127.0.0.1:$port" 2> errors.log || { tail -n 20 errors.log >&2; exit 1; }
