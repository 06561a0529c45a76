"""Cursors: a page continues where the last one ended, and only for the question and the caller it was made for."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfund.http import cursors
from medfund.http.cursors import Pages
from medfund.http.problems import Problem

KEY = b"k" * 32
QUESTION = {"operation": "lines", "subject": "li", "fund": None, "as_of": date(2025, 3, 4)}
ORDER = {"lane": int, "recorded_date": date, "topic": str}
ROWS = [{"lane": n, "recorded_date": date(2025, 3, n + 1), "topic": "claims"} for n in range(5)]


@given(st.integers(0, 11), st.dates(), st.text(max_size=20))
def test_a_cursor_gives_back_the_place_it_was_made_of(lane: int, day: date, topic: str) -> None:
    sealed = cursors.seal(KEY, QUESTION, (lane, day, topic))
    assert sealed.isascii()
    assert cursors.unseal(KEY, QUESTION, sealed, tuple(ORDER.values())) == (lane, day, topic)


@given(st.data())
def test_a_changed_cursor_does_not_open(data: st.DataObject) -> None:
    sealed = cursors.seal(KEY, QUESTION, (3, date(2025, 3, 4), "claims"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != sealed[at]))
    with pytest.raises(Problem, match="cursor_invalid"):
        cursors.unseal(KEY, QUESTION, sealed[:at] + other + sealed[at + 1 :], tuple(ORDER.values()))


def test_another_spelling_of_a_cursor_does_not_open() -> None:
    sealed = next(
        found
        for lane in range(1000)
        if "_" in (found := cursors.seal(KEY, QUESTION, (lane, date(2025, 3, 4), "claims")))
    )
    with pytest.raises(Problem, match="cursor_invalid"):
        cursors.unseal(KEY, QUESTION, sealed.replace("_", "/"), tuple(ORDER.values()))


@given(st.text(max_size=200))
def test_made_up_text_does_not_open(text: str) -> None:
    with pytest.raises(Problem, match="cursor_invalid"):
        cursors.unseal(KEY, QUESTION, text, tuple(ORDER.values()))


@pytest.mark.parametrize("change", [{"subject": "wu"}, {"fund": "390100"}, {"operation": "balances"}, {"as_of": None}])
def test_a_cursor_does_not_open_for_another_question(change: dict[str, Any]) -> None:
    sealed = cursors.seal(KEY, QUESTION, (1,))
    with pytest.raises(Problem, match="cursor_invalid"):
        cursors.unseal(KEY, {**QUESTION, **change}, sealed, (int,))


def test_another_processes_key_does_not_open() -> None:
    sealed = cursors.seal(KEY, QUESTION, (1,))
    with pytest.raises(Problem, match="cursor_invalid"):
        cursors.unseal(b"x" * 32, QUESTION, sealed, (int,))


def test_a_page_ends_where_the_next_begins() -> None:
    pages = Pages(KEY, QUESTION, ORDER)
    assert pages.after(None) == (None, None, None)
    rows, following = pages.cut(ROWS[:3], 2)
    assert rows == ROWS[:2]
    assert pages.after(following) == (1, date(2025, 3, 2), "claims")


def test_the_last_page_has_no_next() -> None:
    assert Pages(KEY, QUESTION, ORDER).cut(ROWS[:2], 2) == (ROWS[:2], None)
