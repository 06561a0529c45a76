"""Findings, appeals and what they take off a claim, from events to ledger lines (R1.3, R10)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from medfund import money
from tests.conftest import Database
from tests.fund import Fund, running

BATCH = "B-202601"


@pytest.fixture
async def fund(database: Database) -> AsyncIterator[Fund]:
    async with running(database) as fund:
        fund.register()
        fund.policy()
        yield fund


async def details(fund: Fund) -> list[str]:
    return [event["detail"] for event in await fund.decided("fact.disputed")]


def yuan(fen: int) -> str:
    return money.yuan(fen)


async def approved(fund: Fund) -> list[dict[str, Any]]:
    return await fund.decided("claim.batch.approved")


async def equal(fund: Fund) -> None:
    """The ledger's control accounts are the clearing service's open items."""
    books, items = await fund.balances(), await fund.open_items()
    for account in ("1104", "1107", "2101", "2102", "2103", "2108"):
        assert books.get(account, {}) == items.get(account, {}), account


async def test_the_deduction_of_r1_5_comes_out_of_its_findings_and_their_appeal(fund: Fund) -> None:
    """First 41,230.55, of which an appeal gives 12,000.00 back: 29,230.55."""
    large = fund.settle({"310100": 210_000_037 - 5_000_000, "310200": 45_678_912}, day="2026-01-05")
    small = fund.settle({"310100": 5_000_000, "390100": 88_000_000, "610100": 1_999_963}, day="2026-01-31")
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 4_000_000}, large)
    fund.find(BATCH, "F-2", {"310100": 123_055}, small)
    await fund.drain()
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 4_123_055})
    assert await details(fund) == ["fund 310100: 41230.55 is deducted, and the findings come to 1230.55"]
    fund.appeal(BATCH, "F-1", {"310100": 1_200_000})
    await fund.drain()
    fund.deduct([BATCH], {"310100": 4_123_055})
    assert (await details(fund))[1:] == ["fund 310100: 41230.55 is deducted, and the findings come to 29230.55"]
    assert "5001" in await fund.balances()
    fund.deduct([BATCH], {"310100": 2_923_055})
    [event] = await approved(fund)
    assert sum(money.fen(amount) for amount in event["approved"].values()) == money.fen("3427558.57")
    [listed] = await fund.decided("claim.deducted")
    assert [(part["finding_ref"], part["amounts"]) for part in listed["deductions"]] == [
        ("F-1", {"310100": "28000.00"}),
        ("F-2", {"310100": "1230.55"}),
    ]
    await equal(fund)


async def test_of_two_findings_on_one_line_the_larger_counts_and_other_lines_add_up(fund: Fund) -> None:
    """Edge case 19; R10."""
    one = fund.settle({"310100": 10_000, "390100": 5_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 700}, one, line_ref="3", rule_code="R-1")
    fund.find(BATCH, "F-2", {"310100": 900, "390100": 10}, one, line_ref="3", rule_code="R-2")
    fund.find(BATCH, "F-3", {"310100": 50, "390100": 40}, one, line_ref="4")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 950, "390100": 50})
    assert await details(fund) == []
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "90.50", "390100": "49.50"}


async def test_a_deduction_is_never_more_than_the_settlements_amount_of_that_fund(fund: Fund) -> None:
    """Edge case 17: one finding above it is refused, several are cut."""
    one = fund.settle({"310100": 1_000})
    fund.settle({"310100": 90_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-0", {"310100": 1_001}, one)
    fund.find(BATCH, "F-1", {"310100": 800}, one, line_ref="1")
    fund.find(BATCH, "F-2", {"310100": 700}, one, line_ref="2")
    assert await details(fund) == ["fund 310100: 10.01 is doubted of a settlement of which it bears 10.00"]
    fund.deduct([BATCH], {"310100": 1_000})
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "900.00"}


async def test_what_a_sample_shows_is_extrapolated_to_the_claim(fund: Fund) -> None:
    """Edge case 20: 3 of 70 looked at are wrong, of 100,000.01 claimed: 4,285.71476... -> 4,285.71."""
    fund.settle({"310100": 10_000_001, "390100": 500})
    fund.submit(BATCH)
    await fund.drain()
    sample = {"looked_at": {"310100": "70.00"}, "wrong": {"310100": "3.00"}}
    fund.find(BATCH, "S-1", {}, ground="SAMPLE", sample=sample)
    await fund.drain()
    fund.deduct([BATCH], {"310100": 428_571})
    [event] = await approved(fund)
    assert event["approved"] == {"310100": yuan(10_000_001 - 428_571), "390100": "5.00"}


async def test_findings_that_the_final_review_drops_take_nothing_off(fund: Fund) -> None:
    """Edge case 21: all findings rejected at 终审."""
    one = fund.settle({"310100": 1_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 800}, one)
    await fund.drain()
    for stage, amount in (("SECOND", "6.00"), ("FINAL", "0.00"), ("FIRST", "8.00")):
        fund.put("audit.finding.reviewed.v1", provider=fund.provider, batch=BATCH, finding_ref="F-1", stage=stage,
                 amounts={"310100": amount})  # fmt: skip
        await fund.drain()
    assert await details(fund) == ["finding F-1 is at stage FINAL already"]
    fund.deduct([BATCH], {})
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "10.00"}
    await equal(fund)


@pytest.mark.parametrize("undecided", ["an appeal", "no last review"])
async def test_a_finding_that_nobody_decided_takes_nothing_and_can_be_decided_later(fund: Fund, undecided: str) -> None:
    """R10. Of the line 61.20 are refused; whether it should have been 88.00 nobody has said when the audit ends."""
    one = fund.settle({"310100": 734_500})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 6_120}, one, line_ref="3", stage="FINAL")
    fund.find(BATCH, "F-2", {"310100": 8_800}, one, line_ref="3")
    await fund.drain()
    if undecided == "an appeal":
        fund.appeal(BATCH, "F-2")
        await fund.drain()
    fund.deduct([BATCH], {"310100": 6_121})
    assert len(await details(fund)) == 1, "the sums have to be those of findings"
    fund.deduct([BATCH], {"310100": 6_120})
    [first] = await approved(fund)
    assert first["approved"] == {"310100": "7283.80"}
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.appeal(BATCH, "F-1", {"310100": 6_120})
    assert (await approved(fund))[-1]["approved"] == {"310100": "61.20"}, "F-2 has no effect on what is given back"
    if undecided == "an appeal":
        fund.appeal(BATCH, "F-2", {"310100": 800})
    else:
        fund.put("audit.finding.reviewed.v1", provider=fund.provider, batch=BATCH, finding_ref="F-2", stage="FINAL",
                 amounts={"310100": "80.00"})  # fmt: skip
    noted = (await fund.decided("claim.finding.noted"))[-1]
    assert (noted["finding_ref"], noted["amounts"], noted["late"]) == ("F-2", {"310100": "80.00"}, True)
    assert (await fund.balances())["5001"] == {"310100": 734_500}, "what stands of it is a recovery, decided by itself"
    assert len(await details(fund)) == 1
    before = await fund.tables()
    await fund.rebuild()
    assert await fund.tables() == before
    await equal(fund)


async def test_an_appeal_that_is_upheld_after_payment_is_owed_and_ordered(fund: Fund) -> None:
    """Edge case 18; the bond is that of all that was approved: 5 % of 1,000.00, of which 40.00 were kept."""
    one = fund.settle({"310100": 100_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.day("2026-02-09")
    await fund.drain()
    fund.bank(f"{BATCH}/P1", {"310100": 90_000}, on="2026-02-10")
    fund.find(BATCH, "F-1", {"310100": 20_000}, one)
    await fund.drain()
    fund.deduct([BATCH], {"310100": 20_000})
    await fund.drain()
    assert (await fund.open_items())["1104"] == {"310100": 14_000}
    fund.appeal(BATCH, "F-1")
    await fund.drain()
    fund.appeal(BATCH, "F-1", {"310100": 20_001})
    assert await details(fund) == ["fund 310100: 200.01 is upheld of 200.00"]
    fund.appeal(BATCH, "F-1", {"310100": 20_000})
    first, second = await approved(fund)
    assert (first["bond"], second["approved"]) == ({"310100": "40.00"}, {"310100": "200.00"})
    assert (second["bond"], second["net"]) == ({"310100": "10.00"}, {"310100": "190.00"})
    ordered = await fund.ordered()
    assert [(one["payment_ref"], one["amounts"]) for one in ordered[1:]] == [(f"{BATCH}/P2", {"310100": "50.00"})]
    assert (await fund.balances())["5001"] == {"310100": 100_000}
    await equal(fund)


async def test_an_appeal_after_payment_gives_back_only_what_no_other_finding_on_the_line_takes(fund: Fund) -> None:
    """Of 900 and 700 on a line 900 are deducted; the 900 were wrong: 200 come back, and the rest with the other one."""
    one = fund.settle({"310100": 10_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 700}, one, line_ref="3")
    fund.find(BATCH, "F-2", {"310100": 900}, one, line_ref="3")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 900})
    await fund.drain()
    for finding, fen in (("F-2", 900), ("F-1", 700)):
        fund.appeal(BATCH, finding)
        await fund.drain()
        fund.appeal(BATCH, finding, {"310100": fen})
        await fund.drain()
    undone = await fund.decided("audit.deduction.undone")
    assert [(event["finding_ref"], event["amounts"]) for event in undone] == [
        ("F-2", {"310100": "2.00"}),
        ("F-2", {"310100": "7.00"}),
    ]
    assert [event["approved"] for event in await approved(fund)] == [
        {"310100": "91.00"}, {"310100": "2.00"}, {"310100": "7.00"},
    ]  # fmt: skip
    await equal(fund)


@pytest.mark.parametrize("reversed_before", [True, False])
async def test_what_was_refused_is_not_taken_a_second_time_by_its_reversal(fund: Fund, reversed_before: bool) -> None:
    """c.2 (66): before the end of the audit nothing is deducted, after it the deduction is undone in the next batch."""
    one = fund.settle({"310100": 50_000}, day="2026-01-15")
    fund.settle({"310100": 50_000}, day="2026-01-16")
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 20_000}, one)
    await fund.drain()
    if reversed_before:
        fund.settle({"310100": 50_000}, day="2026-02-03", reverses=one)
        await fund.drain()
    fund.deduct([BATCH], {"310100": 0 if reversed_before else 20_000})
    await fund.drain()
    if not reversed_before:
        fund.settle({"310100": 50_000}, day="2026-02-03", reverses=one)
    fund.settle({"310100": 70_000}, day="2026-02-04")
    fund.submit("B-202602", first="2026-02-01", last="2026-02-28", on="2026-03-05")
    await fund.drain()
    undone = await fund.decided("audit.deduction.undone")
    assert [(event["batch"], event["amounts"]) for event in undone] == (
        [] if reversed_before else [("B-202602", {"310100": "200.00"})]
    )
    fund.put("claim.batch.withdrawal.requested.v1", provider=fund.provider, batch="B-202602")
    assert await details(fund) == (
        [] if reversed_before else ["a deduction was undone in batch B-202602: it cannot be withdrawn any more"]
    )
    if not reversed_before:
        fund.deduct(["B-202602"], {})
        last = (await approved(fund))[-1]
        assert last["approved"] == {"310100": "400.00"}
        assert (await fund.balances())["5001"] == {"310100": 50_000 + 50_000 + 70_000 - 50_000}
    await equal(fund)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("WAIT", []),
        ("HOLD_DOUBTFUL", [({"310100": "900.00", "390100": "0.00"}, {"310100": "100.00", "390100": "50.00"})]),
    ],
)
async def test_an_audit_that_is_not_finished_in_time_holds_everything_or_only_what_is_doubted(
    fund: Fund, policy: str, expected: list[Any]
) -> None:
    """R1.3, options A and B."""
    fund.policy("2026-01-01", audit__unfinished=policy)
    await fund.drain()
    one = fund.settle({"310100": 10_000, "390100": 5_000})
    fund.settle({"310100": 90_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 6_000}, one)
    for day in ("2026-02-09", "2026-03-04", "2026-03-05", "2026-03-06"):
        await fund.drain()
        fund.day(day)
    events = await approved(fund)
    assert [(event["approved"], event.get("in_review")) for event in events] == expected
    await equal(fund)
    if policy == "WAIT":
        return
    fund.deduct([BATCH], {"310100": 6_000})
    last = (await approved(fund))[-1]
    assert last["approved"] == {"310100": "40.00", "390100": "50.00"}
    assert last["bond"] == {"310100": "2.00", "390100": "2.50"}
    await equal(fund)


async def test_a_person_under_suspension_is_not_paid_for_and_both_end_days_are_inside(fund: Fund) -> None:
    """Edge case 25: suspended from 00:00 of a day; emergency care is paid whoever gave it."""
    inside = fund.settle({"310100": 1_000}, day="2026-01-10")
    after = fund.settle({"310100": 2_000}, day="2026-01-21")
    urgent = fund.settle({"310100": 4_000}, day="2026-01-10", med_type="13")
    fund.put("person.qualification.changed.v1", provider=fund.provider, staff_ref="HY1", suspended_from="2026-01-10",
             suspended_to="2026-01-20")  # fmt: skip
    fund.submit(BATCH)
    await fund.drain()
    for number, (ref, fen) in enumerate([(inside, 1_000), (after, 2_000), (urgent, 4_000)]):
        fund.find(BATCH, f"F-{number}", {"310100": fen}, ref, ground="PERSON", staff_ref="HY1")
    assert await details(fund) == [
        "the person was not suspended on 2026-01-21",
        "emergency care is paid whoever gave it",
    ]
    fund.deduct([BATCH], {"310100": 1_000})
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "60.00"}


async def test_a_trace_code_sold_twice_is_doubted_unless_it_repeats_rightly(fund: Fund) -> None:
    """Edge cases 26 to 28: a split pack, a sale that was reversed, goods without codes."""
    first = fund.settle({"310100": 500}, day="2026-01-05")
    fund.settle({"310100": 500}, day="2026-01-06", reverses=first)
    kept = fund.settle({"310100": 500}, day="2026-01-05")
    later = fund.settle({"310100": 600}, day="2026-01-07")
    fund.submit(BATCH)
    await fund.drain()
    code = "51b0c9a7e26f4d1884f3d0aa97be6c15"
    for number, (sold_first, changes) in enumerate(
        [(kept, {"split_pack": True}), (first, {}), (kept, {"no_code_list": True}), (kept, {})]
    ):
        trace = {"code": code, "sold_first": sold_first, "split_pack": False, "no_code_list": False, **changes}
        fund.find(BATCH, f"F-{number}", {"310100": 600}, later, ground="TRACE_CODE", trace=trace)
    assert await details(fund) == [
        "a split pack repeats its trace code rightly",
        f"the sale {first} was reversed, and freed its trace code",
        "goods of the no-code list have no trace code",
    ]
    fund.deduct([BATCH], {"310100": 600})
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "5.00"}


async def test_every_doubt_that_cannot_stand_is_disputed_with_its_reason(fund: Fund) -> None:
    one = fund.settle({"310100": 1_000}, day="2026-01-15")
    other = fund.settle({"310100": 1_000}, day="2026-02-02")
    fund.submit(BATCH)
    await fund.drain()
    fund.find("B-9", "F-1", {"310100": 1}, one)
    fund.find(BATCH, "F-2", {"310100": 1}, other)
    fund.find(BATCH, "F-3", {"310100": 1}, one)
    fund.find(BATCH, "F-3", {"310100": 2}, one)
    fund.appeal(BATCH, "F-3", {"310100": 1})
    fund.appeal(BATCH, "F-4")
    await fund.drain()
    fund.deduct([BATCH], {"310100": 1})
    await fund.drain()
    fund.find(BATCH, "F-5", {"310100": 1}, one)
    fund.put("audit.finding.reviewed.v1", provider=fund.provider, batch=BATCH, finding_ref="F-3", amounts={})
    assert await details(fund) == [
        "there is no live batch B-9",
        f"settlement {other} is not in batch {BATCH}",
        "finding F-3 was raised already",
        "finding F-3 is not under appeal",
        f"batch {BATCH} has no finding F-4",
        f"batch {BATCH} is approved: what was paid wrongly is a recovery",
        f"the audit of batch {BATCH} is over",
    ]


async def test_a_batch_that_is_taken_back_takes_its_findings_with_it(fund: Fund) -> None:
    one = fund.settle({"310100": 1_000})
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 400}, one)
    await fund.drain()
    fund.put("claim.batch.withdrawal.requested.v1", provider=fund.provider, batch=BATCH)
    await fund.drain()
    fund.submit(BATCH)
    await fund.drain()
    fund.find(BATCH, "F-1", {"310100": 300}, one)
    await fund.drain()
    fund.deduct([BATCH], {"310100": 300})
    assert await details(fund) == []
    [event] = await approved(fund)
    assert event["approved"] == {"310100": "7.00"}


async def test_a_long_list_of_deductions_is_told_in_several_events(fund: Fund) -> None:
    refs = [fund.settle({"310100": 100}) for _ in range(1_201)]
    fund.submit(BATCH)
    await fund.drain()
    for number, ref in enumerate(refs):
        fund.find(BATCH, f"F-{number:04}", {"310100": 1}, ref)
    await fund.drain()
    fund.deduct([BATCH], {"310100": 1_201})
    lists = await fund.decided("claim.deducted")
    assert [len(event["deductions"]) for event in lists] == [500, 500, 201]
    assert sum(money.fen(event["amounts"]["310100"]) for event in lists) == 1_201
    await equal(fund)
