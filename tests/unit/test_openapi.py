"""OpenAPI is fit for generators: every schema has its own name, every reference leads somewhere, every example fits."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

import medfund
from medfund.events import schemas
from medfund.events.kinds import KINDS
from medfund.http import openapi, problems, tokens
from tests.unit.test_codes_asked import APPS, app_of

Json = dict[str, Any]
ROOTS = (Path(medfund.__file__).parent, *Path(medfund.__file__).parents[1].glob("services/*"))


@pytest.fixture(scope="module", params=APPS)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def document(service: str, tmp_path_factory: pytest.TempPathFactory) -> Json:
    return app_of(service, tokens.make_keys(tmp_path_factory.mktemp("keys"))).openapi()


def nodes(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(one)


def validator(document: Json, schema: Json) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]})


def test_every_schema_has_a_name_of_its_own(document: Json) -> None:
    components = document["components"]["schemas"]
    assert [schema["title"] for schema in components.values()] == list(components)
    assert not [name for name in components if "__" in name or name in ("Answer", "Body")]
    answers = [
        content["schema"]["$ref"]
        for operation in openapi.operations(document)
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for content in answer.get("content", {}).values()
        if content["schema"].get("$ref", "").endswith("Answer")
    ]
    assert len(set(answers) - {None}) >= 8


def test_every_reference_leads_to_a_schema(document: Json) -> None:
    named = {f"{openapi.COMPONENTS}{name}" for name in document["components"]["schemas"]}
    refs = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    mapped = {ref for node in nodes(document) if "mapping" in node for ref in node["mapping"].values()}
    assert refs
    assert refs | mapped <= named
    assert not [node for node in nodes(document) if "$defs" in node]


def test_every_schema_is_one(document: Json) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_example_fits_its_schema(document: Json) -> None:
    seen = 0
    for node in nodes(document["paths"]):
        if "schema" not in node or "in" in node:
            continue
        shown = [node["example"]] if "example" in node else [one["value"] for one in node.get("examples", {}).values()]
        for example in shown:
            validator(document, node["schema"]).validate(example)
            seen += 1
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", ()):
            validator(document, schema).validate(example)
            seen += 1
    assert seen > 50


def test_every_body_is_described_and_lets_no_unknown_key_through(document: Json) -> None:
    bodies = [
        content["schema"]
        for operation in openapi.operations(document)
        for type, content in operation.get("requestBody", {}).get("content", {}).items()
        if type.endswith("json") and "ndjson" not in type and "batch" not in type
    ]
    assert bodies
    for schema in bodies:
        example = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]][
            "oneOf" if "Event" in schema["$ref"] else "examples"
        ]
        assert example
        if "Event" not in schema["$ref"]:
            assert not validator(document, schema).is_valid({**example[0], "unknown": 1})


@pytest.mark.parametrize("service", ["ledger"], indirect=True)
def test_an_event_is_described_by_its_type(document: Json) -> None:
    event = validator(document, {"$ref": f"{openapi.COMPONENTS}Event"})
    told = document["components"]["schemas"]["Event"]["discriminator"]["mapping"]
    assert {"settlement.recorded.v1", "audit.finding.raised.v1"} <= set(told)
    assert "policy.published.v1" not in told
    for type in told:
        event.validate(schemas.example(KINDS[type])["structured"])
    good = schemas.example(KINDS["settlement.recorded.v1"])["structured"]
    assert event.is_valid({**good, "subject": None, "sampled": True, "sequence": 7})
    for bad in (
        {**good, "type": "settlement.recorded.v2"},
        {**good, "specversion": "0.3"},
        {**good, "data": {**good["data"], "name": "x"}},
        {**good, "data": {**good["data"], "total": 8654.21}},
        {**good, "data": {**good["data"], "funds": {"1": "6852.80"}}},
        {name: value for name, value in good.items() if name != "source"},
    ):
        assert not event.is_valid(bad)


def test_every_member_of_a_problem_is_in_its_schema() -> None:
    given = {
        keyword.arg
        for root in ROOTS
        for file in root.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Problem"
        for keyword in call.keywords
    }
    assert {"reason", "errors", "outcome"} <= given
    assert given <= {*problems.SCHEMA["properties"], None}


@pytest.fixture
def client(service: str, tmp_path: Path) -> httpx.AsyncClient:
    app = app_of(service, tokens.make_keys(tmp_path))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


async def test_what_a_path_does_not_offer_is_told_with_what_it_does(document: Json, client: httpx.AsyncClient) -> None:
    async with client:
        for path, methods in document["paths"].items():
            offered = {method.upper() for method in methods}
            answer = await client.request("DELETE", path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            allowed = set(answer.headers["allow"].split(", "))
            assert offered <= allowed, path
            assert ("GET" in allowed) == ("HEAD" in allowed)
            if ":path" not in path and not path.endswith(
                "approvals"
            ):  # which may be the end of a name that is asked for
                assert allowed - {"HEAD"} == offered, path


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/healthz", "/v1/nothing"])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    async with client:
        got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]
