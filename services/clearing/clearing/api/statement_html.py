"""A statement as a page to read and to print."""

from html import escape

from fastapi import Response

from clearing.api import statement_head
from clearing.api.statement import Line, Section, Statement
from medfund.http.pages import both, cells, grouped, response


def page(told: Statement) -> Response:
    facts = ((fact.name, fact.text) for fact in statement_head.facts(told))
    parts = [_section(told, section) for section in told.sections]
    return response(statement_head.TITLE, facts, [*parts, _deadlines(told)])


def _section(told: Statement, section: Section) -> str:
    head = map(both, statement_head.columns(told))
    lines = "".join(f"<tr>{_line(told, line)}</tr>" for line in section.lines)
    total = cells("td", [both(section.result), "", "", *_money(told, section.total)], number_from=3)
    return (
        f"<h2>{both(section.name)} （{both(statement_head.UNIT)}）</h2>"
        f"<table><thead><tr>{cells('th', head, number_from=3)}</tr></thead><tbody>{lines}</tbody>"
        f"<tfoot><tr>{total}</tr></tfoot></table>"
    )


def _line(told: Statement, line: Line) -> str:
    texts = [both(line.name), escape(line.reference), escape(line.detail)]
    return cells("td", [*texts, *_money(told, line.amounts)], number_from=3)


def _money(told: Statement, amounts: dict[str, int]) -> list[str]:
    return [*(grouped(amounts.get(fund, 0)) for fund in told.funds), grouped(sum(amounts.values()))]


def _deadlines(told: Statement) -> str:
    head = cells("th", map(both, statement_head.DUE_COLUMNS), number_from=9)
    rows = ""
    for one in told.deadlines:
        target, due, state, paid = statement_head.deadline(one)
        rows += f"<tr>{cells('td', (both(target), escape(due), both(state), escape(paid)), number_from=9)}</tr>"
    return (
        f"<h2>{both(statement_head.DEADLINES)}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
