"""What direct payment is composed of: capabilities, in the order in which they listen, and shelves, in the order in
which they are read."""

from collections.abc import Sequence

from direct_pay import arrears, invoices, master, orders, policy, statements
from direct_pay.arrears import store as arrears_store
from direct_pay.invoices import store as invoices_store
from direct_pay.master import store as master_store
from direct_pay.orders import store as orders_store
from direct_pay.statements import store as statements_store
from medfund.lanes import days, kept, mandates, providers
from medfund.lanes.capability import Capability
from medfund.lanes.shelf import Shelf

CAPABILITIES: Sequence[Capability] = (
    providers.CAPABILITY,
    days.CAPABILITY,
    policy.CAPABILITY,
    master.CAPABILITY,
    orders.CAPABILITY,
    orders.TRACES,
    invoices.CAPABILITY,
    statements.CAPABILITY,
    arrears.CAPABILITY,
    mandates.CAPABILITY,
)
SHELVES: Sequence[Shelf] = (
    kept.Facts(CAPABILITIES),
    kept.Providers(),
    kept.OpenDay(),
    # what statements are named, what they list, and what that was ordered and delivered by
    statements_store.Statements(),
    invoices_store.Invoices(),
    statements_store.Owners(),
    orders_store.Traces(),
    orders_store.Orders(),
    # what else was invoiced of the same lines, and what was requested of that
    invoices_store.Rivals(),
    statements_store.OfInvoices(),
    # on which terms it was bought
    master_store.Contracts(),
    master_store.Products(),
    master_store.Claims(),
    master_store.Suppliers(),
    statements_store.Cycles(),
    arrears_store.Register(),
)
