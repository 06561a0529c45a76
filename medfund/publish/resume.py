"""How far a file was published: kept beside it while it is not complete, so that a rerun goes on where the log stands.

What stays true: everything before `offset` is acknowledged by the broker. A run that was killed may have sent more than
that; those events are sent once more, with the same identity and digest, and the ledger counts them as duplicates.
"""

from pathlib import Path

import msgspec

from medfund.publish.reading import Prefix


class State(msgspec.Struct, kw_only=True):
    """What is acknowledged, of which file, on which log."""

    cluster: str
    topic_prefix: str
    offset: int
    lines: int
    digest: str
    sent: dict[str, int]
    """How many records, by family."""
    positions: dict[str, dict[int, int]]
    """The last offset of each family and lane."""

    @property
    def prefix(self) -> Prefix:
        return Prefix(self.offset, self.lines, self.digest)


_STATE = msgspec.json.Decoder(State)


class Journal:
    """The state of one file. Standard input has none: what it gave cannot be read again."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @classmethod
    def beside(cls, file: Path) -> "Journal":
        return cls(file.with_name(f"{file.name}.publishing"))

    def read(self) -> State | None:
        """What an earlier run left; None where there was none, or nothing that can be read."""
        if self._path is None:
            return None
        try:
            return _STATE.decode(self._path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def write(self, state: State) -> None:
        if self._path is None:
            return
        # Written whole under another name first: a reader never sees half a state.
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_bytes(msgspec.json.encode(state))
            new.replace(self._path)
        except OSError:
            self._path = None  # a folder that cannot be written to costs the resuming, not the publishing

    def remove(self) -> None:
        """The file is published to its end."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
