"""What a shell shows after a night: the pyramid, the changes, the mails, where to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
from rich.console import Console
from rich.table import Table

from customer_tiers import books, night, settings
from customer_tiers.currency import printed
from customer_tiers.embedded import airflow, services
from customer_tiers.errors import UserError
from customer_tiers.publish.newest import is_old
from customer_tiers.quality import results
from customer_tiers.sources import definition

Say = Callable[[str], None]

PYRAMID = """
    select tier, customers, customer_share, contribution_12m, contribution_share
    from bi.pyramid_health
    where business_date = %s
    order by tier_rank nulls last
"""

CHANGES = """
    select direction, count(*) from bi.tier_change where business_date = %s
    group by direction order by direction
"""

MAILS = (
    "select state, count(*) from ops.outbox where business_date = %s group by state order by state"
)

NEWEST = """
    select run_id, business_date, status, is_stale, message, base_currency, customers,
        missing_entities, missing_lines, rows_quarantined
    from bi.publication
    where status = 'published' and (run_id = %(run_id)s or %(run_id)s::text is null)
    order by business_date desc, published_at desc
    limit 1
"""

NO_SHARES = "no shares of the contribution: all customers together bring none, so there is no whole"

UNTOLD = """
    select count(*) from bi.tier_change as change
    where change.business_date = %(day)s
        and change.cause not in ('restatement', 'merge_split', 'fx')
        and exists (select from ops.news_told where business_date = %(day)s)
        and not exists (
            select from ops.news_told as told
            where told.business_date = %(day)s and told.customer_id = change.customer_id
        )
"""

QUARANTINE = """
    select entity, rule, column_name, min(reason), count(*), min(row_key)
    from quarantine.rows where resolved_run is null
    group by entity, rule, column_name order by entity, rule
"""


def print_night(source: str, say: Say, run_id: str | None = None) -> None:
    """Print a published night of a company: that of a run, or the newest."""
    with night.connect(source) as connection:
        newest = connection.execute(NEWEST, {"run_id": run_id}).fetchone()
        if newest is None:
            say(f"source {source}: no night is published yet")
            return
        run_id, day, _, is_stale, message, currency, customers, entities, lines, _ = newest
        say("")
        say(f"{source}, business date {day}: {customers} customers with sales")
        if is_stale:
            say(f"STALE: {message}")
        _print_pyramid(connection, day, currency, say)
        if not is_old(connection, day):
            books.print_months(connection, currency, say)
        changes = connection.execute(CHANGES, [day]).fetchall()
        say("tier changes: " + (_counts(changes) or "none"))
        say("mails: " + (_counts(connection.execute(MAILS, [day]).fetchall()) or "none"))
        [(untold,)] = connection.execute(UNTOLD, {"day": day}).fetchall()
        if untold:
            say(
                f"changed customers nobody is told about: {untold} "
                "(no owner, manager or fallback with an address)"
            )
        if entities:
            say(f"not delivered by the source: {entities}")
        if lines:
            say(f"P&L lines without data: {lines}")
        for check in results.not_met(connection, run_id):
            say(f"check not met: {check.name}")
        for line in _quarantine(connection, source):
            say(line)


def _print_pyramid(connection: psycopg.Connection, day: object, currency: str, say: Say) -> None:
    table = Table(box=None, header_style="bold")
    for title in ("tier", "customers", "share", f"contribution 12 months, {currency}", "share"):
        table.add_column(title, justify="left" if title == "tier" else "right")
    layers = connection.execute(PYRAMID, [day]).fetchall()
    for tier, customers, share, contribution, money_share in layers:
        table.add_row(
            tier,
            f"{customers:,}",
            _percent(share),
            "" if contribution is None else printed(contribution, currency),
            _percent(money_share),
        )
    Console(highlight=False).print(table)
    if layers and all(layer[-1] is None for layer in layers):
        say(NO_SHARES)


def _quarantine(connection: psycopg.Connection, source: str) -> Iterator[str]:
    for entity, rule, column, why, count, key in connection.execute(QUARANTINE).fetchall():
        yield (
            f"in quarantine: source {source}, entity {entity}, column {column or '-'}: {count} "
            f"rows ({rule}: {why}), such as {key}; correct them at the source"
        )


def newest_nights() -> Iterator[str]:
    """Yield one line per company that has a warehouse."""
    for source in definition.names():
        try:
            with night.connect(source) as connection:
                newest = connection.execute(NEWEST, {"run_id": None}).fetchone()
        except (UserError, psycopg.Error):
            continue
        if newest:
            stale = f", STALE: {newest[4]}" if newest[3] else ""
            yield f"{source}: newest night {newest[1]}, {newest[6]} customers{stale}"


def print_places(say: Say) -> None:
    """Print where to look: the Airflow UI with its login, mails, data docs, the warehouse."""
    for row in services.status():
        if row.name == "api-server" and row.address:
            say(
                f"Airflow UI     {row.address}  login {airflow.USER}, password {airflow.password()}"
            )
    say(f"mails          {settings.MAIL_FOLDER}")
    say(f"data docs      {settings.DATA_DOCS}/<source>/index.html")


def _counts(rows: list[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}" for name, count in rows)


def _percent(share: object) -> str:
    return "" if share is None else f"{float(str(share)):.1%}"
