"""A plan of prepayments is published by an API that is killed with -9 at each step: real log, real workers."""

import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from medfund.http import tokens
from medfund.postgres import connect
from tests.conftest import LANES
from tests.events import AREA
from tests.integration import api_process
from tests.integration.served import Caller
from tests.integration.workers import Books
from tests.integration.working_fund import FAMILIES, WorkingFund, id_of, send, type_of, with_clearing

FUNDS = ("310100", "390100")
ASKED: dict[str, Any] = {
    "plan": "YF-1", "area": AREA, "year": 2026, "base_from": "2025-01-01", "base_to": "2025-12-01",
    "limits": dict.fromkeys(FUNDS, "8000000000.00"),
}  # fmt: skip
GRANTS = LANES * len(FUNDS)
AT_ONCE = 2
FEW = f"from clearing.prepayment.api import plans; plans.APPENDED_AT_ONCE = {AT_ONCE}"
KILLS = (
    "plan.approving",
    "plan.approved",
    "append.sending:1",
    "append.sending:3",
    "append.sending:2",
    "plan.published",
)
"""In the order of a publication, again and again; the fourth comes when a part of it is on the log."""


@pytest.fixture
async def funds(books: Books) -> AsyncIterator[list[WorkingFund]]:
    """A hospital in each lane, found good in both funds, and both services at work."""
    await with_clearing(books.database)
    books.services["clearing"] = FAMILIES
    control = await asyncpg.connect(books.database.admin)
    worker = await connect.opened(books.database.dsn("worker", "clearing"), timeout=30)
    with books.working("ledger"), books.working("clearing", service="clearing"):
        funds = [WorkingFund(control, {"clearing": worker}, lane=lane, books=books) for lane in range(LANES)]
        for step in (known, claimed):
            for fund in funds:
                step(fund)
            await send(funds)
            await books.booked()
        for fund in funds:
            fund.deduct([f"B-{fund.provider}"], {}, benefit_year=2025)
            fund.apply(*FUNDS)
        await send(funds)
        await books.booked()
        yield funds
    await control.close()
    await worker.close()


def known(fund: WorkingFund) -> None:
    """What the agency says, before anything is judged by it."""
    fund.register()
    fund.policy()
    fund.assess()
    for name in FUNDS:
        fund.figures(name, "41230000000.00", "34567000000.00")
    for staff, role in (("anna", "finance"), ("bo", "approver")):
        fund.mandate(staff, role)


def claimed(fund: WorkingFund) -> None:
    fund.settle(dict.fromkeys(FUNDS, 1200000 * (fund.lane + 1)), day="2025-01-15")
    fund.submit(f"B-{fund.provider}", first="2025-01-01", last="2025-01-31", on="2025-02-06")
    fund.day("2026-01-06")


async def test_every_grant_is_published_once_though_the_api_is_killed_at_each_step(
    funds: list[WorkingFund], books: Books, tmp_path: Path
) -> None:
    keys = tokens.make_keys(tmp_path)
    where = books.database, books.bootstrap, books.prefix, keys
    async with api_process.running("clearing", *where) as server, httpx.AsyncClient(base_url=server.url) as client:
        plan = await said(caller(client, keys, "mia", "finance"), "/v1/prepayment-plans", **ASKED)
        assert plan["to_publish"] == GRANTS
        first = await said(caller(client, keys, "anna", "finance"), approvals(plan), hash=plan["hash"])
        assert first["state"] == "WAITING"
    for point in KILLS:
        async with api_process.running("clearing", *where, first=FEW, CRASH_AT=point) as server:
            async with httpx.AsyncClient(base_url=server.url) as client:
                with contextlib.suppress(httpx.TransportError):
                    answer = await caller(client, keys, "bo", "approver").command(approvals(plan), hash=plan["hash"])
                    pytest.fail(f"{point}: {answer.text}")
            assert await server.ends() == -signal.SIGKILL
        if point == "append.sending:3":
            assert len(await published(books)) == AT_ONCE
    async with api_process.running("clearing", *where) as server, httpx.AsyncClient(base_url=server.url) as client:
        bo = caller(client, keys, "bo", "approver")
        await said(bo, approvals(plan), hash=plan["hash"])
        await books.booked()
        told = await said(bo, approvals(plan), hash=plan["hash"])
    assert (told["state"], told["published"], told["sent"]) == ("PUBLISHED", GRANTS, 0)
    assert [one["staff"] for one in told["approvals"]] == ["anna", "bo"]
    assert len(await published(books)) == GRANTS
    for fund in funds:
        refs = [f"{fund.provider}/YF-2026/{name}" for name in FUNDS]
        approved = await fund.decided("prepayment.approved")
        assert sorted(one["prepayment_ref"] for one in approved) == refs
        assert {one["amounts"][FUNDS[0]] for one in approved if FUNDS[0] in one["amounts"]} == {
            f"{1_000 * (fund.lane + 1)}.00"
        }
        ordered = await fund.decided("payment.ordered")
        prepaid = [one["payable_ref"] for one in ordered if one["purpose"] == "PREPAYMENT"]
        assert sorted(prepaid) == refs, "each is ordered to be paid once"
        assert await fund.decided("fact.disputed") == []


async def published(books: Books) -> set[str]:
    """The ids of the grants on the log; one that was sent again counts once."""
    return {id_of(record) for record in await books.records("agency") if type_of(record) == "prepayment.granted"}


def caller(client: httpx.AsyncClient, keys: tokens.Keys, subject: str, role: str) -> Caller:
    token = tokens.issue(
        tokens.load_key(keys.private), role=role, areas=[AREA], organisations=["*"], sources=(), subject=subject,
        ttl_s=3600,
    )  # fmt: skip
    return Caller(client, token)


def approvals(plan: dict[str, Any]) -> str:
    return f"/v1/prepayment-plans/{plan['area']}/{plan['plan']}/approvals"


async def said(by: Caller, path: str, **body: Any) -> dict[str, Any]:
    response = await by.command(path, **body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found
