"""Parameters that several questions share, each with its form: whatever does not have it never reaches the database."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from medfund import codes, money
from medfund.events.fields import FIRST_DAY, LAST_DAY
from medfund.http import cursors, wording
from medfund.http.tokens import Principal
from medfund.http.wording import Wrong

PAGE_MAX = 1000
ONE_DAY = timedelta(days=1)
OFFSET_MAX = (1 << 63) - 1


def one_of(known: Collection[str], en: str, zh: str) -> AfterValidator:
    """A code that does not exist is refused: to nothing, an answer of 0.00 would look like one."""

    def check(code: str) -> str:
        if code not in known:
            raise Wrong(en, zh)
        return code

    return AfterValidator(check)


Area = Annotated[str, Field(pattern=codes.AREA_PATTERN, description="Pooling area, 6 digits", examples=["152500"])]
Party = Annotated[
    str,
    Field(pattern=codes.PROVIDER_PATTERN, description="Provider code, H or P and 11 digits", examples=["H15250200017"]),
]


def _checked(code: str) -> str:
    if not codes.is_uscc(code):
        raise Wrong("its check character is not that of this code", "统一社会信用代码校验码不符")
    return code


Supplier = Annotated[
    str,
    Field(pattern=codes.USCC_PATTERN, description="Unified social credit code", examples=["91370000MA0000001T"]),
    AfterValidator(_checked),
]
StatementRef = Annotated[
    str,
    Field(
        pattern=wording.STATEMENT, description="The supplier's name of a statement",
        examples=["DZ202609"],
    ),
]  # fmt: skip
Invoice = Annotated[
    str,
    Field(
        pattern=codes.INVOICE_PATTERN,
        description="20 digits, or the code of 10 or 12 digits, - and the number of 8",
        examples=["26372000000012345678"],
    ),
]
Yuan = Annotated[str, Field(pattern=money.AMOUNT_PATTERN, description="One amount: yuan with two decimals")]
Fund = Annotated[
    str,
    Field(pattern=r"^[0-9]{6}$", description="Fund (fund_pay_type)", examples=["390100"]),
    one_of(codes.FUNDS, "no fund has this code", "没有这个基金编码"),
]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-04-01"])]
Ref = Annotated[
    str, Field(pattern=codes.REF_PATTERN, description="A reference", examples=["H15250200017-310-21-202601"])
]
Text = Annotated[str, Field(min_length=1, max_length=500, description="For people; names nobody")]
Topic = Annotated[str, Field(pattern=r"^[a-z-]{1,20}$", description="Family of events", examples=["claims"])]
Lane = Annotated[int, Field(ge=0, lt=1 << 15, description="Partition number", examples=[3])]
Offset = Annotated[int, Field(ge=0, le=OFFSET_MAX, description="Offset in the partition", examples=[1234])]
Cursor = Annotated[
    str, Field(max_length=cursors.CURSOR_CHARACTERS_MAX, description="`next` of the page before, to continue it")
]
Limit = Annotated[int, Field(ge=1, le=PAGE_MAX, description=f"Rows per page, at most {PAGE_MAX}")]


class Page(BaseModel):
    cursor: Cursor | None = None
    limit: Limit = 100


class Waiting(BaseModel):
    wait_for: Annotated[
        str | None,
        Field(
            pattern=wording.POSITION,
            description="Answer only after this position is booked, as given by publishing: `claims:<lane>:<offset>`",
            examples=["claims:3:1234"],
        ),
    ] = None


class OfProvider(BaseModel):
    area: Area | None = None
    provider: Party | None = None


class DueBetween(BaseModel):
    due_before: Annotated[Day | None, Field(description="Due before this day")] = None
    due_after: Annotated[Day | None, Field(description="Due after this day")] = None


def sealed(operation: str, principal: Principal, question: BaseModel) -> dict[str, Any]:
    """What a cursor belongs to: the operation, the caller, and everything asked except for the page."""
    asked = question.model_dump(exclude={"cursor", "limit", "wait_for"})
    return {**asked, "operation": operation, "subject": principal.subject}
