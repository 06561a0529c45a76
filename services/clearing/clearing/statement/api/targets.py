"""The days that a claim is to be paid by, and when each was met or passed (R1.4). Pure.

A target is met where the claim was paid in full by its day: the value date of the last payment decides, and where
offsets left nothing to pay there is none. While the day is provisional, what was paid after the first day that it can
be is open.
"""

from datetime import date
from typing import Literal, NamedTuple

from clearing.claims import deadlines
from clearing.statement.api.reading import Month
from medfund.events.claims import Target
from medfund.http.answers import Name

State = Literal["OPEN", "MET", "BREACHED", "ENDED"]

NAMES: dict[Target, Name] = {
    "WD_15": Name(zh="15个工作日", en="15 working days"),
    "WD_20": Name(zh="20个工作日（国家上限）", en="20 working days, the national limit"),
    "MONTH_END": Name(zh="次月底前（国家目标）", en="end of the next month, the national aim"),
}
STATES: dict[State, Name] = {
    "OPEN": Name(zh="进行中", en="open"),
    "MET": Name(zh="按时", en="met"),
    "BREACHED": Name(zh="逾期", en="breached"),
    "ENDED": Name(zh="已撤回", en="ended: the batch was withdrawn"),
}
AIM_MISSED = Name(zh="未达目标", en="aim missed")


def state_name(target: Target, state: State) -> Name:
    """Who misses what is an aim only is not late."""
    return AIM_MISSED if (target, state) == ("MONTH_END", "BREACHED") else STATES[state]


class Deadline(NamedTuple):
    target: Target
    working_days: int | None
    due: date
    latest: date | None
    """Given while it is provisional."""
    state: State
    paid_on: date | None


def of(month: Month) -> list[Deadline]:
    claim = month.claim
    latest = {"WD_15": claim.latest, "WD_20": claim.latest_limit}
    return [
        Deadline(
            target,
            deadlines.WORKING_DAYS.get(target),
            due,
            latest.get(target),
            *_state(month, target, due, latest.get(target)),
        )
        for target, due in deadlines.due(claim).items()
    ]


def _state(month: Month, target: Target, due: date, latest: date | None) -> tuple[State, date | None]:
    claim, lead = month.claim, month.lead
    if not claim.live:
        return "ENDED", None
    breached = target in claim.breached or target in lead.breached
    if month.unpaid:
        return ("BREACHED" if breached else "OPEN"), None
    paid = max(filter(None, (claim.last_paid, lead.last_paid)), default=None)
    late = paid is not None and paid > due
    if late and not breached and latest is not None:
        return "OPEN", paid
    return ("BREACHED" if late or breached else "MET"), paid
