"""Plans of prepayments: made from pinned inputs, approved by two people, published once; over the real API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clearing.prepayment.api import plans
from medfund.http.problems import Problem
from tests import events
from tests.conftest import Database
from tests.events import AREA, CALLED
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.served import Api, Caller

EMPLOYEES, RESIDENTS = "310100", "390100"
FIRST, SECOND, THIRD = events.providers(0, 1, 3)
ASKED: dict[str, Any] = {
    "plan": "YF-1", "area": AREA, "year": 2026, "base_from": "2025-01-01", "base_to": "2025-12-01",
    "limits": {EMPLOYEES: "8000000000.00", RESIDENTS: "8000000000.00"},
}  # fmt: skip


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """Three hospitals in one lane: the numbers of R2.3 for the first, grades A, B and C."""
    async with running(database, lane=0, lanes=1) as fund:
        fund.policy()
        for staff, role in (("anna", "finance"), ("bo", "approver")):
            fund.mandate(staff, role)
        for of in (EMPLOYEES, RESIDENTS):
            fund.figures(of, "41230000000.00", "34567000000.00")
        for provider, grade, settled in (
            (FIRST, "B", {EMPLOYEES: 12_845_678_901, RESIDENTS: 4_700_000_005}),
            (SECOND, "A", {EMPLOYEES: 1_200}),
            (THIRD, "C", {EMPLOYEES: 120_000}),
        ):
            await paid_a_year(fund, provider, settled)
            fund.assess(grade)
        fund.day("2026-01-06")
        for provider in (FIRST, SECOND, THIRD):
            fund.provider = provider
            fund.apply(EMPLOYEES, RESIDENTS)
        await fund.drain()
        yield fund


async def paid_a_year(fund: Fund, provider: str, settled: dict[str, int]) -> None:
    """A provider's claim of January 2025, approved in full: all that it was paid in that year."""
    fund.provider = provider
    fund.settlements.clear()
    fund.register()
    fund.settle(settled, day="2025-01-15")
    fund.submit(f"B-{provider}", first="2025-01-01", last="2025-01-31", on="2025-02-06")
    await fund.drain()
    fund.deduct([f"B-{provider}"], {}, benefit_year=2025)
    await fund.drain()


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=fund.lanes) as api:
        yield api


@pytest.fixture
def anna(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="anna")


@pytest.fixture
def mia(api: Api) -> Caller:
    """Who makes plans."""
    return api.caller("finance", areas=[AREA], subject="mia")


@pytest.fixture
def bo(api: Api) -> Caller:
    return api.caller("approver", areas=[AREA], subject="bo")


@pytest.fixture
def hospital(api: Api) -> Caller:
    return api.caller("provider", organisations=[FIRST], subject="hospital")


async def planned(caller: Caller, **changes: Any) -> dict[str, Any]:
    response = await caller.command("/v1/prepayment-plans", **{**ASKED, **changes})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def yes(caller: Caller, plan: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = await caller.command(f"/v1/prepayment-plans/{plan['area']}/{plan['plan']}/approvals", hash=plan["hash"])
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


def by_ref(plan: dict[str, Any], what: str = "amount") -> dict[str, str]:
    return {line["prepayment"].replace("/YF-2026", ""): line[what] for line in plan["lines"]}


async def test_base_and_grant_are_those_of_r2_3_and_the_same_again(anna: Caller, mia: Caller) -> None:
    plan = await planned(mia)
    assert by_ref(plan, "base")[f"{FIRST}/{EMPLOYEES}"] == "10704732.42"
    assert by_ref(plan, "base")[f"{FIRST}/{RESIDENTS}"] == "3916666.67"
    assert by_ref(plan)[f"{FIRST}/{EMPLOYEES}"] == "9634259.18"
    assert (by_ref(plan)[f"{SECOND}/{EMPLOYEES}"], by_ref(plan)[f"{THIRD}/{EMPLOYEES}"]) == ("1.00", "80.00")
    assert (plan["months"], plan["state"], plan["grants"]) == (12, "WAITING", 6)
    assert await planned(mia) == plan == await planned(mia, dry_run=True)
    again = (await anna.answer(f"/v1/prepayment-plans/{AREA}/YF-1"))["lines"]
    assert again == plan["lines"]
    sheet = (await anna.get(f"/v1/prepayment-plans/{AREA}/YF-1", format="csv")).content.decode("utf-8-sig").splitlines()
    assert sheet[0].startswith("定点机构 provider,预付金 prepayment,基金 fund,基数 base")
    grant = "10704732.42,0.9,9634259.18,9634259.18,0.00,9634259.18"
    became = f"0.00,0.00,0.00,{CALLED}," + " ".join(f"2025-{month:02d}" for month in range(2, 13))
    assert f"{FIRST},{FIRST}/YF-2026/{EMPLOYEES},{EMPLOYEES},{grant},{became}" in sheet, "nothing last year"
    other = await anna.command("/v1/prepayment-plans", **{**ASKED, "limits": {EMPLOYEES: "1.00"}})
    assert other.status_code == 409
    assert (
        await anna.command("/v1/prepayment-plans", **{**ASKED, "plan": "X", "base_to": "2025-11-01"})
    ).status_code == 422


async def test_a_plan_that_several_make_at_once_is_one_plan_and_a_yes_said_twice_at_once_is_one(
    anna: Caller, bo: Caller, mia: Caller
) -> None:
    first, *others = await asyncio.gather(*[planned(caller) for caller in (mia, mia, mia, mia)])
    assert all(other == first for other in others)
    said = await asyncio.gather(*[yes(caller, first) for caller in (anna, anna, anna)])
    assert {one["state"] for one in said} == {"WAITING"}
    assert len((await yes(bo, first))["approvals"]) == 2


async def test_who_has_just_come_to_a_fund_is_given_nothing_of_it(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    """Edge case 44: of the residents' fund alone until now, and of both from now on."""
    plan = await planned(mia)
    assert (by_ref(plan, "base")[f"{SECOND}/{RESIDENTS}"], by_ref(plan)[f"{SECOND}/{RESIDENTS}"]) == ("0.00", "0.00")
    await yes(anna, plan)
    await yes(bo, plan)
    refused = await fund.decided("prepayment.refused")
    assert (f"{SECOND}/YF-2026/{RESIDENTS}", "TOO_LITTLE") in {(one["prepayment_ref"], one["code"]) for one in refused}


async def test_grants_that_do_not_fit_are_scaled_to_the_fen(anna: Caller, mia: Caller) -> None:
    plan = await planned(mia, limits={EMPLOYEES: "1000.01", RESIDENTS: "0.00"}, dry_run=True)
    assert plan["total"] == "1000.01"
    assert by_ref(plan)[f"{FIRST}/{RESIDENTS}"] == "0.00"


async def test_what_another_kind_gives_is_left_out_of_a_month(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    """R2.3: about a month in all."""
    plan = await planned(mia, limits={EMPLOYEES: "8000000000.00"})
    await yes(anna, plan)
    await yes(bo, plan)
    fund.provider = FIRST
    fund.apply(EMPLOYEES, kind="MONTHLY")
    await fund.drain()
    [line] = (await planned(mia, plan="YY-1", kind="MONTHLY"))["lines"]
    assert (line["base"], line["ratio"], line["amount"]) == ("10704732.42", "0.5", "1070473.24")


async def test_a_bulk_purchases_is_thirty_percent_of_what_was_agreed(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    """R2.6."""
    fund.provider = FIRST
    fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-17", agreed={EMPLOYEES: "12000000.00"})
    await fund.drain()
    plan = await planned(mia, plan="JC-1", kind="BULK")
    [line] = plan["lines"]
    assert (line["base"], line["ratio"], line["amount"]) == ("12000000.00", "0.3", "3600000.00")
    await yes(anna, plan)
    await yes(bo, plan)
    [ordered] = [one for one in await fund.decided("payment.ordered") if one["purpose"] == "BULK"]
    assert (ordered["amounts"], ordered["due"]) == ({EMPLOYEES: "3600000.00"}, "2026-01-20")


async def test_bulk_purchases_that_do_not_fit_are_left_out_by_order_and_none_is_less_than_its_ratio(
    fund: Fund, anna: Caller, mia: Caller
) -> None:
    """R10: 2,296.30 and 1,500.00 in 3,700.00, though the policy scales."""
    for provider, agreed in ((FIRST, "7654.32"), (SECOND, "5000.00")):
        fund.provider = provider
        fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-19", agreed={EMPLOYEES: agreed})
    await fund.drain()
    plan = await planned(mia, plan="JC-1", kind="BULK", limits={EMPLOYEES: "3700.00"})
    assert [(line["wanted"], line["amount"]) for line in plan["lines"]] == [
        ("2296.30", "2296.30"), ("1500.00", "0.00"),
    ]  # fmt: skip


async def test_a_base_is_what_the_fund_bore_of_its_own_insured(fund: Fund, anna: Caller, mia: Caller) -> None:
    """R10: visitors' claims are not in it, nor what another payer bears."""
    fund.provider = SECOND
    fund.settlements.clear()
    fund.settle({EMPLOYEES: 808_080}, day="2025-03-15", insured_area="370100")
    fund.submit("B-V", first="2025-03-01", last="2025-03-31", on="2025-04-06", insured_area="370100")
    fund.settlements.clear()
    fund.settle({EMPLOYEES: 2_401}, day="2025-04-15", clr_type="11")
    fund.submit("B-O", first="2025-04-01", last="2025-04-30", on="2025-05-06", clr_type="11")
    await fund.drain()
    fund.deduct(["B-V"], {}, benefit_year=2025, insured_area="370100")
    fund.deduct(["B-O"], {}, benefit_year=2025, clr_type="11")
    await fund.drain()
    plan = await planned(mia)
    assert by_ref(plan, "base")[f"{SECOND}/{EMPLOYEES}"] == "3.00", "of 12.00 and 24.01"


async def test_a_month_that_nobody_approved_counts_as_nothing_and_is_named(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    """Of each grant, in a dry run as well; a plan is the same one where such a month changes no grant."""
    plan = await planned(mia, dry_run=True, base_from="2024-11-01")
    missing = {ref: (months[0], months[-1], len(months)) for ref, months in by_ref(plan, "months_missing").items()}
    assert missing[f"{SECOND}/{EMPLOYEES}"] == ("2024-11-01", "2025-12-01", 13)
    assert missing[f"{SECOND}/{RESIDENTS}"] == ("2024-11-01", "2025-12-01", 14), "nothing of that fund is approved"
    assert (plan["months"], plan["months_missing"][2]) == (14, "2025-01-01")
    fund.provider = FIRST
    fund.settlements.clear()
    fund.settle({EMPLOYEES: 2}, day="2025-02-15")
    fund.submit("B-2", first="2025-02-01", last="2025-02-28", on="2025-03-06")
    await fund.drain()
    waits = await planned(mia)
    assert "2025-02-01" in by_ref(waits, "months_missing")[f"{FIRST}/{EMPLOYEES}"], "claimed, and not approved"
    fund.deduct(["B-2"], {}, benefit_year=2025)
    await fund.drain()
    later = await planned(mia, plan="YF-2")
    assert by_ref(later, "base") == by_ref(waits, "base")
    assert "2025-02-01" not in by_ref(later, "months_missing")[f"{FIRST}/{EMPLOYEES}"]
    assert (await yes(bo, waits))["hash"] == waits["hash"]
    sheet = (await anna.get(f"/v1/prepayment-plans/{AREA}/YF-2", format="csv")).content.decode("utf-8-sig").splitlines()
    assert sheet[0].endswith("无审定金额的月份 months missing")
    assert sheet[1].endswith("2025-11 2025-12")


async def test_two_people_of_two_offices_publish_a_plan_and_every_grant_once(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    plan = await planned(mia, limits={EMPLOYEES: "8000000000.00"})
    for _ in range(2):
        assert (await yes(anna, plan))["state"] == "WAITING", "the same person twice is one person"
    told = await yes(bo, plan)
    assert (told["state"], told["sent"], [one["staff"] for one in told["approvals"]]) == (
        "APPROVED",
        3,
        ["anna", "bo"],
    )
    approved = {one["prepayment_ref"]: one["amounts"] for one in await fund.decided("prepayment.approved")}
    assert approved[f"{FIRST}/YF-2026/{EMPLOYEES}"] == {EMPLOYEES: "9634259.18"}
    assert len(approved) == 3
    assert (await anna.answer(f"/v1/prepayment-plans/{AREA}/YF-1"))["state"] == "PUBLISHED"
    assert await fund.decided("prepayment.refused") == [], "the residents' fund has no limit: another plan may have one"
    assert (await yes(bo, plan))["sent"] == 0
    waiting = (await anna.answer("/v1/payments", area=AREA, queue="to_approve"))["payments"]
    mine = [one for one in waiting if one["purpose"] == "PREPAYMENT"]
    assert [(one["area"], one["purpose_name"]["en"], one["missing"]) for one in mine] == [(AREA, "prepayment", 2)] * 3
    answer = await anna.answer("/v1/prepayments", area=AREA, state="APPROVED", fund=EMPLOYEES)
    assert answer["granted"] == "9634340.18"


async def test_a_plan_whose_inputs_changed_is_refused_and_says_what_changed(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    plan = await planned(mia)
    await yes(anna, plan)
    fund.provider = SECOND
    fund.settlements.clear()
    fund.settle({EMPLOYEES: 1_200}, day="2025-03-15")
    fund.submit("B-2", first="2025-03-01", last="2025-03-31", on="2026-01-07")
    await fund.drain()
    fund.deduct(["B-2"], {}, benefit_year=2025)
    await fund.drain()
    problem = await yes(bo, plan, 409)
    assert problem["code"] == "plan_changed"
    assert problem["detail"] == f"{SECOND}/YF-2026/{EMPLOYEES}: 1.00 then, 2.00 now"
    assert await fund.decided("prepayment.approved") == []


async def test_a_later_plan_publishes_what_differs(fund: Fund, anna: Caller, bo: Caller, mia: Caller) -> None:
    first = await planned(mia)
    await yes(anna, first)
    await yes(bo, first)
    await fund.drain()
    limits = {EMPLOYEES: "8000000000.00", RESIDENTS: "1000000.00"}
    second = await planned(mia, plan="YF-2", replaces="YF-1", limits=limits)
    assert (second["grants"], second["to_publish"]) == (4, 1)
    await yes(bo, second)
    assert (await yes(anna, second))["sent"] == 1
    [adjusted] = await fund.decided("prepayment.adjusted")
    assert (adjusted["prepayment_ref"], adjusted["amounts"]) == (
        f"{FIRST}/YF-2026/{RESIDENTS}", {RESIDENTS: "1000000.00"},
    )  # fmt: skip


async def test_a_publication_that_was_broken_off_is_finished_and_nothing_is_doubled(
    fund: Fund, api: Api, anna: Caller, bo: Caller, monkeypatch: pytest.MonkeyPatch, mia: Caller
) -> None:
    monkeypatch.setattr(plans, "APPENDED_AT_ONCE", 2)
    plan = await planned(mia)
    await yes(anna, plan)
    appending = api.app.state.context.appending
    whole, calls = appending.append, []

    async def breaks(messages: Any) -> Any:
        calls.append(len(messages))
        if len(calls) == 2:
            raise Problem("log_unavailable")
        return await whole(messages)

    monkeypatch.setattr(appending, "append", breaks)
    await yes(bo, plan, 503)
    monkeypatch.setattr(appending, "append", whole)
    await fund.drain()
    told = await anna.answer(f"/v1/prepayment-plans/{AREA}/YF-1")
    assert (told["state"], told["published"], told["to_publish"]) == ("APPROVED", 2, 6)
    assert (await yes(bo, plan))["sent"] == 4
    await fund.drain()
    assert (await yes(anna, plan))["sent"] == 0
    refs = [one["prepayment_ref"] for one in await fund.decided("prepayment.approved", "prepayment.refused")]
    assert len(refs) == len(set(refs)) == 6


async def test_a_hospital_applies_over_http_and_is_told_fund_by_fund_and_the_agency_recalls(
    fund: Fund, api: Api, anna: Caller, hospital: Caller
) -> None:
    body = {
        "application": "YFJ-1", "provider": FIRST, "insutype": "310", "year": 2026, "funds": [EMPLOYEES, "610100"],
        "documents": ["promise"], "applied_on": "2026-01-07",
    }  # fmt: skip
    response = await hospital.command("/v1/prepayment-applications", **body)
    assert response.status_code == 202, response.text
    await fund.drain()
    told = await hospital.answer(response.json()["look"])
    assert told["state"] == "DONE"
    codes = {one["data"]["fund"]: one["data"]["code"] for one in told["decisions"]}
    assert codes == {EMPLOYEES: "TWICE", "610100": "UNKNOWN_FUND"}
    stranger = api.caller("provider", organisations=[SECOND], subject="stranger")
    assert (await stranger.command("/v1/prepayment-applications", **body)).status_code == 404
    ref = f"{FIRST}/YF-2026/{EMPLOYEES}"
    fund.provider = FIRST
    fund.grant(ref, 100)
    await fund.drain()
    recalled = await anna.command("/v1/prepayment-recalls", prepayment=ref, code="MISUSE", reason="挪用于基建")
    assert recalled.status_code == 202, recalled.text
    await fund.drain()
    assert (await anna.answer(recalled.json()["look"]))["state"] == "DONE"
    assert (await fund.prepayments())[ref]["status"] == "RECALLED"
    mine = (await hospital.answer("/v1/prepayments"))["prepayments"]
    assert {(one["provider"], one["provider_name"]) for one in mine} == {(FIRST, CALLED)}


async def given(fund: Fund, ref: str, fen: int) -> None:
    """Granted, and paid."""
    fund.provider = ref.split("/")[0]
    fund.grant(ref, fen)
    await paid(fund, ref, fen)


async def paid(fund: Fund, ref: str, fen: int) -> None:
    """Approved by two people, and paid by the bank on 21 January."""
    fund.provider = ref.split("/")[0]
    fund.deposit({EMPLOYEES: 10 * fen})
    fund.day("2026-01-20")
    await fund.approve("anna", "bo", refs=[f"{ref}/P1/{EMPLOYEES}"])
    await fund.run(EMPLOYEES, on="2026-01-21")
    fund.bank(f"{ref}/P1/{EMPLOYEES}", {EMPLOYEES: fen}, on="2026-01-21")
    fund.day("2026-02-25")
    await fund.drain()


async def test_what_is_out_has_an_age_and_an_outlook_to_the_end_of_the_year(fund: Fund, anna: Caller) -> None:
    await given(fund, f"{FIRST}/YF-2026/{EMPLOYEES}", 1_070_473_242)
    told, residents = (await anna.answer("/v1/prepayment-outlook", area=AREA))["funds"]
    assert told["gate"] == {"as_of": "2025-12-31", "months": "14.3131", "needed": 12, "open": True, "reasons": []}
    assert (residents["outstanding"], residents["gate"]["needed"]) == ("0.00", 6)
    assert (told["fund"], told["outstanding"], told["left"]) == (EMPLOYEES, "10704732.42", "0.00")
    assert told["so_far"] == [{"month": "2026-01-01", "left": "10704732.42"}]
    assert [(one["up_to_days"], one["prepayments"]) for one in told["ages"]] == [(30, 0), (90, 1), (180, 0), (None, 0)]
    months = {one["month"]: (one["due"], one["expected"], one["left"]) for one in told["months"]}
    assert months["2026-09-01"] == ("0.00", "0.00", "10704732.42")
    assert months["2026-10-01"] == ("3568244.14", "3568244.14", "7136488.28")
    assert months["2026-12-01"] == ("3568244.14", "3568244.14", "0.00")
    assert (await anna.answer("/v1/prepayment-outlook", area=AREA, fund=RESIDENTS))["funds"] == [residents]
    page = await anna.get("/v1/prepayment-outlook", area=AREA, format="html")
    assert page.headers["content-type"].startswith("text/html")
    assert "7,136,488.28" in page.text
    assert "<script" not in page.text


async def test_a_hospital_reads_its_own_year_step_by_step_and_no_other_hospitals(
    fund: Fund, hospital: Caller, anna: Caller
) -> None:
    ref, amount = f"{FIRST}/YF-2026/{EMPLOYEES}", 1_070_473_242
    await given(fund, ref, amount)
    fund.repay(ref, {EMPLOYEES: 70_473_242}, on="2026-03-02")
    fund.day("2026-03-03")
    await fund.drain()
    asked = {"provider": FIRST, "year": 2026}
    told = await hospital.answer("/v1/prepayment-statement", **asked)
    assert (told["area"], told["as_of"]) == (AREA, "2026-03-03")
    of_employees = told["funds"][0]
    assert [(one["day"], one["what"], one["amount"], one["outstanding"]) for one in of_employees["steps"]] == [
        ("2026-01-06", "CHECKED", "0.00", "0.00"),
        ("2026-01-06", "GRANTED", "10704732.42", "0.00"),
        ("2026-01-21", "PAID", "10704732.42", "10704732.42"),
        ("2026-03-02", "RETURNED", "704732.42", "10000000.00"),
    ]
    assert [(one["day"], one["outstanding"]) for one in of_employees["days"]] == [
        ("2026-01-21", "10704732.42"),
        ("2026-03-02", "10000000.00"),
    ]
    assert (of_employees["outstanding"], of_employees["months"][-1]["left"]) == ("10000000.00", "0.00")
    page = await hospital.get("/v1/prepayment-statement", **asked, format="html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "10,000,000.00" in page.text
    assert "退回" in page.text
    book = await hospital.get("/v1/prepayment-statement", **asked, format="xlsx")
    assert book.content.startswith(b"PK")
    assert (await hospital.get("/v1/prepayment-statement", provider=SECOND, year=2026)).status_code == 404
    assert (await hospital.get("/v1/prepayment-statement", provider=FIRST, year=2025)).status_code == 404
    assert (await anna.answer("/v1/prepayment-statement", **asked))["funds"][0] == of_employees


async def test_a_plan_stands_beside_what_became_of_it_and_the_year_before(
    fund: Fund, anna: Caller, bo: Caller, mia: Caller
) -> None:
    plan = await planned(mia)
    await yes(anna, plan)
    await yes(bo, plan)
    await paid(fund, f"{FIRST}/YF-2026/{EMPLOYEES}", 963_425_918)
    told = await anna.answer(f"/v1/prepayment-plans/{AREA}/YF-1")
    [mine] = [line for line in told["lines"] if line["prepayment"] == f"{FIRST}/YF-2026/{EMPLOYEES}"]
    assert (mine["state"], mine["disbursed"], mine["outstanding"]) == ("APPROVED", "9634259.18", "9634259.18")
    assert [(one["fund"], one["amount"]) for one in told["disbursed"]] == [(EMPLOYEES, "9634259.18")]
    for provider in (FIRST, SECOND):
        fund.provider = provider
        fund.assess(year=2026)
        fund.apply(EMPLOYEES, on="2027-01-06")
    await fund.drain()
    following = {"plan": "YF-2", "year": 2027, "dry_run": True}
    ahead = await planned(mia, **following)
    assert {line["provider"]: line["last_year"] for line in ahead["lines"]} == {FIRST: "9634259.18", SECOND: "1.00"}


async def test_whoever_made_a_plan_does_not_approve_it_under_any_name(
    fund: Fund, api: Api, anna: Caller, bo: Caller, mia: Caller
) -> None:
    fund.mandate("mia", "finance")
    await fund.drain()
    plan = await planned(mia)
    for name, role in (("mia", "finance"), ("MIA", "approver")):
        told = await yes(api.caller(role, areas=[AREA], subject=name), plan, 409)
        assert (told["code"], told["detail"]) == ("not_for_one_alone", "mia made the plan: two others approve it")
    await yes(anna, plan)
    again = await yes(api.caller("approver", areas=[AREA], subject="Anna"), plan)
    assert (again["state"], [one["staff"] for one in again["approvals"]]) == ("WAITING", ["anna"])
    assert (await yes(bo, plan))["state"] != "WAITING"


async def test_a_plan_whose_name_has_a_slash_is_found_and_approved(anna: Caller, mia: Caller) -> None:
    plan = await planned(mia, plan="YF/2026/1")
    told = await yes(anna, plan)
    assert (told["state"], [one["staff"] for one in told["approvals"]]) == ("WAITING", ["anna"])
    assert (await mia.answer(f"/v1/prepayment-plans/{AREA}/YF/2026/1"))["hash"] == plan["hash"]


async def test_a_plan_is_approved_with_a_mandate_for_what_each_provider_gets(
    fund: Fund, api: Api, anna: Caller, bo: Caller, mia: Caller
) -> None:
    plan = await planned(mia)
    most = "13159259.18"  # of the first: 9,634,259.18 and 3,525,000.00
    fund.mandate("bo", "approver", limit="13159259.17")
    await fund.drain()
    told = await yes(bo, plan, 409)
    assert (told["reason"], told["detail"]) == (
        "LIMIT", f"{most}, which plan YF-1 gives {FIRST}, is above the limit of bo, 13159259.17",
    )  # fmt: skip
    told = await yes(api.caller("approver", areas=[AREA], subject="eve"), plan, 409)
    assert (told["reason"], told["detail"]) == ("MANDATE", "eve has no mandate of area 152500 on 2026-01-06")
    assert told["detail_zh"] == "经办人在该统筹区当日没有有效授权，详见 detail"
    rows = (await api.caller("auditor").answer("/v1/audit", object="YF-1", outcome="would_be_declined"))["rows"]
    assert [(row["person"], row["detail"]["reason"]) for row in rows] == [("eve", "MANDATE"), ("bo", "LIMIT")]
    fund.mandate("bo", "approver", limit=most)
    await fund.drain()
    await yes(bo, plan)
    fund.mandate("bo", "approver", valid_to="2026-01-05")
    await fund.drain()
    assert (await yes(anna, plan, 409))["detail"] == "bo has no mandate of area 152500 on 2026-01-06"


async def test_an_approval_of_a_plan_and_its_audit_row_are_there_together_or_not_at_all(
    fund: Fund, api: Api, anna: Caller, mia: Caller
) -> None:
    plan = await planned(mia)
    await fund.control.execute("revoke insert on clearing.audit from medfund_api")
    path = f"/v1/prepayment-plans/{AREA}/YF-1/approvals"
    assert (await anna.command(path, hash=plan["hash"])).status_code == 500
    assert await api.superuser("select from prepayment_approvals") == []


async def test_a_recall_that_came_to_nothing_can_be_asked_for_again(fund: Fund, api: Api, anna: Caller) -> None:
    ref = f"{FIRST}/YF-2026/{EMPLOYEES}"
    asked = {"prepayment": ref, "code": "MISUSE", "reason": "挪用于基建"}
    early = await anna.command("/v1/prepayment-recalls", **asked)
    assert (early.status_code, early.json()["code"]) == (409, "would_be_declined")
    await given(fund, ref, 100)
    looks = [
        (await anna.command("/v1/prepayment-recalls", **asked, **number)).json()["look"]
        for number in ({}, {}, {"recall": "H-2"})
    ]
    assert looks[0] == looks[1] != looks[2]
    await fund.drain()
    assert [(await anna.answer(look))["state"] for look in (looks[0], looks[2])] == ["DONE", "DISPUTED"]


async def test_finance_of_another_area_plans_approves_and_recalls_nothing(
    fund: Fund, api: Api, anna: Caller, mia: Caller
) -> None:
    plan = await planned(mia)
    await given(fund, f"{FIRST}/YF-2026/{EMPLOYEES}", 100)
    stranger = api.caller("finance", areas=["152600"], subject="bo")
    for path, body in (
        ("/v1/prepayment-plans", {**ASKED, "plan": "YF-9"}),
        (f"/v1/prepayment-plans/{AREA}/YF-1/approvals", {"hash": plan["hash"]}),
        ("/v1/prepayment-recalls", {"prepayment": f"{FIRST}/YF-2026/{EMPLOYEES}", "code": "OTHER", "reason": "?"}),
    ):
        assert (await stranger.command(path, **body)).status_code == 404, path
    assert (await stranger.get(f"/v1/prepayment-plans/{AREA}/YF-1")).status_code == 404
    assert (await stranger.answer("/v1/prepayment-outlook", area=AREA))["funds"] == []
    assert (await stranger.get("/v1/prepayment-statement", provider=FIRST, year=2026)).status_code == 404
