"""A small deciding service for tests: each settlement, and each payment by the bank, above a limit is answered with two
payments of half of it. Those that it is told to be broken for cannot be decided.

Payments are numbered through the lane by the topic of their cause, so that a second decision on one fact, or one in
another order, is seen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from medfund import money
from medfund.events.bank import BankPaymentSettled
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentSettled
from medfund.events.refusals import Reason
from medfund.events.settlements import SettlementRecorded
from medfund.lanes.sources import Sources

LIMIT = 1_000_00
TABLES = """
create table seen (lane smallint, settlement_ref text, fen bigint not null, primary key (lane, settlement_ref));
create table paid (lane smallint, topic text, number integer, settlement_ref text not null, fen bigint not null,
                   primary key (lane, topic, number));
grant select, insert on seen, paid to medfund_worker;
"""
_EXAMPLE = msgspec.convert(PaymentSettled.example, PaymentSettled)


@dataclass
class State:
    payments: Counter[str] = field(default_factory=Counter)
    """By the topic of their causes."""
    seen: list[tuple[str, int]] = field(default_factory=list)
    paid: list[tuple[str, int, str, int]] = field(default_factory=list)


class Halves:
    name = "halves"
    facts: Sequence[str] = ("agency", "claims", "bank")
    kept: Collection[type[Event]] = ()
    references: Sequence[str] = ("agency",)
    lacking: Collection[Reason] = (Reason.NOT_YOURS_TO_SAY,)
    silent: Collection[str] = ()
    large: Collection[type[Event]] = ()

    def __init__(self, *, prefix: str, broken: Collection[str] = (), own: str = "clearing") -> None:
        """`broken`: references of facts at which deciding fails."""
        self.broken, self.own = broken, own
        self.families: Mapping[str, str] = {f"{prefix}.{family}": family for family in self.facts}

    async def load(self, connection: asyncpg.Connection, lane: int) -> State:
        rows = await connection.fetch("select topic, count(*) from paid where lane = $1 group by topic", lane)
        return State(Counter(dict(map(tuple, rows))))

    def draft(self, state: State) -> State:
        return State(Counter(state.payments))

    def admit(self, draft: State, fact: Accepted, *, sources: Sources) -> Refused | None:
        return None

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: State, fresh: Sequence[Accepted]) -> None:
        pass

    def learn(self, draft: State, fact: Accepted) -> None:
        if said := said_by(fact.event):
            draft.seen.append(said)

    def evolve(self, draft: State, decision: Event) -> None:
        assert isinstance(decision, PaymentSettled)
        topic = decision.cause.topic
        draft.payments[topic] += 1
        assert decision.payment_ref == f"payment-{topic}-{draft.payments[topic]}"
        draft.paid.append((topic, draft.payments[topic], decision.payable_ref, money.fen(decision.amounts["390100"])))

    def decide(self, draft: State, fact: Accepted) -> Iterable[Event]:
        event: Any = fact.event
        reference, total = said_by(event) or ("", 0)
        if reference in self.broken:
            raise LookupError(f"{reference} is broken")
        if total <= LIMIT:
            return
        record = fact.record
        topic = self.families[record.topic]
        for half in (total // 2, total - total // 2):
            yield msgspec.structs.replace(
                _EXAMPLE,
                provider=event.provider,
                area=event.area,
                payment_ref=f"payment-{topic}-{draft.payments[topic] + 1}",
                payable_ref=reference,
                amounts={"390100": money.yuan(half)},
                cause=Place(topic=topic, lane=record.partition, offset=record.offset),
            )

    async def write(self, connection: asyncpg.Connection, lane: int, draft: State) -> None:
        for table, rows in (("seen", draft.seen), ("paid", draft.paid)):
            if rows:
                await connection.copy_records_to_table(table, records=[(lane, *row) for row in rows])


def said_by(event: Event) -> tuple[str, int] | None:
    """Reference and sum in fen of a fact; None where it is neither a settlement nor a payment."""
    if isinstance(event, SettlementRecorded):
        return event.settlement_ref, money.fen(event.total)
    if isinstance(event, BankPaymentSettled):
        return event.payment_ref, sum(map(money.fen, event.amounts.values()))
    return None
