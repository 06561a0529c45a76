"""Dated parameters: complete, exact, refused with their name (domain.md R10, "open: keep as parameters")."""

import re
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clearing import policy
from clearing.policy import NoPolicy, Policies
from medfund.events.agency import PolicyPublished, policy_hash
from medfund.events.kinds import KINDS
from medfund.parameters import BadPolicy


def published(valid_from: str = "2025-01-01", **parameters: str) -> PolicyPublished:
    chosen = {name.replace("__", "."): text for name, text in parameters.items()}
    content: dict[str, Any] = {
        **PolicyPublished.example, "valid_from": valid_from, "parameters": chosen, "hash": policy_hash(chosen),
    }  # fmt: skip
    return msgspec.convert(content, PolicyPublished)


def test_what_is_not_said_is_the_default_of_the_rules() -> None:
    found = policy.parse(published())
    assert (found.p1_ratio("310100"), found.bond("310100")) == (Fraction(9, 10), 0)
    assert (found.working_days, found.cut_off_day, found.cut_off_roll) == (15, 10, "NONE")
    assert found.steps_for("310100", at_instant=False) == ("1104", "1107", "1108", "1103", "1102", "1101")
    assert found.steps_for("310100", at_instant=True) == ("1107", "1108", "1103", "1102", "1101")


def test_personal_accounts_and_assistance_pay_their_own_advance_only_unless_the_policy_says_so() -> None:
    found = policy.parse(published())
    for fund in ("310200", "610100"):
        assert found.steps_for(fund, at_instant=False) == ("1104",)
        assert found.steps_for(fund, at_instant=True) == ()
    assert len(policy.parse(published(offset__not_from="none")).steps_for("610100", at_instant=False)) == 6


def test_a_fund_may_have_its_own_ratio() -> None:
    found = policy.parse(published(instant__ratio="0.7", **{"instant__ratio__390100": "0.95"}))
    assert (found.p1_ratio("310100"), found.p1_ratio("390100")) == (Fraction(7, 10), Fraction(95, 100))
    assert [found.p1_ratio_text(fund) for fund in ("310100", "390100")] == ["0.7", "0.95"]
    assert policy.parse(published(instant__ratio="1")).p1_ratio_text("310100") == "1"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"bond__310100": "0.050001"}, "bond.310100: 0.050001 is above the national cap of 5%"),
        ({"bond__999999": "0.05"}, "bond.999999: no such parameter"),
        ({"instant__ratio": "90%"}, "instant.ratio: '90%' is not a ratio"),
        ({"instant__ratio": "1.01"}, "instant.ratio: '1.01' is not a ratio"),
        ({"clock__working_days": "21"}, "clock.working_days: '21' is not a whole number from 1 to 20"),
        ({"clock__roll": "NONE"}, "clock.roll: no such parameter"),
        ({"offset__order": "1107 1104 1108 1103 1102 1101"}, "offset.order: a claim's own advance"),
        ({"offset__order": "1104 1107"}, "offset.order: '1104 1107' is not an order of"),
        ({"offset__not_from": "nobody"}, "offset.not_from: 'nobody' is not a fund"),
        ({"instant__stat": "WAIT"}, "instant.stat: 'WAIT' is none of TEMP, EXPENSE"),
        (
            {"prepayment__gate": "310100:11"},
            "prepayment.gate: fund 310100: 11 months are below the national least of 12",
        ),
        (
            {"prepayment__gate": "310100:12 390100:5"},
            "prepayment.gate: fund 390100: 5 months are below the national least",
        ),
        (
            {"prepayment__schedule": "AT_ANNUAL_CLEARING"},
            "prepayment.schedule: AT_ANNUAL_CLEARING, and prepayment.return_by is the year's end (R10)",
        ),
        ({"audit__unfinished": "HOLD"}, "audit.unfinished: 'HOLD' is none of WAIT, HOLD_DOUBTFUL"),
        ({"direct__days": "181"}, "direct.days: '181' is not a whole number from 1 to 180"),
        ({"direct__scope": "BULK"}, "direct.scope: 'BULK' is no list of class/buyer (BULK, NEGOTIATED, LISTED"),
        ({"direct__roll": "NONE"}, "direct.roll: no such parameter"),
    ],
)
def test_a_set_with_one_bad_parameter_is_refused_with_its_name(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(BadPolicy, match=f"^{words[:20]}") as caught:
        policy.parse(published(**parameters))
    assert str(caught.value).startswith(words)


def test_a_gate_that_was_admitted_before_the_least_was_known_holds_with_the_least() -> None:
    event = published(prepayment__gate="310100:3 390100:8 410100:2")
    assert policy.parse(event, kept=True).prepayment_gate == {"310100": 12, "390100": 8, "410100": 2}


def test_the_set_of_a_day_is_the_last_one_that_is_valid_from_then_or_before() -> None:
    known = Policies({}, {})
    for valid_from, ratio in (("2026-01-01", "0.8"), ("2025-01-01", "0.7"), ("2026-01-01", "0.85")):
        known = known.with_policy(policy.parse(published(valid_from, instant__ratio=ratio)))
    assert known.on("152500", date(2025, 12, 31)).instant_ratio == Fraction(7, 10)
    assert known.on("152500", date(2026, 1, 1)).instant_ratio == Fraction(85, 100)
    assert len(known.published) == 3
    with pytest.raises(NoPolicy, match="area 152500 has no policy for 2024-12-31"):
        known.on("152500", date(2024, 12, 31))
    with pytest.raises(NoPolicy, match="area 150000"):
        known.on("150000", date(2026, 1, 1))


AREAS = sorted((Path(__file__).parents[2] / "docs" / "policies").glob("*.json"))


@pytest.mark.parametrize("file", AREAS, ids=lambda file: file.stem)
def test_an_example_of_an_area_names_every_parameter_and_can_be_published_as_it_is(file: Path) -> None:
    event = msgspec.json.decode(file.read_bytes(), type=PolicyPublished)
    assert KINDS["policy.published.v1"].check(event) is None
    general = {name for name in event.parameters if not re.search(r"\.[0-9]{6}$", name)}
    assert general == set(policy.PARAMETERS)
    assert event.area == file.stem == policy.parse(event).area


def test_the_examples_differ_where_areas_differ() -> None:
    xilingol, shandong = (policy.parse(msgspec.json.decode(file.read_bytes(), type=PolicyPublished)) for file in AREAS)
    assert (shandong.working_days, xilingol.working_days) == (15, 20)
    assert (shandong.instant_stat, xilingol.instant_stat) == ("TEMP", "EXPENSE")
    assert (shandong.audit_unfinished, xilingol.audit_unfinished) == ("HOLD_DOUBTFUL", "WAIT")
    assert (shandong.bond("310100"), xilingol.bond("310100")) == (Fraction(5, 100), Fraction(3, 100))
