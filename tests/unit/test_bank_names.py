"""What a line of the bank calls a recovery by: a case alone, where it says whose it is."""

import re
from datetime import date
from typing import get_args

import pytest

from clearing import capabilities
from clearing.bank import matching
from clearing.bank.matching import Known, Owing
from clearing.bank.register import Own
from clearing.dimensions import Dimensions
from clearing.payments import store
from clearing.payments.suspense import OF_THE_ACCOUNT
from medfund.bankfiles.messages import Detail, Direction, Entry
from medfund.events.bank import BankAccount, BankLineUnplaced, PlacedAs
from medfund.events.supervision import RecoveryReceived

FIRST, SECOND = "H15250200017", "H15250200018"


def case(provider: str, ref: str) -> Owing:
    return Owing(
        "RECOVERY",
        ref,
        Dimensions(
            provider=provider, area="152500", insured_area="152500", insutype="310", clr_type="21", benefit_year=2026,
            advanced=[],
        ),
    )  # fmt: skip


def told(name: str, known: Known, account: BankAccount = "1003", direction: Direction = "IN") -> object:
    own = Own(area="152500", fund="310100", bank_account=account, number="1", name="fund", bank="102100000030")
    day = date(2026, 3, 5)
    entry = Entry("T-1", direction, 31_700, day, day, details=(Detail(31_700, name),))
    [fact] = matching.facts(own, entry, known)
    event = fact.event
    if isinstance(event, RecoveryReceived):
        return event.provider, event.case_ref, event.amounts
    assert isinstance(event, BankLineUnplaced)
    return None


ONE = matching.meant([case(FIRST, "2026-017")])
TWO = matching.meant([case(FIRST, "2026-017"), case(SECOND, "2026-017")])
ODD = matching.meant([case(FIRST, "2026-017"), case(SECOND, f"{FIRST}/2026-017")])


@pytest.mark.parametrize(
    ("found", "name", "whose"),
    [
        (ONE, "2026-017", FIRST),
        (ONE, f"{FIRST}/2026-017", FIRST),
        (ONE, f"{SECOND}/2026-017", None),
        (TWO, "2026-017", None),
        (TWO, f"{FIRST}/2026-017", FIRST),
        (TWO, f"{SECOND}/2026-017", SECOND),
        (ODD, f"{FIRST}/2026-017", None),
    ],
)
def test_a_case_that_two_hospitals_have_is_nobodys_until_a_line_says_whose(
    found: dict[str, Owing], name: str, whose: str | None
) -> None:
    expected = whose and (whose, "2026-017", {"310100": "317.00"})
    assert told(name, Known(owing=found)) == expected


def test_money_that_leaves_under_the_name_of_a_request_is_no_recovery_of_that_name() -> None:
    known = Known(owing=ONE, requests={"2026-017": "plan-3"})
    own = Own(area="152500", fund="310100", bank_account="1003", number="1", name="fund", bank="102100000030")
    day = date(2026, 3, 5)
    entry = Entry("T-1", "OUT", 31_700, day, day, details=(Detail(31_700, "2026-017"),))
    assert list(matching.facts(own, entry, known)) == [], "the expenditure account's line tells of both"
    assert told("2026-017", known) == (FIRST, "2026-017", {"310100": "317.00"})


def test_whatever_money_can_be_placed_as_is_of_the_account_of_a_payment_or_of_a_kind_of_payable() -> None:
    kinds = capabilities.REPAID.keys()
    assert sorted((*OF_THE_ACCOUNT, "PAYMENT", "RETURN", *kinds)) == sorted(get_args(PlacedAs))
    assert {one.into for one in capabilities.REPAID.values()} <= set(get_args(BankAccount))


def test_what_is_of_the_account_itself_leaves_the_bank_process_no_errand() -> None:
    [listed] = re.findall(r"'placed_as' not in \(([^)]*)\)", store.SQL.save_suspense)
    assert set(re.findall(r"\w+", listed)) == OF_THE_ACCOUNT
