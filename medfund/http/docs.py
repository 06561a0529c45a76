"""The page at `/docs`: the API as a person reads it, made from OpenAPI. No script, nothing fetched from anywhere."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, TypeAlias

from medfund.http import terms
from medfund.http.problems import KINDS

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
h2{border-top:1px solid #d0d7de;padding-top:1.5rem;font-size:1.2rem}h3{font-size:1rem}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f6f8fa;border-radius:4px}code{padding:.1em .3em}
pre{padding:.8rem;overflow:auto;max-height:28rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #d0d7de;overflow-wrap:anywhere}
td code{word-break:break-all}.fields{margin:.6rem 0}.fields td:first-child{min-width:15rem;width:18rem}
.fields td:nth-child(2),.fields th:nth-child(2){white-space:nowrap;overflow-wrap:normal}
.fields td:last-child{min-width:13rem}
.method{background:#0b5cad;color:#fff}nav li{list-style:none}
"""
HEADS = (("名称", "Name"), ("必填", "Required"), ("取值", "Allowed"), ("含义", "Meaning"))
LIMITS = {
    "pattern": "like", "minimum": "from", "maximum": "to", "exclusiveMaximum": "below", "minLength": "at least",
    "maxLength": "at most", "minItems": "at least", "maxItems": "at most",
}  # fmt: skip
FIELDS_DEPTH = 4
INTRODUCED = """金额为文本，以元为单位，保留两位小数。每个返回是同一时点的快照，并注明数据截至的日志位置。

除另有注明外，每次调用须带令牌；令牌未覆盖的内容，视同不存在。

出错时返回 application/problem+json 及固定的代码，代码列于页末。"""
Field: TypeAlias = tuple[str, Mapping[str, Any], str, bool]
"""Its path, its schema, what it means, and whether it must be given."""
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def page(openapi: Mapping[str, Any]) -> str:
    """The whole page."""
    info = openapi["info"]
    operations = list(_operations(openapi))
    schemas = openapi.get("components", {}).get("schemas", {})
    return "".join(
        (
            f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
            f"<style>{STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            _paragraphs(INTRODUCED),
            _paragraphs(info.get("description", "")),
            '<p>机器可读版本 The same for machines: <a href="/openapi.json">/openapi.json</a>.</p><nav><ul>',
            *(_entry(path, method, operation) for path, method, operation in operations),
            "</ul></nav>",
            *(_section(path, method, operation, schemas) for path, method, operation in operations),
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
    zh = escape(terms.ROUTES.get(operation["operationId"], ""))
    return f'<li><a href="#{anchor}"><code>{method} {escape(path)}</code></a> {zh} {summary}</li>'


def _section(path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    title = f'<code class="method">{method}</code> <code>{escape(path)}</code>'
    roles = ", ".join(operation.get("x-roles", ()))
    return "".join(
        (
            f'<h2 id="{escape(operation["operationId"])}">{title}</h2>',
            f"<p>{escape(terms.ROUTES.get(operation['operationId'], ''))}</p>",
            _paragraphs(operation.get("description", operation["summary"])),
            f"<p>角色 Roles: {escape(roles)}</p>" if roles else "<p>无需令牌 Open: no token needed.</p>",
            _parameters(operation.get("parameters", ())),
            _bodies("请求体 Body", operation.get("requestBody", {}), schemas),
            *(
                _bodies(f"返回 Answer {status}", response, schemas)
                for status, response in operation["responses"].items()
                if status.startswith("2")
            ),
        )
    )


def _parameters(parameters: Any) -> str:
    if not parameters:
        return ""
    rows = (
        _field(f"{one['name']} ({one['in']})", one["schema"], one.get("description", ""), one.get("required", False))
        for one in parameters
    )
    return f"<h3>参数 Parameters</h3>{_table(rows)}"


def _bodies(title: str, body: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    parts = [_content(media, content, schemas) for media, content in body.get("content", {}).items()]
    if not parts:
        return ""
    return f"<h3>{escape(title)}</h3>{_paragraphs(body.get('description', ''))}{''.join(parts)}"


def _content(media: str, content: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    schema = content.get("schema", {})
    known = {**schemas, **schema.get("$defs", {})}
    rows = [_field(*field) for field in _fields("", schema, known, depth=FIELDS_DEPTH)]
    shown = [
        f"<pre>{escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))}</pre>"
        for value in examples(content, schemas)
    ]
    return f"<p><code>{escape(media)}</code></p>{_table(rows) if rows else ''}{''.join(shown)}"


def examples(content: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Any]:
    """Of a body or an answer: its own, else those of its schema."""
    if "example" in content:
        return [content["example"]]
    if "examples" in content:
        return [example["value"] for example in content["examples"].values()]
    schema = content.get("schema", {})
    found = [example for one in _alternatives(schema, schemas) for example in one.get("examples", ())]
    return list(schema.get("examples", ())) or found


def _alternatives(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a schema may be, without references; of many that one name tells apart, that name alone."""
    if "$ref" in schema:
        yield from _alternatives(known[schema["$ref"].rpartition("/")[2]], known)
    elif "discriminator" in schema:
        name, kinds = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
        yield {"properties": {name: {"enum": sorted(kinds)}}, "required": [name]}
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf", schema.get("oneOf")):
            yield from _alternatives(one, known)
    else:
        yield schema


def _fields(at: str, schema: Mapping[str, Any], known: Mapping[str, Any], *, depth: int) -> Iterator[Field]:
    """The fields of objects, and those of what they hold: `lines[].amounts[].fund`."""
    for one in _alternatives(schema, known):
        if "items" in one:
            yield from _fields(f"{at}[]", one["items"], known, depth=depth)
        for name, held in one.get("properties", {}).items():
            path = f"{at}.{name}" if at else name
            yield path, held, held.get("description", ""), name in one.get("required", ())
            if depth > 1:
                yield from _fields(path, held, known, depth=depth - 1)


def _field(name: str, schema: Mapping[str, Any], meaning: str, required: bool) -> str:
    described = [schema, *schema.get("anyOf", ())]  # what may be left out is described one level deeper
    words = meaning or next((part["description"] for part in described if "description" in part), "")
    told = f"{terms.FIELDS.get(name_of(name), '')} {words}".strip()
    allowed = "; ".join(filter(None, map(_allowed, described)))
    must = "必填 required" if required else ""
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{must}</td><td>{escape(allowed)}</td><td>{escape(told)}</td></tr>"
    )


def name_of(path: str) -> str:
    """The last name of `lines[].amounts[].fund`, or of `fund (query)`."""
    return path.partition(" ")[0].rpartition(".")[2].removesuffix("[]")


def _allowed(schema: Mapping[str, Any]) -> str:
    """What a value may be, as far as its schema says it in few words."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    limits = [f"{word} {schema[key]}" for key, word in LIMITS.items() if key in schema]
    kind = schema.get("format") or schema.get("type", "")
    return " ".join([kind if isinstance(kind, str) else "", *limits]).strip()


def _table(rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{zh} {en}</th>' for zh, en in HEADS)
    return f'<table class="fields"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _problems() -> str:
    rows = (
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td><td>{escape(kind.title)}</td>'
        f"<td>{escape(kind.zh)}</td></tr>"
        for code, kind in KINDS.items()
    )
    return f'<h2 id="problems">问题代码 Problems</h2><table>{"".join(rows)}</table>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip())
