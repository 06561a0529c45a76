"""A claim and what belongs to it, read for one caller in one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from clearing import policy
from clearing.api import knowledge
from clearing.audit.finding import Finding
from clearing.claims.api import named
from clearing.claims.claim import Claim
from clearing.payments.api import paid
from clearing.payments.payment import Payment
from clearing.policy import Policy
from medfund.calendar import Calendar
from medfund.events.agency import PolicyPublished
from medfund.events.audit import AuditStageCompleted
from medfund.events.claims import ClaimBatchRejected
from medfund.http import answers, reach
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.tokens import Principal
from medfund.postgres import queries

SQL = queries.load(__file__, "month.sql")

_finding = msgspec.json.Decoder(Finding).decode
_stage = msgspec.json.Decoder(AuditStageCompleted).decode
_policy = msgspec.json.Decoder(PolicyPublished).decode

FINDINGS_MAX = 5000
Findings = Literal["NONE", "BATCH", "MONTH"]


class Institution(NamedTuple):
    """What people know a provider by: its name and the end of its account's number, where they were told."""

    name: str | None
    account: str | None
    account_ends: str | None


@dataclass(frozen=True)
class Month:
    """A claim, the claims that were approved together with it, and what was found and paid of them."""

    lane: int
    claim: Claim
    rejection: ClaimBatchRejected | None
    """Of what was submitted under its name since."""
    claims: Sequence[Claim]
    """The lead first: it carries what is owed."""
    payments: Sequence[Payment]
    findings: Sequence[Finding]
    findings_total: int
    stages: Sequence[AuditStageCompleted]
    calendar: Calendar
    institution: Institution
    policy: Policy | None
    """Under which the lead was accepted."""
    positions: dict[str, dict[str, int]]

    @property
    def lead(self) -> Claim:
        return self.claims[0]

    @property
    def unpaid(self) -> bool:
        return self.claim.unpaid or (self.claim.status == "APPROVED" and self.lead.unpaid)


async def month(caller: Principal, here: Context, provider: str, batch: str, *, findings_of: Findings) -> Month:
    """Raises `Problem` where there is no such claim to see. `findings_of`: whose findings are read, at most so many."""
    within = reach.of(caller, area=None, party=provider, lanes=here.lanes)
    async with here.database.snapshot(caller) as connection:
        return await month_of(connection, within, batch, findings_of=findings_of)


async def month_of(connection: Connection, within: reach.Reach, batch: str, *, findings_of: Findings) -> Month:
    """The same, within one provider's, in a snapshot that is open."""
    row = await named.row(connection, within, batch)
    lane, claim = row["lane"], named.claim_of(row["body"])
    whose, lead = claim.dimensions.provider, claim.lead or claim.ref
    rows = await connection.fetch(SQL.approved_together, lane, whose, lead)
    claims = sorted((named.claim_of(row["body"]) for row in rows), key=lambda one: (one.ref != lead, one.opened))
    refs = [one.ref for one in claims]
    wanted = {"NONE": [], "BATCH": [claim.ref], "MONTH": refs}[findings_of]
    found = await connection.fetch(SQL.findings, lane, whose, wanted, FINDINGS_MAX)
    return Month(
        lane=lane,
        claim=claim,
        rejection=named.rejection_of(row["rejection"]),
        claims=claims,
        payments=[paid.read(row["body"]) for row in await connection.fetch(paid.SQL.of_payables, lane, whose, refs)],
        findings=[_finding(row["body"]) for row in found],
        findings_total=found[0]["findings"] if found else 0,
        stages=[_stage(row["body"]) for row in await connection.fetch(SQL.stages, lane, whose, batch)],
        calendar=await knowledge.calendar(connection, lane, claim.calendar_version),
        institution=await institution(connection, lane, whose),
        policy=await _policy_of(connection, lane, claims[0].policy_ref),
        positions=await answers.positions(connection, [lane]),
    )


async def institution(connection: Connection, lane: int, provider: str) -> Institution:
    """Nothing is told of one that has moved to where the caller sees nothing."""
    row = await connection.fetchrow(SQL.institution, lane, provider)
    return Institution(None, None, None) if row is None else Institution(*row)


async def _policy_of(connection: Connection, lane: int, ref: str) -> Policy | None:
    body = await connection.fetchval(SQL.policy, lane, ref)
    return policy.parse(_policy(body), kept=True) if body else None
