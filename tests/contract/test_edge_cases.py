"""The edge cases of the rules (domain.md d) are named, by their numbers, by the tests that show them."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
BUILT = (*range(1, 51), *range(52, 62), 64)


def named(text: str) -> set[int]:
    """The numbers after "edge case" and "edge cases": one, a list, or a span."""
    found: set[int] = set()
    for numbers in re.findall(r"[Ee]dge cases? ((?:\d+(?:, | and | to )?)+)", text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
            found.update(range(int(first), int(last or first) + 1))
    return found


def test_every_edge_case_of_what_is_built_is_named_by_a_test() -> None:
    told = set[int]().union(*(named(file.read_text()) for file in TESTS.rglob("test_*.py")))
    assert set(BUILT) - told == set()
