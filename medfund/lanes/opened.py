"""Which days a lane opens: one after the other, and none before it has begun in Shanghai by the broker's clock. Pure.

What stays true: what the rules take for today is a day that has come, and never goes back. A day
that was appended before the lane asked who speaks (`Sources.asks`) is not judged: it stays as it was taken.
"""

from datetime import UTC, date, datetime

from medfund import calendar
from medfund.events.codec import FUTURE_MAX, Accepted, Refused
from medfund.events.refusals import Reason
from medfund.events.time import DayOpened
from medfund.lanes import batch


def admit(last: date | None, fact: Accepted) -> Refused | None:
    """Refuse a day that has not begun, or does not come after `last`, which was opened last.

    A `last` that is itself still to come was taken before days were judged, and holds nothing up.
    """
    event = fact.event
    if not isinstance(event, DayOpened):
        return None
    appended = datetime.fromtimestamp(fact.record.timestamp // 1000, UTC)
    today = calendar.shanghai_day(appended + FUTURE_MAX)
    if event.date > today:
        return _refused(fact, f"{event.date} had not begun when the record came, on {today}")
    if last is not None and event.date <= last <= today:
        return _refused(fact, f"{event.date} does not come after {last}, which was opened last")
    return None


def _refused(fact: Accepted, detail: str) -> Refused:
    return batch.refuse(fact, Reason.WRONG_DAY, f"$.date: {detail}")
