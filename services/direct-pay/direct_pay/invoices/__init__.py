"""Blue invoices and red letters, as suppliers register them."""

from direct_pay.invoices import invoice
from medfund.events.purchases import InvoiceRedIssued, InvoiceRegistered
from medfund.events.statements import InvoiceRedUnmatched
from medfund.lanes.capability import Capability

CAPABILITY = Capability(
    name="invoices",
    learns={InvoiceRegistered: invoice.registered, InvoiceRedIssued: invoice.red_issued},
    answers={InvoiceRegistered: invoice.unmatched, InvoiceRedIssued: invoice.red_refused},
    evolves={InvoiceRedUnmatched: invoice.evolve},
)
