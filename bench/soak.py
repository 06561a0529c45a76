"""`make soak`: a city is published while worker, broker and database are killed (-9) at random moments.

The supervisor of `medfund up` starts them again. In the end everything must be booked: the events that took effect are
exactly those that were to be accepted, each provider is owed by each fund what was published, what is bad is refused,
and `verify` proves the books. Which part is killed when follows from the seed.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from bench.saying import RESULTS, commit, machine, say
from medfund import money
from medfund.city import model, profiles
from medfund.city.publication import Extras, Publication
from medfund.events import envelope
from medfund.local import running, services
from medfund.local.server import Process
from medfund.local.state import State
from medfund.publish import drafts

WORKERS = 2
PARTS = {"worker": ("ledger-worker-1", "ledger-worker-2"), "broker": ("kafka",), "database": ("postgres",)}
MOMENT_S = 3.0
"""A kill comes at a random moment of this long after a piece of the file began to be published."""
RESTART_LIMIT_S = 120.0
BOOKED_LIMIT_S = 300.0
PUBLISH_TRIES_MAX = 20


class Content(msgspec.Struct):
    provider: str = ""
    funds: dict[str, str] = {}


class Line(msgspec.Struct):
    id: str
    source: str
    data: Content

    @property
    def identity(self) -> bytes:
        return envelope.identity_of(self.source.encode(), self.id.encode())


_LINE = msgspec.json.Decoder(Line)


@dataclass
class Published:
    """What a file says, counted line by line."""

    accepted: set[bytes] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Fen, by provider and fund."""
    lines: int = 0

    def add(self, text: bytes, now_ms: int) -> None:
        self.lines += 1
        line = _LINE.decode(text)
        if drafts.check(text, now_ms=now_ms) is not None:
            self.refused.add(line.identity)
        elif line.identity not in self.accepted:
            self.accepted.add(line.identity)
            for fund, amount in line.data.funds.items():
                self.owed[line.data.provider, fund] += money.fen(amount)


@dataclass
class Kill:
    after_s: float
    part: str
    name: str
    pid: int


@dataclass
class Soak:
    data: Path
    events: int
    kills: int
    seed: int
    published: Published = field(default_factory=Published)
    killed: list[Kill] = field(default_factory=list)
    installed: set[bytes] = field(default_factory=set)
    """What is in the books of a new stack: who may say what."""
    interrupted: int = 0
    """How often publishing was broken off, and taken up again."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.began = time.monotonic()

    async def run(self, state: State) -> dict[str, Any]:
        say(f"seed {self.seed}: {self.events:,} events, {self.kills} kills")
        await booked(state)
        self.installed = await applied(state)
        for number, piece in enumerate(self.pieces(), 1):
            await asyncio.gather(self.publish(piece), self.kill(state))
            piece.unlink()
            say(f"{number} of {self.kills}: {self.published.lines:,} lines published, killed {self.killed[-1].name}")
        published_s = time.monotonic() - self.began
        in_time = await booked(state)
        say("everything is booked; proving it" if in_time else "not everything was booked in time")
        booked_s = time.monotonic() - self.began
        wrong = await self.compare(state)
        proof = await self.medfund("verify", "--json")
        return {
            "seed": self.seed,
            "kills": dict(Counter(kill.part for kill in self.killed)),
            "lines": self.published.lines,
            "accepted": len(self.published.accepted),
            "refused": len(self.published.refused),
            "yuan": money.yuan(sum(self.published.owed.values())),
            "publishing_interrupted": self.interrupted,
            "published_s": round(published_s, 1),
            "booked_s": round(booked_s, 1),
            "wrong": wrong,
            "proof": proof,
            "ok": in_time and not wrong and bool(proof.get("ok")),
        }

    def pieces(self) -> Iterator[Path]:
        """The city's file, one piece for each kill."""
        profile = profiles.PROFILES["xilingol"]
        count = sum(kind.count for kind in profile.visits)
        city = model.City(profile.scaled(str(self.events / count)), self.seed)
        share = city.count // 500
        file = Publication(city, Extras(late=share, duplicates=share, reversals=share, bad=share))
        now_ms = int(time.time() * 1000)
        lines = list(file.lines())
        size = -(-len(lines) // self.kills)
        for start in range(0, len(lines), size):
            piece = self.data / f"piece-{start}.jsonl"
            with piece.open("wb") as stream:
                for line in lines[start : start + size]:
                    self.published.add(line, now_ms)
                    stream.write(line)
            yield piece

    async def publish(self, piece: Path) -> None:
        """As a publisher does, who gives the same command again when it was broken off."""
        for _ in range(PUBLISH_TRIES_MAX):
            summary = await self.medfund("publish", str(piece), "--send-bad", "--json")
            if summary.get("outcome") == "published":
                return
            self.interrupted += 1
            await asyncio.sleep(1)
        raise SystemExit(f"{piece} could not be published: {summary}")

    async def medfund(self, *arguments: str) -> dict[str, Any]:
        """What a command of ours answers."""
        command = (sys.executable, "-m", "medfund.cli", *arguments, "--data", str(self.data))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError:
            answer = {"exit_code": process.returncode}
        return answer

    async def kill(self, state: State) -> None:
        """End one part as a power cut would, at a random moment. A part that is just being started is waited for."""
        part = self.random.choice(list(PARTS))
        name = self.random.choice(PARTS[part])
        await asyncio.sleep(self.random.uniform(0, MOMENT_S))
        process = await alive(state, name)
        process.signal(signal.SIGKILL)
        self.killed.append(Kill(round(time.monotonic() - self.began, 2), part, name, process.pid))

    async def compare(self, state: State) -> list[str]:
        """What differs between what was published and the books."""
        connection = await asyncpg.connect(state.administrator, server_settings={"search_path": "ledger"})
        try:
            found = await applied(state) - self.installed
            refused = {row[0] for row in await connection.fetch("select distinct identity from quarantine")}
            owed = await connection.fetch("""
                select party, fund, sum(credit - debit)::bigint from buckets where account = '2100'
                group by party, fund having sum(credit - debit) <> 0""")
        finally:
            await connection.close()
        wrong = []
        if found != self.published.accepted:
            missing, extra = self.published.accepted - found, found - self.published.accepted
            wrong.append(f"{len(missing)} events are not booked, {len(extra)} are booked and were not published")
        if refused != self.published.refused:
            wrong.append(f"{len(refused)} events were refused, {len(self.published.refused)} are bad")
        right = {key: fen for key, fen in self.published.owed.items() if fen}
        for provider, fund, fen in owed:
            if fen != (expected := right.pop((provider, fund), 0)):
                wrong.append(f"{provider} is owed {money.yuan(fen)} by {fund}, published were {money.yuan(expected)}")
        return [*wrong, *(f"{provider} is owed nothing by {fund}" for provider, fund in right)]


async def applied(state: State) -> set[bytes]:
    """The identities of what took effect, without what the stack says while it runs."""
    connection = await asyncpg.connect(state.administrator, server_settings={"search_path": "ledger"})
    try:
        rows = await connection.fetch("select identity from identities where topic not in ('ledger', 'time')")
    finally:
        await connection.close()
    return {row[0] for row in rows}


async def alive(state: State, name: str) -> Process:
    """The process of a part, as soon as there is one."""
    [part] = [part for part in state.parts if part.name == name]
    pid_file = Path(part.folder, f"{part.name}.pid")
    async with asyncio.timeout(RESTART_LIMIT_S):
        while (process := Process.kept_in(pid_file)) is None:  # noqa: ASYNC110 - another process starts it
            await asyncio.sleep(0.05)
    return process


async def booked(state: State) -> bool:
    """Wait until the API says that it is well and that nothing waits; False when that takes too long."""
    deadline = time.monotonic() + BOOKED_LIMIT_S
    while time.monotonic() < deadline:
        answer = await asyncio.to_thread(services.answer, state.api_port, services.HEALTH)
        health = json.loads(answer[1]) if answer else {}
        if health.get("status") == "ok" and health["lag"]["events"] == 0:
            return True
        await asyncio.sleep(0.5)
    return False


@contextmanager
def stack(data: Path) -> Iterator[State]:
    """A stack of our own on this machine, gone afterwards. Small batches give a kill more commits to hit."""
    os.environ["BATCH_RECORDS_MAX"] = "500"
    try:
        yield running.start_detached(data, workers=WORKERS)
    finally:
        running.stop(data)


@contextmanager
def folder(chosen: Path | None) -> Iterator[Path]:
    """The given folder, which stays, or a temporary one."""
    if chosen:
        yield chosen.absolute()
        return
    made = Path(tempfile.mkdtemp(prefix="medfund-soak-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--data", type=Path, help="a data folder that stays")
    parser.add_argument("--results", type=Path, help="where to write the result; `bench/results` unless told")
    chosen = parser.parse_args(arguments)
    with folder(chosen.data) as data, stack(data) as state:
        soak = Soak(data, chosen.events, chosen.kills, chosen.seed)
        result = asyncio.run(soak.run(state))
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    told = {"date": date, "commit": commit(), "machine": machine(), **result}
    results = chosen.results or RESULTS / f"soak-{date}.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
