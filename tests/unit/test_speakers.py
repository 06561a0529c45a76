"""Who may say what: the table names every type, and what follows from it for topics."""

import pytest

from medfund.events import speakers
from medfund.events.kinds import FAMILIES, KINDS
from medfund.events.speakers import Speaker
from tests.unit.test_event_rules import problem

OUTSIDE = speakers.REGISTRABLE


def said_by(type: str) -> set[Speaker]:
    return {*speakers.said_by(KINDS[type])}


def test_every_type_of_the_contract_has_somebody_who_may_say_it() -> None:
    tabled = {type for type, kind in KINDS.items() if kind.family not in speakers.SERVICES}
    assert speakers.SAID_BY.keys() == tabled
    assert all(speakers.said_by(kind) for kind in KINDS.values())


def test_what_needs_a_name_or_two_is_said_by_command_alone() -> None:
    """`staff_ref` of a finding and of a qualification is a hospital's person, not the agency's."""
    of_hospitals = {"audit.finding.raised.v1", "person.qualification.changed.v1"}
    for type, kind in KINDS.items():
        named = {"staff_ref", "approvers"} & {*kind.event.__struct_fields__}
        if named and type not in of_hospitals and kind.family not in speakers.SERVICES:
            assert said_by(type) == {Speaker.COMMAND}, type


def test_what_the_bank_says_is_said_by_the_bank_process_alone() -> None:
    """What names a transaction of the bank, or is on its topic; what is of before the books began is the office's."""
    for type, kind in KINDS.items():
        told = "bank_txn" in kind.event.__struct_fields__ and kind.family != "clearing"
        if kind.family == "bank" or (told and type != "opening.balance.recorded.v1"):
            assert said_by(type) == {Speaker.BANK}, type


def test_no_hospital_ends_its_audit_and_no_office_decides() -> None:
    hospital = {type for type in KINDS if Speaker.HOSPITAL in said_by(type)}
    assert {type for type in hospital if type.startswith("audit.")} == {"audit.appeal.filed.v1"}
    for type, kind in KINDS.items():
        if kind.family in speakers.SERVICES:
            assert not said_by(type) & OUTSIDE, type
            assert [len(speakers.said_by(kind, family)) for family in kind.families] == [1] * len(kind.families)


def test_each_process_of_ours_has_a_source_and_nobody_else_can_have_one_like_it() -> None:
    assert {*speakers.OURS.values()} | OUTSIDE == {*Speaker}
    for source in (*speakers.OURS, "/clearing/x", "/time/152500"):
        assert speakers.is_reserved(source)
        assert problem("source.registered.v1", source=source) == (
            "bad_code",
            f"$.source: '{source}' is a source of the system itself",
        )
    assert not any(map(speakers.is_reserved, ("/gateway/152500", "/clearinghouse", "/timely", "clearing")))


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"approvers": ["staff-7c41"]}, "$.approvers: two different people are needed"),
        ({"approvers": ["staff-7c41", "STAFF-7C41"]}, "$.approvers: two different people are needed"),
        ({"approvers": ["a", "b", "c"]}, "$.approvers: two different people are needed"),
        ({"speakers": []}, "$.speakers: nobody is named"),
        (
            {"types": ["settlement.recorded.v1", "audit.deduction.finalised.v1"]},
            "$.types[1]: 'audit.deduction.finalised.v1' is not for hospital to say",
        ),
        ({"types": ["no.such.v1"]}, "$.types[0]: 'no.such.v1' is not for hospital to say"),
    ],
)
def test_a_source_is_registered_by_two_people_for_what_its_speakers_may_say(changes: dict, detail: str) -> None:
    assert problem("source.registered.v1", **changes) == ("bad_code", detail)


def test_a_source_may_be_narrowed_and_taken_away() -> None:
    narrow = {"organisations": ["H15250200017"], "types": ["settlement.recorded.v1"]}
    assert problem("source.registered.v1", **narrow, valid_to="2025-12-31") is None


TOPICS = """
topic         has something to say                                          writes it
claims        hospital command                                              hospital command
prepayments   hospital procurement command                                  command
purchases     hospital supplier procurement command                         command
reviews       hospital audit_office supervision command bank                command bank
bank          bank                                                          bank
agency        procurement policy_office command installer                    command installer
time          scheduler                                                     scheduler
clearing      clearing                                                      clearing
direct-pay    direct_pay                                                    direct_pay
ledger        ledger                                                        ledger
"""


def test_whoever_could_claim_anothers_word_on_a_topic_speaks_through_the_api() -> None:
    for family, line in zip(FAMILIES, TOPICS.split("\n")[2:], strict=False):
        topic, said, written = line[:14].strip(), line[14:76].split(), line[76:].split()
        assert topic == family
        assert speakers.speakers_of(family) == {Speaker(name) for name in said if name != "-"}, topic
        assert speakers.writers(family) == {Speaker(name) for name in written if name != "-"}, topic
    assert [family for family in FAMILIES if speakers.is_published(family)] == [
        "claims", "prepayments", "purchases", "reviews", "agency",
    ]  # fmt: skip
