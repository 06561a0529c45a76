"""Clearing over HTTP: the month of R1.5 as a provider and finance see it, and what they ask of many claims."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from medfund import money
from medfund.events.agency import CalendarPublished
from tests.conftest import Database
from tests.events import AREA, CALLED
from tests.fund import PROVIDER, Fund, running
from tests.integration import claims_served
from tests.integration.claims_served import BATCH
from tests.integration.served import Api, Caller

CLAIM = f"/v1/claims/{PROVIDER}/{BATCH}"
STATEMENT = f"{CLAIM}/statement"
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path) as api:
        yield api


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA])


@pytest.fixture
def provider(api: Api) -> Caller:
    return api.caller("provider", areas=[AREA], organisations=[PROVIDER])


def amounts(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["fund"]: row["amount"] for row in rows}


# The month of R1.5


async def test_a_claim_is_told_by_fund_as_r1_5_proves_it(fund: Fund, finance: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    claim = await finance.answer(CLAIM)
    assert claim["totals"] == {
        "claimed": "3456789.12", "in_review": "0.00", "deducted": "29230.55", "undone": "0.00",
        "approved": "3427558.57", "bond": "147538.49", "p1": "3111110.21", "advance": "0.00", "payable": "0.00",
        "held": "0.00", "ordered": "0.00",
    }  # fmt: skip
    bonds = {row["fund"]: row["bond"] for row in claim["funds"]}
    assert bonds == {"310100": "103538.49", "310200": "0.00", "390100": "44000.00", "610100": "0.00"}
    for name, total in claim["totals"].items():
        assert money.fen(total) == sum(money.fen(row[name]) for row in claim["funds"]), name
    for purpose, day, sum_of_funds in (
        ("INSTANT", "2026-02-12", "3111110.21"), ("PAYABLE", "2026-03-05", "168909.87")
    ):  # fmt: skip
        payments = [one for one in claim["payments"] if one["purpose"] == purpose]
        assert {one["value_date"] for one in payments} == {day}
        assert [list(amounts(one["settled"])) for one in payments] == [["310100"], ["310200"], ["390100"], ["610100"]]
        assert money.yuan(sum(money.fen(one["total"]) for one in payments)) == sum_of_funds
    assert [(one["finding"], amounts(one["deducted"])) for one in claim["findings"]] == [
        ("F-1", {"310100": "29230.55"})
    ]
    assert {(one["account"], one["item"], one["step"]) for one in claim["offsets"]} == {("1104", BATCH, 1)}
    assert claim["positions"][str(fund.lane)]["bank"] == 8


async def test_a_claim_says_which_stages_of_its_audit_are_over(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    for stage, rows, batches in (("FIRST", 19_771, [BATCH]), ("SECOND", 19_356, [BATCH, "B-2"]), ("FINAL", 1, ["B-2"])):
        fund.put("audit.stage.completed.v1", provider=fund.provider, batches=batches, stage=stage, rows=rows)
    await fund.drain()
    assert (await finance.answer(CLAIM))["stages"] == [
        {"stage": "FIRST", "rows": 19_771},
        {"stage": "SECOND", "rows": 19_356},
    ]


async def test_the_statement_adds_up_line_by_line(fund: Fund, provider: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    told = await provider.answer(STATEMENT)
    sections = {section["code"]: section for section in told["sections"]}
    assert {code: section["total"] for code, section in sections.items()} == {
        "APPROVED": "3427558.57",
        "NET": "3280020.08",
        "USE": "3280020.08",
        "AT_ONCE": "3111110.21",
    }
    for section in sections.values():
        assert sum(money.fen(line["total"]) for line in section["lines"]) == money.fen(section["total"])
        for row in section["totals"]:
            lines = [amounts(line["amounts"]).get(row["fund"], "0.00") for line in section["lines"]]
            assert sum(map(money.fen, lines)) == money.fen(row["amount"])
    lines = [
        (line["name"]["en"], line["reference"], line["detail"], line["total"])
        for section in sections.values()
        for line in section["lines"]
    ]
    assert lines == [
        ("Claimed", BATCH, "2026-01-01 – 2026-01-31", "3456789.12"),
        ("Deduction", "F-1", "R-0117", "-29230.55"),
        ("Approved", "", "", "3427558.57"),
        ("Quality bond", "", "", "-147538.49"),
        ("Offset: this claim's own payment at once", BATCH, "第1步 step 1, 1104", "3111110.21"),
        ("Rest paid", f"{BATCH}/P2", "2026-03-05", "168909.87"),
        ("Paid at once", f"{BATCH}/P1", "2026-02-12", "3111110.21"),
    ]


async def test_what_was_undone_is_told_with_its_finding_and_its_appeal_or_reversal(fund: Fund, finance: Caller) -> None:
    one, two = fund.settle({"310100": 90_007}), fund.settle({"310100": 5_003}, day="2026-01-16")
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 811}, one)
    fund.find(BATCH, "F-2", {"310100": 605}, two)
    await fund.drain()
    fund.deduct([BATCH], {"310100": 1_416})
    await fund.drain()
    for number, fen in ((1, 300), (2, 111)):
        fund.put("audit.appeal.filed.v1", provider=PROVIDER, batch=BATCH, finding_ref="F-1", appeal_ref=f"SS-{number}")
        await fund.drain()
        fund.appeal(BATCH, "F-1", {"310100": fen})
        await fund.drain()
    fund.settle({"310100": 5_003}, day="2026-02-03", reverses=two)
    fund.settle({"310100": 70_000}, day="2026-02-04")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    told = {}
    for batch in (BATCH, "B-202602"):
        sections = (await finance.answer(f"/v1/claims/{PROVIDER}/{batch}/statement"))["sections"]
        told[batch] = [
            (line["reference"], line["detail"], line["total"])
            for line in sections[0]["lines"]
            if line["name"]["zh"] == "扣款撤销"
        ]
    assert told == {
        BATCH: [("F-1", "申诉 appeal SS-1", "3.00"), ("F-1", "申诉 appeal SS-2", "1.11")],
        "B-202602": [("F-2", f"结算冲销 reversed, {BATCH}", "6.05")],
    }
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_the_workbook_holds_the_same_numbers_and_no_formula(fund: Fund, provider: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    response = await provider.get(STATEMENT, format="xlsx")
    assert response.headers["content-disposition"] == 'attachment; filename="statement.xlsx"'
    rows, formulas = read(response.content)
    assert formulas == 0
    numbers = {row[0].split(" ")[0]: row[3:] for row in rows if any(isinstance(cell, float) for cell in row)}
    assert numbers["抵扣：本次申报即时结算预拨"] == [1890000.33, 411110.21, 792000.0, 17999.67, 3111110.21]
    assert numbers["质量保证金"] == [-103538.49, 0.0, -44000.0, 0.0, -147538.49]
    assert numbers["已支付余款"] == [77231.0, 45678.91, 44000.0, 1999.96, 168909.87]
    assert (await provider.get(STATEMENT, format="xlsx")).content == response.content, "the same bytes"


def read(content: bytes) -> tuple[list[list[Any]], int]:
    """The rows of a workbook's one sheet, and how many formulas and links it has."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        texts = ["".join(item.itertext()) for item in ElementTree.fromstring(parts.read("xl/sharedStrings.xml"))]  # noqa: S314
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    rows = [[_value(cell, texts) for cell in row] for row in sheet.iter(f"{CELL}row")]
    return rows, len([*sheet.iter(f"{CELL}f"), *sheet.iter(f"{CELL}hyperlink")])


def _value(cell: ElementTree.Element, texts: list[str]) -> Any:
    value = cell.findtext(f"{CELL}v") or ""
    return texts[int(value)] if cell.get("t") == "s" else float(value)


async def test_the_page_is_to_be_read_and_printed_and_runs_nothing(fund: Fund, provider: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    response = await provider.get(STATEMENT, format="html")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors 'none'; img-src data:; style-src 'sha256-")
    page = response.text
    assert "叁佰贰拾捌万零贰拾元零捌分" in page, "R1.5: 3,280,020.08"
    for text in (
        "3,111,110.21",
        "−147,538.49",
        "168,909.87",
        "即时结算预拨",
        "Paid at once",
        "单位：元",
        "@media print",
    ):
        assert text in page
    assert not re.search(r"<script|<link|<img|<iframe|\son\w+=|style=|https?:", page)


async def test_what_was_written_to_become_a_formula_or_a_tag_stays_text(
    fund: Fund, provider: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference cannot begin with these characters; should another text ever do, it is inert all the same."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    hostile = "=cmd|' /C calc'!A0<script>alert(1)</script>"
    await fund.control.execute(
        """update clearing.claims set body = jsonb_set(body, '{policy_ref}', to_jsonb('=1+1'::text))"""
    )
    monkeypatch.setattr("clearing.statement.api.statement_head.TITLE.en", hostile)
    rows, formulas = read((await provider.get(STATEMENT, format="xlsx")).content)
    assert formulas == 0
    assert any("=1+1" in row for row in rows)
    page = (await provider.get(STATEMENT, format="html")).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_an_export_leaves_an_audit_record(fund: Fund, api: Api, provider: Caller) -> None:
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    for format in ("json", "html", "xlsx"):
        assert (await provider.get(STATEMENT, format=format)).status_code == 200
    rows = await api.superuser("select operation, outcome, detail ->> 'format' as format from audit order by id")
    assert [tuple(row) for row in rows] == [("statement", "asked", "html"), ("statement", "asked", "xlsx")]


async def test_an_appeal_is_told_with_its_number_what_was_asked_and_what_was_upheld(
    fund: Fund, finance: Caller, provider: Caller
) -> None:
    doubted = fund.settle({"310100": 5_000_017})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 700_003}, doubted)
    await fund.drain()
    asked = {"appeal": "SS-2026-31", "batch": BATCH, "finding": "F-1", "reason": "项目与病程记录一致"}
    assert (await provider.command("/v1/appeals", **asked)).status_code == 202
    await fund.drain()
    filed = {"appeal": "SS-2026-31", "reason": asked["reason"], "upheld": None, "answer": None}
    [finding] = (await provider.answer(CLAIM))["findings"]
    [appeal] = finding["appeals"]
    assert {name: appeal[name] for name in filed} == filed
    assert (finding["state"], amounts(appeal["contested"])) == ("APPEALED", {"310100": "7000.03"})
    fund.put("audit.appeal.decided.v1", provider=PROVIDER, batch=BATCH, finding_ref="F-1", upheld={"310100": "2000.01"},
             reason="部分采纳")  # fmt: skip
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.put("audit.appeal.decided.v1", provider=PROVIDER, batch=BATCH, finding_ref="F-1", upheld={}, reason="维持")
    fund.deduct([BATCH], {"310100": 500_002})
    await fund.drain()
    [finding] = (await finance.answer(CLAIM))["findings"]
    first, second = finding["appeals"]
    assert (first["appeal"], amounts(first["upheld"]), first["answer"]) == (
        "SS-2026-31", {"310100": "2000.01"}, "部分采纳"
    )  # fmt: skip
    assert (amounts(second["contested"]), second["upheld"], second["answer"]) == ({"310100": "5000.02"}, [], "维持")
    approved = (await provider.answer(STATEMENT))["sections"][0]
    [line] = [line for line in approved["lines"] if line["reference"] == "F-1"]
    assert (line["total"], line["appeals"]) == ("-5000.02", finding["appeals"])
    page = (await provider.get(STATEMENT, format="html")).text
    assert "申诉 appeal SS-2026-31 项目与病程记录一致: 支持 upheld 2,000.01 部分采纳;" in page
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_what_is_held_and_what_is_recovered_is_told_with_its_reason(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 1_000_003})
    fund.submit(BATCH)
    fund.recover("C-1", {"310100": 30_007}, reason="飞行检查：重复收费")
    for hold, reason in (("H-1", "涉嫌骗保"), ("H-2", "举报核查")):
        fund.put("payment.hold.placed.v1", provider=PROVIDER, payable_ref=BATCH, hold_ref=hold, reason=reason,
                 amounts={"310100": "51.07"})  # fmt: skip
    await fund.drain()
    [case] = (await finance.answer("/v1/recoveries"))["recoveries"]
    assert case["reason"] == "飞行检查：重复收费"
    told = (await finance.answer(CLAIM))["holds"]
    assert [(one["hold"], one["reason"], amounts(one["to_come"])) for one in told] == [
        ("H-1", "涉嫌骗保", {"310100": "51.07"}), ("H-2", "举报核查", {"310100": "51.07"})
    ]  # fmt: skip
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.hold(BATCH, {"310100": 5_107}, hold="H-1", release=True)
    await fund.drain()
    [held] = (await finance.answer(CLAIM))["holds"]
    assert (held["hold"], held["reason"], amounts(held["amounts"])) == ("H-2", "举报核查", {"310100": "51.07"})
    lines = [line for section in (await finance.answer(STATEMENT))["sections"] for line in section["lines"]]
    assert [(line["reference"], line["detail"]) for line in lines if line["name"]["en"] == "Held"] == [
        ("H-2", "举报核查")
    ]
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before


async def test_what_is_held_open_or_made_good_is_in_the_statement_too(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 1_000_000})
    fund.submit(BATCH)
    fund.recover("C-1", {"310100": 30_000})
    fund.hold(BATCH, {"310100": 20_000})
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", {"310100": 870_000}, on="2026-02-12")
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    sections = {one["code"]: one for one in (await finance.answer(STATEMENT))["sections"]}
    told = {
        code: [(line["name"]["en"], line["reference"], line["total"]) for line in section["lines"]]
        for code, section in sections.items()
    }
    assert told["AT_ONCE"] == [("Offset: recovery", "C-1", "300.00"), ("Paid at once", f"{BATCH}/P1", "8700.00")]
    assert told["USE"] == [
        ("Offset: this claim's own payment at once", BATCH, "9000.00"),
        ("Ordered, on its way", f"{BATCH}/P2", "300.00"),
        ("Held", "H-1", "200.00"),
    ]
    assert sections["USE"]["total"] == sections["NET"]["total"] == "9500.00"


async def test_batches_approved_together_share_one_statement(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 1_000}, day="2026-01-05")
    fund.submit("D-05", first="2026-01-05", last="2026-01-05", on="2026-01-06", mode="DAY")
    fund.settle({"310100": 3_000}, day="2026-01-06")
    fund.submit("D-06", first="2026-01-06", last="2026-01-06", on="2026-01-07", mode="DAY")
    await fund.drain()
    fund.deduct(["D-05", "D-06"], {"310100": 100})
    await fund.drain()
    one, other = [await finance.answer(f"/v1/claims/{PROVIDER}/{batch}/statement") for batch in ("D-05", "D-06")]
    assert one["batches"] == ["D-05", "D-06"]
    assert one["sections"] == other["sections"]
    assert one["sections"][0]["total"] == "39.00"
    assert (await finance.answer(f"/v1/claims/{PROVIDER}/D-06"))["lead"] == "D-05"


async def test_a_hospital_is_called_as_it_was_told_last_and_its_account_by_its_own_end(
    fund: Fund, finance: Caller
) -> None:
    fund.settle({"310100": 4711})
    fund.submit(BATCH)
    old, new = "acct-152500-000017", "acct-new"
    for said, wanted in (
        ([(old, "旗蒙医医院", None)], ("旗蒙医医院", "0017")),
        ([(old, None, None)], ("旗蒙医医院", "0017")),
        ([(new, None, None)], ("旗蒙医医院", None)),
        ([(new, None, "4711")], ("旗蒙医医院", "4711")),
        ([(old, "盟总医院", None)], ("盟总医院", None)),
        ([(new, "盟第一医院", "1174"), (new, None, None)], ("盟第一医院", "1174")),
    ):
        for ref, name, ends in said:
            fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref=ref, name=name, account_ends=ends)
        await fund.drain()
        told = await finance.answer(STATEMENT)
        assert (told["provider_name"], told["account_ends"]) == wanted
        of_books = await fund.control.fetchval("select name from ledger.providers where provider = $1", PROVIDER)
        assert of_books == told["provider_name"]


@pytest.mark.parametrize(
    ("path", "unknown", "zh"),
    [
        (f"{PROVIDER}/B-9", "batch", "没有该机构的申报批次"),
        (f"H15250299999/{BATCH}", "provider", "没有您可查看的定点机构"),
    ],
)
async def test_it_is_said_which_of_two_names_is_not_known(
    fund: Fund, finance: Caller, path: str, unknown: str, zh: str
) -> None:
    fund.settle({"310100": 4711})
    fund.submit(BATCH)
    await fund.drain()
    for of_claim in ("", "/deadlines", "/statement"):
        response = await finance.get(f"/v1/claims/{path}{of_claim}")
        body = response.json()
        assert (response.status_code, body["code"]) == (404, "not_found")
        assert (body["unknown"], body["detail_zh"]) == (unknown, zh)


# Deadlines


async def test_the_deadlines_name_every_day_that_counted(fund: Fund, provider: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    told = await provider.answer(f"{CLAIM}/deadlines")
    assert [(one["target"], one["due"], one["state"], one["paid_on"]) for one in told["deadlines"]] == [
        ("WD_15", "2026-03-09", "MET", "2026-03-05"),
        ("WD_20", "2026-03-16", "MET", "2026-03-05"),
        ("MONTH_END", "2026-02-28", "BREACHED", "2026-03-05"),
    ]
    assert told["calendar_version"].startswith("cn-2024-2026-")
    days = {one["day"]: (one["number"], one["reason"]) for one in told["days"]}
    assert days["2026-02-11"] == (1, "WEEKDAY")
    assert days["2026-02-14"] == (4, "MAKE_UP_DAY")
    assert days["2026-02-17"] == (None, "HOLIDAY")
    assert days["2026-02-28"] == (9, "MAKE_UP_DAY")
    assert days["2026-03-09"] == (15, "WEEKDAY")
    assert days["2026-03-16"] == (20, "WEEKDAY")
    assert list(days)[-1] == "2026-03-16"


async def test_a_deadline_without_a_calendar_is_told_as_the_days_it_lies_between(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 100}, day="2026-11-15")
    fund.submit(BATCH, first="2026-11-01", last="2026-11-30", on="2026-12-20")
    await fund.drain()
    told = await finance.answer(f"{CLAIM}/deadlines")
    [first] = [one for one in told["deadlines"] if one["target"] == "WD_15"]
    assert first["due"] < first["latest"]
    assert (first["state"], told["days"]) == ("OPEN", None)


# Many claims


async def several(fund: Fund) -> None:
    """Three months in review, due on 2026-03-09, 03-31 and 05-06, and one that was withdrawn."""
    for month, last, on in (("01", "31", "2026-02-06"), ("02", "28", "2026-03-06"), ("03", "31", "2026-04-08")):
        fund.settle({"310100": 100_000 * int(month)}, day=f"2026-{month}-15")
        fund.submit(f"B-{month}", first=f"2026-{month}-01", last=f"2026-{month}-{last}", on=on)
    fund.settle({"310100": 7}, day="2026-04-15")
    fund.submit("B-04", first="2026-04-01", last="2026-04-30", on="2026-05-06")
    fund.put("claim.batch.withdrawal.requested.v1", provider=PROVIDER, batch="B-04")
    await fund.drain()


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({}, "01 02 03 04"),
        ({"state": "WITHDRAWN"}, "04"),
        ({"state": "APPROVED"}, ""),
        ({"due_before": "2026-03-31"}, "01"),
        ({"due_after": "2026-03-09", "due_before": "2026-05-07"}, "02 03"),
        ({"overdue": True, "as_of": "2026-03-09"}, ""),
        ({"overdue": True, "as_of": "2026-03-10"}, "01"),
        ({"overdue": True, "as_of": "2026-12-31"}, "01 02 03"),
        ({"overdue": False, "as_of": "2026-03-10"}, "02 03 04"),
        ({"at_risk": 1, "as_of": "2026-03-08"}, "01"),
        ({"at_risk": 0, "as_of": "2026-03-08"}, ""),
        ({"at_risk": 3, "as_of": "2026-03-05"}, "01"),
        ({"at_risk": 2, "as_of": "2026-03-05"}, ""),
        ({"at_risk": 30, "as_of": "2026-03-10"}, "02"),
        ({"ageing": "UP_TO_15", "as_of": "2026-03-31"}, "02 03"),
        ({"ageing": "OVER_30", "as_of": "2026-03-31"}, "01"),
        ({"ageing": "21_TO_30", "as_of": "2026-03-30"}, "01"),
        ({"ageing": "16_TO_20", "as_of": "2026-03-10"}, "01"),
        ({"provider": PROVIDER}, "01 02 03 04"),
        ({"provider": "H15250299999"}, ""),
        ({"area": "152600"}, ""),
    ],
    ids=str,
)
async def test_claims_are_found_by_what_finance_asks(
    fund: Fund, finance: Caller, question: dict[str, Any], found: str
) -> None:
    await several(fund)
    answer = await finance.answer("/v1/claims", **question)
    assert [one["batch"] for one in answer["claims"]] == [f"B-{month}" for month in found.split()]
    assert money.fen(answer["claimed"]) == sum(money.fen(one["claimed"]) for one in answer["claims"])


async def test_what_is_late_is_judged_as_of_a_day_that_is_given(finance: Caller) -> None:
    for question in ({"overdue": True}, {"at_risk": 3}, {"ageing": "OVER_30"}):
        response = await finance.get("/v1/claims", **question)
        assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")
    response = await finance.get("/v1/claims", at_risk=3, as_of="2031-01-01")
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")
    assert "no year 2031" in response.json()["detail"]


async def test_a_claim_that_was_rejected_is_shown_with_its_errors_until_it_is_mended(
    fund: Fund, finance: Caller, provider: Caller
) -> None:
    fund.settle({"310100": 700_019, "390100": 200}, day="2026-01-05")
    fund.submit(BATCH, amounts={"310100": "7000.20", "390100": "2.00"})
    await fund.drain()
    [listed] = (await provider.answer("/v1/claims"))["claims"]
    [wrong, day] = listed["rejection"]["errors"]
    assert (listed["state"], listed["state_name"]["zh"], listed["due"]) == ("REJECTED", "校验未通过", None)
    assert (listed["claimed"], listed["rejection"]["total"]) == ("0.00", "7002.20")
    assert (wrong["code"], wrong["code_name"]["zh"], wrong["fund"]) == ("AMOUNT", "基金金额不符或超限", "310100")
    assert wrong["detail"] == "claimed 7000.20, recorded 7000.19, a difference of 0.01"
    assert (day["code"], day["day"]) == ("DAY", "2026-01-05")
    told = await provider.answer(CLAIM)
    assert {name: told[name] for name in listed} == listed
    assert (told["funds"], told["totals"]["claimed"], told["payments"]) == ([], "0.00", [])
    assert (await finance.answer("/v1/claims", state="REJECTED"))["claims"] == [listed]
    for other in ({"state": "IN_REVIEW"}, {"due_before": "2099-12-31"}, {"overdue": False, "as_of": "2026-03-10"}):
        assert (await finance.answer("/v1/claims", **other))["claims"] == []
    response = await provider.get(STATEMENT)
    assert (response.status_code, response.json()["unknown"]) == (404, "batch")
    assert "was rejected" in response.json()["detail"]
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before
    assert before["rejections"]
    fund.submit(BATCH)
    await fund.drain()
    [mended] = (await finance.answer("/v1/claims"))["claims"]
    assert (mended["state"], mended["claimed"], mended["rejection"]) == ("IN_REVIEW", "7002.19", None)
    assert (await fund.tables())["rejections"] == []


async def test_a_second_claim_of_a_name_that_lives_is_told_beside_the_first(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 83})
    fund.submit(BATCH)
    fund.submit(BATCH, on="2026-02-09")
    await fund.drain()
    for told in (await finance.answer(CLAIM), *(await finance.answer("/v1/claims"))["claims"]):
        assert (told["state"], told["claimed"], told["rejection"]["submitted_on"]) == (
            "IN_REVIEW",
            "0.83",
            "2026-02-09",
        )
        assert [wrong["code"] for wrong in told["rejection"]["errors"]] == ["BATCH_KNOWN"]
    fund.put("claim.batch.withdrawal.requested.v1", provider=fund.provider, batch=BATCH)
    fund.submit(BATCH, settlements=2)
    await fund.drain()
    for told in (await finance.answer(CLAIM), *(await finance.answer("/v1/claims"))["claims"]):
        assert (told["state"], [wrong["code"] for wrong in told["rejection"]["errors"]]) == ("REJECTED", ["COUNT"])


async def test_whatever_was_rejected_is_found_by_one_question_also_where_a_claim_of_the_name_lives(
    fund: Fund, finance: Caller
) -> None:
    fund.settle({"310100": 83})
    fund.submit("B-sound")
    fund.submit("B-sound", on="2026-02-09")
    fund.settle({"310100": 71}, day="2026-02-03")
    fund.submit(BATCH, first="2026-02-01", last="2026-02-28", on="2026-03-05")
    fund.submit("B-none", settlements=2)
    await fund.drain()
    for question, found in (
        ({"rejected": True}, ["B-none", "B-sound"]),
        ({"rejected": True, "limit": 1}, ["B-none"]),
        ({"rejected": True, "state": "IN_REVIEW"}, ["B-sound"]),
        ({"rejected": False}, [BATCH]),
        ({"state": "REJECTED"}, ["B-none"]),
    ):
        told = await finance.answer("/v1/claims", **question)
        assert [claim["batch"] for claim in told["claims"]] == found, question


async def test_pages_hold_every_rejected_claim_once_between_the_others(fund: Fund, finance: Caller) -> None:
    await several(fund)
    for batch, on in (("R-2", "2026-03-20"), ("R-1", "2026-02-07"), ("R-3", "2026-12-30")):
        fund.submit(batch, on=on, settlements=77)
    await fund.drain()
    found, cursor = [], None
    while cursor or not found:
        page = await finance.answer("/v1/claims", limit=2, cursor=cursor)
        found += [one["batch"] for one in page["claims"]]
        cursor = page["next"]
    assert found == ["R-1", "B-01", "R-2", "B-02", "B-03", "B-04", "R-3"]


async def test_a_claim_that_is_paid_is_late_no_more(fund: Fund, finance: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    assert (await finance.answer("/v1/claims", overdue=True, as_of="2026-12-31"))["claims"] == []
    [claim] = (await finance.answer("/v1/claims", as_of="2026-03-09"))["claims"]
    assert (claim["paid"], claim["working_days"]) == (True, 15)


async def test_pages_hold_every_claim_once_in_the_order_of_due_dates(fund: Fund, finance: Caller) -> None:
    await several(fund)
    found, cursor = [], None
    for _ in range(4):
        page = await finance.answer("/v1/claims", limit=1, cursor=cursor)
        found += [one["batch"] for one in page["claims"]]
        cursor = page["next"]
    assert (found, cursor) == (["B-01", "B-02", "B-03", "B-04"], None)
    page = await finance.answer("/v1/claims", limit=1)
    response = await finance.get("/v1/claims", limit=1, cursor=page["next"], state="IN_REVIEW")
    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")
    response = await finance.get("/v1/payments", cursor=page["next"])
    assert response.json()["code"] == "cursor_invalid"


async def test_payments_and_recoveries_are_listed_with_what_is_open(fund: Fund, finance: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    fund.recover("C-1", {"310100": 21_994_740})
    fund.recovered("C-1", {"310100": 20_000_000})
    await fund.drain()
    paid = await finance.answer("/v1/payments", state="SETTLED", payable=BATCH, provider=PROVIDER)
    assert [(one["payment"], one["total"], one["area"]) for one in paid["payments"]] == [
        (f"{BATCH}/P1/310100", "1890000.33", AREA),
        (f"{BATCH}/P1/310200", "411110.21", AREA),
        (f"{BATCH}/P1/390100", "792000.00", AREA),
        (f"{BATCH}/P1/610100", "17999.67", AREA),
        (f"{BATCH}/P2/310100", "77231.00", AREA),
        (f"{BATCH}/P2/310200", "45678.91", AREA),
        (f"{BATCH}/P2/390100", "44000.00", AREA),
        (f"{BATCH}/P2/610100", "1999.96", AREA),
    ]
    assert paid["total"] == "3280020.08"
    assert (await finance.answer("/v1/payments", state="ORDERED"))["payments"] == []
    assert (await finance.answer("/v1/payments", due_after="2026-03-09"))["payments"] == []
    page = await finance.answer("/v1/payments", limit=5)
    rest = await finance.answer("/v1/payments", limit=5, cursor=page["next"])
    assert [one["payment"] for one in (*page["payments"], *rest["payments"])] == [
        one["payment"] for one in paid["payments"]
    ]
    assert rest["next"] is None
    owed = await finance.answer("/v1/recoveries", open=True)
    assert [(one["case"], one["decided_total"], one["due_total"]) for one in owed["recoveries"]] == [
        ("C-1", "219947.40", "19947.40")
    ]
    named = [*owed["recoveries"], *paid["payments"], *(await finance.answer("/v1/claims"))["claims"]]
    assert {one["provider_name"] for one in named} == {CALLED}
    assert (await finance.answer("/v1/recoveries", open=False))["recoveries"] == []


async def test_coverage_counts_what_was_paid_at_once_and_no_pharmacy(fund: Fund, finance: Caller) -> None:
    await claims_served.month_of_r1_5(fund)
    fund.settle({"310100": 54_321_088}, day="2026-01-20")  # recorded after the batch, and not claimed yet
    fund.settle({"310100": 999}, day="2026-01-20", insured_area="110000")  # a visitor's
    fund.settle({"310100": 999}, day="2026-02-01")
    await fund.drain()
    for number, provider in enumerate(("H15250299998", "P15250299997")):
        await fund.control.execute(
            "insert into clearing.providers values ($1, $2, $3)", fund.lane + number, provider, AREA
        )
    told = await finance.answer("/v1/coverage", area=AREA, month="2026-01")
    assert told["money"] == {"instant": "3456789.12", "settled": "4000000.00", "ratio": "0.864197"}
    assert told["institutions"] == {"instant": 1, "designated": 2, "ratio": "0.500000"}
    nothing = await finance.answer("/v1/coverage", area=AREA, month="2025-01")
    assert nothing["money"] == {"instant": "0.00", "settled": "0.00", "ratio": None}
    assert (await finance.answer("/v1/coverage", area="152600", month="2026-01"))["money"]["settled"] == "0.00"


async def test_a_batch_whose_name_has_slashes_is_found(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 100})
    fund.submit("2026/01/B")
    await fund.drain()
    for path in ("", "/deadlines", "/statement"):
        assert (await finance.answer(f"/v1/claims/{PROVIDER}/2026/01/B{path}"))["batch"] == "2026/01/B"


async def test_what_was_decided_can_be_waited_for(fund: Fund, finance: Caller) -> None:
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    assert (await finance.answer("/v1/claims", wait_for=f"claims:{fund.lane}:1"))["claims"]


async def test_the_evidence_of_a_claim_rests_on_the_calendar_that_its_deadlines_rest_on(
    fund: Fund, finance: Caller
) -> None:
    """A notice that comes after the claim was paid moves nothing of it."""
    await claims_served.month_of_r1_5(fund)
    before = await finance.answer(f"{CLAIM}/deadlines")
    notice = dict(CalendarPublished.example)
    fund.put_in_lane("calendar.published.v1", **{**notice, "holidays": [*notice["holidays"], "2026-03-04"]})
    await fund.drain()
    after = await finance.answer(f"{CLAIM}/deadlines")
    assert {**after, "positions": None} == {**before, "positions": None}
    assert [day["number"] for day in after["days"] if day["day"] in ("2026-03-04", "2026-03-09")] == [12, 15]
