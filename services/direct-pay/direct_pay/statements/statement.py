"""A statement of a supplier to a hospital, from its submission to the last fen paid of it. Pure.

What stays true: what facts say and what decisions say of it are apart; of an invoice no more is requested than it is
less its red letters, and, line by line, than was found in order. A red letter first takes back what was invoiced beyond
what was taken in, then what is in dispute or dropped, then the rest. Source: R3.3-R3.5, R3.7, R10.
"""

from datetime import date
from typing import Any, Literal

import msgspec

from direct_pay import clock
from direct_pay.funds import Fens, added
from direct_pay.names import Name
from direct_pay.rows import Row
from medfund import money
from medfund.events.kinds import Place
from medfund.lanes.draft import Draft, Part, Things

Line = tuple[str, int]
"""Of an order; empty: the whole invoice."""
WHOLE_INVOICE: Line = ("", 0)
EARLY_DAYS = 10
"""At most so many days before a line is due somebody is warned."""
REMATCHED_DAYS = 190
"""For so many days after its submission a statement with mismatches is looked at each day; then when people plan."""
ALWAYS = date(2000, 1, 1)
DISPUTES_MAX = 1000
"""Of an event, which has one MiB at most."""


class Submitted(Row):
    period: date
    on: date
    by: str | None
    lines: list[tuple[str, int]]
    """Invoice and fen; a red letter below zero."""


class Said(Row):
    """What somebody says against an invoice, or a line of it."""

    invoice: str
    order_no: str
    line: int
    on: date
    code: str
    reason: str


class Settled(Row):
    """What somebody says of such a dispute, of every one until that day."""

    invoice: str
    order_no: str
    line: int
    on: date
    outcome: str
    reason: str
    by: str = "HOSPITAL"

    def ends(self, code: str) -> bool:
        """Whether it is theirs to end."""
        return self.by == "AGENCY" or code == "BY_HOSPITAL"


class Fault(Row):
    """What is in dispute, or was. Of an invoice, or of one line of an order in it."""

    invoice: str
    order_no: str
    line: int
    code: str
    detail: str
    since: date
    until: date | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        return self.invoice, self.order_no, self.line, self.code


class Dropped(Row):
    """What the fund never pays."""

    invoice: str
    order_no: str
    line: int


class Entry(Row):
    """What was requested of an invoice in an instalment; what is left of it after red letters, and paid."""

    invoice: str
    left: int
    due: date
    accepted: date | None
    parts: Fens | None = None
    """By fund, where red letters took something off; else the split of `left`."""
    paid: int = 0
    paid_on: date | None = None

    @property
    def unpaid(self) -> int:
        return max(0, self.left - self.paid)


class Instalment(Row):
    number: int
    key: dict[str, int]
    key_version: str
    lines: list[Entry]

    def parts(self, entry: Entry) -> Fens:
        """What is left of a line, by fund."""
        return entry.parts if entry.parts is not None else money.split_by_key(entry.left, self.key)

    @property
    def by_fund(self) -> Fens:
        sums: Fens = {}
        for entry in self.lines:
            sums = added(sums, self.parts(entry))
        return sums


class Statement(msgspec.Struct, array_like=True, gc=False):
    area: str
    # what facts say
    heard: int = 0
    """How often one of this name was submitted."""
    submissions: list[Submitted] = []
    """The last of these: those that are not answered yet, at least."""
    confirmations: list[tuple[date, str]] = []
    """When, and by whom; empty where that was not said."""
    withdrawn_on: date | None = None
    said: list[Said] = []
    settled: list[Settled] = []
    # what decisions say
    answered: int = 0
    status: Literal["", "MATCHED", "ENDED"] = ""
    period: date | None = None
    submitted_on: date | None = None
    submitted_by: str | None = None
    invoices: list[str] = []
    faults: list[Fault] = []
    dropped: list[Dropped] = []
    mode: Literal["", "HOSPITAL", "AUTO"] = ""
    escalated: bool = False
    due: date | None = None
    """By when the first of what goes on and is not requested is to be paid."""
    instalments: list[Instalment] = []
    held: dict[str, list[Line]] = {}
    """Of invoices of which something was requested: what of them was not."""
    warned: date | None = None
    breached: date | None = None
    """For which due day it was told."""

    @property
    def waiting(self) -> list[Submitted]:
        """What was submitted and not answered, for invoices are not registered."""
        open = max(0, self.heard - self.answered)
        return self.submissions[-open:] if open else []

    @property
    def is_mismatched(self) -> bool:
        return any(fault.until is None and not fault.code.startswith("BY_") for fault in self.faults)

    @property
    def asked(self) -> dict[str, int]:
        """What is requested of each invoice, less what red letters took off."""
        found: dict[str, int] = {}
        for instalment in self.instalments:
            for entry in instalment.lines:
                found[entry.invoice] = found.get(entry.invoice, 0) + entry.left
        return found

    @property
    def is_pending(self) -> bool:
        """Whether something of it may still be requested."""
        return self.status == "MATCHED" and (len(self.asked) < len(self.invoices) or bool(self.held))

    @property
    def in_dispute(self) -> bool:
        return self.status == "MATCHED" and any(fault.until is None for fault in self.faults)

    def first_due(self) -> date | None:
        """The first day by which something is to be paid that is not."""
        days = [entry.due for one in self.instalments for entry in one.lines if entry.unpaid]
        if self.due is not None and self.is_pending:
            days.append(self.due)
        return min(days, default=None)

    def look_on(self) -> date | None:
        """The next day on which something may follow from a day alone."""
        if self.status == "ENDED" and not self.waiting:
            return None
        if self.waiting or self.is_mismatched:
            return ALWAYS
        days = [self.submitted_on] if self.status and not self.mode and not self.escalated else []
        due = self.first_due()
        if due is not None and self.breached != due:
            days.append(due - clock.DAY * EARLY_DAYS if self.warned != due else due)
        return min([day for day in days if day], default=None)


STATEMENTS: Part[Things[Name, Statement]] = Part("statements", Things)
LOOKED_AT: Part[set[Name]] = Part("looked at", set)
"""Statements for which something may follow from a day."""


def of(draft: Draft, name: Name, area: str) -> Statement:
    """To be changed."""
    statements = draft[STATEMENTS]
    if name not in statements:
        statements[name] = Statement(area)
    return statements.change(name)


def about(name: Name, statement: Statement, cause: Place) -> dict[str, Any]:
    """What every decision about a statement says."""
    return {
        "provider": name.provider, "area": statement.area, "supplier": name.supplier, "statement_ref": name.ref,
        "cause": cause,
    }  # fmt: skip
