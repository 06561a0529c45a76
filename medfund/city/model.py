"""A city's providers and visits, drawn from a seed.

Pure: the same profile and seed give the same visits, in order of time, on every run. What stays true: counts and what
the funds paid are the profile's, to the fen; every bill is its parts (R5.1). One day is held in memory at a time.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

import msgspec

from medfund import codes, money
from medfund.city import profiles

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1)
_SHANGHAI_MS = 8 * HOUR_MS
_CITIZENS_HOUSEHOLD = 40
"""Thousandths of the residents' bills whose own part a relative's personal account pays."""


class Provider(NamedTuple):
    """A designated hospital or pharmacy of the city."""

    code: str
    uscc: str
    level: str
    bill: int
    """How large a bill is here, in thousandths of a county hospital's."""


class Visit(msgspec.Struct, gc=False):
    """One settled visit. Amounts are fen; `at_ms` is the instant, in milliseconds since 1970."""

    kind: profiles.Visits
    at_ms: int
    service_date: date
    provider: str
    insured_area: str
    insutype: str
    funds: tuple[tuple[str, int], ...]
    account: int
    family: int
    cash: int
    total: int
    ref: str
    id: str


class _Day(NamedTuple):
    """What one kind of visit comes to on one day."""

    visits: int
    paid: int


class City:
    """One profile, drawn from one seed."""

    def __init__(self, profile: profiles.Profile, seed: int) -> None:
        self.profile = profile
        self.seed = seed

    @property
    def count(self) -> int:
        """How many visits there are."""
        return sum(kind.count for kind in self.profile.visits)

    @cached_property
    def days(self) -> Sequence[date]:
        """The days of the profile."""
        span = (self.profile.last_day - self.profile.first_day).days + 1
        return [self.profile.first_day + timedelta(days=day) for day in range(span)]

    @cached_property
    def providers(self) -> Sequence[Provider]:
        """Everyone who is registered, the large ones of each size first."""
        return [provider for size in self.profile.places for provider in self._sized[size]]

    @cached_property
    def _sized(self) -> dict[str, list[Provider]]:
        sequence = {"H": 0, "P": 0}
        sized: dict[str, list[Provider]] = {}
        for size, place in self.profile.places.items():
            first = sequence[place.kind]
            sequence[place.kind] += place.count
            sized[size] = [self._provider(place, first + rank, rank) for rank in range(place.count)]
        return sized

    def _provider(self, place: profiles.Place, sequence: int, rank: int) -> Provider:
        counties = self.profile.counties
        county = counties[rank % len(counties)]
        # A public institution is registered by the state (12), a pharmacy is a company (91).
        body = f"12{county}MB{sequence + 1:07d}" if place.kind == "H" else f"91{county}MA{sequence + 1:07d}"
        code = f"{place.kind}{county}{sequence + 1:05d}"
        return Provider(code, body + codes.uscc_check(body), place.level, place.bill)

    def visits(self) -> Iterator[Visit]:
        """Every visit, in order of time."""
        plans = [(kind, self._plan(kind), self._places(kind)) for kind in self.profile.visits]
        for number, day in enumerate(self.days):
            yield from heapq.merge(
                *(self._visits(kind, day, plan[number], places) for kind, plan, places in plans),
                key=attrgetter("at_ms"),
            )

    def _plan(self, kind: profiles.Visits) -> list[_Day]:
        rng = self.stream("plan", kind.name)
        bustle = [self._bustle(kind, day) * rng.randrange(93, 108) for day in self.days]
        counts = money.split(kind.count, bustle)
        paid = money.split(kind.paid, [count * rng.randrange(95, 106) for count in counts])
        return [_Day(*day) for day in zip(counts, paid, strict=True)]

    def _bustle(self, kind: profiles.Visits, day: date) -> int:
        if day in self.profile.days_off:
            return kind.weekend // 2
        return kind.weekend if day.weekday() >= 5 else 1000

    def _places(self, kind: profiles.Visits) -> tuple[list[Provider], list[float]]:
        """Who is visited, and the cumulated heavy-tailed weights of it."""
        providers: list[Provider] = []
        weights: list[float] = []
        for size, share in kind.places.items():
            tail = [(rank + 2) ** -self.profile.places[size].tail for rank in range(len(self._sized[size]))]
            providers += self._sized[size]
            weights += [share * weight / sum(tail) for weight in tail]
        return providers, list(accumulate(weights))

    def _visits(
        self, kind: profiles.Visits, day: date, plan: _Day, places: tuple[list[Provider], list[float]]
    ) -> Iterator[Visit]:
        rng = self.stream(day.isoformat(), kind.name)
        moments = self._moments(kind, day, plan.visits, rng)
        visited = rng.choices(places[0], cum_weights=places[1], k=plan.visits)
        amounts = _amounts(kind, plan.paid, visited, rng)
        for at_ms, provider, paid in zip(moments, visited, amounts, strict=True):
            yield self._visit(kind, day, at_ms, provider, paid, rng)

    def _moments(self, kind: profiles.Visits, day: date, count: int, rng: random.Random) -> list[int]:
        midnight = (day - _EPOCH).days * DAY_MS - _SHANGHAI_MS
        hours = rng.choices(range(24), weights=kind.hours, k=count)
        return sorted(midnight + hour * HOUR_MS + int(rng.random() * HOUR_MS) for hour in hours)

    def _visit(
        self, kind: profiles.Visits, day: date, at_ms: int, provider: Provider, paid: int, rng: random.Random
    ) -> Visit:
        employee = rng.random() * 1000 < kind.employees
        total = _bill(kind, paid, provider, rng)
        account, family = _own(total - paid, employee, paid, rng)
        return Visit(
            kind,
            at_ms,
            day,
            provider.code,
            self.profile.area,
            "310" if employee else "390",
            _funds(kind, paid, employee, rng),
            account,
            family,
            total - paid - account - family,
            total,
            f"{rng.getrandbits(128):032x}",
            uuid7(at_ms, rng),
        )

    def stream(self, *purpose: str) -> random.Random:
        """A stream of random numbers of its own for a purpose: what is drawn for one never shifts another."""
        return random.Random("/".join((self.profile.name, str(self.seed), *purpose)))


def _amounts(kind: profiles.Visits, paid: int, visited: Sequence[Provider], rng: random.Random) -> list[int]:
    """What the funds pay for each visit of a day: heavy-tailed, and `paid` in all."""
    weights = [int(rng.lognormvariate(0, kind.spread) * provider.bill) + 40 for provider in visited]
    if kind.account_only:
        weights = [0 if rng.random() * 1000 < kind.account_only else weight for weight in weights]
    if not any(weights):
        weights = [1] * len(weights)
    return money.split(paid, weights) if weights else []


def _bill(kind: profiles.Visits, paid: int, provider: Provider, rng: random.Random) -> int:
    """The whole bill for what the funds pay of it; a bill of its own where they pay nothing."""
    if paid == 0:
        return 500 + int(rng.expovariate(1) * 6 * provider.bill)
    low, high = kind.pays
    return paid * 1000 // (low + int(rng.random() * (high - low)))


def _own(own: int, employee: bool, paid: int, rng: random.Random) -> tuple[int, int]:
    """What personal accounts pay of a patient's own part: the patient's, and a relative's."""
    if employee:
        return (own, 0) if paid == 0 else (own * int(rng.random() * 100) // 100, 0)
    return (0, own) if rng.random() * 1000 < _CITIZENS_HOUSEHOLD else (0, 0)


def _funds(kind: profiles.Visits, paid: int, employee: bool, rng: random.Random) -> tuple[tuple[str, int], ...]:
    """The funds' parts; the basic fund pays what the other two do not."""
    if paid == 0:
        return ()
    serious = paid * (40 + int(rng.random() * 200)) // 1000 if rng.random() * 1000 < kind.serious else 0
    assisted = paid * (30 + int(rng.random() * 150)) // 1000 if rng.random() * 1000 < kind.assisted else 0
    basic_fund, serious_fund = ("310100", "330100") if employee else ("390100", "390200")
    parts = ((basic_fund, paid - serious - assisted), (serious_fund, serious), ("610100", assisted))
    return tuple(part for part in parts if part[1])


def uuid7(at_ms: int, rng: random.Random) -> str:
    """A UUID of version 7 for an instant: ids in order of time are kind to the index that remembers them."""
    noise = rng.getrandbits(74)
    text = f"{at_ms << 80 | 7 << 76 | (noise >> 62) << 64 | 2 << 62 | noise & (1 << 62) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
