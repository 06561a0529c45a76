"""What an event type is, and the list of all of them.

What stays true: an event is frozen; every type has a version, a family (the topic it travels on), a key (the lane it
belongs to), a test of what it says and a complete example; a type that was published once is decoded for ever.

Money on events is yuan text ("6852.80"), converted by `money.fen` at use; dates are calendar days in Asia/Shanghai.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, get_args

import msgspec

from medfund.events import fields
from medfund.events.refusals import Problem

Family = Literal[
    "claims", "prepayments", "purchases", "reviews", "bank", "agency", "time", "clearing", "direct-pay", "ledger"
]
FAMILIES: tuple[Family, ...] = get_args(Family)
"""One topic each, all with the same number of partitions."""

KeyRule = Literal["provider", "area", "lane"]
"""What the record key is: the event's provider, its area, or a key of the lane (`partition.lane_key`) or an area."""


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A fact or a decision. A subclass is one event type; its fields are the members of the JSON object `data`."""

    example: ClassVar[Mapping[str, Any]]


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Where a record stands: `topic` is the family ("claims"), `lane` the partition."""

    topic: fields.Ref
    lane: fields.Count
    offset: fields.Count


EventType = TypeVar("EventType", bound=Event)
Rule = Callable[[Any], Problem | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One version of one event type; `type` is the CloudEvents type, "settlement.recorded.v1"."""

    name: str
    version: int
    family: Family
    families: tuple[Family, ...]
    """More than one for what every deciding service tells on its own topic."""
    key: KeyRule
    event: type[Event]
    decoder: msgspec.json.Decoder[Event]
    check: Rule
    rules: tuple[Rule, ...]
    columns: Callable[[list[Any]], object]
    """Whether the fields of many events of it are surely well written; the rules are apart."""
    keys: Callable[[Any], int] | None
    lift: Callable[[Any], Event] | None
    type: str

    @property
    def example(self) -> Mapping[str, Any]:
        """A complete event of this type as JSON data."""
        return self.event.example


_kinds: dict[str, Kind] = {}
KINDS: Mapping[str, Kind] = _kinds
"""Every kind by its CloudEvents type. Complete as soon as the package `medfund.events` is imported."""


def kind(
    name: str,
    version: int = 1,
    *,
    family: Family | tuple[Family, ...],
    key: KeyRule,
    rules: tuple[Rule, ...] = (),
    check: Rule | None = None,
    lift: Callable[[Any], Event] | None = None,
    into: dict[str, Kind] = _kinds,
) -> Callable[[type[EventType]], type[EventType]]:
    """Register an event type. `rules` are tested after the forms of the fields; `check` replaces both (hot types);
    `lift` turns an event of this old version into the next version."""

    families = (family,) if isinstance(family, str) else family

    def register(event: type[EventType]) -> type[EventType]:
        entry = Kind(
            name=name,
            version=version,
            family=families[0],
            families=families,
            key=key,
            event=event,
            decoder=msgspec.json.Decoder(event),
            check=check or checked_by(event, rules),
            rules=rules,
            columns=fields.columns(event),
            keys=fields.key_count(event),
            lift=lift,
            type=f"{name}.v{version}",
        )
        if into.setdefault(entry.type, entry) is not entry:
            raise ValueError(f"{entry.type} is registered twice")
        return event

    return register


def checked_by(event: type[Event], rules: tuple[Rule, ...]) -> Rule:
    """The test of an event type: the form of every field first, then the rules in their order."""
    forms = fields.checker(event)

    def check(value: Event) -> Problem | None:
        if problem := forms(value, "$"):
            return problem
        return next(filter(None, (rule(value) for rule in rules)), None)

    return check
