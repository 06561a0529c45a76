"""Payments and their runs, over HTTP: what waits for whom, and what people say to it."""

from clearing.payments.api import (
    get_payment_run,
    get_payment_run_plan,
    get_payment_runs,
    get_payments,
    post_account_confirmations,
    post_approvals,
    post_payment_runs,
    post_receipts,
    post_retries,
)
from medfund.events import payments
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, PAYERS, READERS, Role

API = Api(
    endpoints=(
        get_payments,
        post_approvals,
        post_receipts,
        post_retries,
        post_account_confirmations,
        get_payment_run_plan,
        post_payment_runs,
        get_payment_runs,
        get_payment_run,
    ),
    roles={
        "payments": READERS,
        "approve": PAYERS,
        "receive": frozenset({Role.provider}),
        "retry": PAYERS,
        "confirm_account": PAYERS,
        "run_plan": AGENCY,
        "open_run": PAYERS,
        "payment_runs": AGENCY,
        "payment_run": AGENCY,
    },
    commands=(
        post_payment_runs.KIND,
        post_approvals.KIND,
        post_account_confirmations.KIND,
        post_retries.KIND,
        post_receipts.KIND,
    ),
    declines=(payments.PaymentApprovalRefused,),
)
