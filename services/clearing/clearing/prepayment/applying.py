"""Who may have a prepayment, fund by fund, and why not. Pure. Source: R2.1, R2.2, R2.4; edge cases 40, 41, 43 to 45.

What stays true: every fund that is asked for gets one answer, with a reason where it is no.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from clearing import names
from clearing import payable as payables
from clearing.agreements import AGREEMENTS
from clearing.dimensions import disputed
from clearing.names import Name
from clearing.policy import POLICIES, NoPolicy, Policy
from clearing.prepayment.assessments import ASSESSMENTS
from clearing.prepayment.gate import FIGURES
from clearing.prepayment.prepayment import CLR_TYPE, PREPAYMENTS, Prepayment, checked, name, refused
from medfund import codes
from medfund.calendar import CalendarNotLoaded
from medfund.events.kinds import Event, Place
from medfund.events.prepayments import PrepaymentApplied, PrepaymentChecked, PrepaymentRefused, RefusalCode
from medfund.lanes.days import CALENDAR, TODAY
from medfund.lanes.draft import Draft
from medfund.lanes.providers import Origin, since_of

CHANGED: Mapping[Origin, tuple[RefusalCode, str]] = {
    "MERGER": ("MERGED", "formed by a merger on"),
    "SPLIT": ("SPLIT", "formed by a split on"),
    "MOVE": ("MOVED", "in this area since"),
}


class No(NamedTuple):
    code: RefusalCode
    detail: str


def applied(draft: Draft, event: PrepaymentApplied, cause: Place) -> Iterator[Event]:
    try:
        policy = draft.known[POLICIES].on(event.area, event.applied_on)
    except NoPolicy as error:
        yield disputed(event, cause, str(error))
        return
    for fund in dict.fromkeys(event.funds):
        about = {
            **_dimensions(event),
            "cause": cause,
            "policy_ref": policy.hash,
            "prepayment_ref": name_of(event, fund),
            "prepayment_kind": event.prepayment_kind,
            "day": draft.known[TODAY],
            "fund": fund,
        }
        if (no := refusal(draft, event, fund, str(about["prepayment_ref"]), policy)) is not None:
            yield PrepaymentRefused(**about, code=no.code, detail=no.detail)
            continue
        agreed = (event.agreed or {}).get(fund)
        yield PrepaymentChecked(
            **about,
            grade=_grade(draft, event),
            contract_ref=event.contract_ref,
            agreed=agreed,
            pay_by=_pay_by(draft, event, policy),
        )


def name_of(event: PrepaymentApplied, fund: str) -> str:
    return name(event.provider, event.prepayment_kind, event.contract_ref or str(event.year), fund)


def _dimensions(event: PrepaymentApplied) -> dict[str, Any]:
    return {
        "provider": event.provider,
        "area": event.area,
        "insured_area": event.area,
        "insutype": event.insutype,
        "clr_type": CLR_TYPE,
        "benefit_year": event.year,
        "advanced": [],
    }


def _grade(draft: Draft, event: PrepaymentApplied) -> Any:
    found = draft.known[ASSESSMENTS].of(event.provider, event.year - 1)
    return found.grade if found else "D"


def refusal(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    """The first condition that does not hold, the fund's before the provider's."""
    checks = (
        _known_before, _in_time, _fund_bears_it, _itself, _agreement, _assessment, _documents, _not_blocked,
    )  # fmt: skip
    for check in checks:
        if (no := check(draft, event, fund, ref, policy)) is not None:
            return no
    return None


def _known_before(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    before = payables.find(draft, Name(event.provider, ref))
    if isinstance(before, Prepayment):
        return None if before.status == "REFUSED" else No("TWICE", f"{ref} was applied for before")
    return No("TWICE", f"{ref} is the name of something else") if before is not None else None


def _pay_by(draft: Draft, event: PrepaymentApplied, policy: Policy) -> date | None:
    """The last day to pay it: working days after the application (BULK), 31 March (ANNUAL). None for MONTHLY, which is
    ordered on the first of each month (R2.4 to R2.6)."""
    if event.prepayment_kind == "BULK":
        return draft.known[CALENDAR].due(policy.prepayment_bulk_days, event.applied_on)
    return date(event.year, 3, 31) if event.prepayment_kind == "ANNUAL" else None


def _in_time(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    if event.prepayment_kind == "BULK":
        return _soon(draft, event, policy)
    if event.prepayment_kind != "ANNUAL":
        return None
    last = date(event.year, 1, policy.prepayment_apply_until)
    if date(event.year, 1, 1) <= event.applied_on <= last:
        return None
    return No("TOO_LATE", f"applied on {event.applied_on}, not from {event.year}-01-01 to {last}")


def _soon(draft: Draft, event: PrepaymentApplied, policy: Policy) -> No | None:
    """A bulk purchase's is asked for, and then paid, within some working days each (R2.6)."""
    contracted, calendar = event.contracted_on or event.applied_on, draft.known[CALENDAR]
    try:
        last = calendar.due(policy.prepayment_bulk_days, contracted)
        calendar.due(policy.prepayment_bulk_days, event.applied_on)
    except CalendarNotLoaded as error:
        return No("NO_CALENDAR", str(error))
    if contracted <= event.applied_on <= last:
        return None
    return No("TOO_LATE", f"applied on {event.applied_on}, not from the contract on {contracted} to {last}")


def _fund_bears_it(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    """Why the fund gives nothing, if so. Bulk purchases have no gate (R2.6); the others need the fund's surplus."""
    least = policy.prepayment_gate.get(fund)
    if least is None:
        return No("UNKNOWN_FUND", f"fund {fund} gives no prepayments")
    if not codes.is_borne(event.insutype, fund):
        return No("INSUTYPE", f"fund {fund} does not bear insurance type {event.insutype}")
    if event.prepayment_kind == "BULK":
        return None
    why = draft.known[FIGURES].why_closed(event.area, fund, least)
    return No("GATE", why) if why else None


def _itself(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    """What was merged, split or moved has no whole year of its own yet, however old its agreement (edge case 43)."""
    since = since_of(draft, event.provider)
    if since is None or since.origin == "REGISTERED" or since.day <= date(event.year - 1, 1, 1):
        return None
    code, how = CHANGED[since.origin]
    return No(code, f"{how} {since.day}, less than the whole year {event.year - 1}")


def _agreement(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    agreements, day = draft.known[AGREEMENTS], event.applied_on
    if not agreements.active(event.provider, day):
        return No("AGREEMENT", f"no agreement is in force on {day}")
    registered = since_of(draft, event.provider)
    since = agreements.since(event.provider) or (registered.day if registered else None)
    if since is not None and since > date(event.year - 1, 1, 1):
        return No("AGREEMENT_TOO_NEW", f"settled since {since}, less than the whole year {event.year - 1}")
    if agreements.breached(event.provider, date(event.year - 1, 1, 1), day):
        return No("BREACH", f"suspended or ended between {event.year - 1}-01-01 and {day}")
    return None


def _assessment(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    found = draft.known[ASSESSMENTS].of(event.provider, event.year - 1)
    if found is None:
        return No("NOT_ASSESSED", f"no assessment of {event.year - 1}")
    if not found.passed:
        return No("ASSESSMENT_FAILED", f"the assessment of {event.year - 1} was not passed")
    if not policy.prepayment_ratio[found.grade]:
        return No("GRADE", f"grade {found.grade} gets nothing")
    return None


def _documents(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    if len(event.documents) < policy.prepayment_documents:
        return No("DOCUMENTS", f"{len(event.documents)} of {policy.prepayment_documents} promises are there")
    contract = event.contract_ref and event.contracted_on and (event.agreed or {}).get(fund)
    if event.prepayment_kind == "BULK" and not contract:
        return No("DOCUMENTS", "a bulk purchase's needs its contract, the day of it, and what was agreed in the fund")
    return None


def _not_blocked(draft: Draft, event: PrepaymentApplied, fund: str, ref: str, policy: Policy) -> No | None:
    return blocked(draft, event.provider, fund, event.year)


def blocked(draft: Draft, provider: str, fund: str, year: int) -> No | None:
    for other in draft[PREPAYMENTS].values():
        if (other.dimensions.provider, other.fund) == (provider, fund) and other.blocks == year:
            return No("BLOCKED", f"{other.ref} was not returned by the end of {other.year}")
    return None


# -- what the decisions change


def evolve_checked(draft: Draft, event: PrepaymentChecked) -> None:
    name = names.prepayment(event)
    draft[PREPAYMENTS].put(name, checked(draft[PREPAYMENTS].get(name), event))


def evolve_refused(draft: Draft, event: PrepaymentRefused) -> None:
    """A second application under one name changes nothing of what the first one came to."""
    name = names.prepayment(event)
    before = draft[PREPAYMENTS].get(name)
    if before is None or (before.status == "CHECKED" and event.code != "TWICE"):
        draft[PREPAYMENTS].put(name, refused(before, event))
