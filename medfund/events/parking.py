"""What a deciding service tells, on its own topic, of a key whose facts wait, because one of them could not be decided.

What stays true: each of these says from where on, in every topic of facts, the facts of one key are treated in another
way; what was told last of a place holds. So the log alone says which facts wait, and a rebuild lets the same ones wait.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from medfund.events.fields import Ref, Text
from medfund.events.kinds import Event, Family, Place, kind

DECIDING: tuple[Family, ...] = ("clearing", "direct-pay")
"""The topics of services that decide."""


class KeyTurn(Event, frozen=True, kw_only=True):
    """From `since` on, one place for each topic of facts, the facts of `key` are treated in another way.

    `cause` is the fact at which that was found. A topic that `since` does not name is meant from its beginning.
    """

    key: Ref
    cause: Place
    since: list[Place]


_TURN: Mapping[str, Any] = {
    "key": "H15250200017",
    "cause": {"topic": "claims", "lane": 3, "offset": 1048576},
    "since": [{"topic": "claims", "lane": 3, "offset": 1048576}, {"topic": "bank", "lane": 3, "offset": 77}],
}
_LATER: Mapping[str, Any] = {
    **_TURN,
    "cause": {"topic": "claims", "lane": 3, "offset": 1048990},
    "since": [{"topic": "claims", "lane": 3, "offset": 1048990}, {"topic": "bank", "lane": 3, "offset": 81}],
}


@kind("fact.parked", family=DECIDING, key="lane")
class FactParked(KeyTurn, frozen=True, kw_only=True):
    """The fact at `cause` could not be decided: it waits, and so do all facts of its key from here on.

    `detail` says which fault there was and where in the code, and nothing of the fact. Source: design §2.
    """

    detail: Text

    example: ClassVar[Mapping[str, Any]] = {**_TURN, "detail": "KeyError in clearing.service._claim, line 143"}


@kind("fact.retried", family=DECIDING, key="lane")
class FactRetried(KeyTurn, frozen=True, kw_only=True):
    """A copy of the first fact that waits came: from here on the copies of those that wait are taken, in their order,
    and all else of the key waits behind them. Source: design §2."""

    example: ClassVar[Mapping[str, Any]] = _LATER


@kind("fact.released", family=DECIDING, key="lane")
class FactReleased(KeyTurn, frozen=True, kw_only=True):
    """No fact of the key waits any more: from the one at `cause` on, they are taken as they come. Source: design §2."""

    example: ClassVar[Mapping[str, Any]] = {**_LATER, "cause": {"topic": "bank", "lane": 3, "offset": 81}}
