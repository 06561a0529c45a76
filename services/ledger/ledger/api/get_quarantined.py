"""GET /v1/quarantine/{lane}/{topic}/{offset}: one refused record, byte for byte."""

import base64
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from ledger.api import examples
from ledger.api.get_quarantine import SQL, Refused, members
from medfund.http import answers, problems, reach
from medfund.http.context import Caller, Here
from medfund.http.examples import of as example_of
from medfund.http.questions import Lane, Offset, Topic

router = APIRouter()
BYTES_MAX = 1 << 20
HEADERS_MAX = 100


class Bytes(BaseModel):
    """Raw bytes, and the text where they are one. `size` is that of the original; this may be its beginning."""

    size: int
    base64: str
    text: str | None


class Header(BaseModel):
    name: Bytes
    value: Bytes


class Answer(Refused):
    model_config = example_of(examples.QUARANTINED)

    key: Bytes | None
    value: Annotated[Bytes | None, Field(description=f"As it stood on the log, up to {BYTES_MAX} bytes")]
    header_count: int
    headers: Annotated[list[Header], Field(description=f"The first {HEADERS_MAX} of them")]


@router.get(
    "/v1/quarantine/{lane}/{topic}/{offset}",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="One refused event, byte for byte",
)
async def quarantined(
    lane: Annotated[Lane, Path()],
    topic: Annotated[Topic, Path()],
    offset: Annotated[Offset, Path()],
    caller: Caller,
    here: Here,
) -> Answer:
    """The record as it stood on the log: key, headers and value, with the reason why it is not in the books."""
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(SQL.record, lane, topic, offset, *reach.refused(caller), BYTES_MAX, HEADERS_MAX)
    if row is None:
        raise problems.unknown("record")
    headers = zip(row["header_names"], row["header_values"], strict=True)
    return Answer(
        **members(row),
        key=None if row["key"] is None else _bytes(row["key"], row["key_bytes"]),
        value=None if row["value"] is None else _bytes(row["value"], row["value_bytes"]),
        header_count=row["header_count"],
        headers=[Header(name=_bytes(name, len(name)), value=_bytes(value, len(value))) for name, value in headers],
    )


def _bytes(raw: bytes, size: int) -> Bytes:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = None
    return Bytes(size=size, base64=base64.b64encode(raw).decode(), text=text)
