"""Prepayments: about a month in advance where the fund can bear it, paid by the bank, taken back from October on; what
is left at the end of the year blocks the next one. The numbers are those of the rules (domain.md R2).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from medfund import codes, money
from medfund.city.lines import POLICY
from medfund.demo.api import Api
from medfund.demo.door import APPROVER, OFFICER, Door
from medfund.demo.stage import Stage
from medfund.demo.tables import grouped, table
from medfund.demo.world import World
from medfund.events.agency import policy_hash

AREA = "152200"
FIRST, SECOND = "H15220000001", "H15220000002"
EMPLOYEES, RESIDENTS = "310100", "390100"
SETTLED = 12_845_678_901
"""128,456,789.01 in 2024, of which a twelfth is the base."""
IN_EACH = 100_000_000_000
MONTHLY_CLAIM = 1_000_000_000
APPLIED, GRANTED, PAID = date(2025, 1, 6), date(2025, 3, 11), date(2025, 3, 12)
PAID_AT_ONCE = {9: date(2025, 10, 9), 10: date(2025, 11, 10), 11: date(2025, 12, 9)}
"""By month of care: the working day on which a part of its claim is paid."""
LAST, OVER = date(2025, 12, 31), date(2026, 1, 1)
"""The last day of the year, and the one with which it is over."""


def play(stage: Stage) -> None:
    """Show a year of prepayments, and check every step."""
    Prepayments(stage).play()


class Prepayments:
    """One play of the chapter."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.world = World(AREA)
        self.finance: Api
        self.books: Api
        self.door: Door
        self.published = 0

    def play(self) -> None:
        stage = self.stage
        stage.heading("Prepayments: about a month in advance, taken back to the fen")
        if not stage.is_open:
            stage.open()
            stage.area = AREA
        self.finance, self.books = stage.api("finance", service="clearing"), stage.api("finance")
        self._begin()
        self._apply()
        self._plan()
        self._pay()
        self._take_back()
        self._year_end()
        self.door.close()

    def _begin(self) -> None:
        """A policy, two hospitals that were paid as much in 2024, their grades, and how the funds stand."""
        world, parameters = self.world, {**POLICY, "prepayment.schedule": "STRAIGHT_LAST", "prepayment.months": "3"}
        world.policy(
            {
                "area": AREA,
                "valid_from": "2024-01-01",
                "hash": policy_hash(parameters),
                "parameters": parameters,
                "approvers": [OFFICER, APPROVER],
            }
        )
        for number, (hospital, grade) in enumerate(((FIRST, "A"), (SECOND, "B")), 1):
            body = f"12152200MB{number:07d}"
            world.register(hospital, body + codes.uscc_check(body), since=date(2023, 12, 31))
            world.assess(hospital, grade)
        world.figures(EMPLOYEES, "41230000000.00", "34567000000.00")
        world.figures(RESIDENTS, "5600000000.00", "12100000000.00")
        self.door = Door(self.stage, world, {EMPLOYEES: IN_EACH, RESIDENTS: IN_EACH}, date(2025, 1, 2))
        self.door.begin([FIRST, SECOND])
        self._sent()
        for hospital in (FIRST, SECOND):
            world.settle(hospital, date(2024, 12, 10), {EMPLOYEES: SETTLED})
        self._sent()
        for hospital in (FIRST, SECOND):
            batch = f"202412-{hospital}"
            world.submit(batch, hospital, date(2024, 12, 1), date(2024, 12, 31), date(2025, 1, 5), mode="MONTH")
        self._sent()
        for hospital in (FIRST, SECOND):
            world.finish_audit([f"202412-{hospital}"], hospital, date(2025, 1, 6), {}, year=2024)
        world.open_days(APPLIED, APPLIED)
        self._sent()

    def _apply(self) -> None:
        """Each fund is judged by itself."""
        hospital = self.stage.api("provider", service="clearing", organisations=[FIRST, SECOND])
        shown = table("hospital", "fund", "found", "why")
        found: dict[tuple[str, str], str] = {}
        for code, fund in product((FIRST, SECOND), (EMPLOYEES, RESIDENTS)):
            outcome = hospital.command(
                "/v1/prepayment-applications", application=f"YFJ-{code}-{fund}", provider=code, insutype=fund[:3],
                year=2025, funds=[fund], documents=["promise-assets", "promise-use"], applied_on=f"{APPLIED}",
            )  # fmt: skip
            for decision in outcome["decisions"]:
                data = decision["data"]
                found[code, fund] = data.get("detail", "")
                shown.add_row(code, fund, "no" if "code" in data else "yes", data.get("detail", ""))
        self.stage.show(shown)
        self.stage.check("the employees' fund gives, with 14.3131 months of surplus", not found[FIRST, EMPLOYEES])
        self.stage.check(
            "the residents' fund does not: 5.5537 months, and 6 are needed", "5.5537" in found[FIRST, RESIDENTS]
        )

    def _plan(self) -> None:
        """From what they were approved in the months before; two people of two offices say yes."""
        asked = {
            "plan": "YF-152200-2025-1", "area": AREA, "year": 2025, "base_from": "2024-01-01", "base_to": "2024-12-01",
            "limits": {EMPLOYEES: "8000000000.00"},
        }  # fmt: skip
        plan = self.finance.post("/v1/prepayment-plans", **asked)
        shown = table("hospital", ">base", "ratio", ">grant")
        for line in plan["lines"]:
            shown.add_row(line["provider"], grouped(line["base"]), line["ratio"], grouped(line["amount"]))
        self.stage.show(shown)
        grants = {line["provider"]: line["amount"] for line in plan["lines"]}
        self.stage.check("the base is 10,704,732.42", {line["base"] for line in plan["lines"]} == {"10704732.42"})
        self.stage.check(
            "grade A gets all of it, grade B 9,634,259.18", grants == {FIRST: "10704732.42", SECOND: "9634259.18"}
        )
        self.world.open_days(GRANTED, GRANTED)
        self._sent()
        for person in (self.door.officer, self.door.approver):
            told = person.post(f"/v1/prepayment-plans/{plan['area']}/{plan['plan']}/approvals", hash=plan["hash"])
        self.stage.check("the second approval publishes both grants", (told["state"], told["sent"]) == ("APPROVED", 2))

    def _pay(self) -> None:
        """Through the door that all money leaves by; then it exists."""
        self.door.until(lambda: len(self._prepayments("APPROVED")) == 2, "both grants are approved")
        self.door.pay(PAID)
        self.door.until(lambda: not self.door.queue("sent"), "the bank has paid")
        out = {one["provider"]: one["outstanding"] for one in self._prepayments("APPROVED")}
        self.stage.check("both are out when the bank has paid", out == {FIRST: "10704732.42", SECOND: "9634259.18"})
        self.door.until(lambda: self._balance(SECOND) == money.fen("9634259.18"), "the books have it")
        self.stage.check("and are an advance (1101), no expense", self._balance(FIRST) == money.fen("10704732.42"))

    def _take_back(self) -> None:
        """A third each month from October on, from what the first hospital is paid; the second one claims nothing."""
        taken = []
        for month, day in PAID_AT_ONCE.items():
            self.world.settle(FIRST, date(2025, month, 15), {EMPLOYEES: MONTHLY_CLAIM})
            self._sent()
            batch, first = f"2025{month:02d}-{FIRST}", date(2025, month, 1)
            last = date(2025, month + 1, 1) - timedelta(days=1)
            self.world.submit(batch, FIRST, first, last, date(2025, month + 1, 6), mode="MONTH")
            self._sent()
            self.world.open_days(day, day)
            self._sent()
            claim = self.finance.get(f"/v1/claims/{FIRST}/{batch}")
            taken += [one["total"] for one in claim["offsets"] if one["account"] == "1101"]
        self.stage.say(f"Taken back from the claims of September, October and November: {', '.join(taken)}")
        self.stage.check("three times 3,568,244.14", taken == ["3568244.14"] * 3)

    def _year_end(self) -> None:
        self.world.open_days(LAST, OVER)
        self._sent()
        shown = table("prepayment", "state", ">granted", ">offset", ">outstanding", ">due", "blocks")
        told = {one["provider"]: one for one in self._prepayments(None) if one["fund"] == EMPLOYEES}
        for one in told.values():
            shown.add_row(one["prepayment"], one["state"],
                          *(grouped(one[name]) for name in ("granted", "offset", "outstanding", "due")),
                          str(one["blocks_year"] or ""))  # fmt: skip
        self.stage.show(shown)
        first, second = told[FIRST], told[SECOND]
        self.stage.check("the first is cleared at the end of the year", first["state"] == "CLEARED")
        self.stage.check(
            "the second is overdue, and gets none in 2026",
            (second["state"], second["due"], second["blocks_year"]) == ("OVERDUE", "9634259.18", 2026),
        )
        self.door.until(lambda: self._balance(FIRST) == 0, "the books have it")
        answer = self.books.get("/v1/trial-balance", area=AREA)
        self.stage.check("every fund of the area balances to 0.00", answer["balanced"])
        holds, report = self.stage.verify()
        self.stage.check(
            f"the books are proved, and {report['open_items']} open items are their control accounts", holds
        )

    # -- asked

    def _prepayments(self, state: str | None) -> Sequence[Mapping[str, Any]]:
        return list(self.finance.pages("/v1/prepayments", "prepayments", area=AREA, state=state))

    def _balance(self, provider: str) -> int:
        """1101, fen."""
        rows = self.books.pages("/v1/balances", "balances", party=provider)
        return sum(money.fen(row["balance"]) for row in rows if row["account"] == "1101")

    def _sent(self) -> None:
        """Publish what was said, and wait until both services have taken it."""
        said = self.world.taken()
        if not said:
            return
        self.published += 1
        file = Path(self.stage.data) / f"prepayments-{self.published:02d}.jsonl"
        file.write_bytes(b"".join(said))
        positions = self.stage.publish(file)["positions"]
        self.stage.booked(positions, api=self.finance, path="/v1/claims")
        self.stage.booked(positions, api=self.books)
