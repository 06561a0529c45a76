"""POST /v1/payment-runs: approved payments of one fund go to the bank (design §3, c.2, 22).

What stays true: of each bank account one run is undecided at a time; a run is kept before it is told to the lanes, so
that asking again finishes what a crash broke off.
"""

from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from clearing.api import knowledge, samples
from clearing.payments import planning
from clearing.payments.api import get_payment_run_plan, runs
from clearing.payments.planning import Plan, Wanted
from medfund import money
from medfund.calendar import CalendarNotLoaded
from medfund.events.fields import LAST_DAY
from medfund.http import answers, auditing, commands, examples
from medfund.http.answers import Yuan
from medfund.http.api import Kind
from medfund.http.commands import Command, Given
from medfund.http.context import Caller, Context, Here
from medfund.http.database import Connection, looking_again
from medfund.http.problems import Problem
from medfund.http.questions import Area, Day, Fund
from medfund.lanes import partition

router = APIRouter()
KIND = Kind("run", "payment.run.opened.v1", learned=True)
RUN: examples.Json = {
    "area": samples.AREA,
    "fund": "310100",
    "execute_on": "2026-02-27",
    "due_until": "2026-03-09",
    "number": 1,
}
OPENED: examples.Json = {
    "command": "run-9a0c1d2e3a4b59687786a5b4c3d2e1f0",
    "kind": "run",
    "source": "/clearing/commands",
    "type": "payment.run.opened.v1",
    "look": "/v1/commands/run-9a0c1d2e3a4b59687786a5b4c3d2e1f0",
    "run": runs.RUN_REF,
    "payments": 1,
    "total": "1890000.33",
    "available": "5000000.00",
}


class Run(BaseModel):
    model_config = {**examples.of(RUN), "extra": "forbid"}

    area: Area
    fund: Fund
    execute_on: Annotated[Day, Field(description="The day on which the bank is to carry it out")]
    due_until: Annotated[Day, Field(description="Only what is due up to this day; everything unless said")] = LAST_DAY
    number: Annotated[int, Field(ge=1, le=999, description="Of the runs of this account and day")]
    hash: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{64}$", description="Of the plan that the person has seen: no other one is sent"),
    ] = None
    dry_run: Annotated[bool, Field(description="Only say what it would send: its plan, with the hash")] = False


class Opened(Given):
    model_config = examples.of(OPENED)

    run: str
    payments: Annotated[int, Field(description="That it sends, unless something speaks against one by then")]
    total: Yuan
    available: Annotated[Yuan, Field(description="Was in the account and not on its way")]


class Kept(NamedTuple):
    command: Command
    at: datetime


@router.post(
    "/v1/payment-runs",
    status_code=202,
    response_model=Opened,
    openapi_extra=commands.body_of(Run),
    responses={
        200: {"model": get_payment_run_plan.Answer, "description": "Of a dry run: what it would send"},
        **answers.or_problems(
            *commands.CODES, "run_undecided", "nothing_to_pay", "no_working_day", "not_registered", "plan_changed"
        ),
    },
    summary="Send what is approved to the bank",
)
async def open_run(request: Request, response: Response, caller: Caller, here: Here) -> Opened | Response:
    """The approved payments of one fund, the earliest due first, as far as its account reaches. The next run of an
    account is made when every lane has decided this one. Asking again for the same run is answered the same, and tells
    it to the lanes that have not heard of it.
    """
    asked = await commands.read(request, Run)
    commands.of_area(caller, here, asked.area)
    name = planning.run_ref(_wanted(asked), asked.number)
    if asked.dry_run:
        await auditing.record(request, here.database, caller, "asked", {"run": name, "dry_run": True})
        plan = await get_payment_run_plan.planned(caller, here, _wanted(asked))
        return Response(plan.model_dump_json(), media_type="application/json")
    await auditing.record(request, here.database, caller, "asked", {"run": name})
    kept = await _kept(caller, here, asked, name)
    if kept.command.asked != _asked(asked):
        await commands.conflict(request, here, [name])
    await commands.deliver(here, kept.command, kept.at)
    opened, data = commands.given(here, kept.command, response), kept.command.data
    told = {key: data[key] for key in ("payments", "total", "available")}
    return Opened(**opened.model_dump(), run=name, **told)


def _wanted(asked: Run) -> Wanted:
    return runs.wanted(asked.area, asked.fund, due_until=asked.due_until, execute_on=asked.execute_on)


def _asked(asked: Run) -> dict[str, Any]:
    """What the run was made of, and its event does not say."""
    return {"due_until": asked.due_until.isoformat()}


async def _kept(caller: Caller, here: Context, asked: Run, name: str) -> Kept:
    """The run as it was made, now or before. Raises `Problem`."""

    async def once() -> Kept:
        # One snapshot: what a run takes and the positions that it is pinned to are of one moment.
        async with here.database.change(caller, isolation="repeatable_read") as connection:
            return await _kept_or_made(connection, caller, here, asked, name)

    return await looking_again(once)


async def _kept_or_made(connection: Connection, caller: Caller, here: Context, asked: Run, name: str) -> Kept:
    what = _wanted(asked)
    undecided = await planning.undecided(connection, what, lanes=here.lanes)
    row = await commands.kept(connection, caller, here, Command(KIND, (name,), None, {}).id)
    if row is None:
        if undecided is not None:
            raise Problem(
                "run_undecided", f"Run {undecided} is on its way to the lanes: ask for it again", run=undecided
            )
        await _not_in_the_past(connection, what)
        await _worked(connection, here, what)
        await _registered(connection, what)
        plan = await planning.plan(connection, what)
        await _as_seen(connection, plan, asked.hash)
        command = _command(plan, name, caller.subject, _asked(asked))
        commands.check(here, command)
        row = await commands.keep(connection, caller, here, command)
        await planning.take(connection, what, name)
    data, given = msgspec.json.decode(row["body"]), msgspec.json.decode(row["asked"])
    return Kept(Command(KIND, (name,), None, data, given), row["at"])


def _command(plan: Plan, name: str, staff_ref: str, asked: dict[str, Any]) -> Command:
    if plan.last is None:
        raise Problem(
            "nothing_to_pay",
            f"{plan.approved} payments of {money.yuan(plan.approved_fen)} are approved and due by then; "
            f"{money.yuan(plan.available)} is available",
        )
    run = planning.run(plan, run_ref=name, staff_ref=staff_ref)
    return Command(KIND, (name,), None, msgspec.to_builtins(run), asked)


async def _as_seen(connection: Connection, plan: Plan, hash: str | None) -> None:
    """Raises `Problem`."""
    if hash is not None and hash != (now := await planning.hash_of(connection, plan)):
        total = money.yuan(plan.fen)
        raise Problem("plan_changed", f"{plan.payments} payments of {total} would be sent now: the plan is {now}")


async def _not_in_the_past(connection: Connection, what: Wanted) -> None:
    today = await knowledge.today(connection)
    if today is not None and what.execute_on < today:
        raise Problem("parameter_invalid", f"execute_on: {today} has begun")


async def _registered(connection: Connection, what: Wanted) -> None:
    """Raises `Problem`: what is sent from an account without a number would stay here."""
    if not await runs.is_registered(connection, what):
        account = f"{what.bank_account} of fund {what.fund} of area {what.area}"
        raise Problem(
            "not_registered",
            f"The register of the bank process (MEDFUND_BANK_ACCOUNTS) has no account {account}: add it first",
            detail_zh=f"账户登记册（MEDFUND_BANK_ACCOUNTS）中没有统筹区 {what.area} 基金 {what.fund} 的账户 "
            f"{what.bank_account}：请先登记，再发起支付",
        )


async def _worked(connection: Connection, here: Context, what: Wanted) -> None:
    """Raises `Problem`. A day of which no notice speaks yet is let in: the bank says what it makes of it."""
    lane = partition.lane_of(what.area.encode(), here.lanes)
    try:
        calendar = await knowledge.calendar(connection, lane)
        if calendar.is_working_day(what.execute_on):
            return
        coming = calendar.next_working_day(what.execute_on)
    except CalendarNotLoaded:
        return
    raise Problem(
        "no_working_day",
        f"execute_on: {what.execute_on} is no working day, the next one is {coming}",
        detail_zh=f"execute_on：{what.execute_on} 不是工作日，下一个工作日为 {coming}",
        next_working_day=coming.isoformat(),
    )
