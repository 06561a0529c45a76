"""Suppliers paid on a hospital's behalf: approved, paid, recovered, taken back; in both books, and as open items."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import msgspec
import pytest

from clearing.direct.statement import Statement
from medfund import codes, money
from tests.conftest import Database
from tests.fund import running
from tests.integration.test_control import compared
from tests.purchases import EMPLOYEES, ONE, RESIDENTS, THREE, TWO, Purchases, invoice

Fens = Mapping[str, int]


class World(Purchases):
    """Whose days go by when something is to be paid."""

    today = "2026-09-21"

    def day(self, day: str) -> None:
        self.today = day
        self.fund.day(day)

    async def send(self, *, on: str, payable: str | None = None) -> None:
        """Two people approve what waits, and it goes to the bank."""
        waiting = await self.fund.payments(status="ORDERED", **({"payable_ref": payable} if payable else {}))
        await self.fund.approve("anna", "bo", refs=[one["payment_ref"] for one in waiting])
        for of in (EMPLOYEES, RESIDENTS):
            if (await self.fund.plan(of, on=on)).payments:
                self.runs = getattr(self, "runs", 0) + 1
                await self.fund.run(of, on=on, number=self.runs)
        await self.fund.drain()

    async def paid(self, payable: str, *, on: str) -> None:
        """The bank has paid what is on its way."""
        for one in await self.fund.payments(payable_ref=payable, status="SENT"):
            self.fund.bank(one["payment_ref"], one["amounts"], on=on)
        await self.fund.drain()

    async def pay(self, payable: str, *, on: str) -> None:
        self.day(on)
        await self.send(on=on)
        await self.paid(payable, on=on)

    async def come_back(self, payable: str, *, on: str) -> None:
        for one in await self.fund.payments(payable_ref=payable, status="SETTLED"):
            if one["settled"] != one["returned"]:
                self.fund.bank(one["payment_ref"], one["settled"], on=on, back=True)
        await self.fund.drain()

    async def retry(self, payable: str) -> None:
        for one in await self.fund.payments(payable_ref=payable):
            if one["to_retry"]:
                self.fund.retry(one["payment_ref"])
        await self.fund.drain()

    async def earn(self, amounts: Fens, batch: str, *, day: str = "2026-09-03") -> None:
        """A claim of the hospital that is approved without a P1, so that all of it passes the waterfall."""
        self.fund.settle(amounts, day=day)
        self.fund.submit(batch, first=day, last=day, on=self.today)
        self.fund.deduct([batch], {})
        await self.fund.drain()

    def true_up(self, first: str, second: str, fen: int) -> None:
        """What a hospital owes the first fund is the second one's from now on."""
        self.fund.put("inter_fund.true_up.agreed.v1", provider=self.fund.provider, from_fund=first, to_fund=second,
                      amount=money.yuan(fen), agreed_on="2026-12-30", approvers=["anna", "bo"])  # fmt: skip

    async def own_due(self, fund: str) -> int:
        """What suppliers were paid in a fund, and it has not got back, of what it did not take over."""
        await self.fund.drain()
        rows = await self.fund.control.fetch("select body from clearing.direct where kind = 'STATEMENT'")
        return sum(msgspec.json.decode(row["body"], type=Statement).own_due.get(fund, 0) for row in rows)

    async def books(self, *accounts: str, book: str = "OPS") -> dict[str, dict[str, int]]:
        found = await self.fund.balances(book)
        return {account: found[account] for account in accounts if account in found}

    async def items(self) -> dict[tuple[str, str, str], int]:
        await self.fund.drain()
        rows = await self.fund.control.fetch(
            "select account, counterpart, fund, fen::bigint from clearing.open_items"
            " where account in ('1103', '1109', '2102', '2105')"
        )
        return {tuple(row)[:3]: row["fen"] for row in rows}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with running(database) as fund:
        fund.register()
        fund.policy(instant__ratio="0", bond__310100="0", bond__390100="0")
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit({EMPLOYEES: 99_999_999_99, RESIDENTS: 99_999_999_99})
        for supplier in (ONE, TWO, THREE):
            fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{supplier[-2:]}")
        world = World(fund)
        world.day("2026-09-21")
        await fund.drain()
        yield world


async def carried(world: World) -> list[tuple[str, dict[str, str]]]:
    found = await world.fund.decided("hospital.shortfall.carried")
    return [(one["payable_ref"], one["amounts"]) for one in found]


async def test_the_numbers_of_r3_5_come_out_line_by_line_and_what_is_not_recovered_is_carried(world: World) -> None:
    name = world.request("DZ202609", {invoice(1): 120_000_00, invoice(2): 45_678_90 - 3_210_00})
    assert await world.books("1103", "2105") == {
        "1103": {EMPLOYEES: 111_079_99, RESIDENTS: 51_388_91},
        "2105": {EMPLOYEES: -111_079_99, RESIDENTS: -51_388_91},
    }
    assert await world.fund.payments() == [], "it is ordered when the next day opens"
    await world.pay(name, on="2026-10-15")
    assert await world.books("2105", "TEMP_DIRECT", book="OPS") == {}
    assert (await world.fund.balances("STAT"))["TEMP_DIRECT"] == {EMPLOYEES: 111_079_99, RESIDENTS: 51_388_91}
    [*told] = await world.fund.decided("supplier.payment.settled")
    assert [(one["how"], one["value_date"], [line[1] for line in one["lines"]]) for one in told] == [
        ("BANK", "2026-10-15", ["82044.00", "29035.99"]),
        ("BANK", "2026-10-15", ["37956.00", "13432.91"]),
    ]
    await world.earn({EMPLOYEES: 100_000_00, RESIDENTS: 60_000_00}, "B-1")
    taken = {(one["item_ref"], fund): amount for one in await world.fund.decided("offset.applied")
             for fund, amount in one["amounts"].items()}  # fmt: skip
    assert taken == {(name, EMPLOYEES): "100000.00", (name, RESIDENTS): "51388.91"}
    assert await world.books("1103", "2102") == {
        "1103": {EMPLOYEES: 11_079_99},
        "2102": {RESIDENTS: -(60_000_00 - 51_388_91)},
    }
    assert (await world.fund.balances("STAT"))["TEMP_DIRECT"] == {EMPLOYEES: 11_079_99}
    assert await carried(world) == [("B-1", {EMPLOYEES: "11079.99"})]
    await world.earn({EMPLOYEES: 5_000_01}, "B-2", day="2026-09-04")
    await world.earn({EMPLOYEES: 6_079_98}, "B-3", day="2026-09-05")
    await world.earn({EMPLOYEES: 7_03}, "B-4", day="2026-09-07")
    assert await carried(world) == [("B-1", {EMPLOYEES: "11079.99"}), ("B-2", {EMPLOYEES: "6079.98"})]
    red = world.red(name, invoice(1), 3_210_00)
    assert red == {EMPLOYEES: 2_194_68, RESIDENTS: 1_015_32}


async def test_what_a_supplier_was_paid_is_taken_from_what_is_paid_at_once_on_a_later_day(world: World) -> None:
    """On which nothing else happens to the suppliers of that hospital."""
    world.fund.policy(instant__ratio="0.9")
    name = world.request("DZ1", {invoice(1): 90_000_01}, key={EMPLOYEES: 2, RESIDENTS: 1})
    await world.pay(name, on="2026-09-22")
    world.fund.settle({EMPLOYEES: 50_000_00, RESIDENTS: 70_000_00}, day="2026-09-21")
    world.fund.submit("B-1", first="2026-09-21", last="2026-09-21", on="2026-09-22")
    await world.fund.drain()
    world.day("2026-09-23")
    taken = {(one["taken_from"], one["item_ref"], fund): amount for one in await world.fund.decided("offset.applied")
             for fund, amount in one["amounts"].items()}  # fmt: skip
    assert taken == {("P1", name, EMPLOYEES): "45000.00", ("P1", name, RESIDENTS): "30000.00"}
    assert await world.books("1103", "1104") == {
        "1103": {EMPLOYEES: 15_000_01},
        "1104": {EMPLOYEES: 45_000_00, RESIDENTS: 30_000_00},
    }


@pytest.mark.parametrize("of", ["{}", "{}/DZ1/1", "{}/DZ1/1/H"])
async def test_a_hospital_cannot_take_the_name_of_what_its_supplier_is_paid(world: World, of: str) -> None:
    world.fund.settle({EMPLOYEES: 700_00, RESIDENTS: 300_00}, day="2026-09-03")
    world.fund.submit(of.format(ONE), first="2026-09-03", last="2026-09-03", on=world.today)
    name = await ready(world)
    await world.pay(name, on="2026-09-22")
    [rejected] = await world.fund.decided("claim.batch.rejected")
    assert [one["code"] for one in rejected["errors"]] == ["BATCH_KNOWN"]
    assert await world.books("1103", "2105") == {"1103": {EMPLOYEES: 109_40, RESIDENTS: 50_61}}


async def ready(world: World, lines: Fens | None = None, *, statement: str = "DZ1", supplier: str = ONE) -> str:
    return world.request(statement, lines or {invoice(1): 100_00, invoice(2): 60_01}, supplier=supplier)


async def recovered(world: World, amounts: Fens, batch: str = "B-R", day: str = "2026-09-02") -> None:
    await world.earn(amounts, batch, day=day)


def parts(applied: Mapping[str, object]) -> dict[str, object]:
    return {name: applied[name] for name in ("unpaid", "paid", "recovered", "came_back") if applied[name]}


STATES = {"unpaid": (False, False, False), "paid": (True, False, False), "recovered": (True, True, False),
          "came_back": (True, True, True)}  # fmt: skip


@pytest.mark.parametrize("part", STATES)
async def test_a_red_letter_hits_where_its_line_stands_in_both_books(world: World, part: str) -> None:
    paid, offset, back = STATES[part]
    name = await ready(world)
    if paid:
        await world.pay(name, on="2026-09-22")
    if offset:
        await recovered(world, {EMPLOYEES: 200_00, RESIDENTS: 200_00})
    if back:
        await world.come_back(name, on="2026-09-24")
    before, stat = await world.fund.balances(), await world.fund.balances("STAT")
    taken = world.red(name, invoice(2), 10_00)
    assert taken == {EMPLOYEES: 6_84, RESIDENTS: 3_16}
    [applied] = await world.fund.decided("red_letter.applied")
    assert parts(applied) == {part: {fund: money.yuan(fen) for fund, fen in taken.items()}}
    after, of_stat = await world.fund.balances(), await world.fund.balances("STAT")
    debit, credit = {"unpaid": ("2105", "1103"), "paid": ("1109", "1103"), "recovered": ("1109", "2102"),
                     "came_back": ("2105", "2102")}[part]  # fmt: skip
    for fund, fen in taken.items():
        moved = {account: after.get(account, {}).get(fund, 0) - before.get(account, {}).get(fund, 0)
                 for account in after.keys() | before.keys()}  # fmt: skip
        assert {account: fen for account, fen in moved.items() if fen} == {debit: fen, credit: -fen}
        of = {account: of_stat.get(account, {}).get(fund, 0) - stat.get(account, {}).get(fund, 0)
              for account in of_stat.keys() | stat.keys()}  # fmt: skip
        given_back = part in ("recovered", "came_back")
        assert {a: f for a, f in of.items() if f} == ({"TEMP_DIRECT": fen, "EXPENSE": -fen} if given_back else {})
    if offset:
        [order] = [one for one in await world.fund.payments(payable_ref=f"{name}/H", purpose="PAYABLE")
                   if one["amounts"].get(EMPLOYEES)]  # fmt: skip
        assert (order["status"], order["payee"], order["amounts"]) == (
            "ORDERED",
            world.fund.provider,
            {EMPLOYEES: 6_84},
        )


async def test_a_red_letter_larger_than_what_is_open_hits_what_is_not_recovered_first(world: World) -> None:
    name = await ready(world)
    await world.pay(name, on="2026-09-22")
    await recovered(world, {EMPLOYEES: 100_00, RESIDENTS: 1})
    world.red(name, invoice(2), 55_55)
    [applied] = await world.fund.decided("red_letter.applied")
    assert applied["amounts"] == {EMPLOYEES: "37.98", RESIDENTS: "17.57"}
    # The first line has 68.37 and 31.63: of the second one's 41.03 of the employees 31.63 is recovered.
    assert parts(applied) == {
        "paid": {EMPLOYEES: "9.40", RESIDENTS: "17.57"},
        "recovered": {EMPLOYEES: "28.58"},
    }
    assert await world.books("1103", "1109", "2102") == {
        "1103": {RESIDENTS: 50_61 - 1 - 17_57},
        "1109": {EMPLOYEES: 37_98, RESIDENTS: 17_57},
        "2102": {EMPLOYEES: -28_58},
    }


@pytest.mark.parametrize("part", STATES)
async def test_several_red_letters_bring_each_fund_to_exactly_zero(world: World, part: str) -> None:
    paid, offset, back = STATES[part]
    name = await ready(world, {invoice(1): 33_33, invoice(2): 100_01})
    if paid:
        await world.pay(name, on="2026-09-22")
    if offset:
        await recovered(world, {EMPLOYEES: 500_00, RESIDENTS: 500_00})
    if back:
        await world.come_back(name, on="2026-09-24")
    for fen in (33_34, 1, 33_33, 33_33):
        world.red(name, invoice(2), fen)
    for fen in (11_11, 22_22):
        world.red(name, invoice(1), fen)
    assert await world.fund.decided("fact.disputed") == []
    books = await world.books("1103", "2105", "1109")
    whole = {EMPLOYEES: 22_79 + 68_38, RESIDENTS: 10_54 + 31_63}
    assert books == ({"1109": whole} if part in ("paid", "recovered") else {})
    world.red(name, invoice(1), 0, amounts={EMPLOYEES: "0.01"})
    [disputed] = await world.fund.decided("fact.disputed")
    assert disputed["detail"] == f"fund 310100: less than 0.01 is left of {invoice(1)}"


async def test_what_a_supplier_owes_is_taken_from_what_it_is_paid_for_the_same_hospital_fund_by_fund(
    world: World,
) -> None:
    first = await ready(world, {invoice(1): 90_00})
    await world.pay(first, on="2026-09-22")
    world.red(first, invoice(1), 50_00)
    second = world.request("DZ2", {invoice(3): 20_00})
    other = world.request("DZ2", {invoice(4): 20_00}, supplier=TWO)
    world.day("2026-09-23")
    assert await world.fund.payments(payable_ref=second) == []
    netted = await world.fund.decided("supplier.debt.netted")
    assert [(one["payable_ref"], one["amounts"]) for one in netted] == [
        (second, {EMPLOYEES: "13.67", RESIDENTS: "6.33"})
    ]
    [told] = [one for one in await world.fund.decided("supplier.payment.settled") if one["payable_ref"] == second]
    assert (told["how"], told["value_date"], told["lines"]) == (
        "NETTED", "2026-09-23", [[invoice(3), "20.00", "2026-10-16", "2026-09-18"]],
    )  # fmt: skip
    assert {one["payee"] for one in await world.fund.payments(payable_ref=other)} == {TWO}
    third = world.request("DZ3", {invoice(5): 40_00}, key={EMPLOYEES: 1})
    world.day("2026-09-24")
    [order] = await world.fund.payments(payable_ref=third)
    assert order["amounts"] == {EMPLOYEES: 40_00 - (34_18 - 13_67)}
    assert (await world.books("1109"))["1109"] == {EMPLOYEES: 20_51, RESIDENTS: 9_49}, "reserved, and not netted yet"
    await world.send(on="2026-09-24", payable=third)
    await world.paid(third, on="2026-09-24")
    assert (await world.books("1109"))["1109"] == {RESIDENTS: 15_82 - 6_33}, "no fund's debt is another one's"
    assert await world.items() == {
        ("1103", "", EMPLOYEES): (61_53 - 34_18) + 13_67 + 13_67 + 40_00,
        ("1103", "", RESIDENTS): 28_47 - 15_82 + 6_33 + 6_33,
        ("1109", ONE, RESIDENTS): 9_49,
        ("2105", TWO, EMPLOYEES): -13_67, ("2105", TWO, RESIDENTS): -6_33,
    }  # fmt: skip


async def test_a_debt_that_comes_after_an_order_that_is_not_sent_makes_it_way_and_two_red_letters_race_it(
    world: World,
) -> None:
    key = {EMPLOYEES: 1}
    first = world.request("DZ1", {invoice(1): 90_00}, key=key)
    await world.pay(first, on="2026-09-22")
    second = world.request("DZ2", {invoice(2): 70_00}, key=key)
    world.day("2026-09-23")
    await world.fund.approve("anna", "bo")
    world.red(first, invoice(1), 11_00)
    world.red(second, invoice(2), 7_00)
    found = [(one["status"], one["amounts"][EMPLOYEES]) for one in await world.fund.payments(payable_ref=second)]
    assert found == [("CANCELLED", 70_00), ("CANCELLED", 59_00), ("ORDERED", 52_00)]
    await world.send(on="2026-09-23")
    world.red(second, invoice(2), 13_00)
    [applied] = (await world.fund.decided("red_letter.applied"))[2:]
    assert parts(applied) == {"unpaid": {EMPLOYEES: "11.00"}, "paid": {EMPLOYEES: "2.00"}}, "on its way: as if paid"
    assert await world.fund.decided("supplier.debt.netted") == []
    await world.paid(second, on="2026-09-23")
    assert await world.books("2105", "1109", "1103") == {"1109": {EMPLOYEES: 13_00}, "1103": {EMPLOYEES: 79_00 + 50_00}}


BETWEEN = {
    # Told between the order and the payment of two statements, of 62.00 in two lines and of 31.00, whose supplier owes
    # 18.00: the hits, and what is netted with each and left of 1109 in the end.
    "nothing": ((), (), {"DZ2": 18_00}, 0),
    "on the last line": ((("DZ2", 3, 7_00),), ({"unpaid": 7_00},), {"DZ2": 11_00}, 7_00),
    "on the first line": ((("DZ2", 2, 7_00),), ({"unpaid": 7_00},), {"DZ2": 11_00}, 7_00),
    "on both, more than is netted": (
        (("DZ2", 2, 12_00), ("DZ2", 3, 9_00)), ({"unpaid": 12_00}, {"unpaid": 6_00, "paid": 3_00}), {}, 21_00,
    ),
    "on another statement": ((("DZ3", 4, 5_00),), ({"paid": 5_00},), {"DZ2": 18_00}, 5_00),
    "on the one that is paid": ((("DZ1", 1, 4_00),), ({"paid": 4_00},), {"DZ2": 18_00}, 4_00),
}  # fmt: skip


@pytest.mark.parametrize("between", BETWEEN)
async def test_a_debt_is_reserved_by_one_order_and_netted_when_the_bank_has_paid_it(world: World, between: str) -> None:
    reds, hits, netted, left = BETWEEN[between]
    key = {EMPLOYEES: 1}
    names = {"DZ1": world.request("DZ1", {invoice(1): 90_00}, key=key)}
    await world.pay(names["DZ1"], on="2026-09-22")
    world.red(names["DZ1"], invoice(1), 18_00)
    names["DZ2"] = world.request("DZ2", {invoice(2): 40_00, invoice(3): 22_00}, key=key)
    names["DZ3"] = world.request("DZ3", {invoice(4): 31_00}, key=key)
    world.day("2026-09-23")
    await world.send(on="2026-09-23")
    sent = [
        one["amounts"][EMPLOYEES] for ref in ("DZ2", "DZ3") for one in await world.fund.payments(payable_ref=names[ref])
    ]
    assert sent == [44_00, 31_00], "one debt is reserved once"
    world.day("2026-09-24")
    for ref, number, fen in reds:
        world.red(names[ref], invoice(number), fen)
    world.day("2026-09-25")
    applied = (await world.fund.decided("red_letter.applied"))[1:]
    assert [parts(one) for one in applied] == [
        {part: {EMPLOYEES: money.yuan(fen)} for part, fen in hit.items()} for hit in hits
    ]
    assert await world.fund.decided("supplier.debt.netted") == []
    for ref in ("DZ3", "DZ2"):
        await world.paid(names[ref], on="2026-09-26")
    found = {one["payable_ref"]: one["amounts"] for one in await world.fund.decided("supplier.debt.netted")}
    assert found == {names[ref]: {EMPLOYEES: money.yuan(fen)} for ref, fen in netted.items()}
    taken = 18_00 + sum(fen for _, _, fen in reds)
    assert await world.books("2105", "1109", "1103") == {
        **({"1109": {EMPLOYEES: left}} if left else {}), "1103": {EMPLOYEES: 90_00 + 93_00 - taken},
    }  # fmt: skip
    await alike(world)


async def test_what_a_payment_that_failed_had_reserved_is_free_and_one_that_came_back_stays_netted(
    world: World,
) -> None:
    key = {EMPLOYEES: 1}
    first = world.request("DZ1", {invoice(1): 90_00}, key=key)
    await world.pay(first, on="2026-09-22")
    world.red(first, invoice(1), 18_00)
    second = world.request("DZ2", {invoice(2): 62_00}, key=key)
    world.day("2026-09-23")
    await world.send(on="2026-09-23")
    [sent] = await world.fund.payments(payable_ref=second)
    world.fund.put("bank.payment.rejected.v1", provider=world.fund.provider, payment_ref=sent["payment_ref"],
                   rejected_on="2026-09-24", code="AC04", reason="account closed")  # fmt: skip
    world.day("2026-09-24")
    assert await world.fund.decided("supplier.debt.netted") == [], "the rest waits with it"
    third = world.request("DZ3", {invoice(3): 25_00}, key=key)
    await world.pay(third, on="2026-09-25")
    [netted] = await world.fund.decided("supplier.debt.netted")
    assert (netted["payable_ref"], netted["amounts"]) == (third, {EMPLOYEES: "18.00"})
    await world.come_back(third, on="2026-09-26")
    assert await world.books("2105", "1109") == {"2105": {EMPLOYEES: -62_00 - 7_00}}
    await world.retry(second)
    await world.retry(third)
    orders = [one for one in await world.fund.payments() if one["status"] in ("ORDERED", "APPROVED")]
    assert sum(one["amounts"][EMPLOYEES] for one in orders) == 62_00 + 7_00
    await world.send(on="2026-09-27")
    await world.paid(second, on="2026-09-27")
    await world.paid(third, on="2026-09-27")
    assert await world.books("2105", "1109", "1103") == {"1103": {EMPLOYEES: 72_00 + 62_00 + 25_00}}


async def test_what_was_reserved_of_a_debt_that_is_paid_back_in_cash_is_ordered_too(world: World) -> None:
    key = {EMPLOYEES: 1}
    first = world.request("DZ1", {invoice(1): 90_00}, key=key)
    await world.pay(first, on="2026-09-22")
    world.red(first, invoice(1), 18_00)
    second = world.request("DZ2", {invoice(2): 62_00}, key=key)
    world.day("2026-09-23")
    await world.send(on="2026-09-23")
    world.fund.put("bank.supplier.refunded.v1", provider=world.fund.provider, payable_ref=ONE, bank_txn="R-7",
                   value_date="2026-09-24", amounts={EMPLOYEES: "13.00"})  # fmt: skip
    world.day("2026-09-24")
    world.day("2026-09-25")
    orders = [one["amounts"][EMPLOYEES] for one in await world.fund.payments(payable_ref=second)]
    assert orders == [44_00, 13_00]
    await world.send(on="2026-09-25")
    await world.paid(second, on="2026-09-25")
    assert await world.books("2105", "1109", "1103") == {"1103": {EMPLOYEES: 72_00 + 62_00}}


async def test_above_the_cap_no_supplier_is_paid_and_each_is_told_once_until_the_hospital_has_given_back(
    world: World,
) -> None:
    cap = {"provider": world.fund.provider, "approvers": ["anna", "bo"]}
    world.fund.put("direct.cap.set.v1", **cap, amount="89.99")
    key = {EMPLOYEES: 1}
    first, waiting = (world.request(f"DZ{n}", {invoice(n): fen}, key=key) for n, fen in ((1, 90_00), (2, 10_00)))
    world.day("2026-09-22")
    await world.fund.approve("anna", "bo", refs=[f"{first}/P2/{EMPLOYEES}"])
    await world.fund.run(EMPLOYEES, on="2026-09-22")
    await world.fund.approve("anna", "bo", refs=[f"{waiting}/P2/{EMPLOYEES}"])
    await world.paid(first, on="2026-09-22")
    third = world.request("DZ3", {invoice(3): 3_00}, key=key, supplier=TWO)
    for day in ("2026-09-23", "2026-09-24"):
        world.day(day)
    told = await world.fund.decided("supplier.payment.blocked")
    assert [(one["payable_ref"], one["exposure"], one["cap"]) for one in told] == [
        (waiting, "90.00", "89.99"), (third, "90.00", "89.99"),
    ]  # fmt: skip
    assert [one["status"] for one in await world.fund.payments(payable_ref=waiting)] == ["CANCELLED"]
    await world.earn({EMPLOYEES: 1}, "B-1")
    world.day("2026-09-25")
    again = await world.fund.decided("supplier.payment.unblocked")
    assert [one["payable_ref"] for one in again] == [waiting, third], "at the cap it is paid"
    assert [one["status"] for one in await world.fund.payments(payable_ref=third)] == ["ORDERED"]
    world.fund.put("direct.cap.set.v1", **cap, amount="0.00")
    assert [one["status"] for one in await world.fund.payments(payable_ref=third)] == ["CANCELLED"]
    world.fund.put("direct.cap.set.v1", **cap, amount=None)
    assert [one["status"] for one in await world.fund.payments(payable_ref=third)] == ["CANCELLED", "ORDERED"]


async def test_a_payment_that_comes_back_leaves_what_was_recovered_and_is_due_again_when_it_is_paid_again(
    world: World,
) -> None:
    name = world.request("DZ1", {invoice(1): 80_00, invoice(2): 20_00}, key={EMPLOYEES: 1})
    await world.pay(name, on="2026-09-22")
    await recovered(world, {EMPLOYEES: 30_00})
    await world.come_back(name, on="2026-09-23")
    await recovered(world, {EMPLOYEES: 45_00}, "B-2", day="2026-09-04")
    assert await world.books("1103", "2105", "2102") == {
        "1103": {EMPLOYEES: 70_00}, "2105": {EMPLOYEES: -100_00}, "2102": {EMPLOYEES: -45_00},
    }  # fmt: skip
    await world.retry(name)
    assert [one["status"] for one in await world.fund.payments(payable_ref=name)] == ["SETTLED", "ORDERED"]
    await world.send(on="2026-09-24", payable=name)
    await world.paid(name, on="2026-09-24")
    # What it is paid falls due at once: the hospital's order, which was not sent, made way.
    assert await world.books("1103", "2105", "2102") == {"1103": {EMPLOYEES: 25_00}}
    told = await world.fund.decided("supplier.payment.settled")
    assert [(one["how"], [line[:2] for line in one["lines"]]) for one in told] == [
        (how, [[invoice(1), "80.00"], [invoice(2), "20.00"]]) for how in ("BANK", "RETURNED", "BANK")
    ]


async def test_what_the_bank_pays_after_a_red_letter_took_it_back_is_the_suppliers_debt(world: World) -> None:
    name = world.request("DZ1", {invoice(1): 80_00}, key={EMPLOYEES: 1})
    await world.pay(name, on="2026-09-22")
    [order] = await world.fund.payments(payable_ref=name)
    await world.come_back(name, on="2026-09-23")
    world.red(name, invoice(1), 30_00)
    world.fund.put("bank.return.reversed.v1", provider=world.fund.provider, payment_ref=order["payment_ref"],
                   bank_txn="R-1", value_date="2026-09-24", amounts={EMPLOYEES: "80.00"})  # fmt: skip
    assert await world.books("2105", "1109", "1103") == {"1109": {EMPLOYEES: 30_00}, "1103": {EMPLOYEES: 50_00}}
    assert await world.items() == {("1103", "", EMPLOYEES): 50_00, ("1109", ONE, EMPLOYEES): 30_00}


async def test_what_waits_is_paid_to_the_new_payee_and_what_is_on_its_way_is_not_called_back(world: World) -> None:
    key = {EMPLOYEES: 1}
    sent = world.request("DZ1", {invoice(1): 80_00}, key=key)
    world.day("2026-09-22")
    await world.send(on="2026-09-22")
    approved = world.request("DZ2", {invoice(2): 20_00}, key=key)
    world.day("2026-09-23")
    await world.fund.approve("anna", "bo")
    deed = {"supplier": ONE, "payee": TWO, "deed": "a" * 64, "approvers": ["anna", "bo"]}
    world.fund.put_in_lane("supplier.payee.assigned.v1", **deed, cause="FACTORING")
    await world.fund.drain()
    found = {name: [(one["status"], one["payee"]) for one in await world.fund.payments(payable_ref=name)]
             for name in (sent, approved)}  # fmt: skip
    assert found == {sent: [("SENT", ONE)], approved: [("CANCELLED", ONE), ("ORDERED", TWO)]}
    later = world.request("DZ3", {invoice(3): 5_00}, key=key)
    world.day("2026-09-24")
    assert [one["payee"] for one in await world.fund.payments(payable_ref=later)] == [TWO]
    world.fund.put_in_lane("supplier.payee.assigned.v1", **{**deed, "payee": ONE}, cause="ENDED")
    assert [one["payee"] for one in await world.fund.payments(payable_ref=later)] == [TWO, ONE]
    await world.send(on="2026-09-24")
    for name in (sent, approved, later):
        await world.paid(name, on="2026-09-24")
    parties = await world.fund.control.fetch(
        "select from ledger.journal where (debit = '2105' and counterpart <> $1)"
        " or (credit = '2105' and coalesce(credit_counterpart, counterpart) <> $1)",
        ONE,
    )
    assert "2105" not in await world.fund.balances()
    assert parties == []


async def test_nobody_approves_a_payment_to_a_supplier_whose_account_nobody_has_told(world: World) -> None:
    stranger = f"91370000MA00000D4{codes.uscc_check('91370000MA00000D4')}"
    name = world.request("DZ1", {invoice(1): 80_00}, supplier=stranger, key={EMPLOYEES: 1})
    world.day("2026-09-22")
    await world.fund.approve("anna")
    [refused] = await world.fund.decided("payment.approval.refused")
    assert (refused["payable_ref"], refused["code"]) == (name, "ACCOUNT")


async def test_a_suppliers_new_account_is_confirmed_by_another_person_before_it_is_paid_to(world: World) -> None:
    world.fund.put_in_lane("supplier.changed.v1", supplier=ONE, bank_account_ref="acct-new", entered_by="anna")
    name = world.request("DZ1", {invoice(1): 80_00}, key={EMPLOYEES: 1})
    world.day("2026-09-22")
    await world.send(on="2026-09-22")
    [withheld] = await world.fund.decided("payment.withheld")
    assert (withheld["payable_ref"], withheld["code"]) == (name, "ACCOUNT")
    told = {"supplier": ONE, "bank_account_ref": "acct-new"}
    for staff in ("anna", "bo"):
        world.fund.put_in_lane("supplier.account.confirmed.v1", **told, staff_ref=staff)
    [refused] = await world.fund.decided("supplier.account.refused")
    assert refused["detail"] == "anna entered account acct-new: another one confirms it"
    await world.fund.run(EMPLOYEES, on="2026-09-22", number=9)
    assert [one["status"] for one in await world.fund.payments(payable_ref=name)] == ["SENT"]


async def test_what_another_area_says_of_a_suppliers_account_changes_none_of_this_areas(world: World) -> None:
    for number in (1, 2):
        for of, account in (("370100", "acct-elsewhere"), (world.fund.area, f"acct-{ONE[-2:]}")):
            world.fund.put_in_lane("supplier.changed.v1", supplier=ONE, area=of, bank_account_ref=account,
                                   valid_from=f"2026-09-0{number}")  # fmt: skip
    assert await world.fund.decided("supplier.account.noted") == []
    name = world.request("DZ1", {invoice(1): 80_00}, key={EMPLOYEES: 1})
    world.day("2026-09-22")
    await world.send(on="2026-09-22")
    [sent] = await world.fund.payments(payable_ref=name)
    assert (sent["status"], sent["account"]) == ("SENT", f"acct-{ONE[-2:]}")
    world.fund.put_in_lane("supplier.changed.v1", supplier=ONE, area="370100", bank_account_ref="acct-third")
    [noted] = await world.fund.decided("supplier.account.noted")
    assert (noted["area"], noted["bank_account_ref"]) == ("370100", "acct-third")
    live = await world.fund.tables()
    await world.fund.rebuild()
    assert await world.fund.tables() == live


async def test_a_hospital_and_a_supplier_give_back_in_cash_what_is_due_and_the_rest_is_in_suspense(
    world: World,
) -> None:
    name = world.request("DZ1", {invoice(1): 80_00}, key={EMPLOYEES: 1})
    await world.pay(name, on="2026-09-22")
    world.red(name, invoice(1), 30_00)
    about = {"provider": world.fund.provider, "value_date": "2026-12-28"}
    for txn, fen in (("T-1", "20.00"), ("T-1", "20.00"), ("T-2", "30.01")):
        world.fund.put("bank.shortfall.repaid.v1", **about, payable_ref=name, bank_txn=txn, amounts={EMPLOYEES: fen})
    world.fund.put("bank.supplier.refunded.v1", **about, payable_ref=ONE, bank_txn="T-3", amounts={EMPLOYEES: "29.99"})
    assert await world.books("1103", "1109", "2190") == {"1109": {EMPLOYEES: 1}, "2190": {EMPLOYEES: -1}}
    assert (await world.fund.balances("STAT"))["TEMP_DIRECT"] == {EMPLOYEES: 1}
    assert len(await world.fund.decided("fact.disputed")) == 1
    placed = (await world.fund.decided("suspense.opened"))[-1]["item_ref"]
    world.fund.place(placed, "REFUND", target=ONE, provider=world.fund.provider)
    assert [one["placed_as"] for one in await world.fund.decided("suspense.placed")] == ["REFUND"]


async def remainder(world: World) -> str:
    """Residents pay 44.00, and what the hospital earns of them is 15.00: the employees take the rest over."""
    name = world.request("DZ1", {invoice(1): 100_00, invoice(2): 10_00}, key={EMPLOYEES: 6, RESIDENTS: 4})
    await world.pay(name, on="2026-09-22")
    await recovered(world, {EMPLOYEES: 66_00, RESIDENTS: 15_00})
    world.true_up(RESIDENTS, EMPLOYEES, 29_00)
    return name


async def test_what_a_fund_cannot_recover_is_anothers_and_both_owe_each_other_until_cash_has_moved(
    world: World,
) -> None:
    name = await remainder(world)
    assert await world.books("1103", "1120", "2120", "2102") == {
        "1103": {EMPLOYEES: 29_00}, "1120": {RESIDENTS: 29_00}, "2120": {EMPLOYEES: -29_00},
    }  # fmt: skip
    assert await world.books("TEMP_DIRECT", "TEMP_FUND", "RECV_FUND", book="STAT") == {
        "TEMP_DIRECT": {EMPLOYEES: 29_00}, "TEMP_FUND": {RESIDENTS: 29_00}, "RECV_FUND": {EMPLOYEES: -29_00},
    }  # fmt: skip
    world.true_up(EMPLOYEES, RESIDENTS, 1)
    [disputed] = await world.fund.decided("fact.disputed")
    assert disputed["detail"] == f"fund 310100: 0.00 is due of {world.fund.provider}, not 0.01"
    await world.earn({EMPLOYEES: 30_00}, "B-2", day="2026-09-05")
    [taken] = [one for one in await world.fund.decided("offset.applied") if one["amounts"] == {EMPLOYEES: "29.00"}]
    assert (taken["account"], taken["item_ref"]) == ("1103", name)
    for fund, direction in ((EMPLOYEES, "OUT"), (RESIDENTS, "IN")):
        world.fund.put("bank.line.unplaced.v1", amounts={fund: "29.00"}, bank_txn=f"X-{direction}", direction=direction)
        world.fund.place((await world.fund.decided("suspense.opened"))[-1]["item_ref"], "INTER_FUND")
    books = await world.fund.balances()
    assert not {"1103", "1120", "2120", "1190", "2190"} & books.keys()
    assert not {"TEMP_DIRECT", "TEMP_FUND", "RECV_FUND"} & (await world.fund.balances("STAT")).keys()
    assert sum(fen for account, of in books.items() for fund, fen in of.items() if fund == RESIDENTS) == 0


@pytest.mark.parametrize("given", [0, 9_00])
@pytest.mark.parametrize("back", [False, True])
async def test_a_red_letter_follows_what_another_fund_took_over(world: World, given: int, back: bool) -> None:
    """20.00 of the residents' 40.00 of the line: its top was taken over by the employees, 9.00 is given back there."""
    name = await remainder(world)
    if given:
        await world.earn({EMPLOYEES: given}, "B-2", day="2026-09-05")
    if back:
        await world.come_back(name, on="2026-09-23")
    before, stat = await world.fund.balances(), await world.fund.balances("STAT")
    world.red(name, invoice(1), 50_00)
    world.red(name, invoice(2), 10_00)
    after, of_stat = await world.fund.balances(), await world.fund.balances("STAT")
    # The first fund's own 30.00 and 6.00 are recovered; of the second one's 20.00 and 4.00 all were taken over.
    moved = {
        account: {fund: fen for fund in (EMPLOYEES, RESIDENTS)
                  if (fen := after.get(account, {}).get(fund, 0) - before.get(account, {}).get(fund, 0))}
        for account in ("1103", "1109", "1120", "2102", "2105", "2120")
    }  # fmt: skip
    there = 29_00 - given
    hospital, rest = max(0, 24_00 - there), max(0, there - 24_00)
    # What is left there is taken from what the hospital gets back.
    if back:
        assert moved == {
            "1103": {EMPLOYEES: hospital - 24_00 - rest}, "1109": {}, "1120": {EMPLOYEES: 24_00},
            "2102": {EMPLOYEES: rest - 36_00 - hospital}, "2105": {EMPLOYEES: 36_00, RESIDENTS: 24_00},
            "2120": {RESIDENTS: -24_00},
        }  # fmt: skip
    else:
        assert moved == {
            "1103": {EMPLOYEES: hospital - 24_00 - rest}, "1109": {EMPLOYEES: 36_00 + 24_00}, "1120": {},
            "2102": {EMPLOYEES: rest - 36_00 - hospital}, "2105": {}, "2120": {},
        }  # fmt: skip
    spent = of_stat.get("EXPENSE", {}).get(EMPLOYEES, 0) - stat.get("EXPENSE", {}).get(EMPLOYEES, 0)
    assert spent == rest - 36_00 - hospital
    await alike(world)


async def test_what_the_books_begin_with_is_paid_netted_and_taken_as_any_other(
    world: World, database: Database
) -> None:
    whole = {"benefit_year": 2025, "value_date": "2025-12-31", "clr_way": None, "period_from": None, "period_to": None,
             "cut_off": None, "provider": world.fund.provider}  # fmt: skip
    for account, item, fen, supplier in (
        ("2105", "OLD-1", "70.00", ONE), ("1109", "OLD-2", "20.00", ONE), ("1109", "OLD-3", "5.00", TWO),
        ("1103", "OLD-4", "30.00", None),
    ):  # fmt: skip
        accounts = [{"account": account, "amounts": {EMPLOYEES: fen}}]
        told = {"supplier": supplier} if supplier else {}
        world.fund.put("opening.item.recorded.v1", **whole, item_ref=item, accounts=accounts, **told)
    assert await world.items() == {
        ("1103", "", EMPLOYEES): 30_00, ("1109", ONE, EMPLOYEES): 20_00, ("1109", TWO, EMPLOYEES): 5_00,
        ("2105", ONE, EMPLOYEES): -70_00,
    }  # fmt: skip
    by_supplier = await world.fund.control.fetch(
        "select account, counterpart, sum(debit - credit)::bigint from ledger.buckets"
        " where account in ('1103', '1109', '2105') group by account, counterpart order by account, counterpart"
    )
    assert [tuple(row) for row in by_supplier] == [
        ("1103", "", 30_00), ("1109", ONE, 20_00), ("1109", TWO, 5_00), ("2105", ONE, -70_00),
    ]  # fmt: skip
    world.day("2026-09-22")
    [order] = await world.fund.payments(payable_ref="OLD-1")
    assert order["amounts"] == {EMPLOYEES: 50_00}
    await world.send(on="2026-09-22")
    await world.paid("OLD-1", on="2026-09-22")
    await world.earn({EMPLOYEES: 40_00}, "B-1")
    assert (await world.books("1103", "1109", "2102")) == {"1109": {EMPLOYEES: 5_00}, "2102": {EMPLOYEES: -10_00}}
    assert await compared(database, world.fund) == (2, [])
    await world.fund.control.execute(
        """update clearing.direct set body = jsonb_set(body, '{due,310100}', '501') where ref = 'OLD-3'"""
    )
    _, problems = await compared(database, world.fund)
    assert problems == [
        f"open items lane={world.fund.lane} provider={world.fund.provider} account=1109 supplier={TWO} fund=310100: "
        "5.01 by clearing, 5.00 in the books"
    ]


async def test_what_is_known_of_suppliers_is_rebuilt_from_the_log(world: World) -> None:
    name = await ready(world)
    await world.pay(name, on="2026-09-22")
    await recovered(world, {EMPLOYEES: 50_00, RESIDENTS: 200_00})
    world.red(name, invoice(2), 59_99)
    world.request("DZ2", [1_000_00, 99])
    world.request("DZ3", [77_77], supplier=THREE)
    world.fund.put("direct.cap.set.v1", provider=world.fund.provider, approvers=["anna", "bo"], amount="0.00")
    world.day("2026-09-23")
    before = await world.fund.tables()
    assert len(before["direct"]) == 5
    async with world.fund.working:
        await world.fund.rebuild()
    assert await world.fund.tables() == before


STEPS = (*["request", "pay"] * 3, "day", "send", "bank", "back", "retry", *["red", "earn"] * 2, "cap", "over", "over")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_in_whatever_order_the_books_are_the_items_and_nobody_owes_less_than_nothing(
    world: World, seed: int
) -> None:
    """Two suppliers, nine statements, two funds: requested, paid, returned, retried, taken back, recovered, capped."""
    dice, names, days = random.Random(seed), [], 21
    for number in range(60):
        step = dice.choice(STEPS)
        if step == "request" and len(names) < 9:
            lines = {invoice(10 * len(names) + n): dice.randint(1, 90_00) for n in range(3)}
            names.append(world.request(f"DZ{len(names)}", lines, supplier=dice.choice((ONE, TWO))))
        elif step == "day":
            days += 1
            world.day(f"2026-{9 + days // 28:02d}-{1 + days % 28:02d}")
        elif step == "send":
            await world.send(on=world.today)
        elif step == "earn":
            amounts = {fund: dice.randint(1, 60_00) for fund in (EMPLOYEES, RESIDENTS)}
            await world.earn(amounts, f"B-{number}", day=f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}")
        elif step == "over":
            first, second = dice.sample((EMPLOYEES, RESIDENTS), 2)
            if most := await world.own_due(first):
                world.true_up(first, second, dice.randint(1, most))
        elif step == "cap":
            about = {"provider": world.fund.provider, "approvers": ["anna", "bo"]}
            world.fund.put("direct.cap.set.v1", **about, amount=dice.choice((None, "50.00", "0.00")))
        elif step == "red":
            if possible := [place for place, left in world.left.items() if any(left.values())]:
                _, name, one = dice.choice(possible)
                left = sum(world.left[world.fund.provider, name, one].values())
                world.red(name, one, dice.randint(1, -(-left // dice.choice((1, 4, 9)))))
        elif step == "pay" and names:
            days += 1
            await world.pay(dice.choice(names), on=f"2026-{9 + days // 28:02d}-{1 + days % 28:02d}")
        elif step == "retry" and names:
            await world.retry(dice.choice(names))
        elif step in ("bank", "back") and names:
            await (world.paid if step == "bank" else world.come_back)(dice.choice(names), on=world.today)
        await alike(world)
    assert await world.fund.decided("fact.disputed") == []
    before = await world.fund.tables()
    async with world.fund.working:
        await world.fund.rebuild()
    assert await world.fund.tables() == before


async def alike(world: World) -> None:
    """The books and the items are one, and what each item says of itself adds up."""
    items: Counter[tuple[str, str]] = Counter()
    for (account, _, fund), fen in (await world.items()).items():
        items[account, fund] += fen
        assert fen > 0 if account in ("1103", "1109") else fen < 0
    books = {(account, fund): fen for account, funds in (await world.books("1103", "1109", "2105")).items()
             for fund, fen in funds.items()}  # fmt: skip
    assert books == {place: fen for place, fen in items.items() if place[0] != "2102"}
    stat = (await world.fund.balances("STAT")).get("TEMP_DIRECT", {})
    tied = {
        fund: sum(books.get((account, fund), 0) for account in ("1103", "1109", "2105"))
        for fund in (EMPLOYEES, RESIDENTS)
    }
    assert stat == {fund: fen for fund, fen in tied.items() if fen}, "STAT: 1103 + 1109 - 2105"
    between = await world.books("1120", "2120"), await world.books("TEMP_FUND", "RECV_FUND", book="STAT")
    assert [*between[0].values()] == [*between[1].values()]
    left = Counter(dict.fromkeys((EMPLOYEES, RESIDENTS), 0))
    for parts_left in world.left.values():
        left.update(parts_left)
    rows = await world.fund.control.fetch("select body from clearing.direct where kind = 'STATEMENT'")
    charged: Counter[str] = Counter()
    for row in rows:
        charged.update(msgspec.json.decode(row["body"])["charged"])
    assert charged == left, "what is charged is what is left of the lines, split line by line"
