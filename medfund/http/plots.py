"""Money over time as a picture (SVG): a line in steps for what is known, a dashed one for what is expected.

Whole numbers throughout, so that the same points give the same bytes. There is no text in it but days and amounts: what
the lines are is said by the page.
"""

from collections.abc import Iterator, Sequence
from datetime import date

Point = tuple[date, int]
"""From this day on, so much; fen."""

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1000, 300, 150, 270, 15
LINES_MOST = 6
FRAME = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui,sans-serif" '
    'font-size="12" fill="none" stroke-width="2">'
)


def over_time(known: Sequence[Point], expected: Sequence[Point]) -> str:
    """A step line over the years that the points are in, as SVG. There must be a point."""
    points = [*known, *expected]
    first = date(min(day for day, _ in points).year, 1, 1)
    end = date(max(day for day, _ in points).year + 1, 1, 1)
    least, most = min(0, *(fen for _, fen in points)), max(100, *(fen for _, fen in points))

    def across(day: date) -> int:
        return LEFT + (WIDTH - LEFT) * (day - first).days // (end - first).days

    def down(fen: int) -> int:
        return BOTTOM - (BOTTOM - TOP) * (fen - least) // (most - least)

    def path(points: Sequence[Point]) -> str:
        (day, fen), *rest = points
        return f"M{across(day)} {down(fen)}" + "".join(f"H{across(day)}V{down(fen)}" for day, fen in rest)

    parts = [FRAME]
    for fen in _ticks(least, most):
        parts.append(f'<path d="M{LEFT} {down(fen)}H{WIDTH}" stroke="#d0d7de" stroke-width="1"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{down(fen) + 4}" text-anchor="end" fill="#57606a">{fen // 100:,}</text>')
    for month in _months(first, end):
        parts.append(f'<text x="{across(month)}" y="{HEIGHT - 8}" fill="#57606a">{month:%Y-%m}</text>')
    for line, dashes in ((known, ""), (expected, ' stroke-dasharray="6 4"')):
        if line:
            parts.append(f'<path d="{path(line)}" stroke="#0550ae"{dashes}/>')
    return "".join([*parts, "</svg>"])


def _ticks(least: int, most: int) -> Iterator[int]:
    """Round amounts: 1, 2 or 5 and zeros."""
    step, factors = 100, (2, 5, 10)
    while (most - least) // step >= LINES_MOST:
        step = next((step * factor for factor in factors if (most - least) // (step * factor) < LINES_MOST), step * 10)
    yield from range(-(-least // step) * step, most + 1, step)


def _months(first: date, end: date) -> Iterator[date]:
    """A dozen, of however many years."""
    years = end.year - first.year
    for number in range(0, 12 * years, years):
        yield date(first.year + number // 12, number % 12 + 1, 1)
