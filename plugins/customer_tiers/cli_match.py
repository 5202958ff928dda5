"""`tiers match`: a person settles which records are one customer."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from customer_tiers import settings
from customer_tiers.shell import SourceOption, warehouse

app = typer.Typer(help="Which records of ERP and CRM are one customer.", no_args_is_help=True)

WhyOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides; else the login name.")]


@app.command("list")
def list_(
    decided: Annotated[bool, typer.Option("--decided", help="What was decided instead.")] = False,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """List the doubtful pairs of the newest night, those with most at stake first."""
    from customer_tiers.identity import decisions

    with warehouse(source) as connection:
        if not decided:
            decisions.print_waiting(connection, typer.echo)
            return
        for line in decisions.decided(connection):
            typer.echo(line)


@app.command()
def accept(
    account: str,
    customer: str,
    reason: WhyOption,
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """The account of the CRM is that customer of the ERP, whatever else speaks against it."""
    _keep(source, by, kind="accept", account_id=account, customer_id=customer, reason=reason)


@app.command()
def reject(
    account: str,
    customer: str,
    reason: WhyOption,
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """The account is not that customer, whatever else speaks for it."""
    _keep(source, by, kind="reject", account_id=account, customer_id=customer, reason=reason)


@app.command()
def merge(
    customer: str,
    into: str,
    reason: WhyOption,
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Two customers of the ERP are one: the first counts as the second from the next night on.

    If the ERP lists the first no more and the second came later, it was renumbered: key, tier and
    history go on under the second.
    """
    _keep(source, by, kind="merge", customer_id=customer, into=into, reason=reason)


@app.command()
def apart(
    customer: str,
    other: str,
    reason: WhyOption,
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Two customers of the ERP are two; do not ask again."""
    _keep(source, by, kind="apart", customer_id=customer, into=other, reason=reason)


@app.command()
def split(
    customer: str,
    reason: WhyOption,
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """A merged customer stands alone again, whether we or the ERP merged it."""
    _keep(source, by, kind="split", customer_id=customer, reason=reason)


@app.command()
def undo(
    decision: Annotated[int, typer.Argument(help="Number in `tiers match list --decided`.")],
    by: ByOption = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Take a decision back; what it changed is as before from the next night on."""
    from customer_tiers.identity import decisions

    with warehouse(source) as connection:
        typer.echo(decisions.undo(connection, decision, by or getpass.getuser()))


def _keep(source: str, by: str | None, **values: str) -> None:
    from customer_tiers.identity import decisions

    with warehouse(source) as connection:
        decision = decisions.Decision(by=by or getpass.getuser(), **values)  # type: ignore[arg-type]
        number = decisions.decide(connection, decision)
        typer.echo(decisions.meaning(connection, number))
