"""`python -m clearing work | api | bank | migrate | parked | retry KEY | put-aside LANE TOPIC OFFSET`: one each."""

import sys
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import start_http_server

from clearing.service import Clearing
from clearing.settings import ApiSettings, BankSettings, MigrationSettings, WorkerSettings
from medfund import environment, garbage
from medfund.lanes import process
from medfund.lanes.decider import Decider
from medfund.lanes.kafka import KafkaLog

MIGRATIONS = process.migrations_of(__file__)


async def migrate() -> int:
    settings = environment.load(MigrationSettings)
    return await process.migrate(settings.database_url, "clearing", MIGRATIONS)


async def work() -> int:
    """Decide until a signal ends it."""
    settings = environment.load(WorkerSettings)
    rules = Clearing(prefix=settings.topic_prefix)
    service = Decider(rules, lanes=settings.lanes, prefix=settings.topic_prefix)
    return await process.work(service, settings, dsn=settings.database_url, name=settings.worker_name)


async def api() -> int:
    from clearing import app  # the web framework is loaded only where it is served

    await app.serve(environment.load(ApiSettings))
    return 0


async def bank() -> int:
    """Exchange files with the bank until a signal ends it."""
    from clearing.bank import process as process_of_bank  # no other process tells its metrics

    settings = environment.load(BankSettings)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.metrics_host)
    kafka = KafkaLog(settings.kafka_bootstrap, prefix=settings.topic_prefix, identity=settings.identity)
    garbage.collect_seldom()
    try:
        return await process_of_bank.work(
            settings.database_url,
            kafka,
            lanes=settings.lanes,
            root=settings.folder,
            shared=settings.shared,
            accounts=settings.accounts,
        )
    finally:
        await kafka.close()


async def parked() -> int:
    """What waits, because an event could not be decided."""
    settings = environment.load(WorkerSettings)
    return await process.parked(settings.database_url, "clearing")


async def retry(key: str) -> int:
    settings = environment.load(WorkerSettings)
    return await process.retry(settings, dsn=settings.database_url, name="clearing", key=key)


async def put_aside(lane: str, topic: str, offset: str) -> int:
    settings = environment.load(WorkerSettings)
    return await process.put_aside(settings.database_url, "clearing", lane, topic, offset)


COMMANDS: Mapping[str, Callable[..., Awaitable[int]]] = {
    "work": work,
    "api": api,
    "bank": bank,
    "migrate": migrate,
    "parked": parked,
    "retry": retry,
    "put-aside": put_aside,
}

if __name__ == "__main__":
    sys.exit(process.main("clearing", COMMANDS))
