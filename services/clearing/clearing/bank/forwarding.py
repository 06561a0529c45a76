"""What a suspense item turned out to be, told to the provider whose it is: its money comes from suspense, not from the
bank again. And to the other lane, where two items take each other out that are not in one. Source: c.4, c.2 (69)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from clearing import capabilities, rows
from clearing.bank.files import SQL, Desk, NotAccepted
from clearing.bank.matching import Fact
from clearing.dimensions import Dimensions
from clearing.funds import yuans
from clearing.names import Name
from clearing.payments.suspense import Item
from medfund.events.bank import (
    BankLineCorrected,
    BankPaymentReturned,
    BankPaymentSettled,
    BankReturnReversed,
    Direction,
    LeftFrom,
)
from medfund.events.kinds import Event

PLACED = "待查款项认领"
SUSPENSE: Mapping[Direction, LeftFrom] = {"OUT": "1190", "IN": "2190"}
_item = msgspec.json.Decoder(Item).decode
_dimensions = msgspec.json.Decoder(Dimensions).decode


async def forward(desk: Desk) -> int:
    """Publishes the bank's facts for suspense items that were placed since; returns how many.

    An item that is refused holds up no other. Raises `NotDecided`, `NotAccepted`.
    """
    async with desk.reading() as connection:
        items = [(row["lane"], _item(row["body"])) for row in await connection.fetch(SQL.placed)]
        named = [_target(item) for _, item in items if item.placed_as in capabilities.REPAID]
        found = await connection.fetch(SQL.repayable_of, *rows.named(named))
        whose = {Name(row["provider"], row["ref"]): _dimensions(row["dimensions"]) for row in found}
        facts = list(_facts(items, whose))
        known = await desk.accepted(facts, as_told=False)
    if done := [(lane, item.item_ref) for lane, item in items if _id(item) in known]:
        async with desk.changing() as connection:
            await connection.execute(SQL.forget_items, *zip(*done, strict=True))
    told, refused = 0, None
    for fact, on in facts:
        if fact.id not in known:
            try:
                await desk.tell([fact], on)
                told += 1
            except NotAccepted as one:
                refused = one
    if refused is not None:
        raise refused
    return told


def _facts(items: list[tuple[int, Item]], whose: dict[Name, Dimensions]) -> Iterator[tuple[Fact, date]]:
    """Of the day that they are of at the bank. What was placed before there were booking days says none."""
    for lane, item in items:
        if item.placed_as == "CORRECTED":
            yield Fact(_corrected(lane, item), _id(item), item.target_lane or 0), item.booked
        elif (event := _event(item, whose)) is not None:
            yield Fact(event, _id(item)), item.booked


def _id(item: Item) -> str:
    return f"placed/{item.item_ref}"


def _corrected(lane: int, item: Item) -> BankLineCorrected:
    return BankLineCorrected(
        area=item.area,
        item_ref=item.target or "",
        found_in=item.item_ref,
        found_lane=lane,
        found_on=item.bank_account,
        bank_txn=item.bank_txn,
        value_date=item.value_date,
        booked_on=item.booked_on or None,
        amounts=yuans(item.amounts),
        placed_on=item.placed_on or item.value_date,
        said_by=item.approvers or [],
    )


def _event(item: Item, whose: dict[Name, Dimensions]) -> Event | None:
    line: dict[str, Any] = {
        "bank_txn": item.bank_txn,
        "value_date": item.value_date,
        "booked_on": item.booked_on or None,
        "amounts": yuans(item.amounts),
        "bank_account": SUSPENSE[item.direction],
        "found_in": item.item_ref,
        "found_on": item.bank_account,
    }
    about, target = {"area": item.area, "provider": item.provider, **line}, item.target or ""
    if item.placed_as and (repaid := capabilities.REPAID.get(item.placed_as)):
        return repaid.told(whose.get(_target(item)), target, about)
    match item.placed_as, item.direction:
        case "PAYMENT", _:
            return BankPaymentSettled(payment_ref=target, **about)
        case "RETURN", "IN":
            return BankPaymentReturned(payment_ref=target, **about, reason=PLACED)
        case "RETURN", _:
            return BankReturnReversed(payment_ref=target, **about)
    return None


def _target(item: Item) -> Name:
    return Name(item.provider or "", item.target or "")
