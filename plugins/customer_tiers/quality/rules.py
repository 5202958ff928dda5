"""One rule of a suite: an expectation as the file gives it, and what happens when it is not met."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from customer_tiers.errors import UserError

CRITICAL = "critical"
WARNING = "warning"

STOP = "stop"
"""A critical expectation that is not met ends the run."""

QUARANTINE = "quarantine"
"""Rows that break a critical expectation are set aside; too many of them end the run."""

REPORT = "report"
"""A warning: the rows go on, the result is shown."""

LIMIT_SHARE = 0.05
"""Share of the extract's rows that one rule may set aside. A fault of one system's export shows in
far more rows, a typing error in far fewer."""

LIMIT_ROWS = 10
"""So many rows never stop a run: one bad invoice must not end a night with thirty new lines."""

PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)\b(?!\()")
"""`$latest_date` inside a query."""

KNOWN = re.compile(r"\$known\(([a-z0-9_.]+)\)")
"""`$known(erp.customers)` inside a query: that entity's rows in raw and in tonight's stage."""

BATCH_COLUMN = re.compile(r"\bsubselect\.([a-z_][a-z0-9_]*)")
"""A column of the checked table inside a query; `subselect` is GX's name for `{batch}`."""

ROW_QUERY = re.compile(
    r"^\s*select\s+1\s+from\s+\{batch\}\s+where\s+(?P<bad>.+?)[;\s]*$", re.I | re.S
)
"""The form of a query whose rows can be set aside: everything after `where` says a row is bad."""

NOT_ROW_WISE = re.compile(r"\b(having|group\s+by|limit|offset)\b", re.I)
"""Words of a query that judges rows together, none of which can be set aside alone."""

QUERY_TYPE = "unexpected_rows_expectation"
"""GX's expectation that is a query of the unexpected rows."""


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite.

    `name` is unique in the suite; `kwargs` are GX's own arguments; `rejects` are the column values
    that make a row bad for a query (for a test, and for the reader); `shows` are the columns whose
    values a reader of one bad row wants to see.
    """

    name: str
    position: int
    type: str
    severity: str
    kwargs: dict[str, Any]
    reason: str
    on_failure: str
    limit_share: float = LIMIT_SHARE
    limit_rows: int = LIMIT_ROWS
    rejects: dict[str, Any] = field(default_factory=dict)
    shows: tuple[str, ...] = ()

    @property
    def query(self) -> str | None:
        """The query of unexpected rows, if the rule is one."""
        return self.kwargs.get("unexpected_rows_query") if self.type == QUERY_TYPE else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the checked table that the rule names, in order."""
        found: dict[str, None] = {}
        for argument in ("column", "column_A", "column_B"):
            if isinstance(self.kwargs.get(argument), str):
                found[self.kwargs[argument]] = None
        found.update(dict.fromkeys(self.kwargs.get("column_list") or ()))
        found.update(dict.fromkeys(BATCH_COLUMN.findall(self.query or "")))
        return tuple(found)

    @property
    def column(self) -> str | None:
        """The one column the rule is about, or its columns joined; None for a whole table."""
        return ", ".join(self.columns) or None

    @property
    def parameters(self) -> set[str]:
        """The parameters it needs at run time."""
        needed = {
            value["$PARAMETER"]
            for value in self.kwargs.values()
            if isinstance(value, dict) and "$PARAMETER" in value
        }
        return needed | (set(PARAMETER.findall(self.query or "")) - {"schema"})

    def entities(self) -> Iterator[str]:
        """Yield the entities whose known rows its query refers to."""
        yield from KNOWN.findall(self.query or "")

    def resolved(
        self, parameters: Mapping[str, Any], known: Mapping[str, str], schema: str
    ) -> Rule:
        """Return the rule with parameters, `$known(...)` and `$schema` filled in.

        Args:
            parameters: Name -> date or number.
            known: Entity -> SQL of its known rows, in brackets.
            schema: The schema of the checked table, for queries over its sisters.

        Raises:
            UserError: A parameter was not passed.
        """
        missing = sorted(self.parameters - set(parameters))
        if missing:
            raise UserError(
                f"rule {self.name}: parameter {missing[0]} has no value; "
                "pass it, or give it one under suite_parameters"
            )
        kwargs = {name: _filled(value, parameters) for name, value in self.kwargs.items()}
        if self.query:
            query = KNOWN.sub(lambda match: known[match.group(1)], self.query)
            values = {**{name: _literal(value) for name, value in parameters.items()}}
            values["schema"] = schema
            kwargs["unexpected_rows_query"] = PARAMETER.sub(
                lambda match: values[match.group(1)], query
            )
        return replace(self, kwargs=kwargs)


def _filled(value: Any, parameters: Mapping[str, Any]) -> Any:
    if isinstance(value, dict) and "$PARAMETER" in value:
        return parameters[value["$PARAMETER"]]
    return value


def _literal(value: Any) -> str:
    from psycopg import sql

    return sql.Literal(value).as_string(None)
