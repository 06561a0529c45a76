"""Events to rows: journal lines per batch and day buckets, computed without I/O.

Facts that come in millions are booked per batch x provider x fund x clearing type x service date, each line naming
the range of offsets that it sums. Everything else is booked event by event.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from ledger import chart, posting
from medfund import money
from medfund.events.bank import BankStatementImported
from medfund.events.codec import Accepted
from medfund.events.dimensions import OfProvider
from medfund.events.direct import OfSupplier, SupplierRefunded
from medfund.events.kinds import Event
from medfund.events.offsets import OffsetApplied
from medfund.events.openings import OpeningItemTaken
from medfund.events.payments import Answered
from medfund.events.purchases import Purchase
from medfund.events.settlements import SettlementRecorded, SettlementReversed
from medfund.lanes.registered import REGISTRATIONS

SUMMED: frozenset[type[Event]] = frozenset({SettlementRecorded, SettlementReversed})
LINE_MAX = 9_000_000_000_000_000_000
"""Fen of one line: its column holds no more."""
OF_PROVIDERS = (OfProvider, SettlementRecorded, SettlementReversed)
"""Events that are about money of one provider, of a kind of insurance."""
SUPPLIED = (Purchase, OfSupplier, SupplierRefunded, Answered, OpeningItemTaken)
"""Events that say with which supplier something is, if with any."""
OF_SUPPLIERS = frozenset(
    account.code
    for account in (
        chart.SUPPLIER_REFUND, chart.SUPPLIER_PAYABLE, chart.ORDERS, chart.ORDERS_CONTRA, chart.ARREARS,
        chart.ARREARS_CONTRA,
    )
)  # fmt: skip
"""Accounts that are each supplier's by itself."""
BANK_ACCOUNTS = (chart.EXPENDITURE.code, chart.FISCAL.code)
CASH = frozenset(chart.CASH_STAT) | {account.code for account in chart.CASH_STAT.values()}
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
EPOCH = date(1970, 1, 1)
SHANGHAI = timezone(timedelta(hours=8))


class JournalLine(NamedTuple):
    """A row of `journal`, in the order of its columns after the lane."""

    topic: str
    first_offset: int
    ordinal: int
    last_offset: int
    events: int
    type: str
    book: str
    area: str
    fund: str
    debit: str
    credit: str
    amount: int
    party: str
    counterpart: str
    insutype: str
    clr_type: str
    benefit_year: int
    service_date: date | None
    value_date: date
    recorded_date: date
    credit_counterpart: str | None = None
    """Where it is another one than the debit side's: of an item that another payer's payable pays off."""


BUCKET = ("party", "account", "book", "fund", "area", "counterpart", "value_date", "recorded_date")
"""What a bucket is for, in the order of its key after the lane."""

BucketKey: TypeAlias = tuple[Any, ...]


class Provider(NamedTuple):
    provider: str
    area: str
    topic_offset: int
    name: str | None


StatementKey: TypeAlias = tuple[str, str, str, date]
"""Area, fund, bank account and day."""


class Statement(NamedTuple):
    """What the bank says was in an account at the end of a day, in fen; `imported_at` is the offset that says so."""

    area: str
    fund: str
    bank_account: str
    day: date
    closing: int
    statement_ref: str
    imported_at: int

    @property
    def key(self) -> StatementKey:
        return self.area, self.fund, self.bank_account, self.day


Shift: TypeAlias = tuple[str, str, str, date, date]
"""Area, fund, bank account, value date, and the bank's booking day, which is another one."""


CashKey: TypeAlias = tuple[str, str, str]
"""Area, fund and account: a bank account, suspense, or what stands for one in STAT."""


class Rows(NamedTuple):
    lines: Sequence[JournalLine]
    buckets: Mapping[BucketKey, Sequence[int]]
    """Debit and credit to add, in fen."""
    providers: Sequence[Provider]
    statements: Sequence[Statement]
    shifts: Mapping[Shift, int]
    """Fen that came in, less what went out."""
    cash: Mapping[CashKey, int]
    """As above."""


class Group:
    """Events alike that are booked as one."""

    __slots__ = ("amounts", "count", "first", "last", "sample")

    def __init__(self, sample: Accepted) -> None:
        self.sample = sample
        self.first = self.last = sample.record.offset
        self.count = 0
        self.amounts: dict[str, int] = {}


def rows(fresh: Sequence[Accepted], families: Mapping[str, str]) -> Rows:
    """What a batch of admitted events writes."""
    lines = journal(fresh, families)
    seldom = [accepted for accepted in fresh if type(accepted.event) not in SUMMED]
    # No settlement moves money: of a batch of nothing else, no line is looked at again.
    moved = cash(lines) if seldom else {}
    return Rows(lines, buckets(lines), registrations(seldom), statements(seldom), shifts(seldom), moved)


def registrations(fresh: Sequence[Accepted]) -> list[Provider]:
    """The last word on each provider of the batch; a name that is not said again stays."""
    found: dict[str, Provider] = {}
    for accepted in fresh:
        event: Any = accepted.event
        if type(event) in REGISTRATIONS:
            before = found.get(event.provider)
            name = event.name or (before.name if before else None)
            found[event.provider] = Provider(event.provider, event.area, accepted.record.offset, name)
    return list(found.values())


def statements(fresh: Iterable[Accepted]) -> list[Statement]:
    """The last statement of each account and day of the batch, sorted."""
    found = {}
    for accepted in fresh:
        event: Any = accepted.event
        if type(event) is BankStatementImported:
            told = Statement(
                event.area, event.fund, event.bank_account, event.day, money.fen(event.closing),
                event.statement_ref, accepted.record.offset,
            )  # fmt: skip
            found[told.key] = told
    return sorted(found.values())


def shifts(fresh: Iterable[Accepted]) -> dict[Shift, int]:
    """What the bank booked on another day than its value date, by account and the two days: the books go by the value
    date, the bank's statements by the booking day."""
    found: dict[Shift, int] = {}
    for accepted in fresh:
        event: Any = accepted.event
        if (booked_on := getattr(event, "booked_on", None)) is None or booked_on == event.value_date:
            continue
        for line in posting.lines(event):
            for account, fen in ((line.debit, line.amount), (line.credit, -line.amount)):
                if account in BANK_ACCOUNTS:
                    key = event.area, line.fund, account, event.value_date, booked_on
                    found[key] = found.get(key, 0) + fen
    return found


def cash(lines: Iterable[JournalLine]) -> dict[CashKey, int]:
    """What the lines add to bank accounts, suspense and what stands for them: debit less credit."""
    found: dict[CashKey, int] = {}
    for line in lines:
        for account, fen in ((line.debit, line.amount), (line.credit, -line.amount)):
            if account in CASH:
                key = line.area, line.fund, account
                found[key] = found.get(key, 0) + fen
    return found


def journal(booked: Iterable[Accepted], families: Mapping[str, str]) -> list[JournalLine]:
    """The lines of a batch, in the order of the first event that each sums."""
    groups: dict[Hashable, Group] = {}
    summed: list[tuple[dict[str, int], Mapping[str, str]]] = []
    texts: list[str] = []
    for accepted in booked:
        event: Any = accepted.event
        kind, record = type(event), accepted.record
        if kind in SUMMED:
            key = (kind, (record.timestamp + SHANGHAI_MS) // DAY_MS, alike(event), *event.advanced)
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(accepted)
            group.last = record.offset
            group.count += 1
            summed.append((group.amounts, event.funds))
            texts += event.funds.values()
        elif posting.RULES[kind] is not posting.nothing:
            groups[accepted.identity] = Group(accepted)
    fens = iter(money.fens(texts))
    for amounts, funds in summed:
        for fund in funds:
            amounts[fund] = amounts.get(fund, 0) + next(fens)
    return [line for group in groups.values() for line in _lines(group, families)]


alike = attrgetter("provider", "insutype", "clr_type", "service_date", "insured_area", "benefit_year")
"""What settlements must share to be booked as one line."""


def _lines(group: Group, families: Mapping[str, str]) -> Iterator[JournalLine]:
    event: Any = group.sample.event
    record = group.sample.record
    booked = posting.summed_lines(event, group.amounts) if group.count else posting.lines(event)
    topic, count, type = families[record.topic], group.count or 1, group.sample.type
    service_date, valued = getattr(event, "service_date", None), value_date(group.sample)
    party, own, insutype, clr_type, benefit_year = dimensions(event, valued)
    area, recorded, others = event.area, recorded_date(record.timestamp), credit_counterpart(event)
    supplier = supplier_of(event)
    parts = (
        (book, fund, debit, credit, part) for book, fund, debit, credit, amount in booked for part in _parts(amount)
    )
    for ordinal, (book, fund, debit, credit, amount) in enumerate(parts):
        counterpart = own
        if supplier:
            counterpart, other = (supplier if account in OF_SUPPLIERS else own for account in (debit, credit))
            others = None if other == counterpart else other
        yield JournalLine(
            topic, group.first, ordinal, group.last, count, type, book, area, fund, debit, credit, amount,
            party, counterpart, insutype, clr_type, benefit_year, service_date, valued, recorded, others,
        )  # fmt: skip


def _parts(amount: int) -> Iterator[int]:
    """Each as large as a line can be, and the rest: what many events sum has no limit."""
    while amount > LINE_MAX:
        yield LINE_MAX
        amount -= LINE_MAX
    yield amount


def dimensions(event: Any, valued: date) -> tuple[str, str, str, str, int]:
    """Party, counterpart, kind of insurance, clearing type and benefit year. What a hospital buys is of no kind, and of
    the year in which it counts; so is what is about no provider, and that is the area's own."""
    if isinstance(event, OF_PROVIDERS):
        counterpart = event.insured_area if posting.is_visitor(event) else ""
        return event.provider, counterpart, event.insutype, event.clr_type, event.benefit_year
    return event.provider if isinstance(event, Purchase) else event.area, "", "", "", valued.year


def supplier_of(event: Any) -> str:
    """Whose what an event moves is in the accounts of suppliers."""
    return event.supplier or "" if isinstance(event, SUPPLIED) else ""


def credit_counterpart(event: Any) -> str | None:
    """An offset pays off an item on the item's own side (c.4)."""
    if type(event) is not OffsetApplied or event.item_insured_area == event.insured_area:
        return None
    return event.item_insured_area if event.item_insured_area != event.area else ""


def value_date(accepted: Accepted) -> date:
    """The day on which an event counts: the bank's, the service's, or the day in Shanghai on which it occurred."""
    event: Any = accepted.event
    for name in ("value_date", "service_date"):
        if (day := getattr(event, name, None)) is not None:
            return day  # type: ignore[no-any-return]
    return datetime.fromisoformat(accepted.time).astimezone(SHANGHAI).date()


def buckets(lines: Iterable[JournalLine]) -> dict[BucketKey, list[int]]:
    """What the lines add to the day buckets of their two accounts: debit and credit in fen."""
    found: dict[BucketKey, list[int]] = {}
    for line in lines:
        (
            _, _, _, _, _, _, book, area, fund, debit, credit, amount, party, counterpart, _, _, _, _, value, recorded,
            others,
        ) = line  # fmt: skip
        left = (party, debit, book, fund, area, counterpart, value, recorded)
        right = (party, credit, book, fund, area, counterpart if others is None else others, value, recorded)
        if (bucket := found.get(left)) is not None:
            bucket[0] += amount
        else:
            found[left] = [amount, 0]
        if (bucket := found.get(right)) is not None:
            bucket[1] += amount
        else:
            found[right] = [0, amount]
    return found


@lru_cache(maxsize=64)
def _day(number: int) -> date:
    return EPOCH + timedelta(days=number)


def recorded_date(appended_ms: int) -> date:
    """The calendar day in Asia/Shanghai on which the broker appended a record."""
    return _day((appended_ms + SHANGHAI_MS) // DAY_MS)
