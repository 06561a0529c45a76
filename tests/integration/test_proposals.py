"""A mandate, a source and a policy: one person of the office proposes, another one agrees, and only then it is said."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from medfund.events.kinds import KINDS
from medfund.http.problems import Problem
from tests import events
from tests.conftest import Database
from tests.events import AREA
from tests.fund import POLICY, Fund, running
from tests.golden import stories
from tests.integration import claims_served
from tests.integration.served import Api, Caller
from tests.integration.test_claims_commands import problem
from tests.purchases import ONE, Purchases, invoice

MANDATE = {"area": AREA, "staff_ref": "dora", "role": "approver", "limit": "730000.00", "valid_from": "2026-02-01"}

SOURCE = {"source": "/gateway/west", "speakers": ["hospital"], "areas": [AREA], "valid_from": "2026-02-01"}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database, lane=0, lanes=1) as fund:
        fund.register()
        fund.policy()
        fund.mandate("anna", "finance")
        fund.day("2026-02-09")
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=1) as api:
        yield api


def office(api: Api, name: str, **scope: Any) -> Caller:
    return api.caller("office", subject=name, **{"areas": [AREA], **scope})


def proposal(kind: str = "mandate", says: dict[str, Any] = MANDATE, number: int = 1) -> dict[str, Any]:
    return {"proposal": f"SQ-{number}", "kind": kind, "says": says}


async def proposed(caller: Caller, **about: Any) -> dict[str, Any]:
    response = await caller.command("/v1/proposals", **proposal(**about))
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def agreed(caller: Caller, found: dict[str, Any]) -> Any:
    path = f"/v1/proposals/{found['proposal']}/approvals"
    return await caller.command(path, area=found["area"], hash=found["hash"])


async def said(fund: Fund, type: str) -> list[dict[str, Any]]:
    """What stands on the log of a type, in its order."""
    await fund.drain()
    return [event for event in await facts(fund) if event["type"] == type]


async def facts(fund: Fund) -> list[dict[str, Any]]:
    query = 'select type, body from clearing.facts where lane = $1 order by topic, "offset"'
    return [
        {"type": row["type"].removesuffix(".v1"), **json.loads(row["body"])}
        for row in await fund.control.fetch(query, 0)
    ]


async def test_a_mandate_is_said_when_a_second_person_has_agreed_and_both_are_on_it(fund: Fund, api: Api) -> None:
    found = await proposed(office(api, "olga"))
    assert [one["staff_ref"] for one in await said(fund, "staff.mandated")] == ["anna"]
    response = await agreed(office(api, "paul"), found)
    assert response.status_code == 200, response.text
    told = response.json()
    assert (told["proposed_by"], told["approved_by"], told["changes"]) == ("olga", "paul", None)
    last = (await said(fund, "staff.mandated"))[-1]
    assert (last["staff_ref"], last["limit"], last["approvers"]) == ("dora", "730000.00", ["olga", "paul"])
    assert (await office(api, "olga").answer(told["look"]))["state"] == "DONE"
    again = await agreed(office(api, "paul"), found)
    assert again.status_code == 200
    assert len(await said(fund, "staff.mandated")) == 2


@pytest.mark.parametrize("second", ["olga", "OLGA", "dora", "Dora"])
async def test_nobody_agrees_to_their_own_nor_to_what_they_asked_for(fund: Fund, api: Api, second: str) -> None:
    found = await proposed(office(api, "olga"))
    assert problem(await agreed(office(api, second), found)) == (409, "not_for_one_alone")
    assert [one["staff_ref"] for one in await said(fund, "staff.mandated")] == ["anna"]
    rows = await api.superuser("select subject, outcome from audit where outcome = 'not_for_one_alone'")
    assert [tuple(row) for row in rows] == [(second, "not_for_one_alone")]


async def test_nobody_proposes_a_mandate_for_themselves(fund: Fund, api: Api) -> None:
    response = await office(api, "DORA").command("/v1/proposals", **proposal())
    assert problem(response) == (409, "not_for_one_alone")
    assert await api.superuser("select from proposals") == []


@pytest.mark.parametrize("role", ["operator", "finance", "approver", "auditor", "publisher"])
async def test_nobody_but_the_office_proposes_or_agrees(api: Api, role: str) -> None:
    found = await proposed(office(api, "olga"))
    caller = api.caller(role, areas=[AREA], subject="rolf")
    assert problem(await caller.command("/v1/proposals", **proposal(number=2))) == (403, "role_not_allowed")
    assert problem(await agreed(caller, found)) == (403, "role_not_allowed")


async def test_whoever_looks_sees_what_would_change_and_who_asked(fund: Fund, api: Api) -> None:
    says = {**MANDATE, "staff_ref": "Anna", "role": "finance", "limit": "2500.00"}
    await proposed(office(api, "olga"), says=says)
    answer = await api.caller("auditor").answer("/v1/proposals", open="true")
    [one] = answer["proposals"]
    assert (one["proposed_by"], one["approved_by"], one["kind"]) == ("olga", None, "mandate")
    changes = {change["name"]: (change["now"], change["then"]) for change in one["changes"]}
    assert changes["limit"] == ("99999999.99", "2500.00")
    assert "role" not in changes
    await agreed(office(api, "paul"), one)
    assert (await api.caller("auditor").answer("/v1/proposals", open="true"))["proposals"] == []
    [one] = (await api.caller("auditor").answer("/v1/proposals", kind="mandate", area=AREA))["proposals"]
    assert (one["approved_by"], one["changes"]) == ("paul", None)


async def test_rules_are_published_by_two_people_and_each_parameter_that_changes_is_shown(fund: Fund, api: Api) -> None:
    says = {"area": AREA, "valid_from": "2026-03-01", "parameters": {**POLICY, "instant.ratio": "0.85"}}
    found = await proposed(office(api, "olga"), kind="policy", says=says)
    changes = {change["name"]: (change["now"], change["then"]) for change in found["changes"]}
    assert changes == {
        "parameters.instant.ratio": (POLICY["instant.ratio"], "0.85"), "valid_from": ("2025-01-01", "2026-03-01"),
    }  # fmt: skip
    assert (await agreed(office(api, "paul"), found)).status_code == 200
    last = (await said(fund, "policy.published"))[-1]
    assert (last["valid_from"], last["approvers"]) == ("2026-03-01", ["olga", "paul"])


async def test_a_source_is_registered_by_two_people_for_areas_that_both_speak_for(fund: Fund, api: Api) -> None:
    found = await proposed(office(api, "olga"), kind="source", says=SOURCE)
    assert {change["name"] for change in found["changes"]} == SOURCE.keys()
    stranger = office(api, "paul", areas=["370100"])
    assert problem(await agreed(stranger, found)) == (404, "not_found")
    assert (await agreed(office(api, "paul"), found)).status_code == 200
    wider = {**SOURCE, "areas": [AREA, "370100"]}
    response = await office(api, "olga").command("/v1/proposals", **proposal("source", wider, 2))
    assert problem(response) == (404, "not_found")


async def test_nobody_takes_a_source_away_from_an_area_that_they_do_not_speak_for(fund: Fund, api: Api) -> None:
    """A registration takes the place of the one before, whatever areas that was for."""
    theirs = {**SOURCE, "areas": ["370100"]}
    waiting = await proposed(office(api, "rita", areas=["370100"]), kind="source", says=theirs, number=7)
    found = await proposed(office(api, "olga"), kind="source", says=SOURCE)
    assert (await agreed(office(api, "paul"), found)).status_code == 200
    await fund.drain()
    for name in ("rita", "sven"):
        stranger = office(api, name, areas=["370100"])
        response = await stranger.command("/v1/proposals", **proposal("source", theirs, 8))
        assert problem(response) == (404, "not_found")
        assert problem(await agreed(stranger, waiting)) == (404, "not_found")
    both = office(api, "tess", areas=[AREA, "370100"])
    assert (await agreed(both, waiting)).status_code == 200
    await fund.drain()
    told = await fund.control.fetch("select event -> 'areas' ->> 0 as area from clearing.sources order by \"offset\"")
    assert [row["area"] for row in told][-2:] == [AREA, "370100"]


WRONG = [
    ({"limit": "-1"}, "event_refused"),
    ({"limit": None}, "event_refused"),
    ({"staff_ref": "Wu, finance"}, "event_refused"),
    ({"area": 152500}, "event_refused"),
    ({"approvers": ["olga", "paul"]}, "parameter_invalid"),
    ({"valid_until": "2026-03-01"}, "event_refused"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG, ids=str)
async def test_what_could_not_be_said_is_not_kept(api: Api, wrong: dict[str, Any], code: str) -> None:
    response = await office(api, "olga").command("/v1/proposals", **proposal(says={**MANDATE, **wrong}))
    assert problem(response) == (422, code)
    assert await api.superuser("select from proposals") == []


async def test_rules_that_nobody_could_follow_are_not_kept(api: Api) -> None:
    says = {"area": AREA, "valid_from": "2026-03-01", "parameters": {**POLICY, "instant.ratio": "1.5"}}
    response = await office(api, "olga").command("/v1/proposals", **proposal("policy", says))
    assert problem(response) == (422, "does_not_fit")


async def test_one_number_is_one_proposal_and_one_is_agreed_to_as_it_was_seen(api: Api) -> None:
    found = await proposed(office(api, "olga"))
    assert await proposed(office(api, "olga")) == found
    other = proposal(says={**MANDATE, "limit": "730000.01"})
    assert problem(await office(api, "olga").command("/v1/proposals", **other)) == (409, "command_conflict")
    changed = {**found, "hash": "0" * 64}
    assert problem(await agreed(office(api, "paul"), changed)) == (409, "plan_changed")


async def test_of_two_who_agree_at_once_one_is_on_it(fund: Fund, api: Api) -> None:
    found = await proposed(office(api, "olga"))
    responses = await asyncio.gather(*(agreed(office(api, name), found) for name in ("paul", "quin")))
    assert sorted(response.status_code for response in responses) == [200, 409]
    assert len(await said(fund, "staff.mandated")) == 2


async def test_what_the_log_did_not_take_is_said_when_it_is_asked_again(
    fund: Fund, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await proposed(office(api, "olga"))

    async def away(*_: Any) -> None:
        raise Problem("log_unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(claims_served.MemoryAppending, "append", away)
        assert problem(await agreed(office(api, "paul"), found)) == (503, "log_unavailable")
    assert (await agreed(office(api, "paul"), found)).status_code == 200
    assert len(await said(fund, "staff.mandated")) == 2


async def test_an_agreement_and_its_audit_row_are_there_together_or_not_at_all(fund: Fund, api: Api) -> None:
    found = await proposed(office(api, "olga"))
    await fund.control.execute("revoke insert on clearing.audit from medfund_api")
    assert (await agreed(office(api, "paul"), found)).status_code == 500
    assert await api.superuser("select from proposal_approvals") == []
    assert [one["staff_ref"] for one in await said(fund, "staff.mandated")] == ["anna"]


# What the books begin with

BALANCE = {
    "area": AREA, "account": "1002", "amounts": {"310100": "8800.07"}, "value_date": "2025-12-31",
    "evidence_ref": "YE-1002",
}  # fmt: skip


def item(fund: Fund, **changes: Any) -> dict[str, Any]:
    """A claim of which something is to be paid."""
    example = KINDS["opening.item.recorded.v1"].example
    says = {name: value for name, value in example.items() if name != "approvers"}
    accounts = [{"account": "2102", "amounts": {"310100": "612.40"}}]
    return {**says, "provider": fund.provider, "item_ref": "B-1", "accounts": accounts, **changes}


async def test_what_the_books_begin_with_is_said_by_two_people_and_then_waits_for_two_others(
    fund: Fund, api: Api
) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    balance = await proposed(olga, kind="balance", says=BALANCE)
    waiting = await proposed(olga, kind="item", says=item(fund), number=2)
    changes = {change["name"]: (change["now"], change["then"]) for change in waiting["changes"]}
    assert changes["accounts.1.amounts.310100"] == (None, "612.40")
    assert await fund.balances() == {}
    assert problem(await agreed(office(api, "OLGA"), waiting)) == (409, "not_for_one_alone")
    looks = [(await agreed(paul, found)).json()["look"] for found in (balance, waiting)]
    books = await fund.balances()
    assert (books["1002"], books["2102"]) == ({"310100": 880_007}, {"310100": -61_240})
    balance_told, item_told = [await olga.answer(look) for look in looks]
    assert (balance_told["state"], item_told["state"], item_told["provider"]) == ("DONE", "DONE", fund.provider)
    assert [one["type"] for one in item_told["decisions"]] == ["opening.item.taken.v1", "payment.ordered.v1"]
    [payment] = await fund.payments()
    assert (payment["status"], payment["requested_by"]) == ("ORDERED", None)
    assert (await agreed(paul, waiting)).status_code == 200
    assert await proposed(olga, kind="item", says=item(fund), number=2) == (await agreed(paul, waiting)).json()
    assert len(await fund.decided("opening.item.taken")) == 1


async def test_who_agrees_to_a_second_balance_of_an_account_sees_that_it_adds(fund: Fund, api: Api) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    first = await proposed(olga, kind="balance", says=BALANCE)
    told = {one["name"]: (one["now"], one["then"]) for one in first["changes"]}
    assert told["amounts.310100"] == (None, "8800.07")
    other = await proposed(olga, kind="balance", says={**BALANCE, "account": "1003"}, number=2)
    for found in (first, other):
        assert (await agreed(paul, found)).status_code == 200
    more = {**BALANCE, "amounts": {"310100": "-800.05", "390100": "3.00"}, "evidence_ref": "YE-1002-2"}
    await proposed(olga, kind="balance", says=more, number=3)
    [found] = (await paul.answer("/v1/proposals", open=True))["proposals"]
    told = {one["name"]: (one["now"], one["then"]) for one in found["changes"]}
    assert (told["amounts.310100"], told["amounts.390100"]) == (("8800.07", "8000.02"), (None, "3.00"))
    assert (await agreed(paul, found)).status_code == 200
    assert (await fund.balances())["1002"] == {"310100": 800_002, "390100": 300}


async def test_an_opening_item_that_would_be_disputed_is_neither_kept_nor_agreed_to(fund: Fund, api: Api) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    first, second = [await proposed(olga, kind="item", says=item(fund), number=number) for number in (1, 2)]
    assert (await agreed(paul, first)).status_code == 200
    await fund.drain()
    assert problem(await agreed(paul, second)) == (409, "would_be_declined")
    assert [row["proposal_ref"] for row in await api.superuser("select * from proposal_approvals")] == ["SQ-1"]
    [elsewhere] = events.providers(0, 1, 2)[1:]
    fund.put("provider.registered.v1", provider=elsewhere, area="370100")
    await fund.drain()
    for number, (says, why) in enumerate([
        (item(fund), "B-1 is known already"),
        (item(fund, provider="H15250299999"), f"provider H15250299999 is not registered in area {AREA}"),
        (item(fund, provider=elsewhere), f"provider {elsewhere} is not registered in area {AREA}"),
    ], 3):  # fmt: skip
        response = await olga.command("/v1/proposals", **proposal("item", says, number))
        assert problem(response) == (409, "would_be_declined")
        assert response.json()["detail"] == why
    assert len(await api.superuser("select * from proposals")) == 2


@pytest.mark.parametrize("type", ["opening.balance.recorded.v1", "opening.item.recorded.v1"])
@pytest.mark.parametrize("wrong", [{"approvers": None}, {"approvers": ["olga"]}, {"approvers": ["olga", "Olga"]}, {}])
async def test_no_office_says_alone_what_the_books_begin_with(fund: Fund, type: str, wrong: dict[str, Any]) -> None:
    """Nor does its system, whoever it names."""
    source = {} if wrong else {"source": "/agency/152500"}
    fund.put(type, **({"provider": fund.provider} if type == "opening.item.recorded.v1" else {}), **source, **wrong)
    assert await fund.balances() == {}
    assert await fund.decided("opening.item.taken", "fact.disputed") == []
    rows = await fund.control.fetch(
        "select reason, detail from ledger.quarantine union all select reason, detail from clearing.quarantine"
    )
    why = f"{type} is said by command" if source else f"{type} is said by two people"
    assert [row["reason"] for row in rows] == ["not_yours_to_say"] * 2
    assert all(why in row["detail"] for row in rows)


# What holds of suppliers' money

OF_SUPPLIERS = {
    "payee": "supplier.payee.assigned", "cap": "direct.cap.set", "arrears": "arrears.registered",
    "clearance": "arrears.cleared",
}  # fmt: skip


def of_suppliers(fund: Fund, kind: str, **changes: Any) -> dict[str, Any]:
    says = {name: value for name, value in KINDS[f"{OF_SUPPLIERS[kind]}.v1"].example.items() if name != "approvers"}
    return {**says, "area": AREA, **({"provider": fund.provider} if kind != "payee" else {}), **changes}


@pytest.mark.parametrize("kind", OF_SUPPLIERS)
async def test_what_holds_of_suppliers_money_is_on_the_log_with_both_people_when_the_second_has_agreed(
    fund: Fund, api: Api, kind: str
) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    found = await proposed(olga, kind=kind, says=of_suppliers(fund, kind))
    before = len(fund.log.records("agency", 0))
    assert problem(await agreed(office(api, "Olga"), found)) == (409, "not_for_one_alone")
    assert len(fund.log.records("agency", 0)) == before
    response = await agreed(paul, found)
    assert response.status_code == 200, response.text
    [said] = fund.log.records("agency", 0)[before:]
    told = json.loads(said.value)
    assert (told["approvers"], dict(said.headers)["ce_type"]) == (["olga", "paul"], f"{OF_SUPPLIERS[kind]}.v1".encode())
    await fund.drain()
    assert (await olga.answer(response.json()["look"]))["state"] == "DONE"
    assert (await agreed(paul, found)).status_code == 200
    assert len(fund.log.records("agency", 0)) == before + 1


async def test_who_agrees_to_another_cap_or_payee_sees_what_it_takes_the_place_of(fund: Fund, api: Api) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    for number, (kind, before, after, of_another) in enumerate([
        ("cap", {"amount": "7000000.01"}, {"amount": "6500000.02"}, {"provider": events.providers(0, 1, 2)[1]}),
        ("payee", {"payee": "91371000MA0000002A"}, {"payee": "91370000MA0000001T"}, {"provider": fund.provider}),
    ]):  # fmt: skip
        [name] = after
        first = await proposed(olga, kind=kind, says=of_suppliers(fund, kind, **before), number=3 * number)
        assert (await agreed(paul, first)).status_code == 200
        other = of_suppliers(fund, kind, **{**after, **of_another})
        if kind == "cap":
            fund.put("provider.registered.v1", **of_another)
            await fund.drain()
        told = await proposed(olga, kind=kind, says=other, number=3 * number + 1)
        assert (name, None) in {(one["name"], one["now"]) for one in told["changes"]}, "of another one nothing is said"
        told = await proposed(olga, kind=kind, says=of_suppliers(fund, kind, **after), number=3 * number + 2)
        assert {one["name"]: (one["now"], one["then"]) for one in told["changes"]} == {
            name: (before[name], after[name])
        }


async def test_a_fund_takes_over_what_is_due_when_two_people_have_agreed_and_no_more(fund: Fund, api: Api) -> None:
    olga, paul = office(api, "olga"), office(api, "paul")
    stories.supplier_of(fund, ONE)
    statement = Purchases(fund).request("DZ-1", {invoice(1): 4_007}, key={"390100": 1})
    await fund.drain()
    await stories.delivered(fund, statement, "2026-02-10")
    says = {
        "area": AREA, "provider": fund.provider, "from_fund": "390100", "to_fund": "310100", "amount": "40.08",
        "agreed_on": "2026-02-10",
    }  # fmt: skip
    response = await olga.command("/v1/proposals", **proposal("true_up", says))
    assert problem(response) == (409, "would_be_declined")
    response = await olga.command("/v1/proposals", **proposal("true_up", {**says, "amount": "-0.01"}))
    assert problem(response) == (422, "event_refused")
    found = await proposed(olga, kind="true_up", says={**says, "amount": "30.02"})
    assert problem(await agreed(office(api, "OLGA"), found)) == (409, "not_for_one_alone")
    told = (await agreed(paul, found)).json()
    books = await fund.balances()
    assert (books["1103"], books["1120"]) == ({"310100": 3_002, "390100": 1_005}, {"390100": 3_002})
    assert books["2120"] == {"310100": -3_002}
    outcome = await olga.answer(told["look"])
    assert (outcome["state"], [one["type"] for one in outcome["decisions"]]) == ("DONE", ["inter_fund.trued_up.v1"])
    second = await proposed(olga, kind="true_up", says={**says, "amount": "10.05"}, number=2)
    assert {change["now"] for change in second["changes"]} == {None}, "it adds to what was taken over before"
