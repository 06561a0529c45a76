"""People act by events: a command is given, goes to the log once, and says what became of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from medfund.events import schemas
from medfund.events.kinds import KINDS
from medfund.http.problems import Problem
from tests.conftest import Database
from tests.events import AREA
from tests.fund import PROVIDER, Fund, running
from tests.integration import claims_served
from tests.integration.claims_served import BATCH, MemoryAppending
from tests.integration.served import Api, Caller

WITHDRAWAL = {"batch": BATCH, "reason": "明细对账不符"}
APPEAL = {"appeal": "SS-1", "batch": BATCH, "finding": "F-1", "reason": "项目与病程记录一致"}
HOLD = {
    "hold": "case-1", "provider": PROVIDER, "payable": BATCH, "amounts": {"310100": "5.00"}, "reason": "条例第三十条",
    "held_from": "2026-03-02",
}  # fmt: skip
RELEASE = {
    "release": "JC-1", "hold": "case-1", "provider": PROVIDER, "payable": BATCH, "amounts": {"310100": "5.00"},
    "reason": "未发现",
    "released_on": "2026-03-30",
}  # fmt: skip


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """A claim of 100.00 yuan in review, with one finding of 1.00."""
    async with running(database) as fund:
        fund.register()
        fund.policy()
        doubted = fund.settle({"310100": 10_000})
        fund.submit(BATCH)
        await fund.drain()
        fund.find(BATCH, "F-1", {"310100": 100}, doubted)
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Fund, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with claims_served.serving(database, fund.log, tmp_path) as api:
        yield api


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="finance-one")


@pytest.fixture
def provider(api: Api) -> Caller:
    return api.caller("provider", areas=[AREA], organisations=[PROVIDER])


async def given(caller: Caller, path: str, body: dict[str, Any]) -> str:
    """Where to look."""
    response = await caller.command(path, **body)
    assert response.status_code == 202, response.text
    look: str = response.json()["look"]
    assert response.headers["location"] == look
    return look


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def approved(fund: Fund) -> None:
    fund.deduct([BATCH], {"310100": 100})
    await fund.drain()


async def test_a_withdrawal_is_pending_until_it_is_decided_and_says_what_followed(fund: Fund, provider: Caller) -> None:
    look = await given(provider, "/v1/withdrawals", WITHDRAWAL)
    told = await provider.answer(look)
    assert (told["state"], told["position"], told["decisions"]) == ("PENDING", None, [])
    await fund.drain()
    told = await provider.answer(look)
    assert (told["state"], told["position"]) == ("DONE", f"claims:{fund.lane}:2")
    [decision] = told["decisions"]
    assert (decision["type"], decision["data"]["reason"]) == ("claim.batch.withdrawn.v1", "明细对账不符")
    assert (await provider.answer(f"/v1/claims/{PROVIDER}/{BATCH}"))["state"] == "WITHDRAWN"


@pytest.mark.parametrize("settled", [False, True], ids=["before it is decided", "after it was decided"])
async def test_a_command_that_is_given_twice_counts_once_and_answers_the_same(
    fund: Fund, finance: Caller, *, settled: bool
) -> None:
    first = await finance.command("/v1/holds", **HOLD)
    if settled:
        await fund.drain()
    second = await finance.command("/v1/holds", **HOLD)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    await fund.drain()
    assert [event["type"] for event in await fund.decided("claim.payable.held", "fact.disputed")] == [
        "claim.payable.held"
    ]
    assert (await finance.answer(first.json()["look"]))["state"] == "DONE"


async def test_the_same_keys_with_other_content_are_refused_and_recorded(fund: Fund, api: Api, finance: Caller) -> None:
    await given(finance, "/v1/holds", HOLD)
    response = await finance.command("/v1/holds", **{**HOLD, "amounts": {"310100": "6.00"}})
    assert problem(response) == (409, "command_conflict")
    rows = await api.superuser("select operation, outcome from audit where subject = 'finance-one' order by id")
    assert [tuple(row) for row in rows] == [("hold", "asked"), ("hold", "asked"), ("hold", "command_conflict")]
    await fund.drain()
    [held] = await fund.decided("claim.payable.held")
    assert held["to_come"] == {"310100": "5.00"}


async def test_of_two_officers_who_say_different_things_at_once_one_is_heard(
    fund: Fund, api: Api, finance: Caller
) -> None:
    other = api.caller("approver", areas=[AREA], subject="finance-two")
    answers = await asyncio.gather(
        finance.command("/v1/holds", **HOLD),
        other.command("/v1/holds", **{**HOLD, "reason": "another reason"}),
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    same = await asyncio.gather(
        *(caller.command("/v1/holds", **{**HOLD, "hold": "case-2"}) for caller in (finance, other))
    )
    assert [answer.status_code for answer in same] == [202, 202]
    assert same[0].text == same[1].text
    await fund.drain()
    assert [event["hold_ref"] for event in await fund.decided("claim.payable.held")] == ["case-1", "case-2"]


async def test_two_holds_of_more_than_there_is_end_as_one_done_and_one_disputed(fund: Fund, finance: Caller) -> None:
    await approved(fund)
    everything = {"310100": "94.05"}
    looks = [await given(finance, "/v1/holds", {**HOLD, "hold": hold, "amounts": everything}) for hold in ("A", "B")]
    await fund.drain()
    told = [await finance.answer(look) for look in looks]
    assert [one["state"] for one in told] == ["DONE", "DISPUTED"]
    assert [one["type"] for one in told[0]["decisions"]] == ["payment.cancelled.v1", "claim.payable.held.v1"]
    assert told[1]["detail"] == "fund 310100: less than 94.05 is open and not sent to the bank"


async def test_a_hold_is_placed_and_released_and_what_was_held_is_paid(fund: Fund, finance: Caller) -> None:
    hold = await given(finance, "/v1/holds", HOLD)
    await fund.drain()
    await approved(fund)
    claim = await finance.answer(f"/v1/claims/{PROVIDER}/{BATCH}")
    assert (claim["totals"]["held"], claim["holds"][0]["hold"]) == ("5.00", "case-1")
    release = await given(finance, "/v1/releases", RELEASE)
    await fund.drain()
    assert (await finance.answer(hold))["state"] == "DONE"
    told = await finance.answer(release)
    assert [one["type"] for one in told["decisions"]] == ["claim.payable.released.v1", "payment.ordered.v1"]
    assert told["decisions"][1]["data"]["amounts"] == {"310100": "5.00"}
    assert (await finance.answer(f"/v1/claims/{PROVIDER}/{BATCH}"))["totals"]["held"] == "0.00"


async def test_an_appeal_is_filed_once_and_a_second_one_has_another_number(fund: Fund, provider: Caller) -> None:
    first = await given(provider, "/v1/appeals", APPEAL)
    again = await given(provider, "/v1/appeals", {**APPEAL, "appeal": "SS-2"})
    await fund.drain()
    assert (await provider.answer(first))["decisions"][0]["data"]["status"] == "APPEALED"
    told = await provider.answer(again)
    assert (told["state"], told["detail"]) == ("DISPUTED", "finding F-1 is under appeal already")


async def test_a_batch_that_was_claimed_anew_can_be_withdrawn_anew(fund: Fund, provider: Caller) -> None:
    first = await given(provider, "/v1/withdrawals", WITHDRAWAL)
    await fund.drain()
    assert await given(provider, "/v1/withdrawals", WITHDRAWAL) == first
    fund.submit(BATCH, on="2026-02-11")
    await fund.drain()
    second = await given(provider, "/v1/withdrawals", WITHDRAWAL)
    assert second != first
    await fund.drain()
    assert (await provider.answer(second))["state"] == "DONE"


async def test_an_event_that_the_books_refuse_says_why(fund: Fund, finance: Caller) -> None:
    """The provider moved to another area between the asking and the reading."""
    look = await given(finance, "/v1/holds", HOLD)
    records = fund.log.kept["reviews", fund.lane]
    fund.log.ends["reviews", fund.lane] -= 1
    held_back = records.pop()
    fund.put("provider.changed.v1", provider=PROVIDER, area="152600")
    await fund.drain()
    fund.log.put("reviews", fund.lane, key=held_back.key, value=held_back.value, headers=held_back.headers)
    await fund.drain()
    told = await finance.answer(look)
    assert (told["state"], told["reason"]) == ("REFUSED", "area_mismatch")


async def test_who_sends_an_event_that_contradicts_what_was_decided_is_told_so(
    fund: Fund, database: Database, tmp_path: Path
) -> None:
    fund.appeal(BATCH, "F-9")
    fund.appeal(BATCH, "F-1")
    source = schemas.source_of(KINDS["audit.appeal.filed.v1"])
    async with claims_served.books(database, fund.log, tmp_path) as books:
        looks = [f"/v1/events/{source}/e-{fund.sent - before}" for before in (1, 0)]
        await fund.drain()
        told = [(await books.caller("operator").answer(look))["accepted"] for look in looks]
    [disputed] = await fund.decided("fact.disputed")
    assert [one["effect"] for one in told] == ["none_by_rule", "none_by_rule"]
    assert [one["disputed"] and one["disputed"]["detail"] for one in told] == [disputed["detail"], None]
    topic, lane, _ = told[0]["disputed"]["position"].split(":")
    assert (topic, int(lane), disputed["detail"]) == ("clearing", fund.lane, "batch B-202601 has no finding F-9")


async def test_nobody_commands_what_is_not_theirs(fund: Fund, api: Api, provider: Caller, finance: Caller) -> None:
    look = await given(finance, "/v1/holds", HOLD)
    stranger = api.caller("provider", areas=[AREA], organisations=["H15250299999"])
    other_area = api.caller("finance", areas=["152600"])
    for caller, path, body in (
        (stranger, "/v1/withdrawals", WITHDRAWAL),
        (stranger, "/v1/withdrawals", {**WITHDRAWAL, "provider": PROVIDER}),
        (stranger, "/v1/appeals", APPEAL),
        (provider, "/v1/appeals", {**APPEAL, "finding": "F-9"}),
        (other_area, "/v1/holds", {**HOLD, "hold": "X"}),
        (other_area, "/v1/releases", RELEASE),
        (finance, "/v1/holds", {**HOLD, "payable": "B-none"}),
    ):
        assert problem(await caller.command(path, **body)) == (404, "not_found")
    for caller in (stranger, other_area):
        assert problem(await caller.get(look)) == (404, "not_found")
    assert problem(await finance.command("/v1/withdrawals", **WITHDRAWAL)) == (403, "role_not_allowed")
    assert problem(await provider.command("/v1/holds", **HOLD)) == (403, "role_not_allowed")
    await fund.drain()
    assert [event["type"] for event in await fund.decided("claim.batch.withdrawn", "fact.disputed")] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amounts": {"310100": "-5.00"}}, "event_refused"),
        ({"amounts": {"310100": "5"}}, "parameter_invalid"),
        ({"amounts": {"999999": "5.00"}}, "parameter_invalid"),
        ({"amounts": {}}, "parameter_invalid"),
        ({"hold": "a b"}, "parameter_invalid"),
        ({"held_from": "2026-02-29"}, "parameter_invalid"),
        ({"reason": "x" * 501}, "parameter_invalid"),
        ({"reason": "a\u2028b"}, "event_refused"),
        ({"account": "2104"}, "parameter_invalid"),
    ],
    ids=str,
)
async def test_a_command_that_cannot_be_an_event_is_refused_before_anything_is_kept(
    fund: Fund, api: Api, finance: Caller, changes: dict[str, Any], code: str
) -> None:
    assert problem(await finance.command("/v1/holds", **{**HOLD, **changes})) == (422, code)
    assert await api.superuser("select * from commands") == []


async def test_a_body_is_json_of_a_bounded_size(finance: Caller) -> None:
    async def post(content: bytes, type: str = "application/json") -> tuple[int, str]:
        headers = {**finance.headers, "content-type": type}
        return problem(await finance.client.post("/v1/holds", content=content, headers=headers))

    assert await post(b"{") == (400, "body_malformed")
    assert await post(b"{}", "text/plain") == (415, "media_type_unsupported")
    assert await post(b" " * (1 << 20)) == (413, "body_too_large")


async def test_without_a_log_a_command_can_be_given_again(
    fund: Fund, api: Api, finance: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> list[int]:
        raise Problem("log_unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryAppending, "append", away)
        assert problem(await finance.command("/v1/holds", **HOLD)) == (503, "log_unavailable")
    look = await given(finance, "/v1/holds", HOLD)
    await fund.drain()
    assert (await finance.answer(look))["state"] == "DONE"


async def test_what_is_certain_to_come_to_nothing_is_refused_at_once_and_uses_up_no_number(
    fund: Fund, api: Api, finance: Caller, provider: Caller
) -> None:
    """Of whatever kind. Once what it lacked is there, the same is asked for under the same number."""
    fund.mandate("finance-one", "finance")
    fund.day("2026-03-02")
    await approved(fund)
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    p2 = f"{BATCH}/P2/310100"
    certain = [
        (provider, "/v1/withdrawals", WITHDRAWAL, "batch B-202601 is being paid: it cannot be withdrawn any more"),
        (provider, "/v1/appeals", APPEAL, "finding F-1 is under appeal already"),
        (provider, "/v1/receipts", {"payment": p2, "received_on": "2026-03-02"}, f"{p2} was not sent to the bank"),
        (finance, "/v1/releases", RELEASE, "fund 310100: hold case-1 holds less than 5.00"),
        (finance, "/v1/holds", {**HOLD, "amounts": {"310100": "94.06"}}, "fund 310100: less than 94.06 is open"),
        (
            finance,
            "/v1/retries",
            {"retry": "CF-1", "provider": PROVIDER, "payment": p2, "reason": "?"},
            f"nothing of payment {p2} failed or came back and waits",
        ),
    ]
    kinds = [
        "所处环节不允许办理",
        "该事项已办理，不能重复办理",
        "所处环节不允许办理",
        *["金额与可办理的金额不符"] * 2,
        "所指的事项不存在或已办结",
    ]
    for (caller, path, body, why), zh in zip(certain, kinds, strict=True):
        response = await caller.command(path, **body)
        assert problem(response) == (409, "would_be_declined"), path
        assert response.json()["detail"].startswith(why)
        assert response.json()["detail_zh"] == f"{zh}，详见 detail"
    assert await api.superuser("select from commands") == []
    await given(finance, "/v1/holds", {**HOLD, "amounts": {"310100": "94.05"}})
    await fund.drain()
    await given(finance, "/v1/releases", RELEASE)
    fund.appeal(BATCH, "F-1", {})
    await fund.drain()
    await given(provider, "/v1/appeals", APPEAL)
