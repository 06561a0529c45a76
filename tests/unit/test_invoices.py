"""An invoice has one form, however its number is written; what may be two invoices, or lacks a digit, has none."""

import pytest

from medfund import invoices
from medfund.invoices import NotAnInvoice, blue_of, canonical

DIGITAL = "26372000000012345678"


@pytest.mark.parametrize(
    ("code", "number", "form"),
    [
        ("", DIGITAL, DIGITAL),
        ("-", DIGITAL, DIGITAL),
        ("无", " 2637 2000 0000 1234 5678 ", DIGITAL),
        ("", "２６３７２００００００\u3000０１２３４５６７８", DIGITAL),
        ("", "2637-2000-0000-1234-5678", DIGITAL),
        ("3700221130", "01234567", "3700221130-01234567"),
        ("037002200104", "01234567", "037002200104-01234567"),
        ("０３７００２２００１０４", "０１２３ ４５６７", "037002200104-01234567"),
        ("037002 200104", "\u00a001234567", "037002200104-01234567"),
        ("", "3700221130-01234567", "3700221130-01234567"),
        ("", "037002200104 01234567", "037002200104-01234567"),
    ],
)
def test_an_invoice_has_one_form_however_it_is_written(code: str, number: str, form: str) -> None:
    assert canonical(code, number) == form


@pytest.mark.parametrize(
    ("code", "number", "why"),
    [
        ("", "", "not digits alone"),
        ("", "2.6372E+19", "not digits alone"),
        ("", "26372000000012345678.0", "not digits alone"),
        ("37002211AB", "01234567", "not digits alone"),
        ("", "2637200000001234567", "19 digits; a fully digital number has 20"),
        ("", "01234567", "a number of 8 digits needs its code"),
        ("", "263720000000 12345678", "20 digits with a gap may be one number, or a code and a number"),
        ("3700221130", "1234567", "a code of 10 and a number of 7 digits; they have 10 or 12, and 8"),
        ("37002200104", "01234567", "a code of 11 and a number of 8 digits"),
        ("3700221130", DIGITAL, "a code of 10 and a number of 20 digits"),
    ],
)
def test_what_may_be_two_invoices_or_lacks_a_digit_is_none(code: str, number: str, why: str) -> None:
    with pytest.raises(NotAnInvoice) as refused:
        canonical(code, number)
    assert str(refused.value).startswith(why)
    assert refused.value.zh


def test_zeros_that_were_eaten_are_put_back_where_the_width_is_said_and_only_there() -> None:
    assert canonical("37002200104", "1234567", code_digits=12, number_digits=8) == "037002200104-01234567"
    assert canonical("", DIGITAL, code_digits=12, number_digits=8) == DIGITAL
    with pytest.raises(NotAnInvoice):
        canonical("", "6372000000012345678", code_digits=12, number_digits=8)


@pytest.mark.parametrize(
    ("remark", "blue"),
    [
        (f"被红冲蓝字数电票号码：{DIGITAL} 红字发票信息确认单编号：37100026091000000017", DIGITAL),
        (f"被红冲蓝字数电发票号码:{DIGITAL}", DIGITAL),
        ("对应正数发票代码:037002200104号码:01234567", "037002200104-01234567"),
        ("对应正数发票代码：3700221130 号码：01234567 退货", "3700221130-01234567"),
    ],
)
def test_a_red_letter_names_its_blue_invoice_in_the_words_of_the_law(remark: str, blue: str) -> None:
    assert blue_of(remark) == blue


@pytest.mark.parametrize(
    "remark",
    [
        "",
        f"退货 {DIGITAL}",
        f"被红冲蓝字数电票号码：{DIGITAL}9",
        f"被红冲蓝字数电票号码：{DIGITAL} 被红冲蓝字数电票号码：26372000000012345679",
        "开具红字增值税专用发票信息表编号3700221130012345",
    ],
)
def test_a_remark_that_names_no_blue_invoice_or_two_is_told(remark: str) -> None:
    with pytest.raises(NotAnInvoice):
        blue_of(remark)


def test_zeros_before_a_code_do_not_tell_invoices_apart_those_of_a_number_do() -> None:
    assert invoices.key("037002200104-01234567") == invoices.key("37002200104-01234567")
    assert invoices.key("3700221130-01234567") != invoices.key("3700221130-11234567")
    assert invoices.key(DIGITAL) == DIGITAL


def test_a_code_and_a_number_written_as_one_are_the_same_invoice() -> None:
    assert invoices.key("03700220010401234567") == invoices.key("037002200104-01234567")
    assert invoices.key("14403220010401234567") == invoices.key("144032200104-01234567")
