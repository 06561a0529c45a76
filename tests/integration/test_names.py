"""Names belong to a provider: two hospitals of one lane that call everything alike are two hospitals."""

import shutil
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from clearing.__main__ import MIGRATIONS
from medfund.lanes import partition
from medfund.local import prepare
from medfund.postgres import connect, migrate
from tests import events
from tests.conftest import PASSWORDS, Database
from tests.events import AREA
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.served import Api, Caller
from tests.integration.test_claims_commands import given, problem
from tests.integration.working_fund import without_clearing

FIRST, SECOND = events.providers(0, 1, 2)
BATCH, FINDING, CASE, HOLD = "202601-310-21", "F-1", "2026-017", "case-1"
FUND = "310100"
OTHER_AREA = "152600"
CONTROLLED = ("1101", "1102", "1104", "1107", "2101", "2102", "2103", "2108")


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database, lane=0, lanes=1) as fund:
        fund.policy()
        fund.deposit({FUND: 9_000_000})
        fund.figures(FUND, "2000.00", "1200.00")
        for staff, role in (("anna", "finance"), ("bo", "approver")):
            fund.mandate(staff, role)
        for provider in (SECOND, FIRST):
            fund.provider = provider
            fund.register()
            fund.assess("A")
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=fund.lanes) as api:
        yield api


class Hospitals:
    """Both of them do the same, under the same names; `first` and `second` are their own numbers."""

    def __init__(self, fund: Fund, api: Api) -> None:
        self.fund, self.api = fund, api
        self.tokens = {
            code: api.caller("provider", areas=[AREA], organisations=[code], subject="billing")
            for code in (FIRST, SECOND)
        }
        self.people = [
            api.caller(role, areas=[AREA], subject=name) for name, role in (("anna", "finance"), ("bo", "approver"))
        ]

    async def each(self, do: Any, first: Any, second: Any) -> None:
        for provider, mine in ((FIRST, first), (SECOND, second)):
            self.fund.provider = provider
            do(mine)
        await self.fund.drain()

    async def asked(self, caller: Caller, path: str, **body: Any) -> dict[str, Any]:
        look = await given(caller, path, body)
        await self.fund.drain()
        return await caller.answer(look)

    async def approve(self, number: str, refs: list[str]) -> None:
        """One list of names, one number, two people; for each hospital its own sum."""
        every = await self.payments()
        for provider in (FIRST, SECOND):
            mine = [ref for ref in refs if (provider, ref) in every]
            total = sum(sum(every[provider, ref]["amounts"].values()) for ref in mine)
            for person in self.people:
                about = {"approval": number, "provider": provider, "payments": mine, "total": f"{total / 100:.2f}"}
                told = await self.asked(person, "/v1/approvals", **about)
                assert (told["state"], told["provider"]) == ("DONE", provider)

    async def payments(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(one["provider"], one["payment_ref"]): one for one in await self.fund.payments()}

    async def claim(self, provider: str, batch: str = BATCH) -> dict[str, Any]:
        """As its own token sees it."""
        return await self.tokens[provider].answer(f"/v1/claims/{provider}/{batch}")


async def control(fund: Fund) -> None:
    """The books' control accounts are the open items, of each provider by itself; and the log alone says the same."""
    books, items = await fund.balances(), await fund.open_items()
    for account in CONTROLLED:
        assert books.get(account, {}) == items.get(account, {}), account
    of_books = await fund.control.fetch(
        "select party, account, sum(debit - credit)::bigint as fen from ledger.buckets"
        " where book = 'OPS' and account = any($1::text[]) group by party, account having sum(debit - credit) <> 0"
        " order by party, account", CONTROLLED,
    )  # fmt: skip
    of_items = await fund.control.fetch(
        "select provider as party, account, sum(fen)::bigint as fen from clearing.open_items group by provider, account"
        " having sum(fen) <> 0 order by provider, account"
    )
    assert [tuple(row) for row in of_books] == [tuple(row) for row in of_items]
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_two_hospitals_of_one_lane_that_call_everything_alike_each_see_and_change_their_own(
    fund: Fund, api: Api
) -> None:
    both = Hospitals(fund, api)
    await both.each(lambda fen: fund.settle({FUND: fen}), 100_000, 70_000)
    await both.each(lambda _: fund.submit(BATCH), None, None)
    for provider, claimed in ((FIRST, "1000.00"), (SECOND, "700.00")):
        told = await both.claim(provider)
        assert (told["state"], told["provider"], told["totals"]["claimed"]) == ("IN_REVIEW", provider, claimed)
        other = FIRST if provider == SECOND else SECOND
        assert problem(await both.tokens[provider].get(f"/v1/claims/{other}/{BATCH}")) == (404, "not_found")

    # Paid at once: one name of a payment, two payments, two ids at the bank.
    fund.day("2026-02-09")
    p1 = f"{BATCH}/P1/{FUND}"
    assert {name: one["amounts"] for name, one in (await both.payments()).items()} == {
        (FIRST, p1): {FUND: 90_000}, (SECOND, p1): {FUND: 63_000},
    }  # fmt: skip
    await both.approve("PZ-1", [p1])
    await fund.run(FUND, on="2026-02-10")
    sent = await both.payments()
    assert sent[FIRST, p1]["end_to_end_id"] != sent[SECOND, p1]["end_to_end_id"]
    await both.each(lambda fen: fund.bank(p1, {FUND: fen}, on="2026-02-11"), 90_000, 63_000)
    told = await both.asked(both.tokens[SECOND], "/v1/receipts", payment=p1, received_on="2026-02-12")
    assert told["state"] == "DONE"
    confirmed = {name: one["confirmed_on"] for name, one in (await both.payments()).items()}
    assert confirmed == {(FIRST, p1): None, (SECOND, p1): "2026-02-12"}

    # Audited: their settlements, findings and appeals are called alike, too.
    reference = fund.settled[FIRST][0]
    assert fund.settled[SECOND] == [reference]
    await both.each(lambda fen: fund.find(BATCH, FINDING, {FUND: fen}, reference), 4_000, 1_000)
    appeal = {"appeal": "SS-1", "batch": BATCH, "finding": FINDING, "reason": "?"}
    looks = set()
    for provider in (FIRST, SECOND):
        told = await both.asked(both.tokens[provider], "/v1/appeals", **appeal)
        assert (told["state"], told["provider"]) == ("DONE", provider)
        looks.add(told["command"])
    assert len(looks) == 2
    await both.each(lambda fen: fund.appeal(BATCH, FINDING, {FUND: fen}), 1_000, 0)
    await both.each(lambda fen: fund.deduct([BATCH], {FUND: fen}), 3_000, 1_000)
    for provider, approved, bond, deducted in (
        (FIRST, "970.00", "48.50", "30.00"),
        (SECOND, "690.00", "34.50", "10.00"),
    ):
        told = await both.claim(provider)
        totals = told["totals"]
        assert (totals["approved"], totals["bond"], totals["deducted"]) == (approved, bond, deducted)
        assert [one["payment"] for one in told["payments"]] == [p1, f"{BATCH}/P2/{FUND}"]
        assert [one["amounts"][0]["amount"] for one in told["findings"]] == [deducted]

    # Held and released under one name: the second's alone is released.
    hold = {"hold": HOLD, "payable": BATCH, "reason": "?", "held_from": "2026-03-02"}
    for provider, amount in ((FIRST, "20.00"), (SECOND, "0.50")):
        told = await both.asked(both.people[0], "/v1/holds", **hold, provider=provider, amounts={FUND: amount})
        assert told["state"] == "DONE"
    release = {"release": "JC-1", "hold": HOLD, "payable": BATCH, "reason": "?", "released_on": "2026-03-03"}
    told = await both.asked(both.people[0], "/v1/releases", **release, provider=SECOND, amounts={FUND: "0.50"})
    assert told["state"] == "DONE"
    assert [(await both.claim(provider))["totals"]["held"] for provider in (FIRST, SECOND)] == ["20.00", "0.00"]

    # Sent; the first's is rejected, and asked for again under a number that the second has too.
    p3, p4 = f"{BATCH}/P3/{FUND}", f"{BATCH}/P4/{FUND}"
    await both.approve("PZ-2", [p3, p4])
    await fund.run(FUND, on="2026-02-11", number=2)
    fund.provider = FIRST
    fund.put("bank.payment.rejected.v1", provider=FIRST, payment_ref=p3)
    fund.provider = SECOND
    fund.bank(p3, {FUND: 2_500}, on="2026-02-12")
    await fund.drain()
    retry = {"retry": "CF-1", "payment": p3, "reason": "?"}
    assert (await both.asked(both.people[0], "/v1/retries", **retry, provider=FIRST))["state"] == "DONE"
    refused = await both.people[0].command("/v1/retries", **retry, provider=SECOND)
    assert problem(refused) == (409, "would_be_declined")
    states = {name: one["status"] for name, one in (await both.payments()).items()}
    assert (states[FIRST, p3], states[SECOND, p3]) == ("FAILED", "SETTLED")
    assert (states[FIRST, p4], states[SECOND, p4]) == ("ORDERED", "SENT")

    # The bank pays the second's once more: nobody is told that it may still pay the first's.
    await both.each(lambda fen: fund.bank(p3, {FUND: fen}, on="2026-02-13") if fen else None, 0, 2_500)
    found = (await both.people[0].answer("/v1/payments", area=AREA))["payments"]
    assert {one["provider"] for one in found if one["bank_may_still_pay"]} == {SECOND}

    # One case number, two recoveries; one was wrong.
    await both.each(lambda fen: fund.recover(CASE, {FUND: fen}), 500, 300)
    fund.provider = FIRST
    fund.recovered(CASE, {FUND: 500}, type="appeal.upheld")
    await fund.drain()
    found = (await both.people[0].answer("/v1/recoveries", area=AREA))["recoveries"]
    assert {(one["provider"], one["case"], one["due_total"]) for one in found} == {
        (FIRST, CASE, "0.00"), (SECOND, CASE, "3.00"),
    }  # fmt: skip

    # One kind and period of a prepayment, asked for under one number.
    for provider in (FIRST, SECOND):
        told = await both.asked(
            both.tokens[provider], "/v1/prepayment-applications", application="YF-1", provider=provider, insutype="310",
            year=2026, funds=[FUND], documents=["promise-1", "promise-2"], applied_on="2026-01-06",
        )  # fmt: skip
        assert (told["state"], told["decisions"][0]["type"]) == ("DONE", "prepayment.checked.v1")
    await control(fund)


async def test_what_was_open_before_what_nobody_had_placed_and_contracts_are_each_hospitals_own(
    fund: Fund, api: Api
) -> None:
    both = Hospitals(fund, api)
    fund.day("2026-01-05")

    # The books begin with a claim and a statement of one name each.
    for account, item, sums in (("2102", BATCH, (50_000, 30_000)), ("1108", "DZ-1", (700, 800))):
        await both.each(
            lambda fen, account=account, item=item: fund.put(
                "opening.item.recorded.v1", provider=fund.provider, item_ref=item,
                accounts=[{"account": account, "amounts": {FUND: f"{fen / 100:.2f}"}}],
            ), *sums,
        )  # fmt: skip
    p2 = f"{BATCH}/P2/{FUND}"
    await both.approve("PZ-1", [p2])
    await fund.run(FUND, on="2026-01-05")
    sent = {name: (one["status"], one["amounts"]) for name, one in (await both.payments()).items()}
    assert sent == {(FIRST, p2): ("SENT", {FUND: 50_000}), (SECOND, p2): ("SENT", {FUND: 30_000})}
    kept = await fund.control.fetch("select provider, ref from clearing.openings order by provider")
    assert [tuple(row) for row in kept] == [(FIRST, "DZ-1"), (SECOND, "DZ-1")]

    # What left the account and nobody could place was the second's payment of that name.
    fund.put("bank.line.unplaced.v1", amounts={FUND: "300.00"}, bank_txn="X-1", direction="OUT")
    [left] = await fund.decided("suspense.opened")
    fund.place(left["item_ref"], "PAYMENT", by=["bo"], target=p2, provider=SECOND)
    told = await both.asked(
        both.people[0],
        "/v1/suspense-placings",
        item=left["item_ref"],
        placed_as="PAYMENT",
        target=p2,
        provider=SECOND,
        placed_on="2026-01-05",
    )
    [placed] = await fund.decided("suspense.placed")
    assert (told["state"], placed["provider"], placed["target"]) == ("DONE", SECOND, p2)
    fund.put("bank.payment.settled.v1", provider=SECOND, payment_ref=p2, bank_account="1190", bank_txn="X-1",
             amounts={FUND: "300.00"}, value_date="2026-01-05")  # fmt: skip
    assert {name: one["status"] for name, one in (await both.payments()).items()} == {
        (FIRST, p2): "SENT", (SECOND, p2): "SETTLED",
    }  # fmt: skip

    # One contract's number with two hospitals: each bought what it bought.
    agreed = {"kind": "BULK", "contract_ref": "JC-7", "agreed": {FUND: "1000.00"}}
    await both.each(lambda _: fund.apply(FUND, **agreed), None, None)
    await both.each(
        lambda fen: fund.grant(f"{fund.provider}/JC-JC-7/{FUND}", fen, prepayment_kind="BULK", base="1000.00"),
        30_000, 40_000,
    )  # fmt: skip
    fund.put("prepayment.purchases.reported.v1", provider=SECOND, contract_ref="JC-7", purchased={FUND: "250.00"},
             reported_on="2026-03-31")  # fmt: skip
    bought = {ref: (one["granted"], one["purchased"]) for ref, one in (await fund.prepayments()).items()}
    assert bought == {f"{FIRST}/JC-JC-7/{FUND}": (30_000, 0), f"{SECOND}/JC-JC-7/{FUND}": (40_000, 25_000)}
    await control(fund)


async def test_where_there_is_money_for_one_of_two_payments_of_one_name_one_is_paid(fund: Fund, api: Api) -> None:
    """As many as there is money for, in the dry run too; the other one's turn comes with the next money."""
    both = Hospitals(fund, api)
    await both.each(lambda fen: fund.settle({FUND: fen}), 100_000, 70_000)
    await both.each(lambda _: fund.submit(BATCH), None, None)
    fund.day("2026-02-09")
    p1 = f"{BATCH}/P1/{FUND}"
    await both.approve("PZ-1", [p1])
    fund.deposit({FUND: 90_000 - 9_000_000})
    await fund.drain()
    plan = await both.people[0].answer("/v1/payment-runs/plan", area=AREA, fund=FUND, execute_on="2026-02-10")
    for told in (plan, *plan["days"]):
        assert (told["planned"]["payments"], told["planned"]["total"], told["approved"]["payments"]) == (1, "900.00", 2)
    await fund.run(FUND, on="2026-02-10")
    states = {name: one["status"] for name, one in (await both.payments()).items()}
    assert states == {(FIRST, p1): "SENT", (SECOND, p1): "APPROVED"}
    fund.deposit({FUND: 63_000})
    await fund.run(FUND, on="2026-02-10", number=2)
    assert {one["status"] for one in (await both.payments()).values()} == {"SENT"}


async def test_who_withdraws_a_batch_sees_its_own_and_another_hospital_keeps_its_batch_of_that_name(
    fund: Fund, api: Api
) -> None:
    both = Hospitals(fund, api)
    await both.each(lambda fen: fund.settle({FUND: fen}), 210_000, 777_700)
    fund.provider = FIRST
    fund.submit(BATCH)
    await fund.drain()
    told = await both.asked(both.tokens[FIRST], "/v1/withdrawals", batch=BATCH, reason="?")
    assert told["state"] == "DONE"
    fund.provider = SECOND
    fund.submit(BATCH)
    await fund.drain()
    assert [(await both.claim(provider))["state"] for provider in (FIRST, SECOND)] == ["WITHDRAWN", "IN_REVIEW"]
    told = await both.asked(both.tokens[SECOND], "/v1/withdrawals", batch=BATCH, reason="?")
    assert told["state"] == "DONE"
    await both.each(lambda _: fund.submit(BATCH), None, None)
    for provider, claimed in ((FIRST, "2100.00"), (SECOND, "7777.00")):
        mine = (await both.tokens[provider].answer("/v1/claims"))["claims"]
        assert [(one["batch"], one["state"], one["claimed"]) for one in mine] == [(BATCH, "IN_REVIEW", claimed)]
    await both.each(lambda _: fund.submit("AGAIN"), None, None)
    refused = await fund.decided("claim.batch.rejected")
    assert [one["errors"][0]["code"] for one in refused] == ["COUNT", "COUNT"], "what is claimed is claimed once"
    await control(fund)


async def test_a_batch_a_case_and_a_prepayment_of_one_provider_never_have_one_name(fund: Fund) -> None:
    """Else a payment of the one would be a payment of the other."""
    fund.day("2026-01-05")
    fund.settle({FUND: 100_000})
    fund.recover(CASE, {FUND: 700})
    fund.submit(CASE)
    fund.submit(BATCH)
    fund.recover(BATCH, {FUND: 700})
    fund.apply(FUND)
    await fund.drain()
    fund.submit(f"{FIRST}/YF-2026/{FUND}")
    fund.recover(f"{FIRST}/YF-2026/{FUND}", {FUND: 700})
    [case, prepayment] = await fund.decided("claim.batch.rejected")
    assert [one["errors"][0]["code"] for one in (case, prepayment)] == ["BATCH_KNOWN"] * 2
    assert [one["detail"] for one in await fund.decided("fact.disputed")] == [
        f"case {BATCH} is the name of something else",
        f"case {FIRST}/YF-2026/{FUND} is the name of something else",
    ]
    fund.provider = SECOND
    fund.recover(BATCH, {FUND: 900})
    fund.settle({FUND: 50_000})
    fund.submit(CASE)
    assert [one["case_ref"] for one in await fund.decided("recovery.opened")] == [CASE, BATCH], (
        "others' names are theirs"
    )
    assert [(one["provider"], one["batch"]) for one in await fund.decided("claim.batch.accepted")] == [
        (FIRST, BATCH), (SECOND, CASE),
    ]  # fmt: skip
    await control(fund)


async def test_two_areas_may_use_one_case_number(fund: Fund) -> None:
    fund.policy(area=OTHER_AREA)
    fund.put("provider.changed.v1", provider=SECOND, area=OTHER_AREA)
    fund.recover(CASE, {FUND: 500})
    fund.provider = SECOND
    fund.recover(CASE, {FUND: 300}, area=OTHER_AREA, insured_area=OTHER_AREA)
    opened = await fund.decided("recovery.opened")
    assert [(one["provider"], one["area"], one["amounts"]) for one in opened] == [
        (FIRST, AREA, {FUND: "5.00"}), (SECOND, OTHER_AREA, {FUND: "3.00"}),
    ]  # fmt: skip
    assert await fund.decided("fact.disputed") == []
    came = {"provider": SECOND, "case_ref": CASE, "amounts": {FUND: "3.00"}, "bank_account": "1003"}
    fund.put("recovery.received.v1", area=OTHER_AREA, insured_area=OTHER_AREA, **came)
    settled = await fund.decided("recovery.settled")
    assert [(one["provider"], one["amounts"]) for one in settled] == [(SECOND, {FUND: "3.00"})]


async def test_no_office_takes_a_provider_from_an_area_that_it_does_not_speak_for(fund: Fund) -> None:
    """Nor has it paid to an account of its own."""
    office = {"source": "/agency/other", "area": OTHER_AREA, "provider": FIRST, "bank_account_ref": "acct-ours"}
    key = partition.lane_key(0, 1)
    for number, areas in enumerate(([OTHER_AREA], [AREA, OTHER_AREA])):
        about = {"id": f"other-{number}", "key": key, "areas": areas}
        fund.put_message(events.source_registered("/agency/other", "policy_office", **about))
        for type in ("provider.changed.v1", "provider.registered.v1"):
            fund.put(type, **office)
        await fund.drain()
        for service in ("clearing", "ledger"):
            refused = await fund.control.fetch(f"select reason, detail from {service}.quarantine")  # noqa: S608
            assert [row["reason"] for row in refused] == ["not_yours_to_say"] * 2, service
            assert refused[0]["detail"].startswith("the provider is of another area: source '/agency/other' is regis")
        account = "select body ->> 'ref' from clearing.payees where provider = $1"
        assert (await fund.control.fetchval(account, FIRST) == "acct-ours") == (number == 1)


async def test_the_database_refuses_a_row_that_would_become_another_providers(fund: Fund) -> None:
    fund.settle({FUND: 100_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, FINDING, {FUND: 5}, fund.settled[FIRST][0])
    fund.recover(CASE, {FUND: 700})
    fund.apply(FUND)
    fund.day("2026-02-09")
    await fund.drain()
    worker = fund.connections["clearing"]
    direct, dimensions = (
        f"jsonb_set(body, '{{{path}}}', '\"{SECOND}\"')" for path in ("provider", "dimensions,provider")
    )
    for table, body in (
        ("claims", dimensions), ("recoveries", dimensions), ("prepayments", dimensions), ("payments", direct),
        ("findings", direct),
    ):  # fmt: skip
        assert await fund.control.fetchval(f"select count(*) from clearing.{table}") == 1, table  # noqa: S608
        with pytest.raises(asyncpg.CheckViolationError, match="whose_it_is"):
            await worker.execute(f"update {table} set body = {body}")  # noqa: S608
        for column in ("provider", "lane"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await worker.execute(f"update {table} set {column} = {column}")  # noqa: S608


BEFORE = "009"


async def test_what_was_kept_under_names_alone_is_carried_over_each_to_whose_it_is(
    database: Database, tmp_path: Path
) -> None:
    """Also where two hospitals had one name, and the later one's rows were kept as the earlier one's."""
    lanes, clearing = MIGRATIONS
    earlier = tmp_path / "clearing" / "sql" / "migrations"
    earlier.mkdir(parents=True)
    for file in sorted(clearing.glob("*.sql")):
        if file.name < BEFORE:
            shutil.copy(file, earlier)
    await without_clearing(database)
    await prepare.roles(database.admin, "clearing", PASSWORDS)
    async with (
        connect.connection(database.dsn("owner", "clearing"), name="tests") as owner,
        connect.connection(database.admin, name="tests") as admin,
    ):
        await migrate.migrate(owner, (lanes, earlier))
        await admin.execute("set search_path = clearing")
        whose = {"dimensions": {"provider": SECOND, "area": AREA}, "ref": BATCH, "policy_ref": "2a"}
        paid = {"provider": SECOND, "area": AREA, "payment_ref": "P", "payable_ref": BATCH, "due": "2026-03-03"}
        await admin.execute(
            "insert into claims values (3, $1, $2, $3, '2026-01-01', '2026-01-31', 'IN_REVIEW', true, '2026-03-03',"
            " $4::text::jsonb)", BATCH, FIRST, OTHER_AREA, msgspec.json.encode(whose).decode(),
        )  # fmt: skip
        await admin.execute(
            "insert into payments (lane, payment_ref, provider, status, body, area) values (3, 'P', $1, 'SENT',"
            " $2::text::jsonb, $3)",
            FIRST, msgspec.json.encode(paid).decode(), AREA,
        )  # fmt: skip
        await admin.execute(
            "insert into findings values (3, $1, $2, $3, null, $4::text::jsonb)", BATCH, FINDING, FIRST,
            msgspec.json.encode({"provider": SECOND, "batch": BATCH, "finding_ref": FINDING}).decode(),
        )  # fmt: skip
        whose = {"dimensions": {"provider": FIRST, "area": AREA}, "ref": CASE}
        await admin.execute(
            "insert into recoveries values (3, $1, $2, true, null, $3::text::jsonb)", CASE, FIRST,
            msgspec.json.encode(whose).decode(),
        )  # fmt: skip
        for account, txn, ref, fen in (
            ("1002", "T-1", "P", -90), ("1003", "T-2", CASE, 7), ("1003", "T-3", CASE, -7),
            ("1002", "opening", CASE, 9),
        ):  # fmt: skip
            await admin.execute(
                "insert into moves values (3, $1, $2, $3, '2026-02-01', $4, $5, $6)", AREA, FUND, account, txn, ref, fen
            )
        plan = "insert into prepayment_plans values ('YF-1', $1, 2026, '', 'anna', now(), null, '{}')"
        await admin.execute(plan, AREA)
        await admin.execute("insert into prepayment_approvals values ('YF-1', 'bo', 'approver', now())")

        await migrate.migrate(owner, MIGRATIONS)

        assert await admin.fetchrow("select provider, area from claims") == (SECOND, AREA)
        for table in ("payments", "findings"):
            assert await admin.fetchval(f"select provider from {table}") == SECOND  # noqa: S608
        told = await admin.fetchrow("select payee, policy_ref, area, due from payments")
        assert told == (SECOND, "2a", AREA, date(2026, 3, 3))
        assert await admin.fetchrow("select provider, area from recoveries") == (FIRST, AREA)
        moved = await admin.fetch("select bank_txn, provider from moves order by bank_txn")
        assert list(map(tuple, moved)) == [("T-1", SECOND), ("T-2", FIRST), ("T-3", ""), ("opening", "")]
        assert await admin.fetchrow("select area, plan_ref from prepayment_approvals") == (AREA, "YF-1")
        await admin.execute(plan, OTHER_AREA)
