"""What suppliers, hospitals and the agency say of statements over HTTP becomes an event, once, and is answered."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from medfund import money
from tests.conftest import Database
from tests.events import AREA
from tests.integration import purchases_served
from tests.integration.served import Api, Caller
from tests.integration.test_claims_commands import given, problem
from tests.purchasing import OTHER_SUPPLIER, SUPPLIER, Purchasing, buying, invoice_no

LINES = {invoice_no(10): "116983.20", invoice_no(11): "4820.00", invoice_no(12): "-1234.00"}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Purchasing]:
    async with buying(database, lane=0, lanes=1) as fund:
        await fund.set_up()
        assert purchases_served.month(fund) == LINES
        fund.day("2026-10-03")
        await fund.drain()
        yield fund


@pytest.fixture
async def api(fund: Purchasing, database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    async with purchases_served.serving(database, fund.log, tmp_path) as api:
        yield api


@pytest.fixture
def supplier(api: Api) -> Caller:
    return api.caller("supplier", areas=[AREA], organisations=[SUPPLIER], subject="sue")


@pytest.fixture
def hospital(api: Api, fund: Purchasing) -> Caller:
    return api.caller("provider", areas=[AREA], organisations=[fund.provider], subject="hal")


@pytest.fixture
def finance(api: Api) -> Caller:
    return api.caller("finance", areas=[AREA], subject="anna")


def submission(fund: Purchasing, lines: dict[str, str] = LINES, **changes: Any) -> dict[str, Any]:
    return {
        "statement": "DZ-1", "provider": fund.provider, "period": "2026-09-01",
        "total": money.yuan(sum(map(money.fen, lines.values()))),
        "invoices": [{"invoice": invoice, "amount": amount} for invoice, amount in lines.items()],
        **changes,
    }  # fmt: skip


def about(fund: Purchasing, **more: Any) -> dict[str, Any]:
    return {"statement": "DZ-1", "provider": fund.provider, "supplier": SUPPLIER, **more}


async def submitted(fund: Purchasing, supplier: Caller) -> None:
    await given(supplier, "/v1/statements", submission(fund))
    await fund.drain()


async def types(fund: Purchasing, family: str = "purchases") -> list[str]:
    return [dict(one.headers)["ce_type"].decode() for one in fund.log.records(family, fund.lane)]


async def test_a_supplier_submits_its_hospital_confirms_and_both_are_told_what_followed(
    fund: Purchasing, api: Api, supplier: Caller, hospital: Caller
) -> None:
    look = await given(supplier, "/v1/statements", submission(fund))
    assert (await supplier.answer(look))["state"] == "PENDING"
    await fund.drain()
    told = await supplier.answer(look)
    assert (told["state"], [one["type"] for one in told["decisions"]]) == ("DONE", ["statement.matched.v1"])
    assert told["decisions"][0]["data"]["submitted_by"] == "sue"
    look = await given(hospital, "/v1/statement-confirmations", {"statement": "DZ-1", "supplier": SUPPLIER})
    await fund.drain()
    told = await hospital.answer(look)
    assert (told["state"], told["decisions"][0]["data"]["mode"]) == ("DONE", "HOSPITAL")
    other = api.caller("provider", areas=[AREA], organisations=[fund.provider], subject="hans")
    again = await other.command("/v1/statement-confirmations", statement="DZ-1", supplier=SUPPLIER)
    assert (problem(again), again.json()["detail"]) == ((409, "would_be_declined"), "it is confirmed already")
    fund.agree({"DZ-1": "120569.20"})
    [requested] = await fund.said("statement.requested")
    assert [line[1] for line in requested["lines"]] == ["116983.20", "3586.00"]


async def test_asking_twice_is_asking_once(fund: Purchasing, supplier: Caller) -> None:
    first = await given(supplier, "/v1/statements", submission(fund))
    assert await given(supplier, "/v1/statements", submission(fund)) == first
    await fund.drain()
    assert [one["type"] for one in await fund.said("statement.matched", "statement.refused")] == ["statement.matched"]
    assert await given(supplier, "/v1/statements", submission(fund)) == first


WRONG = [
    ({"invoices": [{"invoice": invoice_no(99), "amount": "1.00"}], "total": "1.00"}, None),
    ({"invoices": [{"invoice": invoice_no(10), "amount": "116983.21"}], "total": "116983.21"}, "AMOUNT"),
    ({"invoices": [{"invoice": invoice_no(12), "amount": "-1234.00"}], "total": "-1234.00"}, "NOTHING_LEFT"),
    ({"provider": "H99999999999"}, "not registered"),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG, ids=str)
async def test_a_statement_that_is_certain_to_be_refused_is_not_kept_and_one_that_has_to_wait_is(
    fund: Purchasing, supplier: Caller, wrong: dict[str, Any], why: str | None
) -> None:
    response = await supplier.command("/v1/statements", **submission(fund, **wrong))
    if why is None:
        assert response.status_code == 202, "the invoice may be registered later"
        await fund.drain()
        assert (await supplier.answer(response.json()["look"]))["decisions"] == []
    else:
        assert problem(response) == (409, "would_be_declined")
        assert why in (response.json().get("reason") or response.json()["detail"])
        assert "statement.submitted.v1" not in await types(fund)


async def test_an_invoice_that_is_in_a_statement_is_refused_for_another_one_with_its_name(
    fund: Purchasing, supplier: Caller
) -> None:
    await submitted(fund, supplier)
    response = await supplier.command("/v1/statements", **submission(fund, statement="DZ-2"))
    assert (problem(response), response.json()["reason"]) == ((409, "would_be_declined"), "IN_ANOTHER")
    assert response.json()["detail"] == f"{invoice_no(10)} is in statement DZ-1"
    assert response.json()["detail_zh"].startswith("发票已列入其他对账单")
    taken = await supplier.command("/v1/statements", **submission(fund, {invoice_no(11): "4820.00"}))
    assert (problem(taken), taken.json()["reason"]) == ((409, "would_be_declined"), "NAME_TAKEN")


async def test_what_is_not_in_the_form_of_a_statement_is_refused_by_its_place(
    fund: Purchasing, supplier: Caller
) -> None:
    for wrong in (
        {"total": "120569.21"}, {"invoices": []}, {"period": "2026-13-01"}, {"statement": "DZ 1"},
        {"supplier": "91370000MA00000011"}, {"invoices": [{"invoice": "2637200000000000001", "amount": "1.00"}]},
    ):  # fmt: skip
        response = await supplier.command("/v1/statements", **submission(fund, **wrong))
        assert response.status_code == 422, (wrong, response.text)


async def test_a_supplier_speaks_for_itself_alone(fund: Purchasing, api: Api, supplier: Caller) -> None:
    await submitted(fund, supplier)
    rival = api.caller("supplier", areas=[AREA], organisations=[OTHER_SUPPLIER], subject="rob")
    for path, body in (
        ("/v1/statements", submission(fund, statement="DZ-3", supplier=SUPPLIER)),
        ("/v1/order-confirmations", {"order": "CG-1", "provider": fund.provider, "supplier": SUPPLIER}),
        ("/v1/statement-withdrawals", about(fund, reason="发票漏列")),
        ("/v1/statements", submission(fund, statement="DZ-3", area="370100")),
    ):
        assert problem(await rival.command(path, **body)) == (404, "not_found"), path
    [command] = await api.superuser("select id from commands")
    assert problem(await rival.get(f"/v1/commands/{command['id']}")) == (404, "not_found")
    assert (await supplier.get(f"/v1/commands/{command['id']}")).status_code == 200


async def test_a_hospital_confirms_what_is_its_own_and_nobody_what_they_submitted(
    fund: Purchasing, api: Api, supplier: Caller
) -> None:
    await submitted(fund, supplier)
    stranger = api.caller("provider", areas=[AREA], organisations=["H15250299999"], subject="hans")
    confirmation = {"statement": "DZ-1", "supplier": SUPPLIER}
    assert problem(await stranger.command("/v1/statement-confirmations", **confirmation)) == (404, "not_found")
    named = {**confirmation, "provider": fund.provider}
    assert problem(await stranger.command("/v1/statement-confirmations", **named)) == (404, "not_found")
    same = api.caller("provider", areas=[AREA], organisations=[fund.provider], subject="SUE")
    assert problem(await same.command("/v1/statement-confirmations", **confirmation)) == (409, "not_for_one_alone")
    for role in ("supplier", "finance", "approver", "operator", "auditor", "office", "publisher"):
        own = [SUPPLIER] if role == "supplier" else ["*"]
        other = api.caller(role, areas=[AREA], organisations=own, subject="otto")
        assert problem(await other.command("/v1/statement-confirmations", **named)) == (403, "role_not_allowed")
    assert "statement.confirmed.v1" not in await types(fund)


async def test_a_dispute_stops_its_line_until_somebody_ends_it(
    fund: Purchasing, supplier: Caller, hospital: Caller, finance: Caller
) -> None:
    await submitted(fund, supplier)
    line = {"invoice": invoice_no(10)}
    await given(hospital, "/v1/statement-disputes", about(fund, **line, reason="数量有误"))
    await given(finance, "/v1/statement-disputes", about(fund, invoice=invoice_no(11), reason="待查"))
    await fund.drain()
    opened = [one for event in await fund.said("statement.disputes.noted") for one in event["opened"]]
    assert [(one["invoice"], one["code"], one["detail"]) for one in opened] == [
        (invoice_no(10), "BY_HOSPITAL", "数量有误"), (invoice_no(11), "BY_AGENCY", "待查"),
    ]  # fmt: skip
    twice = await hospital.command("/v1/statement-disputes", **about(fund, **line, reason="数量有误"))
    assert twice.status_code == 202, "asked for again on the same day"
    other = await hospital.command("/v1/statement-disputes", **about(fund, **line, reason="价格有误"))
    assert problem(other) == (409, "would_be_declined")
    fund.day("2026-10-12")
    await fund.drain()
    look = await given(finance, "/v1/statement-resolutions", about(fund, **line, outcome="PAY", reason="已核对"))
    await fund.drain()
    [noted] = (await finance.answer(look))["decisions"]
    assert (noted["data"]["on"], noted["data"]["closed"][0]["invoice"]) == ("2026-10-12", invoice_no(10))
    nothing = await finance.command("/v1/statement-resolutions", **about(fund, **line, outcome="PAY", reason="再核"))
    assert problem(nothing) == (409, "would_be_declined")
    foreign = await hospital.command("/v1/statement-disputes", **about(fund, invoice=invoice_no(77), reason="?"))
    assert (problem(foreign), foreign.json()["detail"]) == (
        (409, "would_be_declined"), f"{invoice_no(77)} is not in it",
    )  # fmt: skip


async def test_a_statement_is_taken_back_while_nothing_of_it_is_requested(
    fund: Purchasing, supplier: Caller, hospital: Caller
) -> None:
    await submitted(fund, supplier)
    look = await given(supplier, "/v1/statement-withdrawals", about(fund, reason="发票漏列"))
    await fund.drain()
    assert [one["type"] for one in (await supplier.answer(look))["decisions"]] == ["statement.ended.v1"]
    for caller, path in ((supplier, "withdrawals"), (hospital, "confirmations")):
        body = about(fund, **({"reason": "再撤"} if path == "withdrawals" else {}))
        response = await caller.command(f"/v1/statement-{path}", **body)
        assert (problem(response), response.json()["detail"]) == (
            (409, "would_be_declined"), "it was withdrawn before",
        )  # fmt: skip
    await given(supplier, "/v1/statements", submission(fund, statement="DZ-2"))
    await fund.drain()
    await given(hospital, "/v1/statement-confirmations", {"statement": "DZ-2", "supplier": SUPPLIER})
    fund.agree({"DZ-2": "120569.20"})
    assert len(await fund.said("statement.requested")) == 1
    late = await supplier.command("/v1/statement-withdrawals", **{**about(fund, reason="再撤"), "statement": "DZ-2"})
    assert (problem(late), late.json()["detail"]) == (
        (409, "would_be_declined"), "1 instalments of it are requested",
    )  # fmt: skip


async def test_an_order_is_confirmed_by_its_supplier(fund: Purchasing, supplier: Caller) -> None:
    look = await given(supplier, "/v1/order-confirmations", {"order": "CG-1", "provider": fund.provider})
    await fund.drain()
    assert (await supplier.answer(look))["state"] == "DONE"
    row = await fund.control.fetchval("select body from direct_pay.orders where ref = 'CG-1'")
    assert msgspec.json.decode(row)[2] == "2026-10-03"


async def test_what_is_refused_is_recorded_whatever_characters_it_has(
    fund: Purchasing, api: Api, finance: Caller
) -> None:
    body = {"statement": "DZ-9", "invoice": invoice_no(10), "outcome": "PAY", "reason": "已\0核"}
    assert problem(await finance.command("/v1/statement-resolutions", **body)) == (422, "parameter_invalid")
    [row] = await api.superuser("select detail #>> '{asked,reason}' as reason from audit")
    assert row["reason"] == "已\ufffd核"
