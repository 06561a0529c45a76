"""A statement as a workbook: the same lines, the money as numbers, every text as text.

No cell can become a formula or a link, whatever is written in it: texts are written as shared strings, which a
spreadsheet shows and never calculates. The same statement gives the same bytes.
"""

import io
from collections.abc import Sequence
from datetime import datetime, time

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from clearing.statement.api import statement_head
from clearing.statement.api.statement import Section, Statement
from medfund.http.answers import Name

MONEY = "#,##0.00;[Red]-#,##0.00"
INERT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
FEN = 100
TEXT_WIDTH, MONEY_WIDTH = 34, 20


class _Sheet:
    """One worksheet, written from top to bottom."""

    def __init__(self, workbook: Workbook) -> None:
        self._sheet: Worksheet = workbook.add_worksheet("结算单")
        self._bold: Format = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._text: Format = workbook.add_format({"text_wrap": True, "valign": "top"})
        self._money: Format = workbook.add_format({"num_format": MONEY, "valign": "top"})
        self._sum: Format = workbook.add_format({"num_format": MONEY, "bold": True, "top": 1})
        self._row = 0

    def set_up(self, columns: int) -> None:
        self._sheet.set_column(0, 2, TEXT_WIDTH)
        self._sheet.set_column(3, 3 + columns, MONEY_WIDTH)
        self._sheet.set_landscape()
        self._sheet.set_paper(9)  # A4
        self._sheet.fit_to_pages(1, 0)

    def texts(self, texts: Sequence[str], *, bold: bool = False) -> None:
        for column, text in enumerate(texts):
            self._sheet.write_string(self._row, column, text, self._bold if bold else self._text)
        self._row += 1

    def line(self, texts: Sequence[str], fens: Sequence[int], *, bold: bool = False) -> None:
        for column, fen in enumerate(fens, 3):
            self._sheet.write_number(self._row, column, fen / FEN, self._sum if bold else self._money)
        self.texts(texts, bold=bold)

    def gap(self) -> None:
        self._row += 1


def book(told: Statement) -> bytes:
    """The workbook's bytes."""
    content = io.BytesIO()
    workbook = Workbook(content, INERT)
    # The day of the claim, for the time at which it is written is nobody's business and would change the bytes.
    workbook.set_properties({"created": datetime.combine(told.month.claim.submitted_on, time())})
    sheet = _Sheet(workbook)
    sheet.set_up(len(told.funds))
    sheet.texts([_both(statement_head.TITLE), _both(statement_head.UNIT)], bold=True)
    for fact in statement_head.facts(told):
        sheet.texts([_both(fact.name), fact.text])
    for section in told.sections:
        _section(sheet, told, section)
    _deadlines(sheet, told)
    sheet.gap()
    sheet.texts([_both(name) for name in statement_head.SIGNED])
    for fact in statement_head.foot(told):
        sheet.texts([_both(fact.name), fact.text])
    workbook.close()
    return content.getvalue()


def _both(name: Name) -> str:
    return f"{name.zh} {name.en}"


def _section(sheet: _Sheet, told: Statement, section: Section) -> None:
    sheet.gap()
    sheet.texts([_both(section.name)], bold=True)
    sheet.texts([_both(name) for name in statement_head.columns(told)], bold=True)
    for line in section.lines:
        sheet.line([_both(line.name), line.reference, statement_head.detail(line)], _fens(told, line.amounts))
    sheet.line([_both(section.result)], _fens(told, section.total), bold=True)


def _fens(told: Statement, amounts: dict[str, int]) -> list[int]:
    return [*(amounts.get(fund, 0) for fund in told.funds), sum(amounts.values())]


def _deadlines(sheet: _Sheet, told: Statement) -> None:
    sheet.gap()
    sheet.texts([_both(statement_head.DEADLINES)], bold=True)
    sheet.texts([_both(name) for name in statement_head.DUE_COLUMNS], bold=True)
    for one in told.deadlines:
        target, due, state, paid = statement_head.deadline(one)
        sheet.texts([_both(target), due, _both(state), paid])
