"""Stories: their books follow from the rules once more, as `tests.story_rules` works them out, which knows no service;
and each step that there can be is told, or is said to be of a rule that the product does not have."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import story_rules
from tests.story import step_of
from tests.story_claims import StoryError

STORIES = Path(__file__).parents[1] / "stories"
NAMES = ("four-funds", "suppliers-paid", "true-up", "two-hospitals", "visitors")


def told(event: dict[str, Any]) -> dict[str, Any]:
    """An event and its books; the order of lines within an event says nothing."""
    books = {
        name: sorted(one, key=lambda line: sorted(line.items())) if isinstance(one, list) else one
        for name, one in event["expect"].items()
    }
    return {**event, "expect": books}


@pytest.mark.parametrize("name", NAMES)
def test_the_books_of_a_story_are_what_the_rules_make_of_what_it_tells(name: str) -> None:
    story = json.loads((STORIES / f"{name}.json").read_text())
    bare = [{name: one for name, one in event.items() if name != "expect"} for event in story["events"]]
    found = story_rules.worked({**story, "events": bare})
    for mine, theirs in zip(found["events"], story["events"], strict=True):
        assert told(mine) == told(theirs)


TOLD = """
    opening.fiscal opening.expenditure treasury.received settlement.recorded settlement.reversed claim.accepted
    claim.withdrawn instant.paid instant.returned instant.retried bank.returned payment.retried deduction.final
    deduction.undone claim.approved payable.settled prepayment.disbursed prepayment.returned statement.approved
    red_letter supplier.paid supplier.returned supplier.refunded cap.set shortfall.collected inter_fund.trued_up
    inter_fund.cash recovery.decided recovery.cash recovery.reversed fine.noted hold.placed hold.released
    other_payer.repaid arrears.registered bank.unplaced_out bank.unplaced_in suspense.placed opening.balance month.end
"""
LATER = """
    reimbursement.accepted reimbursement.paid clearing_debt.cash budget.set budget.amended_down insurer.transferred
    insurer.returned payable.debit_moved bond.returned bond.forfeited clearing.more_than_accrued
    clearing.less_than_paid clearing.settled cross_region.prepayment_paid cross_region.net_received
"""


@pytest.mark.parametrize("type", TOLD.split())
def test_a_step_is_told(type: str) -> None:
    assert callable(step_of({"seq": 1, "type": type}))


@pytest.mark.parametrize("type", LATER.split())
def test_a_step_without_a_rule_is_refused_by_name(type: str) -> None:
    with pytest.raises(StoryError, match=f"step 7, {type}: the product does not have its rule yet"):
        step_of({"seq": 7, "type": type})


def test_a_step_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(StoryError, match=r"step 7, claim\.doubled: nobody knows such a step"):
        step_of({"seq": 7, "type": "claim.doubled"})
