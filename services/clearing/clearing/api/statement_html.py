"""A statement as a page to read and to print. No script, nothing fetched from anywhere; everything is escaped."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from clearing.api import statement_head
from clearing.api.statement import Line, Section, Statement
from medfund import money
from medfund.http.answers import Name

STYLE = """
body{font:15px/1.45 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:75rem;margin:2rem auto;
padding:0 1rem;color:#1b1f24}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}.en{color:#57606a;font-weight:normal}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:#57606a}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;text-align:left;vertical-align:top;
border-bottom:1px solid #d0d7de}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot td{font-weight:600;border-top:2px solid #1b1f24;border-bottom:none}td.ref{overflow-wrap:anywhere}
@page{size:A4 landscape;margin:12mm}
@media print{body{font-size:10pt;margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}thead{display:
table-header-group}}
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def page(told: Statement) -> str:
    """The whole page."""
    head = "".join(f"<dt>{_both(fact.name)}</dt><dd>{escape(fact.text)}</dd>" for fact in statement_head.facts(told))
    return "".join(
        (
            f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(statement_head.TITLE.zh)}</title>',
            f"<style>{STYLE}</style><h1>{_both(statement_head.TITLE)}</h1><dl>{head}</dl>",
            *(_section(told, section) for section in told.sections),
            _deadlines(told),
            "</html>",
        )
    )


def _both(name: Name) -> str:
    return f'{escape(name.zh)} <span class="en">{escape(name.en)}</span>'


def _cells(tag: str, cells: Iterable[str], *, number_from: int) -> str:
    return "".join(
        f'<{tag} class="n">{cell}</{tag}>' if place >= number_from else f"<{tag}>{cell}</{tag}>"
        for place, cell in enumerate(cells)
    )


def _section(told: Statement, section: Section) -> str:
    head = map(_both, statement_head.columns(told))
    lines = "".join(f"<tr>{_line(told, line)}</tr>" for line in section.lines)
    total = _cells("td", [_both(section.result), "", "", *_money(told, section.total)], number_from=3)
    return (
        f"<h2>{_both(section.name)} （{_both(statement_head.UNIT)}）</h2>"
        f"<table><thead><tr>{_cells('th', head, number_from=3)}</tr></thead><tbody>{lines}</tbody>"
        f"<tfoot><tr>{total}</tr></tfoot></table>"
    )


def _line(told: Statement, line: Line) -> str:
    texts = [_both(line.name), escape(line.reference), escape(line.detail)]
    return _cells("td", [*texts, *_money(told, line.amounts)], number_from=3)


def _money(told: Statement, amounts: dict[str, int]) -> list[str]:
    return [*(grouped(amounts.get(fund, 0)) for fund in told.funds), grouped(sum(amounts.values()))]


def grouped(fen: int) -> str:
    """Yuan with thousands separators, by digits alone: 3,111,110.21."""
    yuan = money.yuan(abs(fen))
    whole, _, rest = yuan.partition(".")
    return f"{'−' if fen < 0 else ''}{int(whole):,}.{rest}"


def _deadlines(told: Statement) -> str:
    head = _cells("th", map(_both, statement_head.DUE_COLUMNS), number_from=9)
    rows = ""
    for one in told.deadlines:
        target, due, state, paid = statement_head.deadline(one)
        rows += f"<tr>{_cells('td', (_both(target), escape(due), _both(state), escape(paid)), number_from=9)}</tr>"
    return (
        f"<h2>{_both(statement_head.DEADLINES)}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
