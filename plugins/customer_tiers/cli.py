"""The command `tiers`: what a person at a shell does with the system.

A fault is one line and exit code 1. Heavy imports stay inside the commands: `--help` is quick.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from customer_tiers import cli_match, cli_outbox, cli_quarantine, cli_source, settings
from customer_tiers.errors import UserError
from customer_tiers.shell import PathOption, SourceOption, day, say

app = typer.Typer(
    help="Customer tiers, every night, from ERP and CRM data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sample = typer.Typer(help="The generated sample company.", no_args_is_help=True)
app.add_typer(sample, name="sample")
app.add_typer(cli_outbox.app, name="outbox")
app.add_typer(cli_match.app, name="match")
app.add_typer(cli_quarantine.app, name="quarantine")
digest = typer.Typer(help="The mails to managers.", no_args_is_help=True)
app.add_typer(digest, name="digest")
app.add_typer(cli_source.app, name="source")


def main() -> None:
    """Run the command line; print a fault as one line."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; a night that was started goes on, see `tiers status`", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # The reader, such as head, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@app.command()
def up() -> None:
    """Start PostgreSQL, the mail sink and Airflow; repair what has died."""
    from customer_tiers import time_zone
    from customer_tiers.embedded import services

    time_zone.zone()  # before anything starts: without it no DAG can be read
    services.up(say)
    status(last=False)


@app.command()
def down() -> None:
    """Stop every service; data and mails stay."""
    from customer_tiers.embedded import services

    services.down()
    say("all services stopped")


@app.command()
def status(
    last: Annotated[
        bool, typer.Option("--last", help="Where the time of the newest run went instead.")
    ] = False,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Show the services, their addresses, and the newest night of each company."""
    from customer_tiers import profile, summary
    from customer_tiers.embedded import services

    if last:
        profile.print_last(source, say)
        return
    for row in services.status():
        say(f"{row.name:<14} {row.state:<8} {row.address or ''}")
    summary.print_places(say)
    for line in summary.newest_nights():
        say(line)


@app.command()
def run(
    date: Annotated[
        str | None, typer.Option(help="Business date, YYYY-MM-DD; else the newest day of sales.")
    ] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
    path: PathOption = None,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Many rows are gone on purpose.")
    ] = False,
    accept_drift: Annotated[
        bool,
        typer.Option(
            "--accept-drift",
            help="A column is gone, empty or retyped, or a day unusual, on purpose.",
        ),
    ] = False,
) -> None:
    """Run one night through the Airflow scheduler and wait for its end."""
    from customer_tiers import demo as show
    from customer_tiers import runner, summary
    from customer_tiers.embedded import services

    if source == show.SOURCE:
        services.up(say)
        show.make_if_absent(say)
    run_id = runner.run_night(
        source,
        business_date=_date(date),
        path=path,
        say=say,
        accept_deletions=accept_deletions,
        accept_drift=accept_drift,
    )
    summary.print_night(source, say, run_id)


@app.command()
def explain(
    customer: str,
    date: Annotated[
        str | None, typer.Option(help="Business date of a published night; else the newest.")
    ] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Say why a customer has its tier: the receipt of a night, as a person reads it."""
    from customer_tiers import explanation, night

    with night.connect(source) as connection:
        for line in explanation.lines(connection, customer, _date(date)):
            say(line)


@app.command()
def simulate(
    policy: Annotated[
        list[str], typer.Argument(help="Id of a policy, or CSV files like the policy seeds.")
    ],
    first: Annotated[str | None, typer.Option("--from", help="First business date.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last business date.")] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Judge published nights again under another policy; nothing published is touched."""
    from customer_tiers import connections, contract, night, simulation
    from customer_tiers.sources import definition

    with night.connect(source) as connection:
        done = simulation.replay(
            connections.warehouse(source),
            policy,
            source=definition.load(source, contract.load()),
            first=day(first) if first else None,
            last=day(last) if last else None,
        )
        for line in simulation.lines(connection, done):
            say(line)


@app.command()
def backfill(
    first: Annotated[str, typer.Option("--from", help="First business date, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business date, YYYY-MM-DD.")],
    source: SourceOption = settings.DEFAULT_SOURCE,
    path: PathOption = None,
    every: Annotated[
        str | None, typer.Option(help="day, week or month; else the nights published in the range.")
    ] = None,
) -> None:
    """Play past nights again, in order; those older than the newest published one mail nobody."""
    from customer_tiers import backfill as past

    past.play(source, day(first), day(last), every=every, path=path, say=say)


@app.command()
def maintain(source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Thin old receipts to month ends, drop old records, vacuum; a DAG does it every week."""
    from customer_tiers import maintenance, night

    with night.connect(source) as connection:
        for line in maintenance.maintain(connection, source):
            say(line)


@app.command()
def sql(query: str, source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Run a SELECT on a company's warehouse and print CSV; nothing can be changed."""
    import psycopg

    from customer_tiers import night

    selected = f"({query.strip().rstrip(';')}\n)"
    with night.connect(source) as connection, connection.transaction():
        connection.execute("set transaction read only")
        try:
            # With parameters, even none, the server takes one statement only.
            check = f"select * from {selected.replace('%', '%%')} as result limit 0"  # noqa: S608
            connection.execute(check, ())  # type: ignore[call-overload]
            with connection.cursor() as cursor:
                copy_out = f"copy {selected} to stdout (format csv, header)"
                with cursor.copy(copy_out) as copy:  # type: ignore[call-overload]
                    for block in copy:
                        sys.stdout.buffer.write(block)
            sys.stdout.flush()
        except psycopg.Error as error:
            reason = error.diag.message_primary or str(error)
            raise UserError(f"query on the warehouse of source {source}: {reason}") from None


@app.command()
def demo(
    customers: Annotated[int, typer.Option(help="Size of the sample company.")] = 1200,
    months: Annotated[int, typer.Option(help="Length of its history.")] = 30,
) -> None:
    """Start everything and play two nights of the sample company; `make run` calls this."""
    from customer_tiers import demo as show

    show.play(customers, months, say)


@digest.command("preview")
def digest_preview(
    recipient: Annotated[str, typer.Argument(help="Id, name or address of who gets the mail.")],
    date: Annotated[
        str | None, typer.Option(help="Business date of the night; else the newest.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="daily, weekly, monthly or policy_notice; else the first.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write: .html, .txt, .eml or .csv; else text here.")
    ] = None,
    locale: Annotated[
        str | None, typer.Option(help="Language, such as zh_CN; else the recipient's.")
    ] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """Show a mail as its recipient gets it; nothing is sent."""
    from customer_tiers import connections, night
    from customer_tiers.digest import preview
    from customer_tiers.digest.render import render

    with night.connect(source) as connection:
        found = preview.find(connection, recipient, day(date) if date else None, kind, locale)
    if out is None:
        say(render(found).text)
        return
    preview.write(found, out, connections.smtp().from_email)
    say(f"{found.kind} mail to {found.recipient_id}: {out}")


@sample.command("create")
def sample_create(
    customers: Annotated[int, typer.Option(help="Number of customers.")] = 1200,
    months: Annotated[int, typer.Option(help="Months of history.")] = 30,
    seed: Annotated[int | None, typer.Option(help="Same seed, same company.")] = None,
    through: Annotated[str | None, typer.Option(help="Last day of its history.")] = None,
) -> None:
    """Make the sample company anew in its own ERP and CRM databases."""
    from customer_tiers import demo as show

    show.create(customers, months, say, seed=seed, through=_date(through))


@sample.command("advance")
def sample_advance(
    days: Annotated[int, typer.Option(help="How many days to let pass.")] = 1,
) -> None:
    """Let the sample company live on for some days."""
    from customer_tiers import demo as show

    say(f"the sample company is at {show.advance(days)}")


def _date(text: str | None) -> str | None:
    return None if text is None else day(text).isoformat()
