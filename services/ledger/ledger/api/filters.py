"""What balances, lines and the trial balance are narrowed by."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from ledger import chart
from medfund import codes
from medfund.http import questions
from medfund.http.questions import Area, Day, Fund
from medfund.http.wording import Wrong

Party = Annotated[
    str,
    Field(
        pattern=f"{codes.PROVIDER_PATTERN}|{codes.AREA_PATTERN}",
        description="Provider code, or the area's for money of the fund itself",
        examples=["H15250200017"],
    ),
]
AccountCode = Annotated[
    str,
    Field(pattern=r"^[0-9A-Z_]{4,20}$", description="Account of the chart of accounts", examples=["2100"]),
    questions.one_of(chart.ACCOUNTS, "the chart of accounts has no such account", "会计科目表中没有这个科目"),
]


class Filters(BaseModel):
    """What balances, lines and the trial balance are narrowed by."""

    area: Area | None = None
    fund: Fund | None = None
    party: Party | None = None
    account: AccountCode | None = None
    book: Annotated[
        Literal["OPS", "STAT"],
        Field(description="OPS: accrual, what people work with. STAT: cash basis, the statutory view"),
    ] = "OPS"
    as_of: Annotated[Day | None, Field(description="Count what has a value date up to this day")] = None
    known_on: Annotated[Day | None, Field(description="Count what was recorded up to this day")] = None

    @model_validator(mode="after")
    def _an_account_of_the_book(self) -> "Filters":
        if self.account is not None and chart.ACCOUNTS[self.account].book != self.book:
            raise Wrong(
                f"book {self.book} has no such account: it is one of the other book",
                f"账簿 {self.book} 没有这个科目：它属于另一账簿",
            )
        return self

    @property
    def narrowing(self) -> tuple[Any, ...]:
        """Parameters of the queries, after book and reach."""
        return self.fund, self.account, self.as_of, self.known_on
