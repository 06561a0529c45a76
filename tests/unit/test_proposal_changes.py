"""What a proposal would change is named, also where it names nothing and so reaches furthest."""

from clearing.office import proposals
from clearing.office.proposals import Change

SAYS = {"source": "/agency/152500", "speakers": ["policy_office"], "valid_from": "2026-01-01"}


def test_a_source_of_every_area_says_so() -> None:
    before, wide = {**SAYS, "areas": ["152500", "370100"]}, {**SAYS, "areas": None}
    assert Change("areas", None, "every area") in proposals.changes(None, wide)
    assert proposals.changes(before, wide) == [Change("areas", "152500 370100", "every area")]
    assert proposals.changes(wide, before) == [Change("areas", "every area", "152500 370100")]
    assert proposals.changes(wide, wide) == []
