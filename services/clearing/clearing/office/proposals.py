"""What takes two people of the office: who may approve, who may speak, the rules of an area, what the books begin with;
whom suppliers' money is paid to, up to what, which fund takes it over, and what hospitals owe them from before.

Pure. What stays true: what one of them proposed is what the other one agrees to, word for word, and both are on the
event; of a mandate, neither is the person whom it is for. Source: reliability 76, c.2 (1, 21, 46, 47,
63, 67), R3.5-R3.7.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

import msgspec

from clearing import policy
from clearing.funds import fens, total, yuans
from medfund import codes, people
from medfund.events.agency import policy_hash
from medfund.events.sources import SourceRegistered
from medfund.parameters import BadPolicy

Kind = Literal["mandate", "source", "policy", "balance", "item", "payee", "cap", "true_up", "arrears", "clearance"]
TYPES: Mapping[Kind, str] = {
    "mandate": "staff.mandated.v1",
    "source": "source.registered.v1",
    "policy": "policy.published.v1",
    "balance": "opening.balance.recorded.v1",
    "item": "opening.item.recorded.v1",
    "payee": "supplier.payee.assigned.v1",
    "cap": "direct.cap.set.v1",
    "true_up": "inter_fund.true_up.agreed.v1",
    "arrears": "arrears.registered.v1",
    "clearance": "arrears.cleared.v1",
}
ABOUT: Mapping[Kind, Sequence[str]] = {
    "balance": ("account", "bank_account", "bank_txn"),
    "payee": ("supplier", "provider", "payable_ref"),
    "cap": ("provider",),
    "arrears": ("provider", "supplier", "arrears_ref"),
}
"""Of what stands only in what two people have said before: which members say that it is the same. Of a balance it is an
account, or what nobody had placed one line of."""
DECIDED: Collection[Kind] = ("item", "true_up")
"""What is done when it is decided; the rest is known as soon as it is said."""
EVERY_AREA = "*"
SECOND = "second-person"
"""Stands for whoever is to agree, while the contract looks at what was proposed."""


class Change(NamedTuple):
    """One thing that would be said otherwise; None where it is not said."""

    name: str
    now: str | None
    then: str | None


def data(kind: Kind, says: Mapping[str, Any], proposed_by: str, approved_by: str) -> dict[str, Any]:
    """Of the event that two people say."""
    told = {**says, "approvers": [proposed_by, approved_by]}
    if kind == "policy" and isinstance(says.get("parameters"), dict):
        told["hash"] = policy_hash({name: str(text) for name, text in says["parameters"].items()})
    return told


def hash_of(kind: Kind, says: Mapping[str, Any]) -> str:
    """What a proposal is agreed to by."""
    return hashlib.sha256(msgspec.json.encode((kind, says), order="sorted")).hexdigest()


def unfit(kind: Kind, event: Any) -> str | None:
    """Why an event of the right form could not be followed."""
    if kind == "source":
        return _speaks_for_none(event)
    if kind != "policy":
        return None
    try:
        policy.parse(event)
    except BadPolicy as error:
        return f"parameters: {error}"
    return None


def _speaks_for_none(event: SourceRegistered) -> str | None:
    if event.organisations and "supplier" in event.speakers and not any(map(codes.is_uscc, event.organisations)):
        return "organisations: a supplier is named by its unified social credit code"
    return None


def areas(says: Mapping[str, Any]) -> Sequence[str]:
    """The areas that it is about, as far as it names them."""
    return [says["area"]] if "area" in says else sorted(says.get("areas") or [])


def filed_under(says: Mapping[str, Any]) -> str:
    """The area in which it is found."""
    return next(iter(areas(says)), EVERY_AREA)


def is_for(kind: Kind, says: Mapping[str, Any], person: str) -> bool:
    """Whether a person would decide something of their own."""
    return kind == "mandate" and people.same(person, says["staff_ref"])


def in_force(kind: Kind, says: Mapping[str, Any], known: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of what was said before, in its order: what this would take the place of, or add to. Items begin once."""
    match kind:
        case "mandate":
            found = [one for one in known if people.same(one["staff_ref"], says["staff_ref"])]
        case "source":
            found = [one for one in known if one["source"] == says["source"]]
        case "policy":
            found = sorted(
                (one for one in known if one["valid_from"] <= says["valid_from"]),
                key=lambda one: date.fromisoformat(one["valid_from"]),
            )
        case "item" | "true_up" | "clearance":
            found = []
        case _:
            found = [one for one in known if all(one.get(name) == says.get(name) for name in ABOUT[kind])]
    if kind == "balance" and found:
        return {"area": says["area"], "amounts": yuans(total(fens(one["amounts"]) for one in found))}
    return found[-1] if found else None


def becomes(kind: Kind, now: Mapping[str, Any] | None, says: Mapping[str, Any]) -> Mapping[str, Any]:
    """What would be in force: what was said; of a balance the sum, a line of suspense that is there adds none."""
    if kind != "balance" or now is None:
        return says
    begun, more = fens(now["amounts"]), {} if says.get("bank_txn") else fens(says["amounts"])
    return {**says, "amounts": yuans({fund: begun.get(fund, 0) + more.get(fund, 0) for fund in {*begun, *more}})}


def changes(now: Mapping[str, Any] | None, then: Mapping[str, Any]) -> list[Change]:
    """What would be otherwise, name by name; parameters of rules each by itself."""
    before, after = _texts(_whole(now or {})), _texts(_whole(then))
    return [
        Change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _whole(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a source names no areas, it speaks for all: the widest that can be said is not left unsaid."""
    return {**said, "areas": "every area"} if "areas" in said and said["areas"] is None else said


def _texts(said: Mapping[str, Any], within: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in said.items():
        if name in ("approvers", "hash") or value is None:
            continue
        match value:
            case dict():
                found |= _texts(value, f"{within}{name}.")
            case [dict(), *_]:
                found |= _texts({f"{name}.{number}": one for number, one in enumerate(value, 1)}, within)
            case list():
                found[f"{within}{name}"] = " ".join(map(str, value))
            case _:
                found[f"{within}{name}"] = str(value)
    return found
