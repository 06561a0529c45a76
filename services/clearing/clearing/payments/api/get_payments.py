"""GET /v1/payments: what was ordered and what became of it, by due date; and the work queues of whoever pays."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, model_validator

from clearing.api import knowledge, naming, samples
from clearing.payments.api import paid, standing
from clearing.payments.api.paid import Paid
from clearing.payments.api.standing import AccountState
from clearing.payments.payment import Payment as Told
from clearing.payments.payment import Status
from medfund.events.payments import Purpose
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Day, DueBetween, Fund, OfProvider, Ref
from medfund.http.tables import Cell, Column, Table
from medfund.http.wording import Wrong
from medfund.lanes.draft import Known

router = APIRouter()
ORDER = {"due": str, "lane": int, "provider": str, "payment_ref": str}
UNPAID: tuple[Status, ...] = ("ORDERED", "APPROVED", "SENT")
Queue = Literal["to_approve", "approved", "sent", "overdue", "returned", "doubted"]
WithheldCode = Literal["HELD", "AGREEMENT", "EXPIRED", "MANDATE", "ACCOUNT"]
STATES: dict[Status, Name] = {
    "ORDERED": Name(zh="待审批", en="to be approved"),
    "APPROVED": Name(zh="已审批", en="approved"),
    "SENT": Name(zh="已送银行", en="sent to the bank"),
    "SETTLED": Name(zh="已支付", en="paid"),
    "FAILED": Name(zh="支付失败", en="not carried out by the bank"),
    "CANCELLED": Name(zh="已取消", en="cancelled"),
}
PURPOSES: dict[Purpose, Name] = {
    "INSTANT": Name(zh="即时结算预拨", en="paid at once"),
    "PAYABLE": Name(zh="审定后拨付", en="paid after audit"),
    "PREPAYMENT": Name(zh="医保预付金", en="prepayment"),
    "BULK": Name(zh="集采预付金", en="prepayment for a bulk purchase"),
    "CLEARING": Name(zh="年度清算", en="annual clearing"),
    "SUPPLIER": Name(zh="代付货款", en="supplier, on the provider's behalf"),
}
WITHHELD: dict[WithheldCode, Name] = {
    "HELD": Name(zh="暂缓拨付", en="held"),
    "AGREEMENT": Name(zh="协议中止", en="the agreement is suspended"),
    "EXPIRED": Name(zh="审批过期", en="the approval expired"),
    "MANDATE": Name(zh="审批人授权失效", en="who approved it has no mandate for it"),
    "ACCOUNT": Name(zh="收款账户变更", en="the payee's account is new, or another one"),
}


class Question(questions.Waiting, questions.Page, OfProvider, DueBetween, Exported):
    state: Status | None = None
    payable: Annotated[
        Ref | None, Field(description="The batch, case or prepayment that it pays: a name of `provider`")
    ] = None
    fund: Fund | None = None
    run: Annotated[Ref | None, Field(description="The run that sent it")] = None
    queue: Annotated[
        Queue | None,
        Field(
            description="Waits for people; waits for a run; is on its way; was due before `as_of` and is not paid; "
            "failed or came back, and waits for somebody to ask for it again; the bank refused it in a way that says "
            "nothing of whether it pays it"
        ),
    ] = None
    confirmed: Annotated[bool | None, Field(description="Whether the provider has said that it came")] = None
    as_of: Annotated[Day | None, Field(description="The day that `overdue` looks from: the API has no clock")] = None

    @model_validator(mode="after")
    def _a_day_to_look_from(self) -> "Question":
        if self.queue == "overdue" and self.as_of is None:
            raise Wrong("give `as_of` with `queue=overdue`", "`queue=overdue` 须同时给出 `as_of`")
        return self


class Withheld(BaseModel):
    run: str
    code: WithheldCode
    code_name: Name
    detail: str


class Payment(Paid):
    provider: str
    provider_name: ProviderName
    payee: Annotated[str, Field(description="Whose account is paid: the provider's, or that of a supplier of its")]
    area: str
    fund: str | None
    fund_name: Name | None
    state_name: Name
    purpose_name: Name
    retry_of: Annotated[str | None, Field(description="The payment that it takes the place of")]
    missing: Annotated[int | None, Field(description="How many more people have to approve it; null once it was sent")]
    missing_approver: Annotated[bool | None, Field(description="Whether one of them has to be an approver")]
    withheld: Annotated[Withheld | None, Field(description="The last run that left it out, and why")]
    account: Annotated[str | None, Field(description="Of the payee: the present one, or the one that it was sent to")]
    account_state: Annotated[AccountState | None, Field(description="Null once it was sent")]
    account_state_name: Name | None
    execute_on: date | None
    bank_code: Annotated[str | None, Field(description="Why the bank did not carry it out")]
    bank_may_still_pay: Annotated[
        bool,
        Field(description="Whether the bank may pay, or has paid, this, or what it takes the place of"),
    ]
    bank_may_still_pay_because: str | None
    days_overdue: Annotated[int | None, Field(description="Up to `as_of`, of what is to be paid still")]


class Group(BaseModel):
    """What one approval may be about."""

    provider: str
    payments: list[str]
    total: Yuan


PAYMENT_TO_APPROVE: examples.Json = {
    **paid.PAYMENT,
    "state": "ORDERED",
    "approvers": ["staff-7c41"],
    "run": None,
    "end_to_end_id": None,
    "value_date": None,
    "settled": [],
    "provider": samples.PROVIDER,
    "provider_name": samples.PROVIDER_NAME,
    "payee": samples.PROVIDER,
    "area": samples.AREA,
    "fund": "310100",
    "fund_name": samples.FUNDS["310100"],
    "state_name": examples.name("待审批", "to be approved"),
    "purpose_name": examples.name("即时结算预拨", "paid at once"),
    "retry_of": None,
    "missing": 1,
    "missing_approver": True,
    "withheld": {
        "run": f"{samples.AREA}-310100-20260211-1",
        "code": "EXPIRED",
        "code_name": examples.name("审批过期", "the approval expired"),
        "detail": "what was approved could be sent to the end of 2026-02-10",
    },
    "account": "acct-152500-000931",
    "account_state": "TO_CONFIRM",
    "account_state_name": examples.name("新账户，待确认", "new: somebody has to confirm it"),
    "execute_on": None,
    "bank_code": None,
    "bank_may_still_pay": False,
    "bank_may_still_pay_because": None,
    "days_overdue": 0,
}
PAYMENTS: examples.Json = {
    "as_of": "2026-02-12",
    "payments": [PAYMENT_TO_APPROVE],
    "providers": [{"provider": samples.PROVIDER, "payments": [f"{samples.BATCH}/P1/310100"], "total": "1890000.33"}],
    "total": "1890000.33",
    "to_retry": "0.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(PAYMENTS)

    as_of: date | None
    payments: list[Payment]
    providers: Annotated[
        list[Group], Field(description="The payments of this answer by provider, as they are approved")
    ]
    total: Annotated[Yuan, Field(description="The sum of the payments of this answer")]
    to_retry: Annotated[Yuan, Field(description="The sum of what failed or came back and waits, in this answer")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/payments",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Payments by due date, and work queues",
)
async def payments(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """What was ordered, of claims for example at once (INSTANT) and after audit (PAYABLE): who approved it and how many
    have to yet, the run that sent it, and the bank's day of what it paid.

    A queue is what waits for somebody, as things stand on the day that was opened last.
    """
    pages = Pages(here.cursor_key, questions.sealed("payments", caller, question), ORDER)
    after = pages.after(question.cursor)
    if question.payable is not None:
        naming.within(caller, here, question.provider)
    within = reach.of(caller, area=question.area, party=question.provider, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            paid.SQL.payments, within.lanes, within.areas, within.parties, *_narrowing(question), *after,
            exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        names = await naming.names(connection, within.lanes, (row["provider"] for row in found))
        positions = await answers.positions(connection, within.lanes)
        known = await knowledge.of(connection, found[0]["lane"] if found else 0)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(row, known, names, question.as_of) for row in exports.cut(found)])
        return await exports.file(request, caller, here, question, "payments", table)
    rows, following = pages.cut(found, question.limit)
    told = [paid.read(row["body"]) for row in rows]
    return Answer(
        as_of=question.as_of,
        positions=positions,
        payments=[_payment(row, one, known, names, question.as_of) for row, one in zip(rows, told, strict=True)],
        providers=_by_provider(told),
        total=answers.total_of(one.amounts for one in told),
        to_retry=answers.total_of(one.to_retry for one in told),
        next=following,
    )


def _narrowing(question: Question) -> tuple[Any, ...]:
    """Parameters of the query from the state on."""
    before, after, as_of = map(answers.day_text, (question.due_before, question.due_after, question.as_of))
    return (
        question.state, question.payable, before or None, after or None, question.fund, question.run, as_of or None,
        question.queue, question.confirmed,
    )  # fmt: skip


def _payment(row: asyncpg.Record, one: Told, known: Known, names: Mapping[str, str], as_of: date | None) -> Payment:
    account = standing.account_of(row)
    stands = standing.of(one, known, account, row["opened"])
    last = one.withheld[-1] if one.withheld else None
    return Payment(
        **paid.told(one).model_dump(),
        provider=one.provider,
        provider_name=names.get(one.provider),
        payee=one.payee,
        area=one.area,
        fund=one.fund,
        fund_name=answers.fund_name(one.fund) if one.fund else None,
        state_name=STATES[one.status],
        purpose_name=PURPOSES[one.purpose],
        retry_of=one.retry_of,
        missing=stands.missing if stands else None,
        missing_approver=stands.missing_approver if stands else None,
        withheld=withheld(last.run_ref, last.code, last.detail) if last else None,
        account=(account.ref if stands else one.account) or None,
        account_state=stands.account_state if stands else None,
        account_state_name=standing.ACCOUNTS[stands.account_state] if stands else None,
        execute_on=one.execute_on,
        bank_code=one.code,
        bank_may_still_pay=row["doubt"] is not None,
        bank_may_still_pay_because=row["doubt"],
        days_overdue=_days_overdue(one, as_of),
    )


def withheld(run: str, code: Any, detail: str) -> Withheld:
    return Withheld(run=run, code=code, code_name=WITHHELD[code], detail=detail)


def _days_overdue(one: Told, as_of: date | None) -> int | None:
    if as_of is None or not (one.status in UNPAID or any(one.to_retry.values())):
        return None
    return max(0, (as_of - one.due_for_certain).days)


def _by_provider(told: Sequence[Told]) -> list[Group]:
    groups: dict[str, list[Told]] = {}
    for one in told:
        groups.setdefault(one.provider, []).append(one)
    return [
        Group(
            provider=provider,
            payments=[one.payment_ref for one in group],
            total=answers.total_of(one.amounts for one in group),
        )
        for provider, group in groups.items()
    ]


# -- to take away

TITLE = Name(zh="付款", en="Payments")
COLUMNS = (
    Column("付款单", "payment"), Column("定点机构", "provider"), Column("统筹区", "area"), Column("基金", "fund"),
    Column("基金名称", "fund name"), Column("用途", "purpose"), Column("状态", "state"),
    Column("应付日", "due", "day"), Column("逾期天数", "days overdue", "number"), Column("金额", "amount", "money"),
    Column("已付", "settled", "money"), Column("已退", "returned", "money"), Column("待重付", "to retry", "money"),
    Column("申请人", "requested by"), Column("审批人", "approvers"), Column("尚缺人数", "people missing", "number"),
    Column("审批有效至", "approved until", "day"), Column("支付批次", "run"), Column("银行起息日", "value date", "day"),
    Column("确认到账日", "confirmed on", "day"),
    Column("收款方", "payee"), Column("收款账户", "account"), Column("账户状态", "account state"),
    Column("未付原因", "withheld"), Column("银行退票码", "bank code"), Column("银行仍可能支付", "bank may still pay"),
    Column("机构名称", "provider name"),
)  # fmt: skip


def _row(row: asyncpg.Record, known: Known, names: Mapping[str, str], as_of: date | None) -> Sequence[Cell]:
    told = paid.read(row["body"])
    one = _payment(row, told, known, names, as_of)
    amounts = (sum(fens.values()) for fens in (told.amounts, told.settled, told.returned, told.to_retry))
    return (
        one.payment, one.provider, one.area, one.fund, one.fund_name.zh if one.fund_name else None, one.purpose_name.zh,
        one.state_name.zh, one.due, one.days_overdue, *amounts, one.requested_by, " ".join(one.approvers), one.missing,
        one.expires_on, one.run, one.value_date, one.confirmed_on, one.payee, one.account,
        one.account_state_name.zh if one.account_state_name else None,
        f"{one.withheld.code_name.zh} {one.withheld.detail}" if one.withheld else None, one.bank_code,
        one.bank_may_still_pay_because, one.provider_name,
    )  # fmt: skip
