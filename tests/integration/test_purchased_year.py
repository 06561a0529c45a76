"""A synthetic city's year of purchases: everything matches, is requested as it was agreed to, and is paid 27 days after
acceptance; old arrears are cleared outside of it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
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
from tests.purchasing import METFORMIN, NAMES, Purchasing, buying

LANE, LANES = 0, 1
"""One lane for all hospitals."""
AREA = profiles.WEIHAI.area
FUNDS = "310100", "390100"
Paying = Callable[[Purchasing, date], Awaitable[None]]


def a_year(scale: str, seed: int) -> purchases.Purchases:
    return purchases.Purchases(model.City(profiles.WEIHAI.scaled(scale), seed), 2025)


def put(fund: Purchasing, *said: Envelope) -> None:
    for one in said:
        kind = KINDS[one.type]
        key = envelope.key_of(kind, kind.decoder.decode(one.data)) or partition.lane_key(LANE, LANES)
        fund.put_message(events.Message(kind.family, key, one.data, tuple(envelope.headers(one))))


def heard(fund: Purchasing) -> None:
    """The city's sources are registered, as on a stack for trying things out."""
    fund.area = AREA
    for number, told in enumerate(one for one in trial.registry() if AREA in one.source):
        key = partition.lane_key(LANE, LANES)
        fund.put_message(events.source_registered(told.source, *told.speakers, id=f"trial-{number}", key=key))


async def the_year(fund: Purchasing, bought: purchases.Purchases, pay: Paying) -> None:
    """Each day in its order: what is said, what is agreed to, and what is paid on it."""
    put(fund, *bought.master())
    days = dict(bought.by_day())
    agreed, paid = ({getattr(one, name) for one in bought.expected} for name in ("agreed_on", "paid_on"))
    for day in sorted({*days, *agreed, *paid}):
        if day in agreed | paid:
            fund.day(str(day))
        put(fund, *days.get(day, ()))
        if day in paid:
            await pay(fund, day)
        if day in agreed:
            await fund.drain()  # people agree to what was computed from what is there
            put(fund, *bought.agreements(day))
            await fund.drain()
    await fund.drain()


async def requested(fund: Purchasing) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (one["provider"], one["supplier"], one["statement_ref"]): one for one in await fund.said("statement.requested")
    }


async def cycle(fund: Purchasing) -> tuple[int, int]:
    """Fen times days, and fen, as direct payment has counted them."""
    found = await fund.control.fetchrow("select sum(weighted), sum(fen) from direct_pay.cycles where area = $1", AREA)
    return int(found[0]), int(found[1])


def money_of(event: dict[str, Any]) -> int:
    return sum(map(money.fen, event["amounts"].values()))


async def test_a_years_purchases_match_and_are_paid_27_days_after_acceptance(database: Database) -> None:
    bought = a_year("0.001", 1)

    async def pay(fund: Purchasing, on: date) -> None:
        """As the clearing service says it, when the bank has."""
        asked = await requested(fund)
        for one in bought.expected:
            if one.paid_on == on:
                fund.provider = one.pair.provider
                fund.paid(asked[one.pair.provider, one.pair.supplier, one.ref], on=str(on), supplier=one.pair.supplier)

    async with buying(database, lane=LANE, lanes=LANES) as fund:
        heard(fund)
        await the_year(fund, bought, pay)
        assert await fund.refused() == []
        assert await fund.disputed() == []
        assert await fund.said("statement.refused", "statement.withheld", "statement.deadline.breached") == []
        assert {name: money_of(one) for name, one in (await requested(fund)).items()} == {
            (one.pair.provider, one.pair.supplier, one.ref): one.amount for one in bought.expected
        }
        assert len(bought.expected) == 65
        assert await cycle(fund) == bought.cycle
        assert f"{bought.cycle[0] / bought.cycle[1]:.2f}" == "27.00"
        noted, lowered = await fund.said("arrears.noted"), await fund.said("arrears.lowered")
        assert sum(map(money_of, noted)) == sum(map(money_of, lowered)) == 774_870_000
        assert not any(any(map(money.fen, one["left"].values())) for one in lowered)


async def pay_by_the_bank(fund: Purchasing, on: date) -> None:
    """What was ordered when the day began is approved by two people, sent, and settled by the bank."""
    ordered = defaultdict(list)
    for one in await fund.payments(status="ORDERED"):
        ordered[one["provider"]].append(one["payment_ref"])
    for fund.provider, refs in ordered.items():
        await fund.approve("anna", "bo", refs=refs)
    for of in FUNDS:
        if (await fund.plan(of, on=str(on))).payments:
            await fund.run(of, on=str(on))
    for one in await fund.payments(status="SENT"):
        fund.provider = one["provider"]
        fund.bank(one["payment_ref"], one["amounts"], on=str(on))
    await fund.drain()


async def test_both_deciders_and_the_books_pay_a_year_in_27_days(database: Database) -> None:
    bought = a_year("0.0002", 3)
    async with buying(database, names=NAMES, lane=LANE, lanes=LANES) as fund:
        heard(fund)
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit(dict.fromkeys(FUNDS, 99_999_999_99))
        await the_year(fund, bought, pay_by_the_bank)
        assert await fund.disputed() == []
        assert len(bought.expected) == 13
        assert await cycle(fund) == bought.cycle
        books, paid = await fund.balances("OPS"), bought.cycle[1]
        assert sum(books["1103"].values()) == paid
        assert sum((await fund.balances("STAT"))["TEMP_DIRECT"].values()) == paid
        assert not {"2105", "1109", "9003", "9903"} & books.keys()


async def test_a_day_may_be_opened_in_the_batch_in_which_a_statement_comes(database: Database) -> None:
    async with buying(database) as fund:
        await fund.set_up()
        fund.deliver("CG-1", (METFORMIN, 70, "12.34"))
        invoice = fund.invoice(1, "CG-1", (METFORMIN, 70, "12.34"))
        fund.day("2026-10-04")
        fund.submit_statement("DZ-1", {invoice: "863.80"})
        assert [one["due"] for one in await fund.said("statement.matched")] == ["2026-09-30"]
