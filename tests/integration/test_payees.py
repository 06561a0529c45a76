"""Whom a payment pays. A capability of two kinds of payable is composed here as one of the service's would be: what a
supplier gets on a hospital's behalf (2105), and what a year's clearing leaves (2104). Both are paid by the rules of
payments, runs and the bank as these are."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import ClassVar

import asyncpg
import msgspec
import pytest

import tests.fund
from clearing import dimensions, names, rows
from clearing.capabilities import CAPABILITIES, SHELVES, known_of
from clearing.capability import Capability
from clearing.funds import fens
from clearing.names import Name
from clearing.payable import Kind, OwedIn, Payable
from clearing.payments.accounts import NOTED, Account, Payee
from clearing.payments.orders import pay_out
from clearing.service import Clearing
from medfund import codes, money
from medfund.events.kinds import Place
from medfund.events.openings import OpeningItemRecorded, OpeningItemTaken
from medfund.events.payments import Purpose
from medfund.lanes.draft import Draft, Part, Things
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres.arrays import columns
from tests import events
from tests.conftest import Database
from tests.fund import services
from tests.integration.bank_door import AREA, Door, accounts, line, opened, paid
from tests.integration.claims_served import serving

FUND = "310100"
SUPPLIER = f"91152500MA0QYBT4K{codes.uscc_check('91152500MA0QYBT4K')}"
ITEM = {
    "prepayment_kind": None,
    "given": None,
    "clr_way": None,
    "period_from": None,
    "period_to": None,
    "cut_off": None,
}


class Statement(Payable, kw_only=True):
    """Of what a supplier delivered to a hospital."""

    owed_in: ClassVar[OwedIn] = "2105"
    owed_as: ClassVar[Purpose] = "SUPPLIER"
    supplier: str

    @property
    def payee(self) -> str:
        return self.supplier

    def clock(self, purpose: Purpose) -> tuple[int | None, date]:
        return 7, self.cut_off


class YearEnd(Payable, kw_only=True):
    """What the clearing of a year leaves a hospital."""

    owed_in: ClassVar[OwedIn] = "2104"
    owed_as: ClassVar[Purpose] = "CLEARING"


TRIALS: Part[Things[Name, Statement | YearEnd]] = Part("trials", Things)


def learned(draft: Draft, event: OpeningItemRecorded, place: Place) -> None:
    draft[NOTED][Payee(SUPPLIER)] = Account(ref="acct-supplier")


def taken(draft: Draft, event: OpeningItemTaken) -> None:
    [part] = event.accounts
    kept = {
        "ref": event.item_ref, "dimensions": dimensions.of(event), "policy_ref": event.policy_ref, "opened": 0,
        "cut_off": event.value_date, "payable": fens(part.amounts),
    }  # fmt: skip
    one = Statement(**kept, supplier=SUPPLIER) if part.account == "2105" else YearEnd(**kept)
    draft[TRIALS].put(one.name, one)


TRIAL = Capability(
    name="trial",
    learns={OpeningItemRecorded: learned},
    answers={OpeningItemRecorded: lambda draft, event, cause: pay_out(draft, draft[TRIALS][names.item(event)], cause)},
    evolves={OpeningItemTaken: taken},
    payables={Statement: Kind(things=TRIALS), YearEnd: Kind(things=TRIALS)},
)
SHELF = """
create table clearing.trial (lane smallint, provider text, ref text, body jsonb, primary key (lane, provider, ref));
grant select, insert, update on clearing.trial to medfund_worker
"""
SAVE = """
insert into trial select $1, changed.* from unnest($2::text::text [], $3::text::text [], $4::text::jsonb []) as changed
on conflict (lane, provider, ref) do update set body = excluded.body
"""


class Trials(Shelf):
    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        for row in await connection.fetch("select body from trial where lane = $1", lane):
            kind = Statement if "supplier" in msgspec.json.decode(row["body"]) else YearEnd
            one = msgspec.json.decode(row["body"], type=kind)
            draft[TRIALS][one.name] = one

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        if changed := sorted(draft[TRIALS].changed):
            found = [(*name, rows.text(draft[TRIALS][name])) for name in changed]
            await connection.execute(SAVE, lane, *columns(found))


class WithTrial(Clearing):
    """With one capability more, and nothing else."""

    capabilities = (*CAPABILITIES, TRIAL)
    shelves = (Trials(), *SHELVES)
    known = known_of(capabilities)


@pytest.fixture
async def door(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """The P1 of its month is paid."""
    async with services(database, 1) as (control, _):
        await control.execute(SHELF)
    monkeypatch.setattr(tests.fund, "Clearing", WithTrial)
    async with opened(database, tmp_path) as door:
        written = accounts()
        written["payees"]["acct-supplier"] = {**written["payees"]["acct-152500-000017"], "number": "6222000077777"}
        door.accounts.write_bytes(msgspec.json.encode(written))
        door.bank.put(door.bank.notification(paid(await door.sent(), "P1")))
        await door.round()
        yield door


def item(door: Door, ref: str, account: str, fen: int) -> None:
    """Something that is owed when the books begin, and is paid by a kind of its own."""
    door.fund.put("opening.item.recorded.v1", provider=door.fund.provider, item_ref=ref, advanced=[],
                  accounts=[{"account": account, "amounts": {FUND: money.yuan(fen)}}], **ITEM)  # fmt: skip


async def of(door: Door, ref: str) -> list[tuple[str, int]]:
    """What was ordered for something, and what became of each payment."""
    found = [one for one in await door.fund.payments() if one["payable_ref"] == ref]
    return [(one["status"], sum(one["amounts"].values())) for one in found]


async def test_a_supplier_is_paid_for_a_hospital_by_a_kind_that_payments_and_the_bank_do_not_know(
    door: Door, database: Database, tmp_path: Path
) -> None:
    fund = door.fund
    item(door, "ST-7", "2105", 123_457)
    assert (await fund.balances())["2105"] == {FUND: -123_457}
    [order] = [one for one in await fund.decided("payment.ordered") if one["payable_ref"] == "ST-7"]
    assert (order["provider"], order["payee"], order["purpose"]) == (fund.provider, SUPPLIER, "SUPPLIER")
    async with serving(database, fund.log, tmp_path / "keys", lanes=1) as api:
        for caller in (api.caller("finance", areas=[AREA]), api.caller("provider", organisations=[fund.provider])):
            [row] = (await caller.answer("/v1/payments", payable="ST-7", provider=fund.provider))["payments"]
            assert (row["payee"], row["account"], row["account_state"]) == (SUPPLIER, "acct-supplier", "KNOWN")
    transfers = await door.sent(number=2)
    assert [(one.creditor.number, one.amount) for one in transfers.transfers] == [("6222000077777", 123_457)]
    door.bank.put(door.bank.notification(paid(transfers, "S")))
    assert await door.round() == []
    assert await of(door, "ST-7") == [("SETTLED", 123_457)]
    books, stat = await fund.balances(), await fund.balances("STAT")
    assert "2105" not in books
    assert "TEMP_DIRECT" not in stat, "what it began with is paid"
    back = line("S-back", 123_457, transfers.transfers[0].end_to_end_id, direction="IN", code="AC04")
    door.bank.put(door.bank.notification([back]))
    assert await door.round() == []
    assert (await fund.balances())["2105"] == {FUND: -123_457}
    fund.retry("ST-7/P2/310100")
    assert await of(door, "ST-7") == [("SETTLED", 123_457), ("ORDERED", 123_457)]
    columns_of = "select distinct provider, payee, area, policy_ref from clearing.payments where payee = $1"
    assert [tuple(row) for row in await fund.control.fetch(columns_of, SUPPLIER)] == [
        (fund.provider, SUPPLIER, AREA, order["policy_ref"])
    ]


async def test_what_a_hospital_owes_is_taken_from_its_clearing_and_from_no_suppliers_money(door: Door) -> None:
    fund = door.fund
    item(door, "ST-8", "2105", 30_011)
    item(door, "YE-8", "2104", 50_021)
    assert await of(door, "ST-8") + await of(door, "YE-8") == [("ORDERED", 30_011), ("ORDERED", 50_021)]
    fund.recover("C-8", {FUND: 7_003})
    assert await of(door, "ST-8") == [("ORDERED", 30_011)]
    assert await of(door, "YE-8") == [("CANCELLED", 50_021), ("ORDERED", 43_018)]
    [taken] = await fund.decided("offset.applied")
    assert (taken["taken_from"], taken["account"], taken["item_ref"]) == ("2104", "1107", "C-8")
    door.bank.put(door.bank.notification(paid(await door.sent(number=2), "Y")))
    assert await door.round() == []
    assert await of(door, "YE-8") == [("CANCELLED", 50_021), ("SETTLED", 43_018)]
    assert not {"1107", "2104", "2105"} & (await fund.balances()).keys()


async def test_what_a_clearing_leaves_is_held_and_released_in_its_own_account(door: Door) -> None:
    fund = door.fund
    item(door, "YE-5", "2104", 50_021)
    about = {"payable_ref": "YE-5", "provider": fund.provider, "amounts": {FUND: "20.11"}, "account": "2104"}
    fund.put("payment.hold.placed.v1", hold_ref="H-5", **about)
    books = await fund.balances()
    assert (books["2104"], books["2108"]) == ({FUND: -48_010}, {FUND: -2_011})
    assert await of(door, "YE-5") == [("CANCELLED", 50_021), ("ORDERED", 48_010)]
    fund.put("payment.hold.released.v1", hold_ref="H-5", **about)
    books = await fund.balances()
    assert (books["2104"], "2108" in books) == ({FUND: -50_021}, False)
    fund.put("payment.hold.placed.v1", hold_ref="H-6", **{**about, "account": "2102"})
    assert [one["detail"] for one in await fund.decided("fact.disputed")] == ["there is no payable YE-5"]


async def test_what_one_person_approves_for_a_supplier_counts_together_whichever_hospital_it_is_for(door: Door) -> None:
    fund = door.fund
    fund.mandate("chen", limit="1500.00")
    item(door, "ST-9", "2105", 100_000)
    item(door, "YE-9", "2104", 100_000)
    first, fund.provider = fund.provider, events.providers(0, 1, 2)[1]
    fund.register()
    item(door, "ST-9", "2105", 100_000)
    await fund.approve("chen", refs=["ST-9/P2/310100"], total="1000.00")
    fund.provider = first
    await fund.approve("chen", refs=["YE-9/P2/310100"], total="1000.00")
    await fund.approve("chen", refs=["ST-9/P2/310100"], total="1000.00")
    [refused] = await fund.decided("payment.approval.refused")
    assert (refused["provider"], refused["payment_ref"], refused["code"]) == (first, "ST-9/P2/310100", "LIMIT")
    assert refused["detail"].startswith(f"1000.00 and 1000.00 approved for {SUPPLIER} on ")


async def test_whom_payments_pay_is_rebuilt_from_the_log(door: Door) -> None:
    item(door, "ST-6", "2105", 61)
    item(door, "YE-6", "2104", 67)
    before = await door.fund.tables()
    async with door.fund.working:
        await door.fund.rebuild()
    assert await door.fund.tables() == before
    assert {SUPPLIER, door.fund.provider} == {row["payee"] for row in before["payments"]}
