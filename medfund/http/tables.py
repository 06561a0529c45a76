"""Tables to take away: the same rows as CSV or as a workbook, for people who calculate with them.

What stays true: nothing that is written in a cell is ever run by a spreadsheet, whoever wrote it; money is a number,
to the fen; the same rows give the same bytes. CSV begins with a byte order mark, without which Excel misreads Chinese.
"""

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from medfund import money
from medfund.http.answers import Name

Kind: TypeAlias = Literal["text", "money", "number", "day"]
Cell: TypeAlias = str | int | date | Name | None
"""Money is fen. None leaves a cell empty."""
NOTHING = Name(zh="没有记录", en="nothing is recorded")

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a formula may begin with, in the full width of Chinese keyboards too."""
INERT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
WRITTEN = datetime.combine(date(2000, 1, 1), time())
"""For the time at which a workbook is written would change its bytes."""
A4 = 9
WIDTHS: dict[Kind, int] = {"text": 28, "money": 18, "number": 10, "day": 12}
FORMATS: dict[Kind, dict[str, Any]] = {
    "text": {},
    "money": {"num_format": "#,##0.00;[Red]-#,##0.00"},
    "number": {"num_format": "0"},
    "day": {"num_format": "yyyy-mm-dd"},
}


class Column(NamedTuple):
    zh: str
    en: str
    kind: Kind = "text"

    @property
    def head(self) -> str:
        return f"{self.zh} {self.en}"


class _Yuan(Decimal):
    """Written with all its digits: a fen of the largest amounts is lost in a float, and beyond the 16 digits that a
    workbook is written with otherwise."""

    def __format__(self, _: str, /) -> str:  # type: ignore[override]
        return super().__format__("f")


class Table(NamedTuple):
    title: Name
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    """Of a page: the sum of the rows, at their foot."""
    empty: Name = NOTHING
    """Of a page: why there are no rows."""


def as_csv(table: Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.head for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(column.kind, cell) for column, cell in zip(table.columns, row, strict=True)])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _plain(kind: Kind, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case int() if kind == "money":
            return money.yuan(cell)
        case str():
            return inert(cell)
        case Name():
            return inert(f"{cell.zh} {cell.en}")
        case _:
            return str(cell)


def inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before it makes it one for ever."""
    return f"'{text}" if text.startswith(RUN_BY_SPREADSHEETS) or text.strip().startswith(RUN_BY_SPREADSHEETS) else text


def as_xlsx(*tables: Table) -> bytes:
    """A sheet for each. Texts are shared strings, which are shown and never calculated."""
    content = io.BytesIO()
    workbook = Workbook(content, INERT)
    workbook.set_properties({"title": f"{tables[0].title.zh} {tables[0].title.en}", "created": WRITTEN})
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    formats = {kind: workbook.add_format(form) for kind, form in FORMATS.items()}
    for table in tables:
        _sheet(workbook.add_worksheet(table.title.zh), table, bold, formats)
    workbook.close()
    return content.getvalue()


def _sheet(sheet: Worksheet, table: Table, bold: Any, formats: Mapping[Kind, Any]) -> None:
    _to_print(sheet, table.title)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, WIDTHS[column.kind])
        sheet.write_string(0, place, column.head, bold)
    for number, row in enumerate(table.rows, 1):
        for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, number, place, column.kind, cell, formats[column.kind])


def _to_print(sheet: Worksheet, title: Name) -> None:
    """All columns on one page's width, its head on each of as many pages as there are rows for."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    name = f"{title.zh} {title.en}".replace("&", "&&")
    sheet.set_footer(f"&L{name}&R&P / &N")


def _write(sheet: Worksheet, row: int, place: int, kind: Kind, cell: Cell, form: Any) -> None:
    match cell:
        case None:
            pass
        case int():
            number: Any = _Yuan(money.yuan(cell)) if kind == "money" else cell
            sheet.write_number(row, place, number, form)
        case date():
            sheet.write_datetime(row, place, datetime.combine(cell, time()), form)
        case str():
            sheet.write_string(row, place, cell, form)
        case Name():
            sheet.write_string(row, place, f"{cell.zh} {cell.en}", form)
