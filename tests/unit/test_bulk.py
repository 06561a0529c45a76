"""Reading a run at once gives what reading it record by record gives, whatever is in it."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfund.events import bulk, codec
from medfund.events.kinds import KINDS
from medfund.lanes import partition
from tests import events
from tests.simulation.memory_log import MemoryRecord

LANES = 4
PROVIDERS = events.providers(1, LANES, 5)


def record(offset: int, **changes: Any) -> MemoryRecord:
    funds = {"390100": 100 * offset + 5, "390200": offset % 7, "610100": 10 ** (offset % 12)}
    message = events.settlement(PROVIDERS[offset % 5], id=f"id-{offset}", funds=funds, cash=offset, **changes)
    return MemoryRecord("medfund.claims", 1, offset, 1_795_620_000_000, message.key, message.value, message.headers)


def run(count: int = bulk.FEW) -> list[MemoryRecord]:
    return [record(offset) for offset in range(count)]


def header(one: MemoryRecord, name: str, value: bytes | None) -> MemoryRecord:
    return replace(one, headers=tuple((n, value if n == name else v) for n, v in one.headers))


ODD = {
    "nothing": lambda one: one,
    "no value": lambda one: replace(one, value=None),
    "no key": lambda one: replace(one, key=None),
    "another key": lambda one: replace(one, key=PROVIDERS[0].encode()),
    "another lane": lambda one: replace(one, partition=2),
    "not JSON": lambda one: replace(one, value=b"{"),
    "a key twice": lambda one: replace(one, value=one.value.replace(b'{"', b'{"total":"1.00","', 1)),
    "a key more": lambda one: replace(one, value=one.value.replace(b'{"', b'{"more":1,"', 1)),
    "one fen off": lambda one: replace(one, value=one.value.replace(b'"cash":"0.03"', b'"cash":"0.04"')),
    "a leading zero": lambda one: replace(one, value=one.value.replace(b'"cash":"0.03"', b'"cash":"00.03"')),
    "no leading zero": lambda one: replace(one, value=one.value.replace(b'"cash":"0.03"', b'"cash":".03"')),
    "two amounts in one": lambda one: replace(one, value=one.value.replace(b'"cash":"0.03"', b'"cash":"0.01,0.02"')),
    "minus zero": lambda one: replace(one, value=one.value.replace(b'"other":"0.00"', b'"other":"-0.00"')),
    "an unknown fund": lambda one: replace(one, value=one.value.replace(b'"610100"', b'"610199"')),
    "an unlisted code": lambda one: replace(one, value=one.value.replace(b'"insutype":"390"', b'"insutype":"999"')),
    "a wrong reference": lambda one: replace(
        one, value=one.value.replace(b'"settlement_ref":"', b'"settlement_ref":"g', 1)
    ),
    "an impossible year": lambda one: replace(one, value=one.value.replace(b'"2025-03-04"', b'"1999-03-04"')),
    "no id": lambda one: header(one, "ce_id", b""),
    "an id of two lines": lambda one: header(one, "ce_id", b"a\nb"),
    "an id that is no text": lambda one: header(one, "ce_id", b"\xff"),
    "no source": lambda one: header(one, "ce_source", None),
    "a time of two lines": lambda one: header(one, "ce_time", b"2025-03-04T10:15\n:30+08:00"),
    "a time to come": lambda one: header(one, "ce_time", b"2099-03-04T10:15:30+08:00"),
    "a time elsewhere": lambda one: header(one, "ce_time", b"2025-03-04T10:15:30Z"),
    "another type": lambda one: header(one, "ce_type", b"settlement.reversed.v1"),
    "headers in another order": lambda one: replace(one, headers=one.headers[::-1]),
    "a header more": lambda one: replace(one, headers=(*one.headers, ("trace", b"x"))),
    "advanced": lambda one: replace(one, value=one.value.replace(b'"advanced":[]', b'"advanced":["610100"]')),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_run_is_judged_as_its_records_are(odd: str) -> None:
    records = run()
    records[3] = ODD[odd](records[3])
    assert bulk.decode(records, family="claims", lanes=LANES) == [
        codec.decode(one, family="claims", lanes=LANES) for one in records
    ]


@given(cut=st.integers(0, 600), byte=st.integers(0, 255), place=st.integers(0, bulk.FEW - 1))
def test_one_changed_byte_anywhere_changes_no_other_verdict(cut: int, byte: int, place: int) -> None:
    records = run()
    value = records[place].value or b""
    records[place] = replace(
        records[place], value=value[: cut % len(value)] + bytes([byte]) + value[cut % len(value) + 1 :]
    )
    assert bulk.decode(records, family="claims", lanes=LANES) == [
        codec.decode(one, family="claims", lanes=LANES) for one in records
    ]


def test_a_usual_run_needs_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a usual record was read one by one")

    assert partition.lane_of(PROVIDERS[0].encode(), LANES) == 1
    expected = [codec.decode(one, family="claims", lanes=LANES) for one in run(40)]
    monkeypatch.setattr(codec, "decode", fail)
    assert bulk.decode(run(40), family="claims", lanes=LANES) == expected


OF_PROVIDERS = sorted(kind.type for kind in KINDS.values() if kind.key == "provider" and not kind.lift)
SPOILT = {
    "nothing": lambda value: value,
    "a key twice": lambda value: value.replace(b'{"', b'{"provider":"H15250200017","', 1),
    "a key twice, one as a number": lambda value: value.replace(b'{"', b'{"provider":"\\u003a","', 1),
    "a code that is none": lambda value: value.replace(b'"H152502', b'"X152502'),
    "a day before all days": lambda value: value.replace(b'"202', b'"192'),
    "an amount of one decimal": lambda value: value.replace(b'.00"', b'.0"'),
    "another amount": lambda value: value.replace(b'0"', b'1"'),
    "a negative amount": lambda value: value.replace(b'":"1', b'":"-1'),
}


@pytest.mark.parametrize("type", OF_PROVIDERS)
def test_a_run_of_any_kind_is_judged_as_its_records_are(type: str) -> None:
    kind = KINDS[type]
    told = [events.message(type, id=f"id-{offset}", provider=PROVIDERS[offset % 5]) for offset in range(bulk.FEW + 3)]
    for odd, spoil in SPOILT.items():
        records = [
            MemoryRecord(f"medfund.{kind.family}", 1, offset, 1_795_620_000_000, one.key, one.value, one.headers)
            for offset, one in enumerate(told)
        ]
        records[3] = replace(records[3], value=spoil(records[3].value or b""))
        assert bulk.decode(records, family=kind.family, lanes=LANES) == [
            codec.decode(one, family=kind.family, lanes=LANES) for one in records
        ], odd


@pytest.mark.parametrize("type", OF_PROVIDERS)
def test_what_is_left_out_of_a_run_costs_no_second_look(type: str) -> None:
    kind = KINDS[type]
    needed = {field.encode_name for field in msgspec.structs.fields(kind.event) if field.required}
    least = {name: value for name, value in kind.example.items() if name in needed}
    for said in (kind.example, least):
        event = kind.decoder.decode(msgspec.json.encode(said))
        if kind.check(event) is None:
            assert kind.columns([event] * 3), said


def test_what_is_said_twice_is_found_where_something_else_is_left_out() -> None:
    said = events.message("statement.confirmed.v1", id="twice", provider=PROVIDERS[0])
    value = (said.value or b"").replace(b',"confirmed_by":"staff-h-0093"', b',"confirmed_on":"2026-10-06"')
    assert b"confirmed_by" not in value
    one = MemoryRecord("medfund.purchases", 1, 0, 1_795_620_000_000, said.key, value, said.headers)
    [verdict] = bulk.decode([one], family="purchases", lanes=LANES)
    assert isinstance(verdict, codec.Refused)
    assert verdict.reason == "duplicate_key"
