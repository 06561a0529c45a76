"""The connection breaks around a COMMIT, so its outcome is not known: the position row decides (rows 5, 9)."""

from typing import get_args
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.integration.proxy import Cut, cutting
from tests.integration.workers import Books, hospitals, registrations, settlements


@pytest.mark.parametrize("cut", get_args(Cut))
async def test_a_commit_of_unknown_outcome_counts_once_and_is_never_sent_blindly_again(books: Books, cut: Cut) -> None:
    providers = hospitals()
    await books.publish([*registrations(providers), *settlements(providers, 40)])
    server = urlsplit(books.database.dsn("worker"))
    assert server.hostname
    assert server.port
    # The first of all, one that follows another of its lane, and two in a row.
    async with cutting((server.hostname, server.port), cut, {1, 4, 7, 8}) as proxy:
        login, _, _ = server.netloc.rpartition("@")
        dsn = urlunsplit(server._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))
        with books.working(LEDGER_WORKER_DSN=dsn) as worker:
            await books.hold()
            assert proxy.cuts == 4
            await worker.says("lane interrupted", times=4)
            assert worker.alive, "it went on by itself"
    assert await books.value("select sum(duplicate) from positions") == 0, "something was applied a second time"
