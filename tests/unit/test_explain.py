"""Explaining a line: the events that it sums and no others, and a proof that breaks with any change."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ledger import explain, projector
from ledger.api import line_id
from ledger.projector import JournalLine
from medfund.events import codec
from medfund.events.codec import Accepted
from medfund.events.envelope import Outgoing
from medfund.lanes import partition
from tests import events
from tests.events import Message

LANES = 4
FAMILIES = {"t.claims": "claims", "t.agency": "agency", "t.bank": "bank", "t.clearing": "clearing"}
POOLED, SERIOUS = "390100", "390200"
[HOSPITAL, NEIGHBOUR] = events.providers(1, LANES, 2)


def accepted(*messages: Message, first: int = 100) -> list[Accepted]:
    return [_accepted(message, first + place) for place, message in enumerate(messages)]


def _accepted(message: Message, offset: int) -> Accepted:
    record = Outgoing(
        topic=f"t.{message.topic}",
        partition=partition.lane_of(message.key or b"", LANES),
        offset=offset,
        timestamp=1_741_054_530_000,
        key=message.key,
        value=message.value,
        headers=message.headers,
    )
    decoded = codec.decode(record, family=message.topic, lanes=LANES)
    assert isinstance(decoded, Accepted), decoded
    return decoded


def settlement(id: str, provider: str = HOSPITAL, **changes: Any) -> Message:
    funds = changes.pop("funds", {POOLED: 10_000, SERIOUS: 500})
    return events.settlement(provider, id=id, funds=funds, **changes)


def lines(booked: Sequence[Accepted]) -> list[JournalLine]:
    return projector.journal(booked, FAMILIES)


def ids(proof: explain.Proof) -> list[str]:
    return [contribution.event.id for contribution in proof.contributions]


BATCH = accepted(
    settlement("a"),
    settlement("other provider", NEIGHBOUR),
    settlement("b", funds={POOLED: 7}),
    settlement("other day", service_date="2025-03-01"),
    settlement("other payer", advanced=[SERIOUS]),
    settlement("c", funds={SERIOUS: 11}),
    events.settlement(HOSPITAL, id="back", funds={POOLED: 7}, reverses=events.reference("b")),
)


def test_every_line_of_a_batch_is_proved_by_its_own_events() -> None:
    for line in lines(BATCH):
        proof = explain.prove(line, BATCH, FAMILIES)
        assert proof.proved
        assert proof.total == line.amount


def test_a_line_names_the_events_that_bring_something_to_it() -> None:
    pooled, serious, *_ = lines(BATCH)
    assert (pooled.fund, serious.fund) == (POOLED, SERIOUS)
    assert ids(explain.prove(pooled, BATCH, FAMILIES)) == ["a", "b"]
    assert ids(explain.prove(serious, BATCH, FAMILIES)) == ["a", "c"]


def test_events_that_only_another_fund_tells_apart_are_not_mixed() -> None:
    [line] = [line for line in lines(BATCH) if line.fund == POOLED and line.first_offset == 104]
    assert ids(explain.prove(line, BATCH, FAMILIES)) == ["other payer"]


@pytest.mark.parametrize(
    "change", [{"amount": 1}, {"credit": "2101"}, {"events": 9}, {"last_offset": 999}, {"fund": "310100"}]
)
def test_a_changed_line_is_not_proved(change: dict[str, Any]) -> None:
    line = lines(BATCH)[0]._replace(**change)
    assert not explain.prove(line, BATCH, FAMILIES).proved


def test_a_line_whose_events_are_gone_is_not_proved() -> None:
    line = lines(BATCH)[0]
    for missing in range(len(BATCH)):
        left = [event for place, event in enumerate(BATCH) if place != missing]
        assert explain.prove(line, left, FAMILIES).proved == (BATCH[missing].id not in ("a", "b", "c"))


def test_what_cannot_belong_is_known_before_it_is_decoded() -> None:
    line = lines(BATCH)[0]
    kept = [event.id for event in BATCH if explain.may_belong(line, event.record)]
    assert kept == ["a", "b", "other day", "other payer", "c"]


def test_a_line_of_the_area_itself_is_proved_whatever_lane_its_event_was_written_into() -> None:
    suspense = events.message("suspense.opened.v1", id="s")
    booked = accepted(
        events.message("treasury.funds.received.v1", id="t"),
        *(replace(suspense, key=partition.lane_key(lane, LANES)) for lane in range(LANES)),
    )
    for event in booked:
        for line in lines([event]):
            assert (line.party, line.counterpart, line.insutype, line.clr_type) == (events.AREA, "", "", "")
            assert (line.benefit_year, line.value_date.year) == (2026, 2026)
            assert explain.may_belong(line, event.record)
            proof = explain.prove(line, [event], FAMILIES)
            assert (proof.proved, proof.total) == (True, line.amount)


@pytest.mark.parametrize("text", ["3-claims-1180-0", "11-direct-pay-0-3", "0-time-999999999999999999-32767"])
def test_the_id_of_a_line_is_read_as_it_is_written(text: str) -> None:
    key = line_id.parse(text)
    assert key is not None
    assert line_id.text(key._asdict()) == text


@pytest.mark.parametrize(
    "text", ["", "3-claims-1180", "40000-claims-1-0", "1-claims-1-40000", "-1-claims-1-0", "1-a b-1-0"]
)
def test_an_id_that_no_line_can_have_is_none(text: str) -> None:
    assert line_id.parse(text) is None
