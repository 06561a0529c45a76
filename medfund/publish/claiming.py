"""`medfund claim`: what the settlements of a period come to, as the claims of their hospitals.

What stays true: a claim's number, sums and root are of the settlements and reversals that the same files publish, each
once however often it stands there; of files with a bad line nothing is claimed. The same files, days and options give
the same events, whose ids may stand in a path as they are. In memory are 16 bytes of each settlement.
"""

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

import msgspec
import typer

from medfund import calendar, merkle, money, progress
from medfund.events.claims import ClaimBatchSubmitted
from medfund.events.codec import Accepted
from medfund.events.refusals import Problem
from medfund.events.settlements import Settlement
from medfund.publish import checking, drafts, inputs, reading, registry

DAY = "%Y-%m-%d"
TYPE = "claim.batch.submitted.v1"
SUFFIX = re.compile(r"[0-9A-Za-z]*").fullmatch


class Mode(StrEnum):
    MONTH = "MONTH"
    WEEK = "WEEK"
    DAY = "DAY"


class Period(NamedTuple):
    """Of which days a claim is, when it is made, and what tells it from others of these days."""

    first: date
    last: date
    on: date
    mode: Mode
    suffix: str
    again: int

    @property
    def name(self) -> str:
        """Short, for a claim's name has 50 characters; a month's is its last day alone."""
        month = self.mode is Mode.MONTH and self.first == self.last.replace(day=1)
        days = f"{self.last:%Y%m%d}" if month else f"{self.mode[0]}{self.first:%Y%m%d}-{self.last:%m%d}"
        return f"{days}-{self.suffix}" if self.suffix else days


class Whose(NamedTuple):
    """What the settlements of one claim have in common, and who says it."""

    source: str
    provider: str
    area: str
    insured_area: str
    insutype: str
    clr_type: str
    clr_way: str


@dataclass
class Claimed:
    """The settlements of one claim."""

    refs: set[bytes] = field(default_factory=set)
    fens: Counter[str] = field(default_factory=Counter)
    advanced: set[str] = field(default_factory=set)

    def add(self, settlement: Settlement) -> bool:
        """False where it is there already."""
        ref = bytes.fromhex(settlement.settlement_ref)
        if ref in self.refs:
            return False
        self.refs.add(ref)
        for fund, amount in settlement.funds.items():
            self.fens[fund] += money.fen(amount)
        self.advanced.update(settlement.advanced)
        return True


@dataclass
class Found:
    """The claims of some files, and what in them belongs to none."""

    claims: defaultdict[Whose, Claimed] = field(default_factory=lambda: defaultdict(Claimed))
    left_out: Counter[str] = field(default_factory=Counter)
    bad: int = 0

    def add(self, event: Accepted, period: Period) -> None:
        settlement = event.event
        if not isinstance(settlement, Settlement):
            self.left_out["no settlement"] += 1
        elif not period.first <= settlement.service_date <= period.last:
            self.left_out["of other days"] += 1
        elif not self.claims[_whose(event.source, settlement)].add(settlement):
            self.left_out["there twice"] += 1


def _whose(source: str, settlement: Settlement) -> Whose:
    return Whose(source, *(getattr(settlement, name) for name in Whose._fields[1:]))


def claim(
    first: Annotated[datetime, typer.Option("--from", formats=[DAY], help="The first day of the period.")],
    last: Annotated[datetime, typer.Option("--to", formats=[DAY], help="Its last day.")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE|-", help="JSON lines; - is standard input.")
    ] = None,
    csv: Annotated[
        list[str] | None, typer.Option("--csv", metavar="FILE|-", help="An export, read by --map; may be repeated.")
    ] = None,
    map: Annotated[
        list[Path] | None, typer.Option("--map", metavar="MAP.toml", help="Of the export in the same place.")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=[DAY], help="The day of the claim; today unless said.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What the period is.")] = Mode.MONTH,
    suffix: Annotated[
        str, typer.Option(metavar="TEXT", help="Ends the names of the claims: a second batch of these days needs one.")
    ] = "",
    again: Annotated[
        int, typer.Option(metavar="N", min=1, help="The N-th time on this day that the same is claimed.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="What is said of it as one JSON object, on standard error.")
    ] = False,
) -> None:
    """Write the claims of a period as JSON lines, from the files that its settlements and reversals are published from.

    One for each hospital, insured area, insurance type, clearing type and clearing method. Then `medfund publish` them.
    """
    if len(csv or ()) != len(map or ()) or not (files or csv):
        raise typer.BadParameter("give FILE, or --csv FILE with --map MAP.toml for each export")
    today = calendar.shanghai_day(datetime.now(UTC))
    period = _period(Period(first.date(), last.date(), on.date() if on else today, mode, suffix, again))
    found = Found()
    for file, how in [*((file, None) for file in files or ()), *zip(csv or (), map or (), strict=True)]:
        with inputs.opened(file) as (given, _), inputs.events(given, how) as stream:
            _gather(found, file, stream, period)
    if found.bad or not found.claims:
        typer.echo(_told(found) if as_json else _sentence(found), err=True)
        raise typer.Exit(1)
    for line in [_line(whose, claimed, period) for whose, claimed in sorted(found.claims.items())]:
        typer.echo(line)
    typer.echo(_told(found) if as_json else _sentence(found), err=True)


def _period(told: Period) -> Period:
    if not told.first <= told.last < told.on:
        days = f"{told.first}, {told.last}, {told.on}"
        raise typer.BadParameter(f"a period ends after it begins, and before the day of its claim: {days}")
    if not SUFFIX(told.suffix):
        raise typer.BadParameter(f"a suffix is letters and digits: {told.suffix}")
    return told


def _gather(found: Found, file: str, stream: BinaryIO, period: Period) -> None:
    now_ms, speaking = time.time_ns() // 1_000_000, registry.Speaking()
    with progress.Bar("Reading", total=0) as bar:
        for piece in reading.pieces(stream):
            for line in piece.lines:
                event = checking.event_of(line, now_ms, speaking)
                if isinstance(event, Problem):
                    found.bad += 1
                    typer.echo(f"{file}, line {line.number}: {event.reason}: {event.detail}", err=True)
                else:
                    found.add(event, period)
            bar.at(piece.number)


def _number(found: Found) -> int:
    return sum(len(claimed.refs) for claimed in found.claims.values())


def _told(found: Found) -> str:
    told = {"claims": len(found.claims), "settlements": _number(found), "left_out": found.left_out, "bad": found.bad}
    return msgspec.json.encode(told).decode()


def _sentence(found: Found) -> str:
    if found.bad:
        return f"Nothing is claimed: {found.bad:,} lines are bad."
    told = ", ".join(f"{number:,} {why}" for why, number in sorted(found.left_out.items()))
    left_out = f"; left out: {told}" if told else ""
    if not found.claims:
        return f"Nothing is claimed: there is no settlement of the period{left_out}."
    return f"{len(found.claims):,} claims of {_number(found):,} settlements{left_out}."


def _line(whose: Whose, claimed: Claimed, period: Period) -> str:
    """One event, as `medfund publish` reads it. Where the ledger would refuse it, the command does."""
    batch = f"{whose.provider}-{whose.insutype}-{whose.clr_type}-{whose.clr_way}-{whose.insured_area}-{period.name}"
    root = merkle.root(claimed.refs).hex()
    again = f".{period.again}" if period.again > 1 else ""
    amounts = {fund: money.yuan(fen) for fund, fen in sorted(claimed.fens.items()) if fen}
    data = ClaimBatchSubmitted(
        **dict(zip(Whose._fields[1:], whose[1:], strict=True)),
        benefit_year=period.last.year,
        advanced=sorted(claimed.advanced & amounts.keys()),
        batch=batch,
        mode=period.mode.value,
        period_from=period.first,
        period_to=period.last,
        settlements=len(claimed.refs),
        settlement_root=root,
        amounts=amounts,
        submitted_on=period.on,
    )
    event = {
        "specversion": "1.0",
        "type": TYPE,
        "source": whose.source,
        "id": f"{batch}.{period.on}.{root[:16]}{again}",
        "time": f"{period.on}T00:00:00+08:00",
        "data": data,
    }
    line = msgspec.json.encode(event)
    if isinstance(problem := drafts.read(line, now_ms=time.time_ns() // 1_000_000), Problem):
        raise typer.BadParameter(f"the claim {batch}: {problem.reason}: {problem.detail}")
    return line.decode()
