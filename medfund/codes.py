"""National codes: how they are written, which are known, and what they are called in Chinese and English.

What stays true: a code that passes here is safe as a key, in a URL and in a file name (ASCII letters and digits only).
Dictionaries that differ by area (`clr_type`, `med_type`, `clr_way`) are opaque: their form is checked, their labels are
a help for readers. Rules: domain.md R7.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

PROVIDER_PATTERN = r"^[HP][0-9]{11}$"
AREA_PATTERN = r"^[0-9]{6}$"
USCC_PATTERN = r"^[0-9A-HJ-NP-RTUWXY]{18}$"
PRODUCT_PATTERN = r"^([0-9A-Z]{20}|[0-9A-Z]{23})$"
INVOICE_PATTERN = r"^([0-9]{20}|([0-9]{10}|[0-9]{12})-[0-9]{8})$"
OPAQUE_PATTERN = r"^[0-9A-Za-z]{1,12}$"
REF_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._:/-]{0,63}$"
"""What one organisation calls a thing, or a person of its staff."""

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: no I, O, S, V, Z."""

USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

_PROVIDER = re.compile(r"[HP][0-9]{11}").fullmatch
_AREA = re.compile(r"[0-9]{6}").fullmatch
_USCC = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}").fullmatch
_USCC_VALUES = {character: value for value, character in enumerate(USCC_ALPHABET)}


class Label(NamedTuple):
    """What a code is called."""

    zh: str
    en: str


FUNDS: Mapping[str, Label] = {
    "310100": Label("职工基本医疗保险统筹基金", "Employee insurance, pooled fund"),
    "310200": Label("职工基本医疗保险个人账户", "Employee insurance, personal accounts"),
    "320100": Label("公务员医疗补助", "Civil servant subsidy"),
    "330100": Label("大额医疗费用补助", "Large expense subsidy"),
    "340100": Label("离休人员医疗保障", "Medical care of retired cadres"),
    "350100": Label("残疾军人医疗补助", "Subsidy of disabled servicemen"),
    "370100": Label("企业补充医疗保险", "Supplementary enterprise insurance"),
    "390100": Label("城乡居民基本医疗保险基金", "Resident insurance, pooled fund"),
    "390200": Label("城乡居民大病保险", "Resident serious illness insurance"),
    "410100": Label("长期护理保险基金", "Long-term care insurance"),
    "510100": Label("生育保险基金", "Maternity insurance"),
    "610100": Label("医疗救助基金", "Medical assistance"),
    "910100": Label("其他基金", "Other"),
}
"""fund_pay_type: the funds are legally separate, and this is the dimension that keeps them so."""

INSURED_WITH: Mapping[str, tuple[str, ...]] = {
    "310100": ("310", "510"),
    "390100": ("390", "391", "399"),
    "390200": ("390", "391", "392", "399"),
}
"""Of the funds that bear more than the insurance type that they are called after: those that they bear."""

INSUTYPES: Mapping[str, Label] = {
    "310": Label("职工基本医疗保险", "Employee insurance"),
    "320": Label("公务员医疗补助", "Civil servant subsidy"),
    "330": Label("大额医疗费用补助", "Large expense subsidy"),
    "340": Label("离休人员医疗保障", "Medical care of retired cadres"),
    "350": Label("一至六级残废军人医疗补助", "Subsidy of disabled servicemen"),
    "370": Label("企业补充医疗保险", "Supplementary enterprise insurance"),
    "390": Label("城乡居民基本医疗保险", "Resident insurance"),
    "391": Label("城镇居民基本医疗保险", "Urban resident insurance"),
    "392": Label("城乡居民大病医疗保险", "Resident serious illness insurance"),
    "399": Label("其他特殊人员医疗保障", "Other insured groups"),
    "410": Label("长期照护保险", "Long-term care insurance"),
    "510": Label("生育保险", "Maternity insurance"),
}

CLR_TYPES: Mapping[str, Label] = {
    "11": Label("门诊", "Outpatient"),
    "14": Label("门诊慢特病", "Chronic outpatient"),
    "21": Label("住院", "Inpatient"),
    "41": Label("药店购药", "Pharmacy"),
    "51": Label("暂缓", "Held back"),
}

CLR_WAYS: Mapping[str, Label] = {
    "1": Label("按项目", "By item"),
    "2": Label("按单病种", "Single disease"),
    "3": Label("按分值", "By points"),
    "4": Label("按疾病诊断相关分组", "DRG"),
    "5": Label("按床日", "Per diem"),
    "6": Label("按人头", "Capitation"),
}

PROVIDER_LEVELS: Mapping[str, Label] = {
    "3": Label("三级", "Third level"),
    "2": Label("二级", "Second level"),
    "1": Label("一级", "First level"),
    "9": Label("未定级", "No level"),
}


REPEATED = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL", "RF01", "AB12", "DS15"})
"""Reasons of a bank (ISO 20022 ExternalStatusReason1Code) that speak of a second delivery: it has the message, the
batch or the payment already. They say nothing of the first one."""
_REPEATED_WORDS = ("重复", "duplicat")


def says_repeated(code: str, text: str) -> bool:
    """Whether a bank refuses something because it had the same before, by its code or in its own words."""
    said = f"{code} {text}".casefold()
    return code.upper() in REPEATED or any(word in said for word in _REPEATED_WORDS)


def is_provider(code: str) -> bool:
    """A designated hospital (H) or pharmacy (P): letter, six digits of area, five of sequence."""
    return _PROVIDER(code) is not None


def provider_kind(code: str) -> Literal["hospital", "pharmacy"]:
    """What the first letter of a provider code says."""
    return "hospital" if code.startswith("H") else "pharmacy"


def is_area(code: str) -> bool:
    """A medical-insurance area (admvs): six digits."""
    return _AREA(code) is not None


def is_borne(insutype: str, fund: str) -> bool:
    """Whether a fund bears what is insured as a type."""
    return insutype in INSURED_WITH.get(fund, (fund[:3],))


@lru_cache(maxsize=4096)
def is_uscc(code: str) -> bool:
    """A unified social credit code whose check character is right (GB 32100)."""
    return _USCC(code) is not None and code[17] == uscc_check(code[:17])


def is_payee(code: str) -> bool:
    """Who has a bank account that is paid to: a provider, or a supplier by its social credit code."""
    return is_provider(code) or is_uscc(code)


def uscc_check(body: str) -> str:
    """The check character of the first 17 characters of a unified social credit code."""
    total = sum(_USCC_VALUES[character] * weight for character, weight in zip(body, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def label(table: Mapping[str, Label], code: str) -> Label:
    """The label of a code, or the code itself where the table does not know it."""
    return table.get(code, Label(code, code))
