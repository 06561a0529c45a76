"""A blue invoice with its red letters. Pure.

What stays true: red letters of one invoice never come to more than it; one that would is refused, and takes nothing
back. A red letter that comes before its blue invoice waits in it. Whoever registered a number first has it.
Source: R3.4, R3.7, R10.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import msgspec

from direct_pay import names, policy
from direct_pay.names import Name
from direct_pay.orders import order
from direct_pay.rows import Row
from medfund import money
from medfund.events.kinds import Event, Place
from medfund.events.purchases import InvoiceRedIssued, InvoiceRegistered
from medfund.events.statements import InvoiceRedUnmatched
from medfund.lanes.draft import Draft, Part, Things


class Item(Row):
    """What is invoiced of a line of an order."""

    order_no: str
    line: int
    product: str
    quantity: int
    price: int
    fen: int

    @property
    def of(self) -> tuple[str, int]:
        return self.order_no, self.line


class Red(Row):
    invoice: str
    issued_on: date
    fen: int


class Invoice(msgspec.Struct, array_like=True, gc=False):
    """Without `issued_on` nobody has registered it yet. A red letter is one too, of its blue invoice `red_of`."""

    area: str
    issued_on: date | None = None
    registered_ms: int = 0
    """When it was written on the log."""
    fen: int = 0
    upstream: int = 0
    parts: list[Item] = []
    reds: list[Red] = []
    red_of: str = ""
    statement_ref: str = ""
    """In which statement it is. This and what follows is what decisions say."""
    told: list[str] = []
    """The red letters of which it was told that they take nothing back."""

    @property
    def applied(self) -> Sequence[Red]:
        """The red letters that count: each as far as it is not more than what those before it have left."""
        left, found = 0 if self.red_of else self.fen, []
        for red in self.reds:
            if red.fen <= left:
                left -= red.fen
                found.append(red)
        return found

    @property
    def taken_back(self) -> int:
        return sum([red.fen for red in self.applied]) if self.reds else 0

    @property
    def waits(self) -> bool:
        """Whether a red letter waits for it of which nothing was told."""
        return self.issued_on is None and any(red.invoice not in self.told for red in self.reds)


INVOICES: Part[Things[Name, Invoice]] = Part("invoices", Things)
WHOLE: Part[set[Name]] = Part("whole", set)
"""Those that are to be matched, for which what they name is read."""
OWNERS: Part[dict[str, Name]] = Part("owners", dict)
"""Of what statements list: who registered it first, where it was somebody else."""
APPENDED: Part[dict[Place, int]] = Part("appended", dict)
"""When the registrations of a batch were written on the log, in milliseconds."""


def of(draft: Draft, name: Name, area: str) -> Invoice:
    """To be changed."""
    invoices = draft[INVOICES]
    if name not in invoices:
        invoices[name] = Invoice(area)
    return invoices.change(name)


def registered(draft: Draft, event: InvoiceRegistered, place: Place) -> None:
    invoice = of(draft, names.invoice(event), event.area)
    if invoice.issued_on is not None:
        return
    amounts = money.fens([one.amount for one in event.lines])
    invoice.issued_on, invoice.registered_ms = event.issued_on, draft[APPENDED].get(place, 0)
    invoice.fen, invoice.upstream = sum(amounts), len(event.upstream or ())
    invoice.parts = [
        Item(one.order_no, one.line, one.product, one.quantity, money.micros(one.price), fen)
        for one, fen in zip(event.lines, amounts, strict=True)
    ]
    order.billed(draft, event)


def red_issued(draft: Draft, event: InvoiceRedIssued, place: Place) -> None:
    red, blue = (of(draft, name, event.area) for name in (names.invoice(event), blue_of(event)))
    if red.issued_on is not None:
        return
    red.issued_on, red.registered_ms = event.issued_on, draft[APPENDED].get(place, 0)
    red.fen, red.red_of = money.fen(event.amount), event.blue
    blue.reds.append(Red(event.invoice, event.issued_on, red.fen))


def blue_of(event: InvoiceRedIssued | InvoiceRedUnmatched) -> Name:
    return Name(event.provider, event.supplier, event.blue)


# -- what follows


def unmatched(draft: Draft, event: InvoiceRegistered, cause: Place) -> Iterator[Event]:
    """Red letters that came before it, and would take back more than it is."""
    name = names.invoice(event)
    invoice = draft[INVOICES][name]
    applied = invoice.applied if invoice.reds else ()
    for red in invoice.reds:
        if red not in applied and red.invoice not in invoice.told:
            yield _refused(name, invoice, red, cause)


def red_refused(draft: Draft, event: InvoiceRedIssued, cause: Place) -> Iterator[Event]:
    name = blue_of(event)
    blue, red = draft[INVOICES][name], draft[INVOICES][names.invoice(event)]
    said = Red(event.invoice, event.issued_on, money.fen(event.amount))
    if red.red_of != event.blue or said not in blue.reds:
        detail = (
            f"{event.invoice} is known already, as {f'a red letter of {red.red_of}' if red.red_of else 'an invoice'}"
        )
        yield _unmatched(name, blue.area, event.invoice, detail, cause, refused=True)
    elif blue.issued_on is not None and said not in blue.applied:
        yield _refused(name, blue, said, cause)


def _refused(name: Name, blue: Invoice, red: Red, cause: Place) -> InvoiceRedUnmatched:
    detail = f"{money.yuan(red.fen)} of {money.yuan(blue.fen - blue.taken_back)} that are left"
    if blue.red_of:
        detail = f"{name.ref} is a red letter itself"
    return _unmatched(name, blue.area, red.invoice, detail, cause, refused=True)


def waited(draft: Draft, day: date, cause: Place) -> Iterator[Event]:
    """Red letters whose blue invoice did not come in time. They still count when it comes."""
    for name in sorted(name for name, invoice in draft[INVOICES].items() if invoice.waits):
        blue = draft[INVOICES][name]
        chosen = policy.on(draft, blue.area, day)
        if chosen is None:
            continue
        for red in blue.reds:
            last = red.issued_on + timedelta(days=chosen.wait_days)
            if red.invoice not in blue.told and last < day:
                detail = f"no invoice {name.ref} came until {last}"
                yield _unmatched(name, blue.area, red.invoice, detail, cause, refused=False)


def _unmatched(blue: Name, area: str, red: str, detail: str, cause: Place, *, refused: bool) -> InvoiceRedUnmatched:
    return InvoiceRedUnmatched(
        provider=blue.provider, area=area, supplier=blue.supplier, cause=cause, red=red, blue=blue.ref, detail=detail,
        refused=refused,
    )  # fmt: skip


def evolve(draft: Draft, event: InvoiceRedUnmatched) -> None:
    told = of(draft, blue_of(event), event.area).told
    if event.red not in told:
        told.append(event.red)
