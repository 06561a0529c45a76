"""A plan of statements over an area: what of each is to be requested, and what is left out and why. Pure.

What stays true: the same inputs give the same bytes; of a number that is registered more than once the first
registration stays, or the one of which something was requested or agreed to before; who approves a plan approves its
hash. Source: R3.3, R3.4, R10, design §3.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

import msgspec

from direct_pay.funds import Fens
from direct_pay.names import Name
from direct_pay.statements.statement import Statement
from medfund import money
from medfund.events.statements import Agreed, StatementsAgreed

AT_ONCE = 100
"""So many statements one event agrees to at most: all that they are made of is read at once."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is asked for: all that may be requested in an area, or what of it is due until a day."""

    plan_ref: str
    area: str
    due_until: date | None = None

    @property
    def replaces(self) -> str | None:
        return None


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out: an invoice, a line of an order in it, or, where none is named, the whole statement."""

    code: str
    detail: str
    invoice: str = ""
    order_no: str = ""
    line: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A statement of which something may be requested; fen."""

    lane: int
    provider: str
    supplier: str
    statement_ref: str
    open: int
    """What of it is found in order and was not requested."""
    amounts: Fens
    """What is requested of that, by fund."""
    due: date | None
    left: list[Left]

    @property
    def amount(self) -> int:
        return sum(self.amounts.values())

    @property
    def name(self) -> Name:
        return Name(self.provider, self.supplier, self.statement_ref)

    @property
    def without(self) -> list[str]:
        """Invoices that are registered elsewhere too."""
        return [one.invoice for one in self.left if one.code == LIVE_TWICE]


LIVE_TWICE, NOT_CONFIRMED, ON_ITS_WAY, LATER, WITHHELD = (
    "LIVE_TWICE", "NOT_CONFIRMED", "ON_ITS_WAY", "LATER", "WITHHELD",
)  # fmt: skip


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    wanted: Wanted
    as_of: date
    lines: list[Line]

    @property
    def hash(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def published(self) -> list[Line]:
        """Those of which something is requested."""
        return [line for line in self.lines if line.amount]

    @property
    def parts(self) -> Iterator["Part"]:
        """What one event each agrees to: each hospital's, in the order of lanes and codes."""
        ordered = sorted(self.published, key=lambda line: (line.lane, line.name))
        for (lane, provider), some in groupby(ordered, key=lambda line: (line.lane, line.provider)):
            lines = [*some]
            for number, first in enumerate(range(0, len(lines), AT_ONCE), 1):
                name = f"{self.wanted.plan_ref}/{provider}"
                yield Part(lane, provider, name if number == 1 else f"{name}/{number}", lines[first : first + AT_ONCE])

    @property
    def gives(self) -> Mapping[str, int]:
        """Fen, by supplier."""
        found: dict[str, int] = {}
        for line in self.published:
            found[line.supplier] = found.get(line.supplier, 0) + line.amount
        return found


class Part(NamedTuple):
    lane: int
    provider: str
    id: str
    lines: Sequence[Line]


def changes(then: Plan, now: Plan) -> list[str]:
    """What of a plan would be another one today, for people."""
    known, found = ({line.name: line for line in plan.published} for plan in (then, now))
    said = [f"{_whose(name)} is not to be requested any more" for name in known.keys() - found.keys()]
    said += [f"{_whose(name)} is to be requested now" for name in found.keys() - known.keys()]
    for name in known.keys() & found.keys():
        if _terms(known[name]) != _terms(found[name]):
            said.append(f"{_whose(name)}: {_told(known[name])} then, {_told(found[name])} now")
    return sorted(said)


def _whose(name: Name) -> str:
    return f"{name.ref} of {name.supplier} for {name.provider}"


def _terms(line: Line) -> tuple[Fens, date | None, list[str]]:
    """All that money follows from."""
    return line.amounts, line.due, line.without


def _told(line: Line) -> str:
    return f"{money.yuan(line.amount)} until {line.due}"


def ids(plan: Plan) -> list[tuple[int, str]]:
    """Lane and id of each event that is published."""
    return [(part.lane, part.id) for part in plan.parts]


def events(plan: Plan, approvers: Sequence[str], on: date) -> Iterator[StatementsAgreed]:
    """What is published of an approved plan. The same however often it is made."""
    digest = plan.hash
    for part in plan.parts:
        yield StatementsAgreed(
            provider=part.provider,
            area=plan.wanted.area,
            plan_ref=plan.wanted.plan_ref,
            plan_hash=digest,
            statements=[agreed(line.name, line.amount, line.without) for line in part.lines],
            approvers=list(approvers),
            agreed_on=on,
        )


def agreed(name: Name, fen: int, without: Sequence[str]) -> Agreed:
    return Agreed(
        supplier=name.supplier, statement_ref=name.ref, amount=money.yuan(fen), without=list(without) or msgspec.UNSET
    )


# -- numbers that are registered more than once


class Registration(NamedTuple):
    """An invoice as somebody registered it."""

    registered_ms: int
    lane: int
    provider: str
    supplier: str
    ref: str
    area: str
    statement_ref: str

    @property
    def statement(self) -> "Whole":
        return Whole(self.lane, Name(self.provider, self.supplier, self.statement_ref))

    @property
    def told(self) -> str:
        of = f", in its statement {self.statement_ref}" if self.statement_ref else ""
        return f"{self.ref} is registered by {self.supplier} for {self.provider} in area {self.area}{of} too"


class Whole(NamedTuple):
    """A statement, over all lanes."""

    lane: int
    name: Name


def first(
    group: Iterable[Registration], statements: Mapping[Whole, Statement], on_the_way: Mapping[Whole, str]
) -> Registration:
    """Of registrations of one number: which stays. What was requested of it before, or agreed to, always does."""

    def order(one: Registration) -> tuple[bool, Registration]:
        statement = statements.get(one.statement)
        asked = statement is not None and one.ref in statement.asked
        return not (asked or one.statement in on_the_way), one

    return min(group, key=order)
