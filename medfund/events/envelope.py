"""The envelope: CloudEvents 1.0, in binary mode (headers, of Kafka or HTTP) and as one JSON object (structured mode).

What stays true: `data` stays the bytes that the publisher wrote, in every form, so the digest is that of what it wrote;
an identity is 16 bytes of source and id, the same wherever the event is seen. What is an event in one form is the same
event in every other.
"""

import datetime
import re
from base64 import b64decode
from binascii import unhexlify
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from medfund.events.kinds import Event, Kind
from medfund.events.refusals import Problem, Reason, legible, quoted

ATTRIBUTE_MAX = 256
RETRY_OF = "retryof"
CONTENT_TYPE = b"application/json"

Headers = Sequence[tuple[str, bytes]]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way: its attributes, and its data as written. `key` is None where `data` gives it (`key_of`)."""

    id: str
    source: str
    type: str
    time: str
    data: bytes
    key: bytes | None = None
    retryof: str | None = None
    specversion: str = "1.0"


def headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The record headers of Kafka's binary mode."""
    pairs = [
        ("ce_specversion", envelope.specversion.encode()),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_time", envelope.time.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.retryof is not None:
        pairs.append((f"ce_{RETRY_OF}", envelope.retryof.encode()))
    return pairs


def key_of(kind: Kind, event: Event) -> bytes | None:
    """The record key of an event; None for what is written into every lane (`partition.lane_key`)."""
    if kind.key == "provider":
        return event.provider.encode()  # type: ignore[attr-defined, no-any-return]
    return event.area.encode() if kind.key == "area" else None  # type: ignore[attr-defined]


# Identity and digest


def identity_of(source: bytes, id: bytes) -> bytes:
    """16 bytes of SHA-256 over source and id; behind the time of the id where the id is a UUIDv7, since an index of
    identities that arrive in the order of time stays small in memory."""
    digest = sha256(source + b"\0" + id).digest()
    if len(id) == 36 and id[14] == _SEVEN and id[8] == id[13] == id[18] == id[23] == _DASH:
        try:
            return unhexlify(id[:8] + id[9:13]) + digest[6:16]
        except ValueError:
            return digest[:16]
    return digest[:16]


_SEVEN, _DASH = b"7-"


def digest_of(type: bytes, time: bytes, data: bytes) -> bytes:
    """16 bytes of SHA-256 over what the event says: the same id with another digest is a conflict."""
    return sha256(b"%b\0%b\0%b" % (type, time, data)).digest()[:16]


# Attributes

REQUIRED = ("specversion", "id", "source", "type", "time")

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:([0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def instant(text: str) -> datetime.datetime | None:
    """The moment of an RFC 3339 time with an offset; None where it is not one, or lies before 1970.

    A leap second is the moment at which it ends.
    """
    written = _TIME(text)
    if written is None:
        return None
    try:
        if written[1] == "60":
            moment = datetime.datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper()) + datetime.timedelta(
                seconds=1
            )
        else:
            moment = datetime.datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError):
        return None
    return moment if moment >= _EPOCH else None


_HOURS = [datetime.timezone(datetime.timedelta(hours=hours)) for hours in range(-12, 15)]


def spellings(text: str) -> Iterator[str]:
    """How clients may write the instant of a time: with Z or the offset of any whole hour, and zeros behind it."""
    written, moment = _TIME(text), instant(text)
    if written is None or moment is None:
        return
    whole, fraction = moment.replace(microsecond=0), (written[2] or "").rstrip("0")
    fractions = [fraction.ljust(digits, "0") for digits in range(len(fraction), 10)]
    for zone in _HOURS:
        local = whole.astimezone(zone).isoformat()
        for digits in fractions:
            clock = f"{local[:-6]}.{digits}" if digits else local[:-6]
            yield f"{clock}{local[-6:]}"
            if not zone.utcoffset(None):
                yield f"{clock}Z"


def named(name: str, value: str) -> Problem | None:
    """The test of `id` and `source`: 1 to 256 printable characters."""
    if 0 < len(value) <= ATTRIBUTE_MAX and value.isprintable():
        return None
    return Problem(
        Reason.BAD_ATTRIBUTE,
        f"{name}: {quoted(value)} ({len(value)} characters) is not 1 to {ATTRIBUTE_MAX} printable characters",
    )


# Structured mode

_NULL = b"null"
"""A member that is null is as if it were not there (CloudEvents JSON format, 2.2)."""
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_ENVELOPE = frozenset(REQUIRED) - {"type"} | {"data", "data_base64"}
_OURS = frozenset((*REQUIRED, "datacontenttype", "partitionkey", RETRY_OF))


class _Plain(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What nearly every event is: the six members that must be there, and no other."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    data: msgspec.Raw


_PLAIN = msgspec.json.Decoder(_Plain)


def from_json(document: bytes) -> Envelope | Problem:
    """The event in one JSON object of structured mode: attributes beside `data`. Never raises."""
    try:
        plain = _PLAIN.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _from_any_json(document)
    data = bytes(plain.data)
    # As many colons as six members have: none occurs twice. Any doubt goes to the exact test, three times slower.
    texts = f"{plain.specversion}{plain.id}{plain.source}{plain.type}{plain.time}"
    if document.count(b":") != 6 + texts.count(":") + data.count(b":") or data == _NULL:
        return _from_any_json(document)
    return Envelope(
        id=plain.id, source=plain.source, type=plain.type, time=plain.time, specversion=plain.specversion, data=data
    )


def _from_any_json(document: bytes) -> Envelope | Problem:
    try:
        members = _MEMBERS.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return _shape_problem(document) or Problem(Reason.MALFORMED_JSON, f"not a JSON object: {legible(str(fault))}")
    if repeated := _repeat_problem(document, members):
        return repeated
    given = {name: bytes(raw) for name, raw in members.items() if bytes(raw) != _NULL}
    data = given.pop("data", None)
    if "data_base64" in given:
        data = None if data is not None else _decoded(given.pop("data_base64"))
        if data is None:
            return Problem(Reason.BAD_ATTRIBUTE, "data_base64 is not base64, or there is data beside it")
    return _enveloped(given, data)


def _shape_problem(document: bytes) -> Problem | None:
    """What a text is that is no object, where many files are so."""
    if document.startswith(BOM_UTF8):
        return Problem(Reason.BYTE_ORDER_MARK, "it begins with a byte order mark: save it as UTF-8 without one")
    text = document.strip()
    if text.startswith(b"["):
        return Problem(Reason.MALFORMED_JSON, "a JSON array where one event is expected, an object")
    if text in (b"{", b"}", b"},") or text.startswith(b'"'):
        return Problem(
            Reason.MALFORMED_JSON, "a piece of JSON that goes over several lines: one event stands on one line"
        )
    return None


def _repeat_problem(document: bytes, members: Mapping[str, msgspec.Raw]) -> Problem | None:
    # every member has one colon of its own, besides those inside its name and its value
    colons = sum(name.count(":") + bytes(raw).count(b":") for name, raw in members.items())
    if document.count(b":") != len(members) + colons:
        return Problem(Reason.DUPLICATE_KEY, "an attribute occurs twice")
    return None


def _decoded(raw: bytes) -> bytes | None:
    try:
        return b64decode(_TEXT.decode(raw), validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None


def _enveloped(given: Mapping[str, bytes], data: bytes | None) -> Envelope | Problem:
    ours: dict[str, str] = {}
    for name, raw in given.items():
        if not _NAME(name):
            return _misnamed(name, given)
        try:
            value = _ATTRIBUTE.decode(raw)
        except msgspec.ValidationError:
            return Problem(Reason.BAD_ATTRIBUTE, f"{name} is no text, whole number or boolean")
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            return Problem(Reason.MALFORMED_JSON, f"{name}: {legible(str(fault))}")
        if name in _OURS:
            if not isinstance(value, str):
                return Problem(Reason.BAD_ATTRIBUTE, f"{name} is no text")
            ours[name] = value
    return of(ours, data)


_NAME = re.compile(r"[a-z0-9]{1,64}").fullmatch
_ATTRIBUTE = msgspec.json.Decoder(str | bool | int)


def _misnamed(name: str, given: Mapping[str, bytes]) -> Problem:
    if not given.keys() & _ENVELOPE:
        return _no_envelope()
    return Problem(Reason.BAD_ATTRIBUTE, f"{quoted(name)} is not the name of an attribute: small letters and digits")


def _no_envelope() -> Problem:
    return Problem(
        Reason.MISSING_ATTRIBUTE,
        "no envelope: specversion, id, source, type and time stand beside data, and what is here stands inside it",
    )


def of(attributes: Mapping[str, str], data: bytes | None) -> Envelope | Problem:
    """The event of its attributes and data. What an attribute that is not ours says is nobody's business here: it is
    taken, and left behind."""
    if not attributes.keys() & _ENVELOPE:
        return _no_envelope()
    for name in REQUIRED:
        if name not in attributes:
            return Problem(Reason.MISSING_ATTRIBUTE, f"{name} is missing")
    if data is None:
        return Problem(Reason.MISSING_ATTRIBUTE, "data is missing")
    content_type = attributes.get("datacontenttype")
    if not is_json(content_type):
        return Problem(Reason.BAD_ATTRIBUTE, f"datacontenttype: {quoted(content_type)} is not application/json")
    key = attributes.get("partitionkey")
    return Envelope(
        **{name: attributes[name] for name in REQUIRED},
        retryof=attributes.get(RETRY_OF),
        key=None if key is None else key.encode(),
        data=data,
    )


def is_json(content_type: str | None) -> bool:
    """Whether data may be of this type: with whatever parameter ("; charset=utf-8"), for data are UTF-8 or refused."""
    return content_type is None or content_type.partition(";")[0].strip().lower() == "application/json"


# Binary mode over HTTP

HTTP_PREFIX = "ce-"


def from_http(headers: Iterable[tuple[str, str]], body: bytes) -> Envelope | Problem:
    """The event whose attributes are headers, a character for each byte, and whose data are the body. Never raises."""
    attributes: dict[str, str] = {}
    for header, value in headers:
        name = header.lower().removeprefix(HTTP_PREFIX)
        if name == header.lower() and name != "content-type":
            continue
        name = "datacontenttype" if name == "content-type" else name
        if name in attributes:
            return Problem(Reason.BAD_ATTRIBUTE, f"the header {quoted(header)} occurs twice")
        try:
            attributes[name] = _ESCAPED.sub(_byte, value.encode("latin-1")).decode()
        except UnicodeError:
            return Problem(Reason.BAD_ATTRIBUTE, f"the header {quoted(header)} is not UTF-8, nor its % escapes")
    return of(attributes, body)


_ESCAPED = re.compile(b"%([0-9A-Fa-f]{2})")


def _byte(escaped: re.Match[bytes]) -> bytes:
    return unhexlify(escaped[1])


def to_json(envelope: Envelope) -> bytes:
    """The structured form: one JSON object with `data` as it was written."""
    members: dict[str, Any] = {name: getattr(envelope, name) for name in REQUIRED}
    if envelope.retryof is not None:
        members[RETRY_OF] = envelope.retryof
    if envelope.key is not None:
        members["partitionkey"] = envelope.key.decode()
    return msgspec.json.encode({**members, "data": msgspec.Raw(envelope.data)})


# On the way to Kafka


class Outgoing(msgspec.Struct, kw_only=True):
    """A record that is not on the log yet, in the shape that the codec reads."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers
