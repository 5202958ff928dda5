"""Twelve months of the sample company: how often tiers flap, and that a replay repeats them.

The facts are built once; then what a policy may judge by is measured at each month end, as it was
known that day, and kept as a receipt keeps it. Flaps are counted as `tiers simulate` counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from customer_tiers import connections, contract, night, sample, simulation, transform
from customer_tiers.simulation import report
from customer_tiers.sources import definition
from helpers.receipts import create_receipts, keep_metrics

pytestmark = pytest.mark.soak

LAST = date(2026, 6, 30)


def month_ends(count: int) -> list[date]:
    """The last days of the months up to LAST."""
    found = [LAST]
    while len(found) < count:
        found.append(found[-1].replace(day=1) - timedelta(days=1))
    return found[::-1]


def build(run: night.Run, day: date, *select: str) -> None:
    transform.run(
        connections.warehouse("sample"),
        select=list(select),
        variables={
            "business_date": day,
            "base_currency": "EUR",
            "rounding": "line",
            "source": "sample",
        },
        run_id=run.run_id,
        is_checked=False,
    )


@pytest.fixture(scope="module")
def url(cluster: Any) -> Iterator[str]:
    """A warehouse with what was measured at thirteen month ends."""
    erp, crm = cluster.ensure_database("sample_erp"), cluster.ensure_database("sample_crm")
    sample.create(erp, crm, customers=400, months=27, through=LAST)
    run = night.Run("months", "sample", None, LAST, LAST)
    night.begin(run)
    night.load(run, "erp")
    night.load(run, "crm")
    url = connections.warehouse("sample")
    with psycopg.connect(url, autocommit=True) as connection:
        create_receipts(connection)
        build(run, LAST, "tag:facts", "resource_type:seed", "path:models/staging")
        for day in month_ends(13):
            build(run, day, "+int_metrics_gathered,tag:tiers,path:models/intermediate")
            keep_metrics(connection)
    yield url
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)


def replayed(url: str) -> simulation.Replay:
    return simulation.replay(url, ["standard"], source=definition.load("sample", contract.load()))


def test_tiers_flap_at_most_a_fifth_as_often_as_the_cut_alone(url: str) -> None:
    done = replayed(url)
    assert done.nights == 13
    with psycopg.connect(url) as connection:
        held, _, customers = report.flaps(
            connection, done, "simulation.int_tiers_decided", "tier_rank"
        )
        cut, _, _ = report.flaps(
            connection, done, "simulation.int_tiers_decided", "capped_cut_rank"
        )
    assert customers > 300
    assert cut >= 20, "otherwise there is nothing to hold against"
    assert held <= cut / 5
