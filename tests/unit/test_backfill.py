"""Which nights a backfill plays, in which order, and where it stops."""

from __future__ import annotations

from datetime import date

import pytest

from customer_tiers import backfill, runner
from customer_tiers.embedded import services
from customer_tiers.errors import UserError

PUBLISHED = [date(2026, 1, 31), date(2026, 2, 28)]


class Shell:
    """Plays no night, but remembers which were asked for; fails on one of them."""

    def __init__(self) -> None:
        self.played: list[str] = []
        self.said: list[str] = []
        self.bad: str | None = None

    def run_night(
        self, source: str, *, business_date: str, path: object, say: object, is_quiet: bool
    ) -> None:
        assert is_quiet
        if business_date == self.bad:
            raise UserError("the source was down")
        self.played.append(business_date)

    def backfill(self, first: str, last: str, every: str | None = None, source: str = "sample"):
        days = date.fromisoformat(first), date.fromisoformat(last)
        backfill.play(source, *days, every=every, path=None, say=self.said.append)


@pytest.fixture
def shell(monkeypatch) -> Shell:
    shell = Shell()
    monkeypatch.setattr(runner, "run_night", shell.run_night)
    monkeypatch.setattr(services, "up", lambda say: None)
    monkeypatch.setattr(
        backfill,
        "_published",
        lambda source, first, last: [day for day in PUBLISHED if first <= day <= last],
    )
    return shell


def test_the_published_nights_of_the_range_are_played_in_order(shell):
    shell.backfill("2026-01-01", "2026-02-28")
    assert shell.played == ["2026-01-31", "2026-02-28"]
    assert shell.said == [
        "backfill of source sample: 2 nights, 2026-01-31 to 2026-02-28",
        "night 1 of 2",
        "night 2 of 2",
    ]


@pytest.mark.parametrize(
    ("first", "last", "every", "expected"),
    [
        ("2026-02-27", "2026-03-01", "day", ["2026-02-27", "2026-02-28", "2026-03-01"]),
        ("2026-03-01", "2026-03-03", None, ["2026-03-01", "2026-03-02", "2026-03-03"]),
        ("2026-02-01", "2026-02-15", "week", ["2026-02-01", "2026-02-08", "2026-02-15"]),
        ("2025-12-31", "2026-03-31", "month", ["2025-12-31", *map(str, PUBLISHED), "2026-03-31"]),
        ("2028-01-30", "2028-03-29", "month", ["2028-01-30", "2028-02-29"]),
        ("2026-01-31", "2026-01-31", "month", ["2026-01-31"]),
    ],
)
def test_a_step_or_nothing_published_plays_the_days_of_the_range(
    shell, first, last, every, expected
):
    shell.backfill(first, last, every)
    assert shell.played == expected


def test_a_bad_night_stops_it_with_one_line(shell):
    shell.bad = "2026-02-02"
    with pytest.raises(UserError) as stopped:
        shell.backfill("2026-02-01", "2026-02-04", "day")
    assert shell.played == ["2026-02-01"]
    assert str(stopped.value) == (
        "backfill stopped at 2026-02-02, 1 of 4 nights done: the source was down"
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("2026-02-02", "2026-02-01"), "--from 2026-02-02 lies after --to 2026-02-01"),
        (("2026-02-01", "2026-02-02", "year"), "--every year"),
        (("2026-02-01", "2026-02-02", None, "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_order_is_answered_before_anything_is_started(shell, words, named):
    with pytest.raises(UserError, match=named):
        shell.backfill(*words)
    assert shell.played == shell.said == []
