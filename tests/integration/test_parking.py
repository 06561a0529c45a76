"""A fact that cannot be decided waits, with the later facts of its key, and nothing else does.

The lane, the decider and the database are the real ones; the log is in memory.
"""

from collections.abc import Iterator
from typing import Any

import asyncpg
import msgspec
import pytest

from clearing.service import Clearing
from medfund.events import bulk
from medfund.events.claims import ClaimBatchSubmitted
from medfund.events.codec import Accepted
from medfund.events.time import DayOpened
from medfund.lanes import lane as lanes
from medfund.lanes import metrics, parking, partition, retry
from medfund.lanes.decider import Decider
from medfund.lanes.draft import Draft
from medfund.lanes.lane import Lane, Limits
from medfund.lanes.log import Run
from medfund.lanes.store import Claim, InvariantBroken
from medfund.local import prepare
from tests import events, fund, halves
from tests.conftest import PASSWORDS, Database
from tests.simulation.memory_log import MemoryLog
from tests.simulation.test_decisions import LANES, control

__all__ = ["control"]

LANE = 5
A, B, *MORE = events.providers(LANE, LANES, 40)
BIG = 2 * halves.LIMIT


class Days(halves.Halves):
    """Rules that fail when a day opens."""

    facts = ("agency", "claims", "time")

    def learn(self, draft: Draft, fact: Accepted) -> None:
        if isinstance(fact.event, DayOpened):
            raise ZeroDivisionError
        super().learn(draft, fact)


class Unlearned(halves.Halves):
    """Rules that fail where they learn, too."""

    def learn(self, draft: Draft, fact: Accepted) -> None:
        if type(fact.event) in self.learns and halves.said_by(fact.event)[0] in self.broken:
            raise LookupError(fact.event)
        super().learn(draft, fact)


class World:
    def __init__(self, control: asyncpg.Connection, connection: asyncpg.Connection) -> None:
        self.control, self.connection = control, connection
        self.log = MemoryLog()
        self.broken: set[str] = set()
        for message in events.registry([LANE], LANES):
            self.log.put(message.topic, LANE, key=message.key, value=message.value, headers=message.headers)

    def settle(self, provider: str, id: str, *, fen: int = BIG, broken: bool = False) -> int:
        message = events.settlement(provider, id=id, funds={"390100": fen}, family_account="0.00")
        if broken:
            self.broken.add(events.reference(id))
        return self.log.put(message.topic, LANE, key=message.key, value=message.value, headers=message.headers)

    async def work(self, rules: halves.Halves | None = None, *, deciding: bool = True, batch: int = 100) -> None:
        """A worker takes the lane and works until nothing is left to do."""
        row = await self.control.fetchrow(
            "update lanes set epoch = epoch + 1 where lane = $1 returning epoch, batches", LANE
        )
        chosen = rules or halves.Halves(prefix="medfund", broken=self.broken)
        service = Decider(chosen, lanes=LANES, prefix="medfund", deciding=deciding)
        source = await self.log.open_lane(LANE, service.topics)
        limits = Limits(batch_records_max=batch, wait_s=0, pace_s=0)
        lane = Lane(Claim(LANE, *row), service, self.log, source, self.connection, limits)
        await lane.open()
        while await lane.step() or lane._undelivered:
            pass

    async def retry(self, provider: str) -> int:
        return await retry.retry(self.connection, self.log, provider, lanes=LANES)

    def decided(self) -> list[str]:
        """The references that were paid, in order, each once for its two payments."""
        return list(dict.fromkeys(event["payable_ref"] for type, event in self.told() if type == "payment.settled.v1"))

    def turns(self, *types: str) -> list[dict[str, Any]]:
        return [event for type, event in self.told() if type in types]

    def told(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for record in self.log.records("clearing", LANE):
            yield dict(record.headers)["ce_type"].decode(), msgspec.json.decode(record.value or b"")

    async def quarantine(self) -> list[tuple[int, str, str]]:
        query = 'select "offset", reason, detail from quarantine where lane = $1 order by topic, "offset"'
        return [tuple(row) for row in await self.control.fetch(query, LANE)]


@pytest.fixture
async def world(database: Database, control: asyncpg.Connection) -> Any:
    connection = await asyncpg.connect(prepare.dsn(database.admin, user="halves_worker", password=PASSWORDS["worker"]))
    yield World(control, connection)
    await connection.close()


def refs(*ids: str) -> list[str]:
    return [events.reference(id) for id in ids]


async def test_only_the_key_of_a_fact_that_cannot_be_decided_waits(world: World) -> None:
    world.settle(A, "a1")
    first = world.settle(A, "a2", broken=True)
    world.settle(B, "b1")
    world.settle(A, "a3")
    world.settle(B, "b2")
    await world.work()
    world.settle(A, "a4")
    world.settle(B, "b3")
    await world.work()
    assert world.decided() == refs("a1", "b1", "b2", "b3")
    [parked] = world.turns("fact.parked.v1")
    assert (parked["key"], parked["cause"]) == (A, {"topic": "claims", "lane": LANE, "offset": first})
    waits = f"waits for claims {LANE} {first}"
    assert await world.quarantine() == [(1, "handler_failed", parked["detail"]), (3, "key_waits", waits),
                                        (5, "key_waits", waits)]  # fmt: skip
    [row] = await retry.parked(world.connection)
    assert (row.key, row.lane, row.waiting, row.first.offset) == (A, LANE, 3, first)
    assert metrics.PARKED_KEYS.labels("halves", LANE)._value.get() == 1


async def test_what_is_told_of_a_fault_quotes_nothing_of_the_fact(world: World) -> None:
    world.settle(A, "a1", broken=True)
    await world.work()
    [parked] = world.turns("fact.parked.v1")
    assert parked["detail"].startswith("LookupError in tests.halves.Halves.decide, line ")
    query = "select key, value, header_values from quarantine where lane = $1"
    [record] = world.log.records("claims", LANE)
    kept = await world.control.fetchrow(query, LANE)
    assert tuple(kept) == (record.key, record.value, [value for _, value in record.headers])


async def test_after_a_retry_all_that_waited_takes_effect_once_and_in_its_order(world: World) -> None:
    world.settle(A, "a1", broken=True)
    world.settle(A, "a2")
    await world.work()
    world.broken.clear()
    world.settle(A, "a3")
    await world.work()
    assert world.decided() == []
    assert await world.retry(A) == 3
    world.settle(A, "a4")
    assert await world.retry(A) == 3
    await world.work()
    assert world.decided() == refs("a1", "a2", "a3", "a4")
    assert [turn["cause"]["offset"] for turn in world.turns("fact.retried.v1", "fact.released.v1")] == [3, 6]
    assert await world.retry(A) == 0
    assert await retry.parked(world.connection) == []
    query = "select duplicate, quarantined from positions where lane = $1 and topic = 'claims'"
    assert tuple(await world.control.fetchrow(query, LANE)) == (3, 3)
    causes = {event["cause"]["offset"] for event in world.turns("payment.settled.v1")}
    assert causes == {3, 4, 5, 6}, "an effect carries the date on which it happened"


async def test_however_much_waits_for_a_key_a_batch_holds_no_more_of_it_than_it_can_touch(world: World) -> None:
    names = [f"a{n}" for n in range(217)]
    for name in names:
        world.settle(A, name, broken=name == "a0")
    await world.work(batch=50)
    state = await parking.load(world.connection, LANE)
    assert (state.keys[A].count, state.keys[A].waiting) == (217, {})
    source = await world.log.open_lane(LANE, ["claims"])
    records = [record for offset in (100, 211) if (record := await source.record_at("claims", offset))]
    facts = [fact for fact in bulk.decode(records, family="claims", lanes=LANES) if isinstance(fact, Accepted)]
    await parking.recall(world.connection, LANE, state, ["claims", "time"], facts)
    assert [entry.offset for entry in state.keys[A].waiting.values()] == [0, 1, 2, 100, 211]
    assert state.draft().keys[A].waiting == {}, "the next batch begins without it"
    world.broken.clear()
    assert await world.retry(A) == 217
    await world.work(batch=50)
    assert world.decided() == refs(*names)
    assert await retry.parked(world.connection) == []


async def test_what_comes_while_a_retry_is_under_way_waits_behind_it(world: World) -> None:
    world.settle(A, "a1", broken=True)
    world.settle(A, "a2")
    await world.work()
    world.broken.clear()
    [first, second] = await world.connection.fetch(retry.SQL.to_retry, LANE, A, *retry._START, 10)
    await world.log.append(LANE, [retry.copy_of(LANE, first)])
    world.settle(A, "a3")
    await world.log.append(LANE, [retry.copy_of(LANE, second)])
    await world.work()
    assert world.decided() == refs("a1", "a2")
    assert await world.retry(A) == 1
    await world.work()
    assert world.decided() == refs("a1", "a2", "a3")


async def test_a_retry_that_fails_again_leaves_everything_waiting(world: World) -> None:
    world.settle(A, "a1", broken=True)
    world.settle(A, "a2")
    await world.work()
    await world.retry(A)
    await world.work()
    assert world.decided() == []
    assert [turn["cause"]["offset"] for turn in world.turns("fact.parked.v1")] == [0, 2]
    [row] = await retry.parked(world.connection)
    assert (row.waiting, row.first.offset) == (2, 2)
    world.broken.clear()
    await world.retry(A)
    await world.work()
    assert world.decided() == refs("a1", "a2")


async def test_a_second_delivery_by_its_publisher_does_not_retry_what_waits(world: World) -> None:
    for _ in range(2):
        world.settle(A, "a1", broken=True)
        await world.work()
        world.broken.clear()
    assert world.decided() == []
    assert await world.retry(A) == 1
    await world.work()
    assert world.decided() == refs("a1")


async def test_however_many_keys_fail_in_one_batch_all_others_are_decided(world: World) -> None:
    for number, provider in enumerate(MORE):
        world.settle(provider, f"m{number}", broken=number % 2 == 0)
        world.settle(provider, f"n{number}")
    await world.work()
    assert world.decided() == refs(*(f"{kind}{number}" for number in range(1, len(MORE), 2) for kind in "mn"))
    assert len(await retry.parked(world.connection)) == len(MORE) // 2


async def test_a_fact_that_cannot_be_learned_waits_as_well(world: World) -> None:
    rules = Unlearned(prefix="medfund", broken=world.broken)
    world.settle(A, "a1", broken=True, fen=1)
    world.settle(B, "b1")
    await world.work(rules)
    assert world.decided() == refs("b1")
    assert await world.control.fetchval("select count(*) from seen") == 1


async def test_where_a_handler_fails_for_what_concerns_every_key_the_lane_stops(world: World) -> None:
    world.settle(A, "a1")
    message = events.message("day.opened.v1", id="d")
    world.log.put(message.topic, LANE, key=partition.lane_key(LANE, LANES), value=message.value,
                  headers=message.headers)  # fmt: skip
    with pytest.raises(InvariantBroken, match="time 5 0 concerns every key: ZeroDivisionError"):
        await world.work(Days(prefix="medfund"))
    assert await world.control.fetchval("select sum(next_offset) from positions where lane = $1", LANE) == 0


async def test_a_rebuild_parks_nothing_of_its_own(world: World) -> None:
    """It publishes nothing, so what it put aside nobody would know of."""
    world.settle(A, "a1", fen=1)
    world.broken.update(refs("a1"))
    with pytest.raises(InvariantBroken, match="cannot be decided, nor can it wait"):
        await world.work(Unlearned(prefix="medfund", broken=world.broken), deciding=False)


async def test_what_the_log_answers_already_is_never_parked_and_decided_again(world: World) -> None:
    world.settle(A, "a1")
    await world.work()
    for table in ("seen", "paid", "positions", "batches", "identities", "sources"):
        await world.control.execute(f"delete from {table}")  # noqa: S608
    world.broken.update(refs("a1"))
    with pytest.raises(InvariantBroken, match="already what came after it"):
        await world.work(Unlearned(prefix="medfund", broken=world.broken))
    await world.work()
    assert world.decided() == refs("a1")
    assert len(world.log.records("clearing", LANE)) == 2


def test_a_batch_is_cut_until_it_holds_one_record() -> None:
    run = Run("claims", 3, 9, [_at(3), _at(5), _at(6)])  # type: ignore[list-item]
    short = Run("bank", 0, 1, [_at(0)])  # type: ignore[list-item]
    first, second = lanes.halves([run, short])
    assert [(part.topic, part.first, part.next, len(part.records)) for part in first] == [
        ("claims", 3, 6, 2), ("bank", 0, 1, 1),
    ]  # fmt: skip
    assert [(part.topic, part.first, part.next, len(part.records)) for part in second] == [("claims", 6, 9, 1)]
    assert lanes.halves([second[0], short]) == [[second[0]], [short]]


class _at:  # noqa: N801 - a record of which only the offset matters
    def __init__(self, offset: int) -> None:
        self.offset = offset


async def test_the_ledger_books_a_parked_claim_once_and_clearing_answers_it_when_it_is_retried(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fund.running(database) as world:
        world.register()
        world.policy()
        world.settle({"310100": 10_000_00})
        answer = Clearing.answers[ClaimBatchSubmitted]
        monkeypatch.setitem(Clearing.answers, ClaimBatchSubmitted, [_fails])  # type: ignore[arg-type]
        world.submit("B-1")
        world.deduct(["B-1"], {"310100": 1_00})
        assert [event["type"] for event in await world.decided()] == ["fact.parked"]
        before = await world.balances()
        monkeypatch.setitem(Clearing.answers, ClaimBatchSubmitted, answer)  # type: ignore[arg-type]
        assert await retry.retry(world.connections["clearing"], world.log, world.provider, lanes=fund.LANES) == 2
        types = [event["type"] for event in await world.decided()]
        assert types[:3] == ["fact.parked", "fact.retried", "claim.batch.accepted"]
        assert "fact.disputed" not in types
        after = await world.balances()
        assert before["2100"] == {"310100": -10_000_00}
        assert "2100" not in after
        query = "select sum(duplicate) from ledger.positions where lane = $1 and topic in ('claims', 'reviews')"
        assert await world.control.fetchval(query, world.lane) == 2


def _fails(*_: object) -> Any:
    raise KeyError("B-1")
