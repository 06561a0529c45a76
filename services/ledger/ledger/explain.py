"""From a journal line back to the events that it sums. Pure.

A line is proved when the projector, given the very events that took effect between the line's first and last offset,
makes the same line again, column by column.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ledger import projector
from ledger.projector import JournalLine
from medfund.events.codec import Accepted
from medfund.events.kinds import KINDS
from medfund.lanes.log import Record


class Contribution(NamedTuple):
    """One event and the fen that it brings to the line; negative where it takes from it."""

    event: Accepted
    amount: int


class Proof(NamedTuple):
    contributions: Sequence[Contribution]
    proved: bool

    @property
    def total(self) -> int:
        return sum(contribution.amount for contribution in self.contributions)


def may_belong(line: JournalLine, record: Record) -> bool:
    """Cheaply, before anything is decoded: a line sums events of one type, and of one party where that is their key."""
    key = (record.key or b"").decode(errors="replace")
    kinds = [value for name, value in record.headers if name == "ce_type"]
    return (key == line.party or KINDS[line.type].key == "lane") and kinds == [line.type.encode()]


def prove(line: JournalLine, accepted: Sequence[Accepted], families: Mapping[str, str]) -> Proof:
    """`accepted`: the events between the line's offsets that took effect there, as far as they `may_belong`."""
    sample = next((event for event in accepted if event.record.offset == line.first_offset), None)
    if sample is None:
        return Proof((), proved=False)
    alike = [event for event in accepted if event is sample or _booked_as_one(sample, event, families)]
    found = [Contribution(event, _share(line, event, families)) for event in alike]
    return Proof(
        [contribution for contribution in found if contribution.amount],
        proved=line in projector.journal(alike, families),
    )


def _booked_as_one(sample: Accepted, event: Accepted, families: Mapping[str, str]) -> bool:
    """The projector itself says which events are alike."""
    return any(line.events == 2 for line in projector.journal([sample, event], families))


def _share(line: JournalLine, event: Accepted, families: Mapping[str, str]) -> int:
    for alone in projector.journal([event], families):
        if (alone.book, alone.fund) == (line.book, line.fund):
            if (alone.debit, alone.credit) == (line.debit, line.credit):
                return alone.amount
            if (alone.credit, alone.debit) == (line.debit, line.credit):
                return -alone.amount
    return 0


def line_of(row: Any) -> JournalLine:
    """The line in a row of `journal`."""
    return JournalLine(*(row[name] for name in JournalLine._fields))
