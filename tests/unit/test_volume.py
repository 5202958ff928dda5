"""The circuit breaker: a day is held against the same weekday of the weeks before it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from customer_tiers import contract
from customer_tiers.load import volume

DAY = date(2026, 6, 29)
LINES = contract.load().entities["erp.invoice_lines"]


def fault(today, weeks=8, usual=(100, Decimal(5000), Decimal(6000))) -> str | None:
    days = {DAY - timedelta(days=7 * week): usual for week in range(1, weeks + 1)}
    if today is not None:
        days[DAY] = today
    figures = {day: volume.Figures(*found) for day, found in days.items()}
    return volume.fault("shop", LINES, DAY, figures)


@pytest.mark.parametrize(
    "today",
    [
        (25, Decimal(5000), Decimal(6000)),
        (400, Decimal(5000), Decimal(6000)),
        (100, Decimal(250), Decimal(6000)),
        (100, Decimal(100_000), Decimal(6000)),
        (100, Decimal(5000), Decimal(2_400_000)),
    ],
    ids=["fewest rows", "most rows", "least sum", "greatest sum", "greatest bill"],
)
def test_p22_a_day_at_the_edge_of_its_band_goes_on(today):
    assert fault(today) is None


@pytest.mark.parametrize(
    ("today", "words"),
    [
        ((24, Decimal(5000), Decimal(6000)), "24 rows"),
        ((401, Decimal(5000), Decimal(6000)), "401 rows"),
        ((100, Decimal(249), Decimal(6000)), "249 in sum but for"),
        ((100, Decimal(100_001), Decimal(6000)), "100,001 in sum but for"),
        ((100, Decimal(5000), Decimal(2_400_001)), "2,400,001 in sum, where"),
        ((100, Decimal(5000), Decimal(-2_400_001)), "2,400,001 in sum, where"),
        (None, "0 rows"),
    ],
    ids=["few rows", "many rows", "too little", "too much", "a slip", "a slip back", "no row"],
)
def test_p22_a_day_out_of_its_band_is_a_fault(today, words):
    line = fault(today) or ""
    assert words in line
    assert "source shop, entity erp.invoice_lines, column invoice_date: 2026-06-29 has" in line


def test_without_a_usual_day_there_is_no_band():
    assert fault((1, Decimal(1), Decimal(1)), weeks=3) is None
    assert fault((1, Decimal(1), Decimal(1)), usual=(49, Decimal(10), Decimal(10))) is None
