"""Folders, secrets, locks and free ports of the embedded services."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from customer_tiers.errors import UserError

LOOPBACK = "127.0.0.1"
"""Every embedded service listens here and nowhere else."""

PORTS_TO_TRY = 100
"""How many ports above the preferred one are tried before the system chooses one."""


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """Create a folder that we own; one that exists keeps its permissions.

    Raises:
        UserError: If the folder cannot be made or written to.
    """
    try:
        if not path.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(exist_ok=True)
            path.chmod(mode)
        elif not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError("not writable")
    except OSError as error:
        raise UserError(
            f"cannot write to the folder {path} ({error.strerror or error}): give yourself the "
            "right to write there, or set CUSTOMER_TIERS_HOME to a folder of your own"
        ) from error
    return path


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Replace a file at once; only its owner can read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if owner is not None:
            os.chown(name, *owner)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def secret(path: Path, new: str | None = None) -> str:
    """Return the secret kept in a file, or make one (letters, digits, ``-`` and ``_``)."""
    with contextlib.suppress(FileNotFoundError):
        if text := path.read_text().strip():
            return text
    write_private(path, new or secrets.token_urlsafe(24))
    return path.read_text().strip()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file; a second process waits until the first is done."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_port(file: Path, preferred: int, taken: Collection[int] = ()) -> int:
    """Return the port kept in a file if it is free, else the next free one, which is kept then."""
    kept = preferred
    with contextlib.suppress(FileNotFoundError, ValueError):
        kept = int(file.read_text())
    candidates = (kept, *range(preferred, preferred + PORTS_TO_TRY))
    port = next((p for p in candidates if p not in taken and is_free(p)), None) or _any_port()
    file.write_text(f"{port}\n")
    return port


def _any_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
