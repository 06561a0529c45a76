"""Who sees what: roles by route, organisations apart, row-level security as the second line, refusals on record."""

import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from ledger.__main__ import MIGRATIONS
from medfund.http import reach
from medfund.http.reach import Reach
from medfund.http.tokens import Principal, Role
from medfund.lanes import partition
from medfund.postgres import connect, migrate
from tests import events
from tests.conftest import LANES
from tests.events import AREA, SOURCE, Message, settlement
from tests.fund import LANES as CLEARING_LANES
from tests.integration.claims_served import Clinic
from tests.integration.served import Api, Caller, document
from tests.integration.small_city import OTHER_AREA, OTHER_SOURCE, POOLED, City

GOLDEN = Path(__file__).parents[1] / "contract" / "roles.json"
"""Who may call what; change it by hand, where a right is meant to be another one."""
ROLES = {
    service: {name: set(roles.split()) for name, roles in allowed.items()}
    for service, allowed in json.loads(GOLDEN.read_text(encoding="utf-8")).items()
}
NARROWED = {"ledger": 5, "clearing": 8}
"""How many routes a provider may narrow to an organisation."""
NEEDED = {"account": "2100", "month": "2026-01"}
"""What some of them do not answer without."""
Surface = tuple[Api, City | Clinic]
NOBODY = "H15250299999"
"""A provider that does not exist."""


def operations(api: Api) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every documented operation that needs a token: method, path, what OpenAPI says of it."""
    found = {}
    for path, methods in api.app.openapi()["paths"].items():
        for method, operation in methods.items():
            if operation["security"]:
                found[operation["operationId"]] = (method.upper(), path, operation)
    return found


def filled(path: str) -> str:
    if "commands" in path:
        return path.format(id=f"hold-{'0' * 32}")
    values = {
        "source": "/gateway/1",
        "id": "1",
        "lane": "0",
        "topic": "claims",
        "offset": "1",
        "provider": NOBODY,
        "batch": "x",
        "run": "x",
        "area": "152500",
        "plan": "x",
        "proposal": f"propose-{'0' * 32}",
    }
    return path.format(**values)


def caller_of(surface: Surface, role: str) -> Caller:
    api, people = surface
    organisations = [people.hospital] if role in ("provider", "supplier") else ["*"]
    return api.caller(role, organisations=organisations)


async def ask(caller: Caller, method: str, path: str, **parameters: Any) -> httpx.Response:
    if method == "POST":
        return await caller.command(path)
    return await caller.get(path, **parameters)


def test_every_route_but_health_is_locked_and_in_the_table(surface: Surface) -> None:
    api, _ = surface
    documented = {name: set(operation["x-roles"]) for name, (_, _, operation) in operations(api).items()}
    assert documented == ROLES[api.service]
    everything = {
        operation["operationId"] for methods in api.app.openapi()["paths"].values() for operation in methods.values()
    }
    assert everything - set(documented) == {"health", "live", "ready"}


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_a_role_may_do_what_its_row_says_and_nothing_else(surface: Surface, role: str) -> None:
    api, _ = surface
    caller = caller_of(surface, role)
    for name, (method, path, _) in operations(api).items():
        response = await ask(caller, method, filled(path))
        assert (response.status_code != 403) == (role in ROLES[api.service][name]), f"{role} {name}: {response.text}"


async def test_every_route_refuses_strangers_without_asking_the_database(surface: Surface) -> None:
    api, _ = surface
    for method, path, _ in operations(api).values():
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic dTpw"}):
            response = await api.client.request(method, filled(path), headers=headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"


async def test_a_refused_role_leaves_an_audit_record(surface: Surface) -> None:
    api, _ = surface
    await api.caller("supplier", organisations=["91370000MA0000001T"], subject="curious").get("/metrics")
    [row] = await api.superuser("select * from audit where subject = 'curious'")
    assert (row["role"], row["operation"], row["outcome"]) == ("supplier", "metrics", "role_not_allowed")


async def test_the_audit_trail_cannot_be_changed_or_deleted_by_the_api(surface: Surface) -> None:
    api, _ = surface
    connection = await asyncpg.connect(api.database.dsn("api", api.service))
    try:
        for statement in (
            "update audit set subject = ''",
            "delete from audit",
            "truncate audit",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


# Organisations apart


@pytest.fixture
def tenants(api: Api, city: City) -> dict[str, Caller]:
    return tenants_of((api, city))


def tenants_of(surface: Surface) -> dict[str, Caller]:
    """One caller of each organisation; the neighbour's rows are in the same lane as the hospital's."""
    api, people = surface
    return {
        code: api.caller("provider", areas=[area], organisations=[code])
        for code, area in ((people.neighbour, AREA), (people.stranger, AREA), (people.elsewhere, OTHER_AREA))
    }


async def test_asking_for_another_organisation_is_like_asking_for_one_that_does_not_exist(
    surface: Surface,
) -> None:
    api, people = surface
    asked = [
        (filled(path), name, operation)
        for method, path, operation in operations(api).values()
        for name in ("party", "provider")
        if method == "GET" and "provider" in operation["x-roles"]
        if any((one["name"], one["in"]) == (name, "query") for one in operation.get("parameters", ()))
    ]
    assert len(asked) == NARROWED[api.service]
    for (path, name, operation), (own, caller) in itertools.product(asked, tenants_of(surface).items()):
        others = {people.hospital, people.neighbour, people.stranger, people.elsewhere} - {own}
        taken = {one["name"] for one in operation["parameters"]}
        besides = {name: value for name, value in NEEDED.items() if name in taken}
        nobody = await caller.get(path, **{name: NOBODY}, **besides)
        for victim in others:
            response = await caller.get(path, **{name: victim}, **besides)
            assert response.status_code == (404 if "/x" in path or "prepayment-statement" in path else 200)
            assert response.text.replace(victim, NOBODY) == nobody.text


async def test_another_organisations_claim_does_not_exist(claimed: tuple[Api, Clinic]) -> None:
    api, clinic = claimed
    paths = [path for method, path, _ in operations(api).values() if method == "GET" and "{batch}" in path]
    assert len(paths) == 3
    for path, (own, caller) in itertools.product(paths, tenants_of(claimed).items()):
        assert (await caller.get(path.format(provider=own, batch=f"B-{own}"))).status_code == 200
        for victim in set(clinic) - {own}:
            for whose, nobodys in ((own, own), (victim, NOBODY)):
                response = await caller.get(path.format(provider=whose, batch=f"B-{victim}"))
                nobody = await caller.get(path.format(provider=nobodys, batch="B-nobody"))
                assert (response.status_code, response.text) == (404, nobody.text)


async def test_an_organisation_sees_its_own_claims_and_nothing_else_without_asking_for_anything(
    claimed: tuple[Api, Clinic],
) -> None:
    for own, caller in tenants_of(claimed).items():
        await _sees_its_own(caller, own)


async def _sees_its_own(caller: Caller, own: str) -> None:
    for rows in ("claims", "payments", "recoveries"):
        assert {row["provider"] for row in (await caller.answer(f"/v1/{rows}", limit=1000))[rows]} == {own}, rows


async def test_finance_of_one_area_sees_no_claim_of_another_area(claimed: tuple[Api, Clinic]) -> None:
    api, clinic = claimed
    finance = api.caller("finance", areas=[AREA])
    for rows in ("claims", "payments", "recoveries"):
        answer = await finance.answer(f"/v1/{rows}")
        assert {row["provider"] for row in answer[rows]} == set(clinic) - {clinic.elsewhere}
        assert (await finance.answer(f"/v1/{rows}", area=OTHER_AREA))[rows] == []
    assert (await finance.get(f"/v1/claims/{clinic.elsewhere}/B-{clinic.elsewhere}")).status_code == 404
    told = await finance.answer("/v1/coverage", area=OTHER_AREA, month="2026-01")
    assert (told["money"]["settled"], told["institutions"]["designated"]) == ("0.00", 0)


async def test_another_organisations_line_or_record_does_not_exist(
    api: Api, city: City, tenants: dict[str, Caller]
) -> None:
    auditor = api.caller("auditor")
    lines = (await auditor.answer("/v1/lines", party=city.hospital))["lines"]
    topic, lane, offset = city.malformed.split(":")
    for caller in tenants.values():
        for line in lines:
            response = await caller.get("/v1/explain", line=line["id"])
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
        response = await caller.get(f"/v1/quarantine/{lane}/{topic}/{offset}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_an_organisation_sees_its_own_and_nothing_else_without_asking_for_anything(
    city: City, tenants: dict[str, Caller]
) -> None:
    for own, caller in tenants.items():
        balances = (await caller.answer("/v1/balances"))["balances"]
        assert {row["party"] for row in balances} == {own}
        lines = (await caller.answer("/v1/lines"))["lines"]
        assert {row["party"] for row in lines} == {own}
        assert city.hospital not in (await caller.get("/v1/quarantine")).text


async def test_a_hospital_sees_its_own_refused_records(api: Api, city: City) -> None:
    hospital = api.caller("provider", areas=[AREA], organisations=[city.hospital])
    records = (await hospital.answer("/v1/quarantine"))["records"]
    assert {record["reason"] for record in records} == {"malformed_json", "conflict"}
    assert {record["party"] for record in records} == {city.hospital}


async def test_a_publisher_asks_for_its_own_sources_only(api: Api, city: City) -> None:
    other = api.caller("publisher", areas=[OTHER_AREA], sources=[OTHER_SOURCE])
    known = await other.get(f"/v1/events/{SOURCE}/{city.repeated}")
    unknown = await other.get(f"/v1/events/{SOURCE}/never-sent")
    assert known.status_code == unknown.status_code == 404
    assert known.json() == unknown.json()
    assert (await other.answer(f"/v1/events/{OTHER_SOURCE}/e-1"))["outcome"] == "accepted"
    own = api.caller("publisher", areas=[AREA], sources=[SOURCE])
    assert (await own.answer(f"/v1/events/{SOURCE}/{city.unregistered}"))["outcome"] == "refused"
    assert (await own.answer("/v1/quarantine"))["total"] == 3
    assert (await other.answer("/v1/quarantine"))["total"] == 0
    abroad = api.caller("publisher", areas=[OTHER_AREA], sources=[SOURCE])
    for id in (city.repeated, city.unregistered):
        assert (await abroad.get(f"/v1/events/{SOURCE}/{id}")).status_code == 404


async def test_a_publisher_narrowed_to_a_hospital_asks_for_its_events_only(api: Api, city: City) -> None:
    own, other = (
        api.caller("publisher", areas=[AREA], sources=[SOURCE], organisations=[code])
        for code in (city.hospital, city.neighbour)
    )
    topic, lane, offset = city.malformed.split(":")
    for id in (city.repeated, city.conflicting, city.unregistered):
        assert (await other.get(f"/v1/events/{SOURCE}/{id}")).status_code == 404
    assert (await other.answer("/v1/quarantine"))["total"] == 0
    assert (await other.get(f"/v1/quarantine/{lane}/{topic}/{offset}")).status_code == 404
    assert (await own.answer(f"/v1/events/{SOURCE}/{city.repeated}"))["duplicates"]["count"] == 2
    assert (await own.answer(f"/v1/events/{SOURCE}/{city.conflicting}"))["refusals"]["count"] == 1
    assert (await own.get(f"/v1/events/{SOURCE}/{city.unregistered}")).status_code == 404
    assert (await own.answer("/v1/quarantine"))["total"] == 2
    assert (await own.get(f"/v1/quarantine/{lane}/{topic}/{offset}")).status_code == 200


async def test_what_an_unregistered_provider_sent_is_told_to_finance_of_the_area_that_it_names(
    api: Api, city: City
) -> None:
    told = await api.caller("finance", areas=[AREA]).answer(f"/v1/events/{SOURCE}/{city.unregistered}")
    assert [place["reason"] for place in told["refusals"]["places"]] == ["unknown_provider"]
    [record] = (await api.caller("finance", areas=[AREA]).answer("/v1/quarantine", reason="unknown_provider"))[
        "records"
    ]
    assert (record["id"], record["area"]) == (city.unregistered, AREA)
    elsewhere = await api.caller("finance", areas=[OTHER_AREA]).get(f"/v1/events/{SOURCE}/{city.unregistered}")
    assert elsewhere.status_code == 404


async def test_what_an_unregistered_provider_sent_before_is_of_the_area_that_it_names(api: Api, city: City) -> None:
    await api.superuser("update quarantine set area = null where id = $1", city.unregistered)
    [migration] = [one for folder in MIGRATIONS for one in migrate.read(folder) if one.name == "ledger/055_refused_of"]
    async with connect.connection(api.database.dsn("owner"), name="tests") as owner, owner.transaction():
        rows, _, _ = migration.up.partition("alter policy")
        await owner.execute(rows)
    kept = await api.superuser("select id, area from quarantine where area is not null")
    assert list(map(tuple, kept)) == [(city.unregistered, AREA)]


async def test_finance_of_one_area_sees_no_other_area(api: Api, city: City) -> None:
    finance = api.caller("finance", areas=[AREA])
    everything = await finance.answer("/v1/balances", limit=1000)
    assert {row["area"] for row in everything["balances"]} == {AREA}
    assert (await finance.answer("/v1/balances", area=OTHER_AREA))["balances"] == []
    assert (await finance.answer("/v1/trial-balance", area=OTHER_AREA))["funds"] == []
    assert (await finance.get(f"/v1/events/{OTHER_SOURCE}/e-1")).status_code == 404
    quarantined = await finance.answer("/v1/quarantine")
    assert {record["id"] for record in quarantined["records"]} == {city.conflicting, city.unregistered, "h-malformed"}


# The second line


@pytest.fixture
def without_predicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queries as if somebody had forgotten who asks."""
    everywhere = Reach(list(range(LANES)), None, None, None)
    monkeypatch.setattr(reach, "of", lambda *_, **__: everywhere)
    monkeypatch.setattr(reach, "refused", lambda *_, **__: (None, None, None))


@pytest.mark.usefixtures("without_predicates")
async def test_row_level_security_alone_keeps_organisations_apart(
    api: Api, city: City, tenants: dict[str, Caller]
) -> None:
    for own, caller in tenants.items():
        for path, rows in (("/v1/balances", "balances"), ("/v1/lines", "lines")):
            assert {row["party"] for row in (await caller.answer(path, limit=1000))[rows]} == {own}
        assert (await caller.answer("/v1/quarantine"))["records"] == []
        [foreign] = (await api.superuser("select * from journal where party = $1 limit 1", city.hospital))[:1]
        line = f"{foreign['lane']}-{foreign['topic']}-{foreign['first_offset']}-{foreign['ordinal']}"
        assert (await caller.get("/v1/explain", line=line)).status_code == 404
    finance = api.caller("finance", areas=[OTHER_AREA])
    assert {row["area"] for row in (await finance.answer("/v1/balances", limit=1000))["balances"]} == {OTHER_AREA}
    assert {fund["area"] for fund in (await finance.answer("/v1/trial-balance"))["funds"]} == {OTHER_AREA}
    assert (await finance.answer("/v1/quarantine"))["total"] == 0
    for narrowed in (
        {"sources": [OTHER_SOURCE]},
        {"sources": [SOURCE], "organisations": [city.neighbour]},
        {"sources": [SOURCE], "areas": [OTHER_AREA], "organisations": [city.stranger]},
    ):
        publisher = api.caller("publisher", **narrowed)  # type: ignore[arg-type]
        assert (await publisher.answer("/v1/quarantine"))["total"] == 0


async def test_row_level_security_alone_keeps_claims_apart(
    claimed: tuple[Api, Clinic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every predicate removed from the queries."""
    api, clinic = claimed
    monkeypatch.setattr(reach, "of", lambda *_, **__: Reach(list(range(CLEARING_LANES)), None, None, None))
    for own, caller in tenants_of(claimed).items():
        await _sees_its_own(caller, own)
        for victim in set(clinic) - {own}:
            assert (await caller.get(f"/v1/claims/{victim}/B-{victim}")).status_code == 404
    finance = api.caller("finance", areas=[OTHER_AREA])
    await _sees_its_own(finance, clinic.elsewhere)
    told = await finance.answer("/v1/coverage", area=AREA, month="2026-01")
    assert (told["money"]["settled"], told["institutions"]["designated"]) == ("0.00", 0)


async def test_every_table_of_claims_shows_a_tenant_its_own_rows_alone(claimed: tuple[Api, Clinic]) -> None:
    """Asked straight, as the API's role: findings, facts and settlements are read through other rows' queries."""
    api, clinic = claimed
    connection = await asyncpg.connect(api.database.dsn("api", "clearing"))
    try:
        for own, area in ((clinic.neighbour, AREA), (clinic.elsewhere, OTHER_AREA)):
            async with connection.transaction():
                await connection.execute(SET_SCOPE, area, own)
                for table in ("providers", "settled", "claims", "rejections", "payments", "findings", "recoveries"):
                    seen = await connection.fetch(f"select provider from {table}")  # noqa: S608
                    assert {row["provider"] for row in seen} == {own}, table
                facts = await connection.fetch("select body ->> 'area' as area from facts")
                assert {row["area"] for row in facts} <= {area, None}
    finally:
        await connection.close()


SET_SCOPE = """select set_config('medfund.areas', $1, true), set_config('medfund.organisations', $2, true)"""


async def test_a_reader_that_set_no_scope_sees_no_row(surface: Surface) -> None:
    api, _ = surface
    protected = await api.superuser("select tablename from pg_policies where schemaname = $1", api.service)
    connection = await asyncpg.connect(api.database.dsn("api", api.service))
    try:
        views = {"clearing": {"settled", "open_items"}}.get(api.service, set())
        for table in {row["tablename"] for row in protected} | views:
            assert await connection.fetchval(f"select count(*) from {table}") == 0  # noqa: S608
    finally:
        await connection.close()


async def test_every_table_that_names_an_organisation_forces_row_level_security(surface: Surface) -> None:
    """Every one that a reader may read; the others are closed to it altogether."""
    api, _ = surface
    unprotected = await api.superuser(
        """
        select distinct attrelid::regclass::text
        from pg_attribute
        join pg_class on pg_class.oid = attrelid
        where relnamespace = $1::text::regnamespace and relkind in ('r', 'p')
            and attname in ('area', 'party', 'provider', 'counterpart')
            and not (relrowsecurity and relforcerowsecurity)
            and has_table_privilege($2, pg_class.oid, 'select')
        """,
        api.service,
        f"{api.service}_api",
    )
    assert unprotected == []


async def test_the_readers_role_is_neither_superuser_nor_above_row_level_security(surface: Surface) -> None:
    api, _ = surface
    [role] = await api.superuser("select * from pg_roles where rolname = $1", f"{api.service}_api")
    assert (role["rolsuper"], role["rolbypassrls"], role["rolcreaterole"], role["rolcreatedb"]) == (False,) * 4


# What callers type

INJECTIONS = (
    "' or '1'='1", "'; drop table journal; --", "1 union select 1", "152500' --", "\\'; select 1", "$1", "%27%20or",
    "a\x00b", "*", "152500,152600", "{152500}", "null", "152500\n", "①⑤②⑤00", "../..", "🏥",
)  # fmt: skip


async def test_injections_are_text_or_refused(surface: Surface) -> None:
    api, _ = surface
    auditor = api.caller("auditor")
    table = {"ledger": "journal", "clearing": "claims"}[api.service]
    before = await api.superuser(f"select count(*) from {table}")  # noqa: S608
    for method, path, operation in operations(api).values():
        if method != "GET" or "auditor" not in operation["x-roles"]:
            continue
        for parameter, attack in itertools.product(operation.get("parameters", ()), INJECTIONS):
            if parameter["in"] == "query":
                response = await auditor.get(filled(path), **{parameter["name"]: attack})
                # A source may be any text, and a reference may be `null`: they find nothing.
                found = response.status_code == 200 and [
                    row for rows in response.json().values() if isinstance(rows, list) for row in rows
                ]
                assert response.status_code in (404, 422) or found == [], f"{path} {parameter['name']} {attack!r}"
    assert await api.superuser(f"select count(*) from {table}") == before  # noqa: S608


async def test_injections_in_paths_find_nothing(api: Api) -> None:
    auditor = api.caller("auditor")
    for attack in INJECTIONS:
        text = quote(attack, safe="")
        assert (await auditor.get(f"/v1/events/{text}/{text}")).status_code == 404
        assert (await auditor.get(f"/v1/quarantine/0/{text}/1")).status_code in (404, 422)


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 10**9},
        {"limit": 0},
        {"limit": -1},
        {"as_of": "9999-12-31"},
        {"as_of": "2025-02-29"},
        {"known_on": "0001-01-01"},
        {"book": "ops"},
        {"party": "H15250200017,H15250200018"},
        {"fund": "39010"},
        {"cursor": "A" * 5000},
        {"wait_for": "claims:0:99999999999999999999"},
        {"wait_for": "nothing:0:1"},
        {"wait_for": "claims:99:1"},
    ],
    ids=str,
)
async def test_what_is_out_of_range_is_refused(api: Api, parameters: dict[str, Any]) -> None:
    response = await api.caller("auditor").get("/v1/balances", **parameters)
    assert response.status_code == 422
    assert response.json()["code"] in ("parameter_invalid", "cursor_invalid")
    assert "AAAA" not in response.text


async def test_an_unknown_or_repeated_parameter_is_refused(api: Api) -> None:
    auditor = api.caller("auditor")
    for query in ("partyy=H15250200017", "party=H15250200017&party=H15250200018", "limit=1&sort=amount"):
        response = await api.client.get(f"/v1/balances?{query}", headers=auditor.headers)
        assert (response.status_code, response.json()["code"]) == (422, "parameter_unknown")


async def test_a_cursor_belongs_to_its_question_and_its_caller(api: Api) -> None:
    auditor, other = api.caller("auditor"), api.caller("auditor", subject="another-auditor")
    cursor = (await auditor.answer("/v1/balances", limit=1))["next"]
    assert (await auditor.answer("/v1/balances", limit=7, cursor=cursor))["balances"]
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for caller, path, parameters in (
        (auditor, "/v1/balances", {"cursor": changed}),
        (auditor, "/v1/balances", {"cursor": cursor[:-4]}),
        (auditor, "/v1/balances", {"cursor": "AAAA"}),
        (auditor, "/v1/balances", {"cursor": "%%%"}),
        (auditor, "/v1/balances", {"cursor": cursor, "fund": POOLED}),
        (auditor, "/v1/lines", {"cursor": cursor}),
        (other, "/v1/balances", {"cursor": cursor}),
    ):
        response = await caller.get(path, **parameters)
        assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid"), parameters


async def test_errors_of_the_framework_are_problems_too(api: Api) -> None:
    for method, path, code in (("GET", "/nothing", "not_found"), ("DELETE", "/v1/balances", "method_not_allowed")):
        response = await api.client.request(method, path)
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == code


async def test_answers_carry_security_headers_and_an_id(api: Api) -> None:
    response = await api.client.get("/healthz")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers["x-request-id"]) == 36


# What publishers may say


async def test_a_publisher_speaks_for_its_areas_organisations_and_sources(api: Api, city: City) -> None:
    event = document(settlement(city.hospital, id="forged", funds={POOLED: 1}))
    for scope in (
        {"sources": [OTHER_SOURCE]},
        {"areas": [OTHER_AREA]},
        {"organisations": [city.stranger]},
        {"sources": []},
    ):
        caller = api.caller("publisher", subject="forger", **scope)  # type: ignore[arg-type]
        response = await caller.post(event)
        assert (response.status_code, response.json()["code"]) == (403, "scope_not_allowed")
    rows = await api.superuser("select outcome from audit where subject = 'forger'")
    assert [row["outcome"] for row in rows] == ["scope_not_allowed"] * 4
    unknown = await api.caller("auditor").get(f"/v1/events/{SOURCE}/forged")
    assert unknown.status_code == 404


async def test_a_supplier_that_submits_for_another_is_refused_before_the_log_and_in_the_lane(
    api: Api, city: City
) -> None:
    own, rival, source = "91370000MA0000002X", "91370000MA00000031", "/supplier/own"
    lane = partition.lane_of(city.hospital.encode(), LANES)
    registered = events.source_registered(
        source, "supplier", id="a-supplier", key=partition.lane_key(lane, LANES), areas=[AREA], organisations=[own]
    )
    await api.booked(await api.append(registered))
    publisher = api.caller("publisher", areas=[AREA], sources=[source], subject="supplier")

    def said(type: str, supplier: str) -> Message:
        about = {"provider": city.hospital, "area": AREA, "supplier": supplier}
        return events.message(type, id=f"{type}-{supplier}", source=source, **about)

    forged = []
    for type in ("statement.submitted.v1", "invoice.registered.v1"):
        assert (await publisher.post(document(said(type, own)))).status_code == 202
        response = await publisher.post(document(said(type, rival)))
        assert (response.status_code, response.json()["code"]) == (403, "not_yours_to_say")
        assert "is registered for other organisations" in response.json()["detail"]
        narrow = api.caller("publisher", organisations=[rival], subject="rival")
        response = await narrow.post(document(said(type, own)))
        assert (response.status_code, response.json()["code"]) == (403, "scope_not_allowed")
        forged += await api.append(said(type, rival))
    await api.booked(forged)
    for type in ("statement.submitted.v1", "invoice.registered.v1"):
        told = await publisher.answer(f"/v1/events/{source}/{type}-{rival}")
        assert (told["outcome"], told["refusals"]["places"][0]["reason"]) == ("refused", "not_yours_to_say")
        assert (await publisher.answer(f"/v1/events/{source}/{type}-{own}"))["outcome"] == "accepted"
    # Its token is narrowed to itself; what it sends is of hospitals all the same.
    itself, other = (
        api.caller("publisher", areas=[AREA], sources=[source], organisations=[code]) for code in (own, rival)
    )
    told = await itself.answer("/v1/quarantine")
    assert {(one["reason"], one["party"]) for one in told["records"]} == {("not_yours_to_say", city.hospital)}
    assert (told["total"], (await other.answer("/v1/quarantine"))["total"]) == (2, 0)
    [first, *_] = told["records"]
    place = f"/v1/quarantine/{first['lane']}/{first['topic']}/{first['offset']}"
    assert [(await caller.get(place)).status_code for caller in (itself, other)] == [200, 404]
    event = f"/v1/events/{source}/invoice.registered.v1-{rival}"
    assert (await itself.answer(event))["outcome"] == "refused"
    assert (await other.get(event)).status_code == 404
    assert (await itself.answer("/v1/quarantine", party=city.neighbour))["total"] == 0
    nobodys = Principal(subject="nobody", role=Role.publisher, areas=(AREA,), organisations=(), sources=(source,))
    assert reach.refused(nobodys)[1] == [], "who is given no organisation is narrowed to none"


async def test_only_a_publisher_publishes(api: Api, city: City) -> None:
    claims = document(settlement(city.hospital, id="by-operator", funds={POOLED: 1}))
    response = await api.caller("operator").post(claims)
    assert (response.status_code, response.json()["code"]) == (403, "role_not_allowed")
