"""Rules of clearing's API that need no database: examples, working days, ratios, what a page shows."""

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from clearing.api import (
    commands,
    examples,
    get_claim,
    get_claims,
    get_command,
    get_coverage,
    get_deadlines,
    get_doubtful_settlements,
    get_mandates,
    get_outflows,
    get_payment_run,
    get_payment_run_plan,
    get_payment_runs,
    get_payments,
    get_prepayment_outlook,
    get_prepayment_plan,
    get_prepayment_statement,
    get_prepayments,
    get_proposals,
    get_recoveries,
    get_statement,
    get_suspense,
    get_treasury_requests,
    post_account_confirmations,
    post_appeals,
    post_approvals,
    post_holds,
    post_payment_runs,
    post_prepayment_applications,
    post_prepayment_approvals,
    post_prepayment_plans,
    post_prepayment_recalls,
    post_proposal_approvals,
    post_proposals,
    post_receipts,
    post_retries,
    post_suspense_placings,
    post_treasury_requests,
    post_withdrawals,
)
from clearing.api.working_days import Ageing, WorkedDays, horizon
from medfund import calendar
from medfund.calendar import CalendarNotLoaded
from medfund.http import pages

EXAMPLES: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (get_claims.Answer, examples.CLAIMS),
    (get_claim.Answer, examples.CLAIM),
    (get_deadlines.Answer, examples.DEADLINES),
    (get_statement.Answer, examples.STATEMENT),
    (get_recoveries.Answer, examples.RECOVERIES),
    (get_payments.Answer, examples.PAYMENTS),
    (get_payment_runs.Answer, examples.RUNS),
    (get_payment_run.Answer, examples.ONE_RUN),
    (get_payment_run_plan.Answer, examples.RUN_PLAN),
    (get_suspense.Answer, examples.SUSPENSE),
    (get_outflows.Answer, examples.OUTFLOWS),
    (get_treasury_requests.Answer, examples.TREASURY),
    (get_coverage.Answer, examples.COVERAGE),
    (get_doubtful_settlements.Answer, examples.DOUBTFUL),
    (get_mandates.Answer, examples.MANDATES),
    (get_prepayments.Answer, examples.PREPAYMENTS),
    (get_prepayment_plan.Answer, examples.PLAN),
    (get_prepayment_outlook.Answer, examples.OUTLOOK),
    (get_prepayment_statement.Answer, examples.PREPAYMENT_STATEMENT),
    (get_command.Answer, examples.COMMAND),
    (commands.Given, examples.GIVEN),
    (post_receipts.Receipt, examples.RECEIPT),
    (post_prepayment_applications.Application, examples.APPLICATION),
    (post_prepayment_plans.PlanAsked, examples.PLAN_ASKED),
    (post_prepayment_plans.Planned, examples.PLAN),
    (post_prepayment_approvals.Answer, examples.PLAN_TOLD),
    (post_prepayment_approvals.Yes, examples.PLAN_APPROVAL),
    (post_prepayment_recalls.Recall, examples.RECALL),
    (post_withdrawals.Withdrawal, examples.WITHDRAWAL),
    (post_appeals.Appeal, examples.APPEAL),
    (post_holds.Hold, examples.HOLD),
    (post_holds.Release, examples.RELEASE),
    (post_approvals.Approval, examples.APPROVAL),
    (post_retries.Retry, examples.RETRY),
    (post_account_confirmations.Confirmation, examples.CONFIRMATION),
    (post_payment_runs.Run, examples.RUN),
    (post_payment_runs.Opened, examples.OPENED),
    (post_suspense_placings.Placing, examples.PLACING),
    (post_treasury_requests.FundsRequest, examples.FUNDS_REQUEST),
    (get_proposals.Answer, examples.PROPOSALS),
    (post_proposals.Asked, examples.PROPOSAL),
    (post_proposal_approvals.Yes, examples.PROPOSAL_APPROVAL),
]
CALENDAR = calendar.shipped()


@pytest.mark.parametrize(("model", "example"), EXAMPLES, ids=lambda value: getattr(value, "__module__", ""))
def test_an_example_is_an_answer_of_its_model(model: type[BaseModel], example: dict[str, Any]) -> None:
    TypeAdapter(model).validate_python(example, extra="forbid")


@pytest.mark.parametrize(
    ("as_of", "days", "last"),
    [
        ("2026-02-13", 1, "2026-02-13"),
        ("2026-02-13", 2, "2026-02-23"),  # the 14th is worked, then the festival
        ("2026-02-15", 0, "2026-02-23"),
        ("2026-02-13", 0, "2026-02-12"),
    ],
)
def test_what_is_due_soon_is_counted_in_working_days(as_of: str, days: int, last: str) -> None:
    assert horizon(CALENDAR, date.fromisoformat(as_of), days) == date.fromisoformat(last)


def test_the_working_days_of_a_claim_are_those_of_the_table_of_r1_4() -> None:
    cut_off = date(2026, 2, 10)
    assert WorkedDays.until(CALENDAR, date(2026, 3, 9)).since(cut_off) == 15
    assert WorkedDays.until(CALENDAR, date(2026, 3, 16)).since(cut_off) == 20
    assert WorkedDays.until(CALENDAR, date(2026, 3, 16)).since(date(2023, 12, 1)) is None


@pytest.mark.parametrize("ageing", ["UP_TO_15", "16_TO_20", "21_TO_30", "OVER_30"])
def test_every_cut_off_is_of_one_age(ageing: Ageing) -> None:
    worked = WorkedDays.until(CALENDAR, date(2026, 4, 30))
    first, last = worked.cut_offs(ageing)
    least, most = {"UP_TO_15": (0, 15), "16_TO_20": (16, 20), "21_TO_30": (21, 30), "OVER_30": (31, 10**6)}[ageing]
    for ordinal in range(date(2026, 1, 1).toordinal(), date(2026, 5, 1).toordinal()):
        cut_off = date.fromordinal(ordinal)
        age = worked.since(cut_off)
        assert age is not None
        inside = (first is None or first <= cut_off) and (last is None or cut_off <= last)
        assert inside == (least <= age <= most), cut_off


def test_a_day_without_a_calendar_has_no_answer() -> None:
    with pytest.raises(CalendarNotLoaded):
        WorkedDays.until(CALENDAR, date(2031, 1, 1))


@pytest.mark.parametrize(
    ("part", "whole", "ratio"), [(2, 3, "0.666667"), (0, 7, "0.000000"), (7, 7, "1.000000"), (0, 0, None)]
)
def test_a_ratio_has_six_decimals_and_is_never_a_float(part: int, whole: int, ratio: str | None) -> None:
    assert get_coverage.ratio(part, whole) == ratio


@pytest.mark.parametrize(
    ("fen", "text"), [(311_111_021, "3,111,110.21"), (-2_923_055, "−29,230.55"), (5, "0.05"), (-100_000, "−1,000.00")]
)
def test_money_on_a_page_has_thousands_separators(fen: int, text: str) -> None:
    assert pages.grouped(fen) == text
