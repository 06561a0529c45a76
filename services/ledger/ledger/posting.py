"""The posting table: event type -> journal lines of both books. Pure; a line follows from its one event alone.

Source: domain.md c.4. Every event type of the contract stands in `RULES`, with lines or with an explicit `nothing`.
Amounts are fen; a negative amount mirrors its line. Who bears a fund's part decides its expense side: the own fund
(5001), a visitor's insured area (1106), or another payer that this agency pays in advance for (1110).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ledger import chart
from ledger.chart import Account, Book
from medfund import money
from medfund.events import (
    agency,
    audit,
    bank,
    claims,
    direct,
    disputes,
    instant,
    ledger,
    offsets,
    openings,
    parking,
    payments,
    prepayments,
    purchases,
    settlements,
    sources,
    statements,
    supervision,
    suppliers,
    time,
    treasury,
)
from medfund.events.kinds import Event


class Line(NamedTuple):
    """One amount from one account to another, inside one fund."""

    book: Book
    fund: str
    debit: str
    credit: str
    amount: int


Lines = Iterator[Line]
Amounts = Mapping[str, int]
Rule = Callable[[Any, Amounts], Lines]
Side = Account | Callable[[Any, str], Account]
"""An account, or what decides it from the event and the fund."""


def lines(event: Event) -> list[Line]:
    """The lines of one event."""
    return summed_lines(event, fens(getattr(event, MAIN_AMOUNTS.get(type(event), "amounts"), {})))


def summed_lines(sample: Event, amounts: Amounts) -> list[Line]:
    """The lines of many events alike: `sample` is one of them, `amounts` are the sums of all, by fund."""
    return [*RULES[type(sample)](sample, amounts)]


MAIN_AMOUNTS = {settlements.SettlementRecorded: "funds", settlements.SettlementReversed: "funds"}
"""Where an event's amounts by fund stand, when not in `amounts`."""


def fens(by_fund: Mapping[str, str]) -> dict[str, int]:
    return {fund: money.fen(amount) for fund, amount in by_fund.items()}


# -- the words of the table


def nothing(event: Any, amounts: Amounts) -> Lines:
    return iter(())


def per_fund(*, debit: Side, credit: Side) -> Rule:
    """One line for each fund's amount, in the book that its accounts belong to."""

    def rule(event: Any, amounts: Amounts) -> Lines:
        for fund, amount in amounts.items():
            yield from move(event, fund, debit, credit, amount)

    return rule


def both(*rules: Rule) -> Rule:
    def rule(event: Any, amounts: Amounts) -> Lines:
        for part in rules:
            yield from part(event, amounts)

    return rule


def in_both(*, debit: Side, credit: Side) -> Rule:
    """The same line in both books, between accounts that each have one of their own in STAT."""
    return both(per_fund(debit=debit, credit=credit), per_fund(debit=_of_stat(debit), credit=_of_stat(credit)))


def by(field: str, **rules: Rule) -> Rule:
    """The rule for what a field of the event says."""
    return lambda event, amounts: rules[getattr(event, field)](event, amounts)


def of_p1(rule: Rule, *, other: Rule) -> Rule:
    """A P1 comes back to two accounts; any other payment to the one of its purpose."""
    return lambda event, amounts: (rule if event.purpose == "INSTANT" else other)(event, amounts)


def of(field: str, rule: Rule) -> Rule:
    """The same rule for another set of amounts of the event."""
    return lambda event, _: rule(event, fens(getattr(event, field)))


def once_of_two(rule: Rule) -> Rule:
    """Where two items that take each other out are of two lanes, each is placed by itself: what came books both."""

    def once(event: Any, amounts: Amounts) -> Lines:
        apart = event.direction == "OUT" and event.target_lane is not None
        return (nothing if apart else rule)(event, amounts)

    return once


def move(event: Any, fund: str, debit: Side, credit: Side, amount: int) -> Lines:
    """At most one line: nothing where the amount is zero, mirrored where it is negative."""
    if amount == 0:
        return
    left, right = _account(debit, event, fund), _account(credit, event, fund)
    if left.book != right.book:
        raise ValueError(f"{left.code} and {right.code} are not in one book")
    if amount < 0:
        left, right, amount = right, left, -amount
    yield Line(left.book, fund, left.code, right.code, amount)


def _account(side: Side, event: Any, fund: str) -> Account:
    return side if isinstance(side, Account) else side(event, fund)


def _of_stat(side: Side) -> Side:
    return lambda event, fund: OF_STAT[_account(side, event, fund).code]


# -- sides that the event decides


def is_visitor(event: Any) -> bool:
    return bool(event.insured_area != event.area)


def borne_by(event: Any, fund: str) -> Account:
    if is_visitor(event):
        return chart.CROSS_REGION_RECEIVABLE
    return chart.OTHER_PAYER if fund in event.advanced else chart.BENEFIT_EXPENSE


def paid_for(event: Any, fund: str) -> Account:
    """STAT of what is paid: expense of the own fund, a temporary payment for the others."""
    if is_visitor(event):
        return chart.TEMP_VISITOR
    return chart.TEMP_OTHER if fund in event.advanced else chart.EXPENSE


def instant_paid(event: Any, fund: str) -> Account:
    """STAT of an instant payment: the customer's choice travels on the event."""
    return chart.TEMP_INSTANT if event.instant_stat == "TEMP" else paid_for(event, fund)


def at_bank(event: Any, fund: str) -> Account:
    """The bank account that money left from, or came to; suspense in its place where a line was found out later."""
    return chart.ACCOUNTS[event.bank_account]


def cash(event: Any, fund: str) -> Account:
    return chart.CASH_STAT[event.bank_account]


def other_bank(event: Any, fund: str) -> Account:
    """The other end of a transfer between the fund's own two accounts."""
    return OTHER_BANK[event.bank_account]


def paid(event: Any, fund: str) -> Account:
    """What a payment pays."""
    return PAID[event.purpose]


def paid_stat(event: Any, fund: str) -> Account:
    if event.purpose == "INSTANT":
        return instant_paid(event, fund)
    return PAID_STAT.get(event.purpose) or paid_for(event, fund)


def owed_in(event: Any, fund: str) -> Account:
    """Where what is held is owed."""
    return chart.ACCOUNTS[event.account or chart.PAYABLE_APPROVED.code]


def prepaid(event: Any, fund: str) -> Account:
    """What a prepayment is booked in."""
    return chart.BULK_PREPAYMENT if event.prepayment_kind == "BULK" else chart.PREPAYMENT


def prepaid_stat(event: Any, fund: str) -> Account:
    return ADVANCES_STAT[prepaid(event, fund).code]


def recovered(event: Any, fund: str) -> Account:
    """What a recovery gives back: the year's own expense, other income for an earlier one, or what others owe us."""
    if event.recovery_year == "CURRENT" or borne_by(event, fund) != chart.BENEFIT_EXPENSE:
        return borne_by(event, fund)
    return chart.OTHER_INCOME


def recovered_stat(event: Any, fund: str) -> Account:
    if event.recovery_year == "CURRENT" or paid_for(event, fund) != chart.EXPENSE:
        return paid_for(event, fund)
    return chart.STAT_OTHER_INCOME


def taken_from(event: Any, fund: str) -> Account:
    return TAKEN_FROM[event.taken_from]


def taken_stat(event: Any, fund: str) -> Account:
    return instant_paid(event, fund) if event.taken_from == "P1" else paid_for(event, fund)


def item(event: Any, fund: str) -> Account:
    """The open item that an offset pays off."""
    return chart.ACCOUNTS[event.account]


def item_stat(event: Any, fund: str) -> Account:
    """STAT of that item: a temporary payment comes home; a recovery or a debt lowers what it once was."""
    if event.account == "1104":
        return instant_paid(event, fund)
    if event.account in ADVANCES_STAT:
        return ADVANCES_STAT[event.account]
    if event.item_insured_area != event.area:
        return chart.TEMP_VISITOR
    if fund in event.item_advanced:
        return chart.TEMP_OTHER
    return chart.STAT_OTHER_INCOME if event.recovery_year == "PRIOR" else chart.EXPENSE


def fee(event: Any, fund: str) -> Account:
    """What the area's policy says of the bank's fees; the decision carries it."""
    return chart.ACCOUNTS[event.account]


OF_STAT = {
    **chart.CASH_STAT,
    chart.DUE_FROM_FUND.code: chart.TEMP_FUND,
    chart.DUE_TO_FUND.code: chart.RECV_FUND,
    chart.FUND_BALANCE.code: chart.NET_ASSETS,
    chart.OTHER_INCOME.code: chart.STAT_OTHER_INCOME,
    chart.OTHER_PAYER.code: chart.TEMP_OTHER,
    chart.OTHER_EXPENDITURE.code: chart.STAT_OTHER_EXPENDITURE,
}
OTHER_BANK = {"1002": chart.FISCAL, "1003": chart.EXPENDITURE}
PAID = {
    "INSTANT": chart.INSTANT_ADVANCE,
    "PAYABLE": chart.PAYABLE_APPROVED,
    "CLEARING": chart.CLEARING_PAYABLE,
    "SUPPLIER": chart.SUPPLIER_PAYABLE,
    "PREPAYMENT": chart.PREPAYMENT,
    "BULK": chart.BULK_PREPAYMENT,
}
PAID_STAT = {"SUPPLIER": chart.TEMP_DIRECT, "PREPAYMENT": chart.TEMP_PREPAY, "BULK": chart.TEMP_VBP}
"""What is no expense when it is paid, but a temporary payment that comes home."""
TAKEN_FROM = {"P1": chart.INSTANT_ADVANCE, "2102": chart.PAYABLE_APPROVED, "2104": chart.CLEARING_PAYABLE}
ADVANCES_STAT = {"1101": chart.TEMP_PREPAY, "1102": chart.TEMP_VBP, "1103": chart.TEMP_DIRECT}
SUSPENSE = {"OUT": chart.SUSPENSE_OUT, "IN": chart.SUSPENSE_IN}
BEGUN_STAT = {
    **chart.CASH_STAT,
    **ADVANCES_STAT,
    "1105": chart.TEMP_XR,
    "1106": chart.TEMP_VISITOR,
    "1109": chart.TEMP_DIRECT,
    "1110": chart.TEMP_OTHER,
    "1120": chart.TEMP_FUND,
    "2105": chart.TEMP_DIRECT,
    "2107": chart.RECV_XR,
    "2120": chart.RECV_FUND,
}
"""What is tied to an account in STAT, by the sums of the Invariants."""
OF_CLAIMS = ("1104", "1107", "1108", "2102", "2103", "2104", "2108")
"""Tied to what was paid for visitors and other payers; of the own fund nothing is, but an advance."""


# -- rules that a row of the table cannot hold


def offset_applied(event: Any, amounts: Amounts) -> Lines:
    """An advance that was expense when it was paid is no second expense when it is taken back. A payable that makes
    good another one stays in its account."""
    if event.account == "2102":
        return
    yield from per_fund(debit=taken_from, credit=item)(event, amounts)
    if not (event.account == "1104" and event.instant_stat == "EXPENSE"):
        yield from per_fund(debit=taken_stat, credit=item_stat)(event, amounts)


def recovery_reversed(event: Any, amounts: Amounts) -> Lines:
    """What was still owed ends; what was taken is owed back, and is expense again when it is paid. Taking a prior
    year's back was income in STAT, which is undone here."""
    yield from of("to_open", per_fund(debit=recovered, credit=chart.RECOVERY))(event, amounts)
    yield from of("to_payable", per_fund(debit=recovered, credit=chart.PAYABLE_APPROVED))(event, amounts)
    for fund, fen in fens(event.to_payable).items():
        if recovered_stat(event, fund) == chart.STAT_OTHER_INCOME:
            yield from move(event, fund, chart.STAT_OTHER_INCOME, chart.EXPENSE, fen)


def opening_balance(event: Any, amounts: Amounts) -> Lines:
    """What nobody had placed is booked by the decision that keeps it."""
    if chart.ACCOUNTS[event.account] not in SUSPENSE.values():
        yield from begins(event, event.account, amounts)


def opening_item(event: Any, amounts: Amounts) -> Lines:
    for part in event.accounts:
        yield from begins(event, part.account, fens(part.amounts))


def begins(event: Any, code: str, amounts: Amounts) -> Lines:
    """What an account begins with is against the fund's balance, in the statutory book as far as the ties between the
    two books go: an advance is a temporary payment, what was not paid is nothing, and of others' claims what is owed
    lowers what was paid for them."""
    account = chart.ACCOUNTS[code]
    sign = 1 if account.normal == "debit" else -1
    for fund, fen in amounts.items():
        yield from move(event, fund, account, chart.FUND_BALANCE, sign * fen)
    for fund, fen in amounts.items():
        if (tied := _tied(event, code, fund)) is not None:
            yield from move(event, fund, tied, chart.NET_ASSETS, sign * fen)


def _tied(event: Any, code: str, fund: str) -> Account | None:
    if code not in OF_CLAIMS:
        return BEGUN_STAT.get(code)
    found = instant_paid(event, fund) if code == "1104" else paid_for(event, fund)
    return None if found == chart.EXPENSE else found


def trued_up(event: Any, amounts: Amounts) -> Lines:
    """One fund's 1103 becomes another one's."""
    for fen in amounts.values():
        yield from _taken_over(event, event.from_fund, event.to_fund, fen)


def _taken_over(event: Any, from_fund: str, to_fund: str, fen: int) -> Lines:
    yield from move(event, from_fund, chart.DUE_FROM_FUND, chart.DIRECT_ADVANCE, fen)
    yield from move(event, to_fund, chart.DIRECT_ADVANCE, chart.DUE_TO_FUND, fen)
    yield from move(event, from_fund, chart.TEMP_FUND, chart.TEMP_DIRECT, fen)
    yield from move(event, to_fund, chart.TEMP_DIRECT, chart.RECV_FUND, fen)


def red_letter_followed(event: Any, amounts: Amounts) -> Lines:
    """Into the fund that took it over; or that is undone, and it is not paid in the first one."""
    yield from of("owed", per_fund(debit=chart.SUPPLIER_REFUND, credit=chart.DIRECT_ADVANCE))(event, amounts)
    yield from of("recovered", _given_back(chart.SUPPLIER_REFUND))(event, amounts)
    yield from of("given_back", _given_back(chart.DIRECT_ADVANCE))(event, amounts)
    for fund, fen in fens(event.undone).items():
        yield from _taken_over(event, event.to_fund, event.from_fund, fen)
        yield from move(event, fund, chart.SUPPLIER_PAYABLE, chart.DIRECT_ADVANCE, fen)


# A P1 goes back to the advance as far as that is open, the rest to the payable; any other payment to what it paid.
_p1_returned = both(
    of(
        "to_advance",
        both(per_fund(debit=at_bank, credit=chart.INSTANT_ADVANCE), per_fund(debit=cash, credit=instant_paid)),
    ),
    of(
        "to_payable",
        both(per_fund(debit=at_bank, credit=chart.PAYABLE_APPROVED), per_fund(debit=cash, credit=paid_for)),
    ),
)
_p1_paid_again = both(
    of(
        "to_advance",
        both(per_fund(debit=chart.INSTANT_ADVANCE, credit=at_bank), per_fund(debit=instant_paid, credit=cash)),
    ),
    of(
        "to_payable",
        both(per_fund(debit=chart.PAYABLE_APPROVED, credit=at_bank), per_fund(debit=paid_for, credit=cash)),
    ),
)
_settled = both(per_fund(debit=paid, credit=at_bank), per_fund(debit=paid_stat, credit=cash))


def _placed_in(account: Side) -> Rule:
    """What was found in suspense is of this account: what came lowers it, what left raises it."""
    return by(
        "direction",
        OUT=in_both(debit=account, credit=chart.SUSPENSE_OUT),
        IN=in_both(debit=chart.SUSPENSE_IN, credit=account),
    )


def _given_back(owed: Account) -> Rule:
    """The hospital is owed again what was taken from it, and it is expense again when it is paid."""
    return both(
        per_fund(debit=owed, credit=chart.PAYABLE_APPROVED), per_fund(debit=chart.TEMP_DIRECT, credit=chart.EXPENSE)
    )


def _repaid(owed: Account) -> Rule:
    """What was paid for a hospital comes home in cash, of the hospital or of the supplier."""
    return both(per_fund(debit=at_bank, credit=owed), per_fund(debit=cash, credit=chart.TEMP_DIRECT))


_other_returned = both(per_fund(debit=at_bank, credit=paid), per_fund(debit=cash, credit=paid_stat))

RULES: Mapping[type[Event], Rule] = {
    # what hospitals did
    settlements.SettlementRecorded: per_fund(debit=borne_by, credit=chart.PAYABLE_UNCLAIMED),
    settlements.SettlementReversed: per_fund(debit=borne_by, credit=chart.PAYABLE_UNCLAIMED),
    # claims and audit
    claims.ClaimBatchAccepted: per_fund(debit=chart.PAYABLE_UNCLAIMED, credit=chart.PAYABLE_IN_REVIEW),
    claims.ClaimBatchWithdrawn: per_fund(debit=chart.PAYABLE_IN_REVIEW, credit=chart.PAYABLE_UNCLAIMED),
    audit.ClaimDeducted: per_fund(debit=chart.PAYABLE_IN_REVIEW, credit=borne_by),
    audit.AuditDeductionUndone: per_fund(debit=borne_by, credit=chart.PAYABLE_IN_REVIEW),
    instant.ClaimBatchApproved: both(
        of("net", per_fund(debit=chart.PAYABLE_IN_REVIEW, credit=chart.PAYABLE_APPROVED)),
        of("bond", per_fund(debit=chart.PAYABLE_IN_REVIEW, credit=chart.QUALITY_BOND)),
    ),
    # money
    payments.PaymentSettled: _settled,
    payments.PaymentReturned: of_p1(_p1_returned, other=_other_returned),
    payments.PaymentReturnUndone: of_p1(_p1_paid_again, other=_settled),
    prepayments.PrepaymentReturned: both(
        per_fund(debit=at_bank, credit=prepaid), per_fund(debit=cash, credit=prepaid_stat)
    ),
    offsets.OffsetApplied: offset_applied,
    supervision.ClaimPayableHeld: per_fund(debit=owed_in, credit=chart.PAYABLE_ON_HOLD),
    supervision.ClaimPayableReleased: per_fund(debit=chart.PAYABLE_ON_HOLD, credit=owed_in),
    # the fund's own accounts
    treasury.OpeningBalanceRecorded: opening_balance,
    openings.OpeningItemTaken: opening_item,
    openings.OpeningSuspenseTaken: lambda event, amounts: begins(event, SUSPENSE[event.direction].code, amounts),
    bank.TreasuryFundsReceived: in_both(debit=chart.EXPENDITURE, credit=chart.FISCAL),
    payments.SuspenseOpened: by(
        "direction",
        OUT=in_both(debit=chart.SUSPENSE_OUT, credit=at_bank),
        IN=in_both(debit=at_bank, credit=chart.SUSPENSE_IN),
    ),
    payments.SuspensePlaced: by(
        "placed_as",
        FISCAL=by(
            "direction",
            OUT=in_both(debit=other_bank, credit=chart.SUSPENSE_OUT),
            IN=in_both(debit=chart.SUSPENSE_IN, credit=other_bank),
        ),
        CORRECTED=once_of_two(in_both(debit=chart.SUSPENSE_IN, credit=chart.SUSPENSE_OUT)),
        INTEREST=_placed_in(chart.OTHER_INCOME),
        OTHER_INCOME=_placed_in(chart.OTHER_INCOME),
        OTHER_PAYER=_placed_in(chart.OTHER_PAYER),
        FEE=_placed_in(fee),
        PAYMENT=nothing,  # the decision about what it was of takes it out of suspense
        RETURN=nothing,
        RECOVERY=nothing,
        PREPAYMENT=nothing,
        INTER_FUND=by(
            "direction",
            OUT=in_both(debit=chart.DUE_TO_FUND, credit=chart.SUSPENSE_OUT),
            IN=in_both(debit=chart.SUSPENSE_IN, credit=chart.DUE_FROM_FUND),
        ),
        SHORTFALL=nothing,
        REFUND=nothing,
    ),
    # supervision
    supervision.RecoveryOpened: per_fund(debit=chart.RECOVERY, credit=recovered),
    supervision.RecoverySettled: both(
        per_fund(debit=at_bank, credit=chart.RECOVERY), per_fund(debit=cash, credit=recovered_stat)
    ),
    supervision.RecoveryReversed: recovery_reversed,
    supervision.FineNoted: per_fund(debit=chart.FINES, credit=chart.FINES_CONTRA),
    # suppliers, paid on a hospital's behalf
    direct.StatementApproved: per_fund(debit=chart.DIRECT_ADVANCE, credit=chart.SUPPLIER_PAYABLE),
    direct.SupplierDebtNetted: per_fund(debit=chart.SUPPLIER_PAYABLE, credit=chart.SUPPLIER_REFUND),
    direct.RedLetterApplied: both(
        of("unpaid", per_fund(debit=chart.SUPPLIER_PAYABLE, credit=chart.DIRECT_ADVANCE)),
        of("paid", per_fund(debit=chart.SUPPLIER_REFUND, credit=chart.DIRECT_ADVANCE)),
        of("recovered", _given_back(chart.SUPPLIER_REFUND)),
        of("came_back", _given_back(chart.SUPPLIER_PAYABLE)),
    ),
    direct.InterFundTruedUp: trued_up,
    direct.RedLetterFollowed: red_letter_followed,
    direct.SupplierOverpaid: per_fund(debit=chart.SUPPLIER_REFUND, credit=chart.SUPPLIER_PAYABLE),
    direct.HospitalShortfallCollected: _repaid(chart.DIRECT_ADVANCE),
    direct.SupplierRefunded: _repaid(chart.SUPPLIER_REFUND),
    purchases.OrderCommitted: per_fund(debit=chart.ORDERS, credit=chart.ORDERS_CONTRA),
    purchases.OrderReleased: per_fund(debit=chart.ORDERS_CONTRA, credit=chart.ORDERS),
    statements.ArrearsNoted: per_fund(debit=chart.ARREARS, credit=chart.ARREARS_CONTRA),
    statements.ArrearsLowered: per_fund(debit=chart.ARREARS_CONTRA, credit=chart.ARREARS),
    # what moves no money
    settlements.SettlementOutcomeResolved: nothing,
    settlements.ControlTotalDeclared: nothing,
    settlements.ReconciliationCompleted: nothing,
    claims.ClaimBatchSubmitted: nothing,
    claims.ClaimBatchWithdrawalRequested: nothing,
    claims.ClaimBatchRejected: nothing,
    instant.InstantPaymentApproved: nothing,
    payments.PaymentOrdered: nothing,
    payments.PayeeAccountNoted: nothing,
    payments.PaymentApprovalRefused: nothing,
    payments.PaymentApproved: nothing,
    payments.PaymentCancelled: nothing,
    payments.PaymentDoubted: nothing,
    payments.PaymentFailed: nothing,
    payments.PaymentSent: nothing,
    payments.PaymentWithheld: nothing,
    payments.PaymentRetried: nothing,
    payments.SuspenseKept: nothing,
    payments.SuspensePlacingNoted: nothing,
    payments.SuspensePlacingRefused: nothing,
    bank.BankLineCorrected: nothing,
    bank.BankLineUnplaced: nothing,
    bank.BankMismatchFound: nothing,
    bank.BankPaymentRejected: nothing,
    bank.BankStatementImported: nothing,
    treasury.PaymentApprovalGiven: nothing,
    treasury.PaymentRetryRequested: nothing,
    treasury.PaymentRunOpened: nothing,
    openings.OpeningItemRecorded: nothing,
    treasury.ProviderAccountConfirmed: nothing,
    payments.PaymentConfirmed: nothing,
    payments.PaymentReceiptNoted: nothing,
    agency.FundFiguresPublished: nothing,
    agency.ProviderAssessed: nothing,
    prepayments.BankPrepaymentRepaid: nothing,
    prepayments.PrepaymentAdjusted: nothing,
    prepayments.PrepaymentApplied: nothing,
    prepayments.PrepaymentApproved: nothing,
    prepayments.PrepaymentChecked: nothing,
    prepayments.PrepaymentCleared: nothing,
    prepayments.PrepaymentDisbursed: nothing,
    prepayments.PrepaymentGateEvaluated: nothing,
    prepayments.PrepaymentGranted: nothing,
    prepayments.PrepaymentOverdue: nothing,
    prepayments.PrepaymentPurchasesNoted: nothing,
    prepayments.PrepaymentPurchasesReported: nothing,
    prepayments.PrepaymentRecalled: nothing,
    prepayments.PrepaymentRecallOrdered: nothing,
    prepayments.PrepaymentRefused: nothing,
    sources.SourceRegistered: nothing,
    sources.SourcesOpened: nothing,
    treasury.StaffMandated: nothing,
    treasury.SuspensePlacingRequested: nothing,
    treasury.TreasuryFundsRequested: nothing,
    disputes.FactDisputed: nothing,
    parking.FactParked: nothing,
    parking.FactRetried: nothing,
    parking.FactReleased: nothing,
    claims.ClaimBreachWithdrawn: nothing,
    claims.ClaimDeadlineApproaching: nothing,
    claims.ClaimDeadlineBreached: nothing,
    claims.ClaimDeadlineRecalculated: nothing,
    bank.BankPaymentSettled: nothing,
    direct.BankShortfallRepaid: nothing,
    direct.BankSupplierRefunded: nothing,
    bank.BankPaymentReturned: nothing,
    bank.BankReturnReversed: nothing,
    audit.AuditFindingRaised: nothing,
    audit.AuditFindingReviewed: nothing,
    audit.AuditAppealFiled: nothing,
    audit.AuditAppealDecided: nothing,
    audit.AuditStageCompleted: nothing,
    audit.AuditDeductionFinalised: nothing,
    audit.ClaimFindingNoted: nothing,
    supervision.PaymentHoldPlaced: nothing,
    supervision.PaymentHoldReleased: nothing,
    supervision.RecoveryDecided: nothing,
    supervision.RecoveryReceived: nothing,
    supervision.BankRecoveryRepaid: nothing,
    supervision.RecoveryAppealUpheld: nothing,
    supervision.ProviderAgreementChanged: nothing,
    supervision.PersonQualificationChanged: nothing,
    suppliers.SupplierRegistered: nothing,
    suppliers.SupplierChanged: nothing,
    suppliers.SupplierAccountConfirmed: nothing,
    suppliers.SupplierPayeeAssigned: nothing,
    suppliers.ProductPriced: nothing,
    suppliers.ContractSigned: nothing,
    suppliers.DirectMandateChanged: nothing,
    suppliers.DirectCapSet: nothing,
    suppliers.SplitKeyPublished: nothing,
    purchases.OrderPlaced: nothing,
    purchases.OrderConfirmed: nothing,
    purchases.OrderCancelled: nothing,
    purchases.ShipmentDispatched: nothing,
    purchases.DeliveryAccepted: nothing,
    purchases.GoodsReturned: nothing,
    purchases.InvoiceRegistered: nothing,
    purchases.InvoiceRedIssued: nothing,
    purchases.TraceRepeated: nothing,
    statements.StatementSubmitted: nothing,
    statements.StatementWithdrawn: nothing,
    statements.StatementConfirmed: nothing,
    statements.StatementLineDisputed: nothing,
    statements.StatementLineResolved: nothing,
    statements.StatementsAgreed: nothing,
    statements.StatementMatched: nothing,
    statements.StatementRefused: nothing,
    statements.StatementEnded: nothing,
    statements.StatementDisputesNoted: nothing,
    statements.StatementConfirmationNoted: nothing,
    statements.StatementRequested: nothing,
    statements.StatementWithheld: nothing,
    statements.StatementLineReduced: nothing,
    statements.StatementDeadlineApproaching: nothing,
    statements.StatementDeadlineBreached: nothing,
    statements.InvoiceRedUnmatched: nothing,
    statements.ArrearsRegistered: nothing,
    statements.ArrearsCleared: nothing,
    direct.InterFundTrueUpAgreed: nothing,
    direct.SupplierAccountNoted: nothing,
    direct.SupplierAccountRefused: nothing,
    direct.HospitalShortfallCarried: nothing,
    direct.SupplierPayeeNoted: nothing,
    direct.SupplierPaymentBlocked: nothing,
    direct.SupplierPaymentUnblocked: nothing,
    direct.SupplierPaymentSettled: nothing,
    agency.ProviderRegistered: nothing,
    agency.ProviderChanged: nothing,
    agency.PolicyPublished: nothing,
    agency.CalendarPublished: nothing,
    time.DayOpened: nothing,
    ledger.EventRefused: nothing,
}
