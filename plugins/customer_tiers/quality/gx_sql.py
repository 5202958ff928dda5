"""What makes the SQL of Great Expectations cheap for PostgreSQL; its answers are the same.

GX 1.24 makes a float of every bound. Beside one, PostgreSQL turns each number of the table into
text and from text into a float before it compares them, which was a third of a check; and a float
is not exact. A count it writes as the sum of a one or a zero per row, where a filter need not add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from sqlalchemy import event, func
from sqlalchemy.sql import functions, visitors
from sqlalchemy.sql.elements import BindParameter, Case

if TYPE_CHECKING:
    from sqlalchemy import Engine


def tune(engine: Engine) -> None:
    """Let an engine of GX compare numbers exactly and count with filters."""
    event.listen(engine, "connect", _send_exact_numbers)
    event.listen(engine, "before_execute", _count_with_filters, retval=True)


class _ExactNumber(Dumper):
    """A float as the number that it is written as."""

    oid = adapters.types["numeric"].oid

    def dump(self, obj: float) -> Buffer:
        return repr(obj).encode()


def _send_exact_numbers(connection: Any, _record: Any) -> None:
    connection.adapters.register_dumper(float, _ExactNumber)


def _count_with_filters(
    _connection: Any, statement: Any, several: Any, values: Any, _options: Any
) -> tuple[Any, Any, Any]:
    if isinstance(statement, visitors.ExternallyTraversible):
        statement = visitors.replacement_traverse(statement, {}, _as_filter)
    return statement, several, values


def _as_filter(element: Any, **_: Any) -> Any:
    """`count(*) filter (where bad)` for `sum(case when bad then 1 else 0 end)`, else None."""
    if not isinstance(element, functions.sum):
        return None
    match list(element.clauses):
        case [Case(whens=[(bad, BindParameter(value=1))], else_=BindParameter(value=0))]:
            return func.count().filter(bad)
    return None
