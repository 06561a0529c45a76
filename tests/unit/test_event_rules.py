"""What each event type refuses beyond the form of its fields (domain.md R1.5, R3.6, c.2, c.4)."""

from typing import Any

import msgspec
import pytest

from medfund.events import agency, rules
from medfund.events.kinds import KINDS
from medfund.events.refusals import DETAIL_MAX, Problem, Reason

NEGATIVE = {"310100": "-29399.98", "310200": "456789.12"}


def problem(type: str, /, **changes: Any) -> tuple[str, str] | None:
    """What an example with some members changed, or left out (...), is refused for."""
    kind = KINDS[type]
    content = {name: value for name, value in {**kind.example, **changes}.items() if value is not ...}
    found: Problem | None = kind.check(kind.decoder.decode(msgspec.json.encode(content)))
    return found and (found.reason.value, found.detail)


@pytest.mark.parametrize(
    ("type", "changes"),
    [
        ("settlement.outcome.resolved.v1", {"settlement_ref": ..., "outcome": "NOT_SETTLED"}),
        ("provider.changed.v1", {"group": None}),
        ("provider.registered.v1", {"group": ...}),
        ("control.total.declared.v1", {"amounts": {}, "count": 0, "last_sequence": 0}),
        ("control.total.declared.v1", {"amounts": {"310100": "-1.00"}}),
        ("claim.batch.accepted.v1", {"amounts": NEGATIVE}),
        ("claim.batch.withdrawn.v1", {"amounts": NEGATIVE}),
        ("claim.batch.accepted.v1", {"amounts": {}, "settlements": 0}),
        (
            "claim.batch.approved.v1",
            {"approved": {"310100": "-100.00"}, "bond": {"310100": "0.00"}, "net": {"310100": "-100.00"}},
        ),
        ("claim.batch.approved.v1", {"approved": {"310100": "5.00"}, "bond": {}, "net": {"310100": "5.00"}}),
        ("payment.settled.v1", {"purpose": "PAYABLE", "instant_stat": ...}),
        ("payment.settled.v1", {"purpose": "CLEARING", "instant_stat": None, "bank_account": "1003"}),
        ("payment.returned.v1", {"to_advance": {}, "to_payable": {"310100": "411110.21"}}),
        ("payment.returned.v1", {"purpose": "PAYABLE", "instant_stat": ..., "to_advance": {}, "to_payable": {}}),
        ("offset.applied.v1", {"taken_from": "P1", "instant_stat": "TEMP"}),
        ("offset.applied.v1", {"taken_from": "P1", "instant_stat": "EXPENSE", "account": "1103", "recovery_year": ...}),
        ("offset.applied.v1", {"account": "1104", "instant_stat": "TEMP", "recovery_year": ...}),
        ("offset.applied.v1", {"account": "1108", "recovery_year": ..., "item_insured_area": "370100"}),
        ("event.refused.v1", {"source": ..., "id": None, "type": ...}),
        ("calendar.published.v1", {"holidays": [], "workdays": []}),
    ],
)
def test_these_are_fine(type: str, changes: dict[str, Any]) -> None:
    assert problem(type, **changes) is None


@pytest.mark.parametrize(
    ("type", "changes", "reason", "detail"),
    [
        (
            "settlement.reversed.v1",
            {"cash": "798.47"},
            "bad_amount",
            "$.cash: 798.47, but every amount of a reversed settlement is zero or less",
        ),
        (
            "settlement.reversed.v1",
            {"total": "-8654.20"},
            "identity_mismatch",
            "$.total is -8654.20, its parts make -8654.21, a difference of -0.01",
        ),
        ("settlement.reversed.v1", {"advanced": ["910100"]}, "unknown_fund", None),
        (
            "reconciliation.completed.v1",
            {"period_from": "2025-04-01"},
            "bad_date",
            "$.period_from: 2025-04-01 is after $.period_to, 2025-03-31",
        ),
        (
            "reconciliation.completed.v1",
            {"ours": {"count": 1, "total": "1", "funds_total": "0.00", "personal_account": "0.00"}},
            "bad_amount",
            "$.ours.total: '1' is not yuan with exactly two decimals",
        ),
        (
            "provider.registered.v1",
            {"uscc": "12371000MB0000004L"},
            "bad_code",
            "$.uscc: '12371000MB0000004L' is not a unified social credit code with a right check character",
        ),
        ("provider.registered.v1", {"level": "4"}, "bad_code", "$.level: '4' is not a provider level: 3, 2, 1 or 9"),
        (
            "policy.published.v1",
            {"approvers": ["staff-1", "staff-1"]},
            "bad_code",
            "$.approvers: a policy needs two different approvers",
        ),
        ("policy.published.v1", {"approvers": ["staff-1"]}, "bad_code", None),
        ("policy.published.v1", {"hash": "0" * 64}, "bad_code", None),
        ("policy.published.v1", {"parameters": {"instant.ratio": "0.9\0"}}, "bad_code", None),
        ("calendar.published.v1", {"year": 2027}, "bad_date", "$.holidays[0]: 2026-01-01 is not in 2027"),
        (
            "calendar.published.v1",
            {"workdays": ["2026-01-01"]},
            "bad_date",
            "$.workdays: 2026-01-01 is a holiday too",
        ),
        (
            "audit.deduction.finalised.v1",
            {"amounts": {"310100": "-1.00"}},
            "bad_amount",
            "$.amounts['310100']: -1.00 must not be negative",
        ),
        (
            "payment.hold.placed.v1",
            {"advanced": ["610100"]},
            "unknown_fund",
            "$.advanced[0]: '610100' is not among the funds of $.amounts",
        ),
        ("payment.hold.released.v1", {"amounts": {"390100": "-0.01"}}, "bad_amount", None),
        (
            "claim.batch.accepted.v1",
            {"cut_off": "2026-02-12"},
            "bad_date",
            "$.cut_off: 2026-02-12 is after $.clock_start, 2026-02-11",
        ),
        ("claim.batch.accepted.v1", {"due_20": "2026-03-08"}, "bad_date", None),
        ("claim.batch.withdrawn.v1", {"period_to": "2025-12-31"}, "bad_date", None),
        (
            "claim.batch.approved.v1",
            {"net": {"310100": "1967231.34", "310200": "456789.12"}},
            "identity_mismatch",
            "$.approved['310100'] is 2070769.82, $.bond + $.net make 2070769.83",
        ),
        ("claim.batch.approved.v1", {"net": {"310100": "1967231.33"}}, "identity_mismatch", None),
        (
            "claim.batch.approved.v1",
            {"approved": {"310100": "-100.00"}, "bond": {"310100": "5.00"}, "net": {"310100": "-105.00"}},
            "bad_amount",
            "$.bond['310100']: 5.00 of an approved -100.00",
        ),
        (
            "claim.batch.approved.v1",
            {"approved": {"310100": "100.00"}, "bond": {"310100": "-5.00"}, "net": {"310100": "105.00"}},
            "bad_amount",
            "$.bond['310100']: -5.00 of an approved 100.00",
        ),
        (
            "payment.settled.v1",
            {"instant_stat": ...},
            "missing_field",
            "$.instant_stat is missing: an INSTANT payment says TEMP or EXPENSE",
        ),
        (
            "payment.settled.v1",
            {"purpose": "PAYABLE"},
            "unknown_field",
            "$.instant_stat: only an INSTANT payment has it, this is PAYABLE",
        ),
        ("payment.settled.v1", {"amounts": {"310100": "-1.00"}}, "bad_amount", None),
        (
            "payment.returned.v1",
            {"to_payable": {"310100": "11110.22"}},
            "identity_mismatch",
            "$.amounts['310100'] is 411110.21, $.to_advance + $.to_payable make 411110.22",
        ),
        ("payment.returned.v1", {"to_advance": {"310100": "-1.00"}}, "bad_amount", None),
        (
            "payment.returned.v1",
            {"purpose": "PAYABLE", "instant_stat": ...},
            "bad_amount",
            "$.to_advance, $.to_payable: must be empty for purpose PAYABLE",
        ),
        (
            "offset.applied.v1",
            {"taken_from": "P1", "account": "1104", "instant_stat": "TEMP", "recovery_year": ...},
            "bad_code",
            "$.account: 1104 cannot be taken from a P1, which is 1104 itself",
        ),
        (
            "offset.applied.v1",
            {"recovery_year": ...},
            "missing_field",
            "$.recovery_year is missing: 2102 / 1107 needs it",
        ),
        (
            "offset.applied.v1",
            {"account": "1101"},
            "unknown_field",
            "$.recovery_year: 2102 / 1101 does not have it",
        ),
        ("offset.applied.v1", {"account": "1104", "recovery_year": ...}, "missing_field", None),
        ("offset.applied.v1", {"instant_stat": "TEMP"}, "unknown_field", None),
        (
            "event.refused.v1",
            {"place": {"topic": "claims", "lane": -1, "offset": 0}},
            "amount_out_of_range",
            "$.place.lane: -1 is not a number in 0 to 10^15",
        ),
    ],
)
def test_these_are_refused(type: str, changes: dict[str, Any], reason: str, detail: str | None) -> None:
    found = problem(type, **changes)
    assert found is not None
    assert found[0] == reason
    assert detail in (None, found[1])


@pytest.mark.parametrize("type", sorted(KINDS))
def test_an_example_carries_every_field_that_is_not_optional(type: str) -> None:
    kind = KINDS[type]
    optional = {field.name for field in msgspec.structs.fields(kind.event) if field.default is not msgspec.NODEFAULT}
    assert set(kind.example) | optional == set(kind.event.__struct_fields__)


@pytest.mark.parametrize("type", sorted(KINDS))
def test_every_type_says_what_it_is_and_where_its_rule_comes_from(type: str) -> None:
    doc = KINDS[type].event.__doc__ or ""
    assert "Source: " in doc


def test_a_policy_is_called_by_its_parameters_whatever_their_order() -> None:
    assert agency.policy_hash({"a": "1", "b": "2"}) == agency.policy_hash({"b": "2", "a": "1"})
    assert agency.policy_hash({"a": "1", "b": "2"}) != agency.policy_hash({"a": "12"})


def test_a_fund_that_a_map_lacks_counts_as_nothing() -> None:
    kind = KINDS["claim.batch.approved.v1"]
    content = {**kind.example, "approved": {}, "bond": {"310100": "1.00"}, "net": {"310100": "-1.00"}}
    event = kind.decoder.decode(msgspec.json.encode(content))
    assert rules.sums("approved", "bond", "net")(event) is None


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("name", ["a", " 结算 ", "x" * 256])
def test_a_refusal_can_itself_be_told(reason: Reason, name: str) -> None:
    """Whatever an id may be and whatever a detail may say, the event that tells of it is not refused in its turn."""
    assert problem("event.refused.v1", reason=reason.value, detail="x" * DETAIL_MAX, id=name, source=name) is None


def test_a_refusal_does_not_repeat_what_may_be_personal() -> None:
    """R9: a publisher that sends an id in the clear is told so without the id."""
    found = problem("settlement.recorded.v1", settlement_ref="310000000000202604010930000001")
    assert found == (
        "bad_code",
        "$.settlement_ref: 30 characters that are not a keyed hash of 32 lower-case hex digits",
    )


def _open(account: str, amount: str = "731.05", **funds: str) -> list[dict[str, Any]]:
    return [{"account": account, "amounts": funds or {"310100": amount}}]


GIVEN = {"prepayment_kind": "ANNUAL", "given": "800.00"}
BULK = {"prepayment_kind": "BULK", "given": "800.00", "contract_ref": "JC-1", "agreed": "2000.00", "purchased": "3.00"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"accounts": _open("1101"), **GIVEN}, None),
        ({"accounts": _open("1102"), **BULK}, None),
        ({"accounts": _open("1107"), "decided_on": "2025-11-03"}, None),
        ({"accounts": _open("1103"), "item_ref": "DZ-202511-07"}, None),
        ({"accounts": _open("1104") + _open("2108"), "hold_ref": "H-1"}, None),
        ({"accounts": []}, "$.accounts: an item is open in one account at least"),
        ({"accounts": _open("2102") + _open("2102")}, "$.accounts: 2102 2102 are not of one item"),
        ({"accounts": _open("2102") + _open("1107")}, "$.accounts: 2102 1107 are not of one item"),
        ({"accounts": _open("1103") + _open("2105")}, "$.accounts: 1103 2105 are not of one item"),
        ({"accounts": _open("2102", "0.00")}, "$.accounts: 2102['310100'] is 0.00, nothing is open in it"),
        ({"accounts": _open("2102", "-1.00")}, "$.accounts: 2102['310100'] is -1.00, nothing is open in it"),
        ({"accounts": [{"account": "2102", "amounts": {}}]}, "$.accounts: nothing is open in 2102"),
        ({"advanced": ["610100"]}, "$.advanced[0]: '610100' is not among the funds of $.accounts"),
        ({"accounts": _open("1101"), "prepayment_kind": "ANNUAL"}, "$.given is missing: such an item has it"),
        ({"accounts": _open("1107")}, "$.decided_on is missing: such an item has it"),
        ({"cut_off": ...}, "$.cut_off is missing: such an item has it"),
        ({"accounts": _open("2108")}, "$.hold_ref is missing: such an item has it"),
        (
            {"accounts": _open("1101"), "prepayment_kind": "MONTHLY", "given": "800.00"},
            "$.month is missing: such an item has it",
        ),
        ({"accounts": _open("1102"), **GIVEN}, "$.prepayment_kind: ANNUAL is not open in 1102"),
        ({"accounts": _open("1101"), **BULK}, "$.prepayment_kind: BULK is not open in 1101"),
        (
            {"accounts": _open("1101", **{"310100": "1.00", "390100": "1.00"}), **GIVEN},
            "$.accounts: a prepayment is of one fund",
        ),
        ({"accounts": _open("1101", "800.01"), **GIVEN}, "$.given: 800.01 is open of 800.00"),
        ({"item_ref": "B" * 51}, "$.item_ref: 51 characters, at most 50 are allowed"),
    ],
)
def test_an_opening_item_brings_what_is_decided_about_it(changes: dict[str, Any], said: str | None) -> None:
    found = problem("opening.item.recorded.v1", **changes)
    assert (found and found[1]) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "2106"}, None),
        ({"account": "2190", "bank_account": "1002", "bank_txn": "T-1"}, None),
        (
            {"account": "2190", "bank_account": "1002"},
            "$.bank_txn is missing: what nobody has placed is a line of a bank",
        ),
        ({"account": "1003", "bank_txn": "T-1"}, "$.bank_txn: only what nobody has placed has it"),
        (
            {"account": "1190", "bank_account": "1002", "bank_txn": "T-1", "amounts": {"310100": "-1.00"}},
            "$.amounts['310100']: -1.00 must not be negative",
        ),
    ],
)
def test_an_opening_balance_of_suspense_is_a_line_of_a_bank_account(changes: dict[str, Any], said: str | None) -> None:
    found = problem("opening.balance.recorded.v1", **changes)
    assert (found and found[1]) == said
