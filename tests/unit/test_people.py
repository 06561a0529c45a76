"""A person is one, however the reference is written."""

from datetime import date

import pytest

from medfund import people
from medfund.events.treasury import StaffMandated
from medfund.lanes.mandates import Mandates

WRITTEN = ["staff-7c41", "Staff-7C41", "STAFF-7c41", " staff-7c41", "staff-7c41\t"]


@pytest.mark.parametrize("written", WRITTEN)
def test_case_and_blanks_tell_nobody_apart(written: str) -> None:
    assert people.same(written, "staff-7c41")
    assert people.among(written, ["staff-02e9", "STAFF-7C41"])
    assert not people.same(written, "staff-7c42")
    assert not people.same(written, None)


def test_a_letter_composed_of_two_is_the_same_letter() -> None:
    assert people.same("jos\u00e9", "JOSE\u0301")
    assert people.count([*WRITTEN, "jos\u00e9", "Jose\u0301"]) == 2


@pytest.mark.parametrize("written", ["staff-7c41", "a", "agency/152500:li", "l" * 64])
def test_who_can_be_on_an_event_may_act(written: str) -> None:
    assert people.may_act(written)


@pytest.mark.parametrize("written", ["", "Li, finance", " li", "li\n", "l" * 65, "-li", "李"])
def test_who_cannot_be_on_an_event_may_not(written: str) -> None:
    assert not people.may_act(written)


def test_the_last_word_on_a_person_counts_however_it_was_written() -> None:
    first, last = (
        StaffMandated(area="152500", staff_ref=ref, role=role, limit="431000.00", valid_from=date(2026, 1, 1))
        for ref, role in (("Staff-7C41", "approver"), ("staff-7c41", "finance"))
    )
    mandates = Mandates({}).with_mandate(first).with_mandate(last)
    assert mandates.of("152500", "STAFF-7c41", date(2026, 5, 4)) == last
