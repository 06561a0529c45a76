"""pain.002: the bank's report on a payment file."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from medfund.bankfiles.iso20022 import parts
from medfund.bankfiles.iso20022.kinds import PAIN_001, PAIN_002
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import GroupStatus, Report, Status
from medfund.bankfiles.refusals import BadFile, Code, place

# ACTC and ACSP are steps on the way, ACSC and ACCC say that it was settled: the money's own word for that is the entry.
_ACCEPTED = frozenset({"ACTC", "ACCP", "ACSP", "ACSC", "ACCC"})


def write(message: Report, into: BinaryIO) -> None:
    header = node("GrpHdr", leaf("MsgId", message.message_id), parts.instant("CreDtTm", message.created))
    group = node(
        "OrgnlGrpInfAndSts",
        leaf("OrgnlMsgId", message.original_message_id),
        leaf("OrgnlMsgNmId", PAIN_001.name),
        leaf("GrpSts", message.status),
        parts.reason("StsRsnInf", message.code, message.text),
    )
    document(into, PAIN_002, [header, group], "OrgnlPmtInfAndSts" if message.statuses else None, _contents(message))


def _contents(message: Report) -> Iterator[str]:
    if message.statuses:
        yield leaf("OrgnlPmtInfId", message.original_message_id)
    yield from map(_status, message.statuses)


def _status(status: Status) -> str:
    return node(
        "TxInfAndSts",
        leaf("OrgnlEndToEndId", status.end_to_end_id),
        leaf("TxSts", "ACCP" if status.accepted else "RJCT"),
        parts.reason("StsRsnInf", status.code, status.text),
    )


def read(found: Document) -> Report:
    statuses = []
    for at, record in enumerate(found.records(), 1):
        with place(f"payment {at}"):
            statuses.append(_read_status(record))
    group = found.body.need_part("OrgnlGrpInfAndSts", "answer to a payment file")
    status, answer = _answer(found.body, group, statuses)
    code, text = parts.read_reason(answer.part("StsRsnInf"))
    return Report(
        message_id=found.body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time")),
        original_message_id=group.need("OrgnlMsgId", "identification of the payment file"),
        status=status,
        code=code,
        text=text,
        statuses=tuple(statuses),
    )


def _answer(body: Part, group: Part, statuses: Sequence[Status]) -> tuple[GroupStatus, Part]:
    """A file of ours has one order, so a status of the order is one of the file. A bank may also say neither."""
    orders = body.parts("OrgnlPmtInfAndSts")
    if len(orders) > 1:
        raise BadFile(Code.UNSUPPORTED, f"the report speaks of {len(orders)} orders, and our payment files have one")
    said = [(_status_of_all(text), group) for text in [group.text("GrpSts")] if text]
    said += [(_status_of_all(text), order) for order in orders if (text := order.text("PmtInfSts"))]
    if len({status for status, _ in said}) > 1:
        raise BadFile(Code.CONTRADICTION, "the file has one status and its only order another")
    return said[0] if said else (_status_of_each(statuses), group)


def _status_of_all(said: str) -> GroupStatus:
    if said == "PART":
        return "PART"
    return "ACCP" if _accepted(said) else "RJCT"


def _status_of_each(statuses: Sequence[Status]) -> GroupStatus:
    answers = {status.accepted for status in statuses}
    if not answers:
        raise BadFile(Code.INCOMPLETE, "the report says nothing of the file and nothing of its payments")
    return "PART" if len(answers) > 1 else "ACCP" if True in answers else "RJCT"


def _accepted(status: str) -> bool:
    if status in _ACCEPTED or status == "RJCT":
        return status != "RJCT"
    raise BadFile(Code.UNKNOWN_CODE, f"the status {status} neither accepts nor rejects")


def _read_status(record: Part) -> Status:
    code, text = parts.read_reason(record.part("StsRsnInf"))
    return Status(
        end_to_end_id=record.need("OrgnlEndToEndId", "identification of the payment"),
        accepted=_accepted(record.need("TxSts", "status")),
        code=code,
        text=text,
    )
