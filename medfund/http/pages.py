"""Pages to read and to print. No script, nothing fetched from anywhere; everything is escaped. The same content gives
the same bytes."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import TypeAlias

from fastapi import Response

from medfund import money
from medfund.http.answers import Name
from medfund.http.tables import Cell, Column, Table

STYLE = """
body{font:15px/1.45 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:76rem;margin:1.5rem auto;
padding:0 1rem;color:#1b1f24}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:0}.en{color:#57606a;font-weight:normal}h1 .en,th .en{display:block}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:#57606a}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1.6rem 0;font-size:13px}caption{text-align:left;padding:0 0 .4rem}
td,th{padding:.25rem .35em;text-align:left;vertical-align:top;border-bottom:1px solid #d0d7de;overflow-wrap:anywhere;
min-width:6.2em}.whole{white-space:nowrap}
tbody th{font-weight:normal}figure{margin:1rem 0;break-inside:avoid}img{width:100%}
td.n,th.n{text-align:right;min-width:0}td.n{font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
tfoot td,tfoot th{font-weight:600;border-top:2px solid #1b1f24;border-bottom:none}
.sign{display:flex;gap:2rem;margin:2.5rem 0 1rem}.sign>span{flex:1;border-bottom:1px solid #1b1f24;padding-bottom:.2rem}
footer{font-size:.8rem;color:#57606a;overflow-wrap:anywhere}
@page{size:A4 landscape;margin:12mm 12mm 14mm;@bottom-right{font-size:8pt;content:counter(page) " / " counter(pages)}}
@media print{body{font-size:9pt;margin:0;padding:0;max-width:none}table{font-size:8pt}footer{font-size:7pt}
tr,caption,.sign{break-inside:avoid}
caption,thead{break-after:avoid}tbody tr:first-child{break-before:avoid}
thead{display:table-header-group}tfoot{display:table-row-group;break-before:avoid}}
"""
Fact: TypeAlias = tuple[Name, str]
WHOLE_MAX = 12
"""Characters of a word that is left as it is: a day, an amount, a short name."""
PART_MAX = 14
"""Of what stands between separators and is never broken: a provider's code has 12."""
_WORDS = re.compile(r"(\s+)")
_SEPARATED = re.compile(r"(?<=[-/_:])(?=\w)")
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; img-src data:; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def response(title: Name, facts: Iterable[Fact], parts: Iterable[str]) -> Response:
    """A whole page: its head as a list of facts, then its parts, which are made here too."""
    page = (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title.zh)} {escape(title.en)}</title><style>{STYLE}</style>"
        f"<main><h1>{both(title)}</h1>{listed(facts)}{''.join(parts)}</main></html>"
    )
    return Response(page, media_type="text/html", headers={"content-security-policy": POLICY})


def both(name: Name) -> str:
    return f'{escape(name.zh)} <span class="en" lang="en">{escape(sentence(name.en))}</span>'


def sentence(words: str) -> str:
    """As labels begin: with one capital."""
    return words[:1].upper() + words[1:]


def written(text: str) -> str:
    """A long name breaks after its separators, and elsewhere only where a part of it is wider than its column."""
    return "".join(_parted(word) if len(word) > WHOLE_MAX else escape(word) for word in _WORDS.split(text))


def _parted(word: str) -> str:
    return "<wbr>".join(
        escape(part) if len(part) > PART_MAX else f'<span class="whole">{escape(part)}</span>'
        for part in _SEPARATED.split(word)
    )


def listed(facts: Iterable[Fact]) -> str:
    return f"<dl>{''.join(f'<dt>{both(name)}</dt><dd>{written(text)}</dd>' for name, text in facts)}</dl>"


def foot(facts: Iterable[Fact]) -> str:
    """What the page rests on, in small print."""
    return f"<footer>{listed(facts)}</footer>"


def to_sign(*names: Name) -> str:
    """A line for each, to be signed by hand."""
    return f'<div class="sign">{"".join(f"<span>{both(name)}</span>" for name in names)}</div>'


def table(told: Table) -> str:
    """The first cell of a row is its head. Texts break between words and after separators, elsewhere where they must,
    and money never, so that no total is outside of the paper."""
    head = "".join(_cell("th", ' scope="col"', one, both(Name(zh=one.zh, en=one.en))) for one in told.columns)
    rows = "".join(f"<tr>{_row(told.columns, row)}</tr>" for row in told.rows)
    if not told.rows:
        rows = f'<tr><td colspan="{len(told.columns)}">{both(told.empty)}</td></tr>'
    total = "" if told.total is None else f"<tfoot><tr>{_row(told.columns, told.total)}</tr></tfoot>"
    return (
        f"<table><caption><h2>{both(told.title)}</h2></caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody>{total}</table>"
    )


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    first, *others = zip(columns, row, strict=True)
    head = _cell("th", ' scope="row"', first[0], _text(*first))
    return head + "".join(_cell("td", "", column, _text(column, cell)) for column, cell in others)


def _cell(tag: str, scope: str, column: Column, content: str) -> str:
    number = ' class="n"' if column.kind in ("money", "number") else ""
    return f"<{tag}{scope}{number}>{content}</{tag}>"


def _text(column: Column, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case int() if column.kind == "money":
            return grouped(cell)
        case date():
            return cell.isoformat()
        case Name():
            return both(cell)
        case _:
            return written(str(cell))


def picture(svg: str, told: Name) -> str:
    """Inside of a page, in its own bounds; `told` is its caption and what it is called where it cannot be seen."""
    data = base64.b64encode(svg.encode()).decode()
    shown = f'<img alt="{escape(told.zh)} {escape(told.en)}" src="data:image/svg+xml;base64,{data}">'
    return f"<figure>{shown}<figcaption>{both(told)}</figcaption></figure>"


def grouped(fen: int) -> str:
    """Yuan with thousands separators, by digits alone: 3,111,110.21."""
    yuan = money.yuan(abs(fen))
    whole, _, rest = yuan.partition(".")
    return f"{'−' if fen < 0 else ''}{int(whole):,}.{rest}"
