"""Why an event is not booked: a closed list, in order of precedence.

What stays true: the same record is always refused for the same reason. Each group below is judged before the next, and
inside the first three groups the reason that stands first is given. Fields are judged in the order of the type: first
the form of each, then the rules that join them. The names are stable, and publishers may act on them.
"""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """The reason of a refusal. The order of the members is their precedence."""

    # the record, before anything in it is read
    BATCH_UNREADABLE = "batch_unreadable"
    TOO_MANY_HEADERS = "too_many_headers"
    TOO_LARGE = "too_large"
    NULL_VALUE = "null_value"
    NO_KEY = "no_key"
    # the envelope
    MISSING_ATTRIBUTE = "missing_attribute"
    BAD_ATTRIBUTE = "bad_attribute"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    WRONG_TOPIC = "wrong_topic"
    WRONG_LANE = "wrong_lane"
    TIME_IN_FUTURE = "time_in_future"
    # the form of the data
    NOT_UTF8 = "not_utf8"
    BYTE_ORDER_MARK = "byte_order_mark"
    TOO_DEEP = "too_deep"
    MALFORMED_JSON = "malformed_json"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_KIND = "wrong_kind"
    DUPLICATE_KEY = "duplicate_key"
    # what the data say
    KEY_MISMATCH = "key_mismatch"
    BAD_CODE = "bad_code"
    BAD_AMOUNT = "bad_amount"
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"
    BAD_DATE = "bad_date"
    UNKNOWN_FUND = "unknown_fund"
    IDENTITY_MISMATCH = "identity_mismatch"
    # what the books say: judged by the service, not by the codec
    NOT_YOURS_TO_SAY = "not_yours_to_say"
    UNKNOWN_PROVIDER = "unknown_provider"
    AREA_MISMATCH = "area_mismatch"
    WRONG_DAY = "wrong_day"
    CONFLICT = "conflict"
    # what a deciding service puts aside until it is retried
    HANDLER_FAILED = "handler_failed"
    KEY_WAITS = "key_waits"

    @property
    def zh(self) -> str:
        """What the reason is called in Chinese."""
        return LABELS[self][0]

    @property
    def en(self) -> str:
        """What the reason is called in English."""
        return LABELS[self][1]


class Problem(NamedTuple):
    """What is wrong: the reason, and a sentence that names the place and the rule."""

    reason: Reason
    detail: str


LABELS: dict[Reason, tuple[str, str]] = {
    Reason.BATCH_UNREADABLE: ("记录批次无法打开", "The batch of records cannot be opened"),
    Reason.TOO_MANY_HEADERS: ("消息头过多", "There are too many headers"),
    Reason.TOO_LARGE: ("记录过大", "The record is too large"),
    Reason.NULL_VALUE: ("消息体为空", "The record has no value"),
    Reason.NO_KEY: ("缺少消息键", "The record has no key"),
    Reason.MISSING_ATTRIBUTE: ("缺少事件属性", "A CloudEvents attribute is missing"),
    Reason.BAD_ATTRIBUTE: ("事件属性不合规", "A CloudEvents attribute is not valid"),
    Reason.UNKNOWN_TYPE: ("未知事件类型", "The event type is not known"),
    Reason.UNKNOWN_VERSION: ("未知事件版本", "The version of the event type is not known"),
    Reason.WRONG_TOPIC: ("主题不符", "The event type does not belong on this topic"),
    Reason.WRONG_LANE: ("分区不符", "The key does not hash to the partition it was found in"),
    Reason.TIME_IN_FUTURE: ("事件时间晚于当前时间", "The time of the event lies in the future"),
    Reason.NOT_UTF8: ("非 UTF-8 编码", "The data are not UTF-8"),
    Reason.BYTE_ORDER_MARK: ("含字节顺序标记", "The data begin with a byte order mark"),
    Reason.TOO_DEEP: ("JSON 嵌套过深", "The data are nested too deeply"),
    Reason.MALFORMED_JSON: ("JSON 格式错误", "The data are not JSON"),
    Reason.MISSING_FIELD: ("缺少字段", "A field is missing"),
    Reason.UNKNOWN_FIELD: ("未知字段", "A field is not known"),
    Reason.WRONG_KIND: ("字段类型错误", "A field holds the wrong kind of value"),
    Reason.DUPLICATE_KEY: ("JSON 键重复", "A key occurs twice in one object"),
    Reason.KEY_MISMATCH: ("消息键与内容不符", "The key is not that of the data"),
    Reason.BAD_CODE: ("编码不合规", "A code is not valid"),
    Reason.BAD_AMOUNT: ("金额不合规", "An amount is not valid"),
    Reason.AMOUNT_OUT_OF_RANGE: ("金额超出范围", "An amount is out of range"),
    Reason.BAD_DATE: ("日期不合规", "A date is not valid"),
    Reason.UNKNOWN_FUND: ("未知基金", "The fund is not known"),
    Reason.IDENTITY_MISMATCH: ("金额不平", "The amounts do not add up"),
    Reason.NOT_YOURS_TO_SAY: ("无权发布此类事件", "The source may not say this"),
    Reason.UNKNOWN_PROVIDER: ("未登记的医药机构", "The provider is not registered"),
    Reason.AREA_MISMATCH: ("统筹区不符", "The area is not that of the provider"),
    Reason.WRONG_DAY: ("日期不能开启", "The day has not begun, or a later one was opened"),
    Reason.CONFLICT: ("同一标识内容不同", "The same id was used with other content"),
    Reason.HANDLER_FAILED: ("处理失败，待重试", "It could not be decided, and waits"),
    Reason.KEY_WAITS: ("同一机构的前一事件待重试", "It waits for an earlier event of its key"),
}


DETAIL_MAX = 500


def quoted(value: object) -> str:
    """A piece of input as it may stand in a message: short, and with nothing in it that a reader cannot see."""
    return _cut(repr(value[:64]) if isinstance(value, str | bytes) else str(value), 90)


def legible(text: str) -> str:
    """A message that quotes input, made fit to be shown: the same two promises for a whole sentence."""
    return _cut("".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:200]), 300)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
