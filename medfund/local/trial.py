"""The sources of a stack for trying things out: those of the synthetic cities and of the demo, as two people would
have registered them. A real installation begins with none."""

import msgspec

from medfund.events.sources import SourceRegistered

AREAS = ("152500", "140500", "152200", "371000")
SPEAKERS = {
    "gateway": "hospital",
    "agency": "policy_office",
    "audit": "audit_office",
    "supervision": "supervision",
    "procurement": "procurement",
    "supplier": "supplier",
}
APPROVERS = ("staff-7c41", "staff-02e9")


def registry() -> list[SourceRegistered]:
    """One source for each office of each area, and one platform for its suppliers. Notices of days off are of every
    area, and so is the office that has them."""
    return [
        msgspec.convert(
            {
                "source": f"/{name}/{area}",
                "speakers": [speaker],
                "areas": None if name == "agency" else [area],
                "valid_from": "2000-01-01",
                "approvers": APPROVERS,
            },
            SourceRegistered,
        )
        for area in AREAS
        for name, speaker in SPEAKERS.items()
    ]
