"""A synthetic city's year of purchases through direct payment: everything matches, is requested as it was agreed to,
and is paid 27 days after acceptance; old arrears are cleared outside of it."""

from collections import defaultdict
from datetime import date
from typing import Any

from medfund import money
from medfund.city import model, profiles, purchases
from medfund.events import envelope
from medfund.events.envelope import Envelope
from medfund.events.kinds import KINDS
from medfund.lanes import partition
from medfund.local import trial
from tests import events
from tests.conftest import Database
from tests.purchasing import METFORMIN, Purchasing, buying

SCALE = "0.001"
LANE, LANES = 0, 1
"""One lane for all hospitals."""


def put(fund: Purchasing, *said: Envelope) -> None:
    for one in said:
        kind = KINDS[one.type]
        key = envelope.key_of(kind, kind.decoder.decode(one.data)) or partition.lane_key(LANE, LANES)
        fund.put_message(events.Message(kind.family, key, one.data, tuple(envelope.headers(one))))


def pay(fund: Purchasing, requested: dict[str, Any], on: date) -> None:
    """As the clearing service says it, when the bank has."""
    names = ("provider", "area", "supplier", "payable_ref", "statement_ref", "amounts", "lines")
    said = {name: requested[name] for name in names}
    fund.put("supplier.payment.settled.v1", **said, how="BANK", value_date=str(on))


async def the_year(fund: Purchasing, bought: purchases.Purchases) -> None:
    """Each day in its order: what is said, what is agreed to, and what is paid on it."""
    put(fund, *bought.master())
    days = dict(bought.by_day())
    agreed, paid = defaultdict(list), defaultdict(list)
    for one in bought.expected:
        agreed[one.agreed_on].append(one)
        paid[one.paid_on].append((one.pair.provider, one.pair.supplier, one.ref))
    for day in sorted({*days, *agreed, *paid}):
        put(fund, *days.get(day, ()))
        if day in agreed:
            await fund.drain()  # people agree to what was computed from what is there
            put(fund, *bought.agreements(day))
            fund.day(str(day))
        if day in paid:
            asked = {(one["provider"], one["supplier"], one["statement_ref"]): one
                     for one in await fund.said("statement.requested")}  # fmt: skip
            for name in paid[day]:
                pay(fund, asked[name], day)
    await fund.drain()


async def test_a_years_purchases_match_and_are_paid_27_days_after_acceptance(database: Database) -> None:
    async with buying(database, lane=LANE, lanes=LANES) as fund:
        fund.area = profiles.WEIHAI.area
        for number, told in enumerate(one for one in trial.registry() if "371000" in one.source):
            fund.put_message(events.source_registered(
                told.source, *told.speakers, id=f"trial-{number}", key=partition.lane_key(LANE, LANES)
            ))  # fmt: skip
        bought = purchases.Purchases(model.City(profiles.WEIHAI.scaled(SCALE), 1), 2025)
        await the_year(fund, bought)
        assert await fund.refused() == []
        assert await fund.disputed() == []
        assert [one["type"] for one in await fund.said("statement.refused", "statement.withheld")] == []
        requested = await fund.said("statement.requested")
        assert {(one["provider"], one["supplier"], one["statement_ref"]): money_of(one) for one in requested} == {
            (one.pair.provider, one.pair.supplier, one.ref): one.amount for one in bought.expected
        }
        found = await fund.control.fetchrow(
            "select sum(weighted), sum(fen) from direct_pay.cycles where area = $1", "371000"
        )
        assert tuple(map(int, found)) == bought.cycle
        assert round(found[0] / found[1], 2) == 27
        noted, lowered = await fund.said("arrears.noted"), await fund.said("arrears.lowered")
        assert sum(map(money_of, noted)) == sum(map(money_of, lowered)) == 774_870_000
        assert all(not any(map(money.fen, one["left"].values())) for one in lowered)
        assert await fund.said("statement.deadline.breached") == []


def money_of(event: dict[str, dict[str, str]]) -> int:
    return sum(map(money.fen, event["amounts"].values()))


async def test_a_day_may_be_opened_in_the_batch_in_which_a_statement_comes(database: Database) -> None:
    async with buying(database) as fund:
        await fund.set_up()
        fund.deliver("CG-1", (METFORMIN, 70, "12.34"))
        invoice = fund.invoice(1, "CG-1", (METFORMIN, 70, "12.34"))
        fund.day("2026-10-04")
        fund.submit_statement("DZ-1", {invoice: "863.80"})
        assert [one["due"] for one in await fund.said("statement.matched")] == ["2026-09-30"]
