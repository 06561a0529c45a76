"""GET /livez and /readyz: whether to start this process anew, and whether to send callers to it."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from medfund.http import examples, problems
from medfund.http.context import Here

router = APIRouter()


class Ready(BaseModel):
    model_config = examples.of(examples.READY)

    status: Annotated[Literal["ok"], Field(description="Nothing else is ever said with 200")]


@router.get("/livez", summary="Whether this process lives")
async def live() -> Ready:
    """Open to anyone. It asks neither the database nor the log: to start anew helps neither."""
    return Ready(status="ok")


@router.get(
    "/readyz",
    responses=problems.responses("busy", "database_unavailable"),
    summary="Whether questions are answered here",
)
async def ready(here: Here) -> Ready:
    """Open to anyone. 200 when the database answers; whether its books are up to date is for `/healthz` to say."""
    await here.probe.reach()
    return Ready(status="ok")
