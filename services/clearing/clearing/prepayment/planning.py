"""A plan of prepayments over an area: who gets how much, from pinned inputs, before anybody says yes.

What stays true: the same inputs give the same bytes; no more is given than the limit of each fund; who approves a plan
approves its hash. Source: R2.3, R2.4, design §3.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from clearing.funds import Fens
from clearing.payments.planning import Connection
from clearing.policy import Policy
from clearing.prepayment import amounts
from clearing.prepayment.prepayment import Prepayment, Status
from medfund import money
from medfund.events.prepayments import PrepaymentGranted, PrepaymentKind
from medfund.postgres import queries

SQL = queries.load(__file__, "planning.sql")
_prepayment = msgspec.json.Decoder(Prepayment).decode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is asked for: the year's prepayments of an area, on the months of a base period."""

    plan_ref: str
    area: str
    year: int
    kind: PrepaymentKind = "ANNUAL"
    base_from: date
    base_to: date
    limits: Fens
    """By fund: what all grants together may come to; of a fund that has none nobody is in the plan."""
    replaces: str | None = None
    """An earlier plan, whose grants this one changes."""

    @property
    def months(self) -> int:
        first, last = self.base_from, self.base_to
        return 12 * (last.year - first.year) + last.month - first.month + 1

    @property
    def each_month(self) -> Iterator[date]:
        """Its first day."""
        for passed in range(self.base_from.month - 1, self.base_from.month - 1 + self.months):
            yield date(self.base_from.year + passed // 12, passed % 12 + 1, 1)


class Candidate(NamedTuple):
    """Who was found good, and what it was paid in the base period."""

    lane: int
    item: Prepayment
    settled: int
    months: Collection[date]
    """Of the base period: those of which something of the fund is approved."""
    given: int
    """By prepayments of the other kind that is taken back from what is settled: all of them are a month's at most."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One grant of a plan; fen."""

    lane: int
    provider: str
    prepayment_ref: str
    fund: str
    base: int
    ratio: str
    wanted: int
    amount: int
    before: int
    """What an earlier plan gave."""
    missing: list[date] | UnsetType = UNSET
    """Months of the base period of which nothing of the fund is approved: they count as nothing. Plans of before it was
    said say nothing of it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    wanted: Wanted
    policy_ref: str
    lines: list[Line]

    @property
    def hash(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def published(self) -> list[Line]:
        """Those that say something new."""
        return [line for line in self.lines if self.wanted.replaces is None or line.amount != line.before]


class Became(NamedTuple):
    """Of a plan's area, year and kind, by the names of prepayments; of the year before by provider and fund. Fen."""

    status: Mapping[str, Status]
    disbursed: Mapping[str, int]
    outstanding: Mapping[str, int]
    last_year: Mapping[tuple[str, str], int]
    """What was granted."""


async def became(connection: Connection, wanted: Wanted) -> Became:
    rows = await connection.fetch(SQL.became, wanted.area, wanted.year, wanted.kind)
    now = [row for row in rows if row["year"] == wanted.year]
    return Became(
        {row["ref"]: row["status"] for row in now},
        {row["ref"]: row["outstanding"] + row["back"] for row in now},
        {row["ref"]: row["outstanding"] for row in now},
        {(row["provider"], row["fund"]): row["granted"] for row in rows if row["year"] < wanted.year},
    )


async def plan(connection: Connection, wanted: Wanted, policy: Policy) -> Plan:
    """What a plan would grant, line by line. To be called within one repeatable-read transaction.

    Raises `ValueError` where the base period is none.
    """
    amounts.check_months(wanted.months)
    states = ["APPROVED", "CHECKED"] if wanted.replaces else ["CHECKED"]
    rows = await connection.fetch(
        SQL.candidates, wanted.area, wanted.year, wanted.kind, states, wanted.base_from, wanted.base_to
    )
    found = [
        Candidate(row["lane"], _prepayment(row["body"]), row["settled"], row["months"], row["given"]) for row in rows
    ]
    return Plan(wanted=wanted, policy_ref=policy.hash, lines=list(lines(found, wanted, policy)))


def lines(candidates: Sequence[Candidate], wanted: Wanted, policy: Policy) -> Iterator[Line]:
    """Fund by fund, in the order of names."""
    ordered = sorted(candidates, key=lambda one: (one.item.fund, one.item.ref))
    for fund, some in groupby(ordered, key=lambda one: one.item.fund):
        if (limit := wanted.limits.get(fund)) is None:
            continue
        asked = [_line(one, wanted, policy) for one in some]
        for line, fits in zip(asked, _fitted(asked, limit, wanted, policy), strict=True):
            yield msgspec.structs.replace(line, amount=fits)


def _line(one: Candidate, wanted: Wanted, policy: Policy) -> Line:
    item = one.item
    ratio = _ratio(item, policy)
    base = item.agreed if item.kind == "BULK" else amounts.base(one.settled, wanted.months)
    most = base if item.kind == "BULK" else max(0, base - one.given)
    return Line(
        lane=one.lane,
        provider=item.dimensions.provider,
        prepayment_ref=item.ref,
        fund=item.fund,
        base=base,
        ratio=policy.ratio_text(ratio),
        wanted=min(amounts.grant(base, ratio), most),
        amount=0,
        before=item.granted,
        missing=[] if item.kind == "BULK" else [month for month in wanted.each_month if month not in one.months],
    )


def _ratio(item: Prepayment, policy: Policy) -> Fraction:
    if item.kind == "BULK":
        return policy.prepayment_bulk_ratio
    return policy.prepayment_monthly_ratio if item.kind == "MONTHLY" else policy.prepayment_ratio[item.grade or "D"]


def _fitted(asked: Sequence[Line], limit: int, wanted: Wanted, policy: Policy) -> list[int]:
    """A bulk purchase's is never less than its ratio: of those that do not fit the last ones are left out (R10)."""
    each = [line.wanted for line in asked]
    scaled = policy.prepayment_fit == "SCALE" and wanted.kind != "BULK"
    return amounts.fitted(each, limit) if scaled else amounts.first_come(each, limit)


def changes(then: Plan, now: Plan) -> list[str]:
    """What of a plan would be another one today, for people."""
    known, found = ({line.prepayment_ref: line for line in one.lines} for one in (then, now))
    said = [f"{ref} is no candidate any more" for ref in known if ref not in found]
    said += [f"{ref} is a candidate now" for ref in found if ref not in known]
    for ref, line in known.items():
        if ref in found and _bare(found[ref]) != _bare(line):
            said.append(f"{ref}: {money.yuan(line.amount)} then, {money.yuan(found[ref].amount)} now")
    if then.policy_ref != now.policy_ref:
        said.append("the policy is another one")
    return said


def _bare(line: Line) -> Line:
    """All that money follows from."""
    return msgspec.structs.replace(line, missing=UNSET)


def gives(plan: Plan) -> Mapping[str, int]:
    """Fen, by provider."""
    return totals((line.provider, line.amount) for line in plan.published)


def ids(plan: Plan) -> list[tuple[int, str]]:
    """Lane and id of what is published of each grant."""
    return [(line.lane, f"{plan.wanted.plan_ref}/{line.prepayment_ref}") for line in plan.published]


def events(plan: Plan, approvers: Sequence[str], on: date) -> Iterator[PrepaymentGranted]:
    """What is published of each grant of an approved plan. The same however often it is made."""
    wanted, digest = plan.wanted, plan.hash
    for line in plan.published:
        yield PrepaymentGranted(
            plan_ref=wanted.plan_ref,
            plan_hash=digest,
            area=wanted.area,
            provider=line.provider,
            prepayment_ref=line.prepayment_ref,
            prepayment_kind=wanted.kind,
            year=wanted.year,
            fund=line.fund,
            base=money.yuan(line.base),
            months=wanted.months,
            ratio=line.ratio,
            amount=money.yuan(line.amount),
            approvers=list(approvers),
            granted_on=on,
        )


def totals(of: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """By fund, or by whatever each is of."""
    found: Fens = {}
    for fund, fen in of:
        found[fund] = found.get(fund, 0) + fen
    return found
