"""The contract as files: `python -m medfund.events.schemas [--check]` writes (or compares) the folder `schemas/`.

    schemas/<type>.schema.json    JSON Schema 2020-12 of the data of one version of one type
    schemas/examples/<type>.json  one complete event of it: in structured mode, and as a Kafka record
    schemas/asyncapi.json         topics, keys, headers and partitions, AsyncAPI 3.0

What stays true: the files are what the code says; a schema is never replaced by one that refuses what it accepted
(that takes a new version of the type); an example, once written, is decoded for ever.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from medfund.events import compatible, envelope, speakers
from medfund.events.kinds import FAMILIES, KINDS, Kind
from medfund.events.speakers import Speaker
from medfund.lanes import partition

SCHEMAS = Path(__file__).parents[2] / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PREFIX = "medfund"
LANES = 12

SOURCES = {
    Speaker.HOSPITAL: "/gateway/152500",
    Speaker.AUDIT_OFFICE: "/audit/152500",
    Speaker.SUPERVISION: "/supervision/152500",
    Speaker.SUPPLIER: "/supplier/91370000MA0000001T",
    Speaker.PROCUREMENT: "/procurement/152500",
    Speaker.POLICY_OFFICE: "/agency/152500",
    **{speaker: source for source, speaker in reversed([*speakers.OURS.items()])},
}
"""As whom the examples speak."""
_TIME = "2026-04-01T09:30:00+08:00"


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of the data of one kind."""
    generated = msgspec.json.schema(kind.event)
    definitions = generated["$defs"]
    root = definitions.pop(generated["$ref"].rpartition("/")[2])
    document = {"$schema": DIALECT, "$id": f"urn:medfund:event:{kind.type}", **_described(root), "title": kind.type}
    if definitions:
        document["$defs"] = {name: _described(definition) for name, definition in sorted(definitions.items())}
    return document


def _described(definition: Mapping[str, Any]) -> dict[str, Any]:
    described = dict(definition)
    if "description" in described:
        described["description"] = inspect.cleandoc(described["description"])
    return described


def source_of(kind: Kind) -> str:
    """A source that may say it."""
    said_by = speakers.said_by(kind, kind.family)
    return next(source for speaker, source in SOURCES.items() if speaker in said_by)


def example(kind: Kind) -> dict[str, Any]:
    """One complete event of a kind, in both forms."""
    data = msgspec.json.encode(kind.example)
    event = envelope.Envelope(
        id=f"019d4651-08c0-7c41-9a02-{sha256(kind.type.encode()).hexdigest()[:12]}",
        source=source_of(kind),
        type=kind.type,
        time=_TIME,
        data=data,
    )
    key = envelope.key_of(kind, kind.decoder.decode(data)) or partition.lane_key(3, LANES)
    record = {
        "topic": f"{PREFIX}.{kind.family}",
        "partition": partition.lane_of(key, LANES),
        "key": key.decode(),
        "headers": {name: value.decode() for name, value in envelope.headers(event)},
        "value": data.decode(),
    }
    return {"structured": json.loads(envelope.to_json(event)), "record": record}


# AsyncAPI

_KEY_RULES = {
    "provider": "The provider code, as in data.provider",
    "area": "The pooling area, as in data.area",
    "lane": "A key of the lane (lane-<k>, the smallest k that hashes to it): the event is written into every lane",
}
_OURS = ("time", "clearing", "direct-pay", "ledger")


def asyncapi() -> dict[str, Any]:
    """The whole contract as one AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "medfund events",
            "version": "1.0.0",
            "description": (
                "CloudEvents 1.0 in Kafka's binary mode. Money is yuan text with exactly two decimals. All topics have "
                f"the same number of partitions ({LANES} by default); a record stands in partition "
                "(murmur2(key) & 0x7fffffff) % partitions, as the Java client's default places it (librdkafka: "
                "partitioner=murmur2_random)."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {family: _channel(family) for family in FAMILIES},
        "operations": {
            f"{'send' if family in _OURS else 'receive'}-{family}": {
                "action": "send" if family in _OURS else "receive",
                "channel": {"$ref": f"#/channels/{family}"},
            }
            for family in FAMILIES
        },
        "components": {
            "messages": {kind.type: _message(kind) for kind in _in_order()},
            "schemas": {"headers": _HEADERS},
        },
    }


def _channel(family: str) -> dict[str, Any]:
    return {
        "address": f"{PREFIX}.{family}",
        "messages": {
            kind.type: {"$ref": f"#/components/messages/{kind.type}"} for kind in _in_order() if family in kind.families
        },
        "bindings": {
            "kafka": {
                "topic": f"{PREFIX}.{family}",
                "partitions": LANES,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "max.message.bytes": 25165824},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(kind: Kind) -> dict[str, Any]:
    shown = example(kind)
    return {
        "name": kind.type,
        "title": kind.name,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{kind.type}.schema.json"},
        },
        "bindings": {
            "kafka": {"key": {"type": "string", "description": _KEY_RULES[kind.key]}, "bindingVersion": "0.5.0"}
        },
        "examples": [{"headers": shown["record"]["headers"], "payload": shown["structured"]["data"]}],
    }


_HEADERS: Mapping[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "description": "Unique within its source, for ever",
        },
        "ce_source": {"type": "string", "minLength": 1, "maxLength": 256},
        "ce_type": {"type": "string", "description": "name.v<version>"},
        "ce_time": {"type": "string", "format": "date-time", "description": "RFC 3339 with an offset"},
        "ce_retryof": {"type": "string", "description": "Set by a retry: the place of the record that it copies"},
        "content-type": {"const": "application/json"},
    },
}


# Files


def files() -> dict[str, str]:
    """Every file of the folder by its name."""
    documents: dict[str, Any] = {"asyncapi.json": asyncapi()}
    for kind in _in_order():
        documents[f"{kind.type}.schema.json"] = schema(kind)
        documents[f"examples/{kind.type}.json"] = example(kind)
    return {name: json.dumps(document, ensure_ascii=False, indent=2) + "\n" for name, document in documents.items()}


def _in_order() -> list[Kind]:
    return [KINDS[type] for type in sorted(KINDS)]


def drift(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """The files that are missing, other than wanted, or not wanted at all."""
    found = {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.json"))}
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def _broken(folder: Path, wanted: Mapping[str, str]) -> Iterator[str]:
    for name, text in wanted.items():
        path = folder / name
        if name.endswith(".schema.json") and path.exists():
            reason = compatible.refused(json.loads(path.read_text("utf-8")), json.loads(text))
            if reason:
                yield f"{name}: {reason}; events of this type exist, so register a new version instead"


def _write(folder: Path, wanted: Mapping[str, str]) -> None:
    (folder / "examples").mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    """Write the folder, or with `--check` say which files differ from the code."""
    parser = argparse.ArgumentParser(prog="python -m medfund.events.schemas", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    parser.add_argument("--folder", type=Path, default=SCHEMAS)
    options = parser.parse_args(arguments)
    wanted = files()
    complaints = list(_broken(options.folder, wanted))
    if options.check:
        complaints += [f"{name}: not what the code says" for name in drift(options.folder, wanted)]
    elif not complaints:
        _write(options.folder, wanted)
    sys.stderr.write("".join(f"{complaint}\n" for complaint in complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
