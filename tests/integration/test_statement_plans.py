"""Plans of statements: judged by the lanes' rules, agreed to by two people, requested once; over the real API."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from direct_pay.plans import plan as plans
from direct_pay.plans.api import told
from medfund.http.problems import Problem
from tests import events
from tests.conftest import Database
from tests.events import AREA
from tests.fund import services
from tests.integration import purchases_served
from tests.integration.served import Api, Caller
from tests.purchasing import METFORMIN, SUPPLIER, Purchasing, invoice_no
from tests.simulation.memory_log import MemoryLog

LANES = 2
OTHER_AREA = "370100"
ASKED = {"plan": "JS-1", "area": AREA}


@pytest.fixture
async def funds(database: Database) -> AsyncIterator[Sequence[Purchasing]]:
    """Two hospitals of one area in two lanes, and one of another area."""
    async with services(database, LANES, ("direct_pay",)) as (control, connections):
        log, found = MemoryLog(), []
        for lane, area in ((0, AREA), (1, AREA), (1, OTHER_AREA)):
            fund = Purchasing(control, connections, lane=lane, lanes=LANES, log=log, area=area)
            fund.sent = 10_000 * len(found)
            [*providers] = events.providers(lane, LANES, 2)
            fund.provider = providers[area == OTHER_AREA]
            if area == AREA:
                await fund.claim("direct_pay")
            else:
                fund.workers = found[1].workers
            await fund.set_up()
            for staff, role in (("anna", "finance"), ("bo", "approver")):
                fund.mandate(staff, role)
            found.append(fund)
        for staff, role in (("anna", "finance"), ("bo", "approver")):
            found[0].put_in_lane("staff.mandated.v1", area=OTHER_AREA, staff_ref=staff, role=role, limit="99999999.99")
        for fund in found[:2]:
            fund.day("2026-10-07")
        await drained(found)
        yield found


async def drained(funds: Sequence[Purchasing]) -> None:
    for fund in funds:
        await fund.drain()


@pytest.fixture
async def api(funds: Sequence[Purchasing], database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with purchases_served.serving(database, funds[0].log, tmp_path, lanes=LANES) as api:
        yield api


@pytest.fixture
def anna(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="anna")


@pytest.fixture
def bo(api: Api) -> Caller:
    return api.caller("approver", areas=[AREA], subject="bo")


@pytest.fixture
def mia(api: Api) -> Caller:
    """Who makes plans."""
    return api.caller("finance", areas=[AREA], subject="mia")


def state(fund: Purchasing, ref: str = "DZ-1", *, number: int = 1, confirmed: bool = True, **data: Any) -> None:
    """A month's purchases, and a statement of them: 120,569.20 of which 116,983.20 and 3,586.00."""
    fund.submit_statement(ref, purchases_served.month(fund, number=number, **data), **data)
    if confirmed:
        fund.confirm(ref, **data)


def small(fund: Purchasing, ref: str, invoice: str, *, no: str = "CG-S", quantity: int = 10, **data: Any) -> None:
    """A statement of one invoice of so many at 12.34."""
    fund.deliver(no, (METFORMIN, quantity, "12.34"), **data)
    line = {"order_no": no, "line": 1, "product": METFORMIN, "quantity": quantity, "price": "12.34"}
    yuan = f"{quantity * 1234 // 100}.{quantity * 1234 % 100:02d}"
    fund.invoice(0, no, lines=[{**line, "amount": yuan}], **{"invoice": invoice, **data})
    fund.submit_statement(ref, {invoice: yuan}, **data)
    fund.confirm(ref, **data)


async def planned(caller: Caller, **changes: Any) -> dict[str, Any]:
    response = await caller.command("/v1/statement-plans", **{**ASKED, **changes})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def yes(caller: Caller, plan: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = await caller.command(f"/v1/statement-plans/{plan['area']}/{plan['plan']}/approvals", hash=plan["hash"])
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def requested(funds: Sequence[Purchasing]) -> list[tuple[str, str, list[str]]]:
    """Hospital, statement, and the amounts of its lines."""
    found: dict[Any, dict[str, Any]] = {}
    for fund in funds:
        for one in await fund.said("statement.requested"):
            found[one["provider"], one["payable_ref"]] = one
    return [(one["provider"], one["statement_ref"], [line[1] for line in one["lines"]]) for one in found.values()]


def left(plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["code"], one["invoice"]) for line in plan["lines"] for one in line["left_out"]]


async def test_what_two_people_agree_to_is_requested_as_they_saw_it_and_once(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller
) -> None:
    for number, fund in enumerate(funds[:2], 1):
        state(fund, number=number)
    await drained(funds)
    plan = await planned(mia)
    assert [(line["statement"], line["amount"], line["due"]) for line in plan["lines"]] == [
        ("DZ-1", "120569.20", "2026-09-30"), ("DZ-1", "120569.20", "2026-09-30"),
    ]  # fmt: skip
    assert {one["fund"]: one["amount"] for one in plan["lines"][0]["amounts"]} == {
        "310100": "82433.16", "390100": "38136.04",
    }  # fmt: skip
    assert (plan["state"], plan["to_publish"], plan["total"]) == ("WAITING", 2, "241138.40")
    assert await planned(mia) == plan == await planned(mia, dry_run=True)
    assert (await yes(anna, plan))["state"] == "WAITING"
    assert (await yes(anna, plan))["sent"] == 0, "the same person twice is one person"
    assert (await yes(bo, plan))["sent"] == 2
    await drained(funds)
    assert await requested(funds) == [
        (fund.provider, "DZ-1", ["116983.20", "3586.00"]) for fund in funds[:2]
    ]  # fmt: skip
    [*events_] = await funds[0].said("statement.requested")
    assert {fund: one["amounts"] for fund, one in enumerate(events_)}[0] == {"310100": "82433.16", "390100": "38136.04"}
    found = await anna.answer(f"/v1/statement-plans/{AREA}/JS-1")
    assert (found["state"], found["published"], [one["staff"] for one in found["approvals"]]) == (
        "PUBLISHED", 2, ["anna", "bo"],
    )  # fmt: skip
    assert (await yes(bo, plan))["sent"] == 0
    assert (await planned(mia, plan="JS-2"))["lines"] == []


async def test_a_hospital_with_many_statements_is_planned_and_agreed_to_part_by_part(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        small(funds[0], f"DZ-{number}", invoice_no(number), no=f"CG-{number}", quantity=number)
    small(funds[1], "DZ-9", invoice_no(9), quantity=100)
    await drained(funds)
    whole = await planned(mia, dry_run=True)
    monkeypatch.setattr(plans, "AT_ONCE", 2)
    parted = await planned(mia)
    assert parted["lines"] == whole["lines"], "however it was made"
    assert (whole["to_publish"], parted["to_publish"], parted["total"]) == (2, 4, "1419.10")
    await yes(anna, parted)
    assert (await yes(bo, parted))["sent"] == 4
    await drained(funds)
    agreed = [event for fund in funds[:2] for event in await fund.written("agency", "statements.agreed")]
    assert [[one["statement_ref"] for one in event["statements"]] for event in agreed] == [
        ["DZ-1", "DZ-2"], ["DZ-3", "DZ-4"], ["DZ-5"], ["DZ-9"],
    ]  # fmt: skip
    assert sorted(amounts for _, _, amounts in await requested(funds)) == [
        ["12.34"], ["1234.00"], ["24.68"], ["37.02"], ["49.36"], ["61.70"],
    ]  # fmt: skip


async def test_what_is_not_confirmed_in_dispute_or_due_later_is_left_out_with_its_reason(
    funds: Sequence[Purchasing], mia: Caller
) -> None:
    fund = funds[0]
    state(fund, "DZ-1", confirmed=False)
    state(fund, "DZ-2", number=2)
    fund.dispute("DZ-2", invoice_no(20), on="2026-10-06", reason="数量有误", speaks_for="HOSPITAL")
    await drained(funds)
    plan = await planned(mia, dry_run=True)
    assert left(plan) == [("NOT_CONFIRMED", None), ("BY_HOSPITAL", invoice_no(20))]
    assert [(line["open"], line["amount"]) for line in plan["lines"]] == [
        ("120569.20", "0.00"), ("3586.00", "3586.00"),
    ]  # fmt: skip
    later = await planned(mia, due_until="2026-09-29", dry_run=True)
    assert (later["total"], ("LATER", None) in left(later)) == ("0.00", True)
    sheet = await mia.get(f"/v1/statement-plans/{AREA}/none", format="csv")
    assert sheet.status_code == 404
    await planned(mia)
    sheet = await mia.get(f"/v1/statement-plans/{AREA}/JS-1", format="csv")
    assert "医疗机构尚未确认 not confirmed by the hospital" in sheet.content.decode("utf-8-sig")


async def test_a_hospital_without_a_key_is_told_before_anybody_says_yes(
    funds: Sequence[Purchasing], mia: Caller
) -> None:
    fund = funds[0]
    await fund.control.execute("delete from direct_pay.facts where type = 'split.key.published.v1'")
    state(fund)
    await drained(funds)
    [line] = (await planned(mia))["lines"]
    assert (line["open"], line["amount"], line["left_out"][0]["code"]) == ("120569.20", "0.00", "WITHHELD")
    assert line["left_out"][0]["detail"].startswith("there is no key to split")


SAME = [
    ("26372000009999999999", "26372000009999999999"),
    ("1370022001-12345678", "001370022001-12345678"),
]


@pytest.mark.parametrize("other", [1, 2], ids=["in another lane", "in another area"])
@pytest.mark.parametrize("numbers", SAME, ids=["the same", "with leading zeros"])
async def test_a_number_that_is_used_twice_is_paid_where_it_was_registered_first(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller, api: Api, other: int, numbers: tuple[str, str]
) -> None:
    """Edge case 55: found before money leaves, whoever may see what."""
    first, second = funds[other], funds[0]
    small(first, "DZ-F", numbers[0], supplier=SUPPLIER)
    await first.drain()
    first.log.clock_ms += 5
    small(second, "DZ-S", numbers[1], quantity=20)
    small(second, "DZ-T", invoice_no(77), no="CG-T", quantity=30)
    await drained(funds)
    plan = await planned(mia)
    assert left(plan) == [("LIVE_TWICE", numbers[1])]
    [detail] = [one["detail"] for line in plan["lines"] for one in line["left_out"]]
    assert detail == (
        f"{numbers[0]} is registered by {SUPPLIER} for {first.provider} in area {first.area}, in its statement DZ-F too"
    )
    await yes(anna, plan)
    await yes(bo, plan)
    await drained(funds)
    mine = [("DZ-T", ["370.20"])] + ([("DZ-F", ["123.40"])] if other == 1 else [])
    assert [(ref, lines) for _, ref, lines in await requested(funds)] == mine


async def test_what_was_requested_of_a_number_stays_though_it_was_registered_later(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller
) -> None:
    early, late = funds[0], funds[1]
    early.deliver("CG-S", (METFORMIN, 10, "12.34"))
    early.invoice(500, "CG-S", (METFORMIN, 10, "12.34"))
    await early.drain()
    early.log.clock_ms += 5
    small(late, "DZ-L", invoice_no(500), quantity=20)
    late.agree({"DZ-L": "246.80"})
    early.submit_statement("DZ-E", {invoice_no(500): "123.40"})
    early.confirm("DZ-E")
    await drained(funds)
    assert [ref for _, ref, _ in await requested(funds)] == ["DZ-L"]
    assert left(await planned(mia)) == [("LIVE_TWICE", invoice_no(500))]


async def test_the_rest_of_a_statement_goes_on_without_a_number_that_is_used_twice(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller
) -> None:
    small(funds[1], "DZ-F", invoice_no(11), supplier=SUPPLIER)
    await funds[1].drain()
    funds[1].log.clock_ms += 5
    state(funds[0])
    await drained(funds)
    plan = await planned(mia)
    assert {line["statement"]: (line["open"], line["amount"]) for line in plan["lines"]} == {
        "DZ-1": ("120569.20", "116983.20"), "DZ-F": ("123.40", "123.40"),
    }  # fmt: skip
    await yes(anna, plan)
    await yes(bo, plan)
    await drained(funds)
    assert sorted(lines for _, _, lines in await requested(funds)) == [["116983.20"], ["123.40"]]
    again = await planned(mia, plan="JS-2")
    assert [(line["open"], line["amount"]) for line in again["lines"]] == [("3586.00", "0.00")]


async def test_a_number_that_its_first_owner_has_taken_back_is_free(funds: Sequence[Purchasing], mia: Caller) -> None:
    first, second = funds[1], funds[0]
    first.deliver("CG-S", (METFORMIN, 10, "12.34"))
    first.invoice(500, "CG-S", (METFORMIN, 10, "12.34"))
    first.red(501, invoice_no(500), "123.40")
    await first.drain()
    first.log.clock_ms += 5
    small(second, "DZ-S", invoice_no(500), supplier=SUPPLIER, quantity=20)
    await drained(funds)
    plan = await planned(mia)
    assert (left(plan), plan["total"]) == ([], "246.80")


@pytest.fixture
def others(api: Api) -> list[Caller]:
    """Who plan and agree in another area, and do not see the statements of this one."""
    people = (("finance", "mia"), ("finance", "anna"), ("approver", "bo"))
    return [api.caller(role, areas=[OTHER_AREA], subject=name) for role, name in people]


async def test_two_plans_that_are_agreed_to_at_one_moment_are_agreed_to_one_after_the_other(
    funds: Sequence[Purchasing], api: Api, anna: Caller, bo: Caller, mia: Caller, others: list[Caller]
) -> None:
    small(funds[0], "DZ-A", invoice_no(900))
    small(funds[2], "DZ-B", invoice_no(901))
    await drained(funds)
    here, there = await planned(mia), await planned(others[0], area=OTHER_AREA)
    await asyncio.gather(yes(anna, here), yes(others[1], there))
    both = await asyncio.gather(yes(bo, here), yes(others[2], there))
    assert [one["sent"] for one in both] == [1, 1]
    [row] = await api.superuser("select agreed from statement_turn")
    assert row["agreed"] == 4
    await drained(funds)
    assert sorted(ref for _, ref, _ in await requested(funds)) == ["DZ-A", "DZ-B"]


async def test_what_was_agreed_to_before_stays_though_another_lane_had_the_number_first(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller, others: list[Caller]
) -> None:
    """What a lane has on the log and has not read yet is known to nobody."""
    late, early = funds[0], funds[2]
    small(early, "DZ-B", invoice_no(900))
    early.log.clock_ms += 5
    small(late, "DZ-A", invoice_no(900), quantity=20)
    await late.drain()
    here = await planned(mia)
    await yes(anna, here)
    await yes(bo, here)
    await early.drain()
    there = await planned(others[0], area=OTHER_AREA)
    assert (left(there), there["total"]) == ([("LIVE_TWICE", invoice_no(900))], "0.00")
    await drained(funds)
    assert [ref for _, ref, _ in await requested(funds)] == ["DZ-A"]


async def test_what_another_plan_was_agreed_to_for_is_on_its_way_until_the_lane_has_read_it(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller
) -> None:
    small(funds[0], "DZ-A", invoice_no(900))
    await drained(funds)
    first, second = await planned(mia), await planned(mia, plan="JS-2")
    await yes(anna, first)
    await yes(bo, first)
    assert left(await planned(mia, plan="JS-3", dry_run=True)) == [("ON_ITS_WAY", None)]
    refused = await yes(anna, second, 409)
    assert refused["code"] == "plan_changed"
    assert refused["detail"] == f"DZ-A of {SUPPLIER} for {funds[0].provider} is not to be requested any more"
    await drained(funds)
    assert (await planned(mia, plan="JS-4"))["lines"] == []


async def test_a_plan_that_would_be_another_one_today_is_refused_and_says_what_changed(
    funds: Sequence[Purchasing], anna: Caller, bo: Caller, mia: Caller
) -> None:
    state(funds[0])
    await drained(funds)
    plan = await planned(mia)
    await yes(anna, plan)
    funds[0].red(99, invoice_no(10), "983.20", on="2026-10-07")
    await drained(funds)
    problem = await yes(bo, plan, 409)
    assert (problem["code"], problem["detail"]) == (
        "plan_changed",
        f"DZ-1 of {SUPPLIER} for {funds[0].provider}: 120569.20 until 2026-09-30 then, 119586.00 until 2026-09-30 now",
    )
    assert await requested(funds) == []


async def test_who_makes_a_plan_does_not_agree_to_it_and_nobody_without_a_mandate_for_so_much(
    funds: Sequence[Purchasing], api: Api, anna: Caller, mia: Caller
) -> None:
    state(funds[0])
    for fund in funds[:2]:
        fund.put_in_lane("staff.mandated.v1", staff_ref="cleo", role="approver", limit="120569.19")
    await drained(funds)
    plan = await planned(mia)
    assert (await yes(mia, plan, 409))["code"] == "not_for_one_alone"
    cleo = api.caller("approver", areas=[AREA], subject="cleo")
    refused = await yes(cleo, plan, 409)
    assert (refused["code"], refused["reason"]) == ("would_be_declined", "LIMIT")
    assert refused["detail"] == f"120569.20, which plan JS-1 gives {SUPPLIER}, is above the limit of cleo, 120569.19"
    nobody = api.caller("approver", areas=[AREA], subject="nobody")
    assert (await yes(nobody, plan, 409))["reason"] == "MANDATE"
    stranger = api.caller("approver", areas=[OTHER_AREA], subject="bo")
    assert (await yes(stranger, plan, 404))["code"] == "not_found"


async def test_a_publication_that_was_broken_off_is_finished_and_nothing_is_doubled(
    funds: Sequence[Purchasing], api: Api, anna: Caller, bo: Caller, mia: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "APPENDED_AT_ONCE", 1)
    for number, fund in enumerate(funds[:2], 1):
        state(fund, number=number)
    await drained(funds)
    plan = await planned(mia)
    await yes(anna, plan)
    appending, calls = api.app.state.context.appending, []
    whole = appending.append

    async def breaks(messages: Any) -> Any:
        calls.append(len(messages))
        if len(calls) == 2:
            raise Problem("log_unavailable")
        return await whole(messages)

    monkeypatch.setattr(appending, "append", breaks)
    await yes(bo, plan, 503)
    monkeypatch.setattr(appending, "append", whole)
    await drained(funds)
    assert len(await requested(funds)) == 1
    other = await planned(mia, plan="JS-2")
    assert left(other) == [("ON_ITS_WAY", None)], "it may still be finished"
    assert (await yes(bo, plan))["sent"] == 1
    await drained(funds)
    assert (await yes(bo, plan))["sent"] == 0
    assert len(await requested(funds)) == 2


async def test_suppliers_and_hospitals_see_no_plan(funds: Sequence[Purchasing], api: Api, mia: Caller) -> None:
    await planned(mia)
    for role, own in (("supplier", SUPPLIER), ("provider", funds[0].provider)):
        caller = api.caller(role, areas=[AREA], organisations=[own])
        assert (await caller.get(f"/v1/statement-plans/{AREA}/JS-1")).status_code == 403
    stranger = api.caller("finance", areas=[OTHER_AREA])
    assert (await stranger.get(f"/v1/statement-plans/{AREA}/JS-1")).status_code == 404
