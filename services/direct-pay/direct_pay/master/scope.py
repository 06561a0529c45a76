"""On which terms a product is bought, and whether the fund pays for it: by the class of the product and of who buys it,
on the day of the order (R3.2, R3.4). Pure."""

from collections.abc import Iterator
from datetime import date

from direct_pay import policy
from direct_pay.master import buyer
from direct_pay.master.product import NOT_LISTED, PRODUCTS, TERMS, Against, Key, Terms
from medfund.lanes.draft import Draft


def terms(draft: Draft, provider: str, supplier: str, area: str, product: str, day: date) -> Terms:
    """Asked for line by line, and mostly the same."""
    known, key = draft[TERMS], (draft.known, provider, supplier, area, product, day)
    if (found := known.get(key)) is None:
        found = known[key] = _terms(draft, provider, supplier, area, product, day)
    return found


def _terms(draft: Draft, provider: str, supplier: str, area: str, product: str, day: date) -> Terms:
    known = draft[PRODUCTS].get(Key(area, product), NOT_LISTED)
    delivering = [*_not_delivering(known.suppliers(day, provider), supplier, product, day)]
    listing = known.listed(day)
    if listing is None:
        return Terms(0, False, False, [("SCOPE", f"{product} was not listed on {day}"), *delivering])
    out = [*_out_of_scope(draft, provider, area, day, listing.product_class)]
    return Terms(listing.price, listing.product_class == "BULK", not out, [*out, *delivering])


def _out_of_scope(draft: Draft, provider: str, area: str, day: date, product_class: str) -> Iterator[Against]:
    mandate, chosen = buyer.mandate(draft, provider, day), policy.on(draft, area, day)
    if mandate is None:
        yield "MANDATE", f"{provider} had given no mandate for {day}"
    elif chosen is None:
        yield "SCOPE", f"area {area} had no policy for {day}"
    elif (pair := (product_class, buyer.buyer_class(provider, mandate))) not in chosen.scope:
        yield "SCOPE", f"{'/'.join(pair)} was not paid directly on {day}"


def _not_delivering(suppliers: set[str], supplier: str, product: str, day: date) -> Iterator[Against]:
    if not suppliers:
        yield "CONTRACT", f"nobody was contracted to deliver {product} on {day}"
    elif supplier not in suppliers:
        yield "SUPPLIER", f"{' '.join(sorted(suppliers))} delivers {product}, not {supplier}"
