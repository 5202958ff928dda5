"""The commands `tiers outbox ...`: see what became of each message, and decide about some."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from customer_tiers import settings
from customer_tiers.errors import UserError
from customer_tiers.shell import SourceOption, day, say, warehouse

if TYPE_CHECKING:
    from customer_tiers.outbox.rows import OutboxRow

app = typer.Typer(help="Messages: to whom, about which night, and what became of them.")

KeyArgument = Annotated[str, typer.Argument(help="Key of a message, or how it begins.")]


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
def list_(
    date: Annotated[str | None, typer.Option(help="Business date; else all nights.")] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="pending, sent, unknown, failed, ...; may be repeated.")
    ] = None,
    source: SourceOption = settings.DEFAULT_SOURCE,
) -> None:
    """List the messages of a company, the newest night first."""
    from customer_tiers.outbox import rows

    unknown = set(state or []) - set(rows.STATES)
    if unknown:
        raise UserError(f"state {min(unknown)!r}: there are {', '.join(rows.STATES)}")
    with warehouse(source) as connection:
        found = rows.list_(connection, day(date) if date else None, state or None)
    for row in found:
        say(
            f"{row.business_date}  {row.state:<10} {row.kinds:<13} {row.channel:<7} {_to(row)}  "
            f"{row.outbox_key}  {row.last_error or ''}".rstrip()
        )
    say(f"{len(found)} messages; the embedded sink keeps mails in {settings.MAIL_FOLDER}")


@app.command()
def show(key: KeyArgument, source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Show one message: its state, what it refers to, and what it says."""
    from customer_tiers.digest.render import render
    from customer_tiers.outbox import ops, rows

    with warehouse(source) as connection:
        row = rows.find(connection, key)
    subject, text = ops.text(row) if row.kind == rows.OPS else (None, None)
    if subject is None:
        content = render(row.digest)
        subject, text = content.subject, content.text
    say(f"key       {row.outbox_key}")
    say(f"to        {_to(row)} by {row.channel}")
    say(f"about     {row.kinds} of {row.business_date}")
    if row.corrects:
        say(f"corrects  {row.corrects}")
    say(f"state     {row.state}, {row.attempts} attempts, since {_moment(row.changed_at)}")
    if row.last_error:
        say(f"because   {row.last_error}")
    say(f"\n{subject}\n\n{text}")


@app.command()
def resend(key: KeyArgument, source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Let a failed, unknown or suppressed message go out with the next sending."""
    from customer_tiers.outbox import rows

    with warehouse(source) as connection:
        row = rows.find(connection, key)
        rows.resend(connection, row)
    say(f"{row.outbox_key} goes out with the next publication or run of send_tier_digests")


@app.command("give-up")
def give_up(key: KeyArgument, source: SourceOption = settings.DEFAULT_SOURCE) -> None:
    """Never send a message that waits, failed or is unknown."""
    from customer_tiers.outbox import rows

    with warehouse(source) as connection:
        row = rows.find(connection, key)
        rows.give_up(connection, row)
    say(f"{row.outbox_key} is given up")


def _to(row: OutboxRow) -> str:
    return f"{row.recipient_name} <{row.address}>"


def _moment(at: datetime.datetime) -> str:
    return f"{at.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
