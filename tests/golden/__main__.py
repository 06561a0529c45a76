"""`python -m tests.golden [STORY ...]` tells stories and writes what was decided. What is written stays as it is."""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from medfund.local.postgres import Postgres
from tests import golden
from tests.conftest import fresh_database, of_services
from tests.fund import Fund, services
from tests.golden import purchases, stories
from tests.purchasing import Purchasing

MADE: Mapping[str, tuple[type[Any], Mapping[str, Any]]] = {
    "clearing": (Fund, stories.STORIES),
    "direct_pay": (Purchasing, purchases.STORIES),
}
STORIES = {story: service for service, (_, told) in MADE.items() for story in told}


async def tell(postgres: Postgres, stories: Sequence[str]) -> None:
    async with (
        fresh_database(postgres, await of_services(postgres)) as database,
        services(database, names=[*MADE]) as on,
    ):
        for story in stories:
            service = STORIES[story]
            harness, told = MADE[service]
            fund = harness(*on)
            await fund.forget(service)
            await fund.claim(service)
            await told[story](fund)
            await fund.drain()
            with golden.decided(story, service).open("x", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in golden.lines(fund.log, fund.lane))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("stories", nargs="*", metavar="STORY", help=f"all that are not written, or of {[*STORIES]}")
    stories = parser.parse_args().stories or [
        story for story, service in STORIES.items() if not golden.decided(story, service).exists()
    ]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        postgres = Postgres(Path(folder) / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            asyncio.run(tell(postgres, stories))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
