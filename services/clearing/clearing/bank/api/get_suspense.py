"""GET /v1/suspense: bank money that nobody could place, how old it is, and what it turned out to be."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from clearing.api import naming, samples
from clearing.payments import reasons
from clearing.payments.suspense import Item, Said
from medfund.events.bank import BankAccount, Direction, PlacedAs
from medfund.http import answers, examples, exports, questions, reach, waiting
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.cursors import Pages
from medfund.http.exports import Exported
from medfund.http.questions import Area, Day, Fund
from medfund.http.tables import Cell, Column, Table
from medfund.postgres import queries

router = APIRouter()
SQL = queries.load(__file__, "suspense.sql")
ORDER = {"value_date": str, "lane": int, "item_ref": str}
OWNER = Name(zh="财务", en="finance")
DIRECTIONS: dict[Direction, Name] = {"OUT": Name(zh="付出", en="left"), "IN": Name(zh="收到", en="came")}
PLACED: dict[PlacedAs, Name] = {
    "PAYMENT": Name(zh="付款", en="a payment"),
    "RETURN": Name(zh="退回的付款", en="a payment that came back"),
    "RECOVERY": Name(zh="追回款", en="a recovery"),
    "PREPAYMENT": Name(zh="退回的预付金", en="a prepayment that was paid back"),
    "SHORTFALL": Name(zh="医院补缴的直接结算款", en="what a hospital gave back of what was paid for it"),
    "REFUND": Name(zh="医药企业退款", en="what a supplier owed"),
    "INTER_FUND": Name(zh="险种基金之间的划转", en="between two funds"),
    "FISCAL": Name(zh="两账户间划转", en="between the fund's own accounts"),
    "CORRECTED": Name(zh="银行差错已更正", en="the bank's mistake, taken back"),
    "INTEREST": Name(zh="利息", en="interest of the account"),
    "OTHER_INCOME": Name(zh="其他收入", en="other income of the account"),
    "FEE": Name(zh="银行手续费", en="a fee of the bank's"),
    "OTHER_PAYER": Name(zh="大病、救助等其他付费方归还的垫付款", en="what another payer repaid of what was advanced"),
}
_item = msgspec.json.Decoder(Item).decode


class Question(questions.Waiting, questions.Page, Exported):
    area: Area | None = None
    fund: Fund | None = None
    open: Annotated[bool | None, Field(description="Whether nobody has said yet what it was")] = None
    as_of: Annotated[Day | None, Field(description="The day that its age is counted to: the API has no clock")] = None


class Saying(BaseModel):
    by: str
    placed_as: PlacedAs
    placed_as_name: Name
    placed_on: date
    target: str | None
    provider: str | None


class Suspended(BaseModel):
    item: str
    area: str
    owner: Annotated[
        Literal["finance"], Field(description="Whose desk it is on: that of its area's finance department")
    ]
    owner_name: Name
    direction: Direction
    direction_name: Name
    bank_account: BankAccount
    fund: str
    fund_name: Name
    amount: Yuan
    bank_txn: str
    value_date: date
    booked_on: Annotated[date | None, Field(description="The bank's booking day, where it said one")]
    age_days: Annotated[int | None, Field(description="From the bank's day to `as_of`; null without it")]
    reason: Annotated[str, Field(description="As it stands on the log")]
    reason_name: Name
    payment: Annotated[str | None, Field(description="The payment that the bank named, if any")]
    open: bool
    said: Annotated[
        list[Saying],
        Field(description="While it is open: what each person said last that it was; it waits for another who agrees"),
    ]
    placed_as: PlacedAs | None
    placed_as_name: Name | None
    placed_on: date | None
    placed_by: Annotated[
        list[str] | None,
        Field(description="The two people who said so; null of what one person placed, in an earlier version"),
    ]
    target: str | None
    provider: str | None
    provider_name: ProviderName


SUSPENSE: examples.Json = {
    "as_of": "2026-03-02",
    "items": [
        {
            "item": "S-5b1f0c9a4d7e42138f6a90bd",
            "area": samples.AREA,
            "owner": "finance",
            "owner_name": examples.name("财务", "finance"),
            "direction": "IN",
            "direction_name": examples.name("收到", "came"),
            "bank_account": "1002",
            "fund": "310100",
            "fund_name": samples.FUNDS["310100"],
            "amount": "123.45",
            "bank_txn": "202602270000931",
            "value_date": "2026-02-27",
            "booked_on": "2026-02-27",
            "age_days": 3,
            "reason": "没有可对应的付款或收款",
            "reason_name": examples.name("没有可对应的付款或收款", "there is no payment or receipt that it could be"),
            "payment": None,
            "open": True,
            "said": [
                {
                    "by": "staff-7c41",
                    "placed_as": "FISCAL",
                    "placed_as_name": examples.name("两账户间划转", "between the fund's own accounts"),
                    "placed_on": "2026-03-02",
                    "target": None,
                    "provider": None,
                }
            ],
            "placed_as": None,
            "placed_as_name": None,
            "placed_on": None,
            "placed_by": None,
            "target": None,
            "provider": None,
            "provider_name": None,
        }
    ],
    "came": "123.45",
    "left": "0.00",
    "next": None,
    "positions": samples.POSITIONS,
}


class Answer(BaseModel):
    model_config = examples.of(SUSPENSE)

    as_of: date | None
    items: list[Suspended]
    came: Annotated[Yuan, Field(description="The sum of what came, in this answer (2190)")]
    left: Annotated[Yuan, Field(description="The sum of what left, in this answer (1190)")]
    next: str | None
    positions: Positions


@router.get(
    "/v1/suspense",
    response_model=Answer,
    responses=exports.responses(*answers.PAGING),
    summary="Bank money that nobody could place",
)
async def suspense(
    request: Request, question: Annotated[Question, Query()], caller: Caller, here: Here
) -> Answer | Response:
    """The oldest first. Each item is one fund's and waits for two people of its area's finance department to say what
    it was: `POST /v1/suspense-placings`.
    """
    pages = Pages(here.cursor_key, questions.sealed("suspense", caller, question), ORDER)
    after = pages.after(question.cursor)
    within = reach.of(caller, area=question.area, party=None, lanes=here.lanes)
    await waiting.until_booked(here.database, question.wait_for, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        found = await connection.fetch(
            SQL.suspense, within.lanes, reach.whole_areas(within), question.open, question.fund, *after,
            exports.rows_wanted(question, question.limit),
        )  # fmt: skip
        names = await naming.names(
            connection, within.lanes, filter(None, (_item(row["body"]).provider for row in found))
        )
        positions = await answers.positions(connection, within.lanes)
    if question.format != "json":
        table = Table(TITLE, COLUMNS, [_row(_item(row["body"]), names, question.as_of) for row in exports.cut(found)])
        return await exports.file(request, caller, here, question, "suspense", table)
    rows, following = pages.cut(found, question.limit)
    items = [_item(row["body"]) for row in rows]
    return Answer(
        as_of=question.as_of,
        positions=positions,
        items=[_suspended(item, names, question.as_of) for item in items],
        came=answers.total_of(item.amounts for item in items if item.direction == "IN"),
        left=answers.total_of(item.amounts for item in items if item.direction == "OUT"),
        next=following,
    )


def _suspended(item: Item, names: Mapping[str, str], as_of: date | None) -> Suspended:
    [fund] = item.amounts
    return Suspended(
        item=item.item_ref,
        area=item.area,
        owner="finance",
        owner_name=OWNER,
        direction=item.direction,
        direction_name=DIRECTIONS[item.direction],
        bank_account=item.bank_account,
        fund=fund,
        fund_name=answers.fund_name(fund),
        amount=answers.total(item.amounts),
        bank_txn=item.bank_txn,
        value_date=item.value_date,
        booked_on=item.booked_on or None,
        age_days=_age(item, as_of),
        reason=item.reason,
        reason_name=_reason(item.reason),
        payment=item.payment_ref,
        open=item.open,
        said=[_saying(one) for one in item.said or ()],
        placed_as=item.placed_as,
        placed_as_name=PLACED[item.placed_as] if item.placed_as else None,
        placed_on=item.placed_on,
        placed_by=item.approvers or None,
        target=item.target,
        provider=item.provider,
        provider_name=names.get(item.provider or ""),
    )


def _reason(reason: str) -> Name:
    zh, en = reasons.both(reason)
    return Name(zh=zh, en=en)


def _saying(said: Said) -> Saying:
    return Saying(
        by=said.staff_ref,
        placed_as=said.placed_as,
        placed_as_name=PLACED[said.placed_as],
        placed_on=said.placed_on,
        target=said.target,
        provider=said.provider,
    )


def _age(item: Item, as_of: date | None) -> int | None:
    return None if as_of is None else (as_of - item.value_date).days


# -- to take away

TITLE = Name(zh="待查款项", en="Suspense")
COLUMNS = (
    Column("款项", "item"), Column("统筹区", "area"), Column("基金", "fund"), Column("基金名称", "fund name"),
    Column("方向", "direction"), Column("账户", "bank account"), Column("金额", "amount", "money"),
    Column("银行流水", "bank transaction"), Column("银行起息日", "value date", "day"),
    Column("挂账天数", "age in days", "number"), Column("原因", "reason"), Column("银行所指付款", "payment"),
    Column("认定为", "placed as"), Column("认定日", "placed on", "day"), Column("对应", "target"),
    Column("定点机构", "provider"), Column("责任部门", "owner"), Column("机构名称", "provider name"),
    Column("认定人", "placed by"), Column("已提出认定的人", "said by"),
)  # fmt: skip


def _row(item: Item, names: Mapping[str, str], as_of: date | None) -> Sequence[Cell]:
    one = _suspended(item, names, as_of)
    return (
        one.item, one.area, one.fund, one.fund_name.zh, one.direction_name.zh, one.bank_account,
        sum(item.amounts.values()), one.bank_txn, one.value_date, one.age_days, one.reason_name.zh, one.payment,
        one.placed_as_name.zh if one.placed_as_name else None, one.placed_on, one.target, one.provider, OWNER.zh,
        one.provider_name, " ".join(one.placed_by or ()), " ".join(said.by for said in one.said),
    )  # fmt: skip
