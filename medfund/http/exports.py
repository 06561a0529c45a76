"""Lists as files: whoever takes one away leaves an audit record first."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field

from medfund.http import answers, auditing, tables
from medfund.http.context import Context
from medfund.http.problems import Problem
from medfund.http.tables import Table
from medfund.http.tokens import Principal

ROWS_MAX = 10_000
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY = {"schema": {"type": "string", "format": "binary"}}


class Exported(BaseModel):
    format: Annotated[
        Literal["json", "csv", "xlsx"],
        Field(
            description=f"As a file: all that was asked for in one piece, at most {ROWS_MAX} rows. For Excel xlsx: "
            "of a long number in a csv it keeps 15 digits"
        ),
    ] = "json"


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of a list that may be taken away."""
    return {200: {"content": {CSV: BINARY, XLSX: BINARY}}, **answers.or_problems("too_much", *codes)}


def rows_wanted(question: Exported, limit: int) -> int:
    """One more than are answered."""
    return (limit if question.format == "json" else ROWS_MAX) + 1


def cut(found: Sequence[Any]) -> Sequence[Any]:
    """Raises `Problem` where a file would not be all of it."""
    if len(found) > ROWS_MAX:
        raise Problem("too_much", f"More than {ROWS_MAX} rows: narrow the question")
    return found


async def file(
    request: Request, caller: Principal, here: Context, question: Exported, name: str, table: Table
) -> Response:
    asked = question.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"cursor", "limit", "wait_for"})
    await auditing.record(request, here.database, caller, "asked", {"rows": len(table.rows), **asked})
    content = tables.as_csv(table) if question.format == "csv" else tables.as_xlsx(table)
    media_type = f"{CSV}; charset=utf-8" if question.format == "csv" else XLSX
    disposition = {"content-disposition": f'attachment; filename="{name}.{question.format}"'}
    return Response(content, media_type=media_type, headers=disposition)
