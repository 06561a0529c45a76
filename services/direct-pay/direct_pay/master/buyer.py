"""What a hospital has agreed to, and by which key what is paid for it is split over the funds. Pure.

What stays true: each word is dated and says the whole new state; of two for one day the later one holds. Where nobody
published a key, it is what was approved of the hospital's own claims of the last month of which anything was.
Source: R3.1, R3.2, R3.5, R10.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeAlias, TypeVar

from direct_pay.rows import Row
from medfund import money
from medfund.events.claims import ClaimBatchAccepted
from medfund.events.instant import ClaimBatchApproved
from medfund.events.kinds import Place
from medfund.events.suppliers import DirectMandateChanged, SplitKeyPublished
from medfund.lanes.draft import Draft, Part, Things


class Mandate(NamedTuple):
    valid_from: date
    valid_to: date | None
    ownership: str


class Key(NamedTuple):
    valid_from: date
    version: str
    weights: Mapping[str, int]


Dated = TypeVar("Dated", bound="Mandate | Key")
Words: TypeAlias = Mapping[str, tuple[Dated, ...]]
"""By provider, in the order of the days from which they hold."""
Month: TypeAlias = tuple[str, str]
"""Of a provider: `2026-08`."""
MANDATES: Part[Words[Mandate]] = Part("mandates", dict)
KEYS: Part[Words[Key]] = Part("keys", dict)
MONTHS: Part[Mapping[str, Mapping[str, Mapping[str, int]]]] = Part("months", dict)
"""What was approved of a provider's claims: by month, by fund."""


class Claim(Row):
    """A claim of the provider's, as far as the clearing service has told of it."""

    month: str
    """Empty as long as it was not told to be accepted."""
    approved: dict[str, int]


ClaimName: TypeAlias = tuple[str, str]
"""Provider and batch."""
CLAIMS: Part[Things[ClaimName, Claim]] = Part("claims", Things)


def _last(words: Iterable[Dated], day: date) -> Dated | None:
    return max((one for one in words if one.valid_from <= day), key=lambda one: one.valid_from, default=None)


def mandate(draft: Draft, provider: str, day: date) -> Mandate | None:
    found = _last(draft.known[MANDATES].get(provider, ()), day)
    return found if found and (found.valid_to is None or day <= found.valid_to) else None


def buyer_class(provider: str, mandate: Mandate) -> str:
    """By the scope rule."""
    return "PHARMACY" if provider.startswith("P") else mandate.ownership


def key(draft: Draft, provider: str, day: date, funds: Sequence[str]) -> Key | None:
    """By which a payment for the provider is split on a day."""
    if published := _last(draft.known[KEYS].get(provider, ()), day):
        return published
    months = draft.known[MONTHS].get(provider, {})
    for month in sorted(months, reverse=True):
        if weights := {fund: fen for fund in sorted(funds) if (fen := months[month].get(fund, 0)) > 0}:
            return Key(date.fromisoformat(f"{month}-01"), month, weights)
    return None


def mandated(known: Words[Mandate], event: DirectMandateChanged) -> Words[Mandate]:
    return _with(known, event.provider, Mandate(event.valid_from, event.valid_to, event.ownership))


def published(known: Words[Key], event: SplitKeyPublished) -> Words[Key]:
    return _with(known, event.provider, Key(event.valid_from, event.version, event.weights))


def _with(known: Words[Dated], provider: str, said: Dated) -> Words[Dated]:
    others: list[Dated] = [one for one in known.get(provider, ()) if one.valid_from != said.valid_from]
    return {**known, provider: tuple(sorted([*others, said], key=lambda one: one.valid_from))}


# -- what the clearing service says of the hospital's own claims


def claim_of(event: ClaimBatchAccepted | ClaimBatchApproved) -> ClaimName:
    batch = event.batch if isinstance(event, ClaimBatchAccepted) else event.payable_ref
    return event.provider, batch


def _claim(draft: Draft, name: ClaimName) -> Claim:
    claims = draft[CLAIMS]
    if name not in claims:
        claims[name] = Claim("", {})
    return claims.change(name)


def accepted(draft: Draft, event: ClaimBatchAccepted, place: Place) -> None:
    _claim(draft, claim_of(event)).month = event.period_to.isoformat()[:7]


def approved(draft: Draft, event: ClaimBatchApproved, place: Place) -> None:
    """Visitors' claims, and what another payer bears, are not the hospital's business with these funds."""
    if event.insured_area != event.area:
        return
    claim = _claim(draft, claim_of(event))
    found = {fund: money.fen(amount) for fund, amount in event.approved.items() if fund not in event.advanced}
    claim.approved = _sum(claim.approved, found)
    if claim.month:
        months = draft.known[MONTHS].get(event.provider, {})
        sums = {**months, claim.month: _sum(months.get(claim.month, {}), found)}
        draft.known = draft.known.replaced(MONTHS, {**draft.known[MONTHS], event.provider: sums})


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {fund: one.get(fund, 0) + other.get(fund, 0) for fund in sorted({*one, *other})}
