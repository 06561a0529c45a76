"""GET /v1/statements/{provider}/{supplier}/{statement}: one statement, invoice by invoice, to read, print or calculate
with."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Called
from direct_pay.names import Name as Named
from direct_pay.statements.api import get_invoices, get_statement_disputes, get_statements, named, reading
from direct_pay.statements.api.get_invoices import InvoiceTold
from direct_pay.statements.api.get_statement_disputes import FaultTold
from direct_pay.statements.api.get_statements import StatementTold
from direct_pay.statements.api.reading import Looked
from direct_pay.statements.statement import Instalment
from medfund import money
from medfund.http import answers, auditing, examples, exports, knowledge, pages, plots, problems, reach, tables
from medfund.http.answers import ByFund, Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.plots import Point
from medfund.http.questions import Party, StatementRef, Supplier
from medfund.http.tables import Cell, Column, Table

router = APIRouter()
TITLE = Name(zh="医药企业对账单", en="Statement of a supplier")
CAPTION = Name(
    zh="已验收未支付（实线）与预计（虚线），元", en="taken in and not paid (solid) and expected (dashed), yuan"
)


class Question(BaseModel):
    format: Annotated[Literal["json", "xlsx", "html"], Field(description="To calculate with: xlsx; to print: html")] = (
        "json"
    )


class InstalmentTold(BaseModel):
    instalment: int
    amounts: Annotated[list[ByFund], Field(description="Less what red letters took off")]
    amount: Yuan
    paid: Yuan
    due: Annotated[date | None, Field(description="By when the first of it is, or was, to be paid")]
    key_version: Annotated[str, Field(description="By which it is split over the funds")]


SUPPLIER_STATEMENT: examples.Json = {
    **get_statements.TOLD,
    "confirmed": "HOSPITAL",
    "lines": [get_invoices.TOLD],
    "instalments": [
        {
            "instalment": 1,
            "amounts": samples.funds({"310100": "79137.73", "390100": "36611.47"}),
            "amount": "115749.20",
            "paid": "0.00",
            "due": "2026-09-30",
            "key_version": "2026-08",
        }
    ],
    "disputes": [{**get_statement_disputes.DISPUTE, "until": "2026-10-12"}],
    "positions": samples.POSITIONS,
}


class Answer(StatementTold):
    model_config = examples.of(SUPPLIER_STATEMENT)

    confirmed: Annotated[
        Literal["HOSPITAL", "AUTO"] | None, Field(description="AUTO: the hospital said nothing for as long as it may")
    ]
    lines: list[InvoiceTold]
    instalments: list[InstalmentTold]
    disputes: Annotated[list[FaultTold], Field(description="Those that ended too")]
    positions: Positions


@router.get(
    "/v1/statements/{provider}/{supplier}/{statement}",
    response_model=Answer,
    responses={
        200: {"content": {exports.XLSX: exports.BINARY, "text/html": {"schema": {"type": "string"}}}},
        **answers.or_problems("not_found", "question_too_slow"),
    },
    summary="One statement of a supplier",
)
async def supplier_statement(
    request: Request,
    provider: Annotated[Party, Path()],
    supplier: Annotated[Supplier, Path()],
    statement: Annotated[StatementRef, Path()],
    question: Annotated[Question, Query()],
    caller: Caller,
    here: Here,
) -> Answer | Response:
    """Each invoice with what is requested and paid of it, the instalments by fund, and every dispute with both its
    days. `xlsx` and `html` are exports: each leaves an audit record."""
    within = reach.of(caller, area=None, party=provider, lanes=here.lanes)
    asked = (within.lanes, *within.predicates, provider, supplier, statement)
    async with here.database.snapshot(caller) as connection:
        row = await connection.fetchrow(named.SQL.statement, *asked)
        if row is None:
            raise problems.unknown("statement")
        [found] = await reading.looked(connection, [row])
        called = await naming.called(connection, [found.lane], [found.name])
        today = await knowledge.today(connection)
        positions = await answers.positions(connection, [found.lane])
    if question.format == "json":
        return _answer(found, called, positions)
    told = {"format": question.format, "provider": provider, "supplier": supplier, "statement": statement}
    await auditing.record(request, here.database, caller, "asked", told)
    sheets = [_lines(found), _instalments(found), _disputes(found)]
    if question.format == "xlsx":
        disposition = {"content-disposition": 'attachment; filename="statement.xlsx"'}
        return Response(tables.as_xlsx(*sheets), media_type=exports.XLSX, headers=disposition)
    return _page(found, called, sheets, today)


def _answer(found: Looked, called: Called, positions: dict[str, dict[str, int]]) -> Answer:
    statement = found.statement
    return Answer(
        **get_statements.tell(found, called).model_dump(),
        confirmed=statement.mode or None,
        lines=[get_invoices.tell(_named(found.name, ref), found.name.ref, one, called) for ref, one in found.standing],
        instalments=[_instalment(one) for one in statement.instalments],
        disputes=[get_statement_disputes.told(fault) for fault in statement.faults],
        positions=positions,
    )


def _named(of: Named, ref: str) -> Named:
    return of._replace(ref=ref)


def _instalment(one: Instalment) -> InstalmentTold:
    amounts = one.by_fund
    return InstalmentTold(
        instalment=one.number,
        amounts=answers.by_fund(amounts),
        amount=answers.total(amounts),
        paid=money.yuan(sum(entry.paid for entry in one.lines)),
        due=min((entry.due for entry in one.lines), default=None),
        key_version=one.key_version,
    )


# -- to take away

LINES = (
    Column("发票号码", "invoice"), Column("开票日", "issued", "day"), Column("状态", "state"),
    Column("金额", "amount", "money"), Column("红冲", "taken back", "money"),
    Column("已提请支付", "requested", "money"), Column("已支付", "paid", "money"), Column("应付日", "due", "day"),
    Column("支付日", "paid on", "day"),
)  # fmt: skip
INSTALMENTS = (
    Column("批次", "instalment", "number"), Column("基金", "fund"), Column("金额", "amount", "money"),
    Column("应付日", "due", "day"), Column("分摊依据", "key"),
)  # fmt: skip
FAULTS = (
    Column("发票号码", "invoice"), Column("订单", "order"), Column("行号", "line", "number"), Column("原因", "why"),
    Column("说明", "detail"), Column("起始日", "since", "day"), Column("终止日", "until", "day"),
)  # fmt: skip
NO_INSTALMENT = Name(zh="尚未提请支付", en="nothing is requested yet")
NO_DISPUTE = Name(zh="没有异议", en="nothing was disputed")


def _lines(found: Looked) -> Table:
    rows: list[Sequence[Cell]] = [
        (
            ref, one.invoice.issued_on, reading.INVOICE_STATES[one.state], one.invoice.fen, one.invoice.taken_back,
            one.requested, one.paid, one.due, one.paid_on,
        )
        for ref, one in found.standing
    ]  # fmt: skip
    sums = [sum(column) for column in zip(*((row[3:7]) for row in rows), strict=True)] or [0] * 4
    total = (Name(zh="合计", en="total"), None, None, *sums, None, None)
    return Table(Name(zh="发票", en="Invoices"), LINES, rows, total=total)


def _instalments(found: Looked) -> Table:
    rows: list[Sequence[Cell]] = [
        (one.number, answers.fund_name(fund), fen, min(entry.due for entry in one.lines), one.key_version)
        for one in found.statement.instalments
        for fund, fen in one.by_fund.items()
    ]
    return Table(Name(zh="支付批次", en="Instalments"), INSTALMENTS, rows, empty=NO_INSTALMENT)


def _disputes(found: Looked) -> Table:
    told = [get_statement_disputes.told(fault) for fault in found.statement.faults]
    rows: list[Sequence[Cell]] = [
        (one.invoice, one.order, one.line, one.code_name, one.detail, one.since, one.until) for one in told
    ]
    return Table(Name(zh="异议", en="Disputes"), FAULTS, rows, empty=NO_DISPUTE)


# -- to look at


def _page(found: Looked, called: Called, sheets: Sequence[Table], today: date | None) -> Response:
    told = get_statements.tell(found, called)
    facts = [
        (Name(zh="医药企业", en="supplier"), f"{answers.told(told.supplier_name)} {told.supplier}"),
        (Name(zh="定点机构", en="provider"), f"{answers.told(told.provider_name)} {told.provider}"),
        (Name(zh="统筹区", en="area"), told.area),
        (Name(zh="对账单", en="statement"), told.statement),
        (Name(zh="对账月份", en="period"), f"{told.period:%Y-%m}" if told.period else ""),
        (Name(zh="提交日", en="submitted"), answers.day_text(told.submitted_on)),
        (Name(zh="状态", en="state"), f"{told.state_name.zh} {told.state_name.en}"),
        (Name(zh="已提请支付（大写）", en="requested, in capitals"), f"人民币{money.capitals(found.requested)}"),
        (Name(zh="单位", en="unit"), "元 yuan"),
    ]
    signed = pages.to_sign(Name(zh="医疗机构", en="hospital"), Name(zh="医药企业", en="supplier"))
    return pages.response(TITLE, facts, [*map(pages.table, sheets), *_cycle(found, today), signed])


def _cycle(found: Looked, today: date | None) -> Iterator[str]:
    """What its hospital had taken in, and its supplier was not paid for, day by day."""
    known, expected = cycle(found)
    if known:
        now = max(today or known[-1][0], known[-1][0]), known[-1][1]
        yield pages.picture(plots.over_time([*known, now], [now, *expected] if expected else []), CAPTION)


def cycle(found: Looked) -> tuple[list[Point], list[Point]]:
    """What was out after each day, and what is expected to be after each due day."""
    moves: dict[date, int] = {}
    due: dict[date, int] = {}
    for entry in found.entries:
        if entry.accepted is not None:
            moves[entry.accepted] = moves.get(entry.accepted, 0) + entry.left
            if entry.paid_on is not None:
                moves[entry.paid_on] = moves.get(entry.paid_on, 0) - min(entry.paid, entry.left)
            if entry.unpaid:
                due[entry.due] = due.get(entry.due, 0) - entry.unpaid
    known = _running(moves, 0)
    return known, _running(due, known[-1][1] if known else 0)


def _running(moves: dict[date, int], fen: int) -> list[Point]:
    points = []
    for day, moved in sorted(moves.items()):
        fen += moved
        points.append((day, fen))
    return points
