"""Rules of clearing's API that need no database: examples, working days, ratios, what a page shows."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from clearing import app
from clearing.claims.api.working_days import Ageing, WorkedDays, horizon
from clearing.instant.api import get_coverage
from medfund import calendar
from medfund.calendar import CalendarNotLoaded
from medfund.events import speakers
from medfund.events.kinds import KINDS
from medfund.events.speakers import Speaker
from medfund.http import examples, openapi, pages
from medfund.http.api import Kind

CALENDAR = calendar.shipped()


def models(of: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in of.__subclasses__():
        if model.__module__.startswith("clearing."):
            yield model
        yield from models(model)


def test_every_example_is_one_of_its_model() -> None:
    shown = [(model, model.model_config.get("json_schema_extra")) for model in models()]
    told: list[tuple[Any, Any]] = [(model, extra["examples"]) for model, extra in shown if isinstance(extra, dict)]
    assert len(told) > 40
    for model, [example] in told:
        TypeAdapter(model).validate_python(openapi.with_texts(example, {examples.NULL: None}), extra="forbid")


@pytest.mark.parametrize("kind", app.API.commands, ids=lambda kind: kind.name)
def test_what_becomes_of_a_command_may_be_said_by_command(kind: Kind) -> None:
    """Where it may not, each one is kept, and refused when it is read."""
    assert Speaker.COMMAND in speakers.said_by(KINDS[kind.type])


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
