"""Statements as people look at them, each with its invoices: where each stands, and how much of it is requested and
paid."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from direct_pay.invoices.invoice import Invoice
from direct_pay.names import Name
from direct_pay.statements.api.named import statement_of
from direct_pay.statements.statement import WHOLE_INVOICE, Entry, Fault, Statement
from medfund.http.answers import Name as Label
from medfund.http.database import Connection
from medfund.postgres import queries

SQL = queries.load(__file__, "reading.sql")
invoice_of = msgspec.json.Decoder(Invoice).decode

State: TypeAlias = Literal[
    "WAITING", "REFUSED", "SUBMITTED", "ESCALATED", "CONFIRMED", "REQUESTED", "PAID", "WITHDRAWN"
]
STATES: Mapping[State, Label] = {
    "WAITING": Label(zh="待发票登记", en="waits for an invoice to be registered"),
    "REFUSED": Label(zh="未受理", en="refused"),
    "SUBMITTED": Label(zh="已受理，待医疗机构确认", en="taken, to be confirmed by the hospital"),
    "ESCALATED": Label(zh="医疗机构未确认，待经办机构处理", en="not confirmed: for the agency to see to"),
    "CONFIRMED": Label(zh="已确认，待支付", en="confirmed"),
    "REQUESTED": Label(zh="已提请支付", en="requested"),
    "PAID": Label(zh="已付清", en="paid"),
    "WITHDRAWN": Label(zh="已撤回", en="withdrawn"),
}
InvoiceState: TypeAlias = Literal[
    "REGISTERED", "STATED", "DISPUTED", "CONFIRMED", "REQUESTED", "PAID", "DROPPED", "TAKEN_BACK"
]
INVOICE_STATES: Mapping[InvoiceState, Label] = {
    "REGISTERED": Label(zh="已登记", en="registered"),
    "STATED": Label(zh="已列入对账单", en="in a statement"),
    "DISPUTED": Label(zh="有异议", en="in dispute"),
    "CONFIRMED": Label(zh="已确认", en="confirmed"),
    "REQUESTED": Label(zh="已提请支付", en="requested"),
    "PAID": Label(zh="已支付", en="paid"),
    "DROPPED": Label(zh="不由基金支付", en="never paid by the fund"),
    "TAKEN_BACK": Label(zh="已全额红冲", en="taken back whole"),
}


class Standing(NamedTuple):
    """Of an invoice; fen."""

    invoice: Invoice
    state: InvoiceState
    requested: int
    """Less what red letters took off it since."""
    paid: int
    due: date | None
    """By when what is not paid is to be."""
    paid_on: date | None
    faults: Sequence[Fault]
    """In dispute now, or before."""

    @property
    def amount(self) -> int:
        return self.invoice.fen - self.invoice.taken_back


class Looked(NamedTuple):
    """A statement, and what was found of its invoices."""

    lane: int
    name: Name
    statement: Statement
    invoices: Mapping[str, Invoice]

    @property
    def entries(self) -> Iterable[Entry]:
        return (entry for one in self.statement.instalments for entry in one.lines)

    @property
    def amount(self) -> int:
        return sum(one.fen - one.taken_back for one in self.invoices.values())

    @property
    def requested(self) -> int:
        return sum(entry.left for entry in self.entries)

    @property
    def paid(self) -> int:
        return sum(entry.paid for entry in self.entries)

    @property
    def disputed(self) -> set[str]:
        return {fault.invoice for fault in self.statement.faults if fault.until is None}

    @property
    def standing(self) -> Sequence[tuple[str, Standing]]:
        listed = self.statement.invoices
        return [(ref, standing(ref, self.invoices[ref], self.statement)) for ref in listed if ref in self.invoices]


def state_of(statement: Statement) -> State:
    if statement.status == "ENDED" or (not statement.status and statement.withdrawn_on):
        return "WITHDRAWN"
    if not statement.status:
        return "WAITING" if statement.waiting else "REFUSED"
    entries = [entry for one in statement.instalments for entry in one.lines]
    if entries:
        return "REQUESTED" if statement.is_pending or any(entry.unpaid for entry in entries) else "PAID"
    if statement.mode:
        return "CONFIRMED"
    return "ESCALATED" if statement.escalated else "SUBMITTED"


def standing(ref: str, invoice: Invoice, statement: Statement | None) -> Standing:
    """`statement`: the one in which it is."""
    if statement is None:
        state: InvoiceState = "TAKEN_BACK" if 0 < invoice.fen == invoice.taken_back else "REGISTERED"
        return Standing(invoice, state, 0, 0, None, None, ())
    entries = [entry for one in statement.instalments for entry in one.lines if entry.invoice == ref]
    faults = [fault for fault in statement.faults if fault.invoice == ref]
    open = [entry.due for entry in entries if entry.unpaid]
    return Standing(
        invoice,
        _state(ref, invoice, statement, entries, faults),
        sum(entry.left for entry in entries),
        sum(entry.paid for entry in entries),
        min(open, default=None if entries else statement.due),
        max((entry.paid_on for entry in entries if entry.paid_on), default=None),
        faults,
    )


def _state(
    ref: str, invoice: Invoice, statement: Statement, entries: Sequence[Entry], faults: Sequence[Fault]
) -> InvoiceState:
    if 0 < invoice.fen == invoice.taken_back:
        return "TAKEN_BACK"
    if any(fault.until is None for fault in faults):
        return "DISPUTED"
    if entries:
        return "REQUESTED" if any(entry.unpaid for entry in entries) else "PAID"
    if any((one.order_no, one.line) == WHOLE_INVOICE for one in statement.dropped if one.invoice == ref):
        return "DROPPED"
    return "CONFIRMED" if statement.mode else "STATED"


async def looked(connection: Connection, rows: Sequence[Any]) -> Sequence[Looked]:
    """Of rows of `statements`: with all invoices of all of them, in one question."""
    found = [(row["lane"], _name(row), statement_of(row["body"])) for row in rows]
    listed = [(lane, *name._replace(ref=ref)) for lane, name, one in found for ref in one.invoices]
    known = await invoices(connection, listed)
    of: dict[tuple[int, Name], dict[str, Invoice]] = {}
    for lane, name, one in found:
        keys = [(lane, name._replace(ref=ref)) for ref in one.invoices]
        of[lane, name] = {key[1].ref: known[key] for key in keys if key in known}
    return [Looked(lane, name, one, of[lane, name]) for lane, name, one in found]


Listed: TypeAlias = Sequence[tuple[int, str, str, str]]
"""Lanes and names."""


async def invoices(connection: Connection, listed: Listed) -> Mapping[tuple[int, Name], Invoice]:
    rows = await connection.fetch(SQL.invoices, *map(list, zip(*listed, strict=True))) if listed else []
    return {(row["lane"], _name(row)): invoice_of(row["body"]) for row in rows}


async def statements(connection: Connection, listed: Listed) -> Mapping[tuple[int, Name], Statement]:
    rows = await connection.fetch(SQL.statements, *map(list, zip(*listed, strict=True))) if listed else []
    return {(row["lane"], _name(row)): statement_of(row["body"]) for row in rows}


def _name(row: Any) -> Name:
    return Name(row["provider"], row["supplier"], row["ref"])
