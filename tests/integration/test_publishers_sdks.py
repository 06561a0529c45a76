"""The official SDKs of CloudEvents publish in each mode that they have, and one event is one event however it came."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import clients
from tests.events import registered, settlement
from tests.integration.served import BOOKED_S, Api, Caller
from tests.integration.test_publishers_page import SOURCE, listening

PROVIDER = "H15250200019"
MODES = {
    "java": ["binary", "structured"],
    "go": ["binary", "structured", "batch"],
    "javascript": ["binary", "binary", "structured", "structured"],
    "python": ["binary", "structured"],
}


@pytest.mark.timeout(clients.MAKE_LIMIT_S + 2 * clients.RUN_LIMIT_S)
@pytest.mark.parametrize("language", MODES)
async def test_an_sdk_of_cloudevents_publishes_in_every_mode_that_it_has(
    api: Api, tmp_path: Path, language: str
) -> None:
    await api.booked(await api.append(registered(PROVIDER, id="registered-for-sdks")))
    publisher, data = api.caller("publisher", sources=[SOURCE]), tmp_path / "data.json"
    value = settlement(PROVIDER, id=language, funds={"390100": 70_023}).value or b""
    data.write_bytes(msgspec.json.format(value, indent=2))
    where = await asyncio.to_thread(clients.folder, language)
    async with listening(api) as address:
        said = await asyncio.to_thread(
            clients.run,
            clients.program(language),
            where,
            API=address,
            TOKEN=publisher.token,
            ID=language,
            DATA=str(data),
        )
    answers = [line.split() for line in said.splitlines()]
    assert [(mode, status) for mode, status, *_ in answers] == [(mode, "202") for mode in MODES[language]]
    told = await booked(publisher, language, deliveries=len(answers))
    assert (told["outcome"], told["accepted"]["effect"], told["refusals"]["count"]) == ("accepted", "applied", 0)


async def booked(publisher: Caller, id: str, *, deliveries: int) -> dict[str, Any]:
    """What became of an event, once so many deliveries of it are booked."""
    async with asyncio.timeout(BOOKED_S):
        while True:
            answer = await publisher.get(f"/v1/events/{SOURCE}/{id}")
            told: dict[str, Any] = answer.json()
            if answer.status_code == 200 and 1 + told["duplicates"]["count"] + told["refusals"]["count"] == deliveries:
                return told
            await asyncio.sleep(0.05)
