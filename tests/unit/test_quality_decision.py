"""Whether a run goes on: critical stops, quarantine stops above its limit, a warning never does."""

from __future__ import annotations

import pytest

from customer_tiers.errors import UserError
from customer_tiers.quality import Outcome, decide
from customer_tiers.quality.rules import QUARANTINE, REPORT, STOP, Rule


def outcome(on_failure: str, failed: int, **changes: object) -> Outcome:
    severity = "warning" if on_failure == REPORT else "critical"
    rule = Rule(
        name="quantity.be_between",
        position=1,
        type="expect_column_values_to_be_between",
        severity=severity,
        kwargs={"column": "quantity", "min_value": 0},
        reason="a wrong sign",
        on_failure=on_failure,
    )
    values: dict[str, object] = {
        "suite": "erp.invoice_lines",
        "expectation": rule.name,
        "column": "quantity",
        "severity": severity,
        "is_met": failed == 0,
        "rows_checked": 1000,
        "rows_failed": failed,
        "reason": rule.reason,
        "observed": f"{failed} of 1000 rows",
        "rule": rule,
        "example": "INV-7|2",
    }
    return Outcome(**{**values, **changes})  # type: ignore[arg-type]


def test_nothing_failed_says_nothing():
    assert decide([outcome(STOP, 0), outcome(QUARANTINE, 0)], source="acme") == []


def test_one_row_against_a_critical_rule_stops_with_everything_a_reader_needs():
    with pytest.raises(UserError) as stopped:
        decide([outcome(REPORT, 9), outcome(STOP, 1), outcome(STOP, 2)], source="acme")
    text = str(stopped.value)
    for part in (
        "source acme",
        "erp.invoice_lines",
        "column quantity",
        "1 of 1000 rows",
        "rule quantity.be_between",
        "INV-7|2",
        "a wrong sign",
        "expectations/erp/invoice_lines.yml",
        "1 more rules",
    ):
        assert part in text
    assert "\n" not in text


def test_a_warning_is_a_line_however_many_rows():
    (line,) = decide([outcome(REPORT, 1000)], source="acme")
    assert line.startswith("warning: source acme, erp.invoice_lines, column quantity: 1000 of 1000")


@pytest.mark.parametrize(("failed", "stops"), [(50, False), (51, True)])
def test_a_quarantine_stops_above_its_share(failed, stops):
    if stops:
        with pytest.raises(UserError, match="more than 5% of the extract"):
            decide([outcome(QUARANTINE, failed)], source="acme")
    else:
        (line,) = decide([outcome(QUARANTINE, failed)], source="acme")
        assert line.startswith("quarantined: ")


@pytest.mark.parametrize(("failed", "stops"), [(10, False), (11, True)])
def test_a_few_rows_never_stop_a_small_extract(failed, stops):
    small = outcome(QUARANTINE, failed, rows_checked=20)
    if stops:
        with pytest.raises(UserError):
            decide([small], source="acme")
    else:
        assert len(decide([small], source="acme")) == 1


def test_rows_offered_again_count_neither_as_bad_nor_as_extracted():
    known = outcome(QUARANTINE, 900, rows_checked=1000, rows_offered=900, rows_again=890)
    assert len(decide([known], source="acme")) == 1
    fresh = outcome(QUARANTINE, 900, rows_checked=1000, rows_offered=900, rows_again=880)
    with pytest.raises(UserError):
        decide([fresh], source="acme")


def test_the_severity_that_gx_reports_decides():
    lowered = outcome(STOP, 5, severity="warning")
    assert len(decide([lowered], source="acme")) == 1
