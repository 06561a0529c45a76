"""What every API of this product has in common: problems, traffic, documents, and no door without a lock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from medfund.http import api as apis
from medfund.http import docs, get_audit, get_command, get_health, get_metrics, get_ready, openapi, problems
from medfund.http.api import Api
from medfund.http.context import Context
from medfund.http.problems import Problem
from medfund.http.tokens import Role
from medfund.http.traffic import Traffic

COMMON = Api(
    endpoints=(get_audit, get_metrics),
    roles={"audit": frozenset({Role.auditor}), "metrics": frozenset({Role.operator, Role.auditor})},
)
"""What every service is asked."""


def composed(*each: Api, outcomes: Collection[Role] = ()) -> Api:
    """All that a service is asked. `outcomes`: who may ask what became of a command."""
    api = apis.composed(*each)
    if not api.commands:
        return apis.composed(api, COMMON)
    return apis.composed(api, Api(endpoints=[get_command.of(api)], roles={"command": outcomes}), COMMON)


def create(
    *,
    title: str,
    version: str,
    description: str,
    api: Api,
    context: Context,
    schemas: Mapping[str, Any] = {},
) -> FastAPI:
    """The application. It starts without its database and its log, and says so until they answer.

    The routes of `api` need a token; health is open. `schemas` are those that bodies refer to.
    """
    app = _empty(title, version, description, api, schemas)
    app.state.context = context
    routes = sorted((route for endpoint in api.endpoints for route in endpoint.router.routes), key=_width)
    app.include_router(APIRouter(routes=routes), dependencies=[Depends(context.access)])
    app.include_router(get_health.router)
    app.include_router(get_ready.router)
    app.openapi()  # made now, for parameters are checked against it
    return app


def _width(route: Any) -> list[int]:
    """How much a path takes in, part by part: a word less than a name, a name less than one that may hold slashes.
    Routes are matched in their order, so the narrower one comes first."""
    return [*(2 if part.endswith(":path}") else int(part.startswith("{")) for part in route.path.split("/")), 3]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    await context.database.open()
    try:
        yield
    finally:
        await context.appending.close()
        await context.database.close()


def _empty(title: str, version: str, description: str, api: Api, schemas: Mapping[str, Any]) -> FastAPI:
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        telemetry={"tracing": False},
    )
    app.add_middleware(Traffic)
    problems.install(app, _recorded)
    app.add_api_route("/docs", _docs(app), include_in_schema=False, response_class=HTMLResponse)
    app.openapi = _documented(app.openapi, api, schemas)  # type: ignore[method-assign]
    return app


async def _recorded(request: Request, problem: Problem) -> None:
    context: Context = request.app.state.context
    await context.access.refused(request, problem)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _docs(app: FastAPI) -> Callable[[], Awaitable[HTMLResponse]]:
    async def docs_page() -> HTMLResponse:
        return HTMLResponse(docs.page(app.openapi()), headers={"content-security-policy": docs.POLICY})

    return docs_page


def _documented(
    original: Callable[[], dict[str, Any]], api: Api, schemas: Mapping[str, Any]
) -> Callable[[], dict[str, Any]]:
    """The finished document; made once."""
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            made.update(openapi.finish(original(), api, schemas))
        return made

    return document
