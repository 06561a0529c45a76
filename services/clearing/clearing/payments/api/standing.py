"""What a payment waits for: people, and somebody's look at the payee's account. Pure.

It is judged on the day that its lane has opened last, by the rules that the lane itself judges by when it is sent.
"""

from datetime import date
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from clearing.payments import approving
from clearing.payments.accounts import Account
from clearing.payments.payment import Payment
from clearing.policy import POLICIES
from medfund.http.answers import Name
from medfund.lanes.draft import Known
from medfund.lanes.mandates import MANDATES

_account = msgspec.json.Decoder(Account).decode

AccountState = Literal["KNOWN", "CONFIRMED", "TO_CONFIRM", "CHANGED"]
ACCOUNTS: dict[AccountState, Name] = {
    "KNOWN": Name(zh="已启用", en="in use"),
    "CONFIRMED": Name(zh="新账户，已确认", en="new, and confirmed"),
    "TO_CONFIRM": Name(zh="新账户，待确认", en="new: somebody has to confirm it"),
    "CHANGED": Name(zh="审批后已变更，须重新审批", en="changed after the approval: approve it again"),
}


class Standing(NamedTuple):
    """Of a payment that was not sent."""

    missing: int
    """People."""
    missing_approver: bool
    """Whether one of them has to be an approver."""
    account_state: AccountState


def account_of(row: asyncpg.Record) -> Account:
    return _account(row["account"]) if row["account"] else Account(ref="")


def of(payment: Payment, known: Known, account: Account, today: date | None) -> Standing | None:
    """None where nothing of it waits to be sent, or no day was opened yet."""
    if not payment.unsent or today is None:
        return None
    counting = approving.approvers(payment, today, account.ref)
    missing = max(0, approving.PEOPLE - len(approving.behind(known[MANDATES], payment, counting, today)))
    roles = [known[MANDATES].of(payment.area, person, today) for person in counting]
    approver = any(mandate is not None and mandate.role == "approver" for mandate in roles)
    return Standing(missing, missing > 0 and not approver, _account_state(payment, known, account, today))


def _account_state(payment: Payment, known: Known, account: Account, today: date) -> AccountState:
    if payment.approvers and payment.account != account.ref:
        return "CHANGED"
    policy = known[POLICIES].published.get(payment.policy_ref)
    if account.is_settled(today, policy.account_days if policy else 0):
        return "KNOWN"
    return "CONFIRMED" if account.confirmed_by else "TO_CONFIRM"
