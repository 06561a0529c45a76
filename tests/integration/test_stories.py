"""Stories of an area's funds, told on Kafka to the services' own processes: every line and every month-end balance."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from direct_pay.service import DirectPay
from medfund.local.kafka import Kafka
from tests import story
from tests.conftest import Database
from tests.integration.faults.conftest import kept
from tests.integration.workers import Books
from tests.integration.working_fund import FAMILIES

STORIES = sorted((Path(__file__).parents[1] / "stories").glob("*.json"))


@pytest.fixture
async def books(database: Database, kafka: Kafka, topic_prefix: str, folder: Path) -> AsyncIterator[Books]:
    with kept(database, kafka, topic_prefix, folder) as made:
        made.services |= {"clearing": FAMILIES, "direct_pay": (DirectPay.own, *DirectPay.facts)}
        for service in made.services:
            made.start(service, {"PACE_MS": "10"}, service=service)
        yield made


@pytest.mark.parametrize("told", [pytest.param(json.loads(path.read_text()), id=path.stem) for path in STORIES])
async def test_a_story_is_booked_step_by_step_in_both_books_as_the_rules_say(told: Any, books: Books) -> None:
    async with story.telling(told, books) as teller:
        await teller.tell()
