"""`medfund publish` on a real broker: nothing is sent unchecked, nothing is lost by a kill, nothing is changed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord

from medfund.city import defects, model, profiles, publication
from medfund.events import codec
from medfund.events.codec import Accepted
from medfund.events.kinds import KINDS
from medfund.lanes import partition
from medfund.local.kafka import Kafka
from tests import events
from tests.conftest import LANES
from tests.integration import log_of, served

RUN_LIMIT_S = 60
SETTLED = "settlement.recorded.v1"
COPIES = LANES - 1
"""The city's one policy goes into every lane."""


class Publisher:
    """`medfund publish` as a process, against the topics of one test."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.environment = {"KAFKA_BOOTSTRAP": bootstrap, "MEDFUND_TOPIC_PREFIX": prefix}
        self.bootstrap = bootstrap
        self.prefix = prefix

    async def run(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "medfund.cli", "publish", *arguments, "--json"]
        return await asyncio.to_thread(
            subprocess.run,
            command,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=RUN_LIMIT_S,
            env={**os.environ, **self.environment, **(environment or {})},
        )

    async def succeeds(self, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
        done = await self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        summary: dict[str, Any] = msgspec.json.decode(done.stdout)
        return summary

    async def log(self, family: str = "claims") -> list[ConsumerRecord]:
        return await log_of.records(self.bootstrap, f"{self.prefix}.{family}", lanes=LANES)

    async def events(self) -> list[Accepted]:
        outcomes = [
            codec.decode(record, family=family, lanes=LANES)
            for family in ("agency", "claims")
            for record in await self.log(family)
        ]
        refused = [outcome for outcome in outcomes if not isinstance(outcome, Accepted)]
        assert not refused, refused[0]
        return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]


@pytest.fixture
def publisher(kafka: Kafka, topic_prefix: str) -> Publisher:
    return Publisher(kafka.address, topic_prefix)


def city_lines(scale: str = "0.002", extras: publication.Extras | None = None) -> list[bytes]:
    return list(publication.Publication(model.City(profiles.XILINGOL.scaled(scale), 7), extras).lines())


def written(path: Path, lines: Sequence[bytes]) -> str:
    path.write_bytes(b"".join(lines))
    return str(path)


def identities(events: Sequence[Accepted]) -> Counter[tuple[bytes, bytes]]:
    return Counter((event.identity, event.digest) for event in events)


async def test_dry_run_sends_nothing_and_needs_no_broker(publisher: Publisher, tmp_path: Path) -> None:
    file = written(tmp_path / "city.jsonl", city_lines())
    done = await publisher.run(file, "--dry-run", environment={"KAFKA_BOOTSTRAP": ""})
    assert done.returncode == 0
    assert msgspec.json.decode(done.stdout)["outcome"] == "checked"
    assert await publisher.log() == []


async def test_one_bad_line_keeps_all_from_being_sent_and_is_named(publisher: Publisher, tmp_path: Path) -> None:
    lines = city_lines()
    lines.insert(700, lines[700].replace(b'"cash":"', b'"cash":"1', 1))
    done = await publisher.run(written(tmp_path / "city.jsonl", lines))
    assert done.returncode == 1
    summary = msgspec.json.decode(done.stdout)
    assert (summary["outcome"], summary["reasons"]) == ("refused", {"identity_mismatch": 1})
    assert summary["faults"][0]["line"] == 701
    assert b"line 701: identity_mismatch: $.total" in done.stderr
    assert await publisher.log("agency") == await publisher.log() == []


async def test_bad_lines_can_be_left_out(publisher: Publisher, tmp_path: Path) -> None:
    file = written(tmp_path / "city.jsonl", [b"not json\n", *city_lines(extras=publication.Extras(bad=8))])
    summary = await publisher.succeeds(file, "--skip-bad")
    assert (summary["bad"], summary["skipped"]) == (9, 9)
    assert identities(await publisher.events()).total() == len(city_lines()) + COPIES


async def test_bad_events_can_be_sent_for_the_ledger_to_refuse(publisher: Publisher, tmp_path: Path) -> None:
    file = written(tmp_path / "city.jsonl", city_lines(extras=publication.Extras(bad=8)))
    await publisher.succeeds(file, "--send-bad")
    outcomes = [codec.decode(record, family="claims", lanes=LANES) for record in await publisher.log()]
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, codec.Refused))
    assert reasons == {defect.reason: 1 for defect in defects.DEFECTS}


async def test_what_holds_no_event_cannot_be_sent_and_is_no_success(publisher: Publisher) -> None:
    done = await publisher.run("-", "--send-bad", stdin=b"garbage\n" + city_lines()[0])
    assert done.returncode == 1
    summary = msgspec.json.decode(done.stdout)
    assert (summary["outcome"], summary["sent"]) == ("incomplete", {"agency": 1 + COPIES})


async def test_data_arrives_as_the_bytes_that_were_written(publisher: Publisher) -> None:
    line = next(line for line in city_lines() if b"settlement.recorded" in line)
    data = line.partition(b'"data":')[2].rstrip()[:-1].replace(b'":"', b'" :\t"', 3)
    await publisher.succeeds("-", stdin=line.partition(b'"data":')[0] + b'"data": ' + data + b"}\n")
    (record,) = await publisher.log()
    assert record.value == data
    assert record.key == msgspec.json.decode(data)["provider"].encode()


async def test_every_record_is_in_the_lane_of_its_key_and_lanes_keep_the_order_of_the_file(
    publisher: Publisher, tmp_path: Path
) -> None:
    lines = city_lines()
    summary = await publisher.succeeds(written(tmp_path / "city.jsonl", lines))
    records = await publisher.log()
    assert all(partition.lane_of(record.key, LANES) == record.partition for record in records)
    place = {msgspec.json.decode(line)["id"].encode(): number for number, line in enumerate(lines)}
    numbers = [(record.partition, place[dict(record.headers)["ce_id"]]) for record in records]
    assert numbers == sorted(numbers)
    last = {record.partition: record.offset for record in records}
    assert summary["positions"]["claims"] == {str(lane): offset for lane, offset in last.items()}
    assert {f"claims:{lane}:{offset}" for lane, offset in last.items()} <= set(summary["wait_for"])


async def test_second_publication_appends_the_same_identities_with_the_same_digests(
    publisher: Publisher, tmp_path: Path
) -> None:
    file = written(tmp_path / "city.jsonl", city_lines())
    await publisher.succeeds(file)
    once = identities(await publisher.events())
    await publisher.succeeds(file)
    twice = identities(await publisher.events())
    assert sorted(once.values()) == [*[1] * (len(once) - 1), 1 + COPIES]
    assert twice == Counter({identity: 2 * times for identity, times in once.items()})


async def test_killed_publisher_is_taken_up_again_and_nothing_is_missing(publisher: Publisher, tmp_path: Path) -> None:
    lines = city_lines("0.07")
    file = written(tmp_path / "city.jsonl", lines)
    # of four pieces the first is noted, the second only acknowledged, the third on its way
    killed = await publisher.run(file, environment={"CRASH_AT": "publish.acknowledged:2"})
    assert killed.returncode == -signal.SIGKILL
    assert 0 < identities(await publisher.events()).total() < len(lines)
    summary = await publisher.succeeds(file)
    assert 0 < summary["resumed_after_line"] < len(lines)
    found = identities(await publisher.events())
    assert len(found) == len(lines)
    # what was sent and not yet noted was sent once more, and nothing else
    assert found.total() - len(lines) <= len(lines) - summary["resumed_after_line"]
    assert len({identity for identity, _ in found}) == len(lines)
    assert os.listdir(tmp_path) == ["city.jsonl"]


@pytest.mark.parametrize("change", ["content", "topics"])
async def test_progress_counts_only_for_the_same_file_on_the_same_log(
    publisher: Publisher, tmp_path: Path, change: str, kafka: Kafka
) -> None:
    lines = city_lines("0.03")
    file = written(tmp_path / "city.jsonl", lines)
    await publisher.run(file, environment={"CRASH_AT": "publish.acknowledged:2"})
    assert (tmp_path / "city.jsonl.publishing").exists()
    if change == "content":
        written(Path(file), lines[1:])
    else:
        publisher.environment["MEDFUND_TOPIC_PREFIX"] = "another"
        done = await publisher.run(file, "--patience", "5")
        assert b"has no topic another.claims" in done.stdout
        publisher.environment["MEDFUND_TOPIC_PREFIX"] = publisher.prefix
        state = tmp_path / "city.jsonl.publishing"
        state.write_bytes(state.read_bytes().replace(b'"cluster":"', b'"cluster":"another'))
    summary = await publisher.succeeds(file)
    assert summary["resumed_after_line"] == 0


async def test_absent_broker_ends_in_time_with_what_to_do(tmp_path: Path) -> None:
    publisher = Publisher("127.0.0.1:1", "medfund")
    done = await publisher.run(written(tmp_path / "city.jsonl", city_lines()), "--patience", "2")
    assert done.returncode == 1
    summary = msgspec.json.decode(done.stdout)
    assert summary["outcome"] == "interrupted"
    assert "no broker answers at 127.0.0.1:1" in summary["error"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda line: b"\xef\xbb\xbf" + line, "line 1: byte_order_mark: it begins with a byte order mark"),
        (lambda line: b"[" + line.strip() + b"]\n", "line 1: malformed_json: a JSON array where one event is expected"),
        (lambda line: json.dumps(json.loads(line), indent=2).encode(), "line 1: malformed_json: a piece of JSON that"),
        (lambda line: json.dumps(json.loads(line)["data"]).encode(), "line 1: missing_attribute: no envelope:"),
    ],
    ids=["byte order mark", "array", "over several lines", "no envelope"],
)
async def test_what_is_wrong_with_the_file_is_told_before_what_is_wrong_with_the_broker(
    tmp_path: Path, spoil: Callable[[bytes], bytes], told: str
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(spoil(served.document(events.settlement("H15250200017", id="1", funds={"390100": 100}))))
    nobody = Publisher("127.0.0.1:1", "none")
    for options in (["--patience", "1"], ["--bootstrap", "", "--data", str(tmp_path / "nothing")]):
        done = await nobody.run(str(file), *options)
        assert done.returncode == 1
        assert told in done.stderr.decode()


async def test_broker_that_stops_answering_ends_the_run_in_time_and_the_next_run_goes_on(
    publisher: Publisher, kafka: Kafka, tmp_path: Path
) -> None:
    lines = city_lines("0.07")
    file = written(tmp_path / "city.jsonl", lines)
    running = asyncio.create_task(publisher.run(file, "--patience", "2"))
    while not os.path.exists(f"{file}.publishing") and not running.done():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.005)
    broker = kafka.process
    assert broker is not None
    broker.signal(signal.SIGSTOP)
    try:
        done = await running
    finally:
        broker.signal(signal.SIGCONT)
    assert done.returncode == 1
    summary = msgspec.json.decode(done.stdout)
    assert (summary["outcome"], summary["error"]) == ("interrupted", "the broker did not answer for 2 s")
    assert 0 < summary["acknowledged_lines"] < len(lines)
    again = await publisher.succeeds(file)
    assert again["resumed_after_line"] == summary["acknowledged_lines"]
    assert len(identities(await publisher.events())) == len(lines)


async def test_what_a_source_may_not_say_is_told_before_it_is_sent(publisher: Publisher, tmp_path: Path) -> None:
    """By the registry that is on the log, and by what the file itself registers on its way."""
    [hospital] = events.providers(1, LANES, 1)
    lines = [
        lined(events.settlement(hospital, id="mine", funds={"310100": 4_321})),
        lined(events.message("staff.mandated.v1", id="self-made", source=events.SOURCE)),
        lined(events.settlement(hospital, id="theirs", funds={"310100": 4_321}), source="/gateway/north"),
    ]
    by_the_table = await publisher.run("-", "--dry-run", stdin=b"".join(lines))
    said = "source '/gateway/152500' can never say this; staff.mandated.v1 is said by command"
    assert faults(by_the_table) == [(2, "not_yours_to_say", said)]
    await publisher.succeeds("-", stdin=lined(events.registry([1], LANES)[0]))
    file = written(tmp_path / "said.jsonl", lines)
    by_the_log = await publisher.run(file)
    assert by_the_log.returncode == 1
    assert faults(by_the_log) == [
        (2, "not_yours_to_say", "source '/gateway/152500' speaks as hospital; staff.mandated.v1 is said by command"),
        (3, "not_yours_to_say", f"source '/gateway/north' is not registered; {SETTLED} is said by hospital"),
    ]
    assert await publisher.log() == []
    registered = events.source_registered("/gateway/north", "hospital", id="north", key=b"")
    assert sum((await publisher.succeeds("-", stdin=lined(registered) + lines[2]))["sent"].values()) == LANES + 1
    assert (await publisher.succeeds(file, "--send-bad"))["sent"] == {"claims": 2, "agency": LANES}


def lined(message: events.Message, *, source: str = "") -> bytes:
    """As a line of a file."""
    told = json.loads(served.document(message))
    return json.dumps({**told, "source": source or told["source"]}).encode() + b"\n"


def faults(done: "subprocess.CompletedProcess[bytes]") -> list[tuple[int, str, str]]:
    return [(one["line"], one["reason"], one["detail"]) for one in json.loads(done.stdout)["faults"]]


async def test_line_of_thirty_megabytes_is_named_and_costs_no_memory(publisher: Publisher, tmp_path: Path) -> None:
    lines = [b'{"id":"' + b"x" * (30 << 20) + b'"}\n', *city_lines()]
    done = await publisher.run(written(tmp_path / "city.jsonl", lines), "--skip-bad")
    assert done.returncode == 0
    summary = msgspec.json.decode(done.stdout)
    assert [(fault["line"], fault["reason"]) for fault in summary["faults"]] == [(1, "too_large")]
    assert sum(summary["sent"].values()) == len(city_lines()) + COPIES


async def test_calendar_goes_to_every_lane(publisher: Publisher) -> None:
    calendar = {
        "specversion": "1.0",
        "id": "calendar-2026",
        "source": "/agency/152500",
        "type": "calendar.published.v1",
        "time": "2025-11-05T09:00:00+08:00",
        "data": KINDS["calendar.published.v1"].example,
    }
    await publisher.succeeds("-", stdin=msgspec.json.encode(calendar))
    records = await publisher.log("agency")
    assert [record.partition for record in records] == list(range(LANES))
    assert all(isinstance(codec.decode(record, family="agency", lanes=LANES), Accepted) for record in records)
