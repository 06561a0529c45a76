"""The connection breaks around a COMMIT, so its outcome is not known: the position row decides (rows 5, 9)."""

from typing import get_args

import pytest

from tests.integration.proxy import Cut, Cutter, through
from tests.integration.workers import Books, hospitals, registrations, settlements


@pytest.mark.parametrize("cut", get_args(Cut))
async def test_a_commit_of_unknown_outcome_counts_once_and_is_never_sent_blindly_again(books: Books, cut: Cut) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 40)])
    # The first of all, one that follows another of its lane, and two in a row.
    cutter = Cutter(books.database.dsn("worker"), cut=cut, commits=frozenset({1, 4, 7, 8}))
    async with through(cutter):
        with books.working(LEDGER_WORKER_DSN=cutter.here) as worker:
            await books.hold()
            assert cutter.cuts == 4
            await worker.says("lane interrupted", times=4)
            assert worker.alive, "it went on by itself"
    assert await books.value("select sum(duplicate) from positions") == 0, "something was applied a second time"
