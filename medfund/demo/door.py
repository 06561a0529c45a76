"""The door that money leaves through, in the demo: two officers approve, runs go to the bank by file, and a bank pays.

What stays true: everything goes through the API and the folder that is shared with the bank; the bank is the simulator,
which sees those files and nothing else.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from medfund import money
from medfund.bank import desk, misbehaviour
from medfund.bank.desk import Desk
from medfund.bankfiles.messages import Account
from medfund.demo.api import Api
from medfund.demo.stage import Failed, Stage
from medfund.demo.world import World
from medfund.local import access

BANK = "102100000030"
HOME = "152500"
"""The area whose bank a reader of the guides is."""
LIMIT = 100_000_000_000
OFFICER, APPROVER = "staff-7c41", "staff-02e9"
PATIENCE_S = 60.0
LOOK_S = 0.05


def number(fund: str, area: str = HOME) -> str:
    return f"6222{fund}{area}"


def _own(fund: str, area: str) -> Account:
    return Account(number(fund, area), f"支出户 {fund}", BANK)


def _of_payee(payee: str) -> Account:
    """A hospital, or a supplier by its credit code."""
    return Account(f"62229{payee[1:]}", f"{'医药企业' if payee[0].isdigit() else '定点医院'} {payee}", BANK)


def written(account: Account) -> dict[str, str]:
    """As the register has it."""
    return {"number": account.number, "name": account.name, "bank": account.bank}


class Door:
    """Begun once for an area; `close` ends the bank."""

    def __init__(self, stage: Stage, world: World, funds: Mapping[str, int], begins: date) -> None:
        """`funds`: what is in each fund's account when the books begin, in fen."""
        self._stage, self._world, self._funds = stage, world, funds
        self._folder = Path(stage.state.environment["MEDFUND_BANK_FOLDER"])
        self._begins = begins
        self._runs = self._approvals = 0
        self._books = "bank-books.json" if world.area == HOME else f"bank-books-{world.area}.json"
        self._open = ExitStack()
        self.officer, self.approver = self.people("clearing")
        self.bank: Desk

    def people(self, service: str) -> tuple[Api, Api]:
        """The two who approve, as they ask a service."""
        return self._api("finance", OFFICER, service), self._api("approver", APPROVER, service)

    def _api(self, role: str, subject: str, service: str) -> Api:
        token = access.issue(self._stage.data, role, areas=[self._world.area], subject=subject)
        return Api(self._stage.api(role, service=service).address, token)

    def begin(self, payees: Sequence[str]) -> None:
        """What the books begin with, who may approve, and the account numbers, which are on no event."""
        for staff, role in ((OFFICER, "finance"), (APPROVER, "approver")):
            self._world.mandate(staff, role, LIMIT)
        self._world.deposit(self._funds, on=self._begins)
        area = self._world.area
        own = [
            {"area": area, "fund": fund, "bank_account": "1002", **written(_own(fund, area))} for fund in self._funds
        ]
        accounts = {f"acct-{payee}": written(_of_payee(payee)) for payee in payees}
        register = Path(self._stage.state.environment["MEDFUND_BANK_ACCOUNTS"])
        known = msgspec.json.decode(register.read_bytes())
        kept = {"own": [*known["own"], *own], "payees": {**known["payees"], **accounts}}
        register.write_bytes(msgspec.json.encode(kept))
        held = [(_own(fund, area), fen) for fund, fen in self._funds.items()]
        opened = desk.opened(
            root=self._folder, state=self._folder.parent / self._books, day=self._begins, accounts=held
        )
        self.bank = self._open.enter_context(opened)

    def close(self) -> None:
        self._open.close()

    def pay(self, on: date, *, misbehave: str = "") -> list[Mapping[str, Any]]:
        """Everything that waits is approved by two people, sent, and paid by the bank on a day. What was paid."""
        self.approve()
        sent = self.send(on)
        self.bank.to_day(on, quiet=True)
        if sent:
            self.worked(sent, misbehave)
            self.until(lambda: not self.queue("sent"), "the bank's answers are booked")
        return sent

    def paid(self, provider: str, fund: str) -> Mapping[str, Any]:
        """The last payment of a provider from one fund that the bank has made."""
        found = self.officer.pages("/v1/payments", "payments", provider=provider, state="SETTLED", fund=fund)
        return max(found, key=lambda payment: (payment["value_date"], payment["payment"]))

    def retried(self, provider: str, payment: str) -> None:
        """The officer asks for it again: now the approver alone has to approve it."""
        self.officer.command("/v1/retries", retry="R-1", provider=provider, payment=payment, reason="收款账户已核对")

    def approve(self) -> None:
        """One command for each provider and person, over the sum that they see of what they did not ask for."""
        by_provider: dict[str, list[Mapping[str, Any]]] = {}
        for payment in self.queue("to_approve"):
            by_provider.setdefault(payment["provider"], []).append(payment)
        for provider, payments in by_provider.items():
            self._approvals += 1
            for who, staff in ((self.officer, OFFICER), (self.approver, APPROVER)):
                theirs = [payment for payment in payments if payment["requested_by"] != staff]
                if theirs:
                    who.command(
                        "/v1/approvals",
                        approval=f"A-{self._world.area}-{self._approvals}",
                        payments=[payment["payment"] for payment in theirs],
                        total=money.yuan(sum(money.fen(payment["total"]) for payment in theirs)),
                        provider=provider,
                    )

    def send(self, on: date) -> list[Mapping[str, Any]]:
        """A run for each fund that has something to send; what was sent."""
        waiting = list(self.queue("approved"))
        for fund in sorted({part["fund"] for payment in waiting for part in payment["amounts"]}):
            self._runs += 1
            self.officer.command(
                "/v1/payment-runs", area=self._world.area, fund=fund, execute_on=f"{on}", number=self._runs
            )
        return waiting

    def worked(self, sent: Sequence[Mapping[str, Any]], misbehave: str = "") -> None:
        """The bank takes every file that was made of these payments."""
        self.bank.wishes = misbehaviour.wishes(misbehave)
        wanted = {self._named(payment) for payment in sent}
        deadline = time.monotonic() + PATIENCE_S
        while not wanted <= self.bank.payments.keys():
            if time.monotonic() > deadline:
                raise Failed(f"{len(wanted - self.bank.payments.keys())} payments have not come to the bank")
            if not self.bank.work():
                time.sleep(LOOK_S)
        self.bank.wishes = ()

    def _named(self, payment: Mapping[str, Any]) -> str:
        found = self.officer.get("/v1/payments", payable=payment["payable"], provider=payment["provider"])["payments"]
        return next(str(one["end_to_end_id"]) for one in found if one["payment"] == payment["payment"])

    def queue(self, name: str) -> Sequence[Mapping[str, Any]]:
        return list(self.officer.pages("/v1/payments", "payments", area=self._world.area, queue=name))

    def until(self, holds: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise Failed(f"not within {PATIENCE_S:.0f} s: {what}")
            time.sleep(LOOK_S)
