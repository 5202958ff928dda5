"""The embedded PostgreSQL: one cluster below HOME, on loopback, with a password.

``start`` makes the cluster when there is none and repairs what a crash left behind. ``running``
looks at the cluster's own pid file, so no state of ours can disagree with it. The data survives
``stop``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from customer_tiers import settings
from customer_tiers.embedded import binaries as pg
from customer_tiers.embedded import files
from customer_tiers.embedded.cluster import USER, Cluster
from customer_tiers.embedded.place import Place, locate, prepare
from customer_tiers.errors import UserError

PREFERRED_PORT = 15432
"""Beside the usual 5432, so that a PostgreSQL of the machine is not in the way."""

START_SECONDS = 300
"""A crash recovery may take minutes; an ordinary start takes less than a second."""

STOP_SECONDS = 60
"""After this time a stop no longer waits for the checkpoint; the next start recovers."""

_SETTINGS = {
    "listen_addresses": files.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "work_mem": "128MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    # Nobody replicates it, so rows copied into a table that is made in the same transaction, as a
    # first load does, are written once and not to the log as well.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "autovacuum_naptime": "1min",
}


def start(home: Path = settings.HOME) -> Cluster:
    """Start the cluster, or return the one that runs.

    Raises:
        UserError: If the folder, the programs or the server cannot be used.
    """
    found = running(home)
    if found:
        return found
    place, binaries = prepare(home, pg.find())
    with files.locked(place.own / "lock"):
        return running(home) or _start(home, place, binaries)


def running(home: Path = settings.HOME) -> Cluster | None:
    """Return the cluster if it accepts connections, else None."""
    place = locate(home)
    state = _PidFile.read(place)
    if state is None or not state.is_ready or not _is_postmaster(state.pid, place):
        return None
    try:
        password = (place.own / "password").read_text().strip()
    except OSError as error:
        raise UserError(
            f"cannot read the password of the embedded database in {place.own}/password "
            f"({error.strerror}): work as the user who started it, or remove {place.root} to start "
            "with an empty one"
        ) from error
    return Cluster(files.LOOPBACK, state.port, USER, password, state.pid, place.data)


def stop(home: Path = settings.HOME) -> bool:
    """Stop the cluster; its data stays. Returns whether one was running."""
    place = locate(home)
    if not place.own.is_dir():
        return False
    with files.locked(place.own / "lock"):
        state = _PidFile.read(place)
        if state is None or not _is_postmaster(state.pid, place):
            return False
        for how in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, how)
            if _wait_until_gone(state.pid, place):
                return True
    raise UserError(f"PostgreSQL (pid {state.pid}) does not stop: see {_log(home)}")


@dataclasses.dataclass(frozen=True)
class _PidFile:
    """What PostgreSQL writes to postmaster.pid."""

    pid: int
    port: int
    is_ready: bool

    @classmethod
    def read(cls, place: Place) -> _PidFile | None:
        try:
            lines = (place.data / "postmaster.pid").read_text().splitlines()
            status = lines[7].strip() if len(lines) > 7 else ""
            return cls(int(lines[0]), int(lines[3]), status == "ready")
        except (OSError, ValueError, IndexError):
            return None


def _is_postmaster(pid: int, place: Place) -> bool:
    """Whether the process is the server of this data folder, which is its working folder."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()).samefile(place.data) and "postgres" in process.name()
    except (psutil.Error, OSError):
        return False


def _log(home: Path) -> Path:
    return home / "logs" / "postgres.log"


def _start(home: Path, place: Place, binaries: pg.Binaries) -> Cluster:
    files.make_folder(home / "logs")
    if not place.data.exists():
        _initialise(place, binaries)
    _check_version(place, binaries)
    _remove_stale_pid_file(place)
    taken: set[int] = set()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        port = files.choose_port(place.own / "port", PREFERRED_PORT, taken)
        said = _launch(home, place, binaries, port)
        cluster = running(home)
        if cluster:
            return cluster
        if "could not bind" in said:  # somebody took the port between our look and the start
            taken.add(port)
        elif "shared memory block" in said or "still in use" in said:
            time.sleep(0.1)  # sessions of a killed server are still going away
        else:
            raise UserError(f"PostgreSQL does not start ({_fault(said)}): see {_log(home)}")
    raise UserError(f"PostgreSQL was not ready after {START_SECONDS} s: see {_log(home)}")


def _initialise(place: Place, binaries: pg.Binaries) -> None:
    new = place.root / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    password = files.secret(place.own / "password")
    password_file = new.with_name("password.initdb")
    files.write_private(password_file, password, place.user)
    if place.user:
        os.chown(new, *place.user)
    try:
        for locale in _locales(binaries):
            done = subprocess.run(
                [
                    *(binaries.program("initdb"), f"--pgdata={new}", f"--username={USER}"),
                    *(f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"),
                    *("--no-instructions", *locale, *_cheap_logins(binaries)),
                ],
                cwd="/",
                env=_environment(),
                capture_output=True,
                text=True,
                **place.as_user(),
            )
            if done.returncode == 0:
                break
        else:
            fault = _fault(done.stderr)
            raise UserError(f"initdb cannot make a database in {place.root} ({fault})")
    finally:
        password_file.unlink(missing_ok=True)
    new.rename(place.data)


def _locales(binaries: pg.Binaries) -> list[list[str]]:
    """One order of text on every machine: PostgreSQL's own C.UTF-8, else the system's, else C."""
    built_in = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    others = [["--locale=C.UTF-8"], ["--locale=C"]]
    return [built_in, *others] if binaries.major >= 17 else others


def _cheap_logins(binaries: pg.Binaries) -> list[str]:
    """Hash the password once: repeating it 4,096 times, as is the default, makes a guessed password
    dear to try, but ours is random and long, and dbt logs in anew for every model and test."""
    return ["--set=scram_iterations=1"] if binaries.major >= 16 else []


def _check_version(place: Place, binaries: pg.Binaries) -> None:
    made_by = (place.data / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise UserError(
            f"the data in {place.data} was made by PostgreSQL {made_by}, but {binaries.folder} is "
            f"version {binaries.version}: name a PostgreSQL {made_by} in CUSTOMER_TIERS_PG_BIN, or "
            f"remove {place.data} to start with an empty database"
        )


def _remove_stale_pid_file(place: Place) -> None:
    # PostgreSQL itself removes the file of a dead process, but not when the pid is now another's.
    state = _PidFile.read(place)
    if state and psutil.pid_exists(state.pid) and not _is_postmaster(state.pid, place):
        (place.data / "postmaster.pid").unlink(missing_ok=True)


def _launch(home: Path, place: Place, binaries: pg.Binaries, port: int) -> str:
    """Start the server and wait until it is ready or gone; returns what it wrote to its log."""
    options = [f"-c{name}={value}" for name, value in {**_SETTINGS, **_machine()}.items()]
    with _log(home).open("ab") as log:
        before = log.tell()
        process = subprocess.Popen(
            [binaries.program("postgres"), "-D", str(place.data), "-p", str(port), *options],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **place.as_user(),
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        state = _PidFile.read(place)
        if state and state.is_ready and state.pid == process.pid:
            break
        time.sleep(0.02)
    with _log(home).open("rb") as log:
        log.seek(before)
        return log.read().decode(errors="replace")


def _machine() -> dict[str, str]:
    """Settings that depend on the machine."""
    chosen = {"shared_buffers": "512MB"}
    if psutil.virtual_memory().total < 4 * 2**30:
        chosen["shared_buffers"] = "128MB"
    # Containers often have 64 MB of /dev/shm, too little for a parallel query's work_mem.
    with contextlib.suppress(OSError):
        if shutil.disk_usage("/dev/shm").free < 2**30:  # noqa: S108 (only its size is looked at)
            chosen["dynamic_shared_memory_type"] = "mmap"
    return chosen


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _fault(said: str) -> str:
    lines = [line for line in said.splitlines() if "FATAL" in line or "error" in line.lower()]
    return (lines or said.splitlines() or ["no message"])[-1].strip()[:300]


def _wait_until_gone(pid: int, place: Place) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not _is_postmaster(pid, place):
            return True
        time.sleep(0.02)
    return False
