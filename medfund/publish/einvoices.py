"""`medfund einvoices`: fully digital invoices (数电票, XML) as rows of an export, under the names that their fields
have in the tax authority's format.

What stays true: a file is one invoice, or none and told why; no document type, no entity, nothing outside the file is
read; nobody's name is taken over but those of the two parties. The seal is not looked at: what comes of a row is its
supplier's word, as any other export's is.
"""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, TextIO

import msgspec
import typer
from lxml import etree

from medfund.publish import refused

FILE_MAX = 2 << 20
ROOT = "EInvoice"
HEADS = {
    "EIid": "Header/EIid",
    "InvoiceNumber": "TaxSupervisionInfo/InvoiceNumber",
    "IssueTime": "TaxSupervisionInfo/IssueTime",
    "InIssuType": "Header/InherentLabel/InIssuType/LabelCode",
    "SellerIdNum": "EInvoiceData/SellerInformation/SellerIdNum",
    "SellerName": "EInvoiceData/SellerInformation/SellerName",
    "BuyerIdNum": "EInvoiceData/BuyerInformation/BuyerIdNum",
    "BuyerName": "EInvoiceData/BuyerInformation/BuyerName",
    "TotalAmWithoutTax": "EInvoiceData/BasicInformation/TotalAmWithoutTax",
    "TotalTaxAm": "EInvoiceData/BasicInformation/TotalTaxAm",
    "TotalTax-includedAmount": "EInvoiceData/BasicInformation/TotalTax-includedAmount",
    "OriginalInvoiceCode": "EInvoiceData/SpecificInformation/RedEInvoice/OriginalInvoiceCode",
    "Remark": "EInvoiceData/AdditionalInformation/Remark",
}
"""Field -> where it stands. Of the invoice as a whole; `InIssuType` is Y of a blue one and N of a red letter."""
NEEDED = ("EIid", "IssueTime", "SellerIdNum", "BuyerIdNum", "TotalTaxAm", "TotalTax-includedAmount")
ITEM = "EInvoiceData/IssuItemInformation"
ITEMS = ("ItemName", "SpecMod", "MeaUnits", "Quantity", "UnPrice", "Amount", "TaxRate", "ComTaxAm")
ROW = ("File", "Item", "Red", *HEADS, *ITEMS)


class NoInvoice(Exception):
    """A file that is no invoice, and why in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(refused.words(zh, en, ""))


class Invoice(NamedTuple):
    """What stands in one file."""

    head: dict[str, str]
    items: list[dict[str, str]]

    @property
    def number(self) -> str:
        return self.head["EIid"]

    @property
    def red(self) -> bool:
        return self.head["TotalTax-includedAmount"].startswith("-")


def einvoices(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|DIR", help="XML files, or folders of them.")],
    out: Annotated[str, typer.Option(metavar="FILE|-", help="Where to write; - is standard output.")] = "-",
    json: Annotated[
        bool, typer.Option("--json", help="What is said of it as one JSON object, on standard error.")
    ] = False,
) -> None:
    """Write fully digital invoices (XML) as the rows of an export, for `medfund publish --csv` with a map.

    A file that is no invoice is told with its reason, and the others are written. Exit code 0 only when all were.
    """
    found = [path for given in files for path in (sorted(given.glob("*.xml")) if given.is_dir() else [given])]
    try:
        with (
            contextlib.nullcontext(sys.stdout)
            if out == "-"
            else Path(out).open("w", encoding="utf-8-sig", newline="") as stream
        ):
            bad = write(found, stream, told=not json)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename or out}: {error.strerror}") from error
    summary = {"written": len(found) - len(bad), "left_out": bad}
    sentence = f"{len(found) - len(bad):,} invoices written, {len(bad):,} files left out."
    typer.echo(msgspec.json.encode(summary).decode() if json else sentence, err=True)
    raise typer.Exit(int(bool(bad) or not found))


def write(files: list[Path], stream: TextIO, *, told: bool = True) -> dict[str, str]:
    """A row for each item of each invoice; the files that were left out, and why, which is `told` at once as well."""
    rows = csv.DictWriter(stream, ROW, lineterminator="\r\n")
    rows.writeheader()
    seen: dict[str, str] = {}
    bad: dict[str, str] = {}
    for path in files:
        try:
            invoice = read(path)
            if (before := seen.setdefault(invoice.number, path.name)) != path.name:
                raise NoInvoice(f"与 {before} 是同一张发票", f"the same invoice as {before}")
        except NoInvoice as why:
            bad[path.name] = str(why)
            if told:
                typer.echo(f"{path.name}: {why}", err=True)
        else:
            rows.writerows(_rows(path.name, invoice))
    return bad


def _rows(file: str, invoice: Invoice) -> Iterator[dict[str, str]]:
    for number, item in enumerate(invoice.items, 1):
        told = {"File": file, "Item": str(number), "Red": "N" if not invoice.red else "Y", **invoice.head, **item}
        yield {name: _kept(text) for name, text in told.items()}


def _kept(text: str) -> str:
    """As a spreadsheet leaves it alone: a number that it would round, a text that it would take for a formula."""
    if len(text) > 11 and text.isdigit():
        return f'="{text}"'
    return f"'{text}" if text[:1] in ("=", "+", "@", "\t") or (text[:1] == "-" and not _is_amount(text)) else text


def _is_amount(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()


def read(path: Path) -> Invoice:
    """The invoice in a file. Raises `NoInvoice`, and what the file's system raises."""
    with path.open("rb") as stream:
        content = stream.read(FILE_MAX + 1)
    if len(content) > FILE_MAX:
        raise NoInvoice("文件过大", f"more than {FILE_MAX} bytes")
    root = _root(content)
    head = {name: _text(root, place) for name, place in HEADS.items()}
    if missing := [name for name in NEEDED if not head[name]]:
        raise NoInvoice(f"缺少 {'、'.join(missing)}", f"{', '.join(missing)} is missing")
    number = head["EIid"]
    if not (len(number) == 20 and number.isascii() and number.isdigit()):
        raise NoInvoice("EIid 不是 20 位数字", "EIid is not 20 digits")
    if head["InvoiceNumber"] not in ("", number):
        raise NoInvoice("InvoiceNumber 与 EIid 不一致", "InvoiceNumber is not EIid")
    invoice = Invoice(head, [{name: _text(item, name) for name in ITEMS} for item in root.findall(ITEM)])
    if not invoice.items:
        raise NoInvoice("没有明细", "it has no items")
    if invoice.red != (head["InIssuType"] == "N" or bool(head["OriginalInvoiceCode"])) and head["InIssuType"]:
        raise NoInvoice(
            "红蓝字标志与金额正负不一致", "its sign is not that of a blue invoice or a red letter as it says"
        )
    return invoice


def _root(content: bytes) -> etree._Element:
    parser = etree.XMLParser(
        load_dtd=False, dtd_validation=False, attribute_defaults=False, resolve_entities=False, no_network=True,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise NoInvoice("不是 XML", f"not well-formed XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise NoInvoice("含文档类型声明", "the file declares a document type, which no invoice does")
    if root.tag != ROOT:
        raise NoInvoice(f"根元素不是 {ROOT}", f"its root is not {ROOT}")
    return root


def _text(within: etree._Element, place: str) -> str:
    """What stands there, in one line; nothing where there is no such place. Of two, none would be the right one."""
    found = within.findall(place)
    if len(found) > 1:
        raise NoInvoice(f"{place} 出现多次", f"{place} is there {len(found)} times")
    return " ".join("".join(map(str, found[0].itertext())).split()) if found else ""
