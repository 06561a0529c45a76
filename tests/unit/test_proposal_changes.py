"""What a proposal would change is named, also where it names nothing and so reaches furthest."""

from typing import Any

import msgspec

from clearing.office import proposals
from clearing.office.proposals import Change
from medfund.events.sources import SourceRegistered

SAYS = {"source": "/agency/152500", "speakers": ["policy_office"], "valid_from": "2026-01-01"}


def test_a_source_of_every_area_says_so() -> None:
    before, wide = {**SAYS, "areas": ["152500", "370100"]}, {**SAYS, "areas": None}
    assert Change("areas", None, "every area") in proposals.changes(None, wide)
    assert proposals.changes(before, wide) == [Change("areas", "152500 370100", "every area")]
    assert proposals.changes(wide, before) == [Change("areas", "every area", "152500 370100")]
    assert proposals.changes(wide, wide) == []


def unfit(**changes: Any) -> str | None:
    said = {**SourceRegistered.example, "speakers": ["supplier"], **changes}
    return proposals.unfit("source", msgspec.convert(said, SourceRegistered))


def test_a_supplier_that_is_named_by_its_buyer_alone_would_say_nothing() -> None:
    buyer, own = "H15250200017", "91370000MA0000001T"
    assert unfit(organisations=[buyer]) == "organisations: a supplier is named by its unified social credit code"
    assert unfit(organisations=[own]) is None
    assert unfit(organisations=[buyer, own], speakers=["hospital", "supplier"]) is None
    assert unfit() is None, "the platform of an area"
