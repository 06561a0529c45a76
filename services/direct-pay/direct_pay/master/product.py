"""What a product is in an area on a day, what it may cost, and who delivers it. Pure.

Source: R3.2, R3.4, R10.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple, TypeAlias

from direct_pay.rows import Row
from medfund import money
from medfund.events.kinds import Place
from medfund.events.statements import DisputeCode
from medfund.events.suppliers import ContractSigned, ProductPriced
from medfund.lanes.draft import Draft, Known, Part, Things


class Key(NamedTuple):
    area: str
    ref: str
    """The product's code, or a contract's name."""


class Listing(Row):
    valid_from: date
    valid_to: date | None
    product_class: str
    price: int
    """In millionths of a yuan."""

    def on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Supply(Row):
    contract_ref: str
    supplier: str
    valid_from: date
    valid_to: date
    providers: list[str] | None

    def on(self, day: date, provider: str) -> bool:
        return self.valid_from <= day <= self.valid_to and (self.providers is None or provider in self.providers)


class Product(Row):
    listings: list[Listing]
    supplies: list[Supply]

    def listed(self, day: date) -> Listing | None:
        """The last word that holds on a day."""
        return max((one for one in self.listings if one.on(day)), key=lambda one: one.valid_from, default=None)

    def suppliers(self, day: date, provider: str) -> set[str]:
        return {one.supplier for one in self.supplies if one.on(day, provider)}


NOT_LISTED = Product([], [])


Against: TypeAlias = tuple[DisputeCode, str]
"""What is against paying for something, and in which words."""


class Terms(NamedTuple):
    """On which a product is bought of a supplier for a provider on a day."""

    price: int
    """In millionths; of what was bought in bulk the price, of others the most."""
    bulk: bool
    is_payable: bool
    """Whether the fund will pay for it: the mandate, and the scope."""
    against: Sequence[Against]


TERMS: Part[dict[tuple[Known, str, str, str, str, date], Terms]] = Part("terms", dict)
"""By what is known of the lane, provider, supplier, area, product and day: as long as products stay as they are."""
WANTED: Part[set[Key]] = Part("wanted products", set)
"""Those of orders that were read."""
PRODUCTS: Part[Things[Key, Product]] = Part("products", Things)
CONTRACTS: Part[Things[Key, list[str]]] = Part("contracts", Things)
"""The products of each."""


def products(event: ProductPriced | ContractSigned) -> Iterable[str]:
    return [event.product] if isinstance(event, ProductPriced) else event.products


def _product(draft: Draft, key: Key) -> Product:
    draft[TERMS].clear()
    products = draft[PRODUCTS]
    if key not in products:
        products[key] = Product([], [])
    return products.change(key)


def priced(draft: Draft, event: ProductPriced, place: Place) -> None:
    product = _product(draft, Key(event.area, event.product))
    said = Listing(event.valid_from, event.valid_to, event.product_class, money.micros(event.price))
    product.listings = sorted([*(one for one in product.listings if one.valid_from != event.valid_from), said])


def signed(draft: Draft, event: ContractSigned, place: Place) -> None:
    """What was said of the same contract before is over, for products that it names no more as well."""
    key = Key(event.area, event.contract_ref)
    for product in {*draft[CONTRACTS].get(key, ()), *event.products}:
        known = _product(draft, Key(event.area, product))
        known.supplies = [one for one in known.supplies if one.contract_ref != event.contract_ref]
    said = Supply(event.contract_ref, event.supplier, event.valid_from, event.valid_to, event.providers)
    for product in dict.fromkeys(event.products):
        known = _product(draft, Key(event.area, product))
        known.supplies = sorted([*known.supplies, said], key=lambda one: one.contract_ref)
    draft[CONTRACTS].put(key, list(event.products))
