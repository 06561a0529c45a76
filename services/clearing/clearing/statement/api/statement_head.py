"""What stands at the head and the foot of a statement, and above its columns, on paper and in a workbook."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from clearing.claims.api import get_claims
from clearing.funds import fens
from clearing.statement.api import targets
from clearing.statement.api.reading import Month
from clearing.statement.api.statement import Line, Statement
from medfund import codes, money
from medfund.events.audit import Appeal
from medfund.http import answers, pages
from medfund.http.answers import Name

TITLE = Name(zh="定点医药机构医保费用结算单", en="Statement of a claim")
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


SIGNED = (Name(zh="制单", en="Made by"), Name(zh="复核", en="Checked by"), Name(zh="经办机构盖章", en="Seal"))
EMPTY = {
    "APPROVED": Name(zh="本批次没有申报金额", en="the batch claims nothing"),
    "NET": Name(zh="尚未审定，没有应付款", en="nothing is approved yet"),
    "USE": Name(zh="尚未审定，没有可支付的款项", en="nothing is approved yet that could be paid"),
    "AT_ONCE": Name(zh="尚未核定即时结算预拨", en="nothing is approved to be paid at once"),
}


class Fact(NamedTuple):
    name: Name
    text: str


def facts(told: Statement) -> Iterator[Fact]:
    month, claim, mine = told.month, told.month.claim, told.month.claim.dimensions
    kind = codes.label(codes.CLR_TYPES, mine.clr_type)
    yield Fact(Name(zh="机构名称", en="Provider"), answers.told(month.institution.name))
    yield Fact(Name(zh="机构编码", en="Provider code"), mine.provider)
    yield Fact(Name(zh="收款账户", en="Payee account"), payee(month))
    yield Fact(Name(zh="统筹区", en="Pooling area"), mine.area)
    yield Fact(Name(zh="申报批次", en="Batch"), ", ".join(one.ref for one in month.claims))
    yield Fact(Name(zh="费用期间", en="Period"), f"{claim.period_from} – {claim.period_to}")
    yield Fact(Name(zh="清算类别", en="Clearing type"), f"{mine.clr_type} {kind.zh} {kind.en}")
    yield Fact(Name(zh="结算人次", en="Settlements"), f"{visits(month):,}")
    yield Fact(Name(zh="申报日期", en="Submitted"), claim.submitted_on.isoformat())
    state = get_claims.STATES[claim.status]
    yield Fact(Name(zh="状态", en="State"), f"{state.zh} {pages.sentence(state.en)}")
    yield Fact(Name(zh="即时结算预拨比例", en="Ratio paid at once"), ratios(told))
    net = sum(told.section("NET").total.values())
    yield Fact(Name(zh="应付净额（大写）", en="Net payable, in capitals"), f"人民币{money.capitals(net)}")


def foot(told: Statement) -> Iterator[Fact]:
    """What it rests on."""
    yield Fact(Name(zh="政策参数版本", en="Policy"), told.month.lead.policy_ref)
    places = told.month.positions[str(told.month.lane)]
    yield Fact(
        Name(zh="数据截至（日志位置）", en="As of (positions)"),
        " ".join(f"{topic}:{told.month.lane}:{offset}" for topic, offset in places.items()),
    )


def visits(month: Month) -> int:
    return sum(claim.settlements for claim in month.claims)


def payee(month: Month) -> str:
    """By the end of its number; by what the register of finance calls it, where that was not told."""
    _, account, ends = month.institution
    return f"尾号 ending in {ends}" if ends else answers.told(account)


def ratios(told: Statement) -> str:
    """The one of the policy; fund by fund where they differ."""
    of_funds = {fund: _percent(ratio) for fund, ratio in by_fund(told).items()}
    if len({*of_funds.values()}) == 1:
        return of_funds.popitem()[1]
    return ", ".join(f"{fund}: {ratio}" for fund, ratio in of_funds.items())


def by_fund(told: Statement) -> dict[str, str]:
    """What its policy pays at once of each fund."""
    policy = told.month.policy
    return {} if policy is None else {fund: policy.p1_ratio_text(fund) for fund in told.funds}


def _percent(ratio: str) -> str:
    return f"{(Decimal(ratio) * 100).normalize():f} %"


def detail(line: Line) -> str:
    """The reason of a deduction in words, the settlement that it is on, and what became of appeals against it."""
    words = f"{line.reason.zh} {line.reason.en}" if line.reason else ""
    return " ".join(filter(None, (line.detail, words, line.settlement, *map(_appeal, line.appeals))))


def _appeal(one: Appeal) -> str:
    asked = " ".join(filter(None, ("申诉 appeal", one.appeal_ref, one.reason)))
    if one.upheld is None:
        return f"{asked}: 尚未答复 not answered yet;"
    upheld = pages.grouped(sum(fens(one.upheld).values()))
    return f"{asked}: 支持 upheld {upheld} {one.answer or ''};"


def columns(told: Statement) -> list[Name]:
    """Three of text, one of money for each fund, and their total."""
    funds = [Name(zh=f"{fund} {answers.fund_name(fund).zh}", en=answers.fund_name(fund).en) for fund in told.funds]
    return [*COLUMNS, *funds, TOTAL]


def deadline(one: targets.Deadline) -> tuple[Name, str, Name, str]:
    due = answers.day_text(one.due) + (f" – {one.latest}" if one.latest else "")
    return targets.NAMES[one.target], due, targets.state_name(one.target, one.state), answers.day_text(one.paid_on)
