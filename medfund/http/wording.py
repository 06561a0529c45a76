"""What is wrong with a value that was asked with, in the product's words: English and Chinese.

Pure. Nothing that the caller sent is in them; what a rule allows is.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from medfund import codes, money


class Words(NamedTuple):
    en: str
    zh: str


class Wrong(ValueError):
    """A rule of our own that a value does not keep, said in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.words = Words(en, zh)


LINE_OF_TEXT = r"^[^\x00-\x1f\x7f]{1,256}$"
POSITION = (
    r"^(agency|bank|claims|clearing|direct-pay|ledger|prepayments|purchases|reviews|time):[0-9]{1,4}:[0-9]{1,18}$"
)
STATEMENT = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,23}$"
FORMS: Mapping[str, Words] = {
    codes.PROVIDER_PATTERN: Words("a provider code, H or P and 11 digits", "定点机构编码：H 或 P 加 11 位数字"),
    codes.AREA_PATTERN: Words("a code of 6 digits", "6 位数字编码"),
    codes.USCC_PATTERN: Words(
        "a unified social credit code of 18 digits and capital letters", "18 位统一社会信用代码：数字及大写字母"
    ),
    codes.INVOICE_PATTERN: Words(
        "an invoice: 20 digits, or a code of 10 or 12 digits, - and 8 digits",
        "发票号码：20 位数字，或 10、12 位代码加 - 加 8 位号码",
    ),
    STATEMENT: Words(
        "1 to 24 letters, digits and . _ -, a letter or digit first", "1 至 24 位字母、数字及 . _ -，以字母或数字开头"
    ),
    f"{codes.PROVIDER_PATTERN}|{codes.AREA_PATTERN}": Words(
        "a provider code (H or P and 11 digits) or an area code (6 digits)",
        "定点机构编码（H 或 P 加 11 位数字）或统筹区编码（6 位数字）",
    ),
    codes.REF_PATTERN: Words(
        "a reference of 1 to 64 letters, digits and . _ : / -, a letter or digit first",
        "1 至 64 位编号：字母、数字及 . _ : / -，以字母或数字开头",
    ),
    money.AMOUNT_PATTERN: Words("yuan with exactly two decimals, as 6852.80", "以元为单位、两位小数的金额，如 6852.80"),
    LINE_OF_TEXT: Words("1 to 256 characters on one line", "1 至 256 个字符，不换行"),
    POSITION: Words("a position as it is answered, family:lane:offset", "系统返回的日志位置：类别:分区:序号"),
    r"^[0-9A-Z_]{4,20}$": Words("a code of the chart of accounts, as 2100", "会计科目编码，如 2100"),
    r"^[a-z_.]{1,60}\.v[0-9]{1,3}$": Words(
        "an event type, as settlement.recorded.v1", "事件类型，如 settlement.recorded.v1"
    ),
    r"^[0-9]{1,5}-[a-z]+(-[a-z]+)?-[0-9]{1,18}-[0-9]{1,5}$": Words(
        "the id of a line as it is answered", "系统返回的分录编号"
    ),
    r"^[ -~]+$": Words("letters, digits and signs of ASCII", "ASCII 字母、数字及符号"),
    r"^[a-z-]{1,20}$": Words("a family of events, as claims", "事件类别，如 claims"),
    r"^[a-z_]{1,60}$": Words("the name of a route in OpenAPI, as hold", "OpenAPI 中的接口名称，如 hold"),
    r"^[a-z_]{1,40}$": Words("asked, or the code of a problem", "asked 或问题代码"),
    r"^20[0-9]{2}-(0[1-9]|1[0-2])$": Words("a month, as 2026-01", "月份，如 2026-01"),
    r"^[0-9a-f]{64}$": Words("a SHA-256 of 64 lower-case hex digits", "64 位小写十六进制 SHA-256"),
    r"^([0-9]{6}|\*)$": Words("an area code of 6 digits, or *", "6 位统筹区编码，或 *"),
}
"""How a value is written, for people."""

_SAID: Mapping[str, Words] = {
    "missing": Words("It is missing", "缺少此项"),
    "extra_forbidden": Words("There is no such field here", "此处没有这个字段"),
    "json_type": Words("It is not JSON", "不是 JSON"),
    "dict_type": Words("It has to be an object", "应为对象"),
    "model_type": Words("It has to be an object", "应为对象"),
    "model_attributes_type": Words("It has to be an object", "应为对象"),
    "list_type": Words("It has to be a list", "应为列表"),
    "string_type": Words("It has to be a text", "应为文本"),
    "string_too_short": Words("It has to be {min_length} characters at least", "至少 {min_length} 个字符"),
    "string_too_long": Words("It may be {max_length} characters at most", "最多 {max_length} 个字符"),
    "too_short": Words("There have to be {min_length} at least", "至少 {min_length} 项"),
    "too_long": Words("There may be {max_length} at most", "最多 {max_length} 项"),
    "greater_than_equal": Words("It has to be {ge} or more", "不得小于 {ge}"),
    "greater_than": Words("It has to be more than {gt}", "必须大于 {gt}"),
    "less_than_equal": Words("It has to be {le} or less", "不得大于 {le}"),
    "less_than": Words("It has to be less than {lt}", "必须小于 {lt}"),
    "literal_error": Words("It has to be one of {expected}", "只能是 {expected} 之一"),
    "enum": Words("It has to be one of {expected}", "只能是 {expected} 之一"),
    **dict.fromkeys(
        ("int_parsing", "int_type", "int_from_float", "int_parsing_size"),
        Words("It has to be a whole number", "应为整数"),
    ),
    **dict.fromkeys(("bool_parsing", "bool_type"), Words("It has to be true or false", "应为 true 或 false")),
    **dict.fromkeys(
        ("date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact", "date_type"),
        Words("It has to be a day that there is, as 2026-02-28", "应为真实存在的日期，如 2026-02-28"),
    ),
    **dict.fromkeys(
        ("datetime_parsing", "datetime_from_date_parsing", "datetime_type", "timezone_aware"),
        Words(
            "It has to be a time with its zone, as 2026-02-28T09:00+08:00",
            "应为带时区的时间，如 2026-02-28T09:00+08:00",
        ),
    ),
}
"""By rule; what a rule allows takes the place of the names in braces."""
UNSAID = Words("It is not as it has to be", "不符合要求")


def of(error: Mapping[str, Any]) -> Words:
    """Of one error as the library tells it."""
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error" if isinstance(context.get("error"), Wrong):
            words: Words = context["error"].words
            return words
        case "string_pattern_mismatch":
            return _written(context["pattern"])
        case rule:
            said = _SAID.get(rule, UNSAID)
            return Words(said.en.format(**context), said.zh.format(**context).replace(" or ", " 或 "))


def _written(pattern: str) -> Words:
    form = FORMS.get(pattern)
    if form is None:
        return Words(f"It has to be written as {pattern}", f"格式应为 {pattern}")
    return Words(f"It has to be {form.en}", f"应为{form.zh}")
