"""Messages of a bank, made up for tests: a good one of each kind, and strategies for any."""

from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from medfund import money
from medfund.bankfiles.messages import (
    Account,
    Counterparty,
    Detail,
    Entries,
    Entry,
    Message,
    Notification,
    Report,
    Statement,
    Status,
    Transfer,
    Transfers,
)
from medfund.calendar import SHANGHAI

CREATED = datetime(2026, 2, 27, 9, 0, tzinfo=SHANGHAI)
DAY = date(2026, 2, 27)
FUND = Account("15001686636050001234", "锡林郭勒盟医疗保障基金", "105201000017")
HOSPITAL = Account("0608020109200011111", "锡林郭勒盟中心医院", "102201000010")
PHARMACY = Account("6222021202000123456", "国药控股 <内蒙古> & 子公司", "103201000018")

TRANSFERS = Transfers(
    message_id="MF20260227001",
    created=CREATED,
    debtor=FUND,
    execute_on=DAY,
    transfers=(
        Transfer("H15250200017-310-21-202601/P1", 230_111_054, HOSPITAL, "医保结算 202601"),
        Transfer("P15250200044-310-41-202601/P1", 5, PHARMACY),
    ),
)
REPORT = Report(
    message_id="B1",
    created=CREATED,
    original_message_id="MF20260227001",
    status="PART",
    statuses=(
        Status("H15250200017-310-21-202601/P1", True),
        Status("P15250200044-310-41-202601/P1", False, "AC01", "账号不存在"),
    ),
)
_PAID = Entry(
    bank_txn="202602270000417",
    direction="OUT",
    amount=230_111_054,
    booked_on=DAY,
    value_date=DAY,
    text="付款",
    details=(
        Detail(
            amount=230_111_054,
            end_to_end_id="H15250200017-310-21-202601/P1",
            counterparty=Counterparty(HOSPITAL.number, HOSPITAL.name, HOSPITAL.bank),
            remittance="医保结算 202601",
            files=("MF20260227001",),
        ),
    ),
)
_RETURNED = Entry(
    bank_txn="202602270000418",
    direction="IN",
    amount=5,
    booked_on=DAY,
    value_date=DAY,
    details=(Detail(5, "P15250200044-310-41-202601/P1", "AC04", "账户已销户", Counterparty(name="国药控股")),),
)
_BATCH = Entry(
    bank_txn="202602270000419",
    direction="OUT",
    amount=300,
    booked_on=DAY,
    value_date=DAY + timedelta(days=1),
    details=(Detail(100, "A", files=("MF20260226001",)), Detail(200, "B", "AC01", files=("MF20260226001",))),
)
_UNKNOWN = Entry("202602270000420", "IN", 1, DAY, DAY, "收款")
NOTIFICATION = Notification("B2", CREATED, FUND.number, Entries((_PAID, _RETURNED, _BATCH, _UNKNOWN)))
STATEMENT = Statement(
    message_id="B3",
    created=CREATED,
    account=FUND.number,
    day=DAY,
    opening=1_000,
    closing=1_000 - 230_111_054 + 5 - 300 + 1,
    entries=NOTIFICATION.entries,
)
MESSAGES = (TRANSFERS, REPORT, NOTIFICATION, STATEMENT)


def kept(message: Message) -> Message:
    """What of a message is read: not whose the other side of a payment is, nor what is said in words."""
    if not isinstance(message, Notification | Statement):
        return message
    entries = [
        replace(one, text="", details=tuple(replace(part, counterparty=None, remittance="") for part in one.details))
        for one in message.entries
    ]
    return replace(message, entries=Entries(entries))


def texts(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """What people write, also what only a machine would."""
    allowed = st.characters(
        exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029\ufffe\uffff", max_codepoint=0x2FFFF
    )
    return st.text(allowed, min_size=least, max_size=most)


ids = texts(35, 1).filter(lambda text: text.strip() not in ("", "NOTPROVIDED", "NONREF"))
names = ids.filter(lambda text: text == text.strip())
"""Blanks around a reference of ours are the bank's layout."""
codes = st.sampled_from(("AC01", "AC04", "AM04", "BANK-9001"))
numbers = st.from_regex(r"[0-9A-Z][0-9A-Z-]{0,33}", fullmatch=True)
amounts = st.integers(1, money.FEN_MAX // 1000)
days = st.dates(date(1, 1, 3), date(9999, 12, 29))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001
accounts = st.builds(Account, numbers, texts(140, 1), st.from_regex(r"[0-9]{12}", fullmatch=True))
others = st.builds(Counterparty, numbers, texts(140), texts(35)) | st.builds(Counterparty, name=texts(140, 1))


@st.composite
def details(draw: st.DrawFn) -> Detail:
    code = draw(st.none() | codes)
    return Detail(
        amount=draw(amounts),
        end_to_end_id=draw(st.none() | names),
        return_code=code,
        return_text=draw(st.none() | texts(105, 1)) if code else None,
        counterparty=draw(st.none() | others),
        remittance=draw(texts(140)),
        files=tuple(draw(st.lists(names, unique=True, max_size=2))),
    )


@st.composite
def entries(draw: st.DrawFn) -> Entries:
    found = []
    for bank_txn in draw(st.lists(ids, unique=True, max_size=4)):
        parts = draw(st.lists(details(), max_size=3))
        entry = Entry(
            bank_txn=bank_txn,
            direction=draw(st.sampled_from(("OUT", "IN"))),
            amount=sum(part.amount for part in parts) + draw(st.just(0) | amounts) or draw(amounts),
            booked_on=draw(days),
            value_date=draw(days),
            text=draw(texts(500)),
            details=tuple(parts),
        )
        found.append(entry)
    return Entries(found)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    booked, opening = draw(entries()), draw(st.integers(-(10**14), 10**14))
    closing = opening + booked.signed
    return Statement(draw(ids), draw(moments), draw(numbers), draw(days), opening, closing, booked)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    group = draw(st.sampled_from(("ACCP", "PART", "RJCT")))
    answers = {"ACCP": st.just(True), "RJCT": st.just(False), "PART": st.booleans()}[group]
    statuses = []
    for name in draw(st.lists(ids, unique=True, max_size=4)):
        code = draw(st.just("") | codes)
        statuses.append(Status(name, draw(answers), code, draw(texts(105)) if code else ""))
    code = draw(st.just("") | codes)
    text = draw(texts(105)) if code else ""
    return Report(draw(ids), draw(moments), draw(ids), group, code, text, tuple(statuses))


@st.composite
def transfers(draw: st.DrawFn) -> Transfers:
    found = tuple(
        Transfer(name, draw(amounts), draw(accounts), draw(texts(140)))
        for name in draw(st.lists(ids, unique=True, min_size=1, max_size=4))
    )
    return Transfers(draw(ids), draw(moments), draw(accounts), draw(days), found)


notifications = st.builds(Notification, ids, moments, numbers, entries())
messages = transfers() | reports() | notifications | statements()
