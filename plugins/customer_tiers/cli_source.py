"""`tiers source`: lay out and check how a business system is read."""

from __future__ import annotations

from typing import Annotated

import typer

from customer_tiers.shell import PathOption, say

app = typer.Typer(help="Business systems that are read.", no_args_is_help=True)


@app.command("new")
def new(name: Annotated[str, typer.Argument(help="Name of the new source.")]) -> None:
    """Lay out sources/NAME from the template: one SELECT per entity, to be filled in."""
    from customer_tiers.sources import definition

    say(f"{definition.create(name)} is laid out; docs/add-a-source.md says how to fill it in")


@app.command("check")
def check_(
    name: Annotated[str, typer.Argument(help="A folder of sources/.")],
    path: PathOption = None,
    rows: Annotated[int, typer.Option(help="Rows of each entity to look at.")] = 200_000,
) -> None:
    """Try connection, rights and every SELECT against the contract; say what to change."""
    from customer_tiers import contract
    from customer_tiers.sources import check

    report = check.check(name, contract.load(), str(path.resolve()) if path else None, rows)
    for line in (*report.lines, "", *check.verdict(report, name)):
        say(line)
    if report.faults:
        raise typer.Exit(1)
