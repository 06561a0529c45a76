"""Money: yuan text in and out, half a fen rounded away from zero, splits that add up (domain.md R2-R4)."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medfund import money

AMOUNTS = st.integers(-money.FEN_MAX, money.FEN_MAX)
WEIGHTS = st.lists(st.integers(0, 10**15), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("0.00", 0),
        ("0.05", 5),
        ("-0.05", -5),
        ("6852.80", 685280),
        ("-8654.21", -865421),
        ("90071992547409.93", 9_007_199_254_740_993),  # 2^53 + 1: a float would lose it
        ("99999999999999.99", 9_999_999_999_999_999),
        ("-99999999999999.99", -9_999_999_999_999_999),
    ],
)
def test_an_amount_is_read_and_written_the_same(text: str, fen: int) -> None:
    assert money.fen(text) == fen
    assert money.yuan(fen) == text


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "1.000", "0.005", ".50", "1.", "+1.00", "-0.00", "01.00", "00.00", "1,000.00", " 1.00", "1.00\n"],
)
def test_another_spelling_of_an_amount_is_refused(text: str) -> None:
    with pytest.raises(money.BadAmount):
        money.fen(text)


@pytest.mark.parametrize(
    "text",
    ["1e2", "NaN", "Infinity", "1_0.00", "１.00", "1.٠٠", "--1.00", "-_1.00", "1.00.00", "0x1.00", "0,00", "O.00"],
)
def test_what_other_languages_call_a_number_is_no_amount(text: str) -> None:
    with pytest.raises(money.BadAmount):
        money.fen(text)


@pytest.mark.parametrize(
    "text", ["100000000000000.00", "-100000000000000.00", "92233720368547758.08", "9" * 40 + ".99"]
)
def test_an_amount_beyond_what_the_platform_carries_is_out_of_range(text: str) -> None:
    with pytest.raises(money.AmountOutOfRange):
        money.fen(text)


@given(AMOUNTS)
def test_every_amount_survives_the_wire(amount: int) -> None:
    assert money.fen(money.yuan(amount)) == amount


@given(st.text(max_size=24))
def test_what_is_read_was_written_in_the_one_spelling(text: str) -> None:
    try:
        amount = money.fen(text)
    except (money.BadAmount, money.AmountOutOfRange):
        return
    assert money.yuan(amount) == text


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Fraction(1, 2), 1),
        (Fraction(-1, 2), -1),
        (Decimal("0.49999999999999999999999999"), 0),
        (Decimal("-2.5"), -3),
        (Decimal("1600276.60"), 1600277),
        (Fraction(12_845_678_901, 12), 1_070_473_242),  # R2.3: the base of the prepayment
        (Fraction(4_700_000_005, 12), 391_666_667),
        (Decimal("0.9") * 1_070_473_242, 963_425_918),
        (Decimal("0.9") * 210_000_037, 189_000_033),  # R1.5: P1 of 310100
        (Decimal("0.05") * 207_076_982, 10_353_849),  # R1.5: its bond
        (Fraction(money.FEN_MAX * 2 + 1, 2), money.FEN_MAX + 1),
    ],
)
def test_half_a_fen_is_rounded_up_away_from_zero(exact: Fraction | Decimal, rounded: int) -> None:
    assert money.round2(exact) == rounded


@given(st.fractions())
def test_rounding_moves_at_most_half_a_fen_and_knows_no_sign(exact: Fraction) -> None:
    assert abs(money.round2(exact) - exact) <= Fraction(1, 2)
    assert money.round2(-exact) == -money.round2(exact)


def test_the_worked_splits() -> None:
    key = [Decimal("68.37"), Decimal("31.63")]
    assert money.split(16_246_890, key) == [11_107_999, 5_138_891]  # R3.5
    assert money.split(-321_000, key) == [-219_468, -101_532]
    assert money.split(48_500_000_000, [234_567_890, 111_111_111, 54_321_099]) == [  # R4.5
        28_441_349_552,
        13_472_218_841,
        6_586_431_607,
    ]


def test_ties_go_to_the_earlier_weight() -> None:
    assert money.split(2, [1, 1, 1]) == [1, 1, 0]
    assert money.split(-2, [1, 1, 1]) == [-1, -1, 0]
    assert money.split_by_key(1, {"390100": 1, "310100": 1}) == {"310100": 1, "390100": 0}


def test_several_red_letters_bring_each_fund_back_to_zero() -> None:
    """R3.5: each red letter is split(left before) - split(left after), by the key of its invoice."""
    key, left, parts = [6837, 3163], 4_567_890, [0, 0]
    for red in (321_000, 1, 33_333, 4_213_556):
        before, after = money.split(left, key), money.split(left - red, key)
        parts = [part + b - a for part, b, a in zip(parts, before, after, strict=True)]
        left -= red
    assert left == 0
    assert parts == money.split(4_567_890, key)


@given(AMOUNTS, WEIGHTS)
def test_the_parts_make_the_whole_and_each_is_within_a_fen_of_its_share(total: int, weights: list[int]) -> None:
    parts = money.split(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(AMOUNTS, WEIGHTS, st.integers(1, 10**6))
def test_only_the_proportions_of_weights_count(total: int, weights: list[int], factor: int) -> None:
    assert money.split(total, weights) == money.split(total, [weight * factor for weight in weights])
    assert money.split(-total, weights) == [-part for part in money.split(total, weights)]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        money.split(100, weights)


@given(st.lists(st.text("0123456789.,- ٣", max_size=8) | st.integers(-(10**18), 10**18).map(money.yuan)))
def test_many_amounts_are_read_as_each_of_them_is(texts: list[str]) -> None:
    def outcome(read: Callable[[], list[int]]) -> object:
        try:
            return read()
        except (money.BadAmount, money.AmountOutOfRange) as error:
            return type(error)

    assert outcome(lambda: money.fens(texts)) == outcome(lambda: [money.fen(text) for text in texts])


@pytest.mark.parametrize(
    "odd", ["", ".50", "00.05", "0.5", "0.005", "1,0.50", "0.00,", "012.00", "1.00 ", "-0.05", "1.00"]
)
def test_one_odd_amount_among_many_is_seen(odd: str) -> None:
    texts = ["1.00", "0.05", "0.00", "0.45", "12345678901234.99", odd, "7.10"]
    try:
        expected = [money.fen(text) for text in texts]
    except money.BadAmount:
        with pytest.raises(money.BadAmount):
            money.fens(texts)
    else:
        assert money.fens(texts) == expected


CAPITALS = """
         0.00  零元整
         0.05  伍分
         0.50  伍角整
         1.00  壹元整
        10.03  壹拾元零叁分
        20.30  贰拾元叁角整
      1010.00  壹仟零壹拾元整
      1680.32  壹仟陆佰捌拾元叁角贰分
      6007.14  陆仟零柒元壹角肆分
     16409.02  壹万陆仟肆佰零玖元零贰分
    100005.00  壹拾万零伍元整
    107000.53  壹拾万柒仟元伍角叁分
    325000.00  叁拾贰万伍仟元整
  10000500.00  壹仟万零伍佰元整
  10001000.00  壹仟万壹仟元整
3279999883.41  叁拾贰亿柒仟玖佰玖拾玖万玖仟捌佰捌拾叁元肆角壹分
10000010000.0  壹佰亿零壹万元整
"""


@pytest.mark.parametrize("line", CAPITALS.strip().splitlines(), ids=lambda line: line.split()[0])
def test_an_amount_in_capitals_is_as_the_rules_of_bills_say_it(line: str) -> None:
    yuan, words = line.split()
    amount = round(Decimal(yuan) * 100)
    assert money.capitals(amount) == words
    assert amount == 0 or money.capitals(-amount) == f"负{words}"


@given(st.integers(0, 10**20), st.integers(0, 10**20))
def test_no_two_amounts_are_the_same_in_capitals(one: int, other: int) -> None:
    assert (money.capitals(one) == money.capitals(other)) == (one == other)
    assert "零零" not in money.capitals(one)


@pytest.mark.parametrize(
    ("quantity", "price", "fen"),
    [
        (9480, "12.340000", 116_983_20),
        (3, "0.005", 2),
        (1, "0.0149", 1),
        (1, "0.015", 2),
        (7, "1234567.89", 8_641_975_23),
    ],
)
def test_a_quantity_costs_its_price_rounded_once(quantity: int, price: str, fen: int) -> None:
    assert money.cost(quantity, money.micros(price)) == fen


def test_what_is_taken_off_a_split_step_by_step_leaves_nothing_and_no_part_ever_grows() -> None:
    weights = {"310100": 1, "390100": 3, "610100": 3}
    left = money.split_by_key(4, weights)
    assert list(left.values()) == [0, 2, 2]
    assert money.split(3, [1, 3, 3]) == [1, 1, 1], "the largest remainders give the first more of less"
    taken = []
    for total in (3, 2, 1, 0):
        off = money.lowered(left, total, weights)
        taken.append([*off.values()])
        left = {name: part - off[name] for name, part in left.items()}
        assert sum(left.values()) == total
    assert taken == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
