"""Prepayments and their plans, over HTTP."""

from clearing.prepayment.api import (
    get_prepayment_outlook,
    get_prepayment_plan,
    get_prepayment_statement,
    get_prepayments,
    post_prepayment_applications,
    post_prepayment_approvals,
    post_prepayment_plans,
    post_prepayment_recalls,
)
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, PAYERS, READERS, Role

API = Api(
    endpoints=(
        get_prepayments,
        get_prepayment_outlook,
        get_prepayment_statement,
        post_prepayment_applications,
        post_prepayment_plans,
        get_prepayment_plan,
        post_prepayment_approvals,
        post_prepayment_recalls,
    ),
    roles={
        "prepayments": READERS,
        "prepayment_outlook": AGENCY,
        "prepayment_statement": READERS,
        "apply_for_prepayment": frozenset({Role.provider}),
        "plan_prepayments": PAYERS,
        "prepayment_plan": AGENCY,
        "approve_plan": PAYERS,
        "recall": PAYERS,
    },
    commands=(post_prepayment_applications.KIND, post_prepayment_recalls.KIND),
)
