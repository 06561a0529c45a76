"""What a provider is told of a claim: sections of lines, each line an amount by fund, each total the sum of its lines.

Pure. Amounts are fen. A line is negative where it takes something off. Batches that were approved together share one
statement: their bond and their rest are one. Source: R1.5, R3.6, R6.1.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clearing.claims.claim import Undoing
from clearing.funds import Fens, added, total
from clearing.payable import Offset
from clearing.payments.payment import Payment
from clearing.statement.api import targets
from clearing.statement.api.reading import Month
from medfund.events.audit import Appeal, Ground
from medfund.http import answers
from medfund.http.answers import Name

ACCOUNTS = {
    "1101": Name(zh="预付金", en="prepayment"),
    "1102": Name(zh="集采预付金", en="bulk-purchase prepayment"),
    "1103": Name(zh="直接结算资金", en="direct settlement"),
    "1104": Name(zh="即时结算预拨", en="instant advance"),
    "1107": Name(zh="应收追回款", en="recovery"),
    "1108": Name(zh="年度清算退款", en="annual clearing"),
    "2102": Name(zh="其他申报的负数应付款", en="negative payable of another claim"),
}

GROUNDS: dict[Ground, Name] = {
    "RULE": Name(zh="违反审核规则", en="against a rule"),
    "SAMPLE": Name(zh="抽样审核推算", en="extrapolated from a sample"),
    "PERSON": Name(zh="相关人员支付资格暂停或终止", en="of a person whose qualification is suspended"),
    "TRACE_CODE": Name(zh="药品追溯码重复结算", en="a trace code sold twice"),
}


@dataclass(frozen=True)
class Line:
    name: Name
    reference: str
    """The finding, item, payment or hold that it is about."""
    detail: str
    """A rule, a step of the waterfall, a day, or why it is held."""
    amounts: Fens
    reason: Name | None = None
    """Of a deduction: why, in words."""
    settlement: str | None = None
    """Of a deduction: on what, where it is on one settlement."""
    appeals: Sequence[Appeal] = ()
    """Of a deduction: those against it."""


@dataclass(frozen=True)
class Section:
    code: str
    name: Name
    result: Name
    """What the sum of the lines is called."""
    lines: list[Line] = field(default_factory=list)

    @property
    def total(self) -> Fens:
        return total(line.amounts for line in self.lines)


@dataclass(frozen=True)
class Statement:
    month: Month
    sections: list[Section]
    deadlines: list[targets.Deadline]

    @property
    def funds(self) -> list[str]:
        every = (line.amounts for section in self.sections for line in section.lines)
        return sorted({fund for amounts in every for fund in amounts})

    def section(self, code: str) -> Section:
        return next(section for section in self.sections if section.code == code)


def of(month: Month) -> Statement:
    return Statement(month, [_approved(month), _net(month), _use(month), _at_once(month)], targets.of(month))


def _all(month: Month, of: Callable[..., Fens]) -> Fens:
    return total(of(claim) for claim in month.claims)


def _minus(amounts: Fens) -> Fens:
    return added({}, amounts, -1)


def _nonzero(*lines: Line) -> list[Line]:
    return [line for line in lines if any(line.amounts.values())]


def _approved(month: Month) -> Section:
    """Claimed, less what audit took off, plus what was undone, less what is in review."""
    claimed = [
        Line(
            Name(zh="申报", en="Claimed"),
            claim.ref,
            f"{claim.period_from} – {claim.period_to}",
            claim.claimed,
        )
        for claim in month.claims
    ]
    named = total(finding.deducted for finding in month.findings)
    by_list = added(_all(month, lambda claim: claim.deducted), named, -1)
    findings = [
        Line(
            Name(zh="审核扣款（拒付）", en="Deduction"),
            one.finding_ref,
            one.rule_code,
            _minus(one.deducted),
            GROUNDS[one.ground],
            one.settlement_ref,
            one.appeals or (),
        )
        for one in month.findings
    ]
    return Section(
        "APPROVED",
        Name(zh="申报与审定", en="Claim and audit"),
        Name(zh="审定", en="Approved"),
        [
            *claimed,
            *_nonzero(
                *findings,
                Line(Name(zh="审核扣款（按清单）", en="Deduction, by the list of the audit"), "", "", _minus(by_list)),
                *_undone(month),
                Line(Name(zh="待审", en="In review"), "", "", _minus(_all(month, lambda claim: claim.in_review))),
                Line(
                    Name(zh="已撤回", en="Withdrawn"),
                    "",
                    "",
                    _minus(total(claim.claimed for claim in month.claims if not claim.live)),
                ),
            ),
        ],
    )


def _undone(month: Month) -> list[Line]:
    """Each with its finding, and the appeal or the reversal that it was for; the rest in one."""
    name = Name(zh="扣款撤销", en="Deduction undone")
    told = [
        Line(name, one.finding_ref, _undone_for(one), one.amounts)
        for claim in month.claims
        for one in claim.undoings or ()
    ]
    undone = _all(month, lambda claim: claim.undone)
    return [*told, Line(name, "", "", added(undone, total(line.amounts for line in told), -1))]


def _undone_for(one: Undoing) -> str:
    if one.after == "REVERSAL":
        return f"结算冲销 reversed, {one.of_batch}"
    return f"申诉 appeal {one.appeal_ref}" if one.appeal_ref else "申诉 appeal"


def _net(month: Month) -> Section:
    approved = _all(month, lambda claim: claim.approved)
    bond = Line(Name(zh="质量保证金", en="Quality bond"), "", "", _minus(_all(month, lambda claim: claim.bond)))
    return Section(
        "NET",
        Name(zh="应付", en="Payable"),
        Name(zh="应付净额", en="Net payable"),
        [Line(Name(zh="审定", en="Approved"), "", "", approved), *_nonzero(bond)],
    )


def _use(month: Month) -> Section:
    """What became of the net: taken for what was owed, paid, on its way, held, open."""
    net = _net(month).total
    lines = [
        *_offsets(month, at_once=False),
        *_payments(month.payments, "PAYABLE", Name(zh="已支付余款", en="Rest paid")),
        *_holds(month),
        *_nonzero(
            Line(
                Name(zh="未付", en="Open, not ordered yet"),
                "",
                "",
                _all(month, lambda claim: added(claim.payable, claim.ordered, -1)),
            )
        ),
    ]
    other = added(net, total(line.amounts for line in lines), -1)
    rest = Line(
        Name(zh="预拨退回、由其他申报抵补", en="Paid at once and returned by the bank, or made good by other claims"),
        "",
        "",
        other,
    )
    return Section(
        "USE",
        Name(zh="应付款去向", en="What became of it"),
        Name(zh="应付净额", en="Net payable"),
        [*lines, *_nonzero(rest)],
    )


def _at_once(month: Month) -> Section:
    """The P1 as it was approved: taken for what was owed, paid, on its way; the rest made good negative days."""
    p1 = _all(month, lambda claim: claim.p1 or {})
    lines = [
        *_offsets(month, at_once=True),
        *_payments(month.payments, "INSTANT", Name(zh="已拨即时结算预拨", en="Paid at once")),
    ]
    rest = Line(
        Name(zh="负数日抵补（不支付）", en="Negative days, made good and not paid"),
        "",
        "",
        added(p1, total(line.amounts for line in lines), -1),
    )
    return Section(
        "AT_ONCE",
        Name(zh="即时结算预拨", en="Paid at once"),
        Name(zh="即时结算预拨核定额", en="Approved to be paid at once"),
        [*lines, *_nonzero(rest)],
    )


def _offsets(month: Month, *, at_once: bool) -> Iterator[Line]:
    """One line for each item, whichever the funds; in the order in which they were taken first."""
    taken: dict[tuple[str, str, int], list[Offset]] = {}
    for offset in (offset for claim in month.claims for offset in claim.offsets):
        if (offset.taken_from == "P1") == at_once:
            taken.setdefault((offset.account, offset.item, offset.step), []).append(offset)
    own = {claim.ref for claim in month.claims}
    for offsets in taken.values():
        yield _taken(offsets[0], own, total(offset.amounts for offset in offsets))


def _taken(offset: Offset, own: set[str], amounts: Fens) -> Line:
    what = ACCOUNTS.get(offset.account, Name(zh=offset.account, en=offset.account))
    if offset.account == "1104" and offset.item in own:
        what = Name(zh="本次申报即时结算预拨", en="this claim's own payment at once")
    name = Name(zh=f"抵扣：{what.zh}", en=f"Offset: {what.en}")
    return Line(name, offset.item, f"第{offset.step}步 step {offset.step}, {offset.account}", amounts)


def _payments(payments: Iterable[Payment], purpose: str, name: Name) -> list[Line]:
    """One line for the payments of all funds that were ordered together, as far as the same became of them."""
    found: dict[tuple[str, str, str, str], Fens] = {}
    for payment in payments:
        if payment.purpose == purpose:
            for what, detail, amounts in _became(payment, purpose, name):
                key = (what.zh, what.en, together(payment), detail)
                found[key] = added(found.get(key, {}), amounts)
    return [Line(Name(zh=zh, en=en), ref, detail, amounts) for (zh, en, ref, detail), amounts in found.items()]


def together(payment: Payment) -> str:
    """What the payments of all funds that were ordered together are called: their names end with the fund."""
    ref, _, fund = payment.payment_ref.rpartition("/")
    return ref if fund == payment.fund else payment.payment_ref


def _became(payment: Payment, purpose: str, name: Name) -> Iterator[tuple[Name, str, Fens]]:
    if any(payment.settled.values()):
        yield name, answers.day_text(payment.value_date), payment.settled
    if purpose == "PAYABLE" and any(payment.returned.values()):
        yield Name(zh="银行退回", en="Returned by the bank"), "", _minus(payment.returned)
    if payment.status in ("ORDERED", "APPROVED", "SENT") and payment.left:
        yield Name(zh="已生成支付单", en="Ordered, on its way"), f"应付日 due {payment.due}", payment.left
    if payment.status in ("FAILED", "CANCELLED") and purpose == "INSTANT":
        yield Name(zh="未支付", en="Not paid"), payment.code or "", payment.amounts


def _holds(month: Month) -> Iterator[Line]:
    for claim in month.claims:
        for hold, amounts in claim.held.items():
            reason = (claim.held_because or {}).get(hold, "")
            yield Line(Name(zh="暂缓拨付", en="Held"), hold, reason, amounts)
