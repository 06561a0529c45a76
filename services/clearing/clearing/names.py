"""What things are called. Pure.

What stays true: whoever chose a name, it belongs to the provider that the thing is about: two providers may have chosen
the same one, and nothing is looked for by a name alone. What one provider is paid for (batches, cases of recoveries,
prepayments) shares its names, so that each of them says one thing.
"""

from typing import Any, NamedTuple

from medfund.lanes.shelf import Name as Name  # of a claim (its batch), a recovery (its case), a prepayment, a payment


class InBatch(NamedTuple):
    """Of what is in a batch, or about it: a finding, a settlement that one is about."""

    provider: str
    batch: str
    ref: str


def claim(event: Any) -> Name:
    return Name(event.provider, event.batch)


def payable(event: Any) -> Name:
    return Name(event.provider, event.payable_ref)


def payment(event: Any) -> Name:
    return Name(event.provider, event.payment_ref)


def recovery(event: Any) -> Name:
    return Name(event.provider, event.case_ref)


def prepayment(event: Any) -> Name:
    return Name(event.provider, event.prepayment_ref)


def finding(event: Any) -> InBatch:
    return InBatch(event.provider, event.batch, event.finding_ref)


def item(event: Any) -> Name:
    """Of what the books began with."""
    return Name(event.provider, event.item_ref)
