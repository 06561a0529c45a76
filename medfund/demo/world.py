"""What the world says in the demo: hospitals, auditors, the bank and time, as events that anybody could publish.

Pure. Every id follows from what is said, so that a chapter that is played twice says nothing new.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from medfund import calendar, merkle, money
from medfund.city import lines

Fens = Mapping[str, int]
"""Fund -> fen."""
WORKED = calendar.shipped()
OFFICE = ("staff-5d03", "staff-88b6")
"""Two people of the office, who stand behind mandates and what the books begin with."""


def told(amounts: Fens) -> dict[str, str]:
    return {fund: money.yuan(fen) for fund, fen in amounts.items()}


def reference(name: str) -> str:
    """A keyed hash of a settlement, as an edge would make it."""
    return hashlib.sha256(f"demo {name}".encode()).hexdigest()[:32]


@dataclass
class World:
    """Lines to be published, and what the hospitals have settled so far."""

    area: str
    lines: list[bytes] = field(default_factory=list)
    _settled: defaultdict[str, list[tuple[date, str, Fens]]] = field(default_factory=lambda: defaultdict(list))

    def taken(self) -> list[bytes]:
        """The lines so far; the next ones are new."""
        self.lines, said = [], self.lines
        return said

    def say(self, type: str, name: str, day: date, data: Mapping[str, Any], *, source: str = "") -> None:
        """As the area's office, unless somebody else says it."""
        said_by = source or f"/agency/{self.area}"
        self.lines.append(
            lines.line(
                type=f"{type}.v1", id=f"demo-{name}", source=said_by, time=f"{day}T09:00:00+08:00", data=data,
            )
        )  # fmt: skip

    def register(self, provider: str, uscc: str, *, since: date = date(2025, 12, 31)) -> None:
        day = since
        data = {
            "provider": provider, "area": self.area, "uscc": uscc, "level": "3",
            "bank_account_ref": f"acct-{provider}", "valid_from": day.isoformat(),
        }  # fmt: skip
        self.say("provider.registered", f"register-{provider}", day, data)

    def policy(self, event: Mapping[str, Any]) -> None:
        day = date.fromisoformat(event["valid_from"])
        self.say("policy.published", f"policy-{self.area}-{day.year}", day, event, source=lines.COMMANDS)

    def assess(self, provider: str, grade: str) -> None:
        """The assessment of 2024."""
        data = {**self._about(provider), "year": 2024, "passed": True, "grade": grade, "assessed_on": "2025-01-05"}
        self.say("provider.assessed", f"assess-{provider}", date(2025, 1, 5), data)

    def figures(self, fund: str, surplus: str, expenditure: str) -> None:
        """How a fund stands at the end of 2024, without a deficit before or ahead."""
        data = {
            "area": self.area, "fund": fund, "as_of": "2024-12-31", "surplus": surplus, "expenditure": expenditure,
            "last_year_result": "0.00", "forecast_result": "0.00",
        }  # fmt: skip
        self.say("fund.figures.published", f"figures-{fund}", date(2024, 12, 31), data)

    def open_days(self, first: date, last: date) -> None:
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            data = {
                "date": day.isoformat(),
                "working_day": WORKED.is_working_day(day),
                "calendar_version": WORKED.version,
            }
            self.say("day.opened", f"day-{day}", day, data, source="/time")

    def settle(self, provider: str, day: date, amounts: Fens, *, reverses: str | None = None) -> str:
        """One settlement, or the reversal of one, in full; its reference."""
        sign = -1 if reverses else 1
        signed = {fund: sign * fen for fund, fen in amounts.items()}
        name = f"{provider}-{day}-{len(self._settled[provider])}"
        own = reference(name)
        self._settled[provider].append((day, own, signed))
        data = {
            **self._dimensions(provider, day), "settlement_ref": own, "med_type": "21", "clr_way": "3",
            "service_date": day.isoformat(), "total": money.yuan(sum(signed.values())), "funds": told(signed),
            "personal_account": "0.00", "family_account": "0.00", "hospital_share": "0.00", "other": "0.00",
            "cash": "0.00",
        }  # fmt: skip
        if reverses:
            data["reverses_ref"] = reverses
        self.say(
            "settlement.reversed" if reverses else "settlement.recorded",
            name,
            day,
            data,
            source=f"/gateway/{self.area}",
        )
        return own

    def submit(self, batch: str, provider: str, first: date, last: date, on: date, *, mode: str) -> None:
        """A claim of all that the hospital settled in a period."""
        mine = [(own, amounts) for day, own, amounts in self._settled[provider] if first <= day <= last]
        sums: defaultdict[str, int] = defaultdict(int)
        for _, amounts in mine:
            for fund, fen in amounts.items():
                sums[fund] += fen
        data = {
            **self._dimensions(provider, last), "batch": batch, "clr_way": "3", "mode": mode,
            "period_from": first.isoformat(), "period_to": last.isoformat(), "settlements": len(mine),
            "settlement_root": merkle.root([bytes.fromhex(own) for own, _ in mine]).hex(),
            "amounts": told(dict(sorted(sums.items()))), "submitted_on": on.isoformat(),
        }  # fmt: skip
        self.say("claim.batch.submitted", f"submit-{batch}", on, data, source=f"/gateway/{self.area}")

    def find(self, batch: str, finding: str, provider: str, on: date, settlement: str, amounts: Fens) -> None:
        data = {
            **self._about(provider), "batch": batch, "finding_ref": finding, "stage": "FIRST", "rule_code": "R-0117",
            "amounts": told(amounts), "settlement_ref": settlement, "line_ref": "1",
        }  # fmt: skip
        self.say("audit.finding.raised", f"find-{batch}-{finding}", on, data, source=f"/audit/{self.area}")

    def uphold(self, batch: str, finding: str, provider: str, on: date, upheld: Fens) -> None:
        data = {
            **self._about(provider), "batch": batch, "finding_ref": finding, "upheld": told(upheld),
            "reason": "部分采纳",
        }  # fmt: skip
        self.say("audit.appeal.decided", f"uphold-{batch}-{finding}", on, data, source=f"/audit/{self.area}")

    def finish_audit(self, batches: Sequence[str], provider: str, on: date, amounts: Fens, *, year: int = 2026) -> None:
        data = {
            **self._dimensions(provider, date(year, 1, 31)), "batches": list(batches), "amounts": told(amounts),
            "list_hash": hashlib.sha256("\n".join(batches).encode()).hexdigest(),
        }  # fmt: skip
        self.say("audit.deduction.finalised", f"final-{batches[0]}", on, data, source=f"/audit/{self.area}")

    def mandate(self, staff_ref: str, role: str, limit: int) -> None:
        """Somebody of the agency may approve payments of up to so many fen each."""
        data = {
            "area": self.area, "staff_ref": staff_ref, "role": role, "limit": money.yuan(limit),
            "valid_from": "2025-01-01", "approvers": list(OFFICE),
        }  # fmt: skip
        self.say("staff.mandated", f"mandate-{self.area}-{staff_ref}", date(2025, 1, 1), data, source=lines.COMMANDS)

    def deposit(self, amounts: Fens, on: date) -> None:
        """What is in the funds' expenditure accounts when the books begin."""
        data = {
            "area": self.area, "account": "1002", "amounts": told(amounts), "value_date": on.isoformat(),
            "evidence_ref": "opening-1002", "approvers": list(OFFICE),
        }  # fmt: skip
        self.say("opening.balance.recorded", "opening-1002", on, data, source=lines.COMMANDS)

    def _about(self, provider: str) -> dict[str, Any]:
        return {"area": self.area, "provider": provider}

    def _dimensions(self, provider: str, day: date) -> dict[str, Any]:
        return {
            **self._about(provider), "insured_area": self.area, "insutype": "310", "clr_type": "21",
            "benefit_year": day.year, "advanced": [],
        }  # fmt: skip
