"""Who may say what: one table, event type -> speakers. What it does not name, nobody may say.

What stays true: an event counts only where its source is one of ours that speaks for such a speaker, or was registered
as one (`medfund.events.sources`); what a person of the agency said comes by command alone, what the bank said by the
bank process alone, a decision by the service that decides. Pure: a table, and what follows from it.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from medfund.events.kinds import FAMILIES, KINDS, Family, Kind


class Speaker(StrEnum):
    """In whose name an event is said. A source is never more than what it was registered as."""

    HOSPITAL = "hospital"
    SUPPLIER = "supplier"
    AUDIT_OFFICE = "audit_office"
    SUPERVISION = "supervision"
    PROCUREMENT = "procurement"
    POLICY_OFFICE = "policy_office"
    COMMAND = "command"
    BANK = "bank"
    SCHEDULER = "scheduler"
    INSTALLER = "installer"
    CLEARING = "clearing"
    LEDGER = "ledger"
    DIRECT_PAY = "direct_pay"

    @property
    def zh(self) -> str:
        return LABELS[self][0]

    @property
    def en(self) -> str:
        return LABELS[self][1]


LABELS: Mapping[Speaker, tuple[str, str]] = {
    Speaker.HOSPITAL: ("定点医药机构", "a hospital or pharmacy, or the gateway that speaks for those of an area"),
    Speaker.SUPPLIER: ("医药企业", "a supplier, or the platform that speaks for those of an area"),
    Speaker.AUDIT_OFFICE: ("审核机构", "the office that audits claims"),
    Speaker.SUPERVISION: ("基金监管", "the office that supervises providers and the use of funds"),
    Speaker.PROCUREMENT: ("招采平台", "the procurement platform"),
    Speaker.POLICY_OFFICE: ("经办业务科室", "the agency's office for providers, calendars and figures"),
    Speaker.COMMAND: ("人员指令", "a person, by a command of a service's API"),
    Speaker.BANK: ("银行处理程序", "the bank process, which reads the bank's files"),
    Speaker.SCHEDULER: ("日历程序", "the scheduler, which opens days"),
    Speaker.INSTALLER: ("系统安装", "`medfund prepare`"),
    Speaker.CLEARING: ("清算服务", "the clearing service"),
    Speaker.LEDGER: ("账务服务", "the ledger service"),
    Speaker.DIRECT_PAY: ("直接结算服务", "the service of direct payment to suppliers"),
}

REGISTRABLE = frozenset(
    {
        Speaker.HOSPITAL,
        Speaker.SUPPLIER,
        Speaker.AUDIT_OFFICE,
        Speaker.SUPERVISION,
        Speaker.PROCUREMENT,
        Speaker.POLICY_OFFICE,
    }
)
"""What a source outside can be. The others are processes of ours, each with a source of its own."""

OURS: Mapping[str, Speaker] = {
    "/clearing": Speaker.CLEARING,
    "/clearing/commands": Speaker.COMMAND,
    "/clearing/plans": Speaker.COMMAND,
    "/clearing/bank": Speaker.BANK,
    "/ledger": Speaker.LEDGER,
    "/direct-pay": Speaker.DIRECT_PAY,
    "/direct-pay/commands": Speaker.COMMAND,
    "/direct-pay/plans": Speaker.COMMAND,
    "/time": Speaker.SCHEDULER,
    "/prepare": Speaker.INSTALLER,
}
"""The sources of our own processes. They are in no registry, and nobody else can be registered under them."""

is_reserved = re.compile(r"/(clearing|ledger|direct-pay|time|prepare)(/|$)").match
"""Whether a source is one of ours, or looks like one."""


def _of(*speakers: Speaker) -> frozenset[Speaker]:
    return frozenset(speakers)


_HOSPITAL = _of(Speaker.HOSPITAL)
_ASKED_BY_A_HOSPITAL = _of(Speaker.HOSPITAL, Speaker.COMMAND)
_ASKED_BY_A_SUPPLIER = _of(Speaker.SUPPLIER, Speaker.COMMAND)
_AUDIT = _of(Speaker.AUDIT_OFFICE)
_SUPERVISION = _of(Speaker.SUPERVISION)
_POLICY = _of(Speaker.POLICY_OFFICE)
_COMMAND = _of(Speaker.COMMAND)
_BANK = _of(Speaker.BANK)

SAID_BY: Mapping[str, frozenset[Speaker]] = {
    # what hospitals say, and ask for
    "settlement.recorded.v1": _HOSPITAL,
    "settlement.reversed.v1": _HOSPITAL,
    "settlement.outcome.resolved.v1": _HOSPITAL,
    "control.total.declared.v1": _HOSPITAL,
    "reconciliation.completed.v1": _HOSPITAL,
    "claim.batch.submitted.v1": _HOSPITAL,
    "claim.batch.withdrawal.requested.v1": _ASKED_BY_A_HOSPITAL,
    "audit.appeal.filed.v1": _ASKED_BY_A_HOSPITAL,
    "payment.confirmed.v1": _ASKED_BY_A_HOSPITAL,
    "prepayment.applied.v1": _ASKED_BY_A_HOSPITAL,
    "prepayment.purchases.reported.v1": _of(Speaker.PROCUREMENT),
    # what is bought, and by whom it is said
    "order.placed.v1": _of(Speaker.PROCUREMENT),
    "order.confirmed.v1": _ASKED_BY_A_SUPPLIER,
    "order.cancelled.v1": _of(Speaker.PROCUREMENT),
    "shipment.dispatched.v1": _of(Speaker.SUPPLIER),
    "delivery.accepted.v1": _of(Speaker.HOSPITAL, Speaker.PROCUREMENT),
    "goods.returned.v1": _of(Speaker.HOSPITAL, Speaker.PROCUREMENT),
    "invoice.registered.v1": _of(Speaker.SUPPLIER),
    "invoice.red_issued.v1": _of(Speaker.SUPPLIER),
    "statement.submitted.v1": _ASKED_BY_A_SUPPLIER,
    "statement.withdrawn.v1": _ASKED_BY_A_SUPPLIER,
    "statement.confirmed.v1": _ASKED_BY_A_HOSPITAL,
    "statement.line.disputed.v1": _ASKED_BY_A_HOSPITAL,
    "statement.line.resolved.v1": _ASKED_BY_A_HOSPITAL,
    # audit and supervision
    "audit.finding.raised.v1": _AUDIT,
    "audit.finding.reviewed.v1": _AUDIT,
    "audit.appeal.decided.v1": _AUDIT,
    "audit.stage.completed.v1": _AUDIT,
    "audit.deduction.finalised.v1": _AUDIT,
    "payment.hold.placed.v1": _of(Speaker.SUPERVISION, Speaker.COMMAND),
    "payment.hold.released.v1": _of(Speaker.SUPERVISION, Speaker.COMMAND),
    "provider.agreement.changed.v1": _SUPERVISION,
    "person.qualification.changed.v1": _SUPERVISION,
    "recovery.decided.v1": _SUPERVISION,
    "recovery.appeal.upheld.v1": _SUPERVISION,
    "fine.noted.v1": _SUPERVISION,
    # the bank
    "bank.payment.settled.v1": _BANK,
    "bank.payment.returned.v1": _BANK,
    "bank.payment.rejected.v1": _BANK,
    "bank.return.reversed.v1": _BANK,
    "bank.prepayment.repaid.v1": _BANK,
    "bank.recovery.repaid.v1": _BANK,
    "bank.shortfall.repaid.v1": _BANK,
    "bank.supplier.refunded.v1": _BANK,
    "bank.line.unplaced.v1": _BANK,
    "bank.line.corrected.v1": _BANK,
    "bank.statement.imported.v1": _BANK,
    "bank.mismatch.found.v1": _BANK,
    "treasury.funds.received.v1": _BANK,
    "recovery.received.v1": _BANK,
    # the agency's offices
    "provider.registered.v1": _POLICY,
    "provider.changed.v1": _POLICY,
    "provider.assessed.v1": _POLICY,
    "calendar.published.v1": _POLICY,
    "fund.figures.published.v1": _POLICY,
    "supplier.registered.v1": _POLICY,
    "supplier.changed.v1": _POLICY,
    "direct.mandate.changed.v1": _POLICY,
    "split.key.published.v1": _POLICY,
    "product.priced.v1": _of(Speaker.PROCUREMENT),
    "contract.signed.v1": _of(Speaker.PROCUREMENT),
    # and its people: whatever needs a name, or two
    "opening.balance.recorded.v1": _COMMAND,
    "opening.item.recorded.v1": _COMMAND,
    "policy.published.v1": _COMMAND,
    "source.registered.v1": _COMMAND,
    "staff.mandated.v1": _COMMAND,
    "provider.account.confirmed.v1": _COMMAND,
    "payment.approval.given.v1": _COMMAND,
    "payment.retry.requested.v1": _COMMAND,
    "payment.run.opened.v1": _COMMAND,
    "suspense.placing.requested.v1": _COMMAND,
    "treasury.funds.requested.v1": _COMMAND,
    "prepayment.granted.v1": _COMMAND,
    "prepayment.recall.ordered.v1": _COMMAND,
    "supplier.account.confirmed.v1": _COMMAND,
    "supplier.payee.assigned.v1": _COMMAND,
    "direct.cap.set.v1": _COMMAND,
    "inter_fund.true_up.agreed.v1": _COMMAND,
    "statements.agreed.v1": _COMMAND,
    "arrears.registered.v1": _COMMAND,
    "arrears.cleared.v1": _COMMAND,
    # time, and the beginning of this table
    "day.opened.v1": _of(Speaker.SCHEDULER),
    "sources.opened.v1": _of(Speaker.INSTALLER),
}

SERVICES: Mapping[Family, frozenset[Speaker]] = {
    "clearing": _of(Speaker.CLEARING),
    "direct-pay": _of(Speaker.DIRECT_PAY),
    "ledger": _of(Speaker.LEDGER),
}
"""Whatever a service decides, or tells, is on a topic of its own and nobody else's to say."""


def said_by(kind: Kind, *on: Family) -> frozenset[Speaker]:
    """Who may say events of a type, wherever it is said or on some topics."""
    ours = (SERVICES[family] for family in on or kind.families if family in SERVICES)
    return frozenset().union(*ours) or SAID_BY[kind.type]


def spoken_for(event: Any, speaking: Iterable[Speaker]) -> frozenset[str | None]:
    """Whose word an event is, by those who may say it: a supplier's its own, all others' the provider's it is about."""
    return frozenset(getattr(event, "supplier" if one is Speaker.SUPPLIER else "provider", None) for one in speaking)


def could_be(source: str) -> frozenset[Speaker]:
    """As whom a source speaks, or could be registered to."""
    if (ours := OURS.get(source)) is not None:
        return frozenset({ours})
    return frozenset() if is_reserved(source) else REGISTRABLE


# What follows for the topics, where the broker knows its clients


def said_on(family: Family) -> list[frozenset[Speaker]]:
    """Of each type that a topic carries: who may say it."""
    return [said_by(kind, family) for kind in KINDS.values() if family in kind.families]


def speakers_of(family: Family) -> frozenset[Speaker]:
    """Who has something to say on a topic."""
    return frozenset().union(*said_on(family))


def may_write(speaker: Speaker, family: Family) -> bool:
    """Whether a speaker's own client of the broker may write a topic.

    Our processes, where they have something to say. A speaker from outside only where all that the topic carries is its
    to say: whoever can write a topic can write any source into it, and the broker cannot tell. Otherwise it speaks over
    the ledger's API, which knows who speaks.
    """
    if speaker not in REGISTRABLE:
        return speaker in speakers_of(family)
    return bool(said_on(family)) and all(speaker in speakers for speakers in said_on(family))


def writers(family: Family) -> frozenset[Speaker]:
    """Whose client of the broker may write a topic."""
    return frozenset(speaker for speaker in Speaker if may_write(speaker, family))


def is_published(family: Family) -> bool:
    """Whether the ledger's API writes a topic for publishers (`POST /v1/events`)."""
    return not REGISTRABLE.isdisjoint(speakers_of(family))


# The table as the guide shows it


def rows() -> list[list[str]]:
    """By speaker: its names, its source, the topics that its own client of the broker may write, what it says."""
    return [
        [
            f"`{speaker}`",
            f"{speaker.zh} {speaker.en}",
            " ".join(f"`{source}`" for source, ours in OURS.items() if ours is speaker) or "registered",
            " ".join(f"`{family}`" for family in FAMILIES if may_write(speaker, family)),
            _said(speaker),
        ]
        for speaker in Speaker
    ]


def _said(speaker: Speaker) -> str:
    if own := [family for family, speakers in SERVICES.items() if speaker in speakers]:
        return f"all of `{own[0]}`"
    return " ".join(sorted(f"`{kind.name}`" for kind in KINDS.values() if speaker in said_by(kind))) or "nothing yet"
