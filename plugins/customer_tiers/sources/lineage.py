"""Which delivered column each column of a SELECT hands on, read from DuckDB's own parse of it.

A column that is only handed on keeps the sender's way of writing numbers. What the SELECT
calculates is written as the SELECT says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

Tables = Mapping[str, list[str]]
"""Name of a delivered table in lower case -> its columns."""

FIRST_ARGUMENT = {
    *("trim", "ltrim", "rtrim", "max", "min", "first", "last", "any_value", "first_value"),
    *("last_value", "nth_value", "lag", "lead", "nullif", "arg_max", "arg_min", "max_by", "min_by"),
}
"""Functions that return their first argument, or nothing, as it was written."""

ONE_ARGUMENT = {"trim", "ltrim", "rtrim", "max", "min"}
"""Those that do so only without a second argument: trim(x, '0') changes a number."""

ANY_ARGUMENT = {"coalesce", "ifnull"}
TEXT_TYPES = {"varchar", "text", "string", "char", "bpchar"}
JSON_TEXT = {"->>", "json_extract_string"}


class Lost(Exception):
    """The way of a column cannot be followed."""


@dataclass(frozen=True)
class Origin:
    """Where a column's values come from: delivered `(table, column)`s, and whether any is made by
    a calculation. A field of a JSON column is named by its path, such as `$.net`."""

    columns: frozenset[tuple[str, str]] = frozenset()
    is_calculated: bool = False

    def __or__(self, other: Origin) -> Origin:
        return Origin(self.columns | other.columns, self.is_calculated or other.is_calculated)


CALCULATED = Origin(is_calculated=True)
CONSTANT = Origin()
Columns = list[tuple[str, Origin]]


@dataclass
class _Scope:
    """What names mean at a place of the SELECT."""

    ctes: dict[str, Columns]
    relations: list[tuple[str, Columns]]
    joined: set[str]
    """Columns that a join merges into one."""
    outer: _Scope | None = None

    def find(self, path: list[str]) -> Origin:
        *qualifiers, name = (part.lower() for part in path)
        for alias, columns in self.relations:
            if qualifiers and qualifiers[-1] != alias:
                continue
            for column, origin in columns:
                if column.lower() == name:
                    return origin
        if self.outer is not None:
            return self.outer.find(path)
        raise Lost(".".join(path))


def trace(connection: duckdb.DuckDBPyConnection, query: str, tables: Tables) -> Columns:
    """Follow each column of a SELECT to the delivered columns; a list of its names and origins.

    Raises:
        Lost: The SELECT has a form that is not followed, such as PIVOT.
    """
    try:
        return _Tracer(tables).node(parsed(connection, query), {}, None)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise Lost(str(error)) from None


def parsed(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    """The parse of a SELECT.

    Raises:
        Lost: DuckDB cannot write it down.
    """
    [(text,)] = connection.execute("select json_serialize_sql(?)", [query]).fetchall()
    parse = json.loads(text)
    if parse["error"]:
        raise Lost(parse["error_message"])
    node: dict[str, Any] = parse["statements"][0]["node"]
    return node


def tables_of(parse: Any) -> Iterator[str]:
    """The names of all tables that a parse reads, common table expressions among them."""
    if isinstance(parse, dict):
        if parse.get("type") == "BASE_TABLE":
            yield parse["table_name"]
        for value in parse.values():
            yield from tables_of(value)
    elif isinstance(parse, list):
        for value in parse:
            yield from tables_of(value)


class _Tracer:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def node(self, node: dict[str, Any], ctes: dict[str, Columns], outer: _Scope | None) -> Columns:
        ctes = dict(ctes)
        for entry in node["cte_map"]["map"]:
            value = entry["value"]
            made = self.node(value["query_node"], ctes, outer)
            ctes[entry["key"].lower()] = _renamed(made, value["aliases"])
        if node["type"] == "SET_OPERATION_NODE":
            parts = [self.node(child, ctes, outer) for child in node["children"]]
            return _united(parts, by_name=node["setop_type"].endswith("BY_NAME"))
        if node["type"] != "SELECT_NODE":
            raise Lost(node["type"])
        scope = _Scope(ctes, [], set(), outer)
        self._from(node["from_table"], scope)
        made = []
        for expression in node["select_list"]:
            made += self._selected(expression, scope, made)
        return made

    def _from(self, table: dict[str, Any], scope: _Scope) -> None:
        kind = table["type"]
        if kind == "JOIN":
            self._from(table["left"], scope)
            self._from(table["right"], scope)
            scope.joined |= {name.lower() for name in table["using_columns"]}
            if table["ref_type"] == "NATURAL":
                raise Lost("natural join")
            return
        if kind == "EMPTY":
            return
        if kind == "BASE_TABLE":
            name = table["table_name"].lower()
            columns = scope.ctes.get(name)
            if columns is None:
                columns = [(c, Origin(frozenset({(name, c)}))) for c in self._tables[name]]
            alias = table["alias"] or name
        elif kind == "SUBQUERY":
            columns = self.node(table["subquery"]["node"], scope.ctes, scope.outer)
            alias = table["alias"]
        elif kind == "EXPRESSION_LIST":
            rows = table["values"]
            columns = [
                (f"col{place}", _any(self._origin(row[place], scope, []) for row in rows))
                for place in range(len(rows[0]))
            ]
            alias = table["alias"]
        else:
            raise Lost(kind)
        scope.relations.append((alias.lower(), _renamed(columns, table["column_name_alias"])))

    def _selected(self, expression: dict[str, Any], scope: _Scope, made: Columns) -> Columns:
        if expression["type"] == "STAR":
            return self._star(expression, scope)
        name = expression["alias"]
        if not name and expression["type"] == "COLUMN_REF":
            name = expression["column_names"][-1]
        return [(name, self._origin(expression, scope, made))]

    def _star(self, star: dict[str, Any], scope: _Scope) -> Columns:
        if star["columns"] or star["expr"] is not None or star["rename_list"]:
            raise Lost("columns()")
        wanted = star["relation_name"].lower()
        left_out = {str(name).lower() for name in star["exclude_list"]}
        replaced = {entry["key"].lower(): entry["value"] for entry in star["replace_list"]}
        seen: set[str] = set()
        made: Columns = []
        for alias, columns in scope.relations:
            for name, found in columns:
                low = name.lower()
                if wanted not in ("", alias) or low in left_out or low in scope.joined & seen:
                    continue
                seen.add(low)
                origin = found
                if low in replaced:
                    origin = self._origin(replaced[low], scope, [])
                made.append((name, origin))
        return made

    def _origin(self, expression: dict[str, Any], scope: _Scope, made: Columns) -> Origin:
        """Where an expression's values come from; `made` are the columns named before it."""

        def of(child: dict[str, Any]) -> Origin:
            return self._origin(child, scope, made)

        kind, sort = expression["class"], expression["type"]
        if kind == "CONSTANT":
            return CONSTANT
        if kind == "COLUMN_REF":
            return _named(expression["column_names"], scope, made)
        if kind == "CASE":
            branches = [check["then_expr"] for check in expression["case_checks"]]
            return _any(of(branch) for branch in (*branches, expression["else_expr"]))
        if sort in ("OPERATOR_COALESCE", "OPERATOR_TRY"):
            return _any(of(child) for child in expression["children"])
        if kind == "CAST" and expression["type_expr"]["type_name"].lower() in TEXT_TYPES:
            return of(expression["child"])
        if kind == "SUBQUERY" and expression["subquery_type"] == "SCALAR":
            return self.node(expression["subquery"]["node"], scope.ctes, scope)[0][1]
        if kind in ("FUNCTION", "WINDOW"):
            given = [argument["expression"] for argument in expression["arguments"]]
            return self._of_function(expression["function_name"].lower(), given, scope, made)
        return CALCULATED

    def _of_function(
        self, name: str, given: list[dict[str, Any]], scope: _Scope, made: Columns
    ) -> Origin:
        if name in JSON_TEXT and given[1]["class"] == "CONSTANT":
            within = self._origin(given[0], scope, made)
            path = json_path(given[1]["literal"]["text"])
            if within.is_calculated:
                return CALCULATED
            return Origin(frozenset((table, path) for table, _ in within.columns))
        if name in FIRST_ARGUMENT and (len(given) == 1 or name not in ONE_ARGUMENT):
            return self._origin(given[0], scope, made)
        if name in ANY_ARGUMENT:
            return _any(self._origin(one, scope, made) for one in given)
        if name == "if":
            return _any(self._origin(one, scope, made) for one in given[1:])
        return CALCULATED


def _named(path: list[str], scope: _Scope, made: Columns) -> Origin:
    """A column of a table, or one that the SELECT has named before."""
    try:
        return scope.find(path)
    except Lost:
        named = [origin for name, origin in made if name.lower() == path[-1].lower()]
        if len(path) > 1 or not named:
            raise
        return named[0]


def json_path(name: str) -> str:
    """The path of a record's field, or the path itself."""
    return name if name.startswith("$") else '$."' + name.replace('"', '\\"') + '"'


def _any(origins: Iterator[Origin]) -> Origin:
    found = CONSTANT
    for origin in origins:
        found |= origin
    return found


def _renamed(columns: Columns, names: list[str]) -> Columns:
    renamed = [(name, origin) for name, (_, origin) in zip(names, columns, strict=False)]
    return renamed + columns[len(names) :]


def _united(parts: list[Columns], *, by_name: bool) -> Columns:
    """The columns of a union: each comes from that of all its parts."""
    first, *others = parts
    united = dict(enumerate(first))
    for other in others:
        for place, (name, origin) in enumerate(other):
            at = place
            if by_name:
                same = [key for key, (known, _) in united.items() if known.lower() == name.lower()]
                at = same[0] if same else len(united)
            known, before = united.get(at, (name, CONSTANT))
            united[at] = (known, before | origin)
    return list(united.values())
