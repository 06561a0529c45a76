"""What direct-pay asks of the clearing service, said by hand: statements and red letters of a hospital's suppliers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from medfund import codes, money
from tests.fund import Fund

EMPLOYEES, RESIDENTS = "310100", "390100"
KEY = {EMPLOYEES: 6837, RESIDENTS: 3163}
ONE, TWO, THREE = (
    f"{code}{codes.uscc_check(code)}" for code in ("91370000MA00000A1", "91370000MA00000B2", "91370000MA00000C3")
)


def invoice(number: int) -> str:
    return f"{2637000000 * 10**10 + number:020d}"


def ref(statement: str, supplier: str = ONE, instalment: int = 1) -> str:
    return f"{supplier}/{statement}/{instalment}"


def split(fen: int, key: Mapping[str, int] = KEY) -> dict[str, int]:
    return money.split_by_key(fen, key)


class Purchases:
    """Keeps what is left of each line, as direct-pay does: a red letter is what the split was, less what it is."""

    def __init__(self, fund: Fund) -> None:
        self.fund = fund
        self.left: dict[tuple[str, str, str], dict[str, int]] = {}
        """By hospital, payable and invoice."""
        self.keys: dict[tuple[str, str], Mapping[str, int]] = {}
        self.reds = 0

    def request(
        self, statement: str, lines: Mapping[str, int] | Sequence[int], *, supplier: str = ONE,
        key: Mapping[str, int] = KEY, due: str = "2026-10-16", **data: Any,
    ) -> str:  # fmt: skip
        """What of a statement is to be paid; its name."""
        if not isinstance(lines, Mapping):
            lines = {invoice(len(self.left) + n): fen for n, fen in enumerate(lines)}
        name, amounts = ref(statement, supplier), Counter[str]()
        for one, fen in lines.items():
            self.left[self.fund.provider, name, one] = parts = split(fen, key)
            amounts.update(parts)
        self.keys[self.fund.provider, name] = key
        content = {
            "provider": self.fund.provider, "supplier": supplier, "statement_ref": statement, "payable_ref": name,
            "instalment": 1, "amounts": {fund: money.yuan(fen) for fund, fen in sorted(amounts.items())},
            "key": dict(key), "lines": [[one, money.yuan(fen), due, "2026-09-18"] for one, fen in lines.items()],
            "due": due,
        }  # fmt: skip
        self.fund.put("statement.requested.v1", **{**content, **data})
        return name

    def red(self, name: str, one: str, fen: int, **data: Any) -> dict[str, int]:
        """A red letter on a line that was requested; what it takes, by fund."""
        place, key = (self.fund.provider, name, one), self.keys[self.fund.provider, name]
        before = self.left[place]
        taken = {of: amount for of, amount in money.lowered(before, sum(before.values()) - fen, key).items() if amount}
        self.left[place] = {of: amount - taken.get(of, 0) for of, amount in before.items()}
        self.reds += 1
        supplier, statement, _ = name.split("/")
        content = {
            "provider": self.fund.provider, "supplier": supplier, "statement_ref": statement, "payable_ref": name,
            "invoice": one, "red": invoice(900_000 + self.reds),
            "amounts": {fund: money.yuan(amount) for fund, amount in taken.items()},
        }  # fmt: skip
        self.fund.put("statement.line.reduced.v1", **{**content, **data})
        return taken
