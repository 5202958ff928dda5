"""A night for each day, also where clocks change: which day each scheduled run is about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from customer_tiers import settings, time_zone
from customer_tiers.errors import UserError

YEAR = 365

SCRIPT = """
import json, sys
from types import SimpleNamespace

from airflow.dag_processing.dagbag import DagBag
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from customer_tiers import orchestration

dag = DagBag(dag_folder=sys.argv[1]).dags["refresh_customer_tiers"]
table = CronTriggerTimetable(dag.timetable.expression, timezone=dag.timetable.timezone)
since, last, runs = TimeRestriction(dag.start_date, None, True), None, []
for number in range(int(sys.argv[2])):
    found = table.next_dagrun_info(last_automated_data_interval=last, restriction=since)
    last = found.data_interval
    run = SimpleNamespace(
        run_id="x", run_type="scheduled", logical_date=found.logical_date, run_after=found.run_after
    )
    said = orchestration.describe_run({"dag_run": run, "params": {}})
    runs.append([found.run_after.isoformat(), said["business_date"], said["run_date"]])
print(json.dumps(runs))
"""
"""The scheduler's own timetable, as the DAG asks for it, and what a run makes of it."""


def runs(folder, schedule: str, zone: str) -> list[tuple[datetime, date, date]]:
    """Begin, business date and day of the run of a year's scheduled nights."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(settings.DAGS), str(YEAR)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "AIRFLOW_HOME": str(folder),
            "CUSTOMER_TIERS_SCHEDULE": schedule,
            "CUSTOMER_TIERS_TIMEZONE": zone,
        },
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        (datetime.fromisoformat(begun), date.fromisoformat(day), date.fromisoformat(run_day))
        for begun, day, run_day in found
    ]


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        ("0 4 * * *", "UTC"),
        ("0 4 * * *", "Asia/Shanghai"),
        ("30 2 * * *", "Europe/Berlin"),  # there twice on one night, and not at all on another
        ("0 2 * * *", "America/New_York"),
        ("0 0 * * *", "Pacific/Auckland"),
    ],
)
def test_p16_each_day_has_its_night_also_where_the_clock_changes(tmp_path, schedule, zone):
    found = runs(tmp_path, schedule, zone)
    first = found[0][1]
    assert [day for _, day, _ in found] == [first + timedelta(days=n) for n in range(YEAR)]
    for begun, day, run_day in found:
        local = begun.astimezone(ZoneInfo(zone))
        assert local.date() == run_day == day + timedelta(days=1), "the day is over, and no more"


def test_a_zone_that_is_none_is_one_line(monkeypatch):
    monkeypatch.setattr(settings, "TIMEZONE", "Asia/Peking")
    with pytest.raises(UserError, match="CUSTOMER_TIERS_TIMEZONE=Asia/Peking: there is no such"):
        time_zone.zone()
