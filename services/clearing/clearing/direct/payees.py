"""Who is paid what a supplier is owed, and where. Pure. Source: R3.7, c.2 (46), edge cases 38 and 62.

What stays true: whoever entered an account does not confirm it; what is sent goes to whom it was sent, and what is not
sent makes way and is approved anew; what one area says of a supplier's account is no word on another's.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from clearing.direct.statement import DIRECT, Statement
from clearing.funds import positive, yuans
from clearing.names import Name
from clearing.payments import accounts
from clearing.payments.accounts import NOTED, Account, Payee
from clearing.payments.orders import cancel, pay_out
from medfund import people
from medfund.events.direct import SupplierAccountNoted, SupplierAccountRefused, SupplierPayeeNoted
from medfund.events.kinds import Event, Place
from medfund.events.suppliers import (
    SupplierAccountConfirmed,
    SupplierChanged,
    SupplierPayeeAssigned,
    SupplierRegistered,
)
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft, Part
from medfund.lanes.mandates import MANDATES

Scope: TypeAlias = tuple[str, str, str | None, str | None]
"""Area and supplier; of a provider, or of one payable of it."""
ASSIGNED: Part[Mapping[Scope, str]] = Part("assigned payees", dict)


def with_assignment(known: Mapping[Scope, str], event: SupplierPayeeAssigned) -> Mapping[Scope, str]:
    scope = event.area, event.supplier, event.provider, event.payable_ref
    others = {one: payee for one, payee in known.items() if one != scope}
    return others if event.cause == "ENDED" else {**others, scope: event.payee}


def payee_of(draft: Draft, area: str, supplier: str, payable: Name) -> str | UnsetType:
    """The narrowest word counts; unset where it is the supplier itself."""
    known = draft.known[ASSIGNED]
    for whose in ((payable.provider, payable.ref), (payable.provider, None), (None, None)):
        if (payee := known.get((area, supplier, *whose))) is not None:
            return UNSET if payee == supplier else payee
    return UNSET


def assigned(draft: Draft, event: SupplierPayeeAssigned, cause: Place) -> Iterator[Event]:
    mine = (one for one in draft[DIRECT].values() if isinstance(one, Statement) and one.supplier == event.supplier)
    for statement in sorted(mine, key=lambda one: (one.opened, one.name)):
        payee = payee_of(draft, statement.dimensions.area, statement.supplier, statement.name)
        if payee != statement.paid_to and (amounts := positive(statement.payable)):
            for fund in amounts:
                yield from cancel(draft, statement, cause, fund, f"{event.supplier} is paid by another payee now")
            yield SupplierPayeeNoted(
                **statement.fields(cause, amounts),
                supplier=statement.supplier,
                payable_ref=statement.ref,
                payee=payee or statement.supplier,
                amounts=yuans(amounts),
            )
            yield from pay_out(draft, statement, cause)


def evolve_payee(statement: Statement, event: SupplierPayeeNoted) -> None:
    statement.paid_to = UNSET if event.payee == event.supplier else event.payee


# -- accounts


def learn(draft: Draft, event: SupplierRegistered | SupplierChanged, place: Place) -> None:
    """The account that a supplier was registered with is as old as the supplier."""
    if not accounts.of(draft, event.supplier, event.area).ref:
        draft[NOTED][Payee(event.supplier, event.area)] = Account(ref=event.bank_account_ref)


def changed(draft: Draft, event: SupplierRegistered | SupplierChanged, cause: Place) -> Iterator[Event]:
    if event.bank_account_ref != accounts.of(draft, event.supplier, event.area).ref:
        yield SupplierAccountNoted(
            area=event.area,
            cause=cause,
            supplier=event.supplier,
            bank_account_ref=event.bank_account_ref,
            changed_on=draft.known[TODAY] or event.valid_from,
            entered_by=event.entered_by,
        )


def confirmed(draft: Draft, event: SupplierAccountConfirmed, cause: Place) -> Iterator[Event]:
    account = accounts.of(draft, event.supplier, event.area)
    about: dict[str, Any] = {
        "area": event.area,
        "cause": cause,
        "supplier": event.supplier,
        "bank_account_ref": event.bank_account_ref,
    }
    if wrong := _wrong(draft, event, account):
        yield SupplierAccountRefused(**about, staff_ref=event.staff_ref, detail=wrong)
    elif account.changed_on is not None:
        yield SupplierAccountNoted(
            **about, changed_on=account.changed_on, confirmed_by=event.staff_ref, entered_by=account.entered_by
        )


def _wrong(draft: Draft, event: SupplierAccountConfirmed, account: Account) -> str | None:
    today = draft.known[TODAY]
    if account.ref != event.bank_account_ref or account.changed_on is None:
        return f"{event.supplier} has no new account {event.bank_account_ref}"
    if today is None or draft.known[MANDATES].of(event.area, event.staff_ref, today) is None:
        return f"{event.staff_ref} has no mandate of area {event.area} on {today}"
    if people.same(event.staff_ref, account.entered_by):
        return f"{account.entered_by} entered account {account.ref}: another one confirms it"
    return None


def evolve_account(draft: Draft, event: SupplierAccountNoted) -> None:
    draft[NOTED][Payee(event.supplier, event.area)] = Account(
        ref=event.bank_account_ref,
        changed_on=event.changed_on,
        confirmed_by=event.confirmed_by,
        entered_by=event.entered_by,
    )
