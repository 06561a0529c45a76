"""What the rules would answer to a command now, so that what is certain to be declined is not asked for at all.

The lane's own rules judge, on what the database knows in one snapshot. They may judge otherwise when the command comes
to its lane: that is told there. What is refused here is not kept, and its number stays free.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from medfund.events.codec import Accepted
from medfund.events.disputes import FactDisputed
from medfund.events.kinds import Event
from medfund.http.context import Context, Declined, Foresee
from medfund.http.tokens import EVERYTHING, Principal, Role
from medfund.lanes.composed import Composed
from medfund.lanes.shelf import Batch
from medfund.lanes.sources import Sources

EVERYBODY = Principal(subject="rules", role=Role.auditor, areas=(EVERYTHING,), organisations=(EVERYTHING,))
"""The rules look at more than whoever asks may see; only what is wrong with the command is told."""
Words: TypeAlias = Callable[[str, str | None], Declined]
"""What people are told, of a detail and a code."""


def by(rules: Composed, declines: Sequence[type[Event]], words: Words) -> Foresee:
    """Where all of its answers decline it, why nothing of a command would count."""

    async def foresee(here: Context, fact: Accepted) -> Declined | None:
        answers = await _answers(rules, here, fact)
        if isinstance(answers, str):
            return words(answers, None)
        if not answers or not all(isinstance(one, (FactDisputed, *declines)) for one in answers):
            return None
        refused: Any = answers[0]
        return words(refused.detail, getattr(refused, "code", None))

    return foresee


async def _answers(rules: Composed, here: Context, fact: Accepted) -> Sequence[Event] | str:
    """Or why it would not be admitted."""
    lane = fact.record.partition
    async with here.database.snapshot(EVERYBODY) as connection:
        draft = await rules.load(connection, lane)  # type: ignore[arg-type]
        if rules.admit(draft, fact, sources=Sources()):
            # Where else it is registered is not for everybody to know.
            about: Any = fact.event
            return f"provider {about.provider} is not registered in area {about.area}"
        await rules.read(connection, lane, draft, Batch([fact], foreseen=True))  # type: ignore[arg-type]
    rules.learn(draft, fact)
    answers = []
    for answer in rules.decide(draft, fact):
        answers.append(answer)
        rules.evolve(draft, answer)
    return answers
