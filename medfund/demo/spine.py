"""The spine: seven months of one city's settlements, published, booked, found again to the fen, and proved."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.table import Table

from medfund import codes, money
from medfund.city import command as city_command
from medfund.city import defects, model, profiles, publication
from medfund.demo.api import Api
from medfund.demo.stage import Stage

PROFILE = profiles.XILINGOL
SEED = 1
PAYABLE = "2100"
EXPENSE = "5001"
BASIC_FUNDS = ("310100", "390100")
"""Every visit touches exactly one of these, so they count the visits."""
LARGEST = 10
BUFFER_BYTES = 1 << 20


class Published(NamedTuple):
    """What went to the log, and the stretch of time in which it was sent and booked."""

    file: Path
    city: publication.Publication
    summary: dict[str, Any]
    began: float
    booked: float


def play(stage: Stage) -> None:
    """Show the whole way of a settlement, and check every step."""
    published = _publish(stage)
    finance = stage.api("finance")
    _trial_balance(stage, finance)
    _published_totals(stage, finance, published)
    largest = _largest_payables(stage, finance)
    _explained(stage, finance, largest)
    _twice_and_bad(stage, published)
    _verdict(stage)


def _publish(stage: Stage) -> Published:
    stage.heading(f"{PROFILE.zh} {PROFILE.name}: {PROFILE.first_day} to {PROFILE.last_day}")
    city = publication.Publication(model.City(PROFILE, SEED))
    file = stage.data / f"{PROFILE.name}.jsonl"
    _side_by_side(lambda: _write(city, file), stage.open)
    lines = city.summary.lines
    stage.say(f"A stack of its own runs at {stage.state.api}; the city is written to {file}.")
    began = time.monotonic()
    summary = stage.publish(file)
    sent = sum(summary["sent"].values())
    stage.say(f"Published {sent:,} events in {summary['seconds']:.1f} s: {sent / summary['seconds']:,.0f} a second.")
    booked = stage.booked(summary["positions"], api=stage.api("finance"))
    took = booked - began
    stage.say(f"Checked, published and booked after {took:.1f} s: {sent / took:,.0f} events a second end to end.")
    stage.figures |= {
        "events": sent,
        "published_per_second": round(sent / summary["seconds"]),
        "end_to_end_per_second": round(sent / took),
    }
    stage.check(
        f"all {lines['settlements']:,} settlements and {lines['agency']:,} events of the agency are on the log",
        sent == lines["settlements"] + lines["agency"],
    )
    return Published(file, city, summary, began, booked)


def _write(city: publication.Publication, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb", buffering=BUFFER_BYTES) as stream:
        city_command.write(city, stream)


def _side_by_side(first: Callable[[], object], second: Callable[[], object]) -> None:
    """Run one in a thread of its own while the other runs here; an error of either is raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            first()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    second()
    thread.join()
    if errors:
        raise errors[0]


def _trial_balance(stage: Stage, finance: Api) -> None:
    stage.heading("Trial balance per fund (OPS, yuan)")
    answer = finance.get("/v1/trial-balance", area=PROFILE.area)
    table = _table("fund", "account", ">debit", ">credit", ">balance")
    for fund in answer["funds"]:
        for i, account in enumerate(fund["accounts"]):
            name = f"{fund['fund']} {fund['fund_name']['en']}" if i == 0 else ""
            label = f"{account['account']} {account['account_name']['en']}"
            table.add_row(name, label, *(_grouped(account[side]) for side in ("debit", "credit", "balance")))
        table.add_row(
            "", "", *(_grouped(fund["totals"][side]) for side in ("debit", "credit", "balance")), style="bold"
        )
    stage.show(table)
    stage.check("every fund balances to 0.00", answer["balanced"] and bool(answer["funds"]))


def _published_totals(stage: Stage, finance: Api, published: Published) -> None:
    stage.heading("The published figures, found again in the books")
    rows = finance.get("/v1/turnover", area=PROFILE.area, account=PAYABLE)["rows"]
    visits: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for row in rows:
        paid[row["clr_type"]] += money.fen(row["credit"])
        if row["fund"] in BASIC_FUNDS:
            visits[row["clr_type"]] += row["events"]
    table = _table("visit", ">published visits", ">in the books", ">published yuan", ">in the books")
    for kind in PROFILE.visits:
        shown = (kind.count, visits[kind.clr_type], money.yuan(kind.paid), money.yuan(paid[kind.clr_type]))
        table.add_row(f"{kind.zh} {kind.name}", *(_grouped(str(number)) for number in shown))
    stage.show(table)
    for kind in PROFILE.visits:
        found = (visits[kind.clr_type], paid[kind.clr_type])
        stage.check(
            f"{kind.name}: visits and yuan are the published ones, to the fen", found == (kind.count, kind.paid)
        )
    by_fund = _by_fund(rows)
    written: Counter[str] = Counter()
    for (_, fund), total in published.city.summary.funds.items():
        written[fund] += total.paid
    stage.check("each fund was charged what the city's events say", by_fund == written)


def _by_fund(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row["fund"]] += money.fen(row["credit"])
    return found


def _largest_payables(stage: Stage, finance: Api) -> Sequence[tuple[str, str, int]]:
    """Shows the providers with the largest payables; provider, fund and amount of each largest part, largest first."""
    stage.heading(f"The {LARGEST} largest payables (yuan)")
    owed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in finance.pages("/v1/balances", "balances", area=PROFILE.area, account=PAYABLE):
        owed[row["party"]][row["fund"]] -= money.fen(row["balance"])
    largest = sorted(owed, key=lambda provider: (-owed[provider].total(), provider))[:LARGEST]
    funds = sorted({fund for provider in largest for fund in owed[provider]})
    table = _table("provider", *(f">{fund}" for fund in funds), ">all funds")
    for provider in largest:
        amounts = [owed[provider][fund] for fund in funds]
        table.add_row(provider, *(_grouped(money.yuan(amount)) for amount in (*amounts, sum(amounts))))
    stage.show(table)
    stage.say("  ".join(f"{fund} {codes.label(codes.FUNDS, fund).en}" for fund in funds))
    total = sum(amounts.total() for amounts in owed.values())
    stage.check(
        f"the payables of {len(owed)} providers add up to {_grouped(money.yuan(total))}",
        total == sum(kind.paid for kind in PROFILE.visits),
    )
    return [(provider, fund, amount) for provider in largest for fund, amount in owed[provider].most_common(1)]


def _explained(stage: Stage, finance: Api, largest: Sequence[tuple[str, str, int]]) -> None:
    provider, fund, amount = largest[0]
    stage.heading(f"Why {provider} is owed {_grouped(money.yuan(amount))} yuan by fund {fund}")
    balance = finance.get("/v1/explain", party=provider, fund=fund, account=PAYABLE, limit=1)
    line = balance["lines"][0]
    opened = finance.get("/v1/explain", line=line["id"])
    event = opened["events"][0]
    table = _table("step", "what", ">yuan")
    table.add_row("balance", f"account {PAYABLE}, fund {fund}", _grouped(balance["balance"]["credit"]))
    table.add_row("its lines", f"{balance['journal_lines']:,} journal lines", _grouped(balance["journal"]["credit"]))
    table.add_row(
        "one line", f"{line['id']}: {line['debit']} / {line['credit']}, {line['service_date']}", line["amount"]
    )
    table.add_row(
        "its events",
        f"{opened['events_total']} on the log, offsets {line['first_offset']} to {line['last_offset']}",
        opened["total"],
    )
    table.add_row("one event", f"{event['source']} {event['id']}, {event['time']}", event["amount"])
    stage.show(table)
    stage.copyable(msgspec.json.encode(event["data"]).decode())
    stage.check("the lines add up to the balance", balance["proved"])
    stage.check("booking the events of the line again makes the same line", opened["proved"])


def _twice_and_bad(stage: Stage, published: Published) -> None:
    stage.heading("One event twice, one event bad")
    sound = _last_line(published.file)
    bad = defects.spoiled(sound, defects.DEFECTS[0], id=f"{msgspec.json.decode(sound)['id'][:-4]}bad0")
    before = stage.api("finance").get("/v1/trial-balance", area=PROFILE.area)["funds"]
    for name, line in (("twice", sound), ("bad", bad)):
        _again(stage, line, name)
    after = stage.api("finance").get("/v1/trial-balance", area=PROFILE.area)["funds"]
    stage.check("neither moved the books", before == after)


def _again(stage: Stage, line: bytes, name: str) -> None:
    event = msgspec.json.decode(line)
    file = stage.data / f"{name}.jsonl"
    file.write_bytes(line)
    summary = stage.publish(file, send_bad=True)
    stage.booked(summary["positions"], api=stage.api("finance"))
    told = stage.api("operator").event(event["source"], event["id"])
    if name == "twice":
        place = told["accepted"]
        stage.say(
            f"{event['id']}, sent again: {told['outcome']} in lane {place['lane']} at offset {place['offset']}, "
            f"{told['duplicates']['count']} more without effect"
        )
        stage.check("the second one is a duplicate", (told["outcome"], told["duplicates"]["count"]) == ("accepted", 1))
    else:
        refusal = told["refusals"]["places"][0]
        stage.say(
            f"{event['id']}, one fen too much: {told['outcome']} in lane {refusal['lane']} at offset "
            f"{refusal['offset']}: {refusal['reason']} {refusal['reason_zh']}: {refusal['detail']}"
        )
        stage.check(
            "the bad one is refused for its reason",
            (told["outcome"], refusal["reason"]) == ("refused", defects.DEFECTS[0].reason),
        )


def _last_line(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(-4096, 2)
        return stream.readlines()[-1]


def _verdict(stage: Stage) -> None:
    stage.heading("medfund verify")
    holds, report = stage.verify()
    table = _table("recounted from the log and from the journal", ">")
    for name in ("lanes", "records", "accepted", "repeats", "quarantined", "lines"):
        table.add_row(name, f"{report[name]:,}")
    stage.show(table)
    for problem in report["problems"]:
        stage.copyable(problem)
    stage.check("the books are proved", holds)


def _table(*columns: str) -> Table:
    """A table; a column whose title begins with > holds numbers."""
    table = Table(title=None, header_style="bold")
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table


def _grouped(number: str) -> str:
    """A number with its thousands apart."""
    whole, point, rest = number.removeprefix("-").partition(".")
    return f"{'-' if number.startswith('-') else ''}{int(whole):,}{point}{rest}"
