"""Books that a test's own workers write, ended however the test ends."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medfund.local.kafka import Kafka
from medfund.local.server import tail
from tests.conftest import Database
from tests.integration.workers import Books


@pytest.fixture
async def books(database: Database, kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[Books]:
    made = Books(database, kafka.address, topic_prefix, folder)
    yield made
    made.end()
    print(*(tail(worker.log) for worker in made.workers), sep="\n\n")  # noqa: T201 - shown where a test failed
