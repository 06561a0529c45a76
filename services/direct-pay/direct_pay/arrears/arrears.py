"""What hospitals owe suppliers from before go-live: a register, never the fund's debt. Pure.

What stays true: no more is cleared than is open, whichever word comes first. Source: S1, R3.7, c.2 (47), edge case 64.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from direct_pay import names
from direct_pay.funds import Fens, added, fens, yuans
from direct_pay.names import Name
from direct_pay.rows import Row
from medfund.events.kinds import Event, Place
from medfund.events.statements import ArrearsCleared, ArrearsLowered, ArrearsNoted, ArrearsRegistered, OfArrears
from medfund.lanes.draft import Draft, Part, Things


class Clearance(Row):
    on: date
    because: str
    amounts: Fens


class Arrears(msgspec.Struct, array_like=True, gc=False):
    area: str
    # what facts say
    since: date | None = None
    amounts: Fens = {}
    clearances: list[Clearance] = []
    """Those that came before anybody had registered it."""
    # what decisions say
    is_noted: bool = False
    left: Fens = {}


ARREARS: Part[Things[Name, Arrears]] = Part("arrears", Things)


def _of(draft: Draft, event: ArrearsRegistered | ArrearsCleared | OfArrears) -> Arrears:
    known, name = draft[ARREARS], names.arrears(event)
    if name not in known:
        known[name] = Arrears(event.area)
    return known.change(name)


def registered(draft: Draft, event: ArrearsRegistered, place: Place) -> None:
    """The first word on a name counts."""
    one = _of(draft, event)
    if one.since is None:
        one.since, one.amounts = event.since, fens(event.amounts)


def cleared(draft: Draft, event: ArrearsCleared, place: Place) -> None:
    one = _of(draft, event)
    if one.since is None:
        one.clearances.append(Clearance(event.cleared_on, event.because, fens(event.amounts)))


def note(draft: Draft, event: ArrearsRegistered, cause: Place) -> Iterator[Event]:
    one = draft[ARREARS][names.arrears(event)]
    if one.is_noted or one.since is None:
        return
    about = {
        "provider": event.provider, "area": event.area, "supplier": event.supplier, "arrears_ref": event.arrears_ref,
        "cause": cause,
    }  # fmt: skip
    yield ArrearsNoted(**about, amounts=event.amounts, left=yuans(one.amounts), since=event.since)  # type: ignore[arg-type]
    for clearance in one.clearances:
        yield from _lowered(one, about, clearance.amounts, clearance.on)


def lower(draft: Draft, event: ArrearsCleared, cause: Place) -> Iterator[Event]:
    one = draft[ARREARS][names.arrears(event)]
    if one.is_noted:
        about = {
            "provider": event.provider, "area": event.area, "supplier": event.supplier,
            "arrears_ref": event.arrears_ref, "cause": cause,
        }  # fmt: skip
        yield from _lowered(one, about, fens(event.amounts), event.cleared_on)


def _lowered(one: Arrears, about: dict[str, object], amounts: Fens, on: date) -> Iterator[Event]:
    off = {fund: min(fen, one.left.get(fund, 0)) for fund, fen in amounts.items()}
    if any(off.values()):
        left = yuans(added(one.left, off, -1))
        yield ArrearsLowered(**about, amounts=yuans(off), left=left, cleared_on=on)  # type: ignore[arg-type]


def evolve_noted(draft: Draft, event: ArrearsNoted) -> None:
    one = _of(draft, event)
    one.is_noted, one.left = True, fens(event.left)


def evolve_lowered(draft: Draft, event: ArrearsLowered) -> None:
    _of(draft, event).left = fens(event.left)
