"""What suppliers, hospitals and the agency see of statements, invoices, due days, the cycle and arrears: their own
rows, to the fen."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests import events
from tests.conftest import Database
from tests.events import AREA
from tests.integration import purchases_served
from tests.integration.served import Api, Caller
from tests.integration.test_claims_commands import problem
from tests.purchasing import METFORMIN, OTHER_SUPPLIER, SUPPLIER, Purchasing, buying, invoice_no

STRANGER = "91370000MA00000031"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Purchasing]:
    """Two hospitals in one lane and two suppliers: the first statement is requested and half paid, the second in
    dispute, the third of the other supplier to the other hospital."""
    async with buying(database, lane=0, lanes=1) as fund:
        await fund.set_up()
        for supplier, name in ((SUPPLIER, "示例医药有限公司"), (OTHER_SUPPLIER, "他方医药有限公司")):
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, name=name)
        first = purchases_served.month(fund)
        fund.submit_statement("DZ-1", first)
        fund.confirm("DZ-1")
        second = purchases_served.month(fund, number=2, quantity=100)
        fund.submit_statement("DZ-2", second)
        fund.dispute("DZ-2", invoice_no(20), on="2026-10-06", reason="数量有误", speaks_for="HOSPITAL")
        fund.day("2026-10-07")
        fund.agree({"DZ-1": "120569.20"})
        [requested] = await fund.said("statement.requested")
        paid = [[requested["lines"][0][0], "116983.20", *requested["lines"][0][2:]]]
        fund.paid(requested, on="2026-10-08", lines=paid)
        fund.put("arrears.registered.v1", provider=fund.provider, supplier=SUPPLIER, arrears_ref="QK-1",
                 amounts={"310100": "7748700.00"}, since="2020-06-30")  # fmt: skip
        fund.put("arrears.cleared.v1", provider=fund.provider, supplier=SUPPLIER, arrears_ref="QK-1",
                 amounts={"310100": "748700.00"})  # fmt: skip
        [own, other] = events.providers(0, 1, 2)
        fund.provider = other
        fund.register()
        fund.mandate_direct()
        fund.contract(METFORMIN, supplier=OTHER_SUPPLIER, ref="JC-2")
        fund.deliver("CG-9", (METFORMIN, 10, "12.34"), supplier=OTHER_SUPPLIER)
        fund.invoice(90, "CG-9", (METFORMIN, 10, "12.34"), supplier=OTHER_SUPPLIER)
        fund.submit_statement("DZ-1", {invoice_no(90): "123.40"}, supplier=OTHER_SUPPLIER)
        fund.invoice(91, "CG-9", (METFORMIN, 1, "12.34"), supplier=OTHER_SUPPLIER)
        await fund.drain()
        fund.provider = own
        yield fund


@pytest.fixture
async def api(fund: Purchasing, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with purchases_served.serving(database, fund.log, tmp_path) as api:
        yield api


@pytest.fixture
def supplier(api: Api) -> Caller:
    return api.caller("supplier", areas=[AREA], organisations=[SUPPLIER])


@pytest.fixture
def hospital(api: Api, fund: Purchasing) -> Caller:
    return api.caller("provider", areas=[AREA], organisations=[fund.provider])


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA])


async def test_where_each_invoice_stands_and_when_it_was_or_will_be_paid(supplier: Caller) -> None:
    found = (await supplier.answer("/v1/invoices"))["invoices"]
    said = {one["invoice"]: (one["state"], one["amount"], one["requested"], one["paid"], one["due"], one["paid_on"])
            for one in found}  # fmt: skip
    assert said == {
        invoice_no(10): ("PAID", "116983.20", "116983.20", "116983.20", None, "2026-10-08"),
        invoice_no(11): ("REQUESTED", "4820.00", "3586.00", "0.00", "2026-09-30", None),
        invoice_no(20): ("DISPUTED", "1234.00", "0.00", "0.00", "2026-09-30", None),
        invoice_no(21): ("STATED", "4820.00", "0.00", "0.00", "2026-09-30", None),
    }
    assert [why["zh"] for one in found for why in one["why"]] == ["医疗机构提出异议"]
    assert {one["provider_name"] for one in found} == {events.CALLED}, "who sells to a hospital knows its name"
    [one] = (await supplier.answer("/v1/invoices", invoice=invoice_no(11)))["invoices"]
    assert (one["statement"], one["taken_back"], one["supplier_name"]) == ("DZ-1", "1234.00", "示例医药有限公司")
    assert (await supplier.answer("/v1/invoices", issued_from="2026-09-09"))["invoices"] == []


async def test_who_sees_everybodys_invoices_says_whose(supplier: Caller, finance: Caller) -> None:
    assert problem(await finance.get("/v1/invoices")) == (422, "parameter_invalid")
    for narrowed in ({"supplier": SUPPLIER}, {"invoice": invoice_no(11)}):
        assert (await finance.answer("/v1/invoices", **narrowed))["invoices"] != []


async def test_statements_are_told_with_what_is_requested_and_paid_page_by_page(
    fund: Purchasing, supplier: Caller, finance: Caller
) -> None:
    answer = await supplier.answer("/v1/statements")
    assert [(one["statement"], one["state"], one["amount"], one["requested"], one["paid"], one["in_dispute"])
            for one in answer["statements"]] == [
        ("DZ-1", "REQUESTED", "120569.20", "120569.20", "116983.20", 0),
        ("DZ-2", "SUBMITTED", "4820.00", "0.00", "0.00", 1),
    ]  # fmt: skip
    assert (answer["amount"], answer["paid"]) == ("125389.20", "116983.20")
    page = await finance.answer("/v1/statements", limit=2)
    rest = await finance.answer("/v1/statements", limit=2, cursor=page["next"])
    refs = [(one["supplier"], one["statement"]) for one in (*page["statements"], *rest["statements"])]
    assert sorted(refs) == sorted([(SUPPLIER, "DZ-1"), (SUPPLIER, "DZ-2"), (OTHER_SUPPLIER, "DZ-1")])
    for asked, expected in (
        ({"confirmed": "true"}, ["DZ-1"]), ({"in_dispute": "true"}, ["DZ-2"]), ({"open": "false"}, []),
        ({"period": "2026-09-01", "supplier": SUPPLIER}, ["DZ-1", "DZ-2"]),
    ):  # fmt: skip
        found = await supplier.answer("/v1/statements", **asked)
        assert [one["statement"] for one in found["statements"]] == expected, asked
    sheet = (await finance.get("/v1/statements", format="csv")).content.decode("utf-8-sig").splitlines()
    assert sheet[1].endswith("120569.20,120569.20,116983.20,2026-09-30")


async def test_one_statement_has_its_invoices_instalments_by_fund_and_disputes_with_both_days(
    fund: Purchasing, hospital: Caller
) -> None:
    one = await hospital.answer(f"/v1/statements/{fund.provider}/{SUPPLIER}/DZ-1")
    assert [(line["invoice"], line["state"]) for line in one["lines"]] == [
        (invoice_no(10), "PAID"), (invoice_no(11), "REQUESTED"),
    ]  # fmt: skip
    [instalment] = one["instalments"]
    assert {part["fund"]: part["amount"] for part in instalment["amounts"]} == {
        "310100": "82433.16", "390100": "38136.04",
    }  # fmt: skip
    assert (instalment["paid"], one["confirmed"]) == ("116983.20", "HOSPITAL")
    fund.resolve("DZ-2", invoice_no(20), on="2026-10-09", reason="已核对")
    await fund.drain()
    other = await hospital.answer(f"/v1/statements/{fund.provider}/{SUPPLIER}/DZ-2")
    assert [(fault["code"], fault["since"], fault["until"]) for fault in other["disputes"]] == [
        ("BY_HOSPITAL", "2026-10-06", "2026-10-09"),
    ]  # fmt: skip


async def test_a_statement_is_taken_away_as_a_workbook_and_printed_with_its_cycle_as_a_plot(
    fund: Purchasing, api: Api, hospital: Caller
) -> None:
    path = f"/v1/statements/{fund.provider}/{SUPPLIER}/DZ-1"
    book = await hospital.get(path, format="xlsx")
    assert (book.status_code, book.content[:2]) == (200, b"PK")
    page = (await hospital.get(path, format="html")).text
    for told in ("医药企业对账单", "示例医药有限公司", "116,983.20", "data:image/svg+xml;base64,", "82,433.16",
                 "人民币壹拾贰万零伍佰陆拾玖元贰角"):  # fmt: skip
        assert told in page, told
    assert book.content == (await hospital.get(path, format="xlsx")).content, "the same rows give the same bytes"
    rows = await api.superuser("select detail ->> 'format' as format from audit where outcome = 'asked' order by id")
    assert [row["format"] for row in rows] == ["xlsx", "html", "xlsx"]


async def test_disputes_and_due_days_are_lists_to_work_through(fund: Purchasing, finance: Caller) -> None:
    [dispute] = (await finance.answer("/v1/statement-disputes"))["disputes"]
    assert (dispute["statement"], dispute["code"], dispute["since"], dispute["detail"]) == (
        "DZ-2", "BY_HOSPITAL", "2026-10-06", "数量有误",
    )  # fmt: skip
    fund.day("2026-10-12")
    await fund.drain()
    found = (await finance.answer("/v1/statement-deadlines"))["deadlines"]
    told = [(one["supplier"], one["statement"], one["due"], one["state"], one["unpaid"]) for one in found]
    assert told == [
        (SUPPLIER, "DZ-1", "2026-09-30", "BREACHED", "3586.00"),
        (SUPPLIER, "DZ-2", "2026-09-30", "BREACHED", "0.00"),
        (OTHER_SUPPLIER, "DZ-1", "2026-09-30", "BREACHED", "0.00"),
    ]
    assert [(one["days_left"], one["to_request"]) for one in found] == [(-12, False), (-12, True), (-12, True)]
    assert [one["due"] for one in found] == sorted(one["due"] for one in found)
    assert (await finance.answer("/v1/statement-deadlines", due_before="2026-09-30"))["deadlines"] == []


async def test_the_cycle_is_money_weighted_and_arrears_are_in_none_of_it(fund: Purchasing, finance: Caller) -> None:
    answer = await finance.answer("/v1/supplier-cycle")
    assert [(row["month"], row["paid"], row["days"]) for row in answer["rows"]] == [("2026-10", "116983.20", "32.00")]
    [requested] = await fund.said("statement.requested")
    rest = [[requested["lines"][1][0], "3586.00", *requested["lines"][1][2:]]]
    fund.paid(requested, on="2026-10-20", lines=rest)
    await fund.drain()
    answer = await finance.answer("/v1/supplier-cycle", by="provider")
    assert [(row["provider"], row["paid"], row["days"]) for row in answer["rows"]] == [
        (fund.provider, "120569.20", "32.36"),
    ], "11,698,320 fen x 32 days and 358,600 x 44"  # fmt: skip
    assert (answer["paid"], answer["yuan_days"], answer["days"]) == ("120569.20", "3901246.40", "32.36")
    assert (await finance.answer("/v1/supplier-cycle", month_to="2026-09"))["days"] is None
    answer = await finance.answer("/v1/arrears")
    [one] = answer["arrears"]
    assert (one["registered"], one["left"], one["age_days"]) == ("7748700.00", "7000000.00", 2290)
    assert [age["left"] for age in answer["ages"]] == ["0.00"] * 4 + ["7000000.00"]


PATHS = ("/v1/statements", "/v1/invoices", "/v1/statement-disputes", "/v1/statement-deadlines", "/v1/arrears",
         "/v1/supplier-cycle")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_a_supplier_sees_its_own_of_all_hospitals_and_a_hospital_its_own_of_all_suppliers(
    fund: Purchasing, api: Api, path: str
) -> None:
    [_, elsewhere] = events.providers(0, 1, 2)
    whose: dict[str, set[Any]] = {}
    by = {"by": "supplier"} if path == "/v1/supplier-cycle" else {}
    for role, own in (
        ("supplier", SUPPLIER), ("supplier", OTHER_SUPPLIER), ("supplier", STRANGER), ("provider", fund.provider),
        ("provider", elsewhere),
    ):  # fmt: skip
        caller = api.caller(role, areas=[AREA], organisations=[own])
        answer = await caller.answer(path, **by)
        [rows] = [value for name, value in answer.items() if isinstance(value, list) and name != "ages"]
        whose[own] = {row["supplier"] for row in rows}
        if role == "provider":
            assert {row["provider"] for row in rows} <= {own, None}
        other = {SUPPLIER: OTHER_SUPPLIER, OTHER_SUPPLIER: SUPPLIER}.get(own, "91371000MA0000002A")
        narrowed = await caller.answer(path, supplier=other, **by)
        [rows] = [value for name, value in narrowed.items() if isinstance(value, list) and name != "ages"]
        assert role == "provider" or rows == []
    assert whose[STRANGER] == set()
    assert whose[SUPPLIER] <= {SUPPLIER}
    assert whose[OTHER_SUPPLIER] <= {OTHER_SUPPLIER}
    assert whose[fund.provider] <= {SUPPLIER}
    assert any(whose.values())


async def test_anothers_statement_is_not_found(fund: Purchasing, api: Api) -> None:
    [_, elsewhere] = events.providers(0, 1, 2)
    mine, theirs = (
        f"/v1/statements/{fund.provider}/{SUPPLIER}/DZ-1", f"/v1/statements/{elsewhere}/{OTHER_SUPPLIER}/DZ-1",
    )  # fmt: skip
    for role, own, sees in (
        ("supplier", SUPPLIER, mine), ("supplier", OTHER_SUPPLIER, theirs), ("provider", fund.provider, mine),
        ("provider", elsewhere, theirs), ("supplier", STRANGER, None),
    ):  # fmt: skip
        caller = api.caller(role, areas=[AREA], organisations=[own])
        for path in (mine, theirs):
            if path == sees:
                assert (await caller.get(path)).status_code == 200
            else:
                assert problem(await caller.get(path)) == (404, "not_found")
    stranger = api.caller("finance", areas=["370100"])
    assert problem(await stranger.get(mine)) == (404, "not_found")
    for role in ("office", "publisher"):
        assert problem(await api.caller(role).get(mine)) == (403, "role_not_allowed")
