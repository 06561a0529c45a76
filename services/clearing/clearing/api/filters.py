"""Parameters that several questions of clearing share, and how an answer names amounts by fund."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from medfund import money
from medfund.http import answers
from medfund.http.answers import Name, Yuan
from medfund.http.questions import Area, Day, Party
from medfund.http.reach import Reach

REF_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._:/-]{0,63}$"
Ref = Annotated[str, Field(pattern=REF_PATTERN, description="A reference", examples=["H15250200017-310-21-202601"])]


Text = Annotated[str, Field(min_length=1, max_length=500, description="For people; names nobody")]


ProviderName = Annotated[str | None, Field(description="As it was registered; null where it was not told")]


class OfProvider(BaseModel):
    area: Area | None = None
    provider: Party | None = None


class DueBetween(BaseModel):
    due_before: Annotated[Day | None, Field(description="Due before this day")] = None
    due_after: Annotated[Day | None, Field(description="Due after this day")] = None


class ByFund(BaseModel):
    fund: str
    fund_name: Name
    amount: Yuan


def whole_areas(within: Reach) -> Sequence[str] | None:
    """Whose own affairs a question may touch: of no area, for those who speak for some of its organisations."""
    return within.areas if within.parties is None else []


def by_fund(amounts: Mapping[str, int]) -> list[ByFund]:
    """Fen as yuan, fund by fund; a fund of which there is nothing is left out."""
    return [
        ByFund(fund=fund, fund_name=answers.fund_name(fund), amount=money.yuan(fen))
        for fund, fen in sorted(amounts.items())
        if fen
    ]


def total(amounts: Mapping[str, int]) -> str:
    return money.yuan(sum(amounts.values()))


def total_of(many: Iterable[Mapping[str, int]]) -> str:
    return money.yuan(sum(fen for amounts in many for fen in amounts.values()))


def told(text: str | None) -> str:
    """For people: what nobody has told is said to be so."""
    return text or "名称未登记 name not told"


def day_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
