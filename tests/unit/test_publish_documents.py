"""Rows of a platform's export become one event of each document; a bad row refuses its document, and nothing else."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from medfund import cli
from medfund.events.codec import VALUE_MAX
from medfund.events.kinds import KINDS
from medfund.publish import drafts, exports, refused
from medfund.publish.forms import CannotRead

NOW_MS = 1_796_000_000_000
MAPS = Path(__file__).parents[2] / "docs/maps"
NAMES = ("products", "contracts", "orders", "shipments", "acceptances", "invoices", "red_letters", "statements")
JUDGED = partial(drafts.check, now_ms=NOW_MS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trace.key").write_text("a key of 32 bytes, made for a test")
    return tmp_path


def made(folder: Path, name: str, content: bytes | None = None, edit: Callable[[str], str] = str) -> list[bytes]:
    """The lines of an example's export, or of another one by its map."""
    path = folder / f"{name}.toml"
    path.write_text(edit((MAPS / path.name).read_text(encoding="utf-8")), encoding="utf-8")
    given = (MAPS / f"{name}.csv").read_bytes() if content is None else content
    return b"".join(exports.lines(io.BytesIO(given), exports.read_map(path), check=JUDGED)).split(b"\n")[:-1]


def events(lines: list[bytes]) -> dict[int, dict[str, Any]]:
    """The data of each event, by the line on which it stands."""
    return {
        at: msgspec.json.decode(line)["data"] for at, line in enumerate(lines, 1) if line and not refused.read(line)
    }


def told(lines: list[bytes]) -> dict[int, tuple[str, str]]:
    found = ((at, refused.read(line)) for at, line in enumerate(lines, 1))
    return {at: (problem.reason.value, problem.detail) for at, problem in found if problem}


def rows_of(name: str) -> list[str]:
    return (MAPS / f"{name}.csv").read_text(encoding="utf-8").splitlines()


def edited(name: str, *changes: tuple[int, str, str]) -> bytes:
    """An example's export with other words in some of its lines."""
    rows = rows_of(name)
    for line, old, new in changes:
        assert old in rows[line - 1]
        rows[line - 1] = rows[line - 1].replace(old, new)
    return "\r\n".join([*rows, ""]).encode()


# -- what documents become


@pytest.mark.parametrize("name", NAMES)
def test_every_example_of_the_page_is_sound_in_both_encodings(folder: Path, name: str) -> None:
    lines = made(folder, name)
    assert not told(lines)
    assert events(lines)
    in_gbk = "\r\n".join(rows_of(name)).encode("gbk")
    assert made(folder, name, in_gbk, lambda text: f'encoding = "gb18030"\n{text.replace(UTF, "")}') == lines


UTF = 'encoding = "utf-8"'


def test_a_price_list_is_an_event_of_each_product_and_a_contract_the_list_of_its_own(folder: Path) -> None:
    prices = events(made(folder, "products"))
    assert [(at, one["product_class"], one["price"], one.get("valid_to")) for at, one in prices.items()] == [
        (2, "BULK", "12.34", "2027-12-31"), (3, "BULK", "1796.00", "2027-12-31"), (4, "NEGOTIATED", "48.2005", None),
    ]  # fmt: skip
    [contract] = events(made(folder, "contracts")).values()
    assert contract["products"] == ["XA10BBA012A001010100483", "C0201010010100100001"]
    bad = told(made(folder, "contracts", edited("contracts", (3, "C0201010010100100001", "C02"))))
    assert bad[3][1].startswith("列 医保药品编码：编码不合规 / column 医保药品编码: $.products[1]: ")


def test_rows_of_an_order_are_one_event_on_the_line_of_the_first(folder: Path) -> None:
    assert events(made(folder, "orders")) == {
        2: {
            "provider": "H15250200017", "area": "152500", "supplier": "91370000MA0000001T",
            "order_no": "CG20260820000417", "placed_on": "2026-08-20",
            "lines": [
                {"line": 1, "product": "XA10BBA012A001010100483", "quantity": 10000, "price": "12.34"},
                {"line": 2, "product": "XC09CAF084A001010302118", "quantity": 4000, "price": "7.50"},
            ],
        },
        4: {
            "provider": "H15250200017", "area": "152500", "supplier": "91371000MA0000002A",
            "order_no": "CG20260821000031", "placed_on": "2026-08-21",
            "lines": [{"line": 1, "product": "XJ01DDT056B001020104215", "quantity": 2500, "price": "3.218"}],
        },
    }  # fmt: skip


def test_what_a_pack_holds_may_stand_in_a_column_and_a_cell_without_a_day_is_left_out(folder: Path) -> None:
    [shipment] = events(made(folder, "shipments")).values()
    assert [(one["quantity"], one.get("expires_on")) for one in shipment["lines"]] == [
        (9400, "2028-08-31"),
        (100, None),
    ]


def test_an_acceptance_says_what_was_refused_and_of_trace_codes_hashes_alone(folder: Path) -> None:
    lines = made(folder, "acceptances")
    [accepted] = events(lines).values()
    assert accepted["accepted_on"] == "2026-09-06"
    damaged, sound = accepted["lines"]
    assert (damaged["accepted"], damaged["refused"], damaged["reason"]) == (9380, 20, "DAMAGED")
    assert [len(trace) for trace in damaged["traces"]] == [32, 32]
    assert sound == {"line": 1, "lot": "L2608-04", "accepted": 100}
    assert b"8123456" not in b"".join(lines)


def test_an_invoice_has_its_one_form_in_the_event_and_in_its_id(folder: Path) -> None:
    """Its two rows write it in two ways: with a zero less, and in wide characters with a blank."""
    lines = made(folder, "invoices")
    digital, paper = events(lines).values()
    assert (digital["invoice"], digital["amount"], digital["upstream"]) == (
        "26372000000012345678", "116983.20", ["26370000000098765432"],
    )  # fmt: skip
    assert (paper["invoice"], paper["amount"], [one["order_no"] for one in paper["lines"]]) == (
        "037002200104-01234567", "30000.00", ["CG20260820000417", "CG20260820000418"],
    )  # fmt: skip
    assert "upstream" not in paper
    assert msgspec.json.decode(lines[2])["id"] == "invoice-037002200104-01234567"


def test_a_red_letter_takes_back_what_its_remark_names(folder: Path) -> None:
    found = events(made(folder, "red_letters")).values()
    assert [(one["invoice"], one["blue"], one["amount"], one["tax"]) for one in found] == [
        ("26372000000012399001", "26372000000012345678", "1234.00", "141.96"),
        ("037002200104-01234599", "037002200104-01234567", "1500.00", "172.57"),
    ]


def test_a_statement_is_the_sum_of_its_rows_and_of_the_first_day_of_its_month(folder: Path) -> None:
    [statement] = events(made(folder, "statements")).values()
    assert (statement["total"], statement["period"]) == ("115749.20", "2026-09-01")
    assert statement["lines"] == [
        {"invoice": "26372000000012345678", "amount": "116983.20"},
        {"invoice": "26372000000012399001", "amount": "-1234.00"},
    ]


def test_the_same_rows_are_the_same_bytes(folder: Path) -> None:
    assert made(folder, "invoices") == made(folder, "invoices")


# -- what is refused


@pytest.mark.parametrize(
    ("name", "change", "line", "reason", "detail"),
    [
        ("orders", (3, "20箱", "20桶"), 3, "bad_code",
         "列 采购数量：单位 “桶” 不在 units 中 / column 采购数量: the unit “桶”, which `units` does not list"),
        ("orders", (3, "20箱", "0.003箱"), 3, "wrong_kind", "列 采购数量：“0.003箱” 折算后不是整数 / "),
        ("orders", (2, "10,000盒", "10,00盒"), 2, "wrong_kind", "列 采购数量：“10,00盒” 不是数量 / "),
        ("orders", (3, "20箱", ""), 3, "wrong_kind", "列 采购数量：“” 不是数量 / "),
        ("orders", (3, ",7.5", ",7.5000001"), 3, "bad_amount", "列 采购单价：“7.5000001” 不是单价 / "),
        ("orders", (3, ",2,XC", ",1,XC"), 2, "bad_code", "列 行号、医保药品编码、采购数量、采购单价：编码不合规 / "),
        ("orders", (3, "XC09CAF084A001010302118", "XC09"), 3, "bad_code", "列 医保药品编码：编码不合规 / "),
        ("orders", (3, "XC09CAF084A001010302118", "1.5E+22"), 3, "bad_code",
         "列 医保药品编码：数字已被表格软件改写，请按文本导出 / column 医保药品编码: 1.5E+22 is a number that a"),
        ("orders", (3, "91370000MA0000001T", "91371000MA0000002A"), 3, "conflict",
         "列 配送企业统一社会信用代码：与本单首行不同 / "),
        ("orders", (3, ",20箱,7.5", ",20箱"), 3, "missing_field", "9 个列名下有 8 格 / 8 cells under 9 heads"),
        ("shipments", (3, ",盒,", ",箱,"), 3, "bad_code", "列 发货数量：单位 “箱” 不在 units 中 / "),
        ("shipments", (2, ",件,200", ",件,0.5"), 2, "wrong_kind", "列 发货数量：“0.5” 不是序号 / "),
        ("acceptances", (2, "破损", "丢失"), 2, "bad_code", "列 拒收原因：编码不合规 / column 拒收原因: "),
        ("acceptances", (2, ",破损", ","), 2, "missing_field", "列 拒收原因：缺少字段 / "),
        ("invoices", (3, "30000,", "30000.01,"), 4, "conflict", "列 价税合计：与本单首行不同 / "),
        ("statements", (3, '"-1,234.00"', '"-1,23.00"'), 3, "bad_amount", "列 金额：“-1,23.00” 不是金额 / "),
    ],
)  # fmt: skip
def test_a_bad_row_is_told_by_line_and_column_in_both_languages_and_its_document_left_out_whole(
    folder: Path, name: str, change: tuple[int, str, str], line: int, reason: str, detail: str
) -> None:
    lines = made(folder, name, edited(name, change))
    found = told(lines)
    assert found[line][0] == reason
    assert found[line][1].startswith(detail)
    assert "行整单不发布 / lines " in found[line][1]
    assert not {at for at in events(lines) if at in (2, 3) and name == "orders"}
    assert name != "orders" or 4 in events(lines)


def test_a_unit_in_other_characters_is_the_same_unit(folder: Path) -> None:
    given = edited("orders", (3, "20箱", "２０ ㎏"))
    found = events(made(folder, "orders", given, lambda text: text.replace('"箱" = 200', '"㎏" = 3')))
    assert found[2]["lines"][1]["quantity"] == 60


def test_every_bad_row_of_a_document_is_told(folder: Path) -> None:
    found = told(made(folder, "orders", edited("orders", (2, "10,000盒", "若干"), (3, "20箱", "20桶"))))
    assert list(found) == [2, 3]
    assert all(detail.endswith("（第 2 至 3 行整单不发布 / lines 2 to 3 are left out)") for _, detail in found.values())


def test_a_red_letter_whose_remark_names_no_blue_invoice_is_told_and_the_other_goes_on(folder: Path) -> None:
    lines = made(folder, "red_letters", edited("red_letters", (2, "被红冲蓝字", "冲红")))
    assert told(lines)[2][1].startswith("列 备注：“冲红数电票号码：26372000000012345678 红字发票")
    assert told(lines)[2][1].endswith(": the remark names 0 blue invoices, it has to name one")
    assert list(events(lines)) == [3]


def order(number: str, line: int = 1) -> str:
    return rows_of("orders")[1].replace("CG20260820000417", number).replace(",1,", f",{line},", 1)


def an_export(*rows: str) -> bytes:
    return "\r\n".join([rows_of("orders")[0], *rows, ""]).encode()


def test_a_document_that_comes_again_after_another_is_refused_both_times(folder: Path) -> None:
    lines = made(folder, "orders", an_export(order("A", 1), order("B"), order("A", 2), order("C")))
    assert list(events(lines)) == [3, 5]
    assert {at: reason for at, (reason, _) in told(lines).items()} == {2: "conflict", 4: "conflict"}
    assert told(lines)[4][1] == (
        "同一单据的行不连续，请按单据号排序后导出 / its rows do not follow one another: sort the export by it"
    )


@pytest.mark.parametrize("torn", ["", "CG,1", order("")])
def test_a_row_that_does_not_say_of_which_document_it_is_refuses_those_on_both_sides(folder: Path, torn: str) -> None:
    """A cell that was merged, a line that was cut: of which order would be guessed."""
    lines = made(folder, "orders", an_export(order("A"), order("B"), torn, order("C"), order("D")))
    if not torn:
        assert list(events(lines)) == [2, 3, 5, 6]
        return
    assert list(events(lines)) == [2, 6]
    assert list(told(lines)) == [4, 5]
    assert told(lines)[5][1] == "第 4 行可能属于本单 / line 4 may be one of it"


def test_a_row_between_rows_of_one_document_is_its_own(folder: Path) -> None:
    lines = made(folder, "orders", an_export(order("A", 1), "A,,,,,,,,", order("A", 2), order("B")))
    assert (list(events(lines)), list(told(lines))) == ([5], [3])


def test_the_same_row_twice_is_one_event_where_a_document_has_no_rows(folder: Path) -> None:
    rows = rows_of("red_letters")
    lines = made(folder, "red_letters", "\n".join([rows[0], rows[1], rows[1], rows[2], ""]).encode())
    assert (list(events(lines)), told(lines)) == ([2, 4], {})


def test_a_document_that_no_event_can_hold_is_refused_and_not_kept(folder: Path) -> None:
    rows = [order("A", line) for line in range(1, 14_000)]
    lines = made(folder, "orders", an_export(*rows, order("B")))
    assert list(events(lines)) == [len(rows) + 2]
    assert told(lines)[2][0] == "too_large"
    assert len(rows) * 80 > VALUE_MAX


def test_memory_does_not_follow_the_rows(folder: Path) -> None:
    def peak(orders: int) -> int:
        given = an_export(*(order(f"N{number}", line) for number in range(orders) for line in range(1, 6)))
        path = folder / "orders.toml"
        path.write_text((MAPS / path.name).read_text(encoding="utf-8"), encoding="utf-8")
        lines: Iterator[bytes] = exports.lines(io.BytesIO(given), exports.read_map(path), check=JUDGED)
        tracemalloc.start()
        try:
            assert sum(1 for line in lines if line != b"\n") >= orders
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2_000) < peak(200) * 1.5


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('document = "{订单编号}"', 'document = "one"', "the map: `document` is a text with a {column}"),
        ('document = "{订单编号}"', 'document = "{单号}"', "the column 单号 is missing; the file has 订单编号"),
        ('document = "{订单编号}"', "", "the map: rows is of all rows of a document, so the map has to say `document`"),
        ("units = {", "unit_s = {", "the map: unit_s is not known beside quantity, unit, units, minus"),
        ('line = { count = "行号" }', 'line = { found = "[0-9]+", in = "行号" }', "the map: [0-9]+ has 0 groups"),
        (
            "[data]",
            'only = { n = "1" }\n[columns]\nn = { count = "行号" }\n[data]',
            "the map: n is made of a row, and `only`",
        ),
        ("[data]", '[columns]\n"行号" = { count = "行号" }\n[data]', "the map: the file has a column 行号 already"),
    ],
)
def test_a_map_of_documents_that_cannot_be_used_says_why(folder: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(CannotRead) as cannot:
        made(folder, "orders", None, lambda text: text.replace(old, new))
    assert str(cannot.value).startswith(why)


def test_what_a_pattern_finds_in_a_remark_is_a_value(folder: Path) -> None:
    given = edited("orders", (4, "头孢曲松注射剂", "合同：JC-2026-07-0012"))
    found = """order_no = { found = '合同：(\\S+)', in = "商品名称" }"""
    lines = made(folder, "orders", given, lambda text: text.replace('order_no = "{订单编号}"', found))
    assert events(lines)[4]["order_no"] == "JC-2026-07-0012"
    assert told(lines)[2][1].startswith("列 商品名称：“二甲双胍缓释片” 中未找到 / column 商品名称: ")


def test_a_cell_that_cannot_be_read_is_told_also_where_each_row_is_an_event(folder: Path) -> None:
    def by_row(text: str) -> str:
        head, _, rows = (
            text.replace('document = "{订单编号}"', "").replace("order-{订单编号}", "{行号}").partition("[data.lines")
        )
        return f"{head}{rows.partition(chr(10))[2]}"

    lines = made(folder, "orders", edited("orders", (3, "20箱", "20桶")), by_row)
    assert list(events(lines)) == [2, 4]
    assert told(lines)[3][1].startswith("列 采购数量：单位 “桶” 不在 units 中 / ")


def test_the_command_leaves_out_what_is_refused_and_goes_on_with_the_rest(folder: Path) -> None:
    made(folder, "orders")
    (folder / "orders.csv").write_bytes(edited("orders", (3, "20箱", "20桶")))
    given = ["publish", "--csv", str(folder / "orders.csv"), "--map", str(folder / "orders.toml")]
    done = CliRunner().invoke(cli.assemble("publish"), [*given, "--out", "-", "--skip-bad"])
    assert done.exit_code == 0, done.output
    assert [msgspec.json.decode(line)["id"] for line in done.stdout_bytes.splitlines()] == ["order-CG20260821000031"]
    assert "line 3: bad_code: 列 采购数量：单位 “桶” 不在 units 中 / column 采购数量: the unit" in done.stderr
    assert "1 events written, 1 bad lines left out." in done.stderr
    assert CliRunner().invoke(cli.assemble("publish"), [*given, "--dry-run"]).exit_code == 1


def test_there_is_an_example_of_whatever_a_platform_exports(folder: Path) -> None:
    for name in NAMES:
        made(folder, name)
    types = {exports.read_map(folder / f"{name}.toml").event["type"] for name in NAMES}
    assert {KINDS[type].family for type in types} == {"purchases", "agency"}
    assert len(types) == len(NAMES)
