"""The envelope: CloudEvents 1.0, in Kafka's binary mode (headers) and as one JSON object (structured mode).

What stays true: `data` stays the bytes that the publisher wrote, in every form, so the digest is that of what it wrote;
an identity is 16 bytes of source and id, the same wherever the event is seen.
"""

import datetime
import re
from binascii import unhexlify
from collections.abc import Mapping, Sequence
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

_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]\+08:00").fullmatch
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:([0-9]{2})(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
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


def named(name: str, value: str) -> Problem | None:
    """The test of `id` and `source`: 1 to 256 printable characters."""
    if 0 < len(value) <= ATTRIBUTE_MAX and value.isprintable():
        return None
    return Problem(
        Reason.BAD_ATTRIBUTE,
        f"{name}: {quoted(value)} ({len(value)} characters) is not 1 to {ATTRIBUTE_MAX} printable characters",
    )


# Structured mode

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_OPTIONAL = ("datacontenttype", "partitionkey", RETRY_OF)


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
    if document.count(b":") != 6 + texts.count(":") + data.count(b":"):
        return _from_any_json(document)
    return Envelope(
        id=plain.id, source=plain.source, type=plain.type, time=plain.time, specversion=plain.specversion, data=data
    )


def _from_any_json(document: bytes) -> Envelope | Problem:
    try:
        members = _MEMBERS.decode(document)
        texts = {name: _TEXT.decode(raw) for name, raw in members.items() if name != "data"}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return Problem(Reason.MALFORMED_JSON, f"not a JSON object with text attributes: {legible(str(fault))}")
    return _member_problem(document, members) or _enveloped(members["data"], texts)


def _member_problem(document: bytes, members: Mapping[str, msgspec.Raw]) -> Problem | None:
    for name in (*REQUIRED, "data"):
        if name not in members:
            return Problem(Reason.MISSING_ATTRIBUTE, f"{name} is missing")
    for name in members:
        if name not in REQUIRED and name not in _OPTIONAL and name != "data":
            return Problem(Reason.BAD_ATTRIBUTE, f"{quoted(name)} is not an attribute of our events")
    # every member has one colon of its own, besides those inside its value
    if document.count(b":") != len(members) + sum(bytes(raw).count(b":") for raw in members.values()):
        return Problem(Reason.DUPLICATE_KEY, "an attribute occurs twice")
    return None


def _enveloped(data: msgspec.Raw, texts: Mapping[str, str]) -> Envelope | Problem:
    if texts.get("datacontenttype", "application/json") != "application/json":
        return Problem(
            Reason.BAD_ATTRIBUTE, f"datacontenttype: {quoted(texts['datacontenttype'])} is not application/json"
        )
    return Envelope(
        id=texts["id"],
        source=texts["source"],
        type=texts["type"],
        time=texts["time"],
        specversion=texts["specversion"],
        retryof=texts.get(RETRY_OF),
        key=texts["partitionkey"].encode() if "partitionkey" in texts else None,
        data=bytes(data),
    )


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
