"""From a record to an event or to the exact reason why not: reliability row 48 in full, and what the codec promises.

The codec never raises, whatever the bytes; the same record gets the same answer; its time and memory are bounded.
"""

import dataclasses
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfund.events import codec, envelope
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import FAMILIES, KINDS, Event, Kind, kind
from medfund.events.refusals import LABELS, Reason
from medfund.lanes import batch, partition

LANES = 12
APPENDED_MS = ASKED_FROM = 1_775_007_001_000  # 2026-04-01T09:30:01+08:00
PROVIDER = b"H15250200017"
SETTLEMENT = dict(KINDS["settlement.recorded.v1"].example)


@dataclasses.dataclass
class Record:
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, Any], ...]
    partition: int
    topic: str = "medfund.claims"
    offset: int = 42
    timestamp: int = APPENDED_MS


def headers(type: str = "settlement.recorded.v1", **changes: str | None) -> tuple[tuple[str, bytes], ...]:
    """The headers of a good event, with some set to another text or left out (None)."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": "0195f1c2-7b5e-7c41-9a02-5f7d10c3b8e6",
        "ce_source": "/gateway/152500",
        "ce_type": type,
        "ce_time": "2026-04-01T09:30:00+08:00",
        "content-type": "application/json",
        **changes,
    }
    return tuple((name, text.encode()) for name, text in texts.items() if text is not None)


def record(value: bytes | None = None, *, key: bytes | None = PROVIDER, **changes: Any) -> Record:
    value = msgspec.json.encode(SETTLEMENT) if value is None else value
    made = Record(key=key, value=value, headers=headers(), partition=partition.lane_of(key or b"", LANES))
    return dataclasses.replace(made, **changes)


def decode(made: Record, family: str = "claims") -> Accepted | Refused:
    return codec.decode(made, family=family, lanes=LANES, asked_from=ASKED_FROM)


def data(**changes: Any) -> bytes:
    """The JSON of a good settlement with some members changed, or left out (...)."""
    return msgspec.json.encode({name: value for name, value in (SETTLEMENT | changes).items() if value is not ...})


def text(old: str, new: str) -> bytes:
    """The JSON of a good settlement with one piece of its text replaced."""
    good = data().decode()
    assert good.count(old) == 1, old
    return good.replace(old, new).encode()


def refusal(made: Record, family: str = "claims") -> tuple[str, str]:
    outcome = decode(made, family)
    assert isinstance(outcome, Refused), outcome
    assert outcome.record is made
    return outcome.reason.value, outcome.detail


# A good event


def test_a_good_record_is_an_event() -> None:
    made = record()
    outcome = decode(made)
    assert isinstance(outcome, Accepted)
    assert outcome.record is made
    assert (outcome.source, outcome.id) == ("/gateway/152500", "0195f1c2-7b5e-7c41-9a02-5f7d10c3b8e6")
    assert (outcome.type, outcome.time) == ("settlement.recorded.v1", "2026-04-01T09:30:00+08:00")
    assert outcome.occurred.isoformat() == "2026-04-01T09:30:00+08:00"
    assert msgspec.to_builtins(outcome.event) == SETTLEMENT


@pytest.mark.parametrize("type", sorted(KINDS))
def test_the_example_of_every_type_is_an_event(type: str) -> None:
    entry = KINDS[type]
    value = msgspec.json.encode(entry.example)
    event = entry.decoder.decode(value)
    key = envelope.key_of(entry, event) or partition.lane_key(5, LANES)
    outcome = decode(record(value, key=key, headers=headers(type)), entry.family)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.event == event


@pytest.mark.parametrize(
    "changes",
    [
        {"insured_area": "370100"},  # a visitor
        {"advanced": ["610100"]},  # another payer's part
        {"total": "0.00", "funds": {}, "personal_account": "0.00", "cash": "0.00"},
        {"total": "0.05", "funds": {"390100": "0.03"}, "personal_account": "0.00", "cash": "0.02"},
        {"total": "1865.42", "funds": {}, "personal_account": "0.00", "cash": "1865.42"},
        {
            "total": "99999999999999.99",
            "funds": {"390100": "99999999999999.99"},
            "personal_account": "0.00",
            "cash": "0.00",
        },
        {"med_type": "9901", "clr_type": "2101"},
        {"service_date": "2000-01-01", "benefit_year": 2000},
        {"service_date": "2099-12-31", "benefit_year": 2099},
        {"service_date": "2024-02-29"},
    ],
)
def test_these_settlements_are_fine_too(changes: dict[str, Any]) -> None:
    outcome = decode(record(data(**changes)))
    assert isinstance(outcome, Accepted), outcome


@pytest.mark.parametrize(
    "value",
    [
        b" " + data() + b"\n",
        text('"total"', '"to\\u0074al"'),
        json.dumps(SETTLEMENT, indent=4).encode(),
        json.dumps(dict(reversed(SETTLEMENT.items()))).encode(),
    ],
)
def test_how_the_json_is_laid_out_does_not_matter(value: bytes) -> None:
    outcome = decode(record(value))
    assert isinstance(outcome, Accepted)
    assert msgspec.to_builtins(outcome.event) == SETTLEMENT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ce_time": "2026-04-01T01:30:00Z"}, "UTC"),
        ({"ce_time": "2026-04-01t01:30:00.123456789z"}, "small letters and a fraction"),
        ({"ce_time": "2026-03-31T18:30:00-07:00"}, "west"),
        ({"ce_time": "2016-12-31T23:59:60Z"}, "a leap second"),
        ({"ce_time": "1970-01-01T00:00:00Z"}, "a clock that was reset"),
        ({"ce_time": "2026-04-01T09:35:01+08:00"}, "5 minutes ahead"),
        ({"ce_id": "310000000000202604010930000001"}, "a national message id"),
        ({"ce_id": "结算-1"}, "any printable text"),
        ({"ce_id": "x" * 256}, "the longest id"),
        ({"content-type": None}, "JSON is the default"),
        ({"content-type": "application/json; charset=utf-8"}, "with a parameter"),
        ({"ce_retryof": "claims:3:17"}, "a retry"),
        ({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "a foreign header"),
    ],
)
def test_these_envelopes_are_fine_too(changes: dict[str, str | None], why: str) -> None:
    outcome = decode(record(headers=headers(**changes)))
    assert isinstance(outcome, Accepted), (why, outcome)


# Row 48: the record and its envelope

BIG = b"x" * 20_000_000


@pytest.mark.parametrize(
    ("made", "reason", "detail"),
    [
        (record(BIG), "too_large", "the value has 20000000 bytes, at most 1048576 are read"),
        (record(key=b"H" * 257), "too_large", "the key has 257 bytes, at most 256 are read"),
        (
            record(headers=(*headers(), ("baggage", BIG))),
            "too_large",
            "the headers have 20000178 bytes, at most 8192 are read",
        ),
        (record(headers=headers(ce_id="x" * 9000)), "too_large", "the headers have 9135 bytes, at most 8192 are read"),
        (
            record(headers=headers() + (("x", b""),) * 9994),
            "too_many_headers",
            "10000 headers, at most 64 are read",
        ),
        (record(headers=headers() + (("x", b""),) * 59), "too_many_headers", "65 headers, at most 64 are read"),
        (
            dataclasses.replace(record(), value=None),
            "null_value",
            "the record has no value (a tombstone); an event is never deleted",
        ),
        (record(key=None), "no_key", "the record has no key; it is the provider code, or the area code"),
        (record(key=b""), "no_key", "the record has no key; it is the provider code, or the area code"),
        (record(headers=()), "missing_attribute", "the header ce_specversion is missing"),
        (
            record(headers=(("content-type", b"application/cloudevents+json"),)),
            "missing_attribute",
            "the header ce_specversion is missing: on the log events are in binary mode, "
            "structured mode is for HTTP and files",
        ),
        *[
            (record(headers=headers(**{f"ce_{name}": None})), "missing_attribute", f"the header ce_{name} is missing")
            for name in ("specversion", "id", "source", "type", "time")
        ],
        (
            record(headers=(*headers(ce_id=None), ("ce_id", None))),
            "missing_attribute",
            "the header ce_id is missing",
        ),
        (record(headers=headers(ce_specversion="0.3")), "bad_attribute", "ce_specversion: '0.3' is not 1.0"),
        (
            record(headers=headers(ce_id="")),
            "bad_attribute",
            "ce_id: '' (0 characters) is not 1 to 256 printable characters",
        ),
        (
            record(headers=headers(ce_source="a\0b")),
            "bad_attribute",
            "ce_source: 'a\\x00b' (3 characters) is not 1 to 256 printable characters",
        ),
        (
            record(headers=headers(ce_id="x" * 257)),
            "bad_attribute",
            f"ce_id: '{'x' * 64}' (257 characters) is not 1 to 256 printable characters",
        ),
        (
            record(headers=headers(ce_id="txt.\u202egpj")),
            "bad_attribute",
            "ce_id: 'txt.\\u202egpj' (8 characters) is not 1 to 256 printable characters",
        ),
        (
            record(headers=(*headers(ce_id=None), ("ce_id", b"\xff"))),
            "bad_attribute",
            "a ce_ header is not UTF-8: b'\\xff'",
        ),
        (record(headers=(*headers(), ("ce_id", b"2"))), "bad_attribute", "the header 'ce_id' occurs twice"),
        (
            record(headers=headers(**{"content-type": "text/plain"})),
            "bad_attribute",
            "content-type: b'text/plain' is not application/json",
        ),
        *[
            (
                record(headers=headers(ce_time=moment)),
                "bad_attribute",
                f"ce_time: '{moment}' is not an RFC 3339 time with an offset, 1970 or later",
            )
            for moment in (
                "2026-04-01",
                "2026-04-01 09:30:00+08:00",
                "2026-04-01T09:30:00",
                "2026-04-01T09:30:00+0800",
                "2026-04-01T09:30+08:00",
                "2026-02-29T09:30:00+08:00",
                "2026-04-01T24:00:00+08:00",
                "2026-04-01T09:30:00+24:00",
                "2026-W14-3T09:30:00+08:00",
                "1969-12-31T23:59:59Z",
                "0001-01-01T00:00:00+08:00",
                "1775007000",
            )
        ],
        (
            record(headers=headers("settlement.forgotten.v1")),
            "unknown_type",
            "'settlement.forgotten.v1' is not a type of event that we know",
        ),
        (
            record(headers=headers("settlement.recorded")),
            "unknown_type",
            "'settlement.recorded' is not a type of event that we know",
        ),
        (
            record(headers=headers("settlement.recorded.v2")),
            "unknown_version",
            "settlement.recorded has version [1], not '2'",
        ),
        (
            record(headers=headers("settlement.recorded.v01")),
            "unknown_version",
            "settlement.recorded has version [1], not '01'",
        ),
        (
            record(partition=3),
            "wrong_lane",
            "key hashes to lane 0 of 12 but the record is in lane 3: set partitioner=murmur2_random (librdkafka) "
            "or use the Java client's default; kcat as librdkafka, sarama: NewMurmur2Partitioner, "
            "kafkajs: JavaCompatiblePartitioner",
        ),
        (
            record(headers=headers(ce_time="2026-04-01T09:35:02+08:00")),
            "time_in_future",
            "ce_time 2026-04-01T09:35:02+08:00 is more than 5 minutes after the record came, 2026-04-01T09:30:01+08:00",
        ),
        (
            record(headers=headers(ce_time="9999-12-31T23:59:59-08:00")),
            "time_in_future",
            "ce_time 9999-12-31T23:59:59-08:00 is more than 5 minutes after the record came, 2026-04-01T09:30:01+08:00",
        ),
    ],
)
def test_row_48_the_record_and_its_envelope(made: Record, reason: str, detail: str) -> None:
    assert refusal(made) == (reason, detail)


def test_row_48_a_type_on_another_topic() -> None:
    assert refusal(record(), "reviews") == (
        "wrong_topic",
        "settlement.recorded.v1 belongs on claims, and this is reviews",
    )


# Row 48: the data

V1 = "(settlement.recorded.v1)"


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", "malformed_json", "Input data was truncated"),
        (b"{", "malformed_json", "Input data was truncated"),
        (data()[:-1], "malformed_json", "Input data was truncated"),
        (data() + b"{}", "malformed_json", "JSON is malformed: trailing characters (byte 435)"),
        (b"settlement", "malformed_json", "JSON is malformed: invalid character (byte 0)"),
        (text("2025,", "NaN,"), "malformed_json", "JSON is malformed: invalid character (byte 225)"),
        (text("2025,", "Infinity,"), "malformed_json", "JSON is malformed: invalid character (byte 225)"),
        (text("2025,", "02025,"), "malformed_json", "JSON is malformed: invalid number (byte 226)"),
        (text("2025,", "2025,,"), "malformed_json", "JSON is malformed: expected '\"' (byte 230)"),
        (text('"H15250200017"', '"\\ud800"'), "malformed_json", None),
        (data().replace(b"798.47", b"798\xff47"), "not_utf8", "byte 415 of the value is not UTF-8"),
        (text('"cash"', '"c\\u0061sh"').replace(b"798.47", b"\xc3\x28"), "not_utf8", None),
        (data().decode().encode("utf-16"), "not_utf8", "byte 0 of the value is not UTF-8"),
        (b"\xef\xbb\xbf" + data(), "byte_order_mark", "the value begins with a byte order mark"),
        (b"[" * 10_000 + b"]" * 10_000, "too_deep", "the value is nested deeper than 32 levels"),
        (b"[" * 10_000, "too_deep", "the value is nested deeper than 32 levels"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_deep", "the value is nested deeper than 32 levels"),
        (data(cash=json.loads("[" * 33 + "]" * 33)), "too_deep", "the value is nested deeper than 32 levels"),
        (data(cash="[" * 10_000), "bad_amount", f"$.cash: '{'[' * 40}' is not yuan with exactly two decimals"),
        (data(cash='["\\{' * 1_000), "bad_amount", None),  # brackets in a text are no depth
        (data(cash=...), "missing_field", f"$: Object missing required field `cash` {V1}"),
        (data(advanced=...), "missing_field", f"$: Object missing required field `advanced` {V1}"),
        (b"{}", "missing_field", f"$: Object missing required field `settlement_ref` {V1}"),
        (data(name="x"), "unknown_field", f"$: Object contains unknown field `name` {V1}"),
        (data(**{"a\0\u202e" + "b" * 500: 1}), "unknown_field", None),
        (data(cash=798.47), "wrong_kind", f"$.cash: Expected `str`, got `float` {V1}"),
        (data(cash=798), "wrong_kind", f"$.cash: Expected `str`, got `int` {V1}"),
        (data(cash=None), "wrong_kind", f"$.cash: Expected `str`, got `null` {V1}"),
        (data(benefit_year="2025"), "wrong_kind", f"$.benefit_year: Expected `int`, got `str` {V1}"),
        (data(benefit_year=2025.5), "wrong_kind", f"$.benefit_year: Expected `int`, got `float` {V1}"),
        (data(benefit_year=True), "wrong_kind", f"$.benefit_year: Expected `int`, got `bool` {V1}"),
        (text("2025,", "1e400,"), "wrong_kind", f"$.benefit_year: Number out of range {V1}"),
        (text('"798.47"', "1e400"), "wrong_kind", None),
        (data(funds=[]), "wrong_kind", f"$.funds: Expected `object`, got `array` {V1}"),
        (data(funds={"390100": 1}), "wrong_kind", f"$.funds[...]: Expected `str`, got `int` {V1}"),
        (data(advanced="610100"), "wrong_kind", f"$.advanced: Expected `array`, got `str` {V1}"),
        (b"[]", "wrong_kind", f"$: Expected `object`, got `array` {V1}"),
        (b"null", "wrong_kind", f"$: Expected `object`, got `null` {V1}"),
        (b'"text"', "wrong_kind", f"$: Expected `object`, got `str` {V1}"),
        (text("2025,", "9" * 400 + ","), "bad_date", None),
        (text("2025,", "9" * 5000 + ","), "amount_out_of_range", f"$.benefit_year: Integer value out of range {V1}"),
        (
            text('"cash":', '"cash":"1.00","cash":'),
            "duplicate_key",
            "the key 'cash' occurs twice in one object",
        ),
        (
            text('"cash":', '"c\\u0061sh":"798.47","cash":'),
            "duplicate_key",
            "the key 'cash' occurs twice in one object",
        ),
        (
            text('"390200":', '"390100":"6852.80","390200":'),
            "duplicate_key",
            "the key '390100' occurs twice in one object",
        ),
        (data(provider="H15250200018"), "key_mismatch", None),
        (data(provider="h15250200017"), "key_mismatch", None),
        (
            data(settlement_ref="9F2C6A0DE3B14785A1C05E7739D84BF2"),
            "bad_code",
            "$.settlement_ref: 32 characters that are not a keyed hash of 32 lower-case hex digits",
        ),
        (data(area="15250"), "bad_code", "$.area: '15250' is not an area code of 6 digits"),
        (data(insured_area=""), "bad_code", "$.insured_area: '' is not an area code of 6 digits"),
        (data(insutype="999"), "bad_code", "$.insutype: '999' is not a known insurance type (insutype)"),
        (data(clr_way="7"), "bad_code", "$.clr_way: '7' is not a clearing method (clr_way), 1 to 6"),
        (data(med_type="2 1"), "bad_code", "$.med_type: '2 1' is not a code of 1 to 12 letters and digits"),
        (data(clr_type="21\n"), "bad_code", "$.clr_type: '21\\n' is not a code of 1 to 12 letters and digits"),
        (data(clr_type="２１"), "bad_code", "$.clr_type: '２１' is not a code of 1 to 12 letters and digits"),
        (data(clr_type="21\0"), "bad_code", "$.clr_type: '21\\x00' is not a code of 1 to 12 letters and digits"),
        (data(total="-0.00"), "bad_amount", "$.total: -0.00 is written 0.00"),
        (data(cash="0.005"), "bad_amount", "$.cash: '0.005' is not yuan with exactly two decimals"),
        (data(cash="798.470"), "bad_amount", "$.cash: '798.470' is not yuan with exactly two decimals"),
        (data(cash="798.5"), "bad_amount", "$.cash: '798.5' is not yuan with exactly two decimals"),
        (data(cash="+798.47"), "bad_amount", "$.cash: '+798.47' is not yuan with exactly two decimals"),
        (data(cash="1e400"), "bad_amount", "$.cash: '1e400' is not yuan with exactly two decimals"),
        (data(cash="NaN"), "bad_amount", "$.cash: 'NaN' is not yuan with exactly two decimals"),
        (data(cash="798.47,0.00"), "bad_amount", "$.cash: '798.47,0.00' is not yuan with exactly two decimals"),
        (data(cash="７98.47"), "bad_amount", "$.cash: '７98.47' is not yuan with exactly two decimals"),
        (
            data(funds={"390100": "6852.80,281.55", "610100": "621.39"}),
            "bad_amount",
            "$.funds['390100']: '6852.80,281.55' is not yuan with exactly two decimals",
        ),
        (
            data(cash="-798.47"),
            "bad_amount",
            "$.cash: -798.47, but every amount of a recorded settlement is zero or more",
        ),
        (
            data(funds={**SETTLEMENT["funds"], "610100": "-621.39"}),
            "bad_amount",
            "$.funds['610100']: -621.39, but every amount of a recorded settlement is zero or more",
        ),
        (
            data(total="92233720368547758.08"),  # 2^63 fen
            "amount_out_of_range",
            "$.total: 92233720368547758.08 is beyond 99999999999999.99 yuan",
        ),
        (
            data(cash="100000000000000.00"),
            "amount_out_of_range",
            "$.cash: 100000000000000.00 is beyond 99999999999999.99 yuan",
        ),
        (data(service_date="2026-02-29"), "bad_date", f"$.service_date: Invalid RFC3339 encoded date {V1}"),
        (data(service_date="2026-2-3"), "bad_date", f"$.service_date: Invalid RFC3339 encoded date {V1}"),
        (data(service_date="20260203"), "bad_date", f"$.service_date: Invalid RFC3339 encoded date {V1}"),
        (data(service_date="2026-02-03T00:00:00Z"), "bad_date", f"$.service_date: Invalid RFC3339 encoded date {V1}"),
        (data(service_date="0000-01-01"), "bad_date", f"$.service_date: Invalid RFC3339 encoded date {V1}"),
        (
            data(service_date="0001-01-01"),
            "bad_date",
            "$.service_date: 0001-01-01 is not a day in 2000 to 2099",
        ),
        (data(service_date="9999-12-31"), "bad_date", None),
        (data(service_date="1999-12-31"), "bad_date", None),
        (data(benefit_year=1999), "bad_date", "$.benefit_year: 1999 is not a year in 2000 to 2099"),
        (data(benefit_year=-1), "bad_date", "$.benefit_year: -1 is not a year in 2000 to 2099"),
        (
            data(funds={**SETTLEMENT["funds"], "999999": "0.00"}),
            "unknown_fund",
            "$.funds['999999']: '999999' is not a known fund (fund_pay_type)",
        ),
        (
            data(advanced=["310100"]),
            "unknown_fund",
            "$.advanced[0]: '310100' is not among the funds of $.funds",
        ),
        (data(advanced=["610100", "610100"]), "unknown_fund", "$.advanced[1]: '610100' is named twice"),
        (
            data(total="8654.22"),
            "identity_mismatch",
            "$.total is 8654.22, its parts make 8654.21, a difference of -0.01",
        ),
        (
            data(other="0.01"),
            "identity_mismatch",
            "$.total is 8654.21, its parts make 8654.22, a difference of 0.01",
        ),
        (data(family_account="0.01"), "identity_mismatch", None),
        (data(hospital_share="0.01"), "identity_mismatch", None),
    ],
)
def test_row_48_the_data(value: bytes, reason: str, detail: str | None) -> None:
    found, said = refusal(record(value))
    assert found == reason, said
    assert detail in (None, said)
    assert said.isprintable()
    assert len(said) <= 500


# Precedence and limits


def test_every_reason_has_a_name_in_both_languages() -> None:
    assert list(LABELS) == list(Reason)
    assert all(zh and en for zh, en in LABELS.values())


WORSE: list[tuple[str, Callable[[Record], Record]]] = [
    ("missing_field", lambda r: dataclasses.replace(r, value=b"{}")),
    ("malformed_json", lambda r: dataclasses.replace(r, value=b"{")),
    ("byte_order_mark", lambda r: dataclasses.replace(r, value=b"\xef\xbb\xbf{")),
    ("not_utf8", lambda r: dataclasses.replace(r, value=b"\xef\xbb\xbf{\xff")),
    ("time_in_future", lambda r: dataclasses.replace(r, timestamp=0)),
    ("wrong_lane", lambda r: dataclasses.replace(r, partition=r.partition + 1)),
    ("unknown_version", lambda r: dataclasses.replace(r, headers=headers("settlement.recorded.v9"))),
    ("unknown_type", lambda r: dataclasses.replace(r, headers=headers("settlement.forgotten.v9"))),
    ("bad_attribute", lambda r: dataclasses.replace(r, headers=headers("x", ce_time="now"))),
    ("missing_attribute", lambda r: dataclasses.replace(r, headers=headers("x", ce_time="now", ce_id=None))),
    ("no_key", lambda r: dataclasses.replace(r, key=None)),
    ("null_value", lambda r: dataclasses.replace(r, value=None)),
    ("too_large", lambda r: dataclasses.replace(r, value=BIG)),
    ("too_many_headers", lambda r: dataclasses.replace(r, headers=r.headers * 20)),
]


def test_of_several_reasons_the_one_that_stands_first_is_given() -> None:
    made = record(data(cash="x", total="y"))
    for reason, worsen in WORSE:
        made = worsen(made)
        assert refusal(made)[0] == reason
    order = [reason.value for reason in Reason]
    assert [order.index(reason) for reason, _ in WORSE] == sorted((order.index(r) for r, _ in WORSE), reverse=True)


NASTY = {
    "a long list": b"[" + b"0," * 500_000 + b"0]",
    "many whole numbers": data(benefit_year=1).replace(b'"benefit_year":1', b'"benefit_year":[' + b"2026.0," * 150_000),
    "a whole number of a million digits": data(benefit_year=1).replace(b":1,", b":1." + b"0" * 1_000_000 + b","),
    "many objects": b"[" + b"{}," * 300_000 + b"{}]",
    "many keys": b"{" + b",".join(b'"%d":0' % n for n in range(80_000)) + b"}",
    "deep": b'{"a":' * 200_000 + b"}" * 24_000,
    "escaped quotes": b'"' + b'\\"' * 500_000,
    "escaped quotes and a lone backslash": b'"' + b'\\"' * 500_000 + b"\\",
    "quotes": b'"' * 1_000_000,
    "brackets": b"[]" * 500_000,
    "a long number": data(benefit_year=1).replace(b'"benefit_year":1', b'"benefit_year":' + b"9" * 1_000_000),
    "a long text": data(cash="9" * 1_000_000),
    "many funds": data(funds={f"{n:06d}": "0.01" for n in range(50_000)}),
    "many advanced": data(advanced=["610100"] * 90_000),
    "colons": data(settlement_ref=":" * 1_000_000),
}


@pytest.mark.parametrize("nasty", sorted(NASTY))
def test_what_is_nasty_costs_little(nasty: str) -> None:
    """A megabyte at the limit: bounded time and memory. The bars are wide, since the machine is shared; the usual is a
    tenth of them."""
    made = record(NASTY[nasty][: codec.VALUE_MAX])
    begin = time.perf_counter()
    outcome = decode(made)
    took = time.perf_counter() - begin
    tracemalloc.start()
    decode(made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(outcome, Refused)
    assert len(outcome.detail) <= 500
    assert took < 1.0
    assert peak < 16 * codec.VALUE_MAX


def test_a_value_beyond_the_limit_is_not_even_read() -> None:
    made = record(BIG)
    tracemalloc.start()
    decode(made)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000


# Nothing raises


def _mutated(draw: st.DrawFn) -> bytes:
    good = draw(st.sampled_from([data(), *(msgspec.json.encode(kind.example) for kind in KINDS.values())]))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(good)))
        end = draw(st.integers(begin, min(len(good), begin + 12)))
        piece = draw(st.binary(max_size=6) | st.sampled_from(PIECES))
        good = good[:begin] + piece + good[end:]
    return good


PIECES = [b'"', b":", b",", b"{", b"}", b"[", b"]", b"\\", b"\\u0000", b"\\ud800", b"null", b"-0.00", b"1e400", b"\xff"]

mutated = st.composite(_mutated)


@given(
    value=st.none() | st.binary(max_size=200) | mutated(),
    key=st.none() | st.binary(max_size=20) | st.just(PROVIDER),
    type=st.sampled_from(sorted(KINDS)),
    lane=st.integers(0, LANES - 1) | st.none(),
    extra=st.lists(st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=8)), max_size=3),
    family=st.sampled_from(FAMILIES) | st.none(),
)
def test_whatever_the_bytes_the_codec_answers(
    value: bytes | None,
    key: bytes | None,
    type: str,
    lane: int | None,
    extra: list[tuple[str, Any]],
    family: str | None,
) -> None:
    lane = partition.lane_of(key or b"", LANES) if lane is None else lane
    made = Record(key=key, value=value, headers=(*headers(type), *extra), partition=lane)
    outcome = decode(made, family or KINDS[type].family)
    if isinstance(outcome, Refused):
        assert outcome.reason in Reason
        assert outcome.detail.isprintable()
        assert len(outcome.detail) <= 500


@given(
    st.lists(
        st.tuples(
            st.sampled_from([n for n, _ in headers()]) | st.text(), st.none() | st.binary() | st.text().map(str.encode)
        ),
        max_size=12,
    )
)
def test_whatever_the_headers_the_codec_answers(some: list[tuple[str, Any]]) -> None:
    outcome = decode(record(headers=tuple(some)))
    assert isinstance(outcome, Refused)
    for said in (outcome.source, outcome.id, outcome.type):
        assert said is None or said.isprintable()


@given(st.text(max_size=40) | st.datetimes().map(lambda moment: f"{moment.isoformat()}+08:00"))
def test_whatever_the_time_the_codec_answers(moment: str) -> None:
    outcome = decode(record(headers=headers(ce_time=moment)))
    if isinstance(outcome, Accepted):
        assert outcome.occurred.timestamp() <= APPENDED_MS / 1000 + 300
    else:
        assert outcome.reason in (Reason.BAD_ATTRIBUTE, Reason.TIME_IN_FUTURE)


@given(
    st.dictionaries(
        st.sampled_from(sorted(SETTLEMENT)),
        st.sampled_from(["0.00", "0.01", "1.00", "-1.00", "1.0", "", "x", "1.00,1.00", " 1.00"]),
    )
)
def test_the_quick_test_of_settlements_says_what_the_exact_one_says(changes: dict[str, str]) -> None:
    from medfund.events import settlements

    strings = {
        name: value for name, value in changes.items() if isinstance(SETTLEMENT[name], str) and name != "service_date"
    }
    event = msgspec.convert(SETTLEMENT | strings, settlements.SettlementRecorded)
    assert settlements.check_recorded(event) == settlements.check_exactly(event)


# Identity and digest


def accepted(**changes: Any) -> Accepted:
    outcome = decode(record(**changes))
    assert isinstance(outcome, Accepted), outcome
    return outcome


def test_the_identity_is_that_of_source_and_id_alone() -> None:
    first = accepted()
    again = accepted(value=data(med_type="22"), headers=headers(ce_time="2026-04-01T09:00:00+08:00"))
    assert first.identity == again.identity
    assert first.digest != again.digest
    assert accepted(headers=headers(ce_source="/gateway/152501")).identity != first.identity
    assert accepted(headers=headers(ce_id="0195f1c2-7b5e-7c41-9a02-5f7d10c3b8e7")).identity != first.identity


def test_source_and_id_cannot_be_shifted_into_each_other() -> None:
    one = accepted(headers=headers(ce_source="/a", ce_id="bc"))
    two = accepted(headers=headers(ce_source="/ab", ce_id="c"))
    assert one.identity != two.identity


def test_a_refused_record_keeps_the_identity_that_could_be_read() -> None:
    outcome = decode(record(b"{"))
    assert isinstance(outcome, Refused)
    assert outcome.identity == accepted().identity
    assert (outcome.source, outcome.id, outcome.type) == (
        "/gateway/152500",
        "0195f1c2-7b5e-7c41-9a02-5f7d10c3b8e6",
        "settlement.recorded.v1",
    )
    nameless = decode(record(headers=headers(ce_id="\0")))
    assert isinstance(nameless, Refused)
    assert (nameless.id, nameless.identity) == (None, None)


def test_identities_of_time_ordered_ids_lie_in_the_order_of_time() -> None:
    ids = [f"0195f1c2-7b5{n:x}-7c41-9a02-5f7d10c3b8e6" for n in range(16)]
    identities = [accepted(headers=headers(ce_id=id)).identity for id in ids]
    assert identities == sorted(identities)
    assert all(identity.startswith(bytes.fromhex("0195f1c2")) for identity in identities)


@pytest.mark.parametrize(
    "id",
    [
        "0195f1c2-7b5e-4c41-9a02-5f7d10c3b8e6",
        "0195f1c2-7b5e-7c41-9a02-5f7d10c3b8e",
        "z" * 36,
        "zzzzzzzz-zzzz-7zzz-zzzz-zzzzzzzzzzzz",
    ],
)
def test_another_id_is_all_hash(id: str) -> None:
    assert not accepted(headers=headers(ce_id=id)).identity.startswith(bytes.fromhex("0195f1c2"))


# Old versions


def test_an_old_version_is_lifted_to_the_newest() -> None:
    kinds: dict[str, Kind] = {}

    @kind("visit.noted", 2, family="claims", key="provider", into=kinds)
    class VisitNoted(Event, frozen=True, kw_only=True):
        provider: str
        kind: str

    def with_kind(old: Any) -> VisitNoted:
        return VisitNoted(provider=old.provider, kind="unknown")

    @kind("visit.noted", 1, family="claims", key="provider", lift=with_kind, into=kinds)
    class VisitNotedV1(Event, frozen=True, kw_only=True):
        provider: str

    made = record(b'{"provider":"H15250200017"}', headers=headers("visit.noted.v1"))
    outcome = codec.decode(made, family="claims", lanes=LANES, kinds=kinds)
    assert isinstance(outcome, Accepted)
    assert outcome.type == "visit.noted.v1"
    assert outcome.event == VisitNoted(provider="H15250200017", kind="unknown")


def test_a_type_is_registered_once() -> None:
    kinds: dict[str, Kind] = {}

    class Nothing(Event, frozen=True, kw_only=True):
        area: str

    kind("nothing.done", family="agency", key="area", into=kinds)(Nothing)
    with pytest.raises(ValueError, match=r"nothing\.done\.v1 is registered twice"):
        kind("nothing.done", family="agency", key="area", into=kinds)(Nothing)


# What is read since a lane asks who speaks


OLD_MS = ASKED_FROM - 1


def judged(*events: Accepted) -> batch.Verdicts:
    return batch.judge(events, {}, lambda _: None, lambda at: at >= ASKED_FROM)


def spelled(time: str, at_ms: int = APPENDED_MS, value: bytes | None = None) -> Accepted:
    outcome = decode(record(value, headers=headers(ce_time=time), timestamp=at_ms))
    assert isinstance(outcome, Accepted), outcome
    return outcome


@pytest.mark.parametrize("time", ["2026-04-01T01:30:00Z", "2026-04-01T01:30:00.000Z", "2026-04-01T02:30:00.0+01:00"])
def test_one_instant_in_two_spellings_is_one_event(time: str) -> None:
    first, again = spelled("2026-04-01T09:30:00+08:00"), spelled(time)
    for one, other in ((first, again), (again, first)):
        verdicts = judged(one, other)
        assert (verdicts.fresh, verdicts.repeats, verdicts.refused) == ([one], [other], [])


@pytest.mark.parametrize(
    "again",
    [
        spelled("2026-04-01T01:30:01Z"),
        spelled("2026-04-01T01:30:00.001Z"),
        spelled("2026-04-01T01:30:00Z", value=data(cash="799.47", total="8655.21")),
        spelled("2026-04-01T01:30:00Z", OLD_MS),
    ],
    ids=["a second later", "a moment later", "other data", "of an old log"],
)
def test_what_says_something_else_is_a_conflict_however_its_time_is_spelled(again: Accepted) -> None:
    first = spelled("2026-04-01T09:30:00+08:00")
    verdicts = judged(first, again)
    assert [refused.reason for refused in verdicts.refused] == [Reason.CONFLICT]


def test_the_digest_stays_that_of_what_was_written() -> None:
    written = "2026-04-01T01:30:00.000Z"
    digest = envelope.digest_of(b"settlement.recorded.v1", written.encode(), data())
    assert {spelled(written, at_ms).digest for at_ms in (OLD_MS, APPENDED_MS)} == {digest}


WHOLE = [("2026.0", 2026), ("2026.00", 2026), ("2.026e3", 2026), ("2.026E+03", 2026), ("20260e-1", 2026)]


@pytest.mark.parametrize(("written", "year"), WHOLE)
def test_a_whole_number_is_one_however_json_writes_it(written: str, year: int) -> None:
    value = data(benefit_year=7).replace(b'"benefit_year":7', b'"benefit_year":' + written.encode())
    outcome = spelled("2026-04-01T09:30:00+08:00", value=value)
    assert outcome.event == msgspec.structs.replace(spelled("2026-04-01T09:30:00+08:00").event, benefit_year=year)
    assert refusal(record(value, timestamp=OLD_MS))[0] == "wrong_kind"


@pytest.mark.parametrize(
    "written", ["2026.5", "2026.0000001", "2026.0e999999999", '"2026"', '"2026.0"', "true", "1e400", "null"]
)
def test_what_is_no_whole_number_stays_refused(written: str) -> None:
    value = data(benefit_year=7).replace(b'"benefit_year":7', b'"benefit_year":' + written.encode())
    assert refusal(record(value, timestamp=APPENDED_MS))[0] == "wrong_kind"


def structured(at_ms: int) -> Refused:
    event = {
        **dict(zip(("specversion", "id", "source"), ("1.0", "s-1", "/gateway/152500"), strict=True)),
        "data": SETTLEMENT,
    }
    event |= {"type": "settlement.recorded.v1", "time": "2026-04-01T09:30:00+08:00", "subject": "x"}
    value = msgspec.json.encode(event)
    mode = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    outcome = decode(record(value, headers=mode, timestamp=at_ms))
    assert isinstance(outcome, Refused)
    return outcome


def test_structured_mode_on_the_log_is_refused_under_its_own_name() -> None:
    found, old = structured(APPENDED_MS), structured(OLD_MS)
    assert found.reason == old.reason == Reason.MISSING_ATTRIBUTE
    assert "binary mode" in found.detail
    assert (found.source, found.id, found.type) == ("/gateway/152500", "s-1", "settlement.recorded.v1")
    assert found.identity == envelope.identity_of(b"/gateway/152500", b"s-1")
    assert (old.source, old.id, old.type, old.identity) == (None, None, None, None)


def test_a_record_in_another_lane_is_told_what_each_client_has_to_set() -> None:
    lane = partition.lane_of(PROVIDER, LANES)
    reason, detail = refusal(record(partition=lane + 1, timestamp=APPENDED_MS))
    assert reason == "wrong_lane"
    settings = (
        "murmur2_random",
        "kcat as librdkafka",
        "sarama: NewMurmur2P",
        "kafkajs: JavaCompatibleP",
        "Java client",
    )
    assert all(setting in detail for setting in settings)
    assert "sarama" not in refusal(record(partition=lane + 1, timestamp=OLD_MS))[1]
