"""Who of a deciding service's capabilities listens to which event, and in which order: a part of the log."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clearing.service import Clearing
from direct_pay.service import DirectPay
from medfund.events.kinds import KINDS
from medfund.lanes.composed import Composed
from tests import golden

GOLDEN = {
    Clearing: Path(__file__).with_name("listeners.json"),
    DirectPay: Path(__file__).with_name("listeners-direct-pay.json"),
}
"""What is in them was decided by; change one by a new capability at the end of its lines, and by hand."""
WAYS = ("keeps", "learns", "answers", "evolves")


def listening(way: str, service: type[Composed] = Clearing) -> dict[str, list[str]]:
    found = {
        kind.type: [one.name for one in service.capabilities if kind.event in getattr(one, way)]
        for kind in KINDS.values()
    }
    return {type_: names for type_, names in sorted(found.items()) if names}


@pytest.mark.parametrize("service", GOLDEN)
@pytest.mark.parametrize("way", WAYS)
def test_whoever_listens_to_an_event_listens_in_the_order_that_the_log_was_written_by(
    way: str, service: type[Composed]
) -> None:
    assert listening(way, service) == json.loads(GOLDEN[service].read_text(encoding="utf-8"))[way]


@pytest.mark.parametrize("service", GOLDEN)
def test_facts_are_answered_and_decisions_change_something(service: type[Composed]) -> None:
    own = {kind.event for kind in KINDS.values() if kind.family == service.own}
    for one in service.capabilities:
        assert not own & {*one.keeps, *one.learns, *one.answers}, f"{one.name} takes a decision for a fact"
        assert own >= {*one.evolves}, f"{one.name} takes a fact for a decision"
        assert {*one.large, *one.weights} <= {
            event for other in service.capabilities for event in (*other.keeps, *other.answers)
        }


@pytest.mark.parametrize(
    ("service", "name"), sorted({(service.own, one.name) for service in GOLDEN for one in service.capabilities})
)
def test_each_capability_has_a_golden_history_in_which_it_hears_all_that_it_listens_to(service: str, name: str) -> None:
    """Where this fails: a story in tests/golden/stories.py or purchases.py, and `python -m tests.golden <story>`."""
    [decider] = [one for one in GOLDEN if one.own == service]
    folder = service.replace("-", "_")
    history = golden.decided(golden.TOLD_WITH[folder].get(name, name), folder)
    log = golden.read(history) if history.exists() else []
    listens = {way: {type for type, names in listening(way, decider).items() if name in names} for way in WAYS}
    assert sorted(set().union(*listens.values()) - {one["type"] for one in log}) == []
    assert sorted(listens["answers"] - answered(log, service)) == []


def answered(log: Sequence[dict[str, Any]], own: str) -> set[str]:
    """Types of facts that something was decided about."""
    offsets: Counter[str] = Counter()
    places = {}
    for one in log:
        places[one["topic"], offsets[one["topic"]]] = one["type"]
        offsets[one["topic"]] += 1
    causes = [one["data"]["cause"] for one in log if one["topic"] == own]
    return {places[cause["topic"], cause["offset"]] for cause in causes}
