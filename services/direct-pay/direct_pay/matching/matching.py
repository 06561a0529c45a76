"""The three-way match: what of an invoice was ordered, sent and taken in, at a right price from a right supplier. Pure.

Per line of an order: invoiced <= taken in less sent back <= sent less refused and sent back <= ordered less cancelled,
and lot by lot what was looked at <= what was sent. What is invoiced beyond what was taken in is no mismatch where the
invoice's red letters take all of it back. Of several invoices of one line those come first of which something was
requested, then the older ones. Class, scope, price, contract and mandate are those of the day of the order.
Source: R3.2, R3.4, R10.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeAlias

from direct_pay import policy
from direct_pay.invoices.invoice import INVOICES, Invoice, Item
from direct_pay.master import scope
from direct_pay.master.product import Against, Terms
from direct_pay.names import Name
from direct_pay.orders.order import ORDERS, Billed, Line
from medfund import money
from medfund.events.statements import DisputeCode
from medfund.lanes.draft import Draft

Found: TypeAlias = Against
"""What is wrong, and both numbers."""
MICROS = 10**6


class Mismatch(NamedTuple):
    order_no: str
    line: int
    code: DisputeCode
    detail: str


@dataclass(slots=True)
class Matched:
    """What was found out about an invoice; by its items."""

    mismatches: list[Mismatch] = field(default_factory=list)
    beyond: list[int] = field(default_factory=list)
    """What of each is invoiced beyond what was taken in, in fen."""
    accepted: list[date | None] = field(default_factory=list)
    """On which day the first of it was taken in."""
    bulk: list[bool] = field(default_factory=list)


def match(draft: Draft, name: Name, is_asked: Callable[[Name], bool]) -> Matched:
    """`is_asked`: whether something of an invoice was requested already."""
    invoice, orders, found = draft[INVOICES][name], draft[ORDERS], Matched()
    invoiced: dict[tuple[str, int], int] = {}
    against: Sequence[Found]
    order_no, order = "", None
    for item in invoice.parts:
        if item.order_no != order_no:
            order_no, order = item.order_no, orders.get(name.beside(item.order_no))
        line = order.lines.get(item.line) if order else None
        if order is None or line is None or order.placed_on is None or not line.quantity:
            against = [("NO_ORDER", f"{name.supplier} has no order {item.order_no}, line {item.line}")]
            beyond, accepted, bulk = 0, None, False
        else:
            before = invoiced.get(item.of, 0)
            invoiced[item.of] = before + item.quantity
            if len(line.billed) > 1:
                before += _billed_before(draft, name, invoice, item, line, is_asked)
            terms = scope.terms(draft, name.provider, name.supplier, order.area, line.product, order.placed_on)
            bulk = terms.bulk
            if not before and _is_plain(item, line, terms, order.placed_on):
                against, beyond, accepted = terms.against, 0, line.taken[0].on
            else:
                against, beyond = _looked_at(item, line, terms, order.placed_on, before)
                accepted = _accepted_on(line, before)
        found.beyond.append(beyond)
        found.accepted.append(accepted)
        found.bulk.append(bulk)
        if against:
            found.mismatches += [Mismatch(item.order_no, item.line, code, detail) for code, detail in against]
    if sum(found.beyond) > invoice.taken_back:
        found.mismatches += _too_many(invoice, found)
    if invoice.upstream > 1 and _counts_invoices(draft, invoice):
        found.mismatches.append(Mismatch("", 0, "TWO_INVOICES", f"{invoice.upstream} invoices before it"))
    return found


def _is_plain(item: Item, line: Line, terms: Terms, placed_on: date) -> bool:
    """Whether a line came at once, as one lot, as it was ordered, and is invoiced so: nothing to look at any closer.
    Nearly all are so; `_looked_at` would find nothing."""
    if len(line.sent) != 1 or len(line.taken) != 1 or line.back:
        return False
    sent, taken = line.sent[0], line.taken[0]
    return (
        sent.lot == taken.lot
        and sent.product == item.product == line.product
        and taken.accepted + taken.refused <= sent.quantity <= line.quantity - line.cancelled + taken.refused
        and 0 < item.quantity <= taken.accepted
        and taken.on >= placed_on
        and (not sent.expires_on or sent.expires_on >= taken.on.isoformat())
        and not _is_at_a_wrong_price(item, terms)
        and item.fen == money.cost(item.quantity, item.price)
    )


def _looked_at(item: Item, line: Line, terms: Terms, placed_on: date, before: int) -> tuple[list[Found], int]:
    """What is wrong with an item, and what of it is beyond what was taken in, in fen."""
    against = [*terms.against, *_of_item(item, line, terms), *_of_goods(line, placed_on)]
    taken = line.accepted - line.returned
    if taken <= 0:
        against.append(("NOT_ACCEPTED", f"{taken} taken in, {item.quantity} invoiced"))
    many = max(0, min(item.quantity, before + item.quantity - taken)) if taken > 0 else 0
    return against, max(0, item.fen - money.cost(item.quantity - many, item.price)) if many else 0


def _counts_invoices(draft: Draft, invoice: Invoice) -> bool:
    chosen = policy.on(draft, invoice.area, invoice.issued_on) if invoice.issued_on else None
    return chosen is None or chosen.two_invoices


# -- what is invoiced


def _of_item(item: Item, line: Line, terms: Terms) -> Iterator[Found]:
    if item.product != line.product:
        yield "PRODUCT", f"{item.product} invoiced, {line.product} ordered"
    if _is_at_a_wrong_price(item, terms):
        sign = "<" if item.price < terms.price else ">"
        yield "PRICE", f"{_price(item.price)} {sign} {_price(terms.price)}"
    if item.fen != (whole := money.cost(item.quantity, item.price)):
        yield "AMOUNT", f"{money.yuan(item.fen)} is not {item.quantity} x {_price(item.price)} = {money.yuan(whole)}"


def _is_at_a_wrong_price(item: Item, terms: Terms) -> bool:
    return terms.price != 0 and (item.price > terms.price or (terms.bulk and item.price != terms.price))


def _price(micros: int) -> str:
    """With as many decimals as it has, two at least."""
    whole, part = divmod(micros, MICROS)
    decimals = f"{part:06d}".rstrip("0")
    return f"{whole}.{decimals:0<2}"


def _billed_before(
    draft: Draft, name: Name, invoice: Invoice, item: Item, line: Line, is_asked: Callable[[Name], bool]
) -> int:
    """How much of the line is invoiced by others that come first; what red letters took back of these is free again."""
    mine, found = (not is_asked(name), invoice.issued_on, name.ref), 0
    for billed in line.billed:
        other = name.beside(billed.invoice)
        rival = draft[INVOICES].get(other)
        if other != name and rival is not None and (not is_asked(other), billed.issued_on, other.ref) < mine:
            found += billed.quantity - (_free_again(rival, billed, item) if rival.reds else 0)
    return found


def _free_again(rival: Invoice, billed: Billed, item: Item) -> int:
    """A red letter names no line: of one is free only what all the others are too small for."""
    fen = sum([one.fen for one in rival.parts if one.of == item.of])
    back = fen - min(fen, rival.fen - rival.taken_back)
    return billed.quantity * back // fen if fen else 0


def _too_many(invoice: Invoice, found: Matched) -> Iterator[Mismatch]:
    for item, beyond in zip(invoice.parts, found.beyond, strict=True):
        if beyond:
            detail = f"{money.yuan(beyond)} of {money.yuan(item.fen)} is beyond what was taken in"
            yield Mismatch(item.order_no, item.line, "TOO_MANY", detail)


# -- goods


def _of_goods(line: Line, placed_on: date) -> Iterator[Found]:
    gone = line.refused + line.returned
    if (sent := line.shipped - gone) > line.wanted:
        yield "NOT_ORDERED", f"{sent} sent, {line.wanted} ordered"
    if (taken := line.accepted - line.returned) > sent:
        yield "NOT_SHIPPED", f"{taken} taken in, {sent} sent"
    elif len(line.sent) > 1 or len(line.taken) > 1 or [one.lot for one in line.taken] != [one.lot for one in line.sent]:
        yield from _of_lots(line)
    for other in line.sent:
        if other.product != line.product:
            yield "PRODUCT", f"{other.product} sent, {line.product} ordered"
    for one in line.taken:
        if one.on < placed_on:
            yield "DATES", f"taken in on {one.on}, ordered on {placed_on}"
    if any(one.expires_on for one in line.sent):
        yield from _expired(line)


def _of_lots(line: Line) -> Iterator[Found]:
    sent: dict[str, int] = {}
    for other in line.sent:
        sent[other.lot] = sent.get(other.lot, 0) + other.quantity
    looked: dict[str, int] = {}
    for one in line.taken:
        looked[one.lot] = looked.get(one.lot, 0) + one.accepted + one.refused
    for lot, quantity in sorted(looked.items()):
        if quantity > sent.get(lot, 0):
            yield "NOT_SHIPPED", f"lot {lot}: {quantity} came in, {sent.get(lot, 0)} sent"


def _expired(line: Line) -> Iterator[Found]:
    ends = {one.lot: one.expires_on for one in line.sent if one.expires_on}
    for one in line.taken:
        if one.accepted and one.lot in ends and ends[one.lot] < one.on.isoformat():
            yield "DATES", f"lot {one.lot} had expired on {ends[one.lot]}, taken in on {one.on}"


def _accepted_on(line: Line, before: int) -> date | None:
    """When the first was taken in of what is invoiced after so much."""
    found = None
    for one in line.taken:
        if one.accepted:
            found = one.on
            before -= one.accepted
            if before < 0:
                break
    return found
