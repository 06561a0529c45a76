"""What a provider submitted against what was recorded: the totals of 3201, and 3202 where they differ. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from clearing.agreements import Standing
from clearing.claims.claim import Claim
from clearing.funds import Fens, added, fens, total
from clearing.names import Name
from medfund import merkle, money
from medfund.events.claims import ClaimBatchSubmitted, ClaimError
from medfund.lanes.draft import Part

REF_BYTES = 16
DIFFERENCES_MAX = 50


@dataclass(frozen=True, slots=True)
class Stretch:
    """Settlements of one day between two cuts of the log: `since` is the offset from which on they stand."""

    day: date
    since: int
    count: int
    amounts: Fens
    advanced: frozenset[str]
    refs: bytes
    """Their references, one after the other."""
    reverses: bytes = b""
    """The references of what they take back, in the same way."""
    emergencies: bool = False
    """Whether all of them are emergency care."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """A reversal, in a claim that is submitted, of a settlement that something was deducted for, or recovered."""

    settlement_ref: str
    day: date
    offset: int


STRETCHES: Part[dict[int, list[Stretch]]] = Part("stretches", dict)
"""By the offset of a submission: the settlements of its dimensions and period before it."""
REVERSALS: Part[dict[int, list[Reversal]]] = Part("reversals", dict)
"""By the offset of a submission: its reversals of settlements that something was deducted for, or recovered."""
UNDONE: Part[set[Name]] = Part("undone", set)
"""Those settlements."""


@dataclass(slots=True)
class Recorded:
    """What a batch should hold."""

    count: int = 0
    amounts: Fens = field(default_factory=dict)
    advanced: set[str] = field(default_factory=set)
    refs: list[bytes] = field(default_factory=list)
    standing: Counter[bytes] = field(default_factory=Counter)
    """How often each of them was recorded and not taken back, in other batches too."""
    by_day: dict[date, Fens] = field(default_factory=dict)
    elective: set[date] = field(default_factory=set)
    """The days with anything but emergency care."""

    @property
    def root(self) -> str:
        return merkle.root(self.refs).hex()


def recorded(stretches: Iterable[Stretch], live: Iterable[Claim]) -> Recorded:
    """Sums of the recorded settlements that no other live batch claims."""
    others = list(live)
    found = Recorded()
    for stretch in stretches:
        found.standing.update(_each(stretch.refs))
        found.standing.subtract(_each(stretch.reverses))
        if any(claim.covers(stretch.day, stretch.since) for claim in others):
            continue
        found.count += stretch.count
        found.amounts = added(found.amounts, stretch.amounts)
        found.advanced |= stretch.advanced
        found.by_day[stretch.day] = added(found.by_day.get(stretch.day, {}), stretch.amounts)
        if not stretch.emergencies:
            found.elective.add(stretch.day)
        found.refs += _each(stretch.refs)
    return found


def _each(refs: bytes) -> Iterator[bytes]:
    return (refs[at : at + REF_BYTES] for at in range(0, len(refs), REF_BYTES))


def differences(event: ClaimBatchSubmitted, found: Recorded) -> list[ClaimError]:
    """Everything that is wrong with a submission; empty where it may be accepted."""
    errors = []
    if found.count != event.settlements:
        errors.append(
            ClaimError(code="COUNT", detail=f"claimed {event.settlements} settlements, recorded {found.count}")
        )
    claimed = {fund: money.fen(amount) for fund, amount in event.amounts.items()}
    errors += _amounts(claimed, found)
    if set(event.advanced) != found.advanced & {*event.amounts}:
        told, right = ", ".join(sorted(event.advanced)) or "none", ", ".join(sorted(found.advanced)) or "none"
        detail = f"funds that another payer bears: claimed {told}, recorded {right}"
        errors.append(ClaimError(code="ADVANCED", detail=detail))
    if not errors and event.settlement_root != found.root:
        detail = "count and amounts agree, the references of the settlements do not"
        errors.append(ClaimError(code="ROOT", detail=detail))
    return errors[:DIFFERENCES_MAX]


def repeated(found: Recorded) -> list[ClaimError]:
    """What was recorded under several ids, or is in another batch too, and would be paid as often (R1.3)."""
    return [
        ClaimError(code="TWICE", detail=f"settlement {ref.hex()} is recorded {found.standing[ref]} times")
        for ref in sorted({ref for ref in found.refs if found.standing[ref] > 1})
    ][:DIFFERENCES_MAX]


def too_much(event: ClaimBatchSubmitted, live: Iterable[Claim]) -> list[ClaimError]:
    """What a month claims of a fund is approved as one amount, and has to be one."""
    month = (event.period_to.year, event.period_to.month)
    of_month = [claim.claimed for claim in live if (claim.period_to.year, claim.period_to.month) == month]
    claimed = total([*of_month, fens(event.amounts)])
    detail = f"the batches of its month come to more than {money.yuan(money.FEN_MAX)}, the largest amount there is"
    return [
        ClaimError(code="AMOUNT", detail=detail, fund=fund)
        for fund, fen in sorted(claimed.items())
        if abs(fen) > money.FEN_MAX
    ]


def not_active(found: Recorded, standing: Callable[[date], Standing], *, emergencies_paid: bool) -> list[ClaimError]:
    """The days on which the provider was not under agreement, and which can therefore not be claimed (R1.3, R6.4).

    Emergency care is excused in a suspension alone (R10).
    """
    stood = {day: standing(day) for day in sorted(found.by_day)}
    excused = {day for day in stood if stood[day] == "SUSPENDED" and emergencies_paid and day not in found.elective}
    refused = [day for day in stood if stood[day] != "ACTIVE" and day not in excused]
    detail = "the provider was not under agreement: claim the days before and after in batches of their own"
    return [ClaimError(code="NOT_ACTIVE", detail=detail, day=day) for day in refused][:DIFFERENCES_MAX]


def _amounts(claimed: Mapping[str, int], found: Recorded) -> list[ClaimError]:
    """The funds that differ, each followed by the days on which something was recorded for it."""
    errors = []
    for fund in sorted({*claimed, *found.amounts}):
        told, right = claimed.get(fund, 0), found.amounts.get(fund, 0)
        if told == right:
            continue
        difference = money.yuan(told - right)
        detail = f"claimed {money.yuan(told)}, recorded {money.yuan(right)}, a difference of {difference}"
        errors.append(ClaimError(code="AMOUNT", detail=detail, fund=fund))
        for day, amounts in sorted(found.by_day.items()):
            if amount := amounts.get(fund, 0):
                errors.append(ClaimError(code="DAY", detail=f"recorded {money.yuan(amount)}", fund=fund, day=day))
    return errors
