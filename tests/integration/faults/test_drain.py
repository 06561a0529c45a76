"""SIGTERM: a worker finishes its open batches and leaves, whatever the servers do (row 10)."""

import signal
import time

from tests.integration.workers import Books, hospitals, registrations, settlements, until

ROUNDS = 15
DRAIN_S = 10.0


async def test_a_worker_told_to_end_under_load_ends_in_time_and_its_successors_do_nothing_twice(books: Books) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 300)])
    for _ in range(ROUNDS):
        before = await books.value("select coalesce(sum(batches), 0)::bigint from lanes")

        async def books_more(before: int = before) -> bool:
            return bool(await books.value("select coalesce(sum(batches), 0)::bigint from lanes") > before)

        with books.working(BATCH_RECORDS_MAX="5") as worker:
            await until(books_more, "the worker books")
            began = time.monotonic()
            worker.signal(signal.SIGTERM)
            assert await worker.exit_code() == 0
            assert time.monotonic() - began < DRAIN_S
            assert worker.said("worker stopped")
        assert set((await books.owners()).values()) == {None}, "its lanes are free at once"
    assert await books.identities() < set(books.accepted), "there was no load any more"
    with books.working(BATCH_RECORDS_MAX="500"):
        await books.hold()
    assert await books.value("select sum(duplicate) from positions") == 0
