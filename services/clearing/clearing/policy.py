"""What an area has chosen: dated sets of parameters, read from `policy.published`. Pure.

What stays true: every parameter that is named is known and well written, or the whole set is refused with the reason; a
parameter that is not named has the default of domain.md R10; a decision names the set that it was taken under by hash.
What the set says of direct payment is checked with the rest of it, and is another service's to follow.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, get_args

from medfund import codes
from medfund.events.agency import PolicyPublished
from medfund.events.bank import FeeAccount
from medfund.events.codec import Accepted, Refused
from medfund.events.refusals import Reason
from medfund.lanes import batch
from medfund.lanes.capability import Capability, keeping
from medfund.lanes.draft import Draft, Part
from medfund.parameters import DIRECT, BadPolicy, Parser, Table, flag, funds, number, one_of, parsed, ratio

if TYPE_CHECKING:
    from clearing.payable import Payable
    from medfund.lanes.sources import Sources

GATE_MONTHS_MIN = {"310100": 12, "390100": 6}
"""Of the employees' and the residents' fund [W4]."""
BULK_RATIO_MIN = Fraction(30, 100)
"""[W19]"""
BOND_RATIO_MAX = Fraction(5, 100)
"""The national cap [W10]."""
NATIONAL_WORKING_DAYS_MAX = 20
"""[W1]; an area may promise less."""
STEPS = ("1104", "1107", "1108", "1103", "1102", "1101")
"""The default waterfall of R3.6, without its last step, cash."""
NOT_OFFSET = ("310200", "610100")
"""Personal accounts and medical assistance pay nobody's debts, unless the policy says so (R3.6)."""


class NoPolicy(LookupError):
    """No set of parameters holds for an area on a day."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One set, complete. Ratios are exact; `*_by_fund` hold what differs from the general ratio."""

    hash: str
    area: str
    valid_from: date
    instant_ratio: Fraction
    instant_ratio_by_fund: Mapping[str, Fraction]
    instant_stat: Literal["TEMP", "EXPENSE"]
    instant_offset: bool
    instant_lowered_by_rests: bool
    bond_ratio: Mapping[str, Fraction]
    fee_account: FeeAccount
    """What the bank's fees are booked to (R10)."""
    working_days: int
    cut_off_day: int
    cut_off_roll: Literal["NONE", "NEXT_WORKING_DAY"]
    warn_days: int
    statement_days: int
    """How many working days after a day the bank's statement of it can take to come (R10)."""
    steps: tuple[str, ...]
    not_offset: frozenset[str]
    audit_unfinished: Literal["WAIT", "HOLD_DOUBTFUL"]
    """When a payment comes near and the audit is not over: the claim waits, or only what is doubted does (R1.3)."""
    audit_settle_days: int
    """How many working days before it is due."""
    approval_days: int
    """How many days an approved payment may wait to be sent."""
    account_days: int
    """For how many days somebody has to confirm a payee's new account before it is paid to (edge case 38)."""
    suspension_stops_payment: bool
    """Whether payments wait while the provider's agreement is suspended (R6)."""
    prepayment_gate: Mapping[str, int]
    """Of the funds that give prepayments: how many months of expenditure their surplus has to cover (R2.1)."""
    prepayment_gate_lost: Literal["FREEZE", "RECALL"]
    """What becomes of prepayments when their fund's gate closes: no new ones, or all come back."""
    prepayment_apply_until: int
    """The last day of January on which one can be applied for (R2.4)."""
    prepayment_documents: int
    """How many promises an application has to bring (R2.2)."""
    prepayment_ratio: Mapping[str, Fraction]
    """What of the base a credit grade is given (R2.3)."""
    prepayment_monthly_ratio: Fraction
    """What of the base is given on the first day of each month (R2.5)."""
    prepayment_bulk_ratio: Fraction
    prepayment_bulk_days: int
    """Working days: to apply after the contract, and to pay after the application (R2.6)."""
    prepayment_return_by: Literal["YEAR_END", "CLEARING"]
    """What of an agreed purchase is given in advance (R2.6)."""
    prepayment_schedule: Literal["BULLET_DEC", "STRAIGHT_LAST", "MONTHLY_12", "AT_ANNUAL_CLEARING"]
    prepayment_months: int
    """How many last months of the year STRAIGHT_LAST has (R2.5)."""
    prepayment_fit: Literal["SCALE", "REFUSE"]
    """When a plan's grants are more than is allowed: all the less, or the last ones not at all (R2.3)."""
    emergencies_paid: bool
    """Whether emergency care is payable while an agreement is suspended (R6.4)."""

    def p1_ratio(self, fund: str) -> Fraction:
        return self.instant_ratio_by_fund.get(fund, self.instant_ratio)

    def p1_ratio_text(self, fund: str) -> str:
        """As events carry it: a decimal without trailing zeros."""
        return self.ratio_text(self.p1_ratio(fund))

    @staticmethod
    def ratio_text(ratio: Fraction) -> str:
        """As events carry it: a decimal without trailing zeros."""
        return f"{Decimal(int(ratio * 10**6)).scaleb(-6).normalize():f}"

    def bond(self, fund: str) -> Fraction:
        return self.bond_ratio.get(fund, Fraction(0))

    def steps_for(self, fund: str, *, at_instant: bool) -> tuple[str, ...]:
        """The accounts that a payable of this fund is offset against, in order. A P1 is 1104 itself (R3.6)."""
        if at_instant and not self.instant_offset:
            return ()
        if fund in self.not_offset:
            return () if at_instant else ("1104",)
        return tuple(step for step in self.steps if not (at_instant and step == "1104"))


def parse(event: PolicyPublished, *, kept: bool = False) -> Policy:
    """Raises `BadPolicy` with the parameter and what is wrong with it.

    `kept`: it was admitted once. What was not refused then holds with the national least.
    """
    values: dict[str, Any] = {}
    by_fund: dict[str, dict[str, Fraction]] = {"instant.ratio": {}, "bond": {}}
    for name, text in sorted(event.parameters.items()):
        general, _, fund = name.rpartition(".")
        if general in by_fund and fund in codes.FUNDS:
            by_fund[general][fund] = parsed(name, text, _RATIOS[general])
        elif name in PARAMETERS:
            values[name] = parsed(name, text, (KEPT if kept else {}).get(name, PARAMETERS[name][0]))
        else:
            raise BadPolicy(f"{name}: no such parameter")
    read: dict[str, Any] = {name: values.get(name, default) for name, (_, default) in PARAMETERS.items()}
    return Policy(
        hash=event.hash,
        area=event.area,
        valid_from=event.valid_from,
        instant_ratio=read["instant.ratio"],
        instant_ratio_by_fund=by_fund["instant.ratio"],
        instant_stat=read["instant.stat"],
        instant_offset=read["instant.offset"],
        instant_lowered_by_rests=read["instant.lowered_by_rests"],
        bond_ratio=by_fund["bond"],
        fee_account=read["bank.fee_account"],
        working_days=read["clock.working_days"],
        cut_off_day=read["clock.cut_off_day"],
        cut_off_roll=read["clock.cut_off_roll"],
        warn_days=read["clock.warn_days"],
        statement_days=read["clock.statement_days"],
        steps=read["offset.order"],
        not_offset=frozenset(read["offset.not_from"]),
        audit_unfinished=read["audit.unfinished"],
        audit_settle_days=read["audit.settle_days"],
        approval_days=read["payment.approval_days"],
        account_days=read["payment.account_days"],
        suspension_stops_payment=read["agreement.suspension_stops_payment"],
        prepayment_gate=read["prepayment.gate"],
        prepayment_gate_lost=read["prepayment.gate_lost"],
        prepayment_apply_until=read["prepayment.apply_until"],
        prepayment_documents=read["prepayment.documents"],
        prepayment_ratio=read["prepayment.ratios"],
        prepayment_monthly_ratio=read["prepayment.monthly_ratio"],
        prepayment_bulk_ratio=read["prepayment.bulk_ratio"],
        prepayment_bulk_days=read["prepayment.bulk_days"],
        prepayment_return_by=read["prepayment.return_by"],
        prepayment_schedule=_schedule(read["prepayment.schedule"], read["prepayment.return_by"]),
        prepayment_months=read["prepayment.months"],
        prepayment_fit=read["prepayment.fit"],
        emergencies_paid=read["agreement.emergencies_paid"],
    )


@dataclass(frozen=True, slots=True)
class Policies:
    """All sets of all areas, by the day from which each holds. Immutable; of two for one day the later event wins."""

    by_area: Mapping[str, tuple[Policy, ...]]
    published: Mapping[str, Policy]
    """Every set that ever was, by hash."""

    def by_hash(self, hash: str) -> Policy:
        return self.published[hash]

    def on(self, area: str, day: date) -> Policy:
        """The set that holds on a day. Raises `NoPolicy`."""
        known = self.by_area.get(area, ())
        place = bisect_right(known, day, key=lambda policy: policy.valid_from)
        if place == 0:
            raise NoPolicy(f"area {area} has no policy for {day}: publish one that is valid from then or before")
        return known[place - 1]

    def with_policy(self, policy: Policy) -> "Policies":
        others = [known for known in self.by_area.get(policy.area, ()) if known.valid_from != policy.valid_from]
        dated = tuple(sorted([*others, policy], key=lambda known: known.valid_from))
        return Policies({**self.by_area, policy.area: dated}, {**self.published, policy.hash: policy})


def _bond_ratio(text: str) -> Fraction:
    if (found := ratio(text)) > BOND_RATIO_MAX:
        raise BadPolicy(f"{text} is above the national cap of {float(BOND_RATIO_MAX):.0%}")
    return found


def _steps(text: str) -> tuple[str, ...]:
    steps = tuple(text.split())
    if sorted(steps) != sorted(STEPS):
        raise BadPolicy(f"{text!r} is not an order of {' '.join(STEPS)}")
    if steps[0] != "1104":
        raise BadPolicy("a claim's own advance (1104) is always taken first")
    return steps


def _gate(text: str) -> Mapping[str, int]:
    """`310100:12 390100:6`."""
    pairs = [pair.partition(":") for pair in text.split()]
    if unknown := [fund for fund, _, _ in pairs if fund not in codes.FUNDS]:
        raise BadPolicy(f"{unknown[0]!r} is not a fund")
    return {fund: number(1, 120)(months) for fund, _, months in pairs}


def _checked_gate(text: str) -> Mapping[str, int]:
    gate = _gate(text)
    for fund, months in gate.items():
        if months < (least := GATE_MONTHS_MIN.get(fund, 1)):
            raise BadPolicy(f"fund {fund}: {months} months are below the national least of {least}")
    return gate


def _grades(text: str) -> Mapping[str, Fraction]:
    """`A:1 B:0.9 C:0.8 D:0`."""
    pairs = [pair.partition(":") for pair in text.split()]
    if [grade for grade, _, _ in pairs] != list("ABCD"):
        raise BadPolicy(f"{text!r} does not name the grades A B C D, in this order")
    return {grade: ratio(text) for grade, _, text in pairs}


def _bulk(text: str) -> Fraction:
    if (found := ratio(text)) < BULK_RATIO_MIN:
        raise BadPolicy(f"{text} is below the national least of {float(BULK_RATIO_MIN):.0%}")
    return found


def _schedule(schedule: str, return_by: str) -> Any:
    if schedule == "AT_ANNUAL_CLEARING" and return_by != "CLEARING":
        raise BadPolicy("prepayment.schedule: AT_ANNUAL_CLEARING, and prepayment.return_by is the year's end (R10)")
    return schedule


_RATIOS = {"instant.ratio": ratio, "bond": _bond_ratio}
PARAMETERS: Table = {
    "instant.ratio": (ratio, Fraction(9, 10)),
    "instant.stat": (one_of("TEMP", "EXPENSE"), "TEMP"),
    "instant.offset": (flag, True),
    "instant.lowered_by_rests": (flag, False),
    "bank.fee_account": (one_of(*get_args(FeeAccount)), "5004"),
    "clock.working_days": (number(1, NATIONAL_WORKING_DAYS_MAX), 15),
    "clock.cut_off_day": (number(1, 28), 10),
    "clock.cut_off_roll": (one_of("NONE", "NEXT_WORKING_DAY"), "NONE"),
    "clock.warn_days": (number(1, 10), 3),
    "clock.statement_days": (number(0, 10), 2),
    "offset.order": (_steps, STEPS),
    "offset.not_from": (funds, NOT_OFFSET),
    "audit.unfinished": (one_of("WAIT", "HOLD_DOUBTFUL"), "WAIT"),
    "audit.settle_days": (number(0, 10), 2),
    "payment.approval_days": (number(1, 30), 5),
    "payment.account_days": (number(0, 30), 1),
    "agreement.suspension_stops_payment": (flag, True),
    "agreement.emergencies_paid": (flag, True),
    "prepayment.gate": (_checked_gate, GATE_MONTHS_MIN),
    "prepayment.gate_lost": (one_of("FREEZE", "RECALL"), "FREEZE"),
    "prepayment.apply_until": (number(1, 31), 10),
    "prepayment.documents": (number(0, 9), 1),
    "prepayment.ratios": (_grades, {"A": Fraction(1), "B": Fraction(9, 10), "C": Fraction(8, 10), "D": Fraction(0)}),
    "prepayment.monthly_ratio": (ratio, Fraction(1, 2)),
    "prepayment.bulk_ratio": (_bulk, BULK_RATIO_MIN),
    "prepayment.bulk_days": (number(1, 60), 10),
    "prepayment.schedule": (
        one_of("BULLET_DEC", "STRAIGHT_LAST", "MONTHLY_12", "AT_ANNUAL_CLEARING"),
        "STRAIGHT_LAST",
    ),
    "prepayment.months": (number(1, 12), 3),
    "prepayment.return_by": (one_of("YEAR_END", "CLEARING"), "YEAR_END"),
    "prepayment.fit": (one_of("SCALE", "REFUSE"), "SCALE"),
    **DIRECT,
}
KEPT: Mapping[str, Parser] = {
    "prepayment.gate": lambda text: {
        fund: max(months, GATE_MONTHS_MIN.get(fund, 1)) for fund, months in _gate(text).items()
    },
}
"""Parameters that were admitted with less than is allowed now, as they are read from what is kept."""


POLICIES: Part[Policies] = Part("policies", lambda: Policies({}, {}))


def policy_of(draft: Draft, payable: "Payable") -> Policy:
    """The one that it came into being under."""
    return draft.known[POLICIES].by_hash(payable.policy_ref)


def _admit(draft: Draft, fact: Accepted, sources: "Sources") -> Refused | None:
    event: Any = fact.event
    try:
        parse(event, kept=not sources.asks(fact.record.timestamp))
    except BadPolicy as error:
        return batch.refuse(fact, Reason.BAD_CODE, f"$.parameters: {error}")
    return None


def _published(policies: Policies, event: PolicyPublished) -> Policies:
    return policies.with_policy(parse(event, kept=True))


CAPABILITY = Capability(
    name="policy", admits={PolicyPublished: _admit}, keeps={PolicyPublished: keeping(POLICIES, _published)}
)
