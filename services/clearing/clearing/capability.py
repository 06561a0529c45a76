"""What a capability of clearing is made of, besides what one of any deciding service is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clearing.payable import Kind, Payable
from medfund.lanes import capability

if TYPE_CHECKING:
    from clearing.offsets.kinds import Kind as ItemKind


@dataclass(frozen=True, kw_only=True)
class Capability(capability.Capability):
    payables: Mapping[type[Payable], Kind] = field(default_factory=dict)
    """What follows for the payables of a class."""
    items: Mapping[str, "ItemKind"] = field(default_factory=dict)
    """Open items that the waterfall takes from, by the account that they are booked in."""
