"""`python -m tests.histories NAME` writes what this version makes of the stories of `tests.golden`, and of some more.

A mandate is proposed and agreed to over HTTP; then each lane has an area of its own, one story or two of hospitals, a
fact that is refused, and a statement of its bank.
"""

import argparse
import asyncio
import json
import logging
import lzma
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from medfund import money
from medfund.events.sources import SourcesOpened
from medfund.local import prepare
from medfund.local.postgres import Postgres
from tests import events
from tests.conftest import SERVICES, Database, fresh_database, of_services
from tests.fund import Fund, services
from tests.golden import stories
from tests.golden.stories import EMPLOYEES, STORIES, Story
from tests.histories import HISTORIES, LANES
from tests.integration import claims_served
from tests.integration.test_proposals import agreed, office, proposed
from tests.integration.working_fund import program
from tests.simulation.memory_log import MemoryLog


async def monthly(fund: Fund) -> None:
    """Given each month, and taken back by the claim of that month."""
    ref = f"{fund.provider}/YY-2026/{EMPLOYEES}"
    await stories.begin(fund, on="2026-01-05")
    fund.figures(EMPLOYEES, "71000000.00", "31000000.00")
    fund.assess()
    fund.apply(EMPLOYEES, kind="MONTHLY")
    fund.grant(ref, 61_303, prepayment_kind="MONTHLY", on="2026-01-20")
    fund.day("2026-02-02")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-03")
    await stories.answered(fund, "payment.settled", f"{ref}/P1/{EMPLOYEES}", 61_303, "T-30", "2026-02-03")


TOLD: Sequence[Sequence[Story]] = (
    *([story] for name, story in STORIES.items() if name not in ("providers", "days", "policy")),
    (STORIES["providers"], STORIES["days"]),
    (monthly, STORIES["policy"]),
)


async def lane(fund: Fund, told: Sequence[Story]) -> None:
    """What happens in one lane: one story after the other, each of another hospital."""
    for provider, story in zip(events.providers(fund.lane, LANES, len(told)), told, strict=True):
        fund.provider = provider
        await story(fund)
        await fund.drain()
    fund.put("settlement.recorded.v1", provider=fund.provider, total="0.01")
    cash = (await fund.balances()).get("1002", {})
    fund.put("bank.statement.imported.v1", fund=EMPLOYEES, day="2027-01-31", closing=money.yuan(cash.get(EMPLOYEES, 0)))
    await fund.drain()


async def write(database: Database, folder: Path, keys: Path) -> None:
    log = MemoryLog(clock_ms=time.time_ns() // 1_000_000)
    async with services(database, LANES) as (control, connections):
        funds = []
        for number in range(LANES):
            await log.append(number, [prepare.opening(number, LANES, SourcesOpened())])
            area = events.area(number, LANES)
            funds.append(Fund(control, connections, lane=number, lanes=LANES, area=area, log=log, sent=1_000 * number))
            for message in events.registry([number], LANES):
                funds[-1].put_message(message)
            for name in connections:
                await funds[-1].claim(name)
        async with claims_served.serving(database, log, keys, lanes=LANES) as api:
            says = {"area": funds[0].area, "staff_ref": "dora", "role": "approver", "limit": "7310.07"}
            found = await proposed(office(api, "olga", areas=["*"]), says={**says, "valid_from": "2026-02-01"})
            assert (await agreed(office(api, "paul", areas=["*"]), found)).status_code == 200
        for fund, told in zip(funds, TOLD, strict=True):
            await lane(fund, told)
    with lzma.open(folder / "log.jsonl.xz", "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines(log))
    schemas = [f"--schema={service}" for service in SERVICES]
    dump = await program("pg_dump", *schemas, f"--dbname={database.admin}")
    kept = [line for line in dump.splitlines(keepends=True) if not line.startswith((b"\\restrict", b"\\unrestrict"))]
    (folder / "database.sql.xz").write_bytes(lzma.compress(b"".join(kept)))


def lines(log: MemoryLog) -> list[str]:
    records = sorted((one for kept in log.kept.values() for one in kept), key=lambda record: record.timestamp)
    return [
        json.dumps(
            [
                record.topic.removeprefix(f"{log.prefix}."), record.partition, record.offset, record.timestamp,
                record.key and record.key.decode(), [(name, text.decode()) for name, text in record.headers],
                record.value and record.value.decode(),
            ],
            ensure_ascii=False, separators=(",", ":"),
        )
        for record in records
    ]  # fmt: skip


async def made(postgres: Postgres, folder: Path, keys: Path) -> None:
    async with fresh_database(postgres, await of_services(postgres)) as database:
        await write(database, folder, keys)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("name", help="of the folder, which is not there yet")
    folder = HISTORIES / parser.parse_args().name
    folder.mkdir()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        postgres = Postgres(home / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            asyncio.run(made(postgres, folder, home))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
