"""What waits for whom at the door that money leaves through: queues, runs, suspense, the treasury, the cash ahead."""

import codecs
import csv
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from clearing.payments import planning
from clearing.payments.api import paid
from medfund import money
from medfund.http import exports, reach, tokens
from medfund.http.reach import Reach
from medfund.http.tokens import Principal
from tests.conftest import Database
from tests.events import AREA, providers
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.served import Api, Caller

FUND = "310100"
RUN = f"{AREA}-{FUND}-20260210-1"
ROWS = {
    "/v1/payments": "payments",
    "/v1/payment-runs": "runs",
    "/v1/suspense": "items",
    "/v1/treasury-requests": "requests",
}
"""Lists, and how their rows are called."""


def batch(number: int) -> str:
    return f"B-{number}"


def p1(number: int, fund: str = FUND) -> str:
    return f"{batch(number)}/P1/{fund}"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """Six months claimed by one provider, 100.00, 200.00 and so on; nine tenths of each are ordered. One lane."""
    async with running(database, lane=0, lanes=1) as fund:
        fund.register()
        fund.policy()
        fund.deposit({FUND: 500_000})
        for staff, role in (("anna", "finance"), ("bo", "approver"), ("chen", "approver")):
            fund.mandate(staff, role)
        for month in range(1, 7):
            fund.settle({FUND: 10_000 * month}, day=f"2025-{month:02d}-15")
            on = f"2026-02-{month:02d}"
            fund.submit(batch(month), first=f"2025-{month:02d}-01", last=f"2025-{month:02d}-28", on=on)
        await fund.drain()
        fund.day("2026-02-09")
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=1) as api:
        yield api


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="anna")


async def scripted(fund: Fund) -> None:
    """Of the six payments: 1 waits, 2 is half approved, 3 approved, 4 sent, 5 failed, 6 paid and came back in part."""
    await fund.approve("anna", "bo", refs=[p1(4), p1(5), p1(6)])
    await fund.run(FUND, on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=p1(5))
    fund.bank(p1(6), {FUND: 54_000}, on="2026-02-10")
    fund.bank(p1(6), {FUND: 4_000}, on="2026-02-11", back=True)
    await fund.approve("anna", refs=[p1(2)])
    await fund.approve("anna", "bo", refs=[p1(3)])
    await fund.drain()


async def queue(caller: Caller, name: str, **question: Any) -> list[str]:
    answer = await caller.answer("/v1/payments", queue=name, **question)
    for total, amounts in (("total", "amounts"), ("to_retry", "to_retry")):
        assert money.fen(answer[total]) == sum(
            money.fen(part["amount"]) for row in answer["payments"] for part in row[amounts]
        )
    return [row["payment"] for row in answer["payments"]]


# -- queues


async def test_each_payment_waits_in_the_queue_of_whoever_acts_next(fund: Fund, finance: Caller) -> None:
    await scripted(fund)
    assert await queue(finance, "to_approve") == [p1(1), p1(2)]
    assert await queue(finance, "approved") == [p1(3)]
    assert await queue(finance, "sent") == [p1(4)]
    assert await queue(finance, "returned") == [p1(5), p1(6)]
    due = [row["due"] for row in (await finance.answer("/v1/payments"))["payments"]]
    assert await queue(finance, "overdue", as_of=due[0]) == [], "the day itself is in time"
    assert await queue(finance, "overdue", as_of=due[3]) == [p1(1), p1(2), p1(3)]
    late = await finance.answer("/v1/payments", queue="overdue", as_of="2026-12-31")
    assert [row["payment"] for row in late["payments"]] == [p1(number) for number in range(1, 7)]
    assert late["payments"][0]["days_overdue"] == (date(2026, 12, 31) - date.fromisoformat(due[0])).days


async def test_what_expired_waits_for_people_again_from_the_day_that_opens_after_it(
    fund: Fund, finance: Caller
) -> None:
    await scripted(fund)
    fund.day("2026-02-14")
    await fund.drain()
    assert await queue(finance, "approved") == [p1(3)]
    fund.day("2026-02-15")
    await fund.drain()
    assert await queue(finance, "approved") == []
    answer = await finance.answer("/v1/payments", queue="to_approve")
    assert [(row["payment"], row["state"], row["missing"], row["missing_approver"]) for row in answer["payments"]] == [
        (p1(1), "ORDERED", 2, True), (p1(2), "ORDERED", 2, True), (p1(3), "APPROVED", 2, True),
    ]  # fmt: skip


async def test_a_row_says_who_approved_and_who_is_missing(fund: Fund, finance: Caller) -> None:
    await scripted(fund)
    rows = {row["payment"]: row for row in (await finance.answer("/v1/payments"))["payments"]}
    waiting = [(rows[p1(number)][name]) for number in (1, 2, 3, 4) for name in ("approvers", "missing")]
    assert waiting == [[], 2, ["anna"], 1, ["anna", "bo"], 0, ["anna", "bo"], None]
    assert [rows[p1(number)]["missing_approver"] for number in (1, 2, 3, 4)] == [True, True, False, None]
    assert rows[p1(5)]["bank_code"] == "AC04"
    assert rows[p1(2)]["state_name"] == {"zh": "待审批", "en": "to be approved"}
    assert rows[p1(4)]["fund_name"]["zh"] == "职工基本医疗保险统筹基金"
    fund.retry(p1(5), "chen")
    await fund.drain()
    [again] = [row for row in (await finance.answer("/v1/payments"))["payments"] if row["retry_of"] == p1(5)]
    assert (again["requested_by"], again["missing"], again["missing_approver"]) == ("chen", 1, True)
    assert await queue(finance, "returned") == [p1(6)]


async def test_a_queue_is_told_by_provider_as_it_is_approved(fund: Fund, finance: Caller, api: Api) -> None:
    [other] = [code for code in providers(0, 1, 2) if code != fund.provider]
    mine, fund.provider = fund.provider, other
    fund.register()
    fund.settlements.clear()
    fund.settle({FUND: 1_000}, day="2025-07-15")
    fund.submit("X-1", first="2025-07-01", last="2025-07-31", on="2026-02-07")
    fund.day("2026-02-10")
    await fund.drain()
    answer = await finance.answer("/v1/payments", queue="to_approve")
    groups = {group["provider"]: group for group in answer["providers"]}
    assert groups[other] == {"provider": other, "payments": [f"X-1/P1/{FUND}"], "total": "9.00"}
    assert len(groups[mine]["payments"]) == 6
    assert money.fen(answer["total"]) == sum(money.fen(group["total"]) for group in answer["providers"])
    group = groups[mine]
    response = await finance.command("/v1/approvals", approval="PZ-1", **group)
    assert response.status_code == 202
    await fund.drain()
    assert (await finance.answer(response.json()["look"]))["state"] == "DONE"


async def test_a_payment_is_found_by_fund_run_and_provider(fund: Fund, finance: Caller) -> None:
    await scripted(fund)
    for question, found in (
        ({"run": RUN}, [p1(4), p1(5), p1(6)]),
        ({"run": RUN, "state": "SENT"}, [p1(4)]),
        ({"fund": "390100"}, []),
        ({"fund": FUND, "queue": "sent"}, [p1(4)]),
        ({"provider": "H15250299999"}, []),
        ({"area": "152600"}, []),
        ({"queue": "returned", "area": AREA, "provider": fund.provider}, [p1(5), p1(6)]),
    ):
        answer = await finance.answer("/v1/payments", **question)
        assert [row["payment"] for row in answer["payments"]] == found, question


async def test_what_is_overdue_is_judged_as_of_a_day_that_is_given(finance: Caller) -> None:
    response = await finance.get("/v1/payments", queue="overdue")
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")


async def test_pages_of_a_queue_hold_every_payment_once(fund: Fund, finance: Caller) -> None:
    found, cursor = [], None
    for _ in range(4):
        page = await finance.answer("/v1/payments", queue="to_approve", limit=2, cursor=cursor)
        found += [row["payment"] for row in page["payments"]]
        if (cursor := page["next"]) is None:
            break
    assert found == [p1(number) for number in range(1, 7)]


async def test_a_new_account_is_told_until_somebody_confirms_it_and_takes_approvals_away(
    fund: Fund, finance: Caller
) -> None:
    """Edge case 38."""
    await scripted(fund)

    async def accounts() -> dict[str, tuple[str, str]]:
        rows = (await finance.answer("/v1/payments"))["payments"]
        return {row["payment"]: (row["account"], row["account_state"]) for row in rows if row["account_state"]}

    assert set((await accounts()).values()) == {("acct-152500-000017", "KNOWN")}
    fund.put("provider.changed.v1", provider=fund.provider, bank_account_ref="acct-new")
    await fund.drain()
    assert await accounts() == {
        p1(1): ("acct-new", "TO_CONFIRM"), p1(2): ("acct-new", "CHANGED"), p1(3): ("acct-new", "CHANGED"),
    }  # fmt: skip
    assert await queue(finance, "approved") == []
    assert await queue(finance, "to_approve") == [p1(1), p1(2), p1(3)]
    fund.put("provider.account.confirmed.v1", provider=fund.provider, bank_account_ref="acct-new", staff_ref="chen")
    await fund.drain()
    assert (await accounts())[p1(1)] == ("acct-new", "CONFIRMED")
    fund.day("2026-02-12")
    await fund.drain()
    assert (await accounts())[p1(1)] == ("acct-new", "KNOWN")


async def test_a_queue_does_not_read_what_was_paid_in_years(fund: Fund, api: Api) -> None:
    await fund.control.execute("set search_path = clearing")
    await fund.control.execute(
        "insert into payments (lane, payment_ref, provider, payee, policy_ref, status, body, area, fund, fen, due)"
        " select 0, 'OLD-' || n, provider, payee, policy_ref, 'SETTLED',"
        " body || jsonb_build_object('due', '2020-01-01', 'payment_ref', 'OLD-' || n), area, fund, fen, '2020-01-01'"
        " from payments, generate_series(1, 5000) as n where payment_ref = $1",
        p1(1),
    )
    await fund.control.execute("analyze payments")
    query = paid.SQL.payments
    async with api.app.state.context.database.snapshot(_principal(api)) as connection:
        plan = await connection.fetch(
            f"explain (format text) {query}", [0], None, None, None, None, None, None, None, None, None,
            "to_approve", None, None, None, None, None, 101,
        )  # fmt: skip
    assert any("payments_to_pay" in row[0] for row in plan), "\n".join(row[0] for row in plan)


def _principal(api: Api) -> Principal:
    return tokens.verify(tokens.load_key(api.keys.public), api.caller("finance", areas=[AREA]).token)


# -- runs


async def test_a_dry_run_says_what_would_be_paid_and_what_is_not_covered(fund: Fund, finance: Caller) -> None:
    await fund.approve("anna", "bo")
    fund.put("bank.line.unplaced.v1", amounts={FUND: "4000.00"}, bank_txn="X-1", direction="OUT")
    await fund.drain()
    told = await finance.answer("/v1/payment-runs/plan", area=AREA, fund=FUND, execute_on="2026-02-10")
    assert (told["cash"], told["on_its_way"], told["available"]) == ("1000.00", "0.00", "1000.00")
    assert told["approved"] == {"payments": 6, "total": "1890.00"}
    assert told["planned"] == {"payments": 4, "total": "900.00"}
    assert told["not_covered"] == {"payments": 2, "total": "990.00"}
    assert told["undecided"] is None
    assert sum(day["planned"]["payments"] for day in told["days"]) == 4
    assert money.yuan(sum(money.fen(day["approved"]["total"]) for day in told["days"])) == "1890.00"
    early = await finance.answer(
        "/v1/payment-runs/plan", area=AREA, fund=FUND, execute_on="2026-02-10", due_until=told["days"][0]["due"]
    )
    assert early["approved"] == told["days"][0]["approved"]
    late = await finance.answer("/v1/payment-runs/plan", area=AREA, fund=FUND, execute_on="2026-02-15")
    assert late["approved"]["payments"] == 0, "the approvals end before"
    assert await fund.decided("payment.sent") == []


async def test_a_run_that_names_the_plan_that_was_seen_sends_that_and_nothing_else(fund: Fund, finance: Caller) -> None:
    await fund.approve("anna", "bo")
    asked = {"area": AREA, "fund": FUND, "execute_on": "2026-02-10"}
    seen = (await finance.answer("/v1/payment-runs/plan", **asked))["hash"]
    fund.put("bank.line.unplaced.v1", amounts={FUND: "4000.00"}, bank_txn="X-1", direction="OUT")
    await fund.drain()
    refused = await finance.command("/v1/payment-runs", **asked, number=1, hash=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_changed")
    now = (await finance.answer("/v1/payment-runs/plan", **asked))["hash"]
    assert now != seen
    assert now in refused.json()["detail"]
    opened = await finance.command("/v1/payment-runs", **asked, number=1, hash=now)
    assert (opened.status_code, opened.json()["payments"]) == (202, 4)
    again = await finance.command("/v1/payment-runs", **asked, number=1, hash=seen)
    assert again.text == opened.text, "the run is made: asking for it again is answered the same"


async def test_a_run_that_is_only_tried_is_its_plan_and_stands_in_nobodys_way(fund: Fund, finance: Caller) -> None:
    await fund.approve("anna", "bo")
    fund.put("bank.line.unplaced.v1", amounts={FUND: "4000.00"}, bank_txn="X-1", direction="OUT")
    await fund.drain()
    asked = {"area": AREA, "fund": FUND, "execute_on": "2026-02-10"}
    tried = await finance.command("/v1/payment-runs", **asked, number=1, dry_run=True)
    assert (tried.status_code, tried.json()["planned"]) == (200, {"payments": 4, "total": "900.00"})
    assert tried.json() == await finance.answer("/v1/payment-runs/plan", **asked)
    assert (await finance.answer("/v1/payment-runs"))["runs"] == []
    await fund.drain()
    assert await fund.decided("payment.sent") == []
    other = await finance.command("/v1/payment-runs", **asked, number=2, hash=tried.json()["hash"])
    assert (other.status_code, other.json()["payments"]) == (202, 4)
    narrow = await finance.command("/v1/payment-runs", **{**asked, "area": "370900"}, number=1, dry_run=True)
    assert narrow.status_code == 404


async def test_a_run_is_told_by_what_became_of_its_payments(fund: Fund, finance: Caller) -> None:
    await fund.approve("anna", "bo")
    plan = await fund.plan(FUND, on="2026-02-10")
    fund.hold(batch(1), {FUND: 1})
    await fund.drain()
    fund.put("audit.deduction.finalised.v1", provider=fund.provider, batches=[batch(2)], amounts={}, insutype="310",
             benefit_year=2025, advanced=[])  # fmt: skip
    fund.put_run(planning.run(plan, run_ref=RUN, staff_ref="anna"))
    await fund.drain()
    fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=p1(3))
    fund.bank(p1(4), {FUND: 36_000}, on="2026-02-10")
    fund.bank(p1(5), {FUND: 5_000}, on="2026-02-10")
    fund.bank(p1(6), {FUND: 54_000}, on="2026-02-10")
    fund.bank(p1(6), {FUND: 4_000}, on="2026-02-11", back=True)
    await fund.drain()
    told = await finance.answer(f"/v1/payment-runs/{RUN}")
    assert told["planned"] == {"payments": 6, "total": "1890.00"}
    assert (told["lanes"], told["decided"], told["state"]) == (1, 1, "AT_THE_BANK")
    assert told["withheld"] == {"payments": 1, "total": "90.00"}
    assert [(one["payment"], one["code"], one["total"]) for one in told["left_out"]] == [(p1(1), "HELD", "90.00")]
    assert [(one["code"], one["payments"]) for one in told["withheld_for"]] == [("HELD", 1)]
    sent, dropped = told["sent"]["payments"], told["dropped"]["payments"]
    assert sent + dropped + told["withheld"]["payments"] == 6
    assert told["settled"] == {"payments": 2, "total": "950.00"}
    assert told["on_the_way"]["payments"] == sent - 3
    assert told["failed"] == {"payments": 1, "total": "270.00"}
    assert told["returned"] == {"payments": 1, "total": "40.00"}
    listed = await finance.answer("/v1/payment-runs", area=AREA, fund=FUND)
    assert [one["run"] for one in listed["runs"]] == [RUN]
    assert (listed["planned"], listed["settled"]) == ("1890.00", "950.00")
    fund.hold(batch(1), {FUND: 1}, release=True)
    await fund.run(FUND, on="2026-02-10", number=2)
    await fund.drain()
    assert (await finance.answer(f"/v1/payment-runs/{RUN}"))["withheld"]["payments"] == 1, "what it did stays told"
    pages = [(await finance.answer("/v1/payment-runs", limit=1))]
    pages.append(await finance.answer("/v1/payment-runs", limit=1, cursor=pages[0]["next"]))
    assert [page["runs"][0]["run"][-1] for page in pages] == ["2", "1"], "the last one first"
    assert pages[1]["next"] is None


async def test_a_payment_says_why_it_was_withheld_last(fund: Fund, finance: Caller) -> None:
    await fund.approve("anna", "bo")
    fund.put("provider.agreement.changed.v1", provider=fund.provider, status="SUSPENDED", effective_from="2026-02-10",
             effective_to="2026-02-10")  # fmt: skip
    await fund.run(FUND, on="2026-02-10")
    await fund.drain()
    [row, *_] = (await finance.answer("/v1/payments", queue="approved"))["payments"]
    assert (row["withheld"]["run"], row["withheld"]["code"]) == (RUN, "AGREEMENT")
    assert row["withheld"]["code_name"]["zh"] == "协议中止"


async def test_a_run_that_no_lane_has_heard_of_is_listed_as_on_its_way(fund: Fund, finance: Caller, api: Api) -> None:
    await fund.approve("anna", "bo")
    asked = {"area": AREA, "fund": FUND, "execute_on": "2026-02-10", "number": 1}
    assert (await finance.command("/v1/payment-runs", **asked)).status_code == 202
    told = await finance.answer(f"/v1/payment-runs/{RUN}")
    assert (told["state"], told["decided"], told["dropped"]) == ("DECIDING", 0, None)
    plan = await finance.answer("/v1/payment-runs/plan", area=AREA, fund=FUND, execute_on="2026-02-10")
    assert plan["undecided"] == RUN
    await fund.drain()
    assert (await finance.answer(f"/v1/payment-runs/{RUN}"))["state"] == "AT_THE_BANK"


async def test_runs_of_another_area_do_not_exist(fund: Fund, api: Api) -> None:
    await fund.approve("anna", "bo")
    await fund.run(FUND, on="2026-02-10")
    await fund.drain()
    stranger = api.caller("finance", areas=["152600"])
    assert (await stranger.get(f"/v1/payment-runs/{RUN}")).status_code == 404
    question = {"area": AREA, "fund": FUND, "execute_on": "2026-02-10"}
    assert (await stranger.get("/v1/payment-runs/plan", **question)).status_code == 404


# -- suspense, the treasury, the cash ahead


async def test_suspense_is_told_with_its_age_the_oldest_first_until_it_is_placed(fund: Fund, finance: Caller) -> None:
    for txn, direction, day in (("X-2", "OUT", "2026-02-10"), ("X-1", "IN", "2026-02-03")):
        fund.put("bank.line.unplaced.v1", amounts={FUND: "1.23"}, bank_txn=txn, direction=direction, value_date=day)
    await fund.drain()
    told = await finance.answer("/v1/suspense", open=True, as_of="2026-02-13")
    assert [(item["bank_txn"], item["direction"], item["amount"], item["age_days"]) for item in told["items"]] == [
        ("X-1", "IN", "1.23", 10), ("X-2", "OUT", "1.23", 3),
    ]  # fmt: skip
    assert told["items"][0]["reason_name"] == {
        "zh": "没有可对应的付款或收款", "en": "there is no payment or receipt that it could be",
    }  # fmt: skip
    assert (told["came"], told["left"], told["items"][0]["owner"]) == ("1.23", "1.23", "finance")
    item = told["items"][0]["item"]
    said = {"item": item, "placed_as": "FISCAL", "placed_on": "2026-02-13"}
    assert (await finance.command("/v1/suspense-placings", **said)).status_code == 202
    await fund.drain()
    first = (await finance.answer("/v1/suspense", open=True))["items"][0]
    assert [(one["by"], one["placed_as"]) for one in first["said"]] == [("anna", "FISCAL")]
    fund.place(item, "FISCAL", by=["bo"], placed_on="2026-02-13")
    await fund.drain()
    assert [one["bank_txn"] for one in (await finance.answer("/v1/suspense", open=True))["items"]] == ["X-2"]
    [placed] = (await finance.answer("/v1/suspense", open=False))["items"]
    assert (placed["item"], placed["placed_as"], placed["placed_on"]) == (item, "FISCAL", "2026-02-13")
    assert (await finance.answer("/v1/suspense", fund="390100"))["items"] == []


async def test_what_was_asked_of_the_treasury_is_open_until_every_fund_has_come(fund: Fund, finance: Caller) -> None:
    asked = {"request": "YK-1", "area": AREA, "plan": "plan-1", "amounts": {FUND: "50.00", "390100": "1.00"},
             "needed_on": "2026-02-27"}  # fmt: skip
    assert (await finance.command("/v1/treasury-requests", **asked)).status_code == 202
    await fund.drain()
    fund.put("treasury.funds.received.v1", plan_ref="plan-1", request_ref="YK-1", bank_txn="T-1",
             value_date="2026-02-26", amounts={FUND: "50.00"})  # fmt: skip
    fund.put("treasury.funds.received.v1", plan_ref="plan-1", request_ref=None, bank_txn="T-2",
             value_date="2026-02-26", amounts={"390100": "1.00"})  # fmt: skip
    await fund.drain()
    told = await finance.answer("/v1/treasury-requests", open=True)
    [request] = told["requests"]
    assert [(part["fund"], part["requested"], part["received"], part["open"]) for part in request["funds"]] == [
        (FUND, "50.00", "50.00", "0.00"), ("390100", "1.00", "0.00", "1.00"),
    ]  # fmt: skip
    assert (told["requested"], told["received"], request["asked_by"]) == ("51.00", "50.00", "anna")
    fund.put("treasury.funds.received.v1", plan_ref="plan-1", request_ref="YK-1", bank_txn="T-3",
             value_date="2026-02-27", amounts={"390100": "1.00"})  # fmt: skip
    await fund.drain()
    assert (await finance.answer("/v1/treasury-requests", open=True))["requests"] == []
    [request] = (await finance.answer("/v1/treasury-requests", request="YK-1", open=False))["requests"]
    assert [(one["bank_txn"], one["amount"]) for one in request["receipts"]] == [("T-1", "50.00"), ("T-3", "1.00")]


async def test_what_was_in_suspense_and_is_the_treasurys_counts_for_the_request_that_it_is_placed_as(
    fund: Fund, finance: Caller
) -> None:
    """What came to the expenditure account, and what left the fiscal account for it; of a fund that was asked for."""
    asked = {"request": "YK-2", "area": AREA, "plan": "plan-1", "amounts": {FUND: "71.30"}, "needed_on": "2026-02-27"}
    assert (await finance.command("/v1/treasury-requests", **asked)).status_code == 202
    items = {}
    for txn, account, direction, fund_, amount in (
        ("T-1", "1002", "IN", FUND, "40.07"), ("T-2", "1003", "OUT", FUND, "31.23"),
        ("T-3", "1002", "OUT", FUND, "9.01"), ("T-4", "1002", "IN", "390100", "0.02"),
    ):  # fmt: skip
        fund.put("bank.line.unplaced.v1", amounts={fund_: amount}, bank_txn=txn, bank_account=account,
                 direction=direction, value_date="2026-02-10")  # fmt: skip
        items[txn] = (await fund.decided("suspense.opened"))[-1]["item_ref"]
    said = {"placed_as": "FISCAL", "placed_on": "2026-02-13"}
    for txn, target, detail in (
        ("T-1", "YK-0", "There is no such treasury request of this area"),
        ("T-3", "YK-2", "YK-2 asks for money on the expenditure account: this left it"),
        ("T-4", "YK-2", "YK-2 asks for nothing of fund 390100"),
    ):
        response = await finance.command("/v1/suspense-placings", item=items[txn], target=target, **said)
        assert response.json()["detail"] == detail
    for number, (txn, received, open) in enumerate((("T-1", "40.07", "31.23"), ("T-2", "71.30", "0.00"))):
        response = await finance.command("/v1/suspense-placings", item=items[txn], target="YK-2", **said)
        assert response.status_code == 202
        fund.place(items[txn], "FISCAL", by=["bo"], target="YK-2")
        await fund.drain()
        [request] = (await finance.answer("/v1/treasury-requests", request="YK-2", open=number == 0))["requests"]
        [part] = request["funds"]
        assert (part["received"], part["open"]) == (received, open)
    assert [(one["bank_txn"], one["amount"]) for one in request["receipts"]] == [("T-1", "40.07"), ("T-2", "31.23")]


async def test_the_cash_ahead_counts_what_is_ordered_and_estimates_what_is_in_review(
    fund: Fund, finance: Caller
) -> None:
    await scripted(fund)
    fund.settlements.clear()
    fund.settle({FUND: 700_000}, day="2026-01-15")
    fund.submit("B-new", first="2026-01-01", last="2026-01-31", on="2026-02-10")
    await fund.drain()
    told = await finance.answer("/v1/outflows", area=AREA, **{"from": "2026-02-10"})
    [one] = [found for found in told["funds"] if found["fund"] == FUND]
    # 5000.00 less 540.00 paid, 40.00 came back; 360.00 are on their way.
    assert (one["cash"], one["on_its_way"], one["available"]) == ("4500.00", "360.00", "4140.00")
    # Ordered 90, 180 and 270; 450 failed and 40 came back. In review: a tenth of six claims, and the whole new one.
    assert one["certain"] == "1030.00"
    assert one["estimated"] == "7210.00"
    # What is paid at once was due on the first working day after each was submitted; nine tenths of the new one will.
    days = [(day["day"], day["certain"], day["estimated"]) for day in one["days"]]
    due = [day for day in days if day[1:] != ("0.00", "0.00")]
    assert due == [
        ("2026-02-10", "1030.00", "0.00"), ("2026-02-11", "0.00", "6300.00"), ("2026-02-27", "0.00", "10.00"),
        ("2026-02-28", "0.00", "20.00"), ("2026-03-02", "0.00", "30.00"), ("2026-03-03", "0.00", "40.00"),
        ("2026-03-04", "0.00", "50.00"), ("2026-03-05", "0.00", "60.00"), ("2026-03-09", "0.00", "700.00"),
    ]  # fmt: skip
    assert one["short_on"] == "2026-02-11"
    assert one["short_by"] == money.yuan(103_000 + 721_000 - 414_000)
    assert (told["first"], len(one["days"])) == ("2026-02-10", 20)
    assert one["days"][-1]["left"] == f"-{one['short_by']}"
    assert (await finance.answer("/v1/outflows", area=AREA, fund="390100", **{"from": "2026-02-10"}))["funds"] == []
    december = await finance.answer("/v1/outflows", area=AREA, **{"from": "2026-12-17"})
    assert (told["provisional_from"], december["provisional_from"]) == (None, "2027-01-01")
    response = await finance.get("/v1/outflows", area=AREA, **{"from": "2031-01-01"})
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")


async def test_whoever_does_not_see_an_area_sees_nothing_of_its_cash(fund: Fund, api: Api) -> None:
    await scripted(fund)
    fund.put("bank.line.unplaced.v1", amounts={FUND: "1.23"}, bank_txn="X-1", direction="IN")
    fund.put("treasury.funds.requested.v1", request_ref="YK-9")
    await fund.drain()
    for caller in (
        api.caller("finance", areas=["152600"]),
        api.caller("finance", areas=[AREA], organisations=["H15250299999"]),
    ):
        assert (await caller.answer("/v1/outflows", area=AREA, **{"from": "2026-02-10"}))["funds"] == []
        for path, rows in ROWS.items():
            answer = await caller.answer(path)
            assert answer[rows] == [], path


async def test_row_level_security_alone_keeps_the_cash_of_areas_apart(
    fund: Fund, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every predicate removed from the queries."""
    await scripted(fund)
    fund.put("bank.line.unplaced.v1", amounts={FUND: "1.23"}, bank_txn="X-1", direction="IN")
    fund.put("treasury.funds.requested.v1", request_ref="YK-9")
    await fund.drain()
    monkeypatch.setattr(reach, "of", lambda *_, **__: Reach([0], None, None, None))
    stranger = api.caller("finance", areas=["152600"])
    for path, rows in ROWS.items():
        assert (await stranger.answer(path))[rows] == [], path
    assert (await stranger.get(f"/v1/payment-runs/{RUN}")).status_code == 404


# -- to take away


async def test_every_list_can_be_taken_away_and_whoever_does_is_on_record(
    fund: Fund, api: Api, finance: Caller
) -> None:
    await scripted(fund)
    fund.put("bank.line.unplaced.v1", amounts={FUND: "1.23"}, bank_txn="=cmd|' /C calc'!A0", direction="IN", text="x")
    fund.put("treasury.funds.requested.v1", request_ref="YK-9", amounts={FUND: "2.00"})
    await fund.drain()
    ahead = {"area": AREA, "from": "2026-02-10"}
    lists: list[tuple[str, dict[str, str]]] = [*((path, {}) for path in ROWS), ("/v1/outflows", ahead)]
    for path, question in lists:
        for format in ("csv", "xlsx"):
            first = await finance.get(path, format=format, **question)
            assert first.status_code == 200, first.text
            assert first.headers["content-disposition"].endswith(f'.{format}"')
            assert (await finance.get(path, format=format, **question)).content == first.content, path
            assert first.content.startswith(codecs.BOM_UTF8 if format == "csv" else b"PK")
    rows = await api.superuser("select operation, detail ->> 'format' as format from audit where outcome = 'asked'")
    assert len(rows) == 4 * len(lists)
    assert {row["operation"] for row in rows} == {
        "payments",
        "payment_runs",
        "suspense",
        "treasury_requests",
        "outflows",
    }


async def test_an_export_has_all_pages_and_its_sums_are_those_of_the_list(fund: Fund, finance: Caller) -> None:
    await scripted(fund)
    answer = await finance.answer("/v1/payments")
    response = await finance.get("/v1/payments", format="csv", limit=1)
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["付款单 payment"] for row in rows] == [row["payment"] for row in answer["payments"]]
    assert sum(money.fen(row["金额 amount"]) for row in rows) == money.fen(answer["total"])
    assert [row["状态 state"] for row in rows][:3] == ["待审批", "待审批", "已审批"]


async def test_an_export_of_what_others_wrote_holds_no_formula(fund: Fund, finance: Caller) -> None:
    """Reliability row 68. A reference cannot begin with one; a reason of the bank or of an officer can."""
    await fund.approve("anna", "bo")
    await fund.control.execute(
        "update clearing.payments set body = jsonb_set(body, '{code}', to_jsonb($1::text))", '=HYPERLINK("x")'
    )
    response = await finance.get("/v1/payments", format="csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert {row["银行退票码 bank code"] for row in rows} == {'\'=HYPERLINK("x")'}
    book = await finance.get("/v1/payments", format="xlsx")
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


async def test_an_export_that_would_not_be_all_of_it_is_refused(
    fund: Fund, finance: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "ROWS_MAX", 5)
    response = await finance.get("/v1/payments", format="csv")
    assert (response.status_code, response.json()["code"]) == (422, "too_much")
