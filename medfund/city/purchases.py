"""A year in which a city's hospitals buy of suppliers, who are paid by the fund on their behalf: as events, day by day.

Pure: the same profile, seed and year give the same bytes. What stays true: counts are the profile's; every invoice
matches its delivery, its order and the contract; arrears come to what the profile says, to the fen; each statement has
a day on which it is to be paid, never after the last one that is allowed, and over the year the money-weighted days
from acceptance to payment come as close to `CYCLE_DAYS` as whole days let them. In memory are some six weeks of lines.

Source: domain.md R3, S0 (27 days), S1 (arrears), R8.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from medfund import calendar, codes, money
from medfund.city import lines, papers, profiles
from medfund.city.model import City, Provider
from medfund.city.papers import Delivery, Goods, Item, Pair
from medfund.events import envelope
from medfund.events.envelope import Envelope

CYCLE_DAYS = 27
DAYS_MAX = 30
SOONEST_DAYS = 24
FIRST_ACCEPTED, LAST_ACCEPTED, APART_MAX = 8, 24, 4
"""Days of a month on which a statement's first delivery is accepted, and how many days later its last one."""
ORDERED_MAX = 11
"""So many days before its first delivery is an order placed, at most."""
OPENS_DAYS = 45
"""So long before the first month is everything in force."""
FIRST_PAID = 1, 4
SHARES = {"310100": 6837, "390100": 3163}
ARREARS = 774_870_000
"""What Weihai cleared first in its province (S1), in fen."""
ARREARS_OF = 23
WORKED = calendar.shipped()
PEOPLE = ["staff-5d03", "staff-88b6"]
COMMANDS = "/direct-pay/commands"
PLANS = "/direct-pay/plans"


class Expected(NamedTuple):
    """A statement: what it comes to, when it is confirmed, agreed to and paid, and the cycle of its money."""

    pair: Pair
    ref: str
    amount: int
    confirmed_on: date
    agreed_on: date
    paid_on: date
    fen_days: int
    """Sum of fen times days, from acceptance to payment."""
    due: date
    """The last day on which it may be paid."""


class Planned(NamedTuple):
    """A statement before its day of payment is known."""

    pair: Pair
    ref: str
    period: date
    order_no: str
    placed_on: date
    deliveries: Sequence[Delivery]
    cancelled: Sequence[tuple[int, int]]

    @property
    def amount(self) -> int:
        return sum([one.left for one in self.deliveries])

    @property
    def items(self) -> list[Item]:
        return [item for one in self.deliveries for item in one.items]

    def fen_days(self, paid_on: date) -> int:
        return sum([one.left * (paid_on - one.accepted_on).days for one in self.deliveries])


class Purchases:
    """The purchases of a city that are paid in one year."""

    def __init__(self, city: City, year: int) -> None:
        if city.profile.purchases is None:
            raise ValueError(f"{city.profile.name} has no purchases")
        self.city = city
        self.year = year
        self.size: profiles.Purchases = city.profile.purchases
        self.area = city.profile.area
        self.opened = date(year - 1, 12, 1) - timedelta(days=OPENS_DAYS)
        self.expected: list[Expected] = []
        """Statements that were given out so far."""
        self._ahead = 0
        """Fen times days above the goal."""
        self._numbers = 0

    # -- who and what

    @cached_property
    def hospitals(self) -> Sequence[Provider]:
        return [provider for provider in self.city.providers if provider.code.startswith("H")][: self.size.hospitals]

    @cached_property
    def suppliers(self) -> Sequence[str]:
        bodies = [f"91{self.area}MA{number + 1:07d}" for number in range(self.size.suppliers)]
        return [body + codes.uscc_check(body) for body in bodies]

    @cached_property
    def goods(self) -> Sequence[Sequence[Goods]]:
        """By supplier: what it delivers, and nobody else does."""
        rng = self.city.stream("goods")
        found: list[list[Goods]] = [[] for _ in self.suppliers]
        for number in range(self.size.products):
            found[number % len(found)].append(_goods(number, rng))
        return found

    # -- what is said

    def master(self) -> Iterator[Envelope]:
        """What is in force before the first order: policy, hospitals, suppliers, products, contracts, mandates, keys;
        and old arrears."""
        for told in lines.agency(
            City(msgspec.structs.replace(self.city.profile, first_day=self.opened), self.city.seed)
        ):
            if isinstance(event := envelope.from_json(told), Envelope):
                yield event
        office, platform, on = f"/agency/{self.area}", f"/procurement/{self.area}", str(self.opened)
        for number, (supplier, goods) in enumerate(zip(self.suppliers, self.goods, strict=True)):
            yield _said("supplier.registered", office, supplier, on, self._supplier(supplier, number))
            for one in goods:
                yield _said("product.priced", platform, one.code, on, self._priced(one))
            ref = f"JC-{self.year}-{number + 1:04d}"
            yield _said("contract.signed", platform, ref, on, self._contract(ref, supplier, goods))
        for hospital in self.hospitals:
            yield _said("direct.mandate.changed", office, hospital.code, on, self._mandate(hospital))
            yield _said("split.key.published", office, hospital.code, on, self._key(hospital))
        for data in self.arrears:
            yield _said("arrears.registered", COMMANDS, data["arrears_ref"], on, data)

    def by_day(self) -> Iterator[tuple[date, list[Envelope]]]:
        """What is said on each day, in the order of days; days without a word are not there."""
        self.expected, self._ahead, self._numbers = [], 0, 0
        waiting: defaultdict[date, list[Envelope]] = defaultdict(list)
        for number, data in enumerate(self.arrears):
            on = WORKED.previous_working_day(date(self.year, 1 + number % 12, 28))
            waiting[on].append(self._cleared(data, on))
        for month, statements in self._months():
            earliest = month + timedelta(days=FIRST_ACCEPTED - 1 - ORDERED_MAX)
            for day in sorted(day for day in waiting if day < earliest):
                yield day, waiting.pop(day)
            for planned in statements:
                self._tell(planned, waiting)
        yield from sorted(waiting.items(), key=lambda one: one[0])

    def events(self) -> Iterator[Envelope]:
        """All of it, from what is in force first to the last confirmation."""
        yield from self.master()
        for _, told in self.by_day():
            yield from told

    def many(self, count: int) -> Iterator[list[Envelope]]:
        """So many lines of orders, fast and all alike, for a bench: ten an order, which comes in one delivery with
        three invoices, and five invoices a statement. Each time all that is said between one hospital and one supplier
        for 50 of them."""
        on = date(self.year, 1, FIRST_ACCEPTED)
        items = [_plenty(goods) for goods in self.goods]
        for number in range(count // MANY_LINES):
            hospital, supplier = number % len(self.hospitals), number // len(self.hospitals) % len(self.suppliers)
            pair = Pair(self.area, self.hospitals[hospital].code, self.suppliers[supplier])
            yield _many(pair, number, on, items[supplier])

    def agreements(self, on: date) -> list[Envelope]:
        """What two people of the agency agree to on a day, hospital by hospital, where no plan was computed."""
        agreed = defaultdict(list)
        for one in self.expected:
            if one.agreed_on == on:
                agreed[one.pair.provider].append(one)
        return [self._agreement(provider, on, some) for provider, some in sorted(agreed.items())]

    @property
    def cycle(self) -> tuple[int, int]:
        """Fen times days, and fen, of all statements that were given out: their quotient is the cycle in days."""
        return sum([one.fen_days for one in self.expected]), sum([one.amount for one in self.expected])

    @cached_property
    def arrears(self) -> list[dict[str, Any]]:
        """Debts of hospitals from before go-live."""
        rng = self.city.stream("arrears")
        parts = money.split(ARREARS, [rng.randrange(20, 400) for _ in range(ARREARS_OF)])
        return [
            {
                "provider": rng.choice(self.hospitals).code,
                "area": self.area,
                "supplier": rng.choice(self.suppliers),
                "arrears_ref": f"QK-{self.year - 1}-{number + 1:04d}",
                "amounts": {"310100": money.yuan(part)},
                "since": str(self.opened - timedelta(days=rng.randrange(200, 1500))),
                "evidence_ref": f"doc-{self.year - 1}-{number}",
                "approvers": PEOPLE,
            }
            for number, part in enumerate(parts)
        ]

    # -- the year

    def _months(self) -> Iterator[tuple[date, list[Planned]]]:
        rng = self.city.stream("months")
        months = [date(self.year - 1, 12, 1), *(date(self.year, month, 1) for month in range(1, 12))]
        counts = money.split(self.size.statements, [rng.randrange(93, 108) for _ in months])
        invoices = money.split(self.size.invoices, counts)
        of_orders = money.split(self.size.lines, counts)
        for month, *numbers in zip(months, counts, invoices, of_orders, strict=True):
            yield month, self._month(month, *numbers)

    def _month(self, month: date, count: int, invoices: int, of_orders: int) -> list[Planned]:
        rng = self.city.stream("statements", month.isoformat())
        suppliers = len(self.suppliers)
        pairs = rng.sample(range(len(self.hospitals) * suppliers), count)
        for_each = _dealt(invoices, count, rng)
        lines_of = iter(_dealt(of_orders, invoices, rng))
        return [
            self._planned(month, *divmod(pair, suppliers), [next(lines_of) for _ in range(number)], rng)
            for pair, number in zip(sorted(pairs), for_each, strict=True)
        ]

    def _planned(self, month: date, hospital: int, supplier: int, sizes: Sequence[int], rng: random.Random) -> Planned:
        provider = self.hospitals[hospital]
        pair, goods = Pair(self.area, provider.code, self.suppliers[supplier]), self.goods[supplier]
        first = month.replace(day=rng.randrange(FIRST_ACCEPTED, LAST_ACCEPTED + 1))
        order_no = f"CG{month:%Y%m}{hospital:04d}{supplier:04d}"
        apart = sorted([0, *(rng.randrange(APART_MAX + 1) for _ in sizes[1:])])
        deliveries, number, rest = [], 0, list[tuple[int, int]]()
        for days, size in zip(apart, sizes, strict=True):
            items = [self._item(number + at + 1, rng.choice(goods), provider.bill, rng) for at in range(size)]
            number += size
            rest += [(item.line, item.ordered - item.shipped) for item in items if item.ordered > item.shipped]
            deliveries.append(self._delivery(order_no, first + timedelta(days=days), items, rng))
        placed_on = first - timedelta(days=rng.randrange(5, ORDERED_MAX + 1))
        return Planned(pair, f"DZ{month:%Y%m}", month, order_no, placed_on, deliveries, rest)

    def _item(self, line: int, goods: Goods, bill: int, rng: random.Random) -> Item:
        costs = rng.lognormvariate(0, 0.8) * self.size.line_fen * bill / 1000
        ordered = max(10, int(costs * papers.MICRO_PER_FEN / goods.price))
        fate = rng.random()
        shipped = ordered - ordered // 10 if fate < 0.02 else ordered
        return Item(line, goods, ordered, shipped, shipped - max(1, shipped // 50) if fate > 0.98 else shipped)

    def _delivery(self, order_no: str, on: date, items: Sequence[Item], rng: random.Random) -> Delivery:
        self._numbers += 1
        amount = sum([item.amount for item in items])
        delivery = Delivery(
            f"PS{self.year}{self._numbers:010d}", order_no, f"L{on:%y%m}-{self._numbers % 97:02d}", on,
            self._invoice(self._numbers, digital=rng.random() < 0.95), items, amount,
        )  # fmt: skip
        if rng.random() >= 0.01:
            return delivery
        return delivery._replace(red=f"{self._invoice(self._numbers, digital=True)[:-10]}9{self._numbers:09d}",
                                 taken_back=max(1, amount // rng.randrange(10, 40)))  # fmt: skip

    def _invoice(self, number: int, *, digital: bool) -> str:
        """Fully digital, or of the time before: a code of 12 digits and a number of 8."""
        year, province = self.year % 100, self.area[:2]
        return f"{year}{province}200000{number:010d}" if digital else f"0{province}00{year}00104-{number % 10**8:08d}"

    def _tell(self, planned: Planned, waiting: defaultdict[date, list[Envelope]]) -> None:
        """What is said of a statement, each on its day, until it is confirmed."""
        pair, order_no, placed_on = planned.pair, planned.order_no, planned.placed_on
        waiting[placed_on].append(papers.order(pair, order_no, placed_on, planned.items))
        waiting[placed_on].append(papers.promise(pair, order_no, placed_on))
        for one in planned.deliveries:
            on = one.accepted_on
            waiting[on].append(papers.shipment(pair, one, on - timedelta(days=1)))
            waiting[on].append(papers.acceptance(pair, one))
            waiting[on].append(papers.invoice(pair, one, on))
            if one.red:
                waiting[_next(on)].append(papers.red_letter(pair, one, _next(on)))
        last = planned.deliveries[-1].accepted_on
        if planned.cancelled:
            waiting[_next(last)].append(papers.cancelled(pair, order_no, _next(last), planned.cancelled))
        submitted, confirmed = last + timedelta(days=2), last + timedelta(days=4)
        waiting[submitted].append(papers.statement(pair, planned.ref, planned.period, submitted, planned.deliveries))
        waiting[confirmed].append(papers.confirmation(pair, planned.ref, confirmed))
        self.expected.append(self._paid(planned, confirmed))

    def _paid(self, planned: Planned, confirmed_on: date) -> Expected:
        """On the working day that brings the whole year's cycle nearest to its goal; in time in any case."""
        first, amount = planned.deliveries[0].accepted_on, planned.amount
        due = WORKED.previous_working_day(first + timedelta(days=DAYS_MAX))
        soonest = max(first + timedelta(days=SOONEST_DAYS), date(self.year, *FIRST_PAID))
        days = [day for day in _span(min(soonest, due), due) if WORKED.is_working_day(day)]
        off = {day: self._ahead + planned.fen_days(day) - CYCLE_DAYS * amount for day in days}
        paid_on = min(days, key=lambda day: (abs(off[day]), day))
        self._ahead = off[paid_on]
        agreed_on = WORKED.previous_working_day(paid_on - timedelta(days=1))
        return Expected(
            planned.pair, planned.ref, amount, confirmed_on, agreed_on, paid_on, planned.fen_days(paid_on), due
        )

    # -- what is registered

    def _supplier(self, supplier: str, number: int) -> dict[str, Any]:
        return {
            "supplier": supplier, "area": self.area, "name": f"示例医药有限公司{number + 1:03d}",
            "bank_account_ref": f"acct-{supplier}", "valid_from": str(self.opened),
            "account_ends": f"{number + 1:04d}",
        }  # fmt: skip

    def _priced(self, one: Goods) -> dict[str, Any]:
        return {
            "area": self.area, "product": one.code, "product_class": one.product_class, "price": one.written,
            "valid_from": str(self.opened), "name": f"示例药品 {one.code[-5:]}",
        }  # fmt: skip

    def _contract(self, ref: str, supplier: str, goods: Sequence[Goods]) -> dict[str, Any]:
        return {
            "area": self.area, "contract_ref": ref, "supplier": supplier, "products": [one.code for one in goods],
            "valid_from": str(self.opened), "valid_to": f"{self.year}-12-31",
        }  # fmt: skip

    def _mandate(self, hospital: Provider) -> dict[str, Any]:
        return {
            "area": self.area, "provider": hospital.code, "ownership": "PUBLIC", "valid_from": str(self.opened),
            "document": _digest(f"mandate {hospital.code}"),
        }  # fmt: skip

    def _key(self, hospital: Provider) -> dict[str, Any]:
        return {
            "area": self.area, "provider": hospital.code, "version": f"{self.year - 1}-11",
            "valid_from": str(self.opened), "weights": SHARES,
        }  # fmt: skip

    def _cleared(self, data: dict[str, Any], on: date) -> Envelope:
        told = {name: value for name, value in data.items() if name != "since"}
        told |= {"cleared_on": str(on), "because": "PAID_BY_HOSPITAL"}
        return _said("arrears.cleared", COMMANDS, data["arrears_ref"], str(on), told)

    def _agreement(self, provider: str, on: date, some: Sequence[Expected]) -> Envelope:
        plan = f"JS-{self.area}-{on:%Y%m%d}"
        data = {
            "provider": provider, "area": self.area, "plan_ref": plan, "plan_hash": _digest(plan),
            "statements": [
                {"supplier": one.pair.supplier, "statement_ref": one.ref, "amount": money.yuan(one.amount)}
                for one in some
            ],
            "approvers": PEOPLE, "agreed_on": str(on),
        }  # fmt: skip
        return _said("statements.agreed", PLANS, f"{plan}-{provider}", str(on), data)


MANY_LINES, MANY_ORDERS, MANY_INVOICES = 50, 5, 5
PARTS = (0, 3, 6, 10)
"""Where the invoices of an order of ten lines begin and end."""


def _plenty(goods: Sequence[Goods]) -> list[Item]:
    """An order that is delivered in full."""
    return [
        Item(line, goods[line % len(goods)], quantity, quantity, quantity)
        for line, quantity in enumerate(range(100, 1100, 100), 1)
    ]


def _many(pair: Pair, number: int, on: date, items: list[Item]) -> list[Envelope]:
    told, invoiced = list[Envelope](), list[Delivery]()
    before, after = on - timedelta(days=7), on + timedelta(days=2)
    for order in range(MANY_ORDERS):
        order_no = f"CG{number:08d}{order}"
        whole = Delivery(f"PS{number:09d}{order}", order_no, "L01", on, "", items, 0)
        told.append(papers.order(pair, order_no, before, items))
        told += (papers.shipment(pair, whole, before), papers.acceptance(pair, whole))
        for part, (begin, end) in enumerate(pairwise(PARTS)):
            name, some = f"{number:09d}{order * 3 + part:02d}", items[begin:end]
            amount = sum([item.amount for item in some])
            invoiced.append(whole._replace(invoice=f"{on:%y}37{name:0>16}", items=some, amount=amount))
    told += [papers.invoice(pair, one, on) for one in invoiced]
    for at in range(0, len(invoiced), MANY_INVOICES):
        ref = f"DZ{number:08d}-{at // MANY_INVOICES}"
        told.append(papers.statement(pair, ref, on.replace(day=1), after, invoiced[at : at + MANY_INVOICES]))
        told.append(papers.confirmation(pair, ref, after))
    return told


def _goods(number: int, rng: random.Random) -> Goods:
    """A drug of 23 characters or, one in five, a consumable of 20; one in four was negotiated."""
    drug = f"X{'ABCDGHJLMN'[number % 10]}{number % 20:02d}BBA{number % 1000:03d}A0010101{number:05d}"
    code = drug if number % 5 else f"C{number:019d}"
    price = max(10_000, int(rng.lognormvariate(2.6, 1.1) * 10_000) * 100)
    written = f"{price // 1_000_000}.{price % 1_000_000:06d}"
    return Goods(code, "BULK" if number % 4 else "NEGOTIATED", price, f"{written[:-4]}{written[-4:].rstrip('0')}")


def _dealt(total: int, among: int, rng: random.Random) -> list[int]:
    """So many dealt out, at least one to each."""
    if total < among:
        raise ValueError(f"{total} are too few for {among}")
    cuts = sorted(rng.sample(range(1, total), among - 1)) if among > 1 else []
    return [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]


def _said(type: str, source: str, name: str, on: str, data: dict[str, Any]) -> Envelope:
    return papers.said(type, source, f"{type}-{name}", on, msgspec.json.encode(data).decode())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _span(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
