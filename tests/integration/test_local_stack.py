"""The whole product on one machine: ready soon, mended whatever is killed, and gone when told to go.

One stack for all tests here, started with the command that people type.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource as BrokerConfig
from aiokafka.admin.config_resource import ConfigResourceType
from confluent_kafka.admin import AdminClient, ConfigResource

from medfund.http import tokens
from medfund.http.tokens import Role
from medfund.local import health, prepare, running, state
from medfund.local.kafka import Kafka
from medfund.local.postgres import Postgres
from medfund.local.server import Process, eventually
from medfund.local.services import SERVICES as SERVICES_OF_LANES
from medfund.local.services import answer
from medfund.postgres import connect
from tests.integration.faults.test_log import configure

# About 10 s on an idle machine of two cores; tests share theirs.
READY_S_MAX = 90.0
SERVICES = [
    "clearing-api", "clearing-bank", "clearing-worker-1", "direct-pay-api", "direct-pay-worker-1", "ledger-api",
    "ledger-worker-1", "scheduler",
]  # fmt: skip
PARTS = sorted(["kafka", "postgres", *SERVICES])
OPERATORS = Path(__file__).parents[2] / "docs" / "operators.md"


def medfund(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medfund.cli", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def up(data: Path, **environment: str) -> dict[str, Any]:
    said = medfund("up", "--detach", "--json", "--data", str(data), **environment)
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def status(data: Path) -> tuple[int, dict[str, Any]]:
    said = medfund("status", "--json", "--data", str(data))
    return said.returncode, json.loads(said.stdout)


def is_well(data: Path) -> bool:
    found = running.running(data)
    return found is not None and not running.faults(found)


def pids(found: state.State) -> dict[str, int]:
    """Those of the parts that run."""
    return {part.name: pid for part in found.parts if (pid := part.pid)}


async def asked(dsn: str, query: str) -> list[str]:
    """The first column."""
    async with connect.connection(dsn, name="tests") as connection:
        return [row[0] for row in await connection.fetch(query)]


def put_aside(service: str, found: state.State, *words: str) -> None:
    environment = {**os.environ, **found.environment}
    subprocess.run([sys.executable, "-m", service, "put-aside", *words], env=environment, check=True, timeout=60)


@pytest.fixture(scope="module")
def stack(session_folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    data = session_folder / "数 据"
    began = time.monotonic()
    said = medfund("up", "--detach", "--json", "--data", str(data), MEDFUND_LANES="4")
    assert time.monotonic() - began < READY_S_MAX
    assert said.returncode == 0, said.stderr
    assert "kafka is ready after" in said.stderr
    told = json.loads(said.stdout)
    yield data, told
    medfund("down", "--data", str(data))


async def test_a_broker_that_is_slow_is_not_taken_for_dead(stack: tuple[Path, dict[str, Any]]) -> None:
    _, told = stack
    admin = AIOKafkaAdminClient(bootstrap_servers=told["bootstrap"])
    await admin.start()
    try:
        (answer_,) = await admin.describe_configs([BrokerConfig(ConfigResourceType.BROKER, "1")])
    finally:
        await admin.close()
    config = {name: value for name, value, *_ in answer_.resources[0][4]}
    assert int(config["broker.session.timeout.ms"]) >= 30_000
    assert 10 * int(config["broker.heartbeat.interval.ms"]) <= int(config["broker.session.timeout.ms"])


def test_what_is_being_started_is_shown(stack: tuple[Path, dict[str, Any]]) -> None:
    """`up` passes on what its supervisor writes; the log keeps it."""
    data, _ = stack
    steps = [line for line in (data / "stack.log").read_text(encoding="utf-8").splitlines() if line.startswith("-> ")]
    for part in PARTS:
        [log] = data.glob(f"*/{part}.log")
        assert f"-> {part} is starting; its log: {log}" in steps
        assert any(step.startswith(f"-> {part} is ready after ") for step in steps)
    for service in SERVICES_OF_LANES:
        assert f"-> the tables of {service} are migrated" in steps


def test_up_tells_where_everything_is_and_gives_a_token_per_role(stack: tuple[Path, dict[str, Any]]) -> None:
    data, told = stack
    assert told["data"] == str(data)
    assert sorted(told["services"]) == PARTS
    assert told["bootstrap"] == told["services"]["kafka"]["address"]
    public = tokens.load_key(data / "token-public.pem")
    assert {role: tokens.verify(public, text).role for role, text in told["tokens"].items()} == {
        role.value: role for role in Role
    }
    assert answer(int(told["api"].rpartition(":")[2]), "/openapi.json")


def test_up_again_says_that_it_runs_and_tells_the_same(stack: tuple[Path, dict[str, Any]]) -> None:
    data, told = stack
    said = medfund("up", "--detach", "--json", "--data", str(data))
    assert said.returncode == 0
    assert "running" in said.stderr
    again = json.loads(said.stdout)
    assert {**again, "tokens": None} == {**told, "tokens": None}


def test_a_token_can_be_narrowed_down(stack: tuple[Path, dict[str, Any]]) -> None:
    data, _ = stack
    asked = ["--role", "finance", "--area", "152500", "--area", "152501", "--subject", "Wu", "--data", str(data)]
    text = json.loads(medfund("token", *asked, "--json").stdout)["token"]
    principal = tokens.verify(tokens.load_key(data / "token-public.pem"), text)
    assert (principal.role, principal.areas, principal.subject) == (Role.finance, ("152500", "152501"), "Wu")
    assert medfund("token", "--role", "king", "--data", str(data)).returncode == 2


def test_no_process_knows_more_than_it_needs(stack: tuple[Path, dict[str, Any]]) -> None:
    data, told = stack
    found = state.read(data)
    assert found
    knows = {
        name: Path(f"/proc/{told['services'][name]['pid']}/environ").read_text(encoding="utf-8") for name in SERVICES
    }
    dsns = {name: dsn for name, dsn in found.environment.items() if name.endswith("_DSN")}
    assert len(set(dsns.values())) == 13
    dsns["ADMINISTRATOR"] = found.administrator
    known = {part: {name for name, dsn in dsns.items() if dsn in text} for part, text in knows.items()}
    assert known == {
        "clearing-api": {"CLEARING_API_DSN"},
        "clearing-worker-1": {"CLEARING_WORKER_DSN"},
        "ledger-worker-1": {"LEDGER_WORKER_DSN"},
        "ledger-api": {"LEDGER_API_DSN"},
        "clearing-bank": {"CLEARING_BANK_DSN"},
        "direct-pay-api": {"DIRECT_PAY_API_DSN"},
        "direct-pay-worker-1": {"DIRECT_PAY_WORKER_DSN"},
        "scheduler": set(),
    }


def test_secrets_are_their_owners_alone(stack: tuple[Path, dict[str, Any]]) -> None:
    data, _ = stack
    secret = ["stack.json", "passwords.json", "token-private.pem", "postgres/password"]
    assert {name: oct((data / name).stat().st_mode & 0o777) for name in secret} == dict.fromkeys(secret, "0o600")


def test_nobody_else_can_look_into_the_data(stack: tuple[Path, dict[str, Any]]) -> None:
    data, _ = stack
    passing = 0o711 if os.geteuid() == 0 else 0o700  # the database's own user passes through to its cluster
    modes = {name: (data / name).stat().st_mode & 0o777 for name in (".", "postgres", "kafka", "services", "bank")}
    assert modes == {".": passing, "postgres": passing, "kafka": 0o700, "services": 0o700, "bank": 0o700}
    within = [path for folder in (data, data / "postgres") for path in folder.iterdir() if path.is_file()]
    readable = {path.name for path in within if path.stat().st_mode & 0o044}
    assert readable <= {"token-public.pem", "stack.lock"}


def test_a_folder_without_a_stack_gives_no_token(tmp_path: Path) -> None:
    said = medfund("token", "--role", "operator", "--data", str(tmp_path))
    assert (said.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "there is no stack in" in said.stderr


def test_a_stack_is_not_well_while_lanes_of_a_service_have_no_worker(stack: tuple[Path, dict[str, Any]]) -> None:
    data, told = stack
    found = running.running(data)
    assert found
    assert health.faults(found) == set()
    worker = told["services"]["clearing-worker-1"]["pid"]
    os.kill(worker, signal.SIGSTOP)
    try:
        assert eventually(lambda: health.faults(found) == {"clearing_lane_without_worker"}, 30)
        assert status(data)[0] == 1
    finally:
        os.kill(worker, signal.SIGCONT)
    assert eventually(lambda: is_well(data), 60)


def test_whatever_is_killed_is_started_again_at_the_same_address(stack: tuple[Path, dict[str, Any]]) -> None:
    data, _ = stack
    found = running.running(data)
    assert found
    killed = pids(found)
    assert sorted(killed) == PARTS
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: sorted(pids(found)) == PARTS and not pids(found).items() & killed.items(), 60)
    assert eventually(lambda: is_well(data), 100), "the broker waits for the end of its last session"
    assert running.running(data) == found


async def test_a_lane_that_stands_still_ends_nothing_and_is_put_right_while_everything_runs(
    stack: tuple[Path, dict[str, Any]],
) -> None:
    data, told = stack
    async with AIOKafkaProducer(
        bootstrap_servers=told["bootstrap"], compression_type="gzip", max_batch_size=32 << 20, linger_ms=500
    ) as producer:
        blanks = [await producer.send("medfund.claims", b" " * 900_000, key=b"flood", partition=2) for _ in range(20)]
        offset = (await blanks[0]).offset
    admin = AdminClient({"bootstrap.servers": told["bootstrap"]})
    configure(admin, ConfigResource.Type.TOPIC, "medfund.bank", {"retention.ms": "86400000"})
    assert medfund("down", "--data", str(data)).returncode == 0
    said = medfund("up", "--detach", "--json", "--patience", "5", "--data", str(data), MEDFUND_LANES="4")
    assert said.returncode == 0, said.stderr
    [line] = [line for line in said.stderr.splitlines() if "not well" in line]
    assert "(clearing_lane_stopped, clearing_log_expires, lane_stopped, log_expires); everything runs" in line
    configure(admin, ConfigResource.Type.TOPIC, "medfund.bank", {"retention.ms": "-1"})
    found = running.running(data)
    assert found
    for service in ("ledger", "clearing"):
        put_aside(service, found, "2", "claims", str(offset))
    looked_at_each_minute = {"log_expires", "clearing_log_expires"}
    assert eventually(lambda: health.faults(found) <= looked_at_each_minute, 60)


def test_a_killed_supervisor_leaves_nothing_that_the_next_up_cannot_take_over(
    stack: tuple[Path, dict[str, Any]],
) -> None:
    data, told = stack
    found = running.running(data)
    assert found
    found.supervisor.signal(signal.SIGKILL)
    assert found.supervisor.wait(10)
    code, said = status(data)
    assert (code, said["running"], said["left"].keys()) == (1, False, {part.name for part in found.parts})
    assert {one["pid"] for one in said["left"].values()} == set(pids(found).values())
    told_so = medfund("status", "--data", str(data)).stdout
    assert f"clearing-api (pid {said['left']['clearing-api']['pid']})" in told_so
    assert f"`medfund down --data {data}` ends them" in told_so
    orphans = [Process.of(pid) for pid in pids(found).values()]
    again = up(data, MEDFUND_LANES="4")
    assert not [process for process in orphans if process and process.alive]
    assert (again["api"], again["bootstrap"]) == (told["api"], told["bootstrap"])
    assert status(data)[0] == 0


def test_down_ends_everything_and_says_when_nothing_ran(stack: tuple[Path, dict[str, Any]]) -> None:
    data, _ = stack
    found = running.running(data)
    assert found
    processes = [found.supervisor, *(Process.of(pid) for pid in pids(found).values())]
    began = time.monotonic()
    assert json.loads(medfund("down", "--json", "--data", str(data)).stdout) == {"stopped": True}
    assert time.monotonic() - began < 60
    assert not [process for process in processes if process and process.alive]
    for worker in ("ledger-worker-1", "clearing-worker-1", "direct-pay-worker-1"):
        log = (data / "services" / f"{worker}.log").read_text(encoding="utf-8")
        assert "worker stopped" in log.splitlines()[-1], "it drained"
    again = medfund("down", "--data", str(data))
    assert (again.returncode, again.stdout) == (0, f"No stack was running on {data}.\n")
    assert status(data)[0] == 1


def test_servers_of_somebody_elses_are_used_and_left_alone_and_another_installation_is_not_taken_over_unasked(
    kafka: Kafka, folder: Path
) -> None:
    # A database server of its own: roles belong to a whole server, and this stack gives them other passwords.
    postgres = Postgres(folder / "theirs", settings={"fsync": "off"})
    postgres.start()
    external = {"KAFKA_BOOTSTRAP": kafka.address, "MEDFUND_TOPIC_PREFIX": "external", "MEDFUND_LANES": "4"}
    try:
        told = up(folder, **external, DATABASE_URL=postgres.dsn())
        assert told["bootstrap"] == kafka.address
        assert sorted(told["services"]) == SERVICES
    finally:
        assert medfund("down", "--data", str(folder)).returncode == 0
    assert kafka.running
    assert postgres.running
    # A copy of this data folder, or a process that somebody started by hand, knows the passwords.
    known = state.read(folder)
    assert known is not None
    told = {**os.environ, **known.environment, "WORKER_NAME": "by-hand"}
    worker = subprocess.Popen([sys.executable, "-m", "ledger", "work"], env=told, stderr=subprocess.DEVNULL)
    leases = prepare.SQL.leases.replace("{schema}", "ledger")
    assert eventually(lambda: asyncio.run(asked(postgres.dsn(), leases)) == ["by-hand"], 30)
    said = medfund("up", "--detach", "--data", str(folder), **external, DATABASE_URL=postgres.dsn())
    assert (said.returncode, said.stdout) == (1, "")
    assert "workers that this data folder did not start work on this database: by-hand." in said.stderr
    worker.kill()
    worker.wait(10)
    other, theirs = folder / "other", {**external, "DATABASE_URL": postgres.dsn()}
    kept = json.loads((folder / "passwords.json").read_text("utf-8"))
    owners = {service: passwords["owner"] for service, passwords in kept.items()}
    said = medfund("up", "--detach", "--data", str(other), **theirs)
    assert (said.returncode, said.stdout) == (1, "")
    assert "role ledger_owner of this server has a password that this data folder does not know" in said.stderr
    asyncio.run(prepare.not_another(postgres.dsn(), owners))  # nothing of theirs was changed
    nowhere = {**theirs, "KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    said = medfund("up", "--detach", "--take-over", "--patience", "1", "--data", str(other), **nowhere)
    assert said.stderr.splitlines()[-1].startswith("the broker at 127.0.0.1:1 cannot be used")
    with pytest.raises(prepare.NotAsAsked, match="ledger_owner"):
        asyncio.run(prepare.not_another(postgres.dsn(), owners))
    postgres.stop()


def test_patience_is_what_up_is_told_and_the_message_names_the_part_and_the_limit(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        said = medfund("up", "--detach", "--patience", "4", "--data", str(folder), KAFKA_BOOTSTRAP=address)
    assert said.returncode == 1
    last = said.stderr.splitlines()[-1]
    assert last.startswith(f"the broker at {address} cannot be used: ")
    told, named = last.rsplit("; ", 1)
    assert told.endswith("the last limit was 2 s; `--patience` gives more"), "4 s of 60, of 30 s"
    assert named == "KAFKA_BOOTSTRAP is set: unset it for a server of our own"


def test_a_stack_that_cannot_start_says_why_in_one_line(folder: Path) -> None:
    said = medfund("up", "--detach", "--data", str(folder), PATH=str(folder), JAVA_HOME="")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.splitlines() == ["Java is missing: install Java 17 or newer (a JRE is enough)"]
    said = medfund("up", "--detach", "--data", str(folder), KAFKA_BOOTSTRAP="127.0.0.1:1", MEDFUND_LANES="none")
    assert said.returncode == 2
    assert said.stderr.splitlines()[0].startswith("the environment is not complete: MEDFUND_LANES")
    user = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USER": "administrator", "KAFKA_PASSWORD": "secret"}
    said = medfund("up", "--detach", "--data", str(folder), **user)
    assert said.returncode == 2
    [line] = said.stderr.splitlines()
    assert line.endswith("KAFKA_SECURITY_PROTOCOL is for a broker that KAFKA_BOOTSTRAP names: our own asks nobody")
