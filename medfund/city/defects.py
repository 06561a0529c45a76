"""Events that must not be booked: one defect each, and the reason for which it must be refused.

Pure. Each defect is made on a copy of a sound settlement under an id of its own, so the sound one stays booked.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from medfund import money
from medfund.events.refusals import Reason


class Defect(NamedTuple):
    """What is done to the envelope or the data of a sound event."""

    reason: Reason
    spoil: Callable[[dict[str, Any], dict[str, Any]], None]


def _one_fen_more(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["total"] = money.yuan(money.fen(data["total"]) + 1)


def _three_decimals(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["cash"] += "0"


def _unknown_fund(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["funds"] = {"999999": money.yuan(sum(map(money.fen, data["funds"].values())))}


def _no_date(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    del data["service_date"]


def _impossible_date(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["service_date"] = "2025-02-30"


def _extra_field(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["remark"] = "none"


def _bad_way(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    data["clr_way"] = "7"


def _unknown_type(envelope: dict[str, Any], data: dict[str, Any]) -> None:
    envelope["type"] = "settlement.remembered.v1"


DEFECTS = (
    Defect(Reason.IDENTITY_MISMATCH, _one_fen_more),
    Defect(Reason.BAD_AMOUNT, _three_decimals),
    Defect(Reason.UNKNOWN_FUND, _unknown_fund),
    Defect(Reason.MISSING_FIELD, _no_date),
    Defect(Reason.BAD_DATE, _impossible_date),
    Defect(Reason.UNKNOWN_FIELD, _extra_field),
    Defect(Reason.BAD_CODE, _bad_way),
    Defect(Reason.UNKNOWN_TYPE, _unknown_type),
)


def spoiled(line: bytes, defect: Defect, *, id: str) -> bytes:
    """A line with a defect, made of a sound one."""
    envelope = msgspec.json.decode(line)
    envelope["id"] = id
    defect.spoil(envelope, envelope["data"])
    return msgspec.json.encode(envelope) + b"\n"
