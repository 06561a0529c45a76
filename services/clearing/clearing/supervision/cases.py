"""What follows from cases of supervision: recoveries, their payment in cash, and their end on appeal. Pure.

Source: domain.md R6.1, R6.2, R6.7, c.2 (61), c.4.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from clearing import dimensions, names
from clearing import payable as payables
from clearing.claims.submitting import reversals
from clearing.dimensions import Dimensions, disputed, fields
from clearing.funds import Fens, added, at_most, fens, first_above, positive, yuans
from clearing.payable import Repaid
from clearing.payments import reasons, suspense
from clearing.payments.making_way import fallen_due
from clearing.payments.orders import pay_out
from clearing.policy import POLICIES, NoPolicy
from clearing.supervision.recovery import RECOVERIES, Recovery, opened, split_of_reversal
from medfund.events.claims import ClaimBatchSubmitted
from medfund.events.kinds import Event, Place
from medfund.events.supervision import (
    BankRecoveryRepaid,
    RecoveryAppealUpheld,
    RecoveryDecided,
    RecoveryOpened,
    RecoveryReceived,
    RecoveryReversed,
    RecoverySettled,
)
from medfund.lanes.draft import Draft


def decided(draft: Draft, event: RecoveryDecided, cause: Place) -> Iterator[Event]:
    """Opens a recovery: final at once, collected in cash or by offset; PRIOR when spent in an earlier year (R6.2)."""
    known = payables.find(draft, names.recovery(event))
    if known is not None:
        has = "has a recovery already" if isinstance(known, Recovery) else "is the name of something else"
        yield disputed(event, cause, f"case {event.case_ref} {has}")
        return
    if event.benefit_year > event.decided_on.year:
        detail = f"{event.benefit_year} had not begun when case {event.case_ref} was decided on {event.decided_on}"
        yield disputed(event, cause, detail)
        return
    try:
        policy = draft.known[POLICIES].on(event.area, event.decided_on)
    except NoPolicy as error:
        yield disputed(event, cause, str(error))
        return
    yield RecoveryOpened(
        **fields(dimensions.of(event), event.amounts),
        cause=cause,
        policy_ref=policy.hash,
        case_ref=event.case_ref,
        recovery_year="PRIOR" if event.benefit_year < event.decided_on.year else "CURRENT",
        amounts=event.amounts,
        decided_on=event.decided_on,
        settlement_ref=event.settlement_ref,
        reason=event.reason,
    )
    purse = (event.provider, event.area)
    yield from fallen_due(draft, purse, fens(event.amounts), cause, f"case {event.case_ref} was decided")


def _told(whose: Dimensions | None, case: str, came: Mapping[str, Any]) -> Event:
    if whose is None:
        return BankRecoveryRepaid(**came, case_ref=case)
    return RecoveryReceived(**{**came, **fields(whose, came["amounts"])}, case_ref=case)


REPAID = Repaid(placed_as="RECOVERY", into="1003", read=msgspec.json.Decoder(Recovery).decode, told=_told)


def received(draft: Draft, event: RecoveryReceived | BankRecoveryRepaid, cause: Place) -> Iterator[Event]:
    """As far as it is owed; the rest is in suspense, as all money that nothing is known of."""
    recovery, came = draft[RECOVERIES].get(names.recovery(event)), fens(event.amounts)
    if event.found_in is None and _is_known(draft, recovery, event):
        yield disputed(event, cause, f"bank transaction {event.bank_txn} is booked already")
        return
    now = at_most(came, recovery.due) if recovery is not None else {}
    if now and recovery is not None:
        yield RecoverySettled(
            **recovery.fields(cause, now),
            case_ref=recovery.ref,
            recovery_year=recovery.year,
            amounts=yuans(now),
            bank_txn=event.bank_txn,
            value_date=event.value_date,
            bank_account=event.bank_account,
            booked_on=event.booked_on,
        )
    if odd := added(came, now, -1):
        why = reasons.NO_RECOVERY if recovery is None else reasons.MORE_THAN_OWED
        yield from suspense.odd(event, cause, odd, why.format(event.case_ref))


def _is_known(draft: Draft, recovery: Recovery | None, event: RecoveryReceived | BankRecoveryRepaid) -> bool:
    """Whether this line of the bank is booked already, to the recovery or to suspense."""
    mine = recovery is not None and suspense.line_of(event) in (recovery.txns or ())
    return mine or suspense.is_known(draft, event)


def submitted(draft: Draft, event: ClaimBatchSubmitted, cause: Place) -> Iterator[Event]:
    """Reversals end what is recovered of their settlements (c.4)."""
    for _, settlement in reversals(draft, event, cause):
        for recovery in list(draft[RECOVERIES].values()):
            if recovery.settlement == settlement and (amounts := positive(recovery.standing)):
                yield from reverse(draft, recovery, cause, amounts, "the settlement was reversed")


def upheld(draft: Draft, event: RecoveryAppealUpheld, cause: Place) -> Iterator[Event]:
    """The debt ends as far as it is open; what was taken is paid back, as any payable is (R6.7)."""
    recovery = draft[RECOVERIES].get(names.recovery(event))
    if recovery is None:
        yield disputed(event, cause, f"there is no recovery of case {event.case_ref}")
    elif (fund := first_above(fens(event.amounts), recovery.standing)) is not None:
        yield disputed(event, cause, f"fund {fund}: {event.amounts[fund]} is more than stands of the recovery")
    else:
        yield from reverse(draft, recovery, cause, fens(event.amounts), event.reason)


def reverse(draft: Draft, recovery: Recovery, cause: Place, amounts: Fens, reason: str) -> Iterator[Event]:
    to_open, to_payable = split_of_reversal(recovery, amounts)
    yield RecoveryReversed(
        **recovery.fields(cause, amounts),
        case_ref=recovery.ref,
        recovery_year=recovery.year,
        amounts=yuans(amounts),
        to_open=yuans(to_open),
        to_payable=yuans(to_payable),
        reason=reason,
    )
    yield from pay_out(draft, recovery, cause)


def evolve_opened(draft: Draft, event: RecoveryOpened) -> None:
    draft[RECOVERIES].put(names.recovery(event), opened(event))
