"""A number whose sign stands behind it, or is a bracket, is refused with SQL that reads it."""

from __future__ import annotations

import duckdb
import pytest

from customer_tiers.sources.judgement import SIGN, signed


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("500,00-", ",", "-500.00"),
        ("(1.200,00)", ",", "-1200.00"),
        ("5-", ",", "-5"),
        ("1.200,50", ",", "1200.50"),
        ("-7,5", ",", "-7.5"),
        ("1,200.00 -", ".", "-1200.00"),
        ("(5)", ".", "-5"),
        ("EUR 12.5", ".", "12.5"),
    ],
)
def test_the_advised_sql_reads_a_sign_anywhere(text, decimal, value):
    with duckdb.connect() as connection:
        statement = f"select {signed(decimal)} from (select ? as x)"
        assert connection.execute(statement, [text]).fetchall() == [(value,)]
    assert bool(SIGN.search(text)) == text.endswith(("-", ")"))
