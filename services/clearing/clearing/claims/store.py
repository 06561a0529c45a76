"""Settlements and claims in the database, read and written in a fixed number of statements."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import asyncpg
import msgspec

from clearing import rows
from clearing.claims.checks import Reversal, Stretch
from clearing.claims.claim import Claim
from clearing.names import Name
from clearing.state import Draft
from medfund.events.claims import ClaimBatchSubmitted
from medfund.events.codec import Accepted
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


async def keep_settlements(connection: asyncpg.Connection, lane: int, settlements: Sequence[Accepted]) -> None:
    """By COPY as text: half the time of arrays of arrays, and less than the client's own encoder of rows."""
    lines = "".join([_line(lane, accepted) for accepted in settlements])
    await connection.copy_to_table("settlements", source=io.BytesIO(lines.encode()), columns=SETTLEMENT_COLUMNS)


def _line(lane: int, accepted: Accepted) -> str:
    """One row as COPY reads it. The codec lets no text pass that is not a code, and no amount without two decimals: the
    fen are its digits."""
    event: Any = accepted.event
    reverses = getattr(event, "reverses_ref", None)
    funds, fens = ",".join(event.funds), ",".join(event.funds.values()).replace(".", "")
    return (
        f"{lane}\t{accepted.record.offset}\t{event.provider}\t{event.area}\t{event.insured_area}\t{event.insutype}\t"
        f"{event.clr_type}\t{event.clr_way}\t{event.service_date}\t{event.med_type}\t{BYTES}{event.settlement_ref}\t"
        f"{BYTES + reverses if reverses else NULL}\t{{{funds}}}\t{{{fens}}}\t{{{','.join(event.advanced)}}}\n"
    )


async def read(
    connection: asyncpg.Connection, lane: int, draft: Draft, named: Iterable[Name], providers: Iterable[str], *,
    day: bool, submissions: Sequence[ClaimBatchSubmitted],
) -> None:  # fmt: skip
    """The claims that are named, those with something open of some providers, or of all on a day, and the rivals of
    what is submitted."""
    found = await connection.fetch(
        SQL.claims, lane, *rows.named(named), sorted(providers), day, [event.provider for event in submissions],
        [event.period_from for event in submissions], [event.period_to for event in submissions],
    )  # fmt: skip
    for row in found:
        claim = _claim(row["body"])
        draft.claims[claim.name] = claim


async def read_submissions(
    connection: asyncpg.Connection, lane: int, draft: Draft, submissions: Sequence[Accepted]
) -> set[Name]:
    """What was recorded before each submission, and which settlements its reversals undo; those are returned."""
    stretches, refunds, undone = [], [], set()
    for accepted in submissions:
        event: Any = accepted.event
        cuts = {claim.opened for claim in draft.claims.values() if claim.dimensions.provider == event.provider}
        cuts |= {other.record.offset for other in submissions if other.event.provider == event.provider}  # type: ignore[attr-defined]
        before = sorted(cut for cut in cuts if 0 < cut < accepted.record.offset)
        wanted = (
            accepted.record.offset, event.provider, event.area, event.insured_area, event.insutype, event.clr_type,
            event.clr_way, event.period_from, event.period_to,
        )  # fmt: skip
        refunds.append(wanted)
        stretches.append((*wanted, "{" + ",".join(map(str, [0, *before])) + "}"))
    found = defaultdict(list)
    for row in await connection.fetch(SQL.stretches, lane, *map(list, zip(*stretches, strict=True))):
        amounts = dict(zip(row["funds"], row["fens"], strict=True))
        found[row["number"]].append(
            Stretch(
                row["service_date"], row["since"], row["settlements"], amounts, frozenset(row["advanced"]), row["refs"],
                row["reverses"], row["emergencies"],
            )
        )  # fmt: skip
    draft.stretches.update(found)
    for row in await connection.fetch(SQL.refunds, lane, *map(list, zip(*refunds, strict=True))):
        reversal = Reversal(row["reverses"], row["service_date"], row["offset"])
        draft.reversals.setdefault(row["number"], []).append(reversal)
        undone.add(Name(row["provider"], reversal.settlement_ref))
    return undone


async def write(connection: asyncpg.Connection, lane: int, draft: Draft) -> None:
    if changed := sorted(draft.changed & draft.claims.keys()):
        await connection.execute(SQL.save_claims, lane, *columns([_row(draft.claims[name]) for name in changed]))
    rejected = sorted(draft.rejected.items(), key=itemgetter(0))
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
