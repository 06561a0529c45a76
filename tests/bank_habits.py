"""Files of ten kinds of bank, made up from the standard: how they number lines, group payments, write amounts and
times, split reports, and speak of what they have not booked. Each comes with what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from medfund import money
from medfund.bankfiles.refusals import Code

DAY = date(2026, 2, 27)
VERSIONS = ("02", "04", "06", "08", "10", "13")
RUN = "152500-310100-20260227-1"


class Habits(NamedTuple):
    """How a bank writes. `numbers`: where a line's own number stands, if anywhere."""

    versions: Sequence[str] = VERSIONS
    numbers: str = "AcctSvcrRef"
    groups: bool = False
    batch: str = ""
    pages: bool = False
    accounts: int = 1
    charges: bool = False
    announces: bool = False
    odd: bool = False
    silent: bool = False
    previous: bool = False
    foreign_messages: bool = False
    wrong: str = ""


BANKS = {
    "one payment to a line": Habits(),
    "an early version": Habits(versions=("02",), foreign_messages=True),
    "groups of payments, each with a count of its own": Habits(groups=True, batch="MsgId"),
    "batches by the order's name, and nothing of their payments": Habits(batch="PmtInfId", silent=True),
    "reports in pages": Habits(versions=VERSIONS[1:], pages=True),
    "all accounts in one file": Habits(accounts=3, previous=True),
    "lines without numbers": Habits(numbers="NtryRef", previous=True),
    "charges inside lines": Habits(charges=True, foreign_messages=True),
    "announcements, and lines of nothing": Habits(announces=True),
    "every spelling that a type has": Habits(odd=True, announces=True),
}
WRONG = {
    "no number at all": Code.INCOMPLETE,
    "another currency": Code.WRONG_CURRENCY,
    "a balance that does not follow": Code.WRONG_SUM,
    "details beyond their line": Code.WRONG_SUM,
    "a status of its own": Code.UNKNOWN_CODE,
    "a page that is missing": Code.UNSUPPORTED,
    "a number twice": Code.REPEATED,
    "no booking day": Code.INCOMPLETE,
}


@dataclass
class Said:
    """What a bank says of one account: what it has booked, by direction, and how much of that names something."""

    account: str
    booked: dict[str, list[int]] = field(default_factory=lambda: {"IN": [], "OUT": []})
    named: int = 0
    opening: int = 0

    @property
    def closing(self) -> int:
        return self.opening + sum(self.booked["IN"]) - sum(self.booked["OUT"])


@dataclass
class Letter:
    kind: str
    data: bytes
    said: list[Said]


def x(tag: str, *inside: str, **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{more}>{''.join(inside)}</{tag}>"


@dataclass
class Pen:
    """One letter as it is written. `draw` decides what the standard leaves open."""

    draw: st.DrawFn
    habits: Habits
    version: str
    statement: bool
    numbers: int = 0

    def one_of(self, *those: str) -> str:
        return self.draw(st.sampled_from(those))

    def yes(self) -> bool:
        return self.draw(st.booleans())

    def amount(self, fen: int) -> str:
        plain = money.yuan(fen)
        if not self.habits.odd:
            return plain
        others = [f"+{plain}", f"00{plain}", f"{plain}00", f" {plain}\n", plain.rstrip("0") if fen else "-0.00"]
        return self.one_of(plain, *others, *([plain[1:]] if plain.startswith("0.") else []))

    def money(self, tag: str, fen: int) -> str:
        currency = "USD" if self.habits.wrong == "another currency" else "CNY"
        return x(tag, self.amount(fen), Ccy=currency)

    def instant(self, tag: str, moment: datetime) -> str:
        text = moment.isoformat()
        if self.habits.odd:
            midnight = (moment - timedelta(days=1)).isoformat()[:10] + "T24:00:00"
            text = self.one_of(f"{text}.000000000", f" {text}+08:00", f"\n{text}\t", midnight)
        return x(tag, text)

    def day(self, tag: str, day: date) -> str:
        if not self.habits.odd:
            return x(tag, x("Dt", str(day)))
        before = day - timedelta(days=1)
        spelled = self.one_of(f"{day}Z", f"{day}+08:00", f" {day} ", f"{day}T15:59:59.9Z", f"\n{before}T24:00:00")
        return x(tag, x("DtTm" if "T" in spelled else "Dt", spelled))

    def true(self) -> str:
        return self.one_of("true", "1", " true ", "\n1") if self.habits.odd else "true"

    def direction(self, way: str) -> str:
        return x("CdtDbtInd", "CRDT" if way == "IN" else "DBIT")

    # -- a line

    def line(self, way: str, fen: int, said: Said, *, status: str = "BOOK") -> str:
        self.numbers += 1
        if self.habits.wrong == "a status of its own":
            status = "DONE" if self.version >= "08" else "BOOK"
        booked = "" if self.habits.wrong == "no booking day" else self.day("BookgDt", DAY)
        return x(
            "Ntry",
            x("NtryRef", f"{self.numbers:05d}") if self.habits.numbers == "NtryRef" else "",
            self.money("Amt", fen),
            self.direction(way),
            x("RvslInd", self.one_of("false", "0")) if self.habits.odd else "",
            x("Sts", x("Cd", status)) if self.version >= "08" else x("Sts", status),
            booked,
            "" if self.habits.silent else self.day("ValDt", DAY + timedelta(days=1)),
            self.number(),
            x("BkTxCd", x("Prtry", x("Cd", "付款"))),
            self.details(way, fen, said) if fen and status == "BOOK" else "",
            x("AddtlNtryInf", "转账") if self.yes() else "",
        )

    def number(self) -> str:
        if self.habits.wrong == "no number at all":
            return self.one_of("", x("AcctSvcrRef", "NOTPROVIDED"))
        number = 1 if self.habits.wrong == "a number twice" else self.numbers
        return x("AcctSvcrRef", f"2026{number:08d}") if self.habits.numbers == "AcctSvcrRef" else ""

    def details(self, way: str, fen: int, said: Said) -> str:
        charge = self.draw(st.integers(0, fen - 1)) if self.habits.charges else 0
        left = fen - charge
        if self.habits.wrong == "details beyond their line":
            left = fen + 1
        if self.habits.batch and self.habits.silent and way == "OUT":
            said.named += left
            return x("NtryDtls", self.batch(None, left))
        if self.habits.silent:
            return ""
        cuts = sorted(self.draw(st.lists(st.integers(1, left), max_size=3, unique=True)) if self.habits.groups else [])
        shares = [after - before for before, after in zip([0, *cuts], [*cuts, left], strict=True) if after > before]
        said.named += left
        if not self.habits.groups:
            return x("NtryDtls", *(self.payment(way, share) for share in shares))
        split = self.draw(st.integers(1, len(shares)))
        groups = [group for group in (shares[:split], shares[split:]) if group]
        return "".join(
            x("NtryDtls", self.batch(len(group), sum(group)), *(self.payment(way, share) for share in group))
            for group in groups
        )

    def batch(self, count: int | None, fen: int) -> str:
        name = x(self.habits.batch, RUN)
        counted = x("NbOfTxs", str(count)) if count is not None else ""
        return x("Btch", name, counted, self.money("TtlAmt", fen))

    def payment(self, way: str, fen: int) -> str:
        self.numbers += 1
        other = "Cdtr" if way == "OUT" else "Dbtr"
        named = x("Nm", "某某医院")
        message = x("MsgId", f"PACS{self.numbers}") if self.habits.foreign_messages else ""
        whole = x("AmtDtls", x("TxAmt", self.money("Amt", fen)))
        return x(
            "TxDtls",
            x("Refs", message, x("EndToEndId", f"P{self.numbers}")),
            whole if self.version == "02" else self.money("Amt", fen) + self.direction(way),
            x("RltdPties", x(other, x("Pty", named) if self.version >= "08" else named)),
            x("RmtInf", x("Ustrd", "医保结算")),
        )

    # -- a report

    def report(self, said: Said, ways: Sequence[tuple[str, int]], at: int) -> str:
        """All pages of it, or as many as there are of it."""
        lines = []
        for way, fen in ways:
            said.booked[way].append(fen)
            lines.append(self.line(way, fen, said))
        beside = [self.line("IN", 500, said, status=self.one_of("PDNG", "INFO")), self.line("IN", 0, said)]
        lines += beside if self.habits.announces else []
        halves = [lines[: len(lines) // 2], lines[len(lines) // 2 :]] if self.habits.pages else [lines]
        pages = [self.page(said, half, at, number, len(halves)) for number, half in enumerate(halves, 1)]
        return "".join(pages[:-1] if self.habits.wrong == "a page that is missing" and len(pages) > 1 else pages)

    def page(self, said: Said, lines: Sequence[str], at: int, number: int, of: int) -> str:
        paged = "StmtPgntn" if self.statement else "NtfctnPgntn"
        last = number == of and self.habits.wrong != "a page that is missing"
        count = f"{number:05d}" if self.habits.odd else str(number)
        shown = of > 1 or self.habits.odd or self.habits.wrong == "a page that is missing"
        return x(
            "Stmt" if self.statement else "Ntfctn",
            x("Id", f"S{at}-{number}"),
            x(paged, x("PgNb", count), x("LastPgInd", self.true() if last else "false"))
            if shown and self.version > "02"
            else "",
            x("ElctrncSeqNb", str(at)),
            self.instant("CreDtTm", datetime(2026, 2, 28)),  # noqa: DTZ001
            x("Acct", x("Id", x("Othr", x("Id", said.account))), x("Ccy", "CNY")),
            "".join(self.balances(said, number, of)) if self.statement else "",
            *lines,
        )

    def balances(self, said: Said, number: int, of: int) -> list[str]:
        closing = said.closing + (self.habits.wrong == "a balance that does not follow")
        first = [("PRCD" if self.habits.previous else "OPBD", said.opening, DAY)]
        last = [("CLBD", closing, DAY), ("CLAV", 7, DAY)]
        between = [("ITBD", 1, DAY)] if of > 1 else []
        told = [*(first if number == 1 else between), *(last if number == of else between)]
        return [
            x(
                "Bal",
                x("Tp", x("CdOrPrtry", x("Cd", code))),
                self.money("Amt", abs(fen)),
                self.direction("IN" if fen >= 0 else "OUT"),
                self.day("Dt", day),
            )
            for code, fen, day in told
        ]


@st.composite
def letters(draw: st.DrawFn, habits: Habits) -> Letter:
    """A statement or a notification by a bank of such habits; lines without numbers are in statements alone."""
    statement = habits.numbers == "NtryRef" or habits.wrong == "a balance that does not follow" or draw(st.booleans())
    versions = [one for one in habits.versions if habits.wrong != "a status of its own" or one >= "08"]
    versions = [one for one in versions if habits.wrong != "a page that is missing" or one > "02"]
    pen = Pen(draw, habits, draw(st.sampled_from(versions)), statement)
    kind = f"camt.05{'3' if statement else '4'}.001.{pen.version}"
    least = {"": 0, "a number twice": 2}.get(habits.wrong, 1)
    ways = st.tuples(st.sampled_from(("IN", "OUT")), st.integers(1, 10_000_000))
    if habits.wrong == "a number twice":
        ways = st.tuples(st.just("IN"), st.integers(1, 100))
    said, written = [], []
    for at in range(1, habits.accounts + 1):
        one = Said(f"62220000{at:05d}", opening=draw(st.integers(-(10**9), 10**9)))
        moves = draw(st.lists(ways, min_size=least, max_size=5))
        said.append(one)
        written.append(pen.report(one, moves, at))
    header = x("GrpHdr", x("MsgId", f"B{draw(st.integers(1, 10**9))}"), pen.instant("CreDtTm", datetime(2026, 2, 28)))  # noqa: DTZ001
    body = x("BkToCstmrStmt" if statement else "BkToCstmrDbtCdtNtfctn", header, *written)
    data = x("Document", body, xmlns=f"urn:iso:std:iso:20022:tech:xsd:{kind}")
    return Letter(kind, f'<?xml version="1.0" encoding="UTF-8"?>\n{data}'.encode(), said)
