"""What the rules would answer to a command now, so that what is certain to be declined is not asked for at all.

The lane's own rules judge, on what the database knows in one snapshot. They may judge otherwise when the command comes
to its lane: that is told there. What is refused here is not kept, and its number stays free.
"""

from collections.abc import Sequence
from typing import Any

from clearing.api import declining
from clearing.service import Clearing
from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.kinds import Event
from medfund.http.context import Context, Declined
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes.shelf import Batch
from medfund.lanes.sources import Sources

EVERYBODY = Principal(subject="rules", role=Role.auditor, areas=(EVERYTHING,), organisations=(EVERYTHING,))
"""The rules look at more than whoever asks may see; only what is wrong with the command is told."""


async def foresee(declines: Sequence[type[Event]], here: Context, fact: Accepted) -> Declined | None:
    """Why nothing of it would count. Raises `Problem`."""
    answers = await _answers(here, fact)
    if isinstance(answers, Declined):
        return answers
    if answers and all(isinstance(one, (FactDisputed, *declines)) for one in answers):
        refused: Any = answers[0]
        return declining.declined(refused.detail, getattr(refused, "code", None))
    return None


async def _answers(here: Context, fact: Accepted) -> Sequence[Event] | Declined:
    rules, lane = Clearing(prefix=here.prefix), fact.record.partition
    async with here.database.snapshot(EVERYBODY) as connection:
        draft = await rules.load(connection, lane)  # type: ignore[arg-type]
        if rules.admit(draft, fact, sources=Sources()):
            # Where else it is registered is not for everybody to know.
            about: Any = fact.event
            return declining.declined(f"provider {about.provider} is not registered in area {about.area}")
        await rules.read(connection, lane, draft, Batch([fact], foreseen=True))  # type: ignore[arg-type]
    rules.learn(draft, fact)
    answers = []
    for answer in rules.decide(draft, fact):
        answers.append(answer)
        rules.evolve(draft, answer)
    return answers
