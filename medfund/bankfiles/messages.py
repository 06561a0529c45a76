"""What is in a bank file, whatever the file looks like: transfers, the bank's report, notifications, statements.

What stays true: a message that exists can be written. Its texts fit, it names no identification twice, its details are
no more than its entries, and its entries add up to its balances. Amounts are fen of yuan; there is no other currency
here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct, msgpack

from medfund import money
from medfund.bankfiles.refusals import BadFile, Code

Direction: TypeAlias = Literal["OUT", "IN"]
GroupStatus: TypeAlias = Literal["ACCP", "PART", "PDNG", "RJCT"]

ID_MAX = 35
NAME_MAX = 140
REMITTANCE_MAX = 140
REASON_MAX = 105
TEXT_MAX = 500

# Control characters, line ends that XML and CSV do not keep, halves of characters, and what Unicode keeps for itself.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]").search
_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,33}").fullmatch
_CNAPS = re.compile(r"[0-9]{12}").fullmatch


class Account(Struct, frozen=True, gc=False):
    """An account that money goes to or leaves: its number, whose it is, and its bank's 12-digit CNAPS code."""

    number: str
    name: str
    bank: str

    def __post_init__(self) -> None:
        if _NUMBER(self.number) is None:
            raise BadFile(Code.BAD_ACCOUNT, f"{self.number[:40]!r} is no account number of 1 to 34 letters and digits")
        if _CNAPS(self.bank) is None:
            raise BadFile(Code.BAD_ACCOUNT, f"{self.bank[:40]!r} is no clearing code of 12 digits")
        check_text(self.name, "the account's name", NAME_MAX)


class Counterparty(Struct, frozen=True, gc=False):
    """The other side of an entry, as far as the bank says: any of the three may be empty."""

    number: str = ""
    name: str = ""
    bank: str = ""

    def __post_init__(self) -> None:
        check_text(self.number, "the counterparty's number", 34, empty=True)
        check_text(self.name, "the counterparty's name", NAME_MAX, empty=True)
        check_text(self.bank, "the counterparty's bank", ID_MAX, empty=True)
        if not (self.number or self.name or self.bank):
            raise BadFile(Code.INCOMPLETE, "a counterparty of whom nothing is known")


class Transfer(Struct, frozen=True, gc=False):
    """One payment. `end_to_end_id` is ours, and comes back in whatever the bank says of it."""

    end_to_end_id: str
    amount: int
    creditor: Account
    remittance: str = ""

    def __post_init__(self) -> None:
        check_text(self.end_to_end_id, "the payment's identification", ID_MAX)
        _positive(self.amount)
        check_text(self.remittance, "the remittance information", REMITTANCE_MAX, empty=True)


class Order(Struct, frozen=True):
    """What a payment file says beside its payments: how many they are and what they make, before it names them."""

    message_id: str
    created: datetime
    debtor: Account
    execute_on: date
    payments: int
    total: int

    def __post_init__(self) -> None:
        _message(self.message_id, self.created)
        if not self.payments:
            raise BadFile(Code.INCOMPLETE, "a payment file without a payment")


class Transfers(Struct, frozen=True):
    """A payment file: what the bank is asked to pay from one account on one day."""

    message_id: str
    created: datetime
    debtor: Account
    execute_on: date
    transfers: tuple[Transfer, ...]

    def __post_init__(self) -> None:
        _message(self.message_id, self.created)
        if not self.transfers:
            raise BadFile(Code.INCOMPLETE, "a payment file without a payment")
        _once((transfer.end_to_end_id for transfer in self.transfers), "payment")

    @property
    def total(self) -> int:
        return sum(transfer.amount for transfer in self.transfers)

    @property
    def order(self) -> Order:
        count = len(self.transfers)
        return Order(self.message_id, self.created, self.debtor, self.execute_on, count, self.total)


class Status(Struct, frozen=True, gc=False):
    """What the bank says of one payment; `accepted` is None where it has not decided. A code says why, where it was not
    accepted. `unknown` is the bank's own word for it, where that is none of the standard's."""

    end_to_end_id: str
    accepted: bool | None
    code: str = ""
    text: str = ""
    unknown: str = ""

    def __post_init__(self) -> None:
        check_text(self.end_to_end_id, "the payment's identification", ID_MAX)
        _reason(self.code, self.text)


class Report(Struct, frozen=True):
    """The bank's answer to a payment file. `PART`: some of its payments were accepted; statuses say which. `PDNG`: it
    has not decided. Of a payment that is not named, only `ACCP` and `RJCT` say anything."""

    message_id: str
    created: datetime
    original_message_id: str
    status: GroupStatus
    code: str = ""
    text: str = ""
    statuses: tuple[Status, ...] = ()
    unknown: str = ""

    def __post_init__(self) -> None:
        _message(self.message_id, self.created)
        check_text(self.original_message_id, "the payment file's identification", ID_MAX)
        _reason(self.code, self.text)
        _once((status.end_to_end_id for status in self.statuses), "payment")
        answers = {status.accepted for status in self.statuses}
        if (self.status == "ACCP" and False in answers) or (self.status == "RJCT" and True in answers):
            raise BadFile(Code.CONTRADICTION, f"the file is {self.status}, and one of its payments is the opposite")


class Detail(Struct, frozen=True, gc=False, omit_defaults=True):
    """One payment inside an entry; with a return code, one that came back. `files` are the payment files that the bank
    names beside it: of what names no payment of ours, they say which payments it is."""

    amount: int
    end_to_end_id: str | None = None
    return_code: str | None = None
    return_text: str | None = None
    counterparty: Counterparty | None = None
    remittance: str = ""
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _positive(self.amount)
        if self.end_to_end_id is not None:
            check_text(self.end_to_end_id, "the payment's identification", ID_MAX)
        if self.return_code is not None:
            check_text(self.return_code, "the return code", ID_MAX)
        if self.return_text is not None:
            check_text(self.return_text, "the return's reason", REASON_MAX)
            if self.return_code is None:
                raise BadFile(Code.INCOMPLETE, "a reason for a return, and no code that says it is one")
        if self.remittance:
            check_text(self.remittance, "the remittance information", REMITTANCE_MAX)
        for file in self.files:
            check_text(file, "the payment file's identification", ID_MAX)


class Entry(Struct, frozen=True, gc=False, omit_defaults=True):
    """One movement of an account, as the bank booked it.

    `details` are the payments in it: one as a rule, several in a batch booking, none where the bank says nothing more.
    They may be less than the entry: the bank's own charge is in it too. A `reversal` takes an entry of the other
    direction back.
    """

    bank_txn: str
    direction: Direction
    amount: int
    booked_on: date
    value_date: date
    text: str = ""
    details: tuple[Detail, ...] = ()
    reversal: bool = False

    def __post_init__(self) -> None:
        check_text(self.bank_txn, "the bank's number", ID_MAX)
        _positive(self.amount)
        if self.text:
            check_text(self.text, "the entry's text", TEXT_MAX)
        if self.details and (total := sum([detail.amount for detail in self.details])) > self.amount:
            raise BadFile(Code.WRONG_SUM, _difference(f"entry {self.bank_txn}", self.amount, "its details", total))

    @property
    def signed(self) -> int:
        """What it does to the balance."""
        return self.amount if self.direction == "IN" else -self.amount

    @property
    def file(self) -> str | None:
        """The payment file that it is for, where the bank names no other one beside it."""
        named = {file for detail in self.details for file in detail.files}
        return named.pop() if len(named) == 1 else None


class Side(NamedTuple):
    """How many entries there are, and how much they are."""

    number: int
    fen: int


@dataclass
class Beside:
    """What a bank tells of beside what it has booked, how often and how much: what it only announces, and entries of
    nothing. Neither moves money."""

    announced: int = 0
    nothing: int = 0
    numbers: Counter[Direction] = field(default_factory=Counter)
    fens: Counter[Direction] = field(default_factory=Counter)

    def add(self, direction: Direction, fen: int) -> None:
        if fen:
            self.announced += 1
        else:
            self.nothing += 1
        self.numbers[direction] += 1
        self.fens[direction] += fen

    @classmethod
    def together(cls, many: Iterable["Beside"]) -> "Beside":
        found = cls()
        for one in many:
            found.announced += one.announced
            found.nothing += one.nothing
            found.numbers += one.numbers
            found.fens += one.fens
        return found


class Entries:
    """The entries of a message, in its order and none of them twice: number, direction and booking day name one. Not to
    be changed. What is told `beside` them is filled as they come, and is no part of what they are.

    They are kept packed, in a quarter of the memory. To go through them unpacks a part after the other.
    """

    __slots__ = ("_counts", "_fens", "_packed", "beside", "by_statement")

    def __init__(self, entries: Iterable[Entry] = (), beside: Beside | None = None) -> None:
        self.beside = beside or Beside()
        self.by_statement = 0
        """How many are known by their place in a statement."""
        self._counts: Counter[tuple[Direction, date]] = Counter()
        self._fens: Counter[tuple[Direction, date]] = Counter()
        self._packed: list[bytes] = []
        names: set[tuple[str, Direction, date]] = set()
        left = iter(entries)
        while part := list(islice(left, PACKED_TOGETHER)):
            for entry in part:
                name = entry.bank_txn, entry.direction, entry.booked_on
                if name in names:
                    raise BadFile(Code.REPEATED, f"entry {entry.bank_txn} of {entry.booked_on} is there twice")
                names.add(name)
                self.by_statement += entry.bank_txn.startswith(BY_STATEMENT)
                way = entry.direction, entry.booked_on
                self._counts[way] += 1
                self._fens[way] += entry.amount
            self._packed.append(_PACKER.encode(part))

    def __iter__(self) -> Iterator[Entry]:
        for packed in self._packed:
            yield from _UNPACKER.decode(packed)

    def __len__(self) -> int:
        return self._counts.total()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entries) and self._packed == other._packed

    def __hash__(self) -> int:
        return hash(tuple(self._packed))

    def __repr__(self) -> str:
        return f"Entries({list(self)!r})"

    def side(self, direction: Direction) -> Side:
        """What went one way, in all."""
        ways = [way for way in self._counts if way[0] == direction]
        return Side(sum(self._counts[way] for way in ways), sum(self._fens[way] for way in ways))

    @property
    def signed(self) -> int:
        """What they do to the balance."""
        return self.side("IN").fen - self.side("OUT").fen

    def days(self, direction: Direction) -> Sequence[date]:
        """The booking days of what went one way."""
        return sorted(day for way, day in self._counts if way == direction)

    def of(self, direction: Direction, day: date) -> Iterator[Entry]:
        return (entry for entry in self if (entry.direction, entry.booked_on) == (direction, day))


PACKED_TOGETHER = 1000
_PACKER = msgpack.Encoder()
_UNPACKER = msgpack.Decoder(list[Entry])


class Notification(Struct, frozen=True):
    """Entries of one account that the bank tells of as they happen."""

    message_id: str
    created: datetime
    account: str
    entries: Entries

    def __post_init__(self) -> None:
        _message(self.message_id, self.created)
        _account_number(self.account)


class Statement(Struct, frozen=True):
    """All entries of one account on one day, between its two balances."""

    message_id: str
    created: datetime
    account: str
    day: date
    opening: int
    closing: int
    entries: Entries

    def __post_init__(self) -> None:
        _message(self.message_id, self.created)
        _account_number(self.account)
        _in_range(self.opening)
        _in_range(self.closing)
        reached = self.opening + self.entries.signed
        if reached != self.closing:
            known = "the opening balance and the entries"
            raise BadFile(Code.WRONG_SUM, _difference("the closing balance", self.closing, known, reached))


def by_statement(statement: str, entry: str) -> str:
    """The name of a line that has no number of the bank's: its place in a statement. It is told from such a number."""
    name = f"{BY_STATEMENT}{statement}/{entry}"
    return name if len(name) <= ID_MAX else BY_STATEMENT + sha256(name.encode()).hexdigest()[: ID_MAX - 1]


BY_STATEMENT = "#"

Message: TypeAlias = Transfers | Report | Notification | Statement


def check_text(text: str, what: str, most: int, *, empty: bool = False) -> None:
    if not text and not empty:
        raise BadFile(Code.BAD_TEXT, f"{what} is empty")
    if len(text) > most:
        raise BadFile(Code.BAD_TEXT, f"{what} has {len(text)} characters, and at most {most} fit: {text[:40]!r}")
    if _UNWRITABLE(text):
        raise BadFile(Code.BAD_TEXT, f"{what} has a control character: {text[:40]!r}")


def _message(message_id: str, created: datetime) -> None:
    check_text(message_id, "the file's identification", ID_MAX)
    if created.tzinfo is None:
        raise BadFile(Code.BAD_DATE, f"{created} says no time zone")


def _account_number(number: str) -> None:
    if _NUMBER(number) is None:
        raise BadFile(Code.BAD_ACCOUNT, f"{number[:40]!r} is no account number of 1 to 34 letters and digits")


def _reason(code: str, text: str) -> None:
    check_text(code, "the reason's code", ID_MAX, empty=True)
    check_text(text, "the reason", REASON_MAX, empty=True)
    if text and not code:
        raise BadFile(Code.INCOMPLETE, f"a reason without a code: {text!r}")


def _positive(amount: int) -> None:
    if not 0 < amount <= money.FEN_MAX:
        raise BadFile(Code.BAD_AMOUNT, f"{money.yuan(amount)} yuan is nothing that can be paid")


def _in_range(amount: int) -> None:
    if abs(amount) > money.FEN_MAX:
        raise BadFile(Code.BAD_AMOUNT, f"{money.yuan(amount)} yuan is no balance")


def _once(names: Iterable[str], what: str) -> None:
    name, times = max(Counter(names).items(), key=lambda counted: counted[1], default=("", 0))
    if times > 1:
        raise BadFile(Code.REPEATED, f"{what} {name} is there {times} times")


def _difference(left: str, here: int, right: str, there: int) -> str:
    said = f"{left}: {money.yuan(here)} yuan, {right}: {money.yuan(there)} yuan"
    return f"{said}, a difference of {money.yuan(here - there)} yuan"
