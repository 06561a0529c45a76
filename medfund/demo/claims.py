"""Claims: a hospital's month paid within 15 working days over the Spring Festival, another one's overpaid month, and a
third one's week of daily payments with reversals. The numbers are those of the rules (domain.md R1.4 to R1.6).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from medfund import calendar, money
from medfund.city import model, profiles
from medfund.city.lines import POLICY
from medfund.demo import door as door_of_money
from medfund.demo.api import Api
from medfund.demo.door import Door
from medfund.demo.stage import Stage
from medfund.demo.tables import grouped, table
from medfund.demo.world import Fens, World
from medfund.events.agency import policy_hash

SEED = 1
CLAIMED = {"310100": 210_000_037, "310200": 45_678_912, "390100": 88_000_000, "610100": 1_999_963}
"""The month of R1.5."""
MONTH, OVERPAID = "202601-310-21", "202601-310-21-over"
WEEK = [  # day of January, settled, of which the first settlement of the week is reversed
    (12, 3_000_000, False),
    (13, 2_850_000, False),
    (14, 600_000, True),
    (15, 3_100_000, False),
    (16, 4_500_000, False),
]
SUBMITTED, PAID_AT_ONCE, AUDITED, PAID = date(2026, 2, 6), date(2026, 2, 11), date(2026, 3, 3), date(2026, 3, 5)
RETURNED = date(2026, 3, 6)
FUNDS, IN_EACH, UNKNOWN = tuple(CLAIMED), 1_000_000_000, 12_345
LAST_DAY = date(2026, 3, 10)


def play(stage: Stage) -> None:
    """Show a claim's life, and check every step."""
    Claims(stage).play()


class Claims:
    """One play of the chapter."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.area = profiles.XILINGOL.area
        self.world = World(self.area)
        self.month, self.overpaid, self.week = model.City(profiles.XILINGOL, SEED).providers[:3]
        self.finance: Api
        self.books: Api
        self.large: dict[str, str] = {}
        """By hospital: its largest settlement of the month."""
        self.door: Door
        self.published = 0

    def play(self) -> None:
        stage = self.stage
        stage.heading("Claims: what a hospital is owed, within 15 working days")
        if not stage.is_open:
            stage.open()
        self.finance, self.books = stage.api("finance", service="clearing"), stage.api("finance")
        self._begin()
        self._daily()
        self._claimed()
        self._audited()
        self._months()
        self._statement()
        self._money()
        self._books()
        self.door.close()

    # -- what happens

    def _begin(self) -> None:
        """The policy of 2026, the hospitals, and what two of them settled in January."""
        self.stage.say("Three hospitals settle January, and one of them is paid day by day ...")
        world, parameters = self.world, {**POLICY, "clock.warn_days": "3"}
        world.policy(
            {
                "area": self.area,
                "valid_from": "2026-01-01",
                "hash": policy_hash(parameters),
                "parameters": parameters,
                "approvers": ["staff-7c41", "staff-02e9"],
            }
        )
        hospitals = (self.month, self.overpaid, self.week)
        for hospital in hospitals:
            world.register(hospital.code, hospital.uscc)
        self.door = Door(self.stage, world, dict.fromkeys(FUNDS, IN_EACH), date(2026, 1, 12))
        self.door.begin([hospital.code for hospital in hospitals])
        self._sent()
        for hospital in (self.month, self.overpaid):
            settled = [
                world.settle(hospital.code, date(2026, 1, 2 + number), part)
                for number, part in enumerate(parts(CLAIMED, 20))
            ]
            self.large[hospital.code] = settled[0]

    def _daily(self) -> None:
        """A batch a day, paid on the next working day but one; Wednesday's reversals are more than its settlements."""
        world, code = self.world, self.week.code
        first = ""
        for number, fen, reverses in WEEK:
            day = date(2026, 1, number)
            own = world.settle(code, day, {"310100": fen})
            first = first or own
            if reverses:
                world.settle(code, day, {"310100": WEEK[0][1]}, reverses=first)
            self._sent()
            world.submit(daily(number), code, day, day, day + timedelta(days=1), mode="DAY")
            self._sent()
            world.open_days(day + timedelta(days=1), day + timedelta(days=2))
            self._sent()
            self.door.pay(calendar.shipped().next_working_day(day + timedelta(days=2)))

    def _claimed(self) -> None:
        """The month is claimed, and on the next working day its P1 is approved; the bank pays it."""
        self.stage.say("Two of them claim the month. The larger part is approved and paid at once ...")
        world = self.world
        for batch, hospital in ((MONTH, self.month), (OVERPAID, self.overpaid)):
            world.submit(batch, hospital.code, date(2026, 1, 1), date(2026, 1, 31), SUBMITTED, mode="MONTH")
        self._sent()
        world.open_days(date(2026, 1, 19), PAID_AT_ONCE)
        self._sent()
        self.door.pay(PAID_AT_ONCE)

    def _audited(self) -> None:
        """Findings, an appeal that is upheld in part, the end of the audit; the bank pays the rest."""
        self.stage.say("The month is audited: a finding, an appeal, and what is left to be paid ...")
        world, month, over = self.world, self.month.code, self.overpaid.code
        world.find(MONTH, "F-1", month, date(2026, 2, 13), self.large[month], {"310100": 4_123_055})
        self._sent()
        contesting = self.stage.api("provider", service="clearing", organisations=[month])
        appeal = {"appeal": "2026-001", "batch": MONTH, "finding": "F-1", "provider": month, "reason": "与病程记录一致"}
        outcome = contesting.command("/v1/appeals", **appeal)
        self.stage.check(
            "the hospital contests a finding over HTTP, and is told that it counts", outcome["state"] == "DONE"
        )
        world.uphold(MONTH, "F-1", month, date(2026, 2, 27), {"310100": 1_200_000})
        world.open_days(PAID_AT_ONCE + timedelta(days=1), AUDITED)
        self._sent()
        world.finish_audit([MONTH], month, AUDITED, {"310100": 2_923_055})
        world.finish_audit([OVERPAID], over, AUDITED, {"310100": 42_000_000})
        world.finish_audit([daily(number) for number, _, _ in WEEK], self.week.code, AUDITED, {})
        self._sent()
        self.door.pay(PAID)
        self._returned()
        world.open_days(AUDITED + timedelta(days=1), LAST_DAY)
        self._sent()

    def _returned(self) -> None:
        """One payment comes back and is paid again on the same day; one line of the bank says nothing to anybody."""
        door, on = self.door, RETURNED
        door.bank.to_day(on, quiet=True)
        back = door.paid(self.month.code, "610100")
        door.bank.give_back(back["end_to_end_id"], code="AC04")
        door.bank.credit(door_of_money.number("310100"), amount=UNKNOWN, text="来账，附言不详")
        door.until(lambda: door.queue("returned"), "the payment is back")
        door.retried(back["provider"], back["payment"])
        door.pay(on)
        door.bank.close_day()
        door.until(lambda: self._statements() == len(FUNDS), "the statements of the day are taken in")

    def _statements(self) -> int:
        told = (account["statement"] for _, account in self._accounts())
        return sum(bool(statement and statement["day"] == f"{RETURNED}") for statement in told)

    def _accounts(self) -> list[tuple[str, Any]]:
        """The bank accounts of the area, with their funds."""
        funds = self.books.get("/v1/cash", area=self.area)["funds"]
        return [(fund["fund"], account) for fund in funds for account in fund["accounts"]]

    def _sent(self) -> None:
        """Publish what was said, and wait until both services have taken it."""
        said = self.world.taken()
        if not said:
            return
        self.published += 1
        file = Path(self.stage.data) / f"claims-{self.published:02d}.jsonl"
        file.write_bytes(b"".join(said))
        positions = self.stage.publish(file)["positions"]
        self.stage.booked(positions, api=self.finance, path="/v1/claims")
        self.stage.booked(positions, api=self.books)

    # -- what is shown

    def _months(self) -> None:
        stage = self.stage
        stage.say("The clock of the month: cut-off 2026-02-10, the holiday from 02-15 to 02-23, two worked Saturdays.")
        shown = table("batch", ">claimed", ">at once", ">deducted", ">bond", ">rest paid", "due", "paid")
        claims = {batch: self._claim(batch, code.code) for batch, code in self._batches()}
        for batch, claim in claims.items():
            totals, payments = claim["totals"], claim["payments"]
            rest = paid_after_audit(claim)
            last = max((one["value_date"] or "" for one in payments), default="")
            amounts = (*(totals[name] for name in ("claimed", "p1", "deducted", "bond")), money.yuan(rest))
            shown.add_row(batch, *map(grouped, amounts), claim["due"], last)
        stage.show(shown)
        self._figures(claims)

    def _batches(self) -> Sequence[tuple[str, model.Provider]]:
        return [(MONTH, self.month), (OVERPAID, self.overpaid), *((daily(number), self.week) for number, _, _ in WEEK)]

    def _figures(self, claims: Mapping[str, Any]) -> None:
        check, month, over = self.stage.check, claims[MONTH], claims[OVERPAID]
        check("the P1 of the month is 3,111,110.21", month["totals"]["p1"] == "3111110.21")
        check("its bond is 147,538.49", month["totals"]["bond"] == "147538.49")
        check("its rest is 168,909.87", paid_after_audit(month) == money.fen("168909.87"))
        check("it was due on 2026-03-09 and paid in full before", month["due"] == "2026-03-09" and month["paid"])
        carried = {fund["fund"]: fund["advance"] for fund in over["funds"]}
        check("what was overpaid, 293,999.98, stays open in its fund", carried["310100"] == "293999.98")
        check("and 91,678.87 are paid in the other funds", paid_after_audit(over) == money.fen("91678.87"))
        days = [claims[daily(number)]["totals"]["p1"] for number, _, _ in WEEK]
        paid = [sum(money.fen(one["total"]) for one in claims[daily(number)]["payments"] if one["purpose"] == "INSTANT")
                for number, _, _ in WEEK]  # fmt: skip
        check(f"a day of {days[2]} is not paid, and the next day makes it good", paid[2] == 0 and paid[3] == 630_000)
        late = self.finance.get("/v1/claims", area=self.area, as_of=f"{LAST_DAY}", overdue="true")["claims"]
        check("nothing that is to be paid is overdue", late == [])

    def _claim(self, batch: str, provider: str) -> Any:
        return self.finance.get(f"/v1/claims/{provider}/{batch}")

    def _statement(self) -> None:
        stage = self.stage
        stage.heading(f"The statement of {MONTH} for {self.month.code}")
        statement = self.finance.get(f"/v1/claims/{self.month.code}/{MONTH}/statement")
        for section in statement["sections"]:
            shown = table(f"{section['name']['zh']} {section['name']['en']}", "", ">yuan")
            for line in section["lines"]:
                what = f"{line['name']['zh']} {line['name']['en']}"
                shown.add_row(what, f"{line['reference']} {line['detail']}".strip(), grouped(line["total"]))
            result = f"{section['result']['zh']} {section['result']['en']}"
            shown.add_row(result, "", grouped(section["total"]), style="bold")
            stage.show(shown)
        stage.copyable(f"As a page: {self.finance.address}/v1/claims/{self.month.code}/{MONTH}/statement?format=html")
        stage.copyable(f"As a sheet: {self.finance.address}/v1/claims/{self.month.code}/{MONTH}/statement?format=xlsx")

    def _money(self) -> None:
        """The bank's day against the books' day."""
        stage, door = self.stage, self.door
        stage.heading(f"The bank's day, {RETURNED}: every account against the books")
        cash = self.books.get("/v1/cash", area=self.area)
        shown = table("fund", "account", ">books", ">bank", ">difference")
        for fund, account in self._accounts():
            if statement := account["statement"]:
                shown.add_row(fund, account["account"], grouped(statement["books"]), grouped(statement["closing"]),
                              grouped(statement["difference"]))  # fmt: skip
        stage.show(shown)
        stage.check("the day ends at zero difference, in both books", cash["agrees"])
        asked = {(one.asked, one.paid) for one in door.bank.payments.values()}
        stage.check(f"the bank was asked for {len(door.bank.payments)} payments, each once, and paid each once",
                    asked == {(1, 1)})  # fmt: skip
        items = self.finance.get("/v1/suspense", area=self.area, open="true", as_of=f"{LAST_DAY}")["items"]
        for item in items:
            stage.say(f"In suspense: {item['direction']} {item['amount']} of {item['value_date']}, {item['reason']}")
        stage.check("one line of the bank is unknown, and in suspense", [one["amount"] for one in items] == ["123.45"])

    def _books(self) -> None:
        stage = self.stage
        stage.heading("The books of the three hospitals (accrual, yuan)")
        shown = table("hospital", "account", ">balance")
        found: dict[str, Fens] = {}
        for hospital in (self.month, self.overpaid, self.week):
            found[hospital.code] = balances(self.books, hospital.code)
            for account, fen in sorted(found[hospital.code].items()):
                shown.add_row(hospital.code, account, grouped(money.yuan(fen)))
        stage.show(shown)
        stage.check("the month ends as the rule proves", found[self.month.code] == {
            "1002": -money.fen("3280020.08"), "2103": -money.fen("147538.49"), "5001": money.fen("3427558.57"),
        })  # fmt: skip
        answer = self.books.get("/v1/trial-balance", area=self.area)
        stage.check("every fund of the area balances to 0.00", answer["balanced"])
        holds, report = stage.verify()
        stage.check(f"the books are proved, and {report['open_items']} open items are their control accounts", holds)


def parts(amounts: Fens, count: int) -> list[Fens]:
    """Some settlements that add up to a month; the odd fen are in the first."""
    each = {fund: fen // (2 * count) for fund, fen in amounts.items()}
    rest = {fund: fen - each[fund] * (count - 1) for fund, fen in amounts.items()}
    return [rest, *[each] * (count - 1)]


def daily(number: int) -> str:
    return f"202601{number:02d}-310-21"


def paid_after_audit(claim: Mapping[str, Any]) -> int:
    """What left the bank and did not come back."""
    after = [one for one in claim["payments"] if one["purpose"] == "PAYABLE"]
    return sum(summed(one["settled"]) - summed(one["returned"]) for one in after)


def summed(parts: Sequence[Mapping[str, Any]]) -> int:
    return sum(money.fen(part["amount"]) for part in parts)


def balances(books: Api, provider: str) -> dict[str, int]:
    """Account -> fen, debit less credit, of care from 2026 on: over all funds."""
    found: dict[str, int] = {}
    for row in books.pages("/v1/balances", "balances", party=provider):
        found[row["account"]] = found.get(row["account"], 0) + money.fen(row["balance"])
    before: dict[str, int] = {}
    for row in books.pages("/v1/balances", "balances", party=provider, as_of="2025-12-31"):
        before[row["account"]] = before.get(row["account"], 0) + money.fen(row["balance"])
    left = {account: fen - before.get(account, 0) for account, fen in found.items()}
    return {account: fen for account, fen in left.items() if fen}
