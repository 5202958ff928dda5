"""Which files of a folder make up which table, and which of them may be read by now."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import translate
from glob import escape
from pathlib import Path
from typing import Any

from customer_tiers import settings
from customer_tiers.errors import UserError
from customer_tiers.sources.definition import WRITTEN, System

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
"""Endings that senders give a file while they write it."""

SETTLE_SECONDS = 1.0
"""A file that was touched within this time may still be written, so it is looked at again."""

PATIENCE_SECONDS = 60.0
"""How long to wait for files that keep changing."""

COPY = re.compile(r"^\d{8}T\d{6}Z_[0-9a-f]{16}_")
"""What a copy in the archive has before the name of the file: `<time of reading>_<hash>_`."""


@dataclass(frozen=True)
class Table:
    """A table's files, the oldest first, and how source.yml says they are to be read."""

    files: tuple[Path, ...]
    options: dict[str, Any]


def tables(system: System, folder: Path, *, keeps: bool = True) -> dict[str, Table]:
    """Return the tables of a folder by name.

    Args:
        system: Its block in source.yml.
        folder: Where the files are.
        keeps: Copies of what is new go to the archive, if there is one; else nothing is written.

    Raises:
        UserError: Two files claim one name, or a file does not stop growing.
    """
    delivered = _delivered(system, folder)
    _wait_until_settled(system, delivered)
    if archive := system.options.get("archive"):
        delivered = _with_archive(settings.PROJECT / archive, delivered, keeps=keeps)
    own: dict[str, dict[str, Any]] = system.options.get("tables", {})
    common = {k: v for k, v in system.options.items() if k in WRITTEN}
    found: dict[str, Table] = {}
    taken: set[Path] = set()
    for table, options in own.items():
        files = _matching(system, delivered, table, options["files"])
        taken |= set(files)
        if files:
            found[table] = Table(files, {**common, **options})
    seen: set[str] = {_folded(table) for table in found}
    for file in delivered:
        if file in taken:
            continue
        table = unicodedata.normalize("NFC", Path(delivered_name(file)).stem)
        if _folded(table) in seen:
            raise UserError(
                f"source {system.source}, system {system.name}: {file} and another file give the "
                f"table {table}: they differ only in their ending or in upper and lower case; "
                "keep one, or name the right one under `tables` in source.yml"
            )
        seen.add(_folded(table))
        found[table] = Table((file,), common)
    return found


def _matching(system: System, delivered: list[Path], table: str, pattern: str) -> tuple[Path, ...]:
    """The files whose names the pattern of a table fits; a content that is there twice once.

    Raises:
        UserError: The pattern was meant as a name, or two names differ only in their case.
    """
    where = f"source {system.source}, system {system.name}, table {table}"
    names = {file: _folded(delivered_name(file)) for file in delivered}
    fits = re.compile(translate(_folded(pattern))).match
    for file, name in names.items():
        if name == _folded(pattern) and not fits(name):
            raise UserError(
                f"{where}: `files` is a pattern, and {pattern} does not fit the file of that name "
                f"({file}); write its brackets as [[], so: {escape(pattern)}"
            )
    files = _once([file for file, name in names.items() if fits(name)])
    seen: dict[str, Path] = {}
    for file in files:
        if other := seen.get(names[file]):
            raise UserError(
                f"{where}: {other} and {file} differ in content, but their names only in upper "
                "and lower case; take away the one that does not count"
            )
        seen[names[file]] = file
    return files


def _folded(name: str) -> str:
    """A name as it is compared: in lower case, and with letters and accents composed."""
    return unicodedata.normalize("NFC", name).lower()


def _delivered(system: System, folder: Path) -> list[Path]:
    """The files that are there whole, as far as their names say."""
    done = system.options.get("done_suffix")
    files = []
    entries = sorted(folder.iterdir())
    names = {entry.name for entry in entries}
    for file in entries:
        name = file.name
        if not file.is_file() or name.startswith((".", "~$")):
            continue
        if file.suffix.lower() not in SUFFIXES or any(end in UNFINISHED for end in file.suffixes):
            continue
        if any(name + end in names for end in UNFINISHED):
            continue
        if done and not names & {name + done, file.stem + done}:
            continue
        files.append(file)
    return files


def _wait_until_settled(system: System, files: Iterable[Path]) -> None:
    """Wait while a file's size or time of change moves, or lies less than a moment back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before = _stamps(files)
    youngest = max((modified for _, modified in before.values()), default=0.0)
    if time.time() - youngest >= SETTLE_SECONDS:
        return
    while time.monotonic() < deadline:
        time.sleep(SETTLE_SECONDS)
        now = _stamps(files)
        if now == before:
            return
        before = now
    raise UserError(
        f"source {system.source}, system {system.name}: files in "
        f"{next(iter(files)).parent} are still being written after {PATIENCE_SECONDS:.0f} s; run "
        "again later, or have the sender use `done_suffix` (source.yml)"
    )


def _stamps(files: Iterable[Path]) -> dict[Path, tuple[int, float]]:
    found = {}
    for file in files:
        state = file.stat()
        found[file] = (state.st_size, state.st_mtime)
    return found


def _once(files: list[Path]) -> tuple[Path, ...]:
    """The files without those that repeat the content of another."""
    sizes = Counter(file.stat().st_size for file in files)
    kept, seen = [], set()
    for file in files:
        size = file.stat().st_size
        if sizes[size] > 1:
            content = digest(file)
            if content in seen:
                continue
            seen.add(content)
        kept.append(file)
    return tuple(kept)


def digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _with_archive(archive: Path, delivered: list[Path], *, keeps: bool) -> list[Path]:
    """Keep a copy of each new delivery; return the newest version of each name ever delivered.

    A copy is `<time of reading>_<hash>_<name>`. What is read is the copy, so the archive holds
    exactly what was loaded, whatever the sender does to the file meanwhile. A content that comes
    back after another one is a delivery, too: the sender takes the other one back.
    """
    if keeps:
        archive.mkdir(parents=True, exist_ok=True)
    copies = sorted(archive.iterdir()) if archive.is_dir() else []
    newest = {
        delivered_name(file): file
        for file in copies
        if COPY.match(file.name) and file.suffix.lower() in SUFFIXES
    }
    for file in delivered:
        content = digest(file)
        before = newest.get(file.name)
        if before is None or before.name.split("_", 2)[1] != content[:16]:
            newest[file.name] = _copied(file, archive, content) if keeps else file
    return [newest[name] for name in sorted(newest)]


def _copied(file: Path, archive: Path, content: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = archive / f"{stamp}_{content[:16]}_{file.name}"
    partial = archive / f"{content[:16]}.part"
    try:
        shutil.copy2(file, partial)
        if digest(partial) != content:
            partial.unlink()
            raise UserError(f"{file}: changed while it was copied to {archive}; run again")
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(
            f"{file}: could not be copied to the archive {archive} ({error.strerror}); make room "
            "there and let it be written; the name of a copy is 34 bytes longer than the file's"
        ) from None
    return target


def delivered_name(file: Path) -> str:
    """The name under which a file was delivered."""
    return COPY.sub("", file.name)


def shown_name(file: Path) -> str:
    """The name under which a file was delivered, as text that a database can hold."""
    return delivered_name(file).encode("utf-8", "replace").decode()
