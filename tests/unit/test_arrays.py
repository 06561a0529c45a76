"""Arrays as texts hold what they are made of, whatever characters it has."""

from datetime import date

from medfund.postgres.arrays import array, columns


def test_values_are_written_as_postgres_reads_them() -> None:
    assert array(["a", "", "null", 'q"', "b\\"]) == '{"a","","null","q\\"","b\\\\"}'
    assert array([1, -2]) == "{1,-2}"
    assert array([None, date(2026, 1, 2)]) == "{null,2026-01-02}"
    assert columns([("a", 1), ("b", 2)]) == ['{"a","b"}', "{1,2}"]
