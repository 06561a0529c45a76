"""The page of an API says what each route takes and answers, field by field, with an example of both."""

from pathlib import Path

import pytest

from medfund.http import docs, terms, tokens
from tests.unit.test_codes_asked import app_of

TAKEN_AS_FILES = ("text/html", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@pytest.mark.parametrize("service", ["ledger", "clearing", "direct_pay"])
def test_every_route_shows_an_example_of_what_it_takes_and_answers(service: str, tmp_path: Path) -> None:
    openapi = app_of(service, tokens.make_keys(tmp_path)).openapi()
    schemas = openapi["components"]["schemas"]
    lacking = []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
            for body in [*answers, *filter(None, [operation.get("requestBody")])]:
                for media, content in body["content"].items():
                    if media not in TAKEN_AS_FILES and not docs.examples(content, schemas):
                        lacking.append((method, path, media))
    assert lacking == []


@pytest.mark.parametrize("service", ["ledger", "clearing", "direct_pay"])
def test_every_route_and_field_is_called_something_in_chinese(service: str, tmp_path: Path) -> None:
    openapi = app_of(service, tokens.make_keys(tmp_path)).openapi()
    schemas = openapi["components"]["schemas"]
    operations = [operation for methods in openapi["paths"].values() for operation in methods.values()]
    assert {one["operationId"] for one in operations} <= terms.ROUTES.keys()
    fields = {parameter["name"] for one in operations for parameter in one.get("parameters", ())}
    for one in operations:
        taken = [one["requestBody"]] if "requestBody" in one and one["operationId"] != "publish" else []
        for body in [*taken, *(answer for status, answer in one["responses"].items() if status.startswith("2"))]:
            for content in body["content"].values():
                schema = content.get("schema", {})
                known = {**schemas, **schema.get("$defs", {})}
                fields |= {docs.name_of(field[0]) for field in docs._fields("", schema, known, depth=9)}
    assert len(fields) > 100
    assert fields - terms.FIELDS.keys() == set()


def test_of_a_body_of_many_kinds_the_name_that_tells_them_apart_is_told() -> None:
    kinds = {"purchase.made.v1": "#/components/schemas/Made", "purchase.ended.v1": "#/components/schemas/Ended"}
    schema = {"oneOf": [{"$ref": one} for one in kinds.values()],
              "discriminator": {"propertyName": "type", "mapping": kinds}}  # fmt: skip
    [(name, told, _, must)] = docs._fields("", {"$ref": "#/components/schemas/Event"}, {"Event": schema}, depth=4)
    assert (name, told["enum"], must) == ("type", ["purchase.ended.v1", "purchase.made.v1"], True)


def test_a_body_is_told_field_by_field_with_what_is_allowed(tmp_path: Path) -> None:
    page = docs.page(app_of("clearing", tokens.make_keys(tmp_path)).openapi())
    hold = page[page.index('<h2 id="hold">') :]
    hold = hold[: hold.index("<h2", 10)]
    for told in (
        "请求体 Body",
        "<code>held_from</code>",
        "必填 required",
        "The case that it is for",
        "case-2026-0042",
        "暂缓起始日",
        "暂缓支付",
    ):
        assert told in hold
    statement = page[page.index('<h2 id="statement">') :]
    statement = statement[: statement.index("<h2", 10)]
    for told in ("sections[].lines[].amounts[].fund", "APPROVED, NET, USE, AT_ONCE", "json, xlsx, html"):
        assert told in statement
