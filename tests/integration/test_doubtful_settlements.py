"""One settlement under several ids, and reversals of what is not there: booked as they came, found, and set right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from medfund import merkle
from tests.conftest import Database
from tests.events import AREA, providers
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.served import Api, Caller

FUND = "310100"
ROUTE = "/v1/doubtful-settlements"
NOWHERE = "0" * 32


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database, lane=0, lanes=1) as fund:
        fund.register()
        fund.policy()
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=1) as api:
        yield api


async def doubtful(fund: Fund, caller: Caller, month: str = "2026-01", **more: Any) -> list[tuple[Any, ...]]:
    await fund.drain()
    told = await caller.answer(ROUTE, provider=fund.provider, month=month, **more)
    return [
        (one["settlement"], one["kind"], one["recorded"], one["reversed"], one["amount"]) for one in told["settlements"]
    ]


async def test_what_was_recorded_or_taken_back_too_often_is_found_by_its_reference_and_set_right(
    fund: Fund, api: Api
) -> None:
    finance = api.caller("finance", areas=[AREA], subject="anna")
    sound = fund.settle({FUND: 1_117})
    thrice = fund.settle({FUND: 2_303})
    back = fund.settle({FUND: 509}, day="2025-12-30")
    for _ in range(2):
        fund.settle({FUND: 2_303}, settlement_ref=thrice)
        fund.settle({FUND: 509}, day="2026-01-08", reverses=back)
    fund.settle({FUND: 71}, reverses=NOWHERE)
    told = {ref: rest for ref, *rest in await doubtful(fund, finance)}
    assert told == {
        thrice: ["RECORDED_TWICE", 3, 0, "69.09"],
        back: ["REVERSED_TWICE", 1, 2, "-5.09"],
        NOWHERE: ["REVERSES_NOTHING", 0, 1, "-0.71"],
    }
    assert sound not in told
    assert await doubtful(fund, finance, "2025-11") == []
    page = await finance.answer(ROUTE, provider=fund.provider, month="2026-01", limit=2)
    assert (len(page["settlements"]), page["next"] is None) == (2, False)
    assert (await fund.balances())["2100"] == {FUND: -(1_117 + 3 * 2_303 + 509 - 2 * 509 - 71)}, "booked as it came"

    fund.submit("B-1", first="2026-01-01", settlements=2, amounts={FUND: "34.20"})
    [rejected] = await fund.decided("claim.batch.rejected")
    assert [error["code"] for error in rejected["errors"]] == ["COUNT", "AMOUNT", "DAY", "DAY"]

    fund.submit("B-1", first="2026-01-01")
    assert [
        (error["code"], error["detail"]) for error in (await fund.decided("claim.batch.rejected"))[-1]["errors"]
    ] == [("TWICE", f"settlement {thrice} is recorded 3 times")], "also where the hospital claims all three"

    for _ in range(2):
        fund.settle({FUND: 2_303}, reverses=thrice)
    fund.settle({FUND: 509}, day="2026-01-09", settlement_ref=back)
    fund.settle({FUND: 71}, settlement_ref=NOWHERE)
    assert await doubtful(fund, finance) == []
    assert (await fund.balances())["2100"] == {FUND: -(1_117 + 2_303)}
    fund.submit("B-2", first="2026-01-01")
    [accepted] = await fund.decided("claim.batch.accepted")
    assert accepted["amounts"] == {FUND: "29.11"}


async def test_a_hospital_sees_its_own_and_nothing_of_another_one(fund: Fund, api: Api) -> None:
    ref = fund.settle({FUND: 613})
    fund.settle({FUND: 613}, settlement_ref=ref)
    mine = api.caller("provider", areas=[AREA], organisations=[fund.provider])
    assert await doubtful(fund, mine) == [(ref, "RECORDED_TWICE", 2, 0, "12.26")]
    [other] = providers(0, 1, 2)[1:]
    stranger = api.caller("provider", areas=[AREA], organisations=[other])
    assert await doubtful(fund, stranger) == []


async def test_what_is_in_one_batch_is_in_no_second_one_under_another_id(fund: Fund) -> None:
    ref = fund.settle({FUND: 4_409})
    fund.submit("B-1")
    fund.settle({FUND: 4_409}, settlement_ref=ref)
    fund.submit("B-2", amounts={FUND: "44.09"}, settlements=1, settlement_root=merkle.root([bytes.fromhex(ref)]).hex())
    [rejected] = await fund.decided("claim.batch.rejected")
    assert [(error["code"], error["detail"]) for error in rejected["errors"]] == [
        ("TWICE", f"settlement {ref} is recorded 2 times")
    ]
    back, more = fund.settle({FUND: 4_409}, reverses=ref), fund.settle({FUND: 97})
    root = merkle.root([bytes.fromhex(one) for one in (ref, back, more)]).hex()
    fund.submit("B-2", amounts={FUND: "0.97"}, settlements=3, settlement_root=root)
    [_, accepted] = await fund.decided("claim.batch.accepted")
    assert (accepted["batch"], accepted["amounts"]) == ("B-2", {FUND: "0.97"}), "what is too many was taken back"
