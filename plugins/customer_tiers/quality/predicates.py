"""The SQL predicate of the rows that break a rule: GX only counts them, we must find them.

Each predicate is written over the table under the name `subselect`, which is the name GX itself
gives the checked table in its queries. GX does not judge an empty cell except where the rule is
about emptiness, and neither do these. `quarantine.move_bad_rows` compares the two counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import sql

from customer_tiers.quality.rules import NOT_ROW_WISE, QUERY_TYPE, ROW_QUERY, Rule

FORBIDDEN = ("mostly", "row_condition", "condition_parser", "ignore_row_if")
"""Arguments that change which rows count; the predicates know none of them."""

Kwargs = dict[str, Any]


def can_find_rows(rule: Rule) -> str | None:
    """Say why the rows that break the rule cannot be found, or None if they can."""
    if rule.type == QUERY_TYPE:
        query = rule.query or ""
        is_row_wise = ROW_QUERY.match(query) and not NOT_ROW_WISE.search(query)
        if is_row_wise and query.count("{batch}") == 1:
            return None
        return "its query must have the form `select 1 from {batch} where <the row is bad>`"
    if rule.type not in PREDICATES:
        return f"there is no SQL that finds the rows of {rule.type}"
    if rule.type == "expect_column_pair_values_a_to_be_greater_than_b":
        if rule.kwargs.get("ignore_row_if") != "either_value_is_missing":
            return "it needs `ignore_row_if: either_value_is_missing`"
        forbidden = [name for name in FORBIDDEN if name != "ignore_row_if"]
    else:
        forbidden = list(FORBIDDEN)
    for name in forbidden:
        if name in rule.kwargs:
            return f"`{name}` cannot be used with it"
    return None


def bad_rows(rule: Rule, table: sql.Composable) -> sql.Composable:
    """Return the condition that holds for the rows of `table as subselect` that break the rule.

    Args:
        rule: A rule with its parameters filled in.
        table: The checked table; uniqueness looks at it a second time.
    """
    if rule.type == QUERY_TYPE:
        match = ROW_QUERY.match(rule.query or "")
        if match is None:
            raise ValueError(f"{rule.name}: not a query of rows")
        # GX passes a query through str.format, so braces in it are doubled.
        text = match["bad"].replace("{{", "{").replace("}}", "}")
        return sql.SQL("({})").format(sql.SQL(text))  # type: ignore[arg-type]
    return PREDICATES[rule.type](rule.kwargs, table)


def _column(name: str) -> sql.Composable:
    return sql.Identifier("subselect", name)


def _is_null(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("{} is null").format(_column(kwargs["column"]))


def _within(value: sql.Composable, kwargs: Kwargs) -> sql.Composable:
    """Whether the value lies in min_value..max_value, either of which may be open."""
    parts = []
    for bound, strict, sign in (("min_value", "strict_min", ">"), ("max_value", "strict_max", "<")):
        if kwargs.get(bound) is not None:
            operator = sign if kwargs.get(strict) else sign + "="
            parts.append(
                sql.SQL("{} {} {}").format(value, sql.SQL(operator), sql.Literal(kwargs[bound]))  # type: ignore[arg-type]
            )
    return sql.SQL(" and ").join(parts)


def _not_between(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("not ({})").format(_within(_column(kwargs["column"]), kwargs))


def _bad_length(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    length = sql.SQL("length({})").format(_column(kwargs["column"]))
    return sql.SQL("not ({})").format(_within(length, kwargs))


def _not_in_set(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("{} not in ({})").format(_column(kwargs["column"]), _literals(kwargs))


def _in_set(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("{} in ({})").format(_column(kwargs["column"]), _literals(kwargs))


def _literals(kwargs: Kwargs) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Literal, kwargs["value_set"]))


def _no_match(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("{} !~ {}").format(_column(kwargs["column"]), sql.Literal(kwargs["regex"]))


def _forbidden_match(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return sql.SQL("{} ~ {}").format(_column(kwargs["column"]), sql.Literal(kwargs["regex"]))


def _not_unique(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    return repeated(kwargs.get("column_list") or [kwargs["column"]], table)


def _not_greater(kwargs: Kwargs, table: sql.Composable) -> sql.Composable:
    operator = sql.SQL(">=") if kwargs.get("or_equal") else sql.SQL(">")
    return sql.SQL("not ({} {} {})").format(
        _column(kwargs["column_A"]), operator, _column(kwargs["column_B"])
    )


def repeated(columns: list[str] | tuple[str, ...], table: sql.Composable) -> sql.Composable:
    """Return the condition that another row has the same values; a row with a null has none."""
    return sql.SQL(
        "({ours}) in (select {names} from {table} group by {names} having count(*) > 1)"
    ).format(
        ours=sql.SQL(", ").join(_column(name) for name in columns),
        names=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        table=table,
    )


PREDICATES: dict[str, Callable[[Kwargs, sql.Composable], sql.Composable]] = {
    "expect_column_values_to_not_be_null": _is_null,
    "expect_column_values_to_be_between": _not_between,
    "expect_column_value_lengths_to_be_between": _bad_length,
    "expect_column_values_to_be_in_set": _not_in_set,
    "expect_column_values_to_not_be_in_set": _in_set,
    "expect_column_values_to_match_regex": _no_match,
    "expect_column_values_to_not_match_regex": _forbidden_match,
    "expect_column_values_to_be_unique": _not_unique,
    "expect_compound_columns_to_be_unique": _not_unique,
    "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
}
"""Expectation type -> predicate of the rows that break it."""
