"""A plan of statements is published by an API that is killed with -9 at each step: real log, real workers."""

import contextlib
import signal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from medfund.http import tokens
from tests.conftest import LANES
from tests.events import AREA
from tests.integration import api_process
from tests.integration.faults.test_direct_pay import LEASE, Buyer, bought, buyers, decided, took
from tests.integration.faults.test_plan_kills import KILLS, caller, said
from tests.integration.workers import Books
from tests.integration.working_fund import id_of, type_of
from tests.purchasing import METFORMIN, invoice_no

ASKED: dict[str, Any] = {"plan": "JS-1", "area": AREA}
AT_ONCE = 1
FEW = f"from direct_pay.plans.api import told; told.APPENDED_AT_ONCE = {AT_ONCE}"

__all__ = ["buyers"]


def stated(fund: Buyer) -> None:
    """Each hospital's invoice has a number of its own: 12.34 for each of so many."""
    number, quantity = 100 + fund.lane, fund.lane + 1
    for staff, role in (("anna", "finance"), ("bo", "approver")):
        fund.mandate(staff, role)
    fund.deliver("CG-1", (METFORMIN, quantity, "12.34"))
    fund.invoice(number, "CG-1", (METFORMIN, quantity, "12.34"))
    fund.submit_statement("DZ-1", {invoice_no(number): amount(fund)})
    fund.confirm("DZ-1")
    fund.day("2026-10-07")


def amount(fund: Buyer) -> str:
    fen = 1234 * (fund.lane + 1)
    return f"{fen // 100}.{fen % 100:02d}"


async def test_every_statement_is_requested_once_though_the_api_is_killed_at_each_step(
    buyers: list[Buyer],
    books: Books,
    tmp_path: Path,
) -> None:
    keys = tokens.make_keys(tmp_path)
    where = books.database, books.bootstrap, books.prefix, keys
    with books.working("direct-pay", service="direct_pay", **LEASE):
        await took(buyers, bought, stated)
        async with (
            api_process.running("direct_pay", *where) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            plan = await said(caller(client, keys, "mia", "finance"), "/v1/statement-plans", **ASKED)
            assert (plan["to_publish"], len(plan["lines"])) == (LANES, LANES)
            await said(caller(client, keys, "anna", "finance"), approvals(plan), hash=plan["hash"])
        for point in KILLS:
            async with api_process.running("direct_pay", *where, first=FEW, CRASH_AT=point) as server:
                async with httpx.AsyncClient(base_url=server.url) as client:
                    with contextlib.suppress(httpx.TransportError):
                        bo = caller(client, keys, "bo", "approver")
                        answer = await bo.command(approvals(plan), hash=plan["hash"])
                        pytest.fail(f"{point}: {answer.text}")
                assert await server.ends() == -signal.SIGKILL
        async with (
            api_process.running("direct_pay", *where) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            bo = caller(client, keys, "bo", "approver")
            await said(bo, approvals(plan), hash=plan["hash"])
            await books.booked()
            told = await said(bo, approvals(plan), hash=plan["hash"])
        assert (told["state"], told["published"], told["sent"]) == ("PUBLISHED", LANES, 0)
        assert [one["staff"] for one in told["approvals"]] == ["anna", "bo"]
        agreed = [record for record in await books.records("agency") if type_of(record) == "statements.agreed"]
        assert len({id_of(record) for record in agreed}) == LANES
        once = {(record.partition, id_of(record)): record for record in await decided(books)}.values()
        assert not [record for record in once if type_of(record) in ("statement.withheld", "fact.disputed")]
        requested = [record for record in once if type_of(record) == "statement.requested"]
        assert {record.partition: msgspec.json.decode(record.value)["lines"][0][1] for record in requested} == {
            fund.lane: amount(fund) for fund in buyers
        }
        assert len(requested) == LANES


def approvals(plan: dict[str, Any]) -> str:
    return f"/v1/statement-plans/{plan['area']}/{plan['plan']}/approvals"
