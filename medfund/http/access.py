"""Who may ask what: one table of roles per operation, looked up before a parameter or a body is read.

An operation that is not in the table is open to nobody.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, NoReturn

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc.jwk import OKPKey

from medfund.http import tokens
from medfund.http.problems import Problem
from medfund.http.tokens import Principal, Role, TokenRefused

Roles = Mapping[str, Collection[Role]]
"""By operation id."""
RecordRefusal = Callable[[Request, Principal, str, dict[str, Any]], Awaitable[None]]
"""Whom, with which code, and what is known of it."""

ASKS = ("GET", "HEAD")
SERVER_ERROR = 500
_bearer = HTTPBearer(bearerFormat="JWS", auto_error=False, description="A token made by `medfund token`.")


class Access:
    """The router dependency that lets a caller in, or not. Every refusal of a known caller is recorded."""

    def __init__(self, public_key: OKPKey, roles: Roles, record_refusal: RecordRefusal) -> None:
        self._key = public_key
        self._roles = roles
        self._record_refusal = record_refusal

    async def __call__(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> None:
        principal = self._who(credentials)
        request.state.principal = principal
        request.state.subject, request.state.role = principal.subject, principal.role.value
        if principal.role not in self._roles.get(operation(request), ()):
            await self.refuse(request, "role_not_allowed")
        _known_parameters_once(request)

    def _who(self, credentials: HTTPAuthorizationCredentials | None) -> Principal:
        if credentials is None:
            raise Problem("token_missing")
        try:
            return tokens.verify(self._key, credentials.credentials)
        except TokenRefused as error:
            raise Problem("token_refused") from error

    async def refuse(
        self, request: Request, code: str, detail: str | None = None, *, about: Sequence[str] = (), **members: Any
    ) -> NoReturn:
        """Record that a known caller was refused, and what that was about, then refuse."""
        await self._record(request, code, {"about": about, "detail": detail, **members})
        raise Problem(code, detail, **members)

    async def refused(self, request: Request, problem: Problem) -> None:
        """Record that what a known caller wanted changed was refused, where that is not recorded yet."""
        known = hasattr(request.state, "principal") and not hasattr(request.state, "refusal_recorded")
        if known and request.method not in ASKS and problem.kind.status < SERVER_ERROR:
            asked = getattr(request.state, "asked", None)
            await self._record(request, problem.code, {"asked": asked, "detail": problem.detail, **problem.members})

    async def _record(self, request: Request, code: str, told: Mapping[str, Any]) -> None:
        kept = {name: value for name, value in told.items() if value}
        await self._record_refusal(request, request.state.principal, code, kept)
        request.state.refusal_recorded = True


async def principal(request: Request) -> Principal:
    """The caller whom `Access` let in."""
    who: Principal = request.state.principal
    return who


def operation(request: Request) -> str:
    """The name of the route that was matched, which is its operation id in OpenAPI."""
    return str(request.scope["route"].name)


def _known_parameters_once(request: Request) -> None:
    """A mistyped filter must not widen an answer, and of two values no one can say which one counted."""
    given = [name for name, _ in request.query_params.multi_items()]
    known = _parameters(request)
    if wrong := sorted({name for name in given if name not in known or given.count(name) > 1}):
        raise Problem("parameter_unknown", "Known here: " + (", ".join(sorted(known)) or "none"), count=len(wrong))


def _parameters(request: Request) -> Collection[str]:
    documented: dict[str, Any] = request.app.openapi()["paths"][request.scope["route"].path_format]
    parameters = documented[request.method.lower()].get("parameters", ())
    return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
