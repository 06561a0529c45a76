"""What a batch costs: as many statements for a thousand events as for one, of whatever kind they are."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import msgspec
import pytest

from clearing.payments import planning
from clearing.service import Clearing
from medfund.events.kinds import KINDS
from medfund.lanes.lane import Lane, Limits
from medfund.local.postgres import Postgres
from tests import events, golden
from tests.conftest import fresh_database
from tests.fund import LANE, LANES, OF_LANES, Fund, services
from tests.simulation.memory_log import MemoryLog

On: TypeAlias = tuple[asyncpg.Connection, dict[str, asyncpg.Connection]]
STORIES = sorted(golden.DECIDED.glob("*.jsonl"))
[TOLD_OF] = events.providers(LANE, LANES, 1)
"""The provider of every story."""
OF_THE_CLIENT = ("pg_catalog.", "set_config('jit'")
"""What the client asks once of a connection for each type."""


class Counted:
    """The statements that a connection sends, COPY among them, from one batch's first to its last."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sent = 0
        for name in ("copy_to_table", "copy_records_to_table"):
            patch.setattr(asyncpg.Connection, name, self._counting(getattr(asyncpg.Connection, name)))

    def _counting(self, copy: Any) -> Any:
        async def counted(*args: Any, **options: Any) -> Any:
            self.sent += 1
            return await copy(*args, **options)

        return counted

    def follow(self, lane: Lane) -> list[int]:
        """Of each batch from here on."""
        found: list[int] = []
        lane.connection.add_query_logger(self._see)

        def point(name: str) -> None:
            if name == "after_fetch":
                self.sent = 0
            elif name == "after_commit":
                found.append(self.sent)

        lane.point = point
        return found

    def _see(self, query: asyncpg.connection.LoggedQuery) -> None:
        self.sent += not any(asked in str(query.query) for asked in OF_THE_CLIENT)


def told_of(one: Mapping[str, Any], providers: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is said of the story's provider, said of each of some."""
    text = json.dumps(one)
    for provider in providers if TOLD_OF in text else providers[:1]:
        yield {**json.loads(text.replace(TOLD_OF, provider)), "id": f"{one['id']}-{provider}"}


async def planned(fund: Fund, one: Mapping[str, Any]) -> dict[str, Any]:
    """A run pins what is approved when it is planned."""
    run = one["data"]
    plan = await fund.plan(run["fund"], on=run["execute_on"])
    opened = planning.run(plan, run_ref=run["run_ref"], staff_ref=run["staff_ref"])
    return {**one, "data": msgspec.to_builtins(opened)}


@dataclass
class Telling:
    """A story, told to both services on a lane that knows nothing."""

    fund: Fund
    counted: Counted
    story: Path

    def facts(self) -> list[dict[str, Any]]:
        return [one for one in golden.read(self.story) if one["topic"] != "clearing"]

    async def costs(self, count: int, *, at_once: bool = False) -> dict[str, list[int]]:
        """How many statements each batch takes, where each line of the story is told of so many providers: line by
        line, or all at once but for runs, which pay what was approved before."""
        providers = events.providers(LANE, LANES, count)
        found = await self._begin()
        for one in self.facts():
            if one["type"] == "payment.run.opened.v1":
                if at_once:
                    continue
                golden.put(self.fund.log, LANE, [await planned(self.fund, one)])
            else:
                golden.put(self.fund.log, LANE, told_of(one, providers))
            if not at_once:
                await self.fund.drain()
        await self.fund.drain()
        return found

    async def _begin(self) -> dict[str, list[int]]:
        fund = self.fund
        fund.log = MemoryLog()
        await fund.forget()
        for table in (*OF_LANES, "journal", "buckets", "providers", "statements", "shifts"):
            await fund.control.execute(f"delete from ledger.{table}")  # noqa: S608
        found = {}
        for name in ("clearing", "ledger"):
            await fund.claim(name)
            found[name] = self.counted.follow(fund.workers[name])
        return found


@pytest.fixture(scope="module")
async def on(postgres: Postgres, template: str) -> AsyncIterator[On]:
    async with fresh_database(postgres, template) as database, services(database) as made:
        yield made


@pytest.fixture
def telling(on: On, story: Path, monkeypatch: pytest.MonkeyPatch) -> Telling:
    monkeypatch.setattr("tests.fund.LIMITS", Limits(batch_records_max=5000, wait_s=0, pace_s=0))
    return Telling(Fund(*on), Counted(monkeypatch), story)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
async def test_a_batch_takes_as_many_statements_whatever_it_holds_many_of(telling: Telling) -> None:
    one = await telling.costs(1)
    assert await telling.costs(12) == one
    assert min(map(len, one.values())) >= 10


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
async def test_a_batch_of_a_thousand_events_takes_as_many_statements_as_one_of_each_kind(telling: Telling) -> None:
    of_provider = sum(TOLD_OF in json.dumps(one) for one in telling.facts())
    one = await telling.costs(1, at_once=True)
    many = await telling.costs(1_000 // of_provider + 1, at_once=True)
    assert [of_service[0] for of_service in many.values()] == [of_service[0] for of_service in one.values()]


def test_the_stories_hold_every_kind_of_fact_that_clearing_answers() -> None:
    told = {one["type"] for story in STORIES for one in golden.read(story)}
    answered = {name for name, kind in KINDS.items() if kind.event in Clearing.answers}
    assert answered <= told
