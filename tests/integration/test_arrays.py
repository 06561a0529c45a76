"""Arrays as texts: Postgres reads back what was written, whatever characters it has."""

from datetime import date

import pytest

from medfund.postgres import connect
from medfund.postgres.arrays import array
from tests.conftest import Database

TEXTS = ["", "null", "NULL", "a b", 'q"', "b\\", "{1,2}", ",", "医保", "\n", "it's", '\\"']


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("text", TEXTS),
        ("text", [None, "x"]),
        ("bigint", [1, -2, 9_999_999_999_999_999]),
        ("date", [None, date(2026, 2, 28)]),
    ],
)
async def test_an_array_comes_back_as_it_was(database: Database, type: str, values: list[object]) -> None:
    async with connect.connection(database.admin) as connection:
        assert await connection.fetchval(f"select $1::text::{type} []", array(values)) == values
