"""The bank at work on the folders: takes what lies in `out/`, keeps its books in one file, puts its letters into `in/`.

What stays true, also when it is killed at any point: a file is worked once, because it is numbered when it is taken and
the books say which number was the last; a letter is put once, because it is in the books before it is put, under a name
of its own, and handed over as `medfund.bankfiles.handing` does.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from medfund import faults
from medfund.bank import misbehaviour, payments
from medfund.bank.books import Books, Customer, Letter, Payment
from medfund.bank.misbehaviour import Wish
from medfund.bankfiles import folders, handing, iso20022
from medfund.bankfiles.messages import Account, Counterparty, Detail, Direction, Entries, Entry
from medfund.bankfiles.refusals import BadFile

LOOK_S = 0.1
"""How often a bank that follows looks into `out/`."""

FISCAL = Counterparty(name="财政专户")


class BooksLost(RuntimeError):
    """A bank that forgot what it did would do it again."""


@contextmanager
def opened(
    *, root: Path, state: Path, day: date, accounts: Iterable[tuple[Account, int]] = (), wishes: Sequence[Wish] = ()
) -> Iterator["Desk"]:
    """The bank, for this process alone. `accounts`, with what they hold, and `day` begin books that are not there."""
    files = state.with_name(f"{state.name}.d")
    for folder in (root / "out", root / "in", files / "taken", files / "sent"):
        folder.mkdir(parents=True, exist_ok=True)
    with folders.locked(files):
        if not state.exists():
            if any(files.glob("*/*")):
                raise BooksLost(f"{state} is missing, and {files} has what the bank did")
            customers = {account.number: Customer(account, balance, balance) for account, balance in accounts}
            _save(state, Books(day, customers))
        yield Desk(root, state, files, wishes)


def _save(state: Path, books: Books) -> None:
    handing.replace(state, _ENCODER.encode(books))


def _entries(wanted: type, found: object) -> Entries:
    return Entries(msgspec.convert(found, list[Entry]))


# A letter's entries are written as the list that they are.
_ENCODER = msgspec.json.Encoder(enc_hook=list)
_DECODER = msgspec.json.Decoder(Books, dec_hook=_entries)


class Desk:
    """Made by `opened`. Every call leaves the books on the disk and the letters in `in/`."""

    def __init__(self, root: Path, state: Path, files: Path, wishes: Sequence[Wish]) -> None:
        self._out, self._in = root / "out", root / "in"
        self._taken, self._sent = files / "taken", files / "sent"
        self._state = state
        self.wishes = wishes
        self._books = _DECODER.decode(state.read_bytes())
        self._post()

    @property
    def day(self) -> date:
        return self._books.day

    @property
    def payments(self) -> dict[str, Payment]:
        """How often each payment was asked for, made, and given back."""
        return self._books.payments

    @property
    def balances(self) -> dict[str, int]:
        return {number: customer.balance for number, customer in self._books.customers.items()}

    def work(self) -> int:
        """Work what lies in `out/`; how many files there were."""
        self._take()
        files = [file for file in sorted(self._taken.iterdir()) if _number(file) > self._books.files_taken]
        for file in files:
            self._read(file)
            self._books.files_taken = _number(file)
            self._commit()
        return len(files)

    def follow(self) -> None:
        """Work until the process ends."""
        while True:
            if not self.work():
                time.sleep(LOOK_S)

    def to_day(self, day: date, *, quiet: bool = False) -> None:
        """Close the days before, each with its statements, and do what was put off until then. `quiet`: an account on
        which nothing moved has none."""
        if day < self._books.day:
            raise ValueError(f"the bank is at {self._books.day} already")
        while self._books.day < day:
            self._books.close_day(quiet=quiet)
            payments.catch_up(self._books)
            self._commit()

    def close_day(self) -> None:
        """The day's statements; then the next day begins with what was put off until it."""
        self._books.close_day()
        payments.catch_up(self._books)
        self._commit()

    def credit(self, account: str, *, amount: int, text: str, reference: str | None = None) -> None:
        """Money from the fiscal account, or from anybody."""
        self._move(account, "IN", amount, text, reference)

    def debit(self, account: str, *, amount: int, text: str, reference: str | None = None) -> None:
        """Money that leaves and that no payment file asked for: a fee, a seizure, a mistake."""
        self._move(account, "OUT", amount, text, reference)

    def give_back(self, end_to_end_id: str, *, code: str) -> None:
        """A payment comes back today."""
        payments.give_back(self._books, end_to_end_id, code)
        self._commit()

    def _move(self, account: str, direction: Direction, amount: int, text: str, reference: str | None) -> None:
        other = FISCAL if direction == "IN" else None
        detail = Detail(amount, reference, counterparty=other, remittance=text)
        entry = self._books.book(account, direction, [detail], text=text)
        self._books.outbox.append(self._books.tell(account, [entry]))
        self._commit()

    def _take(self) -> None:
        """Number what lies there, and take it away in the same step."""
        last = max((_number(file) for file in self._taken.iterdir()), default=0)
        waiting = sorted(path for path in self._out.iterdir() if not path.name.startswith("."))
        for number, file in enumerate(waiting, last + 1):
            os.rename(file, self._taken / f"{number:06d}-{file.name}")
            faults.point("bank.taken")
        if waiting:
            handing.sync(self._taken)

    def _read(self, file: Path) -> None:
        try:
            message = iso20022.read_transfers(file)
        except BadFile as refused:
            payments.refuse_file(self._books, file.name.partition("-")[2], refused)
        else:
            payments.take(self._books, _number(file), message, self.wishes)

    def _commit(self) -> None:
        faults.point("bank.decided")
        _save(self._state, self._books)
        faults.point("bank.committed")
        self._post()

    def _post(self) -> None:
        """Put the letters that are in the books; the next commit forgets them, and putting one again does nothing."""
        for letter in self._books.outbox:
            handing.hand_over(letter.name, partial(_write, letter), into=self._in, archive=self._sent)
            faults.point("bank.posted")
        self._books.outbox = []


def _number(file: Path) -> int:
    return int(file.name.partition("-")[0])


def _write(letter: Letter, into: BinaryIO) -> None:
    message = letter.report or letter.notification or letter.statement
    if message is None:
        raise AssertionError(f"{letter.name} has no message")
    if letter.spoiled:
        into.write(misbehaviour.ON_THE_WAY[letter.spoiled](iso20022.encoded(message)))
    else:
        iso20022.write(message, into)


def summary(desk: Desk) -> dict[str, object]:
    """For scripts: the day, the balances in fen, and what was asked for and made in all."""
    known = desk.payments.values()
    return {
        "day": desk.day,
        "balances": desk.balances,
        "asked": sum(payment.asked for payment in known),
        "paid": sum(payment.paid for payment in known),
        "returned": sum(payment.returned for payment in known),
        "paid_more_than_once": sorted(name for name, payment in desk.payments.items() if payment.paid > 1),
    }
