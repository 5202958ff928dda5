"""Starts and stops background processes, and knows them again in another command.

Each process leads a session of its own, so everything it forked is found and stopped with it, also
when the leader itself was killed. A note in HOME/run holds its pid and the moment it started: a pid
alone may belong to somebody else by now.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

POLL_SECONDS = 0.05
"""How often a process that is on its way up or down is looked at."""


@dataclasses.dataclass(frozen=True)
class Running:
    """A background process that we started."""

    name: str
    pid: int
    born: str
    address: str

    def is_alive(self) -> bool:
        """Whether it is still that process, and not another with its pid."""
        return _born(self.pid) == self.born


def launch(
    run: Path,
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    address: str = "",
) -> Running:
    """Start a process in the background and note it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=run,
            start_new_session=True,
        )
    noted = Running(name, process.pid, _born(process.pid) or "", address)
    unfinished = run / f".{name}.json"
    unfinished.write_text(json.dumps(dataclasses.asdict(noted)))
    unfinished.replace(run / f"{name}.json")
    return noted


def find(run: Path, name: str) -> Running | None:
    """Return what was noted about a process, alive or not."""
    try:
        return Running(**json.loads((run / f"{name}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def listens(noted: Running, port: int) -> bool:
    """Whether it is this process, and no other, that serves the port."""
    try:
        opened = psutil.Process(noted.pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in opened)


def stop(run: Path, names: Iterable[str], patience: float) -> list[str]:
    """Stop processes with all they started, and return the names of those that were there.

    They are asked first; what is still there after ``patience`` seconds is killed.
    """
    found = [noted for name in names if (noted := find(run, name))]
    leaders = {noted.pid for noted in found if noted.is_alive()}
    everyone = {noted.name: _family(noted) for noted in found}
    family = {member for members in everyone.values() for member in members}
    # Leaders end their own children; orphans of a dead leader have nobody else to tell them.
    orphans = {m for noted in found if noted.pid not in leaders for m in everyone[noted.name]}
    for process in family:
        if process.pid in leaders or process in orphans:
            _send(process, signal.SIGTERM)
    _wait(family, patience)
    for noted in found:  # again: a process may have forked since
        family |= _family(noted)
    for process in family:
        _send(process, signal.SIGKILL)
    _wait(family, 10)
    for noted in found:
        (run / f"{noted.name}.json").unlink(missing_ok=True)
    return [noted.name for noted in found if everyone[noted.name]]


def _family(noted: Running) -> set[psutil.Process]:
    """The members of a process's session and all their descendants."""
    if psutil.pid_exists(noted.pid) and _born(noted.pid) not in (noted.born, None):
        return set()  # the pid is somebody else's, so nothing of the session is left
    members = set()
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(pid) == noted.pid:
                process = psutil.Process(pid)
                members |= {process, *process.children(recursive=True)}
    return {member for member in members if _is_there(member)}


def _send(process: psutil.Process, what: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error, OSError):
        process.send_signal(what)  # looks first whether the pid is still this process's


def _wait(family: set[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_is_there(process) for process in family) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _born(pid: int) -> str | None:
    """When a process started; None if there is none or only its exit code is left.

    In clock ticks since boot where the system says so: the time of day may be set anew.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        return None
    else:
        return None if fields[0] in "ZX" else fields[19]
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.Error:
        return None
