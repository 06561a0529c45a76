"""The pages keep to the code: links and paths lead somewhere, and tables that repeat the code say what it says."""

import json
import re
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import prometheus_client
import pytest
import yaml
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from clearing import app as clearing_app
from clearing import policy
from clearing import settings as clearing_settings
from clearing.bank import process  # noqa: F401 - its metrics are on the page too
from clearing.claims.api import get_claims
from clearing.statement.api import get_claim, statement
from direct_pay import app as direct_pay_app
from direct_pay import settings as direct_pay_settings
from direct_pay.api import declining
from direct_pay.plans.api import told as planned
from direct_pay.statements.api import faults, reading
from ledger import chart, control, posting, statements, verify
from ledger import settings as ledger_settings
from ledger.api import app
from medfund.events import speakers
from medfund.events.claims import ClaimError
from medfund.events.kinds import FAMILIES, KINDS
from medfund.events.statements import DisputeCode, RefusedCode
from medfund.http.probe import Health, Lag
from medfund.http.tokens import Role
from medfund.lanes import scheduler  # noqa: F401 - likewise
from medfund.lanes import settings as lanes_settings
from medfund.lanes.log import FaultCode
from medfund.local import permissions
from medfund.local import settings as local_settings
from medfund.local.health import NO_ANSWER

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MEASURED = ROOT / "bench" / "results" / "latest.json"
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
FINANCE = ROOT / "docs" / "finance.md"
CLAIMS = ROOT / "docs" / "claims.md"
SUPPLIERS = ROOT / "docs" / "suppliers.md"
PURCHASES = ROOT / "docs" / "purchases.md"
OPERATORS = ROOT / "docs" / "operators.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

HOLDS = {True: "yes", False: "no", None: ""}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def table(page: Path, first: str) -> list[list[str]]:
    """The rows of the table whose first column is called `first`, the head among them, without quoting marks."""
    [lines] = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]*\n(?:\|.*\n)*", text_of(page), re.MULTILINE)
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines.splitlines() if not line.startswith("|-")
    ]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# -- what pages point to


def anchors(page: Path) -> set[str]:
    """Of its headings, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            found = (page.parent / path).resolve() if path else page
            assert found.exists(), target
            assert not anchor or anchor in anchors(found), target


@each_page
def test_every_file_and_every_test_that_is_named_exists(page: Path) -> None:
    for name in re.findall(r"`((?:medfund|services|tests|schemas|bench|docs)/[^`\s]*)`", text_of(page)):
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), name
        assert not test or f"def {test}(" in text_of(ROOT / path), name


@each_page
def test_every_target_that_is_named_can_be_made(page: Path) -> None:
    for target in re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", text_of(page), re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", text_of(ROOT / "Makefile"), re.MULTILINE), target


def test_every_promise_names_its_code_and_its_test_or_is_not_built() -> None:
    promises = {row[0]: row[2:] for row in table(ARCHITECTURE, "id")[1:]}
    assert {f"I{number}" for number in range(1, 13)} <= promises.keys()
    for name, (code, test) in promises.items():
        if code != "not built":
            assert any("/" in path for path in quoted(code)), name
            assert any(path.startswith("tests/") for path in quoted(test)), name


# -- tables that repeat the code


def settings_classes() -> dict[str, type[BaseSettings]]:
    """By package and name: each service has its own of the same name."""
    return {
        f"{module.__name__.split('.')[-2]}.{name}": kind
        for module in (lanes_settings, ledger_settings, clearing_settings, direct_pay_settings, local_settings)
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind.__module__ == module.__name__
    }


def variables(kind: type[BaseSettings]) -> set[tuple[str, str]]:
    """What a class reads from the environment: variable and default."""
    fields = kind.model_fields.items()
    return {(f"`{field.validation_alias or name}`".upper(), default(field)) for name, field in fields}


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if field.default_factory:
        return "made"
    return f"`{field.default}`" if field.default != "" else "none"


@pytest.mark.parametrize("name", settings_classes())
def test_settings_on_the_page_are_those_that_are_read(name: str) -> None:
    kind = settings_classes()[name]
    inherited = [variables(base) for base in kind.__mro__[1:] if base in settings_classes().values()]
    told = {(row[0], row[1]) for row in table(OPERATORS, f"`{name}`")[1:] if row[0]}
    assert told == variables(kind) - set().union(*inherited)


def test_who_the_broker_lets_write_is_on_the_page() -> None:
    told = {row[0].strip("`"): row[1:] for row in table(OPERATORS, "user")[1:]}
    granted = permissions.grants({})

    def listed(user: str, operation: permissions.Operation) -> list[str]:
        return [f"`{family}`" for family in FAMILIES if permissions.Grant(user, family, operation) in granted]

    for user in permissions.PROCESSES:
        written, read = listed(user, permissions.Operation.WRITE), listed(user, permissions.Operation.READ)
        assert told.pop(user) == [", ".join(written), "all" if len(read) == len(FAMILIES) else ", ".join(read)]
    assert not told


def test_who_may_call_what_is_on_the_page() -> None:
    apis = (app.API, clearing_app.API, direct_pay_app.API)
    routes = {route.name: route for api in apis for endpoint in api.endpoints for route in endpoint.router.routes}
    expected: dict[str, list[bool]] = {}
    for name, allowed in [right for api in apis for right in api.roles.items()]:
        row = f"`{''.join(routes[name].methods)} {routes[name].path_format}`"
        before = expected.get(row, [False] * len(Role))  # of a route that several services have, of any of them
        expected[row] = [was or role in allowed for role, was in zip(Role, before, strict=True)]
    head, *rows = table(OPERATORS, "route")
    assert head[1:] == [role.value for role in Role]
    assert {row[0]: [cell == "●" for cell in row[1:]] for row in rows} == expected


def test_who_may_say_what_is_on_the_page() -> None:
    assert table(OPERATORS, "speaker")[1:] == speakers.rows()


def test_every_fault_of_health_is_on_the_page() -> None:
    late = Lag(events=1, oldest_s=1e9, fen=0, complete=True)
    unwell = [Health(), Health(database=True, log=False, idle=[0], stopped=[0], lag=late)]
    codes = {code for health in unwell for code in health.faults} | {*get_args(FaultCode), NO_ANSWER}
    assert {row[0] for row in table(OPERATORS, "fault")[1:]} == {f"`{code}`" for code in codes}


def test_every_metric_is_on_the_page() -> None:
    ending = {"counter": "_total"}
    found = (one for one in prometheus_client.REGISTRY.collect() if one.name.startswith("medfund_"))
    kept = {f"{one.name}{ending.get(one.type, '')}" for one in found}
    assert {row[0] for row in table(OPERATORS, "metric")[1:]} == {f"`{name}`" for name in kept}


def test_every_alarm_is_on_the_page_as_its_file_has_it() -> None:
    groups = yaml.safe_load(text_of(ROOT / "ops/alarms.yml"))["groups"]
    assert table(OPERATORS, "alarm")[1:] == [
        [
            f"`{rule['alert']}`",
            rule["labels"]["severity"],
            f"`{rule['expr']}`",
            rule.get("for", "at once"),
            f"[{rule['annotations']['summary']}]({rule['annotations']['page'].removeprefix('operators.md')})",
        ]
        for group in groups
        for rule in group["rules"]
    ]


def test_everything_that_verify_can_say_is_on_the_page() -> None:
    source = "".join(text_of(Path(module.__file__)) for module in (verify, control, statements))
    told = [(quoted(row[0])[0], quoted(row[1])) for row in table(OPERATORS, "begins with")[1:]]
    for begins, words in told:
        assert f'f"{begins} ' in source
        assert all(part in source for part in words), words
    assert sum(len(words) or 1 for _, words in told) == len(
        re.findall(r"\.(?:blame|differs|not_compared\.append)\(", source)
    )


def test_the_accounts_on_the_page_are_the_chart() -> None:
    expected = [[f"`{a.code}`", a.zh, a.en, a.normal, a.book] for a in chart.ACCOUNTS.values()]
    assert table(FINANCE, "code")[1:] == expected


def test_every_event_type_is_on_the_page_with_whether_it_is_booked() -> None:
    told = {name: row[1] == "nothing" for row in table(FINANCE, "event")[1:] for name in quoted(row[0])}
    assert told == {kind.name: posting.RULES[kind.event] is posting.nothing for kind in KINDS.values()}


@pytest.mark.skipif(not MEASURED.exists(), reason="no full run of `make bench` is recorded")
def test_numbers_said_to_be_of_the_recorded_run_are_its_numbers() -> None:
    recorded = json.loads(text_of(MEASURED))
    [told] = re.findall(r"<!-- bench:begin -->\n(.*?)<!-- bench:end -->", text_of(README), re.DOTALL)
    if recorded["commit"] in told:  # the page may tell an earlier run than one that somebody just made
        rows = [
            (one["name"], f"{one['value']:,.2f}", one["unit"], one["bar"], HOLDS[one["holds"]])
            for one in recorded["results"]
        ]
        assert told.splitlines()[-len(rows) :] == [f"| {' | '.join(row)} |" for row in rows]


def test_everything_that_can_be_wrong_with_a_claim_is_on_the_page() -> None:
    told = [(quoted(code)[0], zh, en) for code, zh, en, _ in table(CLAIMS, "code")[1:]]
    codes = get_args(get_type_hints(ClaimError)["code"])
    assert told == [(code, get_claims.ERRORS[code].zh, get_claims.ERRORS[code].en) for code in get_claims.ERRORS]
    assert {code for code, _, _ in told} == set(codes)


def named(page: Path, first: str) -> list[tuple[str, str, str]]:
    """Codes of a table, with their names."""
    return [(quoted(code)[0], zh, en) for code, zh, en, _ in table(page, first)[1:]]


def test_everything_that_can_be_wrong_with_a_statement_is_on_the_page_of_suppliers() -> None:
    assert named(SUPPLIERS, "in dispute") == [(code, name.zh, name.en) for code, name in faults.CODES.items()]
    assert faults.CODES.keys() == set(get_args(DisputeCode))
    refused = [(code, zh) for code, zh, _ in named(SUPPLIERS, "reason")]
    assert refused == [(code, declining.BY_CODE[code]) for code in get_args(RefusedCode)]


def test_where_an_invoice_can_stand_is_on_the_page_of_suppliers() -> None:
    assert named(SUPPLIERS, "invoice") == [(code, one.zh, one.en) for code, one in reading.INVOICE_STATES.items()]


def test_what_a_plan_of_statements_leaves_out_is_on_the_page_of_purchases() -> None:
    left = {code: one for code, one in planned.CODES.items() if code not in faults.CODES}
    assert named(PURCHASES, "left out") == [(code, one.zh, one.en) for code, one in left.items()]


def test_how_a_finding_stands_and_on_what_ground_is_on_the_page() -> None:
    named = [("state", get_claim.FOUND), ("ground", statement.GROUNDS)]
    told = [(quoted(of)[0], quoted(code)[0], zh, en) for of, code, zh, en in table(CLAIMS, "of a finding")[1:]]
    assert told == [(of, code, name.zh, name.en) for of, names in named for code, name in names.items()]


def test_every_parameter_of_a_policy_is_on_the_page_with_its_default() -> None:
    rows = {quoted(name)[0]: quoted(default)[0] for name, default, _ in table(CLAIMS, "parameter")[1:]}
    assert rows.pop("bond.310100") == "0"
    assert {name: policy.PARAMETERS[name][0](text) for name, text in rows.items()} == {
        name: (list(default) if name == "offset.not_from" else default)
        for name, (_, default) in policy.PARAMETERS.items()
    }
