"""What may be published, as OpenAPI shows it: one schema for each type of event that others may say.

What stays true: the data of a type are those of the contract (`schemas/`), so a body that fits is refused only for what
no schema can say: sums, keys, times, and who said it.
"""

from collections.abc import Mapping
from typing import Any

from medfund.events import schemas, speakers
from medfund.events.kinds import KINDS, Kind
from medfund.http import openapi
from medfund.http.openapi import COMPONENTS

EVENT = "Event"
_TEXT = {"type": "string", "minLength": 1, "maxLength": 256}
_NULLABLE = {"type": ["string", "null"]}


def components() -> dict[str, Any]:
    """`Event`, and what it is made of."""
    made: dict[str, Any] = {}
    told = {kind.type: kind for kind in KINDS.values() if speakers.said_by(kind) & speakers.REGISTRABLE}
    for kind in told.values():
        made |= _of(kind)
    refs = {type: f"{COMPONENTS}{_name(kind)}" for type, kind in told.items()}
    made[EVENT] = {
        "description": "One event, in CloudEvents' structured form",
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "type", "mapping": refs},
    }
    return made


def _name(kind: Kind) -> str:
    """`settlement.recorded.v1` is a `SettlementRecordedV1`."""
    return "".join(word.capitalize() for word in kind.type.split("."))


def _of(kind: Kind) -> Mapping[str, Any]:
    name, schema = _name(kind), schemas.schema(kind)
    parts = {f"#/$defs/{part}": f"{COMPONENTS}{name}{part}" for part in schema.get("$defs", {})}
    data = {key: value for key, value in schema.items() if not key.startswith("$")}
    definitions = {f"{name}{part}": definition for part, definition in schema.get("$defs", {}).items()}
    made: Mapping[str, Any] = openapi.with_texts({name: _event(kind, name), f"{name}Data": data, **definitions}, parts)
    return made


def _event(kind: Kind, name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "id": _TEXT,
            "source": _TEXT,
            "type": {"type": "string", "const": kind.type},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": _NULLABLE,
            "subject": _NULLABLE,
            "dataschema": _NULLABLE,
            "data": {"$ref": f"{COMPONENTS}{name}Data"},
        },
        # Texts, whole numbers and booleans. Said here, TypeScript would ask that of `data` too.
        "additionalProperties": True,
        "examples": [schemas.example(kind)["structured"]],
    }
