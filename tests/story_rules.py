"""What the books of a story have to say, worked out by the rules alone (domain.md R1-R3, c.4): a second opinion.

It knows nothing of the product. One fund of one hospital is a handful of sums; what is taken from what is written down
here once more, in the plainest way. `python -m tests.story_rules FILE` writes the books into a story that has none.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, TypeAlias

Fens: TypeAlias = dict[str, int]
Told: TypeAlias = dict[str, Any]

NOT_OFFSET = ("310200", "610100")
STEPS = ("1107", "1108", "1103", "1102", "1101")
OF_PROVIDERS = ("1101", "1102", "1103", "1104", "1107", "1108", "2100", "2101", "2102", "2103", "2104", "2108")
ITEM_STAT = {"1101": "TEMP_PREPAY", "1102": "TEMP_VBP", "1103": "TEMP_DIRECT"}
SUSPENSE_IN = {"1002": "2190", "1003": "2190", "EXP_CASH": "RECV_SUSPENSE", "FISCAL_CASH": "RECV_SUSPENSE"}
SUSPENSE_OUT = {"1002": "1190", "1003": "1190", "EXP_CASH": "TEMP_SUSPENSE", "FISCAL_CASH": "TEMP_SUSPENSE"}
TIED = {
    "1002": "EXP_CASH", "1003": "FISCAL_CASH", "1101": "TEMP_PREPAY", "1102": "TEMP_VBP", "1103": "TEMP_DIRECT",
    "1105": "TEMP_XR", "1106": "TEMP_VISITOR", "1109": "TEMP_DIRECT", "1110": "TEMP_OTHER", "1120": "TEMP_FUND",
    "1190": "TEMP_SUSPENSE", "2105": "TEMP_DIRECT", "2107": "RECV_XR", "2120": "RECV_FUND", "2190": "RECV_SUSPENSE",
}  # fmt: skip
BANK_STAT = {"1002": "EXP_CASH", "1003": "FISCAL_CASH"}


def round2(amount: int, ratio: str) -> int:
    return int((Decimal(amount) * Decimal(ratio)).quantize(Decimal(1), ROUND_HALF_UP))


def split(amount: int, key: Mapping[str, str]) -> Fens:
    """Largest remainder, ties in the order of the key."""
    weights = {fund: Decimal(weight) for fund, weight in key.items()}
    whole = sum(weights.values())
    exact = {fund: amount * weight / whole for fund, weight in weights.items()}
    parts = {fund: int(one) for fund, one in exact.items()}
    for fund in sorted(exact, key=lambda fund: parts[fund] - exact[fund])[: amount - sum(parts.values())]:
        parts[fund] += 1
    return parts


def nonzero(amounts: Mapping[str, int]) -> Fens:
    return {fund: fen for fund, fen in amounts.items() if fen}


@dataclass
class Claim:
    claimed: Fens
    visitor: bool
    in_review: Counter[str]
    carried: Fens = field(default_factory=dict)
    approved: bool = False
    advance: Counter[str] = field(default_factory=Counter)
    group: int = 0
    """What it was approved with: the step."""


@dataclass
class Item:
    """What a hospital owes: a recovery, a prepayment."""

    account: str
    left: int
    due_by_month: Mapping[str, int] | None = None
    """Cumulative."""
    given: int = 0
    year: str = "CURRENT"
    visitor: bool = False
    early: int = 0

    def due(self, month: str) -> int:
        if self.due_by_month is None:
            return self.left
        by_now = max([0, *(fen for begun, fen in self.due_by_month.items() if begun <= month)])
        return max(0, min(self.left, by_now - (self.given - self.left) + self.early))


@dataclass
class Part:
    """Of one line of a statement and one fund: owed to the supplier and cleared, owed by the hospital and recovered."""

    owed: int
    cleared: int
    advanced: int
    recovered: int
    returned: int = 0
    """Red letters of it that the supplier owes back."""

    @property
    def due(self) -> int:
        return max(0, self.cleared - self.returned - self.recovered)


@dataclass
class Statement:
    supplier: str
    key: Mapping[str, str]
    left: dict[str, int]
    """By line, less its red letters."""
    parts: dict[str, dict[str, Part]]

    @property
    def cleared(self) -> Fens:
        found: Counter[str] = Counter()
        for parts in self.parts.values():
            found.update({fund: part.cleared for fund, part in parts.items()})
        return nonzero(found)


@dataclass
class Hospital:
    claims: dict[str, Claim] = field(default_factory=dict)
    payable: dict[bool, Counter[str]] = field(default_factory=lambda: {False: Counter(), True: Counter()})
    """2102, of its own insured and of visitors."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Of that: came back, and nobody has asked for it again."""
    items: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    """By fund."""
    cases: dict[str, dict[str, Item]] = field(default_factory=dict)
    statements: dict[str, Statement] = field(default_factory=dict)
    debts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """1109, by supplier."""
    cap: int | None = None


class Rules:
    def __init__(self, policy: Mapping[str, Any], events: Iterable[Told] = ()) -> None:
        self.policy = policy
        self.retries = [(one.get("hospital", "H1"), one["seq"]) for one in events if one["type"] == "payment.retried"]
        self.hospitals: dict[str, Hospital] = defaultdict(Hospital)
        self.balances: dict[str, Counter[tuple[str, ...]]] = {"ops": Counter(), "stat": Counter(), "parties": Counter()}
        self.lines: dict[str, Counter[tuple[str, str, str]]] = {}
        self.seq = 0
        self.placing: Mapping[str, str] = {}
        """The bank account in whose place suspense is."""

    def expect(self, told: Told) -> Told:
        """What this step books, and what else its rules derive."""
        self.lines, self.seq, self.told = {"ops": Counter(), "stat": Counter()}, told["seq"], told
        self.name, self.hospital = told.get("hospital", "H1"), self.hospitals[told.get("hospital", "H1")]
        if self.hospital.cap is None and (cap := self.policy.get("cap_1103")) is not None:
            self.hospital.cap = cap.get(self.name) if isinstance(cap, Mapping) else cap
        self.visitor = bool(told.get("insured_area"))
        derived = getattr(self, told["type"].replace(".", "_"))(told) or {}
        if told["type"] == "month.end":
            return dict(derived)
        return {**derived, "journal": [*self._told("ops")], "stat": [*self._told("stat")]}

    def _told(self, book: str) -> Iterator[Told]:
        for (debit, credit, fund), fen in sorted(self.lines[book].items(), key=lambda one: (one[0][2], one[0][:2])):
            if fen:
                yield {"debit": debit, "credit": credit, "fund": fund, "amount": fen}

    # -- one line in a book

    def ops(self, debit: str, credit: str, fund: str, fen: int, *, of: str = "", credit_of: str | None = None) -> None:
        self._line("ops", debit, credit, fund, fen, of, of if credit_of is None else credit_of)

    def stat(self, debit: str, credit: str, fund: str, fen: int) -> None:
        self._line("stat", debit, credit, fund, fen, "", "")

    def _line(self, book: str, debit: str, credit: str, fund: str, fen: int, of: str, credit_of: str) -> None:
        if fen < 0:
            debit, credit, fen, of, credit_of = credit, debit, -fen, credit_of, of
        debit = SUSPENSE_IN.get(debit, debit) if debit in self.placing else debit
        credit = SUSPENSE_OUT.get(credit, credit) if credit in self.placing else credit
        self.lines[book][debit, credit, fund] += fen
        for account, whose, signed in ((debit, of, fen), (credit, credit_of, -fen)):
            if not account.startswith("9"):
                self.balances[book][fund, account] += signed
            if book == "ops" and account in OF_PROVIDERS:
                self.balances["parties"][f"{self.name}/VISITOR" if whose == "V" else self.name, fund, account] += signed
            elif book == "ops" and account in ("1109", "2105"):
                self.balances["parties"][f"{self.name}|{whose}", fund, account] += signed

    @property
    def of(self) -> str:
        return "V" if self.visitor else ""

    def borne(self, fund: str, visitor: bool) -> str:
        return "1106" if visitor else "1110" if fund in self.policy.get("advanced", ()) else "5001"

    def paid_for(self, fund: str, visitor: bool) -> str:
        return "TEMP_VISITOR" if visitor else "TEMP_OTHER" if fund in self.policy.get("advanced", ()) else "EXPENSE"

    def p1_stat(self, fund: str, visitor: bool) -> str:
        return "TEMP_INSTANT" if self.policy["instant_stat"] == "TEMP" else self.paid_for(fund, visitor)

    # -- the fund's own accounts

    def opening_fiscal(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("1003", "3001", fund, fen)
            self.stat("FISCAL_CASH", "FUND_BALANCE", fund, fen)

    def opening_expenditure(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("1002", "3001", fund, fen)
            self.stat("EXP_CASH", "FUND_BALANCE", fund, fen)

    def opening_balance(self, told: Told) -> None:
        """Against the fund's balance; in STAT as far as the ties between the two books go."""
        account = told["account"]
        sign = 1 if account.startswith("1") else -1
        for fund, fen in told["amounts"].items():
            whose = told.get("supplier") if account in ("1109", "2105") else self.of
            self.ops(account, "3001", fund, sign * fen, of=whose or "", credit_of="")
            if (tied := self._tied(account, fund)) is not None:
                self.stat(tied, "FUND_BALANCE", fund, sign * fen)
            self._open(account, fund, fen, told)

    def _tied(self, account: str, fund: str) -> str | None:
        if account in TIED:
            return TIED[account]
        if account in ("1104", "1107", "1108", "2102", "2103", "2104", "2108"):
            stat = self.p1_stat(fund, self.visitor) if account == "1104" else self.paid_for(fund, self.visitor)
            return None if stat == "EXPENSE" else stat
        return None

    def _open(self, account: str, fund: str, fen: int, told: Told) -> None:
        if account == "1101":
            self._prepaid(fund, fen, told["schedule"])
        elif account == "1107":
            item = Item("1107", fen, given=fen, year=told["year"], visitor=self.visitor)
            self.hospital.cases.setdefault(told["case"], {})[fund] = item
            self.hospital.items[fund].append(item)
        elif account == "1104":
            claim = Claim({}, self.visitor, Counter(), approved=True)
            claim.advance[fund] = fen
            self.hospital.claims[f"opening {self.seq} {fund}"] = claim
        elif account == "2102":
            self.hospital.payable[self.visitor][fund] += fen

    def bank_unplaced_in(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops(told.get("bank", "1002"), "2190", fund, fen)
            self.stat(BANK_STAT[told.get("bank", "1002")], "RECV_SUSPENSE", fund, fen)

    def bank_unplaced_out(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("1190", told.get("bank", "1002"), fund, fen)
            self.stat("TEMP_SUSPENSE", BANK_STAT[told.get("bank", "1002")], fund, fen)

    def suspense_placed(self, told: Told) -> Told:
        """As the event that it turned out to be, with suspense in place of its bank account."""
        inner = {"amounts": told["amounts"], **told["as"], "seq": told["seq"], "date": told["date"]}
        bank = told.get("bank", "1002")
        self.placing = {bank: bank, BANK_STAT[bank]: BANK_STAT[bank]}
        derived: Told = self.expect(inner)
        self.placing = {}
        return {name: one for name, one in derived.items() if name not in ("journal", "stat")}

    def treasury_received(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("1002", "1003", fund, fen)
            self.stat("EXP_CASH", "FISCAL_CASH", fund, fen)

    def other_payer_repaid(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("1002", "1110", fund, fen)
            self.stat("EXP_CASH", "TEMP_OTHER", fund, fen)

    def month_end(self, told: Told) -> Told:
        found: Told = {"ops": {}, "stat_balances": {}, "parties": {}}
        for name, book in (("ops", "ops"), ("stat_balances", "stat"), ("parties", "parties")):
            for (*where, account), fen in sorted(self.balances[book].items()):
                if fen:
                    place = found[name]
                    for step in where:
                        place = place.setdefault(step, {})
                    place[account] = fen
        return found

    # -- claims

    def settlement_recorded(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops(self.borne(fund, self.visitor), "2100", fund, fen, of=self.of)

    def settlement_reversed(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("2100", self.borne(fund, self.visitor), fund, fen, of=self.of)

    def claim_accepted(self, told: Told) -> None:
        amounts = nonzero(told["amounts"])
        self.hospital.claims[told["batch"]] = Claim(amounts, self.visitor, Counter(amounts))
        for fund, fen in amounts.items():
            self.ops("2100", "2101", fund, fen, of=self.of)

    def claim_withdrawn(self, told: Told) -> None:
        claim = self.hospital.claims.pop(told["batch"])
        for fund, fen in claim.claimed.items():
            self.ops("2101", "2100", fund, fen, of="V" if claim.visitor else "")

    def deduction_final(self, told: Told) -> None:
        claim = self.hospital.claims[told["batch"]]
        for fund, fen in told["amounts"].items():
            claim.in_review[fund] -= fen
            self.ops("2101", self.borne(fund, claim.visitor), fund, fen, of="V" if claim.visitor else "")

    def deduction_undone(self, told: Told) -> None:
        claim = self.hospital.claims[told["batch"]]
        for fund, fen in told["amounts"].items():
            claim.in_review[fund] += fen
            self.ops(self.borne(fund, claim.visitor), "2101", fund, fen, of="V" if claim.visitor else "")

    def claim_approved(self, told: Told) -> Told:
        names = told["batches"] if "batches" in told else [told["batch"]]
        claims, amounts = [self.hospital.claims[name] for name in names], {}
        visitor = claims[0].visitor
        review: Counter[str] = Counter()
        for claim in claims:
            review.update(claim.in_review)
            claim.approved, claim.group, claim.in_review, claim.carried = True, self.seq, Counter(), {}
        for fund, approved in sorted(review.items()):
            bond = round2(max(0, approved), told.get("bond_ratio", {}).get(fund, "0"))
            amounts[fund] = {"approved": approved, "bond": bond, "net": approved - bond}
            self.ops("2101", "2102", fund, approved - bond, of="V" if visitor else "")
            self.ops("2101", "2103", fund, bond, of="V" if visitor else "")
            self.hospital.payable[visitor][fund] += approved - bond
        return {"amounts": amounts}

    # -- paid at once

    def instant_paid(self, told: Told) -> Told:
        claim = self.hospital.claims[told["batch"]]
        p1 = {fund: round2(fen, told["ratio"]) for fund, fen in sorted(claim.claimed.items())}
        claim.carried = {fund: -fen for fund, fen in p1.items() if fen < 0}
        offsets: dict[str, Fens] = {}
        cash: Fens = {}
        for fund, fen in p1.items():
            left = max(0, fen) - self._made_good(claim, fund, max(0, fen))
            offsets[fund] = {}
            if self.policy.get("offset_at_instant", True) and fund not in NOT_OFFSET:
                left = self._waterfall(fund, left, "1104", claim.visitor, offsets[fund])
            claim.advance[fund] += sum(offsets[fund].values()) + left
            cash[fund] = left
            self.ops("1104", "1002", fund, left, of="V" if claim.visitor else "")
            self.stat(self.p1_stat(fund, claim.visitor), "EXP_CASH", fund, left)
        derived: Told = {"amounts": p1, "offsets": offsets, "cash": nonzero(cash)}
        return {**derived, "carried_p1": claim.carried} if claim.carried else derived

    def _made_good(self, claim: Claim, fund: str, left: int) -> int:
        """Negative P1 of batches in review is taken from later ones'."""
        taken = 0
        for other in self.hospital.claims.values():
            if other is not claim and not other.approved and other.visitor == claim.visitor:
                part = min(other.carried.get(fund, 0), left - taken)
                other.carried[fund] = other.carried.get(fund, 0) - part
                taken += part
        return taken

    def instant_returned(self, told: Told) -> None:
        claim = self.hospital.claims[told["batch"]]
        for fund, fen in told["amounts"].items():
            advance = min(fen, claim.advance[fund])
            claim.advance[fund] -= advance
            self.hospital.payable[claim.visitor][fund] += fen - advance
            self.hospital.waiting[fund] += fen - advance
            self.ops("1002", "1104", fund, advance, of="V" if claim.visitor else "")
            self.stat("EXP_CASH", self.p1_stat(fund, claim.visitor), fund, advance)
            self.ops("1002", "2102", fund, fen - advance, of="V" if claim.visitor else "")
            self.stat("EXP_CASH", self.paid_for(fund, claim.visitor), fund, fen - advance)

    def instant_retried(self, told: Told) -> None:
        claim = self.hospital.claims[told["batch"]]
        for fund, fen in told["amounts"].items():
            claim.advance[fund] += fen
            self.ops("1104", "1002", fund, fen, of="V" if claim.visitor else "")
            self.stat(self.p1_stat(fund, claim.visitor), "EXP_CASH", fund, fen)

    # -- the waterfall

    def _waterfall(self, fund: str, left: int, debit: str, visitor: bool, offsets: Fens) -> int:
        """Steps 2 to 6; what is left of an amount."""
        for account in STEPS:
            for due, take in self._due(account, fund):
                fen = min(left, due)
                if fen > 0:
                    stat, item_of = take(fen)
                    left -= fen
                    offsets[account] = offsets.get(account, 0) + fen
                    self.ops(debit, account, fund, fen, of="V" if visitor else "", credit_of=item_of)
                    paid = self.p1_stat(fund, visitor) if debit == "1104" else self.paid_for(fund, visitor)
                    self.stat(paid, stat, fund, fen)
        return left

    def _due(self, account: str, fund: str) -> Iterator[tuple[int, Any]]:
        if account == "1103":
            for statement in self.hospital.statements.values():
                for parts in statement.parts.values():
                    if (part := parts.get(fund)) is not None:
                        yield part.due, lambda fen, part=part: self._recover(part, fen)
        for item in self.hospital.items[fund]:
            if item.account == account:
                yield item.due(self.told["date"][:7]), lambda fen, item=item: self._take(item, fund, fen)

    def _recover(self, part: Part, fen: int) -> tuple[str, str]:
        part.recovered += fen
        return "TEMP_DIRECT", ""

    def _take(self, item: Item, fund: str, fen: int) -> tuple[str, str]:
        item.left -= fen
        return self._item_stat(item, fund), "V" if item.visitor else ""

    def _item_stat(self, item: Item, fund: str) -> str:
        if item.account in ITEM_STAT:
            return ITEM_STAT[item.account]
        paid = self.paid_for(fund, item.visitor)
        return "OTHER_INCOME" if item.year == "PRIOR" and paid == "EXPENSE" else paid

    def payable_settled(self, told: Told) -> Told:
        offsets: dict[str, Fens] = {}
        cash: Counter[str] = Counter()
        for visitor in (False, True):
            for fund, owed in sorted(self.hospital.payable[visitor].items()):
                waiting = self.hospital.waiting[fund] if self._retried_later() and not visitor else 0
                left = owed - waiting
                if left <= 0:
                    continue
                taken = offsets.setdefault(fund, {})
                for claim in self.hospital.claims.values():
                    if claim.approved and claim.visitor == visitor and (fen := min(left, claim.advance[fund])) > 0:
                        claim.advance[fund] -= fen
                        left -= fen
                        taken["1104"] = taken.get("1104", 0) + fen
                        self.ops("2102", "1104", fund, fen, of="V" if visitor else "")
                        if self.policy["instant_stat"] == "TEMP":
                            self.stat(self.paid_for(fund, visitor), "TEMP_INSTANT", fund, fen)
                if fund not in NOT_OFFSET:
                    left = self._waterfall(fund, left, "2102", visitor, taken)
                cash[fund] += left
                self.hospital.payable[visitor][fund] = waiting
                self.hospital.waiting[fund] = waiting
                self.ops("2102", "1002", fund, left, of="V" if visitor else "")
                self.stat(self.paid_for(fund, visitor), "EXP_CASH", fund, left)
        return {"offsets": offsets, "cash": nonzero(cash)}

    def _retried_later(self) -> bool:
        """What came back is paid with all else, unless a later step asks for it."""
        return any(name == self.name and seq > self.seq for name, seq in self.retries)

    def bank_returned(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.hospital.payable[self.visitor][fund] += fen
            self.hospital.waiting[fund] += fen
            self.ops("1002", "2102", fund, fen, of=self.of)
            self.stat("EXP_CASH", self.paid_for(fund, self.visitor), fund, fen)

    def payment_retried(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.hospital.payable[self.visitor][fund] -= fen
            self.hospital.waiting[fund] -= fen
            self.ops("2102", "1002", fund, fen, of=self.of)
            self.stat(self.paid_for(fund, self.visitor), "EXP_CASH", fund, fen)

    def hold_placed(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.hospital.payable[self.visitor][fund] -= fen
            self.ops("2102", "2108", fund, fen, of=self.of)

    def hold_released(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.hospital.payable[self.visitor][fund] += fen
            self.ops("2108", "2102", fund, fen, of=self.of)

    # -- supervision

    def recovery_decided(self, told: Told) -> None:
        items = self.hospital.cases.setdefault(told["case"], {})
        for fund, fen in told["amounts"].items():
            items[fund] = Item("1107", fen, given=fen, year=told["year"], visitor=self.visitor)
            self.hospital.items[fund].append(items[fund])
            borne = self.borne(fund, self.visitor)
            credit = "4001" if told["year"] == "PRIOR" and borne == "5001" else borne
            self.ops("1107", credit, fund, fen, of=self.of)

    def recovery_cash(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            item = self.hospital.cases[told["case"]][fund]
            item.left -= fen
            self.ops("1003", "1107", fund, fen, of="V" if item.visitor else "")
            self.stat("FISCAL_CASH", self._item_stat(item, fund), fund, fen)

    def recovery_reversed(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            item = self.hospital.cases[told["case"]][fund]
            open = min(fen, item.left)
            item.left -= open
            borne = self.borne(fund, item.visitor)
            back = "4001" if item.year == "PRIOR" and borne == "5001" else borne
            whose = "V" if item.visitor else ""
            self.ops(back, "1107", fund, open, of=whose)
            self.ops(back, "2102", fund, fen - open, of=whose)
            self.hospital.payable[item.visitor][fund] += fen - open
            if self._item_stat(item, fund) == "OTHER_INCOME":
                self.stat("OTHER_INCOME", "EXPENSE", fund, fen - open)

    def fine_noted(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("9001", "9901", fund, fen)

    # -- prepayments

    def prepayment_disbursed(self, told: Told) -> Told:
        schedule: dict[str, Fens] = {}
        for fund, fen in told["amounts"].items():
            schedule[fund] = self._prepaid(fund, fen, told["schedule"])
            self.ops("1101", "1002", fund, fen)
            self.stat("TEMP_PREPAY", "EXP_CASH", fund, fen)
        return {"schedule": schedule}

    def _prepaid(self, fund: str, fen: int, schedule: Iterable[str]) -> Fens:
        """Cumulative, so that the parts add up (R10)."""
        months = sorted(schedule)
        due = {month: _half_up(fen * number, len(months)) for number, month in enumerate(months, 1)}
        self.hospital.items[fund].append(Item("1101", fen, due_by_month=due, given=fen))
        before = [0, *due.values()]
        return {month: due[month] - before[number] for number, month in enumerate(months)}

    def prepayment_returned(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            left = fen
            for item in self.hospital.items[fund]:
                if item.account == "1101" and (part := min(left, item.left)) > 0:
                    item.early += max(0, part - item.due(told["date"][:7]))
                    item.left -= part
                    left -= part
            self.ops("1002", "1101", fund, fen)
            self.stat("EXP_CASH", "TEMP_PREPAY", fund, fen)

    # -- suppliers

    def statement_approved(self, told: Told) -> Told:
        parts = {line: {f: Part(fen, 0, fen, 0) for f, fen in split(amount, told["key"]).items()}
                 for line, amount in told["lines"].items()}  # fmt: skip
        self.hospital.statements[told["statement"]] = Statement(
            told["supplier"], told["key"], dict(told["lines"]), parts
        )
        amounts = {fund: sum(one[fund].owed for one in parts.values()) for fund in told["key"]}
        for fund, fen in amounts.items():
            self.ops("1103", "2105", fund, fen, of="", credit_of=told["supplier"])
        return {"amounts": nonzero(amounts)}

    def red_letter(self, told: Told) -> Told:
        statement = self.hospital.statements[told["statement"]]
        supplier, line = statement.supplier, told["line"]
        before, after = (
            split(statement.left[line], statement.key),
            split(statement.left[line] - told["amount"], statement.key),
        )
        statement.left[line] -= told["amount"]
        amounts, hits = {}, []
        for fund in sorted(before):
            part, fen = statement.parts[line][fund], before[fund] - after[fund]
            amounts[fund] = fen
            unpaid = min(fen, part.owed - part.cleared, part.advanced - part.recovered)
            part.owed, part.advanced, fen = part.owed - unpaid, part.advanced - unpaid, fen - unpaid
            self.ops("2105", "1103", fund, unpaid, of=supplier, credit_of="")
            paid = min(fen, part.due)
            part.advanced, part.returned, fen = part.advanced - paid, part.returned + paid, fen - paid
            self.ops("1109", "1103", fund, paid, of=supplier, credit_of="")
            came_back = min(fen, part.owed - part.cleared)
            part.owed -= came_back
            self.ops("2105", "2102", fund, came_back, of=supplier, credit_of="")
            rest = fen - came_back
            part.returned += rest
            self.ops("1109", "2102", fund, rest, of=supplier, credit_of="")
            part.advanced, part.recovered = part.advanced - fen, part.recovered - fen
            self.hospital.debts[supplier][fund] += paid + rest
            self.hospital.payable[False][fund] += fen
            self.stat("TEMP_DIRECT", "EXPENSE", fund, fen)
            cases = {"statement_unpaid": unpaid, "paid_not_offset": paid, "paid_and_offset": rest,
                     "came_back_and_offset": came_back}  # fmt: skip
            hits += [{"fund": fund, "amount": one, "case": case} for case, one in cases.items() if one]
        return {"amounts": nonzero(amounts), "parts": hits}

    def supplier_paid(self, told: Told) -> Told:
        statement = self.hospital.statements[told["statement"]]
        exposure = sum(
            part.due for one in self.hospital.statements.values() for of in one.parts.values() for part in of.values()
        )
        derived: Told = {"advances_open": exposure} if self.hospital.cap is not None else {}
        if self.hospital.cap is not None and exposure > self.hospital.cap:
            return {**derived, "amounts": {}, "blocked": True}
        debts, netted, amounts = self.hospital.debts[statement.supplier], Counter[str](), Counter[str]()
        for parts in statement.parts.values():
            for fund, part in parts.items():
                left = part.owed - part.cleared
                taken = min(left, debts[fund])
                debts[fund] -= taken
                part.cleared = part.owed
                netted[fund] += taken
                amounts[fund] += left - taken
        for fund in sorted({*netted, *amounts}):
            self.ops("2105", "1109", fund, netted[fund], of=statement.supplier)
            self.ops("2105", "1002", fund, amounts[fund], of=statement.supplier)
            self.stat("TEMP_DIRECT", "EXP_CASH", fund, amounts[fund])
        if nonzero(netted):
            derived["netted"] = nonzero(netted)
        return {**derived, "amounts": nonzero(amounts)}

    def supplier_returned(self, told: Told) -> None:
        """What came back is of the last statement of which so much was paid, else of the last lines first."""
        mine = [one for one in self.hospital.statements.values() if one.supplier == told["supplier"]]
        whole = [one for one in mine if one.cleared == nonzero(told["amounts"])]
        for fund, fen in told["amounts"].items():
            left = fen
            for statement in reversed(whole[-1:] or mine):
                for parts in reversed(statement.parts.values()):
                    if (part := parts.get(fund)) is not None:
                        back = min(left, part.cleared)
                        part.cleared -= back
                        left -= back
            self.ops("1002", "2105", fund, fen, of=told["supplier"])
            self.stat("EXP_CASH", "TEMP_DIRECT", fund, fen)

    def supplier_refunded(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.hospital.debts[told["supplier"]][fund] -= fen
            self.ops("1002", "1109", fund, fen, of=told["supplier"])
            self.stat("EXP_CASH", "TEMP_DIRECT", fund, fen)

    def cap_set(self, told: Told) -> None:
        self.hospital.cap = told["amount"]

    def shortfall_collected(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            left = fen
            for due, take in self._due("1103", fund):
                part = min(left, due)
                take(part)
                left -= part
            self.ops("1002", "1103", fund, fen)
            self.stat("EXP_CASH", "TEMP_DIRECT", fund, fen)

    def inter_fund_trued_up(self, told: Told) -> None:
        """What is due in one fund, the oldest first, is due in the other one from now on."""
        first, second, left = told["from"], told["to"], told["amount"]
        for due, take in self._due("1103", first):
            part = min(left, due)
            take(part)
            left -= part
        self.hospital.items[second].append(Item("1103", told["amount"], given=told["amount"]))
        self.ops("1120", "1103", first, told["amount"])
        self.stat("TEMP_FUND", "TEMP_DIRECT", first, told["amount"])
        self.ops("1103", "2120", second, told["amount"])
        self.stat("TEMP_DIRECT", "RECV_FUND", second, told["amount"])

    def inter_fund_cash(self, told: Told) -> None:
        self.ops("2120", "1002", told["to"], told["amount"])
        self.stat("RECV_FUND", "EXP_CASH", told["to"], told["amount"])
        self.ops("1002", "1120", told["from"], told["amount"])
        self.stat("EXP_CASH", "TEMP_FUND", told["from"], told["amount"])

    def arrears_registered(self, told: Told) -> None:
        for fund, fen in told["amounts"].items():
            self.ops("9003", "9903", fund, fen)


def _half_up(amount: int, by: int) -> int:
    return (2 * amount + by) // (2 * by)


def worked(story: Told) -> Told:
    """The story with the books that must come out."""
    rules = Rules(story["policy"], story["events"])
    events = [{**one, "expect": rules.expect(one)} for one in story["events"]]
    return {**story, "events": events}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(json.dumps(worked(json.loads(path.read_text())), ensure_ascii=False, indent=1) + "\n")
