"""`python -m ledger work | api | migrate`: one process each."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

import structlog
import uvloop
from prometheus_client import start_http_server

from ledger.service import Ledger
from ledger.settings import ApiSettings, MigrationSettings, WorkerSettings
from medfund import garbage, lanes, logs
from medfund.lanes.kafka import KafkaLog
from medfund.lanes.lane import Limits
from medfund.lanes.worker import Leases, Superseded, Worker
from medfund.postgres import connect
from medfund.postgres import migrate as migrations

log = structlog.get_logger(__name__)

MIGRATIONS = (
    Path(lanes.__file__).parent / "sql" / "migrations",
    Path(__file__).parent / "sql" / "migrations",
)


async def migrate() -> int:
    settings = MigrationSettings()  # type: ignore[call-arg]  # from the environment
    async with connect.connection(settings.database_url, name="ledger migrate") as connection:
        applied = await migrations.migrate(connection, MIGRATIONS)
    log.info("migrated", applied=len(applied))
    return 0


async def work() -> int:
    """Book until SIGTERM or SIGINT; then finish open batches, give the lanes back, and exit 0."""
    settings = WorkerSettings()  # type: ignore[call-arg]  # from the environment
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr="127.0.0.1")
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix)
    worker = Worker(
        service=Ledger(lanes=settings.lanes, prefix=settings.topic_prefix),
        log=kafka,
        lane_dsn=lambda lane: settings.database_url,
        name=settings.worker_name,
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
        return 3
    finally:
        await kafka.close()
    return 0


async def api() -> int:
    from ledger.api import serve  # the web framework is loaded only where it is served

    await serve(ApiSettings())  # type: ignore[call-arg]  # from the environment
    return 0


COMMANDS = {"work": work, "api": api, "migrate": migrate}


def main() -> int:
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if command is None:
        sys.stderr.write(f"usage: python -m ledger {' | '.join(COMMANDS)}\n")
        return 2
    logs.configure()
    return uvloop.run(command())


if __name__ == "__main__":
    sys.exit(main())
