"""GET /healthz: whether the answers of this API are up to date, and what is wrong where they are not."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from medfund import money
from medfund.http import examples
from medfund.http.answers import Yuan
from medfund.http.context import Here
from medfund.http.probe import Health
from medfund.lanes.log import Fault

router = APIRouter()


class Lag(BaseModel):
    events: Annotated[int, Field(description="Records on the log that are not booked")]
    oldest_s: Annotated[float, Field(description="How long the oldest of them has waited")]
    yuan: Annotated[Yuan, Field(description="The money that they move")]
    at_least: Annotated[bool, Field(description="There are too many to look at all: age and money are at least that")]


class LogFault(BaseModel):
    fault: Annotated[str, Field(description="The stable code, as in `faults`")]
    topic: str
    lane: Annotated[int | None, Field(description="Of `log_held_up`")]
    age_s: Annotated[float | None, Field(description="How long the lane has been held up")]
    detail: str


class Answer(BaseModel):
    model_config = examples.of(examples.HEALTH)

    status: Literal["ok", "stale"]
    faults: Annotated[list[str], Field(description="Stable codes of what is wrong")]
    database: bool
    log: Annotated[
        bool | None, Field(description="Null where it was not asked: without the database nothing says from where")
    ]
    lanes: int
    lanes_without_worker: list[int]
    lanes_stopped: list[int]
    lag: Lag | None
    log_faults: Annotated[list[LogFault], Field(description="What the log is that it must not be, and where")]


@router.get(
    "/healthz",
    responses={503: {"model": Answer, "description": "The answers of this API are not up to date, or there are none"}},
    summary="Health and lag",
)
async def health(here: Here, response: Response) -> Answer:
    """Open to anyone. 200 only when the database and the log answer, a live worker has every lane, no event has waited
    longer than a minute, and the log keeps everything and lets it be read.
    """
    found = await here.probe.health()
    response.status_code = 503 if found.faults else 200
    return Answer(
        status="stale" if found.faults else "ok",
        faults=found.faults,
        database=found.database,
        log=found.log,
        lanes=found.lanes,
        lanes_without_worker=list(found.idle),
        lanes_stopped=list(found.stopped),
        lag=_lag(found),
        log_faults=[_log_fault(fault) for fault in found.log_faults],
    )


def _log_fault(fault: Fault) -> LogFault:
    age_s = None if fault.age_s is None else round(fault.age_s, 3)
    return LogFault(fault=fault.code, topic=fault.topic, lane=fault.lane, age_s=age_s, detail=fault.detail)


def _lag(found: Health) -> Lag | None:
    if found.lag is None:
        return None
    return Lag(
        events=found.lag.events,
        oldest_s=round(found.lag.oldest_s, 3),
        yuan=money.yuan(found.lag.fen),
        at_least=not found.lag.complete,
    )
