"""Alarm rules and the board speak of metrics that there are, with their labels, and of sections that there are."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import clearing
import ledger
import medfund

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
    for package in (medfund, ledger, clearing):
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
    program = "import clearing.__main__, clearing.api.app, ledger.__main__, ledger.api.app, prometheus_client as told;"
    program += "print(told.generate_latest().decode())"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "medfund_lanes_owned" in said
    assert metric not in said
    assert f"absent({metric})" in EXPRESSIONS.values()


def test_every_alarm_says_what_it_means_in_both_languages_and_where_to_read_on() -> None:
    page = (ROOT / "docs/operators.md").read_text("utf-8")
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", head.lower()).strip().replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    }
    for rule in RULES:
        assert re.search(r"[\u4e00-\u9fff].* [a-z]", rule["annotations"]["summary"])
        assert rule["annotations"]["page"].removeprefix("operators.md#") in anchors, rule["alert"]
