"""Clearing as a deciding service of lanes: its capabilities learn from facts, answer them, and change what follows."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import asyncpg
from prometheus_client import Gauge

from clearing import capabilities, days, policy, store
from clearing.state import Draft, Known
from medfund.events.agency import PolicyPublished
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.refusals import Reason
from medfund.events.settlements import SettlementRecorded, SettlementReversed
from medfund.events.time import DayOpened
from medfund.lanes import batch, opened, registered
from medfund.lanes.sources import Sources

CALENDAR_DAYS = Gauge(
    "medfund_calendar_days",
    "For how many days after the present one the notices say whether they are worked",
    ["service"],  # so that it is told by those processes alone that know it
)


def _tell_calendar(known: Known) -> None:
    if known.today is not None:
        CALENDAR_DAYS.labels("clearing").set(days.known_ahead(known.calendar, known.today))


class Clearing:
    name = "clearing"
    own = "clearing"
    facts: Sequence[str] = ("agency", "claims", "prepayments", "reviews", "bank", "time")
    kept: Collection[type[Event]] = frozenset({SettlementRecorded, SettlementReversed})
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = frozenset({Reason.NOT_YOURS_TO_SAY, Reason.UNKNOWN_PROVIDER})
    silent: Collection[str] = frozenset()
    large: Collection[type[Event]] = capabilities.LARGE

    def __init__(self, *, prefix: str) -> None:
        self._families = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> Draft:
        known = await store.load(connection, lane)
        _tell_calendar(known)
        return capabilities.begin(known)

    def draft(self, state: Draft) -> Draft:
        """Claims and payments are read anew for each batch; what is known of the lane goes on."""
        known = state.known
        if state.areas or state.accounts:
            known = replace(
                known,
                areas={**known.areas, **state.areas},
                accounts={**known.accounts, **state.accounts},
                since={**known.since, **state.since},
            )
        return capabilities.begin(known)

    def admit(self, draft: Draft, fact: Accepted, *, sources: Sources) -> Refused | None:
        asked = sources.asks(fact.record.timestamp)
        if isinstance(fact.event, PolicyPublished):
            try:
                policy.parse(fact.event, kept=not asked)
            except policy.BadPolicy as error:
                return batch.refuse(fact, Reason.BAD_CODE, f"$.parameters: {error}")
        if isinstance(fact.event, DayOpened):
            if asked and (refusal := opened.admit(draft.coming or draft.known.today, fact)):
                return refusal
            draft.coming = fact.event.date
        return registered.admit(draft.admitted, fact, sources)

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
        await store.prepare(connection, lane, draft, fresh)

    def learn(self, draft: Draft, fact: Accepted) -> None:
        event, place = fact.event, self._place(fact)
        for learn in capabilities.LEARNS.get(type(event), ()):
            learn(draft, event, place)
        if type(event) in capabilities.KEEPS:
            draft.published.append((place.topic, place.offset, event))
            draft.known = capabilities.known_after(draft.known, event)

    def decide(self, draft: Draft, fact: Accepted) -> Iterable[Event]:
        place = self._place(fact)
        for answer in capabilities.ANSWERS.get(type(fact.event), ()):
            yield from answer(draft, fact.event, place)

    def evolve(self, draft: Draft, decision: Event) -> None:
        for evolve in capabilities.EVOLVES.get(type(decision), ()):
            evolve(draft, decision)

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        await store.write(connection, lane, draft)
        if draft.opened or draft.published:
            _tell_calendar(draft.known)
        draft.let_go()

    def _place(self, fact: Accepted) -> Place:
        record = fact.record
        return Place(topic=self._families[record.topic], lane=record.partition, offset=record.offset)
