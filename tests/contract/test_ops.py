"""Alarm rules and the board speak of metrics that there are, with their labels, and of sections that there are."""

import importlib
import json
import os
import pkgutil
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import clearing
import direct_pay
import ledger
import medfund
from medfund.lanes.worker import CAUSES
from medfund.local.server import eventually
from medfund.local.services import answer

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((ROOT / "ops/alarms.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((ROOT / "ops/board.json").read_text("utf-8"))
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{f"{panel['title']} {one['refId']}": one["expr"] for panel in BOARD["panels"] for one in panel["targets"]},
}
OF_PROMETHEUS = {"le", "instance", "job"}
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture(scope="module")
def metrics() -> dict[str, MetricWrapperBase]:
    """Every series that some process tells, with the metric that it is of."""
    for package in (medfund, ledger, clearing, direct_pay):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    own = [one for one in REGISTRY._collector_to_names if isinstance(one, MetricWrapperBase)]
    return {f"{one._name}{ending}": one for one in own for ending in ENDINGS[one._type] if "medfund" in one._name}


def series(expression: str) -> set[str]:
    return set(re.findall(r"\bmedfund_[a-z_]+", expression))


def labels(expression: str) -> set[str]:
    grouped = [name.strip() for names in re.findall(r"by \(([^)]*)\)", expression) for name in names.split(",")]
    return {*grouped, *re.findall(r"(\w+)(?:!?=~?)\"", expression)}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_names_metrics_and_labels_that_there_are(
    name: str, metrics: dict[str, MetricWrapperBase]
) -> None:
    named = series(EXPRESSIONS[name])
    assert named
    assert named <= metrics.keys()
    known = {label for one in named for label in metrics[one]._labelnames}
    assert labels(EXPRESSIONS[name]) <= known | OF_PROMETHEUS


def test_every_metric_is_on_the_board(metrics: dict[str, MetricWrapperBase]) -> None:
    shown = {metrics[one]._name for expression in EXPRESSIONS.values() for one in series(expression)}
    assert {one._name for one in metrics.values()} <= shown


def test_every_rule_is_one_that_prometheus_takes() -> None:
    """As far as it can be told without it: names once, what is known, durations, parentheses and quotes that close."""
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in {"page", "ticket"}
        bare = re.sub(r'"[^"]*"', "", rule["expr"])
        assert '"' not in bare
        assert all(bare.count(opens) == bare.count(closes) for opens, closes in ("()", "{}", "[]"))


@pytest.mark.parametrize("metric", ["medfund_bank_waiting", "medfund_day_opened_timestamp_seconds"])
def test_what_is_missed_when_its_process_is_gone_no_other_process_tells(metric: str) -> None:
    program = "import clearing.__main__, clearing.app, direct_pay.__main__, direct_pay.app, ledger.__main__;"
    program += "import ledger.api.app, prometheus_client as told;"
    program += "print(told.generate_latest().decode())"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "medfund_lanes_owned" in said
    assert metric not in said
    assert f"absent({metric})" in EXPRESSIONS.values()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[str, str], str]]:
    """What a process that has just been started tells, before it has reached anything."""
    started: list[subprocess.Popen[bytes]] = []

    def ask(service: str, command: str) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        role = "bank" if command == "bank" else "worker"
        told = {
            f"{service}_{role}_dsn".upper(): "postgresql://127.0.0.1:1/none",
            "KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "METRICS_PORT": str(port),
            "MEDFUND_BANK_FOLDER": str(tmp_path / "bank"),
            "MEDFUND_BANK_ACCOUNTS": str(tmp_path / "accounts.json"),
        }
        arguments = [sys.executable, "-m", service, command]
        started.append(subprocess.Popen(arguments, env={**os.environ, **told}, stderr=subprocess.DEVNULL))
        assert eventually(lambda: (answer(port, "/metrics") or (0, b""))[0] == 200, 60)
        said = answer(port, "/metrics")
        assert said is not None
        return said[1].decode()

    yield ask
    for one in started:
        one.kill()
        one.wait(10)


ALARMED = re.compile(r"increase\((medfund_\w+)(?:\{[^}]*\})?\[")


def test_what_alarms_count_begins_at_zero(fresh: Callable[[str, str], str]) -> None:
    """`increase` of a series that is born at 1 is 0."""
    for package, topic in (("ledger", "claims"), ("clearing", "claims"), ("direct_pay", "purchases")):
        said, service = fresh(package, "work"), package.replace("_", "-")
        assert f'medfund_records_total{{outcome="quarantined",service="{service}",topic="{topic}"}} 0.0' in said
        for cause in CAUSES:
            assert f'medfund_lane_stops_total{{cause="{cause}",service="{service}"}} 0.0' in said
    page = (ROOT / "docs/operators.md").read_text("utf-8")
    kinds = re.findall(r"^\| `(\w+)` \|", page.partition("| kind |")[2].partition("\n\n")[0], re.MULTILINE)
    said = fresh("clearing", "bank")
    assert len(kinds) == 5
    for kind in kinds:
        assert f'medfund_bank_unclear_total{{kind="{kind}"}} 0.0' in said
    counted = {found[1] for rule in RULES for found in ALARMED.finditer(rule["expr"])}
    assert counted == {"medfund_lane_stops_total", "medfund_records_total", "medfund_bank_unclear_total"}


def test_the_example_for_prometheus_asks_every_process_of_the_composition() -> None:
    told = yaml.safe_load((ROOT / "ops/prometheus.yml").read_text("utf-8"))
    assert [(ROOT / "ops" / name).exists() for name in told["rule_files"]] == [True]
    open_, locked = told["scrape_configs"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    wanted: dict[str, set[str]] = {"METRICS_PORT": set(), "API_PORT": set()}
    for name, service in services.items():
        for variable, value in service["environment"].items():
            if ending := next((one for one in wanted if variable.endswith(one)), None):
                wanted[ending].add(f"{name}:{value}")
    assert [set(job["static_configs"][0]["targets"]) for job in (open_, locked)] == list(wanted.values())
    assert locked["authorization"].keys() == {"credentials_file"}
    assert "authorization" not in open_


def test_every_alarm_says_what_it_means_in_both_languages_and_where_to_read_on() -> None:
    page = (ROOT / "docs/operators.md").read_text("utf-8")
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).strip().replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    }
    for rule in RULES:
        assert re.search(r"[\u4e00-\u9fff].* [a-z]", rule["annotations"]["summary"])
        assert rule["annotations"]["page"].removeprefix("operators.md#") in anchors, rule["alert"]
