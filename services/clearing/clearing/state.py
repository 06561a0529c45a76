"""What the rules know while they decide a batch of events of one lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from clearing.funds import Fens, total
from clearing.names import Name, Part

if TYPE_CHECKING:
    from clearing.agreements import Agreements, Qualifications
    from clearing.audit.finding import Finding, Found
    from clearing.claims.checks import Reversal, Stretch
    from clearing.claims.claim import Claim
    from clearing.offsets.kinds import Kind as ItemKind
    from clearing.opening.items import Kept
    from clearing.payable import Kind, Payable
    from clearing.payments.accounts import Account
    from clearing.payments.cash import Move
    from clearing.payments.mandates import Mandates
    from clearing.payments.payment import Payment
    from clearing.payments.suspense import Item
    from clearing.policy import Policies, Policy
    from clearing.prepayment.assessments import Assessments
    from clearing.prepayment.gate import Figures
    from clearing.prepayment.history import Step
    from clearing.prepayment.prepayment import Prepayment
    from clearing.providers import Named, Since
    from clearing.supervision.recovery import Recovery
    from medfund.calendar import Calendar
    from medfund.events.claims import ClaimBatchRejected
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
    mandates: Mandates
    figures: Figures
    assessments: Assessments
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """Of each provider: where it is paid to."""
    today: date | None = None
    """The day that was opened last."""
    since: Mapping[str, Since] = field(default_factory=dict)
    """Since when each provider is what it is."""


@dataclass
class Draft:
    """One batch: what was read for it, and what it changes."""

    known: Known
    kinds: Mapping[type[Payable], Kind]
    """What follows for payables of each class."""
    items: Mapping[str, ItemKind]
    """The kinds of open items that the waterfall takes from, by the account that each is booked in."""
    claims: dict[Name, Claim] = field(default_factory=dict)
    rejected: dict[Name, ClaimBatchRejected | None] = field(default_factory=dict)
    """What was submitted last under a name, where this batch rejected it; None where it was accepted."""
    recoveries: dict[Name, Recovery] = field(default_factory=dict)
    prepayments: dict[Name, Prepayment] = field(default_factory=dict)
    openings: dict[Name, Kept] = field(default_factory=dict)
    """What the books began with and nothing is decided about yet."""
    payments: dict[Name, Payment] = field(default_factory=dict)
    findings: dict[Part, Finding] = field(default_factory=dict)
    stretches: dict[int, list[Stretch]] = field(default_factory=dict)
    """By the offset of a submission: the settlements of its dimensions and period before it."""
    found: dict[Part, Found] = field(default_factory=dict)
    """The settlements that new findings are about."""
    reversals: dict[int, list[Reversal]] = field(default_factory=dict)
    """By the offset of a submission: its reversals of settlements that something was deducted for, or recovered."""
    reversed: set[Name] = field(default_factory=set)
    """Of the settlements that findings are about, or rest on: those that were reversed."""
    admitted: dict[str, str] = field(default_factory=dict)
    """Whose events are let in: every provider that was registered before an event, and its area."""
    areas: dict[str, str] = field(default_factory=dict)
    """Registrations of this batch."""
    since: dict[str, Since] = field(default_factory=dict)
    """Since when their providers are what they are."""
    named: dict[str, Named] = field(default_factory=dict)
    """What their providers are called."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """What this batch says of the accounts of providers."""
    suspense: dict[str, Item] = field(default_factory=dict)
    day_before: date | None = None
    """The day that was open before the one of this batch that was opened last."""
    runs: dict[str, int] = field(default_factory=dict)
    """By name: the offset at which each run of this batch came first."""
    coming: date | None = None
    """The last day that was admitted to this batch."""
    opened: date | None = None
    """The day that was opened last, where one was in this batch."""
    moves: list[Move] = field(default_factory=list)
    """What moved on the bank accounts in this batch."""
    steps: list[Step] = field(default_factory=list)
    """What became of prepayments in this batch."""
    published: list[tuple[str, int, Event]] = field(default_factory=list)
    """Facts of this batch that are kept as they came, with their topic and offset."""
    changed: set[Name] = field(default_factory=set)
    """Claims, recoveries and prepayments."""
    changed_payments: set[Name] = field(default_factory=set)
    changed_suspense: set[str] = field(default_factory=set)
    changed_findings: set[Part] = field(default_factory=set)
    """Those that are no more in `findings` are to be forgotten."""

    def let_go(self) -> None:
        """What was read for a batch, when all of it is written. The next one reads anew, and until it comes, each lane
        would hold all payments of its last run."""
        for read in (
            self.claims, self.rejected, self.recoveries, self.prepayments, self.payments, self.findings, self.stretches,
            self.found, self.reversals, self.openings, self.suspense, self.moves, self.steps, self.published,
        ):  # fmt: skip
            read.clear()

    @property
    def payables(self) -> Sequence[Mapping[Name, Payable]]:
        """Of each class."""
        return self.claims, self.recoveries, self.prepayments

    def find(self, name: Name) -> Payable | None:
        """What a provider is paid for under a name: never more than one thing."""
        return next((those[name] for those in self.payables if name in those), None)

    def payable(self, name: Name) -> Payable:
        if (found := self.find(name)) is None:
            raise KeyError(name)
        return found

    def change(self, name: Name) -> Payable:
        """The same, to be changed."""
        self.changed.add(name)
        return self.payable(name)

    def change_claim(self, name: Name) -> Claim:
        self.changed.add(name)
        return self.claims[name]

    def change_recovery(self, name: Name) -> Recovery:
        self.changed.add(name)
        return self.recoveries[name]

    def change_prepayment(self, name: Name) -> Prepayment:
        self.changed.add(name)
        return self.prepayments[name]

    def change_payment(self, name: Name) -> Payment:
        self.changed_payments.add(name)
        return self.payments[name]

    def change_suspense(self, item_ref: str) -> Item:
        self.changed_suspense.add(item_ref)
        return self.suspense[item_ref]

    def change_finding(self, place: Part) -> Finding:
        self.changed_findings.add(place)
        return self.findings[place]

    def forget_findings(self, claim: Name) -> None:
        """A batch was withdrawn: what was found in it says nothing about the next one."""
        mine = [place for place in self.findings if (place.provider, place.batch) == claim]
        self.changed_findings.update(mine)
        for place in mine:
            del self.findings[place]

    def carrier(self, payable: Payable) -> Payable:
        """The claim that holds the money of those that were approved with it, else the payable itself."""
        return payable if payable.carried_by == payable.name else self.payable(payable.carried_by)

    def carried_by(self, payable: Payable) -> list[Payable]:
        """Those whose money a payable holds, the oldest first; of one that was not approved with others, itself."""
        every: list[Payable] = [*self.claims_of(payable.dimensions.provider)]
        return [one for one in every if one.carried_by == payable.name] or [payable]

    def kind(self, payable: Payable) -> Kind:
        return self.kinds[type(payable)]

    def unsent(self, payable: Payable) -> list[Payment]:
        """Its payments that wait to be approved or sent."""
        found = (one for one in self.payments.values() if one.payable == payable.name and one.unsent)
        return sorted(found, key=lambda payment: payment.payment_ref)

    def to_retry(self, payable: Payable) -> list[Payment]:
        """Its payments that failed or came back, and nobody has asked for again."""
        found = (one for one in self.payments.values() if one.payable == payable.name and any(one.to_retry.values()))
        return sorted(found, key=lambda payment: payment.payment_ref)

    def unsent_of(self, payable: Payable) -> Fens:
        return total(payment.amounts for payment in self.unsent(payable))

    def provider_since(self, provider: str) -> Since | None:
        return self.since.get(provider) or self.known.since.get(provider)

    def claims_of(self, provider: str) -> list[Claim]:
        """The claims of a provider that were read or came into being, the oldest first."""
        found = (claim for claim in self.claims.values() if claim.dimensions.provider == provider)
        return sorted(found, key=lambda claim: (claim.opened, claim.ref))

    def of_purse(self, purse: tuple[str, str]) -> list[Payable]:
        """What a provider is paid for in a purse, the oldest first."""
        every = (one for those in self.payables for one in those.values() if one.owed)
        return sorted((one for one in every if one.dimensions.purse == purse), key=lambda one: (one.opened, one.ref))

    def policy_of(self, payable: Payable) -> Policy:
        return self.known.policies.by_hash(payable.policy_ref)
