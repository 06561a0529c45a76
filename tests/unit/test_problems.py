"""Problems: one shape for whatever goes wrong, with nothing in it that the caller sent."""

import httpx
import pytest
from fastapi import FastAPI

from medfund.http import problems
from medfund.http.problems import KINDS, RETRY_AFTER_S, Problem
from medfund.http.traffic import Traffic


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(openapi_url=None)
    made.add_middleware(Traffic)
    problems.install(made)

    @made.get("/problem/{code}")
    async def problem(code: str) -> None:
        raise Problem(code, "why", extra=1)

    @made.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    @made.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret of the house")

    return made


async def get(app: FastAPI, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        return await client.get(path)


@pytest.mark.parametrize("code", KINDS)
async def test_every_code_is_answered_in_the_same_shape(app: FastAPI, code: str) -> None:
    response = await get(app, f"/problem/{code}")
    kind = KINDS[code]
    assert response.status_code == kind.status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": f"/docs#{code}",
        "title": kind.title,
        "title_zh": kind.zh,
        "status": kind.status,
        "code": code,
        "detail": "why",
        "extra": 1,
    }
    assert response.headers.get("retry-after") == (str(RETRY_AFTER_S[code]) if code in RETRY_AFTER_S else None)
    assert ("www-authenticate" in response.headers) == (kind.status == 401)


async def test_a_value_that_is_not_valid_is_not_repeated(app: FastAPI) -> None:
    response = await get(app, "/number/4711x")
    assert (response.status_code, response.json()["code"]) == (422, "parameter_invalid")
    assert response.json()["errors"][0]["at"] == "path.number"
    assert "4711" not in response.text


async def test_a_fault_of_ours_says_nothing_but_that(app: FastAPI, capsys: pytest.CaptureFixture[str]) -> None:
    response = await get(app, "/broken")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "secret" not in response.text
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "secret" not in logged.out + logged.err


async def test_everything_waits_to_be_retried_only_where_that_helps() -> None:
    assert {KINDS[code].status for code in RETRY_AFTER_S} == {503, 504}
