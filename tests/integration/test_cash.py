"""Money of the fund itself, over HTTP: booked in any lane, explained, held against the bank, and no provider's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medfund.http import reach
from medfund.http.reach import Reach
from medfund.lanes import partition
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from tests import events
from tests.conftest import LANES, fresh_database, fresh_topics
from tests.events import AREA, Message
from tests.integration import served
from tests.integration.served import Api, Caller
from tests.integration.small_city import OTHER_AREA

FUND = "310100"
[HOSPITAL] = events.providers(1, LANES, 1)
STATEMENT = {"fund": FUND, "day": "2026-02-27", "opening": "5500.00"}


def told(type: str, id: str, amount: str = "", **data: Any) -> Message:
    return events.message(f"{type}.v1", id=id, **({"amounts": {FUND: amount}} if amount else {}), **data)


def in_lane(message: Message, lane: int) -> Message:
    return replace(message, key=partition.lane_key(lane, LANES))


async def happen(api: Api) -> None:
    """A fund begins, the treasury sends money, and two lines of the bank go to suspense; one of them is placed."""
    await api.booked(await api.append(*events.registry(range(LANES), LANES)))
    positions = await api.append(
        events.registered(HOSPITAL, id="reg"),
        told("opening.balance.recorded", "o-1", "500.00", account="1002", value_date="2025-12-31"),
        told("opening.balance.recorded", "o-2", "90000.00", account="1003", value_date="2025-12-31"),
        told("opening.balance.recorded", "o-3", "1.00", account="1002", value_date="2025-12-31", area=OTHER_AREA),
    )
    positions += await api.append(
        told("treasury.funds.received", "t-1", "5000.00", value_date="2026-02-26"),
        events.message("bank.statement.imported.v1", id="st-1", closing="5000.00", **STATEMENT),
        events.message("bank.statement.imported.v1", id="st-2", closing="5523.45", **STATEMENT),
    )
    await api.booked(positions)
    left = {"direction": "OUT", "bank_account": "1002", "value_date": "2026-02-27", "item_ref": "left"}
    paid = {"purpose": "PAYABLE", "instant_stat": None, "bank_account": "1190", "value_date": "2026-02-27"}
    await api.booked(
        [
            *await api.append(in_lane(told("suspense.opened", "s-1", "100.00", **left), 1)),
            *await api.append(in_lane(told("suspense.opened", "s-2", "123.45"), 2)),
            *await api.append(in_lane(told("suspense.placed", "p-1", "100.00", **left, placed_as="PAYMENT"), 1)),
            *await api.append(told("payment.settled", "p-2", "100.00", **paid, provider=HOSPITAL)),
        ]
    )


@pytest.fixture(scope="module")
async def api(kafka: Kafka, postgres: Postgres, template: str, session_folder: Path) -> AsyncIterator[Api]:
    """Made once: no test changes these books."""
    async with fresh_database(postgres, template) as database:
        prefix = await fresh_topics(kafka)
        async with (
            served.booking(database, kafka.address, prefix),
            served.serving(database, kafka.address, prefix, session_folder / "keys") as api,
        ):
            await happen(api)
            yield api


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA])


@pytest.fixture
def hospital(api: Api) -> Caller:
    return api.caller("provider", areas=[AREA], organisations=[HOSPITAL])


async def test_the_areas_own_balances_stand_in_the_lanes_of_their_events(finance: Caller) -> None:
    answer = await finance.answer("/v1/balances", party=AREA)
    home = partition.lane_of(AREA.encode(), LANES)
    assert sorted((row["account"], row["lane"], row["balance"]) for row in answer["balances"]) == sorted(
        [
            ("1002", home, "5500.00"),
            ("1002", 1, "-100.00"),
            ("1002", 2, "123.45"),
            ("1003", home, "85000.00"),
            ("1190", 1, "100.00"),
            ("2190", 2, "-123.45"),
            ("3001", home, "-90500.00"),
        ]
    )
    assert answer["totals"]["balance"] == "0.00"


async def test_a_payment_found_in_suspense_leaves_none_of_its_money_there(finance: Caller) -> None:
    for book, suspense, cash in (("OPS", "1190", "1002"), ("STAT", "TEMP_SUSPENSE", "EXP_CASH")):
        [fund] = (await finance.answer("/v1/trial-balance", book=book))["funds"]
        found = {row["account"]: row["balance"] for row in fund["accounts"]}
        assert (found[suspense], found[cash], fund["totals"]["balance"]) == ("0.00", "5523.45", "0.00")
    [paid] = (await finance.answer("/v1/balances", party=HOSPITAL, account="2102"))["balances"]
    assert paid["balance"] == "100.00"


async def test_a_balance_of_the_area_itself_is_explained_down_to_the_log(finance: Caller) -> None:
    balance = await finance.answer("/v1/explain", party=AREA, account="1002")
    assert (balance["proved"], balance["balance"]["balance"], balance["journal_lines"]) == (True, "5523.45", 4)
    brought = {}
    for line in balance["lines"]:
        opened = await finance.answer("/v1/explain", line=line["id"])
        assert (opened["proved"], opened["total"], opened["line"]) == (True, line["amount"], line)
        brought |= {event["id"]: event["amount"] for event in opened["events"]}
    assert brought == {"o-1": "500.00", "t-1": "5000.00", "s-1": "100.00", "s-2": "123.45"}


async def test_lines_and_turnover_of_the_area_itself_are_of_no_kind_of_visit(finance: Caller) -> None:
    [line] = (await finance.answer("/v1/lines", party=AREA, type="treasury.funds.received.v1"))["lines"]
    told = {name: line[name] for name in ("debit", "credit", "counterpart", "insutype", "clr_type", "benefit_year")}
    assert told == {
        "debit": "1002", "credit": "1003", "counterpart": "", "insutype": "", "clr_type": "", "benefit_year": 2026,
    }  # fmt: skip
    turnover = await finance.answer("/v1/turnover", party=AREA, account="1003")
    assert [(row["clr_type"], row["balance"]) for row in turnover["rows"]] == [("", "85000.00")]


async def test_cash_by_both_books_and_by_the_bank(finance: Caller) -> None:
    answer = await finance.answer("/v1/cash")
    [fund] = answer["funds"]
    spent, fiscal = fund["accounts"]
    assert (spent["account"], spent["ops"], spent["stat"]) == ("1002", "5523.45", "5523.45")
    assert spent["statement"] == {
        "day": "2026-02-27", "closing": "5523.45", "books": "5523.45", "difference": "0.00",
    }  # fmt: skip
    assert (fiscal["ops"], fiscal["stat"], fiscal["statement"]) == ("85000.00", "85000.00", None)
    assert (fund["suspense_out"], fund["suspense_in"], answer["agrees"]) == ("0.00", "123.45", True)


async def test_cash_as_of_a_day_before_the_statement_is_without_one(finance: Caller) -> None:
    [fund] = (await finance.answer("/v1/cash", area=AREA, fund=FUND, as_of="2026-02-26"))["funds"]
    assert [(one["ops"], one["statement"]) for one in fund["accounts"]] == [("5500.00", None), ("85000.00", None)]
    assert (await finance.answer("/v1/cash", fund="390100"))["funds"] == []


async def test_a_statement_that_differs_shows_by_how_much(api: Api, finance: Caller) -> None:
    change = "update statements set closing = closing + $1 where area = $2"
    await api.superuser(change, -1, AREA)
    try:
        answer = await finance.answer("/v1/cash", area=AREA)
    finally:
        await api.superuser(change, 1, AREA)
    assert answer["agrees"] is False
    assert answer["funds"][0]["accounts"][0]["statement"]["difference"] == "-0.01"


# Who sees it


async def _sees_nothing_of_the_area(api: Api, hospital: Caller) -> None:
    for path, rows in (("/v1/balances", "balances"), ("/v1/lines", "lines")):
        assert {row["party"] for row in (await hospital.answer(path))[rows]} == {HOSPITAL}
        assert AREA not in {row["party"] for row in (await hospital.answer(path, party=AREA))[rows]}
    for line in (await api.caller("auditor").answer("/v1/lines", party=AREA))["lines"]:
        response = await hospital.get("/v1/explain", line=line["id"])
        assert (response.status_code == 404) == (line["party"] != HOSPITAL)


async def test_a_provider_sees_nothing_of_the_areas_own_money(api: Api, hospital: Caller) -> None:
    assert (await hospital.get("/v1/cash")).status_code == 403
    await _sees_nothing_of_the_area(api, hospital)
    explained = await hospital.answer("/v1/explain", party=AREA, account="1002")
    assert (explained["balance"]["balance"], explained["lines"]) == ("0.00", [])


async def test_row_level_security_alone_keeps_the_areas_own_money_from_providers_and_other_areas(
    api: Api, hospital: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "of", lambda *_, **__: Reach(list(range(LANES)), None, None, None))
    await _sees_nothing_of_the_area(api, hospital)
    elsewhere = api.caller("finance", areas=[OTHER_AREA])
    assert {row["party"] for row in (await elsewhere.answer("/v1/balances"))["balances"]} == {OTHER_AREA}
    [fund] = (await elsewhere.answer("/v1/cash"))["funds"]
    assert (fund["area"], fund["accounts"][0]["ops"], fund["accounts"][0]["statement"]) == (OTHER_AREA, "1.00", None)
    bound = api.caller("finance", areas=[AREA], organisations=[HOSPITAL])
    assert (await bound.answer("/v1/cash"))["funds"] == []


async def test_who_is_bound_to_named_organisations_or_to_another_area_sees_no_bank_account(api: Api) -> None:
    bound = api.caller("finance", areas=[AREA], organisations=[HOSPITAL])
    assert (await bound.answer("/v1/cash"))["funds"] == []
    elsewhere = api.caller("approver", areas=[OTHER_AREA])
    assert {fund["area"] for fund in (await elsewhere.answer("/v1/cash"))["funds"]} == {OTHER_AREA}
    assert (await elsewhere.answer("/v1/cash", area=AREA))["funds"] == []
