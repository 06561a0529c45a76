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

DECIDED, REBUILT = (golden.histories(folder) for folder in (golden.DECIDED, golden.REBUILT))
On: TypeAlias = tuple[asyncpg.Connection, dict[str, asyncpg.Connection]]


@pytest.fixture(scope="module")
async def on(postgres: Postgres, template: str) -> AsyncIterator[On]:
    async with fresh_database(postgres, template) as database, services(database, names=[*golden.TOLD_WITH]) as made:
        yield made


def named(part: str | Path) -> str:
    return part if isinstance(part, str) else f"{part.parent.stem}/{part.stem}"


async def told(on: On, service: str, records: list[dict[str, Any]]) -> Fund:
    """A lane of which nothing is known, with these records on its log."""
    log = MemoryLog()
    golden.put(log, LANE, records)
    fund = Fund(*on, log=log)
    await fund.forget(service)
    await fund.claim(service)
    return fund


@pytest.mark.parametrize(("service", "history"), DECIDED, ids=named)
async def test_what_was_decided_is_decided_again_with_the_same_ids_and_bytes(
    on: On, service: str, history: Path
) -> None:
    said, own_topic = golden.read(history), service.replace("_", "-")
    runs = [(own, list(some)) for own, some in groupby(said, key=lambda one: one["topic"] == own_topic)]
    fund = await told(on, service, runs[0][1])
    for own, some in runs[1:]:
        if own:
            await fund.drain()
        else:
            golden.put(fund.log, fund.lane, some)
    await fund.drain()
    assert [*golden.lines(fund.log, fund.lane)] == golden.kept(history)
    live = await fund.tables(service)
    await fund.rebuild(service)
    assert await fund.tables(service) == live


@pytest.mark.parametrize(("service", "history"), [*DECIDED, *REBUILT], ids=named)
async def test_decisions_that_are_on_the_log_are_read_back_and_none_is_added(
    on: On, service: str, history: Path
) -> None:
    fund = await told(on, service, golden.read(history))
    read_back = await fund.tables(service)
    assert [*golden.lines(fund.log, fund.lane)] == golden.kept(history)
    await fund.rebuild(service)
    assert await fund.tables(service) == read_back
