"""The page at `/docs`: the API as a person reads it, made from OpenAPI. No script, nothing fetched from anywhere."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from medfund.http.problems import KINDS

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
h2{border-top:1px solid #d0d7de;padding-top:1.5rem;font-size:1.2rem}h3{font-size:1rem}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f6f8fa;border-radius:4px}code{padding:.1em .3em}
pre{padding:.8rem;overflow:auto;max-height:28rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #d0d7de}
.method{background:#0b5cad;color:#fff}nav li{list-style:none}
"""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def page(openapi: Mapping[str, Any]) -> str:
    """The whole page."""
    info = openapi["info"]
    operations = list(_operations(openapi))
    return "".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
            f"<style>{STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            _paragraphs(info.get("description", "")),
            '<p>The same for machines: <a href="/openapi.json">/openapi.json</a>.</p><nav><ul>',
            *(_entry(path, method, operation) for path, method, operation in operations),
            "</ul></nav>",
            *(_section(path, method, operation) for path, method, operation in operations),
            _problems(),
            "</html>",
        )
    )


def _operations(openapi: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _entry(path: str, method: str, operation: Mapping[str, Any]) -> str:
    anchor, summary = escape(operation["operationId"]), escape(operation["summary"])
    return f'<li><a href="#{anchor}"><code>{method} {escape(path)}</code></a> {summary}</li>'


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    title = f'<code class="method">{method}</code> <code>{escape(path)}</code>'
    roles = ", ".join(operation.get("x-roles", ()))
    return "".join(
        (
            f'<h2 id="{escape(operation["operationId"])}">{title}</h2>',
            _paragraphs(operation.get("description", operation["summary"])),
            f"<p>Roles: {escape(roles)}</p>" if roles else "<p>Open: no token needed.</p>",
            _parameters(operation.get("parameters", ())),
            _bodies("Body", operation.get("requestBody", {})),
            *(_bodies(status, response) for status, response in operation["responses"].items()),
        )
    )


def _parameters(parameters: Any) -> str:
    if not parameters:
        return ""
    return f"<h3>Parameters</h3><table>{''.join(map(_parameter, parameters))}</table>"


def _parameter(one: Mapping[str, Any]) -> str:
    where = f"{one['in']}{', required' if one.get('required') else ''}"
    described = [one, *one["schema"].get("anyOf", ())]  # what may be left out is described one level deeper
    meaning = escape(next((part["description"] for part in described if "description" in part), ""))
    return f"<tr><td><code>{escape(one['name'])}</code></td><td>{where}</td><td>{meaning}</td></tr>"


def _bodies(title: str, body: Mapping[str, Any]) -> str:
    examples = [
        f"<pre>{escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))}</pre>"
        for content in body.get("content", {}).values()
        for value in _examples(content)
    ]
    if not body or (title != "Body" and not title.startswith("2")):
        return ""
    return f"<h3>{escape(title)}</h3>{_paragraphs(body.get('description', ''))}{''.join(examples)}"


def _examples(content: Mapping[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    return [example["value"] for example in content.get("examples", {}).values()]


def _problems() -> str:
    rows = (
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td><td>{escape(kind.title)}</td>'
        f"<td>{escape(kind.zh)}</td></tr>"
        for code, kind in KINDS.items()
    )
    return f'<h2 id="problems">Problems</h2><table>{"".join(rows)}</table>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip())
