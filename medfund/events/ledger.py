"""What the ledger itself says about the log."""

from collections.abc import Mapping
from typing import Any, ClassVar

from medfund.events.fields import Text
from medfund.events.kinds import Event, Place, kind
from medfund.events.refusals import Reason


@kind("event.refused", family="ledger", key="lane")
class EventRefused(Event, frozen=True, kw_only=True):
    """A record was not booked: where it stands, why, and which event it was as far as that could be read.

    A rebuild honours it unless it is told to judge again. Source: design §2.
    """

    place: Place
    reason: Reason
    detail: Text
    source: Text | None = None
    id: Text | None = None
    type: Text | None = None

    example: ClassVar[Mapping[str, Any]] = {
        "place": {"topic": "claims", "lane": 3, "offset": 1048577},
        "reason": "identity_mismatch",
        "detail": "$.total is 8654.21, its parts make 8654.22, a difference of 0.01",
        "source": "/gateway/152500",
        "id": "019312f0-7b5e-7c41-9a02-5f7d10c3b8e6",
        "type": "settlement.recorded.v1",
    }
