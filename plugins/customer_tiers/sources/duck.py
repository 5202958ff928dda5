"""DuckDB as it is used here: in bounded memory, with one way to quote names and values."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from customer_tiers import settings
from customer_tiers.errors import UserError


@contextmanager
def connect(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB of our own in memory, which spills to the scratch folder."""
    with duckdb.connect(":memory:") as connection:
        try:
            connection.execute(f"set memory_limit = {literal(settings.LOADER_MEMORY)}")
        except duckdb.Error:
            raise UserError(
                f"CUSTOMER_TIERS_LOADER_MEMORY {settings.LOADER_MEMORY!r} is no size; write it as "
                "96MB or 1GB"
            ) from None
        connection.execute("set threads = 1")  # each has its buffers; COPY needs a core, too
        connection.execute("set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"set temp_directory = {literal(str(scratch))}")
        yield connection


def quoted(name: str) -> str:
    """A name as DuckDB quotes it."""
    return '"' + name.replace('"', '""') + '"'


def path_literal(path: Path | str) -> str:
    """The path of a file as DuckDB reads it: to DuckDB a path is a pattern."""
    return literal(re.sub(r"[\[*?{]", r"[\g<0>]", str(path)))


def own_limit(message: str) -> str | None:
    """Say of a fault of DuckDB that it is a limit of ours, and what to do; None if it is none."""
    if "Out of Memory" in message:
        return (
            f"reading it needs more memory than the {settings.LOADER_MEMORY} that DuckDB may take "
            "here, which is a limit of this program and no fault of the data; set "
            "CUSTOMER_TIERS_LOADER_MEMORY to more, for example 400MB"
        )
    if "max_temp_directory_size" in message or "No space left" in message:
        return (
            f"the disk of {tempfile.gettempdir()}, where rows lie while they are read, is full, "
            "which is no fault of the data; make room, or set TMPDIR to a folder with more"
        )
    return None


def literal(value: str | date) -> str:
    """A value as DuckDB quotes it."""
    text = value.isoformat() if isinstance(value, date) else value
    return "'" + text.replace("'", "''") + "'"
