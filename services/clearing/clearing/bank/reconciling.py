"""The bank's day against the books' day, account by account.

What stays true: days are the bank's booking days; a statement is kept with its lines; whatever it says is on the log
before it is compared; a difference is an event, and stays one until a later statement of the day ends without it.
Source: c.2 (27), reliability I2.
"""

from clearing.bank import matching
from clearing.bank.files import SQL, Desk, parts
from clearing.bank.matching import Fact, words
from clearing.bank.register import Own
from medfund import money
from medfund.bankfiles.messages import Entry, Statement
from medfund.events.bank import BankMismatchFound, BankStatementImported
from medfund.postgres.arrays import columns


async def imported(desk: Desk, own: Own, statement: Statement, digest: str) -> None:
    """Keep a statement whose lines are booked, tell of it, and of the difference where there is one."""
    which = own.area, own.fund, own.bank_account
    async with desk.changing() as connection:
        for some in parts(statement.entries):
            await connection.execute(SQL.keep_lines, *which, statement.day, *columns(map(_line, some)))
        await connection.execute(
            SQL.keep_statement, *which, statement.day, statement.message_id, statement.opening, statement.closing,
            len(statement.entries),
        )  # fmt: skip
        books = await connection.fetchval(SQL.cash, *which, statement.day)
    facts = [Fact(told(own, statement, digest), f"statement/{'/'.join(which)}/{statement.day}/{digest[:16]}")]
    if statement.closing != books:
        id = f"mismatch/{'/'.join(which)}/{statement.day}/{digest[:16]}/{books}"
        facts.append(Fact(mismatch(own, statement, books), id))
    await desk.tell(facts, statement.day)


def _line(entry: Entry) -> tuple[object, ...]:
    txn, booked_on, direction = matching.line(entry)
    return txn, entry.value_date, entry.signed, named(entry), booked_on, direction


def named(entry: Entry) -> str:
    """What a line says that it is about."""
    names = (detail.end_to_end_id for detail in entry.details)
    files = (file for detail in entry.details for file in detail.files)
    return next(filter(None, (*names, *files)), "")


def told(own: Own, statement: Statement, digest: str) -> BankStatementImported:
    return BankStatementImported(
        area=own.area,
        fund=own.fund,
        bank_account=own.bank_account,
        day=statement.day,
        statement_ref=words(statement.message_id),
        opening=money.yuan(statement.opening),
        closing=money.yuan(statement.closing),
        lines=len(statement.entries),
        lines_hash=digest,
    )


def mismatch(own: Own, statement: Statement, books: int) -> BankMismatchFound:
    return BankMismatchFound(
        area=own.area,
        fund=own.fund,
        bank_account=own.bank_account,
        day=statement.day,
        statement_ref=words(statement.message_id),
        bank=money.yuan(statement.closing),
        books=money.yuan(books),
        difference=money.yuan(statement.closing - books),
    )
