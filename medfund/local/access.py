"""Tokens for those who work with the local stack; its data folder keeps the key that signs them."""

from collections.abc import Sequence
from pathlib import Path

from medfund.http import tokens
from medfund.http.tokens import EVERYTHING, Role

TTL_S = 24 * 3600
# Roles of one organisation speak for these two of the synthetic city `xilingol` unless told otherwise.
ORGANISATIONS = {Role.provider: "H15250200001", Role.supplier: "91152502MA0000001L"}


def issue(
    data: Path,
    role: str,
    *,
    areas: Sequence[str] = (),
    organisations: Sequence[str] = (),
    sources: Sequence[str] = (),
    subject: str = "",
    ttl_s: int = TTL_S,
) -> str:
    """A token of this stack; what is not narrowed down is as wide as the role allows."""
    keys = tokens.make_keys(data)
    return tokens.issue(
        tokens.load_key(keys.private),
        role=role,
        areas=areas or (EVERYTHING,),
        organisations=organisations or (ORGANISATIONS.get(Role(role), EVERYTHING),),
        sources=sources or ((EVERYTHING,) if role == Role.publisher else ()),
        subject=subject or f"local {role}",
        ttl_s=ttl_s,
    )


def one_of_each(data: Path) -> dict[str, str]:
    """A token per role."""
    return {role.value: issue(data, role) for role in Role}
