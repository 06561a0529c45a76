"""`python -m direct_pay work | api | migrate | parked | retry KEY | put-aside LANE TOPIC OFFSET`: one process each."""

import sys
from collections.abc import Awaitable, Callable, Mapping

from direct_pay.service import DirectPay
from direct_pay.settings import ApiSettings, MigrationSettings, WorkerSettings
from medfund import environment
from medfund.http import database
from medfund.lanes import kept, process
from medfund.lanes.decider import Decider

MIGRATIONS = process.migrations_of(__file__, database.MIGRATIONS, kept.MIGRATIONS)


async def migrate() -> int:
    settings = environment.load(MigrationSettings)
    return await process.migrate(settings.database_url, "direct-pay", MIGRATIONS)


async def work() -> int:
    """Decide until a signal ends it."""
    settings = environment.load(WorkerSettings)
    service = Decider(DirectPay(prefix=settings.topic_prefix), lanes=settings.lanes, prefix=settings.topic_prefix)
    return await process.work(service, settings, dsn=settings.database_url, name=settings.worker_name)


async def api() -> int:
    from direct_pay import app  # the web framework is loaded only where it is served

    await app.serve(environment.load(ApiSettings))
    return 0


async def parked() -> int:
    """What waits, because an event could not be decided."""
    settings = environment.load(WorkerSettings)
    return await process.parked(settings.database_url, "direct-pay")


async def retry(key: str) -> int:
    settings = environment.load(WorkerSettings)
    return await process.retry(settings, dsn=settings.database_url, name="direct-pay", key=key)


async def put_aside(lane: str, topic: str, offset: str) -> int:
    settings = environment.load(WorkerSettings)
    return await process.put_aside(settings.database_url, "direct-pay", lane, topic, offset)


COMMANDS: Mapping[str, Callable[..., Awaitable[int]]] = {
    "work": work,
    "api": api,
    "migrate": migrate,
    "parked": parked,
    "retry": retry,
    "put-aside": put_aside,
}

if __name__ == "__main__":
    sys.exit(process.main("direct_pay", COMMANDS))
