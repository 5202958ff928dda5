"""How many accounts of the sample company's CRM are brought to the right customer? Measured.

    python bench/matching.py [--customers 10000] [--seed 7] [--hide reference tax_id]

Makes the sample company, which knows whose each account is (`truth.account`), loads it, and lets
`customer_tiers.identity` and dbt match it. `--hide` takes away what makes matching easy: references
to customers of the ERP (by default), and tax numbers too. Precision is the share of the matches
that are right, recall the share of the accounts with a customer that found it. Accounts that look
like a customer and are none (other sites, namesakes) are among them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

PRECISION, RECALL = 0.99, 0.95
"""What must hold."""

HIDE = {
    "reference": "update raw.crm_accounts set erp_customer_id = null",
    "tax_id": "update raw.crm_accounts set tax_id = null",
}

COUNTS = """
select
    count(*) filter (where matched.customer_id is not null) as matches,
    count(*) filter (where matched.customer_id = truth.customer_id) as right_ones,
    count(truth.customer_id) as findable,
    count(*) filter (
        where matched.customer_id is null and exists (
            select from candidate.int_matches_scored as score
            where score.record_id = truth.account_id and score.verdict = 'doubtful'
        )
    ) as asked
from truth
inner join candidate.int_accounts_matched as matched using (account_id)
"""


def main() -> None:
    """Print precision and recall; exit with 1 if they are too low."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hide", nargs="*", choices=list(HIDE), default=["reference"])
    given = parser.parse_args()
    with warehouse() as url:
        seconds = match(url, given.customers, given.seed, given.hide)
        matches, right, findable, asked = count(url)
    precision, recall = right / max(matches, 1), right / findable
    print(
        f"{findable} accounts with a customer, {', '.join(given.hide) or 'nothing'} hidden: "
        f"precision {precision:.4f} (at least {PRECISION}), recall {recall:.4f} (at least "
        f"{RECALL}); {asked} left to a person; evidence in {seconds:.1f} s"
    )
    sys.exit(precision < PRECISION or recall < RECALL)


@contextmanager
def warehouse() -> Iterator[str]:
    """An empty warehouse on a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="customer-tiers-bench-") as home:
        Path(home).chmod(0o755)  # root's PostgreSQL runs as nobody, who must get in
        os.environ["CUSTOMER_TIERS_HOME"] = home
        from customer_tiers.embedded import postgres

        cluster = postgres.start()
        try:
            yield cluster.ensure_database("matching")
        finally:
            postgres.stop()


def match(url: str, customers: int, seed: int, hide: list[str]) -> float:
    """Load the sample company and match it; return the seconds that comparing took."""
    import psycopg

    from customer_tiers import contract, transform
    from customer_tiers.identity import match as identity
    from customer_tiers.load import tables

    with psycopg.connect(url, autocommit=True) as connection:
        tables.prepare(connection, contract.load(), "matching")
        fill(connection, customers, seed)
        for name in hide:
            connection.execute(HIDE[name])  # type: ignore[call-overload]
        started = time.monotonic()
        print(identity.bring_up(connection, "bench"))
        seconds = time.monotonic() - started
    variables = {"business_date": "2026-06-30", "base_currency": "EUR", "source": "matching"}
    select = ["+int_accounts_matched"]
    transform.run(url, select=select, variables=variables, run_id="bench", is_checked=False)
    return seconds


def fill(connection, customers: int, seed: int) -> None:
    """Write customers, accounts and the truth as the sample company's last evening shows them."""
    from customer_tiers.sample import people, visible
    from customer_tiers.sample.company import Company
    from customer_tiers.sample.market import Parameters
    from customer_tiers.sample.rows import Window, to_day

    company = Company(Parameters(seed, customers, 30, date(2026, 6, 30)))
    book = people.AddressBook(company)
    window = Window(-1_000_000, to_day(date(2026, 6, 29)))
    debtors, accounts = visible.debtors(company, window), people.accounts(book, window)
    where = {"street": "address", "postcode": "postal_code", "city": "city", "phone": "phone"}
    mails = [(mail or "").rpartition("@")[2] or None for mail in debtors["invoice_mail"]]
    copy(
        connection,
        "raw.erp_customers",
        {"customer_id": debtors["debtor_no"], "name": debtors["name1"], "domain": mails}
        | {"tax_id": debtors["vat_no"], "country": debtors["country_code"]}
        | {column: debtors[name] for name, column in where.items()}
        | {"status": ["internal" if s == 3 else "active" for s in debtors["state_code"]]}
        | {"merged_into_id": [number(n) for n in debtors["replaced_by_no"]]},
    )
    copy(
        connection,
        "raw.crm_accounts",
        {"account_id": accounts["account_no"], "name": accounts["title"]}
        | {"tax_id": accounts["vat_no"], "domain": accounts["website"]}
        | {"country": accounts["country_code"]}
        | {column: accounts[name] for name, column in where.items()}
        | {"erp_customer_id": [number(n) for n in accounts["erp_no"]]},
    )
    connection.execute("create table truth (account_id text, customer_id text)")
    truth = book.truth()
    whose = [number(n) for n in truth["debtor_no"]]
    copy(
        connection,
        "truth",
        {"account_id": truth["account_no"], "customer_id": whose},
        is_raw=False,
    )
    connection.execute(
        "delete from truth where account_id not in (select account_id from raw.crm_accounts)"
    )
    # a customer merged into another one is that other one
    connection.execute(
        "update truth set customer_id = merged_into_id from raw.erp_customers as customer "
        "where customer.customer_id = truth.customer_id and merged_into_id is not null"
    )


def number(value: int) -> str | None:
    """A number of the sample company as text; none is None."""
    return str(value) if value > 0 else None


def copy(connection, table: str, columns: dict, *, is_raw: bool = True) -> None:
    """Write rows into a table."""
    names = [*columns, *(["_run_id"] if is_raw else [])]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy {table} ({', '.join(names)}) from stdin") as target,
    ):
        for row in zip(*columns.values(), strict=True):
            texts = [None if value is None else str(value) for value in row]
            target.write_row([*texts, *(["bench"] if is_raw else [])])


def count(url: str) -> tuple[int, int, int, int]:
    """Matches, those that are right, accounts that have a customer, and those left to a person."""
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute(COUNTS).fetchone()


if __name__ == "__main__":
    main()
