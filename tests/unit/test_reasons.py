"""Why money is in suspense, in both languages."""

import pytest

from clearing.payments import reasons

TOLD = [
    ("no payment B-1/P1/310100 was ordered", "没有付款单 B-1/P1/310100"),
    ("payment B-1/P1/310100 is FAILED: the bank paid it all the same", "付款单 B-1/P1/310100 已支付失败，银行仍予支付"),
    ("more came in than is owed of case C-(1)", "到账金额超过追回案件 C-(1) 的应追回金额"),
    ("YE-2190-7", "YE-2190-7"),
]


@pytest.mark.parametrize(("english", "chinese"), TOLD)
def test_a_reason_on_the_log_is_said_in_both_languages_and_what_is_none_stands_for_itself(
    english: str, chinese: str
) -> None:
    assert reasons.both(english) == (chinese, english)


@pytest.mark.parametrize("english", reasons.CHINESE)
def test_every_reason_that_decisions_give_has_words_of_its_own_in_chinese(english: str) -> None:
    said = english.format("X-7")
    chinese, same = reasons.both(said)
    assert same == said
    assert "X-7" in chinese
    assert any("一" <= sign <= "鿿" for sign in chinese)
