"""Files in a bank's own form: the same messages in and out, and nothing in them that a spreadsheet would run."""

import io
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medfund.bankfiles import templates
from medfund.bankfiles.messages import (
    Account,
    Counterparty,
    Detail,
    Entries,
    Entry,
    Notification,
    Report,
    Statement,
    Status,
    Transfer,
    Transfers,
)
from medfund.bankfiles.refusals import BadFile, Code
from medfund.bankfiles.templates import Answer, Template
from medfund.calendar import SHANGHAI
from tests import bank_messages as made

pytestmark = pytest.mark.timeout(60)

EXAMPLE = templates.load(templates.EXAMPLE)
FORMS = {
    "example": EXAMPLE,
    "UTF-8 with its mark": msgspec.structs.replace(EXAMPLE, encoding="utf-8-sig", separator="|", line_end="\n"),
    "UTF-8": msgspec.structs.replace(EXAMPLE, encoding="utf-8", day="%Y-%m-%d", moment="%Y-%m-%d %H:%M:%S"),
}
RETURNED = Detail(7, "P0", "AC04", "已销户", files=("MF1",))
PAID = Answer(
    Report("B1", made.CREATED, "MF1", "PART", statuses=(Status("P1", True), Status("P3", False, "AC01", "账号不存在"))),
    Notification(
        "B1",
        made.CREATED,
        made.FUND.number,
        Entries(
            [
                Entry("1", "OUT", 100, made.DAY, made.DAY, details=(Detail(100, "P1", files=("MF1",)),)),
                Entry("2", "IN", 7, made.DAY, made.DAY, details=(RETURNED,)),
            ]
        ),
    ),
)
BOOKED = Statement(
    message_id="B3",
    created=made.CREATED,
    account=made.FUND.number,
    day=made.DAY,
    opening=-5,
    closing=-105,
    entries=Entries(
        [
            Entry(
                bank_txn="1",
                direction="OUT",
                amount=100,
                booked_on=made.DAY,
                value_date=made.DAY,
                text="付款",
                details=(
                    Detail(
                        100, "P1", counterparty=Counterparty("1", "医院,甲", ""), remittance='"医保"', files=("MF1",)
                    ),
                ),
            ),
        ]
    ),
)


def payments(message: Transfers, template: Template = EXAMPLE) -> bytes:
    into = io.BytesIO()
    templates.write_transfers(template, message, into)
    return into.getvalue()


def answer(message: Answer, template: Template = EXAMPLE) -> bytes:
    into = io.BytesIO()
    templates.write_answer(template, message, made.FUND.number, into)
    return into.getvalue()


def statement(message: Statement, template: Template = EXAMPLE) -> bytes:
    into = io.BytesIO()
    templates.write_statement(template, message, into)
    return into.getvalue()


def test_the_payment_file_looks_as_the_bank_wants_it() -> None:
    assert payments(made.TRANSFERS).decode("gb18030").split("\r\n") == [
        "批次号,制单时间,付款账号,付款户名,付款行行号,付款日期,总笔数,总金额",
        "MF20260227001,20260227090000,15001686636050001234,锡林郭勒盟医疗保障基金,105201000017,20260227,2,2301110.59",
        "业务编号,收款账号,收款户名,收款行行号,金额,附言,备注",
        "H15250200017-310-21-202601/P1,0608020109200011111,锡林郭勒盟中心医院,102201000010,2301110.54,医保结算 202601,",
        "P15250200044-310-41-202601/P1,6222021202000123456,国药控股 <内蒙古> & 子公司,103201000018,0.05,,",
        "",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_reads_what_it_writes(form: str) -> None:
    template = FORMS[form]
    assert templates.read_transfers(template, payments(made.TRANSFERS, template)) == made.TRANSFERS
    assert templates.read_answer(template, answer(PAID, template)) == PAID
    assert templates.read_statement(template, statement(BOOKED, template)) == BOOKED


def test_the_mark_is_written_once_and_many_lines_are_one_file() -> None:
    many = tuple(Transfer(f"P{number}", 1, made.HOSPITAL) for number in range(2_500))
    message = Transfers("MF1", made.CREATED, made.FUND, made.DAY, many)
    data = payments(message, FORMS["UTF-8 with its mark"])
    assert (data[:3], data.count(b"\xef\xbb\xbf")) == (b"\xef\xbb\xbf", 1)
    assert templates.read_transfers(FORMS["UTF-8 with its mark"], data) == message


def inert(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return made.texts(most, least).filter(lambda text: text[:1] not in tuple("=+-@＝＋－＠"))


names = inert(35, 1)
moments = st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1), timezones=st.just(SHANGHAI)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
days = st.dates(date(1000, 1, 1), date(9999, 12, 31))
accounts = st.builds(Account, made.numbers, inert(140, 1), st.from_regex(r"[0-9]{12}", fullmatch=True))


@st.composite
def transfers(draw: st.DrawFn) -> Transfers:
    found = tuple(
        Transfer(name, draw(made.amounts), draw(accounts), draw(inert(140)))
        for name in draw(st.lists(names, unique=True, min_size=1, max_size=4))
    )
    return Transfers(draw(names), draw(moments), draw(accounts), draw(days), found)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    entries = []
    for name in draw(st.lists(names, unique=True, max_size=4)):
        amount, code = draw(made.amounts), draw(st.none() | made.codes)
        other = draw(st.none() | st.builds(Counterparty, made.numbers, inert(140), inert(35)))
        reason = draw(st.none() | inert(105, 1)) if code else None
        files = tuple(draw(st.lists(names, max_size=1)))
        detail = Detail(amount, draw(st.none() | names), code, reason, other, draw(inert(140)), files)
        way = draw(st.sampled_from(("OUT", "IN")))
        entries.append(Entry(name, way, amount, draw(days), draw(days), draw(inert(200)), (detail,)))
    opening = draw(st.integers(-(10**14), 10**14))
    closing = opening + sum(entry.signed for entry in entries)
    return Statement(draw(names), draw(moments), draw(made.numbers), draw(days), opening, closing, Entries(entries))


@given(transfers(), st.sampled_from(tuple(FORMS)))
@settings(max_examples=150)
def test_any_payment_file_survives(message: Transfers, form: str) -> None:
    data = payments(message, FORMS[form])
    assert templates.read_transfers(FORMS[form], data) == message
    assert payments(message, FORMS[form]) == data


@given(statements(), st.sampled_from(tuple(FORMS)))
@settings(max_examples=150)
def test_any_statement_survives(message: Statement, form: str) -> None:
    assert templates.read_statement(FORMS[form], statement(message, FORMS[form])) == message


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠1", "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_run_is_neither_written_nor_read(cell: str) -> None:
    for transfer in (
        Transfer(cell, 1, made.HOSPITAL),
        Transfer("P1", 1, Account("1", cell, "102201000010")),
        Transfer("P1", 1, made.HOSPITAL, cell),
    ):
        message = Transfers("MF1", made.CREATED, made.FUND, made.DAY, (transfer,))
        with pytest.raises(BadFile) as refused:
            payments(message)
        assert refused.value.code == Code.UNSAFE_TEXT
    data = changed(payments(made.TRANSFERS), "锡林郭勒盟中心医院", cell)
    assert refusal("payments", data).code == Code.UNSAFE_TEXT


def changed(data: bytes, old: str, new: str) -> bytes:
    assert old.encode("gb18030") in data
    return data.replace(old.encode("gb18030"), new.encode("gb18030"), 1)


@dataclass
class Case:
    kind: str
    old: str
    new: str
    code: Code


CASES = {
    "a wrong sum": Case("payments", "2301110.59", "2301110.60", Code.WRONG_SUM),
    "a wrong count": Case("payments", ",2,2301110.59", ",3,2301110.59", Code.WRONG_COUNT),
    "half a fen": Case("payments", ",0.05,", ",0.005,", Code.BAD_AMOUNT),
    "1e5": Case("payments", ",0.05,", ",1e5,", Code.BAD_AMOUNT),
    "thousands": Case("payments", "2301110.54", '"2,301,110.54"', Code.BAD_AMOUNT),
    "full-width digits": Case("payments", ",0.05,", ",０.０５,", Code.BAD_AMOUNT),
    "a negative amount": Case("payments", ",0.05,", ",-0.05,", Code.BAD_AMOUNT),
    "nothing": Case("payments", ",0.05,", ",0.00,", Code.BAD_AMOUNT),
    "a payment twice": Case("payments", "P15250200044-310-41", "H15250200017-310-21", Code.REPEATED),
    "another heading": Case("payments", "收款账号", "付款账号", Code.SCHEMA),
    "columns the other way round": Case("payments", "收款账号,收款户名", "收款户名,收款账号", Code.SCHEMA),
    "a cell too many": Case("payments", "0.05,,", "0.05,,,", Code.SCHEMA),
    "a quote that does not end": Case("payments", "医保结算", '"医保结算', Code.SCHEMA),
    "a NUL": Case("payments", "医保结算", "医\x00保", Code.BAD_TEXT),
    "a line break in a cell": Case("payments", "医保结算 202601", '"医保\n结算"', Code.BAD_TEXT),
    "another day's form": Case("payments", "20260227,2", "2026-2-27,2", Code.BAD_DATE),
    "a day that is none": Case("payments", "20260227,2", "20260230,2", Code.BAD_DATE),
    "a day that is read by half": Case("payments", "20260227,2", "2026227,2", Code.BAD_DATE),
    "an account that is none": Case("payments", "6222021202000123456", "6.22E+18", Code.BAD_ACCOUNT),
    "a word that was not agreed": Case("answers", "成功", "处理中", Code.UNKNOWN_CODE),
    "a return without a code": Case("answers", "AC04", "", Code.CONTRADICTION),
    "a settled payment with a code": Case(
        "answers", "20260227,20260227,,", "20260227,20260227,AC04,", Code.CONTRADICTION
    ),
    "another balance": Case("statements", "-1.05", "-1.06", Code.WRONG_SUM),
    "another direction": Case("statements", ",借,", ",贷,", Code.WRONG_SUM),
    "a direction that is none": Case("statements", ",借,", ",D,", Code.UNKNOWN_CODE),
}
GOOD = {"payments": payments(made.TRANSFERS), "answers": answer(PAID), "statements": statement(BOOKED)}
READ: dict[str, Any] = {
    "payments": templates.read_transfers,
    "answers": templates.read_answer,
    "statements": templates.read_statement,
}


def refusal(kind: str, data: bytes) -> BadFile:
    with pytest.raises(BadFile) as refused:
        READ[kind](EXAMPLE, data)
    return refused.value


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_with_a_file_has_its_code(name: str) -> None:
    case = CASES[name]
    refused = refusal(case.kind, changed(GOOD[case.kind], case.old, case.new))
    assert refused.code == case.code, refused.detail


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_that_ends_too_soon_is_refused_wherever_it_ends(kind: str) -> None:
    for end in range(len(GOOD[kind]) - 1):
        refusal(kind, GOOD[kind][:end])
    codes = {refusal(kind, GOOD[kind][:end]).code for end in (0, len(GOOD[kind]) - 2)}
    assert codes == {Code.TRUNCATED}


def test_a_file_in_another_encoding_is_refused() -> None:
    utf8 = GOOD["payments"].decode("gb18030").encode()
    assert refusal("payments", utf8).code in (Code.WRONG_ENCODING, Code.SCHEMA)
    with pytest.raises(BadFile, match="WRONG_ENCODING"):
        templates.read_transfers(FORMS["UTF-8"], GOOD["payments"])


def test_a_name_that_the_banks_encoding_lacks_is_refused() -> None:
    rare = Transfers(
        "MF1", made.CREATED, made.FUND, made.DAY, (Transfer("P1", 1, Account("1", "𠮷野", "102201000010")),)
    )
    assert templates.read_transfers(EXAMPLE, payments(rare)) == rare
    with pytest.raises(BadFile, match="cannot be written in gbk"):
        payments(rare, msgspec.structs.replace(EXAMPLE, encoding="gbk"))


def test_a_line_without_end_is_too_large() -> None:
    assert refusal("payments", b"1" * 20_000_000).code == Code.TOO_LARGE


def test_an_entry_of_several_payments_is_not_written_as_one() -> None:
    several = Entry("1", "OUT", 3, made.DAY, made.DAY, details=(Detail(1), Detail(2)))
    with pytest.raises(BadFile, match="UNSUPPORTED"):
        statement(Statement("B", made.CREATED, "1", made.DAY, 3, 0, Entries([several])))


@given(st.sampled_from(tuple(GOOD)), st.data())
@settings(max_examples=500)
def test_whatever_the_bytes_there_is_a_message_or_a_refusal(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        start, length = data.draw(st.integers(0, len(damaged))), data.draw(st.integers(0, 20))
        damaged[start : start + length] = data.draw(
            st.binary(max_size=12) | st.sampled_from((b'"', b",", b"\r\n", b"\r"))
        )
    try:
        READ[kind](EXAMPLE, bytes(damaged))
    except BadFile:
        return


BROKEN = {
    "no TOML": ("name =", "name"),
    "an unknown encoding": ('"gb18030"', '"utf-7"'),
    "a column that is missing": ('"金额" = "amount"', '"金额" = ""'),
    "a column that nothing is": ('"备注" = ""', '"备注" = "note"'),
    "a column twice": ('"备注" = ""', '"备注" = "amount"'),
    "two words for one thing": ('"失败" = "rejected"', '"失败" = "returned"'),
    "something else": ("[outcomes]", 'colour = "red"\n[outcomes]'),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_template_that_cannot_be_used_does_not_load(case: str, tmp_path: Path) -> None:
    old, new = BROKEN[case]
    text = templates.EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "bank.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(templates.BadTemplate, match=r"bank\.toml"):
        templates.load(tmp_path / "bank.toml")
