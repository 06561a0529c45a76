"""Numbers of invoices as the country writes them, in their one form: 20 digits (fully digital), or code-number.

Pure. What stays true: no digit is guessed. What may be two invoices, or lacks one digit, is no invoice; a zero that a
spreadsheet has eaten is put back only where somebody says how wide the number is. Source: domain.md R3.4.
"""

import re
import unicodedata

CODE_DIGITS = (10, 12)
NUMBER_DIGITS = 8
DIGITAL_DIGITS = 20
_NONE = frozenset({"", "-", "--", "—", "——", "/", "无"})
"""How exports say that an invoice has no code: a fully digital one."""
_GAPS = re.compile(r"[\s-]+")
_DIGITS = re.compile(r"[0-9]+").fullmatch
_BLUE = re.compile(
    r"被红冲蓝字数电(?:发)?票号码:?([0-9]{20})(?![0-9])"
    r"|对应正数发票代码:?([0-9]{12}|[0-9]{10})号码:?([0-9]{8})(?![0-9])"
)


class NotAnInvoice(ValueError):
    """A text that is not the number of one invoice, and why, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


def canonical(code: str, number: str, *, code_digits: int = 0, number_digits: int = 0) -> str:
    """The one form of a code and a number, or of a number alone, in any width of characters and with any blanks.

    Raises `NotAnInvoice`. With `code_digits` or `number_digits` the zeros that are missing in front are put back.
    """
    parts = [part for part in _GAPS.split(plain(number)) if part]
    code = "" if (bare := plain(code)) in _NONE else _GAPS.sub("", bare)
    if not code and [*map(len, parts)] in ([10, NUMBER_DIGITS], [12, NUMBER_DIGITS]):
        code, number = _apart(*parts)
    else:
        number = "".join(parts)
    if not _DIGITS(number) or (code and not _DIGITS(code)):
        raise NotAnInvoice("应全为数字", "not digits alone")
    if not code:
        return _digital(number)
    code, number = code.zfill(code_digits), number.zfill(number_digits)
    if len(code) not in CODE_DIGITS or len(number) != NUMBER_DIGITS:
        raise NotAnInvoice(
            f"代码 {len(code)} 位、号码 {len(number)} 位，应为 10 或 12 位与 8 位",
            f"a code of {len(code)} and a number of {len(number)} digits; they have 10 or 12, and 8",
        )
    return f"{code}-{number}"


def _apart(code: str, number: str) -> tuple[str, str]:
    if len(code) == 12 and code[0] not in "01":
        raise NotAnInvoice(
            "可能是 20 位数电票号码，也可能是代码加号码，请分列填写",
            "20 digits with a gap may be one number, or a code and a number: give them columns of their own",
        )
    return code, number


def _digital(number: str) -> str:
    if len(number) == NUMBER_DIGITS:
        raise NotAnInvoice("8 位号码缺少发票代码", "a number of 8 digits needs its code")
    if len(number) != DIGITAL_DIGITS:
        raise NotAnInvoice(
            f"{len(number)} 位，数电票号码为 20 位", f"{len(number)} digits; a fully digital number has 20"
        )
    return number


def blue_of(remark: str) -> str:
    """The invoice that a red letter takes back, as its remark says it by law. Raises `NotAnInvoice`."""
    text = "".join(plain(remark).split())
    found = {digital or f"{code}-{number}" for digital, code, number in _BLUE.findall(text)}
    if len(found) != 1:
        raise NotAnInvoice(
            "备注中应有且仅有一张被红冲的蓝字发票",
            f"the remark names {len(found)} blue invoices, it has to name one",
        )
    return found.pop()


def key(invoice: str) -> str:
    """By which two are one and the same, in the whole country: a code's leading zeros say nothing, nor does the dash
    after it. What is fully digital begins with its year, and none is older than 2020."""
    if "-" not in invoice and invoice >= "2":
        return invoice
    digits = invoice.replace("-", "")
    return f"{digits[:-8].lstrip('0')}-{digits[-8:]}"


def plain(text: str) -> str:
    """A text in narrow characters, without blanks around it."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()
