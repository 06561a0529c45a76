"""Sums have no limit: what is larger than any single amount is an answer, and a lane that adds it up goes on."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ledger import control
from ledger.api.app import create
from ledger.settings import ApiSettings
from ledger.verify import Report
from medfund import money
from medfund.bankfiles import iso20022
from medfund.bankfiles.messages import Entry
from medfund.http import tokens
from medfund.postgres import connect
from tests.conftest import Database
from tests.fund import LANES, LIMITS, Fund, running
from tests.integration import bank_door, claims_served
from tests.integration.bank_door import DAY
from tests.integration.served import Api

LARGEST = money.FEN_MAX
MANY = 947
"""More than fit into a column of 64 bits."""


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.workers["ledger"].limits = replace(LIMITS, batch_records_max=5000)
        fund.register()
        fund.policy()
        for _ in range(MANY):
            fund.settle({"390100": LARGEST}, day="2026-04-21", insutype="390")
        await fund.drain()
        yield fund


async def test_more_than_any_single_amount_is_booked_and_answered(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    summed = money.yuan(MANY * LARGEST)
    assert summed == "94699999999999990.53"
    keys = tokens.make_keys(tmp_path)
    app = create(
        ApiSettings.model_validate(
            {
                "kafka_bootstrap": "127.0.0.1:1",
                "MEDFUND_LANES": LANES,
                "MEDFUND_TOPIC_PREFIX": "medfund",
                "LEDGER_API_DSN": database.dsn("api"),
                "MEDFUND_TOKEN_PUBLIC_KEY": keys.public,
            }
        )
    )
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ledger", timeout=30)
    async with app.router.lifespan_context(app), client:
        auditor = Api(app, client, keys, database, "", "medfund").caller("auditor")
        balances = await auditor.answer("/v1/balances", account="2100")
        assert balances["totals"] == {"debit": "0.00", "credit": summed, "balance": f"-{summed}", "side": "credit"}
        trial = await auditor.answer("/v1/trial-balance")
        assert (trial["balanced"], trial["totals"]["debit"]) == (True, summed)
        lines = await auditor.answer("/v1/lines", account="5001")
        assert lines["total"] == summed
        turnover = await auditor.answer("/v1/turnover", account="5001")
        assert [row["debit"] for row in turnover["rows"]] == [summed]
        explained = await auditor.answer("/v1/explain", party=fund.provider, account="2100", fund="390100")
        assert (explained["proved"], explained["journal"]["credit"]) == (True, summed)


async def test_a_claim_of_more_than_can_be_claimed_is_rejected_and_its_lane_goes_on(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    fund.submit("B-HUGE", first="2026-04-21", last="2026-04-21", on="2026-04-22", insutype="390",
                amounts={"390100": money.yuan(LARGEST)})  # fmt: skip
    [rejected] = await fund.decided("claim.batch.rejected")
    assert "AMOUNT" in {error["code"] for error in rejected["errors"]}
    async with claims_served.serving(database, fund.log, tmp_path / "keys") as api:
        covered = await api.caller("auditor").answer("/v1/coverage", area=fund.area, month="2026-04")
    assert covered["money"] == {"instant": "0.00", "settled": money.yuan(MANY * LARGEST), "ratio": "0.000000"}


async def test_what_is_open_of_a_provider_in_all_is_compared_with_the_books(database: Database) -> None:
    """Bonds that were kept of many claims before the books began."""
    async with running(database) as fund:
        for worker in fund.workers.values():
            worker.limits = replace(LIMITS, batch_records_max=5000)
        fund.register()
        fund.policy()
        of_claim = {"insutype": "390", "clr_type": "21", "clr_way": "3"}
        for number in range(MANY):
            bond = {"account": "2103", "amounts": {"390100": money.yuan(LARGEST)}}
            fund.put("opening.item.recorded.v1", provider=fund.provider, item_ref=f"B-{number}", accounts=[bond],
                     value_date="2025-12-31", benefit_year=2025, **of_claim)  # fmt: skip
        assert await fund.decided("fact.disputed") == []
        connections = [await connect.opened(database.dsn("reader", of), timeout=30) for of in ("ledger", "clearing")]
        report = Report()
        try:
            await control.compare(report, *connections, fund.log, [fund.lane])
        finally:
            for connection in connections:
                await connection.close()
        assert (report.open_items, report.problems) == (1, [])
        [held] = await fund.control.fetch("select account, fen from clearing.open_items")
        assert (held["account"], int(held["fen"])) == ("2103", -MANY * LARGEST)


async def test_a_line_that_is_told_often_and_a_file_of_many_large_lines_stop_nobody(
    database: Database, tmp_path: Path
) -> None:
    async with bank_door.opened(database, tmp_path) as door:
        for worker in door.fund.workers.values():
            worker.limits = replace(LIMITS, batch_records_max=5000)
        for _ in range(MANY):
            door.fund.put("treasury.funds.received.v1", amounts={"390100": money.yuan(LARGEST)},
                          value_date="2026-02-10", bank_txn="W-1")  # fmt: skip
        lines = [Entry(f"W-{number}", "OUT", LARGEST, DAY, DAY) for number in range(2, MANY + 2)]
        file = iso20022.encoded(door.bank.notification(lines, fund="390100"))
        name = door.bank.put_bytes(re.sub(rb"(?s)<TxsSummry>.*</TxsSummry>", b"", file))
        assert await door.round() == []
        assert (door.bank.root / "done" / "in" / name).exists()
        kept = await door.fund.control.fetchrow("select entries, fen from clearing.bank_files where direction = 'IN'")
        assert (kept["entries"], int(kept["fen"])) == (MANY, -MANY * LARGEST)
        rows = await door.fund.control.fetch("select max(fen) as most from clearing.moves where fund = '390100'")
        assert int(rows[0]["most"]) == MANY * LARGEST
        door.bank.put(door.bank.statement([], opening=500_000, fund="390100", day=DAY))
        assert await door.round() == []
        assert door.refused() == {}


async def test_what_a_month_claims_of_a_fund_is_never_more_than_an_amount(database: Database) -> None:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        for day, fen in (("2026-04-21", LARGEST - 1), ("2026-04-22", 1), ("2026-04-23", 1)):
            fund.settle({"310100": fen}, day=day)
            fund.submit(f"B-{day}", first=day, last=day, on="2026-04-24", mode="DAY")
            await fund.drain()
        [rejected] = await fund.decided("claim.batch.rejected")
        assert rejected["batch"] == "B-2026-04-23"
        assert [(error["code"], error["fund"]) for error in rejected["errors"]] == [("AMOUNT", "310100")]
