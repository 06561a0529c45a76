"""What the rules know while they decide a batch of events of one lane."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from clearing.audit.finding import Finding, Found, Refund
from clearing.claims.checks import Stretch
from clearing.claims.claim import Claim
from clearing.payments.payable import Payable, Payment
from clearing.policy import Policies, Policy
from clearing.supervision.agreements import Agreements, Qualifications
from clearing.supervision.recovery import Recovery
from medfund.calendar import Calendar
from medfund.events.kinds import Event


@dataclass(frozen=True)
class Known:
    """Of a whole lane, kept in memory: who the providers are, what the areas have chosen, which days are worked."""

    areas: Mapping[str, str]
    """The pooling area of each registered provider."""
    policies: Policies
    calendar: Calendar
    agreements: Agreements
    qualifications: Qualifications


@dataclass
class Draft:
    """One batch: what was read for it, and what it changes."""

    known: Known
    claims: dict[str, Claim] = field(default_factory=dict)
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """By batch and finding."""
    stretches: dict[int, list[Stretch]] = field(default_factory=dict)
    """By the offset of a submission: the settlements of its dimensions and period before it."""
    found: dict[tuple[str, str], Found] = field(default_factory=dict)
    """By batch and reference: the settlements that new findings are about."""
    refunds: dict[int, list[Refund]] = field(default_factory=dict)
    """By the offset of a submission: its reversals of settlements that something was deducted for, or recovered."""
    reversed: set[str] = field(default_factory=set)
    """Of the settlements that findings are about, or rest on: those that were reversed."""
    areas: dict[str, str] = field(default_factory=dict)
    """Registrations of this batch."""
    published: list[tuple[str, int, Event]] = field(default_factory=list)
    """Facts of this batch that are kept as they came, with their topic and offset."""
    changed: set[str] = field(default_factory=set)
    """Claims and recoveries."""
    changed_payments: set[str] = field(default_factory=set)
    changed_findings: set[tuple[str, str]] = field(default_factory=set)
    """Those that are no more in `findings` are to be forgotten."""

    def payable(self, ref: str) -> Payable:
        claim = self.claims.get(ref)
        return claim if claim is not None else self.recoveries[ref]

    def change(self, ref: str) -> Payable:
        """The same, to be changed."""
        self.changed.add(ref)
        return self.payable(ref)

    def change_claim(self, batch: str) -> Claim:
        self.changed.add(batch)
        return self.claims[batch]

    def change_recovery(self, case: str) -> Recovery:
        self.changed.add(case)
        return self.recoveries[case]

    def change_payment(self, payment_ref: str) -> Payment:
        self.changed_payments.add(payment_ref)
        return self.payments[payment_ref]

    def change_finding(self, batch: str, finding_ref: str) -> Finding:
        self.changed_findings.add((batch, finding_ref))
        return self.findings[batch, finding_ref]

    def forget_findings(self, batch: str) -> None:
        """A batch was withdrawn: what was found in it says nothing about the next one."""
        mine = [place for place in self.findings if place[0] == batch]
        self.changed_findings.update(mine)
        for place in mine:
            del self.findings[place]

    def claims_of(self, provider: str) -> list[Claim]:
        """The claims of a provider that were read or came into being, the oldest first."""
        found = (claim for claim in self.claims.values() if claim.dimensions.provider == provider)
        return sorted(found, key=lambda claim: (claim.opened, claim.ref))

    def of_purse(self, payable: Payable) -> Iterator[Payable]:
        """What else the provider is owed or owes in the same purse, the oldest first, itself included."""
        purse = payable.dimensions.purse
        every: list[Payable] = [*self.claims.values(), *self.recoveries.values()]
        return iter(
            sorted((one for one in every if one.dimensions.purse == purse), key=lambda one: (one.opened, one.ref))
        )

    def policy_of(self, payable: Payable) -> Policy:
        return self.known.policies.by_hash(payable.policy_ref)
