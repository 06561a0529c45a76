"""Whether whoever reads by a new JSON Schema accepts all that an old one accepted. Pure.

What stays true: a doubt is a break. Where two schemas say something in other words (a pattern, a format, a keyword
that is not known here), it counts as refused, though it may mean the same or more.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

NOTHING: Schema = {"not": {}}
"""What `false` accepts."""
ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples", "deprecated"})
WITHIN = frozenset({"items", "additionalProperties", "propertyNames", "not"})
"""Where a schema stands, true and false too."""
BY_NAME = frozenset({"properties", "patternProperties"})
VALUES = frozenset({"enum", "const", "required"})
AT_MOST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
AT_LEAST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
DROPPED = frozenset({"pattern", "format", "not", "multipleOf", "uniqueItems"})
"""Without one of these more is accepted."""
COMPARED = frozenset({"type", "enum", "required", "properties", "additionalProperties", "propertyNames", "items"})
TYPES = {
    str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def refused(old: Schema, new: Schema) -> str | None:
    """Where something that was accepted would be refused, and how; None where nothing would."""
    return next(_reasons(_plain(old, old.get("$defs", {})), _plain(new, new.get("$defs", {})), "$"), None)


# One way to say it


def _plain(node: Any, definitions: Schema, within: frozenset[str] = frozenset()) -> Schema:
    """Without references and annotations; what refers to itself keeps the name that it has there."""
    if isinstance(node, bool):
        return {} if node else NOTHING
    said = {word: _said(word, value, definitions, within) for word, value in node.items() if word not in ANNOTATIONS}
    if "const" in said:
        said["enum"] = [said.pop("const")]
    reference = node.get("$ref")
    if reference is None or reference in within:
        return said
    del said["$ref"]
    target = definitions[reference.removeprefix("#/$defs/")]
    return _both(said, _plain(target, definitions, within | {reference}))


def _said(word: str, value: Any, definitions: Schema, within: frozenset[str]) -> Any:
    if word in VALUES:
        return value
    if word in BY_NAME:
        return {name: _plain(child, definitions, within) for name, child in value.items()}
    if word in WITHIN or isinstance(value, Mapping):
        return _plain(value, definitions, within)
    if isinstance(value, list):
        return [_plain(child, definitions, within) if isinstance(child, Mapping) else child for child in value]
    return value


def _both(one: Schema, other: Schema) -> Schema:
    if any(other.get(word, value) != value for word, value in one.items()):
        return {"allOf": [one, other]}
    return {**one, **other}


def _alternatives(node: Schema) -> list[Schema]:
    """Of which something accepted keeps one at least."""
    rest = dict(node)
    if "anyOf" in node:
        return [one for each in rest.pop("anyOf") for one in _alternatives(_both(rest, each))]
    if isinstance(node.get("type"), list):
        return [{**node, "type": type_} for type_ in node["type"]]
    return [node]


# What is accepted no more


def _reasons(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if old == NOTHING:
        return
    olds, news = _alternatives(old), _alternatives(new)
    if len(olds) == len(news) == 1:
        yield from _narrower(olds[0], news[0], path)
    elif not all(any(next(_narrower(one, other, path), None) is None for other in news) for one in olds):
        yield f"{path} accepts less than before"


def _narrower(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if new == NOTHING:
        yield f"{path} is not accepted any more"
        return
    for word in sorted(old.keys() | new.keys()):
        if word in COMPARED:
            yield from _compared(word, old, new, path)
        elif word in AT_MOST | AT_LEAST:
            if word in new and not _within(word, old.get(word), new[word]):
                yield f"{path} accepts less than before"
        elif old.get(word) != new.get(word) and not (word in DROPPED and word not in new):
            yield f"{path} is written otherwise"


def _compared(word: str, old: Schema, new: Schema, path: str) -> Iterator[str]:
    if word not in new:
        return
    match word:
        case "type":
            if not all(_is_a(type_, new["type"]) for type_ in _types(old)):
                yield f"{path} is of another kind"
        case "enum":
            if "enum" not in old or not _texts(old["enum"]) <= _texts(new["enum"]):
                yield f"{path} accepts less than before"
        case "required":
            for name in sorted({*new["required"]} - {*old.get("required", ())}):
                yield f"{path}.{name} is asked for"
        case "properties":
            for name, child in new["properties"].items():
                yield from _reasons(_property(old, name), child, f"{path}.{name}")
        case "additionalProperties":
            for name in sorted(old.get("properties", {}).keys() - new.get("properties", {}).keys()):
                yield from _reasons(_property(old, name), new[word], f"{path}.{name}")
            yield from _reasons(old.get(word, {}), new[word], f"{path}.*")
        case "items":
            yield from _reasons(old.get(word, {}), new[word], f"{path}[]")
        case "propertyNames":
            names = {"type": "string", **old.get(word, {})}
            yield from _reasons(names, new[word], f"{path} (names)")


def _property(of: Schema, name: str) -> Schema:
    others: Schema = {} if "patternProperties" in of else of.get("additionalProperties", {})
    found: Schema = of.get("properties", {}).get(name, others)
    return found


def _within(word: str, before: Any, now: Any) -> bool:
    return before is not None and (before <= now if word in AT_MOST else before >= now)


def _types(node: Schema) -> Iterable[str]:
    if "type" in node:
        return [node["type"]]
    return {TYPES[type(value)] for value in node["enum"]} if "enum" in node else TYPES.values()


def _is_a(type_: str, of: str) -> bool:
    return type_ == of or (type_, of) == ("integer", "number")


def _texts(values: Iterable[Any]) -> set[str]:
    """As texts, for which 1 is not true."""
    return {json.dumps(value, sort_keys=True) for value in values}
