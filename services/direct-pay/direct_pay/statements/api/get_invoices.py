"""GET /v1/invoices: where each invoice stands, and when it was or will be paid."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from direct_pay.api import naming, samples
from direct_pay.api.naming import Between, Called, OfBoth
from direct_pay.invoices.invoice import Invoice as Kept
from direct_pay.names import Name as Named
from direct_pay.statements.api import reading
from direct_pay.statements.api.faults import CODES
from direct_pay.statements.api.reading import INVOICE_STATES, SQL, InvoiceState, Standing
from medfund import money
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.problems import Problem
from medfund.http.questions import Day, Invoice
from medfund.http.tables import Cell, Column, Table

router = APIRouter()
ORDER = {"issued_on": date, "lane": int, "provider": str, "supplier": str, "ref": str}


class Question(questions.Waiting, questions.Page, OfBoth, Exported):
    invoice: Invoice | None = None
    issued_from: Annotated[Day | None, Field(description="Issued on this day or later")] = None
    issued_to: Annotated[Day | None, Field(description="Issued on this day or before")] = None
    stated: Annotated[bool | None, Field(description="Whether it is in a statement")] = None


TOLD: examples.Json = {
    **samples.WHOSE,
    "invoice": samples.BLUE,
    "issued_on": "2026-09-08",
    "statement": samples.STATEMENT,
    "state": "REQUESTED",
    "state_name": examples.name("已提请支付", "requested"),
    "why": [],
    "amount": "116983.20",
    "taken_back": "1234.00",
    "requested": "115749.20",
    "paid": "0.00",
    "due": "2026-09-30",
    "paid_on": None,
}


class InvoiceTold(Between):
    invoice: str
    issued_on: date | None
    statement: Annotated[str | None, Field(description="In which it is")]
    state: InvoiceState
    state_name: Name
    why: Annotated[list[Name], Field(description="Of what is in dispute: why")]
    amount: Annotated[Yuan, Field(description="As it was invoiced, with tax")]
    taken_back: Annotated[Yuan, Field(description="By its red letters")]
    requested: Yuan
    paid: Yuan
    due: Annotated[date | None, Field(description="By when what is not paid is to be, as far as it is known")]
    paid_on: Annotated[date | None, Field(description="The bank's day, the last one")]


INVOICES: examples.Json = {"invoices": [TOLD], "next": None, "positions": samples.POSITIONS}


class Answer(BaseModel):
    model_config = examples.of(INVOICES)

    invoices: list[InvoiceTold]
    next: str | None
    positions: Positions


@router.get(
    "/v1/invoices",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Where invoices stand",
)
async def invoices(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """Registered, in a statement, in dispute, confirmed, requested, paid: by the day on which it was issued. Who sees
    those of everybody names a hospital, a supplier, or the invoice."""
    pages = Pages(here.cursor_key, questions.sealed("invoices", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    if not any((within.parties, within.counterparts, question.supplier, question.invoice)):
        raise Problem("parameter_invalid", "provider, supplier or invoice: say one of them")
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(
            SQL.invoiced, within.lanes, *within.predicates, question.supplier, question.invoice, question.issued_from,
            question.issued_to, question.stated, *after, exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        shown, following = pages.cut(rows, question.limit) if question.format == "json" else (exports.cut(rows), None)
        of = {(row["lane"], Named(row["provider"], row["supplier"], row["statement_ref"])) for row in shown}
        statements = await reading.statements(connection, [(lane, *name) for lane, name in of if name.ref])
        called = await naming.called(connection, within.lanes, (name for _, name in of))
        positions = await answers.positions(connection, within.lanes)
    found = []
    for row in shown:
        name, invoice = Named(row["provider"], row["supplier"], row["ref"]), reading.invoice_of(row["body"])
        statement = statements.get((row["lane"], name._replace(ref=row["statement_ref"])))
        found.append((name, row["statement_ref"] or None, reading.standing(name.ref, invoice, statement)))
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(*one, called) for one in found])
        return await exports.file(request, caller, here, question, "invoices", table)
    return Answer(invoices=[tell(*one, called) for one in found], next=following, positions=positions)


def tell(name: Named, statement: str | None, one: Standing, called: Called) -> InvoiceTold:
    invoice: Kept = one.invoice
    return InvoiceTold(
        **called.between(invoice.area, name).model_dump(),
        invoice=name.ref,
        issued_on=invoice.issued_on,
        statement=statement,
        state=one.state,
        state_name=INVOICE_STATES[one.state],
        why=[CODES[code] for code in sorted({fault.code for fault in one.faults if fault.until is None})],
        amount=money.yuan(invoice.fen),
        taken_back=money.yuan(invoice.taken_back),
        requested=money.yuan(one.requested),
        paid=money.yuan(one.paid),
        due=one.due,
        paid_on=one.paid_on,
    )


# -- to take away

TITLE = Name(zh="发票", en="Invoices")
COLUMNS = (
    Column("发票号码", "invoice"), Column("开票日", "issued", "day"), Column("定点机构", "provider"),
    Column("机构名称", "provider name"), Column("医药企业", "supplier"), Column("企业名称", "supplier name"),
    Column("对账单", "statement"), Column("状态", "state"), Column("异议原因", "why"),
    Column("金额", "amount", "money"),
    Column("红冲", "taken back", "money"), Column("已提请支付", "requested", "money"),
    Column("已支付", "paid", "money"), Column("应付日", "due", "day"), Column("支付日", "paid on", "day"),
)  # fmt: skip


def _row(name: Named, statement: str | None, one: Standing, called: Called) -> tuple[Cell, ...]:
    told, invoice = tell(name, statement, one, called), one.invoice
    return (
        told.invoice, told.issued_on, told.provider, told.provider_name, told.supplier, told.supplier_name,
        told.statement, told.state_name, " ".join(why.zh for why in told.why), invoice.fen, invoice.taken_back,
        one.requested, one.paid, told.due, told.paid_on,
    )  # fmt: skip
