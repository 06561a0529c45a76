"""What several tests of the APIs read: two hospitals and a pharmacy in one area, a hospital in another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from tests.conftest import fresh_database, fresh_topics
from tests.integration import claims_served, served, small_city
from tests.integration.claims_served import Clinic
from tests.integration.served import Api
from tests.integration.small_city import City


@pytest.fixture(scope="module")
async def booked(
    kafka: Kafka, postgres: Postgres, template: str, session_folder: Path
) -> AsyncIterator[tuple[Api, City]]:
    """Made once for a file: no test changes what these books say of the four providers."""
    async with fresh_database(postgres, template) as database:
        prefix = await fresh_topics(kafka)
        async with (
            served.booking(database, kafka.address, prefix),
            served.serving(database, kafka.address, prefix, session_folder / "keys") as api,
        ):
            yield api, await small_city.publish(api)


@pytest.fixture
def api(booked: tuple[Api, City]) -> Api:
    return booked[0]


@pytest.fixture
def city(booked: tuple[Api, City]) -> City:
    return booked[1]


@pytest.fixture(scope="module")
async def claimed(postgres: Postgres, template: str, session_folder: Path) -> AsyncIterator[tuple[Api, Clinic]]:
    """Made once for a file: no test changes what is known of the four providers' claims."""
    async with (
        fresh_database(postgres, template) as database,
        claims_served.city(database) as (log, clinic, _),
        claims_served.serving(database, log, session_folder / "keys") as api,
    ):
        yield api, clinic


@pytest.fixture(params=["ledger", "clearing"])
def surface(
    request: pytest.FixtureRequest, booked: tuple[Api, City], claimed: tuple[Api, Clinic]
) -> tuple[Api, City | Clinic]:
    """Each API in turn, with the providers it knows."""
    return booked if request.param == "ledger" else claimed
