"""Input that a worker must get over: what comes twice, wrong, too early, in floods, or too large (rows 16, 45, 46)."""

import re
import time
from pathlib import Path

from tests import events
from tests.conftest import LANES
from tests.events import Message
from tests.integration.workers import (
    Books,
    WorkerProcess,
    hospitals,
    identity,
    registrations,
    settlements,
)

MiB = 1 << 20


async def reasons(books: Books) -> dict[str, int]:
    rows = await books.rows("select reason, count(*) from quarantine group by reason")
    return {row[0]: row[1] for row in rows}


async def test_an_event_that_comes_again_days_batches_and_workers_later_changes_nothing(books: Books) -> None:
    providers = hospitals()
    first = [*registrations(providers), *settlements(providers, 10)]
    await books.publish(first)
    for round in range(3):
        with books.working():
            await books.publish(first[:: round + 1] * (round + 1))
            await books.hold()
    assert await books.value("select sum(duplicate) from positions") == len(first) + 2 * len(first[::2]) + 3 * len(
        first[::3]
    )


async def test_the_same_id_with_other_bytes_is_refused_as_a_conflict_and_the_first_stands(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 10)])
    others = [
        events.settlement(provider, id=f"s-{provider}-{n}", funds={"390100": 1})
        for n in range(10)
        for provider in providers
    ]
    assert {identity(message) for message in others} <= set(books.accepted)
    await books.publish(others, refused=True)
    with books.working():
        await books.hold()
    assert await reasons(books) == {"conflict": len(others)}
    assert {content["reason"] for _, content in await books.told()} == {"conflict"}


async def test_a_settlement_is_booked_when_its_provider_was_registered_before_wherever_that_is_read(
    books: Books,
) -> None:
    """Its registration stands behind so much else that it comes with a later answer of the broker, in batches that
    hold some of what goes before it."""
    providers = hospitals()
    for code in providers:
        noise = [Message("agency", code.encode(), b"x" * 900_000, ()) for _ in range(6)]
        await books.publish(noise, refused=True)
    await books.publish(registrations(providers))
    await books.publish(settlements(providers, 15))
    with books.working() as worker:
        await books.hold()
        assert not worker.said("lane interrupted")
        assert not worker.said("lane stopped")
    assert set(await reasons(books)) <= {"missing_attribute"}


async def test_a_provider_that_nobody_registered_is_refused_and_a_retry_after_registration_is_accepted(
    books: Books,
) -> None:
    providers = hospitals()
    early = settlements(providers, 3)
    await books.publish(registrations([]))
    await books.publish(early, refused=True)
    with books.working():
        await books.booked()
        assert await reasons(books) == {"unknown_provider": len(early)}
        await books.publish(registrations(providers))
        await books.publish(early)
        await books.hold()
    assert await reasons(books) == {"unknown_provider": len(early)}


async def test_an_event_in_a_lane_that_its_key_does_not_belong_to_is_refused_and_stays_publishable(
    books: Books,
) -> None:
    [provider] = events.providers(0, LANES, 1)
    settled = settlements([provider], 5)
    await books.publish(registrations([provider]))
    await books.publish(settled, refused=True, lane=3)
    await books.publish(settled)
    with books.working():
        await books.hold()
    assert await reasons(books) == {"wrong_lane": 5}


async def test_a_flood_of_poison_stops_no_lane_and_every_refusal_is_told_and_kept_whole(books: Books) -> None:
    providers = hospitals()
    settled = settlements(providers, 10)
    await books.publish(registrations(providers))
    began = time.monotonic()
    with books.working(BATCH_RECORDS_MAX="200") as worker:
        for part in range(4):
            good = settled[part * LANES * 2 : (part + 1) * LANES * 2]
            poison = [
                Message(event.topic, event.key, bad, event.headers)
                for event in good
                for bad in (b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"total": 1e400}', None)
                for _ in range(5)
            ]
            await books.publish(poison, refused=True)
            await books.publish(good)
        await books.hold()
        assert not worker.said("lane interrupted")
    assert time.monotonic() - began < 60
    kept = await books.rows("select value from quarantine where value = $1", b"[" * 5000)
    assert len(kept) == 4 * 8 * 5


async def test_a_record_of_20_mb_ends_in_quarantine_with_all_its_bytes_and_the_worker_stays_small(
    books: Books,
) -> None:
    providers = hospitals()
    huge = bytes(range(256)) * (20 * MiB // 256)
    await books.publish([*registrations(providers), *settlements(providers, 5)])
    for code in providers:
        await books.publish([Message("claims", code.encode(), huge, ())], refused=True)
    await books.publish(settlements(providers, 5, name="behind it"))
    with books.working() as worker:
        await books.hold()
        assert not worker.said("lane interrupted")
        assert _status_bytes(worker, "VmHWM") < 400 * MiB
    assert await reasons(books) == {"too_large": LANES}
    assert await books.value("select bool_and(value = $1) from quarantine", huge)


async def test_a_worker_books_a_backlog_of_several_times_the_memory_that_it_gets(books: Books) -> None:
    providers = hospitals()
    await books.publish(registrations(providers))
    with books.working() as idle:
        await books.booked()
        enough = _status_bytes(idle, "VmPeak")
    for n in range(40):
        await books.publish(_with_blanks(event) for event in settlements(providers, 1, name=f"wide-{n}"))
    worker = books.start(memory_max=enough + 96 * MiB)
    await books.hold()
    assert worker.alive


def _with_blanks(message: Message) -> Message:
    """As large as an event may be."""
    return Message(message.topic, message.key, (message.value or b"") + b" " * 1_000_000, message.headers)


def _status_bytes(worker: WorkerProcess, name: str) -> int:
    """`VmPeak` and `VmHWM` are the most that it ever asked for, and ever held."""
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024
