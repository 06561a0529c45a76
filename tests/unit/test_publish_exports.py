"""An export becomes events by its map: row by row, to the fen, with ids of 30 digits as they are."""

import hashlib
import hmac
import io
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from medfund import cli
from medfund.publish import cells, drafts, exports
from medfund.publish.forms import CannotRead

NOW_MS = 1_796_000_000_000
KEY = "a key of 32 bytes, made for a test"
HEAD = (
    "setl_id,mdtrt_id,fixmedins_code,insutype,med_type,setl_time,medfee_sumamt,hifp_pay,hifmi_pay,hifes_pay,maf_pay,"
    "acct_pay,acct_mulaid_pay,hosp_part_amt,oth_pay,psn_cash_pay,备注"
)
ROW = (
    "152500202503041015300001234567,7,H15250200017,390,21,2025-03-04 10:15:30,8654.21,6852.8,281.55,0,621.39,"
    "100,,0.000,,798.47,门诊"
)
MAP = """
type = "settlement.recorded.v1"
source = "/gateway/152500"
id = "{setl_id}"
time = { time = "setl_time" }
key_file = "key"
ENCODING

[data]
settlement_ref = { hash = "{setl_id}" }
area = "152500"
insured_area = "152500"
provider = "{fixmedins_code}"
insutype = "{insutype}"
med_type = "{med_type}"
clr_type = { code = "med_type", is = { 14 = "99", 21 = "21" } }
clr_way = "3"
service_date = { day = "setl_time" }
benefit_year = { year = "setl_time" }
total = { yuan = "medfee_sumamt" }
personal_account = { yuan = "acct_pay" }
family_account = { yuan = "acct_mulaid_pay" }
hospital_share = { yuan = "hosp_part_amt" }
other = { yuan = "oth_pay" }
cash = { yuan = "psn_cash_pay" }
advanced = []

[data.funds]
amounts = { pooled = "hifp_pay", 390200 = "hifmi_pay", 370100 = "hifes_pay", 610100 = "maf_pay" }
where = { pooled = { code = "insutype", is = { 310 = "310100", 390 = "390100", 391 = "390100" } } }
"""

MAP_OF_EMPLOYEES = MAP.replace('insutype = "{insutype}"', 'insutype = "390"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY + "\n")
    return tmp_path


def the_map(folder: Path, encoding: str = "", text: str = MAP) -> exports.Map:
    path = folder / "map.toml"
    path.write_text(text.replace("ENCODING", f'encoding = "{encoding}"' if encoding else ""), encoding="utf-8")
    return exports.read_map(path)


def converted(folder: Path, content: bytes, encoding: str = "", text: str = MAP) -> list[bytes]:
    made = b"".join(exports.lines(io.BytesIO(content), the_map(folder, encoding, text)))
    return made.split(b"\n")[:-1]


def csv_of(*rows: str, head: str = HEAD) -> str:
    return "\r\n".join((head, *rows)) + "\r\n"


EVENT = {
    "specversion": "1.0",
    "type": "settlement.recorded.v1",
    "source": "/gateway/152500",
    "id": "152500202503041015300001234567",
    "time": "2025-03-04T10:15:30+08:00",
    "data": {
        "settlement_ref": hmac.new(KEY.encode(), b"152500202503041015300001234567", hashlib.sha256).hexdigest()[:32],
        "area": "152500", "insured_area": "152500", "provider": "H15250200017", "insutype": "390", "med_type": "21",
        "clr_type": "21", "clr_way": "3", "service_date": "2025-03-04", "benefit_year": 2025, "total": "8654.21",
        "personal_account": "100.00", "family_account": "0.00", "hospital_share": "0.00", "other": "0.00",
        "cash": "798.47", "advanced": [], "funds": {"390100": "6852.80", "390200": "281.55", "610100": "621.39"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-8-sig", "gbk"),
        ("gbk", "gbk"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
    ],
)
def test_a_row_is_the_event_that_its_map_says(folder: Path, written: str, said: str) -> None:
    blank, line = converted(folder, csv_of(ROW).encode(written), said)
    assert blank == b""
    assert msgspec.json.decode(line) == EVENT
    assert drafts.check(line, now_ms=NOW_MS) is None


@pytest.mark.parametrize("quoted", ['"{}"', "'{}", '"=""{}"""', "\u3000{}  ", '"\t{}"'])
def test_an_id_of_30_digits_stays_as_it_is_however_a_spreadsheet_is_kept_from_it(folder: Path, quoted: str) -> None:
    id, rest = ROW.split(",", 1)
    [_, line] = converted(folder, csv_of(f"{quoted.format(id)},{rest}").encode())
    assert msgspec.json.decode(line) == EVENT


@pytest.mark.parametrize("length", [16, 64, 65, 200])
def test_a_reference_is_the_keyed_hash_that_everybody_makes(folder: Path, length: int) -> None:
    (folder / "key").write_bytes(b"k" * length)
    [_, line] = converted(folder, csv_of(ROW).encode())
    expected = hmac.new(b"k" * length, ROW[:30].encode(), hashlib.sha256).hexdigest()[:32]
    assert msgspec.json.decode(line)["data"]["settlement_ref"] == expected


def test_a_line_has_the_number_of_its_row(folder: Path) -> None:
    over_two = ROW.removesuffix("门诊") + '"over\ntwo"'
    made = converted(folder, csv_of(ROW, "", over_two, ROW, ",".join([""] * 17), ROW).encode())
    assert [number for number, line in enumerate(made, 1) if line] == [2, 5, 6, 8]


def test_a_file_of_any_length_is_read_whole(folder: Path) -> None:
    for rows in (0, 1, 2_000):
        quoted = ROW.replace("H15250200017", '"H15250200017"')
        made = converted(folder, csv_of(*([ROW, quoted] * rows)).encode())
        assert [msgspec.json.decode(line) for line in made[1:]] == [EVENT, EVENT] * rows


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("8654.2", "8654.20"), ("8654", "8654.00"), ("8654.", "8654.00"), ("8654.2000", "8654.20"), ("", "0.00"),
        ("0", "0.00"), ("-0.00", "0.00"), ("-5", "-5.00"), ("1,234,567.89", "1234567.89"), ("007.10", "7.10"),
        ("12,34", "12,34"), ("1,2345.00", "1,2345.00"), ("１，２３４．５０", "1234.50"), ("８.21", "8.21"),
        ("8654.211", "8654.211"), ("1E+3", "1E+3"), ("￥5", "￥5"), (".5", ".5"),
        ("99999999999999.99", "99999999999999.99"),
    ],
)  # fmt: skip
def test_an_amount_keeps_every_digit(text: str, yuan: str) -> None:
    assert cells.amount(text) == yuan


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-03-04 10:15:30", "2025-03-04T10:15:30+08:00"), ("2025/3/4 9:05", "2025-03-04T09:05:00+08:00"),
        ("20250304101530", "2025-03-04T10:15:30+08:00"), ("2025-03-04", "2025-03-04T00:00:00+08:00"),
        ("2025年3月4日", "2025-03-04T00:00:00+08:00"), ("2025-03-04T10:15:30.120", "2025-03-04T10:15:30+08:00"),
        ("2025.3.4", "2025-03-04T00:00:00+08:00"), ("２０２５－０３－０４", "2025-03-04T00:00:00+08:00"),
        ("2025111", "2025111"), ("202534", "202534"),
        ("2025-03-04T10:15:30Z", "2025-03-04T10:15:30Z"), ("yesterday", "yesterday"), ("", ""),
    ],
)  # fmt: skip
def test_a_time_is_one_of_the_clocks_of_shanghai(text: str, time: str) -> None:
    assert msgspec.json.decode(cells.time(text)) == time


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (csv_of(ROW).encode("gbk"), 'the file is not utf-8 (say encoding = "gb18030" in the map)'),
        (
            csv_of(ROW, head=HEAD.replace("maf_pay", "maf")).encode(),
            "the column maf_pay is missing; the file has setl_id",
        ),
        (csv_of(ROW, head=HEAD.replace("hifmi_pay", "maf_pay")).encode(), "the column hifmi_pay is missing"),
        (csv_of(ROW, ROW + ",1").encode(), "line 3: 18 cells under 17 heads"),
        (csv_of("1.525E+29" + ROW[30:]).encode(), "line 2: 1.525E+29 is a number that a spreadsheet has rounded"),
        (csv_of('"' + ROW).encode(), "the file is no CSV"),
        (b"PK\x03\x04 and so on", "the file is a workbook: save it as CSV"),
        (b"", "the column setl_id is missing; the file has no heads"),
    ],
)
def test_a_file_that_is_not_as_its_map_says_is_refused_in_words(folder: Path, content: bytes, why: str) -> None:
    with pytest.raises(CannotRead) as refused:
        converted(folder, content)
    assert str(refused.value).startswith(why)


def test_a_file_in_another_encoding_than_its_map_says_is_asked_after(folder: Path) -> None:
    with pytest.raises(CannotRead, match=r"the file is not gb18030 \(is it UTF-8, or a workbook\?\)"):
        converted(folder, csv_of(ROW).encode() + b"\xff", "gb18030")


def test_every_row_that_a_spreadsheet_has_rounded_is_told_up_to_twenty(folder: Path) -> None:
    for rows, told in ((3, 3), (700, 20)):
        with pytest.raises(CannotRead) as refused:
            converted(folder, csv_of(*([ROW, "1.525E+29" + ROW[30:]] * rows)).encode())
        lines = str(refused.value).splitlines()
        assert [line.split(":")[0] for line in lines] == [f"line {3 + 2 * number}" for number in range(told)]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('id = "{setl_id}"\n', "", "the map map.toml: id is missing"),
        ('key_file = "key"', "", "the map: a hash needs key_file, the file of your key"),
        ('key_file = "key"', 'key_file = "none"', "the map map.toml: [Errno 2]"),
        ('key_file = "key"', 'key_file = "key"\nkolumns = 1', "the map map.toml: kolumns is not known"),
        ("ENCODING", 'encoding = "gbk2312"', "the map map.toml: unknown encoding: gbk2312"),
        ("[data]", "[data", "the map map.toml: "),
        ("[data]", 'only = { "备注" = 0 }\n\n[data]', "the map map.toml: Expected `str`, got `int`"),
        ("[data]", 'only = { flag = "0" }\n\n[data]', "the column flag is missing; the file has setl_id"),
        ("[data.funds]", '[data.funds]\n310200 = "acct_pay"', "the map: 310200 is not known beside amounts, where"),
        ("where = { pooled", "wo = { pooled", "the map: wo is not known beside amounts, where"),
        ("where = { pooled", "where = { pool", "the map: pool is not known beside pooled, 390200, 370100, 610100"),
        ('{ yuan = "oth_pay" }', '{ less = "acct_pay", yuan = "oth_pay" }', "the map: less is not known beside yuan"),
        ('{ yuan = "medfee_sumamt" }', "{ yuan = 7 }", "the map: a value is not written as this form wants it: "),
        ('{ pooled = "hifp_pay", ', '"hifp_pay" # ', "the map: a value is not written as this form wants it: "),
    ],
)
def test_a_map_that_cannot_be_used_says_why(folder: Path, old: str, new: str, why: str) -> None:
    with pytest.raises(CannotRead) as refused:
        converted(folder, csv_of(ROW).encode(), text=MAP.replace(old, new))
    assert str(refused.value).startswith(why)


def test_the_command_shows_what_it_would_send_and_names_bad_rows(folder: Path) -> None:
    the_map(folder, "gb18030")
    bad = ROW.replace("798.47", "798.48").replace("1234567", "1234568")
    for name, rows, exit_code in (("good.csv", [ROW], 0), ("bad.csv", [ROW, bad], 1)):
        (folder / name).write_bytes(csv_of(*rows).encode("gb18030"))
        done = CliRunner().invoke(
            cli.assemble("publish"),
            ["publish", "--csv", str(folder / name), "--map", str(folder / "map.toml"), "--dry-run"],
        )
        assert done.exit_code == exit_code, done.output
        assert '"provider":"H15250200017"' in done.output
        assert ("line 3: identity_mismatch" in done.output) == (name == "bad.csv")
        assert ("Whether their sources and providers are registered is not known here" in done.output) == (
            not exit_code
        )


def test_a_code_that_the_map_does_not_list_is_refused_with_its_row(folder: Path) -> None:
    """51 is one thing as a medical category and another as a clearing type: it must not pass for it."""
    other = ROW.replace("1234567", "1234568").replace(",21,", ",51,", 1)
    (folder / "rows.csv").write_text(csv_of(ROW, other), encoding="utf-8")
    the_map(folder)
    given = ["publish", "--csv", str(folder / "rows.csv"), "--map", str(folder / "map.toml"), "--dry-run"]
    done = CliRunner().invoke(cli.assemble("publish"), given)
    assert done.exit_code == 1
    assert "line 3: bad_code: $.clr_type: 'column med_type has 51, which `is` does not list" in done.output


def test_a_cell_without_a_fund_is_named_with_its_column(folder: Path) -> None:
    for cell in ("392", "x" * 30):
        [_, line] = converted(folder, csv_of(ROW.replace(",390,", f",{cell},")).encode(), text=MAP_OF_EMPLOYEES)
        found = drafts.check(line, now_ms=NOW_MS)
        assert found is not None
        assert found.reason == "unknown_fund"
        assert f"column insutype has {cell[:20]}, which `is` does not li" in found.detail


def test_what_is_said_a_second_time_has_an_id_of_its_own(folder: Path) -> None:
    [_, line] = converted(folder, csv_of(ROW).encode(), text=MAP.replace('id = "{setl_id}"', 'id = "{setl_id}-2"'))
    assert msgspec.json.decode(line) == EVENT | {"id": "152500202503041015300001234567-2"}


def test_only_the_rows_that_a_map_wants_become_events_and_the_others_are_counted(folder: Path) -> None:
    """Settlements and reversals of one export, and the sum under them; a row without its id is no row to leave out."""
    reversal, other = ROW.replace("门诊", "退费"), ROW.replace("H15250200017", "H15250200018")
    total = "合计" + "," * 16
    text = MAP.replace("[data]", '[only]\n"备注" = "门诊"\nfixmedins_code = "H15250200017"\n\n[data]')
    told = list[int]()
    for rows, kept in (([reversal, ROW, other, "", total, ROW[30:], total], [3, 7]), ([total] * 2_000, [])):
        given = io.BytesIO(csv_of(*rows).encode())
        made = b"".join(exports.lines(given, the_map(folder, text=text), told.append)).split(b"\n")
        assert [number for number, line in enumerate(made, 1) if line] == kept
    assert told == [4, 2_000]
    nameless = converted(folder, csv_of(ROW[30:]).encode(), text=text)[1]
    assert drafts.check(nameless, now_ms=NOW_MS) is not None


def published(folder: Path, *options: str) -> Result:
    given = ["publish", "--csv", str(folder / "rows.csv"), "--map", str(folder / "map.toml"), *options]
    return CliRunner().invoke(cli.assemble("publish"), given)


def test_an_export_is_written_as_the_lines_that_would_be_sent(folder: Path) -> None:
    the_map(folder)
    bad = ROW.replace("798.47", "798.48")
    (folder / "rows.csv").write_text(csv_of(ROW, "", bad, ROW.replace("1234567,7", "1234568,7")), encoding="utf-8")
    made = [line + b"\n" for line in converted(folder, csv_of(ROW, ROW.replace("1234567,7", "1234568,7")).encode())[1:]]
    out = folder / "events.jsonl"
    assert published(folder, "--out", str(out)).exit_code == 1
    assert not out.exists()
    to_file, to_pipe = (published(folder, "--out", where, "--skip-bad") for where in (str(out), "-"))
    assert to_file.exit_code == to_pipe.exit_code == 0
    assert out.read_bytes() == to_pipe.stdout_bytes == b"".join(made)
    assert "2 events written, 1 bad lines left out. Nothing was sent." in to_pipe.stderr


@pytest.mark.parametrize("options", [["--dry-run"], ["--send-bad"], []], ids=" ".join)
def test_what_is_read_is_not_written_over_and_what_is_written_is_sound(folder: Path, options: list[str]) -> None:
    the_map(folder)
    (folder / "rows.csv").write_text(csv_of(ROW), encoding="utf-8")
    out = folder / ("x.jsonl" if options else "rows.csv")
    assert published(folder, "--out", str(out), *options).exit_code == 2
    assert (folder / "rows.csv").read_text(encoding="utf-8") == csv_of(ROW).replace("\r\n", "\n")
    assert not (folder / "x.jsonl").exists()
