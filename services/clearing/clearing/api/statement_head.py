"""What stands at the head of a statement, and above its columns, on paper and in a workbook."""

from collections.abc import Iterator
from typing import NamedTuple

from clearing.api import filters, get_claims, targets
from clearing.api.statement import Statement
from medfund import codes
from medfund.http import answers
from medfund.http.answers import Name

TITLE = Name(zh="定点医药机构申报结算单", en="Statement of a claim")
UNIT = Name(zh="单位：元", en="in yuan")
DEADLINES = Name(zh="拨付期限", en="Due dates")
COLUMNS = (Name(zh="项目", en="Item"), Name(zh="凭据", en="Reference"), Name(zh="说明", en="Detail"))
TOTAL = Name(zh="合计", en="Total")
DUE_COLUMNS = (
    Name(zh="期限", en="Target"),
    Name(zh="最迟日期", en="Due"),
    Name(zh="状态", en="State"),
    Name(zh="付清日期（银行）", en="Paid on (bank)"),
)


class Fact(NamedTuple):
    name: Name
    text: str


def facts(told: Statement) -> Iterator[Fact]:
    claim, mine = told.month.claim, told.month.claim.dimensions
    kind = codes.label(codes.CLR_TYPES, mine.clr_type)
    yield Fact(Name(zh="机构", en="Provider"), mine.provider)
    yield Fact(Name(zh="统筹区", en="Pooling area"), mine.area)
    yield Fact(Name(zh="申报批次", en="Batch"), ", ".join(one.ref for one in told.month.claims))
    yield Fact(Name(zh="费用期间", en="Period"), f"{claim.period_from} – {claim.period_to}")
    yield Fact(Name(zh="清算类别", en="Clearing type"), f"{mine.clr_type} {kind.zh} {kind.en}")
    yield Fact(Name(zh="申报日期", en="Submitted"), claim.submitted_on.isoformat())
    state = get_claims.STATES[claim.status]
    yield Fact(Name(zh="状态", en="State"), f"{state.zh} {state.en}")
    yield Fact(Name(zh="政策参数版本", en="Policy"), told.month.lead.policy_ref[:16])
    places = told.month.positions[str(told.month.lane)]
    yield Fact(
        Name(zh="数据截至（日志位置）", en="As of (positions)"),
        " ".join(f"{topic}:{told.month.lane}:{offset}" for topic, offset in places.items()),
    )


def columns(told: Statement) -> list[Name]:
    """Three of text, one of money for each fund, and their total."""
    funds = [Name(zh=f"{fund} {answers.fund_name(fund).zh}", en=answers.fund_name(fund).en) for fund in told.funds]
    return [*COLUMNS, *funds, TOTAL]


def deadline(one: targets.Deadline) -> tuple[Name, str, Name, str]:
    due = filters.day_text(one.due) + (f" – {one.latest}" if one.latest else "")
    return targets.NAMES[one.target], due, targets.STATES[one.state], filters.day_text(one.paid_on)
