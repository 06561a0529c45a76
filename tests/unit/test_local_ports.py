"""Every server of a stack has a port of its own, also before it listens."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from medfund.local import server
from medfund.local.services import services


def test_no_two_servers_of_a_stack_are_given_one_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PORTS", range(20_000, 20_040))
    wanted = [tmp_path / folder / f"{number}.port" for folder in ("kafka", "services") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        ports = list(pool.map(server.remembered_port, wanted))
    assert len(set(ports)) == len(wanted)
    assert [server.remembered_port(path) for path in wanted] == ports, "and keeps it"


@pytest.mark.parametrize("scheduler", [True, False])
def test_a_stack_whose_user_opens_the_days_has_no_scheduler(scheduler: bool, tmp_path: Path) -> None:
    names = [service.name for service in services(tmp_path, {}, workers=2, scheduler=scheduler)]
    assert ("scheduler" in names) == scheduler
    assert "clearing-worker-2" in names
