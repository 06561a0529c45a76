"""The whole product on one machine: broker, database, and every service, in one data folder.

Settings can name a broker or a database of somebody else's; those are then used and left alone. What is chosen once
(ports, passwords, keys) stays in the data folder, so that every start on it is the same stack.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from medfund import closed
from medfund.http import tokens
from medfund.local import CannotRun, health, prepare, trial
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.local.server import MORE, TRIES, Process, Server, StartFailed, Tell, eventually, run, silent, write_file
from medfund.local.services import ROLES, SERVICES, Service, services, variable
from medfund.local.settings import StackSettings
from medfund.local.state import Part, State
from medfund.local.unprivileged import run_as

DATABASE = "medfund"
TOPICS_LIMIT_S = 30.0
MIGRATE_LIMIT_S = 900.0
# The first look; while what is wrong changes, each look waits twice as long as the one before.
HEALTH_LIMIT_S = 60.0


@dataclass(frozen=True)
class Stack:
    """The parts of one data folder. Nothing runs until it is started."""

    data: Path
    workers: int
    settings: StackSettings
    tell: Tell = silent

    @cached_property
    def kafka(self) -> Kafka | None:
        return None if self.settings.kafka_bootstrap else Kafka(self.data / "kafka")

    @cached_property
    def postgres(self) -> Postgres | None:
        return None if self.settings.database_url else Postgres(self.data / "postgres")

    @property
    def servers(self) -> list[Server]:
        """The broker and the database, where they are ours."""
        return [server for server in (self.kafka, self.postgres) if server is not None]

    @property
    def bootstrap(self) -> str:
        return self.settings.kafka_bootstrap or (self.kafka.address if self.kafka else "")

    @property
    def administrator(self) -> str:
        return self.settings.database_url or (self.postgres.dsn(DATABASE) if self.postgres else "")

    @cached_property
    def environment(self) -> dict[str, str]:
        """What the services and the commands need to know."""
        told = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "MEDFUND_LANES": str(self.settings.lanes),
            "MEDFUND_TOPIC_PREFIX": self.settings.topic_prefix,
            "MEDFUND_TOKEN_PUBLIC_KEY": str(tokens.make_keys(self.data).public),
            "MEDFUND_BANK_FOLDER": str(self.data / "bank"),
            "MEDFUND_BANK_ACCOUNTS": str(self._accounts),
        }
        for service, roles in ROLES.items():
            for role in roles:
                secret = self._passwords[service][role]
                told[variable(service, role)] = prepare.dsn(
                    self.administrator, user=f"{service}_{role}", password=secret
                )
        return told

    @property
    def _accounts(self) -> Path:
        """The register of account numbers; it begins empty."""
        register = self.data / "accounts.json"
        if not register.exists():
            write_file(register, json.dumps({"own": [], "payees": {}}))
        return register

    @cached_property
    def _passwords(self) -> dict[str, dict[str, str]]:
        kept = self.data / "passwords.json"
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        for service, roles in ROLES.items():
            made = {role: secrets.token_urlsafe(24) for role in roles}
            known[service] = {**made, **known.get(service, {})}
        write_file(kept, json.dumps(known))
        return known

    @cached_property
    def services(self) -> list[Service]:
        return services(
            self.data / "services", self.environment, workers=self.workers, scheduler=self.settings.scheduler
        )

    @property
    def api(self) -> Service:
        return next(service for service in self.services if service.name == "ledger-api")

    @property
    def parts(self) -> list[Server]:
        return [*self.servers, *self.services]

    def state(self, *, ready: bool) -> State:
        return State(
            supervisor=Process.own(),
            ready=ready,
            data=str(self.data),
            api=f"http://{self.api.address}",
            bootstrap=self.bootstrap,
            parts=[Part(part.name, part.address, str(part.folder)) for part in self.parts],
            workers=self.workers,
            external_broker=self.kafka is None,
            external_database=self.postgres is None,
            administrator=self.administrator,
            environment=self.environment,
        )

    def instruct(self) -> None:
        """How long each part may take, and whom it tells."""
        for part in self.parts:
            part.tell, part.patience = self.tell, self.settings.patience

    def start(self) -> None:
        """Start everything and return when all of it is ready. Raises `StartFailed`."""
        try:
            self._start()
        except CannotRun as error:
            raise StartFailed(f"{error}{self._elsewhere}") from error

    @property
    def _elsewhere(self) -> str:
        """Which variables, perhaps of another day's work in this shell, send us to other servers than our own."""
        named = {"KAFKA_BOOTSTRAP": self.kafka is None, "DATABASE_URL": self.postgres is None}
        return "".join(f"; {name} is set: unset it for a server of our own" for name, given in named.items() if given)

    def _start(self) -> None:
        if any(part.running for part in self.parts):
            self.stop()  # left over from a supervisor that was killed; drained while its broker still runs
        self._close()
        self._take_no_others()
        together([self._start_broker, self._start_database])
        together([service.start for service in self.services])
        self._await_health()

    def _take_no_others(self) -> None:
        """A database of somebody else's may be one that other processes work on: they are asked for, before anything of
        theirs is changed."""
        if self.postgres is None and not self.settings.take_over:
            owners = {service: self._passwords[service]["owner"] for service in SERVICES}
            asyncio.run(prepare.not_another(self.administrator, owners))
            asyncio.run(prepare.nobody_works(self.administrator, SERVICES))

    def _close(self) -> None:
        """Nobody else looks into the data; where root starts it, the database's own user has to pass through to its."""
        passing = closed.PASSED_THROUGH if run_as() else closed.ALONE
        try:
            for folder in (self.data, self.data / "postgres"):
                closed.close(folder, passing)
            for name in ("kafka", "services", "bank"):
                closed.close(self.data / name)
        except closed.Open as error:
            raise StartFailed(str(error)) from error

    def _await_health(self) -> None:
        """Nothing may be wrong but a backlog. What a lane or the log stands at ends nothing, and is told."""
        started, limit_s = self.state(ready=False), HEALTH_LIMIT_S * self.settings.patience
        for left in reversed(range(TRIES)):
            before = health.faults(started)
            if eventually(lambda: health.faults(started) <= health.BEHIND, limit_s):
                return
            found = health.faults(started)
            wrong = f"the services are not well ({', '.join(sorted(found))})"
            if found <= health.STANDING:
                self.tell(f"{wrong}; everything runs, and docs/operators.md says of each what to do")
                return
            if not left or found == before:
                logs = self.data / "services"
                raise StartFailed(f"{wrong}; the last limit was {limit_s:.0f} s; {MORE}; their logs: {logs}")
            limit_s *= 2
            self.tell(f"{wrong}; they are given {limit_s:.0f} s more")

    def _start_broker(self) -> None:
        if self.kafka:
            self.kafka.start()
        limit_s = TOPICS_LIMIT_S * self.settings.patience
        for left in reversed(range(TRIES)):
            try:
                self._make_topics(limit_s)
            except prepare.Unusable as error:
                if not left or self.kafka is None or not self.kafka.running:
                    log = f"; its log: {self.kafka.log}" if self.kafka else ""
                    raise StartFailed(f"{error}; the last limit was {limit_s:.0f} s; {MORE}{log}") from error
                limit_s *= 2
                self.tell(f"{error}; its log: {self.kafka.log}; it is given {limit_s:.0f} s more")
            else:
                return

    def _make_topics(self, limit_s: float) -> None:
        lanes, prefix = self.settings.lanes, self.settings.topic_prefix
        bootstrap, identity = self.bootstrap, self.settings.identity
        asyncio.run(
            prepare.topics(bootstrap, prefix=prefix, lanes=lanes, limit_s=limit_s, strict=False, identity=identity)
        )
        # On somebody else's broker two people register every source.
        registry = trial.registry() if self.kafka else ()
        asyncio.run(prepare.opened(bootstrap, prefix=prefix, lanes=lanes, registry=registry, identity=identity))

    def _start_database(self) -> None:
        if self.postgres:
            self.postgres.start()
            asyncio.run(prepare.database(self.postgres.dsn(), DATABASE))
        for service in SERVICES:
            asyncio.run(prepare.roles(self.administrator, service, self._passwords[service]))
        together([partial(self._migrate, service) for service in SERVICES])

    def _migrate(self, service: str) -> None:
        self.tell(f"the tables of {service} are migrated")
        done = run(
            [sys.executable, "-m", service, "migrate"],
            what=f"migrating the tables of {service}",
            limit_s=MIGRATE_LIMIT_S * self.settings.patience,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise StartFailed(f"the tables of {service} could not be migrated: {why}")

    def stop(self) -> None:
        """Drain the services, then stop the broker and the database: nothing is cut off that could finish."""
        together([service.stop for service in self.services])
        together([server.stop for server in self.servers])


def of(state: State) -> Stack:
    """The stack that a state describes."""
    settings = StackSettings.model_construct(
        kafka_bootstrap=state.bootstrap if state.external_broker else "",
        database_url=state.administrator if state.external_database else "",
        lanes=int(state.environment["MEDFUND_LANES"]),
        topic_prefix=state.environment["MEDFUND_TOPIC_PREFIX"],
    )
    return Stack(Path(state.data), state.workers, settings)


def together(jobs: Iterable[Callable[[], None]]) -> None:
    """Run all at the same time, wait for all, and raise the first error."""
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(job) for job in jobs]
    for job in running:
        job.result()
