"""Lines older than the policies' first day are told by the check."""

from __future__ import annotations

import duckdb
import pytest

from customer_tiers.sources import seed_days
from customer_tiers.sources.judgement import Report


@pytest.mark.parametrize(
    ("oldest", "newest", "faults", "hints"),
    [
        ("1996-07-04", "1998-05-06", 1, 0),
        ("1998-01-01", "2010-01-01", 0, 1),
        ("2000-01-01", "2010-01-01", 0, 0),
    ],
)
def test_lines_older_than_the_policies_are_told(oldest, newest, faults, hints):
    report = Report(counts={"erp.invoice_lines": 2})
    with duckdb.connect() as sink:
        sink.execute(
            'create table "typed erp.invoice_lines" as '
            f"select unnest([date '{oldest}', date '{newest}']) as invoice_date"
        )
        seed_days.add(report, sink)
    assert (len(report.faults), len(report.hints)) == (faults, hints)
    for line in (*report.faults, *report.hints):
        assert "tier_policies.csv" in line
        assert "valid from 2000-01-01" in line
        assert f"valid_from of {oldest} or earlier" in line
