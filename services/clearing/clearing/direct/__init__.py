"""What the fund pays suppliers on a hospital's behalf, and what comes back of it: 2105, 1103, 1109 (R3.5-R3.7)."""

from clearing import names
from clearing.capability import Capability
from clearing.direct import approving, begun, limits, owed, payees, paying, red_letters, repaid, statement, true_up
from clearing.direct.statement import Debt, GivenBack, Statement
from clearing.payable import Kind
from medfund.events import direct, openings, statements, suppliers, time
from medfund.lanes.capability import changing, keeping

_one = changing(statement.DIRECT, names.payable)

CAPABILITY = Capability(
    name="direct",
    keeps={
        suppliers.SupplierPayeeAssigned: keeping(payees.ASSIGNED, payees.with_assignment),
        suppliers.DirectCapSet: keeping(limits.CAPS, limits.with_cap),
    },
    learns={suppliers.SupplierRegistered: payees.learn, suppliers.SupplierChanged: payees.learn},
    answers={
        statements.StatementRequested: approving.requested,
        statements.StatementLineReduced: red_letters.reduced,
        time.DayOpened: paying.day_opened,
        suppliers.SupplierRegistered: payees.changed,
        suppliers.SupplierChanged: payees.changed,
        suppliers.SupplierAccountConfirmed: payees.confirmed,
        suppliers.SupplierPayeeAssigned: payees.assigned,
        suppliers.DirectCapSet: limits.cap_set,
        direct.InterFundTrueUpAgreed: true_up.agreed,
        direct.BankShortfallRepaid: repaid.collected,
        direct.BankSupplierRefunded: repaid.refunded,
        openings.OpeningItemRecorded: begun.recorded,
    },
    evolves={
        direct.StatementApproved: approving.evolve,
        direct.RedLetterApplied: red_letters.evolve,
        direct.RedLetterFollowed: red_letters.evolve_followed,
        direct.InterFundTruedUp: _one(statement.trued_up),
        direct.SupplierDebtNetted: paying.evolve_netted,
        direct.SupplierOverpaid: paying.evolve_overpaid,
        direct.SupplierPaymentBlocked: _one(limits.evolve_blocked),
        direct.SupplierPaymentUnblocked: _one(limits.evolve_unblocked),
        direct.SupplierPayeeNoted: _one(payees.evolve_payee),
        direct.SupplierAccountNoted: payees.evolve_account,
        direct.HospitalShortfallCollected: repaid.evolve_collected,
        direct.SupplierRefunded: repaid.evolve_refunded,
        openings.OpeningItemTaken: begun.evolve,
    },
    payables={
        Statement: Kind(
            things=statement.DIRECT,
            settled=paying.paid,
            returned=paying.returned,
            undone=paying.paid,
            not_again=paying.not_again,
            ordering=paying.ordering,
            not_in_cash=statement.covered,
            repaid=repaid.SHORTFALL,
        ),
        GivenBack: Kind(things=statement.DIRECT),
        Debt: Kind(things=statement.DIRECT, repaid=repaid.REFUND),
    },
    items=owed.ITEMS,
)
