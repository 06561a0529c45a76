"""Tokens for those who work with the local stack; its data folder keeps the key that signs them.

Nothing is guessed: whom a token speaks for, and where, is said by whoever has it made.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from medfund.http import tokens
from medfund.http.tokens import EVERYTHING, Role
from medfund.local import CannotRun

TTL_S = 24 * 3600
BOUND: Mapping[Role, Sequence[str]] = {
    Role.publisher: ("area", "source"),
    Role.provider: ("organisation",),
    Role.supplier: ("organisation",),
    Role.finance: ("area",),
    Role.approver: ("area",),
    Role.office: ("area",),
}
"""What a role's token has to name. What is not named here is as wide as the role allows."""
ONE_OF_EACH: Mapping[Role, Sequence[str]] = {Role.provider: ["H15250200001"], Role.supplier: ["91152502MA0000001L"]}
"""The organisations of the synthetic city `xilingol` that the tokens shown by `up` speak for."""


class NoKeys(CannotRun):
    """Nobody has made a stack, or keys, in this folder."""


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
    """A token signed with the key of a folder. Raises `NoKeys`, and `ValueError` where it does not say what it must."""
    named = {"area": areas, "organisation": organisations, "source": sources}
    if missing := [name for name in BOUND.get(Role(role), ()) if not named[name]]:
        options = " and ".join(f"--{name}" for name in missing)
        raise ValueError(f"a token of a {role} has to name {options}")
    key = data / tokens.PRIVATE
    if not key.exists():
        raise NoKeys(
            f"there is no stack in {data}, and no keys: `medfund up` makes both, `medfund keys` the keys alone"
        )
    return tokens.issue(
        tokens.load_key(key),
        role=role,
        areas=areas or (EVERYTHING,),
        organisations=organisations or (EVERYTHING,),
        sources=sources,
        subject=subject or f"local-{role}",
        ttl_s=ttl_s,
    )


def one_of_each(data: Path) -> dict[str, str]:
    """A token per role, as wide as the role allows."""
    return {
        role.value: issue(
            data,
            role,
            areas=[EVERYTHING],
            organisations=ONE_OF_EACH.get(role, [EVERYTHING]),
            sources=[EVERYTHING] if role == Role.publisher else [],
        )
        for role in Role
    }
