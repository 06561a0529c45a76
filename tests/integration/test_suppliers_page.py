"""The page of suppliers and hospitals says what is true: what it asks is asked in its order, and answered so."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.conftest import Database
from tests.events import AREA
from tests.integration import purchases_served
from tests.integration.served import Api, Caller
from tests.purchasing import SUPPLIER, Purchasing, buying
from tests.shown import covers

PAGE = (Path(__file__).parents[2] / "docs" / "suppliers.md").read_text("utf-8")
BLOCK = re.compile(
    r"^```\w+ (?P<use>post|get|shows)=(?P<what>\S+)(?: as=(?P<who>\w+))?\n(?P<text>.*?)^```$", re.M | re.S
)
ACCEPTED = 202


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Purchasing]:
    async with buying(database, lane=0, lanes=1) as fund:
        await fund.set_up()
        purchases_served.month(fund)
        fund.day("2026-10-07")
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Purchasing, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with purchases_served.serving(database, fund.log, tmp_path) as api:
        yield api


async def asked(caller: Caller, use: str, what: str, text: str) -> httpx.Response:
    if use == "post":
        return await caller.command(what, **json.loads(text))
    url = urlsplit(what)
    return await caller.get(url.path, **dict(parse_qsl(url.query)))


async def test_what_the_page_asks_is_answered_as_it_says(fund: Purchasing, api: Api) -> None:
    people = {
        "supplier": api.caller("supplier", areas=[AREA], organisations=[SUPPLIER], subject="sue"),
        "hospital": api.caller("provider", areas=[AREA], organisations=[fund.provider], subject="hal"),
        "finance": api.caller("finance", areas=[AREA], subject="anna"),
    }
    blocks = [*BLOCK.finditer(PAGE)]
    shown = 0
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block["use"] == "shows":
            continue
        response = await asked(people[block["who"]], block["use"], block["what"], block["text"])
        await fund.drain()
        if following is not None and following["use"] == "shows":
            shown += 1
            told: Any = json.loads(following["text"])
            assert response.status_code == int(following["what"]), response.text
            assert covers(told, response.json()), response.text
        else:
            assert response.status_code == ACCEPTED, (block["what"], response.text)
    assert (len(blocks), shown) == (12, 4)
