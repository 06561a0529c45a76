"""The kinds of ISO 20022 messages that are written and read here, each with its official schema.

The schema files are those of the ISO 20022 repository, unchanged: a test compares them with the packages that publish
them.
"""

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from lxml import etree


@dataclass(frozen=True)
class Kind:
    """A message in one version: `body` is the element under its root, `record` the one that there are many of, each of
    them in a `wrapper`. `like` is the version whose schema judges it, where that of its own is not published."""

    name: str
    body: str
    wrapper: str
    record: str
    like: str = ""

    @property
    def namespace(self) -> str:
        return f"urn:iso:std:iso:20022:tech:xsd:{self.name}"

    def tag(self, local: str) -> str:
        return f"{{{self.namespace}}}{local}"


PAIN_001 = Kind("pain.001.001.09", body="CstmrCdtTrfInitn", wrapper="PmtInf", record="CdtTrfTxInf")
PAIN_002 = Kind("pain.002.001.12", body="CstmrPmtStsRpt", wrapper="OrgnlPmtInfAndSts", record="TxInfAndSts")
PAIN_002_10 = replace(PAIN_002, name="pain.002.001.10", like=PAIN_002.name)
"""The answer that belongs to pain.001.001.09; what is read of it is where the later version has it."""
CAMT_053 = Kind("camt.053.001.08", body="BkToCstmrStmt", wrapper="Stmt", record="Ntry")
CAMT_054 = Kind("camt.054.001.08", body="BkToCstmrDbtCdtNtfctn", wrapper="Ntfctn", record="Ntry")

KINDS = {kind.tag("Document"): kind for kind in (PAIN_001, PAIN_002, PAIN_002_10, CAMT_053, CAMT_054)}


@cache
def schema(kind: Kind) -> etree.XMLSchema:
    """Compiled once: that takes longer than checking a small file."""
    text = (files(__package__) / "schemas" / f"{kind.like or kind.name}.xsd").read_bytes()
    if kind.like:
        text = text.replace(kind.like.encode(), kind.name.encode())
    return etree.XMLSchema(etree.fromstring(text, etree.XMLParser(no_network=True, resolve_entities=False)))
