"""Kill the loader at any step: after the next run raw is what a clean load gives, byte for byte.

A child process loads and is ended without a word (`os._exit`) before a statement that the seed
picks; the parent then loads as the next night would. Great Expectations is left out, since it only
reads: a rule of ours stands in for it, so that rows go to quarantine all the same.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from customer_tiers import contract, night, quality, settings
from customer_tiers.load import entity as loader
from customer_tiers.quality import rows, suites
from customer_tiers.quality.predicates import bad_rows
from helpers import small_company
from helpers.small_company import Night

SEEDS = 50
LINES = contract.load().entities["erp.invoice_lines"]
KILLED = 86

CHANGES = (
    "update invoice_lines set net_amount = net_amount + 1, updated_at = '{at}' "
    "where left(invoice_id, 3) = 'I{n:02}'",
    "insert into invoice_lines select 'N{seed}', 1, customer_id, product_id, invoice_date, "
    "document_type, quantity, net_amount, '{at}' from invoice_lines where invoice_id = 'I010'",
    "update invoice_lines set quantity = -quantity, updated_at = '{at}' "
    "where invoice_id = 'I{n:02}0'",
    "delete from invoice_lines where invoice_id = 'I{n:02}1'",
    "insert into customers values ('X{seed}', 'New {seed}', '{at}')",
)


def check_without_gx(url: str, entity: contract.Entity, **_: object) -> list[quality.Outcome]:
    """The one rule that the changes break, judged by SQL."""
    if entity.name != LINES.name:
        return []
    rule = next(r for r in suites.of_entity(entity).rules if r.name == "quantity.be_between")
    table = rows.identifier(f"stage.{entity.table}")
    with psycopg.connect(url) as connection:
        bad = rows.scalar(
            connection,
            sql.SQL("select count(*) from {} as subselect where {}").format(
                table, bad_rows(rule, table)
            ),
        )
    return [
        quality.Outcome(
            *(entity.name, rule.name, rule.column, rule.severity, not bad, 100, bad, "why", "seen"),
            rule=replace(rule, limit_rows=1000),
        )
    ]


@pytest.fixture(scope="module")
def shop(cluster, tmp_path_factory) -> Iterator[Night]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("sources")
        (folder / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
        patch.setattr(settings, "SOURCES", folder)
        url = cluster.ensure_database("killed_erp")
        patch.setenv("AIRFLOW_CONN_ERP", url)
        patch.setattr(loader.quality, "check_entity", check_without_gx)
        small_company.fill_database(url)
        for name in ("killed", "clean"):
            small_company.describe(folder, name, {"kind": "sql", "connection": "erp"})
        suites.of_entity(LINES)  # imports what a child must not import
        company = Night("killed")
        company.load()
        yield company
    for name in ("killed_erp", "warehouse_killed", "warehouse_clean"):
        cluster.drop_database(name)


def content(company: Night) -> list[tuple]:
    """Every byte of raw that the source decides, and what waits."""
    return [
        company.query(f"select encode(convert_to(r::text, 'UTF8'), 'hex') from ({query}) as r")
        for query in (
            *(
                f"select {', '.join(e.column_names)} from raw.{e.table} order by {', '.join(e.key)}"
                for e in contract.load().entities.values()
                if e.system == "erp"
            ),
            "select entity, row_key, rule, row_data from quarantine.rows "
            "where resolved_run is null order by 1, 2, 3",
        )
    ]


def load(company: Night) -> None:
    """Load the ERP as a night does once it has begun."""
    night.load(company.run(accept_deletions=True), "erp")


def statements(work) -> int:
    """How many statements a load sends, counted where a kill would strike."""
    count = 0
    execute = psycopg.Connection.execute

    def counting(self, *arguments, **options):
        nonlocal count
        count += 1
        return execute(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", counting)
        work()
    return count


def load_and_die(company: Night, at: int) -> int:
    """Load in a child that ends before its statement number `at`; return its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = at
    execute = psycopg.Connection.execute

    def deadly(self, *arguments, **options):
        nonlocal left
        left -= 1
        if left < 0:
            os._exit(KILLED)
        return execute(self, *arguments, **options)

    try:
        psycopg.Connection.execute = deadly
        load(company)
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{error}\n")
        os._exit(1)


def test_a_loader_killed_at_any_step_leaves_a_raw_that_the_next_run_makes_right(shop):
    url = os.environ["AIRFLOW_CONN_ERP"]
    last = statements(lambda: load(shop))
    struck = set()
    for seed in range(SEEDS):
        chance = random.Random(seed)
        with psycopg.connect(url) as source:
            for change in chance.sample(CHANGES, 3):
                at = f"{datetime(2026, 3, 28, tzinfo=UTC) + timedelta(hours=seed)}"
                source.execute(change.format(seed=seed, n=seed % 20 + 1, at=at))
        step = chance.randrange(last)
        struck.add(step)
        assert load_and_die(shop, step) in (KILLED, 0), step
        load(shop)
    assert len(struck) > 30
    # a row in quarantine keeps its last good version in raw, which a clean load has not
    with psycopg.connect(url) as source:
        source.execute(
            "update invoice_lines set quantity = abs(quantity), updated_at = '2026-03-31 01:00+00'"
        )
    load(shop)
    clean = Night("clean")
    clean.load()
    assert content(shop) == content(clean)
    wrong = shop.query(
        """
        select entity, sum(rows_inserted - rows_deleted), max(counted)
        from ops.load_ledger
        inner join (
            select 'erp.customers' as entity, count(*) as counted from raw.erp_customers
            union all select 'erp.products', count(*) from raw.erp_products
            union all select 'erp.invoice_lines', count(*) from raw.erp_invoice_lines
        ) as counts using (entity)
        group by entity
        having sum(rows_inserted - rows_deleted) <> max(counted)
        """
    )
    assert wrong == [], "the ledger says what is in raw"
