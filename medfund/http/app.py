"""What every API of this product has in common: problems, traffic, documents, and no door without a lock."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from medfund.http import docs, problems
from medfund.http.access import Roles
from medfund.http.traffic import Traffic

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create(*, title: str, version: str, description: str, roles: Roles, lifespan: Lifespan) -> FastAPI:
    """An application without routes yet; `roles` documents who may call which operation."""
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        telemetry={"tracing": False},
    )
    app.add_middleware(Traffic)
    problems.install(app)
    app.add_api_route("/docs", _docs(app), include_in_schema=False, response_class=HTMLResponse)
    app.openapi = _documented(app.openapi, roles)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _docs(app: FastAPI) -> Callable[[], Awaitable[HTMLResponse]]:
    async def docs_page() -> HTMLResponse:
        return HTMLResponse(docs.page(app.openapi()), headers={"content-security-policy": docs.POLICY})

    return docs_page


def _documented(original: Callable[[], dict[str, Any]], roles: Roles) -> Callable[[], dict[str, Any]]:
    """FastAPI's document plus the shape of problems and the roles of each operation; made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(original())
            made.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
            for operation in _operations(made):
                allowed = roles.get(operation["operationId"], ())
                operation["x-roles"] = sorted(role.value for role in allowed)
        return made

    return openapi


def _operations(openapi: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in openapi["paths"].values() for operation in methods.values()]
