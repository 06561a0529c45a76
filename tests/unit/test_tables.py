"""Tables to take away: no cell is ever run, money stays a number, the same rows are the same bytes."""

import csv
import io
import zipfile
from datetime import date
from xml.etree import ElementTree

import pytest

from medfund.http import tables
from medfund.http.answers import Name
from medfund.http.tables import Cell, Column, Table

NAME = Name(zh="付款", en="Payments")
COLUMNS = (
    Column("说明", "text"),
    Column("金额", "amount", "money"),
    Column("笔数", "count", "number"),
    Column("日期", "day", "day"),
)
ROW: tuple[Cell, ...] = ("某医院", -123_456, 7, date(2026, 2, 27))
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

FORMULAS = (
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1",
    " =1", "\u3000=1", '=HYPERLINK("http://x","y")', "=DDE(\"cmd\";\"/C calc\";\"x\")", "-2+3+cmd|' /C calc'!A0",
)  # fmt: skip


def table(*rows: tuple[Cell, ...]) -> Table:
    return Table(NAME, COLUMNS, rows)


def read(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "Excel takes Chinese without it for another encoding"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_csv_has_heads_in_two_languages_and_money_as_plain_numbers() -> None:
    head, row = read(tables.as_csv(table(ROW)))
    assert head == ["说明 text", "金额 amount", "笔数 count", "日期 day"]
    assert row == ["某医院", "-1234.56", "7", "2026-02-27"]


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_no_text_of_a_csv_begins_a_formula(text: str) -> None:
    _, [cell, *_] = read(tables.as_csv(table((text, 1, 1, None))))
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["1+1", "a=b", "", "'", 'say "hi"', "a,b", "H15250200017-310-21/P1", "—", "。"])
def test_any_other_text_is_itself(text: str) -> None:
    assert read(tables.as_csv(table((text, 0, 0, None))))[1] == [text, "0.00", "0", ""]


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_a_workbook_holds_no_formula_and_no_link(text: str) -> None:
    book = parts(tables.as_xlsx(table((text, 1, 1, None), ("http://x.example", 1, 1, None))))
    sheet = ElementTree.fromstring(book["xl/worksheets/sheet1.xml"])  # noqa: S314
    assert sheet.findall(f".//{MAIN}f") == []
    assert sheet.findall(f".//{MAIN}hyperlink") == []
    assert [cell.get("t") for cell in sheet.findall(f".//{MAIN}c[@r='A2']")] == ["s"]
    assert not any("external" in name.lower() for name in book)


def test_a_workbook_has_money_and_days_as_numbers() -> None:
    sheet = ElementTree.fromstring(parts(tables.as_xlsx(table(ROW)))["xl/worksheets/sheet1.xml"])  # noqa: S314
    values = {cell.get("r"): cell.findtext(f"{MAIN}v") for cell in sheet.findall(f".//{MAIN}c")}
    assert (values["B2"], values["C2"], values["D2"]) == ("-1234.56", "7", "46080")


@pytest.mark.parametrize(
    ("fen", "told"),
    [
        (9_999_999_999_999_999, "99999999999999.99"),
        (-9_007_199_254_740_993, "-90071992547409.93"),
        (123_456_789_012_345_678_9, "12345678901234567.89"),
        (7, "0.07"),
    ],
)
def test_the_largest_amounts_are_in_a_workbook_to_the_fen(fen: int, told: str) -> None:
    sheet = ElementTree.fromstring(parts(tables.as_xlsx(table(("", fen, 0, None))))["xl/worksheets/sheet1.xml"])  # noqa: S314
    assert [cell.findtext(f"{MAIN}v") for cell in sheet.findall(f".//{MAIN}c[@r='B2']")] == [told]


def test_a_workbook_prints_across_one_page_and_down_as_many_as_it_needs() -> None:
    book = parts(tables.as_xlsx(table(ROW)._replace(title=Name(zh="付款", en="Payments & more"))))
    sheet = ElementTree.fromstring(book["xl/worksheets/sheet1.xml"])  # noqa: S314
    setup = sheet.find(f"{MAIN}pageSetup")
    assert setup is not None
    assert {name: setup.get(name) for name in ("paperSize", "orientation", "fitToHeight", "fitToWidth")} == {
        "paperSize": "9", "orientation": "landscape", "fitToHeight": "0", "fitToWidth": None,
    }  # fmt: skip
    assert sheet.findtext(f".//{MAIN}oddFooter") == "&L付款 Payments && more&R&P / &N"
    assert "付款!$1:$1" in book["xl/workbook.xml"]


def test_the_same_rows_are_the_same_bytes() -> None:
    for made in (tables.as_csv, tables.as_xlsx):
        assert made(table(ROW, ROW)) == made(table(ROW, ROW))
        assert made(table(ROW)) != made(table())
