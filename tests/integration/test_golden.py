"""Golden histories: what was decided once is decided again, to the byte, and read back to the same rows."""

from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest

from medfund.local.postgres import Postgres
from tests import golden
from tests.conftest import fresh_database
from tests.fund import LANE, Fund, services
from tests.simulation.memory_log import MemoryLog

DECIDED, REBUILT = (sorted(folder.glob("*.jsonl")) for folder in (golden.DECIDED, golden.REBUILT))
On: TypeAlias = tuple[asyncpg.Connection, dict[str, asyncpg.Connection]]


@pytest.fixture(scope="module")
async def on(postgres: Postgres, template: str) -> AsyncIterator[On]:
    async with fresh_database(postgres, template) as database, services(database) as made:
        yield made


async def told(on: On, records: list[dict[str, Any]]) -> Fund:
    """A lane of which nothing is known, with these records on its log."""
    log = MemoryLog()
    golden.put(log, LANE, records)
    fund = Fund(*on, log=log)
    await fund.forget()
    await fund.claim("clearing")
    return fund


@pytest.mark.parametrize("history", DECIDED, ids=lambda history: history.stem)
async def test_what_was_decided_is_decided_again_with_the_same_ids_and_bytes(on: On, history: Path) -> None:
    said = golden.read(history)
    runs = [(own, list(some)) for own, some in groupby(said, key=lambda one: one["topic"] == "clearing")]
    fund = await told(on, runs[0][1])
    for own, some in runs[1:]:
        if own:
            await fund.drain()
        else:
            golden.put(fund.log, fund.lane, some)
    await fund.drain()
    assert [*golden.lines(fund.log, fund.lane)] == golden.kept(history)
    live = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == live


@pytest.mark.parametrize("history", [*DECIDED, *REBUILT], ids=lambda history: f"{history.parent.stem}/{history.stem}")
async def test_decisions_that_are_on_the_log_are_read_back_and_none_is_added(on: On, history: Path) -> None:
    fund = await told(on, golden.read(history))
    read_back = await fund.tables()
    assert [*golden.lines(fund.log, fund.lane)] == golden.kept(history)
    await fund.rebuild()
    assert await fund.tables() == read_back
