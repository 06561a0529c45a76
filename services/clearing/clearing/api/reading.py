"""Claims and what belongs to them, read for one caller in one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from clearing import policy
from clearing.api import naming
from clearing.audit.finding import Finding
from clearing.claims.claim import Claim
from clearing.payments.payment import Payment
from clearing.policy import Policy
from medfund import calendar
from medfund.calendar import Calendar, Notice
from medfund.events.agency import CalendarPublished, PolicyPublished
from medfund.events.audit import AuditStageCompleted
from medfund.events.claims import ClaimBatchRejected
from medfund.http import answers, reach
from medfund.http.context import Context
from medfund.http.database import Connection
from medfund.http.problems import Problem
from medfund.http.tokens import Principal
from medfund.http.wording import Words
from medfund.postgres import queries

SQL = queries.load(__file__, "claims.sql")
PAYMENTS = queries.load(__file__, "payments.sql")

claim_of = msgspec.json.Decoder(Claim).decode
payment_of = msgspec.json.Decoder(Payment).decode
_rejection = msgspec.json.Decoder(ClaimBatchRejected).decode
_finding = msgspec.json.Decoder(Finding).decode
_stage = msgspec.json.Decoder(AuditStageCompleted).decode
_notice = msgspec.json.Decoder(CalendarPublished).decode
_policy = msgspec.json.Decoder(PolicyPublished).decode

FINDINGS_MAX = 5000
REJECTED = Words(
    "That batch was rejected: GET /v1/claims/{provider}/{batch} says why",
    "该批次校验未通过，原因见 GET /v1/claims/{provider}/{batch}",
)
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
    row = await _row(connection, within, batch)
    lane, claim = row["lane"], claim_of(row["body"])
    whose, lead = claim.dimensions.provider, claim.lead or claim.ref
    rows = await connection.fetch(SQL.approved_together, lane, whose, lead)
    claims = sorted((claim_of(row["body"]) for row in rows), key=lambda one: (one.ref != lead, one.opened))
    refs = [one.ref for one in claims]
    wanted = {"NONE": [], "BATCH": [claim.ref], "MONTH": refs}[findings_of]
    found = await connection.fetch(SQL.findings, lane, whose, wanted, FINDINGS_MAX)
    return Month(
        lane=lane,
        claim=claim,
        rejection=rejection_of(row["rejection"]),
        claims=claims,
        payments=[payment_of(row["body"]) for row in await connection.fetch(PAYMENTS.of_payables, lane, whose, refs)],
        findings=[_finding(row["body"]) for row in found],
        findings_total=found[0]["findings"] if found else 0,
        stages=[_stage(row["body"]) for row in await connection.fetch(SQL.stages, lane, whose, batch)],
        calendar=await calendar_of(connection, lane, claim.calendar_version),
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


async def one(connection: Connection, within: reach.Reach, batch: str) -> tuple[int, Claim]:
    """The lane and the claim of a name, within one provider's. Raises `Problem`."""
    row = await _row(connection, within, batch)
    return row["lane"], claim_of(row["body"])


async def _row(connection: Connection, within: reach.Reach, batch: str) -> Any:
    row = await connection.fetchrow(SQL.claim, within.lanes, within.areas, within.parties, batch)
    if row is not None:
        return row
    if await rejected(connection, within, batch):
        raise Problem("not_found", REJECTED.en, detail_zh=REJECTED.zh, unknown="batch")
    raise await naming.unknown(connection, within, "batch")


async def rejected(connection: Connection, within: reach.Reach, batch: str) -> tuple[int, ClaimBatchRejected] | None:
    """The lane and the rejection of a name under which no claim lives, within one provider's."""
    asked = (within.lanes, within.areas, within.parties, batch, *(None,) * 4, 1)
    row = await connection.fetchrow(SQL.rejections, *asked)
    return None if row is None else (row["lane"], _rejection(row["rejection"]))


def rejection_of(body: Any) -> ClaimBatchRejected | None:
    return None if body is None else _rejection(body)


async def calendar_of(connection: Connection, lane: int, version: str | None = None) -> Calendar:
    """The working days as a lane knows them, or as it knew them in a version: what a deadline rests on."""
    found = calendar.shipped()
    for row in await connection.fetch(SQL.calendar, lane):
        event: Any = _notice(row["body"])
        notice = Notice(event.year, event.notice_ref, frozenset(event.holidays), frozenset(event.workdays))
        if found.version == version:
            break
        found = found.with_notice(notice)
    return found
