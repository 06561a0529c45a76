"""What was paid of each line and when: the cycle from acceptance to payment (R3.3). Pure.

What stays true: what came back is taken off with the days that it was counted with; arrears are in none of it.
"""

from datetime import date
from typing import NamedTuple

from direct_pay import names
from direct_pay.statements.statement import STATEMENTS, Entry
from medfund import money
from medfund.events.direct import SupplierPaymentSettled
from medfund.events.kinds import Place
from medfund.lanes.draft import Draft, Part


class Cycle(NamedTuple):
    provider: str
    supplier: str
    area: str
    month: str
    """In which it was paid."""


CYCLES: Part[dict[Cycle, tuple[int, int]]] = Part("cycles", dict)
"""What a batch adds: fen, and fen times days."""


def learn(draft: Draft, event: SupplierPaymentSettled, place: Place) -> None:
    statement = draft[STATEMENTS].get(names.statement(event))
    number = event.payable_ref.rpartition("/")[2]
    found = [one for one in statement.instalments if str(one.number) == number] if statement else []
    if not found or statement is None:
        return  # of what the books began with there is no statement
    draft[STATEMENTS].change(names.statement(event))
    entries = {entry.invoice: entry for entry in found[0].lines}
    amounts = money.fens([line.amount for line in event.lines])
    for line, fen in zip(event.lines, amounts, strict=True):
        if entry := entries.get(line.invoice):
            _count(draft, event, entry, -fen if event.how == "RETURNED" else fen)


def _count(draft: Draft, event: SupplierPaymentSettled, entry: Entry, fen: int) -> None:
    paid_on: date = entry.paid_on if fen < 0 and entry.paid_on is not None else event.value_date
    entry.paid += fen
    entry.paid_on = paid_on
    if entry.accepted is not None:
        cycle = Cycle(event.provider, event.supplier, event.area, paid_on.isoformat()[:7])
        amount, weighted = draft[CYCLES].get(cycle, (0, 0))
        days = (paid_on - entry.accepted).days
        draft[CYCLES][cycle] = amount + fen, weighted + fen * days
