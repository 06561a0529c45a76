"""What suppliers are called, and the last digits of the account that they are paid to. Pure."""

from datetime import date
from typing import NamedTuple

from medfund.events.kinds import Place
from medfund.events.suppliers import SupplierChanged, SupplierRegistered
from medfund.lanes.draft import Draft, Part


class Word(NamedTuple):
    name: str
    account_ends: str | None


SUPPLIERS: Part[dict[tuple[str, str, date], Word]] = Part("suppliers", dict)
"""What a batch says: by area, supplier and the day from which it holds."""


def learn(draft: Draft, event: SupplierRegistered | SupplierChanged, place: Place) -> None:
    draft[SUPPLIERS][event.area, event.supplier, event.valid_from] = Word(event.name, event.account_ends)
