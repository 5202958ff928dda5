"""What the stopwatch keeps of a step, and that it stops no night."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from customer_tiers import stopwatch
from customer_tiers.errors import UserError


class Warehouse:
    """Stands for a run whose warehouse keeps rows, or is down."""

    run_id = "R"

    def __init__(self, *, is_down: bool = False) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.is_down = is_down

    @property
    def warehouse(self) -> Warehouse:
        if self.is_down:
            raise UserError("down")
        return self

    def cursor(self) -> Warehouse:
        return self

    def executemany(self, _: str, rows: list[tuple[Any, ...]]) -> None:
        self.rows += rows

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@stopwatch.part("copy")
def copy() -> int:
    return 3


def test_parts_nest_are_added_up_and_end_with_their_step(monkeypatch):
    seconds = iter(range(100))
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    run = Warehouse()
    assert copy() == 3, "outside a step"
    with stopwatch.step(run, "load_erp"):
        copy()
        with stopwatch.part("erp.orders"):
            copy()
            copy()
    copy()
    kept = {part: (took, peak) for _, step, part, _, took, peak in run.rows if step == "load_erp"}
    peaks = {part: peak for part, (_, peak) in kept.items()}
    assert {part: took for part, (took, _) in kept.items()} == {
        "": 9,
        "copy": 1,
        "erp.orders": 5,
        "erp.orders/copy": 2,
    }
    assert peaks.pop("") > 10
    assert set(peaks.values()) == {None}


def test_a_step_that_fails_is_kept_and_raises():
    run = Warehouse()
    with pytest.raises(UserError, match="broken"), stopwatch.step(run, "audit"):
        raise UserError("broken")
    assert [row[1] for row in run.rows] == ["audit"]


def test_a_warehouse_that_is_down_only_warns(caplog):
    with caplog.at_level(logging.WARNING), stopwatch.step(Warehouse(is_down=True), "begin"):
        pass
    assert "could not be kept in ops.step_run: down" in caplog.text
