"""The envelope in its two forms: as headers of a record, and as one JSON object."""

import json

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
        (document(subject="x"), "bad_attribute", "'subject' is not an attribute of our events"),
        (document(data_base64="e30="), "bad_attribute", "'data_base64' is not an attribute of our events"),
        (document(datacontenttype="text/xml"), "bad_attribute", "datacontenttype: 'text/xml' is not application/json"),
        (document().replace(b'"id":', b'"id": "2", "id":'), "duplicate_key", "an attribute occurs twice"),
        (document().replace(b'"id":', b'"i\\u0064": "1", "id":'), "duplicate_key", "an attribute occurs twice"),
        (document().replace(b'"data":', b'"data": {}, "data":'), "duplicate_key", "an attribute occurs twice"),
        (document(id=1), "malformed_json", "not a JSON object with text attributes: Expected `str`, got `int`"),
        (document(id=None), "malformed_json", "not a JSON object with text attributes: Expected `str`, got `null`"),
        (b"[]", "malformed_json", "not a JSON object with text attributes: Expected `object`, got `array`"),
        (b"", "malformed_json", "not a JSON object with text attributes: Input data was truncated"),
        (document() + b"x", "malformed_json", None),
        (b"\xef\xbb\xbf" + document(), "malformed_json", None),
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
