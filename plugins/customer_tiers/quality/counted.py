"""A GX expectation that counts the rows of a query once.

GX's own fetches the rows and then counts them by the same query again, and counts a compound key by
joining the table with itself; on ten million rows that is most of a load. Great Expectations is
imported with this module, which takes seconds: import it where it is there already.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.core import UnexpectedRowsExpectation

COUNT = "unexpected_rows_query.row_count"


class UnexpectedRowsCounted(UnexpectedRowsExpectation):
    """No row of the table is one of `unexpected_rows_query`; the result is their count."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (COUNT,)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        count = metrics[COUNT]
        return {"success": count == 0, "result": {"unexpected_count": count}}
