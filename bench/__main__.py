"""`make bench`: what the product reaches on this machine, as a table and as `bench/results/latest.json`.

Everything is measured in one run against real servers on the same machine; compare within a run, not between runs.
"""

import argparse
import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import drain, exports, history, idle, latency, payments, prepayments, purchases, reads
from bench.ground import Ground
from bench.saying import RESULTS, commit, machine, say

WORKERS = os.cpu_count() or 2
PARTS = {"drain", "exports", "history", "idle", "latency", "payments", "prepayments", "purchases", "reads"}


@dataclass
class Result:
    name: str
    value: float
    unit: str
    bar: str
    holds: bool | None


def at_least(name: str, value: float, unit: str, bar: float) -> Result:
    return Result(name, round(value, 2), unit, f">= {bar:g}", value >= bar)


def at_most(name: str, value: float, unit: str, bar: float) -> Result:
    return Result(name, round(value, 2), unit, f"<= {bar:g}", value <= bar)


def measured(name: str, value: float, unit: str) -> Result:
    return Result(name, round(value, 2), unit, "", None)


async def bench(
    ground: Ground,
    results: list[Result],
    *,
    scale: str,
    lines: int,
    paid: int,
    providers: int,
    exported: int,
    turns: int,
    bought: int,
    only: set[str],
) -> None:
    """Adds to `results` as it goes: what was measured is told, also when a later part fails."""
    if "idle" in only:
        say("a stack that nobody asks anything")
        results += resting(await asyncio.to_thread(idle.measure, ground.folder / "idle"))
    if only - {"idle", "history"}:
        await ground.start()
    if only & {"drain", "latency"}:
        say(f"publishing a backlog (one month of a city x {scale})")
        results.append(measured("backlog", await ground.publish_city(scale=scale), "settlements"))
    if "drain" in only:
        results += await draining(ground)
    if "latency" in only:
        say("publish to visible at 2,800 a second")
        visible = await latency.measure(ground)
        results += [
            measured("publish to visible, p50", visible["p50"], "ms"),
            at_most("publish to visible, p99", visible["p99"], "ms", 250),
        ]
    if "exports" in only:
        say(f"an export of {exported:,} settlements, and the JSON lines of them")
        results += exporting(await asyncio.to_thread(exports.measure, ground, count=exported))
    if "history" in only:
        say("a month's history, and a hundred times it")
        results += remembering(await history.measure(ground.folder / "history", turns=turns))
    if "prepayments" in only:
        say(f"a plan of prepayments over {providers:,} providers, and their year's end")
        results += advancing(await prepayments.measure(ground, providers=providers))
    if "payments" in only:
        say(f"a run of {paid // 10:,} payments and one of {paid:,}, and the bank's statements of them")
        results += paying(*await payments.measure(ground, count=paid))
    if "purchases" in only:
        say(f"{bought:,} lines of orders, from the log to what is requested for them")
        results += buying(await purchases.measure(ground, lines=bought))
    if "reads" in only:
        say(f"filling a journal with {lines:,} lines, then reading balances")
        read = await reads.measure(ground, lines=lines)
        results += [
            measured("journal", read["lines"], "lines"),
            measured("balance read, p50", read["p50"], "ms"),
            at_most("balance read, p99", read["p99"], "ms", 20),
        ]


async def draining(ground: Ground) -> list[Result]:
    say("a tenth of the backlog, one worker")
    tenth = await drain.measure_drain(ground, workers=1, share=0.1)
    say("the whole backlog, one worker")
    one = await drain.measure_drain(ground, workers=1)
    say("the whole backlog, one clearing worker")
    clearing = await drain.measure_drain(ground, workers=1, service="clearing")
    say(f"the whole backlog, {WORKERS} workers")
    many = await drain.measure_drain(ground, workers=WORKERS)
    say(f"the floor, {WORKERS} processes")
    floor = await drain.measure_floor(ground, processes=WORKERS)
    return [
        measured("floor: read and COPY, nothing else", floor, "records/s"),
        at_least(f"drained by {WORKERS} workers", many.per_second, "events/s", 40_000),
        measured("drained by one worker", one.per_second, "events/s"),
        at_least("drained against the floor", many.per_second / floor, "of the floor", 0.6),
        measured(f"{WORKERS} workers against one", many.per_second / one.per_second, "times"),
        measured("processor time of a record, ledger", one.processor_us, "µs"),
        measured("processor time of a record, clearing", clearing.processor_us, "µs"),
        at_most("a settlement costs clearing", clearing.processor_us / one.processor_us, "x the ledger's", 1.5),
        at_most("memory of a worker, whole backlog", max(one.peak_mib, many.peak_mib, clearing.peak_mib), "MiB", 400),
        at_most("memory, whole backlog against a tenth", one.peak_mib / tenth.peak_mib, "times", 1.25),
    ]


def resting(found: idle.Idle) -> list[Result]:
    return [
        at_most("idle: processor time of all processes", found.processor_percent, "% of a core", 8),
        *[measured(f"idle: {part.name}", part.processor_percent, "% of a core") for part in found.parts],
        measured(
            "idle: memory of all processes, without what they share", sum(part.mib for part in found.parts), "MiB"
        ),
        measured("idle: connections to the broker", found.connections, "connections"),
    ]


def paying(tenth: payments.Way, full: payments.Way) -> list[Result]:
    run = ("plan", "decide", "send")
    return [
        measured("payments of a run", full.month.count, "payments"),
        measured("run: planned", full.seconds("plan"), "s"),
        measured("run: decided by all lanes, and on the log", full.seconds("decide"), "s"),
        measured("run: file written, validated, handed over", full.seconds("send"), "s"),
        at_most("run: in all", full.seconds(*run), "s", 30),
        measured("run: processor time", full.processor_s(*run), "s"),
        measured("statement: read and validated", full.seconds("read"), "s"),
        at_most("statement: matched, and on the log", full.matched_s("first"), "s", 30),
        measured("statement: settled by all lanes", full.seconds("first"), "s"),
        measured("statement: processor time", full.processor_s("first"), "s"),
        at_most("statement, when all was known: matched", full.seconds("again"), "s", 30),
        measured("statement, when all was known: processor time", full.processor_s("again"), "s"),
        *remembered(tenth, full, "bank process that sends", "send", "peak_mib"),
        *remembered(tenth, full, "bank process that takes", "first", "peak_mib"),
        *remembered(tenth, full, "largest worker of clearing", "again", "worker_mib"),
    ]


def exporting(took: exports.Took) -> list[Result]:
    return [
        measured("export of an interface: checked and sent", min(took.export_s), "s"),
        at_least("export against its JSON lines", took.ratio, "of their rate", 0.8),
        at_most("memory, export against a fifth", max(took.mib) / took.fifth_mib, "times", 1.1),
    ]


def remembering(took: history.Took) -> list[Result]:
    found = []
    for what, seconds in took.short.items():
        found.append(measured(f"{what}, at one time the history", seconds * 1000, "ms"))
        found.append(at_most(f"{what}, at {took.times} times against one", took.ratio(what), "times", 1.5))
    return found


def advancing(took: prepayments.Took) -> list[Result]:
    return [
        at_most(f"plan of prepayments, {took.providers:,} providers and three years", took.seconds["plan"], "s", 10),
        measured("plan: published and approved by all lanes", took.seconds["publish"], "s"),
        at_most("prepayments: year's end", took.seconds["year end"], "s", 5),
    ]


PAPERS = 4
"""Each line of an order stands on its order, its shipment, its acceptance and its invoice."""


def buying(took: purchases.Took) -> list[Result]:
    run = took.full
    return [
        measured("purchases", took.lines, "lines of orders"),
        at_most("purchases: matched, requested, booked", run.seconds, "s", 120),
        measured(f"a plan of {took.statements:,} statements", run.planned_s, "s"),
        measured("processor time of a line, direct payment's worker", took.per_line(run.cost.worker_s), "µs"),
        measured("processor time of a line, its database", took.per_line(run.cost.database_s), "µs"),
        measured("processor time of a line, ledger and its database", took.per_line(run.ledger.seconds), "µs"),
        measured(
            "processor time of a settlement, clearing's worker", took.per_settlement(took.settling.worker_s), "µs"
        ),
        measured("processor time of a settlement, its database", took.per_settlement(took.settling.database_s), "µs"),
        at_most("a line costs direct payment", took.ratio, "x a settlement in clearing", 1),
        measured("and each line of its papers", took.ratio / PAPERS, "x a settlement in clearing"),
        at_most("memory of its worker, against a tenth", run.peak_mib / took.tenth.peak_mib, "times", 1.25),
        measured("memory of its worker", run.peak_mib, "MiB"),
        at_most(f"a statement of {took.large:,} lines", took.large_s, "s", 2),
    ]


def remembered(tenth: payments.Way, full: payments.Way, whose: str, step: str, what: str) -> list[Result]:
    peak = full.steps[step][what]
    return [
        measured(f"memory, {whose}", peak, "MiB"),
        measured(f"memory, {whose}, against a tenth", peak / tenth.steps[step][what], "times"),
    ]


def tell(results: list[Result]) -> None:
    table = Table("what", "measured", "unit", "bar", "holds")
    for result in results:
        holds = "" if result.holds is None else ("yes" if result.holds else "no")
        table.add_row(result.name, f"{result.value:,.2f}", result.unit, result.bar, holds)
    Console().print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", default="0.7", help="size of the backlog: 1 is 1,412,480 settlements")
    parser.add_argument("--lines", type=int, default=10_000_000, help="size of the journal that is read from")
    parser.add_argument("--payments", type=int, default=payments.FULL, help="size of the run that goes to the bank")
    parser.add_argument("--providers", type=int, default=prepayments.PROVIDERS, help="size of the plan of prepayments")
    parser.add_argument("--exported", type=int, default=exports.FULL, help="rows of the export that is published")
    parser.add_argument("--bought", type=int, default=purchases.FULL, help="lines of orders that are bought")
    parser.add_argument("--turns", type=int, default=history.TURNS, help="how often each history is asked")
    parser.add_argument("--data", type=Path, default=Path(".data/bench"), help="a folder for the servers; emptied")
    parser.add_argument("--results", type=Path, help="where to write the result; `bench/results` unless told")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="part; may be repeated")
    chosen = parser.parse_args()
    parts = set(chosen.only or PARTS)
    ground = Ground(chosen.data.absolute())
    results: list[Result] = []
    try:
        sizes = {
            "scale": chosen.scale, "lines": chosen.lines, "paid": chosen.payments, "providers": chosen.providers,
            "exported": chosen.exported, "turns": chosen.turns, "bought": chosen.bought,
        }  # fmt: skip
        asyncio.run(bench(ground, results, **sizes, only=parts))
    finally:
        ground.stop()
        tell(results)
        told = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": commit(), "machine": machine()}
        file = chosen.results or RESULTS / ("latest.json" if parts == PARTS else "partial.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**told, "results": list(map(asdict, results))}, indent=2) + "\n")
    return 0 if all(result.holds is not False for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
