"""How the fields of events are written: one alias per idea, with its form for the schema and its test for the codec.

What stays true: the alias is the only place that knows the form, so the JSON Schema and the codec cannot disagree. The
JSON decoder itself only sees plain `str`, `int` and `date` (a pattern on a field costs it more than all the rest), and
`checker` tests the forms afterwards.
"""

import datetime
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from medfund import codes, money
from medfund.events.refusals import Problem, Reason, quoted

FIRST_DAY = datetime.date(2000, 1, 1)
LAST_DAY = datetime.date(2099, 12, 31)
COUNT_MAX = 10**15
QUANTITY_MAX = 10**9
TEXT_MAX = 500
WORDS_MAX = 64

Fault: TypeAlias = tuple[Reason, str]


class Form(NamedTuple):
    """The test of one value: None, or the reason and what is wrong with it."""

    test: Callable[[Any], Fault | None]
    pass_all: Callable[[list[Any]], object] | None = None
    """Whether many values surely pass: where it says no, each is tested by itself."""


Kind: TypeAlias = Literal["provider", "payable", "payment", "suspense"]


class Names(NamedTuple):
    """A field with the name of a thing of this kind: whoever keeps such things finds what an event is about by it."""

    kind: Kind


def _must(reason: Reason, holds: Callable[[Any], object], what: str) -> Form:
    return Form(lambda value: None if holds(value) else (reason, f"{quoted(value)} is not {what}"))


def _between(reason: Reason, least: Any, most: Any, what: str) -> Form:
    form = _must(reason, lambda value: least <= value <= most, what)
    return form._replace(pass_all=lambda values: not values or (least <= min(values) and max(values) <= most))


def _unshown(holds: Callable[[str], object], what: str) -> Form:
    """For texts that a publisher's mistake could fill with a name or a personal id: a refusal does not repeat them."""
    return Form(lambda text: None if holds(text) else (Reason.BAD_CODE, f"{len(text)} characters that are not {what}"))


def _written(pattern: str, what: str, *, shown: bool = True) -> tuple[Meta, Form]:
    # fullmatch, since ^…$ lets a trailing newline pass
    matches = re.compile(pattern.removeprefix("^").removesuffix("$")).fullmatch
    form = _must(Reason.BAD_CODE, matches, what) if shown else _unshown(matches, what)
    lines = re.compile(f"(?:(?:{pattern.removeprefix('^').removesuffix('$')})\n)*").fullmatch
    return Meta(extra_json_schema={"pattern": pattern}), form._replace(pass_all=lambda texts: _lines_pass(lines, texts))


def _lines_pass(matches: Callable[[str], object], texts: list[str]) -> bool:
    """One look at all of them, a line each."""
    text = "".join([f"{text}\n" for text in texts])
    return text.count("\n") == len(texts) and matches(text) is not None


def _listed(reason: Reason, table: Mapping[str, codes.Label], what: str) -> tuple[Meta, Form]:
    return Meta(extra_json_schema={"enum": sorted(table)}), _must(reason, table.__contains__, what)


def _amount(text: str) -> Fault | None:
    try:
        money.fen(text)
    except money.BadAmount as fault:
        return Reason.BAD_AMOUNT, str(fault)
    except money.AmountOutOfRange as fault:
        return Reason.AMOUNT_OUT_OF_RANGE, str(fault)
    return None


def _amounts(texts: list[str]) -> bool:
    try:
        money.fens(texts)
    except ValueError:
        return False
    return True


def _text(value: str) -> bool:
    return 0 < len(value) <= TEXT_MAX and value.isprintable()


def _words(value: str) -> bool:
    return 0 < len(value) <= WORDS_MAX and value.isprintable()


_AMOUNT = Meta(
    description="Yuan with exactly two decimals",
    extra_json_schema={"pattern": money.AMOUNT_PATTERN, "not": {"const": "-0.00"}},
)
_DAY = Meta(description="Calendar day in Asia/Shanghai, 2000 to 2099")
_YEAR = Meta(extra_json_schema={"minimum": FIRST_DAY.year, "maximum": LAST_DAY.year})
_COUNT = Meta(extra_json_schema={"minimum": 0, "maximum": COUNT_MAX})
_TEXT = Meta(extra_json_schema={"minLength": 1, "maxLength": TEXT_MAX})
_WORDS = Meta(extra_json_schema={"minLength": 1, "maxLength": WORDS_MAX})

_PROVIDER_META, _PROVIDER = _written(codes.PROVIDER_PATTERN, "a provider code, H or P and 11 digits")
_AREA_META, _AREA = _written(codes.AREA_PATTERN, "an area code of 6 digits")
_OPAQUE_META, _OPAQUE = _written(codes.OPAQUE_PATTERN, "a code of 1 to 12 letters and digits")
_LAST4_META, _LAST4 = _written(r"^[0-9]{4}$", "the last 4 digits of an account", shown=False)
_HASH_META, _HASH = _written(r"^[0-9a-f]{32}$", "a keyed hash of 32 lower-case hex digits", shown=False)
_DIGEST_META, _DIGEST = _written(r"^[0-9a-f]{64}$", "a SHA-256 of 64 lower-case hex digits", shown=False)
_REF_META, _REF = _written(codes.REF_PATTERN, "a reference of 1 to 64 letters, digits and . _ : / -", shown=False)
_SOURCE_META, _SOURCE = _written(r"^[!-~]{1,256}$", "a source of 1 to 256 visible ASCII characters")
_RATIO_META, _RATIO = _written(r"^(0|0\.[0-9]{0,5}[1-9]|1)$", "a ratio from 0 to 1 with at most 6 decimals")
_PRODUCT_META, _PRODUCT = _written(codes.PRODUCT_PATTERN, "a national product code of 20 or 23 letters and digits")
_PRICE_META, _PRICE = _written(money.PRICE_PATTERN, "a price in yuan with 2 to 6 decimals")
_INVOICE_META, _INVOICE = _written(codes.INVOICE_PATTERN, "an invoice: 20 digits, or a code of 10 or 12 and - and 8")
_STATEMENT_META, _STATEMENT = _written(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,23}$", "a name of 1 to 24 letters, digits, . _ -")
_USCC_META = Meta(extra_json_schema={"pattern": codes.USCC_PATTERN})
_ORGANISATION_META = Meta(
    extra_json_schema={"anyOf": [{"pattern": codes.PROVIDER_PATTERN}, {"pattern": codes.USCC_PATTERN}]}
)
_PAYEE_META = Meta(extra_json_schema={"pattern": f"{codes.PROVIDER_PATTERN}|{codes.USCC_PATTERN}"})
_FUND_META, _FUND = _listed(Reason.UNKNOWN_FUND, codes.FUNDS, "a known fund (fund_pay_type)")
_INSUTYPE_META, _INSUTYPE = _listed(Reason.BAD_CODE, codes.INSUTYPES, "a known insurance type (insutype)")
_CLR_WAY_META, _CLR_WAY = _listed(Reason.BAD_CODE, codes.CLR_WAYS, "a clearing method (clr_way), 1 to 6")
_LEVEL_META, _LEVEL = _listed(Reason.BAD_CODE, codes.PROVIDER_LEVELS, "a provider level: 3, 2, 1 or 9")

Amount = Annotated[str, _AMOUNT, Form(_amount, _amounts)]
Fund = Annotated[str, _FUND_META, _FUND]
Amounts = dict[Fund, Amount]
Day = Annotated[datetime.date, _DAY, _between(Reason.BAD_DATE, FIRST_DAY, LAST_DAY, "a day in 2000 to 2099")]
Year = Annotated[int, _YEAR, _between(Reason.BAD_DATE, 2000, 2099, "a year in 2000 to 2099")]
Count = Annotated[int, _COUNT, _between(Reason.AMOUNT_OUT_OF_RANGE, 0, COUNT_MAX, "a number in 0 to 10^15")]
Provider = Annotated[str, _PROVIDER_META, _PROVIDER, Names("provider")]
Area = Annotated[str, _AREA_META, _AREA]
Uscc = Annotated[
    str, _USCC_META, _must(Reason.BAD_CODE, codes.is_uscc, "a unified social credit code with a right check character")
]
_ORGANISATION = _must(Reason.BAD_CODE, codes.is_payee, "a provider code or a unified social credit code")
Payee = Annotated[str, _PAYEE_META, _ORGANISATION]
Organisation = Annotated[str, _ORGANISATION_META, _ORGANISATION]
Insutype = Annotated[str, _INSUTYPE_META, _INSUTYPE]
ClrType = Annotated[str, _OPAQUE_META, _OPAQUE]
ClrWay = Annotated[str, _CLR_WAY_META, _CLR_WAY]
MedType = Annotated[str, _OPAQUE_META, _OPAQUE]
Level = Annotated[str, _LEVEL_META, _LEVEL]
HashRef = Annotated[str, _HASH_META, _HASH]
Last4 = Annotated[str, _LAST4_META, _LAST4]
Digest = Annotated[str, _DIGEST_META, _DIGEST]
Ref = Annotated[str, _REF_META, _REF]
PayableRef = Annotated[str, _REF_META, _REF, Names("payable")]
"""What a provider is paid for: a batch, the case of a recovery, a prepayment, what the books began with."""
PaymentRef = Annotated[str, _REF_META, _REF, Names("payment")]
SuspenseRef = Annotated[str, _REF_META, _REF, Names("suspense")]
Product = Annotated[str, _PRODUCT_META, _PRODUCT]
Price = Annotated[str, _PRICE_META, _PRICE]
"""Yuan for one unit, exact; an amount of money is rounded, a price is not."""
Quantity = Annotated[
    int, Meta(extra_json_schema={"minimum": 1, "maximum": QUANTITY_MAX}),
    _between(Reason.AMOUNT_OUT_OF_RANGE, 1, QUANTITY_MAX, "a number in 1 to 10^9"),
]  # fmt: skip
"""Of the unit that a price is for."""
Some = Annotated[
    int, Meta(extra_json_schema={"minimum": 0, "maximum": QUANTITY_MAX}),
    _between(Reason.AMOUNT_OUT_OF_RANGE, 0, QUANTITY_MAX, "a number in 0 to 10^9"),
]  # fmt: skip
"""A quantity that may be none."""
Invoice = Annotated[str, _INVOICE_META, _INVOICE]
"""In its one form: 20 digits (fully digital), or code-number. No blank in it, no zero less or more."""
StatementRef = Annotated[str, _STATEMENT_META, _STATEMENT]
"""A supplier's own name for a statement to one hospital; short, so that what is paid of it has a name made of it."""
Ratio = Annotated[str, _RATIO_META, _RATIO]
Source = Annotated[str, _SOURCE_META, _SOURCE]
Text = Annotated[str, _TEXT, _unshown(_text, "a text of 1 to 500 printable ones")]
Words = Annotated[str, _WORDS, _unshown(_words, f"{WORDS_MAX} printable characters at most")]
"""What somebody outside calls something by, the bank for example: a text, of any characters that can be printed."""

Test: TypeAlias = Callable[[Any, str], Problem | None]
KeyCount: TypeAlias = Callable[[Any], int]
Column: TypeAlias = Callable[[list[Any]], object]


def checker(struct: type[msgspec.Struct]) -> Test:
    """The test of every form in a struct: its first problem with the path to it, or None."""
    tests = [(name, test) for name, hint in _hints(struct).items() if (test := _test_of(hint))]

    def check(value: Any, path: str) -> Problem | None:
        for name, test in tests:
            if problem := test(getattr(value, name), f"{path}.{name}"):
                return problem
        return None

    return check


def columns(struct: type[msgspec.Struct]) -> Column:
    """The test of many of a kind at once, field by field, each different value once: whether all are surely well
    written. A no says nothing: then each is tested for itself."""
    tests = [(attrgetter(name), test) for name, hint in _hints(struct).items() if (test := _column_of(hint))]
    return lambda values: all(test(list(map(get, values))) for get, test in tests)


def _column_of(hint: Any) -> Column | None:
    if get_origin(hint) is Annotated:
        forms = [extra for extra in hint.__metadata__ if isinstance(extra, Form)]
        return _all_of(forms[0]) if forms else None
    if get_origin(hint) in (Union, UnionType):
        some = _column_of(get_args(hint)[0])
        return some and (lambda values: some([value for value in values if value is not None and value is not UNSET]))
    if get_origin(hint) is list:
        each = _column_of(get_args(hint)[0])
        return each and (lambda values: each(list(chain.from_iterable(values))))
    if get_origin(hint) is dict:
        keys, items = map(_column_of, get_args(hint))
        return lambda values: (
            (keys is None or keys(list(chain.from_iterable(values))))
            and (items is None or items([item for value in values for item in value.values()]))
        )
    return columns(hint) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else None


def _all_of(form: Form) -> Column:
    test = form.test
    return form.pass_all or (lambda values: all(test(value) is None for value in set(values)))


def named(value: msgspec.Struct, kind: Kind) -> Iterable[str]:
    """What it names of a kind, wherever in it."""
    return _names_of(type(value), kind)(value)


@cache
def _names_of(struct: type[msgspec.Struct], kind: str) -> Callable[[Any], Iterable[str]]:
    found = [(name, look) for name, hint in _hints(struct).items() if (look := _names_in(hint, kind))]
    return lambda value: (ref for name, look in found for ref in look(getattr(value, name)))


def _names_in(hint: Any, kind: str) -> Callable[[Any], Iterable[str]] | None:
    if get_origin(hint) is Annotated:
        named = any(isinstance(extra, Names) and extra.kind == kind for extra in hint.__metadata__)
        return (lambda value: (value,)) if named else None
    if get_origin(hint) in (Union, UnionType):
        [*bare] = [argument for argument in get_args(hint) if argument is not NoneType]
        look = _names_in(bare[0], kind)
        return look and (lambda value: () if value is None else look(value))
    if get_origin(hint) is list:
        each = _names_in(get_args(hint)[0], kind)
        return each and (lambda values: (ref for value in values for ref in each(value)))
    return _names_of(hint, kind) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else None


def key_count(struct: type[msgspec.Struct]) -> Callable[[Any], int] | None:
    """How many keys the JSON of a value has at least: those of all fields but the ones that are as if left out. None
    for a struct with maps of structs."""
    counts, seldom, whole = [], [], 0
    for field in msgspec.structs.fields(struct):
        count = _keys_of(_hints(struct)[field.name])
        if count is None:
            return None
        if field.required:
            whole += 1
        else:
            seldom.append((attrgetter(field.name), _default(field)))
        if count is not _no_keys:
            counts.append((attrgetter(field.name), count))
    if struct.__struct_config__.array_like:
        whole, seldom = 0, []
    return _no_keys if not (whole or seldom or counts) else _counted(whole, seldom, counts)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    return field.default if made is msgspec.NODEFAULT else made()


Get: TypeAlias = Callable[[Any], Any]


def _counted(whole: int, seldom: Sequence[tuple[Get, Any]], counts: Sequence[tuple[Get, KeyCount]]) -> KeyCount:
    if not (seldom or counts):
        return lambda value: whole

    def count(value: Any) -> int:
        found = whole
        for get, default in seldom:
            if get(value) != default:
                found += 1
        for get, within in counts:
            found += within(get(value))
        return found

    return count


def _keys_of(hint: Any) -> KeyCount | None:
    """Of the value of a field."""
    bare = _bare(hint)
    if get_origin(bare) in (Union, UnionType):
        bare = _bare(get_args(bare)[0])
        within = _keys_of(bare)
        return within if within is _no_keys or within is None else _if_any(within)
    arguments = [_bare(argument) for argument in get_args(bare)]
    if bare in _PLAIN or get_origin(bare) is Literal:
        return _no_keys
    if get_origin(bare) is dict:
        return len if _keys_of(arguments[1]) is _no_keys else None
    if get_origin(bare) is list:
        within = _keys_of(arguments[0])
        return within if within is _no_keys or within is None else _in_all(within)
    return key_count(bare) if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None


def _no_keys(value: Any) -> int:
    return 0


def _if_any(within: KeyCount) -> KeyCount:
    return lambda value: 0 if value is None or value is UNSET else within(value)


def _in_all(within: KeyCount) -> KeyCount:
    return lambda values: sum(map(within, values))


def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: hints[name] for name in struct.__struct_fields__}


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


_PLAIN = (str, int, bool, datetime.date)


def _test_of(hint: Any) -> Test | None:
    if get_origin(hint) is Annotated:
        forms = [extra for extra in hint.__metadata__ if isinstance(extra, Form)]
        return _leaf(forms[0]) if forms else None
    if get_origin(hint) in (Union, UnionType):
        return _optional([argument for argument in get_args(hint) if argument not in (NoneType, UnsetType)])
    if get_origin(hint) is list:
        return _each(get_args(hint)[0])
    if get_origin(hint) is dict:
        return _entries(*get_args(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return checker(hint)
    return None


MANY = 3
"""Fewer are tested one by one."""


def _leaf(form: Form) -> Test:
    def check(value: Any, path: str) -> Problem | None:
        fault = form.test(value)
        return fault and Problem(fault[0], f"{path}: {fault[1]}")

    return check


def _optional(arguments: list[Any]) -> Test | None:
    test = _test_of(arguments[0])
    return test and (lambda value, path: None if value is None or value is UNSET else test(value, path))


def _each(item: Any) -> Test | None:
    test = _test_of(item)
    is_struct = isinstance(item, type) and issubclass(item, msgspec.Struct)
    column = columns(item) if is_struct else None

    def check(value: Any, path: str) -> Problem | None:
        if column is not None and len(value) >= MANY and column(value):
            return None
        problems = (typing.cast(Test, test)(entry, f"{path}[{i}]") for i, entry in enumerate(value))
        return next(filter(None, problems), None)

    return test and check


def _entries(key: Any, item: Any) -> Test:
    of_key, of_item = _test_of(key), _test_of(item)

    def check(value: Any, path: str) -> Problem | None:
        for name, entry in value.items():
            place = f"{path}[{quoted(name)}]"
            if problem := (of_key and of_key(name, place)) or (of_item and of_item(entry, place)):
                return problem
        return None

    return check
