"""What the fund pays for: by the class of a product and of who buys it, on the day of the order (R3.2). Pure."""

from collections.abc import Iterator
from datetime import date

from direct_pay import policy
from direct_pay.master import buyer
from direct_pay.master.product import NOT_LISTED, PRODUCTS, Key
from medfund.events.purchases import Purchase
from medfund.events.statements import DisputeCode
from medfund.lanes.draft import Draft


def is_payable(draft: Draft, event: Purchase, product: str, day: date) -> bool:
    """Whether the fund will pay for a product that is ordered on a day: a mandate, and the scope."""
    listing = draft[PRODUCTS].get(Key(event.area, product), NOT_LISTED).listed(day)
    return listing is not None and not [*against(draft, event.provider, event.area, day, listing.product_class)]


def against(draft: Draft, provider: str, area: str, day: date, product_class: str) -> Iterator[tuple[DisputeCode, str]]:
    mandate, chosen = buyer.mandate(draft, provider, day), policy.on(draft, area, day)
    if mandate is None:
        yield "MANDATE", f"{provider} had given no mandate for {day}"
    elif chosen is None:
        yield "SCOPE", f"area {area} had no policy for {day}"
    elif (pair := (product_class, buyer.buyer_class(provider, mandate))) not in chosen.scope:
        yield "SCOPE", f"{'/'.join(pair)} was not paid directly on {day}"
