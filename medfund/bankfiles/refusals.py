"""Why a bank file is not taken: a closed list, each with a sentence that a person at the fund can act on.

What stays true: whatever bytes a reader is given, it answers with a message or with `BadFile`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum


class Code(StrEnum):
    """In the order in which a file is looked at."""

    NOT_A_FILE = "NOT_A_FILE"
    TOO_LARGE = "TOO_LARGE"
    WRONG_ENCODING = "WRONG_ENCODING"
    NOT_XML = "NOT_XML"
    DOCTYPE = "DOCTYPE"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    TRUNCATED = "TRUNCATED"
    SCHEMA = "SCHEMA"
    INCOMPLETE = "INCOMPLETE"
    UNSUPPORTED = "UNSUPPORTED"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    BAD_AMOUNT = "BAD_AMOUNT"
    BAD_DATE = "BAD_DATE"
    BAD_TEXT = "BAD_TEXT"
    BAD_ACCOUNT = "BAD_ACCOUNT"
    UNSAFE_TEXT = "UNSAFE_TEXT"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    REPEATED = "REPEATED"
    CONTRADICTION = "CONTRADICTION"
    WRONG_COUNT = "WRONG_COUNT"
    WRONG_SUM = "WRONG_SUM"
    WRONG_ACCOUNT = "WRONG_ACCOUNT"
    UNREADABLE = "UNREADABLE"
    NOT_ACCEPTED = "NOT_ACCEPTED"


MEANINGS: Mapping[str, tuple[str, str]] = {
    Code.NOT_A_FILE: ("不是普通文件", "a link, a folder or a pipe where a file should be"),
    Code.TOO_LARGE: ("文件过大", "more bytes, or a longer text, than any bank file has"),
    Code.WRONG_ENCODING: ("字符编码不符合约定", "not in the encoding that was agreed"),
    Code.NOT_XML: ("不是格式正确的XML文件", "not well-formed XML"),
    Code.DOCTYPE: ("含有文档类型声明", "a document type declaration, which may hide anything"),
    Code.UNKNOWN_MESSAGE: ("报文种类或版本不符", "another kind of message, or another version, than is read here"),
    Code.TRUNCATED: ("文件不完整", "the file ends before its content does"),
    Code.SCHEMA: ("不符合标准格式", "not as the official schema, or the bank's template, wants it"),
    Code.INCOMPLETE: ("缺少必要内容", "something is missing that is needed here"),
    Code.UNSUPPORTED: ("含有无法处理的内容", "the standard allows it, and here it would be read wrongly"),
    Code.WRONG_CURRENCY: ("币种不是人民币", "not in yuan"),
    Code.BAD_AMOUNT: ("金额错误", "not an amount that can be paid"),
    Code.BAD_DATE: ("日期错误", "not a day or a time"),
    Code.BAD_TEXT: ("文字为空、过长或含控制字符", "a text is empty, too long, or has control characters"),
    Code.BAD_ACCOUNT: ("账号或行号错误", "not an account number or a clearing code"),
    Code.UNSAFE_TEXT: ("文字可能被当作公式", "a spreadsheet would take a text for a formula"),
    Code.UNKNOWN_CODE: ("代码未约定", "a code whose meaning was not agreed"),
    Code.REPEATED: ("编号重复", "one identification twice in the same file"),
    Code.CONTRADICTION: ("内容互相矛盾", "two places of the file say different things"),
    Code.WRONG_COUNT: ("笔数不符", "the count is not that of what is there"),
    Code.WRONG_SUM: ("金额合计不符", "the sum is not that of what is there"),
    Code.WRONG_ACCOUNT: ("账户未在登记簿中", "of an account that the register does not have"),
    Code.UNREADABLE: (
        "读取时进程异常终止",
        "reading it took too long, or too much memory, or ended its reader",
    ),
    Code.NOT_ACCEPTED: (
        "账务未予接受",
        "the books do not take something that it says; what else it says counts, once however often it comes",
    ),
}


def reason_text(*, name: str, code: str, detail: str) -> str:
    """What lies beside a refused file, for whoever has to call the bank."""
    chinese, english = MEANINGS.get(code, (code, code))
    return f"""文件: {name}
原因: {chinese} ({code})
明细: {detail}

File: {name}
Reason: {english} ({code})
Detail: {detail}
"""


class BadFile(ValueError):
    """The file, or what is to be written into one, is refused. Nothing of it was used."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def at(self, where: str) -> "BadFile":
        """The same, and where it was: "entry 17: ..."."""
        return BadFile(self.code, f"{where}: {self.detail}")

    def __reduce__(self) -> tuple[type["BadFile"], tuple[Code, str]]:
        return (type(self), (self.code, self.detail))


@contextmanager
def place(where: str) -> Iterator[None]:
    """A refusal inside says where it was."""
    try:
        yield
    except BadFile as refused:
        raise refused.at(where) from None
