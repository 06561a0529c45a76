"""In which form files are exchanged: the standard's (ISO 20022), or one of the bank's own for some accounts.

What stays true: a file's name says its form, and what is written is checked before it goes out. What files say is the
same in each form.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from clearing.bank.register import UnknownAccount
from medfund.bankfiles import iso20022, templates
from medfund.bankfiles.messages import Message, Order, Transfer, Transfers
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.templates import Answer, Template

STANDARD, OWN = ".pain.001.xml", ".csv"


def names(run_ref: str) -> Sequence[str]:
    """What a run's file may be called."""
    return f"{run_ref}{STANDARD}", f"{run_ref}{OWN}"


def name_of(run_ref: str, template: Template | None) -> str:
    standard, own = names(run_ref)
    return own if template else standard


class Writer(Protocol):
    """A payment file, whose payments come in parts."""

    def add(self, transfers: Sequence[Transfer]) -> None: ...

    def end(self) -> None:
        """The file is whole, and good: by the official schema, or because it says the same when it is read again.

        Raises `BadFile`."""


def writer(template: Template | None, order: Order, into: BinaryIO, *, pain_001: str) -> Writer:
    """`pain_001`: in which version of the standard, where it is in the standard's form."""
    return _Standard(order, into, iso20022.PAYMENT_FILES[pain_001]) if template is None else _Own(template, order, into)


class _Standard:
    def __init__(self, order: Order, into: BinaryIO, kind: iso20022.Kind) -> None:
        self._into = into
        self._kind = kind
        self._writer = iso20022.writer(order, into, kind)
        self.add = self._writer.add

    def end(self) -> None:
        self._writer.end()
        iso20022.validate(self._into, self._kind)


class _Own:
    def __init__(self, template: Template, order: Order, into: BinaryIO) -> None:
        self._template, self._order, self._into = template, order, into
        self._transfers: list[Transfer] = []
        self.add = self._transfers.extend

    def end(self) -> None:
        order = self._order
        transfers = tuple(self._transfers)
        message = Transfers(order.message_id, order.created, order.debtor, order.execute_on, transfers)
        templates.write_transfers(self._template, message, self._into)
        if message.order != order or templates.read_transfers(self._template, self._into) != message:
            raise BadFile(Code.CONTRADICTION, f"{self._template.name}: what was written is read as something else")


def read(file: Path, known: Mapping[str, Template]) -> list[Message]:
    """What the bank says in a file. `known`: the forms that accounts of the register have. Raises `BadFile`,
    `UnknownAccount`."""
    if file.suffix.lower() != OWN:
        return [*iso20022.read_all(file)]
    if not known:
        raise UnknownAccount("no account of the register has a form of its own, and this is none of the standard's")
    said = _read(file, known.values())
    if isinstance(said, Answer):
        return [message for message in (said.report, said.notification) if message is not None]
    return [said]


def _read(file: Path, forms: Iterable[Template]) -> Answer | Message:
    refusals = []
    for template in forms:
        try:
            return templates.read(template, file)
        except templates.OtherForm as refused:
            refusals.append(refused.detail)
    raise BadFile(Code.SCHEMA, "; ".join(refusals))
