"""What is wrong with a value is said in the product's words, in both languages, and never with the value."""

import re
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from medfund.http import problems, questions, tokens, wording
from tests.unit.test_codes_asked import app_of


class Question(BaseModel):
    model_config = {"extra": "forbid"}

    limit: questions.Limit = 1
    day: questions.Day = date(2026, 2, 28)
    fund: questions.Fund = "310100"
    provider: questions.Party = "H15250200017"
    format: Literal["json", "csv"] = "json"
    amounts: Annotated[dict[str, questions.Yuan], Field(min_length=1)] = {"310100": "1.00"}
    text: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    wanted: bool = True


DAY = "It has to be a day that there is, as 2026-02-28", "应为真实存在的日期，如 2026-02-28"
PARTY = "It has to be a provider code, H or P and 11 digits", "应为定点机构编码：H 或 P 加 11 位数字"
YUAN = "It has to be yuan with exactly two decimals, as 6852.80", "应为以元为单位、两位小数的金额，如 6852.80"
SAID = [
    ({"limit": 4711}, "limit", "It has to be 1000 or less", "不得大于 1000"),
    ({"limit": 0}, "limit", "It has to be 1 or more", "不得小于 1"),
    ({"limit": "4711x"}, "limit", "It has to be a whole number", "应为整数"),
    ({"day": "2026-02-30"}, "day", *DAY),
    ({"day": "1999-12-31"}, "day", "It has to be 2000-01-01 or more", "不得小于 2000-01-01"),
    ({"fund": "471100"}, "fund", "no fund has this code", "没有这个基金编码"),
    ({"provider": "X4711"}, "provider", *PARTY),
    ({"format": "4711"}, "format", "It has to be one of 'json' or 'csv'", "只能是 'json' 或 'csv' 之一"),
    ({"amounts": {}}, "amounts", "There have to be 1 at least", "至少 1 项"),
    ({"amounts": {"310100": "4711"}}, "amounts.310100", *YUAN),
    ({"text": "4711"}, "text", "It may be 3 characters at most", "最多 3 个字符"),
    ({"text": "4"}, "text", "It has to be 2 characters at least", "至少 2 个字符"),
    ({"wanted": "4711"}, "wanted", "It has to be true or false", "应为 true 或 false"),
    ({"patient": "4711"}, "patient", "There is no such field here", "此处没有这个字段"),
]


@pytest.mark.parametrize(("given", "at", "en", "zh"), SAID, ids=lambda value: str(value)[:24])
def test_it_is_said_where_and_what_in_both_languages(given: dict[str, Any], at: str, en: str, zh: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Question.model_validate(given)
    [told] = problems.places(refused.value.errors(include_url=False, include_input=False))
    assert (told["at"], told["message"], told["message_zh"]) == (at, en, zh)
    assert "4711" not in "".join(told.values())


@pytest.mark.parametrize("service", ["ledger", "clearing"])
def test_every_form_that_a_question_has_is_said_in_words(service: str, tmp_path: Path) -> None:
    openapi = app_of(service, tokens.make_keys(tmp_path)).openapi()
    operations = [operation for methods in openapi["paths"].values() for operation in methods.values()]
    asked = [parts.get(name) for parts in operations for name in ("parameters", "requestBody")]
    forms = {form for form in patterns(asked) if not form.startswith("^(withdraw|")}
    assert len(forms) >= 8
    assert forms <= wording.FORMS.keys()


def patterns(part: Any) -> Iterator[str]:
    """The id of a command names the kinds of commands: it says enough as it is."""
    if isinstance(part, dict):
        if isinstance(form := part.get("pattern"), str):
            yield form
        yield from patterns(list(part.values()))
    elif isinstance(part, list):
        for one in part:
            yield from patterns(one)


class Kind(Enum):
    ONE = "one"


WRONG = (
    (int, "x"), (int, 1.5), (bool, "x"), (date, "x"), (date, "2026-02-28T01:00:00"), (str, 1), (list[int], 1),
    (dict[str, int], 1), (Question, 1), (Literal["a"], "b"), (Kind, "two"), (Annotated[int, Field(gt=3)], 3),
    (Annotated[int, Field(lt=3)], 3), (Annotated[list[int], Field(max_length=1)], [1, 2]),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), WRONG, ids=str)
def test_every_rule_of_what_we_take_has_words(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    for error in refused.value.errors():
        said = wording.of(error)
        assert said != wording.UNSAID, error["type"]
        assert re.search(r"[\u4e00-\u9fff]", said.zh)
