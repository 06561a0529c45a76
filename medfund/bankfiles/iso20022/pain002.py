"""pain.002: the bank's report on a payment file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from medfund.bankfiles.iso20022 import parts
from medfund.bankfiles.iso20022.kinds import PAIN_001, PAIN_002
from medfund.bankfiles.iso20022.parsing import Document, Part
from medfund.bankfiles.iso20022.writing import document, leaf, node
from medfund.bankfiles.messages import GroupStatus, Report, Status
from medfund.bankfiles.refusals import BadFile, Code, place

# The standard's own list (ExternalPaymentTransactionStatus1Code, ExternalPaymentGroupStatus1Code). What is accepted is
# paid with its entry and not before, also where it "was settled"; a check that went well decides nothing.
_ACCEPTED = frozenset({"ACCP", "ACSP", "ACSC", "ACCC", "ACWC", "ACWP", "ACPD"})
_PENDING = frozenset({"RCVD", "PDNG", "ACTC", "ACFC", "ACFW", "PATC", "RCVC", "RVCM", "RVMC", "RVNA", "RVNC", "RVNM"})
_WORDS: Mapping[bool | None, str] = {True: "ACCP", False: "RJCT", None: "PDNG"}


def write(message: Report, into: BinaryIO) -> None:
    header = node("GrpHdr", leaf("MsgId", message.message_id), parts.instant("CreDtTm", message.created))
    group = node(
        "OrgnlGrpInfAndSts",
        leaf("OrgnlMsgId", message.original_message_id),
        leaf("OrgnlMsgNmId", PAIN_001.name),
        leaf("GrpSts", message.unknown or message.status),
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
        leaf("TxSts", status.unknown or _WORDS[status.accepted]),
        parts.reason("StsRsnInf", status.code, status.text),
    )


def read(found: Document) -> Report:
    statuses = []
    for at, (_, record) in enumerate(found.records(), 1):
        with place(f"payment {at}"):
            statuses.append(_read_status(record))
    group = found.body.need_part("OrgnlGrpInfAndSts", "answer to a payment file")
    status, unknown = _answer(found.body, group, statuses)
    orders = found.body.parts("OrgnlPmtInfAndSts")
    code, text = parts.read_reason(*(reason for part in (group, *orders) for reason in part.parts("StsRsnInf")))
    return Report(
        message_id=found.body.need("GrpHdr/MsgId", "identification"),
        created=parts.read_instant(found.body.need("GrpHdr/CreDtTm", "time")),
        original_message_id=group.need("OrgnlMsgId", "identification of the payment file"),
        status=status,
        code=code,
        text=text,
        statuses=tuple(statuses),
        unknown=unknown,
    )


def _answer(body: Part, group: Part, statuses: Sequence[Status]) -> tuple[GroupStatus, str]:
    """A file of ours has one order, so a status of the order is one of the file, in however many parts the bank speaks
    of it. A bank may also say neither."""
    orders = body.parts("OrgnlPmtInfAndSts")
    if (several := len({order.text("OrgnlPmtInfId") for order in orders})) > 1:
        raise BadFile(Code.UNSUPPORTED, f"the report speaks of {several} orders, and our payment files have one")
    words = [word for word in (group.text("GrpSts"), *(order.text("PmtInfSts") for order in orders)) if word]
    decided = {_of_all(word) for word in words} - {"PDNG"}
    if len(decided) > 1:
        raise BadFile(Code.CONTRADICTION, "the file has one status and its only order another")
    if not words:
        return _status_of_each(statuses), ""
    return next(iter(decided), "PDNG"), next((word for word in words if not _is_known(word)), "")


def _of_all(word: str) -> GroupStatus:
    if word in ("PART", "RJCT"):
        return word  # type: ignore[return-value]
    return "ACCP" if word in _ACCEPTED else "PDNG"


def _is_known(word: str) -> bool:
    return word in ("PART", "RJCT") or word in _ACCEPTED or word in _PENDING


def _status_of_each(statuses: Sequence[Status]) -> GroupStatus:
    """Of a payment that is not named nothing is said, also where all that are named were rejected."""
    if not statuses:
        raise BadFile(Code.INCOMPLETE, "the report says nothing of the file and nothing of its payments")
    return "ACCP" if all(status.accepted for status in statuses) else "PART"


def _read_status(record: Part) -> Status:
    code, text = parts.read_reason(*record.parts("StsRsnInf"))
    word = record.need("TxSts", "status")
    return Status(
        end_to_end_id=record.need("OrgnlEndToEndId", "identification of the payment"),
        accepted=None if word != "RJCT" and word not in _ACCEPTED else word != "RJCT",
        code=code,
        text=text,
        unknown="" if _is_known(word) and word != "PART" else word,
    )
