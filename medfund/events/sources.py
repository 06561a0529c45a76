"""Who speaks: the registry of sources, as events that two people stand behind.

What stays true: a source says what its speakers may say (`medfund.events.speakers`), for the areas and organisations
that it was registered for, in the days that were named; one that is in no registration says nothing.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from medfund.events import rules, speakers
from medfund.events.fields import Area, Day, Organisation, Ref, Source
from medfund.events.kinds import Event, kind
from medfund.events.refusals import Problem, Reason, quoted


def _speaks_for_itself(event: "SourceRegistered") -> Problem | None:
    if speakers.is_reserved(event.source):
        return Problem(Reason.BAD_CODE, f"$.source: {quoted(event.source)} is a source of the system itself")
    if not event.speakers:
        return Problem(Reason.BAD_CODE, "$.speakers: nobody is named")
    for i, type in enumerate(event.types or ()):
        if not speakers.SAID_BY.get(type, frozenset()) & {*event.speakers}:
            return Problem(
                Reason.BAD_CODE, f"$.types[{i}]: {quoted(type)} is not for {', '.join(event.speakers)} to say"
            )
    return None


@kind("source.registered", family="agency", key="lane", rules=(rules.two_people("approvers"), _speaks_for_itself))
class SourceRegistered(Event, frozen=True, kw_only=True):
    """From which source who speaks: as what, for which areas and organisations, which types; written into every lane.

    The whole new state of a source: the same `source` again replaces what was said of it, and a last day before the
    first one takes it away. Where `areas` is null it speaks for every area, without `organisations` for all of its
    areas, and without `types` it says all that its `speakers` may. `organisations` are codes of providers and, of
    suppliers, unified social credit codes: a supplier speaks for itself, whoever buys of it. What a source says counts
    from the moment this is on the log, on the days from `valid_from` to `valid_to` in Shanghai; what takes something
    away holds a minute later, when every lane has heard of it. `approvers` are two people of the agency.
    Source: reliability 76, c.2 (21).
    """

    source: Source
    speakers: list[Literal["hospital", "supplier", "audit_office", "supervision", "procurement", "policy_office"]]
    areas: list[Area] | None
    valid_from: Day
    approvers: list[Ref]
    organisations: list[Organisation] | None = None
    types: list[Ref] | None = None
    valid_to: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "source": "/gateway/152500",
        "speakers": ["hospital"],
        "areas": ["152500"],
        "valid_from": "2026-01-01",
        "approvers": ["staff-7c41", "staff-02e9"],
    }


@kind("sources.opened", family="agency", key="lane")
class SourcesOpened(Event, frozen=True, kw_only=True):
    """From here on a lane asks of each event whether its source may say it. Written once into every lane, before all.

    What was appended before it, or before the day `asked_from` in Shanghai where it names one, is judged as before
    there was a registry. The first one of a lane holds, and none after the first registration; a lane without any asks
    from the beginning. Source: reliability 76.
    """

    asked_from: Day | None = None

    example: ClassVar[Mapping[str, Any]] = {"asked_from": "2026-12-07"}
