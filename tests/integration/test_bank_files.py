"""Runs leave by file and come back by file: the clearing service's bank process on a real folder, one lane, a real
database. The bank is this test: it takes from `out/` and puts into `in/`."""

import io
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clearing.bank import register, taking
from clearing.payments import planning
from clearing.payments.payment import end_to_end_id
from medfund.bankfiles import iso20022, templates
from medfund.bankfiles.messages import Detail, Entries, Entry, Notification, Report, Status
from tests.conftest import Database
from tests.integration.bank_door import AREA, BATCH, DAY, NUMBERS, P1, PROVIDER, Door, accounts, line, opened, paid
from tests.integration.claims_served import serving
from tests.integration.served import Caller


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(database, tmp_path) as door:
        yield door


# -- out


async def test_a_run_goes_to_the_bank_as_one_file_of_one_funds_account(door: Door) -> None:
    transfers = await door.sent()
    assert (transfers.message_id, transfers.execute_on) == ("152500-310100-20260210-1", DAY)
    assert transfers.debtor.number == NUMBERS["310100"]
    assert [(one.end_to_end_id, one.amount, one.creditor.number, one.remittance) for one in transfers.transfers] == [
        (end_to_end_id(PROVIDER, P1), 90_000, "6222000099999", BATCH)
    ]
    await door.round()
    assert door.bank.taken() == []


async def test_a_file_goes_out_once_though_nobody_remembers_it(door: Door) -> None:
    """A database that was restored to before the file went out."""
    await door.sent()
    await door.fund.control.execute("delete from clearing.bank_files")
    await door.round()
    assert door.bank.taken() == []
    row = await door.fund.control.fetchrow("select outcome, entries, fen from clearing.bank_files")
    assert tuple(row) == ("HANDED_OVER", 1, 90_000)


async def test_a_run_of_which_everything_is_withheld_makes_no_file(door: Door) -> None:
    await door.fund.approve("anna", "bo")
    plan = await door.fund.plan("310100", on=str(DAY))
    door.fund.mandate("bo", valid_to="2026-02-01")
    door.fund.put_run(planning.run(plan, run_ref=planning.run_ref(plan.wanted, 1), staff_ref="anna"))
    await door.fund.drain()
    assert await door.round() == []
    assert door.bank.taken() == []


async def test_a_payee_that_the_register_lacks_stops_its_file_and_nothing_else(door: Door) -> None:
    written = accounts()
    door.accounts.write_bytes(msgspec.json.encode({**written, "payees": {}}))
    await door.fund.approve("anna", "bo")
    await door.fund.run("310100", on=str(DAY))
    await door.fund.drain()
    assert await door.round() == ["send: the register has no payee's account acct-152500-000017"]
    door.accounts.write_bytes(msgspec.json.encode(written))
    assert await door.round() == []
    assert len(door.bank.taken()) == 1


# -- in


async def test_a_payment_is_settled_by_the_banks_notification_with_its_value_date(door: Door) -> None:
    transfers = await door.sent()
    door.bank.put(Report("R1", datetime(2026, 2, 10, tzinfo=UTC), transfers.message_id, "ACCP"))
    await door.round()
    assert await door.status() == "SENT", "that the bank will pay is not that it has"
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["status"], payment["value_date"]) == ("SETTLED", "2026-02-10")
    assert (await door.fund.balances())["1002"] == {"310100": 500_000 - 90_000, "390100": 500_000}
    assert list((door.bank.root / "in").iterdir()) == []


@pytest.mark.parametrize("again", ["same name", "other name", "statement"])
async def test_what_the_bank_tells_twice_is_booked_once(door: Door, again: str) -> None:
    """Edge case 37: the same file, the same lines in another one, and again on the day's statement."""
    transfers = await door.sent()
    told = door.bank.notification(paid(transfers))
    name = door.bank.put(told)
    await door.round()
    if again == "statement":
        door.bank.put(door.bank.statement(paid(transfers), opening=500_000))
    else:
        door.bank.put(told, name if again == "same name" else "")
    assert await door.round() == []
    assert len(await door.fund.decided("payment.settled")) == 1
    assert await door.fund.decided("fact.disputed", "suspense.opened", "payment.returned") == []
    assert door.refused() == {}


async def test_what_the_notification_lost_the_statement_brings(door: Door) -> None:
    transfers = await door.sent()
    door.bank.put(door.bank.statement(paid(transfers), opening=500_000))
    await door.round()
    assert await door.status() == "SETTLED"
    assert await door.fund.decided("fact.disputed") == []


async def test_one_line_for_a_whole_file_settles_its_payments(door: Door) -> None:
    """1:n: the bank books the file as one, and says nothing of what is in it."""
    door.fund.settlements.clear()
    door.fund.settle({"310100": 20_000}, day="2026-01-20")
    door.fund.submit("B-late", on="2026-02-07")
    await door.fund.drain()
    door.fund.day("2026-02-10")
    transfers = await door.sent()
    assert len(transfers.transfers) == 2
    whole = Entry(
        "T-9", "OUT", transfers.total, DAY, DAY, details=(Detail(transfers.total, files=(transfers.message_id,)),)
    )
    door.bank.put(door.bank.notification([whole]))
    await door.round()
    assert {one["status"] for one in await door.fund.payments() if "310100" in one["amounts"]} == {"SETTLED"}


async def test_one_payment_in_several_lines_is_settled_when_all_are_there(door: Door) -> None:
    transfers = await door.sent()
    name = transfers.transfers[0].end_to_end_id
    door.bank.put(door.bank.notification([line("T-1", 50_000, name)]))
    await door.round()
    assert await door.status() == "SENT"
    door.bank.put(door.bank.notification([line("T-2", 30_000, name), line("T-3", 10_000, name)]))
    await door.round()
    assert await door.status() == "SETTLED"


async def test_a_wrong_sum_is_told_and_the_difference_is_in_suspense(door: Door) -> None:
    transfers = await door.sent()
    door.bank.put(door.bank.notification([line("T-1", 90_100, transfers.transfers[0].end_to_end_id)]))
    await door.round()
    assert await door.status() == "SETTLED"
    [item] = await door.fund.decided("suspense.opened")
    assert (item["amounts"], item["payment_ref"]) == ({"310100": "1.00"}, P1)


async def test_a_payment_from_another_funds_account_pays_nothing_and_is_in_suspense_there(door: Door) -> None:
    """Funds are never mixed."""
    transfers = await door.sent()
    door.bank.put(door.bank.notification(paid(transfers), fund="390100"))
    await door.round()
    assert await door.status() == "SENT"
    [item] = await door.fund.decided("suspense.opened")
    assert (item["direction"], item["amounts"]) == ("OUT", {"390100": "900.00"})


async def test_what_comes_back_is_booked_back_and_paid_again_by_another_payment(door: Door) -> None:
    transfers = await door.sent()
    name = transfers.transfers[0].end_to_end_id
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    back = line("T-2", 90_000, name, direction="IN", on=date(2026, 2, 12), code="AC04")
    door.bank.put(door.bank.notification([back]))
    await door.round()
    [returned] = await door.fund.decided("payment.returned")
    assert (returned["reason"], returned["value_date"]) == ("银行退回 AC04", "2026-02-12")
    door.fund.retry(P1)
    again = await door.sent(number=2)
    assert [one.end_to_end_id for one in again.transfers] == [end_to_end_id(PROVIDER, f"{BATCH}/P2/310100")]
    door.bank.put(door.bank.notification(paid(again, "T-3")))
    await door.round()
    assert await door.status(f"{BATCH}/P2/310100") == "SETTLED"
    assert (await door.fund.balances())["1104"] == {"310100": 90_000}


async def test_a_payment_that_is_rejected_is_told_with_the_banks_code(door: Door) -> None:
    transfers = await door.sent()
    rejected = Status(transfers.transfers[0].end_to_end_id, False, "AC01", "账号不存在")
    door.bank.put(Report("R1", datetime(2026, 2, 10, tzinfo=UTC), transfers.message_id, "PART", statuses=(rejected,)))
    await door.round()
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["status"], payment["code"]) == ("FAILED", "AC01")


async def test_a_file_that_is_rejected_fails_all_of_it_but_not_because_the_bank_has_it_already(door: Door) -> None:
    transfers = await door.sent()
    when = datetime(2026, 2, 10, tzinfo=UTC)
    door.bank.put(Report("R1", when, transfers.message_id, "RJCT", "DUPL", "重复报文"))
    await door.round()
    assert await door.status() == "SENT"
    door.bank.put(Report("R2", when, transfers.message_id, "RJCT", "FF01", "报文格式错误"))
    await door.round()
    assert await door.status() == "FAILED"


async def test_a_transfer_from_the_fiscal_account_is_booked_once_from_both_sides(door: Door) -> None:
    door.fund.put("treasury.funds.requested.v1", request_ref="YK-1", plan_ref="plan-02", amounts={"310100": "200.00"})
    await door.fund.drain()
    door.bank.put(door.bank.notification([line("F-1", 20_000, "YK-1")], account="1003"))
    door.bank.put(door.bank.notification([line("E-1", 20_000, "YK-1", direction="IN")]))
    await door.round()
    books = await door.fund.balances()
    assert (books["1002"]["310100"], books["1003"]["310100"]) == (520_000, 980_000)
    assert await door.fund.decided("suspense.opened") == []


async def test_a_line_that_nobody_knows_is_in_suspense_and_paid_from_there_when_it_is_placed(door: Door) -> None:
    await door.sent()
    door.bank.put(door.bank.notification([Entry("X-1", "OUT", 90_000, DAY, DAY)]))
    await door.round()
    [item] = await door.fund.decided("suspense.opened")
    assert (await door.fund.balances())["1190"] == {"310100": 90_000}
    door.fund.place(item["item_ref"], "PAYMENT", target=P1, provider=door.fund.provider)
    await door.fund.drain()
    for _ in range(2):
        await door.round()
    assert await door.status() == "SETTLED"
    books = await door.fund.balances()
    assert "1190" not in books
    assert books["1104"] == {"310100": 90_000}
    assert books["1002"]["310100"] == 410_000


# -- the day's end


async def test_a_day_ends_at_zero_difference_when_books_and_bank_agree(door: Door) -> None:
    transfers = await door.sent()
    entries = [*paid(transfers), Entry("X-1", "IN", 77, DAY, DAY)]
    door.bank.put(door.bank.statement(entries, opening=500_000))
    await door.round()
    records = door.fund.log.records("bank", door.fund.lane)
    types = [dict(record.headers)["ce_type"].decode() for record in records]
    assert types.count("bank.statement.imported.v1") == 1
    assert types.count("bank.mismatch.found.v1") == 0
    row = await door.fund.control.fetchrow("select opening, closing, lines from clearing.bank_statements")
    assert tuple(row) == (500_000, 410_077, 2)


async def test_a_difference_of_one_fen_is_told(door: Door) -> None:
    door.bank.put(door.bank.statement([], opening=499_999))
    await door.round()
    [record] = [
        record
        for record in door.fund.log.records("bank", door.fund.lane)
        if dict(record.headers)["ce_type"] == b"bank.mismatch.found.v1"
    ]
    told = msgspec.json.decode(record.value or b"")
    assert (told["bank"], told["books"], told["difference"]) == ("4999.99", "5000.00", "-0.01")


async def test_a_corrected_statement_of_a_day_takes_the_place_of_the_first_and_books_what_that_lacked(
    door: Door,
) -> None:
    one, two = Entry("X-1", "IN", 77, DAY, DAY), Entry("X-2", "OUT", 431, DAY, DAY)
    for lines, opening in (([one], 500_000), ([one, two], 500_000), ([one, two], 499_900)):
        door.bank.put(door.bank.statement(lines, opening=opening))
        assert await door.round() == []
    told = [
        msgspec.json.decode(record.value or b"")["difference"]
        for record in door.fund.log.records("bank", door.fund.lane)
        if dict(record.headers)["ce_type"] == b"bank.mismatch.found.v1"
    ]
    assert told == ["-1.00"], "the third one alone is not what the books have"
    row = await door.fund.control.fetchrow("select opening, closing, lines from clearing.bank_statements")
    assert tuple(row) == (499_900, 499_546, 2)
    assert (await door.fund.balances())["1002"]["310100"] == 500_000 + 77 - 431


# -- bad files


async def test_a_bad_file_is_refused_with_its_reason_and_the_next_one_is_taken(door: Door) -> None:
    transfers = await door.sent()
    good = door.bank.notification(paid(transfers))
    content = iso20022.encoded(good)
    bomb = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><d>&b;</d>'
    outside = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>'
    other = Notification("N", datetime(2026, 2, 10, tzinfo=UTC), "6222000077777", Entries(paid(transfers)))
    names = {
        door.bank.put_bytes(content[:-40]): "TRUNCATED",
        door.bank.put_bytes(bomb): "DOCTYPE",
        door.bank.put_bytes(outside): "DOCTYPE",
        door.bank.put_bytes(b"nothing"): "NOT_XML",
        door.bank.put(other): "WRONG_ACCOUNT",
        door.bank.put(transfers): "WRONG_ACCOUNT",
        door.bank.put_bytes(content.replace(b">900.00<", b">900.01<", 1)): "WRONG_SUM",
    }
    last = door.bank.put(good)
    before = taking.UNCLEAR.labels("refused")._value.get()
    await door.round()
    assert taking.UNCLEAR.labels("refused")._value.get() == before + len(names)
    found = door.refused()
    assert found.keys() == names.keys()
    for name, code in names.items():
        assert code in found[name], found[name]
    assert (door.bank.root / "done" / "in" / last).exists()
    assert await door.status() == "SETTLED"
    assert len(await door.fund.decided("payment.settled")) == 1


async def test_a_register_that_mixes_funds_is_refused(tmp_path: Path) -> None:
    written = accounts()
    for wrong in (
        {**written, "own": [*written["own"], {**written["own"][0], "fund": "390100"}]},
        {**written, "own": [*written["own"], {**written["own"][0], "number": "6222000030001"}]},
        {**written, "own": [{**written["own"][0], "bank": "12"}]},
        {**written, "more": 1},
    ):
        file = tmp_path / "accounts.json"
        file.write_bytes(msgspec.json.encode(wrong))
        with pytest.raises(register.BadRegister):
            register.read(file)


async def test_a_prepayment_that_is_paid_back_is_known_by_its_name(door: Door) -> None:
    """And what is more than it is in suspense."""
    fund = door.fund
    ref = f"{PROVIDER}/YF-2026/310100"
    fund.figures("310100", "1200.00", "1200.00")
    fund.assess()
    fund.apply("310100")
    fund.grant(ref, 20_000)
    await fund.drain()
    transfers = await door.sent()
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    assert (await fund.prepayments())[ref]["outstanding"] == {"310100": 20_000}
    door.bank.put(door.bank.notification([line("T-8", 20_500, ref, direction="IN", on=date(2026, 2, 20))]))
    await door.round()
    [returned] = await fund.decided("prepayment.returned")
    assert (returned["amounts"], returned["value_date"]) == ({"310100": "200.00"}, "2026-02-20")
    [item] = await fund.decided("suspense.opened")
    assert item["amounts"] == {"310100": "5.00"}


def _a_minute_later(door: Door) -> None:
    door.desk.later.update({name: replace(one, again=0.0) for name, one in door.desk.later.items()})


async def test_what_a_broker_with_a_wrong_clock_makes_lanes_refuse_is_told_again_and_not_lost(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker is a day behind: what the bank paid today is in its future. It is told once more when the lanes have
    opened that day, and not before."""
    transfers = await door.sent()
    now = door.fund.log.clock_ms
    door.fund.log.clock_ms = int(datetime(2026, 2, 9, 8, tzinfo=UTC).timestamp() * 1000)
    name = door.bank.put(door.bank.notification(paid(transfers)))
    for _ in range(2):
        [trouble] = await door.round()
        assert "lane 0 refused 1 of what the bank said: time_in_future" in trouble
    _a_minute_later(door)
    [trouble] = await door.round()
    assert "waits until that day has come" in trouble
    assert (door.bank.root / "in" / name).exists(), "it waits where the bank has put it"
    assert len(door.fund.log.records("bank", 0)) == 1, "and is not told again and again meanwhile"
    assert await door.status() == "SENT"
    door.fund.log.clock_ms = now
    door.fund.day(str(DAY))
    await door.fund.drain()
    _a_minute_later(door)
    assert await door.round() == []
    assert await door.status() == "SETTLED"
    assert not (door.bank.root / "in" / name).exists()


async def test_a_host_whose_clock_is_wrong_by_a_day_writes_the_same_file(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.fund.approve("anna", "bo")
    await door.fund.run("310100", on=str(DAY))
    await door.fund.drain()
    written = []
    for days in (-1, 0, 1):

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None, days: int = days) -> datetime:  # type: ignore[override]
                return datetime.fromtimestamp(1_772_000_000, tz) + timedelta(days=days)

        monkeypatch.setattr("clearing.bank.sending.datetime", Clock)
        await door.round()
        [file] = (door.bank.root / "out").iterdir()
        written.append(file.read_bytes())
        file.unlink()
        (door.bank.root / "done" / "out" / file.name).unlink()
        await door.fund.control.execute("delete from clearing.bank_files")
    assert written[0] == written[1] == written[2]


# -- a day beside the books


@pytest.fixture
async def finance(door: Door, database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with serving(database, door.fund.log, tmp_path / "keys", lanes=1) as api:
        yield api.caller("finance")


async def test_a_run_of_an_account_that_the_register_lacks_is_refused_before_it_is_made(
    door: Door, finance: Caller
) -> None:
    written = accounts()
    without = [one for one in written["own"] if (one["fund"], one["bank_account"]) != ("390100", "1002")]
    door.accounts.write_bytes(msgspec.json.encode({**written, "own": without}))
    await door.fund.approve("anna", "bo")
    asked = {"area": AREA, "fund": "390100", "execute_on": str(DAY)}
    plan = await finance.answer("/v1/payment-runs/plan", **asked)
    assert plan["registered"], "no bank process has told yet"
    assert await door.round() == []
    plan = await finance.answer("/v1/payment-runs/plan", **asked)
    assert (plan["registered"], plan["planned"]["payments"]) == (False, 1)
    refused = await finance.command("/v1/payment-runs", **asked, number=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_registered")
    assert "no account 1002 of fund 390100 of area 152500" in refused.json()["detail"]
    door.accounts.write_bytes(msgspec.json.encode(written))
    assert await door.round() == []
    assert (await finance.command("/v1/payment-runs", **asked, number=1)).status_code == 202


async def test_a_run_whose_file_cannot_be_made_says_why_and_holds_up_no_other(door: Door, finance: Caller) -> None:
    written = accounts()
    without = [one for one in written["own"] if one["fund"] != "310100"]
    await door.fund.approve("anna", "bo")
    for fund in ("310100", "390100"):
        await door.fund.run(fund, on=str(DAY))
    await door.fund.drain()
    door.accounts.write_bytes(msgspec.json.encode({**written, "own": without}))
    why = "the register has no account 1002 of fund 310100 of area 152500"
    for _ in range(2):
        assert await door.round() == [f"send: {why}"]
    assert len(door.bank.taken()) == 1, "that of the other fund"
    runs = (await finance.answer("/v1/payment-runs", area=AREA))["runs"]
    assert {one["fund"]: (one["state"], one["held_up"]) for one in runs} == {
        "310100": ("HELD_UP", why),
        "390100": ("AT_THE_BANK", None),
    }
    door.accounts.write_bytes(msgspec.json.encode(written))
    assert await door.round() == []
    told = await finance.answer(f"/v1/payment-runs/{AREA}-310100-20260210-1")
    assert (told["state"], told["state_name"]["zh"], told["held_up"]) == ("AT_THE_BANK", "银行处理中", None)


async def test_a_day_is_reconciled_line_by_line_one_to_one_one_to_many_and_many_to_one(
    door: Door, finance: Caller
) -> None:
    for month in ("2025-11", "2025-12"):
        door.fund.settle({"310100": 20_000}, day=f"{month}-15")
        door.fund.submit(f"B-{month}", first=f"{month}-01", last=f"{month}-30", on="2026-02-06", benefit_year=2025)
    await door.fund.drain()
    door.fund.day("2026-02-10")
    await door.fund.drain()
    transfers = await door.sent()
    by_fen: dict[int, list[str]] = {}
    for one in transfers.transfers:
        by_fen.setdefault(one.amount, []).append(one.end_to_end_id)
    [whole], alike = by_fen[90_000], by_fen[18_000]
    lines = [
        line("T-1", 60_000, whole), line("T-2", 30_000, whole), line("T-3", 36_000, *alike, parts=[18_000, 18_000]),
        line("T-4", 12_345, "NOBODY", direction="IN"),
    ]  # fmt: skip
    door.bank.put(door.bank.statement(lines, opening=500_000))
    await door.round()
    answer = await finance.answer("/v1/reconciliations", area=AREA, day="2026-02-12", fund="310100")
    assert answer["agrees"] is None, "the last statement is of another day"
    [account] = answer["accounts"]
    told = ("day", "opening", "closing", "books", "difference", "lines", "differing")
    assert [account[name] for name in told] == ["2026-02-10", "5000.00", "3863.45", "3863.45", "0.00", 4, []]
    assert [(one["kind"], one["lines"], one["came"], one["went"]) for one in account["matched"]] == [
        ("ONE_TO_MANY", 1, "0.00", "360.00"),
        ("MANY_TO_ONE", 2, "0.00", "900.00"),
        ("SUSPENSE", 1, "123.45", "0.00"),
    ]
    [work] = account["open"]
    assert (work["kind"], work["owner"], work["items"], work["total"], work["oldest"], work["age_days"]) == (
        "SUSPENSE", "finance", 1, "123.45", "2026-02-10", 2,
    )  # fmt: skip


async def test_what_is_open_between_bank_and_books_has_an_owner_an_age_and_a_reason(
    door: Door, finance: Caller
) -> None:
    await door.sent()
    door.bank.put(door.bank.notification([line("T-8", 700, "NOBODY", direction="IN")]))
    await door.round()
    door.bank.put(door.bank.statement([line("T-9", 500, "NOBODY", direction="IN")], opening=500_000))
    await door.round()
    await door.fund.control.execute("update clearing.moves set fen = fen + 1 where bank_txn = 'T-9'")
    await door.fund.control.execute("update clearing.cash set fen = fen + 1 where bank_account = '1002'")
    answer = await finance.answer("/v1/reconciliations", area=AREA, day=str(DAY), fund="310100")
    [account] = answer["accounts"]
    assert (answer["agrees"], account["difference"]) == (False, "-7.01")
    assert [(one["kind"], one["owner"], one["items"], one["total"]) for one in account["open"]] == [
        ("ON_ITS_WAY", "finance", 1, "-900.00"),
        ("SUSPENSE", "finance", 2, "12.00"),
        ("BOOKS_ONLY", "finance", 1, "-7.00"),
        ("DIFFERS", "finance", 1, "-0.01"),
    ]
    assert all(one["reason"]["zh"] for one in account["open"])
    assert [(one["kind"], one["bank_txn"], one["bank"], one["books"]) for one in account["differing"]] == [
        ("BOOKS_ONLY", "T-8", None, "7.00"),
        ("DIFFERS", "T-9", "5.00", "5.01"),
    ]
    await door.fund.control.execute("delete from clearing.moves where bank_txn = 'T-9'")
    [account] = (await finance.answer("/v1/reconciliations", area=AREA, day=str(DAY), fund="310100"))["accounts"]
    assert [(one["kind"], one["owner"]) for one in account["open"]][2] == ("BANK_ONLY", "operator")
    before = await finance.answer("/v1/reconciliations", area=AREA, day="2026-02-09")
    assert (before["accounts"], before["agrees"]) == ([], None), "a day without a statement agrees with nothing"


# -- a bank with a form of its own


@pytest.fixture
def csv_door(door: Door) -> Door:
    """The account of fund 310100 is at a bank that speaks CSV."""
    shutil.copy(templates.EXAMPLE, door.accounts.parent / "bank.toml")
    told = accounts()
    for own in told["own"]:
        if own["fund"] == "310100":
            own["form"] = "bank.toml"
    door.accounts.write_bytes(msgspec.json.encode(told))
    return door


def table(write: Any, *said: Any) -> bytes:
    into = io.BytesIO()
    write(templates.load(templates.EXAMPLE), *said, into)
    return into.getvalue()


async def test_a_bank_with_a_form_of_its_own_pays_from_it_beside_one_of_the_standard(csv_door: Door) -> None:
    door = csv_door
    await door.fund.approve("anna", "bo")
    for fund in ("310100", "390100"):
        await door.fund.run(fund, on=str(DAY))
    await door.fund.drain()
    assert await door.round() == []
    sheet, standard = sorted((door.bank.root / "out").iterdir())
    assert (sheet.name, standard.name) == ("152500-310100-20260210-1.csv", "152500-390100-20260210-1.pain.001.xml")
    transfers = templates.read_transfers(templates.load(templates.EXAMPLE), sheet)
    [payment] = transfers.transfers
    assert (payment.amount, payment.creditor.number, transfers.total) == (90_000, "6222000099999", 90_000)
    paid_line = line("T-1", 90_000, payment.end_to_end_id, files=(transfers.message_id,))
    report = Report(
        "B-1",
        datetime(2026, 2, 10, 8, tzinfo=UTC),
        transfers.message_id,
        "ACCP",
        statuses=(Status(payment.end_to_end_id, True),),
    )
    told = Notification("B-1", datetime(2026, 2, 10, 8, tzinfo=UTC), NUMBERS["310100"], Entries([paid_line]))
    door.bank.put_bytes(table(templates.write_answer, templates.Answer(report, told), NUMBERS["310100"]), "answer.csv")
    assert await door.round() == []
    assert await door.status() == "SETTLED"
    statement = door.bank.statement([paid_line], opening=500_000)
    door.bank.put_bytes(table(templates.write_statement, statement), "statement.csv")
    assert await door.round() == []
    assert door.refused() == {}
    [imported] = await imports(door)
    assert (imported["closing"], imported["lines"]) == ("4100.00", 1)


async def imports(door: Door) -> list[dict[str, Any]]:
    await door.fund.drain()
    return [
        msgspec.json.decode(record.value)
        for record in door.fund.log.records("bank", door.fund.lane)
        if dict(record.headers)["ce_type"].startswith(b"bank.statement.imported")
    ]


async def test_a_run_that_went_out_does_not_go_out_again_when_its_account_gets_another_form(csv_door: Door) -> None:
    door = csv_door
    await door.fund.approve("anna", "bo")
    await door.fund.run("310100", on=str(DAY))
    await door.fund.drain()
    await door.round()
    await door.fund.control.execute("delete from clearing.bank_files")
    door.accounts.write_bytes(msgspec.json.encode(accounts()))
    assert await door.round() == []
    assert [file.name for file in (door.bank.root / "out").iterdir()] == ["152500-310100-20260210-1.csv"]
    [kept] = await door.fund.control.fetch("select name, entries from clearing.bank_files")
    assert tuple(kept) == ("152500-310100-20260210-1.csv", 1)


async def test_a_table_in_no_banks_form_is_refused_and_so_is_any_where_no_bank_has_one(
    door: Door, csv_door: Door
) -> None:
    door.bank.put_bytes("甲,乙\r\n1,2\r\n".encode("gb18030"), "other.csv")
    assert await door.round() == []
    assert "no heading of an answer or a statement" in door.refused()["other.csv"]
    door.accounts.write_bytes(msgspec.json.encode(accounts()))
    door.bank.put_bytes(b"1,2\r\n", "unexpected.csv")
    await door.round()
    assert "no account of the register has a form of its own" in door.refused()["unexpected.csv"]


async def test_a_form_that_cannot_be_used_is_said_and_nothing_goes_out_meanwhile(csv_door: Door) -> None:
    (csv_door.accounts.parent / "bank.toml").write_text("name = 1", encoding="utf-8")
    with pytest.raises(register.BadRegister, match=r"bank\.toml"):
        await csv_door.round()
