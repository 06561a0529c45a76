"""A statement as a page to read and to print."""

from fastapi import Response

from clearing.statement.api import statement_head
from clearing.statement.api.statement import Section, Statement
from medfund.http import pages
from medfund.http.answers import Name
from medfund.http.tables import Cell, Column, Kind, Table


def page(told: Statement) -> Response:
    sections = [pages.table(_section(told, section)) for section in told.sections]
    end = [pages.to_sign(*statement_head.SIGNED), pages.foot(statement_head.foot(told))]
    return pages.response(
        statement_head.TITLE, statement_head.facts(told), [*sections, pages.table(_deadlines(told)), *end]
    )


def _section(told: Statement, section: Section) -> Table:
    texts = len(statement_head.COLUMNS)
    names = enumerate(statement_head.columns(told))
    unit = statement_head.UNIT
    return Table(
        title=Name(zh=f"{section.name.zh}（{unit.zh}）", en=f"{section.name.en} ({unit.en})"),
        columns=[_column(name, "text" if place < texts else "money") for place, name in names],
        rows=[
            (line.name, line.reference, statement_head.detail(line), *_money(told, line.amounts))
            for line in section.lines
        ],
        total=(section.result, None, None, *_money(told, section.total)),
        empty=statement_head.EMPTY[section.code],
    )


def _column(name: Name, kind: Kind) -> Column:
    return Column(name.zh, name.en, kind)


def _money(told: Statement, amounts: dict[str, int]) -> list[Cell]:
    return [*(amounts.get(fund, 0) for fund in told.funds), sum(amounts.values())]


def _deadlines(told: Statement) -> Table:
    return Table(
        title=statement_head.DEADLINES,
        columns=[_column(name, "text") for name in statement_head.DUE_COLUMNS],
        rows=[statement_head.deadline(one) for one in told.deadlines],
    )
