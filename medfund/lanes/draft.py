"""What the rules know while they decide a batch of events of one lane: of the lane itself, and of the batch. Pure.

What stays true: it knows no capability. Each has its parts beside its rules; a part begins when it is first asked for.
What is known of a lane is replaced, never changed: a batch that is given up has changed nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


@dataclass(frozen=True, eq=False, slots=True)
class Part(Generic[Made]):
    """It is found by itself, not by its name."""

    name: str
    new: Callable[[], Made]


class Things(dict[K, V]):
    """What was read of one kind, or came into being, by name; and what of it the batch has changed."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        super().__init__()
        self.changed: set[K] = set()

    def put(self, key: K, thing: V) -> None:
        self.changed.add(key)
        self[key] = thing

    def change(self, key: K) -> V:
        self.changed.add(key)
        return self[key]


class Known:
    """Of a whole lane, kept in memory."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Mapping[Part[Any], Any] | None = None) -> None:
        self._parts = dict(parts or {})

    def __getitem__(self, part: Part[T]) -> T:
        try:
            return self._parts[part]  # type: ignore[no-any-return]
        except KeyError:
            return self._parts.setdefault(part, part.new())  # type: ignore[no-any-return]

    def replaced(self, part: Part[T], value: T) -> "Known":
        return Known({**self._parts, part: value})


class Draft:
    """One batch: what is known of its lane, what was read for it, and what it changes."""

    __slots__ = ("_parts", "known")

    def __init__(self, known: Known) -> None:
        self.known = known
        self._parts: dict[Part[Any], Any] = {}

    def __getitem__(self, part: Part[T]) -> T:
        try:
            return self._parts[part]  # type: ignore[no-any-return]
        except KeyError:
            return self._parts.setdefault(part, part.new())  # type: ignore[no-any-return]

    def let_go(self) -> None:
        """When all of it is written. The next batch reads anew, and until it comes, each lane would hold all payments
        of its last run."""
        self._parts.clear()
