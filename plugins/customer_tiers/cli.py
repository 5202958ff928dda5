"""The command `tiers`: what a person at a shell does with the system.

A fault is one line and exit code 1. Heavy imports stay inside the commands: `--help` is quick.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from customer_tiers import settings
from customer_tiers.errors import UserError

app = typer.Typer(
    help="Customer tiers, every night, from ERP and CRM data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sample = typer.Typer(help="The generated sample company.", no_args_is_help=True)
source_app = typer.Typer(help="Business systems that are read.", no_args_is_help=True)
app.add_typer(sample, name="sample")
app.add_typer(source_app, name="source")
out = Console(highlight=False)

SourceOption = Annotated[str, typer.Option("--source", help="Which company: a folder of sources/.")]
PathOption = Annotated[
    Path | None, typer.Option("--path", help="Folder to read, for a source of files.")
]


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


def say(line: str) -> None:
    """Print one line of progress."""
    out.print(line, markup=False, soft_wrap=True)


@app.command()
def up() -> None:
    """Start PostgreSQL, the mail sink and Airflow; repair what has died."""
    from customer_tiers.embedded import services

    services.up(say)
    status()


@app.command()
def down() -> None:
    """Stop every service; data and mails stay."""
    from customer_tiers.embedded import services

    services.down()
    say("all services stopped")


@app.command()
def status() -> None:
    """Show the services, their addresses, and the newest night of each company."""
    from customer_tiers import summary
    from customer_tiers.embedded import services

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
            source=source,
            base_currency=definition.load(source, contract.load()).base_currency,
            first=_day(first) if first else None,
            last=_day(last) if last else None,
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

    past.play(source, _day(first), _day(last), every=every, path=path, say=say)


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
def outbox(
    source: SourceOption = settings.DEFAULT_SOURCE,
    release: Annotated[
        str | None, typer.Option(help="Key of an unknown or failed mail to be sent again.")
    ] = None,
) -> None:
    """List the mails of a company: whom, which night, and what became of them."""
    from customer_tiers import night
    from customer_tiers import outbox as box
    from customer_tiers.load import tables

    with night.connect(source) as connection:
        if not tables.is_prepared(connection):
            raise UserError(f"source {source}: no night was played yet; use `tiers run`")
        if release:
            box.release(connection, release)
            say(f"{release} goes out with the next publication or run of send_tier_digests")
        rows = box.list_(connection)
    for row in rows:
        say(
            f"{row.business_date}  {row.state:<10} {row.kind:<14} {row.recipient_name} "
            f"<{row.recipient_email}>  {row.outbox_key}  {row.last_error or ''}".rstrip()
        )
    say(f"{len(rows)} mails; the embedded sink keeps them in {settings.MAIL_FOLDER}")


@app.command()
def demo(
    customers: Annotated[int, typer.Option(help="Size of the sample company.")] = 1200,
    months: Annotated[int, typer.Option(help="Length of its history.")] = 30,
) -> None:
    """Start everything and play two nights of the sample company; `make run` calls this."""
    from customer_tiers import demo as show

    show.play(customers, months, say)


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


@source_app.command("new")
def source_new(name: Annotated[str, typer.Argument(help="Name of the new source.")]) -> None:
    """Lay out sources/NAME from the template: one SELECT per entity, to be filled in."""
    from customer_tiers.sources import definition

    say(f"{definition.create(name)} is laid out; docs/add-a-source.md says how to fill it in")


@source_app.command("check")
def source_check(
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


def _date(text: str | None) -> str | None:
    return None if text is None else _day(text).isoformat()


def _day(text: str) -> datetime.date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise UserError(f"date {text!r}: not a day; write it as YYYY-MM-DD") from None
