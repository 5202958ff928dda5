"""Creates the sample company's two databases and brings them forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg

from customer_tiers.errors import UserError
from customer_tiers.sample import contacts, people, trading, visible, write
from customer_tiers.sample.company import Company
from customer_tiers.sample.market import Parameters
from customer_tiers.sample.rows import Rows, Window, take, to_date, to_day
from customer_tiers.sample.stories import Stories

DEFAULT_SEED = 20260629
STORY_DAY = date(2026, 6, 30)
"""The first night after the default evening: the stories show on it."""

_BEFORE_ALL = -1_000_000
_STORY_DAYS_AHEAD = 60
"""Story documents are written this far past the evening; later ones change nothing yet."""

Connection = psycopg.Connection[Any]
Put = Callable[[Connection, str, str, Rows], int]


def create(
    erp_url: str,
    crm_url: str,
    *,
    customers: int = 1200,
    months: int = 30,
    seed: int = DEFAULT_SEED,
    through: date = date(2026, 6, 29),
    story_day: date = STORY_DAY,
) -> dict[str, int]:
    """Drop both databases' tables and write the company as known on an evening.

    Args:
        erp_url, crm_url: Two databases that hold nothing but this company.
        customers: Customers opened up to the story day; some more join later.
        months: Months of trading up to and with the month of the story day, at least 14.
        seed: Equal arguments give equal companies.
        through: The evening up to which everything is known.
        story_day: The business date on which the stories show; nothing depends on `through`.

    Returns:
        Table -> rows written.

    Raises:
        UserError: An argument is out of range, or a database holds other tables.
    """
    parameters = Parameters(seed, customers, months, story_day)
    window = Window(_BEFORE_ALL, to_day(through))
    company, book, stories = _imagine(parameters, window)
    with write.connect(crm_url) as crm:
        write.recreate(crm, "crm")
        counts = _write_crm(crm, write.insert, book, stories, window)
        write.finish(crm, "crm")
    with write.connect(erp_url) as erp:
        write.recreate(erp, "erp")
        counts |= _write_erp(erp, write.insert, company, stories, window)
        counts["truth.story"] = write.insert(erp, "erp", "truth.story", stories.table())
        counts["truth.account"] = write.insert(erp, "erp", "truth.account", book.truth())
        _remember(erp, parameters, through)
        write.finish(erp, "erp")
    return counts


def advance(erp_url: str, crm_url: str, *, through: date) -> dict[str, int]:
    """Bring an existing company forward to a later evening by the rows that change until then.

    The CRM commits first and the ERP, which knows the day, last: a run that broke in between writes
    the same CRM rows again.

    Returns:
        Table -> rows inserted or updated; all 0 if the company is at that evening already.

    Raises:
        UserError: There is no company in the database, or it is at a later evening already.
    """
    with write.connect(erp_url) as erp:
        parameters, today = _recall(erp)
        if through < today:
            raise UserError(
                f"sample company: it is at the evening of {today} and cannot go back to {through};"
                " create it again"
            )
        window = Window(to_day(today), to_day(through))
        company, book, stories = _imagine(parameters, window)
        with write.connect(crm_url) as crm:
            counts = _write_crm(crm, write.upsert, book, stories, window)
        counts |= _write_erp(erp, write.upsert, company, stories, window)
        erp.execute("update sample_company set current_day = %s", (through,))
    return counts


def current_day(erp_url: str) -> date | None:
    """Return the evening up to which the company is known; None if there is no company."""
    with write.connect(erp_url) as erp:
        if erp.execute("select to_regclass('public.sample_company')").fetchone() == (None,):
            return None
        row = erp.execute("select current_day from sample_company").fetchone()
        return row[0] if row else None


def _imagine(parameters: Parameters, window: Window) -> tuple[Company, people.AddressBook, Stories]:
    _check_day(parameters, to_date(window.through))
    company = Company(parameters)
    book = people.AddressBook(company)
    return company, book, Stories(company, book, window.through + _STORY_DAYS_AHEAD)


def _write_erp(
    erp: Connection, put: Put, company: Company, stories: Stories, window: Window
) -> dict[str, int]:
    market = company.market
    known = {
        "article": market.articles(window.through),
        "article_cost": market.costs(window.through),
        "exchange_rate": market.rates(window.through),
    }
    rows = {name: take(table, table["changed_on"] > window.after) for name, table in known.items()}
    rows["debtor"] = visible.debtors(company, window)
    counts = {name: put(erp, "erp", name, table) for name, table in rows.items()}
    views = {
        "sales_order": visible.orders,
        "sales_document": visible.documents,
        "sales_document_line": visible.lines,
        "open_item": visible.open_items,
    }
    for documents in _trading(company, stories, window):
        for name, view in views.items():
            written = put(erp, "erp", name, view(company, documents, window))
            counts[name] = counts.get(name, 0) + written
        write.add_to_ledger(erp, visible.ledger_changes(company, documents, window))
    return counts


def _trading(company: Company, stories: Stories, window: Window) -> Iterator[trading.Trading]:
    """Yield all documents month by month, so that memory does not grow with the months."""
    for month in _months(company, window, trading.LIFE_DAYS):
        yield trading.trade(company, month)
    yield stories.pages.trading()


def _write_crm(
    crm: Connection, put: Put, book: people.AddressBook, stories: Stories, window: Window
) -> dict[str, int]:
    counts = {
        "app_user": put(crm, "crm", "app_user", people.users(book.company, window)),
        "account": put(crm, "crm", "account", people.accounts(book, window)),
    }
    for name, draw in contacts.TABLES.items():
        counts[name] = 0
        for month in _months(book.company, window, contacts.LIFE_DAYS):
            counts[name] += put(crm, "crm", name, draw(book, month, window))
    for name, rows in stories.pages.contacts().items():
        counts[name] += put(crm, "crm", name, visible.cut(rows, window, "created_on"))
    return counts


def _months(company: Company, window: Window, life: int) -> range:
    """Return the months of trading that may still have rows that change within the window."""
    first = max(0, (window.after - company.first - life) // 31)
    last = (window.through - company.first) // 28 + 1
    starts = [to_day(company.parameters.month(month)) for month in range(last + 1)]
    return range(first, sum(start <= window.through for start in starts))


def _check_day(parameters: Parameters, through: date) -> None:
    if not parameters.first_day <= through < parameters.last_day:
        raise UserError(
            f"sample company: there is nothing to know on {through}; give a day from"
            f" {parameters.first_day} to before {parameters.last_day}"
        )


def _remember(erp: Connection, parameters: Parameters, through: date) -> None:
    erp.execute(
        "insert into sample_company (seed, customers, months, story_day, first_day, current_day)"
        " values (%s, %s, %s, %s, %s, %s)",
        (
            parameters.seed,
            parameters.customers,
            parameters.months,
            parameters.story_day,
            parameters.first_day,
            through,
        ),
    )


def _recall(erp: Connection) -> tuple[Parameters, date]:
    """Return what the company was made from and its day; holds the row until the end."""
    if erp.execute("select to_regclass('public.sample_company')").fetchone() == (None,):
        raise UserError(
            f"sample company: database {erp.info.dbname} holds none; create it before advancing it"
        )
    row = erp.execute(
        "select seed, customers, months, story_day, current_day from sample_company for update"
    ).fetchone()
    if row is None:
        raise UserError(
            f"sample company: table sample_company in {erp.info.dbname} is empty; create it again"
        )
    return Parameters(*row[:4]), row[4]
