"""Bad papers and bad turns of direct payment, each by its own words: what comes back, and that no money leaves for it.

All three services on one log. Whatever is wrong with a line stops that line alone.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import pytest

from direct_pay.plans import planning
from direct_pay.plans.plan import Wanted
from direct_pay.statements.statement import Entry, Statement
from medfund import money
from tests.conftest import Database
from tests.purchasing import INSULIN, METFORMIN, NAMES, OTHER_SUPPLIER, STENT, SUPPLIER, Purchasing, buying, invoice_no


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Purchasing]:
    async with buying(database, names=NAMES) as fund:
        await fund.set_up()
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        for supplier in (SUPPLIER, OTHER_SUPPLIER):
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{supplier[-2:]}")
        fund.deposit(dict.fromkeys(("310100", "390100"), 99_999_999))
        fund.day("2026-10-02")
        await fund.drain()
        yield fund


# -- lines that do not match


@dataclass(frozen=True)
class Bad:
    """What is other than it should be of seven packs that were ordered, sent, taken in and invoiced at 31.09."""

    told: str
    """The dispute, with both numbers."""
    ordered: int = 7
    sent: int = 7
    taken: int = 7
    invoiced: int = 7
    price: str = "31.09"
    amount: str | None = None
    taken_on: str = "2026-09-09"
    product: str = METFORMIN
    ordered_on: str = "2026-08-21"
    first: Callable[[Purchasing], None] | None = None
    invoice: dict[str, Any] = field(default_factory=dict)


def leave_the_scope(fund: Purchasing) -> None:
    fund.product(INSULIN, "31.09", "LISTED", since="2026-08-21")


BAD = {
    "acceptance above shipment": Bad("NOT_SHIPPED 7 taken in, 6 sent", sent=6),
    "a hospital accepts what was never shipped to it": Bad("NOT_SHIPPED 7 taken in, 0 sent", sent=0),
    "invoice above acceptance": Bad("TOO_MANY 62.18 of 217.63 is beyond what was taken in", taken=5),
    "wrong price by one fen, above": Bad("PRICE 31.10 > 31.09", price="31.10"),
    "wrong price by one fen, below": Bad("PRICE 31.08 < 31.09", price="31.08"),
    "wrong amount by one fen": Bad("AMOUNT 217.62 is not 7 x 31.09 = 217.63", amount="217.62"),
    "product outside the scope on that date": Bad(
        "SCOPE LISTED/PUBLIC was not paid directly on 2026-08-21", product=INSULIN, first=leave_the_scope
    ),
    "an acceptance dated before its order": Bad(
        "DATES taken in on 2026-08-20, ordered on 2026-08-21", taken_on="2026-08-20"
    ),
    "more sent than ordered": Bad("NOT_ORDERED 7 sent, 5 ordered", ordered=5),
    "two invoices before it": Bad(
        "TWO_INVOICES 2 invoices before it", invoice={"upstream": [invoice_no(800), invoice_no(801)]}
    ),
}  # fmt: skip


def buy(fund: Purchasing, number: int, bad: Bad) -> str:
    """An order of its own with all that is wrong about it; its invoice."""
    no, quantity = f"CG-{number}", bad.ordered
    if bad.first:
        bad.first(fund)
    fund.order(no, (bad.product, quantity, "31.09"), on=bad.ordered_on)
    if bad.sent:
        fund.ship(no, (bad.product, bad.sent))
    fund.accept(no, bad.taken, on=bad.taken_on)
    amount = bad.amount or money.yuan(money.cost(bad.invoiced, money.micros(bad.price)))
    line = {"order_no": no, "line": 1, "product": bad.product, "quantity": bad.invoiced, "price": bad.price}
    return fund.invoice(number, no, lines=[{**line, "amount": amount}], on="2026-09-11", **bad.invoice)


async def test_each_line_that_does_not_match_is_told_by_both_numbers_and_the_rest_is_paid(fund: Purchasing) -> None:
    fund.product(METFORMIN, "31.09")
    invoices = {buy(fund, number, bad): bad for number, bad in enumerate(BAD.values(), 1)}
    good = buy(fund, 99, Bad(""))
    amounts = {
        invoice: bad.amount or money.yuan(bad.invoiced * money.fen(bad.price)) for invoice, bad in invoices.items()
    }
    fund.submit_statement("DZ-1", {**amounts, good: "217.63"})
    fund.confirm("DZ-1")
    fund.agree({"DZ-1": "217.63"})
    [matched] = await fund.said("statement.matched")
    told: dict[str, list[str]] = {}
    for one in matched["disputes"]:
        told.setdefault(one["invoice"], []).append(f"{one['code']} {one['detail']}")
    assert told == {invoice: [bad.told] for invoice, bad in invoices.items()}
    [requested], [approved] = await fund.said("statement.requested"), await fund.decided("statement.approved")
    assert [line[:2] for line in requested["lines"]] == [line[:2] for line in approved["lines"]] == [[good, "217.63"]]
    assert await fund.refused() == []


# -- what is refused before anything is made of it

INVOICE, WRONG = invoice_no(7), f"{SUPPLIER[:17]}A"
FORM = "is not an invoice: 20 digits, or a code of 10 or 12 and - and 8"
REFUSED: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "a supplier's wrong check character": (
        "invoice.registered.v1", {"supplier": WRONG},
        ("bad_code", f"$.supplier: '{WRONG}' is not a unified social credit code with a right check character"),
    ),
    **{
        words: ("invoice.registered.v1", {"invoice": text}, ("bad_code", f"$.invoice: '{text}' {FORM}"))
        for words, text in (
            ("an invoice with a blank", f"{INVOICE[:8]} {INVOICE[8:]}"),
            ("an invoice in full width", "".join(chr(ord(digit) + 0xFEE0) for digit in INVOICE)),
            ("an invoice that lacks its leading zero", "137002200-12345678"),
        )
    },
    "a red letter of itself": (
        "invoice.red_issued.v1", {"invoice": INVOICE, "blue": INVOICE},
        ("bad_amount", "$.amount: what a red letter takes back is above zero, of another invoice"),
    ),
    "an invoice that is not the sum of its lines": (
        "invoice.registered.v1", {"invoice": INVOICE, "amount": "116983.21"},
        ("identity_mismatch", "$.amount is 116983.21, its lines make 116983.20"),
    ),
    "a statement that lists an invoice twice": (
        "statement.submitted.v1", {"lines": [{"invoice": INVOICE, "amount": "1.00"}] * 2, "total": "2.00"},
        ("bad_code", "$.lines: at least one, and each invoice once"),
    ),
}  # fmt: skip


async def test_what_is_written_wrongly_is_refused_by_its_reason_in_every_lane_that_reads_it(fund: Purchasing) -> None:
    before = await fund.tables("direct_pay")
    for type, wrong, _ in REFUSED.values():
        fund.put(type, **{"provider": fund.provider, **wrong})
        await fund.drain()
    rows = await fund.control.fetch('select reason, detail from direct_pay.quarantine order by "offset"')
    assert dict(zip(REFUSED, map(tuple, rows), strict=True)) == {name: told for name, (_, _, told) in REFUSED.items()}
    assert await fund.tables("direct_pay") == before
    assert await fund.decided("statement.approved") == []


# -- papers that do not belong together


async def stated(fund: Purchasing, ref: str = "DZ-1", *, number: int = 1, quantity: int = 30, **data: Any) -> str:
    """One invoice of so many at 12.34, submitted and confirmed."""
    no = f"CG-{number}"
    fund.deliver(no, (METFORMIN, quantity, "12.34"), **data)
    invoice = fund.invoice(number, no, (METFORMIN, quantity, "12.34"), **data)
    fund.submit_statement(ref, {invoice: money.yuan(quantity * 1234)}, **data)
    fund.confirm(ref, **data)
    await fund.drain()
    return invoice


async def test_an_invoice_in_another_statement_and_a_statement_for_anothers_are_refused(fund: Purchasing) -> None:
    invoice = await stated(fund)
    fund.submit_statement("DZ-2", {invoice: "370.20"})
    fund.submit_statement("DZ-3", {invoice: "370.20"}, supplier=OTHER_SUPPLIER)
    told = [(one["statement_ref"], one["code"], one["detail"]) for one in await fund.said("statement.refused")]
    assert told == [
        ("DZ-2", "IN_ANOTHER", f"{invoice} is in statement DZ-1"),
        ("DZ-3", "NOT_YOURS", f"{invoice} was registered by {SUPPLIER} for {fund.provider}"),
    ]
    fund.agree({"DZ-1": "370.20", "DZ-2": "370.20"})
    fund.agree({"DZ-3": "370.20"}, supplier=OTHER_SUPPLIER, plan="JS-2")
    assert [one["statement_ref"] for one in await fund.decided("statement.approved")] == ["DZ-1"]


async def test_a_red_letter_without_its_blue_invoice_waits_is_told_and_counts_when_that_comes_and_one_above_it_never(
    fund: Purchasing,
) -> None:
    fund.red(50, invoice_no(1), "70.20", on="2026-09-12")
    fund.red(51, invoice_no(1), "300.01", on="2026-09-12")
    fund.day("2026-10-13")
    told = [(one["red"], one["refused"], one["detail"]) for one in await fund.said("invoice.red.unmatched")]
    missing = f"no invoice {invoice_no(1)} came until 2026-10-12"
    assert told == [(invoice_no(number), False, missing) for number in (50, 51)]
    invoice = await stated(fund)
    fund.agree({"DZ-1": "300.00"})
    [requested] = await fund.said("statement.requested")
    assert requested["lines"][0][:2] == [invoice, "300.00"]
    fund.red(52, invoice, "300.01")
    [*_, above] = await fund.said("invoice.red.unmatched")
    assert (above["red"], above["refused"], above["detail"]) == (invoice_no(52), True, "300.01 of 300.00 that are left")
    assert await fund.decided("red_letter.applied") == []


async def test_one_number_of_two_suppliers_at_one_moment_is_left_out_of_a_plan_but_for_the_first(
    fund: Purchasing,
) -> None:
    fund.contract(METFORMIN, supplier=OTHER_SUPPLIER, ref="JC-2")
    for ref, supplier, number in (
        ("DZ-1", SUPPLIER, "001370022001-12345678"),
        ("DZ-2", OTHER_SUPPLIER, "1370022001-12345678"),
    ):
        fund.deliver("CG-1", (METFORMIN, 30, "12.34"), supplier=supplier)
        fund.invoice(0, "CG-1", (METFORMIN, 30, "12.34"), supplier=supplier, invoice=number)
        fund.submit_statement(ref, {number: "370.20"}, supplier=supplier)
        fund.confirm(ref, supplier=supplier)
    await fund.drain()
    await fund.control.execute("update direct_pay.invoices set registered_ms = 1")
    await fund.control.execute("set search_path = direct_pay")
    made = await planning.plan(fund.control, Wanted(plan_ref="JS-1", area=fund.area), date(2026, 10, 7))  # type: ignore[arg-type]
    left = {line.statement_ref: (line.amount, [(one.code, one.detail) for one in line.left]) for line in made.lines}
    paid, other = sorted(left, key=lambda ref: -left[ref][0])
    assert left[paid] == (370_20, [])
    [(code, detail)] = left[other][1]
    assert (left[other][0], code) == (0, "LIVE_TWICE")
    assert detail.endswith(f"in area {fund.area}, in its statement {paid} too")


# -- a chain in another order


async def test_what_the_bank_has_paid_before_anybody_asked_for_it_waits_in_suspense_and_is_no_payment(
    fund: Purchasing,
) -> None:
    """A payment is confirmed before its approval is seen."""
    payment = f"{SUPPLIER}/DZ-1/1/P2/310100"
    early = {"payment_ref": payment, "bank_txn": "T-1", "amounts": {"310100": "253.11"}, "value_date": "2026-10-02"}
    fund.put("bank.payment.settled.v1", provider=fund.provider, **early)
    await stated(fund)
    fund.agree({"DZ-1": "370.20"})
    await fund.drain()
    fund.day("2026-10-08")
    [kept] = await fund.decided("suspense.opened")
    assert (kept["amounts"], payment in kept["reason"]) == ({"310100": "253.11"}, True)
    assert (await fund.balances())["1190"] == {"310100": 253_11}
    [order] = [one for one in await fund.payments() if one["payment_ref"] == payment]
    assert (order["status"], order["settled"]) == ("ORDERED", {})
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-10-08")
    fund.place(kept["item_ref"], "PAYMENT", target=payment, provider=fund.provider, placed_on="2026-10-08")
    assert [one["placed_as"] for one in await fund.decided("suspense.placed")] == ["PAYMENT"]
    fund.put("bank.payment.settled.v1", provider=fund.provider, bank_account="1190", **early)
    [order] = [one for one in await fund.payments() if one["payment_ref"] == payment]
    assert (order["status"], order["settled"]) == ("SETTLED", {"310100": 253_11})
    assert "1190" not in await fund.balances()
    [entry] = [entry for *_, entry in await entries(fund)]
    assert (entry.left, entry.paid) == (370_20, 253_11)


async def entries(fund: Purchasing) -> list[tuple[str, Entry]]:
    """What was requested, as direct payment knows it."""
    rows = await fund.control.fetch("select ref, body from direct_pay.statements order by ref")
    found = [(row["ref"], msgspec.json.decode(row["body"], type=Statement)) for row in rows]
    return [(ref, entry) for ref, one in found for part in one.instalments for entry in part.lines]


async def test_a_payee_who_changes_between_approval_and_run_is_approved_and_paid_anew(fund: Purchasing) -> None:
    await stated(fund)
    fund.agree({"DZ-1": "370.20"})
    await fund.drain()
    fund.day("2026-10-08")
    await fund.approve("anna", "bo")
    fund.put_in_lane("supplier.payee.assigned.v1", supplier=SUPPLIER, payee=OTHER_SUPPLIER, cause="MERGER")
    await fund.drain()
    assert (await fund.plan("310100", on="2026-10-08")).payments == 0, "what was approved was for another payee"
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-10-08")
    [sent] = await fund.decided("payment.sent")
    assert sent["bank_account_ref"] == f"acct-{OTHER_SUPPLIER[-2:]}"


async def test_a_day_that_opens_as_a_payment_comes_back_looks_at_all_of_its_statement(fund: Purchasing) -> None:
    """Both are read together: a line that is due, another one that was not requested."""
    fund.product(STENT, "5.00", since="2026-08-01")
    fund.deliver("CG-2", (STENT, 3, "5.00"))
    fund.deliver("CG-1", (METFORMIN, 30, "12.34"))
    good, bad = fund.invoice(1, "CG-1", (METFORMIN, 30, "12.34")), fund.invoice(2, "CG-2", (STENT, 3, "5.00"))
    fund.submit_statement("DZ-1", {good: "370.20", bad: "15.00"})
    fund.dispute("DZ-1", bad, on="2026-10-03")
    fund.confirm("DZ-1")
    fund.agree({"DZ-1": "370.20"})
    [event] = await fund.said("statement.requested")
    fund.paid({**event, "amounts": {"310100": "370.20"}}, on="2026-10-08")
    await fund.drain()
    fund.paid({**event, "amounts": {"310100": "370.20"}}, on="2026-10-09", how="RETURNED")
    fund.day("2026-10-15")
    [breached] = await fund.said("statement.deadline.breached")
    assert (breached["due"], breached["unpaid"]) == (event["due"], "370.20")
