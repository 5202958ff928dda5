"""The sample company's life and the show that `make run` gives: two nights, then a summary."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from customer_tiers import connections, contract, night, runner, summary
from customer_tiers import sample as company
from customer_tiers.embedded import services
from customer_tiers.errors import UserError
from customer_tiers.sources import definition

NIGHTS = 2
"""Two nights in a row, so that there are tier changes and mails to show."""

SOURCE = "sample"

CUSTOMERS, MONTHS = 1200, 30
"""Size of the company unless somebody asks for another."""

Say = Callable[[str], None]


def make_if_absent(say: Say) -> None:
    """Make the sample company unless there is one, or an ERP of the user's in its place."""
    if not (connections.is_embedded("erp") and connections.is_embedded("crm")):
        return
    if company.current_day(_urls()[0]) is None:
        create(CUSTOMERS, MONTHS, say)


def play(customers: int, months: int, say: Say) -> None:
    """Start everything, make the company or let it live on, and run two nights."""
    services.up(say)
    erp, crm = _urls()
    if company.current_day(erp) is None:
        create(customers, months, say)
    else:
        say(f"the sample company is there, at {company.current_day(erp)}; it lives on")
        _refresh_if_published(erp, crm)
    for number in range(NIGHTS):
        if number:
            advance(1)
        day = company.current_day(erp)
        runner.run_night(SOURCE, business_date=str(day), path=None, say=say)
    summary.print_night(SOURCE, say)
    summary.print_places(say)
    say("stop everything: tiers down (in .venv/bin)")


def create(
    customers: int, months: int, say: Say, *, seed: int | None = None, through: str | None = None
) -> None:
    """Make the sample company anew in its own ERP and CRM databases."""
    erp, crm = _urls()
    say(f"making the sample company: {customers} customers, {months} months")
    chosen = {"seed": seed, "through": date.fromisoformat(through) if through else None}
    given = {name: value for name, value in chosen.items() if value is not None}
    company.create(erp, crm, customers=customers, months=months, **given)  # type: ignore[arg-type]


def advance(days: int) -> date:
    """Let the company live on for some days and return its new day."""
    erp, crm = _urls()
    day = company.current_day(erp)
    if day is None:
        raise UserError("there is no sample company yet: make one with `tiers sample create`")
    company.advance(erp, crm, through=day + timedelta(days=days))
    return day + timedelta(days=days)


def _refresh_if_published(erp: str, crm: str) -> None:
    """Go one day on if the company's current day was already published."""
    day = company.current_day(erp)
    connections.ensure("warehouse", connections.embedded_warehouse(SOURCE))
    with night.connect(SOURCE) as connection:
        there = connection.execute("select to_regclass('bi.publication')").fetchone()
        if not (there and there[0]):
            return
        row = connection.execute(
            "select 1 from bi.publication where business_date >= %s and status = 'published'", [day]
        ).fetchone()
    if row and day:
        company.advance(erp, crm, through=day + timedelta(days=1))


def _urls() -> tuple[str, str]:
    """The company's ERP and CRM; their embedded databases are made if they are not there.

    Raises:
        UserError: The user's own ERP or CRM stands in their place: no row is ever written there.
    """
    for name in ("erp", "crm"):
        if not connections.is_embedded(name):
            raise UserError(
                f"AIRFLOW_CONN_{name.upper()} is set: the sample company lives in the embedded "
                "databases only; unset it to make or advance the company"
            )
    source = definition.load(SOURCE, contract.load())
    urls = []
    for name in ("erp", "crm"):
        system = source.systems[name]
        database = system.options["embedded_database"]
        connections.ensure(system.connection, database)
        urls.append(connections.system(system.connection, database))
    return urls[0], urls[1]
