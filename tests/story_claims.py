"""What a story's sums of settlements are made of, so that its claims, reversals and deductions come out of real ones.

A story tells sums of a period; a hospital tells settlements, claims those that stand in a period, and reverses one as a
whole. Read ahead: each sum is cut into settlements by which claim takes them and which reversal takes them back, and
every claim has a service day of its own. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeAlias

from medfund import calendar
from tests import events

Told: TypeAlias = Mapping[str, Any]
"""An event of a story."""
Fens: TypeAlias = dict[str, int]

DAY = timedelta(days=1)
SATURDAY = 5
FIRST_HOSPITAL = "H1"


class Purse(NamedTuple):
    """Whose settlements are claimed together: a hospital's own insured, or its visitors of one area."""

    hospital: str
    insured_area: str


class StoryError(Exception):
    """The story cannot be told: it does not add up, or needs a rule that the product does not have yet."""


def purse_of(told: Told) -> Purse:
    return Purse(told.get("hospital", FIRST_HOSPITAL), told.get("insured_area", ""))


def day_of(told: Told) -> date:
    return date.fromisoformat(told["date"])


def plus(*sums: Mapping[str, int]) -> Fens:
    found: Fens = defaultdict(int)
    for amounts in sums:
        for fund, fen in amounts.items():
            found[fund] += fen
    return {fund: fen for fund, fen in sorted(found.items()) if fen}


def minus(left: Mapping[str, int], right: Mapping[str, int]) -> Fens:
    return plus(left, {fund: -fen for fund, fen in right.items()})


def least(left: Mapping[str, int], right: Mapping[str, int]) -> Fens:
    return {fund: min(fen, right[fund]) for fund, fen in left.items() if min(fen, right.get(fund, 0)) > 0}


@dataclass(eq=False)
class Part:
    """A part of what one step tells: of one claim, or of none."""

    seq: int
    sign: int
    amounts: Fens
    batch: str | None = None
    whole: bool = False
    """It was in a claim that was withdrawn, and is not cut any more."""

    @property
    def signed(self) -> Fens:
        return {fund: self.sign * fen for fund, fen in self.amounts.items()}

    def cut(self, amounts: Fens) -> "Part":
        """So much of it, as a part of its own."""
        self.amounts = minus(self.amounts, amounts)
        return Part(self.seq, self.sign, dict(amounts))


@dataclass(eq=False)
class Settlement:
    ref: str
    part: Part
    amounts: Fens
    reverses: "Settlement | None" = None
    reversed_at: int | None = None
    """The step that takes it back."""


@dataclass
class Finding:
    ref: str
    settlement: Settlement
    amounts: Fens


@dataclass
class Batch:
    """What is claimed together."""

    name: str
    purse: Purse
    told: Told
    parts: list[Part]
    service_day: date = date.min
    submitted_on: date = date.min
    paid_on: date | None = None
    """The day on whose opening a part of it is paid at once."""
    by_month: bool = True
    """Whether it is approved by itself; else with other days of its month."""
    ratio: Any = "0"
    bond_ratio: Mapping[str, str] = field(default_factory=dict)
    withdrawn: bool = False


@dataclass
class Claims:
    """All settlements and claims of a story."""

    told: list[Told]
    settlements: dict[int, list[Settlement]] = field(default_factory=lambda: defaultdict(list))
    """By the step that tells them."""
    batches: dict[tuple[str, str], list[Batch]] = field(default_factory=lambda: defaultdict(list))
    """By hospital and name: a name may come again after a withdrawal."""
    days: dict[int, date] = field(default_factory=dict)
    """By identity of a part: the day of its settlements."""
    findings: dict[int, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    """By the step of a final deduction: what it rests on, where a reversal will undo a part of it."""

    def of(self, batch: Batch) -> list[Settlement]:
        mine = {id(part) for part in batch.parts}
        return [one for some in self.settlements.values() for one in some if id(one.part) in mine]

    def day(self, settlement: Settlement) -> date:
        return self.days[id(settlement.part)]

    def batch(self, hospital: str, name: str) -> Batch:
        """The one that counts under a name."""
        if not (known := self.batches.get((hospital, name))):
            raise StoryError(f"there is no claim {name} of {hospital}")
        return next((one for one in reversed(known) if not one.withdrawn), known[-1])

    def claimed_at(self, seq: int) -> Batch:
        return next(one for known in self.batches.values() for one in known if one.told["seq"] == seq)

    def every(self) -> Iterator[Batch]:
        return (one for known in self.batches.values() for one in known)


def read_ahead(told: Sequence[Told]) -> Claims:
    found = Claims(list(told))
    parts = _parts(found)
    _paid_on(found)
    _settled(found, parts)
    _dated(found, parts)
    _expected(found)
    for one in told:
        if one["type"] == "deduction.final":
            _found(found, one)
    return found


# -- which claim takes what


def _parts(found: Claims) -> list[Part]:
    """Everything that is told of settlements, cut by the claims that take it."""
    every: list[Part] = []
    open: dict[Purse, list[Part]] = defaultdict(list)
    for one in found.told:
        purse = purse_of(one)
        match one["type"]:
            case "settlement.recorded" | "settlement.reversed":
                sign = 1 if one["type"].endswith("recorded") else -1
                part = Part(one["seq"], sign, {fund: abs(fen) for fund, fen in one["amounts"].items() if fen})
                every.append(part)
                open[purse].append(part)
            case "claim.accepted":
                taken = _taken(open[purse], one, every)
                batch = Batch(one["batch"], purse, one, taken)
                for part in taken:
                    part.batch = batch.name
                found.batches[purse.hospital, batch.name].append(batch)
            case "claim.withdrawn":
                batch = found.batch(purse.hospital, one["batch"])
                batch.withdrawn = True
                for part in batch.parts:
                    part.batch, part.whole = None, True
                open[batch.purse] = [*batch.parts, *open[batch.purse]]
    return every


def _taken(open: list[Part], claim: Told, every: list[Part]) -> list[Part]:
    """What is open in its order, as far as it makes the sum; where no such stretch does, fund by fund, all reversals
    first. What is left stays open."""
    claimed = plus(claim["amounts"])
    for length in range(len(open), 0, -1):
        if plus(*(part.signed for part in open[:length])) == claimed:
            taken = open[:length]
            del open[:length]
            return taken
    return _taken_by_fund(open, claim, claimed, every)


def _taken_by_fund(open: list[Part], claim: Told, claimed: Fens, every: list[Part]) -> list[Part]:
    taken = [part for part in open if part.whole]
    rest = [part for part in open if not part.whole]
    left = minus(claimed, plus(*(part.signed for part in taken)))
    wanted: dict[int, Fens] = {1: {}, -1: {}}
    for fund in sorted({*left, *(fund for part in rest for fund in part.amounts)}):
        there = {sign: sum(part.amounts.get(fund, 0) for part in rest if part.sign == sign) for sign in (1, -1)}
        amount = left.get(fund, 0)
        recorded = min(there[1], max(0, amount + there[-1]))
        reversed_ = recorded - amount
        if not 0 <= reversed_ <= there[-1]:
            raise StoryError(f"step {claim['seq']} claims {claimed} of fund {fund}: so much was not recorded")
        wanted[1][fund], wanted[-1][fund] = recorded, reversed_
    for part in rest:
        amounts = least(wanted[part.sign], part.amounts)
        wanted[part.sign] = minus(wanted[part.sign], amounts)
        if amounts == part.amounts:
            taken.append(part)
        elif amounts:
            taken.append(part.cut(amounts))
            every.append(taken[-1])
    mine = {id(part) for part in taken}
    open[:] = [part for part in open if id(part) not in mine]
    return taken


# -- which settlement is taken back


def _settled(found: Claims, parts: Iterable[Part]) -> None:
    """A reversal is of one whole settlement: what is reversed later is cut out of what was recorded."""
    left = {id(part): dict(part.amounts) for part in parts if part.sign > 0}
    recorded = [part for part in parts if part.sign > 0]
    for part in sorted((part for part in parts if part.sign < 0), key=lambda part: part.seq):
        rest = dict(part.amounts)
        for source in _sources(found, part, recorded):
            if amounts := least(rest, left[id(source)]):
                rest = minus(rest, amounts)
                left[id(source)] = minus(left[id(source)], amounts)
                _reversed(found, part, source, amounts)
        if rest:
            raise StoryError(f"step {part.seq} reverses {rest} more than was recorded before")
    for part in recorded:
        if amounts := left[id(part)]:
            _put(found, Settlement(_name(found, part), part, amounts))


def _reversed(found: Claims, part: Part, source: Part, amounts: Fens) -> None:
    original = Settlement(_name(found, source), source, amounts, reversed_at=part.seq)
    _put(found, original)
    _put(found, Settlement(_name(found, part), part, amounts, reverses=original))


def _put(found: Claims, settlement: Settlement) -> None:
    found.settlements[settlement.part.seq].append(settlement)


def _name(found: Claims, part: Part) -> str:
    return events.reference(f"step-{part.seq}-{len(found.settlements[part.seq])}")


def _sources(found: Claims, part: Part, recorded: Iterable[Part]) -> list[Part]:
    """Of what it was recorded before: of a batch whose deduction it undoes first, then of its own, then the latest."""
    purses = {one["seq"]: purse_of(one) for one in found.told}
    before = [one for one in recorded if one.seq < part.seq and purses[one.seq] == purses[part.seq]]
    hospital = purses[part.seq].hospital
    deducted = _deducted(found, hospital, part.batch, _undone_by(found, hospital, part.batch))

    def order(one: Part) -> tuple[bool, bool, int]:
        return one.batch not in deducted, one.batch != part.batch, -one.seq

    return sorted(before, key=order)


def _undone_by(found: Claims, hospital: str, batch: str | None) -> Fens:
    return plus(
        *(
            one["amounts"]
            for one in found.told
            if one["type"] == "deduction.undone" and one["batch"] == batch and purse_of(one).hospital == hospital
        )
    )


def _deducted(found: Claims, hospital: str, batch: str | None, undone: Fens) -> set[str]:
    """Whose deduction, final before a claim, is large enough for what that claim's reversals undo."""
    if not undone or batch is None:
        return set()
    claimed = found.batch(hospital, batch).told["seq"]
    sums: dict[str, Fens] = defaultdict(dict)
    for one in found.told:
        if one["type"] == "deduction.final" and one["seq"] < claimed and purse_of(one).hospital == hospital:
            sums[one["batch"]] = plus(sums[one["batch"]], one["amounts"])
    return {name for name, amounts in sums.items() if least(undone, amounts) == undone}


def _found(found: Claims, told: Told) -> None:
    """A deduction that is undone later by reversals rests on findings: on what is reversed so much as is undone."""
    hospital = purse_of(told).hospital
    batch = found.batch(hospital, told["batch"])
    mine = found.of(batch)
    given, left = [], plus(told["amounts"])
    for settlement in mine:
        if settlement.reverses is None and settlement.reversed_at is not None:
            undone = least(_left_to_undo(found, hospital, settlement), least(left, settlement.amounts))
            if undone:
                given.append((settlement, undone))
                left = minus(left, undone)
    if not given:
        return
    for settlement in mine:
        if (
            settlement.reverses is None
            and settlement.reversed_at is None
            and (amounts := least(left, settlement.amounts))
        ):
            given.append((settlement, amounts))
            left = minus(left, amounts)
    if left:
        raise StoryError(f"step {told['seq']} deducts {left} more than the settlements of {batch.name} come to")
    for number, (settlement, amounts) in enumerate(given, 1):
        found.findings[told["seq"]].append(Finding(f"F-{told['seq']}-{number}", settlement, amounts))


def _left_to_undo(found: Claims, hospital: str, settlement: Settlement) -> Fens:
    """What is undone of a settlement by the claim that its reversal is in, and rests on no finding yet."""
    [by] = [one for some in found.settlements.values() for one in some if one.reverses is settlement]
    known = [one for some in found.findings.values() for one in some]
    same = [
        one.amounts
        for one in known
        if any(other.reverses is one.settlement and other.part.batch == by.part.batch
               for some in found.settlements.values() for other in some)
    ]  # fmt: skip
    return minus(_undone_by(found, hospital, by.part.batch), plus(*same))


# -- on which day


def _dated(found: Claims, parts: Iterable[Part]) -> None:
    """The settlements of a claim are of a day that no other claim has, before it was submitted."""
    dates = {one["seq"]: day_of(one) for one in found.told}
    together = _approved_together(found)
    taken: dict[Purse, set[date]] = defaultdict(set)
    months: dict[int, date] = {}
    for batch in sorted(found.every(), key=lambda one: one.told["seq"]):
        old = [found.days[id(part)] for part in batch.parts if id(part) in found.days]
        last = max((dates[part.seq] for part in batch.parts), default=batch.submitted_on - DAY)
        day = old[0] if old else min(last, batch.submitted_on - DAY)
        if (group := together.get((batch.purse.hospital, batch.name))) is not None:
            batch.by_month = False
            day = min(day, months.setdefault(group, _month_end(day)))
        while day in taken[batch.purse] and not old:
            day -= DAY
        taken[batch.purse].add(day)
        batch.service_day = day
        for part in batch.parts:
            found.days[id(part)] = day
    for part in parts:
        purse = next(purse_of(one) for one in found.told if one["seq"] == part.seq)
        if id(part) not in found.days:
            day = dates[part.seq]
            while day in taken[purse]:
                day += DAY
            found.days[id(part)] = day


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - DAY


def _approved_together(found: Claims) -> dict[tuple[str, str], int]:
    """Which claims are approved with others: by the step that approves them."""
    return {
        (purse_of(one).hospital, name): one["seq"]
        for one in found.told
        if one["type"] == "claim.approved" and len(names := batches_of(one)) > 1
        for name in names
    }


def batches_of(told: Told) -> list[str]:
    if "batches" in told:
        return list(told["batches"])
    return [told["batch"]] if isinstance(told["batch"], str) else list(told["batch"])


def _paid_on(found: Claims) -> None:
    """What is paid at once is paid on the first working day after its claim was submitted, and so is everything else
    that waits: each claim of a hospital has such a day of its own, in the order in which they are paid."""
    paid: dict[str, list[tuple[Told, Batch]]] = defaultdict(list)
    for batch in found.every():
        batch.submitted_on = day_of(batch.told)
        if (told := next((one for one in _after(found, batch) if one["type"] == "instant.paid"), None)) is not None:
            paid[batch.purse.hospital].append((told, batch))
    for those in paid.values():
        last = date.max
        for told, batch in sorted(those, key=lambda one: -one[0]["seq"]):
            last = _working_day(min(day_of(told), last - DAY))
            batch.paid_on, batch.submitted_on = last, last - DAY


def _working_day(day: date) -> date:
    """That day, or the last one before it that is worked."""
    known = calendar.shipped()
    while not (known.is_working_day(day) if day.year in known.notices else day.weekday() < SATURDAY):
        day -= DAY
    return day


def _after(found: Claims, batch: Batch) -> Iterator[Told]:
    """What is told of a claim."""
    for one in found.told:
        later = one["seq"] > batch.told["seq"] and purse_of(one).hospital == batch.purse.hospital
        if later and ("batch" in one or "batches" in one) and batch.name in batches_of(one):
            yield one


def _expected(found: Claims) -> None:
    """What a claim's policy has to say, for it is the one of the day on which it is submitted."""
    for batch in found.every():
        for one in _after(found, batch):
            if one["type"] == "instant.paid":
                batch.ratio = one["ratio"]
            elif one["type"] == "claim.approved":
                batch.bond_ratio = one.get("bond_ratio", {})
