"""A run of records at once: what is the same for thousands of settlements is tested once.

What stays true: a record is accepted here only when `codec.decode` would accept it, with the same result; whatever is
in doubt goes to `codec.decode`, which alone refuses. The two differ in speed only.

The tests work on columns of the run. Where one of them fails, the run is decoded record by record.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec

from medfund import codes, money
from medfund.events import codec, envelope
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS, Kind
from medfund.events.settlements import SettlementRecorded, are_good_codes
from medfund.lanes import partition
from medfund.lanes.log import Record

HOT = KINDS["settlement.recorded.v1"]
FEW = 16
"""Shorter runs are not worth the columns."""

_HEADERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
_VISIBLE = bytes(range(33, 127))
_FUNDS = frozenset(codes.FUNDS)
_combination = attrgetter("area", "insured_area", "provider", "insutype", "med_type", "clr_type", "clr_way")
_amounts = attrgetter("total", "personal_account", "family_account", "hospital_share", "other", "cash")
_provider = attrgetter("provider")


def decode(records: Sequence[Record], *, family: str, lanes: int, asked_from: int = 0) -> list[Accepted | Refused]:
    """The verdict on each record of one topic, in their order."""
    one_by_one = partial(codec.decode, family=family, lanes=lanes, asked_from=asked_from)
    if len(records) < FEW:
        return [one_by_one(record) for record in records]
    usual: list[Accepted] = []
    for type, some in _by_type(records).items():
        kind = _KINDS.get(type)
        if kind is not None and family in kind.families and len(some) >= FEW:
            usual += _usual(kind, some, lanes) or ()
    if len(usual) == len(records) and len({accepted.type for accepted in usual}) == 1:
        return [*usual]
    found = {accepted.record.offset: accepted for accepted in usual}
    return [found.get(record.offset) or one_by_one(record) for record in records]


_KINDS: Mapping[bytes | None, Kind] = {
    kind.type.encode(): kind for kind in KINDS.values() if kind.key == "provider" and not kind.lift
}
"""Those that come in numbers."""


def _by_type(records: Sequence[Record]) -> Mapping[bytes | None, list[Record]]:
    """The records whose type stands where it usually does."""
    found: defaultdict[bytes | None, list[Record]] = defaultdict(list)
    for record in records:
        headers = record.headers
        if len(headers) == 6:
            found[headers[3][1]].append(record)
    return found


def _usual(kind: Kind, records: list[Record], lanes: int) -> list[Accepted] | None:
    """All of them, or None where a doubt is about any of them."""
    try:
        columns = _headers(records)
    except (TypeError, AttributeError, UnicodeDecodeError):
        return None
    values = [record.value for record in records]
    if columns is None or None in values or max(map(len, values)) > codec.VALUE_MAX:  # type: ignore[arg-type]
        return None
    try:
        events: list[Any] = list(map(kind.decoder.decode, values))  # type: ignore[arg-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not (_keyed(records, events, lanes) and _no_key_twice(kind, values, events) and _checked(kind, events)):  # type: ignore[arg-type]
        return None
    ids, raw_ids, sources, raw_sources, times, raw_times = columns
    identity, digest = envelope.identity_of, envelope.digest_of
    type, raw_type = kind.type, kind.type.encode()
    return [
        Accepted(record, source, id, type, time, identity(raw_source, raw_id), digest(raw_type, raw_time, value), event)
        for record, source, id, time, raw_source, raw_id, raw_time, value, event in zip(
            records, sources, ids, times, raw_sources, raw_ids, raw_times, values, events, strict=True
        )
    ]


def _checked(kind: Kind, events: list[Any]) -> bool:
    if well_written := _WELL_WRITTEN.get(kind.type):
        return well_written(events)
    return bool(kind.columns(events)) and not any(rule(event) for rule in kind.rules for event in events)


def _headers(
    records: list[Record],
) -> tuple[list[str], list[bytes], list[str], list[bytes], list[str], list[bytes]] | None:
    """Ids, sources and times, as texts and as they came; None where they are not written in the usual way."""
    ids: list[bytes] = []
    sources: list[bytes] = []
    times: list[bytes] = []
    rest = set()
    for (a, version), (b, id), (c, source), (d, _), (e, time), (f, content) in [record.headers for record in records]:
        ids.append(id)
        sources.append(source)
        times.append(time)
        rest.add((a, b, c, d, e, f, version, content))
    if rest != {(*_HEADERS, b"1.0", b"application/json")}:
        return None
    lengths = set(map(len, ids))
    if not 0 < min(lengths) <= max(lengths) <= envelope.ATTRIBUTE_MAX or b"".join(ids).translate(None, _VISIBLE):
        return None
    texts = {source: source.decode() for source in set(sources)}
    if not all(0 < len(source) <= envelope.ATTRIBUTE_MAX and not source.translate(None, _VISIBLE) for source in texts):
        return None
    oldest = min(record.timestamp for record in records)
    stamps = b"\n".join(times).decode().split("\n")
    if len(stamps) != len(times) or not _are_past(stamps, oldest):
        return None
    return b"\n".join(ids).decode().split("\n"), ids, [texts[s] for s in sources], sources, stamps, times


def _are_past(stamps: list[str], oldest: int) -> bool:
    """Whether all are times, none of them too late for the oldest record."""
    if codec.SECONDS.issuperset([stamp[16:] for stamp in stamps]):
        return all(codec.is_past(minute, oldest) for minute in {stamp[:16] for stamp in stamps})
    return all(codec.is_exactly_past(stamp, oldest) for stamp in set(stamps))


def _keyed(records: list[Record], events: list[Any], lanes: int) -> bool:
    """Every key is its event's provider, and belongs to the lane of its record."""
    keys = [record.key for record in records]
    if None in keys or len({record.partition for record in records}) != 1:
        return False
    lane = records[0].partition
    return ",".join(map(_provider, events)).encode() == b",".join(keys) and all(  # type: ignore[arg-type]
        partition.lane_of(key, lanes) == lane for key in set(keys)
    )


def _no_key_twice(kind: Kind, values: list[bytes], events: list[Any]) -> bool:
    # No value has fewer colons than it has keys, nor fewer keys than are counted, so when all together have just as
    # many, each has.
    if kind.keys and b"".join(values).count(b":") == sum(map(kind.keys, events)):
        return True
    return all(map(codec.has_each_key_once, values))


def _well_written(events: list[SettlementRecorded]) -> bool:
    references = [event.settlement_ref for event in events]
    return (
        all(map(are_good_codes, set(map(_combination, events))))
        and set(map(len, references)) == {32}
        and not "".join(references).strip("0123456789abcdef")
        and set().union(*(event.funds for event in events)) <= _FUNDS
        and not any(event.advanced for event in events)
        and all(2000 <= day.year <= 2099 for day in {event.service_date for event in events})
        and all(2000 <= year <= 2099 for year in {event.benefit_year for event in events})
        and _add_up(events)
    )


def _add_up(events: list[SettlementRecorded]) -> bool:
    """Whether every amount is well written and none is negative, and each total is the sum of its parts."""
    amounts: list[str] = []
    ends: list[int] = []
    for event in events:
        amounts += _amounts(event)
        amounts += event.funds.values()
        ends.append(len(amounts))
    try:
        fen = money.fens(amounts)
    except (money.BadAmount, money.AmountOutOfRange):
        return False
    begin = 0
    for end in ends:
        total = fen[begin]
        if sum(fen[begin:end]) != 2 * total or total > money.FEN_MAX:
            return False
        begin = end
    return min(fen) >= 0


_WELL_WRITTEN: Mapping[str, Callable[[list[Any]], bool]] = {HOT.type: _well_written}
"""Kinds whose columns have tests of their own."""
