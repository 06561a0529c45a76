"""Files as real banks write them (`tests/bank_says`), put into the bank's folder: what the payments, the books and the
APIs say then. Both services, the bank's process and the API on a real database."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import msgspec
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from clearing.bank import checking, process, reading, register, taking
from clearing.bank.sending import SHANGHAI
from clearing.payments.payment import end_to_end_id
from ledger import statements
from ledger.verify import Report
from medfund.bankfiles import iso20022
from medfund.bankfiles.messages import Detail, Entry
from medfund.postgres import connect
from tests.conftest import Database
from tests.fund import running
from tests.integration.bank_door import AREA, DAY, FISCAL, NUMBERS, P1, PROVIDER, Door, line, opened, paid
from tests.integration.claims_served import serving
from tests.integration.served import Caller
from tests.integration.workers import until

SAYS = Path(__file__).parents[1] / "bank_says"
LATE, AGAIN = "B-late/P1/310100", "B-late/P2/310100"
RUN = "152500-310100-20260210-1"


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(database, tmp_path) as door:
        yield door


@pytest.fixture
async def anna(door: Door, database: Database, tmp_path: Path) -> AsyncIterator[Caller]:
    async with serving(database, door.fund.log, tmp_path / "keys", lanes=1) as api:
        yield api.caller("finance", areas=[AREA], subject="anna")


async def two_payments_at_the_bank(door: Door) -> None:
    """Of 900.00 and of 180.00, in one run."""
    door.fund.settlements.clear()
    door.fund.settle({"310100": 20_000}, day="2026-01-20")
    door.fund.submit("B-late", on="2026-02-07")
    await door.fund.drain()
    door.fund.day("2026-02-10")
    transfers = await door.sent()
    assert [one.amount for one in transfers.transfers] == [90_000, 18_000]


async def said(door: Door, *names: str, account: str = NUMBERS["390100"], **more: str) -> list[str]:
    """The bank puts files; where each of them ended."""
    second = end_to_end_id(PROVIDER, LATE)
    words = {"run": RUN, "first": end_to_end_id(PROVIDER, P1), "second": second, "SECOND": second.upper()}
    for number, name in enumerate(names):
        text = Template((SAYS / name).read_text("utf-8")).substitute(words, account=account, **more)
        door.bank.put_bytes(text.encode(), f"{number}-{name}")
    await door.round()
    return [where(door, f"{number}-{name}") for number, name in enumerate(names)]


def where(door: Door, name: str) -> str:
    [found] = [place for place in ("in", "done/in", "refused") if (door.bank.root / place / name).exists()]
    return found


async def states(door: Door) -> list[str]:
    await door.fund.drain()
    return [await door.status(P1), await door.status(LATE)]


async def reconciled(caller: Caller, day: str, fund: str = "390100") -> tuple[bool, str, str]:
    answer = await caller.answer("/v1/reconciliations", area=AREA, day=day, fund=fund)
    [account] = [one for one in answer["accounts"] if one["bank_account"] == "1002"]
    return answer["agrees"], account["books"], account["difference"]


async def in_suspense(caller: Caller) -> list[tuple[str, str, str]]:
    answer = await caller.answer("/v1/suspense", area=AREA, open="true")
    return sorted((one["bank_txn"], one["direction"], one["amount"]) for one in answer["items"])


async def proof(door: Door, database: Database) -> Report:
    """What `medfund verify` says of the bank's statements."""
    report = Report()
    async with AsyncExitStack() as stack:
        books, clearing = [
            await stack.enter_async_context(connect.connection(database.dsn("reader", name), name="tests"))
            for name in ("ledger", "clearing")
        ]
        await statements.compare(report, books, clearing, door.fund.log, range(1), of=1)
    return report


# -- days


async def test_a_line_that_is_valued_later_is_in_the_statement_of_its_booking_day(
    door: Door, anna: Caller, database: Database
) -> None:
    """And in the books with its value date."""
    files = "valued-later-day-1.camt053.xml", "valued-later-day-2.camt053.xml"
    assert await said(door, *files) == ["done/in", "done/in"]
    assert await reconciled(anna, "2026-02-10") == (True, "5123.00", "0.00")
    assert await reconciled(anna, "2026-02-11") == (True, "5123.00", "0.00")
    report = await proof(door, database)
    assert (report.ok, report.statements) == (True, 2)
    told = [dict(record.headers)["ce_type"] for record in door.fund.log.records("bank", 0)]
    assert b"bank.mismatch.found.v1" not in told
    [bucket] = await door.fund.control.fetch(
        "select value_date from ledger.buckets where account = '1002' and book = 'OPS' and debit = 12300"
    )
    assert bucket["value_date"] == date(2026, 2, 11)


async def test_a_statement_that_differs_is_named_and_the_books_hold_all_the_same(
    door: Door, database: Database
) -> None:
    door.bank.put(door.bank.statement([], opening=499_999))
    await door.round()
    report = await proof(door, database)
    assert (report.ok, report.problems, report.not_compared) == (False, [], [])
    [difference] = report.differences
    assert "4999.99 by the bank, 5000.00 in the books" in difference


async def test_a_value_date_that_has_not_come_holds_nothing_up(door: Door, anna: Caller) -> None:
    later = datetime.fromtimestamp(door.fund.log.clock_ms / 1000, UTC).date() + timedelta(days=2)
    files = "valued-in-two-days.camt054.xml", "valued-today.camt054.xml"
    assert await said(door, *files, later=str(later)) == ["done/in", "done/in"]
    assert await in_suspense(anna) == [("R030001", "IN", "50.00"), ("R030002", "IN", "60.00")]
    [item, _] = (await anna.answer("/v1/suspense", area=AREA))["items"][::-1]
    assert (item["value_date"], item["booked_on"]) == (str(later), "2026-02-10")


async def test_a_file_that_waits_for_its_day_holds_up_no_other_and_one_of_no_day_is_refused(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    door.fund.log.clock_ms = int(now.timestamp() * 1000)
    days = {"a-monday": now.date() + timedelta(days=3), "b-never": date(2099, 1, 1), "c-today": DAY}
    for name, day in days.items():
        door.bank.put(door.bank.notification([Entry(f"T-{name}", "IN", 100, day, day)]), f"{name}.xml")
    [waits] = await door.round()
    assert f"it is of {days['a-monday']}, and waits until that day has come" in waits
    assert [where(door, f"{name}.xml") for name in days] == ["in", "refused", "done/in"]
    assert "BAD_DATE" in door.refused()["b-never.xml"]


async def one_is_early() -> bool:
    return REGISTRY.get_sample_value("medfund_bank_early") == 1


async def test_a_file_of_a_day_to_come_is_told_to_nobody_until_its_day_is_opened(door: Door) -> None:
    """Nor are its lines of days that have come: a file is taken whole."""
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    entries = [Entry("T-1", "IN", 100, DAY, DAY), Entry("T-2", "IN", 7, tomorrow, tomorrow)]
    name = door.bank.put(door.bank.notification(entries))
    before = len(door.fund.log.records("bank", 0))
    for _ in range(3):
        door.desk.later.clear()
        assert len(await door.round()) == 1
    with capture_logs() as told:
        stop = asyncio.Event()
        at_work = asyncio.create_task(process._work(door.desk, door.held, door.accounts, stop, {}))
        await until(one_is_early, "the bank process tells it")
        stop.set()
        await at_work
    assert REGISTRY.get_sample_value("medfund_bank_waiting") == 0, "nobody is called"
    [waits] = [line for line in told if line["event"] == "bank files wait"]
    assert (waits["log_level"], str(tomorrow) in waits["reason"]) == ("info", True)
    assert where(door, name) == "in"
    assert len(door.fund.log.records("bank", 0)) == before
    door.fund.log.clock_ms = int(datetime.combine(tomorrow, time(9), SHANGHAI).timestamp() * 1000)
    door.fund.day(str(tomorrow))
    await door.fund.drain()
    door.desk.later.clear()
    assert await door.round() == []
    assert where(door, name) == "done/in"


async def test_of_a_sample_of_a_day_to_come_it_is_said_that_it_would_wait(door: Door, database: Database) -> None:
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    file = door.bank.root.parent / "sample.xml"
    file.write_bytes(iso20022.encoded(door.bank.statement([], opening=500_000, day=tomorrow)))
    known = register.read(door.accounts)
    verdict = await checking.check(file, known, database.dsn("bank", "clearing"), most=10)
    assert (verdict.code, len(verdict.told)) == ("", 1)
    assert f"it is of {tomorrow}, and waits" in verdict.waits_for
    assert "the log's day is 2026-02-09" in verdict.waits_for


# -- a second delivery


async def test_a_second_delivery_that_is_refused_leaves_payments_sent_and_is_told(door: Door, anna: Caller) -> None:
    """The bank pays the first one; nothing is asked for again meanwhile."""
    await two_payments_at_the_bank(door)
    before = taking.UNCLEAR.labels("repeated")._value.get()
    with capture_logs() as logs:
        files = "accepted.pain002.xml", "second-delivery-refused.pain002.xml"
        assert await said(door, *files) == ["done/in", "done/in"]
    assert await states(door) == ["SENT", "SENT"]
    assert taking.UNCLEAR.labels("repeated")._value.get() == before + 1
    assert any(one["log_level"] == "error" and one.get("run") == RUN for one in logs)
    assert (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"] == []
    doubted = (await anna.answer("/v1/payments", area=AREA, queue="doubted"))["payments"]
    assert [(one["payment"], one["bank_may_still_pay"]) for one in doubted] == [(P1, True), (LATE, True)]
    assert "AM05" in doubted[0]["bank_may_still_pay_because"]
    assert await said(door, "first-delivery-paid.camt054.xml", account=NUMBERS["310100"]) == ["done/in"]
    assert await states(door) == ["SETTLED", "SETTLED"]
    assert (await anna.answer("/v1/payments", area=AREA, queue="doubted"))["payments"] == []


@pytest.mark.parametrize("code", ["AM05", "DU01", "DUPL"])
@pytest.mark.parametrize("level", ["file", "order", "payment"])
async def test_at_whatever_level_the_bank_refuses_what_it_has_the_payment_stays_sent(
    door: Door, level: str, code: str
) -> None:
    await two_payments_at_the_bank(door)
    name = {"file": "second-delivery-refused", "payment": "one-rejected-one-pending"}.get(level, "order-refused")
    text = (SAYS / f"{name}.pain002.xml").read_text("utf-8")
    text = text.replace("<Cd>AM05<", f"<Cd>{code}<").replace("<Cd>AC01<", f"<Cd>{code}<")
    words = {"run": RUN, "first": end_to_end_id(PROVIDER, P1), "second": end_to_end_id(PROVIDER, LATE)}
    door.bank.put_bytes(Template(text).substitute(words).encode(), "answer.xml")
    assert await door.round() == []
    assert await states(door) == ["SENT", "SENT"]
    told = [(one["payment_ref"], one["code"]) for one in await door.fund.decided("payment.doubted")]
    assert sorted(told) == ([] if level == "payment" else [(P1, code)]) + [(LATE, code)]
    assert await door.fund.decided("payment.failed") == []


async def test_who_approves_a_payment_anew_is_told_first_that_the_bank_may_still_pay_the_old_one(
    door: Door, anna: Caller
) -> None:
    """The bank accepted the file, and rejects all of it now."""
    await two_payments_at_the_bank(door)
    await said(door, "accepted.pain002.xml")
    text = (SAYS / "second-delivery-refused.pain002.xml").read_text("utf-8").replace("AM05", "AM04")
    door.bank.put_bytes(Template(text).substitute(run=RUN).encode(), "rejected.xml")
    await door.round()
    assert await states(door) == ["FAILED", "FAILED"]
    door.fund.retry(P1, "bo")
    await door.fund.drain()
    [again] = (await anna.answer("/v1/payments", area=AREA, queue="to_approve", fund="310100"))["payments"]
    assert (again["retry_of"], again["bank_may_still_pay"]) == (P1, True)
    approval = {"approval": "A-1", "provider": PROVIDER, "payments": [again["payment"]], "total": "900.00"}
    refused = await anna.command("/v1/approvals", **approval)
    assert (refused.status_code, refused.json()["code"]) == (409, "bank_may_still_pay")
    assert "accepted this file before" in refused.json()["detail"]
    assert (await anna.command("/v1/approvals", **approval, although_bank_may_still_pay=True)).status_code == 202


async def test_who_pays_a_day_of_a_month_again_is_told_that_the_bank_may_still_pay_it(door: Door, anna: Caller) -> None:
    """The first day of the month carries what is owed for the second one: the retry has that one's name."""
    fund = door.fund
    fund.settlements.clear()
    for day in (5, 6):
        on = f"2026-01-0{day}"
        fund.settle({"310100": 20_000 + day}, day=on, clr_type="11")
        fund.submit(f"D-{day}", first=on, last=on, on=f"2026-01-0{day + 1}", mode="DAY", clr_type="11")
    await fund.drain()
    fund.day("2026-02-10")
    await door.sent()
    fund.deduct(["D-5", "D-6"], {})
    second = "D-6/P1/310100"
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=second, doubt="the bank accepted it before")
    await fund.drain()
    fund.retry(second, "bo")
    await fund.drain()
    waiting = (await anna.answer("/v1/payments", area=AREA, queue="to_approve", fund="310100"))["payments"]
    [again] = [one for one in waiting if one["retry_of"] == second]
    assert (again["payable"], again["bank_may_still_pay"]) == ("D-5", True)
    [doubted] = (await anna.answer("/v1/payments", area=AREA, queue="doubted"))["payments"]
    assert (doubted["payment"], doubted["bank_may_still_pay"]) == (second, True)
    approval = {"approval": "A-1", "provider": PROVIDER, "payments": [again["payment"]], "total": again["total"]}
    refused = await anna.command("/v1/approvals", **approval)
    assert (refused.status_code, refused.json()["code"]) == (409, "bank_may_still_pay")


# -- answers


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("checked-v10.pain002.xml", ["SENT", "SENT"]),
        ("rejected-v10.pain002.xml", ["SENT", "FAILED"]),
        ("one-rejected-one-pending.pain002.xml", ["SENT", "FAILED"]),
        ("received.pain002.xml", ["SENT", "SENT"]),
        ("one-rejected-one-changed.pain002.xml", ["SENT", "FAILED"]),
        ("reason-in-its-own-words.pain002.xml", ["SENT", "FAILED"]),
    ],
)
async def test_the_banks_answer_counts_for_each_payment_whatever_it_says_of_the_others(
    door: Door, file: str, expected: list[str]
) -> None:
    await two_payments_at_the_bank(door)
    assert await said(door, file) == ["done/in"]
    assert await states(door) == expected
    if expected[1] == "FAILED":
        [late] = await door.fund.payments(payment_ref=LATE)
        assert late["code"] == ("收款人账号户名不符" if "words" in file else "AC01")


async def test_what_the_bank_rejects_and_pays_all_the_same_is_paid_and_not_asked_for_again(
    door: Door, anna: Caller
) -> None:
    await two_payments_at_the_bank(door)
    await said(door, "rejected-v10.pain002.xml")
    assert await states(door) == ["SENT", "FAILED"]
    await said(door, "first-delivery-paid.camt054.xml", account=NUMBERS["310100"])
    assert await states(door) == ["SETTLED", "SETTLED"]
    assert (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"] == []
    assert await in_suspense(anna) == []
    books = await door.fund.balances()
    assert books["1104"] == {"310100": 108_000}
    assert await door.fund.open_items() == {account: books[account] for account in ("1104", "2101")}


async def test_what_is_asked_for_again_and_paid_by_the_bank_meanwhile_is_not_sent(door: Door, anna: Caller) -> None:
    await two_payments_at_the_bank(door)
    await said(door, "rejected-v10.pain002.xml")
    door.fund.retry(LATE, "bo")
    await door.fund.drain()
    await said(door, "first-delivery-paid.camt054.xml", account=NUMBERS["310100"])
    assert await states(door) == ["SETTLED", "SETTLED"]
    assert await door.status(AGAIN) == "CANCELLED"
    assert await in_suspense(anna) == []
    assert (await door.fund.balances())["1104"] == {"310100": 108_000}


async def test_what_was_sent_again_and_the_bank_pays_twice_is_in_suspense_and_told(door: Door, anna: Caller) -> None:
    await two_payments_at_the_bank(door)
    await said(door, "rejected-v10.pain002.xml")
    door.fund.retry(LATE, "bo")
    await door.fund.drain()
    await door.fund.approve("anna", refs=[AGAIN])
    await door.sent(number=2)
    await said(door, "first-delivery-paid.camt054.xml", account=NUMBERS["310100"])
    assert await in_suspense(anna) == [("R040002", "OUT", "180.00")]
    [again] = (await anna.answer("/v1/payments", area=AREA, queue="sent", fund="310100"))["payments"]
    assert (again["payment"], again["retry_of"], again["bank_may_still_pay"]) == (AGAIN, LATE, True)
    assert "the bank paid it all the same" in again["bank_may_still_pay_because"]


@pytest.mark.parametrize("file", ["rejects-an-unknown-file.pain002.xml", "rejects-in-upper-case.pain002.xml"])
async def test_a_rejection_that_names_nothing_known_is_told(door: Door, file: str) -> None:
    await two_payments_at_the_bank(door)
    before = taking.UNCLEAR.labels("nothing_known")._value.get()
    with capture_logs() as logs:
        assert await said(door, file) == ["done/in"]
    assert await states(door) == ["SENT", "SENT"]
    assert taking.UNCLEAR.labels("nothing_known")._value.get() == before + 1
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["the bank rejects what nobody has sent"]


async def test_a_return_that_the_bank_takes_back_is_undone(door: Door, anna: Caller) -> None:
    transfers = await door.sent()
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    assert await said(door, "return.camt054.xml", account=NUMBERS["310100"]) == ["done/in"]
    [back] = (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"]
    assert back["payment"] == P1
    books = await door.fund.balances(), await door.fund.balances("STAT")
    assert (books[0]["1002"]["310100"], books[0].get("1104", {})) == (500_000, {})
    assert await said(door, "return-taken-back.camt054.xml", account=NUMBERS["310100"]) == ["done/in"]
    assert (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"] == []
    assert await in_suspense(anna) == []
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["status"], payment["settled"], payment["returned"], payment["to_retry"]) == (
        "SETTLED", {"310100": 90_000}, {}, {},
    )  # fmt: skip
    books = await door.fund.balances(), await door.fund.balances("STAT")
    assert (books[0]["1002"]["310100"], books[0]["1104"]) == (410_000, {"310100": 90_000})
    assert (books[1]["EXP_CASH"]["310100"], books[1]["TEMP_INSTANT"]) == (410_000, {"310100": 90_000})
    before = await door.fund.tables()
    await door.fund.rebuild()
    assert await door.fund.tables() == before


async def test_a_rejection_of_what_was_paid_is_told_and_changes_nothing(door: Door) -> None:
    await two_payments_at_the_bank(door)
    await said(door, "first-delivery-paid.camt054.xml", account=NUMBERS["310100"])
    before = taking.UNCLEAR.labels("contradicted")._value.get()
    with capture_logs() as logs:
        assert await said(door, "rejected-v10.pain002.xml") == ["done/in"]
    assert await states(door) == ["SETTLED", "SETTLED"]
    assert taking.UNCLEAR.labels("contradicted")._value.get() == before + 1
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["the bank rejects what it has paid"]


async def test_a_payment_that_the_bank_takes_back_has_come_back_and_waits(door: Door, anna: Caller) -> None:
    """A reversal that comes in: the bank undoes its own debit."""
    transfers = await door.sent()
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    name = transfers.transfers[0].end_to_end_id
    door.bank.put(door.bank.notification([line("V-1", 90_000, name, direction="IN", reversal=True)]))
    assert await door.round() == []
    [told] = await door.fund.decided("payment.returned")
    assert (told["payment_ref"], told["amounts"], told["reason"]) == (P1, {"310100": "900.00"}, "银行冲正")
    [waits] = (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"]
    assert waits["payment"] == P1
    books = await door.fund.balances()
    assert (books["1002"]["310100"], books.get("1104")) == (500_000, None)


async def test_what_takes_back_a_line_that_is_no_payments_is_in_suspense_and_the_two_take_each_other_out(
    door: Door, anna: Caller
) -> None:
    """A reversal that goes out, of a credit that answered nothing; and one that comes in, of such a debit."""
    came = [Entry("K-1", "IN", 731, DAY, DAY), Entry("K-2", "OUT", 731, DAY, DAY, reversal=True)]
    went = [Entry("K-3", "OUT", 417, DAY, DAY), Entry("K-4", "IN", 417, DAY, DAY, reversal=True)]
    door.bank.put(door.bank.statement([*came, *went], opening=500_000))
    assert await door.round() == []
    assert await in_suspense(anna) == [
        ("K-1", "IN", "7.31"), ("K-2", "OUT", "7.31"), ("K-3", "OUT", "4.17"), ("K-4", "IN", "4.17"),
    ]  # fmt: skip
    items = {one["bank_txn"]: one["item"] for one in (await anna.answer("/v1/suspense", area=AREA))["items"]}
    for back, of in (("K-2", "K-1"), ("K-4", "K-3")):
        assert await placed(door, anna, back, placed_as="CORRECTED", target=items[of]) == "DONE"
    books = await door.fund.balances()
    assert (books["1002"]["310100"], books.keys() & {"1190", "2190"}) == (500_000, set())


async def test_a_return_and_what_takes_it_back_on_one_day_of_one_file_leave_the_payment_paid(door: Door) -> None:
    """Whatever their order there."""
    transfers = await door.sent()
    name = transfers.transfers[0].end_to_end_id
    lines = [
        line("V-3", 90_000, name, reversal=True),
        line("V-2", 90_000, name, direction="IN", code="AC04"),
        line("V-1", 90_000, name),
    ]
    door.bank.put(door.bank.statement(lines, opening=500_000))
    assert await door.round() == []
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["status"], payment["returned"], payment["to_retry"]) == ("SETTLED", {}, {})
    assert await door.fund.decided("suspense.opened", "fact.disputed", "bank.mismatch.found") == []
    assert (await door.fund.balances())["1104"] == {"310100": 90_000}


async def test_what_takes_a_return_back_before_the_return_is_told_to_who_pays_it_again(
    door: Door, anna: Caller
) -> None:
    """In files whose order the bank has turned: the money is in suspense, and can be placed as what it was."""
    transfers = await door.sent()
    name = transfers.transfers[0].end_to_end_id
    for entry in (
        line("V-1", 90_000, name),
        line("V-3", 90_000, name, reversal=True),
        line("V-2", 90_000, name, direction="IN", code="AC04"),
    ):
        door.bank.put(door.bank.notification([entry]))
    assert await door.round() == []
    assert await in_suspense(anna) == [("V-3", "OUT", "900.00")]
    door.fund.retry(P1, "bo")
    await door.fund.drain()
    [again] = (await anna.answer("/v1/payments", area=AREA, queue="to_approve", fund="310100"))["payments"]
    assert (again["retry_of"], again["bank_may_still_pay"]) == (P1, True)
    assert await placed(door, anna, "V-3", placed_as="RETURN", target=P1, provider=PROVIDER) == "DONE"
    assert (await door.status(P1), await door.status(again["payment"])) == ("SETTLED", "CANCELLED")
    books = await door.fund.balances()
    assert (books["1104"], books.get("1190"), books["1002"]["310100"]) == ({"310100": 90_000}, None, 410_000)


async def test_two_returns_of_parts_are_each_booked_once_and_no_more_than_was_paid(door: Door, anna: Caller) -> None:
    transfers = await door.sent()
    name = transfers.transfers[0].end_to_end_id
    for number, fen in enumerate((90_000, 41_700, 48_300, 100)):
        direction = "IN" if number else "OUT"
        door.bank.put(door.bank.notification([line(f"V-{number}", fen, name, direction=direction)]))
    door.bank.put(door.bank.notification([line("V-1", 41_700, name, direction="IN")]))
    assert await door.round() == []
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["returned"], payment["to_retry"]) == ({"310100": 90_000}, {"310100": 90_000})
    assert await in_suspense(anna) == [("V-3", "IN", "1.00")]
    assert (await door.fund.balances())["1002"]["310100"] == 500_100


# -- lines


async def test_a_number_that_the_bank_uses_again_on_another_day_is_another_line(door: Door, anna: Caller) -> None:
    """Nothing that moved is swallowed, whether the amounts differ or not."""
    names = [f"number-{name}.camt054.xml" for name in ("1-day-1", "1-day-2", "2-day-2")]
    assert await said(door, *names, "numbers-day-2.camt053.xml") == ["done/in"] * 4
    sevens = [f"number-7-day-{day}.camt054.xml" for day in (1, 2)]
    assert await said(door, *sevens, account=NUMBERS["310100"]) == ["done/in"] * 2
    assert await in_suspense(anna) == [
        ("000001", "IN", "10.00"), ("000001", "IN", "20.00"), ("000002", "IN", "30.00"),
        ("000007", "IN", "10.00"), ("000007", "IN", "10.00"),
    ]  # fmt: skip
    assert await reconciled(anna, "2026-02-12") == (True, "5060.00", "0.00")
    refused = await door.fund.control.fetch("select reason from ledger.quarantine")
    assert refused == []


async def test_what_the_books_have_with_another_amount_is_refused_and_never_taken_for_booked(door: Door) -> None:
    door.bank.put(door.bank.notification([line("T-1", 1_000, "NOBODY", direction="IN")]))
    await door.round()
    name = door.bank.put(door.bank.notification([line("T-1", 1_100, "ELSE", direction="IN")]))
    other = door.bank.put(door.bank.notification([line("T-2", 100, "NOBODY", direction="IN")]))
    assert await door.round() == []
    assert (where(door, name), where(door, other)) == ("refused", "done/in")
    assert "11.00, and the books have 10.00" in door.refused()[name]
    assert (await door.fund.balances())["2190"] == {"310100": -1_100}


async def test_both_directions_of_one_number_on_one_day_are_two_lines(door: Door, anna: Caller) -> None:
    lines = [Entry("9", "IN", 500, DAY, DAY), Entry("9", "OUT", 500, DAY, DAY)]
    door.bank.put(door.bank.statement(lines, opening=500_000))
    assert await door.round() == []
    assert await in_suspense(anna) == [("9", "IN", "5.00"), ("9", "OUT", "5.00")]
    assert await reconciled(anna, str(DAY), "310100") == (True, "5000.00", "0.00")


async def test_a_line_that_was_in_suspense_under_its_old_name_is_known_and_not_booked_again(door: Door) -> None:
    """A fact of before lines had a booking day, told again by a file whose line has one."""
    about = {"bank_account": "1002", "direction": "IN", "bank_txn": "OLD-1", "value_date": "2026-02-11"}
    door.fund.put("bank.line.unplaced.v1", **about, amounts={"310100": "1.23"}, text="x")
    await door.fund.drain()
    door.bank.put(door.bank.notification([Entry("OLD-1", "IN", 123, DAY, date(2026, 2, 11))]))
    assert await door.round() == []
    assert len(await door.fund.decided("suspense.opened")) == 1
    door.bank.put(door.bank.notification([Entry("OLD-1", "IN", 123, date(2026, 2, 12), date(2026, 2, 12))]))
    assert await door.round() == []
    assert len(await door.fund.decided("suspense.opened")) == 2


async def test_the_banks_numbers_are_texts(door: Door, anna: Caller) -> None:
    files = "number-with-a-blank.camt054.xml", "number-without-a-blank.camt054.xml"
    assert await said(door, *files) == ["done/in", "done/in"]
    assert await in_suspense(anna) == [("20260216 000001", "IN", "21.00"), ("R210002", "IN", "22.00")]
    assert await said(door, "message-with-a-blank.camt053.xml", account=FISCAL["310100"]) == ["done/in"]
    odd = [Entry(text, "IN", 1, DAY, DAY) for text in ("+1 (甲)", "流水 7", "-", "a\u00a0b", "\u3000")]
    door.bank.put(door.bank.notification(odd))
    assert await door.round() == []
    assert door.refused() == {}
    assert (await door.fund.balances())["2190"]["310100"] == -5


# -- how files are written


class Comes(NamedTuple):
    """What a file comes to after two payments were sent. `after`: another file that came before it."""

    fund: str = "390100"
    after: str = ""
    states: tuple[str, str] = ("SENT", "SENT")
    returned: tuple[str, ...] = ()
    suspense: tuple[tuple[str, str, str], ...] = ()
    closing: str = ""
    """Of the account on the day of its statement, by the bank and by the books."""


PAID = ("SETTLED", "SETTLED")
BACK = Comes("310100", "batch-by-order.camt054.xml", PAID, ("900.00", "180.00"))
FILES = {
    "two-groups.camt054.xml": BACK,
    "returns-of-two-messages.camt054.xml": BACK,
    "batch-by-order.camt054.xml": Comes("310100", states=PAID),
    "charge-inside.camt054.xml": Comes("310100", states=("SETTLED", "SENT"), suspense=(("R100001", "OUT", "26.00"),)),
    "announced-beside-booked.camt054.xml": Comes(suspense=(("R200001", "IN", "70.00"),)),
    "entry-of-nothing.camt053.xml": Comes(closing="5000.00"),
    "opening-as-prcd.camt053.xml": Comes(closing="5000.00"),
    "two-accounts.camt053.xml": Comes(suspense=(("R130001", "IN", "31.00"),), closing="5031.00"),
    "without-numbers.camt053.xml": Comes(
        suspense=(("#41/1", "IN", "30.00"), ("#41/2", "OUT", "12.00")), closing="5018.00"
    ),
    "other-spellings.camt053.xml": Comes(suspense=(("R340001", "IN", "0.50"),), closing="5000.50"),
}


@pytest.mark.parametrize("name", FILES)
async def test_a_file_comes_to_what_its_bank_means(door: Door, anna: Caller, name: str) -> None:
    comes = FILES[name]
    await two_payments_at_the_bank(door)
    for file in filter(None, (comes.after, name)):
        assert await said(door, file, account=NUMBERS[comes.fund], other=NUMBERS["310100"]) == ["done/in"]
    assert await states(door) == list(comes.states)
    assert await in_suspense(anna) == list(comes.suspense)
    returned = (await anna.answer("/v1/payments", area=AREA, queue="returned"))["payments"]
    assert [back["amount"] for one in returned for back in one["to_retry"]] == list(comes.returned)
    if comes.closing:
        assert await reconciled(anna, "2026-02-11", comes.fund) == (True, comes.closing, "0.00")


async def test_of_a_batch_what_one_line_names_is_that_and_the_rest_what_was_not_rejected(door: Door) -> None:
    await two_payments_at_the_bank(door)
    named = Detail(18_000, end_to_end_id(PROVIDER, LATE), files=("PACS008-1", RUN))
    entry = Entry("B-1", "OUT", 108_000, DAY, DAY, details=(named, Detail(90_000, files=("X", RUN))))
    door.bank.put(door.bank.notification([entry]))
    assert await door.round() == []
    assert await states(door) == ["SETTLED", "SETTLED"]


async def test_a_charge_inside_a_line_is_placed_as_a_fee(door: Door, anna: Caller) -> None:
    await two_payments_at_the_bank(door)
    await said(door, "charge-inside.camt054.xml", account=NUMBERS["310100"])
    assert await placed(door, anna, "R100001", placed_as="FEE") == "DONE"
    assert await in_suspense(anna) == []


async def test_statements_of_two_accounts_in_one_file_are_both_taken(door: Door, anna: Caller) -> None:
    assert await said(door, "two-accounts.camt053.xml", other=NUMBERS["310100"]) == ["done/in"]
    for day, fund, closing in (("2026-02-11", "390100", "5031.00"), ("2026-02-10", "310100", "5000.00")):
        assert await reconciled(anna, day, fund) == (True, closing, "0.00")


async def test_of_a_file_that_tells_of_an_unknown_account_too_nothing_is_taken(door: Door, anna: Caller) -> None:
    assert await said(door, "two-accounts.camt053.xml", other="6222999999999") == ["refused"]
    assert "6222999999999" in door.refused()["0-two-accounts.camt053.xml"]
    assert await in_suspense(anna) == []
    assert await door.fund.control.fetchval("select count(*) from clearing.bank_statements") == 0


async def test_what_is_only_announced_is_booked_when_it_is(door: Door, anna: Caller) -> None:
    with capture_logs() as logs:
        await said(door, "announced-beside-booked.camt054.xml")
    assert [one["only_announced"] for one in logs if "only_announced" in one] == [1]
    door.bank.put(door.bank.notification([Entry("R200002", "IN", 8_000, DAY, DAY)], fund="390100"))
    await door.round()
    assert await in_suspense(anna) == [("R200001", "IN", "70.00"), ("R200002", "IN", "80.00")]


async def test_lines_without_numbers_are_known_by_their_place_in_their_statement(door: Door, anna: Caller) -> None:
    """Also where the bank sends the statement again, in another file."""
    await said(door, "without-numbers.camt053.xml")
    text = (SAYS / "without-numbers.camt053.xml").read_text("utf-8").replace("B-32", "B-32-copy")
    door.bank.put_bytes(text.replace("$account", NUMBERS["390100"]).encode(), "again.xml")
    assert await door.round() == []
    assert len(await in_suspense(anna)) == 2
    assert await reconciled(anna, "2026-02-11") == (True, "5018.00", "0.00")


@pytest.mark.parametrize("first", ["with-numbers.camt054.xml", "without-numbers.camt053.xml"])
async def test_a_line_that_has_a_number_in_one_file_and_none_in_another_is_booked_once(
    door: Door, anna: Caller, first: str
) -> None:
    """The second file is refused, whichever it is."""
    both = ["with-numbers.camt054.xml", "without-numbers.camt053.xml"]
    second = both[1 - both.index(first)]
    assert await said(door, first) == ["done/in"]
    booked = await in_suspense(anna)
    assert await said(door, second) == ["refused"]
    [reason] = door.refused().values()
    assert "NOT_ACCEPTED" in reason
    assert "30.00" in reason
    assert await in_suspense(anna) == booked


async def test_a_notification_whose_lines_have_no_number_is_refused(door: Door) -> None:
    text = (SAYS / "with-numbers.camt054.xml").read_text("utf-8").replace("$account", NUMBERS["390100"])
    unnumbered = text.replace("<AcctSvcrRef>R260001</AcctSvcrRef>", "").replace("<Ntry>", "<Ntry><NtryRef>1</NtryRef>")
    door.bank.put_bytes(unnumbered.encode(), "a.xml")
    await door.round()
    assert "INCOMPLETE" in door.refused()["a.xml"]
    assert "AcctSvcrRef" in door.refused()["a.xml"]


async def test_a_file_that_is_being_written_is_left_where_it_is(door: Door, anna: Caller) -> None:
    """And told of when nobody writes it any more."""
    text = (SAYS / "with-numbers.camt054.xml").read_text("utf-8").replace("$account", NUMBERS["390100"])
    file = door.bank.root / "in" / "a.xml.filepart"
    file.write_text(text[:400], "utf-8")
    assert await door.round() == []
    os.utime(file, (0, 0))
    [trouble] = await door.round()
    assert "a.xml.filepart" in trouble
    file.write_text(text, "utf-8")
    file.rename(door.bank.root / "in" / "A.XML")
    assert await door.round() == []
    assert await in_suspense(anna) == [("R260001", "IN", "30.00")]


async def test_days_of_one_file_are_compared_when_all_its_lines_are_booked(door: Door, anna: Caller) -> None:
    """Though the later day comes first in it."""
    day, before = date(2026, 2, 12), date(2026, 2, 11)
    later = door.bank.statement([Entry("D-2", "IN", 5, day, day)], opening=500_007, fund="390100", day=day)
    earlier = door.bank.statement([Entry("D-1", "IN", 7, before, before)], opening=500_000, fund="390100", day=before)
    files = [iso20022.encoded(message).decode() for message in (later, earlier)]
    statements = [text[text.index("<Stmt>") : text.index("</Stmt>") + len("</Stmt>")] for text in files]
    door.bank.put_bytes(files[0].replace(statements[0], "".join(statements)).encode(), "both.xml")
    assert await door.round() == []
    for on, books in ((day, "5000.12"), (before, "5000.07")):
        assert await reconciled(anna, str(on)) == (True, books, "0.00")
    told = [dict(record.headers)["ce_type"] for record in door.fund.log.records("bank", 0)]
    assert b"bank.mismatch.found.v1" not in told


@pytest.mark.parametrize("version", ["03", "09", "11"])
async def test_a_payment_file_is_of_the_version_that_the_register_says(door: Door, version: str) -> None:
    written = msgspec.json.decode(door.accounts.read_bytes())
    written["own"] = [{**one, "pain_001": version} for one in written["own"]]
    door.accounts.write_bytes(msgspec.json.encode(written))
    await door.fund.approve("anna", "bo")
    await door.fund.run("310100", on=str(DAY))
    await door.fund.drain()
    assert await door.round() == []
    [file] = (door.bank.root / "out").iterdir()
    iso20022.validate(file, iso20022.PAYMENT_FILES[version])
    message = iso20022.read_transfers(file)
    assert (message.execute_on, message.total, message.message_id) == (DAY, 90_000, RUN)


# -- a sample that is tried before anything depends on it


async def checked(door: Door, database: Database, name: str, **words: str) -> checking.Verdict:
    text = Template((SAYS / name).read_text("utf-8")).substitute(run=RUN, first=end_to_end_id(PROVIDER, P1), **words)
    file = door.bank.root.parent / name
    file.write_text(text, "utf-8")
    known = register.read(door.accounts)
    return await checking.check(file, known, database.dsn("bank", "clearing"), most=10)


async def test_a_sample_is_matched_as_it_would_be_and_nothing_is_touched(door: Door, database: Database) -> None:
    await two_payments_at_the_bank(door)
    before = await door.fund.tables()
    verdict = await checked(door, database, "charge-inside.camt054.xml", account=NUMBERS["310100"])
    [told] = verdict.told
    assert verdict.code == ""
    assert [(part.amount, part.becomes[1], part.of) for part in told.lines[0].parts] == [
        ("900.00", "a payment that was made", P1),
        ("26.00", "in suspense, until somebody places it", ""),
    ]
    assert {what.split()[0]: (one.number, one.total) for what, one in told.comes_to.items()} == {
        "已支付": (1, "900.00"),
        "待查款项": (1, "26.00"),
    }
    assert await door.fund.tables() == before
    await said(door, "charge-inside.camt054.xml", account=NUMBERS["310100"])
    [booked] = (await checked(door, database, "charge-inside.camt054.xml", account=NUMBERS["310100"])).told
    assert [part.becomes for part in booked.lines[0].parts] == [checking.BOOKED]


async def test_of_a_sample_it_is_said_why_it_would_be_refused(door: Door, database: Database) -> None:
    verdict = await checked(door, database, "two-accounts.camt053.xml", account="6222", other="6333")
    assert (verdict.code, verdict.told) == ("WRONG_ACCOUNT", [])
    await said(door, "with-numbers.camt054.xml")
    verdict = await checked(door, database, "without-numbers.camt053.xml", account=NUMBERS["390100"])
    assert verdict.code == "NOT_ACCEPTED"
    assert "R260001" in verdict.detail


# -- what is in suspense


async def placed(door: Door, caller: Caller, txn: str, **what: str) -> str:
    items = (await caller.answer("/v1/suspense", area=AREA, open="true"))["items"]
    [item] = [one for one in items if one["bank_txn"] == txn]
    given = await caller.command("/v1/suspense-placings", item=item["item"], placed_on="2026-02-12", **what)
    assert given.status_code == 202, given.text
    noted = (await door.fund.decided("suspense.placing.noted"))[-1]
    door.fund.place(noted["item_ref"], by=["bo"], **{key: noted[key] for key in ("placed_as", "target", "provider")})
    await door.fund.drain()
    assert await door.round() == []
    await door.fund.drain()
    return (await caller.answer(given.json()["look"]))["state"]


@pytest.mark.parametrize(
    ("what", "direction", "ops", "stat"),
    [
        ("INTEREST", "IN", {"4001": -700}, {"OTHER_INCOME": -700}),
        ("OTHER_INCOME", "IN", {"4001": -700}, {"OTHER_INCOME": -700}),
        ("INTEREST", "OUT", {"4001": 700}, {"OTHER_INCOME": 700}),
        ("FEE", "OUT", {"5004": 700}, {"OTHER_EXPENSE": 700}),
        ("FEE", "IN", {"5004": -700}, {"OTHER_EXPENSE": -700}),
        ("OTHER_PAYER", "IN", {"1110": -700}, {"TEMP_OTHER": -700}),
        ("OTHER_PAYER", "OUT", {"1110": 700}, {"TEMP_OTHER": 700}),
    ],
)
async def test_interest_and_fees_of_the_account_are_placed_and_booked_in_both_books(
    door: Door, anna: Caller, what: str, direction: Any, ops: dict[str, int], stat: dict[str, int]
) -> None:
    door.bank.put(door.bank.notification([Entry("I-1", direction, 700, DAY, DAY)], fund="390100"))
    await door.round()
    assert await placed(door, anna, "I-1", placed_as=what) == "DONE"
    for book, expected in (("OPS", ops), ("STAT", stat)):
        found = await door.fund.balances(book)
        for account, fen in expected.items():
            assert found[account] == {"390100": fen}
        assert not found.keys() & {"1190", "2190", "TEMP_SUSPENSE", "RECV_SUSPENSE"}


async def test_a_fee_is_booked_where_the_areas_policy_says(door: Door, anna: Caller) -> None:
    door.fund.policy(bank__fee_account="4001", valid_from="2026-02-01")
    door.bank.put(door.bank.notification([Entry("F-1", "OUT", 700, DAY, DAY)], fund="390100"))
    await door.round()
    assert await placed(door, anna, "F-1", placed_as="FEE") == "DONE"
    assert (await door.fund.balances())["4001"] == {"390100": 700}
    assert (await door.fund.balances("STAT"))["OTHER_INCOME"] == {"390100": 700}


async def test_money_for_a_recovery_beyond_what_is_owed_is_in_suspense(door: Door, anna: Caller) -> None:
    """And so is all of it where nothing is owed any more; the bank has what the books have."""
    await door.sent()
    door.fund.recover("C-1", {"310100": 5_000}, decided_on="2026-02-09")
    await door.fund.drain()
    for number, fen in enumerate((6_000, 1_000)):
        entry = line(f"C-{number}", fen, "C-1", direction="IN")
        door.bank.put(door.bank.notification([entry], account="1003"))
    assert await door.round() == []
    assert await in_suspense(anna) == [("C-0", "IN", "10.00"), ("C-1", "IN", "10.00")]
    assert (await door.fund.balances())["1003"]["310100"] == 1_007_000
    assert await door.fund.decided("fact.disputed") == []


async def test_a_recovery_found_in_suspense_moves_no_bank_account_again(door: Door, anna: Caller) -> None:
    await door.sent()
    door.fund.recover("C-1", {"310100": 5_000}, decided_on="2026-02-09")
    await door.fund.drain()
    door.bank.put(door.bank.notification([Entry("C-9", "IN", 5_000, DAY, DAY)], account="1003"))
    await door.round()
    assert await placed(door, anna, "C-9", placed_as="RECOVERY", target="C-1", provider=PROVIDER) == "DONE"
    books = await door.fund.balances()
    assert books["1003"]["310100"] == 1_005_000
    assert not books.keys() & {"1107", "2190"}


async def test_a_recovery_that_came_to_the_expenditure_account_is_placed_and_passed_on(
    door: Door, anna: Caller
) -> None:
    """Of this year's expense; what is passed on to the fiscal account is a transfer between the fund's own."""
    await door.sent()
    door.fund.recover("C-1", {"310100": 5_000}, decided_on="2026-02-09", benefit_year=2026)
    await door.fund.drain()
    door.bank.put(door.bank.notification([line("C-8", 4_700, "C-1", direction="IN")]))
    await door.round()
    assert await in_suspense(anna) == [("C-8", "IN", "47.00")]
    assert await placed(door, anna, "C-8", placed_as="RECOVERY", target="C-1", provider=PROVIDER) == "DONE"
    door.bank.put(door.bank.notification([Entry("C-9", "OUT", 4_700, DAY, DAY)]))
    await door.round()
    assert await placed(door, anna, "C-9", placed_as="FISCAL") == "DONE"
    books, stat = await door.fund.balances(), await door.fund.balances("STAT")
    assert (books["1107"], books["1002"]["310100"], books["1003"]["310100"]) == (
        {"310100": 300}, 500_000, 1_004_700,
    )  # fmt: skip
    assert not books.keys() & {"1190", "2190"}
    assert (stat["EXPENSE"], stat["FISCAL_CASH"]["310100"]) == ({"310100": -4_700}, 1_004_700)
    assert not stat.keys() & {"TEMP_SUSPENSE", "RECV_SUSPENSE"}


async def test_what_was_placed_as_a_case_that_is_not_there_is_told_and_in_suspense_again(
    door: Door, anna: Caller
) -> None:
    """By another way than the API, which refuses it."""
    await door.sent()
    door.bank.put(
        door.bank.notification(
            [Entry(f"D-{n}", "IN", fen, DAY, DAY) for n, fen in ((1, 4_300), (2, 1_700))], account="1003"
        )
    )
    await door.round()
    for item in (await anna.answer("/v1/suspense", area=AREA))["items"]:
        door.fund.place(item["item"], "RECOVERY", target=f"C-{item['bank_txn']}", provider=PROVIDER)
    await door.fund.drain()
    assert await door.round() == []
    await door.fund.drain()
    assert sorted(await in_suspense(anna)) == [("D-1", "IN", "43.00"), ("D-2", "IN", "17.00")]
    assert sorted(one["reason"] for one in await door.fund.decided("suspense.kept")) == [
        "there is no recovery of case C-D-1", "there is no recovery of case C-D-2",
    ]  # fmt: skip
    assert (await door.fund.balances())["2190"] == {"310100": -6_000}
    assert await door.fund.control.fetchval("select count(*) from clearing.errands where what = 'ITEM'") == 2
    await door.round()
    assert await door.fund.control.fetchval("select count(*) from clearing.errands where what = 'ITEM'") == 0
    before = await door.fund.tables()
    await door.fund.rebuild()
    assert await door.fund.tables() == before


@pytest.mark.parametrize("what", ["RECOVERY", "PAYMENT"])
async def test_what_was_placed_where_there_is_no_room_any_more_is_in_suspense_again(
    door: Door, anna: Caller, what: str
) -> None:
    """Two items are placed as one thing of 50.00, or as a payment of 900.00, before either is told of it."""
    await door.sent()
    door.fund.recover("C-1", {"310100": 5_000}, decided_on="2026-02-09")
    recovered = what == "RECOVERY"
    fen, target, account = (5_000, "C-1", "1003") if recovered else (61_700, P1, "1002")
    lines = [Entry(f"D-{number}", "IN" if recovered else "OUT", fen, DAY, DAY) for number in (1, 2)]
    door.bank.put(door.bank.notification(lines, account=account))
    await door.round()
    for item in (await anna.answer("/v1/suspense", area=AREA))["items"]:
        door.fund.place(item["item"], what, target=target, provider=PROVIDER)
    await door.fund.drain()
    assert await door.round() == []
    await door.fund.drain()
    left, direction, books = ("50.00", "IN", "2190") if recovered else ("334.00", "OUT", "1190")
    [(_, *found)] = await in_suspense(anna)
    assert found == [direction, left]
    assert abs((await door.fund.balances())[books]["310100"]) == round(float(left) * 100)
    [kept] = await door.fund.decided("suspense.kept")
    assert (kept["bank_account"], kept["item_ref"]) == (account, f"{kept['kept_of']}r")
    assert await placed(door, anna, kept["bank_txn"], placed_as="OTHER_INCOME") == "DONE"
    assert books not in await door.fund.balances()
    assert await in_suspense(anna) == []
    before = await door.fund.tables()
    await door.fund.rebuild()
    assert await door.fund.tables() == before


async def test_a_prepayment_that_was_paid_back_is_placed_from_suspense(door: Door, anna: Caller) -> None:
    fund, ref = door.fund, f"{PROVIDER}/YF-2026/310100"
    fund.figures("310100", "1200.00", "1200.00")
    fund.assess()
    fund.apply("310100")
    fund.grant(ref, 20_000)
    await fund.drain()
    transfers = await door.sent()
    door.bank.put(door.bank.notification([*paid(transfers), Entry("P-1", "IN", 15_000, DAY, DAY)]))
    await door.round()
    assert await placed(door, anna, "P-1", placed_as="PREPAYMENT", target=ref, provider=PROVIDER) == "DONE"
    assert (await fund.prepayments())[ref]["outstanding"] == {"310100": 5_000}
    books = await fund.balances()
    assert books["1101"] == {"310100": 5_000}
    assert "2190" not in books


async def test_a_return_that_was_taken_back_without_saying_so_is_placed_as_one(door: Door, anna: Caller) -> None:
    transfers = await door.sent()
    door.bank.put(door.bank.notification(paid(transfers)))
    await door.round()
    await said(door, "return.camt054.xml", account=NUMBERS["310100"])
    door.bank.put(door.bank.notification([Entry("U-1", "OUT", 90_000, DAY, DAY)]))
    await door.round()
    assert await placed(door, anna, "U-1", placed_as="RETURN", target=P1, provider=PROVIDER) == "DONE"
    [payment] = await door.fund.payments(payment_ref=P1)
    assert (payment["returned"], payment["to_retry"]) == ({}, {})
    books = await door.fund.balances()
    assert (books["1104"], books.get("1190")) == ({"310100": 90_000}, None)


# -- what ends its reader


async def test_a_file_that_ends_its_reader_is_put_aside_and_the_others_go_on(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment of many megabytes with tags in it, and a reader that is killed."""
    good = door.bank.notification([Entry("G-1", "IN", 100, DAY, DAY)])
    text = (SAYS / "received.pain002.xml").read_bytes()
    comment = b"<!--" + b"<a></a>" * 3_000_000 + b"-->"
    door.bank.put_bytes(text.replace(b"<CstmrPmtStsRpt>", comment + b"<CstmrPmtStsRpt>"), "a.xml")
    door.bank.put(good, "b.xml")
    started = datetime.now(UTC)
    assert await door.round() == []
    assert (datetime.now(UTC) - started).total_seconds() < 30
    assert (where(door, "a.xml"), where(door, "b.xml")) == ("refused", "done/in")
    assert "TOO_LARGE" in door.refused()["a.xml"]


def test_whatever_a_reader_does_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It crashes, runs on for ever, takes all memory, or ends."""
    doings: dict[str, tuple[str, str]] = {
        "crash": ("import os, signal; os.kill(os.getpid(), signal.SIGTRAP)", "SIGTRAP"),
        "loop": ("while True: pass", "more than"),
        "memory": ("x = bytearray(64 << 30)", "bytes of memory"),
        "exit": ("import os; os._exit(3)", "without a word"),
        "bug": ("raise KeyError('odd')", "KeyError"),
    }
    for does, words in doings.values():
        monkeypatch.setattr(reading.forms, "read", lambda file, known, does=does: exec(does))  # noqa: S102
        monkeypatch.setattr(reading, "WORK_LIMIT_S", 1)
        answer = reading._read_apart(tmp_path / "x.xml", {})
        assert isinstance(answer, reading.BadFile)
        assert (answer.code, words in answer.detail) == ("UNREADABLE", True), answer.detail


async def test_a_reader_that_was_killed_is_started_again(tmp_path: Path) -> None:
    reader = reading.Reader()
    file = tmp_path / "x.xml"
    file.write_bytes(b"<a/>")
    with pytest.raises(reading.BadFile, match="UNKNOWN_MESSAGE"):
        await reader.read(file, {})
    assert reader._process is not None
    reader._process.kill()
    with pytest.raises(reading.BadFile, match="UNREADABLE"):
        await reader.read(file, {})
    with pytest.raises(reading.BadFile, match="UNKNOWN_MESSAGE"):
        await reader.read(file, {})
    with pytest.raises(FileNotFoundError):
        await reader.read(tmp_path / "gone.xml", {})
    reader.close()


# -- rules that no file reaches


async def test_a_retry_that_was_not_sent_ends_when_its_return_is_taken_back(database: Database) -> None:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit({"310100": 500_000})
        fund.settle({"310100": 100_000})
        fund.submit("B-1")
        await fund.drain()
        fund.day("2026-02-09")
        ref = "B-1/P1/310100"
        fund.bank(ref, {"310100": 90_000}, on="2026-02-10")
        fund.bank(ref, {"310100": 90_000}, on="2026-02-11", back=True)
        await fund.drain()
        fund.retry(ref)
        await fund.drain()
        again = "B-1/P2/310100"
        assert {one["payment_ref"]: one["status"] for one in await fund.payments()}[again] == "ORDERED"
        taken_back = {
            "payment_ref": ref, "provider": fund.provider, "bank_txn": "R-9", "value_date": "2026-02-12",
            "booked_on": "2026-02-12",
        }  # fmt: skip
        fund.put("bank.return.reversed.v1", **taken_back, amounts={"310100": "900.00"})
        states = {one["payment_ref"]: (one["status"], one["to_retry"]) for one in await fund.payments()}
        assert states == {ref: ("SETTLED", {}), again: ("CANCELLED", {})}
        books = await fund.balances()
        assert (books["1104"], books["1002"]) == ({"310100": 90_000}, {"310100": 410_000})
        assert await fund.open_items() == {account: books[account] for account in ("1104", "2101")}
        fund.put("bank.return.reversed.v1", **{**taken_back, "bank_txn": "R-10"}, amounts={"310100": "900.00"})
        [item] = await fund.decided("suspense.opened")
        assert (item["direction"], item["amounts"]) == ("OUT", {"310100": "900.00"})
        before = await fund.tables()
        await fund.rebuild()
        assert await fund.tables() == before
