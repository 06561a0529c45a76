"""What a service is asked over HTTP: each capability says its endpoints, and who may call them.

What stays true: an operation that names no role is open to nobody, and no two capabilities have one of the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter

from medfund.http import get_audit, get_metrics
from medfund.http.access import Roles
from medfund.http.tokens import Role


class Endpoint(Protocol):
    """A module that answers something."""

    router: APIRouter


@dataclass(frozen=True, kw_only=True)
class Api:
    endpoints: Sequence[Endpoint]
    roles: Roles
    """By operation id, in the order in which they are told: the least that each role needs."""


COMMON = Api(
    endpoints=(get_audit, get_metrics),
    roles={"audit": frozenset({Role.auditor}), "metrics": frozenset({Role.operator, Role.auditor})},
)
"""What every service is asked."""


def composed(*each: Api) -> Api:
    """All that a service is asked."""
    every = (*each, COMMON)
    named = [(operation, allowed) for one in every for operation, allowed in one.roles.items()]
    if len(roles := dict(named)) < len(named):
        raise ValueError("two capabilities name the same operation")
    return Api(endpoints=[endpoint for one in every for endpoint in one.endpoints], roles=roles)
