"""What the rules know while they decide a batch of events of one lane."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearing.claims.checks import Stretch
from clearing.claims.claim import Claim, Payment
from clearing.policy import Policies
from medfund.calendar import Calendar
from medfund.events.agency import CalendarPublished, PolicyPublished


@dataclass(frozen=True)
class Known:
    """Of a whole lane, kept in memory: who the providers are, what the areas have chosen, which days are worked."""

    areas: Mapping[str, str]
    """The pooling area of each registered provider."""
    policies: Policies
    calendar: Calendar


@dataclass
class Draft:
    """One batch: what was read for it, and what it changes."""

    known: Known
    claims: dict[str, Claim] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    stretches: dict[int, list[Stretch]] = field(default_factory=dict)
    """By the offset of a submission: the settlements of its dimensions and period before it."""
    areas: dict[str, str] = field(default_factory=dict)
    """Registrations of this batch."""
    policies: list[tuple[int, PolicyPublished]] = field(default_factory=list)
    """Published in this batch, with their offsets."""
    notices: list[tuple[int, CalendarPublished]] = field(default_factory=list)
    changed_claims: set[str] = field(default_factory=set)
    changed_payments: set[str] = field(default_factory=set)

    def of_provider(self, provider: str) -> list[Claim]:
        """The claims of a provider that were read or came into being, the oldest first."""
        found = (claim for claim in self.claims.values() if claim.dimensions.provider == provider)
        return sorted(found, key=lambda claim: (claim.cut, claim.batch))
