"""A claim by its name, and what was rejected under one, as far as the caller may see them."""

from typing import Any

import msgspec

from clearing.api import naming
from clearing.claims.claim import Claim
from medfund.events.claims import ClaimBatchRejected
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.reach import Reach
from medfund.http.wording import Words
from medfund.postgres import queries

SQL = queries.load(__file__, "claims.sql")
REJECTED = Words(
    "That batch was rejected: GET /v1/claims/{provider}/{batch} says why",
    "该批次校验未通过，原因见 GET /v1/claims/{provider}/{batch}",
)
claim_of = msgspec.json.Decoder(Claim).decode
_rejection = msgspec.json.Decoder(ClaimBatchRejected).decode


async def one(connection: Connection, within: Reach, batch: str) -> tuple[int, Claim]:
    """The lane and the claim of a name, within one provider's. Raises `Problem`."""
    found = await row(connection, within, batch)
    return found["lane"], claim_of(found["body"])


async def row(connection: Connection, within: Reach, batch: str) -> Any:
    row = await connection.fetchrow(SQL.claim, within.lanes, within.areas, within.parties, batch)
    if row is not None:
        return row
    if await rejected(connection, within, batch):
        raise Problem("not_found", REJECTED.en, detail_zh=REJECTED.zh, unknown="batch")
    raise await naming.unknown(connection, within, "batch")


async def rejected(connection: Connection, within: Reach, batch: str) -> tuple[int, ClaimBatchRejected] | None:
    """The lane and the rejection of a name under which no claim lives, within one provider's."""
    asked = (within.lanes, within.areas, within.parties, batch, *(None,) * 4, 1)
    row = await connection.fetchrow(SQL.rejections, *asked)
    return None if row is None else (row["lane"], _rejection(row["rejection"]))


def rejection_of(body: Any) -> ClaimBatchRejected | None:
    return None if body is None else _rejection(body)
