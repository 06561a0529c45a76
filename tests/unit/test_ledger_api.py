"""Rules of the ledger's API that need no database: what a question may touch, what a publisher may say, examples."""

from typing import Any

import msgspec
import pytest
from pydantic import BaseModel, TypeAdapter

from ledger.api import (
    examples,
    get_balances,
    get_cash,
    get_event,
    get_explain,
    get_lines,
    get_quarantine,
    get_quarantined,
    get_trial_balance,
    get_turnover,
    post_events,
    publishing,
)
from ledger.api.publishing import Passed, Turned
from medfund.events import envelope
from medfund.events.kinds import KINDS
from medfund.http import examples as common
from medfund.http import get_health, reach
from medfund.http.tokens import Principal
from medfund.lanes import partition
from tests.events import AREA, SOURCE

LANES = 4
NOW_MS = 1_760_000_000_000
HOSPITAL, OTHER = "H15250200017", "H15250200018"

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (get_balances.Answer, examples.BALANCES),
    (get_lines.Answer, examples.LINES),
    (get_trial_balance.Answer, examples.TRIAL_BALANCE),
    (get_turnover.Answer, examples.TURNOVER),
    (get_cash.Answer, examples.CASH),
    (get_explain.LineExplained, examples.EXPLAINED_LINE),
    (get_explain.BalanceExplained, examples.EXPLAINED_BALANCE),
    (post_events.Answer, examples.PUBLISHED),
    (get_event.Answer, examples.EVENT),
    (get_quarantine.Answer, examples.QUARANTINE),
    (get_quarantined.Answer, examples.QUARANTINED),
    (get_health.Answer, common.HEALTH),
]


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=lambda value: getattr(value, "__module__", ""))
def test_an_example_is_an_answer_of_its_model(model: type[BaseModel], example: dict[str, Any]) -> None:
    TypeAdapter(model).validate_python(example, extra="forbid")


def principal(role: str, **scope: Any) -> Principal:
    everything = {"areas": ("*",), "organisations": ("*",), "sources": ("*",)}
    return msgspec.convert({"subject": "x", "role": role, **everything, **scope}, Principal)


def lane(party: str) -> int:
    return partition.lane_of(party.encode(), LANES)


def test_a_providers_question_touches_its_own_lane_only() -> None:
    hospital = principal("provider", areas=(AREA,), organisations=(HOSPITAL,))
    assert reach.of(hospital, area=None, party=None, lanes=LANES) == ([lane(HOSPITAL)], [AREA], [HOSPITAL], None)


def test_asking_for_somebody_else_touches_nothing() -> None:
    hospital = principal("provider", areas=(AREA,), organisations=(HOSPITAL,))
    assert reach.of(hospital, area=None, party=OTHER, lanes=LANES) == ([], [AREA], [], None)
    assert reach.of(hospital, area="152600", party=None, lanes=LANES).areas == []


def test_finance_is_narrowed_by_what_it_asks_for() -> None:
    finance = principal("finance", areas=(AREA, "152600"))
    assert reach.of(finance, area=None, party=None, lanes=LANES) == (list(range(LANES)), [AREA, "152600"], None, None)
    assert reach.of(finance, area=AREA, party=HOSPITAL, lanes=LANES) == ([lane(HOSPITAL)], [AREA], [HOSPITAL], None)


def test_the_money_of_an_area_itself_is_looked_for_in_every_lane_and_is_no_providers() -> None:
    finance = principal("finance", areas=(AREA,))
    assert reach.of(finance, area=None, party=AREA, lanes=LANES) == (list(range(LANES)), [AREA], [AREA], None)
    hospital = principal("provider", areas=(AREA,), organisations=(HOSPITAL,))
    assert reach.of(hospital, area=None, party=AREA, lanes=LANES) == ([], [AREA], [], None)


def test_a_supplier_is_the_counterpart() -> None:
    supplier = principal("supplier", organisations=("91370000MA0000001T",))
    asked = reach.of(supplier, area=None, party=None, lanes=LANES)
    assert asked == (list(range(LANES)), None, None, ["91370000MA0000001T"])


def test_refused_records_are_seen_by_area_and_organisation_and_by_a_publisher_also_by_source() -> None:
    publisher = principal("publisher", areas=(AREA,), sources=(SOURCE,))
    assert reach.refused(publisher) == ([AREA, reach.UNTOLD], None, [SOURCE])
    assert reach.refused(publisher, source="/other", area=AREA) == ([AREA], None, [])
    narrowed = principal("publisher", sources=(SOURCE,), organisations=(HOSPITAL,))
    assert reach.refused(narrowed) == (None, [HOSPITAL], [SOURCE])
    assert reach.refused(narrowed, party=OTHER) == (None, [], [SOURCE])
    hospital = principal("provider", areas=(AREA,), organisations=(HOSPITAL,))
    assert reach.refused(hospital) == ([AREA], [HOSPITAL], None)


def event(type: str = "settlement.recorded.v1", **data: Any) -> bytes:
    content = {**KINDS[type].example, **data}
    attributes = {"specversion": "1.0", "id": "1", "source": SOURCE, "type": type, "time": "2025-03-04T10:15:30+08:00"}
    return msgspec.json.encode({**attributes, "data": content})


def check(document: bytes, caller: Principal) -> Passed | Turned:
    return publishing.check(envelope.from_json(document), caller, lanes=LANES, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "scope", [{"areas": ("152600",)}, {"organisations": (OTHER,)}, {"sources": ("/other",)}, {"sources": ()}], ids=str
)
def test_a_publisher_says_nothing_for_others(scope: dict[str, Any]) -> None:
    verdict = check(event(), principal("publisher", **scope))
    assert isinstance(verdict, Turned)
    assert (verdict.reason, verdict.forbidden) == ("scope_not_allowed", True)


def test_a_token_of_a_supplier_says_what_is_its_own_and_nothing_of_another() -> None:
    own = principal("publisher", organisations=("91370000MA0000002X",))
    said = {"invoice.registered.v1": Passed, "statement.submitted.v1": Passed, "delivery.accepted.v1": Turned}
    for type, expected in said.items():
        assert isinstance(check(event(type, supplier="91370000MA0000002X"), own), expected), type
        assert isinstance(check(event(type, supplier="91370000MA00000031"), own), Turned), type
        buyers = principal("publisher", organisations=(KINDS[type].example["provider"],))
        found = check(event(type, supplier="91370000MA0000002X"), buyers)
        assert isinstance(found, Passed) == (expected is Turned), type


def test_an_event_of_every_lane_needs_every_area() -> None:
    assert isinstance(check(event("calendar.published.v1"), principal("publisher", areas=(AREA,))), Turned)
    verdict = check(event("calendar.published.v1"), principal("publisher"))
    assert isinstance(verdict, Passed)
    assert [message.lane for message in verdict.messages] == list(range(LANES))


def test_every_event_of_a_provider_names_the_area_it_is_of() -> None:
    for kind in KINDS.values():
        if kind.key != "lane":
            assert "area" in kind.event.__struct_fields__, kind.type
