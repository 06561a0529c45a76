"""Lines of the fund's accounts: looked up, told to the log, and decided.

What stays true: a line is told once, whatever file it stands in; what the books have of it is what the bank says. A
line without a number of the bank's is known by its place in its statement, and only where it has no other name already.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain

import asyncpg
import msgspec

from clearing import capabilities, rows
from clearing.bank import matching
from clearing.bank.files import SQL, Desk, NotAccepted, Told, parts
from clearing.bank.matching import Fact, Known, Owing, Sent
from clearing.bank.register import Own
from clearing.dimensions import Dimensions
from medfund import money
from medfund.bankfiles.messages import BY_STATEMENT, Direction, Entries, Entry
from medfund.postgres.arrays import columns

ORDER: Sequence[tuple[Direction, bool]] = (("OUT", False), ("IN", False), ("IN", True), ("OUT", True))
"""Of the lines of a day, by direction and whether they take another one back: each is about what comes before it."""
_dimensions = msgspec.json.Decoder(Dimensions).decode


async def tell(desk: Desk, own: Own, told: Sequence[Entries]) -> None:
    """Day by day what was paid, what came back of it, and what the bank takes back of that."""
    for day in _days(told):
        for direction, reversal in ORDER:
            of_day = chain.from_iterable(entries.of(direction, day) for entries in told)
            await _lines(desk, own, (entry for entry in of_day if entry.reversal == reversal), day)


def _days(told: Sequence[Entries]) -> list[date]:
    return sorted({day for entries in told for day in (*entries.days("OUT"), *entries.days("IN"))})


async def not_told_otherwise(connection: asyncpg.Connection, own: Own, told: Sequence[Entries]) -> None:
    """Raises `NotAccepted` where the books may have a line under another name: one that has a number, and one without,
    of the same day, direction and amount. Money must not be booked twice because the bank names it in two ways."""
    which, days = (own.area, own.fund, own.bank_account), _days(told)
    numbered_only = not any(entries.by_statement for entries in told)
    if numbered_only and not await connection.fetchval(SQL.has_lines_by_statement, *which, days, BY_STATEMENT):
        return
    lines = [(matching.line(entry), entry.signed) for entry in chain.from_iterable(told)]
    told_so = [(txn, day, fen, txn.startswith(BY_STATEMENT)) for (txn, day, _), fen in lines]
    row = await connection.fetchrow(SQL.told_otherwise, *which, *columns(told_so), BY_STATEMENT)
    if row is not None:
        said = f"{money.yuan(abs(row['fen']))} of {row['booked_on']} under the name {row['bank_txn']}"
        raise NotAccepted(f"the books have a line of {said}, and the file has one like it of another name", waits=False)


async def _lines(desk: Desk, own: Own, entries: Iterable[Entry], day: date) -> None:
    """Lines of which none is about what another one changes: a part of them at a time, so that memory does not follow
    their number, and the lanes decide the first while the next are looked up."""
    told = Told()
    for some in parts(entries):
        async with desk.reading() as connection:
            about = await known(connection, own, some)
        facts = [(entry, [*matching.facts(own, entry, about)]) for entry in some]
        await _agree(desk, about, facts, day)
        await desk.append((fact for _, of_line in facts for fact in of_line), day, told)
    await desk.decided(told)


async def _agree(desk: Desk, known: Known, facts: Sequence[tuple[Entry, list[Fact]]], day: date) -> None:
    """What the books have of a line is what was told of it before, or a part of it where that was interrupted. Raises
    `NotAccepted` where the bank says something else under the same number, day and direction."""
    for entry, of_line in facts:
        booked = known.booked.get(matching.line(entry))
        if booked is None or not of_line:
            continue
        before = await desk.accepted([(fact, day) for fact in of_line], as_told=True)
        if abs(booked) != sum(matching.fen_of(fact.event) for fact in of_line if fact.id in before):
            said = f"{money.yuan(entry.amount)}, and the books have {money.yuan(abs(booked))}"
            raise NotAccepted(f"line {entry.bank_txn} of {entry.booked_on} is {said}", waits=False)


async def known(connection: asyncpg.Connection, own: Own, entries: Sequence[Entry]) -> Known:
    """What lines of one account can be about."""
    details = [detail for entry in entries for detail in entry.details]
    names = sorted({detail.end_to_end_id for detail in details if detail.end_to_end_id})
    sent = await connection.fetch(SQL.sent, names)
    paid = {row["end_to_end_id"] for row in sent}
    files = sorted({file for detail in details if detail.end_to_end_id not in paid for file in detail.files})
    of_runs = await connection.fetch(SQL.sent_by_runs, files)
    requests = await connection.fetch(SQL.requests, own.area, names)
    here = [one.placed_as for one in capabilities.REPAID.values() if one.into == own.bank_account]
    owing = await connection.fetch(SQL.repayable, own.area, own.fund, here, names, *rows.named(matching.named(names)))
    which = own.area, own.fund, own.bank_account
    booked = await connection.fetch(SQL.booked, *which, [matching.words(entry.bank_txn) for entry in entries])
    runs: dict[str, list[Sent]] = {}
    for row in of_runs:
        runs.setdefault(row["run_ref"], []).append(_sent(row))
    return Known(
        sent={row["end_to_end_id"]: _sent(row) for row in (*sent, *of_runs)},
        runs=runs,
        requests=dict(map(tuple, requests)),
        owing=matching.meant(Owing(row["placed_as"], row["ref"], _dimensions(row["dimensions"])) for row in owing),
        booked={(row["bank_txn"], row["booked_on"], row["direction"]): row["fen"] for row in booked},
    )


def _sent(row: object) -> Sent:
    found: dict[str, object] = dict(row)  # type: ignore[call-overload]
    return Sent(name=found.pop("end_to_end_id"), **{name: found[name] for name in Sent._fields[1:]})  # type: ignore[arg-type]
