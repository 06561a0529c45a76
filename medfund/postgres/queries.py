"""Named queries: SQL lives in `.sql` files beside the code that runs it.

A file holds blocks that begin with `-- name: some_name`; the comment lines after it say why the query
exists and which locks it takes. The text is constant, so that prepared statements stay.
"""

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


class Queries:
    """The queries of one file, each an attribute. An unknown name fails when the module is imported by a test."""

    def __init__(self, path: Path) -> None:
        parts = _NAME.split(path.read_text(encoding="utf-8"))
        self._texts = {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
        self.path = path

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self.path.name} has no query named {name}") from None

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._texts.items())


def load(module_file: str, name: str) -> Queries:
    """The queries of `sql/<name>` beside the module whose `__file__` is given."""
    return Queries(Path(module_file).parent / "sql" / name)
