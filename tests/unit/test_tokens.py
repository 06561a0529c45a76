"""Access tokens: a good one says who calls; everything else is refused at once and without looking anywhere."""

import base64
import hashlib
import hmac
import json
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from medfund.http import tokens
from medfund.http.tokens import Role, TokenRefused

NOW = 1_760_000_000
KEY = OKPKey.generate_key("Ed25519")
OTHER_KEY = OKPKey.generate_key("Ed25519")
PUBLIC = OKPKey.import_key(KEY.as_pem(private=False))
FINANCE: dict[str, Any] = {"role": "finance", "areas": ["152500"], "organisations": ["*"], "subject": "li", "ttl_s": 60}


def issued(**changes: Any) -> str:
    return tokens.issue(KEY, **{**FINANCE, **changes}, now_s=NOW)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def part(token: str, index: int) -> dict[str, Any]:
    piece = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))  # type: ignore[no-any-return]


def signed(header: Any, claims: Any, key: OKPKey = KEY) -> str:
    """Whatever header and claims, with a signature that is good."""
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    signature = key.private_key.sign(text.encode())  # type: ignore[union-attr]
    return f"{text}.{b64(signature)}"


def with_header(**changes: Any) -> str:
    good = issued()
    return signed({**part(good, 0), **changes}, part(good, 1))


def with_claims(**changes: Any) -> str:
    good = issued()
    return signed(part(good, 0), {k: v for k, v in {**part(good, 1), **changes}.items() if v is not None})


def hs256_with_the_public_key() -> str:
    text = f"{b64(json.dumps({'alg': 'HS256', 'typ': tokens.TYPE}).encode())}.{issued().split('.')[1]}"
    return f"{text}.{b64(hmac.digest(PUBLIC.as_pem(private=False), text.encode(), hashlib.sha256))}"


def two_signatures() -> str:
    header, claims, signature = issued().split(".")
    one = {"protected": header, "signature": signature}
    return json.dumps({"payload": claims, "signatures": [one, one]})


def tampered() -> str:
    header, _, signature = issued().split(".")
    other = b64(json.dumps({**part(issued(), 1), "role": "auditor"}).encode())
    return f"{header}.{other}.{signature}"


JWK = PUBLIC.as_dict(private=False)

REFUSED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "dots only": lambda: "..",
    "not base64": lambda: "a.b.c",
    "not ascii": lambda: "医.保.金",
    "alg none": lambda: signed({"alg": "none", "typ": tokens.TYPE}, part(issued(), 1)).rsplit(".", 1)[0] + ".",
    "alg None": lambda: with_header(alg="None"),
    "alg nOnE": lambda: with_header(alg="nOnE"),
    "alg EdDSA, an older name": lambda: with_header(alg="EdDSA"),
    "alg missing": lambda: signed({"typ": tokens.TYPE}, part(issued(), 1)),
    "HS256 keyed with the public key": hs256_with_the_public_key,
    "embedded jwk": lambda: with_header(jwk=JWK),
    "jku": lambda: with_header(jku="http://127.0.0.1:1/keys"),
    "x5u": lambda: with_header(x5u="http://127.0.0.1:1/chain"),
    "x5c": lambda: with_header(x5c=["AA"]),
    "kid is a path": lambda: with_header(kid="../../../dev/null"),
    "kid is SQL": lambda: with_header(kid="' or '1'='1"),
    "unknown crit": lambda: with_header(crit=["exp"], exp=1),
    "unencoded payload": lambda: with_header(b64=False, crit=["b64"]),
    "header is a list": lambda: signed([1], part(issued(), 1)),
    "header is deep": lambda: "[" * 100_000,
    "two signatures": two_signatures,
    "1 MB": lambda: issued() + "A" * (1 << 20),
    "PBES2 encrypted": lambda: (
        b64(b'{"alg":"PBES2-HS512+A256KW","p2c":2147483647,"p2s":"AA","enc":"A256GCM"}') + ".a.b.c.d"
    ),
    "signed by another key": lambda: signed(part(issued(), 0), part(issued(), 1), OTHER_KEY),
    "claims changed": tampered,
    "signature cut": lambda: issued()[:-2],
    "signature with padding": lambda: issued() + "=",
    "white space": lambda: " " + issued(),
    "expired": lambda: tokens.issue(KEY, **FINANCE, now_s=NOW - 3600),
    "not yet valid": lambda: tokens.issue(KEY, **FINANCE, now_s=NOW + 3600),
    "other audience": lambda: with_claims(aud="billing"),
    "several audiences": lambda: with_claims(aud=["medfund", "billing"]),
    "other issuer": lambda: with_claims(iss="elsewhere"),
    "an ID token": lambda: with_header(typ="JWT"),
    "typ missing": lambda: signed({"alg": tokens.ALGORITHM}, part(issued(), 1)),
    "exp missing": lambda: with_claims(exp=None),
    "exp is text": lambda: with_claims(exp="9999999999"),
    "exp is a fraction": lambda: with_claims(exp=9999999999.5),
    "role unknown": lambda: with_claims(role="root"),
    "role missing": lambda: with_claims(role=None),
    "scope missing": lambda: with_claims(areas=None),
    "scope is text": lambda: with_claims(areas="152500"),
    "scope is not a code": lambda: with_claims(areas=["152500,*"]),
    "a claim nobody asked for": lambda: with_claims(admin=True),
    "claims are a list": lambda: signed(part(issued(), 0), [1]),
    "a provider for all organisations": lambda: with_claims(role="provider", organisations=["*"]),
    "a provider for an area": lambda: with_claims(role="provider", organisations=["152500"]),
    "subject that no event could name": lambda: with_claims(sub="Li, finance"),
    "subject with blanks around it": lambda: with_claims(sub=" li"),
    "subject in other letters": lambda: with_claims(sub="李"),
    "subject too long": lambda: with_claims(sub="l" * 65),
    "subject with a line break": lambda: with_claims(sub="li\nrole=auditor"),
}


def test_a_good_token_says_who_calls() -> None:
    token = issued(role="publisher", organisations=["H15250200017"], sources=["/gateway/152500"])
    principal = tokens.verify(PUBLIC, token, now_s=NOW + 59)
    assert principal == tokens.Principal(
        subject="li",
        role=Role.publisher,
        areas=("152500",),
        organisations=("H15250200017",),
        sources=("/gateway/152500",),
    )


@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_token_is_refused_quickly_and_without_the_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = REFUSED[name]()
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("the network was asked"))
    best_ms = min(_ms_to_refuse(token) for _ in range(3))
    assert best_ms <= 5


def _ms_to_refuse(token: str) -> float:
    started = time.perf_counter()
    with pytest.raises(TokenRefused):
        tokens.verify(PUBLIC, token, now_s=NOW)
    return (time.perf_counter() - started) * 1000


def test_scopes_see_what_they_name_and_nothing_else() -> None:
    one = tokens.Principal(subject="a", role=Role.provider, areas=("152500",), organisations=("H15250200017",))
    assert one.may_see_area("152500")
    assert not one.may_see_area("152501")
    assert not one.may_see_area(None)
    assert one.may_see_organisation("", "H15250200017")
    assert not one.may_see_organisation("H15250200018", None)
    publisher = tokens.Principal(subject="a", role=Role.publisher, areas=("*",), organisations=("*",), sources=("/a",))
    assert publisher.may_speak_as("/a")
    assert not publisher.may_speak_as("/b")
    everything = tokens.Principal(subject="a", role=Role.auditor, areas=("*",), organisations=("*",), sources=("*",))
    assert everything.may_see_area(None)
    assert everything.may_speak_as("/gateway/152500")


@pytest.mark.parametrize(
    "wrong",
    [{"role": "root"}, {"role": "provider"}, {"areas": ["1,2"]}, {"subject": ""}, {"subject": "Li, finance"}],
    ids=lambda wrong: "-".join(map(str, *wrong.items())),
)
def test_a_token_that_would_be_refused_is_not_issued(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        issued(**wrong)


def test_keys_are_made_once_and_the_private_one_is_for_its_owner_only(tmp_path: Path) -> None:
    keys = tokens.make_keys(tmp_path / "keys")
    assert tokens.make_keys(tmp_path / "keys") == keys
    assert stat.S_IMODE(keys.private.stat().st_mode) == 0o600
    token = tokens.issue(tokens.load_key(keys.private), **FINANCE)
    assert tokens.verify(tokens.load_key(keys.public), token).subject == "li"
    assert not tokens.load_key(keys.public).is_private
