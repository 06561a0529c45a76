"""Files of banks of ten kinds: what the standard's schema takes is taken for what it says, or refused for a reason that
the page for operators has."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from medfund.bankfiles import iso20022
from medfund.bankfiles.iso20022 import kinds
from medfund.bankfiles.messages import Notification, Statement
from medfund.bankfiles.refusals import MEANINGS, BadFile, Code
from tests import bank_habits as banks

pytestmark = pytest.mark.timeout(120)
PAGE = (Path(__file__).parents[2] / "docs" / "operators.md").read_text("utf-8")
TOLD = frozenset(re.findall(r"`([A-Z_]+)`", PAGE[PAGE.index("### What is read of a bank's files") :]))


def is_valid(letter: banks.Letter) -> bool:
    """By the official schema. Blanks around days and times are the standard's own, and libxml2 does not know them."""
    root = etree.fromstring(letter.data)
    for element in root.iter():
        if re.fullmatch(r"\s*\d{4}-\d\d-\d\d\S*\s*", element.text or ""):
            element.text = element.text.strip()
    schema = kinds.schema(kinds.KINDS[str(root.tag)])
    return schema.validate(root) or pytest.fail(str(schema.error_log.last_error))


def told(letter: banks.Letter) -> list[tuple[str, int, int, int, int]]:
    """Of each account: how many lines, what came in and went out, and how much of that names something."""
    found = []
    for message in iso20022.read_all(letter.data):
        assert isinstance(message, Notification | Statement)
        sides = message.entries.side("IN"), message.entries.side("OUT")
        named = sum(
            detail.amount
            for entry in message.entries
            for detail in entry.details
            if detail.end_to_end_id or detail.files == (banks.RUN,)
        )
        if isinstance(message, Statement):
            assert message.opening + message.entries.signed == message.closing
        found.append((message.account, len(message.entries), sides[0].fen, sides[1].fen, named))
    return found


@pytest.mark.parametrize("bank", banks.BANKS)
@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_bank_says_is_read_as_it_is_meant(bank: str, data: st.DataObject) -> None:
    letter = data.draw(banks.letters(banks.BANKS[bank]))
    assert is_valid(letter)
    assert told(letter) == [
        (
            one.account,
            len(one.booked["IN"] + one.booked["OUT"]),
            sum(one.booked["IN"]),
            sum(one.booked["OUT"]),
            one.named,
        )
        for one in letter.said
    ]


@pytest.mark.parametrize("wrong", banks.WRONG)
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_what_cannot_be_read_for_certain_is_refused_for_a_reason_that_is_told(wrong: str, data: st.DataObject) -> None:
    habits = data.draw(st.sampled_from([bank for bank in banks.BANKS.values() if fits(bank, wrong)]))
    letter = data.draw(banks.letters(habits._replace(wrong=wrong)))
    assert is_valid(letter)
    with pytest.raises(BadFile) as refused:
        iso20022.read_all(letter.data)
    assert refused.value.code == banks.WRONG[wrong], refused.value.detail
    assert refused.value.code in TOLD


def fits(bank: banks.Habits, wrong: str) -> bool:
    """Whether a bank of such habits can be wrong so."""
    if wrong == "a status of its own" and bank.versions == ("02",):
        return False
    if wrong == "a page that is missing":
        return bank.versions != ("02",) and bank.accounts == 1
    if wrong == "a number twice":
        return bank.numbers == "AcctSvcrRef"
    if wrong == "details beyond their line":
        return not bank.silent
    return wrong != "no number at all" or bank.numbers == "AcctSvcrRef"


def test_the_page_for_operators_tells_every_reason() -> None:
    assert {*MEANINGS, "WRONG_ACCOUNT"} <= TOLD
    assert set(MEANINGS) == set(Code)
