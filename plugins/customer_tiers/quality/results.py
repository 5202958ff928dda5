"""What a check found: one outcome per rule, kept in `ops.expectation_result`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from customer_tiers.quality.rules import Rule

NOT_MET = """
    with recursive judged as (
        select %s::text as run_id
        union
        select run.repeats from judged inner join ops.run using (run_id)
        where run.repeats is not null
    )
    select suite, expectation, column_name as column, rows_failed, observed, reason
    from ops.expectation_result inner join judged using (run_id)
    where not is_met and severity = 'warning'
    order by suite, expectation
"""


@dataclass(frozen=True)
class Outcome:
    """The result of one rule on one table.

    `rows_failed` is None for a rule about the whole table. `rows_again` of the failed rows, and
    `rows_offered` of all checked, came from quarantine and not from tonight's extract. `rule` is
    the rule with its parameters filled in.
    """

    suite: str
    expectation: str
    column: str | None
    severity: str
    is_met: bool
    rows_checked: int
    rows_failed: int | None
    reason: str
    observed: str
    rule: Rule
    rows_offered: int = 0
    rows_again: int = 0
    example: str | None = None


@dataclass(frozen=True)
class NotMet:
    """A check that was not met and stopped nothing; `rows_failed` is None for a whole table."""

    suite: str
    expectation: str
    column: str | None
    rows_failed: int | None
    observed: str | None
    reason: str

    @property
    def name(self) -> str:
        """The check, its table and what was found, on a few words."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.expectation} of {self.suite}{column}: {self.observed}"

    def __str__(self) -> str:
        return f"{self.name}; {self.reason}"


def not_met(connection: psycopg.Connection, run_id: str | None) -> list[NotMet]:
    """Return the warnings of a run, or of the one that it repeats; rows set aside are none."""
    with connection.cursor(row_factory=class_row(NotMet)) as cursor:
        return cursor.execute(NOT_MET, [run_id]).fetchall()


def store(connection: psycopg.Connection, run_id: str, outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes of a run; a suite that is checked again replaces its earlier results."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "delete from ops.expectation_result where run_id = %s and suite = any(%s)",
            [run_id, sorted({outcome.suite for outcome in outcomes})],
        )
        cursor.executemany(
            "insert into ops.expectation_result (run_id, suite, expectation, column_name, "
            "severity, is_met, rows_checked, rows_failed, reason, observed) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [
                    run_id,
                    outcome.suite,
                    outcome.expectation,
                    outcome.column,
                    outcome.severity,
                    outcome.is_met,
                    outcome.rows_checked,
                    outcome.rows_failed,
                    outcome.reason,
                    outcome.observed,
                ]
                for outcome in outcomes
            ],
        )
