"""Whether a schema that follows another one still accepts what was accepted, wherever in it something is changed."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from medfund.events import compatible, schemas

Schema = dict[str, Any]


def closed(required: tuple[str, ...] = (), /, **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def of_fund(each: Any) -> Schema:
    return {"type": "object", "propertyNames": {"enum": ["310100", "390100"]}, "additionalProperties": each}


def listed(each: Any) -> Schema:
    return {"type": "array", "items": each}


def either(*each: Any) -> Schema:
    return {"anyOf": list(each)}


def of(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def referring(name: str, definition: Any, **others: Any) -> Schema:
    return {**closed(("part",), part=of(name)), "$defs": {name: definition, **others}}


NULL: Schema = {"type": "null"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 3, "maximum": 71}
TEXTS = listed(TEXT)
CODES: Schema = {"type": "string", "enum": ["A", "B"]}
DIGITS: Schema = {"type": "string", "pattern": "^[0-9]+$"}
LETTERS: Schema = {"type": "string", "pattern": "^[a-z]+$"}
DAY: Schema = {"type": "string", "format": "date"}

BREAKING: dict[str, tuple[Schema, Schema, Any]] = {
    "of another kind": (TEXT, COUNT, "7"),
    "of a kind at all": ({}, TEXT, 7),
    "a whole number": ({"type": "number"}, {"type": "integer"}, 7.3),
    "true is no number": ({"enum": [True]}, {"enum": [1]}, True),
    "a pattern more": (TEXT, DIGITS, "x"),
    "digits to letters": (DIGITS, LETTERS, "17"),
    "a narrower pattern": (DIGITS, {"type": "string", "pattern": "^[0-9]{3}$"}, "17"),
    "a format more": (TEXT, DAY, "x"),
    "another format": (DAY, {"type": "string", "format": "time"}, "2026-03-17"),
    "a format inside a map": (of_fund(TEXT), of_fund(DAY), {"310100": "x"}),
    "a code less": (CODES, {"type": "string", "enum": ["A"]}, "B"),
    "codes where there was text": (TEXT, CODES, "x"),
    "one code": (CODES, {"const": "A"}, "B"),
    "another constant": ({"const": 7}, {"const": 8}, 7),
    "a larger least": (COUNT, {**COUNT, "minimum": 4}, 3),
    "a smaller most": (COUNT, {**COUNT, "maximum": 70}, 71),
    "a least where there was none": ({"type": "integer"}, COUNT, 2),
    "above, not from": (COUNT, {"type": "integer", "exclusiveMinimum": 3, "maximum": 71}, 3),
    "multiples": (COUNT, {**COUNT, "multipleOf": 5}, 7),
    "other multiples": ({"type": "integer", "multipleOf": 5}, {"type": "integer", "multipleOf": 7}, 5),
    "longer": (TEXT, {**TEXT, "minLength": 2}, "x"),
    "shorter": ({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 4}, "xxxxx"),
    "fewer": (TEXTS, {**TEXTS, "maxItems": 1}, ["x", "y"]),
    "more": ({**TEXTS, "minItems": 1}, {**TEXTS, "minItems": 2}, ["x"]),
    "each once": (TEXTS, {**TEXTS, "uniqueItems": True}, ["x", "x"]),
    "fewer names": (of_fund(TEXT), {**of_fund(TEXT), "maxProperties": 1}, {"310100": "x", "390100": "y"}),
    "what is listed": (TEXTS, listed(DIGITS), ["x"]),
    "listed in a list": (listed(TEXTS), listed(listed(DIGITS)), [["x"]]),
    "a list of nothing": (TEXTS, listed(False), ["x"]),
    "a tuple": ({"type": "array"}, {"type": "array", "prefixItems": [TEXT]}, [7]),
    "names that were free": ({"type": "object", "additionalProperties": TEXT}, of_fund(TEXT), {"x": "x"}),
    "a name less": (of_fund(TEXT), {**of_fund(TEXT), "propertyNames": {"enum": ["310100"]}}, {"390100": "x"}),
    "names written otherwise": (of_fund(TEXT), {**of_fund(TEXT), "propertyNames": LETTERS}, {"310100": "x"}),
    "what is in a map": (of_fund(TEXT), of_fund(DIGITS), {"310100": "x"}),
    "a map that is closed": (of_fund(TEXT), of_fund(False), {"310100": "x"}),
    "a field that was among others": ({"type": "object"}, {"type": "object", "properties": {"a": TEXT}}, {"a": 7}),
    "by the pattern of names": (
        {"type": "object", "patternProperties": {"^a": TEXT}},
        {"type": "object", "patternProperties": {"^a": DIGITS}},
        {"ab": "x"},
    ),
    "a field less": (closed(a=TEXT), closed(), {"a": "x"}),
    "a field called title": (closed(title=TEXT), closed(title=DIGITS), {"title": "x"}),
    "a field called pattern": (closed(pattern=TEXT), closed(pattern=COUNT), {"pattern": "x"}),
    "a field that is asked for": (closed(a=TEXT), closed(("a",), a=TEXT), {}),
    "asked for inside": (closed(a=closed(b=TEXT)), closed(a=closed(("b",), b=TEXT)), {"a": {}}),
    "closed inside": (closed(a={"type": "object"}), closed(a=closed()), {"a": {"b": 7}}),
    "no null any more": (closed(a=either(TEXT, NULL)), closed(a=TEXT), {"a": None}),
    "no null in a list of kinds": ({"type": ["string", "null"]}, TEXT, None),
    "an alternative less": (either(TEXT, COUNT, NULL), either(TEXT, NULL), 7),
    "the only alternative": (either(closed(a=TEXT)), either(closed(a=DIGITS)), {"a": "x"}),
    "a code less in an alternative": (either(CODES, NULL), either({"const": "A"}, NULL), "B"),
    "an alternative written otherwise": (either(DIGITS, NULL), either(LETTERS, NULL), "17"),
    "asked for in an alternative": (either(closed(b=TEXT), NULL), either(closed(("b",), b=TEXT), NULL), {}),
    "beside the alternatives": (either(TEXT, NULL), {**either(TEXT, NULL), "type": "string"}, None),
    "one of, not any of": (either(TEXT, CODES), {"oneOf": [TEXT, CODES]}, "A"),
    "what it must not be": (TEXT, {**TEXT, "not": {"const": "x"}}, "x"),
    "a definition": (referring("Part", TEXT), referring("Part", DIGITS), {"part": "x"}),
    "a definition under another name": (
        referring("Part", closed(b=TEXT)), referring("Piece", closed(b=COUNT)), {"part": {"b": "x"}},
    ),
    "another definition": (
        referring("Part", DIGITS, Other=LETTERS),
        referring("Other", LETTERS, Part=DIGITS),
        {"part": "17"},
    ),
    "a definition of what was none": (closed(("part",), part=DIGITS), referring("Part", LETTERS), {"part": "17"}),
    "null too, and written otherwise": (closed(a=DIGITS), closed(a=either(LETTERS, NULL)), {"a": "17"}),
    "a definition of a definition": (
        referring("Part", closed(b=of("B")), B=TEXT),
        referring("Part", closed(b=of("B")), B=DIGITS),
        {"part": {"b": "x"}},
    ),
    "a definition in a word that is not known here": (
        {"contains": of("B"), "$defs": {"B": TEXT}}, {"contains": of("B"), "$defs": {"B": DIGITS}}, ["x"],
    ),
    "inside what refers to itself": (
        referring("Part", closed(b=TEXT, part=of("Part"))),
        referring("Part", closed(b=DIGITS, part=of("Part"))),
        {"part": {"part": {"b": "x"}}},
    ),
}  # fmt: skip
"""What was, what is, and what was accepted and is refused."""

READABLE: dict[str, tuple[Schema, Schema]] = {
    "any number": ({"type": "integer"}, {"type": "number"}),
    "anything": (TEXT, {}),
    "no pattern": (DIGITS, TEXT),
    "no format": (DAY, TEXT),
    "a code more": (CODES, {"type": "string", "enum": ["C", "B", "A"]}),
    "a code instead of a constant": ({"const": "A"}, {"enum": ["A", "B"]}),
    "text instead of codes": ({"enum": ["A"]}, TEXT),
    "a smaller least and a larger most": (COUNT, {"type": "integer", "minimum": 2, "maximum": 72}),
    "no limits": (COUNT, {"type": "integer"}),
    "an optional field more": (closed(a=TEXT), closed(a=TEXT, b=TEXT)),
    "a field that may be left out": (closed(("a",), a=TEXT), closed(a=TEXT)),
    "an open object": (closed(a=TEXT), {"type": "object"}),
    "null too": (TEXT, either(TEXT, NULL)),
    "null in a list of kinds": (TEXT, {"type": ["null", "string"]}),
    "alternatives in another order": (either(TEXT, COUNT, NULL), either(NULL, COUNT, TEXT)),
    "the only alternative": (either(DIGITS), TEXT),
    "the only kind of a list": ({"type": ["string"]}, TEXT),
    "a kind as an alternative": ({"type": ["string", "null"]}, either(TEXT, NULL)),
    "a definition of another name": (referring("Part", closed(b=TEXT)), referring("Piece", closed(b=TEXT))),
    "what was a definition": (referring("Part", closed(b=TEXT)), closed(("part",), part=closed(b=TEXT))),
    "a wider definition": (referring("Part", DIGITS), referring("Part", TEXT)),
    "what refers to itself": (
        referring("Part", closed(part=of("Part"))),
        referring("Part", closed(b=TEXT, part=of("Part"))),
    ),
    "other words about it": (TEXT, {**TEXT, "description": "x", "title": "x", "default": "x"}),
}

DOUBTED: dict[str, tuple[Schema, Schema]] = {
    "a wider pattern": ({"type": "string", "pattern": "^[0-9]{3}$"}, DIGITS),
    "the same pattern in other letters": (DIGITS, {"type": "string", "pattern": "^[0-9][0-9]*$"}),
    "a wider format": (DAY, {"type": "string", "format": "date-time"}),
}
"""Nobody can tell by comparing texts: told, so that a new version is registered."""


@pytest.mark.parametrize("change", BREAKING)
def test_a_change_by_which_something_is_refused_is_told(change: str) -> None:
    old, new, refused = BREAKING[change]
    before, after = (jsonschema_rs.validator_for(one, validate_formats=True) for one in (old, new))
    assert (before.is_valid(refused), after.is_valid(refused)) == (True, False)
    assert compatible.refused(old, new) is not None
    assert compatible.refused(old, copy.deepcopy(old)) is None


@pytest.mark.parametrize("change", READABLE)
def test_a_change_by_which_nothing_is_refused_is_not_told(change: str) -> None:
    assert compatible.refused(*READABLE[change]) is None


@pytest.mark.parametrize("change", DOUBTED)
def test_what_cannot_be_judged_is_told(change: str) -> None:
    assert compatible.refused(*DOUBTED[change]) == "$ is written otherwise"


def test_where_something_is_refused_is_named() -> None:
    told = [
        compatible.refused(closed(a=of_fund(closed(b=old))), closed(a=of_fund(closed(b=new))))
        for old, new in ((TEXT, DIGITS), (TEXT, NULL), (CODES, {"const": "A"}), (TEXTS, {**TEXTS, "items": DAY}))
    ]
    assert told == [
        "$.a.*.b is written otherwise", "$.a.*.b is of another kind", "$.a.*.b accepts less than before",
        "$.a.*.b[] is written otherwise",
    ]  # fmt: skip


# The contract itself, in each of its places


def places(node: Any) -> Iterator[Schema]:
    """Every schema in a schema."""
    if not isinstance(node, dict):
        return
    yield node
    for word in ("items", "additionalProperties", "propertyNames"):
        yield from places(node.get(word))
    for word in ("properties", "$defs"):
        for child in node.get(word, {}).values():
            yield from places(child)
    for child in node.get("anyOf", ()):
        yield from places(child)


RESTRICTIONS = (
    "pattern", "format", "not", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "items", "anyOf",
    "propertyNames",
)  # fmt: skip


def wider(place: Schema) -> Iterator[Schema]:
    for word in place:
        if word in RESTRICTIONS:
            yield {other: value for other, value in place.items() if other not in (word, "type")}


def narrower(place: Schema) -> Iterator[Schema]:
    yield {**place, "not": {"enum": ["x", 17]}}
    for word, value in place.items():
        if word in ("minimum", "minLength"):
            yield {**place, word: value + 1}
        elif word in ("maximum", "maxLength"):
            yield {**place, word: value - 1}
        elif word in ("enum", "anyOf"):
            yield {**place, word: value[1:]}
        elif word in ("pattern", "format"):
            yield {**place, word: f"{value}x"}
        elif word == "items":
            yield {**place, "maxItems": 3}
        elif word == "properties":
            yield {**place, "required": [*place["required"], "x"], word: {**value, "x": TEXT}}
            yield {**place, word: dict([*value.items()][1:])}


def changed(whole: Schema, place: Schema, becomes: Schema) -> Schema:
    """The whole, with another schema in one of its places."""
    was = copy.copy(place)
    place.clear()
    place.update(becomes)
    found = copy.deepcopy(whole)
    place.clear()
    place.update(was)
    return found


@pytest.mark.parametrize("type", sorted(schemas.KINDS))
def test_wherever_the_contract_is_narrowed_it_is_told_and_where_it_is_widened_it_is_not(type: str) -> None:
    whole = json.loads((schemas.SCHEMAS / f"{type}.schema.json").read_text("utf-8"))
    tried = 0
    for place in places(whole):
        for becomes in [*narrower(place)]:
            assert compatible.refused(whole, changed(whole, place, becomes)) is not None, becomes
            tried += 1
        for becomes in [*wider(place)]:
            wide = changed(whole, place, becomes)
            assert compatible.refused(whole, wide) is None, becomes
            assert compatible.refused(wide, whole) is not None, becomes
            tried += 1
    assert tried > 3
