"""Settlements and claims in the database, read and written in a fixed number of statements."""

import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

import asyncpg
import msgspec

from clearing import names, rows
from clearing.claims.checks import REVERSALS, STRETCHES, UNDONE, Reversal, Stretch
from clearing.claims.claim import CLAIMS, Claim
from clearing.claims.submitting import REJECTED
from clearing.names import Name
from clearing.payments.making_way import ORDERED
from clearing.payments.payment import PAYMENTS
from medfund.events.bank import BankPaymentSettled, BankReturnReversed
from medfund.events.claims import ClaimBatchSubmitted
from medfund.events.codec import Accepted
from medfund.events.settlements import SettlementReversed
from medfund.events.supervision import PaymentHoldPlaced
from medfund.lanes.draft import Draft
from medfund.lanes.shelf import Batch, Shelf
from medfund.postgres import queries
from medfund.postgres.arrays import columns

SQL = queries.load(__file__, "claims.sql")

SETTLEMENT_COLUMNS = (
    "lane", "offset", "provider", "area", "insured_area", "insutype", "clr_type", "clr_way", "service_date", "med_type",
    "ref", "reverses", "funds", "fens", "advanced",
)  # fmt: skip
NULL, BYTES = "\\N", "\\\\x"
"""Nothing, and what begins a text of bytes, in COPY's own form."""

_claim = msgspec.json.Decoder(Claim).decode


class Settlements(Shelf):
    """By COPY as text: half the time of arrays of arrays, and less than the client's own encoder of rows."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if batch.bulk:
            lines = "".join([_line(lane, accepted) for accepted in batch.bulk])
            source = io.BytesIO(lines.encode())
            await connection.copy_to_table("settlements", source=source, columns=SETTLEMENT_COLUMNS)


def _line(lane: int, accepted: Accepted) -> str:
    """One row as COPY reads it. The codec lets no text pass that is not a code, and no amount without two decimals: the
    fen are its digits."""
    event: Any = accepted.event
    reverses = event.reverses_ref if type(event) is SettlementReversed else None
    funds, fens = ",".join(event.funds), ",".join(event.funds.values()).replace(".", "")
    return (
        f"{lane}\t{accepted.record.offset}\t{event.provider}\t{event.area}\t{event.insured_area}\t{event.insutype}\t"
        f"{event.clr_type}\t{event.clr_way}\t{event.service_date}\t{event.med_type}\t{BYTES}{event.settlement_ref}\t"
        f"{BYTES + reverses if reverses else NULL}\t{{{funds}}}\t{{{fens}}}\t{{{','.join(event.advanced)}}}\n"
    )


class Claims(Shelf):
    """Those that are named, those with something open of some providers, or of all on a day, and the rivals of what is
    submitted."""

    keeps = "payable"

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        if batch.named["payable"] or batch.named["provider"] or batch.day:
            await _read(
                connection, lane, draft, batch.named["payable"], batch.named["provider"], day=batch.day,
                submissions=batch.of(ClaimBatchSubmitted),
            )  # fmt: skip

    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        claims = draft[CLAIMS]
        if changed := sorted(claims.changed):
            await connection.execute(SQL.save_claims, lane, *columns([_row(claims[name]) for name in changed]))


class Leads(Shelf):
    """The claims that hold the money of those that were read. Where a P1 was paid, or a hold is placed, what is ordered
    for them and not sent may end."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        claims = draft[CLAIMS]
        if leads := {claim.carried_by for claim in claims.values()} - claims.keys():
            await _read(connection, lane, draft, leads, (), day=False, submissions=())
        held = [names.payable(event) for event in batch.of(PaymentHoldPlaced)]
        found = [claims[name] for name in (*held, *_paid_at_once(draft, batch)) if name in claims]
        draft[ORDERED].update(claim.carried_by for claim in found if claim.lead)


def _paid_at_once(draft: Draft, batch: Batch) -> Iterable[Name]:
    """The claims whose P1 the bank has paid, or pays again."""
    answers = batch.of(BankPaymentSettled, BankReturnReversed)
    found = (payment for event in answers if (payment := draft[PAYMENTS].get(names.payment(event))) is not None)
    return (payment.payable for payment in found if payment.purpose == "INSTANT")


async def _read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name], providers: Iterable[str], *,
    day: bool, submissions: Sequence[ClaimBatchSubmitted],
) -> None:  # fmt: skip
    found = await connection.fetch(
        SQL.claims, lane, *rows.named(named), sorted(providers), day, [event.provider for event in submissions],
        [event.period_from for event in submissions], [event.period_to for event in submissions],
    )  # fmt: skip
    for row in found:
        claim = _claim(row["body"])
        draft[CLAIMS][claim.name] = claim


class Submissions(Shelf):
    """What was recorded before each submission, and which settlements its reversals undo."""

    async def read(self, connection: asyncpg.Connection, lane: int, draft: Draft, batch: Batch) -> None:
        submissions = batch.accepted(ClaimBatchSubmitted)
        if not submissions:
            return
        cuts = _cuts(draft, submissions)
        stretches, refunds = [], []
        for accepted in submissions:
            event: Any = accepted.event
            wanted = (
                accepted.record.offset, event.provider, event.area, event.insured_area, event.insutype, event.clr_type,
                event.clr_way, event.period_from, event.period_to,
            )  # fmt: skip
            before = sorted(cut for cut in cuts[event.provider] if 0 < cut < accepted.record.offset)
            refunds.append(wanted)
            stretches.append((*wanted, "{" + ",".join(map(str, [0, *before])) + "}"))
        for row in await connection.fetch(SQL.stretches, lane, *map(list, zip(*stretches, strict=True))):
            draft[STRETCHES].setdefault(row["number"], []).append(_stretch(row))
        for row in await connection.fetch(SQL.refunds, lane, *map(list, zip(*refunds, strict=True))):
            reversal = Reversal(row["reverses"], row["service_date"], row["offset"])
            draft[REVERSALS].setdefault(row["number"], []).append(reversal)
            draft[UNDONE].add(Name(row["provider"], reversal.settlement_ref))


def _cuts(draft: Draft, submissions: Collection[Accepted]) -> dict[str, set[int]]:
    """By provider: where a claim was submitted."""
    cuts: dict[str, set[int]] = defaultdict(set)
    for claim in draft[CLAIMS].values():
        cuts[claim.dimensions.provider].add(claim.opened)
    for accepted in submissions:
        cuts[accepted.event.provider].add(accepted.record.offset)  # type: ignore[attr-defined]
    return cuts


def _stretch(row: asyncpg.Record) -> Stretch:
    amounts = dict(zip(row["funds"], row["fens"], strict=True))
    return Stretch(
        row["service_date"], row["since"], row["settlements"], amounts, frozenset(row["advanced"]), row["refs"],
        row["reverses"], row["emergencies"],
    )  # fmt: skip


class Rejections(Shelf):
    async def write(self, connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
        rejected = sorted(draft[REJECTED].items(), key=itemgetter(0))
        if kept := [_rejection(name, event) for name, event in rejected if event is not None]:
            await connection.execute(SQL.keep_rejections, lane, *columns(kept))
        if accepted := [name for name, event in rejected if event is None]:
            await connection.execute(SQL.forget_rejections, lane, *columns(accepted))


def _rejection(name: Name, event: Any) -> tuple[Any, ...]:
    return (*name, event.area, event.submission.submitted_on, rows.text(event))


def _row(claim: Claim) -> tuple[Any, ...]:
    return (
        *claim.name, claim.dimensions.area, claim.period_from, claim.period_to, claim.status,
        rows.flag(claim.open), claim.due, rows.text(claim),
    )  # fmt: skip
