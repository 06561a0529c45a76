"""Books that a test's own workers write, ended however the test ends."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from medfund.local.kafka import Kafka
from medfund.local.server import tail
from tests.conftest import Database
from tests.integration.workers import Books


@pytest.fixture
async def books(database: Database, kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[Books]:
    with kept(database, kafka, topic_prefix, folder) as made:
        yield made


@contextmanager
def kept(database: Database, kafka: Kafka, prefix: str, folder: Path) -> Iterator[Books]:
    """Books of servers that a test chose."""
    books = Books(database, kafka.address, prefix, folder)
    yield books
    books.end()
    print(*(tail(worker.log) for worker in books.workers), sep="\n\n")  # noqa: T201 - shown where a test failed
