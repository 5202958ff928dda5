"""The circuit breaker: a day is held against the same weekday of the weeks before it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.load import volume

DAY = date(2026, 6, 29)
LINES = contract.load().entities["erp.invoice_lines"]


def check(monkeypatch, today, weeks=8, usual=(100, Decimal(5000)), *, is_accepted=False):
    days = {DAY - timedelta(days=7 * week): usual for week in range(1, weeks + 1)}
    if today is not None:
        days[DAY] = today
    monkeypatch.setattr(volume, "_days", lambda *_: days)
    return volume.check(None, "shop", LINES, DAY, is_accepted=is_accepted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "today",
    [(25, Decimal(5000)), (400, Decimal(5000)), (100, Decimal(250)), (100, Decimal(100_000))],
    ids=["fewest rows", "most rows", "least sum", "greatest sum"],
)
def test_p22_a_day_at_the_edge_of_its_band_goes_on(monkeypatch, today):
    assert check(monkeypatch, today) is None


@pytest.mark.parametrize(
    ("today", "words"),
    [
        ((24, Decimal(5000)), "24 rows"),
        ((401, Decimal(5000)), "401 rows"),
        ((100, Decimal(249)), "249 in sum"),
        ((100, Decimal(100_001)), "100,001 in sum"),
        (None, "0 rows"),
    ],
    ids=["too few rows", "too many rows", "too little", "too much", "no row at all"],
)
def test_p22_a_day_out_of_its_band_stops_the_night_unless_it_is_meant(monkeypatch, today, words):
    with pytest.raises(UserError) as caught:
        check(monkeypatch, today)
    line = str(caught.value)
    assert words in line
    assert "2026-06-29" in line
    assert "--accept-drift" in line
    assert "warning: source shop" in (check(monkeypatch, today, is_accepted=True) or "")


def test_without_a_usual_day_there_is_no_band(monkeypatch):
    assert check(monkeypatch, (1, Decimal(1)), weeks=3) is None
    assert check(monkeypatch, (1, Decimal(1)), usual=(49, Decimal(10))) is None
