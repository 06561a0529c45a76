"""Entries of an account, as camt.053 and camt.054 both write them; only one of them says when the books are closed.

The other side of an entry is the creditor where money left, and also where it came back: a return names the parties of
the payment that failed. Neither that side nor what an entry says in words is read: nothing is decided by them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain, groupby
from typing import TypeAlias

from medfund import money
from medfund.bankfiles.iso20022 import parts
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import leaf, leaf_if, node
from medfund.bankfiles.messages import Beside, Counterparty, Detail, Direction, Entries, Entry, Side, by_statement
from medfund.bankfiles.refusals import BadFile, Code


def account(number: str) -> str:
    return parts.number("Acct", number, currency=True)


def read_account(pages: Sequence[Part]) -> str:
    """Whose all pages are."""
    numbers = {_read_account(page.need_part("Acct", "account")) for page in pages}
    if len(numbers) > 1:
        raise BadFile(Code.CONTRADICTION, f"the pages of one report are of {len(numbers)} accounts")
    return numbers.pop()


def _read_account(found: Part) -> str:
    if (currency := found.text("Ccy") or parts.CURRENCY) != parts.CURRENCY:
        raise BadFile(Code.WRONG_CURRENCY, f"the account is in {currency}; the fund's accounts are in {parts.CURRENCY}")
    return (parts.read_number(found) or "").strip()


def summary(entries: Entries) -> str:
    """How many entries there are and how much they are, in all and by direction."""
    return node("TxsSummry", *(_side(tag, next(_counted(entries, tag))) for tag in _WAYS))


def _side(tag: str, side: Side) -> str:
    return node(tag, leaf("NbOfNtries", str(side.number)), leaf("Sum", money.yuan(side.fen)))


def check_summary(page: Part, *those: Entries) -> None:
    """What a page counts are its own entries or all of the report's, and of them what is booked or whatever is told."""
    for tag in _WAYS:
        if (said := page.part(f"TxsSummry/{tag}")) is not None:
            what, sides = _WAYS[tag][0], [side for entries in those for side in _counted(entries, tag)]
            parts.check_count(said.text("NbOfNtries"), *(side.number for side in sides), what=what)
            parts.check_sum(said.text("Sum"), *(side.fen for side in sides), what=f"the {what}")


_WAYS: Mapping[str, tuple[str, Sequence[Direction]]] = {
    "TtlNtries": ("entries", ("IN", "OUT")),
    "TtlCdtNtries": ("credits", ("IN",)),
    "TtlDbtNtries": ("debits", ("OUT",)),
}


def _counted(entries: Entries, tag: str) -> Iterator[Side]:
    """What is booked, and that with what is told beside it."""
    ways, beside = _WAYS[tag][1], entries.beside
    sides = [entries.side(way) for way in ways]
    number, fen = sum(side.number for side in sides), sum(side.fen for side in sides)
    yield Side(number, fen)
    yield Side(number + sum(beside.numbers[way] for way in ways), fen + sum(beside.fens[way] for way in ways))


def entry(of: Entry) -> str:
    return node(
        "Ntry",
        parts.amount("Amt", of.amount),
        parts.direction(of.direction),
        leaf("RvslInd", "true") if of.reversal else None,
        node("Sts", leaf("Cd", "BOOK")),
        parts.day("BookgDt", of.booked_on),
        parts.day("ValDt", of.value_date),
        leaf("AcctSvcrRef", of.bank_txn),
        _transaction_code(of),
        _details(of),
        leaf_if("AddtlNtryInf", of.text),
    )


def _transaction_code(of: Entry) -> str:
    """Mandatory in the standard; not read, because what an entry is follows from what it names."""
    returned = any(detail.return_code for detail in of.details)
    family = node(
        "Fmly",
        leaf("Cd", "RCDT" if of.direction == "IN" and not returned else "ICDT"),
        leaf("SubFmlyCd", "RRTN" if returned else "DMCT"),
    )
    return node("BkTxCd", node("Domn", leaf("Cd", "PMNT"), family))


def _details(of: Entry) -> str | None:
    """Several payments of one file are its batch; any other payment names its file itself."""
    if not of.details:
        return None
    files = of.details[0].files
    in_batch = len(of.details) > 1 and len(files) == 1 and all(detail.files == files for detail in of.details)
    batch = _batch(of.details, files[0]) if in_batch else None
    return node("NtryDtls", batch, *(_detail(of, detail, () if in_batch else detail.files) for detail in of.details))


def _batch(details: Sequence[Detail], file: str) -> str:
    total = sum(detail.amount for detail in details)
    return node("Btch", leaf("MsgId", file), leaf("NbOfTxs", str(len(details))), parts.amount("TtlAmt", total))


def _detail(of: Entry, detail: Detail, files: Sequence[str]) -> str:
    message_id, order_id = (*files, None, None)[:2]
    named = message_id or detail.end_to_end_id
    refs = (leaf_if("MsgId", message_id), leaf_if("PmtInfId", order_id), leaf_if("EndToEndId", detail.end_to_end_id))
    return node(
        "TxDtls",
        node("Refs", *refs) if named else None,
        parts.amount("Amt", detail.amount),
        parts.direction(of.direction),
        *_counterparty(_role(of.direction, detail.return_code), detail.counterparty),
        parts.remittance(detail.remittance),
        parts.reason("RtrInf", detail.return_code, detail.return_text),
    )


def _role(direction: Direction, return_code: str | None) -> str:
    return "Cdtr" if direction == "OUT" or return_code else "Dbtr"


def _counterparty(role: str, other: Counterparty | None) -> Iterator[str]:
    if other is None:
        return
    named = node(role, node("Pty", leaf("Nm", other.name))) if other.name else None
    numbered = parts.number(f"{role}Acct", other.number) if other.number else None
    if other.name or other.number:
        yield node("RltdPties", named, numbered)
    if other.bank:
        yield node("RltdAgts", parts.agent(f"{role}Agt", other.bank))


NameOf: TypeAlias = Callable[[Part], str | None]
"""What a statement is called, by which its lines can be named; None where it names none."""


def read(found: Document, name_of: NameOf = lambda within: None) -> Mapping[Part, Entries]:
    """The entries of each statement or notification of the file that has any."""
    with closing(found.records()) as told:
        numbered = enumerate(told, 1)
        return {
            within: _read_all(((at, record) for at, (_, record) in records), name_of(within))
            for within, records in groupby(numbered, key=lambda one: one[1][0])
        }


def of_pages(pages: Sequence[Part], booked: Mapping[Part, Entries]) -> Entries:
    """The entries of all pages; each page counts its own, or those of all."""
    found = [booked.get(page, Entries()) for page in pages]
    all_ = together(found)
    for page, entries in zip(pages, found, strict=True):
        check_summary(page, entries, all_)
    return all_


def together(found: Sequence[Entries]) -> Entries:
    if len(found) == 1:
        return found[0]
    return Entries(chain.from_iterable(found), Beside.together([entries.beside for entries in found]))


def _read_all(records: Iterable[tuple[int, Part]], name: str | None) -> Entries:
    beside = Beside()
    return Entries(_read(records, name, beside), beside)


def _read(records: Iterable[tuple[int, Part]], name: str | None, beside: Beside) -> Iterator[Entry]:
    for at, record in records:
        try:
            entry = _read_entry(record, name, beside)
        except BadFile as refused:
            raise refused.at(f"entry {at}") from None
        if entry is not None:
            yield entry


def _read_entry(record: Part, name: str | None, beside: Beside) -> Entry | None:
    """None where it moves nothing: what is only announced comes again when it is booked."""
    amount, direction = parts.read_amount(record, "Amt", "amount"), parts.read_direction(record)
    if not _is_booked(record) or not amount:
        beside.add(direction, amount)
        return None
    groups = record.parts("NtryDtls")
    booked_on = parts.read_day(record, "BookgDt", "booking day")
    return Entry(
        bank_txn=_bank_txn(record, groups, name),
        direction=direction,
        amount=amount,
        booked_on=booked_on,
        value_date=parts.find_day(record, "ValDt", "value date") or booked_on,
        details=tuple([detail for group in groups for detail in _read_group(group, direction, amount, len(groups))]),
        reversal=(record.text("RvslInd") or "").strip() in ("true", "1"),
    )


def _is_booked(record: Part) -> bool:
    """Early versions have the code in the status itself. A word of the bank's own may mean either."""
    code = record.text("Sts/Cd") or record.text("Sts/Prtry") or record.need("Sts", "status").strip()
    if code not in _STATUSES:
        raise BadFile(Code.UNKNOWN_CODE, f"its status is {code[:40]!r}, and the standard's are {', '.join(_STATUSES)}")
    return code == "BOOK"


# The standard's own list (ExternalEntryStatus1Code): booked, pending, for information, of a later day.
_STATUSES = ("BOOK", "PDNG", "INFO", "FUTR")
_NONE = frozenset({"NOTPROVIDED", "NONREF"})
"""What banks write where they have no reference."""


def _reference(part: Part, path: str) -> str | None:
    text = part.text(path)
    return None if text in _NONE else text


def _name(part: Part, path: str) -> str | None:
    """A reference of ours: blanks around it are the bank's layout."""
    text = (part.text(path) or "").strip()
    return None if text in _NONE else text or None


def _bank_txn(record: Part, groups: Sequence[Part], name: str | None) -> str:
    """The bank's number of a line; else its place in its statement, where the statement has a name."""
    if (own := _reference(record, "AcctSvcrRef")) is not None:
        return own
    payments = [payment for group in groups for payment in group.parts("TxDtls")]
    if len(payments) == 1 and (own := _reference(payments[0], "Refs/AcctSvcrRef")) is not None:
        return own
    if name is not None and (entry := _name(record, "NtryRef")) is not None:
        return by_statement(name, entry)
    raise BadFile(Code.INCOMPLETE, "the bank gives it no number (AcctSvcrRef), nor a place in a statement (NtryRef)")


def _read_group(group: Part, direction: Direction, amount: int, of: int) -> Iterator[Detail]:
    """What a group says is of its own payments. One that names none is of a payment file, where it names that."""
    batch, payments = group.part("Btch"), group.parts("TxDtls")
    if batch is None:
        whole = amount if of == 1 and len(payments) == 1 else None
        read = [_read_detail(payment, direction, whole) for payment in payments]
    else:
        read = _read_batch(batch, payments, direction, amount if of == 1 else None)
    yield from (detail for detail in read if detail is not None)


def _read_batch(batch: Part, payments: Sequence[Part], direction: Direction, amount: int | None) -> list[Detail | None]:
    """`amount`: of the whole entry, where the batch is alone in it. It counts that, or its payments."""
    files = _files(batch)
    total = parts.fen(said) if (said := batch.text("TtlAmt")) is not None else amount
    if not payments:
        return [Detail(total, files=files)] if files and total else []
    read = [_read_detail(payment, direction, total if len(payments) == 1 else None, files) for payment in payments]
    parts.check_count(batch.text("NbOfTxs"), len(payments), what="payments in a batch")
    totals = [sum(detail.amount for detail in read if detail is not None), *([amount] if amount else [])]
    parts.check_sum(said, *totals, what="the batch")
    return read


def _files(part: Part | None) -> tuple[str, ...]:
    """Both names that a payment file has: its own, and that of its order."""
    if part is None:
        return ()
    names = _name(part, "MsgId"), _name(part, "PmtInfId")
    return tuple([name for name in names if name is not None])


def _read_detail(payment: Part, direction: Direction, whole: int | None, files: tuple[str, ...] = ()) -> Detail | None:
    """Nothing where it is of nothing. `whole`: how much it is, where it is alone in its group and the bank need not
    repeat that."""
    said = payment.text("CdtDbtInd")
    if said is not None and parts.direction_of(said) != direction:
        raise BadFile(Code.CONTRADICTION, "a payment in the entry goes the other way than the entry")
    if not (amount := _detail_amount(payment, whole)):
        return None
    refs, returned = payment.part("Refs"), payment.part("RtrInf")
    code, text = parts.read_reason(returned) if returned is not None else ("", "")
    return Detail(
        amount=amount,
        end_to_end_id=None if refs is None else _name(refs, "EndToEndId"),
        return_code=code or None,
        return_text=text or None,
        files=tuple(dict.fromkeys(_files(refs) + files)) if files else _files(refs),
    )


def _detail_amount(payment: Part, whole: int | None) -> int:
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if (said := payment.part(path)) is not None:
            return parts.amount_of(said, "amount of a payment")
    if whole is None:
        raise BadFile(Code.INCOMPLETE, "one of several payments in the entry has no amount")
    return whole
