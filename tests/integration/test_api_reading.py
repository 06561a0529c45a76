"""Reading the books over HTTP: what is owed and why, each answer one snapshot that adds up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from medfund import money
from medfund.local.kafka import Kafka
from tests.conftest import LANES, Database
from tests.events import AREA, CALLED, settlement
from tests.integration import served
from tests.integration.served import Api
from tests.integration.small_city import ASSISTANCE, OTHER_AREA, POOLED, SERIOUS, City


def amounts(rows: list[dict[str, Any]], *names: str) -> dict[tuple[str, ...], str]:
    return {tuple(row[name] for name in names): row["balance"] for row in rows}


async def test_a_hospitals_balances_by_fund_and_account(api: Api, city: City) -> None:
    answer = await api.caller("finance").answer("/v1/balances", party=city.hospital)
    assert amounts(answer["balances"], "account", "fund", "counterpart") == {
        ("1106", POOLED, "110000"): "50.00",
        ("1110", ASSISTANCE, ""): "9.00",
        ("2100", POOLED, ""): "-6923.80",
        ("2100", POOLED, "110000"): "-50.00",
        ("2100", SERIOUS, ""): "-281.55",
        ("2100", ASSISTANCE, ""): "-630.39",
        ("5001", POOLED, ""): "6923.80",
        ("5001", SERIOUS, ""): "281.55",
        ("5001", ASSISTANCE, ""): "621.39",
    }
    assert {one["party_name"] for one in answer["balances"]} == {CALLED}
    assert answer["totals"]["balance"] == "0.00"
    assert set(answer["positions"]) == {"1"}


async def test_balances_by_value_date(api: Api, city: City) -> None:
    finance = api.caller("finance")
    asked = {"party": city.hospital, "account": "2100", "fund": POOLED}
    before = await finance.answer("/v1/balances", **asked, as_of="2025-03-03")
    on_the_day = await finance.answer("/v1/balances", **asked, as_of="2025-03-04")
    after = await finance.answer("/v1/balances", **asked, as_of="2025-03-05")
    totals = [answer["totals"]["balance"] for answer in (before, on_the_day, after)]
    assert totals == ["0.00", "-6972.80", "-6973.80"]


async def test_balances_as_known_on_a_day_before_anything_was_recorded_are_empty(api: Api, city: City) -> None:
    answer = await api.caller("finance").answer("/v1/balances", party=city.hospital, known_on="2025-03-31")
    assert answer["balances"] == []


@pytest.mark.parametrize("path", ["/v1/balances", "/v1/lines", "/v1/quarantine"])
async def test_pages_give_every_row_once(api: Api, path: str) -> None:
    auditor = api.caller("auditor")
    rows = {"/v1/balances": "balances", "/v1/lines": "lines", "/v1/quarantine": "records"}[path]
    whole = await auditor.answer(path, limit=1000)
    assert whole["next"] is None
    found, cursor = [], None
    while True:
        page = await auditor.answer(path, limit=2, cursor=cursor)
        found += page[rows]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == whole[rows]
    assert len(found) > 2


async def test_totals_are_the_sum_of_the_lines_of_the_same_answer(api: Api) -> None:
    auditor = api.caller("auditor")
    page = await auditor.answer("/v1/balances", limit=3)
    for name in ("debit", "credit", "balance"):
        assert money.fen(page["totals"][name]) == sum(money.fen(row[name]) for row in page["balances"])
    lines = await auditor.answer("/v1/lines", limit=3)
    assert money.fen(lines["total"]) == sum(money.fen(line["amount"]) for line in lines["lines"])


async def test_every_fund_of_the_trial_balance_balances_by_itself(api: Api) -> None:
    answer = await api.caller("finance").answer("/v1/trial-balance")
    assert answer["balanced"] is True
    assert {(fund["area"], fund["fund"]) for fund in answer["funds"]} == {
        (AREA, POOLED), (AREA, SERIOUS), (AREA, ASSISTANCE), (OTHER_AREA, POOLED),
    }  # fmt: skip
    for fund in answer["funds"]:
        assert fund["totals"]["debit"] == fund["totals"]["credit"]
        assert sum(money.fen(account["balance"]) for account in fund["accounts"]) == 0
        assert all(account["account_name"]["zh"] for account in fund["accounts"])


async def test_a_balance_is_explained_by_its_lines_and_a_line_by_its_events(api: Api, city: City) -> None:
    hospital = api.caller("provider", areas=[AREA], organisations=[city.hospital])
    balance = await hospital.answer("/v1/explain", party=city.hospital, account="2100", fund=POOLED)
    assert balance["proved"] is True
    assert balance["balance"] == balance["journal"]
    assert balance["balance"]["balance"] == "-6973.80"
    assert balance["journal_lines"] == len(balance["lines"])
    assert {balance["party_name"], *(line["party_name"] for line in balance["lines"])} == {CALLED}
    brought: dict[str, str] = {}
    for line in balance["lines"]:
        opened = await hospital.answer("/v1/explain", line=line["id"])
        assert opened["proved"] is True
        assert opened["line"] == line
        assert opened["total"] == line["amount"]
        brought |= {event["id"]: event["amount"] for event in opened["events"]}
    assert brought == {
        "h-1": "6852.80", "h-2": "147.20", "h-3": "1.00", "h-visitor": "50.00", "h-one-stop": "70.00",
        "h-reversed": "147.20",
    }  # fmt: skip


async def test_a_line_that_was_changed_by_hand_is_not_proved(api: Api, city: City) -> None:
    auditor = api.caller("auditor")
    [line] = (await auditor.answer("/v1/lines", party=city.stranger))["lines"]
    tamper = (
        "update journal set amount = amount + $5 where lane = $1 and topic = $2 and first_offset = $3 and ordinal = $4"
    )
    key = line["lane"], line["topic"], line["first_offset"], int(line["id"].rpartition("-")[2])
    await api.superuser(tamper, *key, 1)
    try:
        opened = await auditor.answer("/v1/explain", line=line["id"])
        balance = await auditor.answer("/v1/explain", party=city.stranger, account="2100")
    finally:
        await api.superuser(tamper, *key, -1)
    assert opened["proved"] is False
    assert (opened["line"]["amount"], opened["total"]) == ("1000.00", "999.99")
    assert balance["proved"] is False


async def test_events_of_a_line_come_in_pages(api: Api, city: City) -> None:
    publisher, auditor = api.caller("publisher"), api.caller("auditor")
    same_day = [
        settlement(city.neighbour, id=f"page-{n}", funds={SERIOUS: 100 + n}, service_date="2025-06-01")
        for n in range(7)
    ]
    await api.booked(await publisher.publish(*same_day))
    day = {"service_from": "2025-06-01", "service_to": "2025-06-01"}
    lines = (await auditor.answer("/v1/lines", party=city.neighbour, **day))["lines"]
    found: list[str] = []
    for line in lines:
        cursor = None
        while True:
            page = await auditor.answer("/v1/explain", line=line["id"], limit=2, cursor=cursor)
            assert page["proved"] is True
            found += [event["id"] for event in page["events"]]
            cursor = page["next"]
            if cursor is None:
                break
    assert found == [f"page-{n}" for n in range(7)]


async def test_a_reader_waits_for_what_it_wrote(api: Api, city: City) -> None:
    [position] = await api.caller("publisher").publish(
        settlement(city.neighbour, id="awaited", funds={ASSISTANCE: 4_200}, service_date="2025-07-01")
    )
    answer = await api.caller("finance").answer(
        "/v1/balances", party=city.neighbour, account="2100", fund=ASSISTANCE, wait_for=position
    )
    assert answer["totals"]["balance"] == "-42.00"


async def test_waiting_ends_with_a_problem_when_the_position_is_not_booked(api: Api, city: City) -> None:
    response = await api.caller("finance").get("/v1/balances", party=city.hospital, wait_for="claims:1:999999999")
    assert response.status_code == 504
    assert response.json()["code"] == "not_booked_yet"
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("source", ["/gateway/152500", "%2Fgateway%2F152500"])
async def test_an_accepted_event_says_where_and_how_often_it_came(api: Api, city: City, source: str) -> None:
    answer = await api.caller("publisher").answer(f"/v1/events/{source}/{city.repeated}")
    assert answer["outcome"] == "accepted"
    assert answer["accepted"]["effect"] == "applied"
    assert answer["accepted"]["lane"] == 1
    assert answer["duplicates"]["count"] == 2
    assert len(answer["duplicates"]["places"]) == 2


async def test_an_event_without_effect_says_so(api: Api, city: City) -> None:
    answer = await api.caller("operator").answer(f"/v1/events//agency/152500/reg-{city.hospital}")
    assert answer["accepted"]["effect"] == "none_by_rule"


async def test_a_conflict_leaves_the_first_event_and_names_the_second(api: Api, city: City) -> None:
    answer = await api.caller("publisher").answer(f"/v1/events//gateway/152500/{city.conflicting}")
    assert answer["outcome"] == "accepted"
    assert [refusal["reason"] for refusal in answer["refusals"]["places"]] == ["conflict"]


async def test_a_refused_event_says_why(api: Api, city: City) -> None:
    answer = await api.caller("publisher").answer(f"/v1/events//gateway/152500/{city.unregistered}")
    assert (answer["outcome"], answer["accepted"]) == ("refused", None)
    [refusal] = answer["refusals"]["places"]
    assert (refusal["reason"], refusal["reason_zh"]) == ("unknown_provider", "未登记的医药机构")


async def test_an_event_that_nobody_saw_is_unknown(api: Api) -> None:
    response = await api.caller("publisher").get("/v1/events//gateway/152500/never-sent")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.json()["code"], response.json()["outcome"]) == ("event_unknown", "unknown")


async def test_a_refused_record_is_kept_byte_for_byte(api: Api, city: City) -> None:
    operator = api.caller("operator")
    listed = await operator.answer("/v1/quarantine", reason="malformed_json")
    assert listed["reasons"] == {"malformed_json": 1}
    [record] = listed["records"]
    assert f"{record['topic']}:{record['lane']}:{record['offset']}" == city.malformed
    assert record["party"] == city.hospital
    detail = await operator.answer("/v1/quarantine/{lane}/{topic}/{offset}".format(**record))
    assert detail["value"] == {"size": 10, "base64": "eyJ0b3RhbCI6IA==", "text": '{"total": '}
    assert detail["key"]["text"] == city.hospital
    headers = {header["name"]["text"]: header["value"]["text"] for header in detail["headers"]}
    assert headers["ce_id"] == "h-malformed"


async def test_quarantine_is_filtered_and_counted_alike(api: Api) -> None:
    operator = api.caller("operator")
    everything = await operator.answer("/v1/quarantine")
    assert everything["total"] == sum(everything["reasons"].values())
    assert everything["deliveries"] == len(everything["records"])
    of_source = await operator.answer("/v1/quarantine", source="/gateway/152500", topic="claims")
    assert of_source["reasons"] == everything["reasons"]
    later = await operator.answer("/v1/quarantine", since="2099-01-01T00:00:00+08:00")
    assert (later["total"], later["records"]) == (0, [])


async def test_an_event_that_is_refused_again_and_again_is_one(api: Api) -> None:
    operator = api.caller("operator")
    before = await operator.answer("/v1/quarantine", reason="unknown_provider")
    unknown = [settlement("H15252699999", id=id, funds={POOLED: 4199}) for id in ("again", "once")]
    await api.booked(await api.append(*unknown, unknown[0], unknown[0]))
    after = await operator.answer("/v1/quarantine", reason="unknown_provider")
    assert after["total"] == after["reasons"]["unknown_provider"] == before["total"] + 2
    assert after["deliveries"] == before["deliveries"] + 4


async def test_health_tells_the_lag_and_needs_no_token(api: Api) -> None:
    async with asyncio.timeout(20):
        while (response := await api.client.get("/healthz")).status_code != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    body = response.json()
    assert (body["status"], body["faults"], body["lanes"]) == ("ok", [], LANES)
    assert set(body["lag"]) == {"events", "oldest_s", "yuan", "at_least"}


async def test_health_tells_what_waits_in_events_age_and_money(
    database: Database, kafka: Kafka, topic_prefix: str, tmp_path: Path
) -> None:
    async with served.serving(database, kafka.address, topic_prefix, tmp_path) as waiting:
        await waiting.superuser("insert into lanes (lane) select generate_series(0, $1::int - 1)", LANES)
        await waiting.append(
            settlement("H15250200001", id="w-1", funds={POOLED: 100_00}),
            settlement("H15250200003", id="w-2", funds={POOLED: 23_00, SERIOUS: 45}),
        )
        response = await waiting.client.get("/healthz")
    body = response.json()
    assert response.status_code == 503
    assert body["faults"] == ["lane_without_worker"]
    assert body["lanes_without_worker"] == list(range(LANES))
    assert (body["lag"]["events"], body["lag"]["yuan"], body["lag"]["at_least"]) == (2, "123.45", False)
    assert 0 < body["lag"]["oldest_s"] < 60


async def test_metrics_are_for_operators(api: Api) -> None:
    assert (await api.client.get("/metrics")).status_code == 401
    response = await api.caller("operator").get("/metrics")
    assert 'medfund_lag_events{service="ledger"}' in response.text
    assert 'route="/v1/balances"' in response.text


async def test_documents_come_from_here_alone(api: Api) -> None:
    page = await api.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script" not in page.text
    assert "http://" not in page.text.replace('"http://ledger', "")
    assert "/v1/trial-balance" in page.text
    assert "Pooling area, 6 digits" in page.text
    assert (await api.client.get("/openapi.json")).json()["info"]["title"] == "medfund ledger"
