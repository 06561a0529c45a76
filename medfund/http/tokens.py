"""Signed access tokens: who calls, in which role, for which areas, organisations and sources.

A token is a compact JWS with exactly one algorithm and one header: nothing in it can choose a key, a place to fetch
one from, or another algorithm. Whatever is odd about it is `TokenRefused`, without saying what to the caller.
"""

import os
import time
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

from medfund import codes, people
from medfund.environment import Incomplete

ALGORITHM = "Ed25519"
TYPE = "at+jwt"
ISSUER = AUDIENCE = "medfund"
TOKEN_BYTES_MAX = 8192
CLOCK_SKEW_S = 5
PRIVATE, PUBLIC = "token-private.pem", "token-public.pem"
EVERYTHING = "*"
"""In place of codes: all areas, all organisations or all sources."""

_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM])


class Role(StrEnum):
    publisher = "publisher"
    provider = "provider"
    supplier = "supplier"
    finance = "finance"
    approver = "approver"
    operator = "operator"
    auditor = "auditor"
    office = "office"
    """Of the agency's administration: who may approve, who may speak, the rules. It moves no money."""


ORGANISATION_ROLES = frozenset({Role.provider, Role.supplier})
"""Roles that speak for named organisations only, never for all."""
READERS = frozenset({Role.provider, Role.finance, Role.approver, Role.operator, Role.auditor})
"""Who may look at what is of providers."""
AGENCY = READERS - {Role.provider}
PAYERS = frozenset({Role.finance, Role.approver})
"""Who moves money, two of them together."""


class TokenRefused(Exception):
    """The token does not prove anything. The reason is for our log, not for the caller."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls. Empty scopes see nothing; `EVERYTHING` must be said."""

    subject: str
    role: Role
    areas: tuple[str, ...]
    organisations: tuple[str, ...]
    sources: tuple[str, ...] = ()

    def may_see_area(self, area: str | None) -> bool:
        return _covers(self.areas, area)

    def may_see_organisation(self, *organisations: str | None) -> bool:
        return any(_covers(self.organisations, organisation) for organisation in organisations)

    def may_speak_as(self, source: str) -> bool:
        """A publisher is bound to its sources; the other roles to areas and organisations only."""
        return self.role != Role.publisher or _covers(self.sources, source)


def _covers(scope: Collection[str], code: str | None) -> bool:
    return EVERYTHING in scope or code in scope


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: Literal["Ed25519"]
    typ: Literal["at+jwt"]


class _Claims(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    iss: Literal["medfund"]
    aud: Literal["medfund"]
    sub: str
    iat: int
    nbf: int
    exp: int
    role: Role
    areas: tuple[str, ...]
    organisations: tuple[str, ...]
    sources: tuple[str, ...]


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode


def _is_no_organisation(code: str) -> bool:
    """All of them, or an area: the area's own money is of no organisation."""
    return code == EVERYTHING or codes.is_area(code)


class Keys(NamedTuple):
    private: Path
    public: Path


def make_keys(folder: Path) -> Keys:
    """The key pair of a folder, made where there is none. Only the issuer needs the private one."""
    keys = Keys(folder / PRIVATE, folder / PUBLIC)
    if not keys.private.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = OKPKey.generate_key("Ed25519")
        keys.public.write_bytes(key.as_pem(private=False))
        _write_private(keys.private, key.as_pem(private=True))
    return keys


def _write_private(path: Path, content: bytes) -> None:
    # Readable by its owner from the first moment, and whole or absent: a half-written key would never be replaced.
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.rename(path)


def load_key(path: Path) -> OKPKey:
    """A key, private or public, from its PEM file. Raises `Incomplete`."""
    try:
        return OKPKey.import_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Incomplete(f"{path}, a key of tokens (MEDFUND_TOKEN_PUBLIC_KEY), cannot be read: {error}") from error


def issue(
    private_key: OKPKey,
    *,
    role: Role | str,
    areas: Collection[str],
    organisations: Collection[str],
    sources: Collection[str] = (),
    subject: str,
    ttl_s: int,
    now_s: int | None = None,
) -> str:
    """A token for one caller. Raises `ValueError` for an unknown role, or a scope that the role cannot have."""
    principal = Principal(
        subject=subject,
        role=Role(role),
        areas=tuple(areas),
        organisations=tuple(organisations),
        sources=tuple(sources),
    )
    if flaw := _flaw(principal):
        raise ValueError(flaw)
    now = int(time.time()) if now_s is None else now_s
    times = {"iat": now, "nbf": now, "exp": now + ttl_s}
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, **times, **_scopes(principal)}
    return jws.serialize_compact(
        {"alg": ALGORITHM, "typ": TYPE}, msgspec.json.encode(claims), private_key, registry=_REGISTRY
    )


def _scopes(principal: Principal) -> dict[str, object]:
    return {name: getattr(principal, name) for name in ("role", "areas", "organisations", "sources")}


def verify(public_key: OKPKey, token: str, *, now_s: int | None = None) -> Principal:
    """Who calls. Raises `TokenRefused`; does no I/O whatever the token says."""
    # The size comes first: everything after it works on a few kilobytes at most.
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenRefused("too long")
    claims = _claims(public_key, token)
    now = int(time.time()) if now_s is None else now_s
    if now >= claims.exp + CLOCK_SKEW_S:
        raise TokenRefused("expired")
    if now < claims.nbf - CLOCK_SKEW_S:
        raise TokenRefused("not yet valid")
    principal = Principal(
        subject=claims.sub,
        role=claims.role,
        areas=claims.areas,
        organisations=claims.organisations,
        sources=claims.sources,
    )
    if flaw := _flaw(principal):
        raise TokenRefused(flaw)
    return principal


def _claims(public_key: OKPKey, token: str) -> _Claims:
    try:
        header, _, _ = token.partition(".")
        _decode_header(urlsafe_b64decode(header.encode("ascii")))
        signed = jws.deserialize_compact(token.encode("ascii"), public_key, registry=_REGISTRY)
        return _decode_claims(signed.payload)
    except (JoseError, ValueError, msgspec.MsgspecError) as error:
        raise TokenRefused(type(error).__name__) from error


def _flaw(principal: Principal) -> str | None:
    if not people.may_act(principal.subject):
        return "a subject is a reference of a person or a system: 1 to 64 letters, digits and . _ : / -"
    scopes = (*principal.areas, *principal.organisations)
    if not all(code == EVERYTHING or (code.isascii() and code.isalnum()) for code in scopes):
        return "areas and organisations are codes"
    if not all(source.isprintable() and "," not in source for source in principal.sources):
        return "sources are URI references without commas"
    if principal.role in ORGANISATION_ROLES and any(map(_is_no_organisation, principal.organisations)):
        return f"a {principal.role} is bound to named organisations"
    return None
