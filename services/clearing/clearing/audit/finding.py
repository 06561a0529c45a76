"""A finding in the state that decisions have brought it to, and what some findings take off a claim. Pure.

What stays true: of one line the larger finding counts; a settlement never loses more of a fund than the fund bears of
it; what was reversed loses nothing, for it is not paid; a sample takes no more than what the others leave; what nobody
decided before the audit ended takes nothing (R1.3, R10).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from clearing.claims.claim import CLAIMS
from clearing.funds import Fens, added, at_most, fens, yuans
from clearing.names import InBatch, Name
from medfund.events.audit import Appeal, ClaimFindingNoted, Ground, Stage
from medfund.events.kinds import Place
from medfund.lanes.draft import Draft, Part, Things

APPEALS_KEPT = 20
Status = Literal["OPEN", "APPEALED", "ANSWERED"]


class Finding(msgspec.Struct, kw_only=True):
    batch: str
    finding_ref: str
    provider: str
    rule_code: str
    ground: Ground
    stage: Stage
    status: Status
    amounts: Fens
    """What it takes off as things stand."""
    settlement_amounts: Fens
    settlement_ref: str | None = None
    line_ref: str | None = None
    deducted: Fens = {}
    """What it took off in the end."""
    undone: Fens = {}
    """What of that is owed again."""
    late: bool = False
    """Nobody had decided it when the audit ended: what stands of it is a recovery (R10)."""
    appeals: list[Appeal] | UnsetType = UNSET
    """The last of them, in the order in which they were filed."""

    @property
    def decided(self) -> bool:
        """Whether somebody has said what stands of it: the last review, or the answer to its appeal."""
        return self.status == "ANSWERED" or (self.status == "OPEN" and self.stage == "FINAL")

    @property
    def contested(self) -> Appeal:
        """The appeal that it is under; what was filed before decisions told of it is told by what it is about."""
        open = [appeal for appeal in self.appeals or () if appeal.upheld is None]
        return open[-1] if open else Appeal(contested=yuans(self.amounts))

    @property
    def place(self) -> InBatch:
        return InBatch(self.provider, self.batch, self.finding_ref)

    @property
    def claim(self) -> Name:
        return Name(self.provider, self.batch)

    @property
    def settlement(self) -> Name | None:
        return Name(self.provider, self.settlement_ref) if self.settlement_ref else None

    @property
    def taken(self) -> Fens:
        return added(self.deducted, self.undone, -1)


@dataclass(frozen=True, slots=True)
class Found:
    """A settlement that a finding is about."""

    day: date
    offset: int
    amounts: Fens
    emergency: bool


FINDINGS: Part[Things[InBatch, Finding]] = Part("findings", Things)
FOUND: Part[dict[InBatch, Found]] = Part("found", dict)
"""The settlements that new findings are about."""
REVERSED: Part[set[Name]] = Part("reversed", set)
"""Of the settlements that findings are about, or rest on: those that were reversed."""


def forget(draft: Draft, claim: Name) -> None:
    """A batch was withdrawn: what was found in it says nothing about the next one."""
    findings = draft[FINDINGS]
    mine = [place for place in findings if (place.provider, place.batch) == claim]
    findings.changed.update(mine)
    for place in mine:
        del findings[place]


def noted(finding: Finding | None, event: ClaimFindingNoted) -> Finding:
    return Finding(
        batch=event.batch,
        finding_ref=event.finding_ref,
        provider=event.provider,
        rule_code=event.rule_code,
        ground=event.ground,
        stage=event.stage,
        status=event.status,
        amounts=fens(event.amounts),
        settlement_amounts=fens(event.settlement_amounts),
        settlement_ref=event.settlement_ref,
        line_ref=event.line_ref,
        deducted=finding.deducted if finding else {},
        undone=finding.undone if finding else {},
        late=bool(event.late),
        appeals=_appeals((finding.appeals if finding else UNSET) or [], event.appeal) or UNSET,
    )


def _appeals(known: list[Appeal], told: Appeal | None) -> list[Appeal]:
    """With one that was filed, or in place of the open one that was answered."""
    if told is None:
        return known
    before = known[:-1] if known and known[-1].upheld is None else known
    return [*before, told][-APPEALS_KEPT:]


def changed(draft: Draft, finding: Finding, cause: Place, **changes: Any) -> ClaimFindingNoted:
    """As it stands, but for some of its members."""
    claim = draft[CLAIMS][finding.claim]
    content: dict[str, Any] = {
        "stage": finding.stage,
        "status": finding.status,
        "amounts": yuans(finding.amounts),
        "late": finding.late or None,
        **changes,
    }
    return ClaimFindingNoted(
        **claim.fields(cause, {**finding.amounts, **finding.settlement_amounts}),
        batch=finding.batch,
        finding_ref=finding.finding_ref,
        rule_code=finding.rule_code,
        ground=finding.ground,
        settlement_amounts=yuans(finding.settlement_amounts),
        settlement_ref=finding.settlement_ref,
        line_ref=finding.line_ref,
        **content,
    )


def determine(findings: Iterable[Finding], claimed: Fens, reversed: Collection[Name]) -> list[tuple[Finding, Fens]]:
    """What each finding takes off in the end; nothing where another one on its line takes more."""
    ordered = sorted(findings, key=lambda finding: (finding.batch, finding.finding_ref))
    by_settlement: dict[str, list[Finding]] = {}
    for finding in ordered:
        if finding.settlement_ref is not None:
            by_settlement.setdefault(finding.settlement_ref, []).append(finding)
    taken: dict[InBatch, Fens] = {}
    for mine in by_settlement.values():
        left = {} if mine[0].settlement in reversed else mine[0].settlement_amounts
        for finding, amounts in _largest(mine):
            taken[finding.place] = at_most(amounts, left)
            left = added(left, taken[finding.place], -1)
    rest = claimed
    for amounts in taken.values():
        rest = added(rest, amounts, -1)
    for finding in ordered:
        if finding.settlement_ref is None:
            taken[finding.place] = at_most(finding.amounts, rest)
            rest = added(rest, taken[finding.place], -1)
    return [(finding, taken[finding.place]) for finding in ordered]


def _largest(findings: list[Finding]) -> list[tuple[Finding, Fens]]:
    """The findings on one settlement, each with the funds in which none on the same line takes more."""
    best: dict[tuple[str | InBatch, str], tuple[int, InBatch]] = {}
    for finding in findings:
        line = finding.line_ref or finding.place
        for fund, amount in finding.amounts.items():
            if amount > (best[line, fund][0] if (line, fund) in best else 0):
                best[line, fund] = amount, finding.place
    won: dict[InBatch, Fens] = {finding.place: {} for finding in findings}
    for (_, fund), (amount, place) in best.items():
        won[place][fund] = amount
    return [(finding, won[finding.place]) for finding in findings]


def doubtful(findings: Iterable[Finding], reversed: Collection[Name]) -> Fens:
    """All of the settlements that are doubted, and what samples would take: what waits where the rest does not."""
    found: Fens = {}
    seen: set[Name | None] = set(reversed)
    for finding in findings:
        if not any(finding.amounts.values()):
            continue
        if finding.settlement_ref is None:
            found = added(found, finding.amounts)
        elif finding.settlement not in seen:
            seen.add(finding.settlement)
            found = added(found, finding.settlement_amounts)
    return found
