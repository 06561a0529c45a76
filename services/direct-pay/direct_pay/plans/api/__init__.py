"""Plans of statements, over HTTP."""

from direct_pay.plans.api import get_statement_plan, post_statement_approvals, post_statement_plans
from medfund.http.api import Api
from medfund.http.tokens import AGENCY, PAYERS

API = Api(
    endpoints=(post_statement_plans, get_statement_plan, post_statement_approvals),
    roles={"plan_statements": PAYERS, "statement_plan": AGENCY, "approve_statements": PAYERS},
)
