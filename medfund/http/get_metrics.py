"""GET /metrics: what this process counts, for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from medfund.http import answers, examples
from medfund.http.context import Here

router = APIRouter()


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": examples.METRICS}}},
        **answers.or_problems(),
    },
    summary="Metrics",
)
async def metrics(here: Here) -> Response:
    """Requests by route and status, and the lag of the books as `/healthz` tells it, in Prometheus's text form."""
    await here.probe.health()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
