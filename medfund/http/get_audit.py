"""GET /v1/audit: who asked for what, and what was refused, for auditors to read and to take away."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from medfund.calendar import SHANGHAI
from medfund.http import answers, auditing, examples, exports, questions, wording
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import ONE_DAY, Day
from medfund.http.tables import Column, Table
from medfund.http.tokens import EVERYTHING, Principal

router = APIRouter()
ORDER = {"id": str}
TITLE = answers.Name(zh="操作审计", en="Audit")
COLUMNS = (
    Column("时间", "time"), Column("人员", "person"), Column("角色", "role"), Column("接口", "route"),
    Column("操作", "operation"), Column("结果", "outcome"), Column("内容", "detail"), Column("编号", "id"),
)  # fmt: skip


class Question(questions.Page, Exported):
    person: Annotated[str | None, Field(pattern=wording.LINE_OF_TEXT, description="As the token names who asked")] = (
        None
    )
    operation: Annotated[
        str | None, Field(pattern=r"^[a-z_]{1,60}$", description="Of a route, as in OpenAPI", examples=["hold"])
    ] = None
    outcome: Annotated[
        str | None, Field(pattern=r"^[a-z_]{1,40}$", description="`asked`, or the code of the refusal")
    ] = None
    object: Annotated[
        str | None,
        Field(pattern=wording.LINE_OF_TEXT, description="What it was about: a batch, payment, run, command, provider"),
    ] = None
    since: Annotated[Day | None, Field(description="From this day on, in Shanghai")] = None
    until: Annotated[Day | None, Field(description="Up to this day, itself included")] = None


class Row(BaseModel):
    id: str
    at: datetime
    person: str
    role: str
    operation: str
    route: Annotated[str | None, Field(description="Null of a route that is no more")]
    outcome: Annotated[str, Field(description="`asked`: it was let in; else the code of the refusal")]
    detail: dict[str, Any]


class Answer(BaseModel):
    model_config = examples.of(examples.AUDIT)

    rows: list[Row]
    next: str | None


@router.get(
    "/v1/audit",
    response_model=Answer,
    responses=exports.responses("scope_not_allowed", *answers.PAGING),
    summary="Who asked for what, and what was refused",
)
async def audit(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """The newest first. A row is no area's, so only whoever speaks for all areas and organisations reads it. To take it
    away as a file is in it too.
    """
    if EVERYTHING not in caller.areas or EVERYTHING not in caller.organisations:
        await here.access.refuse(request, "scope_not_allowed", "The audit is of all areas and organisations")
    pages = Pages(here.cursor_key, questions.sealed("audit", caller, question), ORDER)
    found = await _found(question, caller, here, pages)
    routes = {operation: f"{method} {path}" for operation, method, path in _routes(request.app.openapi())}
    if question.format != "json":
        rows = [_told(row, routes) for row in exports.cut(found)]
        return await exports.file(request, caller, here, question, "audit", Table(TITLE, COLUMNS, _cells(rows)))
    shown, following = pages.cut(found, question.limit)
    return Answer(rows=[_told(row, routes) for row in shown], next=following)


async def _found(question: Question, caller: Principal, here: Here, pages: Pages) -> Sequence[Any]:
    asked = (
        _first_id(question.since), _first_id(question.until and question.until + ONE_DAY), question.person,
        question.operation, question.outcome, question.object, *pages.after(question.cursor),
    )  # fmt: skip
    async with here.database.snapshot(caller) as connection:
        return await connection.fetch(auditing.SQL.rows, *asked, exports.rows_wanted(question, question.limit))


def _first_id(day: date | None) -> str | None:
    """Ids are UUIDs of version 7: this one is before all of the day, and after all before it."""
    if day is None:
        return None
    begins_ms = round(datetime.combine(day, time(), SHANGHAI).timestamp() * 1000)
    return str(UUID(int=begins_ms << 80))


def _routes(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), path


def _told(row: Any, routes: Mapping[str, str]) -> Row:
    return Row(
        id=row["id"],
        at=row["at"].astimezone(SHANGHAI),
        person=row["subject"],
        role=row["role"],
        operation=row["operation"],
        route=routes.get(row["operation"]),
        outcome=row["outcome"],
        detail=msgspec.json.decode(row["detail"]),
    )


def _cells(rows: Sequence[Row]) -> list[Sequence[str | None]]:
    return [
        (
            one.at.isoformat(timespec="seconds"), one.person, one.role, one.route, one.operation, one.outcome,
            msgspec.json.encode(one.detail).decode(), one.id,
        )
        for one in rows
    ]  # fmt: skip
