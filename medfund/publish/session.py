"""One file to the log: read a piece, hand it over, and while the broker works read the next.

What stays true: the journal never says more than the broker acknowledged, and says it in the order of the file.
"""

import asyncio
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from medfund import faults, progress
from medfund.publish import drafts, reading, resume, sending

# So often the event loop gets to move bytes while lines are read.
LINES_PER_TURN = 250


class _Flight(NamedTuple):
    """A piece that was handed over."""

    piece: reading.Piece
    sending: sending.Sending


class Session:
    """Publishing of one file, from where an earlier run ended."""

    def __init__(
        self,
        *,
        journal: resume.Journal,
        state: resume.State,
        skips: Callable[[int], bool],
        bar: progress.Bar,
    ) -> None:
        self._journal = journal
        self.state = state
        self._skips = skips
        self._bar = bar
        self.skipped = 0
        self.unsendable = 0

    async def run(self, stream: BinaryIO, sender: sending.Sender) -> None:
        """Send what is left of the file. Raises `BrokerAway`; the journal then says how far it came."""
        flight: _Flight | None = None
        for piece in reading.pieces(stream, self.state.prefix):
            load = await self._loaded(piece, sender.load())
            next_flight = _Flight(piece, await sender.hand_over(load))
            if flight is not None:
                await self._land(flight)
            flight = next_flight
        if flight is not None:
            await self._land(flight)
        self._journal.remove()

    async def _loaded(self, piece: reading.Piece, load: sending.Load) -> sending.Load:
        for number, line in enumerate(piece.lines):
            if number % LINES_PER_TURN == 0:
                await asyncio.sleep(0)
            self._add(line, load)
        return load

    def _add(self, line: reading.Line, load: sending.Load) -> None:
        if self._skips(line.number):
            self.skipped += 1
            return
        draft = None if line.text is None else drafts.draft(line.text)
        if isinstance(draft, drafts.Draft):
            load.add(draft)
        else:
            self.unsendable += 1

    async def _land(self, flight: _Flight) -> None:
        state, piece = self.state, flight.piece
        for appended in await flight.sending.acknowledged():
            family, lane = appended.place
            state.sent[family] = state.sent.get(family, 0) + appended.records
            state.positions.setdefault(family, {})[lane] = appended.last
        state.offset, state.lines, state.digest = piece.offset, piece.number, piece.digest
        faults.point("publish.acknowledged")
        self._journal.write(state)
        self._bar.at(state.lines)


async def resumed(
    stream: BinaryIO, *, sender: sending.Sender, journal: resume.Journal, topic_prefix: str
) -> resume.State:
    """Where an earlier run of this file on this log ended; the beginning where there was none."""
    state = journal.read()
    if state is not None and await _still_holds(state, stream, sender, topic_prefix):
        return state
    start = reading.START
    return resume.State(
        cluster=sender.cluster,
        topic_prefix=topic_prefix,
        offset=start.offset,
        lines=start.lines,
        digest=start.digest,
        sent={},
        positions={},
    )


async def _still_holds(state: resume.State, stream: BinaryIO, sender: sending.Sender, topic_prefix: str) -> bool:
    if (state.cluster, state.topic_prefix) != (sender.cluster, topic_prefix):
        return False
    last = {
        sending.Place(family, lane): offset
        for family, lanes in state.positions.items()
        for lane, offset in lanes.items()
    }
    ends = await sender.ends(last.keys())
    if any(ends[place] <= offset for place, offset in last.items()):
        return False  # a topic that was made anew has not what we sent to the old one
    return reading.begins_with(stream, state.prefix)
