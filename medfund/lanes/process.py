"""The processes of a service: `python -m <service> <command>`, each until it is done or a signal ends it."""

import asyncio
import inspect
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog
from prometheus_client import start_http_server

from medfund import ending, garbage, lanes, logs
from medfund.events.kinds import FAMILIES
from medfund.lanes import retry as retries
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.service import Service
from medfund.lanes.settings import LaneSettings, LogSettings
from medfund.lanes.store import SQL
from medfund.lanes.worker import Leases, Superseded, Worker
from medfund.postgres import connect
from medfund.postgres import migrate as migrations

log = structlog.get_logger(__name__)

SUPERSEDED = 3


async def work(service: Service, settings: LaneSettings, *, dsn: str, name: str) -> int:
    """Work until SIGTERM or SIGINT; then finish open batches, give the lanes back, and return 0. Another process under
    the same name ends this one: `SUPERSEDED`."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.metrics_host)
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    worker = Worker(
        service=service,
        log=kafka,
        lane_dsn=lambda lane: dsn,
        name=name,
        lanes=settings.lanes,
        limits=Limits(
            batch_records_max=settings.batch_records_max,
            pace_s=settings.pace_ms / 1000,
            batch_s=2 * settings.command_timeout_s,
            lease=timedelta(seconds=settings.lease_s),
        ),
        leases=Leases(lease_s=settings.lease_s, renew_s=settings.renew_s, stopped_lane_s=settings.stopped_lane_s),
        patience=connect.Patience(
            connect_s=settings.connect_timeout_s,
            command_s=settings.command_timeout_s,
            lock_s=settings.idle_in_transaction_s,
            idle_in_transaction_s=settings.idle_in_transaction_s,
        ),
    )
    garbage.collect_seldom()
    try:
        await worker.run(stop)
    except Superseded as error:
        log.error("worker superseded", reason=str(error))
        return SUPERSEDED
    finally:
        await kafka.close()
    return 0


def migrations_of(package: str, *kit: Path) -> tuple[Path, ...]:
    """Where the migrations of a service are: those of the lanes come first, its own last. `package`: a file of it."""
    return Path(lanes.__file__).parent / "sql" / "migrations", *kit, Path(package).parent / "sql" / "migrations"


async def migrate(dsn: str, name: str, folders: tuple[Path, ...]) -> int:
    async with connect.connection(dsn, name=f"{name} migrate") as connection:
        applied = await migrations.migrate(connection, folders)
    log.info("migrated", applied=len(applied))
    return 0


async def parked(dsn: str, name: str) -> int:
    """Write one line for each key of which events wait."""
    async with connect.connection(dsn, name=f"{name} parked") as connection:
        for row in await retries.parked(connection):
            _write(row)
    return 0


async def retry(settings: LogSettings, *, dsn: str, name: str, key: str) -> int:
    """Append copies of all events of a key that wait; 1 where none does."""
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    try:
        async with connect.connection(dsn, name=f"{name} retry") as connection:
            appended = await retries.retry(connection, kafka, key, lanes=settings.lanes)
    finally:
        await kafka.close()
    _write({"key": key, "appended": appended})
    return 0 if appended else 1


async def put_aside(dsn: str, name: str, lane: str, topic: str, offset: str) -> int:
    """Have the batch before which a lane stands still quarantined as it is; 1 where the lane does not stand there."""
    family = topic.rpartition(".")[2]
    if not (lane.isdecimal() and offset.isdecimal()):
        sys.stderr.write("lane and offset are numbers, as the lane's reason names them\n")
        return 2
    if family not in FAMILIES:
        sys.stderr.write(f"{topic} is no topic: {', '.join(FAMILIES)}, with or without their prefix\n")
        return 2
    async with connect.connection(dsn, name=f"{name} put-aside") as connection:
        reason = await connection.fetchval(SQL.put_batch_aside, int(lane), family, int(offset))
    _write({"lane": int(lane), "topic": family, "offset": int(offset), "reason": reason})
    return 1 if reason is None else 0


def _write(row: object) -> None:
    sys.stdout.write(msgspec.json.encode(row).decode() + "\n")


def main(name: str, commands: Mapping[str, Callable[..., Awaitable[int]]]) -> int:
    """Run the command that the arguments name, with what follows it; 2 where they name none."""
    words: Sequence[str] = sys.argv[2:]
    command = commands.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is None or len(words) != len(inspect.signature(command).parameters):
        sys.stderr.write(f"usage: python -m {name} {' | '.join(map(_usage, commands.items()))}\n")
        return 2
    logs.configure()
    return ending.run(lambda: command(*words))  # type: ignore[return-value,arg-type]


def _usage(command: tuple[str, Callable[..., Awaitable[int]]]) -> str:
    name, called = command
    return " ".join([name, *(parameter.upper() for parameter in inspect.signature(called).parameters)])
