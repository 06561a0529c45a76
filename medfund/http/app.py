"""What every API of this product has in common: problems, traffic, documents, and no door without a lock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from medfund.http import docs, get_health, get_ready, openapi, problems
from medfund.http.access import Roles
from medfund.http.context import Context
from medfund.http.problems import Problem
from medfund.http.traffic import Traffic


def create(
    *,
    title: str,
    version: str,
    description: str,
    roles: Roles,
    context: Context,
    locked: Sequence[APIRouter],
    schemas: Mapping[str, Any] = {},
) -> FastAPI:
    """The application. It starts without its database and its log, and says so until they answer.

    The routes of `locked` need a token; `roles` says who may call which operation. Health is open. `schemas` are those
    that bodies refer to.
    """
    app = _empty(title, version, description, roles, schemas)
    app.state.context = context
    behind = APIRouter(dependencies=[Depends(context.access)])
    for router in locked:
        behind.include_router(router)
    app.include_router(behind)
    app.include_router(get_health.router)
    app.include_router(get_ready.router)
    app.openapi()  # made now, for parameters are checked against it
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    await context.database.open()
    try:
        yield
    finally:
        await context.appending.close()
        await context.database.close()


def _empty(title: str, version: str, description: str, roles: Roles, schemas: Mapping[str, Any]) -> FastAPI:
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
    app.openapi = _documented(app.openapi, roles, schemas)  # type: ignore[method-assign]
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
    original: Callable[[], dict[str, Any]], roles: Roles, schemas: Mapping[str, Any]
) -> Callable[[], dict[str, Any]]:
    """The finished document; made once."""
    made: dict[str, Any] = {}

    def document() -> dict[str, Any]:
        if not made:
            made.update(openapi.finish(original(), roles, schemas))
        return made

    return document
