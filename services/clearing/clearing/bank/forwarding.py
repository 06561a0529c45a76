"""What a suspense item turned out to be, told to the provider whose it is: its money comes from suspense, not from the
bank again. Source: c.4, c.2 (69)."""

from collections.abc import Iterator
from datetime import date

import msgspec

from clearing.bank.files import SQL, Desk
from clearing.bank.matching import Fact
from clearing.dimensions import Dimensions, told
from clearing.funds import yuans
from clearing.payments.suspense import Item
from medfund.events.bank import BankPaymentReturned, BankPaymentSettled
from medfund.events.reviews import RecoveryReceived

PLACED = "待查款项认领"
_item = msgspec.json.Decoder(Item).decode
_dimensions = msgspec.json.Decoder(Dimensions).decode


async def forward(desk: Desk) -> int:
    """Tell what nobody was told yet; how much that was."""
    async with desk.reading() as connection:
        items = [_item(row["body"]) for row in await connection.fetch(SQL.placed)]
        cases = [item.target for item in items if item.placed_as == "RECOVERY"]
        whose = {row["ref"]: _dimensions(row["dimensions"]) for row in await connection.fetch(SQL.recoveries, cases)}
        facts = list(_facts(items, whose))
        known = await desk.accepted([(desk.written(fact, on)[0], fact.id) for fact, on in facts])
    new = [(fact, on) for fact, on in facts if fact.id not in known]
    for fact, on in new:
        await desk.tell([fact], on)
    return len(new)


def _facts(items: list[Item], whose: dict[str, Dimensions]) -> Iterator[tuple[Fact, date]]:
    for item in items:
        about = {
            "area": item.area,
            "provider": item.provider,
            "payment_ref": item.target,
            "bank_txn": item.bank_txn,
            "value_date": item.value_date,
            "amounts": yuans(item.amounts),
        }
        id = f"placed/{item.item_ref}"
        if item.placed_as == "PAYMENT":
            yield Fact(BankPaymentSettled(**about, bank_account="1190"), id), item.value_date  # type: ignore[arg-type]
        elif item.placed_as == "RETURN":
            returned = BankPaymentReturned(**about, bank_account="2190", reason=PLACED)  # type: ignore[arg-type]
            yield Fact(returned, id), item.value_date
        elif item.target in whose:
            recovery = RecoveryReceived(
                **told(whose[item.target], item.amounts),
                case_ref=item.target,
                amounts=yuans(item.amounts),
                bank_txn=item.bank_txn,
                value_date=item.value_date,
                bank_account="2190",
            )
            yield Fact(recovery, id), item.value_date
