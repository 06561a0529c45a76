"""Pictures of money over time."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from medfund.http import plots

POINTS = st.lists(
    st.tuples(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(-(10**15), 10**15)), min_size=1, max_size=9
)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(svg) if element.tag.endswith("text")]


def test_a_year_has_round_amounts_and_its_months() -> None:
    svg = plots.over_time([(date(2025, 2, 27), 1_070_473_242)], [(date(2025, 12, 31), 0)])
    assert texts(svg)[:6] == ["0", "2,000,000", "4,000,000", "6,000,000", "8,000,000", "10,000,000"]
    assert texts(svg)[6:] == [f"2025-{month:02d}" for month in range(1, 13)]


@given(POINTS, st.just([]) | POINTS)
def test_whatever_it_shows_it_fits_and_is_the_same_again(known: list[plots.Point], expected: list[plots.Point]) -> None:
    svg = plots.over_time(known, expected)
    assert svg == plots.over_time(known, expected)
    found = etree.fromstring(svg)
    assert 13 <= len(texts(svg)) <= 12 + plots.LINES_MOST + 1
    for text in found.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= int(text.get("x", "-1")) <= plots.WIDTH
        assert 0 <= int(text.get("y", "-1")) <= plots.HEIGHT
