"""A fund with a past: one month of each provider decided by the real rules, and as many more like it as are wanted.

What is over is copied in the database, row by row of that month; what is open is the same however long the past is. So
whatever grows with the past grows with nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from medfund.postgres.queries import Queries
from tests import events
from tests.fund import Fund
from tests.purchases import Purchases

COPIES = Queries(Path(__file__).with_suffix(".sql"))
FUND = "310100"
PROVIDERS = 10
SHORT, LONG = 1, 100
PAST, PRESENT = "B-PAST", "B-NOW"
TODAY = "2026-04-07"
REQUEST = "Q-PAST"


@dataclass
class Past:
    """Of one lane; `months` are in the tables beside the one that was lived through."""

    fund: Fund
    providers: list[str] = field(default_factory=list)
    doubted: dict[str, str] = field(default_factory=dict)
    """By provider: a settlement that a finding can be about."""
    months: int = 0
    months_of_one: int = 3
    """Of each provider, at one time the history."""

    async def live(self) -> None:
        """A month that is over from its claim to the bank's answer, and one that is in review."""
        self.providers = events.providers(self.fund.lane, self.fund.lanes, PROVIDERS)
        fund = self.fund
        fund.policy()
        for person in ("anna", "bo"):
            fund.mandate(person)
        fund.deposit({FUND: 10_000_000_000})
        fund.deposit({FUND: 20_000_000_000}, account="1003")
        for _ in self._each():
            fund.register()
        for provider in self._each():
            fund.settle({FUND: 9_137}, day="2026-01-05")
            self.doubted[provider] = fund.settle({FUND: 2_011}, day="2026-01-31")
            fund.submit(PAST)
            Purchases(fund).request(PAST, [7_019], key={FUND: 1})
        await self._at("2026-02-09")
        for provider in self._each():
            fund.find(PAST, "F-1", {FUND: 37}, self.doubted[provider])
            fund.put("audit.stage.completed.v1", provider=provider, batches=[PAST], stage="FIRST", rows=1)
            await fund.approve("anna", "bo", refs=[f"{PAST}/P1/{FUND}"])
        fund.put("treasury.funds.requested.v1", request_ref=REQUEST, plan_ref=REQUEST, amounts={FUND: "1000.00"},
                 needed_on="2026-02-20")  # fmt: skip
        await fund.run(FUND, on="2026-02-10")
        await fund.drain()
        for provider in self._each():
            fund.bank(f"{PAST}/P1", {FUND: 10_033}, on="2026-02-12", txn=f"T-{provider}")
            fund.deduct([PAST], {FUND: 37})
            fund.recover(f"C-{provider}", {FUND: 41}, decided_on="2026-02-12")
            await fund.drain()
            fund.put("recovery.received.v1", provider=provider, case_ref=f"C-{provider}", amounts={FUND: "0.41"},
                     bank_txn=f"R-{provider}")  # fmt: skip
            for one in await fund.payments(provider=provider, status="ORDERED"):
                fund.bank(one["payment_ref"], one["amounts"], on="2026-02-12", txn=f"P-{provider}")
        self._statement("2026-02-12", 10_000_000_000 - PROVIDERS * 10_033)
        await fund.drain()
        await self._suspense()
        for provider in self._each():
            self.doubted[provider] = fund.settle({FUND: 7_013}, day="2026-03-17")
            fund.submit(PRESENT, first="2026-03-01", last="2026-03-31", on="2026-04-02")
        await self._at("2026-04-03", TODAY)

    def _each(self) -> Iterator[str]:
        for provider in self.providers:
            self.fund.provider = provider
            yield provider

    async def _at(self, *days: str) -> None:
        for day in days:
            await self.fund.drain()
            self.fund.day(day)
        await self.fund.drain()

    def _statement(self, day: str, closing: int) -> None:
        told = f"{closing // 100}.{closing % 100:02d}"
        self.fund.put("bank.statement.imported.v1", fund=FUND, bank_account="1002", day=day, opening=told, closing=told,
                      lines=PROVIDERS, statement_ref="S-PAST")  # fmt: skip

    async def _suspense(self) -> None:
        """One item that is placed, and one that is not."""
        for txn in ("X-PAST", "X-NOW"):
            self.fund.put("bank.line.unplaced.v1", amounts={FUND: "20.00"}, bank_txn=txn, direction="IN")
        await self.fund.drain()
        item = next(
            row["item_ref"] for row in await self.fund.decided("suspense.opened") if row["bank_txn"] == "X-PAST"
        )
        self.fund.place(item, "RETURN", target=f"{PAST}/P1/{FUND}", provider=self.providers[0])
        await self.fund.drain()

    async def lengthen(self, times: int) -> None:
        """So many times the history, in all."""
        for _, copy in COPIES:
            await self.fund.control.execute(
                copy, *((self.months + 1, self.months_of_one * times) if "$1" in copy else ())
            )
        await self.fund.control.execute("vacuum analyze")
        self.months = self.months_of_one * times
