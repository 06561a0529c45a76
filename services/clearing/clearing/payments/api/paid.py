"""A payment as answers tell it: what was ordered, who approved it, and what the bank made of it."""

from datetime import date
from typing import Annotated

import msgspec
from pydantic import BaseModel, Field

from clearing.api import samples
from clearing.payments.payment import Payment, Status
from medfund.events.payments import Purpose
from medfund.http import answers, examples
from medfund.http.answers import ByFund, Yuan
from medfund.postgres import queries

SQL = queries.load(__file__, "payments.sql")
read = msgspec.json.Decoder(Payment).decode

P1_POOLED = {"310100": "1890000.33"}
PAYMENT: examples.Json = {
    "payment": f"{samples.BATCH}/P1/310100",
    "payable": samples.BATCH,
    "purpose": "INSTANT",
    "state": "SETTLED",
    "due": "2026-02-09",
    "latest": None,
    "requested_by": None,
    "approvers": ["staff-7c41", "staff-02e9"],
    "expires_on": "2026-02-17",
    "run": f"{samples.AREA}-310100-20260212-1",
    "end_to_end_id": "5b1f0c9a4d7e42138f6a90bd2c37e815",
    "value_date": "2026-02-12",
    "confirmed_on": "2026-02-13",
    "amounts": samples.funds(P1_POOLED),
    "settled": samples.funds(P1_POOLED),
    "returned": [],
    "to_retry": [],
    "total": "1890000.33",
}


class Paid(BaseModel):
    payment: str
    payable: str
    purpose: Purpose
    state: Status
    due: Annotated[date, Field(description="The first day that it can be while `latest` is given")]
    latest: Annotated[date | None, Field(description="The last one, while no notice of working days covers the span")]
    requested_by: Annotated[str | None, Field(description="The person who asked for it; null for the rules alone")]
    approvers: list[str]
    expires_on: Annotated[date | None, Field(description="The last day on which what was approved may be sent")]
    run: str | None
    end_to_end_id: Annotated[str | None, Field(description="What the bank calls it by")]
    value_date: date | None
    confirmed_on: Annotated[date | None, Field(description="When it came, as the provider says")]
    amounts: list[ByFund]
    settled: list[ByFund]
    returned: list[ByFund]
    to_retry: Annotated[list[ByFund], Field(description="What failed or came back, and nobody has asked for again")]
    total: Yuan


def told(payment: Payment) -> Paid:
    return Paid(
        payment=payment.payment_ref,
        payable=payment.payable_ref,
        purpose=payment.purpose,
        state=payment.status,
        due=payment.due,
        latest=payment.latest or None,
        requested_by=payment.requested_by,
        approvers=payment.approvers,
        expires_on=payment.expires_on,
        run=payment.run_ref,
        end_to_end_id=payment.end_to_end_id,
        confirmed_on=payment.confirmed_on,
        value_date=payment.value_date,
        amounts=answers.by_fund(payment.amounts),
        settled=answers.by_fund(payment.settled),
        returned=answers.by_fund(payment.returned),
        to_retry=answers.by_fund(payment.to_retry),
        total=answers.total(payment.amounts),
    )
