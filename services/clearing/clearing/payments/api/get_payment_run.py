"""GET /v1/payment-runs/{run}: one run, and each payment that it left out."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from clearing.api import naming, samples
from clearing.payments.api import get_payments, runs
from clearing.payments.api.get_payments import Withheld
from clearing.payments.api.runs import Run
from clearing.payments.payment import Status
from medfund import money
from medfund.http import answers, examples, problems, reach
from medfund.http.answers import Name, Positions, ProviderName, Yuan
from medfund.http.context import Caller, Here
from medfund.http.questions import Ref

router = APIRouter()
WITHHELD_MAX = 1000


class LeftOut(Withheld):
    payment: str
    provider: str
    provider_name: ProviderName
    total: Yuan
    state: Annotated[Status, Field(description="As it stands now")]
    state_name: Name


ONE_RUN = {
    **runs.ONE_RUN,
    "left_out": [
        {
            "payment": "H15250200018-310-21-202601/P1/310100",
            "provider": "H15250200018",
            "provider_name": "正镶白旗示例医院",
            "run": runs.RUN_REF,
            "code": "HELD",
            "code_name": examples.name("暂缓拨付", "held"),
            "detail": "hold case-2026-0042 is placed on H15250200018-310-21-202601",
            "total": "300000.00",
            "state": "APPROVED",
            "state_name": examples.name("已审批", "approved"),
        }
    ],
    "positions": samples.POSITIONS,
}


class Answer(Run):
    model_config = examples.of(ONE_RUN)

    left_out: Annotated[list[LeftOut], Field(description=f"What was withheld, the first {WITHHELD_MAX}")]
    positions: Positions


@router.get(
    "/v1/payment-runs/{run}",
    responses=answers.or_problems("not_found", "question_too_slow"),
    summary="One payment run",
)
async def payment_run(run: Annotated[Ref, Path()], caller: Caller, here: Here) -> Answer:
    """Planned, sent, withheld, and what the bank has answered. What it sent is listed by `GET /v1/payments?run=`."""
    within = reach.of(caller, area=None, party=None, lanes=here.lanes)
    areas = reach.whole_areas(within)
    async with here.database.snapshot(caller) as connection:
        rows = await connection.fetch(runs.SQL.runs, within.lanes, areas, None, run, None, None, 1)
        if not rows:
            raise problems.unknown("run")
        [told] = await runs.described(connection, rows, areas, lanes=here.lanes)
        left_out = await connection.fetch(runs.SQL.withheld_payments, run, areas, told.fund, WITHHELD_MAX)
        names = await naming.names(connection, within.lanes, (row["provider"] for row in left_out))
        positions = await answers.positions(connection, within.lanes)
    return Answer(
        **told.model_dump(),
        positions=positions,
        left_out=[
            LeftOut(
                **get_payments.withheld(run, row["code"], row["detail"]).model_dump(),
                payment=row["payment_ref"],
                provider=row["provider"],
                provider_name=names.get(row["provider"]),
                total=money.yuan(row["fen"]),
                state=row["status"],
                state_name=get_payments.STATES[row["status"]],
            )
            for row in left_out
        ],
    )
