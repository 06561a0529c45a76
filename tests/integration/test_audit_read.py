"""Auditors read who asked for what: by person, route, time and object, and take it away."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from medfund.calendar import SHANGHAI
from tests.conftest import Database
from tests.events import AREA
from tests.fund import PROVIDER, Fund, running
from tests.integration import claims_served
from tests.integration.served import Api, Caller

HOLD = {"hold": "case-4711", "payable": "B-1", "provider": PROVIDER, "amounts": {"310100": "7.31"}, "reason": "核查"}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        fund.settle({"310100": 4_711})
        fund.submit("B-1")
        await fund.drain()
        fund.day("2026-02-09")
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path) as api:
        held = await api.caller("finance", subject="anna").command("/v1/holds", **HOLD, held_from="2026-02-09")
        assert held.status_code == 202, held.text
        refused = await api.caller("operator", subject="chen").command("/v1/holds", **HOLD, held_from="2026-02-09")
        assert refused.status_code == 403
        taken = await api.caller("finance", subject="bo").get(f"/v1/claims/{PROVIDER}/B-1/statement", format="html")
        assert taken.status_code == 200
        yield api


@pytest.fixture
def auditor(api: Api) -> Caller:
    return api.caller("auditor", subject="wei")


TODAY = datetime.now(UTC).astimezone(SHANGHAI).date()


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({}, "bo chen anna"),
        ({"person": "chen"}, "chen"),
        ({"operation": "hold"}, "chen anna"),
        ({"operation": "hold", "outcome": "asked"}, "anna"),
        ({"object": "case-4711"}, "anna"),
        ({"object": "B-1"}, "bo anna"),
        ({"object": "B"}, ""),
        ({"since": TODAY - timedelta(days=1)}, "bo chen anna"),
        ({"until": TODAY - timedelta(days=2)}, ""),
        ({"since": TODAY + timedelta(days=2)}, ""),
    ],
    ids=str,
)
async def test_the_audit_is_read_by_person_route_time_and_object(
    auditor: Caller, question: dict[str, object], found: str
) -> None:
    rows = (await auditor.answer("/v1/audit", **question))["rows"]
    assert [row["person"] for row in rows] == found.split()
    for row in rows:
        assert row["route"] == f"POST /v1/{row['operation']}s" or row["operation"] == "statement"


async def test_it_is_read_page_by_page_and_a_file_of_it_is_in_it(auditor: Caller) -> None:
    first = await auditor.answer("/v1/audit", limit=2)
    rest = await auditor.answer("/v1/audit", limit=2, cursor=first["next"])
    assert [row["person"] for row in first["rows"] + rest["rows"]] == ["bo", "chen", "anna"]
    assert rest["next"] is None
    file = await auditor.get("/v1/audit", format="csv", operation="hold")
    head, *rows = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert head[:2] == ["时间 time", "人员 person"]
    assert [(row[1], row[3], row[5]) for row in rows] == [
        ("chen", "POST /v1/holds", "role_not_allowed"),
        ("anna", "POST /v1/holds", "asked"),
    ]
    [taken] = (await auditor.answer("/v1/audit", person="wei"))["rows"]
    assert (taken["operation"], taken["detail"]["format"], taken["detail"]["rows"]) == ("audit", "csv", 2)


async def test_whoever_speaks_for_a_part_reads_nothing_of_the_audit(api: Api, database: Database) -> None:
    for areas, organisations in (([AREA], ["*"]), (["*"], [PROVIDER])):
        narrow = api.caller("auditor", areas=areas, organisations=organisations)
        response = await narrow.get("/v1/audit")
        assert (response.status_code, response.json()["code"]) == (403, "scope_not_allowed")
    connection = await asyncpg.connect(database.dsn("api", "clearing"))
    try:
        assert await connection.fetchval("select count(*) from audit") == 0
        for scope in (AREA, "*"):
            await connection.execute("select set_config('medfund.areas', $1, false)", scope)
            await connection.execute("select set_config('medfund.organisations', '*', false)")
            assert bool(await connection.fetchval("select count(*) from audit")) is (scope == "*")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("delete from audit")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("path", "body", "outcome", "about"),
    [
        ("/v1/holds", {**HOLD, "payable": "B-77", "held_from": "2026-02-09"}, "not_found", "B-77"),
        ("/v1/holds", {**HOLD, "amounts": {}, "held_from": "2026-02-09"}, "parameter_invalid", None),
        (
            "/v1/suspense-placings",
            {"item": "S-0123456789", "placed_as": "FEE", "placed_on": "2026-02-09"},
            "not_found",
            "S-0123456789",
        ),
    ],
)
async def test_whatever_is_refused_to_somebody_known_is_in_it_with_what_it_was_about(
    api: Api, auditor: Caller, path: str, body: dict[str, object], outcome: str, about: str | None
) -> None:
    refused = await api.caller("finance", areas=[AREA], subject="Staff-ZZ").command(path, **body)
    assert refused.json()["code"] == outcome
    [row] = (await auditor.answer("/v1/audit", person="staff-zz"))["rows"]
    assert (row["person"], row["outcome"]) == ("Staff-ZZ", outcome)
    if about:
        assert (await auditor.answer("/v1/audit", object=about))["rows"] == [row]


async def test_a_question_that_finds_nothing_leaves_no_row(api: Api, auditor: Caller) -> None:
    asked = await api.caller("finance", areas=[AREA], subject="zhou").get(f"/v1/claims/{PROVIDER}/B-77")
    assert asked.status_code == 404
    assert (await auditor.answer("/v1/audit", person="zhou"))["rows"] == []
