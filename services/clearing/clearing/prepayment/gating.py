"""What follows when a fund's figures are told: whether it gives prepayments, and what becomes of those that are out
when it does not any more. Pure. Source: R2.1, R2.4, edge case 42."""

from collections.abc import Iterator

from clearing.policy import POLICIES, NoPolicy, Policy
from clearing.prepayment import gate
from clearing.prepayment.ending import recall
from clearing.prepayment.gate import FIGURES
from clearing.prepayment.prepayment import PREPAYMENTS
from medfund.events.agency import FundFiguresPublished
from medfund.events.kinds import Event, Place
from medfund.events.prepayments import PrepaymentGateEvaluated
from medfund.lanes.draft import Draft


def figures_published(draft: Draft, event: FundFiguresPublished, cause: Place) -> Iterator[Event]:
    """Every lane hears the figures, and each acts on its own providers."""
    try:
        policy = draft.known[POLICIES].on(event.area, event.as_of)
    except NoPolicy:
        return
    least = policy.prepayment_gate.get(event.fund)
    if least is None or draft.known[FIGURES].of(event.area, event.fund) != event:
        return
    found = gate.of(event, least)
    yield PrepaymentGateEvaluated(
        area=event.area,
        cause=cause,
        policy_ref=policy.hash,
        fund=event.fund,
        as_of=event.as_of,
        months=gate.shown(found.months),
        allowed=found.open,
        reasons=list(found.reasons),
    )
    if not found.open and policy.prepayment_gate_lost == "RECALL":
        yield from _recall(draft, event, policy, cause)


def _recall(draft: Draft, event: FundFiguresPublished, policy: Policy, cause: Place) -> Iterator[Event]:
    for prepayment in sorted(draft[PREPAYMENTS].values(), key=lambda one: (one.opened, one.ref)):
        of_fund = (prepayment.dimensions.area, prepayment.fund) == (event.area, event.fund)
        if of_fund and prepayment.status == "APPROVED" and prepayment.kind != "BULK":
            yield from recall(draft, prepayment, cause, "GATE_LOST", f"fund {event.fund} gives no prepayments any more")
