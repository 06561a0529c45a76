"""`medfund publish`: check a file of events, then append them to the log, or write them for another way there."""

import contextlib
import itertools
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import typer
import uvloop

from medfund import garbage, progress
from medfund.publish import checking, inputs, reading, refused, registry, resume, sending, session

SHOWN = 3
SOUND = ("checked", "published", "written")


def publish(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON lines; - is standard input.")] = "",
    csv: Annotated[str, typer.Option("--csv", metavar="FILE|-", help="An export instead, read by --map.")] = "",
    map: Annotated[
        Path | None, typer.Option("--map", metavar="MAP.toml", help="What the columns of the export are.")
    ] = None,
    bootstrap: Annotated[
        str, typer.Option(envvar="KAFKA_BOOTSTRAP", help="The broker; without it, that of the local stack.")
    ] = "",
    topic_prefix: Annotated[
        str, typer.Option(envvar="MEDFUND_TOPIC_PREFIX", help="What the names of topics begin with.")
    ] = "medfund",
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data folder of the local stack.")] = Path(".data"),
    out: Annotated[
        str,
        typer.Option(metavar="FILE|-", help="Write the events as JSON lines; nothing is sent, no broker is needed."),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; no broker is needed.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out and send the rest.")] = False,
    send_bad: Annotated[bool, typer.Option("--send-bad", help="Send bad lines too, for the ledger to refuse.")] = False,
    patience: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How long to wait for the broker.")] = 30,
    json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Publish events from JSON lines (CloudEvents, structured form), or from an export.

    Every line is checked first; if one is bad, nothing is sent. A run that was broken off is taken up again by the same
    command. Exit code 0 only when every event is acknowledged by the broker, or with --out written.
    """
    if skip_bad and send_bad:
        raise typer.BadParameter("--skip-bad and --send-bad exclude each other")
    if out and (dry_run or send_bad):
        raise typer.BadParameter("--out writes what is sound: it goes with neither --dry-run nor --send-bad")
    if out and Path(out).resolve() == Path(file or csv).resolve() != Path("-").resolve():
        raise typer.BadParameter("--out would overwrite what is read")
    if bool(file) == bool(csv) or bool(csv) != bool(map):
        raise typer.BadParameter("give FILE, or --csv FILE with --map MAP.toml")
    garbage.collect_seldom()
    # The client logs every attempt; what it comes to is in our own last line.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    with inputs.opened(file or csv) as (given, journal), inputs.events(given, map) as stream:
        if map and not json and not out:
            _show(stream)
        place = (
            (bootstrap, topic_prefix)
            if dry_run or out or bootstrap
            else _local_stack(data, stream, forgiving=skip_bad or send_bad)
        )
        run = Run(bootstrap=place[0], topic_prefix=place[1], patience_s=patience, identity=_identity())
        if out:
            summary = run.written(stream, out, skip_bad=skip_bad)
        elif dry_run:
            summary = run.checked(stream)
        else:
            summary = run.published(stream, journal, skip_bad=skip_bad, send_bad=send_bad)
    _tell(summary, json=json, err=out == "-")
    raise typer.Exit(0 if summary["outcome"] in SOUND else 1)


def _identity() -> Mapping[str, Any]:
    from medfund.lanes.settings import IdentitySettings

    try:
        return IdentitySettings().identity
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"the broker cannot be told who we are: {error}") from error


def _local_stack(data: Path, stream: BinaryIO, *, forgiving: bool) -> tuple[str, str]:
    from medfund.local import CannotRun, running  # only where no broker was named

    try:
        told = running.environment(data.absolute())
    except CannotRun as error:
        if not forgiving:
            _refuse_bad(stream)
        raise typer.BadParameter(f"no broker: give --bootstrap or set KAFKA_BOOTSTRAP; {error}") from error
    return told["KAFKA_BOOTSTRAP"], told["MEDFUND_TOPIC_PREFIX"]


def _refuse_bad(stream: BinaryIO) -> None:
    """What is wrong with the file is told before what is wrong with the broker."""
    found = Run(bootstrap="", topic_prefix="", patience_s=1, identity={}).checked(stream)
    if found["bad"]:
        _tell(found, json=False)
        raise typer.Exit(1)


class Run:
    """One run of the command; its methods give the summary."""

    def __init__(self, *, bootstrap: str, topic_prefix: str, patience_s: float, identity: Mapping[str, Any]) -> None:
        self.bootstrap = bootstrap
        self.topic_prefix = topic_prefix
        self.patience_s = patience_s
        self.identity = identity

    def checked(self, stream: BinaryIO, after: reading.Prefix = reading.START) -> dict[str, Any]:
        """Test what comes after a prefix; `outcome` is "checked" or "refused". No broker is asked, so it is not known
        which sources are registered."""
        verdict = self._verdict(stream, after, registry.Speaking())
        outcome = "refused" if verdict.bad else "checked"
        return {"outcome": outcome, "registrations_asked": False, **_found(verdict)}

    def written(self, stream: BinaryIO, out: str, *, skip_bad: bool) -> dict[str, Any]:
        """Test, and write what is sound as lines; `outcome` is "written" or "refused"."""
        verdict = self._verdict(stream, reading.START, registry.Speaking())
        if verdict.bad and not skip_bad:
            return {"outcome": "refused", **_found(verdict)}
        lines = (line for piece in reading.pieces(stream) for line in piece.lines)
        try:
            with contextlib.nullcontext(sys.stdout.buffer) if out == "-" else Path(out).open("wb") as file:
                file.writelines(_ended(line.text) for line in lines if line.text and not verdict.is_bad(line.number))
        except OSError as error:
            raise typer.BadParameter(f"cannot write {out}: {error.strerror}") from error
        return {"outcome": "written", "written": verdict.lines - verdict.bad, **_found(verdict)}

    def published(self, stream: BinaryIO, journal: resume.Journal, *, skip_bad: bool, send_bad: bool) -> dict[str, Any]:
        """Test and send what an earlier run left; `outcome` is "published", "refused" or "interrupted"."""
        try:
            state, speaking = uvloop.run(self._state(stream, journal))
        except sending.BrokerAway as error:
            found = {} if skip_bad or send_bad else self.checked(stream)
            return found if found.get("bad") else {"outcome": "interrupted", "error": str(error)}
        resumed_after = state.lines
        verdict = self._verdict(stream, state.prefix, speaking)
        if verdict.bad and not (skip_bad or send_bad):
            return {"outcome": "refused", **_found(verdict)}
        began = time.monotonic()
        with progress.Bar("Publishing", total=resumed_after + verdict.lines) as bar:
            skips = verdict.is_bad if skip_bad else _never
            sent = self._sent(session.Session(journal=journal, state=state, skips=skips, bar=bar), stream)
        seconds = time.monotonic() - began
        return {**sent, "resumed_after_line": resumed_after, "seconds": round(seconds, 3), **_found(verdict)}

    def _verdict(self, stream: BinaryIO, after: reading.Prefix, speaking: registry.Speaking) -> checking.Verdict:
        with progress.Bar("Checking", total=0) as bar:
            return checking.check(stream, after=after, speaking=speaking, report=_complain, bar=bar)

    async def _state(self, stream: BinaryIO, journal: resume.Journal) -> tuple[resume.State, registry.Speaking]:
        """Where an earlier run ended, and what the log says of sources."""
        async with self._sender() as sender:
            state = await session.resumed(stream, sender=sender, journal=journal, topic_prefix=self.topic_prefix)
            speaking = await registry.read(
                self.bootstrap, prefix=self.topic_prefix, lanes=sender.lanes, identity=self.identity
            )
            return state, speaking

    def _sent(self, work: session.Session, stream: BinaryIO) -> dict[str, Any]:
        outcome = {"outcome": "published"}
        try:
            uvloop.run(self._run(work, stream))
        except (sending.BrokerAway, KeyboardInterrupt) as error:
            outcome = {"outcome": "interrupted", "error": str(error) or "stopped by the keyboard"}
        else:
            if work.unsendable:
                outcome = {"outcome": "incomplete", "error": f"{work.unsendable} lines hold no event that can be sent"}
        return {**outcome, **_sent(work)}

    async def _run(self, work: session.Session, stream: BinaryIO) -> None:
        async with self._sender() as sender:
            await work.run(stream, sender)

    def _sender(self) -> sending.Sender:
        return sending.Sender(
            self.bootstrap, topic_prefix=self.topic_prefix, patience_s=self.patience_s, identity=self.identity
        )


def _ended(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + b"\n"


def _never(line: int) -> bool:
    return False


def _show(stream: BinaryIO) -> None:
    """The first events that an export becomes."""
    shown = itertools.islice((line for line in stream if not line.isspace() and refused.read(line) is None), SHOWN)
    for line in shown:
        typer.echo(line.decode().rstrip())
    stream.seek(0)


def _complain(fault: checking.Fault) -> None:
    typer.echo(f"line {fault.line}: {fault.reason}: {fault.detail}", err=True)


def _found(verdict: checking.Verdict) -> dict[str, Any]:
    return {
        "lines": verdict.lines,
        "bad": verdict.bad,
        "reasons": dict(verdict.reasons),
        "faults": [fault._asdict() for fault in verdict.faults],
    }


def _sent(work: session.Session) -> dict[str, Any]:
    state = work.state
    return {
        "sent": state.sent,
        "skipped": work.skipped,
        "acknowledged_lines": state.lines,
        "positions": state.positions,
        "wait_for": [
            f"{family}:{lane}:{offset}"
            for family, lanes in sorted(state.positions.items())
            for lane, offset in sorted(lanes.items())
        ],
    }


def _tell(summary: dict[str, Any], *, json: bool, err: bool = False) -> None:
    if json:
        typer.echo(msgspec.json.encode(summary).decode(), err=err)
        return
    typer.echo(_sentence(summary), err=err or summary["outcome"] not in SOUND)
    for family, count in sorted(summary.get("sent", {}).items()):
        ends = " ".join(f"{lane}:{offset}" for lane, offset in sorted(summary["positions"][family].items()))
        typer.echo(f"  {family}: {count:,} events; last offset by lane {ends}")


def _sentence(summary: dict[str, Any]) -> str:
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in summary.get("reasons", {}).items())
    match summary["outcome"]:
        case "checked":
            return (
                f"{summary['lines']:,} events checked, all sound. Nothing was sent. "
                "Whether their sources and providers are registered is not known here: only the log knows it."
            )
        case "refused":
            return f"Nothing was sent: {summary['bad']:,} of {summary['lines']:,} lines are bad ({reasons})."
        case "written":
            return f"{summary['written']:,} events written, {summary['bad']:,} bad lines left out. Nothing was sent."
        case "published":
            count = sum(summary["sent"].values())
            bad = f"; of the bad ({reasons}) {summary['skipped']:,} were left out" if reasons else ""
            return f"{count:,} events acknowledged{bad}. What became of them is for the ledger to say."
        case "incomplete":
            return f"{summary['error']}; the rest is acknowledged."
    again = ": the same command goes on from there" if summary.get("acknowledged_lines") else ""
    done = f"{summary.get('acknowledged_lines', 0):,} lines are acknowledged{again}"
    return f"Interrupted ({summary['error']}); {done}."
