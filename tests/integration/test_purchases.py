"""Purchases from order to request: events on a log, direct payment, a real database."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from direct_pay.statements import requesting
from medfund import money
from medfund.lanes.lane import Limits
from tests.conftest import Database
from tests.integration.test_batch_cost import Counted
from tests.purchasing import INSULIN, METFORMIN, NAMES, OTHER_SUPPLIER, STENT, SUPPLIER, Purchasing, buying, invoice_no


@pytest.fixture
async def buyer(database: Database) -> AsyncIterator[Purchasing]:
    async with buying(database) as fund:
        await fund.set_up()
        yield fund


async def worked_example(fund: Purchasing) -> None:
    """R3.5: 120,000.00 + 45,678.90, and a red letter of 3,210.00."""
    fund.product(METFORMIN, "12.00")
    fund.product(INSULIN, "45678.90", "NEGOTIATED")
    fund.deliver("CG-1", (METFORMIN, 10_000, "12.00"), (INSULIN, 1, "45678.90"))
    first = fund.invoice(1, "CG-1", (METFORMIN, 10_000, "12.00"))
    line = {"order_no": "CG-1", "line": 2, "product": INSULIN, "quantity": 1, "price": "45678.90", "amount": "45678.90"}
    second = fund.invoice(2, "CG-1", lines=[line])
    red = fund.red(3, second, "3210.00")
    fund.submit_statement("DZ-1", {first: "120000.00", second: "45678.90", red: "-3210.00"})
    fund.confirm("DZ-1")
    await fund.drain()


async def test_a_statement_is_split_line_by_line_by_its_key_and_requested_as_it_was_agreed_to(
    buyer: Purchasing,
) -> None:
    await worked_example(buyer)
    buyer.agree({"DZ-1": "162468.90"})
    [matched] = await buyer.said("statement.matched")
    assert matched["disputes"] == []
    assert matched["due"] == "2026-09-30"
    [event] = await buyer.said("statement.requested")
    assert event["amounts"] == {"310100": "111079.99", "390100": "51388.91"}
    assert event["lines"] == [
        [invoice_no(1), "120000.00", "2026-09-30", "2026-09-06"],
        [invoice_no(2), "42468.90", "2026-09-30", "2026-09-06"],
    ]  # fmt: skip
    assert (event["due"], event["key_version"], event["payable_ref"]) == ("2026-09-30", "2026-08", f"{SUPPLIER}/DZ-1/1")
    assert [one["amounts"] for one in await buyer.said("order.committed")] == [
        {"310100": "113274.66", "390100": "52404.24"}
    ]
    assert [one["amounts"] for one in await buyer.said("order.released")] == [
        {"310100": "113274.66", "390100": "52404.24"}
    ]
    assert await buyer.refused() == []


async def test_what_is_read_again_from_the_log_is_the_same(buyer: Purchasing) -> None:
    await worked_example(buyer)
    buyer.agree({"DZ-1": "162468.90"})
    buyer.red(4, invoice_no(2), "210.00", on="2026-10-09")
    buyer.day("2026-10-08")
    before, told = await buyer.tables("direct_pay"), len(await buyer.said())
    await buyer.rebuild("direct_pay")
    assert await buyer.tables("direct_pay") == before
    assert len(await buyer.said()) == told


# -- what follows for statements


async def stated(fund: Purchasing, ref: str = "DZ-1", *, number: int = 1, quantity: int = 100, on: str = "2026-09-06",
                 **data: str) -> str:  # fmt: skip
    """Something of 34.56 was bought, delivered, invoiced, submitted and confirmed; the invoice."""
    fund.product(METFORMIN, "34.56")
    fund.deliver(f"CG-{number}", (METFORMIN, quantity, "34.56"), on=on)
    invoice = fund.invoice(number, f"CG-{number}", (METFORMIN, quantity, "34.56"), on=on)
    fund.submit_statement(ref, {invoice: money.yuan(quantity * 3456)}, **data)
    fund.confirm(ref)
    await fund.drain()
    return invoice


async def test_of_two_people_none_confirms_what_he_submitted(buyer: Purchasing) -> None:
    await stated(buyer, submitted_by="HAL")
    buyer.agree({"DZ-1": "3456.00"})
    [told] = await buyer.said("statement.confirmation.noted")
    assert (told["mode"], told["detail"]) == ("ESCALATED", "hal submitted it, and cannot confirm it")
    assert [one["detail"] for one in await buyer.said("statement.withheld")] == ["the hospital has not confirmed it"]
    buyer.confirm("DZ-1", by="ida", on="2026-10-08")
    buyer.agree({"DZ-1": "3456.00"}, on="2026-10-09")
    [event] = await buyer.said("statement.requested")
    assert event["amounts"] == {"310100": "2362.87", "390100": "1093.13"}


async def test_what_is_not_any_more_what_people_saw_is_withheld(buyer: Purchasing) -> None:
    invoice = await stated(buyer)
    buyer.red(2, invoice, "345.60")
    buyer.agree({"DZ-1": "3456.00", "DZ-9": "1.00"})
    assert [one["detail"] for one in await buyer.said("statement.withheld")] == [
        "3456.00 was agreed to, 3110.40 is to be paid now",
        "DZ-9 is no statement that was matched",
    ]
    buyer.agree({"DZ-1": "3110.40"}, plan="JS-2")
    assert [one["lines"][0][1] for one in await buyer.said("statement.requested")] == ["3110.40"]
    buyer.agree({"DZ-1": "3110.40"}, plan="JS-3")
    assert [one["detail"] for one in await buyer.said("statement.withheld")][2:] == [
        "3110.40 was agreed to, 0.00 is to be paid now"
    ]


async def test_where_nobody_published_a_key_the_last_months_approved_amounts_are_it(database: Database) -> None:
    async with buying(database) as fund:
        fund.register()
        fund.policy()
        fund.mandate_direct()
        fund.contract(METFORMIN)
        amounts = {"310100": "2070769.82", "310200": "99.00", "390100": "958120.18"}
        for month, parts in (("2026-07", {"310100": "5.00"}), ("2026-08", amounts)):
            fund.put("claim.batch.accepted.v1", provider=fund.provider, batch=month, amounts=parts,
                     period_from=f"{month}-01", period_to=f"{month}-31")  # fmt: skip
            fund.put("claim.batch.approved.v1", provider=fund.provider, payable_ref=month, batches=[month],
                     approved=parts, bond={}, net=parts)  # fmt: skip
        await stated(fund)
        fund.agree({"DZ-1": "3456.00"})
        [event] = await fund.said("statement.requested")
    assert (event["key_version"], event["key"]) == ("2026-08", {"310100": 207_076_982, "390100": 95_812_018})
    assert event["amounts"] == {"310100": "2362.77", "390100": "1093.23"}


async def test_a_withdrawn_statement_frees_its_invoices(buyer: Purchasing) -> None:
    invoice = await stated(buyer)
    buyer.say("statement.withdrawn", statement_ref="DZ-1", withdrawn_on="2026-10-06")
    buyer.submit_statement("DZ-1", {invoice: "3456.00"}, on="2026-10-06")
    buyer.submit_statement("DZ-2", {invoice: "3456.00"}, on="2026-10-06")
    assert [one["code"] for one in await buyer.said("statement.refused")] == ["NAME_TAKEN"]
    assert [one["statement_ref"] for one in await buyer.said("statement.ended")] == ["DZ-1"]
    assert [one["statement_ref"] for one in await buyer.said("statement.matched")] == ["DZ-1", "DZ-2"]


REFUSED = [
    ({"AMOUNT": "3456.01"}, "AMOUNT", f"{invoice_no(1)} is of 3456.00, the statement says 3456.01"),
    ({"NOTHING": ""}, "NOTHING_LEFT", "it lists no invoice that anything could be paid of"),
    ({"YOURS": ""}, "NOT_YOURS", f"{invoice_no(1)} was registered by {SUPPLIER} for "),
]


@pytest.mark.parametrize(("how", "code", "detail"), REFUSED, ids=[one[1] for one in REFUSED])
async def test_a_statement_that_will_never_be_right_is_refused_with_the_reason(
    buyer: Purchasing, how: dict[str, str], code: str, detail: str
) -> None:
    invoice = await stated(buyer, "DZ-0")
    buyer.say("statement.withdrawn", statement_ref="DZ-0", withdrawn_on="2026-10-06")
    supplier = OTHER_SUPPLIER if "YOURS" in how else SUPPLIER
    lines = {invoice: how.get("AMOUNT", "3456.00")}
    if "NOTHING" in how:
        lines = {buyer.red(7, invoice, "56.00"): "-56.00"}
    buyer.submit_statement("DZ-1", lines, supplier=supplier)
    [refused] = await buyer.said("statement.refused")
    assert refused["code"] == code
    assert refused["detail"].startswith(detail)


async def test_a_statement_waits_for_its_invoices_and_is_refused_when_they_do_not_come(buyer: Purchasing) -> None:
    buyer.submit_statement("DZ-1", {invoice_no(1): "3456.00"}, on="2026-10-03")
    buyer.submit_statement("DZ-2", {invoice_no(2): "5.00"}, on="2026-10-03")
    buyer.confirm("DZ-1")
    buyer.day("2026-10-08")
    assert await buyer.said("statement.matched", "statement.refused") == []
    buyer.product(METFORMIN, "34.56")
    buyer.deliver("CG-1", (METFORMIN, 100, "34.56"))
    buyer.invoice(1, "CG-1", (METFORMIN, 100, "34.56"))
    buyer.day("2026-10-09")
    assert [one["statement_ref"] for one in await buyer.said("statement.matched")] == ["DZ-1"]
    assert [one["mode"] for one in await buyer.said("statement.confirmation.noted")] == ["HOSPITAL"]
    buyer.day("2026-11-02")
    assert await buyer.said("statement.refused") == []
    buyer.day("2026-11-03")
    [refused] = await buyer.said("statement.refused")
    assert (refused["statement_ref"], refused["code"], refused["invoice"]) == ("DZ-2", "NO_INVOICE", invoice_no(2))


# -- red letters


async def test_a_red_letter_larger_than_the_months_invoices_takes_from_what_it_is_about(
    buyer: Purchasing,
) -> None:
    """Edge case 52."""
    first = await stated(buyer, quantity=1000)
    buyer.agree({"DZ-1": "34560.00"})
    await buyer.drain()
    buyer.product(INSULIN, "48.20", "NEGOTIATED")
    buyer.deliver("CG-2", (INSULIN, 10, "48.20"), on="2026-10-12")
    second = buyer.invoice(2, "CG-2", (INSULIN, 10, "48.20"))
    red = buyer.red(3, first, "7000.01", on="2026-10-13")
    buyer.submit_statement("DZ-2", {second: "482.00", red: "-7000.01"}, on="2026-11-02")
    buyer.confirm("DZ-2")
    buyer.agree({"DZ-2": "482.00"}, plan="JS-2", on="2026-11-04")
    [reduced] = await buyer.said("statement.line.reduced")
    assert (reduced["payable_ref"], reduced["invoice"]) == (f"{SUPPLIER}/DZ-1/1", first)
    assert reduced["amounts"] == {"310100": "4785.90", "390100": "2214.11"}
    assert [one["amounts"] for one in await buyer.said("statement.requested")][1] == {
        "310100": "329.54", "390100": "152.46"
    }  # fmt: skip


async def test_red_letters_after_the_key_changed_bring_each_fund_back_to_nothing(
    buyer: Purchasing,
) -> None:
    """Edge case 53."""
    blue = await stated(buyer, quantity=7)
    buyer.agree({"DZ-1": "241.92"})
    buyer.key({"310100": 1, "390100": 1}, since="2026-10-08", version="2026-09")
    for number, amount in enumerate(("100.01", "0.01", "141.90"), 2):
        buyer.red(number, blue, amount, on="2026-10-09")
    [event] = await buyer.said("statement.requested")
    reduced = await buyer.said("statement.line.reduced")
    assert [one["amounts"] for one in reduced] == [
        {"310100": "68.38", "390100": "31.63"}, {"390100": "0.01"}, {"310100": "97.02", "390100": "44.88"}
    ]  # fmt: skip
    for fund, amount in event["amounts"].items():
        assert money.fen(amount) == sum(money.fen(one["amounts"].get(fund, "0.00")) for one in reduced)


async def test_red_letters_above_their_invoice_are_refused_and_one_before_it_waits_and_is_told(
    buyer: Purchasing,
) -> None:
    early = buyer.red(2, invoice_no(1), "3000.00", on="2026-09-01")
    late = buyer.red(3, invoice_no(9), "1.00", on="2026-09-01")
    buyer.day("2026-10-01")
    assert await buyer.said("invoice.red.unmatched") == []
    buyer.day("2026-10-09")
    assert [(one["red"], one["refused"]) for one in await buyer.said("invoice.red.unmatched")] == [
        (early, False), (late, False)
    ]  # fmt: skip
    await stated(buyer)
    buyer.red(4, invoice_no(1), "456.01")
    buyer.red(5, invoice_no(1), "456.00")
    buyer.red(5, invoice_no(9), "7.00")
    buyer.day("2026-10-12")
    told = (await buyer.said("invoice.red.unmatched"))[2:]
    assert [(one["red"], one["refused"], one["detail"]) for one in told] == [
        (invoice_no(4), True, "456.01 of 456.00 that are left"),
        (invoice_no(5), True, f"{invoice_no(5)} is known already, as a red letter of {invoice_no(1)}"),
    ]
    buyer.agree({"DZ-1": "3456.00"}, on="2026-10-13")
    [withheld] = await buyer.said("statement.withheld")
    assert withheld["detail"] == "3456.00 was agreed to, 0.00 is to be paid now"


async def test_a_red_letter_takes_first_what_went_back_then_what_is_in_dispute_then_the_rest(buyer: Purchasing) -> None:
    """1,000 x 5.00, 400 x 5.01 (one fen too much) and 100 x 2.00; 200 of the first went back."""
    buyer.product(METFORMIN, "5.00")
    buyer.product(STENT, "5.00")
    buyer.product(INSULIN, "2.00", "NEGOTIATED")
    buyer.deliver("CG-1", (METFORMIN, 1000, "5.00"), (STENT, 400, "5.00"), (INSULIN, 100, "2.00"))
    lines = (METFORMIN, 1000, "5.00"), (STENT, 400, "5.01"), (INSULIN, 100, "2.00")
    blue = buyer.invoice(1, "CG-1", *lines)
    buyer.give_back("CG-1", 1, 200)
    buyer.submit_statement("DZ-1", {blue: "7204.00"})
    buyer.confirm("DZ-1")
    assert await buyer.disputed() == [
        ("PRICE", "5.01 > 5.00"),
        ("TOO_MANY", "1000.00 of 5000.00 is beyond what was taken in"),
    ]
    buyer.red(2, blue, "1000.00")
    buyer.agree({"DZ-1": "4200.00"})
    [first] = await buyer.said("statement.requested")
    assert first["lines"] == [[blue, "4200.00", "2026-09-30", "2026-09-06"]]
    [noted] = await buyer.said("statement.disputes.noted")
    assert [one["code"] for one in noted["closed"]] == ["TOO_MANY"]
    buyer.red(3, blue, "2004.00", on="2026-10-09")
    assert await buyer.said("statement.line.reduced") == [], "it takes back what is in dispute"
    buyer.red(4, blue, "50.00", on="2026-10-10")
    [reduced] = await buyer.said("statement.line.reduced")
    assert reduced["amounts"] == {"310100": "34.18", "390100": "15.82"}


async def test_an_invoice_that_is_taken_back_whole_makes_room_for_the_one_in_its_place(buyer: Purchasing) -> None:
    wrong = await stated(buyer, "DZ-0", quantity=100)
    buyer.say("statement.withdrawn", statement_ref="DZ-0", withdrawn_on="2026-10-06")
    right = buyer.invoice(2, "CG-1", (METFORMIN, 100, "34.56"), on="2026-09-20")
    buyer.submit_statement("DZ-1", {right: "3456.00"}, on="2026-10-07")
    buyer.red(3, wrong, "3456.00", on="2026-09-19")
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "3456.00"}, on="2026-10-08")
    assert [one["code"] for event in await buyer.said("statement.matched") for one in event["disputes"]] == ["TOO_MANY"]
    assert [one["lines"][0][:2] for one in await buyer.said("statement.requested")] == [[right, "3456.00"]]


async def test_a_red_letter_on_one_line_makes_no_room_for_a_second_invoice_of_another(buyer: Purchasing) -> None:
    buyer.order("CG-1", (METFORMIN, 100, "12.34"), (STENT, 5, "796.00"))
    buyer.ship("CG-1", (METFORMIN, 100), (STENT, 5))
    buyer.accept("CG-1", 100)
    first = buyer.invoice(1, "CG-1", (METFORMIN, 100, "12.34"), (STENT, 5, "796.00"))
    red = buyer.red(2, first, "3980.00", on="2026-09-09")
    buyer.submit_statement("DZ-1", {first: "5214.00", red: "-3980.00"})
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "1234.00"})
    again = buyer.invoice(3, "CG-1", (METFORMIN, 76, "12.34"), on="2026-09-20")
    buyer.submit_statement("DZ-2", {again: "937.84"}, on="2026-10-08")
    buyer.confirm("DZ-2", on="2026-10-09")
    buyer.agree({"DZ-2": "937.84"}, on="2026-10-10", plan="JS-2")
    assert [one["lines"][0][:2] for one in await buyer.said("statement.requested")] == [[first, "1234.00"]]
    assert (await buyer.disputed())[-1] == ("TOO_MANY", "937.84 of 937.84 is beyond what was taken in")


# -- the match


async def test_an_invoice_is_in_one_statement(buyer: Purchasing) -> None:
    """Edge case 54."""
    invoice = await stated(buyer)
    buyer.submit_statement("DZ-2", {invoice: "3456.00"})
    [refused] = await buyer.said("statement.refused")
    assert (refused["code"], refused["detail"]) == ("IN_ANOTHER", f"{invoice} is in statement DZ-1")


async def test_what_was_not_taken_in_is_in_dispute_and_the_rest_goes_on(buyer: Purchasing) -> None:
    """Edge case 55."""
    buyer.order("CG-1", (METFORMIN, 110, "12.34"), (INSULIN, 20, "48.20"))
    buyer.ship("CG-1", (METFORMIN, 110), (INSULIN, 20))
    buyer.accept("CG-1", 100, 20)
    both = [buyer.invoice(1, "CG-1", (METFORMIN, 110, "12.34"), (INSULIN, 20, "48.20"))]
    buyer.submit_statement("DZ-1", {both[0]: "2321.40"})
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "964.00"})
    assert await buyer.disputed() == [("TOO_MANY", "123.40 of 1357.40 is beyond what was taken in")]
    assert [one["lines"][0][1] for one in await buyer.said("statement.requested")] == ["964.00"]
    buyer.accept("CG-1", on="2026-10-10", lines=[{"line": 1, "lot": "L1", "accepted": 10}])
    buyer.day("2026-10-12")
    [noted] = await buyer.said("statement.disputes.noted")
    assert ([one["code"] for one in noted["closed"]], noted["due"]) == (["TOO_MANY"], "2026-10-15")
    buyer.agree({"DZ-1": "1357.40"}, plan="JS-2", on="2026-10-13")
    second = (await buyer.said("statement.requested"))[1]
    assert (second["payable_ref"], second["lines"]) == (
        f"{SUPPLIER}/DZ-1/2", [[both[0], "1357.40", "2026-10-15", "2026-09-06"]]
    )  # fmt: skip


async def test_the_price_is_that_of_the_day_of_the_order(buyer: Purchasing) -> None:
    """Edge case 56."""
    buyer.order("CG-1", (METFORMIN, 10, "12.34"), on="2026-08-31")
    buyer.product(METFORMIN, "9.99", since="2026-09-01")
    buyer.order("CG-2", (METFORMIN, 10, "9.99"), on="2026-09-01")
    lines = {}
    for number, price in ((1, "12.34"), (2, "9.99"), (3, "9.98"), (4, "12.34")):
        no = "CG-1" if number == 1 else "CG-2"
        lines[buyer.invoice(number, no, (METFORMIN, 10 if number == 1 else 3, price))] = (
            "123.40" if number == 1 else (money.yuan(3 * money.fen(price)))
        )
    for no in ("CG-1", "CG-2"):
        buyer.ship(no, (METFORMIN, 10))
        buyer.accept(no, 10)
    buyer.submit_statement("DZ-1", lines)
    assert await buyer.disputed() == [("PRICE", "9.98 < 9.99"), ("PRICE", "12.34 > 9.99")]


async def test_a_product_that_left_the_bulk_purchase_is_as_it_was_on_the_day_of_its_order(
    buyer: Purchasing,
) -> None:
    """Edge case 57."""
    buyer.product(METFORMIN, "12.34", "LISTED", since="2026-09-16")
    lines = {}
    for number, day in enumerate(("2026-09-15", "2026-09-16"), 1):
        buyer.deliver(f"CG-{number}", (METFORMIN, 10, "12.34"), on="2026-09-18")
        buyer.order(f"CG-1{number}", (METFORMIN, 10, "12.34"), on=day)
        buyer.ship(f"CG-1{number}", (METFORMIN, 10))
        buyer.accept(f"CG-1{number}", 10, on="2026-09-18")
        lines[buyer.invoice(number, f"CG-1{number}", (METFORMIN, 10, "12.34"))] = "123.40"
    buyer.submit_statement("DZ-1", lines)
    assert await buyer.disputed() == [("SCOPE", "LISTED/PUBLIC was not paid directly on 2026-09-16")]


async def test_damaged_goods_are_not_taken_in_and_an_expired_lot_is_in_dispute(buyer: Purchasing) -> None:
    """Edge case 58."""
    buyer.order("CG-1", (METFORMIN, 100, "12.34"), (INSULIN, 8, "48.20"))
    buyer.ship("CG-1", (METFORMIN, 80))
    buyer.ship("CG-1", (INSULIN, 8), lot="L2", expires="2026-09-05", numbers=[2])
    refused = {"line": 1, "lot": "L1", "accepted": 65, "refused": 15, "reason": "DAMAGED"}
    buyer.accept("CG-1", lines=[refused, {"line": 2, "lot": "L2", "accepted": 8}])
    buyer.ship("CG-1", (METFORMIN, 15), lot="L3", on="2026-09-10")
    buyer.accept("CG-1", 15, lot="L3", on="2026-09-12")
    first = buyer.invoice(1, "CG-1", (METFORMIN, 65, "12.34"))
    line = {"order_no": "CG-1", "line": 1, "product": METFORMIN, "quantity": 15, "price": "12.34", "amount": "185.10"}
    second = buyer.invoice(2, "CG-1", lines=[line], on="2026-09-13")
    other = {"order_no": "CG-1", "line": 2, "product": INSULIN, "quantity": 8, "price": "48.20", "amount": "385.60"}
    third = buyer.invoice(3, "CG-1", lines=[other])
    buyer.submit_statement("DZ-1", {first: "802.10", second: "185.10", third: "385.60"})
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "987.20"})
    assert await buyer.disputed() == [("DATES", "lot L2 had expired on 2026-09-05, taken in on 2026-09-06")]
    [event] = await buyer.said("statement.requested")
    assert event["lines"] == [
        [first, "802.10", "2026-09-30", "2026-09-06"], [second, "185.10", "2026-09-30", "2026-09-12"]
    ]  # fmt: skip
    released = await buyer.said("order.released")
    assert (
        sum(money.fen(fen) for one in released for fen in one["amounts"].values()) == 65 * 1234 + 8 * 4820 + 15 * 1234
    )


MISMATCHES = {
    "accepted above shipped": ("NOT_SHIPPED", "11 taken in, 10 sent"),
    "shipped above ordered": ("NOT_ORDERED", "14 sent, 12 ordered"),
    "never shipped": ("NOT_SHIPPED", "10 taken in, 0 sent"),
    "not accepted": ("NOT_ACCEPTED", "0 taken in, 10 invoiced"),
    "no order": ("NO_ORDER", f"{SUPPLIER} has no order CG-1, line 1"),
    "accepted before its order": ("DATES", "taken in on 2026-08-19, ordered on 2026-08-20"),
    "other product": ("PRODUCT", f"{STENT} invoiced, {METFORMIN} ordered"),
    "one fen too much": ("AMOUNT", "123.41 is not 10 x 12.34 = 123.40"),
    "two invoices before it": ("TWO_INVOICES", "2 invoices before it"),
    "no contract": ("CONTRACT", f"nobody was contracted to deliver {METFORMIN} on 2026-08-20"),
    "another's contract": ("SUPPLIER", f"{OTHER_SUPPLIER} delivers {METFORMIN}, not {SUPPLIER}"),
    "no mandate": ("MANDATE", "{provider} had given no mandate for 2026-08-20"),
    "private hospital": ("SCOPE", "BULK/PRIVATE was not paid directly on 2026-08-20"),
    "never listed": ("SCOPE", f"{METFORMIN} was not listed on 2026-08-20"),
}


@pytest.mark.parametrize("how", MISMATCHES)
async def test_a_mismatch_is_told_with_both_numbers_and_pays_nothing(buyer: Purchasing, how: str) -> None:
    code, detail = MISMATCHES[how]
    if how == "no contract":
        buyer.contract(STENT)
    if how == "another's contract":
        buyer.contract(METFORMIN, supplier=OTHER_SUPPLIER)
    if how == "no mandate":
        buyer.mandate_direct(since="2025-01-01", valid_to="2026-08-19")
    if how == "private hospital":
        buyer.mandate_direct("PRIVATE")
    if how == "never listed":
        buyer.product(METFORMIN, "12.34", since="2025-01-01", valid_to="2026-08-19")
    quantity = 20 if how == "accepted above shipped" else 12
    if how != "no order":
        buyer.order("CG-1", (METFORMIN, quantity, "12.34"))
    if how != "never shipped":
        buyer.ship("CG-1", (METFORMIN, 14 if how == "shipped above ordered" else 10))
    if how != "not accepted":
        on = "2026-08-19" if how == "accepted before its order" else "2026-09-06"
        buyer.accept("CG-1", 11 if how == "accepted above shipped" else 10, on=on)
    line = {"order_no": "CG-1", "line": 1, "product": METFORMIN, "quantity": 10, "price": "12.34", "amount": "123.40"}
    if how == "other product":
        line["product"] = STENT
    if how == "one fen too much":
        line["amount"] = "123.41"
    upstream = [invoice_no(90), invoice_no(91)] if how == "two invoices before it" else None
    invoice = buyer.invoice(1, "CG-1", lines=[line], upstream=upstream)
    buyer.submit_statement("DZ-1", {invoice: str(line["amount"])})
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "123.40"})
    assert (code, detail.format(provider=buyer.provider)) in await buyer.disputed()
    assert {one[0] for one in await buyer.disputed()} <= {code, "NOT_SHIPPED"}
    assert await buyer.said("statement.requested") == []


async def test_a_contract_that_is_signed_anew_delivers_no_more_what_it_names_no_more(buyer: Purchasing) -> None:
    buyer.contract(STENT, ref="JC-1")
    buyer.deliver("CG-1", (METFORMIN, 10, "12.34"), (STENT, 1, "796.00"))
    invoice = buyer.invoice(1, "CG-1", (METFORMIN, 10, "12.34"), (STENT, 1, "796.00"))
    buyer.submit_statement("DZ-1", {invoice: "919.40"})
    assert [code for code, _ in await buyer.disputed()] == ["CONTRACT"]


# -- silence, disputes, deadlines


@pytest.mark.parametrize(("silent", "mode"), [("CONFIRM", "AUTO"), ("ESCALATE", "ESCALATED")])
async def test_a_hospital_that_says_nothing(buyer: Purchasing, silent: str, mode: str) -> None:
    """Edge case 59."""
    buyer.policy("2026-01-01", direct__silent=silent)
    buyer.product(METFORMIN, "34.56")
    buyer.deliver("CG-1", (METFORMIN, 100, "34.56"))
    buyer.submit_statement("DZ-1", {buyer.invoice(1, "CG-1", (METFORMIN, 100, "34.56")): "3456.00"}, on="2026-09-10")
    buyer.day("2026-09-15")
    assert await buyer.said("statement.confirmation.noted") == []
    for day in ("2026-09-16", "2026-09-17"):
        buyer.day(day)
    [told] = await buyer.said("statement.confirmation.noted")
    assert (told["mode"], told["on"]) == (mode, "2026-09-16")
    buyer.agree({"DZ-1": "3456.00"}, on="2026-09-18")
    assert len(await buyer.said("statement.requested")) == (mode == "AUTO")


async def test_a_dispute_that_is_solved_after_the_thirty_days_stops_the_clock_of_its_line(
    buyer: Purchasing,
) -> None:
    """Edge case 60."""
    buyer.deliver("CG-1", (METFORMIN, 10, "12.34"), (INSULIN, 10, "48.20"), on="2026-09-18")
    one, two = (
        buyer.invoice(number, "CG-1", lines=[
            {"order_no": "CG-1", "line": number, "product": product, "quantity": 10, "price": price,
             "amount": money.yuan(10 * money.fen(price))}
        ])
        for number, product, price in ((1, METFORMIN, "12.34"), (2, INSULIN, "48.20"))
    )  # fmt: skip
    buyer.submit_statement("DZ-1", {one: "123.40", two: "482.00"})
    buyer.dispute("DZ-1", two, on="2026-10-04", order_no="CG-1", line=2, reason="数量有误")
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "123.40"})
    buyer.resolve("DZ-1", two, on="2026-10-26", order_no="CG-1", line=2)
    buyer.agree({"DZ-1": "482.00"}, plan="JS-2", on="2026-10-27")
    noted = await buyer.said("statement.disputes.noted")
    assert [(event["on"], [line["code"] for line in (*event["opened"], *event["closed"])]) for event in noted] == [
        ("2026-10-04", ["BY_HOSPITAL"]), ("2026-10-26", ["BY_HOSPITAL"])
    ]  # fmt: skip
    requested = await buyer.said("statement.requested")
    assert [event["lines"] for event in requested] == [
        [[one, "123.40", "2026-10-16", "2026-09-18"]],
        [[two, "482.00", "2026-11-09", "2026-09-18"]],
    ], "2026-10-18 and 22 days"


async def test_what_the_agency_disputes_no_hospital_ends(buyer: Purchasing) -> None:
    invoice = await stated(buyer)
    buyer.dispute("DZ-1", invoice, on="2026-10-05", speaks_for="AGENCY")
    buyer.resolve("DZ-1", invoice, on="2026-10-06")
    assert not [one for event in await buyer.said("statement.disputes.noted") for one in event["closed"]]
    buyer.resolve("DZ-1", invoice, on="2026-10-07", speaks_for="AGENCY")
    buyer.say("statement.line.disputed", statement_ref="DZ-1", invoice=invoice, disputed_on="2026-10-08",
              order_no=None, line=None, reason="不实", speaks_for="AGENCY")  # fmt: skip
    noted = await buyer.said("statement.disputes.noted")
    assert [(event["on"], [one["code"] for one in (*event["opened"], *event["closed"])]) for event in noted] == [
        ("2026-10-05", ["BY_AGENCY"]), ("2026-10-07", ["BY_AGENCY"])
    ], "and no hospital speaks for it"  # fmt: skip


async def test_what_people_drop_is_never_paid(buyer: Purchasing) -> None:
    invoice = await stated(buyer)
    buyer.dispute("DZ-1", invoice, on="2026-10-05", speaks_for="AGENCY")
    buyer.resolve("DZ-1", invoice, "DROP", on="2026-10-06")
    buyer.agree({"DZ-1": "3456.00"})
    noted = await buyer.said("statement.disputes.noted")
    assert [[one["code"] for one in event["dropped"]] for event in noted] == [[], ["BY_AGENCY"]]
    assert await buyer.said("statement.requested") == []


ACCEPTED = [
    ("2026-09-18", "2026-10-16", "30", "2026-10-18 is a Sunday"),
    ("2026-09-06", "2026-09-30", "30", "2026-10-06 is in the Golden Week"),
    ("2026-07-01", "2026-08-31", "90", "not after the end of the next month"),
]


@pytest.mark.parametrize(("accepted", "due", "days", "why"), ACCEPTED)
async def test_a_day_that_is_not_worked_means_the_one_before_it(
    buyer: Purchasing, accepted: str, due: str, days: str, why: str
) -> None:
    """Edge case 61."""
    buyer.policy("2026-01-01", direct__days=days)
    buyer.order("CG-0", (METFORMIN, 1, "12.34"), on="2026-06-01")
    buyer.ship("CG-0", (METFORMIN, 1), on="2026-06-02")
    buyer.accept("CG-0", 1, on=accepted)
    buyer.submit_statement("DZ-1", {buyer.invoice(1, "CG-0", (METFORMIN, 1, "12.34")): "12.34"})
    [matched] = await buyer.said("statement.matched")
    assert matched["due"] == due, why


async def test_lines_are_due_together_or_each_by_itself(buyer: Purchasing) -> None:
    buyer.policy("2026-01-01", direct__due_by="LINE")
    lines = {}
    for number, day in ((1, "2026-09-18"), (2, "2026-09-10"), (3, "2026-09-18")):
        buyer.deliver(f"CG-{number}", (METFORMIN, number, "12.34"), on=day)
        lines[buyer.invoice(number, f"CG-{number}", (METFORMIN, number, "12.34"))] = money.yuan(number * 1234)
    buyer.submit_statement("DZ-1", lines)
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "74.04"})
    requested = await buyer.said("statement.requested")
    assert [(one["payable_ref"][-1], one["due"], [line[1] for line in one["lines"]]) for one in requested] == [
        ("1", "2026-10-10", ["24.68"]), ("2", "2026-10-16", ["12.34", "37.02"])
    ]  # fmt: skip


async def test_a_deadline_that_comes_near_and_passes_is_told_once_and_not_of_what_is_paid(buyer: Purchasing) -> None:
    await stated(buyer, on="2026-09-18")
    await stated(buyer, "DZ-2", number=2, quantity=50, on="2026-09-18")
    buyer.agree({"DZ-1": "3456.00", "DZ-2": "1728.00"})
    requested = await buyer.said("statement.requested")
    buyer.paid(requested[1], on="2026-10-15")
    for day in ("2026-10-12", "2026-10-13", "2026-10-14", "2026-10-16", "2026-10-19", "2026-10-20", "2026-10-21"):
        buyer.day(day)
    told = await buyer.said("statement.deadline.approaching", "statement.deadline.breached")
    assert [(one["type"], one["statement_ref"], one["due"], one["unpaid"]) for one in told] == [
        ("statement.deadline.approaching", "DZ-1", "2026-10-16", "3456.00"),
        ("statement.deadline.breached", "DZ-1", "2026-10-16", "3456.00"),
    ]


async def test_the_cycle_is_weighted_by_money_and_knows_no_arrears(buyer: Purchasing) -> None:
    """Edge case 64."""
    await stated(buyer, on="2026-09-18")
    await stated(buyer, "DZ-2", number=2, quantity=50, on="2026-09-06")
    buyer.agree({"DZ-1": "3456.00", "DZ-2": "1728.00"})
    one, two = await buyer.said("statement.requested")
    arrears = {"310100": "7748700.00"}
    buyer.say("arrears.cleared", arrears_ref="QK-1", amounts={"310100": "48700.00"}, cleared_on="2026-11-30")
    buyer.say("arrears.registered", arrears_ref="QK-1", amounts=arrears, since="2020-06-30")
    buyer.say("arrears.cleared", arrears_ref="QK-1", amounts={"310100": "7700000.01"}, cleared_on="2026-12-30")
    buyer.paid(one, on="2026-10-15")
    buyer.paid(two, on="2026-09-30", how="NETTED")
    buyer.paid(one, on="2026-10-20", how="RETURNED")
    buyer.paid(one, on="2026-11-02")
    noted = await buyer.said("arrears.noted", "arrears.lowered")
    assert [(event["type"], event["amounts"], event["left"]) for event in noted] == [
        ("arrears.noted", arrears, arrears),
        ("arrears.lowered", {"310100": "48700.00"}, {"310100": "7700000.00"}),
        ("arrears.lowered", {"310100": "7700000.00"}, {}),
    ]
    rows = await buyer.control.fetch("select month, fen, weighted from direct_pay.cycles where fen <> 0 order by month")
    assert [tuple(row) for row in rows] == [("2026-09", 172_800, 172_800 * 24), ("2026-11", 345_600, 345_600 * 45)]


async def test_a_trace_code_that_is_taken_in_twice_is_a_finding_unless_the_goods_went_back(buyer: Purchasing) -> None:
    first, second = "9f2c41d07be35a8816c0d4f2a7b3e951", "00000000000000000000000000000042"
    for no in ("CG-1", "CG-2"):
        buyer.order(no, (METFORMIN, 10, "12.34"))
        buyer.ship(no, (METFORMIN, 10))
    buyer.accept("CG-1", lines=[{"line": 1, "lot": "L1", "accepted": 2, "traces": [first, second]}])
    buyer.accept("CG-2", lines=[{"line": 1, "lot": "L1", "accepted": 1, "traces": [first]}])
    [told] = await buyer.said("trace.repeated")
    assert (told["order_no"], told["times"], told["traces"]) == ("CG-2", 1, [first])
    buyer.give_back("CG-1", 1, 2)
    buyer.accept("CG-2", lines=[{"line": 1, "lot": "L1", "accepted": 1, "traces": [second]}], on="2026-09-21")
    assert len(await buyer.said("trace.repeated")) == 1


async def test_an_order_is_committed_as_far_as_the_fund_pays_it_and_released_with_what_comes_or_is_cancelled(
    buyer: Purchasing,
) -> None:
    buyer.product("XA10BX000000000000LISTED"[:23], "1.00", "LISTED")
    buyer.cancel("CG-1", {1: 30})
    buyer.order("CG-1", (METFORMIN, 100, "12.34"), ("XA10BX000000000000LISTED"[:23], 5, "1.00"), (INSULIN, 1, "48.20"))
    buyer.ship("CG-1", (METFORMIN, 70))
    buyer.accept("CG-1", 33)
    buyer.cancel("CG-1", {1: 37, 3: 1})
    [committed] = await buyer.said("order.committed")
    assert (committed["lines"], committed["amounts"]) == ([1, 3], {"310100": "876.64", "390100": "405.56"})
    released = await buyer.said("order.released")
    assert [(one["because"], one["amounts"]) for one in released] == [
        ("CANCELLED", {"310100": "253.11", "390100": "117.09"}),
        ("DELIVERED", {"310100": "278.41", "390100": "128.81"}),
        ("CANCELLED", {"310100": "345.12", "390100": "159.66"}),
    ]


async def test_a_statement_of_more_than_an_event_holds_is_told_and_requested_in_parts(
    buyer: Purchasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, most in (
        ("requesting", "LINES_MAX", 3),
        ("disputing", "DISPUTES_MAX", 2),
        ("submitting", "DISPUTES_MAX", 2),
    ):
        monkeypatch.setattr(f"direct_pay.statements.{module}.{name}", most)
    lines = {}
    buyer.deliver("CG-1", *[(METFORMIN, 10, "12.34")] * 12)
    for number in range(1, 13):
        price = "12.34" if number > 5 else "12.35"
        line = {"order_no": "CG-1", "line": number, "product": METFORMIN, "quantity": 10, "price": price}
        amount = money.yuan(10 * money.fen(price))
        lines[buyer.invoice(number, "CG-1", lines=[{**line, "amount": amount}])] = amount
    buyer.submit_statement("DZ-1", lines)
    buyer.confirm("DZ-1")
    buyer.agree({"DZ-1": "863.80"})
    [matched] = await buyer.said("statement.matched")
    noted = await buyer.said("statement.disputes.noted")
    assert [len(one.get("opened", one.get("disputes"))) for one in (matched, *noted)] == [2, 2, 1]
    requested = await buyer.said("statement.requested")
    assert [(one["payable_ref"], len(one["lines"])) for one in requested] == [
        (f"{SUPPLIER}/DZ-1/{number}", count) for number, count in ((1, 3), (2, 3), (3, 1))
    ]  # fmt: skip
    before = await buyer.tables("direct_pay")
    await buyer.rebuild("direct_pay")
    assert await buyer.tables("direct_pay") == before


async def test_a_batch_takes_as_many_statements_however_many_papers_it_holds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fund.LIMITS", Limits(batch_records_max=5000, wait_s=0, pace_s=0))
    counted = Counted(monkeypatch)
    async with buying(database) as buyer:
        await buyer.set_up()
        taken = []
        for first, count in ((1, 1), (2, 25)):
            costs = counted.follow(buyer.workers["direct_pay"])
            for number in range(first, first + count):
                invoice = await bought(buyer, number)
                buyer.submit_statement(
                    f"DZ-{number}", {invoice: "123.40", buyer.red(900 + number, invoice, "0.40"): "-0.40"}
                )
                buyer.confirm(f"DZ-{number}")
            await buyer.drain()
            buyer.agree({f"DZ-{number}": "123.00" for number in range(first, first + count)})
            await buyer.drain()
            buyer.day(f"2026-10-{11 + first}")
            await buyer.drain()
            taken.append(costs)
        assert len(await buyer.said("statement.requested")) == 26
    assert taken[0] == taken[1]


async def bought(buyer: Purchasing, number: int) -> str:
    """One line, ordered, delivered with trace codes, and invoiced."""
    buyer.order(f"CG-{number}", (METFORMIN, 10, "12.34"))
    buyer.ship(f"CG-{number}", (METFORMIN, 10))
    buyer.accept(f"CG-{number}", lines=[{"line": 1, "lot": "L1", "accepted": 10, "traces": [f"{number:032x}"]}])
    return buyer.invoice(number, f"CG-{number}", (METFORMIN, 10, "12.34"))


async def test_what_is_requested_is_taken_over_by_clearing_and_is_in_the_books_with_what_was_ordered(
    database: Database,
) -> None:
    """R3.5: 162,468.90 are 111,079.99 and 51,388.91; a later red letter of 210.00, and an order that is on its way."""
    async with buying(database, names=NAMES) as fund:
        await fund.set_up()
        await worked_example(fund)
        fund.order("CG-2", (METFORMIN, 100, "12.00"))
        fund.agree({"DZ-1": "162468.90"})
        [approved] = await fund.decided("statement.approved")
        assert approved["amounts"] == {"310100": "111079.99", "390100": "51388.91"}
        assert await fund.balances() == {
            "1103": {"310100": 111_079_99, "390100": 51_388_91},
            "2105": {"310100": -111_079_99, "390100": -51_388_91},
            "9002": {"310100": 820_44, "390100": 379_56},
            "9902": {"310100": -820_44, "390100": -379_56},
        }
        fund.red(9, invoice_no(2), "210.00", on="2026-10-09")
        [applied] = await fund.decided("red_letter.applied")
        assert applied["unpaid"] == {"310100": "143.58", "390100": "66.42"}
        assert (await fund.balances())["2105"] == {"310100": -110_936_41, "390100": -51_322_49}


async def test_papers_under_a_number_that_is_taken_change_nothing_and_stop_nobody(buyer: Purchasing) -> None:
    """A second order, a second invoice, red letters under the number of an invoice, and one of a red letter."""
    invoice = await stated(buyer)
    buyer.order("CG-1", (METFORMIN, 900, "34.56"), on="2026-08-21")
    buyer.invoice(1, "CG-1", (METFORMIN, 1, "34.56"))
    buyer.red(1, invoice_no(77), "5.00")
    buyer.red(1, invoice_no(2), "5.00")
    buyer.red(3, invoice_no(2), "5.00")
    buyer.red(4, invoice_no(3), "5.00")
    told = await buyer.said("invoice.red.unmatched")
    assert [(one["red"], one["blue"], one["detail"]) for one in told] == [
        (invoice, invoice_no(77), f"{invoice} is known already, as an invoice"),
        (invoice, invoice_no(2), f"{invoice} is known already, as an invoice"),
        (invoice_no(4), invoice_no(3), f"{invoice_no(3)} is a red letter itself"),
    ]
    assert len(await buyer.said("order.committed")) == 1
    buyer.agree({"DZ-1": "3456.00"})
    assert [one["lines"][0][1] for one in await buyer.said("statement.requested")] == ["3456.00"]
    assert await buyer.control.fetchval("select count(*) from direct_pay.waiting") == 0


async def test_goods_that_go_back_after_they_were_requested_change_nothing_until_a_red_letter_says_so(
    buyer: Purchasing,
) -> None:
    invoice = await stated(buyer)
    buyer.agree({"DZ-1": "3456.00"})
    buyer.give_back("CG-1", 1, 25, on="2026-10-09")
    buyer.day("2026-10-12")
    assert await buyer.said("statement.disputes.noted", "statement.line.reduced") == []
    buyer.red(2, invoice, "864.00", on="2026-10-12")
    [reduced] = await buyer.said("statement.line.reduced")
    assert reduced["amounts"] == {"310100": "590.72", "390100": "273.28"}


async def test_of_several_invoices_of_a_line_the_one_that_was_requested_and_then_the_older_one_comes_first(
    buyer: Purchasing,
) -> None:
    buyer.deliver("CG-1", (METFORMIN, 100, "12.34"))
    lines = {}
    for number, quantity, day in ((1, 60, "2026-09-12"), (2, 40, "2026-09-10"), (3, 30, "2026-09-11")):
        line = {"order_no": "CG-1", "line": 1, "product": METFORMIN, "quantity": quantity, "price": "12.34"}
        amount = money.yuan(quantity * 1234)
        lines[number] = buyer.invoice(number, "CG-1", lines=[{**line, "amount": amount}], on=day), amount
        if number == 1:
            buyer.submit_statement("DZ-1", dict([lines[1]]))
            buyer.confirm("DZ-1")
            buyer.agree({"DZ-1": "740.40"})
    buyer.submit_statement("DZ-2", dict([lines[2], lines[3]]))
    buyer.confirm("DZ-2")
    buyer.agree({"DZ-2": "493.60"}, plan="JS-2")
    assert await buyer.disputed() == [("TOO_MANY", "370.20 of 370.20 is beyond what was taken in")]
    requested = await buyer.said("statement.requested")
    assert [line[:2] for one in requested for line in one["lines"]] == [list(lines[1]), list(lines[2])]


async def test_what_is_agreed_to_is_taken_in_batches_that_are_not_too_large_and_in_the_order_in_which_it_came(
    buyer: Purchasing,
) -> None:
    for number in (1, 2):
        buyer.deliver(f"CG-{number}", (METFORMIN, 70, "12.34"))
        invoice = buyer.invoice(number, f"CG-{number}", (METFORMIN, 70, "12.34"))
        buyer.submit_statement(f"DZ-{number}", {invoice: "863.80"})
        buyer.confirm(f"DZ-{number}")
    await buyer.drain()
    lane = buyer.workers["direct_pay"]
    lane.limits = replace(lane.limits, batch_records_max=requesting.FACTS_OF_ONE + 5)
    buyer.agree({"DZ-1": "863.80"})
    buyer.dispute("DZ-2", invoice_no(2), on="2026-10-07")
    buyer.agree({"DZ-2": "863.80"}, plan="JS-2")
    buyer.resolve("DZ-2", invoice_no(2), on="2026-10-08")
    assert await lane.step() == 2
    requested = await buyer.said("statement.requested", "statement.withheld")
    assert [(one["type"], one["statement_ref"]) for one in requested] == [
        ("statement.requested", "DZ-1"),
        ("statement.withheld", "DZ-2"),
    ]
