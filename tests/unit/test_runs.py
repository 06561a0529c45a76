"""Runs of any kind: when enough people have agreed, and what is published of a plan, to the byte."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from clearing.prepayment.api import plans
from clearing.prepayment.planning import Became, Line, Plan, Wanted
from medfund.events import envelope
from medfund.http import runs

PLAN = Plan(
    wanted=Wanted(
        plan_ref="YF-7", area="370700", year=2027, base_from=date(2025, 7, 1), base_to=date(2026, 6, 1),
        limits={"310100": 73_001_100},
    ),
    policy_ref="7" * 64,
    lines=[
        Line(
            lane=lane, provider=f"H3707000001{lane}", prepayment_ref=f"H3707000001{lane}/YF-2027/310100", fund="310100",
            base=411_107, ratio="0.7", wanted=287_775, amount=287_775, before=0,
        )
        for lane in (2, 5)
    ],
)  # fmt: skip
EVENING = datetime(2027, 1, 11, 16, 30, 7, tzinfo=UTC)
"""The next day in Shanghai."""


def kept(*agreed: tuple[str, str], roles: Collection[str] = ("finance", "approver"), published: int = 0) -> plans.Kept:
    rows = [{"staff_ref": staff, "role": role, "at": EVENING} for staff, role in agreed]
    ids = [envelope.identity_of(b"/clearing/plans", f"YF-7/{line.prepayment_ref}".encode()) for line in PLAN.lines]
    beside = plans.Beside(Became({}, {}, {}, {}), {})
    return runs.Kept(replace(plans.KIND, roles=roles), PLAN, "mia", rows, set(ids[:published]), beside)


ANNA, OTHER_ANNA, BO = ("anna", "finance"), ("ANNA ", "approver"), ("bo", "approver")
DAN, EVA = ("dan", "finance"), ("eva", "auditor")
TWO, THREE = ("finance", "approver"), ("finance", "approver", "auditor")


@pytest.mark.parametrize(
    ("agreed", "roles", "published", "state"),
    [
        ([], TWO, 0, "WAITING"),
        ([ANNA, DAN], TWO, 0, "WAITING"),
        ([ANNA, OTHER_ANNA], TWO, 0, "WAITING"),
        ([ANNA, BO], TWO, 1, "APPROVED"),
        ([ANNA, BO], TWO, 2, "PUBLISHED"),
        ([ANNA, BO], THREE, 0, "WAITING"),
        ([ANNA, BO, EVA], THREE, 0, "APPROVED"),
        ([BO], ("approver",), 2, "PUBLISHED"),
    ],
)
def test_a_plan_waits_for_as_many_people_as_roles_have_to_agree(
    agreed: list[tuple[str, str]], roles: tuple[str, ...], published: int, state: str
) -> None:
    assert kept(*agreed, roles=roles, published=published).state == state


def test_what_is_published_follows_from_the_plan_to_the_byte() -> None:
    [first, second] = runs.messages(kept(ANNA, BO), lanes=7)
    assert (first.family, first.lane, first.key) == ("agency", 2, b"H37070000012")
    assert dict(first.headers) == {
        "ce_specversion": b"1.0", "ce_id": b"YF-7/H37070000012/YF-2027/310100", "ce_source": b"/clearing/plans",
        "ce_type": b"prepayment.granted.v1", "ce_time": b"2027-01-11T16:30:07+00:00",
        "content-type": b"application/json",
    }  # fmt: skip
    assert first.value == (
        b'{"amount":"2877.75","approvers":["anna","bo"],"area":"370700","base":"4111.07","fund":"310100",'
        b'"granted_on":"2027-01-12","months":12,'
        b'"plan_hash":"b4992e2227e55b26be8952772bbb558acba6db544f4d5152d3754ccdd3e6714d","plan_ref":"YF-7",'
        b'"prepayment_kind":"ANNUAL","prepayment_ref":"H37070000012/YF-2027/310100","provider":"H37070000012",'
        b'"ratio":"0.7","year":2027}'
    )
    [left] = runs.messages(kept(ANNA, BO, published=1), lanes=7)
    assert left == second, "what the log has is not said again"
