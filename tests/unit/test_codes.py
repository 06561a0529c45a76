"""National codes: form, check character, labels (domain.md R7)."""

import pytest

from medfund import codes


@pytest.mark.parametrize(
    "code",
    ["91370000MA0000001T", "91371000MA0000002A", "12371000MB0000003L", "91370100MA00000010", "91370100MA0000020Y"],
)
def test_a_credit_code_with_its_check_character_is_valid(code: str) -> None:
    assert codes.is_uscc(code)


@pytest.mark.parametrize("other", sorted(set(codes.USCC_ALPHABET) - {"T"}))
def test_any_other_check_character_is_not(other: str) -> None:
    assert not codes.is_uscc(f"91370000MA0000001{other}")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91370000MA0000001",
        "91370000MA0000001TT",
        "91370000ma0000001t",
        "9137000IMA0000001T",
        "91370000MA0000001T\n",
    ],
)
def test_what_is_not_eighteen_letters_and_digits_of_the_alphabet_is_not(code: str) -> None:
    assert not codes.is_uscc(code)


def test_two_neighbours_changed_places_are_found() -> None:
    code = "91371000MA0000002A"
    swapped = [code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(16) if code[i] != code[i + 1]]
    assert swapped
    assert not any(map(codes.is_uscc, swapped))


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("H15250200017", True),
        ("P37100000001", True),
        ("X15250200017", False),
        ("h15250200017", False),
        ("H1525020001", False),
        ("H152502000170", False),
        ("H1525020001７", False),
        ("H15250200017\n", False),
        ("", False),
    ],
)
def test_a_provider_is_a_letter_and_eleven_digits(code: str, valid: bool) -> None:
    assert codes.is_provider(code) is valid


def test_the_letter_tells_hospital_from_pharmacy() -> None:
    assert codes.provider_kind("H15250200017") == "hospital"
    assert codes.provider_kind("P37100000001") == "pharmacy"


@pytest.mark.parametrize(
    "fund", ["310100", "310200", "320100", "330100", "350100", "370100", "390100", "390200", "610100", "910100"]
)
def test_every_fund_of_the_platform_has_a_name_in_both_languages(fund: str) -> None:
    label = codes.FUNDS[fund]
    assert label.zh
    assert label.en


def test_a_code_that_no_table_knows_is_its_own_label() -> None:
    assert codes.label(codes.CLR_TYPES, "9901") == ("9901", "9901")


@pytest.mark.parametrize(
    ("insutype", "fund", "borne"),
    [
        ("310", "310100", True),
        ("510", "310100", True),
        ("390", "310100", False),
        ("391", "390100", True),
        ("310", "390100", False),
        ("392", "390100", False),
        ("392", "390200", True),
        ("410", "410100", True),
        ("310", "410100", False),
    ],
)
def test_a_fund_bears_its_own_insurance_types(insutype: str, fund: str, borne: bool) -> None:
    assert codes.is_borne(insutype, fund) is borne
