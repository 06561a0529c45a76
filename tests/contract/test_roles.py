"""Who may call what: the rights that capabilities declare are those of a list that is changed by hand."""

import json
from pathlib import Path

import pytest

import clearing.app
import direct_pay.app
import ledger.api.app
from medfund.events.kinds import KINDS
from medfund.http import api
from medfund.http.api import Api
from medfund.http.tokens import Role
from medfund.local import permissions

GOLDEN = Path(__file__).with_name("roles.json")
"""Change it where a right is meant to be another one."""
APIS = {"clearing": clearing.app.API, "direct_pay": direct_pay.app.API, "ledger": ledger.api.app.API}


@pytest.mark.parametrize("service", APIS)
def test_a_right_that_is_widened_or_lost_is_seen(service: str) -> None:
    declared = {name: {role.value for role in allowed} for name, allowed in APIS[service].roles.items()}
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))[service]
    assert declared == {name: set(roles.split()) for name, roles in golden.items()}


@pytest.mark.parametrize("service", APIS)
def test_roles_are_named_for_the_operations_that_there_are(service: str) -> None:
    routes = [route for endpoint in APIS[service].endpoints for route in endpoint.router.routes]
    assert sorted(route.name for route in routes) == sorted(APIS[service].roles)  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", permissions.ASKED_ON)
def test_an_api_may_write_where_what_it_is_asked_is_said(service: str) -> None:
    commands = APIS[service.removesuffix("-api").replace("-", "_")].commands
    assert {KINDS[kind.type].family for kind in commands} <= {*permissions.ASKED_ON[service]}


def test_two_capabilities_do_not_name_one_operation() -> None:
    mine = Api(endpoints=(), roles={"hold": {Role.finance}})
    with pytest.raises(ValueError, match="hold"):
        api.composed(mine, Api(endpoints=(), roles={"hold": {Role.provider}}))
