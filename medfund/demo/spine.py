"""The spine: seven months of one city's settlements, published, booked, found again to the fen, and proved."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from medfund import codes, money
from medfund.city import command as city_command
from medfund.city import defects, model, profiles, publication
from medfund.demo.api import Api
from medfund.demo.stage import Stage
from medfund.demo.tables import grouped, table

SEED = 1
PAYABLE = "2100"
BASIC_FUNDS = frozenset({"310100", "390100"})
"""Every visit touches exactly one of these, so they count the visits."""
LARGEST = 10
BUFFER_BYTES = 1 << 20
TAIL_BYTES = 4096
"""More than the last line of a file has."""


def play(stage: Stage) -> None:
    """Show the whole way of a settlement, and check every step."""
    Spine(stage).play()


class Spine:
    """One play of the chapter."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.profile = profiles.XILINGOL.scaled(stage.scale)
        self.city = publication.Publication(model.City(self.profile, SEED))
        self.file = stage.data / f"{self.profile.name}.jsonl"
        self.finance: Api

    def play(self) -> None:
        self._open()
        self._publish()
        self._trial_balance()
        self._published_figures()
        self._explained(self._largest_payables())
        self._twice_and_bad()
        self._verdict()

    def _open(self) -> None:
        profile = self.profile
        self.stage.heading(f"{profile.zh} {profile.name}: {profile.first_day} to {profile.last_day}")
        _side_by_side(self._write, self.stage.open)
        self.finance = self.stage.api("finance")
        self.stage.say(f"A stack of its own runs at {self.stage.state.api}; the city is written to {self.file}.")

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("wb", buffering=BUFFER_BYTES) as stream:
            city_command.write(self.city, stream)

    def _publish(self) -> None:
        stage, lines = self.stage, self.city.summary.lines
        began = time.monotonic()
        summary = stage.publish(self.file)
        sent = sum(summary["sent"].values())
        stage.say(
            f"Published {sent:,} events in {summary['seconds']:.1f} s: {sent / summary['seconds']:,.0f} a second."
        )
        took = stage.booked(summary["positions"], api=self.finance) - began
        stage.say(
            f"Checked, published and booked in {took:.1f} s: {sent / took:,.0f} events a second from file to books."
        )
        stage.figures |= {
            "events": sent,
            "published_per_second": round(sent / summary["seconds"]),
            "file_to_books_per_second": round(sent / took),
        }
        stage.check(
            f"all {lines['settlements']:,} settlements and {lines['agency']:,} events of the agency are on the log",
            # The area's one policy goes into every lane.
            sent == lines["settlements"] + lines["agency"] - 1 + len(stage.lanes),
        )

    def _trial_balance(self) -> None:
        self.stage.heading("Trial balance per fund (accrual book, yuan)")
        answer = self.finance.get("/v1/trial-balance", area=self.profile.area)
        shown = table("fund", "account", ">debit", ">credit", ">balance")
        for fund in answer["funds"]:
            for i, account in enumerate(fund["accounts"]):
                name = "" if i else f"{fund['fund']} {fund['fund_name']['en']}"
                shown.add_row(name, f"{account['account']} {account['account_name']['en']}", *_sides(account))
            shown.add_row("", "", *_sides(fund["totals"]), style="bold")
        self.stage.show(shown)
        self.stage.check("every fund balances to 0.00", answer["balanced"] and bool(answer["funds"]))

    def _published_figures(self) -> None:
        stage = self.stage
        stage.heading("The published figures, found again in the books")
        rows = self.finance.get("/v1/turnover", area=self.profile.area, account=PAYABLE)["rows"]
        paid = _summed(rows, "clr_type")
        visits: Counter[str] = Counter()
        for row in rows:
            visits[row["clr_type"]] += row["events"] if row["fund"] in BASIC_FUNDS else 0
        shown = table("visit", ">published visits", ">in the books", ">published yuan", ">in the books")
        for kind in self.profile.visits:
            row = (kind.count, visits[kind.clr_type], money.yuan(kind.paid), money.yuan(paid[kind.clr_type]))
            shown.add_row(f"{kind.zh} {kind.name}", *(grouped(str(number)) for number in row))
        stage.show(shown)
        for kind in self.profile.visits:
            found = visits[kind.clr_type], paid[kind.clr_type]
            claim = f"{kind.name}: visits and yuan are the published ones, to the fen"
            stage.check(claim, found == (kind.count, kind.paid))
        written: Counter[str] = Counter()
        for (_, fund), total in self.city.summary.funds.items():
            written[fund] += total.paid
        stage.check("each fund was charged what the city's events say", _summed(rows, "fund") == written)

    def _largest_payables(self) -> tuple[str, str, int]:
        """Shows them; the largest part of the largest: provider, fund, amount."""
        stage = self.stage
        stage.heading(f"The {LARGEST} largest payables (yuan)")
        owed: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in self.finance.pages("/v1/balances", "balances", area=self.profile.area, account=PAYABLE):
            owed[row["party"]][row["fund"]] -= money.fen(row["balance"])
        largest = sorted(owed, key=lambda provider: (-owed[provider].total(), provider))[:LARGEST]
        funds = sorted({fund for provider in largest for fund in owed[provider]})
        shown = table("provider", *(f">{fund}" for fund in funds), ">all funds")
        for provider in largest:
            amounts = [owed[provider][fund] for fund in funds]
            shown.add_row(provider, *(grouped(money.yuan(amount)) for amount in (*amounts, sum(amounts))))
        stage.show(shown)
        stage.say(", ".join(f"{fund} {codes.label(codes.FUNDS, fund).en}" for fund in funds))
        total = sum(amounts.total() for amounts in owed.values())
        claim = f"the payables of {len(owed)} providers add up to {grouped(money.yuan(total))}"
        stage.check(claim, total == sum(kind.paid for kind in self.profile.visits))
        (fund, amount), *_ = owed[largest[0]].most_common(1)
        return largest[0], fund, amount

    def _explained(self, payable: tuple[str, str, int]) -> None:
        stage, (provider, fund, amount) = self.stage, payable
        stage.heading(f"Why {provider} is owed {grouped(money.yuan(amount))} yuan by fund {fund}")
        balance = self.finance.get("/v1/explain", party=provider, fund=fund, account=PAYABLE, limit=1)
        opened = self.finance.get("/v1/explain", line=balance["lines"][0]["id"])
        line, event = opened["line"], opened["events"][0]
        steps = (
            ("the balance", f"account {PAYABLE}, fund {fund}", balance["balance"]["credit"]),
            ("its lines", f"{balance['journal_lines']:,} in the journal", balance["journal"]["credit"]),
            ("one line", f"{line['id']}: {line['debit']} / {line['credit']}, {line['service_date']}", line["amount"]),
            (
                "its events",
                f"{opened['events_total']:,} on the log, from offset {line['first_offset']}",
                opened["total"],
            ),
            ("one event", f"{event['id']} of {event['time']}", event["amount"]),
        )
        shown = table("step", "what", ">yuan")
        for step, what, yuan in steps:
            shown.add_row(step, what, grouped(yuan))
        stage.show(shown)
        stage.copyable(msgspec.json.encode(event["data"]).decode())
        stage.check("the lines add up to the balance", balance["proved"])
        stage.check("booking the events of the line again makes the same line", opened["proved"])

    def _twice_and_bad(self) -> None:
        stage = self.stage
        stage.heading("One event twice, one event bad")
        before = self.finance.get("/v1/trial-balance", area=self.profile.area)["funds"]
        sound = self._last_line()
        self._twice(sound)
        self._bad(defects.spoiled(sound, defects.DEFECTS[0], id="one-fen-too-much"))
        after = self.finance.get("/v1/trial-balance", area=self.profile.area)["funds"]
        stage.check("neither moved the books", before == after)

    def _twice(self, line: bytes) -> None:
        told = self._sent(line, "twice")
        place, repeats = told["accepted"], told["duplicates"]["count"]
        self.stage.say(f"{told['id']}: {told['outcome']} in lane {place['lane']} at offset {place['offset']}")
        self.stage.say(f"sent again: {repeats} delivery more, without effect")
        self.stage.check("the second one is a duplicate", (told["outcome"], repeats) == ("accepted", 1))

    def _bad(self, line: bytes) -> None:
        told = self._sent(line, "bad")
        refusal = told["refusals"]["places"][0]
        self.stage.say(f"{told['id']}: {told['outcome']} in lane {refusal['lane']} at offset {refusal['offset']}")
        self.stage.say(f"{refusal['reason']} {refusal['reason_zh']}: {refusal['detail']}")
        found = told["outcome"], refusal["reason"]
        self.stage.check("the bad one is refused for its reason", found == ("refused", defects.DEFECTS[0].reason))

    def _sent(self, line: bytes, name: str) -> Any:
        """Publish one line, and ask what became of it."""
        event = msgspec.json.decode(line)
        file = self.stage.data / f"{name}.jsonl"
        file.write_bytes(line)
        self.stage.booked(self.stage.publish(file, send_bad=True)["positions"], api=self.finance)
        return self.stage.api("operator").event(event["source"], event["id"])

    def _last_line(self) -> bytes:
        with self.file.open("rb") as stream:
            stream.seek(-TAIL_BYTES, 2)
            return stream.readlines()[-1]

    def _verdict(self) -> None:
        self.stage.heading("medfund verify")
        holds, report = self.stage.verify()
        shown = table("recounted from the log and from the journal", ">")
        for problem in report.pop("problems"):
            self.stage.copyable(problem)
        for name, number in report.items():
            shown.add_row(name, f"{number:,}")
        self.stage.show(shown)
        self.stage.check("the books are proved", holds)


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


def _summed(rows: Sequence[Mapping[str, Any]], name: str) -> Counter[str]:
    """Credit in fen by one member of the rows."""
    found: Counter[str] = Counter()
    for row in rows:
        found[row[name]] += money.fen(row["credit"])
    return found


def _sides(amounts: Mapping[str, str]) -> list[str]:
    return [grouped(amounts[side]) for side in ("debit", "credit", "balance")]
