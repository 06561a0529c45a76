"""The order log: how a lane cut its topics into batches, some hundred batches to a row. Pure.

What stays true: batch for batch, which offsets of which topics it took, in their order. Batches are numbered without a
gap, and within a topic one run begins where the one before it ended. A row is of one claim: who claims a lane begins
another one.

A run is one number, `length * 4 + moves * 2 + follows`, in groups of seven bits, the lowest group first. `moves`: its
topic is not that of the run before it (for the first run, not the first of `topics`), and the place of its topic in
`topics` is the number that comes next. `follows`: the run after it is of the same batch.
"""

from collections.abc import Sequence
from typing import NamedTuple

from medfund.lanes.log import Run

FULL = 512
"""Bytes of cuts: a row that holds them is left as it is. The row is written anew with each batch, so it stays small."""


class Cut(NamedTuple):
    """What a batch took of a topic."""

    topic: str
    first: int
    next: int


class Span(NamedTuple):
    """Batches that follow one another, and where each topic stood before the first run of it."""

    first_batch: int
    topics: tuple[str, ...] = ()
    first_offsets: tuple[int, ...] = ()
    cuts: bytes = b""
    last: int = 0
    """The place of the last run's topic."""


def after(span: Span, batch: int, runs: Sequence[Run]) -> Span:
    """With one more batch, which begins a span of its own where this one is full."""
    if len(span.cuts) >= FULL:
        span = Span(batch)
    topics = tuple(dict.fromkeys([*span.topics, *(run.topic for run in runs)]))
    begun = [next(run.first for run in runs if run.topic == topic) for topic in topics[len(span.topics) :]]
    cuts, last = bytearray(span.cuts), span.last
    for left, run in zip(reversed(range(len(runs))), runs, strict=True):
        place = topics.index(run.topic)
        cuts += number((run.next - run.first) * 4 + (place != last) * 2 + (left > 0))
        if place != last:
            cuts += number(place)
        last = place
    return Span(span.first_batch, topics, (*span.first_offsets, *begun), bytes(cuts), last)


def number(rest: int) -> bytes:
    groups = bytearray()
    while rest > 0x7F:
        groups.append(rest & 0x7F | 0x80)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)


def batches(topics: Sequence[str], first_offsets: Sequence[int], cuts: bytes) -> list[list[Cut]]:
    """The batches of a row, in their order. Raises `ValueError` where no lane wrote it."""
    found: list[list[Cut]] = []
    reached, numbers, place, follows = list(first_offsets), iter(numbers_of(cuts)), 0, False
    for said in numbers:
        if said & 2:
            place = next(numbers, len(topics))
        if place >= min(len(topics), len(reached)):
            raise ValueError(f"topic {place} of {len(topics)}")
        first, reached[place] = reached[place], reached[place] + said // 4
        if not follows:
            found.append([])
        found[-1].append(Cut(topics[place], first, reached[place]))
        follows = bool(said & 1)
    if follows:
        raise ValueError("the last batch breaks off")
    return found


def numbers_of(cuts: bytes) -> list[int]:
    found, made, shift = [], 0, 0
    for group in cuts:
        made |= (group & 0x7F) << shift
        shift += 7
        if group < 0x80:
            found.append(made)
            made, shift = 0, 0
    if shift:
        raise ValueError("the last number breaks off")
    return found
