"""`tiers quarantine`: look after the rows that were set aside."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from customer_tiers import settings
from customer_tiers.shell import SourceOption, warehouse

app = typer.Typer(help="Rows that wait because they broke a rule.", no_args_is_help=True)

EntityOption = Annotated[str | None, typer.Option("--entity", help="Such as erp.invoice_lines.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="The row's key, as listed; else all of the entity.")
]


@app.command("list")
def list_(
    entity: EntityOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are settled, too.")] = False,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """List the waiting rows: which, which rule, since when, and whom to ask."""
    from customer_tiers.quality import stewardship

    with warehouse(source) as connection:
        for line in stewardship.lines(connection, entity, is_settled_too=all_):
            typer.echo(line)


@app.command()
def show(entity: str, key: str, source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Show one row as the source sent it, and every rule it broke."""
    from customer_tiers.quality import stewardship

    with warehouse(source) as connection:
        for line in stewardship.row(connection, entity, key):
            typer.echo(line)


@app.command()
def replay(
    entity: EntityOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Offer the waiting rows to raw again now: those that keep the rules come in."""
    from customer_tiers import quarantine_replay

    for line in quarantine_replay.replay(source, entity):
        typer.echo(line)


@app.command()
def drop(
    entity: str,
    reason: Annotated[str, typer.Option("--reason", help="Why it is not needed; kept.")],
    key: KeyOption = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Who decides; else the login name.")
    ] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Give rows up: they never come in as they are; one that the source corrects still does."""
    from customer_tiers.quality import stewardship

    with warehouse(source) as connection:
        typer.echo(stewardship.drop(connection, entity, key, reason, by or getpass.getuser()))
