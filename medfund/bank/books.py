"""The bank's own books: balances, entries of the day, what it was asked for and what it paid, what it has to do later.

Pure: nothing here reads a clock or a file. What stays true: a balance is the opening balance and the day's entries; the
same files on the same days give the same books, with the same numbers in them.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from medfund.bankfiles.messages import (
    Account,
    Counterparty,
    Detail,
    Direction,
    Entries,
    Entry,
    GroupStatus,
    Notification,
    Report,
    Statement,
    Status,
    Transfer,
)
from medfund.calendar import SHANGHAI

OPENS = time(9, 0, tzinfo=SHANGHAI)


class Customer(Struct):
    """An account here: what it holds, and what moved today."""

    account: Account
    opening: int
    balance: int
    entries: list[Entry] = []


class Payment(Struct):
    """What became of an identification, however often it was named."""

    asked: int = 0
    paid: int = 0
    returned: int = 0
    account: str = ""
    message_id: str = ""
    transfer: Transfer | None = None


class Intent(Struct):
    """What the bank is going to do with one payment: book these amounts, unless it rejects it."""

    transfer: Transfer
    amounts: list[int]
    rejected: str = ""
    returned: str = ""
    later: bool = False


class Plan(Struct):
    """What the bank is going to do with a payment file, and how it is going to tell."""

    number: int
    message_id: str
    account: str
    intents: list[Intent]
    days_late: int = 0
    reported: bool = False
    one_entry: bool = False
    copies: int = 1
    repeated: bool = False
    spoiled: str = ""
    told_account: str = ""


class Letter(Struct, frozen=True):
    """A file for `in/`: one message, perhaps spoiled on the way."""

    name: str
    report: Report | None = None
    notification: Notification | None = None
    statement: Statement | None = None
    spoiled: str = ""


class Later(Struct, frozen=True):
    """What is to be done on a later day: one of the three."""

    day: date
    plan: Plan | None = None
    give_back: tuple[str, str] | None = None
    """A payment and the code that it comes back with."""
    letter: Letter | None = None


class Books(Struct):
    """All that the bank knows."""

    day: date
    customers: dict[str, Customer]
    payments: dict[str, Payment] = field(default_factory=dict)
    message_ids: dict[str, int] = field(default_factory=dict)
    files_taken: int = 0
    letters_written: int = 0
    later: list[Later] = field(default_factory=list)
    outbox: list[Letter] = field(default_factory=list)

    def book(
        self,
        number: str,
        direction: Direction,
        details: Iterable[Detail],
        *,
        text: str = "",
        file: str = "",
    ) -> Entry:
        """Move money, and say under which number."""
        customer, parts = self.customers[number], tuple(replace(one, files=(file,) if file else ()) for one in details)
        entry = Entry(
            bank_txn=self._number(number),
            direction=direction,
            amount=sum(part.amount for part in parts),
            booked_on=self.day,
            value_date=self.day,
            text=text,
            details=parts,
        )
        customer.entries.append(entry)
        customer.balance += entry.signed
        return entry

    def _number(self, number: str) -> str:
        """Day, account and the account's entry of the day: 16 digits."""
        index, count = list(self.customers).index(number), len(self.customers[number].entries)
        return f"{self.day:%Y%m%d}{index + 1:02d}{count + 1:06d}"

    def payment(self, end_to_end_id: str) -> Payment:
        return self.payments.setdefault(end_to_end_id, Payment())

    def report(
        self,
        message_id: str,
        status: GroupStatus,
        statuses: tuple[Status, ...] = (),
        *,
        code: str = "",
        text: str = "",
    ) -> None:
        written, created = self._next()
        report = Report(written, created, message_id, status, code, text, statuses)
        self.outbox.append(Letter(self._file("pain002"), report=report))

    def tell(self, account: str, entries: Iterable[Entry]) -> Letter:
        written, created = self._next()
        notification = Notification(written, created, account, Entries(entries))
        return Letter(self._file("camt054"), notification=notification)

    def copy(self, letter: Letter) -> Letter:
        """The same message in another file."""
        self._next()
        return Letter(self._file("camt054"), notification=letter.notification, spoiled=letter.spoiled)

    def close_day(self, *, quiet: bool = False) -> None:
        """A statement for each account, or, `quiet`, for those that moved; what comes now is the next day's."""
        for customer in self.customers.values():
            if quiet and not customer.entries:
                continue
            written, created = self._next()
            statement = Statement(
                message_id=written,
                created=created,
                account=customer.account.number,
                day=self.day,
                opening=customer.opening,
                closing=customer.balance,
                entries=Entries(customer.entries),
            )
            self.outbox.append(Letter(self._file("camt053"), statement=statement))
            customer.opening, customer.entries = customer.balance, []
        self.day += timedelta(days=1)

    def due(self) -> list[Later]:
        """What was put off until today, taken off the list."""
        due = [later for later in self.later if later.day <= self.day]
        self.later = [later for later in self.later if later.day > self.day]
        return due

    def tomorrow(self, days: int = 1) -> date:
        return self.day + timedelta(days=days)

    def _next(self) -> tuple[str, datetime]:
        """The next letter's identification and its time: no clock, so the same again gives the same."""
        self.letters_written += 1
        created = datetime.combine(self.day, OPENS) + timedelta(seconds=self.letters_written)
        return f"BK{self.day:%Y%m%d}{self.letters_written:06d}", created

    def _file(self, kind: str) -> str:
        return f"{kind}-{self.day:%Y%m%d}-{self.letters_written:06d}.xml"


def party(account: Account) -> Counterparty:
    return Counterparty(account.number, account.name, account.bank)
