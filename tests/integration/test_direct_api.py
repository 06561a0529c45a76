"""What suppliers are paid on hospitals' behalf, as those see it whose it is; and a supplier's new account, confirmed by
somebody who did not enter it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests import events
from tests.conftest import Database
from tests.events import AREA
from tests.fund import running
from tests.integration import claims_served
from tests.integration.served import Api, Caller
from tests.integration.test_api_access import SET_SCOPE
from tests.integration.test_claims_commands import given, problem
from tests.integration.test_direct import World
from tests.purchases import EMPLOYEES, ONE, RESIDENTS, THREE, TWO, invoice


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A hospital for which two suppliers are paid, of which one is paid and half given back; and another hospital."""
    async with running(database, lane=0, lanes=1) as fund:
        fund.register()
        fund.policy(instant__ratio="0", bond__310100="0", bond__390100="0")
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit({EMPLOYEES: 99_999_999_99, RESIDENTS: 99_999_999_99})
        for supplier in (ONE, TWO):
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{supplier[-2:]}")
        world = World(fund)
        world.day("2026-09-21")
        await fund.drain()
        name = world.request("DZ-1", {invoice(1): 100_00, invoice(2): 60_01})
        await world.pay(name, on="2026-09-22")
        await world.earn({EMPLOYEES: 50_00}, "B-R")
        world.red(name, invoice(1), 70_00)
        world.request("DZ-2", {invoice(3): 20_00}, supplier=TWO)
        fund.put("direct.cap.set.v1", provider=fund.provider, amount="0.10")
        await fund.drain()
        yield world


@pytest.fixture
async def api(world: World, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, world.fund.log, tmp_path, lanes=1) as api:
        yield api


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="anna")


def about(one: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in ("statement", "supplied", "paid", "charged", "recovered", "blocked"))


async def test_what_a_supplier_is_owed_and_paid_and_what_is_taken_back_from_the_hospital(
    world: World, finance: Caller
) -> None:
    answer = await finance.answer("/v1/supplier-payables")
    found = {one["supplier"]: one for one in answer["payables"]}
    assert about(found[ONE]) == ("DZ-1", "160.01", "160.01", "90.01", "50.00", False)
    assert about(found[TWO])[:3] == ("DZ-2", "20.00", "0.00")
    owed = await world.items()
    debts = {(one["supplier"], part["fund"]): part["amount"] for one in answer["debts"] for part in one["amounts"]}
    assert debts == {(ONE, fund): f"{fen // 100}.{fen % 100:02d}" for (account, _, fund), fen in owed.items()
                     if account == "1109"}  # fmt: skip
    out = sum(fen for (account, _, _), fen in owed.items() if account == "1103") - 20_00
    exposure = (await finance.answer("/v1/exposures"))["exposures"][0]
    assert (exposure["to_pay"], exposure["exposure"], exposure["cap"]) == (
        "20.00",
        f"{out // 100}.{out % 100:02d}",
        "0.10",
    )
    assert exposure["above_cap"] == (out > 10)
    sheet = (await finance.get("/v1/supplier-payables", format="csv")).content.decode("utf-8-sig")
    assert "160.01,160.01,90.01,50.00" in sheet
    assert (await finance.get("/v1/exposures", format="xlsx")).content[:2] == b"PK"


async def test_a_supplier_sees_its_own_and_a_hospital_what_is_paid_for_it(world: World, api: Api) -> None:
    [_, elsewhere] = events.providers(0, 1, 2)
    for role, own, expected in (
        ("supplier", ONE, {ONE}), ("supplier", TWO, {TWO}), ("provider", world.fund.provider, {ONE, TWO}),
        ("provider", elsewhere, set()),
    ):  # fmt: skip
        answer = await api.caller(role, areas=[AREA], organisations=[own]).answer("/v1/supplier-payables")
        assert {one["supplier"] for one in answer["payables"]} == expected
        assert {one["supplier"] for one in answer["debts"]} <= expected
        for one in answer["payables"]:
            given_back = one["charged"], one["recovered"], one["outstanding"], answer["recovered"]
            assert (given_back == (None,) * 4) is (role == "supplier"), "it is between the fund and the hospital"
    sheet = await api.caller("supplier", areas=[AREA], organisations=[ONE]).get("/v1/supplier-payables", format="csv")
    assert "160.01,160.01,,,," in sheet.content.decode("utf-8-sig")
    other = api.caller("provider", areas=[AREA], organisations=[elsewhere])
    assert (await other.answer("/v1/exposures"))["exposures"] == []
    supplier = api.caller("supplier", areas=[AREA], organisations=[ONE])
    assert problem(await supplier.get("/v1/exposures")) == (403, "role_not_allowed")
    page = await api.caller("auditor").answer("/v1/supplier-payables", limit=1)
    rest = await api.caller("auditor").answer("/v1/supplier-payables", limit=1, cursor=page["next"])
    assert {one["supplier"] for one in (*page["payables"], *rest["payables"])} == {ONE, TWO}


async def test_a_suppliers_new_account_is_confirmed_by_somebody_who_did_not_enter_it(
    world: World, api: Api, finance: Caller
) -> None:
    world.fund.put_in_lane("supplier.changed.v1", supplier=ONE, bank_account_ref="acct-new", entered_by="Anna")
    await world.fund.drain()
    asked = {"area": AREA, "supplier": ONE, "bank_account_ref": "acct-new"}
    path = "/v1/supplier-account-confirmations"
    refused = await finance.command(path, **asked)
    assert (problem(refused), "another one confirms it" in refused.json()["detail"]) == (
        (409, "would_be_declined"), True,
    )  # fmt: skip
    bo = api.caller("approver", areas=[AREA], subject="bo")
    assert problem(await bo.command(path, **{**asked, "bank_account_ref": "acct-old"})) == (409, "account_differs")
    assert problem(await bo.command(path, **{**asked, "supplier": "91370000MA0000001T"})) == (404, "not_found")
    nobody = api.caller("approver", areas=[AREA], subject="nobody")
    assert "no mandate" in (await nobody.command(path, **asked)).json()["detail"]
    stranger = api.caller("approver", areas=["370100"], subject="bo")
    assert problem(await stranger.command(path, **asked)) == (404, "not_found")
    look = await given(bo, path, asked)
    assert await given(bo, path, asked) == look
    await world.fund.drain()
    assert (await bo.answer(look))["state"] == "DONE"
    noted = [one for one in await world.fund.decided("supplier.account.noted") if one["confirmed_by"]]
    assert [(one["supplier"], one["bank_account_ref"], one["confirmed_by"]) for one in noted] == [
        (ONE, "acct-new", "bo"),
    ]  # fmt: skip


async def test_row_level_security_alone_shows_a_supplier_its_own_rows_of_all_hospitals(world: World, api: Api) -> None:
    """Asked straight, as the API's role: neither another supplier's, nor what a hospital gets back."""
    fund, here = world.fund, world.fund.provider
    [_, elsewhere, moved] = events.providers(0, 1, 3)
    for fund.provider, area in ((elsewhere, AREA), (moved, "370100")):
        fund.put("provider.registered.v1", provider=fund.provider, area=area)
        fund.policy(area=area)
        world.request("DZ-7", {invoice(7): 30_00}, area=area)
        world.request("DZ-8", {invoice(8): 40_00}, supplier=TWO, area=area)
    await fund.drain()
    every = {tuple(row) for row in await api.superuser("select provider, supplier, kind from direct")}
    assert (here, "", "GIVEN_BACK") in every
    connection = await asyncpg.connect(api.database.dsn("api", "clearing"))
    try:
        for own, areas, hospitals in ((ONE, AREA, {here, elsewhere}), (TWO, AREA, {here, elsewhere}),
                                      (ONE, "370100", {moved}), (THREE, AREA, set())):  # fmt: skip
            async with connection.transaction():
                await connection.execute(SET_SCOPE, areas, own)
                seen = {tuple(row) for row in await connection.fetch("select provider, supplier, kind from direct")}
            assert seen == {row for row in every if row[0] in hospitals and row[1] == own}
            assert {row[0] for row in seen} == hospitals
    finally:
        await connection.close()
