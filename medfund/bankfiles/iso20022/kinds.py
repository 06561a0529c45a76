"""The kinds of ISO 20022 messages that are written and read here, each with its official schema.

The schemas are those of the ISO 20022 repository, unchanged, in one archive. `python -m tests.official_schemas` makes
it of the packages that publish them; a test compares it with them.
"""

import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from lxml import etree

SCHEMAS = "schemas.tar.xz"


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
CAMT_053 = Kind("camt.053.001.08", body="BkToCstmrStmt", wrapper="Stmt", record="Ntry")
CAMT_054 = Kind("camt.054.001.08", body="BkToCstmrDbtCdtNtfctn", wrapper="Ntfctn", record="Ntry")
"""Those that are written, unless a bank wants another one."""
PAIN_001_03 = replace(PAIN_001, name="pain.001.001.03")


def _versions(kind: Kind, *versions: str) -> list[Kind]:
    return [replace(kind, name=f"{kind.name[:-2]}{version}") for version in versions]


VERSIONS: Mapping[Kind, Sequence[Kind]] = {
    PAIN_001: _versions(PAIN_001, "03", "09", "11"),
    PAIN_002: [
        *_versions(PAIN_002, "03", "12", "14"),
        # The answer that belongs to pain.001.001.09; what is read of it is where the later version has it.
        replace(PAIN_002, name="pain.002.001.10", like=PAIN_002.name),
    ],
    CAMT_053: _versions(CAMT_053, "02", "04", "06", "08", "10", "13"),
    CAMT_054: _versions(CAMT_054, "02", "04", "06", "08", "10", "13"),
}
KINDS = {kind.tag("Document"): kind for versions in VERSIONS.values() for kind in versions}
NAMES = ", ".join(
    f"{written.name[:-3]} ({' '.join(f'.{kind.name[-2:]}' for kind in sorted(versions, key=lambda kind: kind.name))})"
    for written, versions in VERSIONS.items()
)
"""For people."""


@cache
def schema(kind: Kind) -> etree.XMLSchema:
    """Compiled once: that takes longer than checking a small file."""
    with files(__package__).joinpath(SCHEMAS).open("rb") as packed, tarfile.open(fileobj=packed) as schemas:
        text = schemas.extractfile(f"{kind.like or kind.name}.xsd").read()  # type: ignore[union-attr]  # it is a file
    if kind.like:
        text = text.replace(kind.like.encode(), kind.name.encode())
    return etree.XMLSchema(etree.fromstring(text, etree.XMLParser(no_network=True, resolve_entities=False)))
