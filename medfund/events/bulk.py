"""A run of records at once: what is the same for thousands of settlements is tested once.

What stays true: a record is accepted here only when `codec.decode` would accept it, with the same result; whatever is
in doubt goes to `codec.decode`, which alone refuses. The two differ in speed only.

The tests work on columns of the run. Where one of them fails, the run is decoded record by record.
"""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter

import msgspec

from medfund import codes, money
from medfund.events import codec, envelope
from medfund.events.codec import Accepted, Refused
from medfund.events.kinds import KINDS
from medfund.events.settlements import SettlementRecorded, are_good_codes
from medfund.lanes import partition
from medfund.lanes.log import Record

HOT = KINDS["settlement.recorded.v1"]
FEW = 16
"""Shorter runs are not worth the columns."""

_TYPE = HOT.type.encode()
_HEADERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")
_VISIBLE = bytes(range(33, 127))
_FUNDS = frozenset(codes.FUNDS)
_combination = attrgetter("area", "insured_area", "provider", "insutype", "med_type", "clr_type", "clr_way")
_amounts = attrgetter("total", "personal_account", "family_account", "hospital_share", "other", "cash")


def decode(records: Sequence[Record], *, family: str, lanes: int, asked_from: int = 0) -> list[Accepted | Refused]:
    """The verdict on each record of one topic, in their order."""
    usual: list[Accepted] | None = None
    one_by_one = partial(codec.decode, family=family, lanes=lanes, asked_from=asked_from)
    if family == HOT.family and len(records) >= FEW:
        hot = [record for record in records if _is_hot(record)]
        usual = _settlements(hot, lanes)
    if not usual:
        return [one_by_one(record) for record in records]
    if len(usual) == len(records):
        return [*usual]
    found = {accepted.record.offset: accepted for accepted in usual}
    return [found.get(record.offset) or one_by_one(record) for record in records]


def _is_hot(record: Record) -> bool:
    headers = record.headers
    return len(headers) == 6 and headers[3][1] == _TYPE


def _settlements(records: list[Record], lanes: int) -> list[Accepted] | None:
    """All of them, or None where a doubt is about any of them."""
    try:
        columns = _headers(records)
    except (TypeError, AttributeError, UnicodeDecodeError):
        return None
    values = [record.value for record in records]
    if columns is None or None in values or max(map(len, values)) > codec.VALUE_MAX:  # type: ignore[arg-type]
        return None
    try:
        events: list[SettlementRecorded] = list(map(HOT.decoder.decode, values))  # type: ignore[arg-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not (_keyed(records, events, lanes) and _no_key_twice(values, events) and _well_written(events)):  # type: ignore[arg-type]
        return None
    ids, raw_ids, sources, raw_sources, times, raw_times = columns
    identity, digest = envelope.identity_of, envelope.digest_of
    return [
        Accepted(
            record, source, id, HOT.type, time, identity(raw_source, raw_id), digest(_TYPE, raw_time, value), event
        )
        for record, source, id, time, raw_source, raw_id, raw_time, value, event in zip(
            records, sources, ids, times, raw_sources, raw_ids, raw_times, values, events, strict=True
        )
    ]


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
    if len(stamps) != len(times) or not codec.SECONDS.issuperset([stamp[16:] for stamp in stamps]):
        return None
    if not all(codec.is_past(minute, oldest) for minute in {stamp[:16] for stamp in stamps}):
        return None
    return b"\n".join(ids).decode().split("\n"), ids, [texts[s] for s in sources], sources, stamps, times


def _keyed(records: list[Record], events: list[SettlementRecorded], lanes: int) -> bool:
    """Every key is its event's provider, and belongs to the lane of its record."""
    keys = [record.key for record in records]
    if None in keys or len({record.partition for record in records}) != 1:
        return False
    lane = records[0].partition
    return [event.provider.encode() for event in events] == keys and all(
        partition.lane_of(key, lanes) == lane for key in set(keys)
    )


def _no_key_twice(values: list[bytes], events: list[SettlementRecorded]) -> bool:
    # No value has fewer colons than it has keys, so when all together have just as many, each has.
    keys = len(events) * len(SettlementRecorded.__struct_fields__) + sum(len(event.funds) for event in events)
    return b"".join(values).count(b":") == keys


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
