"""The proof of the books: it holds for what was booked, and names the row that somebody changed afterwards."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from ledger.verify import Report
from medfund.lanes import partition
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from tests.conftest import LANES, fresh_database, fresh_topics
from tests.events import AREA, Message, message
from tests.integration.workers import Books, hospitals, registrations, settlements

SETTLED = 12
OF_THE_AREA = [
    message("opening.balance.recorded.v1", id="opening", account="1002", value_date="2025-12-31"),
    message("bank.statement.imported.v1", id="statement", fund="310100"),
    message("bank.statement.imported.v1", id="statement again", fund="310100", closing="5000000.00"),
]
HOME = partition.lane_of(AREA.encode(), LANES)


@pytest.fixture(scope="module")
async def books(kafka: Kafka, postgres: Postgres, template: str, session_folder: Path) -> AsyncIterator[Books]:
    """Booked once, with repeats, conflicts and refusals; each test changes something and takes it back."""
    async with fresh_database(postgres, template) as database:
        made = Books(database, kafka.address, await fresh_topics(kafka), session_folder)
        providers = hospitals()
        events = settlements(providers, SETTLED)
        await made.publish([*registrations(providers), *events, *OF_THE_AREA])
        await made.publish(events[: 2 * LANES])
        broken = [Message(event.topic, event.key, b"{", event.headers) for event in events[:LANES]]
        await made.publish(broken, refused=True)
        with made.working(BATCH_RECORDS_MAX="4"):
            await made.hold()
        yield made


TABLES = ("journal", "buckets", "identities", "positions", "repeats", "quarantine", "batches", "statements", "cash")


@asynccontextmanager
async def tampered(books: Books, *statements: str) -> AsyncIterator[Report]:
    """The verdict on books that a superuser changed, who afterwards changes them back."""
    connection = await asyncpg.connect(books.database.admin)
    try:
        await connection.execute("set search_path = ledger")
        for table in TABLES:
            await connection.execute(f"create table kept_{table} as table {table}")
        for statement in statements:
            assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0", "INSERT 0 0"), statement
        yield await books.proof()
    finally:
        for table in TABLES:
            await connection.execute(
                f"truncate {table}; insert into {table} table kept_{table}; drop table kept_{table}"
            )
        await connection.close()


async def test_the_proof_says_what_it_covers(books: Books) -> None:
    report = await books.proof()
    assert report.ok
    assert report.lanes == LANES
    # registrations and settlements; and the refusals, told as events
    accepted = len(registrations(hospitals())) + LANES * SETTLED + LANES + len(OF_THE_AREA)
    assert (report.accepted, report.repeats, report.quarantined) == (accepted, 2 * LANES, LANES)
    assert report.records == accepted + 3 * LANES
    assert report.lines == await books.value("select count(*) from journal")
    moved = {row["fund"]: row["amount"] for row in await books.rows(
        "select fund, sum(amount)::bigint as amount from journal where book = 'OPS' group by fund"
    )}  # fmt: skip
    assert report.amounts["OPS"] == moved


class Case(NamedTuple):
    what: str
    statements: tuple[str, ...]
    named: tuple[str, ...]
    """What the verdict must say."""


CASES = (
    Case(
        "a journal line says another amount",
        ("update journal set amount = amount + 1 where lane = 0 and ordinal = 0 and first_offset = 0",),
        ("journal lane=0 topic=claims first_offset=", "amount is"),
    ),
    Case(
        "a journal line and its buckets say another provider",
        (
            "update journal set party = 'H99999999999' where lane = 2",
            "update buckets set party = 'H99999999999' where lane = 2",
        ),
        ("journal lane=2 topic=claims first_offset=", "party is H99999999999 in the journal"),
    ),
    Case(
        "a journal line is gone",
        ("delete from journal where lane = 0 and ordinal = 0 and first_offset = 0",),
        ("journal lane=0 topic=claims first_offset=", "missing; the log asks for"),
    ),
    Case(
        "a journal line is made up",
        (
            "insert into journal select lane, topic, first_offset, 100, last_offset, events, type, book, area, fund,"
            " debit, credit, 5, party, counterpart, insutype, clr_type, benefit_year, service_date, value_date,"
            " recorded_date from journal where lane = 0 and ordinal = 0 and first_offset = 0",
        ),
        ("journal lane=0 topic=claims first_offset=", "ordinal=100: no event on the log asks for it"),
    ),
    Case(
        "a journal line stands beyond the position",
        (
            "insert into journal select lane, topic, 1000000, 0, 1000000, 1, type, book, area, fund, debit, credit, 5,"
            " party, counterpart, insutype, clr_type, benefit_year, service_date, value_date, recorded_date"
            " from journal where lane = 0 and ordinal = 0 and first_offset = 0",
        ),
        ("journal lane=0:", "lines, the order log accounts for"),
    ),
    Case(
        "a balance is higher",
        ("update buckets set credit = credit + 100 where lane = 1 and account = '2100' and fund = '310100'",),
        ("buckets lane=1 party=", "account=2100", "fund=310100", "its lines say"),
    ),
    Case(
        "a balance is gone",
        ("delete from buckets where lane = 3 and fund = '610100' and account = '2100'",),
        ("buckets lane=3 party=", "fund=610100", "debit, credit are None, None fen"),
    ),
    Case(
        "a bank account moved in one of the two books",
        ("update buckets set debit = debit + 1 where account = 'EXP_CASH'",),
        (f"cash lane={HOME} area={AREA} fund=310100 account=1002", "day=2025-12-31: moved by", ".01 in STAT"),
    ),
    Case(
        "more is kept in a bank account than moved",
        ("update cash set fen = fen + 7 where account = '1002'",),
        (f"cash lane={HOME} area={AREA} fund=310100 account=1002", "fen are kept, its buckets say"),
    ),
    Case(
        "a statement of the bank says something else",
        ("update statements set closing = closing - 1",),
        (f"statement lane={HOME} area={AREA} fund=310100 account=1002", "4999999.99 of", "5000000.00 of"),
    ),
    Case(
        "a statement of the bank is gone",
        ("delete from statements",),
        (f"statement lane={HOME} area={AREA}", ": nothing is kept, 5000000.00 of"),
    ),
    Case(
        "the bank never said so",
        (
            "insert into statements select lane, area, fund, '1003', day, closing, statement_ref, imported_at"
            " from statements",
        ),
        (f"statement lane={HOME} area={AREA} fund=310100 account=1003", "nothing is on the log"),
    ),
    Case(
        "an accepted event is forgotten",
        ("delete from identities where lane = 1 and topic = 'claims' and \"offset\" = 11",),
        ("record lane=1 topic=claims offset=11:", "exactly one must be true"),
    ),
    Case(
        "an accepted event has another content",
        ("update identities set digest = sha256('x') where lane = 1 and topic = 'claims' and \"offset\" = 11",),
        ("record lane=1 topic=claims offset=11:", "exactly one must be true"),
    ),
    Case(
        "an event was never on the log",
        ("insert into identities values (0, 'made up', 'made up', 'claims', 3)",),
        ("identities lane=0:", "rows, the log accounts for"),
    ),
    Case(
        "a position went back",
        (
            "update positions set next_offset = next_offset - 1, quarantined = quarantined - 1"
            " where lane = 2 and topic = 'claims'",
        ),
        ("position lane=2 topic=claims: stands at", "what was booked ends at"),
    ),
    Case(
        "a position skips an event as if it were none",
        (
            "update positions set next_offset = next_offset + 1, control = control + 1"
            " where lane = 2 and topic = 'claims'",
        ),
        ("position lane=2 topic=claims: stands at", "what was booked ends at"),
    ),
    Case(
        "a position counts a repeat as an event",
        ("update positions set applied = applied + 1, duplicate = duplicate - 1 where lane = 2 and topic = 'claims'",),
        ("position lane=2 topic=claims: counts accepted, repeat, quarantined",),
    ),
    Case(
        "a position remembers another record",
        ("update positions set anchor_digest = sha256('x') where lane = 3 and topic = 'claims'",),
        ("position lane=3 topic=claims: the record at offset", "is not the one that was booked"),
    ),
    Case(
        "a repeat is forgotten",
        ("delete from repeats where lane = 0",),
        ("record lane=0 topic=claims offset=", "accepted, repeat, quarantined = [False, False, False]"),
    ),
    Case(
        "a repeat is one of another event",
        (
            "update repeats set identity ="
            " (select identity from identities where lane = 0 and topic = 'agency' limit 1) where lane = 0",
        ),
        ("record lane=0 topic=claims offset=", "accepted, repeat, quarantined = [False, False, False]"),
    ),
    Case(
        "an event that was booked is refused as well",
        (
            "insert into quarantine (lane, topic, \"offset\", appended_at, reason, detail, header_names, header_values)"
            " values (1, 'claims', 3, now(), 'conflict', '', '{}', '{}')",
        ),
        ("record lane=1 topic=claims offset=3: accepted, repeat, quarantined = [True, False, True]",),
    ),
    Case(
        "a refusal is forgotten",
        ("delete from quarantine where lane = 1",),
        ("record lane=1 topic=claims offset=", "accepted, repeat, quarantined = [False, False, False]"),
    ),
    Case(
        "the order of batches has a hole",
        ("update batches set first_offsets[1] = first_offsets[1] + 1 where lane = 1",),
        ("batches lane=1 batch=", "what was booked before ends at"),
    ),
    Case(
        "the order of batches ends too soon",
        ("delete from batches where lane = 1",),
        ("position lane=1 topic=claims: stands at", "what was booked ends at 0"),
    ),
    Case(
        "the order of batches is no order",
        ("update batches set cuts = cuts || '\\xff' where lane = 1",),
        ("batches lane=1 batch=", "the last number breaks off"),
    ),
    Case(
        "a batch took more of a topic than the order of batches says",
        ("update batches set cuts = set_byte(cuts, 0, get_byte(cuts, 0) + 4) where lane = 1",),
        ("position lane=1 topic=", "what was booked ends at"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
async def test_the_proof_names_the_row_that_does_not_hold(books: Books, case: Case) -> None:
    async with tampered(books, *case.statements) as report:
        assert not report.ok
        said = [problem for problem in report.problems if all(part in problem for part in case.named)]
        assert said, report.problems


async def test_what_was_changed_back_holds_again(books: Books) -> None:
    async with tampered(books, "update buckets set credit = credit + 1 where lane = 0"):
        pass
    assert (await books.proof()).ok


async def test_a_bad_lane_does_not_hide_another_one(books: Books) -> None:
    async with tampered(
        books,
        "update positions set anchor_digest = sha256('x') where lane = 0 and topic = 'claims'",
        "update buckets set debit = debit + 1 where lane = 3 and fund = '310100' and account = '5001'",
    ) as report:
        assert any("position lane=0" in problem for problem in report.problems)
        assert any("buckets lane=3" in problem for problem in report.problems)


async def test_the_command_says_so_and_its_exit_code_too(books: Books) -> None:
    code, verdict = await _command(books)
    assert (code, verdict["ok"], verdict["problems"]) == (0, True, [])
    assert (verdict["lanes"], verdict["open_items"], verdict["statements"]) == (LANES, None, None)
    async with tampered(
        books,
        "update journal set amount = amount + 1 where lane = 0 and ordinal = 0 and first_offset = 0",
    ):
        code, verdict = await _command(books)
        assert (code, verdict["ok"]) == (1, False)
        assert "journal lane=0 topic=claims" in str(verdict["problems"])
        code, verdict = await _command(books, "--lane", "1")
        assert (code, verdict["ok"], verdict["lanes"]) == (0, True, 1)


async def test_books_are_not_called_proved_with_another_number_of_lanes_than_they_have(books: Books) -> None:
    done = await _run(books, lanes=LANES - 1)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"nothing is proved: the books have {LANES} lanes, and MEDFUND_LANES says 3"


async def test_what_was_not_compared_is_said(books: Books) -> None:
    """Without the clearing service nobody knows what is on its way."""
    done = await _run(books, "--all")
    for what in ("open items", "bank statements"):
        assert re.search(rf"{what} *│ not compared ", done.stdout), done.stdout


async def _command(books: Books, *arguments: str) -> tuple[int, dict[str, object]]:
    done = await _run(books, "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


async def _run(books: Books, *arguments: str, lanes: int = LANES) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP": books.bootstrap,
        "LEDGER_READER_DSN": books.database.dsn("reader"),
        "MEDFUND_LANES": str(lanes),
        "MEDFUND_TOPIC_PREFIX": books.prefix,
    }
    command = [sys.executable, "-m", "medfund.cli", "verify", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
