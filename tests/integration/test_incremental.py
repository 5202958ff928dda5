"""Facts that follow change equal facts computed anew: nights of the sample company, and worse.

The ERP's own tables are changed as a careless department would: prices corrected back in time,
lines moved to another day, customer or currency, sales whose credit note came first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from customer_tiers import connections, night, sample, transform
from customer_tiers.load import dirty
from customer_tiers.publish.tables import published

FIRST = date(2026, 6, 29)
FACTS = ("fct_sales_days", "fct_category_days")

MOVES = {
    "a day passes": None,
    "a cost is corrected back in time": (
        "update article_cost set cost_per_unit = cost_per_unit * 1.1, changed_at = {now} "
        "where article_no in (select article_no from article_cost order by 1 limit 3) "
        "and valid_from < '2026-01-01'"
    ),
    "a customer is merged into another": (
        "update debtor set changed_at = {now}, replaced_by_no = "
        "(select max(debtor_no) from debtor where replaced_by_no is null) where debtor_no = "
        "(select min(debtor_no) + 1 from debtor where replaced_by_no is null)"
    ),
    "a rate is corrected": (
        "update exchange_rate set eur_per_unit = eur_per_unit * 1.05, changed_at = {now} "
        "where currency_code = 'USD' and valid_from between '2026-02-01' and '2026-02-10'"
    ),
    "documents move to another day": (
        "with moved as (update sales_document set document_date = document_date - 40, "
        "changed_at = {now} where document_no % 97 = 0 returning document_no) "
        "update sales_document_line set changed_at = {now} "
        "where document_no in (select document_no from moved)"
    ),
    "documents move to another customer and currency": (
        "with moved as (update sales_document set debtor_no = (select min(debtor_no) from debtor), "
        "currency_code = 'GBP', changed_at = {now} where document_no % 101 = 0 "
        "returning document_no) update sales_document_line set changed_at = {now} "
        "where document_no in (select document_no from moved)"
    ),
    "credit notes point to another sale": (
        "update sales_document_line set changed_at = {now}, origin_document_no = ("
        "select min(document_no) from sales_document where kind_code = 'INV'), origin_line_no = 1 "
        "where origin_document_no % 7 = 0"
    ),
    "quantities and amounts are corrected": (
        "update sales_document_line set quantity = quantity + 1, net_value = net_value + 0.01, "
        "changed_at = {now} where document_no % 89 = 0"
    ),
    "documents are taken back to draft": (
        "with moved as (update sales_document set state_code = 'DRAFT', changed_at = {now} "
        "where document_no % 83 = 0 returning document_no) update sales_document_line "
        "set changed_at = {now} where document_no in (select document_no from moved)"
    ),
}

NIGHTS = (
    ["a day passes", "a cost is corrected back in time", "documents move to another day"],
    [
        "a rate is corrected",
        "documents move to another customer and currency",
        "a customer is merged into another",
    ],
    [
        "credit notes point to another sale",
        "quantities and amounts are corrected",
        "documents are taken back to draft",
    ],
)
"""What happens between two nights: each kind of change once."""


RUN_COLUMNS = ("run_id", "published_at", "known_from", "known_to")
"""What a run says of itself."""


class Company:
    """The sample company with its warehouse, and the nights played on it."""

    def __init__(self, cluster) -> None:
        self.erp = cluster.ensure_database("sample_erp")
        self.crm = cluster.ensure_database("sample_crm")
        sample.create(self.erp, self.crm, customers=150, months=16, through=FIRST)
        self.day, self.number = FIRST, 0
        self.nights: list[night.Run] = []

    def play(self) -> None:
        """Load what changed and build the facts for it."""
        self.number += 1
        self.run = night.Run(f"night_{self.number}", "sample", None, self.day, self.day)
        night.begin(self.run)
        night.load(self.run, "erp")
        night.build(self.run, self.day.isoformat(), "facts", is_checked=False)
        self.nights.append(self.run)

    def move(self, statement: str | None) -> None:
        """Let a day pass, and change the ERP on that day."""
        self.day += timedelta(days=1)
        sample.advance(self.erp, self.crm, through=self.day)
        if statement:
            with psycopg.connect(self.erp) as connection:
                connection.execute(statement.format(now=f"timestamptz '{self.day} 20:00+00'"))

    def facts(self) -> dict[str, list[tuple]]:
        """All rows of the facts, in order."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            return {
                fact: connection.execute(
                    f"select * from candidate.{fact} order by 1, 2, 3"
                ).fetchall()
                for fact in FACTS
            }

    def publish(self) -> dict[str, list[tuple]]:
        """Decide and publish the last three nights on the facts as they are; return all of bi."""
        for run in self.nights[-3:]:
            self.build("tag:tiers,resource_type:model", run.business_date, run.run_id)
            night.publish(run, str(run.business_date))
        with psycopg.connect(connections.warehouse("sample")) as connection:
            columns = ", ".join(f"'{name}'" for name in RUN_COLUMNS)
            names = [t.name for t in published()] + ["publication", "customer_tier_history"]
            return {
                name: connection.execute(
                    f"select (to_jsonb(t) - array[{columns}])::text from bi.{name} as t order by 1"
                ).fetchall()
                for name in names
            }

    def wipe(self) -> None:
        """Lose all but what was loaded."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            connection.execute("drop schema bi cascade; drop schema candidate cascade")
        night.begin(self.nights[-1])

    def rebuild(self) -> None:
        """Compute the facts anew from all of raw."""
        self.build("tag:facts", self.day, "rebuild", full_refresh=True)

    def build(self, select: str, day: date, run_id: str, *, full_refresh: bool = False) -> None:
        """Run dbt without tests."""
        transform.run(
            connections.warehouse("sample"),
            select=[select],
            variables={"business_date": day, "base_currency": "EUR", "source": "sample"},
            run_id=run_id,
            full_refresh=full_refresh,
            is_checked=False,
        )


@pytest.fixture(scope="module")
def company(cluster) -> Iterator[Company]:
    yield Company(cluster)
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)


def test_nights_on_facts_that_grew_equal_nights_built_from_raw_alone(company):
    """Row for row, all facts and all of bi but for run ids and times.

    Raw is the same for both: what is known of a night changes with late rows, so nights can only be
    compared as they are known on one day. One company's facts followed each change, however old the
    row, as every night's do; the other's are built from nothing but raw.
    """
    company.play()
    for names in NIGHTS:
        for name in names:
            company.move(MOVES[name])
        company.play()
    company.build("resource_type:seed", company.day, "seeds")
    incremental, grown = company.facts(), company.publish()
    company.wipe()
    company.rebuild()
    rebuilt, anew = company.facts(), company.publish()
    for fact in FACTS:
        assert incremental[fact] == rebuilt[fact], fact
    for table in grown:
        assert grown[table] == anew[table], table
    assert len(rebuilt["fct_sales_days"]) > 1000
    assert len(anew["tier_decision"]) > 300
    assert len(anew["tier_change"]) > 0
    assert {name for names in NIGHTS for name in names} == set(MOVES)


def test_a_change_that_is_not_marked_is_missed(company, monkeypatch):
    """The proof that the test above can fail: without the marks the facts differ."""
    monkeypatch.setattr(dirty, "mark", lambda connection, entity: 0)
    company.move(MOVES["documents move to another day"])
    company.play()
    incremental = company.facts()
    company.rebuild()
    assert incremental["fct_sales_days"] != company.facts()["fct_sales_days"]


def test_a_night_without_change_marks_nothing(company):
    company.play()
    with psycopg.connect(connections.warehouse("sample")) as connection:
        [(days,)] = connection.execute("select count(*) from ops.dirty_day").fetchall()
        [(touched,)] = connection.execute(
            "select sum(rows_inserted + rows_updated + rows_deleted) from ops.load_ledger "
            "where run_id = %s",
            [company.run.run_id],
        ).fetchall()
    assert (days, touched) == (0, 0)
