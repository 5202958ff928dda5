"""Go on or stop: what the outcomes of a check mean for the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from customer_tiers.errors import UserError
from customer_tiers.quality.results import Outcome
from customer_tiers.quality.rules import CRITICAL, QUARANTINE

if TYPE_CHECKING:
    from customer_tiers.contract import Entity


def decide(outcomes: Sequence[Outcome], *, source: str, entity: Entity | None = None) -> list[str]:
    """Return one line per warning and per quarantined rule, or stop the run.

    A critical rule stops the run, unless it sets its rows aside and they are at most `limit_share`
    of the extract or `limit_rows` rows. Rows offered again from quarantine were judged the night
    they came first and count neither as bad rows nor as rows of the extract.

    Args:
        outcomes: Of one or several suites.
        source: The company, named in the lines.
        entity: The entity that was loaded; None for the published tables.

    Raises:
        UserError: Says the source, table, column, rule, count, an example, why it matters and what
            to do, and how many more rules stop the run.
    """
    failed = [outcome for outcome in outcomes if not outcome.is_met]
    stopping = [outcome for outcome in failed if _stops(outcome)]
    if stopping:
        more = f" ({len(stopping) - 1} more rules stop the run)" if len(stopping) > 1 else ""
        raise UserError(f"{_finding(stopping[0], source)}; {_remedy(stopping[0], entity)}{more}")
    return [_line(outcome, source) for outcome in failed]


def _stops(outcome: Outcome) -> bool:
    if outcome.severity != CRITICAL:
        return False
    return outcome.rule.on_failure != QUARANTINE or _is_over_limit(outcome)


def _is_over_limit(outcome: Outcome) -> bool:
    bad = (outcome.rows_failed or 0) - outcome.rows_again
    extracted = outcome.rows_checked - outcome.rows_offered
    return bad > outcome.rule.limit_rows and bad > outcome.rule.limit_share * extracted


def _finding(outcome: Outcome, source: str) -> str:
    column = f", column {outcome.column}" if outcome.column else ""
    example = f", for example {outcome.example}" if outcome.example else ""
    return (
        f"source {source}, {outcome.suite}{column}: {outcome.observed} "
        f"against rule {outcome.expectation}{example}: {outcome.reason}"
    )


def _remedy(outcome: Outcome, entity: Entity | None) -> str:
    path = f"expectations/{outcome.suite.replace('.', '/')}.yml"
    if outcome.rule.on_failure == QUARANTINE:
        return (
            f"more than {outcome.rule.limit_share:.0%} of the extract: correct the rows or the "
            f"SELECT at the source, or raise limit_share of the rule in {path}"
        )
    if entity is None:
        return (
            f"the published tables stay as they were; find the cause, or change the rule in {path}"
        )
    return f"correct the source, or change the rule in {path}"


def _line(outcome: Outcome, source: str) -> str:
    what = "quarantined" if outcome.rule.on_failure == QUARANTINE else "warning"
    return f"{what}: {_finding(outcome, source)}"
