"""The stories of the golden histories: of each capability the smallest in which it hears all that it listens to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from medfund import money
from tests.fund import Fund
from tests.purchases import ONE, TWO, Purchases, invoice

Story: TypeAlias = Callable[[Fund], Awaitable[None]]

EMPLOYEES, RESIDENTS = "310100", "390100"
BATCH = "B-202601"
P1 = f"{BATCH}/P1/{EMPLOYEES}"
P2 = f"{BATCH}/P2/{EMPLOYEES}"
NOTICE = {
    "year": 2027,
    "holidays": ["2027-01-01", "2027-01-02", "2027-01-03"],
    "workdays": [],
    "notice_ref": "a notice for tests",
}


async def begin(fund: Fund, *, on: str | None = None, **parameters: str) -> None:
    """A hospital with a policy, and, from a day on, two people who approve."""
    fund.register()
    fund.policy(**parameters)
    if on is not None:
        for staff in ("anna", "bo"):
            fund.mandate(staff)
        fund.deposit({EMPLOYEES: 9_000_000, RESIDENTS: 9_000_000})
        fund.day(on)
    await fund.drain()


async def claimed(fund: Fund, amounts: Mapping[str, int], *, pays: str | None = "2026-02-09") -> None:
    """A claim of January, and the day that orders what is paid of it at once."""
    fund.settle(amounts)
    fund.submit(BATCH)
    await fund.drain()
    if pays is not None:
        fund.day(pays)
        await fund.drain()


async def answered(fund: Fund, kind: str, payment: str, fen: int, txn: str, on: str) -> None:
    """What the bank says of a payment."""
    told = {"provider": fund.provider, "payment_ref": payment, "bank_txn": txn, "value_date": on, "booked_on": on}
    fund.put(f"bank.{kind}.v1", amounts={payment[-6:]: money.yuan(fen)}, **told)
    await fund.drain()


async def line(fund: Fund, amount: str, txn: str, direction: str) -> str:
    """A line that answers nothing; what it is called in suspense."""
    fund.put("bank.line.unplaced.v1", amounts={EMPLOYEES: amount}, bank_txn=txn, direction=direction)
    return str((await fund.decided("suspense.opened"))[-1]["item_ref"])


def opened(fund: Fund, item: str, account: str, fen: int, **data: Any) -> None:
    """What was open when the books began."""
    content = {"benefit_year": 2025, "clr_way": None, "period_from": None, "period_to": None, "cut_off": None, **data}
    accounts = [{"account": account, "amounts": {EMPLOYEES: money.yuan(fen)}}]
    fund.put("opening.item.recorded.v1", provider=fund.provider, item_ref=item, accounts=accounts,
             value_date="2025-12-31", **content)  # fmt: skip


def supplier_of(fund: Fund, supplier: str, **data: Any) -> None:
    fund.put_in_lane("supplier.registered.v1", supplier=supplier, bank_account_ref=f"acct-{supplier[-2:]}", **data)


async def delivered(fund: Fund, statement: str, day: str) -> None:
    """What was stated is paid on the day that opens."""
    fund.day(day)
    await fund.drain()
    for one in await fund.payments(payable_ref=statement, status="ORDERED"):
        [fen] = one["amounts"].values()
        await answered(fund, "payment.settled", one["payment_ref"], fen, f"T-{one['payment_ref']}", day)


async def providers(fund: Fund) -> None:
    """What was done before a hospital was there is claimed when it is told that it was there."""
    fund.put("provider.registered.v1", provider=fund.provider, valid_from="2026-01-16")
    fund.policy()
    await claimed(fund, {EMPLOYEES: 81_307}, pays=None)
    fund.put("provider.changed.v1", provider=fund.provider, valid_from="2026-01-09", level="2")
    fund.submit(BATCH, on="2026-02-07")


async def policy(fund: Fund) -> None:
    """A claim is decided by the policy of its day, also when it is published twice."""
    await begin(fund, instant__ratio="0.73")
    fund.policy("2026-02-01", instant__ratio="0.81", clock__working_days="11")
    fund.policy("2026-02-01", instant__ratio="0.84", clock__working_days="12")
    await claimed(fund, {EMPLOYEES: 61_703, RESIDENTS: 4_409})
    fund.deduct([BATCH], {})


async def payments(fund: Fund) -> None:
    """Approved, withheld, sent, doubted, rejected, retried, cancelled, paid, come back, and come back by mistake."""
    await begin(fund, on="2026-02-06")
    await claimed(fund, {EMPLOYEES: 83_311, RESIDENTS: 51_907})
    fund.put("treasury.funds.requested.v1", request_ref="YK-3", amounts={EMPLOYEES: "771.13"})
    fund.put("provider.changed.v1", provider=fund.provider, bank_account_ref="acct-new", entered_by="carl")
    await fund.drain()
    fund.mandate("carl", "finance", limit="17.00")
    await fund.approve("carl", "anna", "anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-10")
    fund.put("provider.account.confirmed.v1", provider=fund.provider, bank_account_ref="acct-new", staff_ref="anna")
    await fund.run(EMPLOYEES, on="2026-02-10", number=2)
    await fund.run(RESIDENTS, on="2026-02-10")
    await fund.drain()
    fen = {one["payment_ref"]: sum(one["amounts"].values()) for one in await fund.payments()}
    other = f"{BATCH}/P1/{RESIDENTS}"
    for code in ("AM05", "AC04"):
        fund.put("bank.payment.rejected.v1", provider=fund.provider, payment_ref=P1, code=code, reason="不受理")
        await fund.drain()
    fund.retry(P1)
    await answered(fund, "payment.settled", other, fen[other], "T-1", "2026-02-11")
    fund.put("payment.confirmed.v1", provider=fund.provider, payment_ref=other, received_on="2026-02-12")
    await answered(fund, "payment.returned", other, 1_311, "T-2", "2026-02-12")
    await answered(fund, "return.reversed", other, 1_311, "T-3", "2026-02-13")
    await answered(fund, "payment.settled", P1, fen[P1], "T-4", "2026-02-13")
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.hold(BATCH, {RESIDENTS: 107})
    fund.put("provider.registered.v1", provider=fund.provider, bank_account_ref="acct-newer")


async def suspense(fund: Fund) -> None:
    """Interest that two people know, the bank's mistake of another lane, and one that this lane does not know."""
    await begin(fund, on="2026-02-09")
    interest, mistake = await line(fund, "3.29", "T-1", "IN"), await line(fund, "71.33", "T-2", "IN")
    fund.place(interest, "FISCAL", by=["anna"])
    fund.place(interest, "INTEREST")
    fund.place(interest, "INTEREST")
    await fund.drain()
    for number, amount in enumerate(("71.34", "71.33")):
        fund.put("bank.line.corrected.v1", item_ref=mistake, found_in=f"S-elsewhere-{number}", bank_txn=f"T-{number}",
                 amounts={EMPLOYEES: amount})  # fmt: skip
    await answered(fund, "payment.settled", "unknown/P1/310100", 1_907, "T-3", "2026-02-09")


async def cash(fund: Fund) -> None:
    """All that moves a bank account, and what does not, because it came out of suspense."""
    await begin(fund, on="2026-01-05")
    fund.put("treasury.funds.received.v1", amounts={EMPLOYEES: "4071.03"}, bank_txn="T-1", value_date="2026-01-05")
    opened(fund, "C-1", "1107", 7_309, decided_on="2025-11-20")
    opened(fund, f"{fund.provider}/YF-2026/{EMPLOYEES}", "1101", 9_311, benefit_year=2026, given="113.07",
           prepayment_kind="ANNUAL")  # fmt: skip
    await claimed(fund, {EMPLOYEES: 61_703})
    [payment] = await fund.payments()
    ref, fen = payment["payment_ref"], sum(payment["amounts"].values())
    await answered(fund, "payment.settled", ref, fen, "T-2", "2026-02-09")
    await answered(fund, "payment.returned", ref, fen, "T-3", "2026-02-10")
    await answered(fund, "return.reversed", ref, fen, "T-4", "2026-02-10")
    fund.repay(f"{fund.provider}/YF-2026/{EMPLOYEES}", {EMPLOYEES: 2_309}, on="2026-02-11")
    fund.recover("C-2", {EMPLOYEES: 3_701}, benefit_year=2025)
    fund.recovered("C-2", {EMPLOYEES: 1_103})
    fee = await line(fund, "0.53", "T-5", "OUT")
    fund.place(fee, "FEE")
    purchases = Purchases(fund)
    supplier_of(fund, ONE)
    statement = purchases.request("DZ-1", {invoice(1): 8_009}, key={EMPLOYEES: 1})
    await delivered(fund, statement, "2026-02-12")
    purchases.red(statement, invoice(1), 2_003)
    for kind, owed, amount in (("shortfall.repaid", statement, "10.09"), ("supplier.refunded", ONE, "20.03")):
        fund.put(f"bank.{kind}.v1", provider=fund.provider, payable_ref=owed, bank_txn=f"T-{kind}",
                 value_date="2026-02-13", amounts={EMPLOYEES: amount})  # fmt: skip


async def offsets(fund: Fund) -> None:
    """What a claim advanced, what a recovery takes and what a prepayment is due, of one payable."""
    await begin(fund, on="2026-02-06")
    await claimed(fund, {EMPLOYEES: 93_701, RESIDENTS: 20_101})
    fund.bank(f"{BATCH}/P1", {EMPLOYEES: 84_331}, on="2026-02-10")
    fund.recover("C-1", {EMPLOYEES: 2_003, RESIDENTS: 20_107}, benefit_year=2025)
    await fund.drain()
    fund.deduct([BATCH], {})


async def claims(fund: Fund) -> None:
    """Rejected, withdrawn, sent again, warned, late, not late after all, and late later by a notice."""
    await begin(fund, on="2026-02-06")
    await claimed(fund, {EMPLOYEES: 73_109}, pays=None)
    fund.submit("B-again", on="2026-02-06")
    fund.put("claim.batch.withdrawal.requested.v1", provider=fund.provider, batch=BATCH)
    await fund.drain()
    fund.submit("B-2", on="2026-02-07")
    fund.day("2026-02-09")
    await fund.drain()
    [one] = await fund.payments()
    await answered(fund, "payment.settled", one["payment_ref"], sum(one["amounts"].values()), "T-1", "2026-02-12")
    fund.deduct(["B-2"], {})
    [_, rest] = await fund.payments()
    ref, fen = rest["payment_ref"], sum(rest["amounts"].values())
    await answered(fund, "payment.settled", ref, fen, "T-2", "2026-02-26")
    await answered(fund, "payment.returned", ref, fen, "T-3", "2026-02-27")
    for day in ("2026-03-06", "2026-03-11"):
        fund.day(day)
        await fund.drain()
    await answered(fund, "return.reversed", ref, fen, "T-4", "2026-03-12")
    fund.settle({EMPLOYEES: 4_103}, day="2026-11-15")
    fund.submit("B-202611", first="2026-11-01", last="2026-11-30", on="2026-12-18")
    await fund.drain()
    fund.put_in_lane("calendar.published.v1", **NOTICE)


async def instant(fund: Fund) -> None:
    """A part at once of each fund, and the rest less the bond when the audit has ended."""
    await begin(fund, on="2026-02-06", instant__ratio="0.87", bond__310100="0.03")
    await claimed(fund, {EMPLOYEES: 93_701, RESIDENTS: 20_103, "310200": 37})
    fund.deduct([BATCH], {EMPLOYEES: 13_709})


async def audit(fund: Fund) -> None:
    """Looked at three times, appealed, deducted; a claim withdrawn under audit; a deduction undone by a reversal."""
    await begin(fund)
    one, two = (fund.settle({EMPLOYEES: fen}) for fen in (50_311, 20_903))
    fund.submit(BATCH)
    three = fund.settle({EMPLOYEES: 8_011}, day="2026-01-30", clr_type="11")
    fund.submit("D-30", first="2026-01-30", last="2026-01-30", on="2026-02-02", mode="DAY", clr_type="11")
    fund.put("audit.stage.completed.v1", provider=fund.provider, batches=[BATCH], stage="FIRST", rows=2)
    await fund.drain()
    fund.find(BATCH, "F-1", {EMPLOYEES: 20_107}, one)
    fund.find(BATCH, "F-2", {EMPLOYEES: 7_013}, two, line_ref="3")
    fund.find("D-30", "F-3", {EMPLOYEES: 1_201}, three)
    await fund.drain()
    fund.put("claim.batch.withdrawal.requested.v1", provider=fund.provider, batch="D-30")
    fund.put("audit.finding.reviewed.v1", provider=fund.provider, batch=BATCH, finding_ref="F-2", stage="FINAL",
             amounts={EMPLOYEES: "50.09"})  # fmt: skip
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.appeal(BATCH, "F-1", {EMPLOYEES: 3_001})
    await fund.drain()
    fund.deduct([BATCH], {EMPLOYEES: 17_106 + 5_009})
    await fund.drain()
    fund.settle({EMPLOYEES: 50_311}, day="2026-02-03", reverses=one)
    fund.settle({EMPLOYEES: 70_117}, day="2026-02-04")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")


async def supervision(fund: Fund) -> None:
    """Left out while suspended, held and released, recovered in cash and by offset, and not owed after all;
    money of a case that is not there."""
    await begin(fund, on="2026-02-06")
    fund.put("provider.agreement.changed.v1", provider=fund.provider, status="SUSPENDED", effective_from="2026-01-20",
             effective_to="2026-01-22")  # fmt: skip
    fund.put("person.qualification.changed.v1", provider=fund.provider, staff_ref="HY1", suspended_from="2026-01-10",
             suspended_to="2026-01-12")  # fmt: skip
    fund.settle({EMPLOYEES: 11_003}, day="2026-01-21", clr_type="11")
    fund.submit("D-21", first="2026-01-21", last="2026-01-21", on="2026-01-22", mode="DAY", clr_type="11")
    doubted = fund.settle({EMPLOYEES: 7_013}, day="2026-01-11")
    one = fund.settle({EMPLOYEES: 30_209})
    fund.submit(BATCH)
    fund.submit(BATCH, last="2026-01-15")
    await fund.drain()
    fund.find(BATCH, "F-1", {EMPLOYEES: 7_013}, doubted, ground="PERSON", staff_ref="HY1")
    await fund.drain()
    fund.deduct([BATCH], {EMPLOYEES: 7_013})
    await fund.drain()
    fund.hold(BATCH, {EMPLOYEES: 2_011})
    fund.recover("C-1", {EMPLOYEES: 9_007}, benefit_year=2025)
    await fund.drain()
    fund.hold(BATCH, {EMPLOYEES: 2_011}, release=True)
    fund.recover("C-2", {EMPLOYEES: 90_013}, benefit_year=2025)
    await fund.drain()
    fund.recovered("C-2", {EMPLOYEES: 1_301})
    await fund.drain()
    fund.recovered("C-2", {EMPLOYEES: 80_001}, type="appeal.upheld")
    fund.recover("C-3", {EMPLOYEES: 20_011}, settlement_ref=one)
    await fund.drain()
    fund.settle({EMPLOYEES: 30_209}, day="2026-02-03", reverses=one)
    fund.settle({EMPLOYEES: 70_117}, day="2026-02-04")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    fund.put("bank.recovery.repaid.v1", provider=fund.provider, case_ref="C-4", amounts={EMPLOYEES: "43.07"})


async def days(fund: Fund) -> None:
    """Days pass, one is opened that is over, and a notice moves a deadline that was provisional."""
    await begin(fund)
    fund.settle({EMPLOYEES: 17_011}, day="2026-11-15")
    fund.submit("B-202611", first="2026-11-01", last="2026-11-30", on="2026-12-18")
    for day in ("2026-12-21", "2026-12-30"):
        fund.day(day)
    await fund.drain()
    fund.put_in_lane("day.opened.v1", date="2026-12-22")
    fund.put_in_lane("calendar.published.v1", **NOTICE)
    fund.day("2026-12-31")


async def prepayment(fund: Fund) -> None:
    """A year's prepayment from application to the next year, one along purchases, and one that a grade refuses."""
    annual, bulk = f"{fund.provider}/YF-2026/{EMPLOYEES}", f"{fund.provider}/JC-JC-7/{EMPLOYEES}"
    await begin(fund, on="2026-01-05")
    for of, surplus in ((EMPLOYEES, "71000000.00"), (RESIDENTS, "10300000.00")):
        fund.figures(of, surplus, "31000000.00")
    fund.assess()
    fund.apply(EMPLOYEES, RESIDENTS)
    fund.apply(EMPLOYEES, kind="BULK", contract_ref="JC-7", agreed={EMPLOYEES: "3101.00"})
    fund.grant(annual, 91_003)
    fund.grant(annual, 80_009, plan="YF-2")
    fund.grant(bulk, 93_030, plan="YF-3", base="3101.00", prepayment_kind="BULK")
    fund.day("2026-02-26")
    await fund.approve("anna", "bo")
    await fund.run(EMPLOYEES, on="2026-02-27")
    for number, one in enumerate(await fund.payments(status="SENT")):
        ref, fen = one["payment_ref"], sum(one["amounts"].values())
        await answered(fund, "payment.settled", ref, fen, f"T-{number}", "2026-02-27")
        if number == 0:
            await answered(fund, "payment.returned", ref, fen, "T-8", "2026-03-02")
            await answered(fund, "return.reversed", ref, fen, "T-9", "2026-03-02")
    fund.put("prepayment.purchases.reported.v1", provider=fund.provider, contract_ref="JC-7",
             purchased={EMPLOYEES: "1033.00"}, reported_on="2026-03-31")  # fmt: skip
    fund.settle({EMPLOYEES: 23_011}, day="2026-03-15")
    fund.submit("B-202603", first="2026-03-01", last="2026-03-31", on="2026-04-03")
    await fund.drain()
    fund.recall(bulk, on="2026-04-07")
    fund.day("2026-04-07")
    await fund.drain()
    fund.repay(annual, {EMPLOYEES: 30_007}, on="2026-05-06")
    opened(fund, f"{fund.provider}/JC-JC-8/{EMPLOYEES}", "1102", 4_003, benefit_year=2026, given="50.03",
           prepayment_kind="BULK", contract_ref="JC-8", agreed="200.12", purchased="50.03")  # fmt: skip
    fund.day("2026-12-31")
    fund.day("2027-01-01")
    await fund.drain()
    fund.repay(annual, {EMPLOYEES: 50_002}, on="2027-01-04", txn="R-2")
    fund.put("provider.agreement.changed.v1", provider=fund.provider, status="TERMINATED", effective_from="2027-01-05")


async def opening(fund: Fund) -> None:
    """A claim, a recovery and two lines of the bank that were open when the books began."""
    await begin(fund, on="2026-01-05")
    opened(fund, "C-1", "1107", 7_309, decided_on="2025-11-20", benefit_year=2024)
    opened(fund, "B-R", "2102", 31_013, clr_way="3", period_from="2025-11-01", period_to="2025-11-30",
           cut_off="2025-12-10")  # fmt: skip
    opened(fund, "C-1", "1107", 7_309, decided_on="2025-11-20", benefit_year=2024)
    for account in ("2190", "1190"):
        fund.put("opening.balance.recorded.v1", account=account, amounts={EMPLOYEES: "61.07"}, bank_account="1002",
                 bank_txn="T-7", value_date="2025-12-30")  # fmt: skip


async def direct(fund: Fund) -> None:
    """Two suppliers of a hospital: paid, blocked, taken back wherever a line can stand, netted, and paid to another."""
    await begin(fund, on="2026-01-05")
    purchases, whose = Purchases(fund), {"provider": fund.provider}
    for supplier in (ONE, TWO):
        supplier_of(fund, supplier)
    fund.put_in_lane("supplier.changed.v1", supplier=TWO, bank_account_ref="acct-new", entered_by="anna")
    for staff in ("anna", "bo"):
        fund.put_in_lane("supplier.account.confirmed.v1", supplier=TWO, bank_account_ref="acct-new", staff_ref=staff)
    fund.put_in_lane("supplier.registered.v1", supplier=ONE, bank_account_ref="acct-newer", entered_by="bo")
    opened(fund, "DZ-0", "2105", 4_001, supplier=ONE)
    opened(fund, "DZ-00", "1109", 1_501, supplier=ONE)
    opened(fund, "DZ-000", "1103", 2_003)
    first = purchases.request("DZ-1", {invoice(1): 9_013, invoice(2): 6_007})
    purchases.request("DZ-1", {invoice(1): 9_013})
    await fund.drain()
    purchases.red(first, invoice(1), 1_003)
    await delivered(fund, first, "2026-01-06")
    cap = {**whose, "approvers": ["anna", "bo"]}
    fund.put("direct.cap.set.v1", **cap, amount="9.01")
    second = purchases.request("DZ-2", {invoice(3): 7_001}, supplier=TWO)
    fund.day("2026-01-07")
    fund.put("direct.cap.set.v1", **cap, amount=None)
    await fund.drain()
    await claimed(fund, {EMPLOYEES: 9_001, RESIDENTS: 3_007}, pays="2026-02-09")
    fund.deduct([BATCH], {})
    await fund.drain()
    purchases.red(first, invoice(2), 2_011)
    [paid, *_] = await fund.payments(payable_ref=first, status="SETTLED")
    [fen] = paid["amounts"].values()
    await answered(fund, "payment.returned", paid["payment_ref"], fen, "T-back", "2026-02-10")
    purchases.red(first, invoice(2), 3_019)
    await answered(fund, "return.reversed", paid["payment_ref"], fen, "T-again", "2026-02-11")
    deed = {"supplier": TWO, "payee": ONE, "deed": "a" * 64, "approvers": ["anna", "bo"]}
    fund.put_in_lane("supplier.payee.assigned.v1", **deed, cause="MERGER")
    third = purchases.request("DZ-3", {invoice(4): 11_003})
    await delivered(fund, third, "2026-02-12")
    await delivered(fund, second, "2026-02-13")
    purchases.red(third, invoice(4), 9_007)
    fund.put("inter_fund.true_up.agreed.v1", **whose, from_fund=RESIDENTS, to_fund=EMPLOYEES, amount="21.07",
             agreed_on="2026-02-16", approvers=["anna", "bo"])  # fmt: skip
    await fund.drain()
    purchases.red(second, invoice(3), 6_007)
    for kind, owed, amount in (("shortfall.repaid", second, "1.09"), ("supplier.refunded", ONE, "9.03")):
        fund.put(f"bank.{kind}.v1", **whose, payable_ref=owed, bank_txn=f"T-{kind}", value_date="2026-02-13",
                 amounts={EMPLOYEES: amount})  # fmt: skip


STORIES: Mapping[str, Story] = {
    story.__name__: story
    for story in (
        providers, policy, payments, suspense, cash, offsets, claims, instant, audit, supervision, days, prepayment,
        opening, direct,
    )
}  # fmt: skip
