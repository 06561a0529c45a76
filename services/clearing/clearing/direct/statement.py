"""What is owed to a supplier for a hospital, what the hospital owes for it, and what either has got back. Pure.

What stays true, fund by fund: what is open of 2105 is what was supplied less what was paid; what is open of 1103 is
what was charged to the hospital less what is recovered of it; what was paid, was taken back and is not charged any more
is the supplier's debt (1109). Payments and recoveries fill the lines in their order. Source: R3.5-R3.7, R10.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType, field

from clearing import dimensions
from clearing.dimensions import Dimensions
from clearing.funds import Fens, added, at_most, fens, positive, total
from clearing.names import Name
from clearing.payable import OwedIn, Payable
from medfund import money
from medfund.events.direct import InterFundTruedUp, RedLetterApplied, RedLetterFollowed, StatementApproved
from medfund.events.payments import Purpose
from medfund.events.statements import RequestedLine
from medfund.lanes.draft import Draft, Part, Things

CLR_TYPE = "ZJ"
"""直接结算: what is no clearing of claims."""


class Line(msgspec.Struct, array_like=True, gc=False):
    """An invoice: what of it is charged to the hospital, and what red letters took back when it was paid; each by fund,
    in the order of the funds of its statement."""

    invoice: str
    due: date
    charged: list[int]
    credited: list[int]
    accepted: date | None = None
    """From when its cycle counts."""


class Moved(msgspec.Struct, array_like=True, gc=False):
    """What of a fund another one took over: so many fen from `start` on, of what is charged in the order of the
    lines."""

    fund: str
    into: str
    start: int
    fen: int


class Followed(NamedTuple):
    """What a red letter hits of that, by the two funds."""

    fund: str
    into: str
    paid: int
    came_back: int


class Hit(NamedTuple):
    """Where a red letter hits, by fund."""

    unpaid: Fens
    paid: Fens
    recovered: Fens
    came_back: Fens

    @property
    def owed_back(self) -> Fens:
        """What the hospital gets back."""
        return added(self.recovered, self.came_back)

    @property
    def debt(self) -> Fens:
        """What the supplier owes from now on."""
        return added(self.paid, self.recovered)


class Statement(Payable, kw_only=True):
    """One instalment of a statement, or what the books began with of one."""

    owed_in: ClassVar[OwedIn] = "2105"
    owed_as: ClassVar[Purpose] = "SUPPLIER"
    supplier: str
    """None where the books began with what a hospital owes, and that alone: empty."""
    statement_ref: str
    funds: list[str]
    due_on: date
    approved_on: date | None = None
    paid_to: str | UnsetType = UNSET
    blocked: bool = False
    """Not paid while its hospital owes too much."""
    supplied: Fens = field(default_factory=dict)
    """What the supplier is owed in all, paid or not."""
    charged: Fens = field(default_factory=dict)
    """What of it is the hospital's."""
    credited: Fens = field(default_factory=dict)
    """What of it red letters took back when it was paid."""
    recovered: Fens = field(default_factory=dict)
    """What the hospital has given back, by offset or in cash, and what another fund took over."""
    moved: list[Moved] = field(default_factory=list)
    taken_over: Fens = field(default_factory=dict)
    """By the fund that took it over."""
    given_there: Fens = field(default_factory=dict)
    """What of that the hospital has given back."""
    txns: list[str] | UnsetType = UNSET
    """The lines of the bank by which the hospital gave back in cash."""

    @property
    def payee(self) -> str:
        return self.paid_to or self.supplier

    @property
    def supplier_paid(self) -> str | UnsetType:
        return self.supplier or UNSET

    @property
    def pay_by(self) -> date:
        return self.due_on

    def waits(self, today: date | None) -> bool:
        return self.waits_for_a_day(today) or self.blocked

    def waits_for_a_day(self, today: date | None) -> bool:
        """A red letter or a dispute of the day comes before the order."""
        return today is None or (self.approved_on is not None and today <= self.approved_on)

    @property
    def to_order(self) -> Fens:
        return positive(added(self.free(), self.to_retry, -1))

    @property
    def reserved(self) -> Fens:
        """What is netted when the bank has paid what is ordered of it."""
        return {fund: fen for fund, fen in self.to_order.items() if self.ordered.get(fund)}

    @property
    def paid_so_far(self) -> Fens:
        return added(self.supplied, self.payable, -1)

    @property
    def hospital_owes(self) -> Fens:
        """1103."""
        return added(added(self.charged, self.recovered, -1), self.over)

    @property
    def over(self) -> Fens:
        """What it owes of what funds took over."""
        return added(self.taken_over, self.given_there, -1)

    @property
    def own_due(self) -> Fens:
        """What its supplier is paid for, and no other fund took over."""
        paid = added(added(self.paid_so_far, self.credited, -1), self.recovered, -1)
        return at_most(paid, added(self.charged, self.recovered, -1))

    @property
    def due(self) -> Fens:
        """What of it may be taken from the hospital."""
        return added(self.own_due, self.over)

    @property
    def owing_back(self) -> Fens:
        return self.due

    @property
    def open(self) -> bool:
        return any(self.payable.values()) or any(self.hospital_owes.values())


class GivenBack(Payable, kw_only=True):
    """What a hospital gets back of what was recovered from it, for a red letter came after."""

    @property
    def open(self) -> bool:
        return self.owing


class Debt(Payable, kw_only=True):
    """What a supplier owes back of a hospital's purchases (1109): `ref` is the supplier, or what the books began with;
    its payable is always empty."""

    supplier: str
    due: Fens = field(default_factory=dict)
    txns: list[str] = field(default_factory=list)

    @property
    def owed(self) -> bool:
        return False

    @property
    def owing_back(self) -> Fens:
        return self.due

    @property
    def open(self) -> bool:
        return any(self.due.values())


Item: TypeAlias = Statement | GivenBack | Debt
DIRECT: Part[Things[Name, Any]] = Part("direct payment", Things)
"""Statements, what hospitals get back, what suppliers owe."""
LINES: Part[Things[Name, list[Line]]] = Part("lines of statements", Things)
"""Of those that are named, or of which something is to be paid."""


def statements(draft: Draft, purse: tuple[str, str]) -> list[Statement]:
    """Of a hospital, the oldest first."""
    found = (one for one in draft[DIRECT].values() if isinstance(one, Statement) and one.dimensions.purse == purse)
    return sorted(found, key=lambda one: (one.opened, one.ref))


def debts(draft: Draft, purse: tuple[str, str], supplier: str) -> list[Debt]:
    """What a supplier owes of a hospital's purchases, the oldest first."""
    mine = (one for one in draft[DIRECT].values() if isinstance(one, Debt) and one.supplier == supplier)
    return sorted((one for one in mine if one.dimensions.purse == purse), key=lambda one: (one.opened, one.ref))


def unreserved(draft: Draft, one: Statement, *, by: Statement | None = None) -> Fens:
    """What its supplier owes and no order has reserved, or none but its own (`by`)."""
    purse = one.dimensions.purse
    others = (other for other in statements(draft, purse) if other.supplier == one.supplier and other is not by)
    owed = owed_in_all(debts(draft, purse, one.supplier))
    return positive(added(owed, total(other.reserved for other in others), -1)) if owed else owed


def covered(draft: Draft, one: Statement) -> Fens:
    """What of it is not paid in cash, for its supplier owes so much."""
    return at_most(one.to_order, unreserved(draft, one, by=one))


def wanting(draft: Draft, one: Statement) -> Fens:
    """What is to be ordered or netted of it, and is not reserved yet."""
    return added(one.to_order, at_most(one.reserved, covered(draft, one)), -1) if one.reserved else one.to_order


def named(draft: Draft, name: Name) -> Statement | None:
    found = draft[DIRECT].get(name)
    return found if isinstance(found, Statement) else None


def given_back_ref(ref: str) -> str:
    return f"{ref}/H"


# -- lines


def split(lines: Sequence[RequestedLine], key: Mapping[str, int]) -> list[Line]:
    """Each line by itself."""
    funds = sorted(key)
    weights = [key[fund] for fund in funds]
    amounts = money.fens([line.amount for line in lines])
    return [
        Line(line.invoice, line.due, money.split(fen, weights), [0] * len(funds), line.accepted)
        for line, fen in zip(lines, amounts, strict=True)
    ]


def sums(lines: Sequence[Line], funds: Sequence[str]) -> Fens:
    """What is charged, by fund."""
    return positive({fund: sum(line.charged[place] for line in lines) for place, fund in enumerate(funds)})


def told(statement: Statement, lines: Sequence[Line], before: Fens, after: Fens) -> list[tuple[Line, int]]:
    """What of each line is paid between two states, the earlier one first: what is paid fills them in their order."""
    found = [0] * len(lines)
    for place, fund in enumerate(statement.funds):
        low, high, begins = before.get(fund, 0), after.get(fund, 0), 0
        for number, line in enumerate(lines):
            ends = begins + line.charged[place] + line.credited[place]
            found[number] += max(0, min(high, ends) - max(low, begins))
            begins = ends
    return [(line, fen) for line, fen in zip(lines, found, strict=True) if fen]


def number_of(lines: Sequence[Line], invoice: str) -> int | None:
    return next((number for number, line in enumerate(lines) if line.invoice == invoice), None)


def charged(statement: Statement, line: Line) -> Fens:
    return dict(zip(statement.funds, line.charged, strict=True))


def hit(statement: Statement, lines: Sequence[Line], number: int, amounts: Fens) -> Hit:
    """A red letter takes from the top: what is neither paid nor recovered, what is one of the two, what is both. What
    is on its way to the supplier counts as paid, and that alone: any line may be what is netted with it."""
    found: tuple[Fens, Fens, Fens, Fens] = ({}, {}, {}, {})
    for fund, fen in amounts.items():
        for part, taken in zip(found, _taken(_standing(statement, lines, number, fund), fen), strict=True):
            if taken:
                part[fund] = taken
    return Hit(*found)


def _standing(statement: Statement, lines: Sequence[Line], number: int, fund: str) -> tuple[int, int, int]:
    """What is charged of a line in a fund, and how far up it is paid, and recovered."""
    place, line = statement.funds.index(fund), lines[number]
    before_charged = sum(one.charged[place] for one in lines[:number])
    before = before_charged + sum(one.credited[place] for one in lines[:number])
    charged, credited = line.charged[place], line.credited[place]
    paid = _within(min(statement.paid_so_far.get(fund, 0) - before, charged + credited) - credited, charged)
    not_on_its_way = statement.payable.get(fund, 0) - statement.ordered.get(fund, 0)
    recovered = statement.recovered.get(fund, 0) - before_charged
    return charged, max(paid, charged - max(0, not_on_its_way)), _within(recovered, charged)


def _within(fen: int, most: int) -> int:
    return max(0, min(fen, most))


def _taken(standing: tuple[int, int, int], fen: int) -> Iterator[int]:
    """Unpaid, paid, recovered, came back."""
    charged, paid, recovered = standing
    unpaid = min(fen, charged - max(paid, recovered))
    one = min(fen - unpaid, abs(paid - recovered))
    yield unpaid
    yield one if paid > recovered else 0
    yield fen - unpaid - one
    yield one if recovered > paid else 0


def followed(statement: Statement, lines: Sequence[Line], number: int, amounts: Fens) -> list[Followed]:
    """What of the top of a line another fund took over."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for fund, fen in amounts.items():
        charged, paid, _ = _standing(statement, lines, number, fund)
        begins = _begins(statement, lines, number, fund)
        for one in statement.moved if charged else ():
            low, high = max(one.start, begins + charged - fen), min(one.start + one.fen, begins + charged)
            if one.fund == fund and low < high:
                came_back = max(0, high - max(low, begins + paid))
                before = found.get((fund, one.into), (0, 0))
                found[fund, one.into] = before[0] + high - low - came_back, before[1] + came_back
    return [Followed(*funds, *parts) for funds, parts in found.items()]


def _begins(statement: Statement, lines: Sequence[Line], number: int, fund: str) -> int:
    place = statement.funds.index(fund)
    return sum(one.charged[place] for one in lines[:number])


# -- what decisions make of them


def take(statement: Statement, amounts: Fens) -> None:
    """The hospital gives back: what the fund paid itself, and then what it took over."""
    own = at_most(amounts, statement.own_due)
    statement.recovered = added(statement.recovered, own)
    statement.given_there = added(statement.given_there, added(amounts, own, -1))


def trued_up(statement: Statement, event: InterFundTruedUp) -> None:
    amounts = fens(event.amounts)
    fen = amounts[event.from_fund]
    start = statement.recovered.get(event.from_fund, 0)
    statement.moved = [*statement.moved, Moved(event.from_fund, event.to_fund, start, fen)]
    statement.recovered = added(statement.recovered, amounts)
    statement.taken_over = added(statement.taken_over, {event.to_fund: fen})


def follow(statement: Statement, lines: list[Line], event: RedLetterFollowed) -> None:
    """What was taken over is taken back of its line, where it stands, and in the fund that took it over."""
    amounts, paid, undone = fens(event.amounts), fens(event.paid), fens(event.undone)
    number, fund = number_of(lines, event.invoice) or 0, event.from_fund
    fen, place = amounts[fund], statement.funds.index(fund)
    _cut(statement, _begins(statement, lines, number, fund) + lines[number].charged[place], event)
    lines[number].charged[place] -= fen
    lines[number].credited[place] += paid.get(fund, 0)
    statement.charged = added(statement.charged, amounts, -1)
    statement.recovered = added(statement.recovered, amounts, -1)
    statement.credited = added(statement.credited, paid)
    statement.supplied = added(statement.supplied, undone, -1)
    statement.payable = added(statement.payable, undone, -1)
    statement.to_retry = at_most(statement.to_retry, statement.payable)
    statement.taken_over = added(statement.taken_over, {event.to_fund: fen}, -1)
    statement.given_there = added(statement.given_there, added(fens(event.recovered), fens(event.given_back)), -1)


def _cut(statement: Statement, ends: int, event: RedLetterFollowed) -> None:
    """The topmost below where its line ends; what lies above moves down."""
    left = fens(event.amounts)[event.from_fund]
    for one in sorted(statement.moved, key=lambda one: -one.start):
        if (one.fund, one.into) == (event.from_fund, event.to_fund) and one.start < ends:
            cut = min(left, min(one.start + one.fen, ends) - one.start)
            one.fen, left = one.fen - cut, left - cut
            _shift(statement, one.fund, one.start + 1, cut)
    statement.moved = [one for one in statement.moved if one.fen]


def _shift(statement: Statement, fund: str, start: int, fen: int) -> None:
    for one in statement.moved:
        if one.fund == fund and one.start >= start:
            one.start -= fen


def approved(event: StatementApproved) -> tuple[Statement, list[Line]]:
    amounts = fens(event.amounts)
    statement = Statement(
        ref=event.payable_ref,
        dimensions=dimensions.of(event),
        policy_ref=event.policy_ref,
        opened=event.cause.offset,
        cut_off=event.due,
        payable=amounts,
        supplier=event.supplier,
        statement_ref=event.statement_ref,
        funds=sorted(event.key),
        due_on=event.due,
        approved_on=event.approved_on,
        paid_to=event.payee,
        supplied=amounts,
        charged=amounts,
    )
    return statement, split(event.lines, event.key)


def reduced(statement: Statement, lines: list[Line], event: RedLetterApplied) -> None:
    parts = Hit(*(fens(part) for part in (event.unpaid, event.paid, event.recovered, event.came_back)))
    unowed = added(parts.unpaid, parts.came_back)
    statement.charged = added(statement.charged, fens(event.amounts), -1)
    statement.supplied = added(statement.supplied, unowed, -1)
    statement.payable = added(statement.payable, unowed, -1)
    statement.credited = added(statement.credited, parts.debt)
    statement.recovered = added(statement.recovered, parts.owed_back, -1)
    statement.to_retry = at_most(statement.to_retry, statement.payable)
    number = number_of(lines, event.invoice) or 0
    line = lines[number]
    for place, fund in enumerate(statement.funds):
        ends = _begins(statement, lines, number, fund) + line.charged[place]
        _shift(statement, fund, ends, fens(event.amounts).get(fund, 0))
        line.charged[place] -= fens(event.amounts).get(fund, 0)
        line.credited[place] += parts.debt.get(fund, 0)


def overpaid(statement: Statement, lines: list[Line], amounts: Fens) -> None:
    """It was paid, and taken back: as if it had been a part of the last line."""
    statement.supplied = added(statement.supplied, amounts)
    statement.payable = added(statement.payable, amounts)
    statement.credited = added(statement.credited, amounts)
    for place, fund in enumerate(statement.funds if lines else ()):
        lines[-1].credited[place] += amounts.get(fund, 0)


def pay_off(debts: Sequence[Debt], amounts: Fens) -> Iterator[Debt]:
    """The oldest first; those that it changes."""
    for debt in debts:
        if taken := at_most(amounts, debt.due):
            debt.due, amounts = added(debt.due, taken, -1), added(amounts, taken, -1)
            yield debt


def owed_in_all(debts: Sequence[Debt]) -> Fens:
    return total(debt.due for debt in debts)


def dimensions_of(provider: str, area: str, funds: Sequence[str], year: int) -> Dimensions:
    """Of a hospital's purchases: they are of no person, so that a kind of insurance is that of the first fund."""
    return Dimensions(
        provider=provider, area=area, insured_area=area, insutype=min(funds)[:3], clr_type=CLR_TYPE, benefit_year=year,
        advanced=[],
    )  # fmt: skip
