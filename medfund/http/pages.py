"""Pages to read and to print. No script, nothing fetched from anywhere; everything is escaped. The same content gives
the same bytes."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from fastapi import Response

from medfund import money
from medfund.http.answers import Name
from medfund.http.tables import Cell, Column, Table

STYLE = """
body{font:15px/1.45 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:75rem;margin:2rem auto;
padding:0 1rem;color:#1b1f24}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}.en{color:#57606a;font-weight:normal}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:#57606a}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;text-align:left;vertical-align:top;
border-bottom:1px solid #d0d7de}figure{margin:1rem 0}img{width:100%}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot td{font-weight:600;border-top:2px solid #1b1f24;border-bottom:none}td.ref{overflow-wrap:anywhere}
@page{size:A4 landscape;margin:12mm}
@media print{body{font-size:10pt;margin:0;max-width:none}h2{break-after:avoid}tr,figure{break-inside:avoid}
thead{display:table-header-group}}
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; img-src data:; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def response(title: Name, facts: Iterable[tuple[Name, str]], parts: Iterable[str]) -> Response:
    """A whole page: its head as a list of facts, then its parts, which are made here too."""
    head = "".join(f"<dt>{both(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    page = (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(title.zh)}</title>'
        f"<style>{STYLE}</style><h1>{both(title)}</h1><dl>{head}</dl>{''.join(parts)}</html>"
    )
    return Response(page, media_type="text/html", headers={"content-security-policy": POLICY})


def both(name: Name) -> str:
    return f'{escape(name.zh)} <span class="en">{escape(name.en)}</span>'


def cells(tag: str, contents: Iterable[str], *, number_from: int) -> str:
    """Of one row, made already; from a place on they are numbers."""
    return "".join(
        f'<{tag} class="n">{content}</{tag}>' if place >= number_from else f"<{tag}>{content}</{tag}>"
        for place, content in enumerate(contents)
    )


def table(told: Table) -> str:
    head = "".join(_cell("th", column, both(Name(zh=column.zh, en=column.en))) for column in told.columns)
    rows = "".join(f"<tr>{_row(told.columns, row)}</tr>" for row in told.rows)
    return f"<h2>{both(told.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    return "".join(_cell("td", column, _text(column, cell)) for column, cell in zip(columns, row, strict=True))


def _cell(tag: str, column: Column, content: str) -> str:
    return f'<{tag} class="n">{content}</{tag}>' if column.kind in ("money", "number") else f"<{tag}>{content}</{tag}>"


def _text(column: Column, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case int() if column.kind == "money":
            return grouped(cell)
        case date():
            return cell.isoformat()
        case _:
            return escape(str(cell))


def picture(svg: str, told: Name) -> str:
    """Inside of a page, in its own bounds; `told` is its caption."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<figure><img alt="" src="data:image/svg+xml;base64,{data}"><figcaption>{both(told)}</figcaption></figure>'


def grouped(fen: int) -> str:
    """Yuan with thousands separators, by digits alone: 3,111,110.21."""
    yuan = money.yuan(abs(fen))
    whole, _, rest = yuan.partition(".")
    return f"{'−' if fen < 0 else ''}{int(whole):,}.{rest}"
