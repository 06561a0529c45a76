"""A fund or an account that does not exist is refused with words, wherever it can be asked for: it is not 0.00."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import clearing.app
import clearing.settings
import direct_pay.app
import direct_pay.settings
import ledger.api.app
import ledger.settings
from medfund.http import tokens

APPS: dict[str, tuple[Any, Any]] = {
    "ledger": (ledger.api.app.create, ledger.settings.ApiSettings),
    "clearing": (clearing.app.create, clearing.settings.ApiSettings),
    "direct_pay": (direct_pay.app.create, direct_pay.settings.ApiSettings),
}


def app_of(service: str, keys: tokens.Keys) -> FastAPI:
    create, settings = APPS[service]
    told = {
        "kafka_bootstrap": "127.0.0.1:1", "MEDFUND_LANES": 4, "MEDFUND_TOPIC_PREFIX": "medfund",
        "MEDFUND_TOKEN_PUBLIC_KEY": keys.public, f"{service.upper()}_API_DSN": "postgresql://nobody@127.0.0.1:1/none",
    }  # fmt: skip
    app: FastAPI = create(settings.model_validate(told))
    return app


async def refusals(service: str, keys: tokens.Keys, name: str, **asked: str) -> dict[str, list[dict[str, str]]]:
    """Route -> what is wrong, of every GET that has a parameter of that name."""
    app = app_of(service, keys)
    token = tokens.issue(
        tokens.load_key(keys.private),
        role="auditor",
        areas=("*",),
        organisations=("*",),
        sources=(),
        subject="a",
        ttl_s=60,
    )
    paths = [
        path
        for path, methods in app.openapi()["paths"].items()
        if any(parameter["name"] == name for parameter in methods.get("get", {}).get("parameters", ()))
    ]
    found = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        for path in paths:
            answer = await client.get(path, params=asked, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 422, (path, answer.text)
            found[path] = answer.json()["errors"]
    return found


@pytest.mark.parametrize(("service", "least"), [("ledger", 5), ("clearing", 8)])
async def test_a_fund_that_does_not_exist_is_refused_with_words(service: str, least: int, tmp_path: Path) -> None:
    found = await refusals(service, tokens.make_keys(tmp_path), "fund", fund="390300")
    assert len(found) >= least
    for path, errors in found.items():
        [error] = [error for error in errors if error["at"] == "query.fund"]
        assert error["message"] == "no fund has this code", path


async def test_an_account_that_does_not_exist_is_refused_with_words(tmp_path: Path) -> None:
    found = await refusals("ledger", tokens.make_keys(tmp_path), "account", account="2199")
    assert len(found) >= 5
    for path, errors in found.items():
        [error] = [error for error in errors if error["at"] == "query.account"]
        assert error["message"] == "the chart of accounts has no such account", path


async def test_an_account_of_the_other_book_is_refused_with_words(tmp_path: Path) -> None:
    asked = {"account": "TEMP_INSTANT", "book": "OPS"}
    for errors in (await refusals("ledger", tokens.make_keys(tmp_path), "book", **asked)).values():
        assert [error["message"] for error in errors if "other book" in error["message"]]
