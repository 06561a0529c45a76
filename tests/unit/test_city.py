"""A synthetic city: its counts and money are the published ones, and its events are what the contract asks for."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from medfund import codes, money
from medfund.city import command, model, profiles, publication
from medfund.events.refusals import Reason
from medfund.publish import drafts

NOW_MS = 1_790_000_000_000

app = typer.Typer()
app.command()(command.city)

PUBLISHED = """
visit      settlements  paid
inpatient  27069        133537000.00   # S3
chronic    142846       46045000.00    # S3
primary    197797       11274800.00    # S3
"""
EXTRAS = publication.Extras(late=40, visitors=30, duplicates=25, reversals=20, bad=16)


def publish(
    name: str = "xilingol", *, seed: int = 1, scale: str = "0.01", extras: publication.Extras | None = None
) -> tuple[publication.Publication, list[bytes]]:
    city = model.City(profiles.PROFILES[name].scaled(scale), seed)
    file = publication.Publication(city, extras)
    return file, list(file.lines())


def decoded(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in lines]


def published() -> dict[str, tuple[int, str]]:
    rows = [row.partition("#")[0].split() for row in PUBLISHED.strip().splitlines()[1:]]
    return {visit: (int(count), paid) for visit, count, paid in rows}


def test_xilingol_is_the_published_seven_months_to_the_fen() -> None:
    city = model.City(profiles.XILINGOL, 1)
    counts: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for visit in city.visits():
        counts[visit.kind.name] += 1
        paid[visit.kind.name] += sum(amount for _, amount in visit.funds)
    assert {visit: (counts[visit], money.yuan(paid[visit])) for visit in counts} == published()
    assert paid["primary"] // counts["primary"] == 5700  # 57.00 yuan a visit


def test_jincheng_has_the_published_settlements_of_a_month() -> None:
    city = model.City(profiles.JINCHENG, 1)
    assert city.count == 1_412_480
    assert len(city.days) == 31


def test_xilingol_has_the_published_providers_and_registers_every_one_first() -> None:
    city = model.City(profiles.XILINGOL, 1)
    assert Counter(codes.provider_kind(provider.code) for provider in city.providers) == {
        "hospital": 324,
        "pharmacy": 347,
    }
    _, lines = publish()
    events = decoded(lines)
    registered = {event["data"]["provider"] for event in events if event["type"] == "provider.registered.v1"}
    first_visit = next(i for i, event in enumerate(events) if event["type"] == "settlement.recorded.v1")
    assert len(registered) == 671
    assert {event["type"] for event in events[:first_visit]} == {"policy.published.v1", "provider.registered.v1"}
    assert {event["data"]["provider"] for event in events[first_visit:]} <= registered


@pytest.mark.parametrize("name", profiles.PROFILES)
def test_every_event_passes_the_contract(name: str) -> None:
    _, lines = publish(name, scale="0.01", extras=publication.Extras(late=20, visitors=20, duplicates=20, reversals=20))
    assert [problem for line in lines if (problem := drafts.check(line, now_ms=NOW_MS))] == []


def test_every_bill_is_the_sum_of_its_parts() -> None:
    for event in decoded(publish()[1]):
        if event["type"] == "settlement.recorded.v1":
            data = event["data"]
            parts = ("personal_account", "family_account", "hospital_share", "other", "cash")
            found = sum(map(money.fen, data["funds"].values())) + sum(money.fen(data[part]) for part in parts)
            assert money.fen(data["total"]) == found


def test_every_event_happens_on_its_service_date_in_local_time() -> None:
    for event in decoded(publish()[1]):
        if event["type"] == "settlement.recorded.v1":
            assert event["time"].startswith(event["data"]["service_date"])
            assert event["time"].endswith("+08:00")
            at_ms = int(event["id"].replace("-", "")[:12], 16)
            assert at_ms // 1000 == int(datetime.fromisoformat(event["time"]).timestamp())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def digest(seed: int) -> str:
        return hashlib.sha256(b"".join(publish(seed=seed, extras=EXTRAS)[1])).hexdigest()

    assert digest(1) == digest(1) != digest(2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_totals_hold_whatever_the_seed(seed: int) -> None:
    file, _ = publish(seed=seed)
    assert {name: (total.count, money.yuan(total.paid)) for name, total in file.summary.visits.items()} == {
        "inpatient": (271, "1335370.00"),
        "chronic": (1428, "460450.00"),
        "primary": (1978, "112748.00"),
    }


def test_ids_and_references_are_unique() -> None:
    settlements = [event for event in decoded(publish()[1]) if event["type"] == "settlement.recorded.v1"]
    assert len({event["id"] for event in settlements}) == len(settlements)
    assert len({event["data"]["settlement_ref"] for event in settlements}) == len(settlements)


def test_money_is_split_over_basic_serious_illness_and_assistance_funds() -> None:
    file, _ = publish()
    funds: defaultdict[str, set[str]] = defaultdict(set)
    for visit, fund in file.summary.funds:
        funds[visit].add(fund)
    assert funds["inpatient"] == {"310100", "330100", "390100", "390200", "610100"}
    assert funds["primary"] >= {"310100", "390100", "610100"}


def test_mornings_and_weekdays_are_busy_and_large_hospitals_have_most_inpatients() -> None:
    visits = list(model.City(profiles.XILINGOL.scaled("0.05"), 1).visits())
    hours = Counter((visit.at_ms // model.HOUR_MS + 8) % 24 for visit in visits)
    assert sum(hours[hour] for hour in (8, 9, 10)) > len(visits) // 4
    days = Counter(visit.service_date.weekday() for visit in visits)
    assert min(days[day] for day in range(5)) > max(days[5], days[6])
    inpatients = Counter(visit.provider for visit in visits if visit.kind.name == "inpatient")
    assert sum(count for _, count in inpatients.most_common(10)) > sum(inpatients.values()) // 2


def test_what_goes_wrong_on_request_is_there_and_the_sound_events_stay() -> None:
    file, lines = publish(extras=EXTRAS)
    events = decoded(lines)
    assert file.summary.lines == {
        "agency": 672,
        "settlements": 3677,
        "late": 40,
        "visitors": 30,
        "duplicates": 25,
        "reversals": 20,
        "bad": 16,
    }
    assert len(lines) == 672 + 3677 + 25 + 20 + 16
    assert len(lines) - len(set(lines)) == 25
    sound = {event["id"]: event for event in decoded(publish()[1])}
    changed = [event["id"] for event in events if event["id"] in sound and event != sound[event["id"]]]
    assert len(changed) == 30  # the visitors
    assert sound.keys() <= {event["id"] for event in events}


def test_bad_events_are_refused_for_their_defect() -> None:
    _, lines = publish(extras=publication.Extras(bad=16))
    problems = [problem for line in lines if (problem := drafts.check(line, now_ms=NOW_MS))]
    assert Counter(problem.reason for problem in problems) == {
        Reason.IDENTITY_MISMATCH: 2,
        Reason.BAD_AMOUNT: 2,
        Reason.UNKNOWN_FUND: 2,
        Reason.MISSING_FIELD: 2,
        Reason.BAD_DATE: 2,
        Reason.UNKNOWN_FIELD: 2,
        Reason.BAD_CODE: 2,
        Reason.UNKNOWN_TYPE: 2,
    }


def test_a_reversal_mirrors_its_settlement_and_comes_after_it() -> None:
    events = decoded(publish(extras=publication.Extras(reversals=20))[1])
    places = {event["data"].get("settlement_ref"): i for i, event in enumerate(events)}
    reversals = [event["data"] for event in events if event["type"] == "settlement.reversed.v1"]
    assert len(reversals) == 20
    for data in reversals:
        original = events[places[data["reverses_ref"]]]["data"]
        assert places[data["reverses_ref"]] < places[data["settlement_ref"]]
        assert {fund: -money.fen(amount) for fund, amount in data["funds"].items()} == {
            fund: money.fen(amount) for fund, amount in original["funds"].items()
        }


def test_late_events_come_after_events_of_later_days() -> None:
    events = [e for e in decoded(publish(extras=publication.Extras(late=40))[1]) if "service_date" in e["data"]]
    latest, late = "", 0
    for event in events:
        late += event["data"]["service_date"] < latest
        latest = max(latest, event["data"]["service_date"])
    # the last days have nothing after them that could be later
    assert 30 <= late <= 40


def test_command_writes_a_file_and_its_summary(tmp_path: Any) -> None:
    out = tmp_path / "events.jsonl"
    arguments = ["--scale", "0.001", "--bad", "2", "--late", "9000ppm", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    summary = msgspec.json.decode(result.stdout)
    assert summary["lines"] == {"agency": 672, "settlements": 368, "late": 3, "bad": 2}
    assert len(out.read_bytes().splitlines()) == 672 + 368 + 2
    assert [visit["paid"] for visit in summary["visits"]] == ["133537.00", "46045.00", "11274.80"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--profile", "beijing"], "no profile 'beijing'"),
        (["--scale", "0"], "--scale '0'"),
        (["--scale", "1e"], "--scale '1e'"),
        (["--reversals", "x"], "neither a number nor a share"),
        (["--scale", "0.001", "--late", "1000"], "more than the 368"),
        (["--out", "/nowhere/x.jsonl"], "cannot write"),
    ],
)
def test_command_refuses_what_it_cannot_do_in_one_sentence(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert says in result.output
