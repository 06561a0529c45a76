"""What a provider owed or was owed when the books began: taken over once, and then an open item like any other. Pure.

What stays true: an item that is taken over is in the books and here with the same sums; it comes before whatever
happens after. Source: domain.md R10, c.2 (67).
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import get_args

import msgspec

from clearing import clock, dimensions, names
from clearing import payable as payables
from clearing.claims.claim import CLAIMS, Claim
from clearing.dimensions import disputed
from clearing.funds import Fens, added, fens, total
from clearing.names import Name
from clearing.payments.making_way import fallen_due
from clearing.payments.orders import pay_out
from clearing.payments.suspense import SUSPENSE, Item
from clearing.policy import POLICIES, NoPolicy, Policy
from clearing.prepayment import prepayment as prepaid
from clearing.prepayment.prepayment import PREPAYMENTS, Prepayment
from clearing.supervision.recovery import RECOVERIES, Recovery
from medfund import codes, money
from medfund.events.bank import Direction
from medfund.events.claims import Target
from medfund.events.kinds import Event, Place
from medfund.events.openings import OpeningItem, OpeningItemRecorded, OpeningItemTaken, OpeningSuspenseTaken
from medfund.events.treasury import OpeningBalanceRecorded
from medfund.lanes.days import CALENDAR, TODAY
from medfund.lanes.draft import Draft, Part

DIRECTIONS: Mapping[str, Direction] = {"1190": "OUT", "2190": "IN"}
FIRST = 0
"""Where it came into being: before every offset of the log."""


class Kept(msgspec.Struct, kw_only=True):
    """An item that nothing is decided about yet, as it was taken over."""

    provider: str
    area: str
    item_ref: str
    account: str
    amounts: Fens
    evidence_ref: str

    @property
    def name(self) -> Name:
        return Name(self.provider, self.item_ref)


OPENINGS: Part[dict[Name, Kept]] = Part("openings", dict)
"""What the books began with and nothing is decided about yet."""


def recorded(draft: Draft, event: OpeningItemRecorded, cause: Place) -> Iterator[Event]:
    """What it owes is taken from what is ordered and not sent; what it is owed passes the waterfall and is ordered."""
    try:
        policy = draft.known[POLICIES].on(event.area, draft.known[TODAY] or event.value_date)
    except NoPolicy as error:
        yield disputed(event, cause, str(error))
        return
    if wrong := _wrong(draft, event, policy):
        yield disputed(event, cause, wrong)
        return
    yield _taken(draft, event, policy, cause)
    if event.kind in ("RECOVERY", "PREPAYMENT"):
        purse = (event.provider, event.area)
        yield from fallen_due(draft, purse, event.accounts[0].amounts, cause, f"{event.item_ref} is owed")
    elif event.kind == "CLAIM":
        yield from pay_out(draft, draft[CLAIMS][names.item(event)], cause)


def _wrong(draft: Draft, event: OpeningItem, policy: Policy) -> str | None:
    name = names.item(event)
    if payables.find(draft, name) is not None or name in draft[OPENINGS]:
        return f"{event.item_ref} is known already"
    if event.kind == "RECOVERY" and event.decided_on and event.benefit_year > event.decided_on.year:
        return f"{event.benefit_year} had not begun when case {event.item_ref} was decided on {event.decided_on}"
    return _wrong_prepayment(event, policy) if event.kind == "PREPAYMENT" else None


def _wrong_prepayment(event: OpeningItem, policy: Policy) -> str | None:
    [fund] = event.accounts[0].amounts
    kind = event.prepayment_kind or "ANNUAL"
    called = prepaid.name(event.provider, kind, event.contract_ref or str(event.benefit_year), fund)
    if event.item_ref != called:
        return f"the prepayment is called {called}"
    if kind != "BULK" and fund not in policy.prepayment_gate:
        return f"fund {fund} gives no prepayments"
    if not codes.is_borne(event.insutype, fund):
        return f"fund {fund} does not bear insurance type {event.insutype}"
    return None


def _taken(draft: Draft, event: OpeningItemRecorded, policy: Policy, cause: Place) -> OpeningItemTaken:
    told = {name: getattr(event, name) for name in OpeningItem.__struct_fields__}
    calendar = draft.known[CALENDAR]
    due = [clock.deadline(calendar, days, event.cut_off).earliest for days in (15, 20)] if event.cut_off else [None] * 2
    return OpeningItemTaken(
        **told,
        cause=cause,
        policy_ref=policy.hash,
        instant_stat=policy.instant_stat,
        due_15=due[0],
        due_20=due[1],
        calendar_version=calendar.version if event.cut_off else None,
    )


def unplaced(draft: Draft, event: OpeningBalanceRecorded, cause: Place) -> Iterator[Event]:
    """Lines of bank accounts that nobody had placed; the same one again says nothing new."""
    for fund, ref in suspense_refs(event).items():
        if ref not in draft[SUSPENSE] and event.bank_account and event.bank_txn:
            yield OpeningSuspenseTaken(
                area=event.area,
                cause=cause,
                item_ref=ref,
                bank_account=event.bank_account,
                direction=DIRECTIONS[event.account],
                amounts={fund: event.amounts[fund]},
                bank_txn=event.bank_txn,
                value_date=event.value_date,
                evidence_ref=event.evidence_ref,
            )


def suspense_refs(event: OpeningBalanceRecorded) -> dict[str, str]:
    """By fund: what the items of a line are called."""
    if event.account not in DIRECTIONS:
        return {}
    line = f"opening {event.area} {event.bank_account} {event.bank_txn} {event.account} {event.value_date}"
    return {fund: f"S-{hashlib.sha256(f'{line} {fund}'.encode()).hexdigest()[:24]}" for fund in event.amounts}


# -- what it changes


def evolve_unplaced(draft: Draft, event: OpeningSuspenseTaken) -> None:
    item = Item(
        item_ref=event.item_ref,
        area=event.area,
        bank_account=event.bank_account,
        direction=event.direction,
        amounts=fens(event.amounts),
        bank_txn=event.bank_txn,
        value_date=event.value_date,
        reason=event.evidence_ref,
    )
    draft[SUSPENSE].put(item.item_ref, item)


def evolve(draft: Draft, event: OpeningItemTaken) -> None:
    name = names.item(event)
    match event.kind:
        case "PREPAYMENT":
            draft[PREPAYMENTS].put(name, _prepayment(event))
        case "RECOVERY":
            draft[RECOVERIES].put(name, _recovery(event))
        case "CLAIM":
            draft[CLAIMS].put(name, _claim(event))
        case "OTHER":
            draft[OPENINGS][name] = _kept(event)


def _prepayment(event: OpeningItemTaken) -> Prepayment:
    amounts = fens(event.accounts[0].amounts)
    [fund] = amounts
    given = money.fen(event.given or "0.00")
    return Prepayment(
        ref=event.item_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=FIRST,
        cut_off=date(event.benefit_year, 1, 1),
        kind=event.prepayment_kind or "ANNUAL",
        fund=fund,
        year=event.benefit_year,
        status="APPROVED",
        contract_ref=event.contract_ref,
        agreed=money.fen(event.agreed or "0.00"),
        purchased=money.fen(event.purchased or "0.00"),
        granted=given,
        base=given,
        month=event.month.replace(day=1) if event.month else None,
        outstanding=amounts,
        taken=added({fund: given}, amounts, -1),
    )


def _recovery(event: OpeningItemTaken) -> Recovery:
    amounts, decided_on = fens(event.accounts[0].amounts), event.decided_on or event.value_date
    return Recovery(
        ref=event.item_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=FIRST,
        cut_off=decided_on,
        year="PRIOR" if event.benefit_year < decided_on.year else "CURRENT",
        decided_on=decided_on,
        decided=amounts,
        settlement_ref=event.settlement_ref,
        due=amounts,
    )


def _claim(event: OpeningItemTaken) -> Claim:
    """Approved before; its clock ran elsewhere, so that no deadline of it is told."""
    cut_off, of = event.cut_off or event.value_date, {part.account: fens(part.amounts) for part in event.accounts}
    approved = total(amounts for account, amounts in of.items() if account != "1104")
    return Claim(
        ref=event.item_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=FIRST,
        cut_off=cut_off,
        clr_way=event.clr_way or "",
        mode="MONTH",
        period_from=event.period_from or cut_off,
        period_to=event.period_to or cut_off,
        settlements=0,
        settlement_root="",
        submitted_on=cut_off,
        calendar_version=event.calendar_version or "",
        due=event.due_15 or cut_off,
        due_limit=event.due_20 or cut_off,
        warned=list(get_args(Target)),
        breached=list(get_args(Target)),
        status="APPROVED",
        lead=event.item_ref,
        claimed=approved,
        approved=approved,
        payable=of.get("2102", {}),
        bond=of.get("2103", {}),
        held={event.hold_ref: of["2108"]} if event.hold_ref and "2108" in of else {},
        advance=of.get("1104", {}),
    )


def _kept(event: OpeningItemTaken) -> Kept:
    [part] = event.accounts
    return Kept(
        provider=event.provider,
        area=event.area,
        item_ref=event.item_ref,
        account=part.account,
        amounts=fens(part.amounts),
        evidence_ref=event.evidence_ref,
    )
