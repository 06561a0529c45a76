"""From a record of the log to an event, or to the exact reason why it is none. The hot path of every service.

What stays true: `decode` is pure (it compares times with the record's append time only) and total (it never raises,
whatever the bytes); its time and memory are bounded by the limits below; when several things are wrong the reason that
stands first in `Reason` is given. What was appended before a lane asks who speaks (`asked_from`, the log's own word and
no date in the code) is read as it was then, so that an old log rebuilds to the same rows: whole numbers have no
fraction, one instant has one spelling, and a refusal tells no more than it did.
"""

import codecs
import datetime
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from medfund import calendar
from medfund.events import envelope, upcast
from medfund.events.kinds import KINDS, Event, Kind
from medfund.events.refusals import DETAIL_MAX, Problem, Reason, legible, quoted
from medfund.lanes import partition
from medfund.lanes.log import Record, UnreadBatch

VALUE_MAX = 1024 * 1024
HEADERS_MAX = 64
HEADER_BYTES_MAX = 8 * 1024
KEY_BYTES_MAX = 256
DEPTH_MAX = 32
STRUCTURED = b"application/cloudevents"
FUTURE_MAX = datetime.timedelta(minutes=5)


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A record that is an event. Whether it is new, and whether the books know its provider, is not judged here."""

    record: Record
    source: str
    id: str
    type: str
    time: str
    identity: bytes
    digest: bytes
    event: Event

    @property
    def occurred(self) -> datetime.datetime:
        """The moment at which it happened, by its publisher's clock."""
        moment = envelope.instant(self.time)
        assert moment is not None  # noqa: S101
        return moment

    def says(self, digest: bytes) -> bool:
        """Whether a digest is that of this event, however its time was spelled."""
        type, data = self.type.encode(), self.record.value or b""
        times = map(str.encode, envelope.spellings(self.time))
        return any(digest == envelope.digest_of(type, time, data) for time in times)


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A record that is not booked, why, and which event it was as far as that could be read."""

    record: Record
    reason: Reason
    detail: str
    source: str | None = None
    id: str | None = None
    type: str | None = None
    identity: bytes | None = None
    area: str | None = None
    """What it names as its area, where nothing else says it: nobody knows its provider."""


def decode(
    record: Record, *, family: str, lanes: int, kinds: Mapping[str, Kind] = KINDS, asked_from: int = 0
) -> Accepted | Refused:
    """Read one record of the topic of `family`, in a log of so many lanes."""
    asked = record.timestamp >= asked_from
    found = _judged(record, family, lanes, kinds, whole=asked)
    return _told_more(found) if asked and type(found) is Refused else found


def _judged(record: Record, family: str, lanes: int, kinds: Mapping[str, Kind], *, whole: bool) -> Accepted | Refused:
    value, key, headers = record.value, record.key, record.headers
    if value is None or not key or len(value) > VALUE_MAX or len(key) > KEY_BYTES_MAX or len(headers) > HEADERS_MAX:
        return _refused(record, _record_problem(record))
    attributes = _usual(headers) or dict(headers)
    try:
        raw_source, raw_id = attributes["ce_source"], attributes["ce_id"]
        raw_type, raw_time = attributes["ce_type"], attributes["ce_time"]
        id, time = raw_id.decode(), raw_time.decode()
        source, type, usual = _constant(
            raw_source, raw_type, attributes.get("ce_specversion"), attributes.get("content-type")
        )
    except (KeyError, AttributeError, UnicodeDecodeError):
        return _refused(record, _attribute_problem(headers))
    past = surely_past(time, record.timestamp)
    if (
        not (past and usual and 0 < len(id) <= 256 and id.isprintable())
        or len(attributes) != 6  # six that all pass are short; more of them need a look
        or len(headers) != 6
    ) and (problem := _attribute_problem(headers)):
        return _refused(record, problem)
    kind = kinds.get(type)
    if kind is None or family not in kind.families:
        return _refused(record, _attribute_problem(headers) or _type_problem(type, family, kinds))
    if partition.lane_of(key, lanes) != record.partition:
        return _refused(record, _lane_problem(record, lanes))
    if not past and (problem := _future_problem(time, record)):
        return _refused(record, problem)
    try:
        event = kind.decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        if problem := _form_problem(value):
            return _refused(record, problem)
        read = _with_whole_numbers(kind, value) if whole and "got `float`" in str(fault) else None
        if read is None:
            return _refused(record, _field_problem(kind, fault))
        event = read
    # Every key has a colon. As many colons as there are distinct keys at least: no key occurs twice (a colon in a text,
    # or a field that says its default, only sends us to a more exact test).
    if (
        (kind.keys is None or value.count(b":") != kind.keys(event))
        and not has_each_key_once(value)
        and (problem := _duplicate_key(value))
    ):
        return _refused(record, problem)
    if key != envelope.key_of(kind, event) and (problem := _key_problem(key, event, kind)):
        return _refused(record, problem)
    if problem := kind.check(event):
        return _refused(record, problem)
    return Accepted(
        record,
        source,
        id,
        type,
        time,
        envelope.identity_of(raw_source, raw_id),
        envelope.digest_of(raw_type, raw_time, value),
        event if kind.lift is None else upcast.newest(event, kind, kinds),
    )


_ORDER = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type")


def _usual(headers: envelope.Headers) -> dict[str, bytes] | None:
    """The attributes where they come in our own order; anything else is read name by name."""
    if len(headers) != 6:
        return None
    (a, specversion), (b, id), (c, source), (d, type), (e, time), (f, content) = headers
    if (a, b, c, d, e, f) != _ORDER:
        return None
    return {
        "ce_specversion": specversion, "ce_id": id, "ce_source": source,
        "ce_type": type, "ce_time": time, "content-type": content,
    }  # fmt: skip


@lru_cache(maxsize=4096)
def _constant(
    source: bytes, type: bytes, specversion: bytes | None, content_type: bytes | None
) -> tuple[str, str, bool]:
    """What is the same on record after record: the texts of source and type, and whether all four are as usual."""
    text = source.decode()
    usual = (
        0 < len(text) <= 256 and text.isprintable() and specversion == b"1.0" and content_type == b"application/json"
    )
    return text, type.decode(), usual


# The record


def _record_problem(record: Record) -> Problem:
    value, key, count = record.value, record.key, len(record.headers)
    if isinstance(record, UnreadBatch):
        return Problem(Reason.BATCH_UNREADABLE, f"{record.detail}; all its {record.offsets} offsets end here")
    size = _size(record.headers)
    if count > HEADERS_MAX:
        return Problem(Reason.TOO_MANY_HEADERS, f"{count} headers, at most {HEADERS_MAX} are read")
    if value is not None and len(value) > VALUE_MAX:
        return Problem(Reason.TOO_LARGE, f"the value has {len(value)} bytes, at most {VALUE_MAX} are read")
    if key is not None and len(key) > KEY_BYTES_MAX:
        return Problem(Reason.TOO_LARGE, f"the key has {len(key)} bytes, at most {KEY_BYTES_MAX} are read")
    if size > HEADER_BYTES_MAX:
        return Problem(Reason.TOO_LARGE, f"the headers have {size} bytes, at most {HEADER_BYTES_MAX} are read")
    if value is None:
        return Problem(Reason.NULL_VALUE, "the record has no value (a tombstone); an event is never deleted")
    return Problem(Reason.NO_KEY, "the record has no key; it is the provider code, or the area code")


def _size(headers: envelope.Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


# The envelope


def _attribute_problem(headers: envelope.Headers) -> Problem | None:
    size = _size(headers)
    if size > HEADER_BYTES_MAX:
        return Problem(Reason.TOO_LARGE, f"the headers have {size} bytes, at most {HEADER_BYTES_MAX} are read")
    attributes = dict(headers)
    for name in envelope.REQUIRED:
        if attributes.get(f"ce_{name}") is None:
            return Problem(Reason.MISSING_ATTRIBUTE, f"the header ce_{name} is missing{_structured_hint(attributes)}")
    names = [name for name, _ in headers if name.startswith("ce_")]
    for name in names:
        if names.count(name) > 1:
            return Problem(Reason.BAD_ATTRIBUTE, f"the header {quoted(name)} occurs twice")
    return _value_problem(attributes)


def _structured_hint(attributes: Mapping[str, bytes]) -> str:
    if (attributes.get("content-type") or b"").startswith(STRUCTURED):
        return ": on the log events are in binary mode, structured mode is for HTTP and files"
    return ""


def _value_problem(attributes: Mapping[str, bytes]) -> Problem | None:
    try:
        texts = {name: attributes[f"ce_{name}"].decode() for name in envelope.REQUIRED}
    except UnicodeDecodeError as fault:
        return Problem(Reason.BAD_ATTRIBUTE, f"a ce_ header is not UTF-8: {quoted(fault.object)}")
    if texts["specversion"] != "1.0":
        return Problem(Reason.BAD_ATTRIBUTE, f"ce_specversion: {quoted(texts['specversion'])} is not 1.0")
    for name in ("id", "source", "type"):
        if problem := envelope.named(f"ce_{name}", texts[name]):
            return problem
    if envelope.instant(texts["time"]) is None:
        return Problem(
            Reason.BAD_ATTRIBUTE,
            f"ce_time: {quoted(texts['time'])} is not an RFC 3339 time with an offset, 1970 or later",
        )
    return _content_type_problem(attributes.get("content-type"))


def _content_type_problem(content_type: bytes | None) -> Problem | None:
    if content_type is None or content_type.split(b";")[0].strip().lower() == b"application/json":
        return None
    return Problem(Reason.BAD_ATTRIBUTE, f"content-type: {quoted(content_type)} is not application/json")


def _type_problem(type: str, family: str, kinds: Mapping[str, Kind]) -> Problem:
    if kind := kinds.get(type):
        return Problem(Reason.WRONG_TOPIC, f"{type} belongs on {' or '.join(kind.families)}, and this is {family}")
    name, _, version = type.rpartition(".v")
    known = sorted(kind.version for kind in kinds.values() if kind.name == name)
    if known:
        return Problem(Reason.UNKNOWN_VERSION, f"{name} has version {known}, not {quoted(version)}")
    return Problem(Reason.UNKNOWN_TYPE, f"{quoted(type)} is not a type of event that we know")


def _lane_problem(record: Record, lanes: int) -> Problem:
    lane = partition.lane_of(record.key or b"", lanes)
    return Problem(
        Reason.WRONG_LANE,
        f"key hashes to lane {lane} of {lanes} but the record is in lane {record.partition}: "
        "set partitioner=murmur2_random (librdkafka) or use the Java client's default",
    )


# When it happened. Nearly all times are written as the clocks of Shanghai show them.

_USUAL_MINUTE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}").fullmatch
_LAST_MS = 4_102_444_800_000  # 2100: a broker's clock does not show more


def surely_past(time: str, appended_ms: int) -> bool:
    """Whether a time is written in the usual way and is not too late; on a no, the exact tests decide."""
    return time[16:] in SECONDS and is_past(time[:16], appended_ms)


def is_past(minute: str, appended_ms: int) -> bool:
    """The same for a minute, "2025-03-04T10:15" in Shanghai."""
    return (_minute(minute) or _NEVER) < _latest_minute(appended_ms)


def is_exactly_past(time: str, appended_ms: int) -> bool:
    """The same for a time that is written in any way."""
    moment = envelope.instant(time)
    return moment is not None and moment <= _latest(appended_ms).replace(tzinfo=calendar.SHANGHAI)


SECONDS = frozenset(f":{second:02d}+08:00" for second in range(60))
_NEVER = datetime.datetime(9999, 1, 1)  # noqa: DTZ001 - the wall clock of Shanghai, like all it is compared with


@lru_cache(maxsize=65_536)
def _minute(text: str) -> datetime.datetime | None:
    """The minute of "2025-03-04T10:15"; None where it is written otherwise or does not exist. Remembered: a day has
    few minutes and many events."""
    if not _USUAL_MINUTE(text):
        return None
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _latest_minute(appended_ms: int) -> datetime.datetime:
    """The first minute that is not surely past any more."""
    return _latest(appended_ms).replace(second=0, microsecond=0)


@lru_cache(maxsize=1024)
def _latest(appended_ms: int) -> datetime.datetime:
    """The latest time that an event may carry, in Shanghai. Records of one produce request share their append time."""
    moment = datetime.datetime.fromtimestamp(min(max(appended_ms, 0), _LAST_MS) / 1000, calendar.SHANGHAI)
    return moment.replace(tzinfo=None) + FUTURE_MAX


def _future_problem(time: str, record: Record) -> Problem | None:
    if envelope.instant(time) is None or is_exactly_past(time, record.timestamp):
        return None
    latest = _latest(record.timestamp).replace(tzinfo=calendar.SHANGHAI)
    appended = (latest - FUTURE_MAX).isoformat()
    return Problem(Reason.TIME_IN_FUTURE, f"ce_time {time} is more than 5 minutes after the record came, {appended}")


# The form of the data

_SKIP = msgspec.json.Decoder(msgspec.Raw)
_QUOTE = 34
_STEPS = {91: 1, 123: 1, 93: -1, 125: -1}  # [ { ] }
_FLESH = bytes(set(range(256)) - {_QUOTE, *_STEPS})


def _form_problem(value: bytes) -> Problem | None:
    try:
        value.decode()
    except UnicodeDecodeError as fault:
        return Problem(Reason.NOT_UTF8, f"byte {fault.start} of the value is not UTF-8")
    if value.startswith(codecs.BOM_UTF8):
        return Problem(Reason.BYTE_ORDER_MARK, "the value begins with a byte order mark")
    if _deeper_than(DEPTH_MAX, value):
        return Problem(Reason.TOO_DEEP, f"the value is nested deeper than {DEPTH_MAX} levels")
    try:
        _SKIP.decode(value)
    except msgspec.DecodeError as fault:
        return Problem(Reason.MALFORMED_JSON, legible(str(fault)))
    return None


def _deeper_than(levels: int, value: bytes) -> bool:
    # Counted by ourselves: how deep a parser can go depends on how deep its caller is.
    if value.count(b"[") + value.count(b"{") <= levels:
        return False
    bare = value.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _FLESH).replace(b'""', b"")
    depth, in_text = 0, False
    for byte in bare:
        if byte == _QUOTE:
            in_text = not in_text
        elif not in_text:
            depth += _STEPS[byte]
            if depth > levels:
                return True
    return False


def _with_whole_numbers(kind: Kind, value: bytes) -> Event | None:
    """The event of data in which whole numbers are written with a fraction of zeros, as JSON Schema takes them."""
    made, done = bytearray(), 0
    for token in _TEXT_OR_FLOAT.finditer(value):
        if token[1] and (number := _whole(token[1].decode())):
            made += value[done : token.start()] + number
            done = token.end()
    try:
        event: Event = kind.decoder.decode(made + value[done:])
    except msgspec.DecodeError:
        return None
    return event


_TEXT_OR_FLOAT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|(-?[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))')
_DIGITS_MAX = 32


def _whole(text: str) -> bytes | None:
    if len(text) > _DIGITS_MAX or abs((number := Decimal(text)).adjusted()) > _DIGITS_MAX:
        return None
    return b"%d" % number if number == number.to_integral_value() else None


_FAULTS = (
    ("Object missing required field", Reason.MISSING_FIELD),
    ("Object contains unknown field", Reason.UNKNOWN_FIELD),
    ("Invalid RFC3339 encoded date", Reason.BAD_DATE),
    ("Invalid enum value", Reason.BAD_CODE),
    ("Integer value out of range", Reason.AMOUNT_OUT_OF_RANGE),
)


def _field_problem(kind: Kind, fault: Exception) -> Problem:
    if not isinstance(fault, msgspec.ValidationError):
        return Problem(Reason.MALFORMED_JSON, legible(str(fault)))
    text, _, path = str(fault).partition(" - at ")
    reason = next((reason for start, reason in _FAULTS if text.startswith(start)), Reason.WRONG_KIND)
    return Problem(reason, f"{legible(path.strip('`') or '$')}: {legible(text)} ({kind.type})")


_ANYTHING = msgspec.json.Decoder()
_encode = msgspec.json.Encoder().encode


def has_each_key_once(value: bytes) -> bool:
    """Whether surely no key occurs twice in an object of JSON that can be read. What is read and written again has each
    once, and where no character is written by its number, its texts have the colons that were there: as many colons
    mean as many keys."""
    return b"\\" not in value and _encode(_ANYTHING.decode(value)).count(b":") == value.count(b":")


def _duplicate_key(value: bytes) -> Problem | None:
    try:
        json.loads(value, object_pairs_hook=_no_repeats, parse_int=str, parse_float=str)
    except _RepeatedKey as repeated:
        return Problem(Reason.DUPLICATE_KEY, f"the key {quoted(repeated.args[0])} occurs twice in one object")
    return None


class _RepeatedKey(Exception):
    pass


def _no_repeats(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _RepeatedKey(key)
        seen.add(key)


# What the data say

_LANE_KEY = re.compile(rb"lane-[0-9]{1,9}|[0-9]{6}").fullmatch


def _key_problem(key: bytes, event: Event, kind: Kind) -> Problem | None:
    expected = envelope.key_of(kind, event)
    if expected is None and _LANE_KEY(key):
        return None
    rule = "a key of the lane or an area code" if expected is None else f"its {kind.key}, {quoted(expected)}"
    return Problem(Reason.KEY_MISMATCH, f"the key is {quoted(key)}; that of {kind.type} is {rule}")


# The refusal


def _refused(record: Record, problem: Problem | None) -> Refused:
    if problem is None:
        raise AssertionError("a record was refused for no reason")
    source, id, type = (_attribute(record, name) for name in ("ce_source", "ce_id", "ce_type"))
    identity = envelope.identity_of(source.encode(), id.encode()) if source and id else None
    return Refused(record, problem.reason, problem.detail[:DETAIL_MAX], source, id, type, identity)


def _told_more(refused: Refused) -> Refused:
    """Of a record in structured mode, which event its value names, so that whoever wrote it finds it again; of one in a
    wrong lane, what other clients have to set."""
    record, value = refused.record, refused.record.value or b""
    if refused.reason is Reason.WRONG_LANE:
        return msgspec.structs.replace(refused, detail=f"{refused.detail}; {_CLIENTS}")
    if not _is_structured(record.headers) or len(value) > VALUE_MAX:
        return refused
    event = envelope.from_json(value)
    if isinstance(event, Problem) or envelope.named("source", event.source) or envelope.named("id", event.id):
        return refused
    identity = envelope.identity_of(event.source.encode(), event.id.encode())
    return msgspec.structs.replace(
        refused, source=event.source, id=event.id, type=_sound("type", event.type), identity=identity
    )


_CLIENTS = "kcat as librdkafka, sarama: NewMurmur2Partitioner, kafkajs: JavaCompatiblePartitioner"


def _is_structured(headers: envelope.Headers) -> bool:
    return any(name == "content-type" and (value or b"").startswith(STRUCTURED) for name, value in headers)


def _attribute(record: Record, name: str) -> str | None:
    raw = next((value for header, value in reversed(record.headers) if header == name), None)
    try:
        text = (raw or b"")[: 4 * envelope.ATTRIBUTE_MAX + 1].decode()
    except UnicodeDecodeError:
        return None
    return _sound(name, text)


def _sound(name: str, text: str) -> str | None:
    return text if envelope.named(name, text) is None else None
