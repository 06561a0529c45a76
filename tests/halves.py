"""A small deciding service for tests: each settlement above a limit is answered with two payments of half of it.

Payments are numbered through the lane, so that a second decision on one settlement, or one in another order, is seen.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from medfund import money
from medfund.events.claims import SettlementRecorded
from medfund.events.clearing import PaymentSettled
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.refusals import Reason

LIMIT = 1_000_00
TABLES = """
create table seen (lane smallint, settlement_ref text, fen bigint not null, primary key (lane, settlement_ref));
create table paid (lane smallint, number integer, settlement_ref text not null, fen bigint not null,
                   primary key (lane, number));
grant select, insert on seen, paid to medfund_worker;
"""
_EXAMPLE = msgspec.convert(PaymentSettled.example, PaymentSettled)


@dataclass
class State:
    payments: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)
    paid: list[tuple[int, str, int]] = field(default_factory=list)


class Halves:
    name = "halves"
    own = "clearing"
    facts: Sequence[str] = ("claims",)
    references: Sequence[str] = ()
    lacking: Collection[Reason] = ()
    silent: Collection[str] = ()

    def __init__(self, *, prefix: str) -> None:
        self.families: Mapping[str, str] = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> State:
        return State(await connection.fetchval("select count(*) from paid where lane = $1", lane))

    def draft(self, state: State) -> State:
        return State(state.payments)

    def admit(self, draft: State, fact: Accepted) -> Refused | None:
        return None

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: State, fresh: Sequence[Accepted]) -> None:
        pass

    def learn(self, draft: State, fact: Accepted) -> None:
        if isinstance(fact.event, SettlementRecorded):
            draft.seen.append((fact.event.settlement_ref, money.fen(fact.event.total)))

    def evolve(self, draft: State, decision: Event) -> None:
        assert isinstance(decision, PaymentSettled)
        draft.payments += 1
        assert decision.payment_ref == f"payment-{draft.payments}"
        draft.paid.append((draft.payments, decision.payable_ref, money.fen(decision.amounts["390100"])))

    def decide(self, draft: State, fact: Accepted) -> Iterable[Event]:
        event: Any = fact.event
        if not isinstance(event, SettlementRecorded) or money.fen(event.total) <= LIMIT:
            return
        total = money.fen(event.total)
        record = fact.record
        for half in (total // 2, total - total // 2):
            yield msgspec.structs.replace(
                _EXAMPLE,
                provider=event.provider,
                area=event.area,
                insured_area=event.insured_area,
                payment_ref=f"payment-{draft.payments + 1}",
                payable_ref=event.settlement_ref,
                amounts={"390100": money.yuan(half)},
                cause=Place(topic=self.families[record.topic], lane=record.partition, offset=record.offset),
            )

    async def write(self, connection: asyncpg.Connection, lane: int, draft: State) -> None:
        await connection.copy_records_to_table("seen", records=[(lane, *row) for row in draft.seen])
        await connection.copy_records_to_table("paid", records=[(lane, *row) for row in draft.paid])
