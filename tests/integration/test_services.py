"""The embedded services as a whole, really started and stopped; takes about a minute."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

SERVICES = ["postgres", "mail", "api-server", "scheduler", "dag-processor"]
AIRFLOW = SERVICES[2:]

DAGS = '''
    """DAGs of a test: one that maps and announces, one that follows, one that never ends."""

    from airflow.sdk import Asset, Metadata, dag, get_current_context, task

    ANNOUNCED = Asset("announced_by_test")


    @dag(schedule=None)
    def lead():
        @task
        def look() -> dict:
            import os, subprocess, sys

            seen = {name: os.environ.get(name) for name in (
                "AIRFLOW_CONN_ERP", "AIRFLOW__CORE__EXECUTOR", "DO_NOT_TRACK", "SCARF_ANALYTICS",
                "GX_ANALYTICS_ENABLED", "DBT_SEND_ANONYMOUS_USAGE_STATS", "CUSTOMER_TIERS_HOME",
                "PYTHONDONTWRITEBYTECODE",
            )}
            seen["first_on_path"] = os.environ["PATH"].split(os.pathsep)[0]
            return seen

        @task(map_index_template="{{ label }}")
        def double(n: int) -> int:
            get_current_context()["label"] = f"n={n}"
            return 2 * n

        @task(outlets=[ANNOUNCED])
        def announce(numbers: list[int]):
            yield Metadata(ANNOUNCED, {"total": sum(numbers)})

        doubled = double.expand(n=[1, 2])
        look() >> doubled
        announce(doubled)


    @dag(schedule=[ANNOUNCED])
    def follow():
        @task
        def read(triggering_asset_events) -> list:
            return [e.extra["total"] for found in triggering_asset_events.values() for e in found]

        read()


    @dag(schedule=None)
    def stay():
        @task
        def sleep() -> None:
            import subprocess

            subprocess.run(["sleep", "998877"], start_new_session=True)

        sleep()


    lead()
    follow()
    stay()
'''

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="customer-tiers-services-"))
    folder.chmod(0o755)
    (folder / "dags").mkdir()
    (folder / "dags" / "test_dags.py").write_text(textwrap.dedent(DAGS))
    yield folder
    run_in(folder, "services.down()")
    shutil.rmtree(folder)


def run_in(folder: Path, program: str, **environment: str) -> Any:
    """Run a line of Python as a command of its own and return the JSON that it set as `said`."""
    ours = {
        "CUSTOMER_TIERS_HOME": str(folder / "var"),
        "CUSTOMER_TIERS_DAGS": str(folder / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__API__HOST": "0.0.0.0",
    }
    lines = [
        "import dataclasses, json",
        "from customer_tiers.embedded import services",
        "said = None",
        program,
        "print(json.dumps(said))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, **ours, **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    logs = [path.read_text()[-2000:] for path in (folder / "var" / "logs").glob("*.log")]
    assert done.returncode == 0, "\n".join([done.stderr, *logs])
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    def run_here(program: str, **environment: str) -> Any:
        return run_in(home, program, **environment)

    return run_here


def status(run: Run) -> dict[str, dict[str, Any]]:
    rows = run("said = [dataclasses.asdict(row) for row in services.status()]")
    return {row["name"]: row for row in rows}


def pids(run: Run) -> dict[str, int | None]:
    return {name: row["pid"] for name, row in status(run).items()}


def sessions(leaders: list[int]) -> list[psutil.Process]:
    """All processes that the leaders started, at any depth."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) in leaders:
                found |= {process, *process.children(recursive=True)}
        except (psutil.Error, OSError):
            continue
    return [process for process in found if is_there(process)]


def is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_until(is_so: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    process = psutil.Process(pid)
    wait_until(lambda: not is_there(process))


# The tests below are one story, in this order: each goes on where the one before has ended.


def test_up_starts_everything_on_loopback(run: Run, home: Path) -> None:
    said = run("said = []; services.up(said.append)")
    assert any("PostgreSQL" in line for line in said)
    rows = status(run)
    assert list(rows) == SERVICES
    assert {row["state"] for row in rows.values()} == {"running"}
    family = {process.pid for process in sessions([row["pid"] for row in rows.values()])}
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and connection.pid in family
    }
    assert listening == {"127.0.0.1"}
    for path in (home / "var" / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_run_is_followed_and_its_values_read(run: Run, home: Path) -> None:
    program = textwrap.dedent("""
        api = services.api()
        api.wait_for_dag("lead")
        run_id = api.trigger("lead", {"any": 1})
        changes = []
        state = api.wait("lead", run_id, changes.append, timeout=120)
        follower = api.run_of_asset_event("follow", "lead", run_id)
        said = {
            "states": [state, api.wait("follow", follower, timeout=60)],
            "look": api.xcom("lead", run_id, "look"),
            "mapped": [api.xcom("lead", run_id, "double", map_index=n) for n in (0, 1)],
            "nothing": api.xcom("lead", run_id, "double", "no_such_key", 0),
            "followed": api.xcom("follow", follower, "read"),
            "ended": sorted([c.task_id, c.label] for c in changes if c.state == "success"),
        }
    """)
    said = run(program, AIRFLOW_CONN_ERP="")
    assert said["states"] == ["success", "success"]
    assert said["mapped"] == [2, 4]
    assert said["nothing"] is None
    assert said["followed"] == [6]
    assert said["ended"] == [["announce", ""], ["double", "n=1"], ["double", "n=2"], ["look", ""]]
    assert said["look"] == {
        "AIRFLOW_CONN_ERP": None,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "CUSTOMER_TIERS_HOME": str(home / "var"),
        "PYTHONDONTWRITEBYTECODE": None,
        "first_on_path": str(Path(sys.executable).parent),
    }


def test_a_second_up_changes_nothing_and_is_quick(run: Run) -> None:
    before = pids(run)
    program = """
        import time
        lines, began = [], time.monotonic()
        services.up(lines.append)
        said = [lines, time.monotonic() - began]
    """
    lines, seconds = run(textwrap.dedent(program))
    assert lines == []
    assert seconds < 3
    assert pids(run) == before


def test_up_replaces_what_was_killed_and_only_that(run: Run) -> None:
    before = pids(run)
    orphans = sessions([before["scheduler"] or 0])
    assert len(orphans) > 1, "the scheduler has workers"
    kill(before["scheduler"])
    kill(before["mail"])
    rows = status(run)
    assert {rows["scheduler"]["state"], rows["mail"]["state"]} == {"dead"}
    old = rows["mail"]["address"]
    with socket.create_server(("127.0.0.1", int(old.rpartition(":")[2]))):
        run("services.up()")
    assert status(run)["mail"]["address"] != old, "the port had gone to somebody else"
    after = pids(run)
    assert {name for name in SERVICES if after[name] != before[name]} == {"scheduler", "mail"}
    assert [process for process in orphans if is_there(process)] == []


def test_changed_connections_reach_the_tasks(run: Run) -> None:
    before, address = pids(run), status(run)["api-server"]["address"]
    run("services.up()", AIRFLOW_CONN_ERP="postgresql://u:p@erp.example/erp")
    after = pids(run)
    assert status(run)["api-server"]["address"] == address
    assert {name for name in SERVICES if after[name] != before[name]} == set(AIRFLOW)
    assert psutil.Process(after["scheduler"]).environ()["AIRFLOW_CONN_ERP"].endswith("/erp")


def test_down_leaves_nothing_behind(run: Run) -> None:
    rows = status(run)
    run("api = services.api(); api.wait_for_dag('stay'); api.trigger('stay')")
    leaders = [row["pid"] for row in rows.values()]

    def asleep() -> bool:
        return any("998877" in " ".join(process.cmdline()) for process in sessions(leaders))

    wait_until(asleep)
    family = sessions(leaders)
    kill(rows["api-server"]["pid"])  # half of it is dead already
    run("services.down()")
    assert [process for process in family if is_there(process)] == []
    for row in rows.values():
        if row["address"]:
            address, port = row["address"].removeprefix("http://").split(":")
            with socket.socket() as probe:
                assert probe.connect_ex((address, int(port))) != 0
    assert {row["state"] for row in status(run).values()} == {"stopped"}
    run("services.down()")
