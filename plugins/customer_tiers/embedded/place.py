"""Where the embedded cluster lives and as which system user it runs.

PostgreSQL refuses to run as root. An ordinary user keeps everything below ``settings.HOME``. For
root the programs run as ``nobody``; if ``nobody`` cannot reach the project (a clone below /root,
say) the cluster and a copy of the programs live in a folder of their own below /var/lib.
Permissions of the user's own folders are never changed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

from customer_tiers.embedded import binaries as pg
from customer_tiers.embedded import files
from customer_tiers.errors import UserError

FALLBACKS = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 (made by root, checked below)
"""Where root may keep what ``nobody`` must reach; /var/lib first, as /var/tmp is swept by age."""


@dataclasses.dataclass(frozen=True)
class Place:
    """The folders of one cluster and the user who runs it."""

    own: Path
    """Folder below HOME with what only we read: password, port, lock, the note where `root` is."""
    root: Path
    """Folder that holds `data`; the same as `own` unless root needs a fallback."""
    user: tuple[int, int] | None
    """User and group id to run as; None for the ordinary user who called."""

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.root / "data"

    def as_user(self) -> dict[str, Any]:
        """Arguments for subprocess that drop root's rights."""
        if self.user is None:
            return {}
        return {"user": self.user[0], "group": self.user[1], "extra_groups": []}


def locate(home: Path) -> Place:
    """Return where the cluster of a HOME is, without making or checking anything."""
    own = home / "postgres"
    root = own
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        root = Path((own / "place").read_text().strip())
    return Place(own, root, _runs_as())


def prepare(home: Path, binaries: pg.Binaries) -> tuple[Place, pg.Binaries]:
    """Make the folders, and choose programs that the cluster's user can run.

    Raises:
        UserError: If a folder cannot be made, or belongs to somebody else.
    """
    as_root = os.geteuid() == 0
    files.make_folder(home, 0o755)
    files.make_folder(home / "postgres", 0o755 if as_root else 0o700)
    place = locate(home)
    if place.root != place.own:
        _check_fallback(place)
    elif as_root and not place.data.exists() and not _can_enter(place, place.own):
        place = _make_fallback(place)
    if as_root and not _can_run(place, binaries):
        folder = place.root if place.root != place.own else _fallback_folder(place)
        binaries = pg.copy_to(binaries, folder)
    _check_owner(place)
    return place, binaries


def _runs_as() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise UserError(
            "PostgreSQL cannot run as root and this system has no user nobody: run as an ordinary "
            "user, or name your own server in AIRFLOW_CONN_WAREHOUSE"
        ) from error
    return entry.pw_uid, entry.pw_gid


def _can_enter(place: Place, folder: Path) -> bool:
    return _succeeds(place, ["/bin/sh", "-c", 'cd "$0"', str(folder)])


def _can_run(place: Place, binaries: pg.Binaries) -> bool:
    return _succeeds(place, [binaries.program("postgres"), "--version"])


def _succeeds(place: Place, command: list[str]) -> bool:
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, timeout=20, **place.as_user())
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _make_fallback(place: Place) -> Place:
    # A folder that HOME does not remember is a leftover of a HOME that was removed to start over.
    root = _fallback_folder(place)
    shutil.rmtree(root / "data", ignore_errors=True)
    (place.own / "place").write_text(f"{root}\n")
    return dataclasses.replace(place, root=root)


def _fallback_folder(place: Place) -> Path:
    name = "customer-tiers-" + hashlib.sha256(str(place.own).encode()).hexdigest()[:12]
    for parent in FALLBACKS:
        root = parent / name
        with contextlib.suppress(OSError):
            root.mkdir(mode=0o755, exist_ok=True)
            if root.is_symlink() or root.stat().st_uid != 0:
                continue  # below a folder that all can write to, it may be somebody's trap
            root.chmod(0o755)
            return root
    raise UserError(
        f"the user nobody, who runs PostgreSQL for root, cannot reach {place.own}, and no folder "
        "below /var/lib or /var/tmp can be made: set CUSTOMER_TIERS_HOME to a folder all can enter"
    )


def _check_fallback(place: Place) -> None:
    if not place.data.is_dir() and (place.own / "port").exists():  # it has run before
        raise UserError(
            f"the database of {place.own.parent} was kept in {place.root} and is gone: bring it "
            f"back, or remove {place.own} to start with an empty one"
        )


def _check_owner(place: Place) -> None:
    wanted = place.user[0] if place.user else os.geteuid()
    try:
        owner = place.data.stat().st_uid
    except FileNotFoundError:
        return
    if owner == wanted:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = str(owner)
    who = "root" if name == "nobody" else name
    raise UserError(
        f"the data folder {place.data} belongs to the user {name}: work as {who}, who made it, or "
        "set CUSTOMER_TIERS_HOME to a folder of your own"
    )
