"""The bank to test against: honest by default, wrong in the ways it is asked for, safe when it is killed."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import typer
from typer.testing import CliRunner

from medfund import money
from medfund.bank import __main__ as program
from medfund.bank import desk, misbehaviour
from medfund.bank.desk import Desk
from medfund.bankfiles import folders, iso20022
from medfund.bankfiles.folders import Folders
from medfund.bankfiles.messages import Entries, Entry, Message, Notification, Report, Statement, Transfer, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from tests.bank_messages import CREATED, DAY, FUND, HOSPITAL, PHARMACY

pytestmark = pytest.mark.timeout(120)

REPOSITORY = Path(__file__).parents[2]
BALANCE = 1_000_000
NEXT = DAY + timedelta(days=1)


class World:
    """The fund's side of the folders and the bank behind them."""

    def __init__(self, path: Path) -> None:
        self.root, self.state = path / "bank", path / "bank.json"

    @contextmanager
    def fund(self) -> Iterator[Folders]:
        with folders.held(self.root) as fund:
            yield fund

    @contextmanager
    def bank(self, misbehave: str = "") -> Iterator[Desk]:
        with desk.opened(
            root=self.root,
            state=self.state,
            day=DAY,
            accounts=[(FUND, BALANCE)],
            wishes=misbehaviour.wishes(misbehave),
        ) as bank:
            yield bank

    def pay(self, message_id: str, *amounts: tuple[str, int], debtor: str = FUND.number) -> None:
        made = tuple(Transfer(name, amount, HOSPITAL, "医保结算") for name, amount in amounts)
        account = FUND.__class__(debtor, FUND.name, FUND.bank)
        message = Transfers(message_id, CREATED, account, DAY, made)
        with self.fund() as fund:
            assert fund.hand_over(f"{message_id}.xml", lambda file: iso20022.write(message, file))

    def letters(self) -> list[Message]:
        """What the bank put since the last time, each checked against its schema."""
        with self.fund() as fund:
            files = fund.incoming()
            for file in files:
                iso20022.validate(file)
            found = [iso20022.read(file) for file in files]
            for file in files:
                fund.done(file)
        return sorted(found, key=lambda message: message.message_id)


@pytest.fixture
def world(tmp_path: Path) -> World:
    with folders.held(tmp_path / "bank"):
        return World(tmp_path)


def reports(letters: Sequence[Message]) -> list[Report]:
    return [letter for letter in letters if isinstance(letter, Report)]


def entries(letters: Sequence[Message]) -> list[Entry]:
    return [entry for letter in letters if isinstance(letter, Notification) for entry in letter.entries]


def statements(letters: Sequence[Message]) -> list[Statement]:
    return [letter for letter in letters if isinstance(letter, Statement)]


def names(found: Iterable[Entry]) -> list[tuple[str | None, int]]:
    return [(detail.end_to_end_id, detail.amount) for entry in found for detail in entry.details]


def test_a_payment_is_accepted_paid_told_and_on_the_statement(world: World) -> None:
    world.pay("MF1", ("P1", 300_000), ("P2", 5))
    with world.bank() as bank:
        assert bank.work() == 1
        bank.close_day()
    report, told, statement = world.letters()
    assert isinstance(report, Report)
    assert isinstance(told, Notification)
    assert isinstance(statement, Statement)
    assert (report.original_message_id, report.status) == ("MF1", "ACCP")
    assert [(entry.value_date, entry.file, entry.direction) for entry in told.entries] == [(DAY, "MF1", "OUT")] * 2
    assert names(told.entries) == [("P1", 300_000), ("P2", 5)]
    assert [entry.bank_txn for entry in told.entries] == ["2026022701000001", "2026022701000002"]
    assert (statement.opening, statement.closing, statement.day) == (BALANCE, BALANCE - 300_005, DAY)
    assert statement.entries == told.entries


def test_the_same_file_again_is_refused_and_counted(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    copy = (world.root / "out" / "MF1.xml").read_bytes()
    with world.bank() as bank:
        bank.work()
        (world.root / "out" / "MF1-again.xml").write_bytes(copy)
        bank.work()
        assert (bank.payments["P1"].asked, bank.payments["P1"].paid) == (2, 1)
        assert bank.balances == {FUND.number: BALANCE - 100}
    assert [(report.status, report.code) for report in reports(world.letters())] == [("ACCP", ""), ("RJCT", "DUPL")]


def test_the_same_payment_in_another_file_is_refused_and_counted(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    world.pay("MF2", ("P1", 100), ("P2", 1))
    with world.bank() as bank:
        bank.work()
        assert (bank.payments["P1"].asked, bank.payments["P1"].paid) == (2, 1)
    second = reports(world.letters())[1]
    assert (second.status, [(of.accepted, of.code) for of in second.statuses]) == (
        "PART",
        [(False, "DUPL"), (True, "")],
    )


def test_what_is_not_covered_is_refused_and_what_is_covered_is_paid(world: World) -> None:
    world.pay("MF1", ("P1", BALANCE - 1), ("P2", 2), ("P3", 1))
    with world.bank() as bank:
        bank.work()
        assert bank.balances == {FUND.number: 0}
    (report,) = reports(world.letters())
    assert [(of.end_to_end_id, of.code) for of in report.statuses] == [("P1", ""), ("P2", "AM04"), ("P3", "")]


def test_an_account_that_is_not_here_and_a_file_that_is_none_are_refused(world: World) -> None:
    world.pay("MF1", ("P1", 1), debtor="9999")
    (world.root / "out" / "MF2.xml").write_text("what is this?")
    with world.bank() as bank:
        assert bank.work() == 2
        assert bank.balances == {FUND.number: BALANCE}
    assert [(of.original_message_id, of.code) for of in reports(world.letters())] == [
        ("MF1", "AC02"),
        ("MF2.xml", "FF01"),
    ]


def test_money_comes_and_goes_that_no_payment_file_asked_for(world: World) -> None:
    with world.bank() as bank:
        bank.credit(FUND.number, amount=500, text="财政拨款", reference="CZ-2026-02")
        bank.credit(FUND.number, amount=7, text="未知来款")
        bank.debit(FUND.number, amount=3, text="手续费")
        bank.close_day()
    found = world.letters()
    assert [(entry.direction, entry.amount) for entry in entries(found)] == [("IN", 500), ("IN", 7), ("OUT", 3)]
    assert entries(found)[0].details[0].end_to_end_id == "CZ-2026-02"
    assert statements(found)[0].closing == BALANCE + 504


def test_a_payment_comes_back_once_with_its_code(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    with world.bank() as bank:
        bank.work()
        bank.to_day(DAY + timedelta(days=3))
        bank.give_back("P1", code="AC04")
        with pytest.raises(ValueError, match="is back already"):
            bank.give_back("P1", code="AC04")
        assert bank.balances == {FUND.number: BALANCE}
    back = entries(world.letters())[-1]
    assert (back.direction, back.value_date, back.details[0].return_code) == ("IN", DAY + timedelta(days=3), "AC04")


def test_a_payment_that_was_made_comes_back_by_command_and_no_other(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    assert once(world)[0] == 0
    code, said = once(world, "--give-back", "P2=AC04")
    assert code != 0
    assert "P2 was not paid, or is back already" in said
    code, said = once(world, "--give-back", "P1=AC04")
    assert (code, json.loads(said)["returned"]) == (0, 1)
    assert entries(world.letters())[-1].details[0].return_code == "AC04"


def test_what_it_can_do_wrong_is_named_by_its_help() -> None:
    for name in misbehaviour.NAMES:
        assert name in program.WRONG
    app = typer.Typer()
    app.command()(program.bank)
    assert "paid_twice" in CliRunner().invoke(app, ["--help"], terminal_width=200).output


def test_statements_of_several_days_follow_from_each_other(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    with world.bank() as bank:
        bank.work()
        bank.to_day(DAY + timedelta(days=3))
        with pytest.raises(ValueError, match="already"):
            bank.to_day(DAY)
    found = statements(world.letters())
    assert [(of.day.day, of.opening, of.closing) for of in found] == [
        (27, BALANCE, BALANCE - 100),
        (28, BALANCE - 100, BALANCE - 100),
        (1, BALANCE - 100, BALANCE - 100),
    ]


def test_two_banks_that_are_asked_the_same_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        with folders.held(tmp_path / name / "bank"):
            world = World(tmp_path / name)
        world.pay("MF1", ("P1", 100), ("P2", 200))
        with world.bank("returned:1=AC01,split:2") as bank:
            bank.work()
            bank.to_day(NEXT)
        written.append({file.name: file.read_bytes() for file in (world.root / "in").iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 4


def worked(world: World, misbehave: str) -> tuple[list[Message], list[Message], dict[str, tuple[int, int]]]:
    """A file of two payments and a bank that misbehaves: today's letters, tomorrow's, and what was asked and paid."""
    world.pay("MF1", ("P1", 100), ("P2", 200))
    with world.bank(misbehave) as bank:
        bank.work()
        today = world.letters()
        bank.to_day(NEXT)
        counted = {name: (payment.asked, payment.paid) for name, payment in bank.payments.items()}
    return today, world.letters(), counted


ONCE = {"P1": (1, 1), "P2": (1, 1)}


def test_late_the_file_is_worked_on_the_day_after(world: World) -> None:
    today, tomorrow, counted = worked(world, "late")
    assert (today, counted) == ([], ONCE)
    assert statements(tomorrow)[0].entries == Entries()
    assert [entry.value_date for entry in entries(tomorrow)] == [NEXT, NEXT]
    assert reports(tomorrow)[0].status == "ACCP"


def test_partial_some_are_paid_on_the_day_after(world: World) -> None:
    today, tomorrow, counted = worked(world, "partial:P2")
    assert (names(entries(today)), names(entries(tomorrow)), counted) == ([("P1", 100)], [("P2", 200)], ONCE)
    assert reports(today)[0].status == "ACCP"


def test_split_a_payment_is_in_two_entries(world: World) -> None:
    today, _, counted = worked(world, "split:2")
    assert names(entries(today)) == [("P1", 100), ("P2", 100), ("P2", 100)]
    assert counted["P2"] == (1, 2)


def test_duplicate_the_same_notification_is_in_two_files(world: World) -> None:
    today, _, counted = worked(world, "duplicate")
    first, second = (letter for letter in today if isinstance(letter, Notification))
    assert (first, counted) == (second, ONCE)


def test_repeated_the_same_notification_comes_again_on_the_day_after(world: World) -> None:
    today, tomorrow, counted = worked(world, "repeated:MF1")
    assert (today[1], counted) == (tomorrow[-1] if isinstance(tomorrow[-1], Notification) else tomorrow[0], ONCE)


def test_paid_twice_the_money_left_twice(world: World) -> None:
    today, tomorrow, counted = worked(world, "paid_twice:1")
    assert names(entries(today)) == [("P1", 100), ("P1", 100), ("P2", 200)]
    assert len({entry.bank_txn for entry in entries(today)}) == 3
    assert (counted["P1"], statements(tomorrow)[0].closing) == ((1, 2), BALANCE - 400)


def test_wrong_amount_one_fen_more_left(world: World) -> None:
    today, tomorrow, _ = worked(world, "wrong_amount:2")
    assert names(entries(today)) == [("P1", 100), ("P2", 201)]
    assert statements(tomorrow)[0].closing == BALANCE - 301


def test_rejected_nothing_is_paid_and_the_code_says_why(world: World) -> None:
    today, _, counted = worked(world, "rejected:1=AC01")
    assert [(of.accepted, of.code) for of in reports(today)[0].statuses] == [(False, "AC01"), (True, "")]
    assert counted == {"P1": (1, 0), "P2": (1, 1)}


def test_returned_the_money_is_back_on_the_day_after(world: World) -> None:
    today, tomorrow, _ = worked(world, "returned:2=AC04")
    (back,) = entries(tomorrow)
    assert names(entries(today)) == [("P1", 100), ("P2", 200)]
    assert (back.direction, back.amount, back.value_date, back.file) == ("IN", 200, NEXT, "MF1")
    assert (back.details[0].end_to_end_id, back.details[0].return_code) == ("P2", "AC04")


def test_batch_one_entry_is_for_the_whole_file(world: World) -> None:
    today, _, counted = worked(world, "batch")
    (entry,) = entries(today)
    assert (entry.amount, entry.file, counted) == (300, "MF1", ONCE)
    assert names([entry]) == [("P1", 100), ("P2", 200)]


def test_wrong_account_the_notification_is_for_another(world: World) -> None:
    today, _, _ = worked(world, "wrong_account:1")
    (told,) = (letter for letter in today if isinstance(letter, Notification))
    assert told.account == misbehaviour.ANOTHER_ACCOUNT


@pytest.mark.parametrize(("misbehave", "code"), [("truncated", Code.TRUNCATED), ("wrong_sum", Code.WRONG_SUM)])
def test_a_spoiled_notification_is_refused(world: World, misbehave: str, code: Code) -> None:
    world.pay("MF1", ("P1", 100))
    with world.bank(misbehave) as bank:
        bank.work()
    with world.fund() as fund:
        report, told = sorted(fund.incoming(), key=lambda file: file.name[-10:])
        assert iso20022.read_report(report).status == "ACCP"
        with pytest.raises(BadFile) as refused:
            iso20022.read(told)
    assert refused.value.code == code


def test_every_misbehaviour_is_tested_and_another_is_refused() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for name in (*misbehaviour.OF_FILES, *misbehaviour.OF_PAYMENTS):
        assert f'"{name}' in tested
    with pytest.raises(misbehaviour.Unknown, match="no misbehaviour is named lazy; there are late"):
        misbehaviour.wishes("lazy:1")


def test_a_bank_that_lost_its_books_does_nothing(world: World) -> None:
    world.pay("MF1", ("P1", 100))
    with world.bank() as bank:
        bank.work()
    world.state.unlink()
    with pytest.raises(desk.BooksLost), world.bank():
        pass


# A process of its own.

POINTS = (
    "bank.taken", "bank.decided", "hand_over.unsynced", "bank.committed", "hand_over.unsynced:3", "hand_over.written",
    "hand_over.archived", "hand_over.archive_synced", "hand_over.renamed", "bank.posted", "bank.posted:2",
    "bank.decided:2", "bank.committed:2",
)  # fmt: skip


def command(world: World, *more: str) -> list[str]:
    accounts = world.root.parent / "accounts.json"
    opening = [{"number": FUND.number, "name": FUND.name, "bank": FUND.bank, "balance": money.yuan(BALANCE)}]
    accounts.write_text(json.dumps(opening), encoding="utf-8")
    fixed = ["--root", str(world.root), "--accounts", str(accounts), "--state", str(world.state)]
    return [sys.executable, "-m", "medfund.bank", *fixed, "--day", DAY.isoformat(), *more]


def once(world: World, *more: str, crash_at: str = "") -> tuple[int, str]:
    environment = {**os.environ, **({"CRASH_AT": crash_at} if crash_at else {})}
    done = subprocess.run(
        command(world, "--once", *more),
        check=False,
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout or done.stderr


@pytest.mark.parametrize("point", POINTS)
def test_a_bank_that_is_killed_pays_once_and_answers_once(world: World, point: str) -> None:
    world.pay("MF1", ("P1", 100), ("P2", 200))
    world.pay("MF2", ("P3", 300))
    assert once(world, crash_at=point)[0] == -signal.SIGKILL
    found = world.letters()
    # The second time there may be less to do, so that it does not come by the point again.
    assert once(world, crash_at=point)[0] in (-signal.SIGKILL, 0)
    found += world.letters()
    code, said = once(world, "--close")
    found += world.letters()
    assert (code, json.loads(said)["asked"], json.loads(said)["paid"]) == (0, 3, 3)
    assert [(of.original_message_id, of.status) for of in reports(found)] == [("MF1", "ACCP"), ("MF2", "ACCP")]
    assert names(entries(found)) == [("P1", 100), ("P2", 200), ("P3", 300)]
    assert [(of.closing, len(of.entries)) for of in statements(found)] == [(BALANCE - 600, 3)]


def test_a_bank_that_follows_answers_as_files_come(world: World) -> None:
    with subprocess.Popen(command(world, "--follow", "--misbehave", "rejected:2"), cwd=REPOSITORY) as process:
        try:
            found: list[Message] = []
            for name in ("MF1", "MF2"):
                world.pay(name, (f"{name}-1", 1), (f"{name}-2", 1))
                while len(reports(found)) < int(name[-1]):
                    assert process.poll() is None
                    found += world.letters()
            assert [of.status for of in reports(found)] == ["PART", "PART"]
        finally:
            process.terminate()


def test_the_command_says_what_it_needs(world: World) -> None:
    assert "say --once" in once(world, "--follow")[1]
    assert once(world, "--misbehave", "lazy")[0] == 1
    assert json.loads(once(world, "--day", (date(2026, 3, 1)).isoformat())[1])["day"] == "2026-03-01"


def test_creditors_need_no_account_here(world: World) -> None:
    message = Transfers("MF1", CREATED, FUND, DAY, (Transfer("P1", 1, PHARMACY),))
    with world.fund() as fund:
        fund.hand_over("MF1.xml", lambda file: iso20022.write(message, file))
    with world.bank() as bank:
        bank.work()
    with world.fund() as fund:
        [told] = [text for file in fund.incoming() if "<Ntry>" in (text := file.read_text("utf-8"))]
    other = re.findall("<Cdtr>.*<Nm>(.*)</Nm>.*<CdtrAcct>.*<Id>([^<]+)</Id>.*<MmbId>(.*)</MmbId>", told)
    assert other == [(escape(PHARMACY.name), PHARMACY.number, PHARMACY.bank)]
