"""The door that money leaves through: two people behind each payment, runs, the bank's answers, retries, suspense."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from clearing.payments.payment import end_to_end_id
from medfund import money
from tests.conftest import Database
from tests.fund import PROVIDER, Fund, running

BATCH = "B-202601"
P1 = f"{BATCH}/P1/310100"
OTHER = f"{BATCH}/P1/390100"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    """Two payments of one provider, of 900.00 and 450.00, wait for approval on 2026-02-09; 5,000.00 is in each fund."""
    async with running(database) as fund:
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
        yield fund


async def refusals(fund: Fund) -> list[tuple[str, str]]:
    return [(event["staff_ref"], event["code"]) for event in await fund.decided("payment.approval.refused")]


async def states(fund: Fund) -> dict[str, str]:
    return {one["payment_ref"]: one["status"] for one in await fund.payments()}


async def withheld(fund: Fund) -> list[tuple[str, str]]:
    return [(event["payment_ref"], event["code"]) for event in await fund.decided("payment.withheld")]


# -- two people


async def test_a_payment_is_approved_when_two_people_have_said_so_one_of_them_an_approver(fund: Fund) -> None:
    await fund.approve("anna")
    assert set((await states(fund)).values()) == {"ORDERED"}
    await fund.approve("bo")
    assert await states(fund) == {P1: "APPROVED", OTHER: "APPROVED"}
    one, _, two, _ = await fund.decided("payment.approved")
    assert (one["approvers"], one["missing"], two["approvers"], two["missing"]) == (["anna"], 1, ["anna", "bo"], 0)
    assert two["expires_on"] == "2026-02-14"
    assert two["bank_account_ref"] == "acct-152500-000017"


async def test_nobody_approves_twice_nor_without_a_mandate_nor_above_its_limit(fund: Fund) -> None:
    """Reliability row 76."""
    fund.mandate("dan", limit="899.99")
    fund.mandate("eve", valid_from="2026-02-10")
    fund.mandate("fay", valid_to="2026-02-08")
    fund.mandate("gus", area="370100")
    await fund.approve("anna", "anna", "dan", "eve", "fay", "gus", "nobody", refs=[P1])
    assert await refusals(fund) == [
        ("anna", "TWICE"), ("dan", "LIMIT"), ("eve", "MANDATE"), ("fay", "MANDATE"), ("gus", "MANDATE"),
        ("nobody", "MANDATE"),
    ]  # fmt: skip
    fund.mandate("dan", limit="900.00")
    await fund.approve("dan", refs=[P1])
    assert (await states(fund))[P1] == "APPROVED"


async def test_one_person_in_other_letters_is_one_person(fund: Fund) -> None:
    await fund.approve("anna", "Anna", "ANNA", refs=[P1])
    assert await refusals(fund) == [("Anna", "TWICE"), ("ANNA", "TWICE")]
    await fund.approve("BO", refs=[P1])
    assert [one["approvers"] for one in await fund.payments(status="APPROVED")] == [["anna", "BO"]]
    fund.mandate("Bo", "approver", valid_to="2025-12-31")
    await fund.approve("bO", refs=[OTHER])
    assert (await refusals(fund))[-1] == ("bO", "MANDATE")


@pytest.mark.parametrize(
    "approvers", [None, [], ["olga"], ["olga", "OLGA"], ["olga", "dan"], ["Dan", "paul"], ["a", "b", "c"]]
)
async def test_a_mandate_without_two_people_behind_it_has_no_effect(fund: Fund, approvers: list[str] | None) -> None:
    fund.mandate("dan", approvers=approvers)
    await fund.approve("dan", refs=[P1])
    assert await refusals(fund) == [("dan", "MANDATE")]
    reasons = await fund.control.fetch("select distinct reason from clearing.quarantine")
    assert [row["reason"] for row in reasons] == ["not_yours_to_say"]


async def test_no_limit_is_passed_by_splitting(fund: Fund) -> None:
    """What one person approves for one payee on one day is held against the limit together, to the fen."""
    fund.mandate("dan", limit="1349.99")
    await fund.approve("dan", refs=[P1])
    await fund.approve("Dan", refs=[OTHER])
    assert await refusals(fund) == [("Dan", "LIMIT")]
    [told] = await fund.decided("payment.approval.refused")
    assert told["detail"] == (
        f"450.00 and 900.00 approved for {PROVIDER} on 2026-02-09 are above the limit of Dan, 1349.99"
    )
    fund.mandate("dan", limit="1350.00")
    await fund.approve("dan", refs=[OTHER])
    assert len(await refusals(fund)) == 1


async def test_no_limit_is_passed_by_approving_what_was_ordered_a_moment_ago(fund: Fund) -> None:
    """However the lane's batches are cut: here it is ordered and approved in the same one."""
    fund.mandate("dan", limit="949.99")
    await fund.approve("dan", refs=[P1])
    fund.bank(f"{BATCH}/P1", {"310100": 90_000, "390100": 45_000}, on="2026-02-09")
    await fund.drain()
    fund.deduct([BATCH], {})
    fund.put("payment.approval.given.v1", provider=fund.provider, payments=[f"{BATCH}/P2/310100"], total="50.00",
             staff_ref="dan")  # fmt: skip
    assert await refusals(fund) == [("dan", "LIMIT")]
    assert (await states(fund))[f"{BATCH}/P2/310100"] == "ORDERED"


async def test_a_limit_holds_for_what_one_approval_names_together(fund: Fund) -> None:
    fund.mandate("dan", limit="1349.99")
    await fund.approve("dan")
    assert await refusals(fund) == [("dan", "LIMIT")]
    assert [len(one["approvers"]) for one in await fund.payments()] in ([1, 0], [0, 1])


async def test_a_limit_begins_anew_with_the_next_day_and_for_another_person(fund: Fund) -> None:
    fund.mandate("dan", limit="900.00")
    await fund.approve("dan", refs=[P1])
    fund.day("2026-02-10")
    await fund.approve("dan", refs=[OTHER])
    assert await refusals(fund) == []
    fund.mandate("eve", limit="900.00")
    await fund.approve("eve", refs=[P1])
    assert await refusals(fund) == []
    assert (await states(fund))[P1] == "APPROVED"


async def test_two_officers_without_an_approver_are_not_enough(fund: Fund) -> None:
    fund.mandate("hugo", "finance")
    await fund.approve("anna", "hugo", "bo", refs=[P1])
    assert await refusals(fund) == [("hugo", "ROLE")]
    assert (await states(fund))[P1] == "APPROVED"


async def test_of_two_approvers_at_once_both_count_and_a_third_is_told_that_nothing_waits(fund: Fund) -> None:
    for staff in ("bo", "chen", "anna"):
        fund.put("payment.approval.given.v1", provider=PROVIDER, payments=[P1], total="900.00", staff_ref=staff)
    assert await refusals(fund) == [("anna", "NOT_WAITING")]
    assert [one["approvers"] for one in await fund.payments(status="APPROVED")] == [["bo", "chen"]]


async def test_what_somebody_did_not_see_is_not_approved(fund: Fund) -> None:
    await fund.approve("bo", total="1350.01")
    await fund.approve("bo", refs=[P1, "nothing/P1/310100"], total="900.00")
    await fund.approve("bo", refs=[P1, P1], total="1800.00")
    assert await fund.decided("payment.approved", "payment.approval.refused") == []
    assert [event["detail"] for event in await fund.decided("fact.disputed")] == [
        "the payments make 1350.00, not 1350.01: none is approved",
        f"nothing/P1/310100 is no payment of {PROVIDER}, or is named twice: none is approved",
        f"one of them is no payment of {PROVIDER}, or is named twice: none is approved",
    ]


async def test_an_approval_ends_with_its_last_day_and_both_people_have_to_say_it_again(fund: Fund) -> None:
    await fund.approve("anna", "bo", refs=[P1])
    run = (await fund.plan("310100", on="2026-02-14")).payments
    assert run == 1
    assert (await fund.plan("310100", on="2026-02-15")).payments == 0, "a run of the next day leaves it out"
    plan = await fund.plan("310100", on="2026-02-14")
    fund.day("2026-02-15")
    await send(fund, plan)
    assert await withheld(fund) == [(P1, "EXPIRED")]
    assert (await states(fund))[P1] == "ORDERED"
    await fund.approve("bo", "chen", refs=[P1])
    assert (await states(fund))[P1] == "APPROVED"


# -- the payee


async def test_a_payee_confirms_once_what_was_sent_and_it_may_know_before_the_bank_says_so(fund: Fund) -> None:
    def confirm(ref: str, day: str, provider: str = PROVIDER) -> None:
        fund.put("payment.confirmed.v1", provider=provider, payment_ref=ref, received_on=day)

    await fund.approve("anna", "bo")
    confirm(P1, "2026-02-11")
    await fund.run("310100", on="2026-02-10")
    for day in ("2026-02-11", "2026-02-11", "2026-02-12"):
        confirm(P1, day)
    confirm("nothing/P1/310100", "2026-02-11")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-11")
    [noted] = await fund.decided("payment.receipt.noted")
    assert (noted["payment_ref"], noted["received_on"]) == (P1, "2026-02-11")
    assert [one["detail"] for one in await fund.decided("fact.disputed")] == [
        f"{P1} was not sent to the bank, or was not carried out",
        f"{P1} was confirmed before, as received on 2026-02-11",
        "no payment nothing/P1/310100 was ordered",
    ]
    [paid] = await fund.payments(payment_ref=P1)
    assert (paid["status"], paid["confirmed_on"], paid["value_date"]) == ("SETTLED", "2026-02-11", "2026-02-11")


async def test_a_payee_cannot_have_what_came_back_or_was_paid_later(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    await fund.run("390100", on="2026-02-10")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-11")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-12", back=True)
    fund.bank(OTHER, {"390100": 45_000}, on="2026-02-11")
    for ref in (P1, OTHER):
        day = "2026-02-12" if ref == P1 else "2026-02-10"
        fund.put("payment.confirmed.v1", provider=PROVIDER, payment_ref=ref, received_on=day)
    assert [one["detail"] for one in await fund.decided("fact.disputed")] == [
        f"{P1} came back to the fund",
        f"{OTHER} was paid on 2026-02-11, and cannot have come before",
    ]
    assert await fund.decided("payment.receipt.noted") == []


# -- runs


async def send(fund: Fund, plan: Any, number: int = 1) -> None:
    from clearing.payments import planning

    name = planning.run_ref(plan.wanted, number)
    fund.put_run(planning.run(plan, run_ref=name, staff_ref="anna"))
    await fund.drain()


async def test_a_run_sends_the_approved_payments_of_one_fund_and_no_other(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    run = await fund.run("310100", on="2026-02-10")
    assert await states(fund) == {P1: "SENT", OTHER: "APPROVED"}
    [sent] = await fund.decided("payment.sent")
    assert (sent["run_ref"], sent["amounts"], sent["bank_account"]) == (run, {"310100": "900.00"}, "1002")
    assert (run, sent["end_to_end_id"]) == ("152500-310100-20260210-1", end_to_end_id(PROVIDER, P1))
    assert len(end_to_end_id(PROVIDER, P1)) <= 35


async def test_a_payment_is_sent_once_however_many_runs_there_are(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    plan = await fund.plan("310100", on="2026-02-10")
    for number in (1, 2, 1):
        await send(fund, plan, number)
    assert len(await fund.decided("payment.sent")) == 1


async def test_a_run_pays_no_more_than_what_is_there_and_the_earliest_due_first(database: Database) -> None:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        fund.deposit({"310100": 15_000})
        for staff in ("bo", "chen"):
            fund.mandate(staff)
        for month in (1, 2):
            fund.settle({"310100": 10_000}, day=f"2026-0{month}-15")
            batch = f"B-20260{month}"
            fund.submit(batch, first=f"2026-0{month}-01", last=f"2026-0{month}-28", on=f"2026-0{month + 1}-06")
        await fund.drain()
        fund.day("2026-03-09")
        await fund.approve("bo", "chen")
        plan = await fund.plan("310100", on="2026-03-10")
        assert (plan.available, plan.payments, plan.fen, plan.approved, plan.approved_fen) == (
            15_000, 1, 9_000, 2, 18_000,
        )  # fmt: skip
        await send(fund, plan)
        assert [one["payment_ref"] for one in await fund.payments(status="SENT")] == ["B-202601/P1/310100"]
        assert (await fund.plan("310100", on="2026-03-10")).available == 6_000, "what was sent is spoken for"
        fund.put("treasury.funds.received.v1", amounts={"310100": "30.00"}, value_date="2026-03-10")
        await send(fund, await fund.plan("310100", on="2026-03-10"), 2)
        assert len(await fund.payments(status="SENT")) == 2


async def test_what_was_approved_after_a_run_was_made_is_not_in_it(fund: Fund) -> None:
    await fund.approve("anna", "bo", refs=[P1])
    plan = await fund.plan("310100", on="2026-02-10")
    fund.mandate("chen", valid_to="2026-02-09")
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new")
    await fund.approve("bo", "chen", refs=[P1])
    await send(fund, plan)
    assert await fund.decided("payment.sent") == []


async def test_who_approved_and_lost_the_mandate_before_the_run_does_not_count(fund: Fund) -> None:
    """Reliability row 76: the role is lost in between."""
    await fund.approve("anna", "bo")
    fund.mandate("bo", valid_to="2026-02-08")
    await fund.run("310100", on="2026-02-10")
    assert await withheld(fund) == [(P1, "MANDATE")]
    assert await states(fund) == {P1: "ORDERED", OTHER: "APPROVED"}


async def test_a_suspended_provider_is_paid_when_its_agreement_is_resumed(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="SUSPENDED", effective_from="2026-02-10",
             effective_to="2026-02-10")  # fmt: skip
    await fund.run("310100", on="2026-02-10")
    assert await withheld(fund) == [(P1, "AGREEMENT")]
    await fund.run("310100", on="2026-02-11", number=2)
    assert (await states(fund))[P1] == "SENT"


async def test_what_a_run_withheld_is_not_added_to_it_when_the_run_is_told_again(fund: Fund) -> None:
    """Its file may be at the bank: whatever were added would be called sent, and nobody would pay it."""
    await fund.approve("anna", "bo")
    fund.put("provider.agreement.changed.v1", provider=PROVIDER, status="SUSPENDED", effective_from="2026-02-10",
             effective_to="2026-02-10")  # fmt: skip
    plan = await fund.plan("310100", on="2026-02-10")
    await send(fund, plan)
    assert await withheld(fund) == [(P1, "AGREEMENT")]
    fund.day("2026-02-11")
    await send(fund, plan)
    assert (await states(fund))[P1] == "APPROVED"
    await fund.run("310100", on="2026-02-11", number=2)
    assert (await states(fund))[P1] == "SENT"


async def test_an_account_that_was_changed_the_day_before_is_paid_to_when_somebody_has_confirmed_it(fund: Fund) -> None:
    """Edge case 38."""
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new")
    await fund.drain()
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    assert await withheld(fund) == [(P1, "ACCOUNT")]
    fund.put("provider.account.confirmed.v1", provider=PROVIDER, bank_account_ref="acct-new", staff_ref="nobody")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "nobody has no mandate of area 152500 on 2026-02-09"
    await fund.run("310100", on="2026-02-10", number=2)
    assert (await states(fund))[P1] == "APPROVED", "whoever confirms it has a mandate"
    fund.put("provider.account.confirmed.v1", provider=PROVIDER, bank_account_ref="acct-old", staff_ref="chen")
    await fund.run("310100", on="2026-02-10", number=3)
    assert (await states(fund))[P1] == "APPROVED", "another account was confirmed"
    fund.put("provider.account.confirmed.v1", provider=PROVIDER, bank_account_ref="acct-new", staff_ref="chen")
    await fund.run("310100", on="2026-02-10", number=4)
    [sent] = await fund.decided("payment.sent")
    assert sent["bank_account_ref"] == "acct-new"


async def test_whoever_entered_a_new_account_does_not_confirm_it(fund: Fund) -> None:
    """Also where somebody else enters something else of the provider later."""
    confirmed = {"provider": PROVIDER, "bank_account_ref": "acct-new"}
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new", entered_by="Chen")
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new", level="2", entered_by="anna")
    await fund.approve("anna", "bo")
    fund.put("provider.account.confirmed.v1", **confirmed, staff_ref="chen")
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "Chen entered account acct-new: another one confirms it"
    await fund.run("310100", on="2026-02-10")
    assert await withheld(fund) == [(P1, "ACCOUNT")]
    fund.put("provider.account.confirmed.v1", **confirmed, staff_ref="bo")
    fund.put("provider.account.confirmed.v1", **confirmed, staff_ref="chen")
    await fund.run("310100", on="2026-02-10", number=2)
    assert (await states(fund))[P1] == "SENT"
    noted = await fund.decided("payee.account.noted")
    assert [(one.get("entered_by"), one.get("confirmed_by")) for one in noted] == [("Chen", None), ("Chen", "bo")]


async def test_an_account_that_changes_after_the_approval_takes_the_approval_away(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new")
    await fund.run("310100", on="2026-02-10")
    assert await withheld(fund) == [(P1, "ACCOUNT")]
    assert (await states(fund))[P1] == "ORDERED"
    fund.day("2026-02-12")
    await fund.approve("anna", "bo", refs=[P1])
    await fund.run("310100", on="2026-02-12", number=2)
    assert (await states(fund))[P1] == "SENT", "two days later it is as good as any"


# -- holds


async def test_a_hold_on_a_claim_in_review_keeps_its_p1_back_until_it_is_released(fund: Fund) -> None:
    """Edge case 39: between the approval and the run."""
    await fund.approve("anna", "bo")
    plan = await fund.plan("310100", on="2026-02-10")
    fund.hold(BATCH, {"310100": 1})
    await send(fund, plan)
    assert await withheld(fund) == [(P1, "HELD")]
    await fund.run("390100", on="2026-02-10")
    assert await states(fund) == {P1: "APPROVED", OTHER: "SENT"}, "the other fund is not held"
    fund.hold(BATCH, {"310100": 1}, release=True)
    await fund.run("310100", on="2026-02-10", number=2)
    assert (await states(fund))[P1] == "SENT"


async def approved_claim(fund: Fund) -> None:
    """The P1 is paid, the claim is approved: 95.00 + 45.00 are ordered as its rest, less the bond."""
    fund.bank(f"{BATCH}/P1", {"310100": 90_000, "390100": 45_000}, on="2026-02-10")
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()


async def test_a_hold_between_order_and_sending_stops_the_payment_and_the_rest_is_ordered_anew(fund: Fund) -> None:
    """Edge case 39."""
    await approved_claim(fund)
    rest = f"{BATCH}/P2/310100"
    await fund.approve("anna", "bo")
    plan = await fund.plan("310100", on="2026-02-10")
    fund.hold(BATCH, {"310100": 2_000})
    await send(fund, plan)
    assert await fund.decided("payment.sent") == []
    found = {one["payment_ref"]: (one["status"], one["amounts"]) for one in await fund.payments()}
    assert found[rest] == ("CANCELLED", {"310100": 5_000})
    assert found[f"{BATCH}/P3/310100"] == ("ORDERED", {"310100": 3_000})
    assert (await fund.balances())["2108"] == {"310100": -2_000}
    assert await fund.open_items() == {
        account: amounts for account, amounts in (await fund.balances()).items() if account in {"2102", "2103", "2108"}
    }


async def test_a_hold_after_sending_is_told_that_it_comes_too_late(fund: Fund) -> None:
    """Edge case 39: between the run and the file. What is in a run's file is the bank's to stop."""
    await approved_claim(fund)
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.hold(BATCH, {"310100": 2_000})
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "fund 310100: less than 20.00 is open and not sent to the bank"
    assert len(await fund.payments(status="SENT")) == 1


# -- what the bank says


async def test_a_confirmation_that_comes_before_the_sending_is_booked_and_nothing_is_sent_again(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    plan = await fund.plan("310100", on="2026-02-10")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-10")
    await send(fund, plan)
    assert await fund.decided("payment.sent") == []
    assert (await states(fund))[P1] == "SETTLED"
    assert (await fund.balances())["1104"] == {"310100": 90_000}


async def test_a_payment_in_two_lines_of_the_bank_is_settled_when_both_are_there(fund: Fund) -> None:
    """n:1: several lines for one payment."""
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.bank(P1, {"310100": 60_000}, on="2026-02-10")
    [one] = await fund.payments(payment_ref=P1)
    assert (one["status"], one["settled"]) == ("SENT", {"310100": 60_000})
    fund.bank(P1, {"310100": 30_000}, on="2026-02-11")
    [one] = await fund.payments(payment_ref=P1)
    assert (one["status"], one["value_date"]) == ("SETTLED", "2026-02-11")
    assert (await fund.balances())["1104"] == {"310100": 90_000}


async def test_what_the_bank_paid_too_much_is_in_suspense_and_the_payment_is_settled(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.bank(P1, {"310100": 90_001}, on="2026-02-10")
    assert (await states(fund))[P1] == "SETTLED"
    [item] = await fund.decided("suspense.opened")
    assert (item["direction"], item["amounts"], item["payment_ref"]) == ("OUT", {"310100": "0.01"}, P1)


async def test_a_payment_that_the_bank_rejects_is_paid_when_somebody_asks_and_another_one_approves(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=P1)
    await fund.drain()
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=P1)
    [one] = await fund.payments(payment_ref=P1)
    assert (one["status"], one["code"], one["to_retry"]) == ("FAILED", "AC04", {"310100": 90_000})
    assert "310100" not in (await fund.balances()).get("1104", {})
    fund.retry(P1, "anna")
    fund.retry(P1, "anna")
    again = f"{BATCH}/P2/310100"
    [two] = await fund.payments(payment_ref=again)
    assert (two["requested_by"], two["retry_of"], two["purpose"]) == ("anna", P1, "INSTANT")
    assert [event["detail"] for event in await fund.decided("fact.disputed")] == [
        f"payment {P1} is FAILED, not on its way",
        f"nothing of payment {P1} failed or came back and waits",
    ]
    await fund.approve("anna", "bo", refs=[again])
    assert await refusals(fund) == [("anna", "REQUESTER")]
    assert (await states(fund))[again] == "APPROVED"
    await fund.run("310100", on="2026-02-10", number=2)
    fund.bank(again, {"310100": 90_000}, on="2026-02-10")
    assert (await fund.balances())["1104"] == {"310100": 90_000}


async def test_who_asked_for_a_payment_is_one_of_the_two_with_a_mandate_for_it_alone(fund: Fund) -> None:
    """Nobody stands behind a payment by asking for it who could not by approving it, on the day of the run either."""
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=P1)
    fund.mandate("dan", "finance", limit="899.99")
    fund.retry(P1, "dan")
    again = f"{BATCH}/P2/310100"
    await fund.approve("bo", refs=[again])
    assert (await states(fund))[again] == "ORDERED"
    await fund.approve("dan", "chen", refs=[again])
    assert (await states(fund))[again] == "APPROVED"
    assert await refusals(fund) == [("dan", "REQUESTER")]
    fund.mandate("dan", "finance", limit="900.00")
    fund.day("2026-02-15")
    await fund.approve("bo", refs=[again])
    assert (await states(fund))[again] == "APPROVED", "with it, dan and bo are two"
    fund.mandate("dan", "finance", valid_to="2026-02-14")
    await fund.run("310100", on="2026-02-15", number=2)
    [left] = await fund.decided("payment.withheld")
    assert (left["code"], left["detail"]) == ("MANDATE", "dan, who asked for it, has no mandate for it on 2026-02-15")
    await fund.approve("bo", refs=[again])
    assert (await states(fund))[again] == "ORDERED"
    await fund.approve("chen", refs=[again])
    await fund.run("310100", on="2026-02-15", number=3)
    assert (await states(fund))[again] == "SENT"


async def test_what_came_back_waits_until_somebody_asks_for_it_again(fund: Fund) -> None:
    """R3.7. Its clock runs again meanwhile; it can be held, and what is recovered is taken before it is paid."""
    await approved_claim(fund)
    rest = f"{BATCH}/P2/310100"
    fund.bank(rest, {"310100": 5_000}, on="2026-02-11")
    fund.bank(rest, {"310100": 4_000}, on="2026-02-12", back=True)
    await fund.drain()
    [one] = await fund.payments(payment_ref=rest)
    assert (one["to_retry"], one["status"]) == ({"310100": 4_000}, "SETTLED")
    assert (await fund.balances())["2102"]["310100"] == -4_000
    fund.recover("C-1", {"310100": 1_000})
    fund.hold(BATCH, {"310100": 500})
    fund.retry(rest)
    orders = [one for one in await fund.payments(status="ORDERED") if one["amounts"].get("310100")]
    assert [(one["payment_ref"], one["amounts"], one["retry_of"]) for one in orders] == [
        (f"{BATCH}/P3/310100", {"310100": 2_500}, rest),
    ]
    books, items = await fund.balances(), await fund.open_items()
    assert {account: books.get(account) for account in ("2102", "2108", "1107")} == {
        "2102": {"310100": -2_500, "390100": -2_500},
        "2108": {"310100": -500},
        "1107": None,
    }
    assert items["2102"] == books["2102"]


async def test_a_p1_that_came_back_after_its_claim_was_approved_is_paid_with_the_rest(fund: Fund) -> None:
    await approved_claim(fund)
    fund.bank(P1, {"310100": 90_000}, on="2026-02-12", back=True)
    await fund.drain()
    fund.retry(P1)
    again = [one for one in await fund.payments(status="ORDERED") if one["retry_of"] == P1]
    assert [(one["purpose"], one["amounts"]) for one in again] == [("PAYABLE", {"310100": 90_000})]


async def test_a_return_after_a_month_was_reported_moves_nothing_that_was_reported(fund: Fund) -> None:
    """Edge case 36: it counts on the bank's day, and beside what is there; periods themselves do not close yet."""
    await approved_claim(fund)
    query = (
        "select * from ledger.buckets where lane = $1 order by party, account, book, fund, value_date, recorded_date"
    )
    await fund.drain()
    reported = {tuple(row) for row in await fund.control.fetch(query, fund.lane)}
    fund.bank(P1, {"310100": 90_000}, on="2026-03-05", back=True)
    await fund.drain()
    now = {tuple(row) for row in await fund.control.fetch(query, fund.lane)}
    assert reported < now
    assert {str(row[7]) for row in now - reported} == {"2026-03-05"}


# -- suspense


async def suspense(fund: Fund) -> list[tuple[Any, ...]]:
    await fund.drain()
    rows = await fund.control.fetch(
        "select is_open, body->>'direction', body->'amounts', body->>'placed_as' from clearing.suspense"
        " where lane = $1 order by body->>'bank_txn'",
        fund.lane,
    )
    return [tuple(row) for row in rows]


async def test_a_line_that_answers_nothing_is_in_suspense_once(fund: Fund) -> None:
    for _ in range(2):
        fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="IN")
    assert await suspense(fund) == [(True, "IN", '{"310100": 123}', None)]
    assert len(await fund.decided("suspense.opened")) == 1


PLACINGS: list[tuple[dict[str, Any], str]] = [
    ({"placed_as": "PAYMENT"}, "money that went IN is no PAYMENT"),
    ({"placed_as": "RECOVERY", "target": "C-1"}, "a RECOVERY names its target and its provider"),
    ({"placed_as": "RETURN"}, "a RETURN names its target and its provider"),
    ({"placed_as": "CORRECTED", "target": "S-0"}, "S-0 is no open item of the other direction"),
    ({"placed_as": "FISCAL", "staff_ref": "nobody"}, "nobody has no mandate of area 152500 on 2026-02-09"),
    ({"placed_as": "FISCAL", "item_ref": "S-0"}, "there is no item S-0"),
]


@pytest.mark.parametrize(("said", "detail"), PLACINGS)
async def test_what_a_suspense_item_cannot_have_been_is_refused(fund: Fund, said: dict[str, Any], detail: str) -> None:
    fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="IN")
    [opened] = await fund.decided("suspense.opened")
    content = {"item_ref": opened["item_ref"], "staff_ref": "anna", "placed_on": "2026-02-09", **said}
    fund.put_in_lane("suspense.placing.requested.v1", **content)
    [refused] = await fund.decided("suspense.placing.refused")
    assert refused["detail"] == detail
    assert (await suspense(fund))[0][0]


async def test_a_suspense_item_is_placed_once(fund: Fund) -> None:
    fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="IN")
    [opened] = await fund.decided("suspense.opened")
    for _ in range(2):
        fund.place(opened["item_ref"], "FISCAL")
        await fund.drain()
    assert len(await fund.decided("suspense.placed")) == 1
    assert len(await fund.decided("suspense.placing.refused")) == 2
    assert await suspense(fund) == [(False, "IN", '{"310100": 123}', "FISCAL")]


async def test_what_a_suspense_item_was_is_said_by_two_people(fund: Fund) -> None:
    """Of each person the last word counts, of others too; who has no mandate any more is no second one."""
    fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="IN")
    [opened] = await fund.decided("suspense.opened")
    item = opened["item_ref"]
    fund.mandate("carl")
    fund.place(item, "INTEREST", by=["anna", "Anna"])
    fund.place(item, "FISCAL", by=["carl"])
    await fund.drain()
    fund.mandate("carl", valid_to="2026-01-01")
    fund.place(item, "FISCAL", by=["anna"])
    fund.place(item, "INTEREST", by=["bo"])
    assert len(await fund.decided("suspense.placing.noted")) == 5
    assert (await suspense(fund))[0][0], "anna said something else since"
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before
    fund.place(item, "FISCAL", by=["bo"])
    [placed] = await fund.decided("suspense.placed")
    assert (placed["approvers"], placed["staff_ref"], placed["placed_as"]) == (["anna", "bo"], "bo", "FISCAL")
    assert await suspense(fund) == [(False, "IN", '{"310100": 123}', "FISCAL")]


async def test_the_banks_mistake_and_its_correction_take_each_other_back(fund: Fund) -> None:
    for txn, direction in (("X-1", "OUT"), ("X-2", "IN")):
        fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn=txn, direction=direction)
    out, came = await fund.decided("suspense.opened")
    fund.place(out["item_ref"], "CORRECTED", target=came["item_ref"])
    [placed] = await fund.decided("suspense.placed")
    assert (placed["item_ref"], placed["target"]) == (came["item_ref"], out["item_ref"])
    assert [row[0] for row in await suspense(fund)] == [False, False]


async def test_a_transfer_of_which_both_sides_are_in_suspense_is_not_booked_twice(fund: Fund) -> None:
    for txn, account, direction in (("X-1", "1003", "OUT"), ("X-2", "1002", "IN")):
        fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn=txn, bank_account=account,
                 direction=direction)  # fmt: skip
    out, came = await fund.decided("suspense.opened")
    fund.place(came["item_ref"], "FISCAL", by=["anna"])
    [refused] = await fund.decided("suspense.placing.refused")
    assert refused["detail"] == f"{out['item_ref']} is the other side of it: place the two as CORRECTED"
    fund.place(came["item_ref"], "CORRECTED", target=out["item_ref"])
    books = await fund.balances()
    assert (books["1002"]["310100"], books["1003"]["310100"]) == (500_123, -123)
    assert "1190" not in books
    assert "2190" not in books


async def test_what_was_found_in_suspense_pays_its_payment_and_moves_no_bank_account_again(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.settled.v1", provider=PROVIDER, payment_ref=P1, bank_account="1190", bank_txn="X-1",
             amounts={"310100": "900.00"}, value_date="2026-02-10")  # fmt: skip
    assert (await states(fund))[P1] == "SETTLED"
    moved = await fund.control.fetchval("select count(*) from clearing.moves where ref = $1", P1)
    assert moved == 0


async def test_the_cash_of_a_fund_is_what_moved_on_its_accounts(fund: Fund) -> None:
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.bank(P1, {"310100": 90_000}, on="2026-02-10")
    fund.bank(P1, {"310100": 1_000}, on="2026-02-11", back=True)
    fund.put("treasury.funds.received.v1", amounts={"310100": "7.00"}, value_date="2026-02-11")
    fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="OUT")
    plan = await fund.plan("310100", on="2026-02-12")
    assert plan.cash == 500_000 - 90_000 + 1_000 + 700 - 123
    assert money.yuan(plan.on_its_way) == "0.00"


async def test_what_is_known_of_payments_is_rebuilt_from_the_log(fund: Fund) -> None:
    await approved_claim(fund)
    await fund.approve("anna", "bo")
    await fund.run("310100", on="2026-02-10")
    fund.put("bank.payment.rejected.v1", provider=PROVIDER, payment_ref=f"{BATCH}/P2/310100")
    fund.put("bank.line.unplaced.v1", amounts={"310100": "1.23"}, bank_txn="X-1", direction="OUT")
    fund.put("provider.changed.v1", provider=PROVIDER, bank_account_ref="acct-new")
    live, ends = await fund.tables(), dict(fund.log.ends)
    await fund.rebuild()
    assert await fund.tables() == live
    assert fund.log.ends == ends
