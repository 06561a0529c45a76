"""The clearing service's tables: what a batch of events needs, read and written in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from clearing import policy
from clearing.claims.checks import Stretch
from clearing.claims.claim import Claim, Payment
from clearing.policy import Policies
from clearing.state import Draft, Known
from medfund import calendar, money
from medfund.calendar import Calendar, Notice
from medfund.events.agency import CalendarPublished, PolicyPublished
from medfund.events.claims import ClaimBatchSubmitted, Settlement
from medfund.events.codec import Accepted
from medfund.events.time import DayOpened
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "store.sql")
SETTLEMENT_COLUMNS = (
    "lane", "offset", "provider", "area", "insured_area", "insutype", "clr_type", "clr_way", "service_date", "ref",
    "funds", "fens", "advanced",
)  # fmt: skip

_encode = msgspec.json.Encoder(order="deterministic").encode
_claim = msgspec.json.Decoder(Claim).decode
_payment = msgspec.json.Decoder(Payment).decode
_policy = msgspec.json.Decoder(PolicyPublished).decode
_notice = msgspec.json.Decoder(CalendarPublished).decode


async def load(connection: asyncpg.Connection, lane: int) -> Known:
    areas = dict(map(tuple, await connection.fetch(SQL.known, lane)))
    policies = Policies({}, {})
    for row in await connection.fetch(SQL.policies, lane):
        policies = policies.with_policy(policy.parse(_policy(row["event"])))
    days = calendar.shipped()
    for row in await connection.fetch(SQL.notices, lane):
        days = with_notice(days, _notice(row["event"]))
    return Known(areas, policies, days)


def with_notice(known: Calendar, event: CalendarPublished) -> Calendar:
    return known.with_notice(Notice(event.year, event.notice_ref, frozenset(event.holidays), frozenset(event.workdays)))


async def prepare(connection: asyncpg.Connection, lane: int, draft: Draft, fresh: Sequence[Accepted]) -> None:
    """Keep the settlements of a batch, and read what its other events refer to."""
    settlements = [accepted for accepted in fresh if isinstance(accepted.event, Settlement)]
    if settlements:
        await connection.copy_records_to_table(
            "settlements", records=[_settlement(lane, accepted) for accepted in settlements],
            columns=SETTLEMENT_COLUMNS,
        )  # fmt: skip
    if len(settlements) == len(fresh):
        return
    others: list[Accepted] = [accepted for accepted in fresh if not isinstance(accepted.event, Settlement)]
    await _read_claims(connection, lane, draft, [accepted.event for accepted in others])
    if submissions := [accepted for accepted in others if isinstance(accepted.event, ClaimBatchSubmitted)]:
        await _read_stretches(connection, lane, draft, submissions)


def _settlement(lane: int, accepted: Accepted) -> tuple[Any, ...]:
    event: Any = accepted.event
    return (
        lane, accepted.record.offset, event.provider, event.area, event.insured_area, event.insutype, event.clr_type,
        event.clr_way, event.service_date, bytes.fromhex(event.settlement_ref), list(event.funds),
        money.fens([*event.funds.values()]), event.advanced,
    )  # fmt: skip


async def _read_claims(connection: asyncpg.Connection, lane: int, draft: Draft, events: Sequence[Any]) -> None:
    payment_refs = {event.payment_ref for event in events if hasattr(event, "payment_ref")}
    if payment_refs:
        for row in await connection.fetch(SQL.payments, lane, sorted(payment_refs)):
            payment = _payment(row["body"])
            draft.payments[payment.payment_ref] = payment
    batches = {payment.payable_ref for payment in draft.payments.values()}
    for event in events:
        batches.update(_named(event))
    providers = {event.provider for event in events if hasattr(event, "provider")}
    submissions = [event for event in events if isinstance(event, ClaimBatchSubmitted)]
    day = any(isinstance(event, DayOpened | CalendarPublished) for event in events)
    if not (batches or providers or day):
        return
    rows = await connection.fetch(
        SQL.claims, lane, sorted(batches), sorted(providers), day, [event.provider for event in submissions],
        [event.period_from for event in submissions], [event.period_to for event in submissions],
    )  # fmt: skip
    for row in rows:
        claim = _claim(row["body"])
        draft.claims[claim.batch] = claim


def _named(event: Any) -> Iterable[str]:
    """The batches that an event names, whichever type it is."""
    yield from getattr(event, "batches", ())
    yield from (part.batch for part in getattr(event, "made_good", None) or ())
    for name in ("batch", "payable_ref", "item_ref"):
        if (batch := getattr(event, name, None)) is not None:
            yield batch


async def _read_stretches(
    connection: asyncpg.Connection, lane: int, draft: Draft, submissions: Sequence[Accepted]
) -> None:
    wanted: list[tuple[Any, ...]] = []
    for accepted in submissions:
        event: Any = accepted.event
        cuts = {claim.cut for claim in draft.claims.values() if claim.dimensions.provider == event.provider}
        cuts |= {other.record.offset for other in submissions if other.event.provider == event.provider}  # type: ignore[attr-defined]
        before = sorted(cut for cut in cuts if 0 < cut < accepted.record.offset)
        wanted.append((
            accepted.record.offset, event.provider, event.area, event.insured_area, event.insutype, event.clr_type,
            event.clr_way, event.period_from, event.period_to, "{" + ",".join(map(str, [0, *before])) + "}",
        ))  # fmt: skip
    found = defaultdict(list)
    for row in await connection.fetch(SQL.stretches, lane, *map(list, zip(*wanted, strict=True))):
        amounts = dict(zip(row["funds"], row["fens"], strict=True))
        found[row["number"]].append(
            Stretch(
                row["service_date"], row["since"], row["settlements"], amounts, frozenset(row["advanced"]), row["refs"]
            )
        )
    draft.stretches.update(found)


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if draft.areas:
        await connection.execute(SQL.register, lane, *columns(sorted(draft.areas.items())))
    if draft.policies:
        await connection.execute(SQL.publish, lane, *columns(_events(draft.policies)))
    if draft.notices:
        await connection.execute(SQL.notify, lane, *columns(_events(draft.notices)))
    if draft.changed_claims:
        await connection.execute(
            SQL.save_claims, lane, *columns([_claim_row(draft.claims[batch]) for batch in sorted(draft.changed_claims)])
        )
    if draft.changed_payments:
        rows = [_payment_row(draft.payments[reference]) for reference in sorted(draft.changed_payments)]
        await connection.execute(SQL.save_payments, lane, *columns(rows))


def _events(published: Iterable[tuple[int, Any]]) -> list[tuple[Any, ...]]:
    return [(str(offset), _encode(event).decode()) for offset, event in published]


def _claim_row(claim: Claim) -> tuple[Any, ...]:
    return (
        claim.batch, claim.dimensions.provider, claim.dimensions.area, claim.period_from, claim.period_to, claim.status,
        str(claim.open).lower(), claim.due, _encode(claim).decode(),
    )  # fmt: skip


def _payment_row(payment: Payment) -> tuple[Any, ...]:
    return (payment.payment_ref, payment.provider, payment.status, _encode(payment).decode())
