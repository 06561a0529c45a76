"""One token, or one place on the broker, pays nobody: an attack on real services that was a payment once.

A hospital's claim waits with its first payments ordered. Whoever holds an operator's token, or a hospital's publisher
token, or reaches the broker under a hospital's source, tries to be all the people and the bank that a payment needs.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from medfund import money
from medfund.events.kinds import KINDS
from medfund.lanes import partition
from medfund.local.kafka import Kafka
from tests import events
from tests.conftest import LANES, Database
from tests.events import Message
from tests.integration import served
from tests.integration.faults.conftest import kept
from tests.integration.served import Api, document
from tests.integration.working_fund import FAMILIES, WorkingFund, with_clearing

LANE = partition.lane_of(events.AREA.encode(), LANES)
BATCH = "B-202603"
CLAIMED = {"310100": 87_654_321, "390100": 1_234_567}
FUNDS = tuple(CLAIMED)


@dataclass
class Scene:
    fund: WorkingFund
    api: Api

    @property
    def provider(self) -> str:
        return self.fund.provider

    def payment(self, fund: str) -> str:
        return f"{BATCH}/P1/{fund}"

    def paying_alone(self) -> Iterator[Message]:
        """Two officers who do not exist, another account, its confirmation, both their approvals, and the runs."""
        refs = [self.payment(fund) for fund in FUNDS]
        for person, role in (("ghost-1", "finance"), ("ghost-2", "approver")):
            yield self._said("staff.mandated.v1", f"mandate-{person}", staff_ref=person, role=role,
                             limit="999999999.99", valid_from="2025-01-01")  # fmt: skip
        yield self._said("provider.changed.v1", "account", bank_account_ref="acct-mine", valid_from="2026-03-02")
        yield self._said("provider.account.confirmed.v1", "confirm", bank_account_ref="acct-mine", staff_ref="ghost-1")
        for person in ("ghost-1", "ghost-2"):
            yield self._said("payment.approval.given.v1", f"approve-{person}", payments=refs, total="1.00",
                             staff_ref=person)  # fmt: skip
        yield self._said("payment.run.opened.v1", "run", staff_ref="ghost-1")
        owed = [{"account": "2102", "amounts": {"310100": "7777777.00"}}]
        yield self._said("opening.item.recorded.v1", "owed", item_ref="YE-1", accounts=owed)

    def audited_and_answered(self) -> Iterator[Message]:
        """The hospital's own audit ends at nothing, and the bank has paid, and has been paid back."""
        yield self._said("audit.deduction.finalised.v1", "final", batches=[BATCH], amounts={}, benefit_year=2026)
        for fund, fen in CLAIMED.items():
            told = {"payment_ref": self.payment(fund), "amounts": {fund: money.yuan(fen)}}
            yield self._said("bank.payment.settled.v1", f"settled-{fund}", **told)
            yield self._said("bank.payment.returned.v1", f"returned-{fund}", **told)

    def decided(self) -> Iterator[Message]:
        """And a decision that nobody made."""
        yield self._said("payment.settled.v1", "decision", amounts={"310100": "876543.21"})

    def everything(self) -> list[Message]:
        return [*self.paying_alone(), *self.audited_and_answered(), *self.decided()]

    def _said(self, type: str, id: str, source: str = events.SOURCE, **data: Any) -> Message:
        about = {"provider": self.provider} if "provider" in KINDS[type].example else {}
        message = events.message(type, id=f"attack-{id}", source=source, **about, **data)
        key = partition.lane_key(LANE, LANES) if KINDS[type].key == "lane" else message.key
        return replace(message, key=key)


@pytest.fixture
async def scene(
    database: Database, kafka: Kafka, topic_prefix: str, folder: Path, tmp_path: Path
) -> AsyncIterator[Scene]:
    await with_clearing(database)
    control = await asyncpg.connect(database.admin)
    with kept(database, kafka, topic_prefix, folder) as books:
        books.services["clearing"] = FAMILIES
        books.start("ledger-worker")
        books.start("clearing-worker", service="clearing")
        fund = WorkingFund(control, {}, lane=LANE, books=books)
        async with served.serving(database, kafka.address, topic_prefix, tmp_path) as api:
            fund.register()
            fund.policy()
            fund.deposit({name: 2 * fen for name, fen in CLAIMED.items()})
            fund.settle(CLAIMED, day="2026-02-03")
            await fund.drain()
            fund.submit(BATCH, first="2026-02-01", last="2026-02-28", on="2026-03-02")
            await fund.drain()
            fund.day("2026-03-03")
            await fund.drain()
            yield Scene(fund, api)
    await control.close()


async def standing(scene: Scene) -> tuple[list[Any], list[Any], dict[str, dict[str, int]]]:
    """The payments, the claims, and what is in every account."""
    payments = await scene.fund.payments()
    claims = await scene.fund.control.fetch("select * from clearing.claims order by claims")
    return payments, claims, await scene.fund.balances()


async def quarantined(scene: Scene, service: str) -> set[tuple[str, str]]:
    """Id and reason of what is in quarantine."""
    rows = await scene.fund.control.fetch(f"select id, reason from {service}.quarantine")  # noqa: S608
    return {tuple(row) for row in rows}


@pytest.mark.timeout(300)
async def test_nobody_pays_alone_with_one_token_nor_as_a_hospital_on_the_broker(scene: Scene) -> None:
    before = await standing(scene)
    assert {payment["status"] for payment in before[0]} == {"ORDERED"}
    assert len(before[0]) == len(FUNDS)
    attack = scene.everything()

    operator, hospital = scene.api.caller("operator"), scene.api.caller("publisher")
    for message in attack:
        response = await operator.post(document(message))
        assert (response.status_code, response.json()["code"]) == (403, "role_not_allowed")
        for source in (events.SOURCE, "/clearing/commands", "/clearing/bank", "/clearing", "/nobody"):
            response = await hospital.post(document(_as(message, source)))
            assert (response.status_code, response.json()["code"]) == (403, "not_yours_to_say"), message
    assert await standing(scene) == before
    assert await quarantined(scene, "ledger") == await quarantined(scene, "clearing") == set()

    await scene.api.append(*attack)
    assert await standing(scene) == before
    refused = {(dict(message.headers)["ce_id"].decode(), "not_yours_to_say") for message in attack}
    assert await quarantined(scene, "ledger") == refused
    assert await quarantined(scene, "clearing") == refused
    assert await scene.fund.decided("payment.sent", "payment.approved") == []
    proof = await scene.fund.books.proof()
    assert proof.ok, proof.problems
    assert proof.quarantined == len(attack)


def _as(message: Message, source: str) -> Message:
    headers = tuple((name, source.encode() if name == "ce_source" else value) for name, value in message.headers)
    return replace(message, headers=headers)
