"""Suppliers are paid on a hospital's behalf: when a day opens, less what they owe; and what follows when the bank has
paid, or money came back. Pure.

What stays true: a supplier's debt is taken from what it is paid for the same hospital, and for no other; an order
reserves it, no two reserve the same, and it is netted when the bank has paid; what was paid falls due at the hospital
at once, and what it is owed makes way. Source: R3.6, R3.7, R10, c.2 (44).
"""

from collections.abc import Collection, Iterator
from typing import Literal

from clearing import names
from clearing import payable as payables
from clearing.direct import limits, statement
from clearing.direct.statement import DIRECT, LINES, Statement
from clearing.funds import Fens, added, fens, positive, yuans
from clearing.payments.making_way import fallen_due
from clearing.payments.orders import pay_out
from clearing.payments.payment import Payment
from medfund import money
from medfund.events.bank import BankPaymentReturned, BankPaymentSettled, BankReturnReversed
from medfund.events.direct import PaidLine, SupplierDebtNetted, SupplierOverpaid, SupplierPaymentSettled
from medfund.events.kinds import Event, Place
from medfund.events.time import DayOpened
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft

How = Literal["BANK", "NETTED", "RETURNED"]


def day_opened(draft: Draft, event: DayOpened, cause: Place) -> Iterator[Event]:
    """What was approved before it, and what was blocked; the oldest first."""
    waiting = (one for one in draft[DIRECT].values() if isinstance(one, Statement) and one.to_order)
    for one in sorted(waiting, key=lambda one: (one.opened, one.name)):
        yield from pay_out(draft, one, cause)


def ordering(draft: Draft, one: Statement, cause: Place) -> Iterator[Event]:
    """Above the cap nothing is paid; else what the supplier owes is left out of the order, and netted at once where
    nothing is left to order."""
    if not statement.wanting(draft, one) or one.waits_for_a_day(draft.known[TODAY]):
        return
    yield from limits.enforced(draft, one.dimensions.purse, cause)
    if limits.exceeded(draft, one.dimensions.purse):
        return
    if one.blocked:
        yield limits.unblocked(one, cause)
    whole = [fund for fund, fen in statement.covered(draft, one).items() if fen == one.to_order[fund]]
    if amounts := _to_net(draft, one, whole):
        yield from _netted(draft, one, amounts, cause)
        yield from _fallen_due(draft, one, amounts, cause)


def _to_net(draft: Draft, one: Statement, funds: Collection[str]) -> Fens:
    """Not while something of the fund is on its way, or waits to be asked for again."""
    waits = {*one.ordered, *one.to_retry}
    return {fund: fen for fund, fen in statement.covered(draft, one).items() if fund in funds and fund not in waits}


def _netted(
    draft: Draft, one: Statement, amounts: Fens, cause: Place,
    event: BankPaymentSettled | BankReturnReversed | None = None,
) -> Iterator[Event]:  # fmt: skip
    yield SupplierDebtNetted(
        **one.fields(cause, amounts), supplier=one.supplier, payable_ref=one.ref, amounts=yuans(amounts)
    )
    yield from _told(draft, one, added(one.paid_so_far, amounts, -1), one.paid_so_far, "NETTED", cause, event)


def _fallen_due(draft: Draft, one: Statement, amounts: Fens, cause: Place) -> Iterator[Event]:
    purse, reason = one.dimensions.purse, f"{one.supplier} was paid what it was owed of {one.ref}"
    yield from fallen_due(draft, purse, amounts, cause, reason)
    yield from limits.enforced(draft, purse, cause)


def _told(
    draft: Draft, one: Statement, before: Fens, after: Fens, how: How, cause: Place,
    event: BankPaymentSettled | BankPaymentReturned | BankReturnReversed | None,
) -> Iterator[Event]:  # fmt: skip
    """Which lines that is; an item that the books began with has none."""
    moved = statement.told(one, draft[LINES].get(one.name, []), before, after)
    amounts = added(after, before, -1)
    if moved:
        yield SupplierPaymentSettled(
            **one.fields(cause, amounts),
            supplier=one.supplier,
            payable_ref=one.ref,
            statement_ref=one.statement_ref,
            how=how,
            value_date=event.value_date if event else draft.known[TODAY] or one.due_on,
            amounts=yuans(amounts),
            lines=[PaidLine(line.invoice, money.yuan(fen), line.due, line.accepted) for line, fen in moved],
        )


def paid(
    draft: Draft, one: Statement, payment: Payment, event: BankPaymentSettled | BankReturnReversed, amounts: Fens,
    cause: Place,
) -> Iterator[Event]:  # fmt: skip
    """Also where the bank takes a return back. What was reserved is netted with the last that was on its way."""
    yield from _overpaid(one, cause)
    yield from _told(draft, one, added(one.paid_so_far, amounts, -1), one.paid_so_far, "BANK", cause, event)
    if netted := _to_net(draft, one, amounts):
        yield from _netted(draft, one, netted, cause, event)
    yield from _fallen_due(draft, one, added(amounts, netted), cause)


def returned(
    draft: Draft, one: Statement, payment: Payment, event: BankPaymentReturned, amounts: Fens, cause: Place
) -> Iterator[Event]:
    """What the hospital gave back for it stands; it is due no further until the supplier is paid again."""
    after = one.paid_so_far
    yield from _told(draft, one, after, added(after, amounts), "RETURNED", cause, event)
    yield from limits.reconsidered(draft, one.dimensions.purse, cause)


def not_again(one: Statement) -> str | None:
    return None if any(one.payable.values()) else "was taken back"


def _overpaid(one: Statement, cause: Place) -> Iterator[Event]:
    """A red letter came between a payment that failed or came back, and the bank's paying it all the same."""
    if amounts := positive({fund: -fen for fund, fen in one.payable.items()}):
        yield SupplierOverpaid(
            **one.fields(cause, amounts), supplier=one.supplier, payable_ref=one.ref, amounts=yuans(amounts)
        )


# -- what the decisions change


def evolve_netted(draft: Draft, event: SupplierDebtNetted) -> None:
    one, amounts = payables.change(draft, names.payable(event)), fens(event.amounts)
    one.payable = added(one.payable, amounts, -1)
    for debt in statement.pay_off(statement.debts(draft, one.dimensions.purse, event.supplier), amounts):
        draft[DIRECT].change(debt.name)


def evolve_overpaid(draft: Draft, event: SupplierOverpaid) -> None:
    one: Statement = draft[DIRECT].change(names.payable(event))
    amounts = fens(event.amounts)
    lines = draft[LINES].get(one.name, [])
    statement.overpaid(one, lines, amounts)
    if lines:
        draft[LINES].change(one.name)
    owe(draft, one, amounts, event.cause)


def owe(draft: Draft, one: Statement, amounts: Fens, cause: Place) -> None:
    """The supplier owes so much more of the hospital's purchases."""
    name = names.Name(one.dimensions.provider, one.supplier)
    if name not in draft[DIRECT]:
        debt = statement.Debt(
            ref=one.supplier, dimensions=one.dimensions, policy_ref=one.policy_ref, opened=cause.offset,
            cut_off=one.cut_off, supplier=one.supplier,
        )  # fmt: skip
        draft[DIRECT].put(name, debt)
    found: statement.Debt = draft[DIRECT].change(name)
    found.due = added(found.due, amounts)
