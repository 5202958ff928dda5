"""Rules that every DAG keeps, checked on the folder that users deploy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from customer_tiers import settings

DAG_IDS = {
    *("refresh_customer_tiers", "send_tier_digests"),
    *("maintain_warehouse", "simulate_tier_policy"),
}
FILES = sorted(settings.DAGS.glob("*.py"))
MAX_LINES = 100
MAX_SEQUENCE = 12
PARSE_SECONDS = 2.0
HEAVY = ("great_expectations", "pandas", "sqlalchemy.orm", "dbt", "duckdb", "psycopg")


@pytest.fixture(scope="module")
def dagbag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=settings.DAGS)


def test_all_dags_import(dagbag):
    assert dagbag.import_errors == {}


def test_the_ids_are_exactly_these_and_each_file_is_named_after_its_dag(dagbag):
    assert set(dagbag.dags) == DAG_IDS == {path.stem for path in FILES}


def test_every_dag_says_what_it_does_and_how_to_triage(dagbag):
    for dag in dagbag.dags.values():
        assert "Triage:" in (dag.doc_md or ""), dag.dag_id


def test_tags_come_from_the_closed_list(dagbag):
    from customer_tiers.orchestration import TAGS

    for dag in dagbag.dags.values():
        assert dag.tags <= TAGS
        assert any(tag.startswith("impact/") for tag in dag.tags)


def test_every_step_of_the_night_is_tried_again_but_the_closing_one(dagbag):
    for dag in dagbag.dags.values():
        assert dag.max_active_runs == 1
        assert not dag.catchup
        for task in dag.tasks:
            assert task.retries == {"refuse": 0, "send": 4}.get(task.task_id, 1), task.task_id


def test_at_most_twelve_tasks_follow_each_other(dagbag):
    def depth(task) -> int:
        return 1 + max((depth(after) for after in task.downstream_list), default=0)

    for dag in dagbag.dags.values():
        assert max(depth(task) for task in dag.roots) <= MAX_SEQUENCE


def test_a_failed_step_closes_the_night_and_publishes_nothing(dagbag):
    dag = dagbag.dags["refresh_customer_tiers"]
    refuse = dag.get_task("refuse")
    assert refuse.trigger_rule == "one_failed"
    assert refuse.upstream_task_ids == {task.task_id for task in dag.tasks} - {"refuse"}
    assert "refuse" not in dag.get_task("publish").upstream_task_ids


def test_the_package_in_plugins_is_hidden_from_the_plugin_loader():
    assert "customer_tiers" in (settings.PLUGINS / ".airflowignore").read_text().split()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_thin(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_parses_fast_and_imports_nothing_heavy(path, tmp_path):
    """Measured in a fresh interpreter, after Airflow itself is imported."""
    script = tmp_path / "parse.py"
    script.write_text(
        "import sys, time, runpy\n"
        "import airflow.sdk, airflow.sdk.exceptions\n"
        "before = set(sys.modules); started = time.process_time()\n"
        "runpy.run_path(sys.argv[1])\n"
        "print(time.process_time() - started)\n"
        f"print([name for name in {HEAVY!r} if name in set(sys.modules) - before])\n"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, str(script), str(Path(path))],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    seconds, heavy = ran.stdout.splitlines()[-2:]
    assert float(seconds) < PARSE_SECONDS
    assert heavy == "[]"
