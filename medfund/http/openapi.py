"""The OpenAPI document, as generators of clients need it.

What stays true: every schema stands among the components under a name of its own, which is its title too; whoever
reads the document finds the shape of each body, each answer and each problem, and who may ask.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from medfund.http import examples, problems
from medfund.http.access import Roles
from medfund.http.api import Api

COMPONENTS = "#/components/schemas/"
_INLINE = "#/$defs/"
COMMANDS = "\u2401"
"""Stands for the names of all kinds of commands, which are known when the service is composed."""
Json = dict[str, Any]


def finish(document: Json, api: Api, more: Mapping[str, Json]) -> Json:
    """FastAPI's document with names for generators, `more` schemas that bodies refer to, and the roles of each call."""
    schemas: Json = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": problems.SCHEMA, **more}
    document["servers"] = [{"url": "/"}]
    document["paths"] = _in_order(document["paths"], api.roles)
    for operation in operations(document):
        allowed = api.roles.get(operation["operationId"], ())
        operation["x-roles"] = sorted(role.value for role in allowed)
        operation.setdefault("security", [])  # open, and said to be
        _move_body(operation, schemas)
    _rename(document, {name: _own_name(name) for name in schemas if "__" in name})
    components = document["components"]
    components["schemas"] = {name: {**schema, "title": name} for name, schema in components["schemas"].items()}
    for name, example in api.examples.items():
        components["schemas"][name]["examples"] = [example]
    for schema in components["schemas"].values():
        _name_commands(schema, api)
    return document


def _name_commands(schema: Json, api: Api) -> None:
    for told in schema.get("properties", {}).values():
        if told.get("enum") == [COMMANDS]:
            told["enum"] = [kind.name for kind in api.commands]


def _in_order(paths: Json, roles: Roles) -> Json:
    """As the roles name their operations, and then what is open."""
    places = {operation: place for place, operation in enumerate(roles)}

    def place(path: str) -> int:
        return min(places.get(operation["operationId"], len(places)) for operation in paths[path].values())

    return {path: paths[path] for path in sorted(paths, key=place)}


def operations(document: Mapping[str, Any]) -> Iterator[Json]:
    for methods in document["paths"].values():
        yield from methods.values()


def _move_body(operation: Json, schemas: Json) -> None:
    """A body that is written out in its operation becomes a component, and so do its parts."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "properties" not in (schema := content["schema"]):
            continue
        name = _pascal(operation["operationId"])
        parts = {part: f"{name}{part}" for part in schema.get("$defs", {})}
        moved = with_texts(schema, {f"{_INLINE}{part}": f"{COMPONENTS}{own}" for part, own in parts.items()})
        for part, definition in moved.pop("$defs", {}).items():
            schemas[parts[part]] = definition
        schemas[f"{name}Body"] = moved
        content["schema"] = {"$ref": f"{COMPONENTS}{name}Body"}


def _own_name(qualified: str) -> str:
    """`ledger__api__get_balances__Answer` is a `BalancesAnswer`."""
    *_, module, name = qualified.split("__")
    return f"{_pascal(module.removeprefix('get_').removeprefix('post_'))}{name}"


def _pascal(snake: str) -> str:
    return "".join(word.capitalize() for word in snake.split("_"))


def _rename(document: Json, names: Mapping[str, str]) -> None:
    schemas = document["components"]["schemas"]
    if clash := sorted({name for name in names.values() if name in schemas or [*names.values()].count(name) > 1}):
        raise ValueError(f"two schemas would be called {', '.join(clash)}")
    document["components"]["schemas"] = {names.get(name, name): schema for name, schema in schemas.items()}
    refs = {f"{COMPONENTS}{name}": f"{COMPONENTS}{own}" for name, own in names.items()}
    document |= with_texts(document, {**refs, examples.NULL: None})


def with_texts(node: Any, names: Mapping[str, str | None]) -> Any:
    """A part of a document in which some texts are others: references above all."""
    match node:
        case dict():
            return {key: with_texts(value, names) for key, value in node.items()}
        case list():
            return [with_texts(one, names) for one in node]
        case str():
            return names.get(node, node)
        case _:
            return node
