"""The contract in `schemas/`: it is what the code says, its examples are read for ever, no change breaks a reader."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest

from medfund.events import codec, compatible, envelope, schemas
from medfund.events.codec import Accepted
from medfund.events.kinds import FAMILIES, KINDS
from medfund.lanes import partition

EXAMPLES = sorted((schemas.SCHEMAS / "examples").glob("*.json"))
LONG_AFTER_MS = 2_000_000_000_000


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def recorded(path: Path) -> Record:
    shown = json.loads(path.read_text("utf-8"))["record"]
    headers = tuple((name, text.encode()) for name, text in shown["headers"].items())
    key, value = shown["key"].encode(), shown["value"].encode()
    return Record(shown["topic"], shown["partition"], 0, LONG_AFTER_MS, key, value, headers)


def schema(type: str) -> Any:
    return json.loads((schemas.SCHEMAS / f"{type}.schema.json").read_text("utf-8"))


def test_the_files_are_what_the_code_says() -> None:
    """Where this fails: `python -m medfund.events.schemas`."""
    assert schemas.drift(schemas.SCHEMAS, schemas.files()) == []
    assert schemas.main(["--check"]) == 0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_read_for_ever(path: Path) -> None:
    """Also those of versions that have long been followed by others."""
    record = recorded(path)
    family = record.topic.removeprefix("medfund.")
    outcome = codec.decode(record, family=family, lanes=schemas.LANES)
    assert isinstance(outcome, Accepted), outcome
    assert outcome.type == path.stem


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_two_forms_of_an_example_are_one_event(path: Path) -> None:
    shown = json.loads(path.read_text("utf-8"))
    event = envelope.from_json(json.dumps(shown["structured"], ensure_ascii=False).encode())
    assert isinstance(event, envelope.Envelope)
    assert {name: value.decode() for name, value in envelope.headers(event)} == shown["record"]["headers"]
    assert json.loads(event.data) == json.loads(shown["record"]["value"])
    assert partition.lane_of(shown["record"]["key"].encode(), schemas.LANES) == shown["record"]["partition"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_keeps_its_schema(path: Path) -> None:
    content = json.loads(recorded(path).value)
    validator = jsonschema_rs.validator_for(schema(path.stem), validate_formats=True)
    validator.validate(content)
    assert not validator.is_valid({**content, "patient_name": "x"})
    for name in schema(path.stem)["required"]:
        assert not validator.is_valid({key: value for key, value in content.items() if key != name})


@pytest.mark.parametrize(
    "changes",
    [
        {"cash": "798.470"},
        {"cash": "-0.00"},
        {"cash": 798.47},
        {"provider": "X15250200017"},
        {"funds": {"999999": "1.00"}},
        {"funds": {"390100": "1"}},
        {"service_date": "2026-02-29"},
        {"benefit_year": 1999},
        {"advanced": ["999999"]},
        {"settlement_ref": "9F2C6A0DE3B14785A1C05E7739D84BF2"},
    ],
)
def test_the_schema_refuses_what_the_codec_refuses(changes: dict[str, Any]) -> None:
    validator = jsonschema_rs.validator_for(schema("settlement.recorded.v1"), validate_formats=True)
    assert not validator.is_valid({**KINDS["settlement.recorded.v1"].example, **changes})


@pytest.mark.parametrize("type", sorted(KINDS))
def test_every_schema_is_a_schema(type: str) -> None:
    assert jsonschema_rs.meta.is_valid(schema(type))


# Changes


def _forget_a_field(new: Any) -> None:
    del new["properties"]["other"]
    new["required"].remove("other")


def _ask_for_one_more(new: Any) -> None:
    new["properties"]["ward"] = {"type": "string"}
    new["required"].append("ward")


BREAKING: dict[str, Callable[[Any], None]] = {
    "a field is forgotten": _forget_a_field,
    "a field more is required": _ask_for_one_more,
    "a field is of another kind": lambda new: new["properties"]["benefit_year"].update(type="string"),
    "a code is no longer known": lambda new: new["properties"]["insutype"]["enum"].remove("390"),
    "a fund is no longer known": lambda new: new["properties"]["funds"]["propertyNames"]["enum"].remove("390100"),
    "a code is written otherwise": lambda new: new["properties"]["provider"].update(pattern="^H[0-9]{11}$"),
    "an amount in a map is written otherwise": lambda new: new["properties"]["funds"]["additionalProperties"].update(
        pattern="^[0-9]+$"
    ),
    "a year is out of range": lambda new: new["properties"]["benefit_year"].update(maximum=2030),
}


def _allow_one_more(new: Any) -> None:
    new["properties"]["ward"] = {"type": "string"}


READABLE: dict[str, Callable[[Any], None]] = {
    "nothing": lambda new: None,
    "an optional field more": _allow_one_more,
    "a fund more": lambda new: new["properties"]["funds"]["propertyNames"]["enum"].append("999999"),
    "a field may be left out": lambda new: new["required"].remove("other"),
    "another description": lambda new: new.update(description="x"),
}


@pytest.mark.parametrize("change", sorted(BREAKING))
def test_a_change_that_refuses_old_events_is_found(change: str) -> None:
    old = schema("settlement.recorded.v1")
    new = copy.deepcopy(old)
    BREAKING[change](new)
    assert compatible.refused(old, new) is not None


@pytest.mark.parametrize("change", sorted(READABLE))
def test_a_change_that_still_reads_old_events_is_not(change: str) -> None:
    old = schema("settlement.recorded.v1")
    new = copy.deepcopy(old)
    READABLE[change](new)
    assert compatible.refused(old, new) is None


def test_a_schema_is_not_overwritten_by_one_that_breaks_readers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schemas.main(["--folder", str(tmp_path)]) == 0
    path = tmp_path / "day.opened.v1.schema.json"
    narrower = json.loads(path.read_text("utf-8"))
    del narrower["properties"]["calendar_version"]  # as if it had been written before that field was required
    narrower["required"].remove("calendar_version")
    path.write_text(json.dumps(narrower), "utf-8")

    assert schemas.main(["--folder", str(tmp_path)]) == 1
    assert "day.opened.v1.schema.json: $.calendar_version is asked for" in capsys.readouterr().err
    assert json.loads(path.read_text("utf-8")) == narrower


def test_drift_is_found_in_every_direction(tmp_path: Path) -> None:
    (tmp_path / "same.json").write_text("1", "utf-8")
    (tmp_path / "other.json").write_text("1", "utf-8")
    (tmp_path / "stray.json").write_text("1", "utf-8")
    wanted = {"same.json": "1", "other.json": "2", "missing.json": "1"}
    assert schemas.drift(tmp_path, wanted) == ["missing.json", "other.json", "stray.json"]


# AsyncAPI


def test_the_asyncapi_document_names_every_topic_and_type() -> None:
    document = json.loads((schemas.SCHEMAS / "asyncapi.json").read_text("utf-8"))
    assert document["asyncapi"] == "3.0.0"
    assert sorted(document["channels"]) == sorted(FAMILIES)
    assert {channel["address"] for channel in document["channels"].values()} == {f"medfund.{f}" for f in FAMILIES}
    assert sorted(document["components"]["messages"]) == sorted(KINDS)
    placed = [type for channel in document["channels"].values() for type in channel["messages"]]
    assert sorted(placed) == sorted(type for type, kind in KINDS.items() for _ in kind.families)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = json.loads((schemas.SCHEMAS / "asyncapi.json").read_text("utf-8"))
    for reference in _references(document):
        place, _, pointer = reference.partition("#")
        if place:
            assert (schemas.SCHEMAS / place).is_file()
            continue
        node = document
        for step in pointer.strip("/").split("/"):
            node = node[step]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for child in node for reference in _references(child)]
    if not isinstance(node, dict):
        return []
    return [node["$ref"]] if "$ref" in node else [r for child in node.values() for r in _references(child)]
