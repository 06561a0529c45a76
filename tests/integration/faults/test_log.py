"""What a lane must not take as it comes: batches that unpack to a flood, and a log of which records are gone."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import BrokerResponseError
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions
from structlog.testing import capture_logs

from ledger.service import TOPICS, Ledger
from medfund import environment
from medfund.http import probe
from medfund.lanes import backlog, partition, watching
from medfund.lanes import worker as workers
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.settings import NOBODY
from medfund.lanes.worker import Worker
from medfund.local import prepare, settings
from medfund.local.kafka import Kafka
from medfund.local.services import ROLES, variable
from tests import events
from tests.conftest import LANES, PASSWORDS
from tests.events import Message
from tests.integration import served
from tests.integration.faults.test_broker import administer, truncate
from tests.integration.served import Api
from tests.integration.workers import Books, WorkerProcess, hospitals, registrations, settlements, until
from tests.integration.working_fund import FAMILIES, with_clearing

MiB = 1 << 20
LANE = 1


def of_lane(messages: list[Message], lane: int) -> list[Message]:
    return [message for message in messages if partition.lane_of(message.key or b"", LANES) == lane]


async def flood(books: Books, *, records: int, codec: str, lane: int = LANE) -> None:
    """One batch of records of a megabyte of blanks: some kilobytes on the log."""
    [code] = events.providers(lane, LANES, 1)
    async with books.producing(compression_type=codec, max_batch_size=records * MiB + MiB, linger_ms=400) as producer:
        await books.send(producer, [Message("claims", code.encode(), b" " * MiB, ()) for _ in range(records)])


async def stopped_at(books: Books, reason: str, service: str = "ledger") -> str:
    """Wait until one lane alone stands still, for this reason, and the others have nothing left to book."""
    found: dict[int, str] = {}

    async def stands() -> bool:
        found.update(await books.stopped(service))
        return found.keys() == {LANE}

    await until(stands, f"lane {LANE} of {service} stops")
    assert found[LANE].startswith(f"{reason}: "), found
    return found[LANE]


async def tried_in_vain(books: Books, reason: str, times: int = 3) -> None:
    """A lane that is claimed again and again does not look well meanwhile."""
    epoch = "select epoch from lanes where lane = $1"
    begin = await books.value(epoch, LANE)
    while await books.value(epoch, LANE) < begin + times:
        assert await books.stopped() == {LANE: reason}
        await asyncio.sleep(0.005)


async def put_aside(books: Books, *words: str, service: str = "ledger") -> int:
    environment = {
        **os.environ,
        f"{service.upper()}_WORKER_DSN": books.database.dsn("worker", service),
        "KAFKA_BOOTSTRAP": books.bootstrap,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", service, "put-aside", *words, env=environment)
    return await process.wait()


def memory_bytes(worker: WorkerProcess) -> int:
    """The most that it ever held."""
    found = re.search(
        r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found
    return int(found[1]) * 1024


async def test_a_batch_that_unpacks_to_a_flood_stops_its_lane_by_name_and_is_put_aside_as_it_is(books: Books) -> None:
    """At each of the services that read it, and by each for itself."""
    await with_clearing(books.database)
    books.services["clearing"] = FAMILIES
    providers = hospitals()
    known, settled = registrations(providers), settlements(providers, 6)
    await books.publish([*known, *settled[: 3 * len(providers)]])
    await flood(books, records=67, codec="zstd")
    await books.publish(settled[3 * len(providers) :])
    with books.working() as ledger, books.working("clearing", service="clearing") as clearing:
        reason = await stopped_at(books, "BatchTooLarge")
        assert "a zstd batch of 67 records" in reason
        assert await stopped_at(books, "BatchTooLarge", "clearing") == reason
        at = int(re.findall(r"at (\d+) stands", reason)[0])
        assert at == len(of_lane(settled[: 3 * len(providers)], LANE))
        for service in books.services:
            assert (await books.positions(service))["claims", LANE] == at, "what stands before it is booked"
        await tried_in_vain(books, reason)
        assert await put_aside(books, str(LANE), "claims", str(at + 1)) == 1, "it does not stand there"
        assert await put_aside(books, str(LANE), f"{books.prefix}.claims", str(at)) == 0
        await until(lambda: goes_on(books, at), "the ledger goes on")
        assert await books.stopped("clearing") == {LANE: reason}, "nobody has spoken for clearing"
        assert await put_aside(books, str(LANE), "claims", str(at), service="clearing") == 0
        await books.booked()
        assert memory_bytes(ledger) < 160 * MiB
        assert memory_bytes(clearing) < 160 * MiB
    for service in books.services:
        [row] = await books.rows(f'select topic, "offset", reason, value from {service}.quarantine')  # noqa: S608
        assert (row["topic"], row["offset"], row["reason"]) == ("claims", at, "batch_unreadable")
        assert 60 < len(row["value"]) < 100_000, "the bytes as they were sent"
        assert await books.value(f"select sum(quarantined) from {service}.positions") == 67  # noqa: S608
    assert [content["reason"] for _, content in await books.told()] == ["batch_unreadable"]
    assert await books.identities() == set(books.accepted)
    report = await books.proof()
    assert report.ok, report.problems
    assert report.quarantined == 67


async def goes_on(books: Books, at: int) -> bool:
    return (await books.positions())["claims", LANE] > at


async def test_floods_that_may_be_opened_one_by_one_are_never_held_together(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    for _ in range(5):
        await asyncio.gather(*[flood(books, records=15, codec="zstd", lane=lane) for lane in range(LANES)])
    await books.publish(settlements(providers, 3, name="behind them"))
    unread = {backlog.Place(lane, "claims"): 0 for lane in range(LANES)}
    found = await backlog.look(
        books.bootstrap, prefix=books.prefix, positions=unread, records_max=10_000, wait_s=5, identity=NOBODY
    )
    assert (found.unread, found.complete) == (LANES * (3 + 75 + 3), False)
    assert 0 < sum(len(record.value or b"") for _, record in found.first) < 48 * MiB
    with books.working(BATCH_RECORDS_MAX="5000") as worker:
        await books.booked()
        assert not worker.said("lane stopped")
        assert memory_bytes(worker) < 280 * MiB, "300 MiB were read"
    assert await books.identities() == set(books.accepted)
    report = await books.proof()
    assert (report.ok, report.quarantined) == (True, LANES * 75), report.problems


async def test_floods_come_in_portions_and_hold_no_other_topic_up(books: Books) -> None:
    for _ in range(8):
        await flood(books, records=9, codec="lz4")
    await books.publish(registrations(hospitals()))
    log = KafkaLog(books.bootstrap, prefix=books.prefix, identity=NOBODY)
    lane = await log.open_lane(LANE, ["claims", "agency"])
    lane.seek({"claims": 0, "agency": 0})
    end = await lane.end("agency")
    while lane.position("claims") < 72 or lane.position("agency") < end:
        runs = await lane.read(limit=5000, wait_s=5.0)
        assert 0 < sum(len(record.value or b"") for run in runs for record in run.records) < 17 * MiB
    await lane.close()
    await log.close()


async def test_records_that_compaction_took_stop_their_lane_and_the_proof_names_them(
    books: Books, kafka: Kafka
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    busy, quiet = events.providers(LANE, LANES, 2)
    await books.publish([*registrations([busy, quiet]), *settlements([busy], 1), *settlements([quiet], 1)])
    with books.working():
        await books.booked()
    await books.publish(settlements([busy], 8, name="unread"))
    configure(admin, ConfigResource.Type.BROKER, "1", {"log.cleaner.backoff.ms": "200"})
    compacting = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "100"}
    configure(admin, ConfigResource.Type.TOPIC, f"{books.prefix}.claims", compacting)
    await asyncio.sleep(0.3)
    await books.publish(settlements([busy], 1, name="in another segment"))

    async def compacted() -> bool:
        return len([record for record in await books.records("claims") if record.partition == LANE]) < 9

    await until(compacted, "the cleaner takes records")
    with books.working():
        reason = await stopped_at(books, "LogGap")
    assert f"{books.prefix}.claims" in reason
    assert (await books.positions())["claims", LANE] == 2, "no position moves over the gap"
    problems = (await books.proof()).problems
    assert any(f"log lane={LANE} topic=claims" in problem for problem in problems), problems


def configure(admin: AdminClient, kind: ConfigResource.Type, name: str, settings: dict[str, str]) -> None:
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()]
    [done] = admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=entries)]).values()
    done.result(timeout=10)


async def health(api: Api, *faults: str, lag: int | None = None) -> dict[str, Any]:
    """Wait until health names these faults among others, and so much lag where that is said."""
    found: dict[str, Any] = {}

    async def named() -> bool:
        found.update((await api.client.get("/healthz")).json())
        return set(faults) <= set(found["faults"]) and lag in (None, found["lag"]["events"])

    await until(named, f"/healthz says {faults}" + ("" if lag is None else f" and a lag of {lag} events"))
    return found


async def test_a_transaction_that_is_left_open_is_a_fault_with_its_lane_and_age_and_what_is_behind_it_is_lag(
    books: Books, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "HELD_UP_S", 1.0)
    providers = events.providers(LANE, LANES, 1)
    behind = settlements(providers, 7)
    async with (
        books.producing(transactional_id=f"left open {books.prefix}") as producer,
        served.serving(books.database, kafka.address, books.prefix, books.folder) as api,
    ):
        await books.publish(registrations(providers))
        await producer.begin_transaction()
        await books.send(producer, settlements(providers, 1, name="never"))
        await books.publish(behind)
        with books.working():
            # Lag is what is on the log, read or not: once all else is booked, what is held up and what stands behind.
            answer = await health(api, "log_held_up", lag=1 + len(behind))
            [fault] = answer["log_faults"]
            assert (fault["fault"], fault["topic"], fault["lane"]) == ("log_held_up", f"{books.prefix}.claims", LANE)
            assert 1.0 <= fault["age_s"] <= answer["lag"]["oldest_s"] < 60
            [same] = await watching.look(
                kafka.address, prefix=books.prefix, families=TOPICS, lanes=LANES, identity=NOBODY
            )
            assert (same.code, same.lane) == ("log_held_up", LANE)
            await producer.abort_transaction()
            await books.hold()
        assert (
            await watching.look(kafka.address, prefix=books.prefix, families=TOPICS, lanes=LANES, identity=NOBODY) == []
        )


async def test_nothing_is_refused_for_what_stands_behind_an_open_transaction(books: Books) -> None:
    """A rebuild, for which it is no longer open, would accept what was refused. Of a worker that books two lanes at a
    time two are held up, and the others go on."""
    held_up, others = (1, 2), (0, 3)
    held, behind = zip(*[events.providers(lane, LANES, 2) for lane in held_up], strict=True)
    await books.publish(registrations([]))
    first = [events.registered(code, id=f"reg-{code}") for code in held]
    async with books.producing(transactional_id=f"left open {books.prefix}") as producer:
        await producer.begin_transaction()
        await books.send(producer, first)
        await books.publish([events.registered(code, id=f"reg-{code}") for code in behind])
        await books.publish(settlements(behind, 5))
        elsewhere = [code for lane in others for code in events.providers(lane, LANES, 1)]
        await books.publish([*registrations(elsewhere), *settlements(elsewhere, 5)])
        with books.working(BATCH_RECORDS_MAX="2000") as worker:
            await until(lambda: has_booked(books, others, 5), "the other lanes have booked", limit_s=20)
            await asyncio.sleep(2)
            assert await books.value("select count(*) from quarantine") == 0
            assert await has_booked(books, held_up, 0), "they wait for what may allow them"
            await producer.commit_transaction()
            books.expect(first)
            await books.hold()
            assert not worker.said("lane interrupted")


async def has_booked(books: Books, lanes: Sequence[int], count: int) -> bool:
    positions = await books.positions()
    return all(positions.get(("claims", lane)) == count for lane in lanes)


async def test_what_a_topic_is_set_to_that_would_lose_something_is_told_by_workers_health_and_prepare(
    books: Books, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "WATCHED_S", 0.5)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    unclean = "unclean.leader.election.enable"
    wrong = {
        "agency": ("log_expires", "retention.bytes=1073741824", {"retention.bytes": str(1 << 30)}),
        "claims": ("log_compacts", "cleanup.policy=compact,delete", {"cleanup.policy": "compact,delete"}),
        "reviews": ("log_elects_unclean", f"{unclean}=true", {unclean: "true"}),
        "time": ("log_timestamps", "message.timestamp.type=CreateTime", {"message.timestamp.type": "CreateTime"}),
    }
    codes = sorted([*(code for code, _, _ in wrong.values()), "partitions_changed"])
    async with served.serving(books.database, kafka.address, books.prefix, books.folder) as api:
        with books.working():
            await books.booked()
            assert (await health(api))["faults"] == []
        for family, (_, _, settings) in wrong.items():
            configure(admin, ConfigResource.Type.TOPIC, f"{books.prefix}.{family}", settings)
        [added] = admin.create_partitions([NewPartitions(f"{books.prefix}.bank", LANES + 2)]).values()
        added.result(timeout=10)
        answer = await health(api, *codes)
    told = {fault["topic"].rpartition(".")[2]: (fault["fault"], fault["detail"]) for fault in answer["log_faults"]}
    assert told == {
        "bank": ("partitions_changed", f"it has {LANES + 2} partitions instead of {LANES}"),
        **{family: (code, detail) for family, (code, detail, _) in wrong.items()},
    }
    for family, (code, _, _) in wrong.items():
        with pytest.raises(prepare.NotAsAsked, match=code):
            await prepare.topics(kafka.address, prefix=books.prefix, lanes=LANES, families=[family], identity=NOBODY)
    with books.working() as worker:
        await worker.says("log fault", times=len(codes))
        assert sorted(line["fault"] for line in worker.said("log fault")) == codes


async def test_a_worker_tells_of_an_open_transaction_within_a_minute_and_looks_at_the_log_again_each_minute(
    books: Books, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "HELD_UP_S", 1.0)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    async with books.producing(transactional_id=f"left open {books.prefix}") as producer:
        await producer.begin_transaction()
        await books.send(producer, settlements(events.providers(LANE, LANES, 1), 1, name="never"))
        async with looking(books) as said:
            held = await tells(said, "log_held_up", limit_s=20)
        assert (held["topic"], held["lane"]) == (f"{books.prefix}.claims", LANE)
        assert held["age_s"] < 20, "what had just begun was not left for a minute"
        await producer.abort_transaction()
    monkeypatch.setattr(workers, "WATCH_S", 0.2)
    async with looking(books) as said:
        await asyncio.sleep(1)
        assert not [line for line in said if line["event"] == "log fault"]
        configure(admin, ConfigResource.Type.TOPIC, f"{books.prefix}.bank", {"retention.ms": "86400000"})
        expires = await tells(said, "log_expires", limit_s=20)
    assert (expires["topic"], expires["detail"]) == (f"{books.prefix}.bank", "retention.ms=86400000")


async def test_prepare_tells_of_an_open_transaction_and_goes_on(
    books: Books, kafka: Kafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watching, "HELD_UP_S", 0.5)
    told = {"KAFKA_BOOTSTRAP": kafka.address, "DATABASE_URL": books.database.admin, "MEDFUND_LANES": str(LANES)}
    told |= {"MEDFUND_TOPIC_PREFIX": books.prefix}
    told |= {variable(service, role, "password"): PASSWORDS[role] for service, roles in ROLES.items() for role in roles}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    asked = environment.load(settings.PrepareSettings)
    async with books.producing(transactional_id=f"left open {books.prefix}") as producer:
        await producer.begin_transaction()
        await books.send(producer, settlements(events.providers(LANE, LANES, 1), 1, name="never"))
        await asyncio.sleep(0.5)
        assert await prepare.everything(asked) is False, "the broker knows nobody"
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"log_held_up: {books.prefix}.claims, lane {LANE}: a transaction is open")
        await producer.abort_transaction()
    await prepare.everything(asked)
    assert capsys.readouterr().err == ""


@asynccontextmanager
async def looking(books: Books) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """What a worker in this process says."""
    log, ending = KafkaLog(books.bootstrap, prefix=books.prefix, identity=NOBODY), asyncio.Event()
    service, dsn = Ledger(lanes=LANES, prefix=books.prefix), books.database.dsn("worker")
    worker = Worker(service=service, log=log, lane_dsn=lambda lane: dsn, name="looking", lanes=LANES)
    with capture_logs() as said:
        working = asyncio.create_task(worker.run(ending))
        yield said
        ending.set()
        await working
    await log.close()


async def tells(said: Sequence[Mapping[str, Any]], fault: str, *, limit_s: float) -> Mapping[str, Any]:
    """Wait until a worker in this process tells of a fault."""
    found: list[Mapping[str, Any]] = []

    async def heard() -> bool:
        found[:] = [line for line in said if line["event"] == "log fault" and line["fault"] == fault]
        return bool(found)

    await until(heard, f"it tells of {fault}", limit_s=limit_s)
    return found[0]


async def test_a_topic_that_is_gone_is_told_by_its_name_and_the_broker_is_not_taken_for_away(
    books: Books, kafka: Kafka
) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 2)])
    async with served.serving(books.database, kafka.address, books.prefix, books.folder) as api:
        with books.working():
            await books.booked()
            assert (await health(api))["faults"] == []
            await administer(books, lambda admin: admin.delete_topics([f"{books.prefix}.claims"]))
            answer = await health(api, "topic_missing", "lane_stopped")
        assert (answer["log"], answer["lag"]["events"]) == (True, 0)
        told = [(fault["fault"], fault["topic"], fault["detail"]) for fault in answer["log_faults"]]
        assert told == [("topic_missing", f"{books.prefix}.claims", "the broker does not have it")]
        [same] = await watching.look(kafka.address, prefix=books.prefix, families=TOPICS, lanes=LANES, identity=NOBODY)
        assert (same.code, same.topic) == ("topic_missing", f"{books.prefix}.claims")
        [fewer] = await watching.look(
            kafka.address, prefix=books.prefix, families=["time"], lanes=LANES + 1, identity=NOBODY
        )
        assert (fewer.code, fewer.detail) == ("topic_missing", f"it has {LANES} partitions instead of {LANES + 1}")


async def test_a_log_that_lost_its_beginning_is_not_taken_for_a_whole_one(books: Books, kafka: Kafka) -> None:
    providers = events.providers(LANE, LANES, 1)
    await books.publish([*registrations(providers), *settlements(providers, 3)])
    await truncate(books, "claims", LANE, before=2)
    with books.working():
        assert "begins at 2 and not at 0" in await stopped_at(books, "LogTruncated")


async def test_a_record_that_unpacks_to_more_than_we_read_is_refused_to_its_publisher(books: Books) -> None:
    [code] = events.providers(LANE, LANES, 1)
    async with books.producing(compression_type="zstd", max_batch_size=24 * MiB) as producer:
        with pytest.raises(BrokerResponseError):
            await books.send(producer, [Message("claims", code.encode(), b" " * (17 * MiB), ())])
    assert await books.records("claims") == []
