"""Entries of an account, as camt.053 and camt.054 both write them; only one of them says when the books are closed.

The other side of an entry is the creditor where money left, and also where it came back: a return names the parties of
the payment that failed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from medfund import money
from medfund.bankfiles.iso20022 import parts
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import leaf, leaf_if, node
from medfund.bankfiles.messages import Counterparty, Detail, Direction, Entries, Entry, Side
from medfund.bankfiles.refusals import BadFile, Code, place


def account(number: str) -> str:
    return parts.number("Acct", number, currency=True)


def read_account(part: Part) -> str:
    found = part.need_part("Acct", "account")
    if (currency := found.text("Ccy") or parts.CURRENCY) != parts.CURRENCY:
        raise BadFile(Code.WRONG_CURRENCY, f"the account is in {currency}; the fund's accounts are in {parts.CURRENCY}")
    return parts.read_number(found) or ""


def summary(entries: Entries) -> str:
    """How many entries there are and how much they are, in all and by direction."""
    return node("TxsSummry", *(_side(tag, side) for tag, _, side in _sides(entries)))


def _sides(entries: Entries) -> Iterator[tuple[str, str, Side]]:
    credits, debits = entries.side("IN"), entries.side("OUT")
    yield "TtlNtries", "entries", Side(credits.number + debits.number, credits.fen + debits.fen)
    yield "TtlCdtNtries", "credits", credits
    yield "TtlDbtNtries", "debits", debits


def _side(tag: str, side: Side) -> str:
    return node(tag, leaf("NbOfNtries", str(side.number)), leaf("Sum", money.yuan(side.fen)))


def check_summary(part: Part, entries: Entries) -> None:
    for tag, what, side in _sides(entries):
        if (said := part.part(f"TxsSummry/{tag}")) is not None:
            parts.check_count(said.text("NbOfNtries"), side.number, what)
            parts.check_sum(said.text("Sum"), side.fen, f"the {what}")


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
    """One payment names its file itself; of several, or of none, the batch does."""
    single = len(of.details) == 1
    if not of.details and of.message_id is None:
        return None
    batch = None if single or of.message_id is None else _batch(of)
    return node("NtryDtls", batch, *(_detail(of, detail, of.message_id if single else None) for detail in of.details))


def _batch(of: Entry) -> str:
    count = leaf("NbOfTxs", str(len(of.details))) if of.details else None
    return node("Btch", leaf_if("MsgId", of.message_id), count, parts.amount("TtlAmt", of.amount))


def _detail(of: Entry, detail: Detail, message_id: str | None) -> str:
    named = message_id or detail.end_to_end_id
    return node(
        "TxDtls",
        node("Refs", leaf_if("MsgId", message_id), leaf_if("EndToEndId", detail.end_to_end_id)) if named else None,
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


def read(found: Document) -> Entries:
    return Entries(_read(found))


def _read(found: Document) -> Iterator[Entry]:
    for at, record in enumerate(found.records(), 1):
        with place(f"entry {at}"):
            entry = _read_entry(record)
        yield entry


def _read_entry(record: Part) -> Entry:
    if (status := record.need("Sts/Cd", "status")) != "BOOK":
        raise BadFile(Code.NOT_BOOKED, f"its status is {status}; only what is booked is money")
    amount, direction = parts.read_amount(record, "Amt", "amount"), parts.read_direction(record)
    groups = record.parts("NtryDtls")
    payments = [payment for group in groups for payment in group.parts("TxDtls")]
    for batch in (batch for group in groups for batch in group.parts("Btch")):
        _check_batch(batch, payments, amount)
    return Entry(
        bank_txn=_bank_txn(record, payments),
        direction=direction,
        amount=amount,
        booked_on=parts.read_day(record, "BookgDt", "booking day"),
        value_date=parts.read_day(record, "ValDt", "value date"),
        text=record.text("AddtlNtryInf") or "",
        message_id=_message_id(groups, payments),
        details=tuple(_read_detail(payment, direction, amount if len(payments) == 1 else None) for payment in payments),
        reversal=(record.text("RvslInd") or "").strip() in ("true", "1"),
    )


def _check_batch(batch: Part, payments: Sequence[Part], amount: int) -> None:
    if payments:
        parts.check_count(batch.text("NbOfTxs"), len(payments), "payments in a batch")
    if batch.part("TtlAmt") is not None:
        parts.check_sum(batch.text("TtlAmt"), amount, "the batch")


def _bank_txn(record: Part, payments: Sequence[Part]) -> str:
    own = record.text("AcctSvcrRef")
    if own is None and len(payments) == 1:
        return payments[0].need("Refs/AcctSvcrRef", "number of the bank's")
    return own if own is not None else record.need("AcctSvcrRef", "number of the bank's")


def _message_id(groups: Sequence[Part], payments: Sequence[Part]) -> str | None:
    """The payment file, where all that is said of it agrees."""
    said = {group.text("Btch/MsgId") for group in groups} | {payment.text("Refs/MsgId") for payment in payments}
    named = said - {None}
    if len(named) > 1:
        raise BadFile(Code.UNSUPPORTED, f"one entry for {len(named)} payment files")
    return next(iter(named), None)


def _read_detail(payment: Part, direction: Direction, whole: int | None) -> Detail:
    """`whole`: the entry's amount, where it is of this payment alone and the bank need not repeat it."""
    if payment.part("CdtDbtInd") is not None and parts.read_direction(payment) != direction:
        raise BadFile(Code.CONTRADICTION, "a payment in the entry goes the other way than the entry")
    code, text = parts.read_reason(payment.part("RtrInf"))
    return Detail(
        amount=_detail_amount(payment, whole),
        end_to_end_id=_known(payment.text("Refs/EndToEndId")),
        return_code=code or None,
        return_text=text or None,
        counterparty=_read_counterparty(payment, _role(direction, code)),
        remittance=parts.read_remittance(payment),
    )


def _detail_amount(payment: Part, whole: int | None) -> int:
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if payment.part(path) is not None:
            return parts.read_amount(payment, path, "amount of a payment")
    if whole is None:
        raise BadFile(Code.INCOMPLETE, "one of several payments in the entry has no amount")
    return whole


def _known(end_to_end_id: str | None) -> str | None:
    """The standard's word for "there was none" is no identification."""
    return None if end_to_end_id == "NOTPROVIDED" else end_to_end_id


def _read_counterparty(payment: Part, role: str) -> Counterparty | None:
    parties = payment.part("RltdPties")
    found: dict[str, Any] = {
        "name": parties and parties.text(f"{role}/Pty/Nm"),
        "number": parties and (number := parties.part(f"{role}Acct")) and parts.read_number(number),
        "bank": parts.read_agent(payment.part(f"RltdAgts/{role}Agt")),
    }
    known = {name: text for name, text in found.items() if text}
    return Counterparty(**known) if known else None
