"""A fully digital invoice becomes rows under the names of its format; what is none is told, and the rest goes on."""

import csv
import io
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from medfund import cli
from medfund.publish import drafts, einvoices, exports
from medfund.publish.einvoices import NoInvoice

NOW_MS = 1_796_000_000_000
MAPS = Path(__file__).parents[2] / "docs/maps"
BLUE, RED = "26372000000012345678", "26372000000012399001"
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<EInvoice><Header><EIid>{number}</EIid><InherentLabel><InIssuType><LabelCode>{blue}</LabelCode>
<LabelName>是否蓝字发票标志</LabelName></InIssuType></InherentLabel></Header><EInvoiceData>
<SellerInformation><SellerIdNum>91370000MA0000001T</SellerIdNum><SellerName>示例医药有限公司</SellerName></SellerInformation>
<BuyerInformation><BuyerIdNum>12371000MB0000003L</BuyerIdNum><BuyerName>锡林郭勒盟示例医院</BuyerName></BuyerInformation>
<BasicInformation><TotalAmWithoutTax>{net}</TotalAmWithoutTax><TotalTaxAm>{tax}</TotalTaxAm>
<TotalTax-includedAmount>{total}</TotalTax-includedAmount><Drawer>某某</Drawer></BasicInformation>{items}
<AdditionalInformation><Remark>{remark}</Remark></AdditionalInformation></EInvoiceData>
<TaxSupervisionInfo><InvoiceNumber>{number}</InvoiceNumber><IssueTime>2026-09-08 10:11:12</IssueTime>
</TaxSupervisionInfo></EInvoice>"""
ITEM = (
    "<IssuItemInformation><ItemName>*化学药品制剂*{name}</ItemName><SpecMod>0.5g×30</SpecMod><MeaUnits>盒</MeaUnits>"
    "<Quantity>{quantity}</Quantity><UnPrice>10.9203539823009</UnPrice><Amount>{net}</Amount><TaxRate>0.13</TaxRate>"
    "<ComTaxAm>{tax}</ComTaxAm></IssuItemInformation>"
)
TWO = ITEM.format(name="二甲双胍缓释片", quantity=5000, net="54601.77", tax="7098.23") + ITEM.format(
    name="二甲双胍缓释片", quantity=4480, net="48923.19", tax="6360.01"
)
A_BLUE = {"number": BLUE, "blue": "Y", "net": "103524.96", "tax": "13458.24", "total": "116983.20", "items": TWO,
          "remark": "订单编号：CG20260820000417"}  # fmt: skip
A_RED = {"number": RED, "blue": "N", "net": "-1092.04", "tax": "-141.96", "total": "-1234.00",
         "items": ITEM.format(name="二甲双胍缓释片", quantity=-100, net="-1092.04", tax="-141.96"),
         "remark": f"被红冲蓝字数电票号码：{BLUE} 红字发票信息确认单编号：37100026091000000017"}  # fmt: skip


def written(folder: Path, name: str, **changed: Any) -> Path:
    path = folder / name
    path.write_text(HEAD.format(**{**A_BLUE, **changed}), encoding="utf-8")
    return path


def run(*given: Path | str) -> Result:
    return CliRunner().invoke(cli.assemble("einvoices"), ["einvoices", *map(str, given)])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def events(content: str, name: str) -> list[dict[str, Any]]:
    judged = partial(drafts.check, now_ms=NOW_MS)
    made = exports.lines(io.BytesIO(content.encode()), exports.read_map(MAPS / f"{name}.toml"), check=judged)
    return [msgspec.json.decode(line) for line in b"".join(made).splitlines() if line]


def test_an_invoice_is_a_row_of_each_item_under_the_names_of_its_format(tmp_path: Path) -> None:
    done = run(written(tmp_path, "a.xml"))
    assert done.exit_code == 0, done.output
    first, second = rows(done.stdout)
    assert (first["EIid"], first["Red"], first["Item"], second["Item"]) == (f'="{BLUE}"', "N", "1", "2")
    assert (first["Quantity"], first["Amount"], second["ComTaxAm"]) == ("5000", "54601.77", "6360.01")
    assert "某某" not in done.stdout


def test_a_red_letter_says_all_that_its_event_needs(tmp_path: Path) -> None:
    done = run(written(tmp_path, "a.xml"), written(tmp_path, "b.xml", **A_RED))
    [event] = events(done.stdout, "einvoices_red")
    assert event["id"] == f"red-{RED}"
    assert event["data"] == {
        "provider": "H15250200017", "area": "152500", "supplier": "91370000MA0000001T", "invoice": RED, "blue": BLUE,
        "issued_on": "2026-09-08", "amount": "1234.00", "tax": "141.96", "reason": "红冲",
    }  # fmt: skip


def test_with_the_lines_of_its_order_beside_it_an_invoice_is_registered(tmp_path: Path) -> None:
    head, *items = run(written(tmp_path, "a.xml")).stdout.splitlines()
    order = "CG20260820000417,1,XA10BBA012A001010100483,12.34"
    [event] = events(
        "\n".join([f"{head},订单编号,行号,医保药品编码,含税单价", *(f"{item},{order}" for item in items), ""]),
        "einvoices",
    )
    assert (event["data"]["invoice"], event["data"]["amount"]) == (BLUE, "116983.20")
    assert [(line["quantity"], line["amount"]) for line in event["data"]["lines"]] == [
        (5000, "61700.00"), (4480, "55283.20"),
    ]  # fmt: skip


def test_what_is_no_invoice_is_told_with_its_file_and_the_rest_goes_on(tmp_path: Path) -> None:
    written(tmp_path, "1.xml")
    written(tmp_path, "2.xml")
    (tmp_path / "3.xml").write_text("<Invoice/>", encoding="utf-8")
    written(tmp_path, "4.xml", **A_RED)
    out = tmp_path / "rows.csv"
    done = run(tmp_path, "--out", out)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "2.xml: 与 1.xml 是同一张发票 / the same invoice as 1.xml",
        "3.xml: 根元素不是 EInvoice / its root is not EInvoice",
        "2 invoices written, 2 files left out.",
    ]
    told = msgspec.json.decode(run(tmp_path, "--out", out, "--json").stderr)
    assert told["written"] == 2
    assert told["left_out"] == {
        "2.xml": "与 1.xml 是同一张发票 / the same invoice as 1.xml",
        "3.xml": "根元素不是 EInvoice / its root is not EInvoice",
    }
    assert [row["File"] for row in rows(out.read_text(encoding="utf-8-sig"))] == ["1.xml", "1.xml", "4.xml"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<EInvoice>", '<!DOCTYPE EInvoice [<!ENTITY x "y">]><EInvoice>', "the file declares a document type"),
        ("</EInvoice>", "", "not well-formed XML"),
        (f"<EIid>{BLUE}</EIid>", "<EIid>2637</EIid>", "EIid is not 20 digits"),
        (f"<EIid>{BLUE}</EIid>", f"<EIid>{RED}</EIid>", "InvoiceNumber is not EIid"),
        (f"<EIid>{BLUE}</EIid>", f"<EIid>{BLUE}</EIid><EIid>{BLUE}</EIid>", "Header/EIid is there 2 times"),
        ("<TotalTaxAm>13458.24</TotalTaxAm>", "", "TotalTaxAm is missing"),
        (TWO, "", "it has no items"),
        ("<LabelCode>Y<", "<LabelCode>N<", "its sign is not that of a blue invoice or a red letter as it says"),
        ("116983.20", "-116983.20", "its sign is not that of"),
    ],
)
def test_a_file_that_is_no_invoice_says_why(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = written(tmp_path, "a.xml")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(NoInvoice) as told:
        einvoices.read(path)
    assert f" / {why}" in str(told.value)


def test_no_file_is_read_beside_the_invoice_and_none_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    path = written(tmp_path, "a.xml", remark="&x;")
    entity = f'<!DOCTYPE EInvoice [<!ENTITY x SYSTEM "{tmp_path}/secret">]><EInvoice>'
    path.write_text(path.read_text(encoding="utf-8").replace("<EInvoice>", entity), encoding="utf-8")
    with pytest.raises(NoInvoice, match="document type"):
        einvoices.read(path)
    path.write_bytes(b" " * (einvoices.FILE_MAX + 1))
    with pytest.raises(NoInvoice, match="more than 2097152 bytes"):
        einvoices.read(path)


@pytest.mark.parametrize("remark", ["=1+1", "+1", "@x", "-x"])
def test_a_text_that_a_spreadsheet_would_run_is_kept_from_it_and_read_back_as_it_is(
    tmp_path: Path, remark: str
) -> None:
    [row, _] = rows(run(written(tmp_path, "a.xml", remark=remark)).stdout)
    assert row["Remark"] == f"'{remark}"
