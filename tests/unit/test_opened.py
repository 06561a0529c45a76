"""Which days a lane opens: none before it has begun in Shanghai, and each after the last."""

from datetime import date, datetime

import pytest

from medfund.events import codec
from medfund.events.codec import Accepted
from medfund.events.refusals import Reason
from medfund.lanes import opened, partition
from tests import events
from tests.simulation.memory_log import MemoryRecord

KEY = partition.lane_key(0, 1)


def day(text: str, *, appended: str) -> Accepted:
    message = events.message("day.opened.v1", id=text, source="/time", date=text)
    appended_ms = int(datetime.fromisoformat(appended).timestamp() * 1000)
    record = MemoryRecord("medfund.time", 0, 7, appended_ms, KEY, message.value, message.headers)
    verdict = codec.decode(record, family="time", lanes=1)
    assert isinstance(verdict, Accepted)
    return verdict


CASES = """
day         appended at                last        taken
2027-03-08  2027-03-08T00:00:01+08:00  2027-03-07  yes    # in its first second
2027-03-08  2027-03-07T23:56:00+08:00  2027-03-07  yes    # clocks differ by minutes
2027-03-08  2027-03-07T23:54:59+08:00  2027-03-07  begun
2027-03-08  2027-03-07T16:00:01+00:00  2027-03-07  yes    # midnight is that of Shanghai
2027-03-08  2027-03-08T09:00:00+08:00  2027-03-08  after  # again, under another id
2027-03-05  2027-03-08T09:00:00+08:00  2027-03-07  after
2027-03-05  2027-03-08T09:00:00+08:00  -           yes    # nothing was opened
2099-01-01  2027-03-08T09:00:00+08:00  2027-03-07  begun
2027-03-08  2027-03-08T09:00:00+08:00  2099-01-01  yes    # of before: it holds nothing up
"""


@pytest.mark.parametrize("case", [line.split("#")[0].split() for line in CASES.strip().splitlines()[1:]])
def test_a_day_is_taken_when_it_has_begun_and_follows_the_last_one(case: list[str]) -> None:
    text, appended, last, taken = case
    refused = opened.admit(None if last == "-" else date.fromisoformat(last), day(text, appended=appended))
    if taken == "yes":
        assert refused is None
    else:
        assert refused is not None
        assert refused.reason is Reason.WRONG_DAY
        assert refused.detail == {
            "begun": f"$.date: {text} had not begun when the record came, on {appended[:10]}",
            "after": f"$.date: {text} does not come after {last}, which was opened last",
        }[taken]  # fmt: skip
