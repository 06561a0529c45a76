"""The publishers' page says what is true: its examples are taken from it, run, and end in one booking."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn

from medfund.events.kinds import FAMILIES, KINDS
from medfund.events.refusals import Reason
from medfund.http import server
from medfund.lanes import partition
from medfund.local import kafka as local_kafka
from medfund.local.prerequisites import java
from medfund.publish import drafts, exports
from tests.events import registered, settlement
from tests.integration.served import Api

PAGE = Path(__file__).parents[2] / "docs" / "publishers.md"
PROVIDER = "H15250200017"
SOURCE, ID = "/gateway/152500", "0195602a-8c1a-7000-8000-00000000c0de"
RUN_LIMIT_S = 60
BLOCK = re.compile(
    r"^```(?P<language>\w+) (?P<use>file|run)=(?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A piece of the page that is a file or a command."""

    use: str
    name: str
    text: str


def blocks() -> list[Block]:
    found = BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    return [Block(match["use"], match["name"], match["text"]) for match in found]


class Reader:
    """Somebody who follows the page in an empty folder."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **variables, "PATH": tools}
        for block in blocks():
            if block.use == "file":
                (folder / block.name).write_text(block.text, encoding="utf-8")

    async def shell(self, name: str) -> str:
        (command,) = [block.text for block in blocks() if (block.use, block.name) == ("run", name)]
        return await self.run("bash", "-euo", "pipefail", "-c", command)

    async def run(self, *command: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_LIMIT_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@asynccontextmanager
async def listening(api: Api) -> AsyncIterator[str]:
    """The API on a port of its own; its address."""
    config = uvicorn.Config(
        api.app, host="127.0.0.1", port=0, lifespan="off", log_config=None, http=server.BoundedProtocol
    )
    serving = uvicorn.Server(config)
    running = asyncio.create_task(serving.serve())
    try:
        async with asyncio.timeout(10):
            while not serving.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{serving.servers[0].sockets[0].getsockname()[1]}"
    finally:
        serving.should_exit = True
        await running


@pytest.fixture
async def reader(api: Api, tmp_path: Path) -> AsyncIterator[Reader]:
    async with listening(api) as address:
        variables = {
            "KAFKA_BOOTSTRAP": api.bootstrap,
            "MEDFUND_TOPIC_PREFIX": api.prefix,
            "API": address,
            "TOKEN": api.caller("publisher", sources=[SOURCE]).token,
        }
        yield Reader(tmp_path, variables)


def test_example_is_the_contracts_own() -> None:
    (data,) = [block.text for block in blocks() if block.name == "data.json"]
    assert json.loads(data) == KINDS["settlement.recorded.v1"].example


def test_every_reason_is_on_the_page_in_order_of_precedence() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(reason.value, reason.zh, reason.en) for reason in Reason]


def test_topics_and_keys_on_the_page_are_those_of_the_contract() -> None:
    rows = re.findall(r"^\| `medfund\.(\S+)` \| (.+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {(family, name, key) for family, names, key in rows for name in re.findall(r"`([\w.]+)`", names)}
    keys = {"provider": "provider", "area": "area", "lane": "one copy into each lane that it is for"}
    families = {family for family, _, _ in rows}
    assert families <= set(FAMILIES)
    assert told == {(kind.family, kind.name, keys[kind.key]) for kind in KINDS.values() if kind.family in families}


def test_keys_and_their_partitions_on_the_page_are_those_of_the_java_client() -> None:
    rows = re.findall(
        r"^\| `([HP0-9]+)` \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == 6
    for key, *told in rows:
        assert [partition.lane_of(key.encode(), lanes) for lanes in (6, 12, 24)] == [int(number) for number in told]


def test_the_export_of_the_page_becomes_events_that_the_contract_takes(tmp_path: Path) -> None:
    for block in blocks():
        if block.name.startswith("settlements."):
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    (tmp_path / "settlement.key").write_text("a key of 32 bytes, made for a test")
    with (tmp_path / "settlements.csv").open("rb") as rows:
        [made] = [line for line in exports.lines(rows, exports.read_map(tmp_path / "settlements.toml")) if line.strip()]
    assert drafts.check(made, now_ms=time.time_ns() // 1_000_000) is None
    (data,) = [json.loads(block.text) for block in blocks() if block.name == "data.json"]
    assert json.loads(made)["data"] == data | {"settlement_ref": json.loads(made)["data"]["settlement_ref"]}


def test_a_reversal_of_the_page_is_of_its_own_day_and_of_the_year_of_its_settlement(tmp_path: Path) -> None:
    for block in blocks():
        if block.use == "file":
            (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    (tmp_path / "settlement.key").write_text("a key of 32 bytes, made for a test")
    made = {}
    for name in ("settlements", "reversals"):
        with (tmp_path / f"{name}.csv").open("rb") as rows:
            lines = exports.lines(rows, exports.read_map(tmp_path / f"{name}.toml"))
            [made[name]] = [line for line in lines if line.strip()]
    assert drafts.check(made["reversals"], now_ms=time.time_ns() // 1_000_000) is None
    of, back = [json.loads(made[name])["data"] for name in ("settlements", "reversals")]
    assert back["reverses_ref"] == of["settlement_ref"] != back["settlement_ref"]
    assert (back["service_date"], back["benefit_year"]) == ("2026-01-08", 2025)
    example = KINDS["settlement.reversed.v1"].example
    assert back == {**example, "settlement_ref": back["settlement_ref"], "reverses_ref": back["reverses_ref"]}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
async def test_one_event_sent_in_all_four_ways_is_booked_once(api: Api, reader: Reader) -> None:
    told = re.search(r"agency: 1 events; last offset by lane (\d+:\d+)", await reader.shell("register"))
    assert told is not None
    await api.booked([f"agency:{told[1]}"])
    await reader.shell("make")
    answer = json.loads(await reader.shell("curl"))
    assert (answer["accepted"], answer["refused"]) == (1, 0)
    positions = [answer["events"][0]["position"]]
    answer = json.loads(await reader.run(java(), "Post.java"))
    assert (answer["accepted"], answer["refused"]) == (1, 0)
    positions.append(answer["events"][0]["position"])
    assert "1 events acknowledged" in await reader.shell("publish")
    await reader.shell("key")
    assert "1 events checked" in await reader.shell("csv")
    assert "1 events checked" in await reader.shell("reversal")
    assert "1 events checked" in await reader.shell("claim")
    assert json.loads((reader.folder / "claims.jsonl").read_text())["data"]["settlements"] == 1
    assert await reader.shell("lines") == "1 events written, 0 bad lines left out. Nothing was sent.\npart.aa 202\n"
    [sent] = json.loads((reader.folder / "answer.part.aa").read_text())["events"]
    assert sent["id"] == "152500202503041015300001234567"
    positions.append((await reader.run(java(), "-cp", f"{local_kafka.fetch()}/*", "Publish.java")).strip())
    positions.append((await reader.run(sys.executable, "publish.py")).strip())
    await api.booked(positions)
    told = json.loads(await reader.shell("ask"))
    assert told["outcome"] == "accepted"
    assert told["duplicates"]["count"] == 4
    first, *others = sorted(int(position.split(":")[2]) for position in positions)
    assert told["accepted"]["offset"] == first
    assert len({position.split(":")[1] for position in positions}) == 1
    assert len(others) == 3  # the fifth is that of `medfund publish`


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
async def test_a_reference_leads_to_its_settlement_and_is_made_as_the_page_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path, {})
    await reader.shell("key")
    [found] = (await reader.shell("whose")).splitlines()
    assert json.loads(found)["id"] == "152500202503041015300001234567"


async def test_refused_event_may_be_corrected_under_its_id_and_a_booked_one_may_not(api: Api) -> None:
    provider, id = "H15250200018", "corrected"
    sound = settlement(provider, id=id, funds={"390100": 100})
    await api.booked(await api.append(sound))
    publisher = api.caller("publisher")
    refused = await publisher.answer(f"/v1/events/{SOURCE}/{id}")
    assert (refused["outcome"], refused["refusals"]["places"][0]["reason"]) == ("refused", "unknown_provider")
    await api.booked(await api.append(registered(provider, id="registered-later")))
    await api.booked(await api.append(sound))
    assert (await publisher.answer(f"/v1/events/{SOURCE}/{id}"))["outcome"] == "accepted"
    other = settlement(provider, id=id, funds={"390100": 101})
    await api.booked(await api.append(other))
    told = await publisher.answer(f"/v1/events/{SOURCE}/{id}")
    assert told["outcome"] == "accepted"
    assert told["refusals"]["places"][0]["reason"] == "conflict"
