"""What answers look like: a claim of a month like that of R1.5, paid at once in part and after audit.

Each example stands in OpenAPI and on the page `/docs`; a test reads every one with the model that it is an example of.
"""

from collections.abc import Mapping

from medfund.http.examples import Json, name

POSITIONS = {"3": {"agency": 57, "bank": 12, "claims": 30718, "clearing": 96, "reviews": 41, "time": 66}}
PROVIDER, PROVIDER_NAME = "H15250200017", "锡林郭勒盟示例医院"
AREA, POLICY = "152500", "c24042fb9f533189" + "0" * 48
BATCH = "H15250200017-310-21-202601"
FUNDS = {
    "310100": name("职工基本医疗保险统筹基金", "Employee insurance, pooled fund"),
    "310200": name("职工基本医疗保险个人账户", "Employee insurance, personal accounts"),
}


def _funds(amounts: Mapping[str, str]) -> list[Json]:
    return [{"fund": fund, "fund_name": FUNDS[fund], "amount": amount} for fund, amount in amounts.items()]


_P1_POOLED = {"310100": "1890000.33"}
_SUMS = {
    "claimed": "2556789.49",
    "in_review": "0.00",
    "deducted": "29230.55",
    "undone": "0.00",
    "approved": "2527558.94",
    "bond": "103538.49",
    "p1": "2301110.54",
    "advance": "0.00",
    "payable": "0.00",
    "held": "0.00",
    "ordered": "0.00",
}
_POOLED = {
    **_SUMS,
    "claimed": "2100000.37",
    "approved": "2070769.82",
    "p1": "1890000.33",
    "fund": "310100",
    "fund_name": FUNDS["310100"],
}

BATCH_IN_A_LIST: Json = {
    "batch": BATCH,
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "area": AREA,
    "insured_area": AREA,
    "insutype": "310",
    "clr_type": "21",
    "clr_type_name": name("住院", "Inpatient"),
    "clr_way": "3",
    "mode": "MONTH",
    "period_from": "2026-01-01",
    "period_to": "2026-01-31",
    "settlements": 4211,
    "submitted_on": "2026-02-06",
    "cut_off": "2026-02-10",
    "due": "2026-03-09",
    "latest": None,
    "due_limit": "2026-03-16",
    "state": "APPROVED",
    "state_name": name("已审定", "approved"),
    "rejection": None,
    "paid": True,
    "paid_on": "2026-03-05",
    "working_days": 16,
    **{item: _SUMS[item] for item in ("claimed", "in_review", "deducted", "approved", "payable")},
}
_NOTHING = dict.fromkeys(("claimed", "in_review", "deducted", "approved", "payable"), "0.00")
REJECTED_IN_A_LIST: Json = {
    **BATCH_IN_A_LIST,
    **dict.fromkeys(("cut_off", "due", "due_limit", "paid_on", "working_days")),
    **_NOTHING,
    "batch": "H15250200017-310-21-202602",
    "period_from": "2026-02-01",
    "period_to": "2026-02-28",
    "settlements": 3790,
    "submitted_on": "2026-03-05",
    "state": "REJECTED",
    "state_name": name("校验未通过", "rejected"),
    "paid": False,
    "rejection": {
        "submitted_on": "2026-03-05",
        "amounts": _funds({"310100": "1900000.38"}),
        "total": "1900000.38",
        "errors": [
            {
                "code": "AMOUNT",
                "code_name": name("基金金额不符或超限", "the amount of a fund differs, or is too large"),
                "detail": "claimed 1900000.38, recorded 1900000.37, a difference of 0.01",
                "fund": "310100",
                "day": None,
            }
        ],
    },
}
CLAIMS: Json = {
    "as_of": "2026-03-10",
    "claims": [REJECTED_IN_A_LIST, BATCH_IN_A_LIST],
    "claimed": "2556789.49",
    "payable": "0.00",
    "next": None,
    "positions": POSITIONS,
}

PAYMENT: Json = {
    "payment": f"{BATCH}/P1/310100",
    "payable": BATCH,
    "purpose": "INSTANT",
    "state": "SETTLED",
    "due": "2026-02-09",
    "latest": None,
    "requested_by": None,
    "approvers": ["staff-7c41", "staff-02e9"],
    "expires_on": "2026-02-17",
    "run": f"{AREA}-310100-20260212-1",
    "end_to_end_id": "5b1f0c9a4d7e42138f6a90bd2c37e815",
    "value_date": "2026-02-12",
    "confirmed_on": "2026-02-13",
    "amounts": _funds(_P1_POOLED),
    "settled": _funds(_P1_POOLED),
    "returned": [],
    "to_retry": [],
    "total": "1890000.33",
}
PAYMENT_TO_APPROVE: Json = {
    **PAYMENT,
    "state": "ORDERED",
    "approvers": ["staff-7c41"],
    "run": None,
    "end_to_end_id": None,
    "value_date": None,
    "settled": [],
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "area": AREA,
    "fund": "310100",
    "fund_name": FUNDS["310100"],
    "state_name": name("待审批", "to be approved"),
    "purpose_name": name("即时结算预拨", "paid at once"),
    "retry_of": None,
    "missing": 1,
    "missing_approver": True,
    "withheld": {
        "run": f"{AREA}-310100-20260211-1",
        "code": "EXPIRED",
        "code_name": name("审批过期", "the approval expired"),
        "detail": "what was approved could be sent to the end of 2026-02-10",
    },
    "account": "acct-152500-000931",
    "account_state": "TO_CONFIRM",
    "account_state_name": name("新账户，待确认", "new: somebody has to confirm it"),
    "execute_on": None,
    "bank_code": None,
    "bank_may_still_pay": False,
    "bank_may_still_pay_because": None,
    "days_overdue": 0,
}
PAYMENTS: Json = {
    "as_of": "2026-02-12",
    "payments": [PAYMENT_TO_APPROVE],
    "providers": [{"provider": PROVIDER, "payments": [f"{BATCH}/P1/310100"], "total": "1890000.33"}],
    "total": "1890000.33",
    "to_retry": "0.00",
    "next": None,
    "positions": POSITIONS,
}

CLAIM: Json = {
    **BATCH_IN_A_LIST,
    "working_days": None,
    "policy": POLICY,
    "lead": BATCH,
    "funds": [_POOLED],
    "totals": _SUMS,
    "payments": [PAYMENT],
    "offsets": [
        {
            "taken_from": "2102",
            "account": "1104",
            "item": BATCH,
            "step": 1,
            "amounts": _funds({"310100": "1890000.33"}),
            "total": "1890000.33",
        }
    ],
    "holds": [],
    "findings": [
        {
            "batch": BATCH,
            "finding": "F-202601-000815",
            "rule": "R-0117",
            "ground": "RULE",
            "ground_name": name("违反审核规则", "against a rule"),
            "stage": "FIRST",
            "state": "ANSWERED",
            "state_name": name("申诉已答复", "the appeal is answered"),
            "settlement": "9f2c6a0de3b14785a1c05e7739d84bf2",
            "line": "3",
            "amounts": _funds({"310100": "29230.55"}),
            "deducted": _funds({"310100": "29230.55"}),
            "undone": [],
            "appeals": [
                {
                    "appeal": "SS-2026-0031",
                    "reason": "项目与病程记录一致",
                    "contested": _funds({"310100": "41230.55"}),
                    "upheld": _funds({"310100": "12000.00"}),
                    "answer": "部分采纳",
                }
            ],
            "late": False,
        }
    ],
    "findings_total": 1,
    "stages": [{"stage": "FIRST", "rows": 41}],
    "positions": POSITIONS,
}

DEADLINE: Json = {
    "target": "WD_15",
    "target_name": name("15个工作日", "15 working days"),
    "working_days": 15,
    "due": "2026-03-09",
    "latest": None,
    "state": "MET",
    "state_name": name("按时", "met"),
    "paid_on": "2026-03-05",
}
DEADLINES: Json = {
    "batch": BATCH,
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "period_to": "2026-01-31",
    "submitted_on": "2026-02-06",
    "cut_off": "2026-02-10",
    "clock_start": "2026-02-11",
    "calendar_version": "cn-2024-2026-30451dc4",
    "deadlines": [DEADLINE],
    "days": [
        {
            "day": "2026-02-14",
            "counted": True,
            "number": 4,
            "reason": "MAKE_UP_DAY",
            "reason_name": name("调休上班", "weekend day that is worked by the notice"),
        }
    ],
    "positions": POSITIONS,
}

STATEMENT: Json = {
    "batch": BATCH,
    "batches": [BATCH],
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "account_ends": "0017",
    "area": AREA,
    "period_from": "2026-01-01",
    "period_to": "2026-01-31",
    "state": "APPROVED",
    "state_name": name("已审定", "approved"),
    "settlements": 1842,
    "instant_ratios": {"310100": "0.9"},
    "sections": [
        {
            "code": "NET",
            "name": name("应付", "Payable"),
            "lines": [
                {
                    "name": name("审定", "Approved"),
                    "reference": "",
                    "detail": "",
                    "reason": None,
                    "settlement": None,
                    "appeals": [],
                    "amounts": _funds({"310100": "2070769.82"}),
                    "total": "2070769.82",
                },
                {
                    "name": name("质量保证金", "Quality bond"),
                    "reference": "",
                    "detail": "",
                    "reason": None,
                    "settlement": None,
                    "appeals": [],
                    "amounts": _funds({"310100": "-103538.49"}),
                    "total": "-103538.49",
                },
            ],
            "result": name("应付净额", "Net payable"),
            "totals": _funds({"310100": "1967231.33"}),
            "total": "1967231.33",
        }
    ],
    "net_in_capitals": "壹佰玖拾陆万柒仟贰佰叁拾壹元叁角叁分",
    "deadlines": [DEADLINE],
    "policy": POLICY,
    "positions": POSITIONS,
}

RECOVERIES: Json = {
    "recoveries": [
        {
            "case": "case-2026-0017",
            "provider": PROVIDER,
            "provider_name": PROVIDER_NAME,
            "area": AREA,
            "insutype": "310",
            "clr_type": "21",
            "year": "CURRENT",
            "decided_on": "2026-02-27",
            "settlement": None,
            "reason": "飞行检查：重复收费",
            "decided": _funds({"310100": "219947.40"}),
            "due": _funds({"310100": "19947.40"}),
            "taken": _funds({"310100": "200000.00"}),
            "payable": [],
            "decided_total": "219947.40",
            "due_total": "19947.40",
        }
    ],
    "due": "19947.40",
    "next": None,
    "positions": POSITIONS,
}

COVERAGE: Json = {
    "area": AREA,
    "month": "2026-01",
    "money": {"instant": "3456789.12", "settled": "4000000.00", "ratio": "0.864197"},
    "institutions": {"instant": 41, "designated": 48, "ratio": "0.854167"},
    "target": "0.80",
    "positions": POSITIONS,
}

_ID = "hold-5f0c1d2e3a4b59687786a5b4c3d2e1f0"
GIVEN: Json = {
    "command": _ID,
    "kind": "hold",
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "look": f"/v1/commands/{_ID}",
}
WITHDRAWAL: Json = {"batch": BATCH, "reason": "明细对账不符，撤回重新申报"}
RECEIPT: Json = {"payment": f"{BATCH}/P1/310100", "received_on": "2026-02-13"}
APPEAL: Json = {
    "appeal": "SS-2026-0007",
    "batch": BATCH,
    "finding": "F-202601-000815",
    "reason": "项目与病程记录一致",
}
HOLD: Json = {
    "hold": "case-2026-0042",
    "provider": PROVIDER,
    "payable": BATCH,
    "amounts": {"310100": "500000.00"},
    "reason": "条例第三十条：涉嫌骗保",
    "held_from": "2026-03-02",
}
RELEASE: Json = {
    "release": "JC-2026-0011",
    "hold": "case-2026-0042",
    "provider": PROVIDER,
    "payable": BATCH,
    "amounts": {"310100": "500000.00"},
    "reason": "经查未发现骗保行为",
    "released_on": "2026-03-30",
}
PAY = f"{BATCH}/P1/310100"
APPROVAL: Json = {"approval": "PZ-2026-0012", "provider": PROVIDER, "payments": [PAY], "total": "1890000.33"}
RETRY: Json = {"retry": "CF-2026-0003", "provider": PROVIDER, "payment": PAY, "reason": "收款账户已更正"}
CONFIRMATION: Json = {"provider": PROVIDER, "bank_account_ref": "acct-152500-000931"}
PLACING: Json = {"item": "S-5b1f0c9a4d7e42138f6a90bd", "placed_as": "FISCAL", "placed_on": "2026-03-02"}
FUNDS_REQUEST: Json = {
    "request": "YK-2026-0007",
    "area": AREA,
    "plan": "plan-2026-02",
    "amounts": {"310100": "5000000.00"},
    "needed_on": "2026-02-27",
}
RUN: Json = {"area": AREA, "fund": "310100", "execute_on": "2026-02-27", "due_until": "2026-03-09", "number": 1}
RUN_REF = f"{AREA}-310100-20260227-1"
OPENED: Json = {
    "command": "run-9a0c1d2e3a4b59687786a5b4c3d2e1f0",
    "kind": "run",
    "source": "/clearing/commands",
    "type": "payment.run.opened.v1",
    "look": "/v1/commands/run-9a0c1d2e3a4b59687786a5b4c3d2e1f0",
    "run": RUN_REF,
    "payments": 1,
    "total": "1890000.33",
    "available": "5000000.00",
}
COMMAND: Json = {
    "command": _ID,
    "kind": "hold",
    "provider": PROVIDER,
    "area": AREA,
    "source": "/clearing/commands",
    "type": "payment.hold.placed.v1",
    "asked_at": "2026-03-02T01:15:30.250000Z",
    "state": "DISPUTED",
    "state_name": name("与系统记录不符，未执行", "not as our records have it: nothing follows from it"),
    "position": "reviews:3:5200",
    "decisions": [
        {
            "type": "fact.disputed.v1",
            "position": "clearing:3:97",
            "data": {
                "provider": PROVIDER,
                "area": AREA,
                "cause": {"topic": "reviews", "lane": 3, "offset": 5200},
                "detail": "hold case-2026-0042 is placed already",
            },
        }
    ],
    "reason": None,
    "detail": "hold case-2026-0042 is placed already",
}


def _sum(payments: int, total: str) -> Json:
    return {"payments": payments, "total": total}


ONE_RUN: Json = {
    "run": RUN_REF,
    "area": AREA,
    "fund": "310100",
    "fund_name": FUNDS["310100"],
    "bank_account": "1002",
    "execute_on": "2026-02-27",
    "opened_by": "staff-7c41",
    "state": "AT_THE_BANK",
    "state_name": name("银行处理中", "at the bank"),
    "held_up": None,
    "lanes": 12,
    "decided": 12,
    "available": "5000000.00",
    "last_due": "2026-03-09",
    "planned": _sum(3, "2390000.33"),
    "sent": _sum(2, "2090000.33"),
    "withheld": _sum(1, "300000.00"),
    "withheld_for": [{**_sum(1, "300000.00"), "code": "HELD", "code_name": name("暂缓拨付", "held")}],
    "dropped": _sum(0, "0.00"),
    "settled": _sum(1, "1890000.33"),
    "on_the_way": _sum(1, "200000.00"),
    "failed": _sum(0, "0.00"),
    "returned": _sum(0, "0.00"),
}
RUNS: Json = {
    "runs": [ONE_RUN],
    "planned": "2390000.33",
    "sent": "2090000.33",
    "settled": "1890000.33",
    "on_the_way": "200000.00",
    "next": None,
    "positions": POSITIONS,
}
ONE_RUN = {
    **ONE_RUN,
    "left_out": [
        {
            "payment": "H15250200018-310-21-202601/P1/310100",
            "provider": "H15250200018",
            "provider_name": "正镶白旗示例医院",
            "run": RUN_REF,
            "code": "HELD",
            "code_name": name("暂缓拨付", "held"),
            "detail": "hold case-2026-0042 is placed on H15250200018-310-21-202601",
            "total": "300000.00",
            "state": "APPROVED",
            "state_name": name("已审批", "approved"),
        }
    ],
    "positions": POSITIONS,
}
RUN_PLAN: Json = {
    "area": AREA,
    "fund": "310100",
    "fund_name": FUNDS["310100"],
    "bank_account": "1002",
    "execute_on": "2026-02-27",
    "due_until": "2099-12-31",
    "undecided": None,
    "registered": True,
    "cash": "2000000.00",
    "on_its_way": "0.00",
    "available": "2000000.00",
    "approved": _sum(3, "2390000.33"),
    "planned": _sum(1, "1890000.33"),
    "not_covered": _sum(2, "500000.00"),
    "days": [{"due": "2026-03-09", "approved": _sum(3, "2390000.33"), "planned": _sum(1, "1890000.33")}],
    "positions": POSITIONS,
}
DOUBTFUL: Json = {
    "provider": PROVIDER,
    "month": "2026-01",
    "settlements": [
        {
            "settlement": "9f2c6a0de3b14785a1c05e7739d84bf2",
            "kind": "RECORDED_TWICE",
            "kind_name": name("同一结算重复上传", "recorded more than once, and not taken back as often"),
            "recorded": 3,
            "reversed": 0,
            "amount": "23266.98",
            "first": "2026-01-15",
            "last": "2026-01-15",
        }
    ],
    "next": None,
    "positions": POSITIONS,
}
SUSPENSE: Json = {
    "as_of": "2026-03-02",
    "items": [
        {
            "item": "S-5b1f0c9a4d7e42138f6a90bd",
            "area": AREA,
            "owner": "finance",
            "owner_name": name("财务", "finance"),
            "direction": "IN",
            "direction_name": name("收到", "came"),
            "bank_account": "1002",
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "amount": "123.45",
            "bank_txn": "202602270000931",
            "value_date": "2026-02-27",
            "booked_on": "2026-02-27",
            "age_days": 3,
            "reason": "没有可对应的付款或收款",
            "reason_name": name("没有可对应的付款或收款", "there is no payment or receipt that it could be"),
            "payment": None,
            "open": True,
            "said": [
                {
                    "by": "staff-7c41",
                    "placed_as": "FISCAL",
                    "placed_as_name": name("两账户间划转", "between the fund's own accounts"),
                    "placed_on": "2026-03-02",
                    "target": None,
                    "provider": None,
                }
            ],
            "placed_as": None,
            "placed_as_name": None,
            "placed_on": None,
            "placed_by": None,
            "target": None,
            "provider": None,
            "provider_name": None,
        }
    ],
    "came": "123.45",
    "left": "0.00",
    "next": None,
    "positions": POSITIONS,
}
RECONCILIATIONS: Json = {
    "day": "2026-02-27",
    "agrees": True,
    "accounts": [
        {
            "area": AREA,
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "bank_account": "1002",
            "day": "2026-02-27",
            "statement": "BK20260227000004",
            "opening": "5000000.00",
            "closing": "3110123.12",
            "books": "3110123.12",
            "difference": "0.00",
            "lines": 2,
            "matched": [
                {
                    "kind": "ONE_TO_ONE",
                    "kind_name": name("一笔对一笔", "a line for one thing"),
                    "lines": 1,
                    "came": "0.00",
                    "went": "1890000.33",
                },
                {
                    "kind": "SUSPENSE",
                    "kind_name": name("待查", "in suspense, or placed from there"),
                    "lines": 1,
                    "came": "123.45",
                    "went": "0.00",
                },
            ],
            "open": [
                {
                    "kind": "SUSPENSE",
                    "kind_name": name("待查", "in suspense"),
                    "owner": "finance",
                    "owner_name": name("财务", "finance"),
                    "reason": name("无法对应，待认定", "nobody has said what it was"),
                    "items": 1,
                    "total": "123.45",
                    "oldest": "2026-02-27",
                    "age_days": 0,
                }
            ],
            "differing": [],
        }
    ],
    "positions": POSITIONS,
}
OUTFLOWS: Json = {
    "area": AREA,
    "first": "2026-02-27",
    "last": "2026-03-26",
    "calendar_version": "cn-2024-2026-30451dc4",
    "provisional_from": None,
    "funds": [
        {
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "cash": "2000000.00",
            "on_its_way": "0.00",
            "available": "2000000.00",
            "days": [{"day": "2026-03-09", "certain": "2390000.33", "estimated": "0.00", "left": "-390000.33"}],
            "certain": "2390000.33",
            "estimated": "0.00",
            "short_on": "2026-03-09",
            "short_by": "390000.33",
        }
    ],
    "positions": POSITIONS,
}
TREASURY: Json = {
    "requests": [
        {
            "request": "YK-2026-0007",
            "area": AREA,
            "plan": "plan-2026-02",
            "needed_on": "2026-02-27",
            "asked_by": "staff-7c41",
            "funds": [
                {
                    "fund": "310100",
                    "fund_name": FUNDS["310100"],
                    "requested": "5000000.00",
                    "received": "3000000.00",
                    "open": "2000000.00",
                }
            ],
            "requested": "5000000.00",
            "received": "3000000.00",
            "receipts": [
                {"bank_txn": "202602260000014", "value_date": "2026-02-26", "fund": "310100", "amount": "3000000.00"}
            ],
        }
    ],
    "requested": "5000000.00",
    "received": "3000000.00",
    "next": None,
    "positions": POSITIONS,
}

_PLAN: Json = {
    "plan": "YF-152500-2026-1",
    "hash": "0f6a3c81d2e4b597a8c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f607",
    "area": AREA,
    "year": 2026,
    "kind": "ANNUAL",
    "base_from": "2025-01-01",
    "base_to": "2025-12-01",
    "months": 12,
    "months_missing": ["2025-11-01"],
    "replaces": None,
    "policy": "9c1d0e2f3b4a5968778695a4b3c2d1e0fa1b2c3d4e5f6070f6a3c81d2e4b597a",
    "state": "WAITING",
    "state_name": name("待审批", "to be approved"),
    "grants": 1,
    "to_publish": 1,
    "published": 0,
    "limits": [{"fund": "310100", "fund_name": FUNDS["310100"], "amount": "8000000000.00"}],
    "wanted": [{"fund": "310100", "fund_name": FUNDS["310100"], "amount": "9634259.18"}],
    "amount": [{"fund": "310100", "fund_name": FUNDS["310100"], "amount": "9634259.18"}],
    "before": [],
    "last_year": [{"fund": "310100", "fund_name": FUNDS["310100"], "amount": "8700000.00"}],
    "disbursed": [],
    "outstanding": [],
    "total": "9634259.18",
    "made_by": "staff-3b18",
    "approvals": [],
}
PLAN: Json = {
    **_PLAN,
    "lines": [
        {
            "provider": PROVIDER,
            "provider_name": PROVIDER_NAME,
            "prepayment": f"{PROVIDER}/YF-2026/310100",
            "fund": "310100",
            "base": "10704732.42",
            "ratio": "0.9",
            "wanted": "9634259.18",
            "amount": "9634259.18",
            "before": "0.00",
            "months_missing": ["2025-11-01"],
            "last_year": "8700000.00",
            "state": "CHECKED",
            "disbursed": "0.00",
            "outstanding": "0.00",
        }
    ],
}
PLAN_TOLD: Json = {
    **_PLAN,
    "state": "APPROVED",
    "state_name": name("已批准，发布中", "approved, being published"),
    "approvals": [
        {"staff": "staff-7c41", "role": "finance", "at": "2026-01-20T10:00:00+08:00"},
        {"staff": "staff-02e9", "role": "approver", "at": "2026-01-21T09:30:00+08:00"},
    ],
    "sent": 1,
}
PLAN_ASKED: Json = {
    "plan": "YF-152500-2026-1",
    "area": AREA,
    "year": 2026,
    "base_from": "2025-01-01",
    "base_to": "2025-12-01",
    "limits": {"310100": "8000000000.00"},
}
PLAN_APPROVAL: Json = {"hash": _PLAN["hash"]}
PREPAYMENTS: Json = {
    "prepayments": [
        {
            "prepayment": f"{PROVIDER}/YF-2026/310100",
            "provider": PROVIDER,
            "provider_name": PROVIDER_NAME,
            "area": AREA,
            "kind": "ANNUAL",
            "kind_name": name("医保预付金", "annual"),
            "year": 2026,
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "state": "APPROVED",
            "state_name": name("已批准", "granted"),
            "grade": "B",
            "plan": "YF-152500-2026-1",
            "contract": None,
            "granted": "9634259.18",
            "disbursed": "9634259.18",
            "outstanding": "6422839.45",
            "offset": "3211419.73",
            "returned": "0.00",
            "due": "0.00",
            "blocks_year": None,
        }
    ],
    "granted": "9634259.18",
    "outstanding": "6422839.45",
    "due": "0.00",
    "next": None,
    "positions": POSITIONS,
}
APPLICATION: Json = {
    "application": "YFJ-2026-01",
    "provider": PROVIDER,
    "insutype": "310",
    "year": 2026,
    "funds": ["310100"],
    "documents": ["promise-assets-2026", "promise-use-2026"],
    "applied_on": "2026-01-06",
}
RECALL: Json = {"prepayment": f"{PROVIDER}/YF-2026/310100", "code": "MISUSE", "reason": "挪用于基建"}
OUTLOOK: Json = {
    "area": AREA,
    "as_of": "2026-10-31",
    "funds": [
        {
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "gate": {"as_of": "2025-12-31", "months": "14.3131", "needed": 12, "open": True, "reasons": []},
            "outstanding": "10704732.42",
            "so_far": [{"month": "2026-02-01", "left": "10704732.42"}],
            "ages": [
                {"up_to_days": 30, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": 90, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": 180, "prepayments": 0, "outstanding": "0.00"},
                {"up_to_days": None, "prepayments": 1, "outstanding": "10704732.42"},
            ],
            "months": [
                {"month": "2026-10-01", "due": "3568244.14", "expected": "3568244.14", "left": "7136488.28"},
                {"month": "2026-11-01", "due": "3568244.14", "expected": "3568244.14", "left": "3568244.14"},
                {"month": "2026-12-01", "due": "3568244.14", "expected": "3568244.14", "left": "0.00"},
            ],
            "left": "0.00",
        }
    ],
    "positions": POSITIONS,
}
PREPAYMENT_STATEMENT: Json = {
    "provider": PROVIDER,
    "provider_name": PROVIDER_NAME,
    "area": AREA,
    "year": 2026,
    "as_of": "2026-10-12",
    "funds": [
        {
            "fund": "310100",
            "fund_name": FUNDS["310100"],
            "prepayments": PREPAYMENTS["prepayments"],
            "outstanding": "6422839.45",
            "due": "0.00",
            "days": [
                {"day": "2026-02-27", "outstanding": "9634259.18"},
                {"day": "2026-10-09", "outstanding": "6422839.45"},
            ],
            "steps": [
                {
                    "day": "2026-10-09",
                    "prepayment": f"{PROVIDER}/YF-2026/310100",
                    "what": "OFFSET",
                    "what_name": name("冲抵", "taken back"),
                    "amount": "3211419.73",
                    "outstanding": "6422839.45",
                    "about": "H15250200017-310-21-202609",
                },
            ],
            "months": [{"month": "2026-11-01", "due": "3211419.73", "expected": "3211419.73", "left": "3211419.72"}],
        }
    ],
    "positions": POSITIONS,
}

PROPOSAL: Json = {
    "proposal": "SQ-2026-014",
    "kind": "mandate",
    "says": {
        "area": AREA,
        "staff_ref": "staff-7c41",
        "role": "approver",
        "limit": "800000.00",
        "valid_from": "2026-03-01",
    },
}
MANDATES: Json = {
    "as_of": "2026-03-02",
    "mandates": [
        {
            "area": AREA,
            "staff": "staff-7c41",
            "role": "approver",
            "role_name": name("审批岗", "approver"),
            "limit": "800000.00",
            "valid_from": "2026-03-01",
            "valid_to": None,
            "approvers": ["staff-5d03", "staff-88b6"],
        }
    ],
    "next": None,
    "positions": POSITIONS,
}
_HASH = "9f1c3f0f2ac0a1f3b4f3d2f0c8d0a7b1c6e5d4f3a2b1c0d9e8f7a6b5c4d3e2f1"
PROPOSAL_APPROVAL: Json = {"area": AREA, "hash": _HASH}
PROPOSED: Json = {
    "area": AREA,
    **PROPOSAL,
    "kind_name": {"zh": "审批授权", "en": "a mandate to approve payments"},
    "type": "staff.mandated.v1",
    "hash": _HASH,
    "proposed_by": "staff-5d03",
    "proposed_at": "2026-02-26T01:15:00Z",
    "approved_by": None,
    "approved_at": None,
    "changes": [
        {"name": "limit", "now": "500000.00", "then": "800000.00"},
        {"name": "valid_from", "now": "2026-01-01", "then": "2026-03-01"},
    ],
    "look": None,
}
PROPOSALS: Json = {"proposals": [PROPOSED], "next": None}
