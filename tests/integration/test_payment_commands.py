"""People at the door that money leaves through: they approve, send, retry, confirm and place by commands over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from medfund.http.problems import Problem
from medfund.lanes import partition
from tests import events
from tests.conftest import Database
from tests.events import AREA
from tests.fund import Fund, running
from tests.integration import claims_served
from tests.integration.claims_served import MemoryAppending
from tests.integration.served import Api, Caller
from tests.integration.test_claims_commands import given, problem

BATCH = "B-202601"
[PROVIDER] = events.providers(0, 1, 1)
P1 = f"{BATCH}/P1/310100"
OTHER = f"{BATCH}/P1/390100"
RUN = {"area": AREA, "fund": "310100", "execute_on": "2026-02-10", "number": 1}
NAME = f"{AREA}-310100-20260210-1"
NO_TARGET = "There is no such target of this provider"
REQUEST = {
    "request": "YK-1", "area": AREA, "plan": "plan-2026-02", "amounts": {"310100": "50.00"}, "needed_on": "2026-02-27",
}  # fmt: skip


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """Two payments of one provider, of 900.00 and 450.00, wait for approval on 2026-02-09. There is one lane."""
    async with running(database, lane=0, lanes=1) as fund:
        await begun(fund)
        yield fund


async def begun(fund: Fund) -> None:
    fund.register()
    fund.policy()
    fund.deposit({"310100": 500_000, "390100": 500_000})
    for staff, role in (("anna", "finance"), ("bo", "approver"), ("chen", "approver")):
        fund.mandate(staff, role)
    fund.settle({"310100": 100_000, "390100": 50_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path, lanes=fund.lanes) as api:
        yield api


def person(api: Api, name: str) -> Caller:
    return api.caller("finance" if name == "anna" else "approver", areas=[AREA], subject=name)


@pytest.fixture
def anna(api: Api) -> Caller:
    return person(api, "anna")


@pytest.fixture
def bo(api: Api) -> Caller:
    return person(api, "bo")


def approval(number: int = 1, payments: tuple[str, ...] = (P1, OTHER), total: str = "1350.00") -> dict[str, Any]:
    return {"approval": f"PZ-{number}", "provider": PROVIDER, "payments": list(payments), "total": total}


async def outcome(fund: Fund, caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What became of a command."""
    look = await given(caller, path, body)
    await fund.drain()
    return await caller.answer(look)


async def refused(caller: Caller, path: str, body: dict[str, Any]) -> tuple[str | None, str]:
    """Why nothing of a command would count; nothing of it is kept."""
    response = await caller.command(path, **body)
    assert problem(response) == (409, "would_be_declined"), response.text
    return response.json()["reason"], response.json()["detail"]


async def approved(fund: Fund, api: Api) -> None:
    for name in ("anna", "bo"):
        asked = {**approval(), "provider": fund.provider}
        assert (await outcome(fund, person(api, name), "/v1/approvals", asked))["state"] == "DONE"


async def states(fund: Fund) -> dict[str, str]:
    return {one["payment_ref"]: one["status"] for one in await fund.payments()}


# -- approvals


async def test_two_people_approve_under_one_number_and_each_is_who_the_token_says(
    fund: Fund, anna: Caller, bo: Caller
) -> None:
    first = await outcome(fund, anna, "/v1/approvals", approval())
    assert (first["state"], [one["data"]["missing"] for one in first["decisions"]]) == ("DONE", [1, 1])
    second = await outcome(fund, bo, "/v1/approvals", approval())
    assert (second["state"], second["provider"], second["area"]) == ("DONE", fund.provider, AREA)
    assert [one["data"]["approvers"] for one in second["decisions"]] == [["anna", "bo"], ["anna", "bo"]]
    assert set((await states(fund)).values()) == {"APPROVED"}


async def test_nobody_speaks_for_somebody_else(anna: Caller) -> None:
    response = await anna.command("/v1/approvals", **approval(), staff_ref="bo")
    assert problem(response) == (422, "parameter_invalid")


async def test_an_approval_of_which_nothing_would_count_is_refused_with_why(fund: Fund, api: Api, anna: Caller) -> None:
    """Reliability row 76, over HTTP."""
    await outcome(fund, anna, "/v1/approvals", approval())
    for name, reason, detail in (
        ("anna", "TWICE", "anna approved this payment already"),
        ("Anna", "TWICE", "Anna approved this payment already"),
        ("eve", "MANDATE", "eve has no mandate of area 152500 on 2026-02-09"),
    ):
        assert await refused(person(api, name), "/v1/approvals", approval(2)) == (reason, detail)
    assert set((await states(fund)).values()) == {"ORDERED"}


async def test_an_approval_is_found_by_its_payments_whether_it_was_taken_or_refused(
    fund: Fund, api: Api, anna: Caller
) -> None:
    fund.mandate("dan", limit="899.99")
    await fund.drain()
    await refused(person(api, "eve"), "/v1/approvals", approval(2, (P1,), "900.00"))
    await refused(person(api, "dan"), "/v1/approvals", approval(2, (P1,), "900.00"))
    await outcome(fund, anna, "/v1/approvals", approval())
    await refused(anna, "/v1/approvals", approval(2, (P1,), "900.00"))
    again = await anna.command("/v1/approvals", **approval(total="900.00") | {"payments": [P1]})
    assert problem(again) == (409, "command_conflict")
    rows = (await api.caller("auditor", subject="wei").answer("/v1/audit", object=P1))["rows"]
    told = [(row["person"], row["outcome"], row["detail"].get("reason")) for row in rows]
    assert told == [
        ("anna", "command_conflict", None), ("anna", "asked", None), ("anna", "would_be_declined", "TWICE"),
        ("anna", "asked", None), ("dan", "would_be_declined", "LIMIT"), ("eve", "would_be_declined", "MANDATE"),
    ]  # fmt: skip
    assert rows[-1]["detail"]["detail"] == "eve has no mandate of area 152500 on 2026-02-09"
    assert rows[-1]["detail"]["about"] == [PROVIDER, "PZ-2", "eve", P1]


async def test_who_may_approve_what_is_told_as_of_a_day(fund: Fund, api: Api, anna: Caller) -> None:
    fund.mandate("dan", limit="700.01", valid_from="2026-02-10", valid_to="2026-02-20", approvers=["kim", "li"])
    fund.mandate("Bo", "finance", limit="31.07")
    fund.mandate("far", area="152600")
    fund.mandate("chen", valid_from="2026-01-02", valid_to="2026-01-01")
    await fund.drain()

    async def holding(caller: Caller, **asked: Any) -> list[tuple[str, str, str]]:
        told = await caller.answer("/v1/mandates", **asked)
        return [(one["staff"], one["role"], one["limit"]) for one in told["mandates"]]

    always = [("anna", "finance", "99999999.99"), ("Bo", "finance", "31.07")]
    dan = ("dan", "approver", "700.01")
    assert await holding(anna) == always
    assert await holding(anna, as_of="2026-02-10") == await holding(anna, as_of="2026-02-20") == [*always, dan]
    assert await holding(anna, as_of="2026-02-21") == always
    assert await holding(anna, area="152600") == []
    assert await holding(api.caller("auditor", areas=[AREA], organisations=[PROVIDER])) == []
    everywhere = api.caller("auditor")
    far = ("far", "approver", "99999999.99")
    assert await holding(everywhere, as_of="2026-02-10") == [*always, dan, far]
    page = await everywhere.answer("/v1/mandates", as_of="2026-02-10", limit=3)
    assert page["mandates"][-1]["approvers"] == ["kim", "li"]
    assert await holding(everywhere, as_of="2026-02-10", limit=3, cursor=page["next"]) == [far]


async def test_an_approval_of_which_a_part_does_not_count_is_declined_with_why(
    fund: Fund, api: Api, anna: Caller
) -> None:
    fund.mandate("dan", limit="500.00")
    await fund.drain()
    await outcome(fund, anna, "/v1/approvals", approval())
    told = await outcome(fund, person(api, "dan"), "/v1/approvals", approval(2))
    detail = "1 of 2: 900.00 is above the limit of dan, 500.00"
    assert (told["state"], told["reason"], told["detail"]) == ("DECLINED", "LIMIT", detail)
    assert await states(fund) == {P1: "ORDERED", OTHER: "APPROVED"}


async def test_whoever_asked_for_a_payment_cannot_approve_it(fund: Fund, api: Api, anna: Caller, bo: Caller) -> None:
    await approved(fund, api)
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=P1)
    await fund.drain()
    asked = {"retry": "CF-1", "provider": PROVIDER, "payment": P1, "reason": "收款账户已更正"}
    told = await outcome(fund, anna, "/v1/retries", asked)
    assert [one["type"] for one in told["decisions"]] == ["payment.retried.v1", "payment.ordered.v1"]
    again = told["decisions"][1]["data"]["payment_ref"]
    mine = await refused(anna, "/v1/approvals", approval(2, (again,), "900.00"))
    assert mine == ("REQUESTER", "anna asked for this payment")
    assert (await outcome(fund, bo, "/v1/approvals", approval(2, (again,), "900.00")))["state"] == "DONE"
    assert (await states(fund))[again] == "APPROVED"


async def test_a_wrong_total_is_refused_at_once_with_both_sums_and_its_number_stays_free(
    fund: Fund, api: Api, bo: Caller
) -> None:
    told = await refused(bo, "/v1/approvals", approval(total="1350.01"))
    assert told == (None, "the payments make 1350.00, not 1350.01: none is approved")
    assert await api.superuser("select from commands") == []
    assert (await outcome(fund, bo, "/v1/approvals", approval(total="1350.00")))["state"] == "DONE"


async def test_what_expired_is_approved_again_under_another_number(fund: Fund, api: Api, anna: Caller) -> None:
    await approved(fund, api)
    fund.day("2026-02-15")
    await fund.drain()
    old = await outcome(fund, anna, "/v1/approvals", approval())
    assert [one["data"]["expires_on"] for one in old["decisions"]] == ["2026-02-14", "2026-02-14"], "the same command"
    new = await outcome(fund, anna, "/v1/approvals", approval(2))
    assert [one["data"]["approvers"] for one in new["decisions"]] == [["anna"], ["anna"]]
    assert set((await states(fund)).values()) == {"ORDERED"}


async def test_the_same_number_for_another_list_is_refused(fund: Fund, anna: Caller, bo: Caller) -> None:
    await given(anna, "/v1/approvals", approval())
    response = await anna.command("/v1/approvals", **approval(payments=(P1,), total="900.00"))
    assert problem(response) == (409, "command_conflict")
    await given(bo, "/v1/approvals", approval(payments=(P1,), total="900.00"))


async def test_payments_of_several_providers_are_approved_each_by_themselves(
    fund: Fund, api: Api, anna: Caller
) -> None:
    fund.put("provider.registered.v1", provider="H15250299998")
    await fund.drain()
    await fund.control.execute(
        "insert into clearing.payments"
        " (lane, payment_ref, provider, payee, policy_ref, status, body, area, fund, fen, due)"
        " select 0, 'X/P1/310100', 'H15250299998', payee, policy_ref, status,"
        ' body || \'{"payment_ref": "X/P1/310100", "provider": "H15250299998"}\', area, fund, fen, due'
        " from clearing.payments where payment_ref = $1",
        P1,
    )
    response = await anna.command("/v1/approvals", **approval(payments=(P1, "X/P1/310100")))
    assert problem(response) == (404, "not_found")
    nobodys = {name: value for name, value in approval().items() if name != "provider"}
    response = await anna.command("/v1/approvals", **nobodys)
    assert problem(response) == (422, "parameter_invalid")
    assert "provider: say whose it is" in response.json()["detail"]


@pytest.mark.parametrize(
    "changes",
    [{"payments": []}, {"payments": [P1] * 501}, {"total": "1"}, {"approval": "a b"}, {"payments": ["x y"]}],
    ids=["no payment", "too many", "no amount", "no number", "no reference"],
)
async def test_an_approval_that_is_no_approval_is_refused_at_once(anna: Caller, changes: dict[str, Any]) -> None:
    assert problem(await anna.command("/v1/approvals", **{**approval(), **changes})) == (422, "parameter_invalid")


async def test_five_hundred_payments_are_approved_by_one_command(fund: Fund, anna: Caller) -> None:
    """As many decisions as one command can have are found again."""
    refs = [f"{P1}-{number}" for number in range(500)]
    await fund.control.execute(
        "insert into clearing.payments"
        " (lane, payment_ref, provider, payee, policy_ref, status, body, area, fund, fen, due)"
        " select 0, ref, provider, payee, policy_ref, status,"
        " body || jsonb_build_object('payment_ref', ref), area, fund, fen, due"
        " from clearing.payments, unnest($1::text[]) as ref where payment_ref = $2",
        refs,
        P1,
    )
    told = await outcome(fund, anna, "/v1/approvals", approval(payments=tuple(refs), total="450000.00"))
    assert (told["state"], len(told["decisions"])) == ("DONE", 500)


# -- retries and accounts


async def test_of_two_officers_who_ask_for_a_retry_under_one_number_the_second_is_told(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=P1)
    await fund.drain()
    asked = {"retry": "CF-1", "provider": PROVIDER, "payment": P1, "reason": "收款账户已更正"}
    answers = await asyncio.gather(*(person(api, name).command("/v1/retries", **asked) for name in ("anna", "chen")))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    await fund.drain()
    told = await refused(anna, "/v1/retries", {**asked, "retry": "CF-2"})
    assert told == (None, f"nothing of payment {P1} failed or came back and waits")
    assert len(await fund.decided("payment.retried")) == 1


async def test_what_did_not_fail_is_not_paid_again(fund: Fund, anna: Caller) -> None:
    asked = {"retry": "CF-1", "provider": PROVIDER, "payment": P1, "reason": "?"}
    _, why = await refused(anna, "/v1/retries", asked)
    assert why == f"nothing of payment {P1} failed or came back and waits"


async def test_the_present_account_alone_is_confirmed_and_again_after_each_change(fund: Fund, bo: Caller) -> None:
    fund.put("provider.changed.v1", provider=fund.provider, bank_account_ref="acct-new")
    await fund.drain()
    path = "/v1/account-confirmations"
    gone = await bo.command(path, provider=fund.provider, bank_account_ref="acct-152500-000017")
    assert problem(gone) == (409, "account_differs")
    unknown = await bo.command(path, provider="H15250299999", bank_account_ref="acct-new")
    assert problem(unknown) == (404, "not_found")
    first = await outcome(fund, bo, path, {"provider": fund.provider, "bank_account_ref": "acct-new"})
    assert (first["state"], [one["data"]["confirmed_by"] for one in first["decisions"]]) == ("DONE", ["bo"])
    account = "select body ->> 'confirmed_by' from clearing.payees where provider = $1"
    assert await fund.control.fetchval(account, fund.provider) == "bo"
    for day, ref in (("2026-02-10", "acct-old"), ("2026-02-11", "acct-new")):
        fund.day(day)
        fund.put("provider.changed.v1", provider=fund.provider, bank_account_ref=ref)
        await fund.drain()
    assert await fund.control.fetchval(account, fund.provider) is None
    again = await outcome(fund, bo, path, {"provider": fund.provider, "bank_account_ref": "acct-new"})
    assert again["command"] != first["command"]
    assert await fund.control.fetchval(account, fund.provider) == "bo"


async def test_who_entered_a_new_account_is_refused_its_confirmation_at_once(fund: Fund, bo: Caller) -> None:
    fund.put("provider.changed.v1", provider=fund.provider, bank_account_ref="acct-new", entered_by="BO")
    await fund.drain()
    asked = {"provider": fund.provider, "bank_account_ref": "acct-new"}
    _, why = await refused(bo, "/v1/account-confirmations", asked)
    assert why == "BO entered account acct-new: another one confirms it"


# -- runs


async def test_a_run_is_planned_told_to_every_lane_and_done_when_all_have_decided(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    response = await anna.command("/v1/payment-runs", **RUN)
    assert response.status_code == 202, response.text
    told = response.json()
    assert (told["run"], told["payments"], told["total"], told["available"]) == (NAME, 1, "900.00", "5000.00")
    assert (await anna.answer(told["look"]))["state"] == "PENDING"
    await fund.drain()
    done = await anna.answer(told["look"])
    assert (done["state"], done["provider"], done["decisions"]) == ("DONE", None, [])
    [sent] = await fund.decided("payment.sent")
    assert (sent["payment_ref"], sent["run_ref"]) == (P1, NAME)
    [run] = fund.log.kept["agency", 0][-1:]
    assert run.key == partition.lane_key(0, 1)


async def test_a_run_that_is_asked_for_twice_is_one_run_and_answered_the_same(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    first = await anna.command("/v1/payment-runs", **RUN)
    for _ in range(2):
        again = await person(api, "chen").command("/v1/payment-runs", **RUN)
        assert (again.status_code, again.text) == (202, first.text)
        await fund.drain()
    assert len(await fund.decided("payment.sent")) == 1
    other = await anna.command("/v1/payment-runs", **RUN, due_until="2026-03-01")
    assert problem(other) == (409, "command_conflict")


async def test_a_run_is_not_made_while_another_one_of_its_account_is_undecided(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    await given(anna, "/v1/payment-runs", RUN)
    response = await anna.command("/v1/payment-runs", **{**RUN, "number": 2})
    assert problem(response) == (409, "run_undecided")
    assert response.json()["run"] == NAME
    await given(anna, "/v1/payment-runs", {**RUN, "fund": "390100"})
    await fund.drain()
    response = await anna.command("/v1/payment-runs", **{**RUN, "number": 2})
    assert problem(response) == (409, "nothing_to_pay")
    assert response.json()["detail"].startswith("0 payments of 0.00 are approved and due by then; 4100.00 is available")


async def test_of_two_officers_who_make_a_run_at_once_one_makes_it(fund: Fund, api: Api) -> None:
    await approved(fund, api)
    answers = await asyncio.gather(
        *(
            person(api, name).command("/v1/payment-runs", **{**RUN, "number": number})
            for number, name in enumerate(("anna", "bo", "chen"), 1)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    await fund.drain()
    assert len(await fund.decided("payment.sent")) == 1


async def test_of_two_officers_who_make_the_same_run_at_once_both_are_answered_the_same(fund: Fund, api: Api) -> None:
    await approved(fund, api)
    people = [person(api, name) for name in ("anna", "bo", "chen")]
    answers = await asyncio.gather(*(caller.command("/v1/payment-runs", **RUN) for caller in people))
    assert [answer.status_code for answer in answers] == [202] * 3, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    await fund.drain()
    assert len(await fund.decided("payment.sent")) == 1
    assert len({record.value for record in fund.log.kept["agency", 0] if b"run_ref" in (record.value or b"")}) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"area": "152600"}, 404, "not_found"),
        ({"fund": "310200"}, 409, "nothing_to_pay"),
        ({"due_until": "2026-02-08"}, 409, "nothing_to_pay"),
        ({"execute_on": "2026-02-24"}, 409, "nothing_to_pay"),
        ({"execute_on": "2026-02-08"}, 422, "parameter_invalid"),
        ({"execute_on": "2026-02-15"}, 422, "no_working_day"),
        ({"number": 0}, 422, "parameter_invalid"),
        ({"staff_ref": "bo"}, 422, "parameter_invalid"),
    ],
    ids=str,
)
async def test_a_run_that_cannot_be_is_refused_and_leaves_nothing(
    fund: Fund, api: Api, anna: Caller, changes: dict[str, Any], status: int, code: str
) -> None:
    await approved(fund, api)
    assert problem(await anna.command("/v1/payment-runs", **{**RUN, **changes})) == (status, code)
    assert await api.superuser("select * from commands where kind = 'run'") == []
    assert await api.superuser("select * from runs where run_ref <> ''") == []


async def test_a_run_on_a_day_on_which_the_bank_does_not_work_is_told_the_next_one(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    for day, coming in (("2026-02-15", "2026-02-24"), ("2026-02-28", None), ("2026-03-01", "2026-03-02")):
        response = await anna.command("/v1/payment-runs", **{**RUN, "execute_on": day})
        assert response.json().get("next_working_day") == coming, "2026-02-28 makes up for the spring festival"
        await fund.drain()
    notice = {"year": 2026, "notice_ref": "GBFMD-2026-9", "holidays": ["2026-03-02"], "workdays": []}
    fund.put_in_lane("calendar.published.v1", **notice)
    await fund.drain()
    told = (await anna.command("/v1/payment-runs", **{**RUN, "execute_on": "2026-03-02"})).json()
    assert (told["code"], told["next_working_day"]) == ("no_working_day", "2026-03-03")
    assert "2026-03-03" in told["detail"]
    assert "2026-03-03" in told["detail_zh"]


async def test_who_does_not_speak_for_a_whole_area_makes_no_run(fund: Fund, api: Api) -> None:
    await approved(fund, api)
    narrow = api.caller("finance", areas=[AREA], organisations=[fund.provider], subject="anna")
    assert problem(await narrow.command("/v1/payment-runs", **RUN)) == (404, "not_found")
    assert problem(await narrow.command("/v1/treasury-requests", **REQUEST)) == (404, "not_found")


async def test_what_the_account_cannot_pay_is_not_in_the_run(fund: Fund, api: Api, anna: Caller) -> None:
    await approved(fund, api)
    fund.put("bank.line.unplaced.v1", amounts={"310100": "4500.00"}, bank_txn="X-1", direction="OUT")
    await fund.drain()
    response = await anna.command("/v1/payment-runs", **RUN)
    assert problem(response) == (409, "nothing_to_pay")
    assert response.json()["detail"] == "1 payments of 900.00 are approved and due by then; 500.00 is available"


# -- a run of two lanes, and what a crash breaks off


@pytest.mark.parametrize("told", [0, 1], ids=["before any lane has it", "between the lanes"])
async def test_a_crash_between_keeping_and_telling_a_run_heals_when_it_is_asked_for_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: int
) -> None:
    home = partition.lane_of(AREA.encode(), 2)
    async with running(database, lane=home, lanes=2) as fund:
        other = Fund(fund.control, fund.connections, lane=1 - home, lanes=2, log=fund.log)
        await other.claim("clearing")
        await begun(fund)
        async with claims_served.serving(database, fund.log, tmp_path, lanes=2) as api:
            await approved(fund, api)
            whole = MemoryAppending.append

            async def dies(self: MemoryAppending, messages: Any) -> list[int]:
                await whole(self, messages[:told])
                raise Problem("log_unavailable")

            with monkeypatch.context() as broken:
                broken.setattr(MemoryAppending, "append", dies)
                response = await person(api, "anna").command("/v1/payment-runs", **RUN)
            assert problem(response) == (503, "log_unavailable")
            await _drained(fund, other)
            response = await person(api, "bo").command("/v1/payment-runs", **{**RUN, "number": 2})
            assert problem(response) == (409, "run_undecided")
            look = await given(person(api, "bo"), "/v1/payment-runs", RUN)
            await _drained(fund, other)
            assert (await person(api, "bo").answer(look))["state"] == "DONE"
            runs = [one for lane in (0, 1) for one in fund.log.kept["agency", lane] if b"run_ref" in (one.value or b"")]
            assert len(runs) == 2
            assert len({one.value for one in runs}) == 1
            assert [sent["run_ref"] for sent in await fund.decided("payment.sent")] == [NAME]
            response = await person(api, "bo").command("/v1/payment-runs", **{**RUN, "number": 2})
            assert problem(response) == (409, "nothing_to_pay"), "every lane has decided it"


async def _drained(*funds: Fund) -> None:
    for fund in funds:
        await fund.drain()


# -- suspense and the treasury


async def suspended(fund: Fund, amount: str, direction: str, txn: str = "X-1", account: str = "1002") -> str:
    fund.put("bank.line.unplaced.v1", amounts={"310100": amount}, bank_txn=txn, direction=direction,
             bank_account=account)  # fmt: skip
    return (await fund.decided("suspense.opened"))[-1]["item_ref"]


async def test_an_item_is_placed_by_two_people_once_and_who_comes_too_late_is_told(
    fund: Fund, api: Api, anna: Caller, bo: Caller
) -> None:
    item = await suspended(fund, "1.23", "IN")
    said = {"item": item, "placed_as": "FISCAL", "placed_on": "2026-02-09"}
    carl = person(api, "carl")
    fund.mandate("carl")
    await fund.drain()
    looks = [await given(caller, "/v1/suspense-placings", said) for caller in (anna, bo, carl)]
    await fund.drain()
    told = [await anna.answer(look) for look in looks]
    assert [one["state"] for one in told] == ["DONE", "DONE", "DECLINED"]
    decided = [one["decisions"][0]["type"] for one in told[:2]]
    assert decided == ["suspense.placing.noted.v1", "suspense.placed.v1"]
    assert (told[1]["provider"], told[2]["detail"]) == (None, f"item {item} is not open")
    late = await bo.command("/v1/suspense-placings", **{**said, "placed_as": "CORRECTED"})
    assert problem(late) == (422, "does_not_fit")


async def test_a_placing_by_somebody_without_a_mandate_is_refused(fund: Fund, api: Api) -> None:
    item = await suspended(fund, "1.23", "IN")
    said = {"item": item, "placed_as": "FISCAL", "placed_on": "2026-02-09"}
    told = await refused(person(api, "eve"), "/v1/suspense-placings", said)
    assert told == (None, "eve has no mandate of area 152500 on 2026-02-09")
    assert (await outcome(fund, person(api, "bo"), "/v1/suspense-placings", said))["state"] == "DONE"


async def test_what_an_item_cannot_have_been_is_told_before_anything_is_asked(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await approved(fund, api)
    await fund.run("310100", on="2026-02-10")
    fund.recover("C-1", {"310100": 500})
    out = await suspended(fund, "900.01", "OUT")
    came = await suspended(fund, "10.00", "IN", "X-2", "1003")
    mine = {"provider": fund.provider, "placed_on": "2026-02-10"}
    for said, code, detail in (
        ({"item": out, "placed_as": "PAYMENT", "target": P1}, "does_not_fit",
         f"fund 310100: the item is 900.01, and 900.00 of {P1} can be PAYMENT"),
        ({"item": out, "placed_as": "PAYMENT", "target": OTHER}, "does_not_fit",
         f"fund 310100: the item is 900.01, and 0.00 of {OTHER} can be PAYMENT"),
        ({"item": came, "placed_as": "RETURN", "target": P1}, "does_not_fit",
         f"fund 310100: the item is 10.00, and 0.00 of {P1} can be RETURN"),
        ({"item": came, "placed_as": "RECOVERY", "target": "C-1"}, "does_not_fit",
         "fund 310100: the item is 10.00, and 5.00 of C-1 can be RECOVERY"),
        ({"item": out, "placed_as": "PAYMENT"}, "does_not_fit", "a PAYMENT names its target and its provider"),
        ({"item": out, "placed_as": "PAYMENT", "target": "B-0/P1/310100"}, "not_found", NO_TARGET),
        ({"item": came, "placed_as": "RECOVERY", "target": "C-9"}, "not_found", NO_TARGET),
    ):  # fmt: skip
        response = await anna.command("/v1/suspense-placings", **{**mine, **said})
        assert (response.json()["code"], response.json().get("detail")) == (code, detail)
    nowhere = await anna.command("/v1/suspense-placings", item="S-0", placed_as="FISCAL", placed_on="2026-02-10")
    assert problem(nowhere) == (404, "not_found")
    assert await api.superuser("select * from commands where kind = 'place'") == []


async def test_an_item_that_was_a_payment_names_it(fund: Fund, api: Api, anna: Caller) -> None:
    await approved(fund, api)
    await fund.run("310100", on="2026-02-10")
    item = await suspended(fund, "900.00", "OUT")
    said = {"item": item, "placed_as": "PAYMENT", "target": P1, "provider": fund.provider, "placed_on": "2026-02-10"}
    await outcome(fund, anna, "/v1/suspense-placings", said)
    told = await outcome(fund, person(api, "bo"), "/v1/suspense-placings", said)
    [placed] = told["decisions"]
    assert (told["state"], placed["data"]["target"]) == ("DONE", P1)


async def test_money_is_asked_of_the_treasury_once_for_each_number(fund: Fund, anna: Caller, bo: Caller) -> None:
    told = await outcome(fund, anna, "/v1/treasury-requests", REQUEST)
    assert (told["state"], told["provider"], told["area"]) == ("DONE", None, AREA)
    assert problem(await bo.command("/v1/treasury-requests", **REQUEST)) == (409, "command_conflict")
    for changes, status, code in (
        ({"area": "152600"}, 404, "not_found"),
        ({"amounts": {"310100": "-1.00"}}, 422, "event_refused"),
        ({"amounts": {}}, 422, "parameter_invalid"),
    ):
        response = await anna.command("/v1/treasury-requests", **{**REQUEST, "request": "YK-2", **changes})
        assert problem(response) == (status, code)


# -- who may, and what is on record

COMMANDS = {
    "/v1/approvals": approval(),
    "/v1/retries": {"retry": "CF-1", "provider": PROVIDER, "payment": P1, "reason": "?"},
    "/v1/account-confirmations": {"provider": "H15250200017", "bank_account_ref": "acct-152500-000017"},
    "/v1/payment-runs": RUN,
    "/v1/suspense-placings": {"item": "S-1", "placed_as": "FISCAL", "placed_on": "2026-02-10"},
    "/v1/treasury-requests": REQUEST,
}


async def test_finance_of_another_area_finds_nothing_to_command(fund: Fund, api: Api) -> None:
    await approved(fund, api)
    item = await suspended(fund, "1.23", "IN")
    stranger = api.caller("approver", areas=["152600"], subject="bo")
    for path, body in COMMANDS.items():
        own = {"provider": fund.provider} if "provider" in body else {"item": item} if "item" in body else {}
        assert problem(await stranger.command(path, **{**body, **own})) == (404, "not_found"), path


@pytest.mark.parametrize("role", ["publisher", "provider", "supplier", "operator", "auditor"])
async def test_nobody_but_finance_commands_money_and_who_tries_is_on_record(fund: Fund, api: Api, role: str) -> None:
    """Reliability row 62."""
    caller = api.caller(role, areas=[AREA], organisations=[fund.provider], subject="curious")
    for path, body in COMMANDS.items():
        assert problem(await caller.command(path, **body)) == (403, "role_not_allowed")
    rows = await api.superuser("select operation, outcome from audit where subject = 'curious' order by id")
    assert [tuple(row) for row in rows] == [
        (operation, "role_not_allowed")
        for operation in ("approve", "retry", "confirm_account", "open_run", "place", "request_funds")
    ]


async def test_every_command_about_money_is_on_record_before_it_is_on_the_log(fund: Fund, api: Api) -> None:
    await approved(fund, api)
    await given(person(api, "anna"), "/v1/payment-runs", RUN)
    rows = await api.superuser("select subject, operation, outcome, detail ->> 'run' as run from audit order by id")
    assert [tuple(row) for row in rows] == [
        ("anna", "approve", "asked", None), ("bo", "approve", "asked", None), ("anna", "open_run", "asked", NAME),
    ]  # fmt: skip


# -- the payee


async def test_a_provider_confirms_that_its_payment_has_come_and_no_other_providers(
    fund: Fund, api: Api, anna: Caller
) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-11")
    await fund.drain()
    hospital = api.caller("provider", organisations=[fund.provider], subject="hospital")
    body = {"payment": P1, "received_on": "2026-02-12"}
    assert (await outcome(fund, hospital, "/v1/receipts", body))["state"] == "DONE"
    again = await hospital.command("/v1/receipts", **body)
    assert again.status_code == 202
    assert (await hospital.command("/v1/receipts", **{**body, "received_on": "2026-02-13"})).status_code == 409
    stranger = api.caller("provider", organisations=["H15250299999"], subject="stranger")
    assert (await stranger.command("/v1/receipts", **body)).status_code == 404
    assert (await anna.command("/v1/receipts", **body)).status_code == 403
    [confirmed] = (await anna.answer("/v1/payments", confirmed="true"))["payments"]
    assert (confirmed["payment"], confirmed["confirmed_on"]) == (P1, "2026-02-12")
    assert [one["payment"] for one in (await anna.answer("/v1/payments", confirmed="false"))["payments"]] == [OTHER]
