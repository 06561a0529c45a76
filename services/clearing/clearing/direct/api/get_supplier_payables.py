"""GET /v1/supplier-payables: what suppliers are owed and paid for hospitals, what is taken back from these, and what
suppliers owe back."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.direct.statement import Debt, Statement
from medfund import money
from medfund.events.statements import A_REQUEST
from medfund.events.suppliers import A_SUPPLIER
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import ByFund, Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import OfProvider, Supplier
from medfund.http.tables import Cell, Column, Table
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "direct.sql")
ORDER = {"lane": int, "provider": str, "ref": str}
statement_of = msgspec.json.Decoder(Statement).decode
_debt = msgspec.json.Decoder(Debt).decode


class Question(questions.Waiting, questions.Page, OfProvider, Exported):
    supplier: Supplier | None = None
    open: Annotated[bool | None, Field(description="Whether something is to be paid, or to be given back")] = None


_WHOSE: examples.Json = {
    "area": samples.AREA,
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "supplier": A_SUPPLIER,
}
SUPPLIER_PAYABLES: examples.Json = {
    "payables": [
        {
            **_WHOSE,
            "payable": A_REQUEST["payable_ref"],
            "statement": "DZ202609",
            "payee": A_SUPPLIER,
            "due": "2026-09-30",
            "supplied": "115749.20",
            "paid": "115749.20",
            "charged": "115749.20",
            "recovered": "100000.00",
            "outstanding": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "15749.20"}],
            "blocked": False,
        }
    ],
    "debts": [
        {
            **_WHOSE,
            "amounts": [{"fund": "310100", "fund_name": samples.FUNDS["310100"], "amount": "843.69"}],
            "total": "843.69",
        }
    ],
    "supplied": "115749.20",
    "paid": "115749.20",
    "recovered": "100000.00",
    "next": None,
    "positions": samples.POSITIONS,
}


NOT_FOR_SUPPLIERS = "null for suppliers: it is between the fund and the hospital"


class OfSupplier(BaseModel):
    area: str
    provider: str
    provider_name: ProviderName
    supplier: Annotated[str | None, Field(description="Null where the books began with what a hospital owes")]


class SupplierPayable(OfSupplier):
    payable: str
    statement: str
    payee: Annotated[str | None, Field(description="Who is paid: another one where the supplier has assigned it")]
    due: Annotated[date, Field(description="By when the supplier is to be paid")]
    supplied: Annotated[Yuan, Field(description="What the supplier is owed in all (2105)")]
    paid: Annotated[Yuan, Field(description="Of that, by the bank or by what the supplier owed")]
    charged: Annotated[Yuan | None, Field(description=f"What of it is the hospital's (1103); {NOT_FOR_SUPPLIERS}")]
    recovered: Annotated[Yuan | None, Field(description=f"Of that, offset, or given back; {NOT_FOR_SUPPLIERS}")]
    outstanding: Annotated[
        list[ByFund] | None, Field(description=f"Paid, and not given back by the hospital yet; {NOT_FOR_SUPPLIERS}")
    ]
    blocked: Annotated[bool, Field(description="Not paid for the time being: the hospital is above its cap")]


class SupplierDebt(OfSupplier):
    amounts: Annotated[list[ByFund], Field(description="Taken from what it is paid for this hospital next (1109)")]
    total: Yuan


class Answer(BaseModel):
    model_config = examples.of(SUPPLIER_PAYABLES)

    payables: list[SupplierPayable]
    debts: Annotated[list[SupplierDebt], Field(description="What suppliers owe back, on the first page")]
    supplied: Annotated[Yuan, Field(description="The sum of this answer")]
    paid: Annotated[Yuan, Field(description="The sum of this answer")]
    recovered: Annotated[Yuan | None, Field(description=f"The sum of this answer; {NOT_FOR_SUPPLIERS}")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/supplier-payables",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="What suppliers are paid on hospitals' behalf",
)
async def supplier_payables(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Each instalment of a statement: what the supplier is owed and paid, and what of that is taken back from the
    hospital. A supplier sees its own of all hospitals, and nothing of what these give back; a hospital its own of all
    suppliers."""
    pages = Pages(here.cursor_key, questions.sealed("supplier_payables", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        mine = (within.lanes, *within.predicates, question.supplier)
        rows = await connection.fetch(
            SQL.statements, *mine, question.open, *after, exports.rows_wanted(question, question.limit)
        )
        debts = await connection.fetch(SQL.debts, *mine) if question.cursor is None else []
        names = await naming.names(connection, within.lanes, (row["provider"] for row in (*rows, *debts)))
        positions = await answers.positions(connection, within.lanes)
    shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
    found, to_supplier = [statement_of(row["body"]) for row in shown], caller.role == "supplier"
    told = [_told(one, names, to_supplier=to_supplier) for one in found]
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(*both) for both in zip(told, found, strict=True)])
        return await exports.file(request, caller, here, question, "supplier-payables", table)
    return Answer(
        payables=told,
        debts=[_owed(_debt(row["body"]), names) for row in debts],
        supplied=answers.total_of(one.supplied for one in found),
        paid=answers.total_of(one.paid_so_far for one in found),
        recovered=None if to_supplier else answers.total_of(one.recovered for one in found),
        next=following,
        positions=positions,
    )


def _told(one: Statement, names: Mapping[str, str], *, to_supplier: bool) -> SupplierPayable:
    return SupplierPayable(
        area=one.dimensions.area,
        provider=one.dimensions.provider,
        provider_name=names.get(one.dimensions.provider),
        supplier=one.supplier or None,
        payable=one.ref,
        statement=one.statement_ref,
        payee=one.payee or None,
        due=one.due_on,
        supplied=answers.total(one.supplied),
        paid=answers.total(one.paid_so_far),
        charged=None if to_supplier else answers.total(one.charged),
        recovered=None if to_supplier else answers.total(one.recovered),
        outstanding=None if to_supplier else answers.by_fund(one.due),
        blocked=one.blocked,
    )


def _owed(one: Debt, names: Mapping[str, str]) -> SupplierDebt:
    return SupplierDebt(
        area=one.dimensions.area,
        provider=one.dimensions.provider,
        provider_name=names.get(one.dimensions.provider),
        supplier=one.supplier or None,
        amounts=answers.by_fund(one.due),
        total=answers.total(one.due),
    )


# -- to take away

TITLE = Name(zh="代付医药企业货款", en="Payables to suppliers")
COLUMNS = (
    Column("应付编号", "payable"), Column("定点机构", "provider"), Column("机构名称", "provider name"),
    Column("医药企业", "supplier"), Column("收款方", "payee"), Column("应付日", "due", "day"),
    Column("应付货款", "supplied", "money"), Column("已支付", "paid", "money"),
    Column("应由机构承担", "charged", "money"), Column("已收回", "recovered", "money"),
    Column("代付未收回", "outstanding", "money"), Column("暂停支付", "blocked"),
)  # fmt: skip


def _row(told: SupplierPayable, one: Statement) -> tuple[Cell, ...]:
    return (
        told.payable, told.provider, told.provider_name, told.supplier, told.payee, told.due, money.fen(told.supplied),
        money.fen(told.paid), told.charged and money.fen(told.charged), told.recovered and money.fen(told.recovered),
        None if told.outstanding is None else sum(one.due.values()), "是 yes" if told.blocked else "否 no",
    )  # fmt: skip
