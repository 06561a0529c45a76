"""OpenAPI as others read it: two linters find nothing, and clients that are made from it call every route.

A client is made by a generator that nobody here wrote. Its calls are the document's own examples, and what is answered
reaches it whole.
"""

import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openapi_spec_validator import validate

from medfund.http import openapi
from tests import clients
from tests.integration.claims_served import Clinic
from tests.integration.served import Api
from tests.integration.small_city import City
from tests.integration.test_publishers_page import listening

Json = dict[str, Any]
LIMIT_S = clients.MAKE_LIMIT_S + 3 * clients.RUN_LIMIT_S
PROVIDER = "H15250200017"
LINES = "application/x-ndjson"


class Served(NamedTuple):
    api: Api
    document: Json
    address: str

    def calls(self) -> Iterator[Json]:
        """Each route with the examples that the document shows, once for each form of its body."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                asked = [one for one in operation.get("parameters", ()) if one["required"] or one["name"] == "line"]
                call = {
                    "operation": operation["operationId"], "path": path, "method": method.upper(),
                    "token": self._token(operation["x-roles"]), "body": None, "schema": None, "type": None,
                    "parameters": {one["name"]: one["schema"]["examples"][0] for one in asked},
                    "in": {one["name"]: one["in"] for one in asked},
                }  # fmt: skip
                yield from self._with_bodies(call, operation.get("requestBody", {}).get("content", {}))

    def _with_bodies(self, call: Json, content: Mapping[str, Json]) -> Iterator[Json]:
        for type, one in content.items():
            name = one["schema"].get("$ref", one["schema"].get("items", {}).get("$ref", "")).rpartition("/")[2]
            schema = self.document["components"]["schemas"].get(name, {})
            body = one["example"] if "example" in one else schema["examples"][0]
            yield call | {"type": type, "schema": name, "body": body}
        if not content:
            yield call

    def _token(self, roles: Sequence[str]) -> str:
        role = roles[0] if roles and "auditor" not in roles else "auditor"
        organisations = [PROVIDER] if role == "provider" else ["*"]
        return self.api.caller(role, areas=["152500"], organisations=organisations).token


@pytest.fixture
async def surfaced(surface: tuple[Api, City | Clinic]) -> AsyncIterator[Served]:
    api, _ = surface
    async with listening(api) as address:
        yield Served(api, api.app.openapi(), address)


@pytest.mark.timeout(LIMIT_S)
def test_linters_find_nothing(surface: tuple[Api, City | Clinic], tmp_path: Path) -> None:
    document = surface[0].app.openapi()
    validate(document)
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    assert clients.run((f"{clients.TOOLS}/node", "lint.mjs", str(file)), clients.folder("javascript")) == ""


@pytest.mark.timeout(LIMIT_S)
async def test_a_client_that_is_generated_in_python_calls_every_route(surfaced: Served, tmp_path: Path) -> None:
    calls = [call for call in surfaced.calls() if call["type"] != LINES]
    for call in calls:
        if call["schema"] == "Event":
            call["schema"] = "SettlementRecordedV1"
    found = await asyncio.to_thread(called_in_python, surfaced, calls, tmp_path)
    for one in found:
        assert alike(one["read"], one["answer"]), one["operation"]
    assert_all_called(surfaced, found)


@pytest.mark.timeout(LIMIT_S)
async def test_a_client_that_is_generated_in_typescript_calls_every_route(surfaced: Served, tmp_path: Path) -> None:
    found = await asyncio.to_thread(called_in_typescript, surfaced, list(surfaced.calls()), tmp_path)
    assert_all_called(surfaced, found)


def called_in_python(served: Served, calls: Sequence[Json], tmp_path: Path) -> list[Json]:
    where = clients.folder("python")
    paths = f"{where / 'packages'}:{tmp_path}"
    document, told, asked = (tmp_path / name for name in ("openapi.json", "generator.json", "calls.json"))
    document.write_text(json.dumps(served.document))
    told.write_text(json.dumps({"post_hooks": [], "content_type_overrides": {LINES: "application/octet-stream"}}))
    asked.write_text(json.dumps(calls))
    clients.run(
        (
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning",
            "--path", str(document), "--output-path", str(tmp_path / "generated"), "--config", str(told),
        ),
        tmp_path, PYTHONPATH=paths,
    )  # fmt: skip
    publish = tmp_path / "generated/api/default/publish.py"
    if publish.exists():
        publish.write_text(mended(publish.read_text()))
    said = clients.run(
        (sys.executable, str(where / "call.py")), tmp_path, PYTHONPATH=paths, API=served.address, CALLS=str(asked)
    )
    return [json.loads(line) for line in said.splitlines()]


def mended(module: str) -> str:
    """Where a body has several forms, the generator forgets an import, and asks whether it is one of list[...]."""
    imported = module.replace("import Response, UNSET", "import Response, UNSET, Unset")
    return re.sub(r"isinstance\(body, list\[[^]]*\]\)", "isinstance(body, list)", imported)


def called_in_typescript(served: Served, calls: Sequence[Json], tmp_path: Path) -> list[Json]:
    where = clients.folder("javascript")
    (tmp_path / "node_modules").symlink_to(where / "node_modules")
    for name in ("client.ts", "tsconfig.json", "package.json"):
        shutil.copy(where / name, tmp_path / name)
    (tmp_path / "openapi.json").write_text(json.dumps(served.document))
    (tmp_path / "calls.ts").write_text("\n".join(['import { client, told } from "./client.ts";', *map(written, calls)]))
    node = f"{clients.TOOLS}/node"
    modules = tmp_path / "node_modules"
    clients.run(
        (
            node, str(modules / "openapi-typescript/bin/cli.js"), "openapi.json", "--output", "generated.ts",
            "--default-non-nullable=false",
        ),
        tmp_path,
    )  # fmt: skip
    clients.run((node, str(modules / "typescript/bin/tsc"), "-p", "tsconfig.json"), tmp_path)
    said = clients.run((node, "calls.ts"), tmp_path, API=served.address)
    return [json.loads(line) for line in said.splitlines()]


def written(call: Json) -> str:
    """One call in TypeScript, which the compiler has to find right."""
    params: dict[str, Json] = {}
    for name, value in call["parameters"].items():
        params.setdefault(call["in"][name], {})[name] = value
    headers = {"Authorization": f"Bearer {call['token']}"}
    init = {"params": params} if params else {}
    if call["body"] is not None:
        init |= {"body": call["body"]}
        headers["Content-Type"] = call["type"]
    as_it_is = "bodySerializer: String, " if call["type"] == LINES else ""
    raw = 'parseAs: "text", ' if call["operation"] == "metrics" else ""
    given = json.dumps(init | {"headers": headers}, ensure_ascii=False)[1:]
    name, path = json.dumps(call["operation"]), json.dumps(call["path"])
    return f"told({name}, await client.{call['method']}({path}, {{{as_it_is}{raw}{given}));"


def assert_all_called(served: Served, found: Sequence[Json]) -> None:
    """Each route answers as it says, none finds fault with its own example."""
    told = {one["operationId"]: one["responses"] for one in openapi.operations(served.document)}
    assert {one["operation"] for one in found} == set(told)
    for one in found:
        assert one["read"], one["operation"]
        assert str(one["status"]) in told[one["operation"]], one
        assert one["status"] not in (400, 405, 415), one["read"]
        assert one["operation"] == "metrics" or "errors" not in one["read"], one["read"]
    assert sum(one["status"] in (200, 202) for one in found) >= len(found) // 3


def alike(read: Any, answer: Any) -> bool:
    """Whether what a client read is what was answered, however a moment is spelled."""
    if isinstance(answer, dict):
        return read.keys() == answer.keys() and all(alike(read[name], answer[name]) for name in answer)
    if isinstance(answer, list):
        return len(read) == len(answer) and all(map(alike, read, answer))
    return bool(read == answer) or datetime.fromisoformat(read) == datetime.fromisoformat(answer)
