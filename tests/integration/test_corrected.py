"""Two items of suspense that take each other out, though each is in a lane of its own: what the bank paid of a payment
that it was not asked for, and gave back in a line that names nothing."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from clearing.bank import forwarding
from clearing.bank.files import Desk
from medfund.lanes import partition
from medfund.postgres import connect
from tests.conftest import Database
from tests.events import AREA
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.claims_served import Api
from tests.integration.test_claims_commands import problem
from tests.integration.test_payment_commands import begun, outcome, person

FUND = "310100"
PLACINGS = "/v1/suspense-placings"


class Both:
    """The area's lane, where a line waits that names nothing, and a hospital's, where one does that names a payment."""

    def __init__(self, area: Fund, hospital: Fund, api: Api, desk: Desk) -> None:
        self.area, self.hospital, self.api, self.desk = area, hospital, api, desk

    async def came(self, amount: str, txn: str) -> str:
        self.area.put("bank.line.unplaced.v1", amounts={FUND: amount}, bank_txn=txn, direction="IN")
        return (await self.area.decided("suspense.opened"))[-1]["item_ref"]  # type: ignore[no-any-return]

    async def left(self, amount: str, txn: str) -> str:
        self.hospital.put("bank.payment.settled.v1", provider=self.hospital.provider, payment_ref="unknown/P1/310100",
                          amounts={FUND: amount}, bank_txn=txn)  # fmt: skip
        return (await self.hospital.decided("suspense.opened"))[-1]["item_ref"]  # type: ignore[no-any-return]

    async def say(self, name: str, **said: Any) -> dict[str, Any]:
        about = {"placed_as": "CORRECTED", "placed_on": "2026-02-09", **said}
        told = await outcome(self.hospital, person(self.api, name), PLACINGS, about)
        return told["decisions"][0]["data"]  # type: ignore[no-any-return]

    async def forward(self) -> int:
        """The bank process tells the other lane, and waits until it has decided."""

        async def work() -> None:
            while True:
                await self.area.drain()
                await asyncio.sleep(0.01)

        worker = asyncio.create_task(work())
        try:
            return await forwarding.forward(self.desk)
        finally:
            async with self.area.working:
                worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    async def books(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for fund in (self.area, self.hospital):
            found.update({account: sum(funds.values()) for account, funds in (await fund.balances()).items()})
        return Counter({account: fen for account, fen in found.items() if fen})

    async def open(self) -> list[str]:
        answer = await person(self.api, "anna").answer("/v1/suspense", area=AREA, open="true")
        return [one["item"] for one in answer["items"]]


@pytest.fixture
async def both(database: Database, tmp_path: Path) -> AsyncIterator[Both]:
    home = partition.lane_of(AREA.encode(), 2)
    async with running(database, lane=home, lanes=2) as area:
        hospital = Fund(
            area.control, area.connections, lane=1 - home, lanes=2, log=area.log, working=area.working, sent=10_000
        )
        for name in ("clearing", "ledger"):
            await hospital.claim(name)
        await begun(area)
        await begun(hospital)
        reader: asyncpg.Connection = await connect.opened(database.dsn("bank", "clearing"), timeout=30)
        async with claims_served.serving(database, area.log, tmp_path, lanes=2) as api:
            yield Both(area, hospital, api, Desk(reader, area.log, 2))
        await reader.close()


async def test_two_items_of_two_lanes_take_each_other_out_whichever_a_person_begins_with(both: Both) -> None:
    before = await both.books()
    came, left = await both.came("417.23", "X-2"), await both.left("417.23", "X-1")
    suspended = await both.books()
    assert (suspended["1190"], suspended["2190"]) == (41_723, -41_723)
    assert (await both.say("anna", item=came, target=left))["item_ref"] == left, "what left goes first"
    placed = await both.say("bo", item=left, target=came)
    assert (placed["approvers"], placed["target_lane"]) == (["anna", "bo"], both.area.lane)
    assert await both.open() == [came], "until its lane has heard of it"
    assert [await both.forward() for _ in range(2)] == [1, 0]
    [other] = await both.area.decided("suspense.placed")
    assert (other["item_ref"], other["target"], other["approvers"]) == (came, left, ["anna", "bo"])
    assert await both.books() == before
    assert await both.open() == []
    for fund in (both.area, both.hospital):
        rows = await fund.tables()
        await fund.rebuild()
        assert await fund.tables() == rows


async def test_what_was_placed_otherwise_meanwhile_leaves_the_other_item_open_with_the_reason(both: Both) -> None:
    came, left = await both.came("93.08", "X-2"), await both.left("93.08", "X-1")
    for name in ("anna", "bo"):
        await both.say(name, item=left, target=came)
    both.area.place(came, "INTEREST")
    assert await both.forward() == 1
    [kept] = await both.area.decided("suspense.kept")
    assert (kept["kept_of"], kept["direction"], kept["reason"]) == (
        left, "OUT", f"{came} is no open item that takes it back",
    )  # fmt: skip
    assert await both.open() == [f"{left}r"]
    books = await both.books()
    assert (books["1190"], books["2190"], books["4001"]) == (9_308, 0, -9_308)
    both.area.place(f"{left}r", "FEE")
    books = await both.books()
    assert (books["1190"], books["5004"]) == (0, 9_308)


async def test_items_that_cannot_be_each_others_are_told_before_anything_is_asked(both: Both) -> None:
    came, left = await both.came("5.01", "X-2"), await both.left("5.02", "X-1")
    anna = person(both.api, "anna")
    both.area.put("bank.line.unplaced.v1", amounts={FUND: "5.02"}, bank_txn="X-3", direction="IN", bank_account="1003")
    side = (await both.area.decided("suspense.opened"))[-1]["item_ref"]
    response = await anna.command(PLACINGS, item=left, placed_as="FISCAL", placed_on="2026-02-09")
    assert response.json()["detail"] == f"{side} is the other side of it: place the two as CORRECTED"
    for target, detail in (
        (left, f"{left} is of another area or another amount"),
        (came, f"{came} is no open item of the other direction"),
        (None, "a CORRECTED names the other item as its target"),
    ):
        said = {"item": came, "target": target, "placed_as": "CORRECTED", "placed_on": "2026-02-09"}
        response = await anna.command(PLACINGS, **said)
        assert (problem(response), response.json()["detail"]) == ((422, "does_not_fit"), detail)
