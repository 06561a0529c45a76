"""What an area has chosen of direct payment: dated sets, read from `policy.published`. Pure.

What stays true: a decision names the set that it was taken under by hash; what a set does not say has the default of
`medfund.parameters.DIRECT`. Source: domain.md R3.2, R3.3, R3.5.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from medfund import parameters
from medfund.events.agency import PolicyPublished
from medfund.lanes.capability import Capability, keeping
from medfund.lanes.draft import Draft, Part

STATEMENT_DAYS = ("clock.statement_days", (parameters.number(0, 10), 2))
"""How many working days after a day the bank's statement of it can take to come (R10): of every service's payments."""


@dataclass(frozen=True, slots=True)
class Policy:
    hash: str
    valid_from: date
    scope: Collection[tuple[str, str]]
    """Classes of products, each with a class of those who buy them (R3.2)."""
    days: int
    """From acceptance to payment, at most."""
    bulk_month_end: bool
    """Whether what was bought in bulk is paid before the end of the month after acceptance, too."""
    due_by: Literal["EARLIEST", "LINE"]
    confirm_days: int
    silent: Literal["CONFIRM", "ESCALATE"]
    """What becomes of a statement about which its hospital says nothing for so long."""
    split_funds: Sequence[str]
    """Whose approved amounts are the key where nobody published one (R3.5)."""
    two_invoices: bool
    warn_days: int
    wait_days: int
    """For how long something waits for what it refers to before it is told."""
    statement_days: int


Policies: TypeAlias = Mapping[str, tuple[Policy, ...]]
"""By area, in the order of the days from which they hold; of two for one day the later word wins."""
POLICIES: Part[Policies] = Part("policies", dict)


def parse(event: PolicyPublished) -> Policy:
    """Raises `BadPolicy`: the clearing service refuses such a set too."""
    read = parameters.read(event.parameters, {**parameters.DIRECT, STATEMENT_DAYS[0]: STATEMENT_DAYS[1]})
    said = {name.partition(".")[2]: value for name, value in read.items()}
    return Policy(hash=event.hash, valid_from=event.valid_from, **said)


def on(draft: Draft, area: str, day: date) -> Policy | None:
    """The set that holds on a day."""
    known = draft.known[POLICIES].get(area, ())
    place = bisect_right(known, day, key=lambda policy: policy.valid_from)
    return known[place - 1] if place else None


def _published(policies: Policies, event: PolicyPublished) -> Policies:
    try:
        policy = parse(event)
    except parameters.BadPolicy:
        return policies  # it was refused where it was asked for, and no lane follows it
    others = [known for known in policies.get(event.area, ()) if known.valid_from != policy.valid_from]
    return {**policies, event.area: tuple(sorted([*others, policy], key=lambda known: known.valid_from))}


CAPABILITY = Capability(name="policy", keeps={PolicyPublished: keeping(POLICIES, _published)})
