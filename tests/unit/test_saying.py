"""Who may say what, tried: every type with every role and every kind of source, over HTTP and in a lane; and when."""

import datetime
from itertools import product
from typing import Any

import msgspec
import pytest

from ledger.api import publishing
from ledger.api.publishing import Passed, Turned
from ledger.api.roles import ROLES
from medfund.events import envelope, speakers
from medfund.events.codec import Accepted, Refused
from medfund.events.envelope import Envelope, Outgoing, to_json
from medfund.events.kinds import KINDS
from medfund.events.refusals import Reason
from medfund.events.sources import SourceRegistered, SourcesOpened
from medfund.events.speakers import OURS, REGISTRABLE, Speaker
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes import sources
from medfund.lanes.sources import HEARD_MS, Sources

LANES = 12
NOON = (
    int(datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=8))).timestamp()) * 1000
)
DAY = 86_400_000
AREA, HOSPITAL = "152500", "H15250200017"
SUPPLIER, RIVAL = "91370000MA0000002X", "91370000MA00000031"
TIME = "2026-01-05T10:15:30+08:00"


def registration(source: str, *said_by: str, **changes: Any) -> SourceRegistered:
    told = {"source": source, "speakers": said_by, "areas": None, "valid_from": "2026-01-01", "approvers": ["a", "b"]}
    return msgspec.convert({**told, **changes}, SourceRegistered)


def outside(speaker: Speaker) -> str:
    return f"/{speaker}/{AREA}"


UNKNOWN = ("/nobody", "/clearing/x", "/time/152500", "/Clearing/commands")
NARROW = {
    "/of/another/area": {"areas": ["370100"]},
    "/of/another/organisation": {"areas": [AREA], "organisations": ["H15250200018"]},
    "/of/no/type": {"types": []},
    "/of/yesterday": {"valid_to": "2026-11-29"},
    "/of/tomorrow": {"valid_from": "2026-12-01"},
    "/taken/away": {"valid_to": "2025-12-31"},
}


def known() -> Sources:
    registry = Sources()
    for speaker in REGISTRABLE:
        registry.hear(registration(outside(speaker), speaker), NOON - DAY)
    for source, changes in NARROW.items():
        registry.hear(registration(source, *sorted(REGISTRABLE), **changes), NOON - DAY)
    return registry


SOURCES: dict[str, Speaker | None] = {
    **OURS,
    **{outside(speaker): speaker for speaker in REGISTRABLE},
    **dict.fromkeys((*UNKNOWN, *NARROW)),
}
"""Every kind of source, and as whom it speaks."""


def said(type: str, source: str, at: int = NOON, **changes: Any) -> Accepted:
    kind = KINDS[type]
    event = msgspec.convert({**kind.example, **changes}, kind.event)
    record = Outgoing(topic=f"t.{kind.family}", partition=3, offset=0, timestamp=at, key=b"k", value=b"{}", headers=())
    return Accepted(record, source, "1", type, TIME, b"i" * 16, b"d" * 16, event)


@pytest.mark.parametrize("type", KINDS)
def test_a_lane_takes_what_is_its_sources_to_say_and_nothing_else(type: str) -> None:
    for source, speaker in SOURCES.items():
        if source in NARROW and "area" not in KINDS[type].event.__struct_fields__:
            continue  # one of them is narrowed by what such an event does not have
        refused = known().admit(said(type, source))
        assert (refused is None) == (speaker in speakers.said_by(KINDS[type])), (source, refused)
        if refused:
            assert refused.reason == Reason.NOT_YOURS_TO_SAY
            assert f"; {type} is said by " in refused.detail


TWO_PEOPLE = ("staff.mandated.v1", "policy.published.v1", "opening.balance.recorded.v1", "opening.item.recorded.v1")


@pytest.mark.parametrize("approvers", [[], ["olga"], ["olga", "OLGA"], ["olga", "olga"], ["olga", "paul", "quin"]])
@pytest.mark.parametrize("type", TWO_PEOPLE)
def test_what_takes_two_people_is_not_said_by_one_under_two_names(type: str, approvers: list[str]) -> None:
    refused = known().admit(said(type, "/clearing/commands", approvers=approvers))
    assert refused is not None
    assert refused.detail.startswith(f"{type} is said by two people")
    assert known().admit(said(type, "/clearing/commands", approvers=["olga", "paul"])) is None


def document(type: str, source: str) -> bytes:
    data = msgspec.json.encode(KINDS[type].example)
    return to_json(Envelope(id="1", source=source, type=type, time=TIME, data=data))


def outcome(role: Role, type: str, source: str) -> str:
    """What `POST /v1/events` makes of it: the way of a request through the table of roles and both judgements."""
    if role not in ROLES["publish"]:
        return "role_not_allowed"
    caller = Principal(subject="s", role=role, areas=(EVERYTHING,), organisations=(EVERYTHING,), sources=(EVERYTHING,))
    read = publishing.check(envelope.from_json(document(type, source)), caller, lanes=LANES, now_ms=NOON)
    found = publishing.said(read, dict.fromkeys(range(LANES), known())) if isinstance(read, Passed) else read
    return found.reason if isinstance(found, Turned) else "passed"


@pytest.mark.parametrize("type", KINDS)
def test_over_http_a_publisher_says_what_its_source_was_registered_for_and_nobody_else_anything(type: str) -> None:
    for role, (source, speaker) in product(Role, SOURCES.items()):
        if source in NARROW and "area" not in KINDS[type].event.__struct_fields__:
            continue
        may = role == Role.publisher and speaker in REGISTRABLE & speakers.said_by(KINDS[type])
        expected = "passed" if may else "not_yours_to_say" if role == Role.publisher else "role_not_allowed"
        assert outcome(role, type, source) == expected, (role, source)


# What a registration narrows


@pytest.mark.parametrize(
    ("changes", "type", "why"),
    [
        ({}, "settlement.recorded.v1", None),
        ({"areas": [AREA]}, "settlement.recorded.v1", None),
        ({"organisations": [HOSPITAL]}, "settlement.recorded.v1", None),
        ({"types": ["settlement.recorded.v1"]}, "settlement.recorded.v1", None),
        ({"areas": ["370100"]}, "settlement.recorded.v1", "is registered for other areas"),
        ({"areas": []}, "settlement.recorded.v1", "is registered for other areas"),
        ({"organisations": ["H15250200018"]}, "settlement.recorded.v1", "is registered for other organisations"),
        ({"organisations": [HOSPITAL]}, "control.total.declared.v1", "is registered for other organisations"),
        ({"types": ["claim.batch.submitted.v1"]}, "settlement.recorded.v1", "is registered for other types of events"),
        ({}, "audit.deduction.finalised.v1", "speaks as hospital"),
        ({"valid_from": "2026-12-01"}, "settlement.recorded.v1", "is not registered for this day"),
        ({"valid_to": "2026-11-29"}, "settlement.recorded.v1", "is not registered for this day"),
    ],
)
def test_a_source_speaks_for_what_it_was_registered_for(changes: dict[str, Any], type: str, why: str | None) -> None:
    registry = Sources()
    registry.hear(registration("/g", "hospital", **changes), NOON - DAY)
    refused = registry.admit(said(type, "/g"))
    told = "audit_office" if type.startswith("audit") else "hospital"
    expected = why and f"source '/g' {why}; {type} is said by {told}"
    assert (refused and refused.detail) == expected


OF_SUPPLIERS = [type for type, kind in KINDS.items() if Speaker.SUPPLIER in speakers.said_by(kind)]


@pytest.mark.parametrize("type", OF_SUPPLIERS)
def test_a_supplier_speaks_for_its_own_code_alone_whichever_hospital_it_sells_to(type: str) -> None:
    """Asked in turns, for what was allowed once is remembered."""
    registry = Sources()
    registry.hear(registration("/s", "supplier", areas=[AREA], organisations=[SUPPLIER]), NOON - DAY)
    for buyer in (HOSPITAL, "H15250200018"):
        assert registry.admit(said(type, "/s", supplier=SUPPLIER, provider=buyer)) is None
        refused = registry.admit(said(type, "/s", supplier=RIVAL, provider=buyer))
        assert refused
        assert refused.detail.startswith(f"source '/s' is registered for other organisations; {type} is said by")
    named_after_its_buyer = Sources()
    named_after_its_buyer.hear(registration("/s", "supplier", organisations=[HOSPITAL]), NOON - DAY)
    assert named_after_its_buyer.admit(said(type, "/s", supplier=SUPPLIER, provider=HOSPITAL))


def test_a_source_that_is_two_is_judged_by_the_one_that_it_speaks_as() -> None:
    registry = Sources()
    registry.hear(registration("/both", "hospital", "supplier", organisations=[HOSPITAL, SUPPLIER]), NOON - DAY)

    def taken(type: str, provider: str, supplier: str) -> bool:
        return registry.admit(said(type, "/both", provider=provider, supplier=supplier)) is None

    other = "H15250200018"
    assert taken("statement.submitted.v1", other, SUPPLIER)
    assert not taken("statement.submitted.v1", HOSPITAL, RIVAL)
    assert taken("statement.confirmed.v1", HOSPITAL, RIVAL)
    assert not taken("statement.confirmed.v1", other, SUPPLIER)
    assert taken("delivery.accepted.v1", HOSPITAL, RIVAL)
    assert not taken("delivery.accepted.v1", other, SUPPLIER)


def test_a_platform_that_is_registered_for_some_hospitals_orders_for_these_alone() -> None:
    registry = Sources()
    registry.hear(registration("/p", "procurement", organisations=[HOSPITAL, SUPPLIER]), NOON - DAY)
    assert registry.admit(said("order.placed.v1", "/p", provider=HOSPITAL, supplier=RIVAL)) is None
    assert registry.admit(said("order.placed.v1", "/p", provider="H15250200018", supplier=SUPPLIER))


def test_what_is_of_every_area_is_said_by_who_speaks_for_every_area() -> None:
    registry = Sources()
    registry.hear(registration("/all", "policy_office"), NOON)
    registry.hear(registration("/one", "policy_office", areas=[AREA]), NOON)
    assert registry.admit(said("calendar.published.v1", "/all")) is None
    refused = registry.admit(said("calendar.published.v1", "/one"))
    assert refused
    assert "is not registered for every area" in refused.detail


# When


def taken(registry: Sources, at: int) -> bool:
    return registry.admit(said("settlement.recorded.v1", "/g", at)) is None


def test_a_word_counts_from_its_registration_and_a_minute_beyond_its_end_whatever_was_asked_before() -> None:
    """Asked in both orders, for what a lane remembers must not depend on them."""
    registry = Sources()
    registry.hear(registration("/g", "hospital"), NOON)
    registry.hear(registration("/g", "hospital", valid_to="2025-12-31"), NOON + 10_000)
    registry.hear(registration("/g", "hospital", areas=[AREA]), NOON + DAY)
    ended = NOON + 10_000 + HEARD_MS
    expected = {NOON - 1: False, NOON: True, ended - 1: True, ended: False, NOON + DAY - 1: False, NOON + DAY: True}
    for moments in (list(expected), list(reversed(expected))):
        asked = registry.draft()
        assert {at: taken(asked, at) for at in moments} == expected


def test_days_are_those_of_shanghai() -> None:
    registry = Sources()
    registry.hear(registration("/g", "hospital", valid_from="2026-12-02", valid_to="2026-12-03"), NOON)
    first, last = NOON + DAY + DAY // 2, NOON + 3 * DAY + DAY // 2
    assert [taken(registry, at) for at in (first - 1, first, last - 1, last)] == [False, True, True, False]


def test_what_came_before_the_registry_is_taken_as_it_was() -> None:
    registry = Sources()
    assert not taken(registry, NOON)
    registry.hear(SourcesOpened(), NOON)
    registry.hear(SourcesOpened(), NOON + DAY)
    assert taken(registry, NOON - 1)
    assert not taken(registry, NOON)
    assert registry.admit(said("payment.settled.v1", "/anybody", NOON - 1)) is None


def test_who_already_asks_is_not_told_to_begin() -> None:
    registry = Sources()
    registry.hear(registration("/other", "hospital"), NOON)
    registry.hear(SourcesOpened(), NOON + DAY)
    assert not taken(registry, NOON)


def test_an_upgrade_may_name_the_day_from_which_it_asks() -> None:
    registry = Sources()
    registry.hear(SourcesOpened(asked_from=datetime.date(2026, 12, 2)), NOON)
    first = NOON + DAY + DAY // 2
    assert [taken(registry, at) for at in (NOON, first - 1, first)] == [True, True, False]


def test_a_batch_that_is_given_up_leaves_nothing_behind() -> None:
    registry = Sources()
    draft = registry.draft()
    heard = said("source.registered.v1", "/clearing/commands", speakers=["hospital"])
    assert draft.admit(heard) is None
    assert draft.kept == [heard]
    settled = said("settlement.recorded.v1", "/gateway/152500")
    assert draft.admit(settled) is None
    assert isinstance(registry.admit(settled), Refused)
    assert isinstance(registry.draft().admit(settled), Refused)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "REMEMBERED_MAX", 3)
    registry = Sources()
    registry.hear(registration("/g", "hospital"), NOON)
    for number in range(10):
        provider = f"H152502{number:05}"
        assert registry.admit(said("settlement.recorded.v1", "/g", provider=provider)) is None
        assert len(registry._windows) <= 3


def test_from_when_on_is_asked_is_heard_ahead_and_still_booked() -> None:
    """On a log that was there before, what opens the registry stands behind what it lets pass."""
    registry = Sources()
    ours = said("sources.opened.v1", "/prepare", NOON + 5, asked_from=None)
    forged = said("sources.opened.v1", "/gateway/152500", NOON + 1, asked_from=None)
    registered = said("source.registered.v1", "/clearing/commands", NOON + 9)
    assert not registry.expect([forged, said("provider.registered.v1", "/agency/152500", NOON)])
    assert registry.expect([ours, registered])
    assert [taken(registry, at) for at in (NOON + 4, NOON + 5)] == [True, False]
    booking = registry.draft()
    assert booking.admit(ours) is None
    assert booking.admit(said("sources.opened.v1", "/prepare", NOON + 6)) is None
    assert booking.kept == [ours]
    late = Sources()
    assert late.expect([registered, ours])
    assert not taken(late, NOON + 4)
