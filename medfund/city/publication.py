"""The file that a city publishes: the agency's events, every settlement, and what goes wrong in real life on request.

What stays true: the same profile, seed and request give the same bytes; the summary counts every line that was given
out. Lines that come later than their settlement wait in a heap, so memory follows their number and not the file.
"""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from medfund.city import defects, lines
from medfund.city.model import DAY_MS, HOUR_MS, City, Visit, uuid7

What = Literal["late", "visitor", "duplicate", "reversal", "bad"]

VISITORS_FROM = ("150100", "150400", "130700", "110100", "210100")
"""Areas that insure the visitors: their place of care is here."""


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """How many settlements are published late, twice, taken back, spoiled, or of people insured elsewhere."""

    late: int = 0
    visitors: int = 0
    duplicates: int = 0
    reversals: int = 0
    bad: int = 0


class Sum(msgspec.Struct):
    """So many, and so much (fen)."""

    count: int = 0
    paid: int = 0

    def add(self, paid: int) -> None:
        self.count += 1
        self.paid += paid


class Summary:
    """What was given out so far."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.visits: defaultdict[str, Sum] = defaultdict(Sum)
        self.funds: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)
        self.reversed: defaultdict[tuple[str, str], Sum] = defaultdict(Sum)

    def recorded(self, visit: Visit) -> None:
        name = visit.kind.name
        self.lines["settlements"] += 1
        self.visits[name].add(sum([amount for _, amount in visit.funds]))
        for fund, amount in visit.funds:
            self.funds[name, fund].add(amount)

    def taken_back(self, visit: Visit) -> None:
        self.lines["reversals"] += 1
        for fund, amount in visit.funds:
            self.reversed[visit.kind.name, fund].add(-amount)


class _Later(NamedTuple):
    """A line that waits for its moment; the number keeps the order among equals."""

    at_ms: int
    number: int
    line: bytes


class Publication:
    """One file of a city."""

    def __init__(self, city: City, extras: Extras | None = None) -> None:
        self.city = city
        self.summary = Summary()
        self._rng = city.stream("extras")
        self._fates = _fates(city.count, extras or Extras(), self._rng)
        self._later: list[_Later] = []

    def lines(self) -> Iterator[bytes]:
        """Every line in the order of publication."""
        for line in lines.agency(self.city):
            self.summary.lines["agency"] += 1
            yield line
        source, fates, later = self.city.profile.source, self._fates, self._later
        for number, visit in enumerate(self.city.visits()):
            while later and later[0].at_ms <= visit.at_ms:
                yield heapq.heappop(later).line
            yield from self._published(visit, fates.get(number, ()), source)
        while later:
            yield heapq.heappop(later).line

    def _published(self, visit: Visit, fate: tuple[What, ...], source: str) -> tuple[bytes, ...]:
        if "visitor" in fate:
            visit.insured_area = self._rng.choice(VISITORS_FROM)
        self.summary.recorded(visit)
        line = lines.settlement(visit, source)
        for what in fate:
            self._suffers(visit, line, what, source)
        return () if "late" in fate else (line,)

    def _suffers(self, visit: Visit, line: bytes, what: What, source: str) -> None:
        rng = self._rng
        match what:
            case "late":
                self.summary.lines["late"] += 1
                self._wait(visit.at_ms + rng.randrange(3 * DAY_MS, 35 * DAY_MS), line)
            case "visitor":
                self.summary.lines["visitors"] += 1
            case "duplicate":
                self.summary.lines["duplicates"] += 1
                self._wait(visit.at_ms + rng.randrange(1000, 2 * DAY_MS), line)
            case "reversal":
                self._take_back(visit, visit.at_ms + rng.randrange(HOUR_MS, 20 * DAY_MS), source)
            case "bad":
                defect = defects.DEFECTS[self.summary.lines["bad"] % len(defects.DEFECTS)]
                self.summary.lines["bad"] += 1
                self._wait(visit.at_ms, defects.spoiled(line, defect, id=uuid7(visit.at_ms, rng)))

    def _take_back(self, visit: Visit, at_ms: int, source: str) -> None:
        ref, id = f"{self._rng.getrandbits(128):032x}", uuid7(at_ms, self._rng)
        self.summary.taken_back(visit)
        self._wait(at_ms, lines.reversal(visit, source, ref=ref, id=id, at_ms=at_ms))

    def _wait(self, at_ms: int, line: bytes) -> None:
        heapq.heappush(self._later, _Later(at_ms, self._rng.getrandbits(32), line))


def _fates(count: int, extras: Extras, rng: random.Random) -> dict[int, tuple[What, ...]]:
    """Which settlements, by their number, suffer what."""
    fates: defaultdict[int, list[What]] = defaultdict(list)
    chosen: tuple[tuple[What, int], ...] = (
        ("visitor", extras.visitors),
        ("late", extras.late),
        ("duplicate", extras.duplicates),
        ("reversal", extras.reversals),
        ("bad", extras.bad),
    )
    for what, number in chosen:
        for visit in rng.sample(range(count), min(number, count)):
            fates[visit].append(what)
    return {visit: tuple(fate) for visit, fate in fates.items()}
