"""The envelope in its two forms: as headers of a record, and as one JSON object."""

import base64
import json
from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfund.events import envelope
from medfund.events.envelope import Envelope
from medfund.events.refusals import Problem

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/gateway/152500",
    "type": "day.opened.v1",
    "time": "2026-04-01T09:30:00+08:00",
    "data": {"date": "2026-04-01"},
}


def document(**changes: object) -> bytes:
    return json.dumps({name: value for name, value in (EVENT | changes).items() if value is not ...}).encode()


def test_the_data_stay_the_bytes_that_were_written() -> None:
    event = envelope.from_json(document().replace(b'{"date":', b'{ "d\\u0061te"  :'))
    assert isinstance(event, Envelope)
    assert event.data == b'{ "d\\u0061te"  : "2026-04-01"}'


def test_the_headers_are_those_of_binary_mode() -> None:
    event = envelope.from_json(document(retryof="claims:3:17", partitionkey="lane-7"))
    assert isinstance(event, Envelope)
    assert envelope.headers(event) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_source", b"/gateway/152500"),
        ("ce_type", b"day.opened.v1"),
        ("ce_time", b"2026-04-01T09:30:00+08:00"),
        ("content-type", b"application/json"),
        ("ce_retryof", b"claims:3:17"),
    ]
    assert event.key == b"lane-7"


BASE64 = "data_base64 is not base64, or there is data beside it"
PIECE = "a piece of JSON that goes over several lines: one event stands on one line"
NO_ENVELOPE = "no envelope: specversion, id, source, type and time stand beside data, and what is here stands inside it"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RAW = st.builds(msgspec.json.encode, st.dictionaries(TEXTS, TEXTS | st.integers() | st.none(), max_size=4))


@given(id=TEXTS, source=TEXTS, data=RAW, key=st.none() | TEXTS, retryof=st.none() | TEXTS)
def test_what_is_written_is_read_again(id: str, source: str, data: bytes, key: str | None, retryof: str | None) -> None:
    event = Envelope(
        id=id,
        source=source,
        type="day.opened.v1",
        time="2026-04-01T09:30:00+08:00",
        data=data,
        key=None if key is None else key.encode(),
        retryof=retryof,
    )
    assert envelope.from_json(envelope.to_json(event)) == event


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        *[(document(**{name: ...}), "missing_attribute", f"{name} is missing") for name in EVENT],
        *[(document(**{name: None}), "missing_attribute", f"{name} is missing") for name in EVENT],
        *[(document(**{name: 1}), "bad_attribute", f"{name} is no text") for name in EVENT if name != "data"],
        (
            document(sub_ject="x"),
            "bad_attribute",
            "'sub_ject' is not the name of an attribute: small letters and digits",
        ),
        (document(Subject="x"), "bad_attribute", "'Subject' is not the name of an attribute: small letters and digits"),
        (document(weight=1.5), "bad_attribute", "weight is no text, whole number or boolean"),
        (document(weight={}), "bad_attribute", "weight is no text, whole number or boolean"),
        (document(data=..., data_base64="e3"), "bad_attribute", BASE64),
        (document(data=..., data_base64=7), "bad_attribute", BASE64),
        (document(data_base64="e30="), "bad_attribute", BASE64),
        (document(datacontenttype="text/xml"), "bad_attribute", "datacontenttype: 'text/xml' is not application/json"),
        (document().replace(b'"id":', b'"id": "2", "id":'), "duplicate_key", "an attribute occurs twice"),
        (document().replace(b'"id":', b'"i\\u0064": "1", "id":'), "duplicate_key", "an attribute occurs twice"),
        (document().replace(b'"data":', b'"data": {}, "data":'), "duplicate_key", "an attribute occurs twice"),
        (b"[]", "malformed_json", "a JSON array where one event is expected, an object"),
        (b"{", "malformed_json", PIECE),
        (b'  "id": "1",', "malformed_json", PIECE),
        (b"},", "malformed_json", PIECE),
        (json.dumps(EVENT["data"]).encode(), "missing_attribute", NO_ENVELOPE),
        (b'{"settlement_ref": "9f2c", "area": "152500"}', "missing_attribute", NO_ENVELOPE),
        (b"{}", "missing_attribute", NO_ENVELOPE),
        (b"", "malformed_json", "not a JSON object: Input data was truncated"),
        (document() + b"x", "malformed_json", None),
        (
            b"\xef\xbb\xbf" + document(),
            "byte_order_mark",
            "it begins with a byte order mark: save it as UTF-8 without one",
        ),
        (document().replace(b"/gateway", b"\xff"), "malformed_json", None),
        (b'{"data":' + b"[" * 100_000, "malformed_json", None),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(text: bytes, reason: str, detail: str | None) -> None:
    problem = envelope.from_json(text)
    assert isinstance(problem, Problem)
    assert problem.reason == reason
    assert detail in (None, problem.detail)


@given(st.binary(max_size=100))
def test_whatever_the_bytes_there_is_an_answer(text: bytes) -> None:
    assert isinstance(envelope.from_json(text), Problem)


def test_colons_in_attributes_and_data_are_no_second_key() -> None:
    event = envelope.from_json(document(id="a:b:c", data={"x": "::", "y": {"z": ":"}}))
    assert isinstance(event, Envelope)
    assert event.id == "a:b:c"


PLAIN = envelope.from_json(document())


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "2026-04-01"},
        {"dataschema": "urn:medfund:event:day.opened.v1"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"sequence": 7, "sampled": True, "replayed": False},
        {"datacontenttype": "application/json"},
        {"datacontenttype": "application/json; charset=utf-8"},
        {"datacontenttype": "Application/JSON;charset=UTF-8"},
        dict.fromkeys(("subject", "dataschema", "datacontenttype", "partitionkey", "retryof", "traceparent")),
        {"data": None, "data_base64": base64.b64encode(msgspec.json.encode(EVENT["data"])).decode()},
    ],
    ids=str,
)
def test_what_an_sdk_writes_besides_changes_nothing_of_an_event(changes: dict[str, object]) -> None:
    event = envelope.from_json(document(**changes))
    assert isinstance(event, Envelope)
    assert isinstance(PLAIN, Envelope)
    assert msgspec.structs.replace(event, data=PLAIN.data) == PLAIN
    assert json.loads(event.data) == EVENT["data"]


def http(**changes: str | None) -> list[tuple[str, str]]:
    given = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"} | {
        "content-type": "application/json",
        "host": "books",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return [(name, str(value)) for name, value in given.items() if value is not None]


BODY = json.dumps(EVENT["data"]).encode()


@pytest.mark.parametrize(
    "headers",
    [
        http(),
        http(content_type="application/json; charset=utf-8"),
        http(content_type=None),
        http(ce_subject="x", ce_traceparent="00-0af7", ce_sequence="7"),
        http(ce_source="%2Fgateway%2F152500"),
        http(ce_subject="%E5%8C%BB%E4%BF%9D".lower()),
        http(ce_subject="医保".encode().decode("latin-1")),
        [(name.title(), value) for name, value in http()],
    ],
    ids=str,
)
def test_binary_mode_over_http_says_what_structured_mode_says(headers: list[tuple[str, str]]) -> None:
    assert envelope.from_http(headers, BODY) == PLAIN


@pytest.mark.parametrize(
    ("headers", "reason", "detail"),
    [
        *[
            (http(**{f"ce_{name}": None}), "missing_attribute", f"{name} is missing")
            for name in EVENT
            if name != "data"
        ],
        (http(content_type="text/plain"), "bad_attribute", "datacontenttype: 'text/plain' is not application/json"),
        (http(ce_subject="%ff"), "bad_attribute", "the header 'ce-subject' is not UTF-8, nor its % escapes"),
        ([*http(), ("ce-id", "2")], "bad_attribute", "the header 'ce-id' occurs twice"),
        ([("ce-subject", "x")], "missing_attribute", NO_ENVELOPE),
    ],
)
def test_binary_mode_over_http_is_refused_with_the_same_reasons(
    headers: list[tuple[str, str]], reason: str, detail: str
) -> None:
    assert envelope.from_http(headers, BODY) == (reason, detail)


INSTANTS = """
2026-03-04T10:15:30+08:00      2026-03-04T02:15:30Z
2026-03-04T10:15:30+08:00      2026-03-04T02:15:30.000Z
2026-03-04T10:15:30+08:00      2026-03-04T02:15:30+00:00
2026-03-04T10:15:30+08:00      2026-03-04T02:15:30.000000000Z
2026-03-04T00:15:30+08:00      2026-03-03T16:15:30Z
2026-03-04T10:15:30.120+08:00  2026-03-04T02:15:30.12Z
2026-03-04T10:15:30.120+08:00  2026-03-04T02:15:30.120000Z
2026-03-04T02:15:30.1234567Z   2026-03-04T10:15:30.1234567+08:00
2026-03-04T02:15:30.1234567Z   2026-03-04T11:15:30.123456700+09:00
"""


@pytest.mark.parametrize("row", [row.split() for row in INSTANTS.strip().splitlines()], ids=" ".join)
def test_an_instant_is_spelled_in_all_the_ways_of_clients(row: list[str]) -> None:
    for one, other in (row, row[::-1]):
        found = list(envelope.spellings(one))
        assert other in found
        assert len(found) <= 280
        assert {envelope.instant(text) for text in found} == {envelope.instant(one)}


@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 1, 1)), st.sampled_from([3, 6, 9]))  # noqa: DTZ001
def test_no_other_instant_is_among_its_spellings(moment: datetime, digits: int) -> None:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment.microsecond:06}"[: digits + 1].ljust(digits + 1, "0") + "Z"
    assert {envelope.instant(other) for other in envelope.spellings(text)} == {envelope.instant(text)}
