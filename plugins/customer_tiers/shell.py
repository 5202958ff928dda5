"""What the commands of `tiers` share: how they speak, and how they read a source and a day."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from customer_tiers.errors import UserError

if TYPE_CHECKING:
    import psycopg

out = Console(highlight=False)

SourceOption = Annotated[str, typer.Option("--source", help="Which company: a folder of sources/.")]

PathOption = Annotated[
    Path | None, typer.Option("--path", help="Folder to read, for a source of files.")
]


def say(line: str) -> None:
    """Print one line of progress."""
    out.print(line, markup=False, soft_wrap=True)


def day(text: str) -> datetime.date:
    """Read a day that a person wrote.

    Raises:
        UserError: It is none.
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise UserError(f"date {text!r}: not a day; write it as YYYY-MM-DD") from None


def warehouse(source: str) -> psycopg.Connection:
    """Open the warehouse of a company that has played a night, in autocommit mode.

    Raises:
        UserError: No night was played yet, or the warehouse cannot be reached.
    """
    from customer_tiers import night
    from customer_tiers.load import tables

    connection = night.connect(source)
    if not tables.is_prepared(connection):
        connection.close()
        raise UserError(f"source {source}: no night was played yet; use `tiers run`")
    return connection
