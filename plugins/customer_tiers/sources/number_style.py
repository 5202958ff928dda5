"""How the delivered numbers are written: with a decimal comma or a decimal point.

Only columns that the SELECT hands on as they were delivered are judged. What the SELECT casts or
calculates is taken as it is. `1.234` and `1,234` alone say nothing: then the other numbers of the
same file decide, or `decimal` in source.yml; without either the column is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from customer_tiers.errors import UserError

AMOUNT = "decimal(18, 6)"
"""What a number is cast to: wider ones take ten times longer to add up."""

_START, _END = r"^\s*[+-]?", r"\s*$"

COMMA = (
    rf"{_START}(\d{{1,3}}(\.\d{{3}})+,\d*|\d*,(\d{{1,2}}|\d{{4,}})|\d{{4,}},\d{{3}}|0\d*,\d+"
    rf"|\d{{1,3}}(\.\d{{3}}){{2,}}){_END}"
)
"""Numbers that are only right if the comma separates the decimals: 1.234,5, 0,125, 1.234.567."""

POINT = (
    rf"{_START}(\d{{1,3}}(,\d{{3}})+\.\d*|\d*\.(\d{{1,2}}|\d{{4,}})|\d{{4,}}\.\d{{3}}|0\d*\.\d+"
    rf"|\d{{1,3}}(,\d{{3}}){{2,}}|\d+\.|\d*\.\d+[eE][+-]?\d+){_END}"
)
"""Numbers that are only right if the point separates the decimals: 1,234.5, 0.125, 1,234,567."""

EITHER = rf"{_START}[1-9]\d{{0,2}}[.,]\d{{3}}{_END}"
"""Numbers that are right both ways: 1.234 and 1,234."""

PLAIN = rf"{_START}\d*([eE][+-]?\d+)?{_END}"
"""Numbers without any separator."""

READ_AS = {"comma": "a decimal comma", "point": "a decimal point"}

STYLE_OF = {",": "comma", ".": "point"}
"""Value of `decimal` in source.yml -> style."""


@dataclass(frozen=True)
class Numbers:
    """What one pass tells of a column of numbers: which separators it holds.

    `has_three` is whether exactly three digits follow a point somewhere, `has_other` whether
    another number of them does.
    """

    has_comma: bool
    has_three: bool
    has_other: bool


@dataclass(frozen=True)
class Evidence:
    """One value of each kind in a column; None if it holds none. `odd` is of no known kind."""

    comma: str | None = None
    point: str | None = None
    either: str | None = None
    odd: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of numbers that the SELECT hands on as delivered.

    `delivered` are the (table, column)s it comes from, `given` the style that source.yml names,
    `is_mixed` whether the SELECT calculates some of its values.
    """

    name: str
    delivered: frozenset[tuple[str, str]]
    given: str | None
    is_mixed: bool
    is_integer: bool

    @property
    def tables(self) -> set[str]:
        """The tables it comes from."""
        return {table for table, _ in self.delivered}

    @property
    def sql(self) -> str:
        """One of the delivered columns, as a SELECT names it."""
        return shown(min(column for _, column in self.delivered))


@dataclass(frozen=True)
class Style:
    """How to read a column: `comma` or `point`, and whether some values are no such number."""

    name: str
    has_odd: bool


def look(column: str, *, may_hold_commas: bool) -> tuple[str, str, str]:
    """Three SQL expressions that give the fields of Numbers; none of them needs a pattern."""
    comma = f"bool_or(contains({column}, ','))" if may_hold_commas else "false"
    return (
        comma,
        f"bool_or(rtrim({column}) like '%.___')",
        f"bool_or({column} like '%.%' and rtrim({column}) not like '%.___')",
    )


def gather(column: str) -> tuple[str, str, str, str]:
    """Four SQL expressions that give the fields of Evidence."""

    def example(condition: str) -> str:
        return f"min({column}) filter (where {condition})"

    known = [f"regexp_matches({column}, '{pattern}')" for pattern in (COMMA, POINT, EITHER, PLAIN)]
    first, second, third, _ = known
    return example(first), example(second), example(third), example(f"not ({' or '.join(known)})")


def decide(
    where: str, columns: Iterable[Column], seen: dict[str, Numbers], found: dict[str, Evidence]
) -> dict[str, Style]:
    """The style of each column that is not plain.

    Args:
        where: Source and entity, for messages.
        columns: Those of numbers that are handed on.
        seen: By name, for all of them.
        found: By name, for those that `needs_evidence`.

    Raises:
        UserError: A column holds both ways, or values that could be either and nothing decides.
    """
    columns = list(columns)
    styles: dict[str, Style] = {}
    undecided: list[Column] = []
    of_table: dict[str, set[str]] = {}
    for column in columns:
        style = _own(where, column, seen[column.name], found.get(column.name, Evidence()))
        if style is not None:
            for table in column.tables:
                of_table.setdefault(table, set()).add(style)
            styles[column.name] = Style(style, bool(found.get(column.name, Evidence()).odd))
        elif found.get(column.name, Evidence()).either:
            undecided.append(column)
    for column in undecided:
        evidence = found[column.name]
        decided = set().union(*(of_table.get(table, set()) for table in column.tables))
        if len(decided) != 1:
            raise UserError(_undecided(where, column, str(evidence.either)))
        styles[column.name] = Style(decided.pop(), bool(evidence.odd))
    for column in columns:
        _refuse_mixed(where, column, styles.get(column.name), seen[column.name])
    return styles


def needs_evidence(column: Column, numbers: Numbers) -> bool:
    """Whether the separators of a column alone do not say that it is plain."""
    only_three = numbers.has_three and not numbers.has_other
    has_any = numbers.has_comma or numbers.has_three or numbers.has_other
    return numbers.has_comma or only_three or (column.given is not None and has_any)


def _own(where: str, column: Column, numbers: Numbers, evidence: Evidence) -> str | None:
    """The style that source.yml or the column's own values give; None if neither does."""
    if column.given is not None:
        against = evidence.point if column.given == "comma" else evidence.comma
        if against is not None:
            raise UserError(
                f"{where}, column {column.name}: {against!r} has no {READ_AS[column.given]}, as "
                f"`decimal` in source.yml says; correct `decimal`, or calculate {column.sql} "
                f"in the SELECT: {_both_ways(column)}"
            )
        return column.given
    if evidence.comma is not None and evidence.point is not None:
        raise UserError(
            f"{where}, column {column.name}: holds {evidence.comma!r} with a decimal comma and "
            f"{evidence.point!r} with a decimal point; tell them apart in the SELECT with a case "
            f"expression, for example by _file: {_both_ways(column)}"
        )
    if evidence.comma is not None:
        return "comma"
    if evidence.point is not None or (numbers.has_other and not numbers.has_comma):
        return "point"
    return None


def _refuse_mixed(where: str, column: Column, style: Style | None, numbers: Numbers) -> None:
    if style is None or not column.is_mixed:
        return
    if style.name == "comma" or numbers.has_comma:
        raise UserError(
            f"{where}, column {column.name}: the SELECT calculates some of its values and hands on "
            f"{column.sql} as delivered; calculate all of them: {_both_ways(column)}"
        )


def _undecided(where: str, column: Column, example: str) -> str:
    return (
        f"{where}, column {column.name}: {example!r} of {column.sql} may have a decimal "
        'comma or point, and no other number of its file decides; say `decimal: ","` or '
        f'`decimal: "."` for its system or table in source.yml, or write in the SELECT '
        f"{_both_ways(column)}"
    )


def _both_ways(column: Column) -> str:
    """SQL for a decimal comma and for a decimal point."""
    comma, point = (
        as_number(column.sql, style, is_integer=column.is_integer) for style in ("comma", "point")
    )
    return f"{comma} for a decimal comma, {point} for a decimal point"


def as_number(delivered: str, style: str, *, is_integer: bool) -> str:
    """SQL that reads a delivered column as a number."""
    kind = "bigint" if is_integer else AMOUNT
    return f"{plain(delivered, Style(style, has_odd=False))}::{kind}"


def plain(text: str, style: Style | None) -> str:
    """SQL for a number without what separates its thousands, and with a point.

    A value that is no number of the style stays as it is, so that it is refused as itself.
    """
    if style is None:
        return text
    if style.name == "comma":
        plainly, right = f"replace(replace({text}, '.', ''), ',', '.')", COMMA
    else:
        plainly, right = f"replace({text}, ',', '')", POINT
    if not style.has_odd:
        return plainly
    matches = " or ".join(f"regexp_matches({text}, '{one}')" for one in (right, EITHER))
    return f"case when {matches} then {plainly} else {text} end"


def shown(column: str) -> str:
    """A column as a SELECT names it; a field of JSON by its path."""
    if column.startswith("$"):
        return f"(record ->> '{column}')"
    return (
        column if re.fullmatch(r"[A-Za-z_]\w*", column) else '"' + column.replace('"', '""') + '"'
    )
