"""`python -m ledger work | api | migrate | put-aside LANE TOPIC OFFSET`: one process each."""

import sys
from collections.abc import Awaitable, Callable, Mapping

from ledger.service import Ledger
from ledger.settings import ApiSettings, MigrationSettings, WorkerSettings
from medfund import environment
from medfund.lanes import process

MIGRATIONS = process.migrations_of(__file__)


async def migrate() -> int:
    settings = environment.load(MigrationSettings)
    return await process.migrate(settings.database_url, "ledger", MIGRATIONS)


async def work() -> int:
    """Book until a signal ends it."""
    settings = environment.load(WorkerSettings)
    service = Ledger(lanes=settings.lanes, prefix=settings.topic_prefix)
    return await process.work(service, settings, dsn=settings.database_url, name=settings.worker_name)


async def api() -> int:
    from ledger.api import serve  # the web framework is loaded only where it is served

    await serve(environment.load(ApiSettings))
    return 0


async def put_aside(lane: str, topic: str, offset: str) -> int:
    settings = environment.load(WorkerSettings)
    return await process.put_aside(settings.database_url, "ledger", lane, topic, offset)


COMMANDS: Mapping[str, Callable[..., Awaitable[int]]] = {
    "work": work,
    "api": api,
    "migrate": migrate,
    "put-aside": put_aside,
}

if __name__ == "__main__":
    sys.exit(process.main("ledger", COMMANDS))
