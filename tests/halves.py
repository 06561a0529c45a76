"""A small deciding service for tests: each settlement, and each payment by the bank, above a limit is answered with two
payments of half of it. Those that it is told to be broken for cannot be decided.

Payments are numbered through the lane by the topic of their cause, so that a second decision on one fact, or one in
another order, is seen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from medfund import money
from medfund.events.bank import BankPaymentSettled
from medfund.events.codec import Accepted
from medfund.events.kinds import Event, Place
from medfund.events.payments import PaymentSettled
from medfund.events.refusals import Reason
from medfund.events.settlements import SettlementRecorded
from medfund.lanes.capability import Capability
from medfund.lanes.composed import Composed
from medfund.lanes.draft import Draft, Known, Part
from medfund.lanes.shelf import Shelf

LIMIT = 1_000_00
TABLES = """
create table seen (lane smallint, settlement_ref text, fen bigint not null, primary key (lane, settlement_ref));
create table paid (lane smallint, topic text, number integer, settlement_ref text not null, fen bigint not null,
                   primary key (lane, topic, number));
grant select, insert on seen, paid to medfund_worker;
"""
_EXAMPLE = msgspec.convert(PaymentSettled.example, PaymentSettled)

NUMBERS: Part[Counter[str]] = Part("numbers", Counter)
"""Of payments, by the topic of their causes."""
SEEN: Part[list[tuple[str, int]]] = Part("seen", list)
PAID: Part[list[tuple[str, int, str, int]]] = Part("paid", list)
READY: Part[list[Event]] = Part("ready", list)
"""What was read for in a batch, or decided."""


def said_by(event: Any) -> tuple[str, int]:
    """Reference and sum in fen of a fact."""
    if isinstance(event, SettlementRecorded):
        return event.settlement_ref, money.fen(event.total)
    return event.payment_ref, sum(map(money.fen, event.amounts.values()))


def learn(draft: Draft, event: SettlementRecorded | BankPaymentSettled, place: Place) -> None:
    draft[SEEN].append(said_by(event))


def halved(draft: Draft, event: SettlementRecorded | BankPaymentSettled, cause: Place) -> Iterable[Event]:
    reference, total = said_by(event)
    for half in (total // 2, total - total // 2) if total > LIMIT else ():
        yield msgspec.structs.replace(
            _EXAMPLE,
            provider=event.provider,
            area=event.area,
            payment_ref=f"payment-{cause.topic}-{draft.known[NUMBERS][cause.topic] + 1}",
            payable_ref=reference,
            amounts={"390100": money.yuan(half)},
            cause=cause,
        )


def evolve(draft: Draft, decision: PaymentSettled) -> None:
    assert any(decision is one for one in draft[READY]), "what is evolved was read for in its batch"
    topic = decision.cause.topic
    numbers = draft.known[NUMBERS] + Counter([topic])
    draft.known = draft.known.replaced(NUMBERS, numbers)
    assert decision.payment_ref == f"payment-{topic}-{numbers[topic]}"
    draft[PAID].append((topic, numbers[topic], decision.payable_ref, money.fen(decision.amounts["390100"])))


class Written(Shelf):
    async def load(self, connection: asyncpg.Connection, lane: int, known: Known) -> Known:
        rows = await connection.fetch("select topic, count(*) from paid where lane = $1 group by topic", lane)
        return known.replaced(NUMBERS, Counter(dict(map(tuple, rows))))

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        for table, rows in (("seen", draft[SEEN]), ("paid", draft[PAID])):
            if rows:
                await connection.copy_records_to_table(table, records=[(lane, *row) for row in rows])


class Halves(Composed):
    name = "halves"
    facts: Sequence[str] = ("agency", "claims", "bank")
    lacking: Collection[Reason] = (Reason.NOT_YOURS_TO_SAY,)
    capabilities = (
        Capability(
            name="halves",
            learns=dict.fromkeys((SettlementRecorded, BankPaymentSettled), learn),
            answers=dict.fromkeys((SettlementRecorded, BankPaymentSettled), halved),
            evolves={PaymentSettled: evolve},
        ),
    )
    shelves = (Written(),)

    def __init__(self, *, prefix: str, broken: Collection[str] = (), own: str = "clearing") -> None:
        """`broken`: references of facts at which deciding fails."""
        super().__init__(prefix=prefix)
        self.broken, self.own = broken, own
        self.heard: list[Event] = []
        """Decisions that were read for."""

    async def prepare(self, connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
        await super().prepare(connection, lane, draft, fresh)
        draft[READY].extend(accepted.event for accepted in fresh)
        self.heard += [accepted.event for accepted in fresh if isinstance(accepted.event, PaymentSettled)]

    def decide(self, draft: Draft, fact: Accepted) -> Iterable[Event]:
        if type(fact.event) in self.answers and said_by(fact.event)[0] in self.broken:
            raise LookupError(f"{said_by(fact.event)[0]} is broken")
        for decision in super().decide(draft, fact):
            draft[READY].append(decision)
            yield decision
