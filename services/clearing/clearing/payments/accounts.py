"""Where a payee is paid to: a provider, or, as each area says for itself, a supplier. Pure. Source: edge case 38.

What stays true: that an account is another one than before, and who has made sure of it, is a decision that is on the
log: whoever reads the log again knows the same. Whoever entered an account does not confirm it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from clearing.dimensions import disputed
from medfund import people
from medfund.events.agency import ProviderChanged, ProviderRegistered
from medfund.events.kinds import Event, Place
from medfund.events.payments import PayeeAccountNoted
from medfund.events.treasury import ProviderAccountConfirmed
from medfund.lanes.days import TODAY
from medfund.lanes.draft import Draft, Part
from medfund.lanes.mandates import MANDATES


class Account(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    changed_on: date | None = None
    """The day on which it took the place of another one."""
    confirmed_by: str | None = None
    entered_by: str | None = None

    def is_settled(self, day: date, days: int) -> bool:
        """Whether it may be paid to without anybody's confirmation: it was not changed within so many days before."""
        return self.changed_on is None or (day - self.changed_on).days > days


class Payee(NamedTuple):
    code: str
    area: str = ""
    """By whose word; of a provider, that is of one area, by none."""


PAYEES: Part[Mapping[Payee, Account]] = Part("payees", dict)
"""Where each is paid to."""
NOTED: Part[dict[Payee, Account]] = Part("accounts", dict)
"""What this batch says of it."""


def of(draft: Draft, payee: str, area: str = "") -> Account:
    for whose in (Payee(payee, area), Payee(payee)):
        if found := draft[NOTED].get(whose) or draft.known[PAYEES].get(whose):
            return found
    return Account(ref="")


def changed(draft: Draft, event: ProviderRegistered | ProviderChanged, cause: Place) -> Iterator[Event]:
    """The account that a provider was registered with is as old as the provider."""
    if event.bank_account_ref != of(draft, event.provider).ref:
        yield PayeeAccountNoted(
            provider=event.provider,
            area=event.area,
            cause=cause,
            bank_account_ref=event.bank_account_ref,
            changed_on=draft.known[TODAY] or event.valid_from,
            entered_by=event.entered_by,
        )


def confirmed(draft: Draft, event: ProviderAccountConfirmed, cause: Place) -> Iterator[Event]:
    account, today = of(draft, event.provider), draft.known[TODAY]
    if account.ref != event.bank_account_ref or account.changed_on is None:
        yield disputed(event, cause, f"{event.provider} has no new account {event.bank_account_ref}")
    elif today is None or draft.known[MANDATES].of(event.area, event.staff_ref, today) is None:
        yield disputed(event, cause, f"{event.staff_ref} has no mandate of area {event.area} on {today}")
    elif people.same(event.staff_ref, account.entered_by):
        yield disputed(event, cause, f"{account.entered_by} entered account {account.ref}: another one confirms it")
    else:
        yield PayeeAccountNoted(
            provider=event.provider,
            area=event.area,
            cause=cause,
            bank_account_ref=account.ref,
            changed_on=account.changed_on,
            confirmed_by=event.staff_ref,
            entered_by=account.entered_by,
        )


def noted(event: PayeeAccountNoted) -> Account:
    return Account(
        ref=event.bank_account_ref,
        changed_on=event.changed_on,
        confirmed_by=event.confirmed_by,
        entered_by=event.entered_by,
    )


def learn(draft: Draft, event: ProviderRegistered | ProviderChanged, place: Place) -> None:
    if not of(draft, event.provider).ref:
        draft[NOTED][Payee(event.provider)] = Account(ref=event.bank_account_ref)


def evolve(draft: Draft, event: PayeeAccountNoted) -> None:
    draft[NOTED][Payee(event.provider)] = noted(event)
