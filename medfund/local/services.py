"""The services that run on one machine: which processes, what each is told, and when it is ready.

A process is told no more than it needs: the API never knows a password that may write, and nobody knows the owner's.
"""

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medfund.local.server import Server

COMMON = ("KAFKA_BOOTSTRAP", "MEDFUND_LANES", "MEDFUND_TOPIC_PREFIX")
METRICS = "/metrics"
HEALTH = "/healthz"
ROLES: Mapping[str, Sequence[str]] = {
    "ledger": ("owner", "worker", "api", "reader"),
    "clearing": ("owner", "worker", "api", "bank", "reader"),
    "direct_pay": ("owner", "worker", "api", "reader"),
}
"""Of the database, by service: see `medfund.postgres.provision`."""
SERVICES = tuple(ROLES)
"""Each has a schema, roles and migrations of its own, and works lanes: `python -m <service> migrate | work`."""


def process(service: str, does: str) -> str:
    """What a process is called: here, among containers, and among the users of the broker."""
    return f"{service}-{does}".replace("_", "-")


def variable(service: str, role: str, what: str = "dsn") -> str:
    """The setting that tells a service's role its DSN, or its password."""
    return f"{service}_{role}_{what}".upper()


SECRETS = frozenset(
    {"DATABASE_URL"}
    | {variable(service, role, what) for service in SERVICES for role in ROLES[service] for what in ("dsn", "password")}
)


@dataclass(frozen=True)
class Program:
    """A process of a service: `python -m <arguments>`."""

    name: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    port: str
    """The setting that says where it answers on loopback."""
    health: str
    """The path that answers, whatever it says, when the program runs."""


WORKERS = {
    service: Program(
        process(service, "worker"), (service, "work"), (variable(service, "worker"),), "METRICS_PORT", METRICS
    )
    for service in SERVICES
}
SCHEDULER = Program("scheduler", ("medfund.lanes.scheduler",), (), "METRICS_PORT", METRICS)
APIS = tuple(
    Program(
        process(service, "api"),
        (service, "api"),
        (variable(service, "api"), "MEDFUND_TOKEN_PUBLIC_KEY"),
        f"{service.upper()}_API_PORT",
        HEALTH,
    )
    for service in SERVICES
)

BANK = Program(
    "clearing-bank",
    ("clearing", "bank"),
    (variable("clearing", "bank"), "MEDFUND_BANK_FOLDER", "MEDFUND_BANK_ACCOUNTS"),
    "METRICS_PORT",
    METRICS,
)


class Service(Server):
    """One running program. SIGTERM drains it."""

    def __init__(self, program: Program, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(name, folder)
        self._program = program
        self._environment = environment

    def start(self) -> None:
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", *self._program.arguments]
        self._spawn(command, environment=self._told())
        self._wait_until(lambda: answer(self.port, self._program.health) is not None)

    def _told(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in SECRETS}
        wanted = {name: self._environment[name] for name in (*COMMON, *self._program.needs)}
        return {**inherited, **wanted, "WORKER_NAME": self.name, self._program.port: str(self.port)}


def services(folder: Path, environment: Mapping[str, str], *, workers: int, scheduler: bool = True) -> list[Service]:
    """All processes of all services: so many workers of each, then the others."""
    named = [(program, f"{program.name}-{number}") for program in WORKERS.values() for number in range(1, workers + 1)]
    named += [(program, program.name) for program in ((SCHEDULER,) if scheduler else ())]
    named += [(program, program.name) for program in (BANK, *APIS)]
    return [Service(program, name, folder, environment) for program, name in named]


def answer(port: int, path: str) -> tuple[int, bytes] | None:
    """Status and body of a GET on loopback; None where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
