"""Parameters of direct payment: what they may say, and what holds where they say nothing (domain.md R3, R10)."""

import pytest

from medfund import parameters
from medfund.parameters import BadPolicy


def test_of_what_is_said_the_own_is_read_and_the_rest_is_as_it_always_is() -> None:
    said = {"direct.days": "45", "direct.scope": "LISTED/PHARMACY BULK/PRIVATE", "clock.working_days": "x"}
    found = parameters.read(said, parameters.DIRECT)
    assert found.keys() == parameters.DIRECT.keys()
    assert found["direct.days"] == 45
    assert found["direct.scope"] == {("LISTED", "PHARMACY"), ("BULK", "PRIVATE")}
    assert (found["direct.due_by"], found["direct.confirm_days"]) == ("EARLIEST", 5)
    assert list(found["direct.split_funds"]) == ["310100", "390100"]


def test_nothing_at_all_may_be_in_scope() -> None:
    assert not parameters.scope("none")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("direct.scope", "BULK"),
        ("direct.scope", "BULK/EVERYBODY"),
        ("direct.scope", "集采/PUBLIC"),
        ("direct.days", "0"),
        ("direct.days", "30 "),
        ("direct.due_by", "LATEST"),
        ("direct.silent", "WAIT"),
        ("direct.split_funds", "none"),
        ("direct.split_funds", ""),
        ("direct.split_funds", "310100 310100"),
        ("direct.two_invoices", "yes"),
    ],
)
def test_what_no_policy_may_say_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(BadPolicy, match=f"^{name}: "):
        parameters.read({name: text}, parameters.DIRECT)
