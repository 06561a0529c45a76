"""One batch of a lane, judged: what is fresh, what is a repeat, what conflicts, what is refused. Pure.

Each record ends in exactly one of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from medfund.events.codec import Accepted, Refused
from medfund.events.refusals import Reason
from medfund.lanes.log import Run, UnreadBatch


@dataclass(slots=True)
class Batch:
    """What was read, in the order in which it is applied."""

    runs: Sequence[Run]
    accepted: list[Accepted]
    refused: list[Refused]


@dataclass(slots=True)
class Verdicts:
    fresh: list[Accepted]
    repeats: list[Accepted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True, frozen=True)
class Outcome:
    """How many records of one topic ended how; `control` are offsets that carry no event."""

    applied: int
    no_effect: int
    duplicate: int
    quarantined: int
    control: int


def judge(
    accepted: Sequence[Accepted],
    known: Mapping[bytes, bytes],
    admit: Callable[[Accepted], Refused | None],
    asks: Callable[[int], bool],
) -> Verdicts:
    """Take the events in their order, each judged by what was accepted before it, however the log was cut into batches.

    `known`: digest by identity, of those that were accepted in earlier batches. `admit` is the service's own judgement
    of an event that is seen for the first time; what it refuses was never accepted, and cannot be repeated. `asks`:
    whether, of a record appended at a moment, the same content with an instant spelt otherwise is a repeat.
    """
    seen = dict(known)
    fresh: list[Accepted] = []
    verdicts = Verdicts(fresh)
    for event in accepted:
        digest = seen.get(event.identity)
        if digest is None:
            if refusal := admit(event):
                verdicts.refused.append(refusal)
            else:
                seen[event.identity] = event.digest
                fresh.append(event)
        elif digest == event.digest or (asks(event.record.timestamp) and event.says(digest)):
            verdicts.repeats.append(event)
        else:
            verdicts.refused.append(conflict(event))
    return verdicts


def conflict(event: Accepted) -> Refused:
    return refuse(event, Reason.CONFLICT, "an event with this source and id and another content was accepted before")


def refuse(event: Accepted, reason: Reason, detail: str, area: str | None = None) -> Refused:
    """An event that could be read and is refused by a rule."""
    return Refused(event.record, reason, detail, event.source, event.id, event.type, event.identity, area)


def outcomes(
    batch: Batch, families: Mapping[str, str], verdicts: Verdicts, silent: Collection[str]
) -> dict[str, Outcome]:
    """Per family. `families`: family by the broker's topic name."""
    quiet = _count(families, (event.record for event in verdicts.fresh if event.type in silent))
    effective = _count(families, (event.record for event in verdicts.fresh))
    repeated = _count(families, (event.record for event in verdicts.repeats))
    refused = _count(families, (refusal.record for refusal in verdicts.refused))
    distance = Counter[str]()
    read = Counter[str]()
    for record in (refusal.record for refusal in verdicts.refused):
        if isinstance(record, UnreadBatch):
            refused[families[record.topic]] += record.offsets - 1
            read[families[record.topic]] += record.offsets - 1
    for run in batch.runs:
        distance[run.topic] += run.next - run.first
        read[run.topic] += len(run.records)
    return {
        family: Outcome(
            effective[family] - quiet[family],
            quiet[family],
            repeated[family],
            refused[family],
            distance[family] - read[family],
        )
        for family in distance
    }


def _count(families: Mapping[str, str], records: Iterable) -> Counter[str]:  # type: ignore[type-arg]
    by_topic = Counter(record.topic for record in records)
    return Counter({families[topic]: count for topic, count in by_topic.items()})
