"""A claim's life from events to ledger lines: submitted, paid at once, audited, approved, paid (R1.2 to R1.5)."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from typer.testing import CliRunner

from medfund import cli, money
from medfund.publish import drafts
from tests import events
from tests.conftest import Database
from tests.fund import PROVIDER, Fund, running
from tests.integration.served import lines

BATCH = "B-202601"
CLAIMED = {"310100": 210_000_037, "310200": 45_678_912, "390100": 88_000_000, "610100": 1_999_963}
P1 = {"310100": 189_000_033, "310200": 41_111_021, "390100": 79_200_000, "610100": 1_799_967}
P2 = {"310100": 7_723_100, "310200": 4_567_891, "390100": 4_400_000, "610100": 199_996}
BOND = {"310100": 10_353_849, "390100": 4_400_000}


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        yield fund


def total(amounts: dict[str, int]) -> str:
    return money.yuan(sum(amounts.values()))


async def accepted(fund: Fund, amounts: dict[str, int]) -> None:
    """The month is recorded in three settlements, claimed and accepted."""
    half = {name: fen // 2 for name, fen in amounts.items()}
    fund.settle(half, day="2026-01-05")
    fund.settle({name: fen - half[name] for name, fen in amounts.items()}, day="2026-01-31")
    fund.settle({"310100": 0}, day="2026-01-31")
    fund.submit(BATCH)
    assert [event["type"] for event in await fund.decided()] == ["claim.batch.accepted"]


async def test_the_month_of_r1_5_ends_in_the_books_as_the_rule_proves(fund: Fund) -> None:
    await accepted(fund, CLAIMED)
    [event] = await fund.decided("claim.batch.accepted")
    assert (event["cut_off"], event["due_15"], event["due_20"]) == ("2026-02-10", "2026-03-09", "2026-03-16")
    await fund.drain()
    fund.day("2026-02-07")
    await fund.drain()
    fund.day("2026-02-09")
    [ordered] = await fund.ordered()
    assert {name: money.fen(amount) for name, amount in ordered["amounts"].items()} == P1
    assert total(P1) == "3111110.21"
    assert ordered["due"] == "2026-02-09"
    await fund.drain()
    fund.bank(ordered["payment_ref"], P1, on="2026-02-12")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 2_923_055})
    [approved] = await fund.decided("claim.batch.approved")
    assert {name: money.fen(bond) for name, bond in approved["bond"].items() if bond != "0.00"} == BOND
    assert total(BOND) == "147538.49"
    _, rest = await fund.ordered()
    assert {name: money.fen(amount) for name, amount in rest["amounts"].items()} == P2
    assert total(P2) == "168909.87"
    await fund.drain()
    fund.bank(rest["payment_ref"], P2, on="2026-03-05")
    books = await fund.balances()
    assert {account: total(funds) for account, funds in books.items()} == {
        "1002": "-3280020.08",
        "2103": "-147538.49",
        "5001": "3427558.57",
    }
    assert await fund.open_items() == {"2103": books["2103"]}
    statutory = await fund.balances("STAT")
    assert {account: total(funds) for account, funds in statutory.items()} == {
        "EXPENSE": "3280020.08",
        "EXP_CASH": "-3280020.08",
    }


async def test_what_was_paid_too_much_stays_open_in_its_fund_and_the_others_are_paid(fund: Fund) -> None:
    """R1.5's variant, edge cases 29 and 34: -293,999.98 carried in one fund, 91,678.87 paid in the others."""
    await accepted(fund, CLAIMED)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-12")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 42_000_000})
    _, rest = await fund.ordered()
    assert "310100" not in rest["amounts"]
    assert sum(money.fen(amount) for amount in rest["amounts"].values()) == money.fen("91678.87")
    open_items = await fund.open_items()
    assert open_items["1104"] == {"310100": money.fen("293999.98")}
    books = await fund.balances()
    assert books["1104"] == open_items["1104"]
    # The next claim of this fund makes it good, before any cash.
    fund.settle({"310100": 50_000_000, "390100": 1_000_000}, day="2026-02-10")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    fund.deduct(["B-202602"], {})
    offsets = [event for event in await fund.decided("offset.applied") if event["payable_ref"] == "B-202602"]
    assert [(event["item_ref"], event["amounts"]) for event in offsets] == [(BATCH, {"310100": "293999.98"})]
    books = await fund.balances()
    assert "1104" not in books
    assert books["2102"]["310100"] == -(47_500_000 - money.fen("293999.98"))


async def test_what_is_approved_for_less_than_it_had_is_taken_from_what_is_ordered_and_not_sent(fund: Fund) -> None:
    for batch, recorded in (("B-1", {"310100": 30_000_000, "390100": 4_000_000}), ("B-2", {"310100": 20_000_000})):
        fund.settle(recorded, day="2026-01-15" if batch == "B-1" else "2026-02-15")
        first, last = ("2026-01-01", "2026-01-31") if batch == "B-1" else ("2026-02-01", "2026-02-28")
        fund.submit(batch, first=first, last=last, on="2026-03-05")
    await fund.drain()
    fund.day("2026-03-09")
    await fund.drain()
    for one in await fund.ordered():
        fund.bank(one["payment_ref"], {fund: money.fen(fen) for fund, fen in one["amounts"].items()}, on="2026-03-12")
    await fund.drain()
    fund.deduct(["B-1"], {})
    await fund.drain()
    assert [one["amounts"] for one in await fund.payments(purpose="PAYABLE")] == [
        {"310100": 1_500_000}, {"390100": 200_000},
    ]  # fmt: skip
    fund.deduct(["B-2"], {"310100": 18_000_000})
    # 180,000.00 was paid at once and 19,000.00 is owed: the rest of the other claim is taken, in this fund alone.
    assert [(one["payment_ref"], one["status"]) for one in await fund.payments(purpose="PAYABLE")] == [
        ("B-1/P2/310100", "CANCELLED"), ("B-1/P2/390100", "ORDERED"),
    ]  # fmt: skip
    offsets = [event for event in await fund.decided("offset.applied") if event["item_ref"] == "B-2"]
    assert [(event["payable_ref"], event["amounts"]) for event in offsets] == [
        ("B-2", {"310100": "19000.00"}), ("B-1", {"310100": "15000.00"}),
    ]  # fmt: skip
    assert (await fund.open_items())["1104"] == {"310100": money.fen("146000.00")}


async def test_a_difference_is_told_by_fund_and_day_and_nothing_is_booked(fund: Fund) -> None:
    """Edge case 15: the totals agree, the funds do not."""
    fund.settle({"310100": 100, "390100": 200}, day="2026-01-05")
    fund.settle({"310100": 50}, day="2026-01-07")
    fund.submit(BATCH, amounts={"310100": "2.00", "390100": "1.50"})
    [rejected] = await fund.decided()
    assert rejected["type"] == "claim.batch.rejected"
    assert [(error["code"], error.get("fund"), error.get("day")) for error in rejected["errors"]] == [
        ("AMOUNT", "310100", None),
        ("DAY", "310100", "2026-01-05"),
        ("DAY", "310100", "2026-01-07"),
        ("AMOUNT", "390100", None),
        ("DAY", "390100", "2026-01-05"),
    ]
    assert rejected["errors"][0]["detail"] == "claimed 2.00, recorded 1.50, a difference of 0.50"
    assert (await fund.balances())["2100"] == {"310100": -150, "390100": -200}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"settlements": 2}, ["COUNT"]),
        ({"settlement_root": "0" * 64}, ["ROOT"]),
        ({"on": "2026-01-31"}, ["PERIOD"]),
        ({"on": "2024-12-31", "first": "2024-11-01", "last": "2024-11-30", "settlements": 0}, ["NO_POLICY"]),
        ({"on": "2024-11-15", "first": "2024-11-01", "last": "2024-11-30", "settlements": 9}, ["NO_POLICY", "PERIOD"]),
        ({"advanced": ["390100"]}, ["ADVANCED"]),
        ({"clr_type": "11"}, ["COUNT", "AMOUNT", "AMOUNT"]),
    ],
)
async def test_a_batch_that_is_not_what_was_recorded_is_rejected(
    fund: Fund, changes: dict[str, object], codes: list[str]
) -> None:
    fund.settle({"310100": 100, "390100": 200})
    fund.submit(BATCH, **changes)  # type: ignore[arg-type]
    [rejected] = await fund.decided()
    assert [error["code"] for error in rejected["errors"]] == codes


async def test_a_settlement_is_in_at_most_one_live_batch_however_the_log_is_cut(fund: Fund) -> None:
    """Edge cases 7 and 11; what arrives after a batch is claimed in a further one, also in one go."""
    fund.settle({"310100": 100}, day="2026-01-05")
    fund.submit(BATCH)
    fund.submit("B-again")
    fund.settlements.clear()
    fund.settle({"310100": 7}, day="2026-01-05")
    fund.submit("B-late", on="2026-02-12")
    one, two, late = await fund.decided()
    assert (one["type"], two["type"], late["type"]) == (
        "claim.batch.accepted", "claim.batch.rejected", "claim.batch.accepted",
    )  # fmt: skip
    assert [error["code"] for error in two["errors"]] == ["COUNT", "AMOUNT"]
    assert (late["cut_off"], late["clock_start"]) == ("2026-02-12", "2026-02-13"), "a late provider has its own clock"
    assert (await fund.balances())["2101"] == {"310100": -107}
    assert (await fund.open_items())["2101"] == {"310100": -107}


def commanded(file: Path, *options: str) -> events.Message:
    """The one claim that `medfund claim` makes of January, to send."""
    words = ["claim", str(file), "--from", "2026-01-01", "--to", "2026-01-31", "--on", "2026-02-06", *options]
    made = drafts.draft(CliRunner().invoke(cli.assemble("claim"), words).stdout.encode())
    assert isinstance(made, drafts.Draft)
    return events.Message(made.family, made.key, made.value, made.headers)


async def test_a_claim_that_lacked_a_settlement_is_accepted_when_it_is_sent_again_unchanged(
    fund: Fund, tmp_path: Path
) -> None:
    """Under its own id it is a duplicate, and nothing follows."""
    late = events.settlement(PROVIDER, id="late", funds={"390100": 4_711}, service_date="2026-01-31", benefit_year=2026)
    (file := tmp_path / "january.jsonl").write_bytes(lines([late]))
    fund.put_message(commanded(file))
    fund.put_message(late)
    fund.put_message(commanded(file))
    told = await fund.decided()
    assert [error["code"] for event in told for error in event["errors"]] == ["COUNT", "AMOUNT"]
    fund.put_message(commanded(file, "--again", "2"))
    [_, taken] = await fund.decided()
    assert (taken["type"], taken["amounts"]) == ("claim.batch.accepted", {"390100": "47.11"})


async def test_a_batch_can_be_withdrawn_until_it_is_paid_and_its_clock_starts_anew(fund: Fund) -> None:
    """Edge case 8."""
    fund.settle({"310100": 100})
    fund.submit(BATCH, on="2026-02-06")
    fund.put("claim.batch.withdrawal.requested.v1", provider=PROVIDER, batch=BATCH)
    fund.submit(BATCH, on="2026-02-11")
    told = await fund.decided()
    assert [event["type"] for event in told] == [
        "claim.batch.accepted", "claim.batch.withdrawn", "claim.batch.accepted",
    ]  # fmt: skip
    assert [event["cut_off"] for event in told if "cut_off" in event] == ["2026-02-10", "2026-02-11"]
    assert (await fund.balances())["2101"] == {"310100": -100}
    await fund.drain()
    fund.day("2026-02-12")
    await fund.drain()
    fund.put("claim.batch.withdrawal.requested.v1", provider=PROVIDER, batch=BATCH)
    assert (await fund.decided())[-1]["type"] == "fact.disputed"


async def test_a_reversal_is_claimed_on_its_own_day_and_may_make_a_batch_negative(fund: Fund) -> None:
    """Edge cases 12, 13, 22 and 23: a negative batch is not paid; one of nothing at all is accepted."""
    reference = fund.settle({"310100": 100}, day="2026-01-05")
    fund.submit(BATCH)
    fund.settle({"310100": 100}, day="2026-02-03", reverses=reference)
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    fund.submit("B-202603", first="2026-03-01", last="2026-03-31", on="2026-04-05")
    await fund.drain()
    fund.day("2026-04-07")
    told = await fund.decided("claim.batch.accepted", "payment.ordered")
    assert [event["amounts"] for event in told] == [
        {"310100": "1.00"}, {"310100": "-1.00"}, {}, {"310100": "0.90"},
    ]  # fmt: skip
    assert "2101" not in await fund.balances()


async def test_a_negative_day_is_made_good_by_the_next_days_and_the_month_is_approved_as_one(fund: Fund) -> None:
    """R1.6, edge case 22: daily mode. A reversal of a day before makes a day negative; nobody is debited."""

    async def day(number: int, fen: int, *, reversed: int = 0) -> str:
        on, batch = f"2026-01-{number:02d}", f"D-{number:02d}"
        if fen:
            fund.settle({"310100": fen}, day=on)
        if reversed:
            fund.settle({"310100": reversed}, day=on, reverses="0" * 32)
        fund.submit(batch, first=on, last=on, on=f"2026-01-{number + 1:02d}", mode="DAY")
        await fund.drain()
        fund.day(f"2026-01-{number + 2:02d}")
        await fund.drain()
        return batch

    batches = [await day(5, 1_000), await day(6, 0, reversed=2_000), await day(7, 800), await day(12, 3_000)]
    approved = await fund.decided("instant.payment.approved")
    assert [event["amounts"]["310100"] for event in approved] == ["9.00", "-18.00", "7.20", "27.00"]
    assert [event["made_good"] for event in approved[2:]] == [
        [{"batch": "D-06", "amounts": {"310100": "7.20"}}],
        [{"batch": "D-06", "amounts": {"310100": "10.80"}}],
    ]
    ordered = await fund.ordered()
    assert [event["amounts"] for event in ordered] == [{"310100": "9.00"}, {"310100": "16.20"}]
    for event in ordered:
        fund.bank(event["payment_ref"], {"310100": money.fen(event["amounts"]["310100"])}, on="2026-01-15")
    await fund.drain()
    fund.deduct(batches, {"310100": 100})
    [close] = await fund.decided("claim.batch.approved")
    assert (close["approved"], close["bond"], close["net"]) == (
        {"310100": "27.00"}, {"310100": "1.35"}, {"310100": "25.65"},
    )  # fmt: skip
    assert (await fund.ordered())[-1]["amounts"] == {"310100": "0.45"}
    books = await fund.balances()
    assert (books["2102"], books["2103"]) == ({"310100": -45}, {"310100": -135})
    assert "1104" not in books
    assert "2101" not in books


async def test_a_payment_that_the_bank_confirms_after_the_approval_is_taken_back_from_the_payable(fund: Fund) -> None:
    await accepted(fund, CLAIMED)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 2_923_055})
    _, rest = await fund.ordered()
    assert {name: money.fen(amount) for name, amount in rest["amounts"].items()} == P2, "P1 is on its way"
    await fund.drain()
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-24")
    await fund.drain()
    fund.bank(rest["payment_ref"], P2, on="2026-03-05")
    books = await fund.balances()
    assert {account: total(funds) for account, funds in books.items()} == {
        "1002": "-3280020.08",
        "2103": "-147538.49",
        "5001": "3427558.57",
    }
    assert await fund.open_items() == {"2103": books["2103"]}


async def test_an_instant_payment_that_comes_back_goes_to_its_advance_as_far_as_that_is_open(fund: Fund) -> None:
    await accepted(fund, CLAIMED)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-12")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", {"610100": 1_000_000}, on="2026-02-13", back=True)
    await fund.drain()
    fund.deduct([BATCH], {})
    await fund.drain()
    fund.bank(f"{BATCH}/P1", {"610100": 799_967, "310200": 1}, on="2026-03-13", back=True)
    one, *two = await fund.decided("payment.returned")
    assert (one["to_advance"], one["to_payable"]) == ({"610100": "10000.00"}, {})
    assert [event["to_payable"] for event in two] == [{"610100": "7999.67"}, {"310200": "0.01"}]
    books, items = await fund.balances(), await fund.open_items()
    assert {account: books.get(account) for account in ("2102", "1104", "2103")} == {
        account: items.get(account) for account in ("2102", "1104", "2103")
    }


@pytest.mark.parametrize(
    ("amounts", "words"),
    [({"310100": 101}, "1.01 is deducted from a claim of 1.00"), ({"390100": 1}, "from a claim of 0.00")],
)
async def test_a_deduction_above_the_claim_approves_nothing(fund: Fund, amounts: dict[str, int], words: str) -> None:
    """Edge case 17."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    fund.deduct([BATCH], amounts)
    [_, disputed] = await fund.decided()
    assert disputed["type"] == "fact.disputed"
    assert words in disputed["detail"]


async def test_what_was_uncertain_and_then_reversed_is_claimed_as_nothing(fund: Fund) -> None:
    """Edge case 14: the answer of a settlement was lost; later it is reversed (2601), and both are on the log."""
    reference = fund.settle({"310100": 100}, day="2026-01-05")
    fund.put("settlement.outcome.resolved.v1", provider=PROVIDER, outcome="REVERSED", settlement_ref=reference)
    fund.settle({"310100": 100}, day="2026-01-05", reverses=reference)
    fund.settle({"390100": 30}, day="2026-01-06")
    fund.submit(BATCH)
    [accepted] = await fund.decided()
    assert (accepted["type"], accepted["settlements"]) == ("claim.batch.accepted", 3)
    assert {name: fen for name, fen in accepted["amounts"].items() if fen != "0.00"} == {"390100": "0.30"}


async def test_a_settlement_whose_parts_miss_one_fen_is_in_no_claim(fund: Fund) -> None:
    """Edge case 16: it is refused for the fen, and a claim that holds it is rejected."""
    fund.settle({"310100": 100}, day="2026-01-05", total="1.01")
    fund.submit(BATCH)
    [rejected] = await fund.decided()
    assert [error["code"] for error in rejected["errors"]] == ["COUNT", "AMOUNT"]
    [row] = await fund.control.fetch("select reason, detail from clearing.quarantine")
    assert (row["reason"], row["detail"][-21:]) == ("identity_mismatch", "a difference of -0.01")


async def test_every_month_of_2026_has_the_deadlines_of_an_independent_calendar(fund: Fund) -> None:
    """R1.4, from the events of twelve months; where 2027 is needed, the deadline is provisional."""
    for month in range(1, 13):
        last = (date(2026 + month // 12, month % 12 + 1, 1) - timedelta(days=1)).isoformat()
        fund.settle({"310100": 100}, day=f"2026-{month:02d}-05")
        fund.submit(
            f"B-{month:02d}",
            first=f"2026-{month:02d}-01",
            last=last,
            on=f"{date.fromisoformat(last) + timedelta(days=3)}",
        )
    accepted = await fund.decided("claim.batch.accepted")
    assert len(accepted) == 12
    for event in accepted:
        day, worked = date.fromisoformat(event["cut_off"]), 0
        for target, days in (("15", 15), ("20", 20)):
            while worked < days and day.year == 2026:
                day += timedelta(days=1)
                worked += day.year == 2026 and chinese_calendar.is_workday(day)
            if day.year == 2026:
                assert (event[f"due_{target}"], event[f"latest_{target}"]) == (f"{day}", None)
            else:
                assert event[f"latest_{target}"] is not None
    assert [event["due_15"] for event in accepted[:4]] == ["2026-03-09", "2026-03-31", "2026-05-06", "2026-05-29"]
    assert [event["batch"] for event in accepted if event["latest_15"]] == ["B-12"]
    assert [event["batch"] for event in accepted if event["latest_20"]] == ["B-11", "B-12"]


async def test_the_same_id_with_another_amount_is_a_conflict_and_the_first_claim_stands(fund: Fund) -> None:
    """Reliability rows 45 and 46: the same bytes again change nothing, other bytes are refused."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    [first] = fund.log.records("claims", fund.lane)[1:]
    fund.log.put("claims", fund.lane, key=first.key, value=first.value, headers=first.headers)
    other = (first.value or b"").replace(b'"1.00"', b'"1.01"')
    fund.log.put("claims", fund.lane, key=first.key, value=other, headers=first.headers)
    assert [event["type"] for event in await fund.decided()] == ["claim.batch.accepted"]
    for service in ("clearing", "ledger"):
        rows = await fund.control.fetch(f"select reason from {service}.quarantine where lane = $1", fund.lane)  # noqa: S608
        assert [row["reason"] for row in rows] == ["conflict"]


async def test_the_same_line_of_the_bank_counts_once_and_money_that_leaves_twice_is_in_suspense(fund: Fund) -> None:
    """Edge case 37: whatever left the bank is booked, and what it paid for nothing has to be looked at."""
    fund.settle({"310100": 100})
    fund.submit(BATCH)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    for name, txn in ((BATCH, "T-1"), (BATCH, "T-1"), (BATCH, "T-2"), (BATCH, "T-2"), ("nobody", "T-3")):
        fund.bank(f"{name}/P1", {"310100": 90}, on="2026-02-12", txn=txn)
        await fund.drain()
    told = (await fund.decided())[3:]
    assert [(event["type"], event.get("bank_txn")) for event in told] == [
        ("payment.settled", "T-1"), ("fact.disputed", None),
        ("suspense.opened", "T-2"), ("fact.disputed", None),
        ("suspense.opened", "T-3"),
    ]  # fmt: skip
    assert [event["reason"] for event in told if "payment_ref" in event and "reason" in event] == [
        "more than payment B-202601/P1/310100: it was paid before, or is less",
        "no payment nobody/P1/310100 was ordered",
    ]
    rows = await fund.control.fetch("select bank_txn, fen from clearing.moves where lane = $1 order by 1", fund.lane)
    assert [tuple(row) for row in rows] == [("T-1", -90), ("T-2", -90), ("T-3", -90)]


async def test_a_claim_keeps_the_policy_it_was_accepted_under(fund: Fund) -> None:
    """Edge case 30."""
    fund.policy(valid_from="2026-02-01", instant__ratio="0.70")
    fund.settle({"310100": 100}, day="2026-01-05")
    fund.submit(BATCH, on="2026-01-31", last="2026-01-30")
    await fund.drain()
    fund.policy(valid_from="2026-01-31", instant__ratio="0.80")
    await fund.drain()
    fund.day("2026-02-02")
    [payment] = await fund.ordered()
    assert payment["amounts"] == {"310100": "0.90"}


async def test_a_policy_that_says_what_none_may_say_is_refused(fund: Fund) -> None:
    """Edge case 31: a bond above 5 percent."""
    fund.policy(valid_from="2026-01-01", bond__310100="0.06")
    fund.policy(valid_from="2026-01-01", instant__ratio="1.2")
    await fund.drain()
    rows = await fund.control.fetch('select reason, detail from clearing.quarantine order by "offset"')
    assert [row["detail"] for row in rows] == [
        "$.parameters: bond.310100: 0.06 is above the national cap of 5%",
        "$.parameters: instant.ratio: '1.2' is not a ratio from 0 to 1 with at most 6 decimals",
    ]


async def test_what_is_rebuilt_from_the_log_is_what_was_there_and_nothing_is_published(fund: Fund) -> None:
    await accepted(fund, CLAIMED)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", P1, on="2026-02-12")
    fund.submit("B-again")
    fund.deduct([BATCH], {"310100": 42_000_000})
    live, ends = await fund.tables(), dict(fund.log.ends)
    await fund.rebuild()
    assert await fund.tables() == live
    assert fund.log.ends == ends
    # What happens from now on is decided on the rebuilt state.
    fund.settle({"310100": 50_000_000}, day="2026-02-10")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    fund.deduct(["B-202602"], {})
    [*_, taken] = await fund.decided("offset.applied")
    assert (taken["payable_ref"], taken["item_ref"]) == ("B-202602", BATCH)


async def test_what_a_withdrawn_batch_held_can_be_claimed_again_beside_a_later_one(fund: Fund) -> None:
    """Edge case 8 where periods overlap: the later batch holds only what came after the withdrawn one."""
    first = fund.settle({"310100": 100}, day="2026-01-05")
    fund.submit("A")
    fund.settlements.clear()
    fund.settle({"310100": 7}, day="2026-01-05")
    fund.submit("B", on="2026-02-09")
    await fund.drain()
    fund.put("claim.batch.withdrawal.requested.v1", provider=PROVIDER, batch="A")
    await fund.drain()
    fund.settlements.clear()
    fund.settlements["2026-01-05"].append((first, {"310100": 100}))
    fund.submit("A", on="2026-02-10")
    told = await fund.decided()
    assert [(event["type"], event["batch"]) for event in told] == [
        ("claim.batch.accepted", "A"),
        ("claim.batch.accepted", "B"),
        ("claim.batch.withdrawn", "A"),
        ("claim.batch.accepted", "A"),
    ]
    assert [batch["batch"] for batch in told[1]["besides"]] == ["A"]
    assert (await fund.balances())["2101"] == {"310100": -107}
    assert "2100" not in await fund.balances()
    fund.find("B", "F-1", {"310100": 1}, events.reference("s-3"))
    [disputed] = await fund.decided("fact.disputed")
    assert "is not in batch B" in disputed["detail"]


async def test_weeks_are_paid_at_once_and_their_month_is_closed_as_one(fund: Fund) -> None:
    """R1.6: the rounding of each week's P1 is made good at the close; no batch of the month is forgotten."""
    weeks = [
        ("2026-01-05", "2026-01-11", 1_005),
        ("2026-01-12", "2026-01-18", 1_005),
        ("2026-01-19", "2026-01-25", 333),
    ]
    for number, (first, last, fen) in enumerate(weeks):
        fund.settle({"310100": fen}, day=first)
        fund.submit(f"W-{number}", first=first, last=last, on="2026-01-26", mode="WEEK")
    await fund.drain()
    fund.day("2026-01-27")
    approved = await fund.decided("instant.payment.approved")
    assert [event["amounts"]["310100"] for event in approved] == ["9.05", "9.05", "3.00"], "0.9 of 23.43 would be 21.09"
    for event in await fund.ordered():
        fund.bank(event["payment_ref"], {"310100": money.fen(event["amounts"]["310100"])}, on="2026-01-28")
    await fund.drain()
    fund.deduct(["W-0", "W-1"], {})
    [disputed] = await fund.decided("fact.disputed")
    assert disputed["detail"] == "the month is audited once, and batch W-2 of it is not among these"
    fund.deduct(["W-0", "W-1", "W-2"], {"310100": 43})
    [close] = await fund.decided("claim.batch.approved")
    assert (close["approved"], close["bond"]) == ({"310100": "23.00"}, {"310100": "1.15"})
    assert (await fund.ordered())[-1]["amounts"] == {"310100": "0.75"}, "23.00 - 1.15 - 21.10"
    assert "2101" not in await fund.balances()
