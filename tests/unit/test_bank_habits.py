"""Files of banks of ten kinds: what the standard's schema takes is taken for what it says, or refused for a reason that
the page for operators has."""

import re
from copy import deepcopy
from decimal import Decimal
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


def complaint(data: bytes) -> str:
    """The official schema's. Blanks around days and times are the standard's own, and libxml2 does not know them."""
    root = etree.fromstring(data)
    for element in root.iter():
        if re.fullmatch(r"\s*\d{4}-\d\d-\d\d\S*\s*", element.text or ""):
            element.text = element.text.strip()
    schema = kinds.schema(kinds.KINDS[str(root.tag)])
    return "" if schema.validate(root) else str(schema.error_log.last_error)


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
    assert not complaint(letter.data)
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
    assert not complaint(letter.data)
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


WORDS = (
    "0 0.00 1 -1.00 7.5 7.125 99999 2026-02-28 2026-02-27T23:30:00Z NOTPROVIDED CRDT DBIT BOOK PDNG CLBD OPBD true 信"
)
TEXTS = ["", " ", "x" * 35, "x" * 36, *WORDS.split()]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A letter in which a few places are left out, said twice, moved, or say something else."""
    root = etree.fromstring(draw(banks.letters(draw(st.sampled_from([*banks.BANKS.values()])))).data)
    for _ in range(draw(st.integers(1, 3))):
        if not (places := [*root.iter()][1:]):
            break
        place = places[draw(st.integers(0, len(places) - 1))]
        parent = place.getparent()
        match draw(st.sampled_from(("left out", "twice", "moved", "other"))):
            case "left out":
                parent.remove(place)
            case "twice":
                parent.insert(parent.index(place), deepcopy(place))
            case "moved":
                parent.append(place)
            case _ if not len(place):
                place.text = draw(st.sampled_from(TEXTS))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def booked(data: bytes) -> list[tuple[str, Decimal]]:
    """Of all lines that are booked and move something, the direction and the amount."""
    found = []
    for line in etree.fromstring(data).iter("{*}Ntry"):
        status, amount = line.find("{*}Sts"), Decimal(str(line.findtext("{*}Amt")).strip())
        if "BOOK" in (status.findtext("{*}Cd"), status.text) and amount:
            found.append(("IN" if line.findtext("{*}CdtDbtInd") == "CRDT" else "OUT", amount * 100))
    return sorted(found)


@given(data=changed())
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_bank_says_every_line_is_taken_or_the_file_refused_for_a_reason_that_is_told(data: bytes) -> None:
    found = read(data)
    if isinstance(found, BadFile):
        assert found.code in TOLD
        return
    assert not complaint(data)
    entries = [entry for message in found for entry in message.entries]
    assert sorted((entry.direction, Decimal(entry.amount)) for entry in entries) == booked(data)


def read(data: bytes) -> list[Notification | Statement] | BadFile:
    try:
        return [message for message in iso20022.read_all(data) if isinstance(message, Notification | Statement)]
    except BadFile as refused:
        return refused


def test_the_page_for_operators_tells_every_reason() -> None:
    assert {*MEANINGS} <= TOLD
    assert set(MEANINGS) == set(Code)
