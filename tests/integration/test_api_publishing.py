"""Publishing over HTTP: checked first, each event with its own outcome, the bytes as they were sent, all on the log."""

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from medfund.http import appending
from medfund.local.kafka import Kafka
from tests.conftest import LANES, Database, fresh_topics
from tests.events import SOURCE, message, registered, registry, settlement
from tests.integration import log_of, served
from tests.integration.served import Api, document, lines
from tests.integration.small_city import POOLED, City
from tests.integration.workers import until

BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"


async def test_one_event_is_on_the_log_as_it_was_sent(api: Api, city: City) -> None:
    event = settlement(city.neighbour, id="one", funds={POOLED: 1_00}, service_date="2025-08-01")
    odd = document(event).replace(b'"insutype":"390"', b'"insutype" :  "390"')
    response = await api.caller("publisher").post(odd)
    assert response.status_code == 202
    [outcome] = response.json()["events"]
    assert outcome["position"] == f"claims:{outcome['lane']}:{outcome['offset']}"
    records = await log_of.records(api.bootstrap, f"{api.prefix}.claims", lanes=LANES)
    [record] = [r for r in records if (r.partition, r.offset) == (outcome["lane"], outcome["offset"])]
    assert record.value == (event.value or b"").replace(b'"insutype":"390"', b'"insutype" :  "390"')
    assert record.key == city.neighbour.encode()
    assert dict(record.headers)["ce_source"] == SOURCE.encode()


@pytest.mark.parametrize("type", [BATCH, LINES])
async def test_of_a_batch_the_good_events_go_and_the_bad_are_named(api: Api, city: City, type: str) -> None:
    good = settlement(city.neighbour, id=f"good-{type}", funds={POOLED: 100}, service_date="2025-08-02")
    bad = settlement(city.neighbour, id=f"bad-{type}", funds={POOLED: 100}, total="1.01")
    documents = [document(good), document(bad), b'{"no": "event"}']
    body = b"[%b]" % b",".join(documents) if type == BATCH else b"\n".join(documents)
    response = await api.caller("publisher").post(body, type=type)
    assert response.status_code == 207
    answer = response.json()
    assert (answer["accepted"], answer["refused"]) == (1, 2)
    assert [event.get("reason") for event in answer["events"]] == [None, "identity_mismatch", "missing_attribute"]
    assert answer["events"][1]["reason_zh"] == "金额不平"
    assert (await api.caller("publisher").get(f"/v1/events/{SOURCE}/bad-{type}")).status_code == 404


async def test_a_single_bad_event_is_a_problem_with_its_reason(api: Api, city: City) -> None:
    response = await api.caller("publisher").post(
        document(settlement(city.neighbour, id="bad", funds={POOLED: 100}, total="1.01"))
    )
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.json()["code"], response.json()["reason"]) == ("event_refused", "identity_mismatch")


async def test_the_same_event_twice_is_booked_once(api: Api, city: City) -> None:
    event = settlement(city.neighbour, id="twice", funds={POOLED: 7_700}, service_date="2025-08-03")
    publisher = api.caller("publisher")
    await api.booked([*await publisher.publish(event), *await publisher.publish(event)])
    lines = await api.caller("auditor").answer("/v1/lines", party=city.neighbour, service_from="2025-08-03")
    assert [line["amount"] for line in lines["lines"] if line["service_date"] == "2025-08-03"] == ["77.00"]
    outcome = await publisher.answer(f"/v1/events/{SOURCE}/twice")
    assert outcome["duplicates"]["count"] == 1


async def test_one_event_as_sdks_write_it_in_every_mode_is_booked_once(api: Api, city: City) -> None:
    publisher = api.caller("publisher")
    event = settlement(city.neighbour, id="in-every-mode", funds={POOLED: 8_800}, service_date="2025-08-06")
    plain = msgspec.json.decode(document(event))
    utc = plain | {"time": "2025-03-04T02:15:30.000Z", "subject": "2025-08-06", "sequence": 7, "sampled": True}
    odd = plain | {
        "datacontenttype": "application/json; charset=utf-8",
        "dataschema": None,
        "traceparent": "00-0af7-b7",
    }
    documents = [msgspec.json.encode(one).replace(msgspec.json.encode(one["data"]), event.value) for one in (utc, odd)]
    binary = {f"ce-{name}": value for name, value in plain.items() if name != "data"} | {"ce-subject": "2025-08-06"}
    answers = [
        await publisher.post(documents[0], type="application/cloudevents+json; charset=UTF-8"),
        await publisher.post(b"[%b]" % b",".join(documents), type=f"{BATCH}; charset=UTF-8"),
        await api.client.post(
            "/v1/events",
            content=event.value,
            headers={**publisher.headers, **binary, "content-type": "application/json"},
        ),
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 202], [answer.text for answer in answers]
    spelled = {**dict(event.headers), "ce_time": b"2025-03-04T02:15:30Z", "ce_subject": b"2025-08-06"}
    positions = [told["position"] for answer in answers for told in answer.json()["events"]]
    await api.booked([*positions, *await api.append(replace(event, headers=tuple(spelled.items())))])
    outcome = await publisher.answer(f"/v1/events/{SOURCE}/in-every-mode")
    assert (outcome["outcome"], outcome["duplicates"]["count"], outcome["refusals"]["count"]) == ("accepted", 4, 0)


async def test_an_empty_batch_is_an_empty_answer(api: Api) -> None:
    response = await api.caller("publisher").post(b" [ ] ", type=BATCH)
    assert response.status_code == 202
    assert response.json() == {"accepted": 0, "refused": 0, "missing": 0, "events": []}


async def test_structured_mode_on_the_log_is_found_refused_by_its_name_and_its_place(api: Api, city: City) -> None:
    event = settlement(city.neighbour, id="structured-on-the-log", funds={POOLED: 100}, service_date="2025-08-07")
    mode = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    [position] = await api.append(replace(event, value=document(event), headers=mode))
    await api.booked([position])
    publisher = api.caller("publisher", sources=[SOURCE])
    told = (await publisher.answer(f"/v1/events/{SOURCE}/structured-on-the-log"))["refusals"]["places"]
    assert [(place["reason"], "binary mode" in place["detail"]) for place in told] == [("missing_attribute", True)]
    topic, lane, offset = position.split(":")
    assert (await publisher.answer(f"/v1/quarantine/{lane}/{topic}/{offset}"))["id"] == "structured-on-the-log"
    stranger = await api.caller("publisher", sources=["/gateway/152600"]).get(f"/v1/quarantine/{lane}/{topic}/{offset}")
    assert stranger.status_code == 404


async def test_an_event_for_every_lane_is_in_every_lane(api: Api) -> None:
    notice = message("calendar.published.v1", id="notice")
    response = await api.caller("publisher").post(document(notice))
    assert response.status_code == 202
    [outcome] = response.json()["events"]
    assert len(outcome["positions"]) == LANES


@pytest.mark.parametrize(
    ("type", "body", "status", "code"),
    [
        ("text/plain", b"{}", 415, "media_type_unsupported"),
        ("", b"{}", 415, "media_type_unsupported"),
        (BATCH, b"{}", 400, "body_malformed"),
        (BATCH, b"[" * 100_000, 400, "body_malformed"),
        (LINES, b"\n\n", 400, "body_malformed"),
        (LINES, b"{}\n" * 10_001, 422, "too_much"),
        ("application/cloudevents+json", b"", 422, "event_refused"),
        ("application/cloudevents+json", b"\xff\xfe", 422, "event_refused"),
        ("application/cloudevents+json", b"{" * 100_000, 422, "event_refused"),
        ("application/cloudevents+json", b" " * ((1 << 20) + 1), 413, "body_too_large"),
        (LINES, b" " * ((16 << 20) + 1), 413, "body_too_large"),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else str(value),
)
async def test_a_body_that_is_no_event_is_refused(api: Api, type: str, body: bytes, status: int, code: str) -> None:
    response = await api.caller("publisher").post(body, type=type)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_compressed_bodies_are_refused_unread(api: Api) -> None:
    caller = api.caller("publisher")
    headers = {**caller.headers, "content-type": LINES, "content-encoding": "gzip"}
    response = await api.client.post("/v1/events", content=b"\x1f\x8b" + bytes(1000), headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "media_type_unsupported")


async def test_a_command_leaves_an_audit_record_before_it_is_carried_out(api: Api, city: City) -> None:
    event = settlement(city.neighbour, id="audited", funds={POOLED: 100}, service_date="2025-08-04")
    await api.caller("publisher", subject="gateway-of-the-south").publish(event)
    [row] = await api.superuser("select * from audit where subject = 'gateway-of-the-south'")
    detail = msgspec.json.decode(row["detail"])
    assert (row["operation"], row["outcome"]) == ("publish", "asked")
    assert (detail["events"], detail["refused"]) == (1, {})
    assert len(detail["sha256"]) == 64


async def test_many_publishers_at_once_are_all_served(api: Api, city: City) -> None:
    publisher = api.caller("publisher")
    batches = [
        lines(
            settlement(city.neighbour, id=f"many-{n}-{k}", funds={POOLED: 100}, service_date="2025-08-05")
            for k in range(20)
        )
        for n in range(10)
    ]
    responses = await asyncio.gather(*(publisher.post(batch, type=LINES) for batch in batches))
    assert {response.status_code for response in responses} == {202}
    positions = [event["position"] for response in responses for event in response.json()["events"]]
    assert len(set(positions)) == 200
    await api.booked(positions)
    day = {"service_from": "2025-08-05", "service_to": "2025-08-05"}
    found = await api.caller("auditor").answer("/v1/lines", party=city.neighbour, **day)
    assert sum(line["events"] for line in found["lines"]) == 200


@pytest.mark.parametrize(
    ("reason", "sent"),
    [("not_acknowledged", True), ("not_sent", False)],
    ids=["the broker does not take it", "no broker knows it"],
)
async def test_a_request_that_runs_out_of_time_says_of_each_event_whether_the_log_has_it(
    database: Database, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, sent: bool
) -> None:
    monkeypatch.setattr(appending, "APPEND_TIMEOUT_S", 2.0)
    monkeypatch.setattr(appending, "CLOSE_TIMEOUT_S", 0.2)
    prefix = await fresh_topics(kafka)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    entry = ConfigEntry("max.message.bytes", "99", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, f"{prefix}.prepayments", incremental_configs=[entry])
    if sent:
        [changed] = admin.incremental_alter_configs([resource]).values()
    else:
        [changed] = admin.delete_topics([f"{prefix}.prepayments"]).values()
    changed.result(timeout=10)

    async def is_known() -> bool:
        """To the broker that is asked, which learns of it a moment later."""
        if not sent:
            return f"{prefix}.prepayments" not in admin.list_topics().topics
        [told] = admin.describe_configs([resource]).values()
        return bool(told.result()["max.message.bytes"].value == "99")

    await until(is_known, "the broker knows what was changed")
    known = [registered(f"H3102000{n:04}", id=f"known-{n}") for n in range(30)]
    asked = message("prepayment.applied.v1", id="asked")
    async with served.serving(database, kafka.address, prefix, tmp_path) as api:
        await api.hears(*registry(range(LANES), LANES))
        body = lines([*known[:20], asked, *known[20:]] if sent else [*known, asked])
        response = await api.caller("publisher").post(body, type=LINES)
    answer = response.json()
    assert (response.status_code, answer["accepted"], answer["refused"], answer["missing"]) == (207, 30, 0, 1)
    [missing] = [event for event in answer["events"] if not event["accepted"]]
    assert (missing["id"], missing["reason"]) == ("asked", reason)
    assert {event["topic"] for event in answer["events"] if event["accepted"]} == {"agency"}
