"""What comes back in cash: of hospitals whose payables were too small, and of suppliers that owe. Pure.

What stays true: never more than is due; the rest is in suspense, as all money that nothing is known of.
Source: R3.6, R3.7, c.2 (45), c.4.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from clearing import names
from clearing.dimensions import Dimensions, disputed
from clearing.direct import limits
from clearing.direct.statement import DIRECT, Debt, Statement, take
from clearing.funds import Fens, added, at_most, fens, yuans
from clearing.payable import Repaid
from clearing.payments import reasons, suspense
from medfund.events.direct import (
    BankDirectRepaid,
    BankShortfallRepaid,
    BankSupplierRefunded,
    CameInCash,
    HospitalShortfallCollected,
    SupplierRefunded,
)
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft


def _telling(fact: type[BankDirectRepaid]) -> Callable[[Dimensions | None, str, Mapping[str, Any]], Event]:
    return lambda whose, ref, came: fact(**came, payable_ref=ref)


SHORTFALL = Repaid(
    placed_as="SHORTFALL", into="1002", read=msgspec.json.Decoder(Statement).decode, told=_telling(BankShortfallRepaid)
)
REFUND = Repaid(
    placed_as="REFUND", into="1002", read=msgspec.json.Decoder(Debt).decode, told=_telling(BankSupplierRefunded)
)


def collected(draft: Draft, event: BankShortfallRepaid, cause: Place) -> Iterator[Event]:
    """What was blocked may be paid now."""
    found = draft[DIRECT].get(names.payable(event))
    one = found if isinstance(found, Statement) else None
    now, others = _taken(draft, one, event, cause)
    if one is not None and now:
        yield HospitalShortfallCollected(**_about(one, event, now, cause))
    yield from others
    if one is not None and now:
        yield from limits.reconsidered(draft, one.dimensions.purse, cause)


def refunded(draft: Draft, event: BankSupplierRefunded, cause: Place) -> Iterator[Event]:
    found = draft[DIRECT].get(names.payable(event))
    debt = found if isinstance(found, Debt) else None
    now, others = _taken(draft, debt, event, cause)
    if debt is not None and now:
        yield SupplierRefunded(**_about(debt, event, now, cause), supplier=debt.supplier)
    yield from others


def _taken(
    draft: Draft, of: Statement | Debt | None, event: BankDirectRepaid, cause: Place
) -> tuple[Fens, Iterator[Event]]:
    """What of it is what is owed, and what is told of the rest."""
    known = of is not None and suspense.line_of(event) in (of.txns or ())
    if event.found_in is None and (known or suspense.is_known(draft, event)):
        return {}, iter([disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")])
    came = fens(event.amounts)
    now = at_most(came, of.owing_back) if of is not None else {}
    odd = added(came, now, -1)
    return now, suspense.odd(event, cause, odd, reasons.MORE_THAN_DUE.format(event.payable_ref)) if odd else iter(())


def _about(of: Statement | Debt, event: BankDirectRepaid, amounts: Fens, cause: Place) -> dict[str, Any]:
    return {
        **of.fields(cause, amounts),
        "payable_ref": of.ref,
        "amounts": yuans(amounts),
        "bank_account": event.bank_account,
        "bank_txn": event.bank_txn,
        "value_date": event.value_date,
        "booked_on": event.booked_on,
    }


def evolve_collected(draft: Draft, event: HospitalShortfallCollected) -> None:
    one: Statement = draft[DIRECT].change(names.payable(event))
    take(one, fens(event.amounts))
    one.txns = [*(one.txns or ()), _line(event)]


def evolve_refunded(draft: Draft, event: SupplierRefunded) -> None:
    debt: Debt = draft[DIRECT].change(names.payable(event))
    debt.due = added(debt.due, fens(event.amounts), -1)
    debt.txns = [*debt.txns, _line(event)]


def _line(event: CameInCash) -> str:
    return event.bank_txn if event.booked_on is None else f"{event.bank_txn} {event.booked_on} IN"
