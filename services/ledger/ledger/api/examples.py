"""What answers look like: one visit of 8,654.21 yuan of which the resident fund bears 6,852.80, and what is said of it.

Each example stands in OpenAPI and on the page `/docs`; a test reads every one with the model that it is an example of.
"""

import base64

import msgspec

from medfund.events.kinds import KINDS
from medfund.http.examples import POSITIONS, Json, name


def _amounts(debit: str, credit: str, balance: str, side: str) -> Json:
    return {"debit": debit, "credit": credit, "balance": balance, "side": side}


def _bytes(text: str) -> Json:
    return {"size": len(text), "base64": base64.b64encode(text.encode()).decode(), "text": text}


FUND_NAME = name("城乡居民基本医疗保险基金", "Resident insurance, pooled fund")
PAYABLE_NAME = name("应付定点机构—未申报", "Payable, recorded and not yet claimed")
EXPENSE_NAME = name("社会保险待遇支出", "Benefit expense")
OWED = _amounts("0.00", "6852.80", "-6852.80", "credit")
SPENT = _amounts("6852.80", "0.00", "6852.80", "debit")
EVEN = _amounts("6852.80", "6852.80", "0.00", "none")
PLACE = {"lane": 3, "topic": "claims", "offset": 1180}
SOURCE = "/gateway/152500"
ID = "H15250200017202503041015300001"

BALANCES: Json = {
    "book": "OPS",
    "as_of": "2025-07-31",
    "known_on": None,
    "balances": [
        {
            "area": "152500",
            "fund": "390100",
            "fund_name": FUND_NAME,
            "party": "H15250200017",
            "party_name": "锡林郭勒盟示例医院",
            "counterpart": "",
            "account": "2100",
            "account_name": PAYABLE_NAME,
            "lane": 3,
            **OWED,
        }
    ],
    "totals": OWED,
    "next": None,
    "positions": POSITIONS,
}

LINE: Json = {
    "id": "3-claims-1180-0",
    "type": "settlement.recorded.v1",
    "book": "OPS",
    "area": "152500",
    "fund": "390100",
    "fund_name": FUND_NAME,
    "debit": "5001",
    "debit_name": EXPENSE_NAME,
    "credit": "2100",
    "credit_name": PAYABLE_NAME,
    "amount": "6852.80",
    "party": "H15250200017",
    "party_name": "锡林郭勒盟示例医院",
    "counterpart": "",
    "credit_counterpart": None,
    "insutype": "390",
    "clr_type": "21",
    "benefit_year": 2025,
    "service_date": "2025-03-04",
    "value_date": "2025-03-04",
    "recorded_date": "2025-03-04",
    "lane": 3,
    "topic": "claims",
    "first_offset": 1180,
    "last_offset": 1180,
    "events": 1,
}

LINES: Json = {"book": "OPS", "lines": [LINE], "total": "6852.80", "next": None, "positions": POSITIONS}

TRIAL_BALANCE: Json = {
    "book": "OPS",
    "as_of": "2025-07-31",
    "known_on": None,
    "funds": [
        {
            "area": "152500",
            "fund": "390100",
            "fund_name": FUND_NAME,
            "accounts": [
                {"account": "2100", "account_name": PAYABLE_NAME, **OWED},
                {"account": "5001", "account_name": EXPENSE_NAME, **SPENT},
            ],
            "totals": EVEN,
        }
    ],
    "totals": EVEN,
    "balanced": True,
    "positions": POSITIONS,
}

TURNOVER: Json = {
    "book": "OPS",
    "account": "2100",
    "account_name": PAYABLE_NAME,
    "rows": [
        {
            "fund": "390100",
            "fund_name": FUND_NAME,
            "clr_type": "21",
            "clr_type_name": name("住院", "Inpatient"),
            "lines": 1,
            "events": 1,
            **OWED,
        }
    ],
    "totals": OWED,
    "positions": POSITIONS,
}

CASH: Json = {
    "as_of": "2026-02-27",
    "funds": [
        {
            "area": "152500",
            "fund": "310100",
            "fund_name": name("职工基本医疗保险统筹基金", "Employee insurance, pooled fund"),
            "accounts": [
                {
                    "account": "1002",
                    "account_name": name("支出户存款", "Expenditure account"),
                    "ops": "3110123.12",
                    "stat": "3110123.12",
                    "statement": {
                        "day": "2026-02-27",
                        "closing": "3110123.12",
                        "books": "3110123.12",
                        "difference": "0.00",
                    },
                },
                {
                    "account": "1003",
                    "account_name": name("财政专户存款", "Fiscal special account"),
                    "ops": "41225000000.00",
                    "stat": "41225000000.00",
                    "statement": None,
                },
            ],
            "suspense_out": "0.00",
            "suspense_in": "123.45",
        }
    ],
    "agrees": True,
    "positions": POSITIONS,
}

EXPLAINED_LINE: Json = {
    "line": LINE,
    "events": [
        {
            "source": SOURCE,
            "id": ID,
            "type": "settlement.recorded.v1",
            "time": "2025-03-04T10:15:30+08:00",
            "recorded_at": "2025-03-04T02:15:30.250000Z",
            **PLACE,
            "amount": "6852.80",
            "data": dict(KINDS["settlement.recorded.v1"].example),
        }
    ],
    "events_total": 1,
    "total": "6852.80",
    "proved": True,
    "next": None,
}
EXPLAINED_BALANCE: Json = {
    "party": "H15250200017",
    "party_name": "锡林郭勒盟示例医院",
    "account": "2100",
    "account_name": PAYABLE_NAME,
    "balance": OWED,
    "journal": OWED,
    "journal_lines": 1,
    "proved": True,
    "lines": [LINE],
    "next": None,
    "positions": POSITIONS,
}
EXPLAINED: Json = {
    "balance": {"summary": "A balance", "value": EXPLAINED_BALANCE},
    "line": {"summary": "A line", "value": EXPLAINED_LINE},
}

SETTLEMENT: Json = {
    "specversion": "1.0",
    "id": ID,
    "source": SOURCE,
    "type": "settlement.recorded.v1",
    "time": "2025-03-04T10:15:30+08:00",
    "data": dict(KINDS["settlement.recorded.v1"].example),
}
SETTLEMENT_LINE = msgspec.json.encode(SETTLEMENT).decode() + "\n"

PUBLISHED: Json = {
    "accepted": 1,
    "refused": 1,
    "missing": 0,
    "events": [
        {"id": ID, "source": SOURCE, "accepted": True, **PLACE, "position": "claims:3:1180"},
        {
            "id": "H15250200017202503041015300002",
            "source": SOURCE,
            "accepted": False,
            "reason": "identity_mismatch",
            "reason_zh": "金额不平",
            "detail": "$.total is 8654.21, its parts make 8654.22: 0.01 too much",
        },
    ],
}

EVENT: Json = {
    "source": SOURCE,
    "id": ID,
    "outcome": "accepted",
    "accepted": {
        **PLACE,
        "recorded_at": "2025-03-04T02:15:30.250000Z",
        "type": "settlement.recorded.v1",
        "effect": "applied",
        "disputed": None,
    },
    "duplicates": {"count": 1, "places": [{"lane": 3, "topic": "claims", "offset": 1301}]},
    "refusals": {"count": 0, "places": []},
}

REFUSED: Json = {
    "lane": 3,
    "topic": "claims",
    "offset": 1302,
    "recorded_at": "2025-03-04T02:15:31.000000Z",
    "reason": "identity_mismatch",
    "reason_zh": "金额不平",
    "reason_en": "The amounts do not add up",
    "detail": "$.total is 8654.21, its parts make 8654.22: 0.01 too much",
    "source": SOURCE,
    "id": "H15250200017202503041015300002",
    "type": "settlement.recorded.v1",
    "area": "152500",
    "party": "H15250200017",
}
QUARANTINE: Json = {
    "reasons": {"identity_mismatch": 1},
    "total": 1,
    "deliveries": 1,
    "records": [REFUSED],
    "next": None,
    "positions": POSITIONS,
}
QUARANTINED: Json = {
    **REFUSED,
    "key": _bytes("H15250200017"),
    "value": _bytes('{"total": "8654.21"}'),
    "header_count": 1,
    "headers": [{"name": _bytes("ce_type"), "value": _bytes("settlement.recorded.v1")}],
}
