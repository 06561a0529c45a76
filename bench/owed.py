"""What one fund owes for a month of claims, approved to be paid at once: the ground that runs are measured on.

Providers, accounts, policies, mandates and the opening balance are facts on the log, and the worker decides them. The
claims and their payments are not: 80,000 claims take longer than all that is measured. The decisions about them are
made here, evolved by clearing's own rules, and written by its own store, as a lane writes what it decided.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import asyncpg
import msgspec

from bench.ground import LANES, PREFIX
from bench.writing import in_lane
from clearing.service import Clearing
from medfund import calendar, money
from medfund.bankfiles.messages import Counterparty, Detail, Entries, Entry, Statement, Transfer, Transfers
from medfund.calendar import SHANGHAI
from medfund.events.agency import policy_hash
from medfund.events.kinds import KINDS, Event
from medfund.lanes import partition
from tests import events

CLAIMS_OF_A_PROVIDER = 10
OPENING = 10**12
BANK = "102100000030"
POLICY = {"instant.ratio": "0.90", "instant.stat": "TEMP"}
PEOPLE = ("anna", "bo")
EXPIRES = date(2026, 12, 31)


@dataclass(frozen=True)
class Month:
    """A fund, whose providers have ten claims each, every one of three days of January, and so many claims in all."""

    fund: str
    letter: str
    """Of its providers: hospitals or pharmacies."""
    count: int
    day: date
    """Of the run. What is to be paid was approved on the day before."""

    @property
    def prefix(self) -> str:
        """Of its providers' codes, and of no others'."""
        return f"{self.letter}152502"

    @cached_property
    def providers(self) -> list[str]:
        return [f"{self.prefix}{number:05d}" for number in range(-(-self.count // CLAIMS_OF_A_PROVIDER))]

    @property
    def number(self) -> str:
        """The fund's account at its bank."""
        return f"62220000{self.fund}"

    # -- facts

    def facts(self) -> Iterator[events.Message]:
        """The providers, and what is in the fund's account."""
        for provider in self.providers:
            account = f"acct-{provider}"
            yield events.message(
                "provider.registered.v1", id=f"reg-{provider}", provider=provider, bank_account_ref=account
            )
        yield events.message(
            "opening.balance.recorded.v1", id=f"opening-{self.fund}", account="1002", value_date="2025-12-31",
            amounts={self.fund: money.yuan(OPENING)},
        )  # fmt: skip

    def facts_in(self, lane: int) -> Iterator[events.Message]:
        """What every lane is told: the policy, who may approve, and the day before the run."""
        here = f"{self.fund}-{lane}"
        policy = {"valid_from": "2025-01-01", "hash": policy_hash(POLICY), "parameters": POLICY}
        yield in_lane(lane, "policy.published.v1", id=f"policy-{here}", **policy)
        mandate = {"role": "approver", "limit": "99999999.99", "valid_from": "2025-01-01", "valid_to": None}
        for person in PEOPLE:
            yield in_lane(lane, "staff.mandated.v1", id=f"{person}-{here}", staff_ref=person, **mandate)
        opened = {"date": str(self.day - timedelta(days=1)), "calendar_version": calendar.shipped().version}
        yield in_lane(lane, "day.opened.v1", id=f"day-{here}", working_day=True, **opened)

    # -- decisions

    async def write(self, connection: asyncpg.Connection) -> None:
        """The claims and their payments, as lanes have them that decided all this."""
        rules, drafts = Clearing(prefix=PREFIX), {}
        for lane in range(LANES):
            drafts[lane] = await rules.load(connection, lane)
        for at in range(self.count):
            provider = self.providers[at // CLAIMS_OF_A_PROVIDER]
            lane = partition.lane_of(provider.encode(), LANES)
            for decision in self._decisions(provider, at, {"topic": "agency", "lane": lane, "offset": 0}):
                rules.evolve(drafts[lane], decision)
        for lane, draft in drafts.items():
            await rules.write(connection, lane, draft)
        await connection.execute("analyze claims, payments")

    def _decisions(self, provider: str, at: int, cause: dict[str, Any]) -> Iterator[Event]:
        """Of one claim: accepted, 90 % of it paid at once, ordered, approved by two people."""
        first = date(2026, 1, 1) + timedelta(days=3 * (at % CLAIMS_OF_A_PROVIDER))
        name, fen = f"{provider}-{first:%m%d}", 10_000 + 70 * (at % 9973)
        about = {"provider": provider, "cause": cause, "policy_ref": policy_hash(POLICY)}
        claim = {"batch": name, "period_from": str(first), "period_to": str(first + timedelta(days=2))}
        yield example("claim.batch.accepted.v1", **about, **claim, settlements=1, amounts=self._yuan(fen))
        p1 = {**about, "payable_ref": name, "amounts": self._yuan(fen * 9 // 10)}
        yield example("instant.payment.approved.v1", **p1, ratio={self.fund: "0.9"})
        payment = {**p1, "payment_ref": f"{name}/P1/{self.fund}"}
        yield example("payment.ordered.v1", **payment)
        for missing in (1, 0):
            yield example(
                "payment.approved.v1", **payment, approvers=list(PEOPLE[: 2 - missing]), missing=missing,
                expires_on=str(EXPIRES), bank_account_ref=f"acct-{provider}",
            )  # fmt: skip

    def _yuan(self, fen: int) -> dict[str, str]:
        return {self.fund: money.yuan(fen)}

    # -- the bank's

    def accounts(self) -> dict[str, Any]:
        """The register: the fund's account and those of its providers."""
        own = {"area": events.AREA, "fund": self.fund, "bank_account": "1002", "number": self.number,
               "name": f"医保基金 {self.fund}", "bank": BANK}  # fmt: skip
        payees = {
            f"acct-{provider}": {"number": f"62220212{provider[1:]}", "name": f"定点医药机构 {provider}", "bank": BANK}
            for provider in self.providers
        }
        return {"own": [own], "payees": payees}

    def statement(self, sent: Transfers, number: int) -> Statement:
        """What the bank says at the end of the day of the run: a line for each payment."""
        created = datetime(self.day.year, self.day.month, self.day.day, 20, tzinfo=SHANGHAI)
        lines = Entries(self._line(at, one) for at, one in enumerate(sent.transfers))
        name = f"S{self.fund}-{number}"
        return Statement(name, created, self.number, self.day, OPENING, OPENING - sent.total, lines)

    def _line(self, at: int, paid: Transfer) -> Entry:
        other = Counterparty(paid.creditor.number, paid.creditor.name, paid.creditor.bank)
        detail = Detail(paid.amount, paid.end_to_end_id, counterparty=other, remittance=paid.remittance)
        name = f"{self.day:%Y%m%d}01{at:06d}"
        return Entry(name, "OUT", paid.amount, self.day, self.day, text="付款", details=(detail,))


def example(type: str, **data: Any) -> Event:
    """The example of an event type with some members changed."""
    kind = KINDS[type]
    found: Event = msgspec.convert({**kind.example, **data}, kind.event)
    return found


def months(count: int) -> tuple[Month, Month]:
    """A tenth of so many payments, and all."""
    tenth = Month("390100", "P", -(-count // 10), date(2026, 2, 10))
    return tenth, Month("310100", "H", count, date(2026, 2, 11))
