"""The order log: what a lane took, batch for batch, is read as it was written, by whichever version it was written."""

import random
from itertools import groupby
from pathlib import Path

import asyncpg
import pytest

from medfund import lanes
from medfund.lanes import order
from medfund.lanes.log import Run
from medfund.lanes.order import Cut, Span
from medfund.local import prepare
from medfund.postgres import connect, migrate
from tests.conftest import PASSWORDS, Database

MIGRATIONS = Path(lanes.__file__).parent / "sql" / "migrations"
TOPICS = ("agency", "time", "claims", "bank")


def taken(seed: int, count: int) -> list[list[Cut]]:
    """Batches of a lane: mostly of one topic and small, some of several and some large."""
    chance, ends, found = random.Random(seed), dict.fromkeys(TOPICS, 0), []
    ends["claims"] = 1 << 40
    for _ in range(count):
        batch = []
        for topic in [name for name in TOPICS if chance.random() < 0.1] or ["claims"]:
            length = chance.choice([1, 1, 2, 31, 32, 5_000, 100_000_000])
            batch.append(Cut(topic, ends[topic], ends[topic] + length))
            ends[topic] += length
        found.append(batch)
    return found


def spans_of(batches: list[list[Cut]], first: int) -> list[Span]:
    spans = [Span(first)]
    for number, cuts in enumerate(batches, first):
        spans.append(order.after(spans[-1], number, [Run(*cut, ()) for cut in cuts]))
    return [list(same)[-1] for _, same in groupby(spans[1:], key=lambda span: span.first_batch)]


@pytest.mark.parametrize("seed", range(20))
def test_batches_are_read_as_they_were_taken(seed: int) -> None:
    batches = taken(seed, 700)
    spans = spans_of(batches, 8_431)
    read = [order.batches(span.topics, span.first_offsets, span.cuts) for span in spans]
    assert [batch for of_span in read for batch in of_span] == batches
    begins = [8_431 + sum(map(len, read[:place])) for place in range(len(read))]
    assert [span.first_batch for span in spans] == begins
    assert all(order.FULL <= len(span.cuts) < order.FULL + 40 for span in spans[:-1])


def test_a_quiet_lanes_batches_take_a_byte_each() -> None:
    quiet = [[Cut("claims", place, place + 1)] for place in range(10_000)]
    spans = spans_of(quiet, 1)
    assert sum(len(span.cuts) for span in spans) == len(quiet)
    assert len(spans) <= len(quiet) / 100


@pytest.mark.parametrize("cuts", [b"\x80", b"\x05", b"\x06\x02", b"\x06", b"\x04\x07"], ids=lambda cuts: cuts.hex())
def test_what_no_lane_wrote_is_not_read(cuts: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        order.batches(["claims", "bank"], [7, 0], cuts)


async def test_batches_of_a_row_each_are_carried_over(database: Database, tmp_path: Path) -> None:
    await prepare.roles(database.admin, "halves", PASSWORDS)
    *before, packing = [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.name <= "007_packed_batches.sql"]
    folder = tmp_path / "lanes" / "sql" / "migrations"
    folder.mkdir(parents=True)
    for path in before:
        (folder / path.name).write_bytes(path.read_bytes())
    kept = {(lane, epoch): taken(lane + epoch, 1_100) for lane, epoch in ((3, 1), (3, 4), (7, 4))}
    async with connect.connection(database.dsn("owner", "halves"), name="tests") as owner:
        await migrate.migrate(owner, [folder])
        rows = [
            (lane, epoch * 10_000 + number, epoch, *map(list, zip(*batch, strict=True)))
            for (lane, epoch), batches in kept.items()
            for number, batch in enumerate(batches)
        ]
        await owner.copy_records_to_table("batches", records=rows)
        (folder / packing.name).write_bytes(packing.read_bytes())
        await migrate.migrate(owner, [folder])
        assert await read(owner) == {
            (lane, epoch, span.first_batch): tuple(span[1:4])
            for (lane, epoch), batches in kept.items()
            for span in spans_of(batches, epoch * 10_000)
        }


async def read(connection: asyncpg.Connection) -> dict[tuple[int, int, int], tuple[object, ...]]:
    rows = await connection.fetch("select lane, epoch, first_batch, topics, first_offsets, cuts from batches")
    return {tuple(row)[:3]: (tuple(row[3]), tuple(row[4]), row[5]) for row in rows}  # type: ignore[misc]
