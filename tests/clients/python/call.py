"""Each call of a list, by the client that was generated from the document: the answer, and what was read of it."""

import importlib
import inspect
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

api = os.environ["API"]
generated = importlib.import_module("generated")
models = importlib.import_module("generated.models")


def called(call: dict[str, Any]) -> dict[str, Any]:
    client = generated.AuthenticatedClient(base_url=api, token=call["token"], raise_on_unexpected_status=True)
    module = importlib.import_module(f"generated.api.default.{call['operation']}")
    expected = inspect.signature(module.sync_detailed).parameters
    given = {name if name in expected else f"{name}_": value for name, value in call["parameters"].items()}
    given = {name: date.fromisoformat(value) if expected[name].annotation is date else value
             for name, value in given.items()}  # fmt: skip
    if call["body"] is not None:
        given["body"] = body(call["schema"], call["body"])
    answer = module.sync_detailed(client=client, **given)
    read, content = answer.parsed, answer.content.decode()
    if hasattr(read, "to_dict"):
        read, content = read.to_dict(), json.loads(content)
    return {"operation": call["operation"], "status": answer.status_code, "read": read, "answer": content}


def body(schema: str, value: Any) -> Any:
    if isinstance(value, list):
        return [body(schema, one) for one in value]
    return getattr(models, schema).from_dict(value)


for call in json.loads(Path(os.environ["CALLS"]).read_bytes()):
    print(json.dumps(called(call)))
