"""What suppliers were paid for a hospital (1103), an open item of the waterfall. Pure. Source: R3.6 step 4.

What stays true: nothing is due before the supplier is paid, and never from another fund; the oldest goes first.
"""

from collections.abc import Iterator
from datetime import date

from clearing.direct.statement import DIRECT, statements, take
from clearing.funds import Fens, yuans
from clearing.names import Name
from clearing.offsets import debit
from clearing.offsets.kinds import Kind
from clearing.offsets.waterfall import Due
from clearing.payable import Payable
from medfund.events.direct import HospitalShortfallCarried
from medfund.events.kinds import Event, Place
from medfund.lanes.draft import Draft


def due(draft: Draft, payable: Payable, fund: str, own: list[str]) -> Iterator[Due]:
    for one in statements(draft, payable.dimensions.purse):
        if (amount := one.due.get(fund, 0)) > 0:
            yield Due("1103", one.ref, amount, one.opened)


def taken(draft: Draft, item: Name, amounts: Fens, day: date | None) -> None:
    take(draft[DIRECT].change(item), amounts)


def left(draft: Draft, payable: Payable, fund: str, cause: Place) -> Iterator[Event]:
    """What a payable was too small for is first in the next one."""
    if fen := sum(one.amount for one in due(draft, payable, fund, [])):
        yield HospitalShortfallCarried(
            **payable.fields(cause, [fund]), payable_ref=payable.ref, amounts=yuans({fund: fen})
        )


ITEMS = {"1103": Kind(due, taken, debit.about, left=left)}
