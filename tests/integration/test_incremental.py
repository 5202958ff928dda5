"""What follows change equals what is computed anew, and explains it: nights of the sample company.

The ERP's own tables are changed as a careless department would: prices corrected back in time,
lines moved to another day, customer or currency, sales whose credit note came first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from customer_tiers import connections, night, sample, transform
from customer_tiers.load import dirty
from customer_tiers.publish.tables import published
from helpers.waterfall_reference import Books, Window, terms

pytestmark = pytest.mark.soak

FIRST = date(2026, 6, 29)
FACTS = ("fct_sales_days", "fct_product_days")

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
    "a product gets another category": (
        "update article set changed_at = {now}, family_code = "
        "(select max(family_code) from article) "
        "where article_no in (select article_no from article order by 1 limit 3)"
    ),
    "a customer is parted from another": (
        "update debtor set changed_at = {now}, replaced_by_no = null where debtor_no = "
        "(select min(debtor_no) from debtor where replaced_by_no is not null)"
    ),
    "documents are taken back to draft": (
        "with moved as (update sales_document set state_code = 'DRAFT', changed_at = {now} "
        "where document_no % 83 = 0 returning document_no) update sales_document_line "
        "set changed_at = {now} where document_no in (select document_no from moved)"
    ),
    "bills are paid late and in part": (
        "update open_item set settled_value = value / 2, settled_on = issued_on + 70, "
        "changed_at = {now} where document_no % 71 = 0"
    ),
    "bills are given up in an old month": (
        "update open_item set lost_value = value, settled_value = 0, "
        "settled_on = issued_on + 20 + extract(day from {now})::int, "
        "changed_at = {now} where document_no % 173 = 0"
    ),
    "open items move to another customer and day": (
        "update open_item set debtor_no = (select min(debtor_no) from debtor), "
        "issued_on = issued_on - 100, changed_at = {now} where document_no % 109 = 0"
    ),
    "visits are corrected back in time": (
        "update activity set duration_minutes = coalesce(duration_minutes, 0) + 30, "
        "changed_at = {now} where activity_no % 7 = 0"
    ),
}
IN_CRM = {"visits are corrected back in time"}

NIGHTS = (
    [
        "a day passes",
        "a cost is corrected back in time",
        "documents move to another day",
        "bills are given up in an old month",
    ],
    [
        "a rate is corrected",
        "documents move to another customer and currency",
        "a customer is merged into another",
        "bills are paid late and in part",
    ],
    [
        "credit notes point to another sale",
        "a product gets another category",
        "a customer is parted from another",
        "quantities and amounts are corrected",
        "documents are taken back to draft",
        "open items move to another customer and day",
        "visits are corrected back in time",
    ],
)
"""What happens between two nights: each kind of change once."""


RUN_COLUMNS = ("run_id", "published_at", "known_from", "known_to")
"""What a run says of itself."""


def kept_tables() -> dict[str, str]:
    """Tables that are kept, each with a query of what holds for more than one night."""
    nodes = transform.parse().result.nodes.values()
    names = [node.name for node in nodes if "kept_by" in node.config.meta]
    return {name: f"select * from candidate.{name}" for name in names} | {
        "int_effects_measured": "select customer_id, quantity_completeness_alone "
        "from candidate.int_effects_measured where quantity_completeness_alone is not null"
    }


FEW = {"int_baskets_judged": 5}
"""Rows that a kept table has at least, if that are not 50: few signals are on."""


class Company:
    """The sample company with its warehouse, and the nights played on it."""

    def __init__(self, cluster) -> None:
        self.erp = cluster.ensure_database("sample_erp")
        self.crm = cluster.ensure_database("sample_crm")
        sample.create(self.erp, self.crm, customers=150, months=16, through=FIRST)
        self.day, self.number = FIRST, 0

    def play(self) -> None:
        """Load what changed and build the facts for it."""
        self.number += 1
        self.run = night.Run(f"night_{self.number}", "sample", None, self.day, self.day)
        night.begin(self.run)
        night.load(self.run, "erp")
        night.load(self.run, "crm")
        night.build(self.run, self.day.isoformat(), "facts", is_checked=False)

    def move(self, name: str) -> None:
        """Let a day pass, and change the ERP or the CRM on that day."""
        statement = MOVES[name]
        self.day += timedelta(days=1)
        sample.advance(self.erp, self.crm, through=self.day)
        if statement:
            with psycopg.connect(self.crm if name in IN_CRM else self.erp) as connection:
                connection.execute(statement.format(now=f"timestamptz '{self.day} 20:00+00'"))

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Ask the warehouse; rows as dictionaries."""
        url = connections.warehouse("sample")
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def facts(self) -> dict[str, list[tuple]]:
        """All rows of the facts, in order."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            return {
                fact: connection.execute(
                    f"select * from candidate.{fact} order by 1, 2, 3, 4, 5, 6"
                ).fetchall()
                for fact in FACTS
            }

    def decide(self) -> None:
        """Decide the newest night on the facts as they are, and publish nothing."""
        night.build(self.run, str(self.run.business_date), "tiers", is_checked=False)

    def publish(self) -> None:
        """Decide and publish the newest night on the facts as they are."""
        self.decide()
        night.publish(self.run, str(self.run.business_date))

    def is_continued(self) -> str:
        """How the newest build continued the tables that are kept by customer; empty if not."""
        modes = self.rows("select key_id from candidate.int_inputs_remembered where kind = 'mode'")
        return "".join(mode["key_id"] for mode in modes)

    def kept(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of the tables that are kept by customer, in order."""
        return {
            name: self.rows(f"select * from ({query}) as t order by t")
            for name, query in kept_tables().items()
        }

    def marts(self) -> dict[str, list[tuple]]:
        """All rows of what is published: of the newest night's candidates, and of bi."""
        columns = ", ".join(f"'{name}'" for name in RUN_COLUMNS)
        names = [f"candidate.{t.name}" for t in published()] + [f"bi.{t.name}" for t in published()]
        with psycopg.connect(connections.warehouse("sample")) as connection:
            return {
                name: connection.execute(
                    f"select (to_jsonb(t) - array[{columns}])::text from {name} as t order by 1"
                ).fetchall()
                for name in (*names, "bi.publication", "bi.customer_tier_history")
            }

    def lose_candidates(self) -> None:
        """Lose all that was made from raw but what is published."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            connection.execute("drop schema candidate cascade")
        night.begin(self.run)

    def rebuild(self) -> None:
        """Compute the facts anew from all of raw."""
        self.dbt("rebuild", "tag:facts", full_refresh=True)

    def dbt(self, run_id: str, *select: str, full_refresh: bool = False) -> None:
        """Run dbt for the night, without the models' data tests."""
        transform.run(
            connections.warehouse("sample"),
            select=list(select),
            variables={
                "business_date": self.day,
                "base_currency": "EUR",
                "rounding": "line",
                "source": "sample",
            },
            run_id=run_id,
            full_refresh=full_refresh,
            is_checked=False,
        )


@pytest.fixture(scope="module")
def company(cluster) -> Iterator[Company]:
    """A company whose first night is published, what happened since, and the last night."""
    company = Company(cluster)
    company.play()
    company.publish()
    for number, names in enumerate(NIGHTS):
        for name in names:
            company.move(name)
        company.play()
        company.decide()
        # before the first, a month has ended
        assert company.is_continued() == ("by month" if number else "by day")
    company.publish()
    yield company
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)


EFFECTS = (
    *("volume_effect", "price_effect", "mix_effect", "discount_effect", "returns_effect"),
    *("cost_effect", "freight_effect", "cost_to_serve_effect", "financing_effect"),
    *("bad_debt_effect", "restated_12m", "fx_effect"),
)


def test_waterfalls_of_all_customers_add_up_to_the_cent(company):
    receipts = company.rows("select * from candidate.tier_decision")
    compared = [row for row in receipts if row["contribution_12m_before"] is not None]
    assert len(compared) > 100
    for row in compared:
        change = row["contribution_12m"] - row["contribution_12m_before"]
        assert sum(row[effect] for effect in EFFECTS) == change, row["customer_id"]
    for effect in set(EFFECTS) - {"bad_debt_effect"}:
        assert any(row[effect] for row in compared), effect
    fresh = [row for row in receipts if row["contribution_12m_before"] is None]
    assert all(row[effect] is None for row in fresh for effect in EFFECTS)


def test_waterfalls_are_those_of_plain_python(company):
    first = f"where business_date = '{FIRST}'"
    receipts = company.rows(f"select * from bi.tier_decision {first}")
    before = {row["customer_id"]: row for row in receipts}
    rates = company.rows(f"select currency, window_rate from bi.window_rate {first}")
    books = Books(
        company.rows("select * from raw.erp_invoice_lines"),
        company.rows("select * from raw.erp_product_costs"),
        company.rows("select * from raw.erp_products"),
        {row["currency"]: row["window_rate"] for row in rates},
    )
    windows = [Window(day.replace(year=day.year - 1), day) for day in (FIRST, company.day)]
    compared = 0
    for row in company.rows(
        "select * from candidate.tier_decision where contribution_12m_before is not null "
        "and customer_id not in (select coalesce(merged_into_id, customer_id) "
        "from raw.erp_customers where merged_into_id is not null)"
    ):
        expected = terms(books, row["customer_id"], *windows)
        old = before[row["customer_id"]]
        others = [
            sum(
                receipt[line] or 0
                for line in ("cost_to_serve_12m", "financing_12m", "bad_debt_12m")
            )
            for receipt in (old, row)
        ]
        margin_before, margin_now = (
            expected.pop(name, 0) for name in ("margin_before", "margin_now")
        )
        expected["restated_12m"] = (
            margin_before - others[0] - old["contribution_12m_at_window_rates"]
        )
        constant = margin_now - others[1]
        # sums per currency are converted, and held to a millionth, before they are added up
        assert abs(row["contribution_12m_constant"] - constant) <= Decimal("0.00001")
        expected["fx_effect"] = (row["contribution_12m"] - constant) - (
            old["contribution_12m"] - old["contribution_12m_at_window_rates"]
        )
        for effect, amount in expected.items():
            assert abs(row[effect] - amount) <= Decimal("0.0001"), (row["customer_id"], effect)
        compared += 1
    assert compared > 100


def test_nights_on_facts_that_grew_equal_nights_built_from_raw_alone(company):
    """Row for row, all facts and all that is published but for run ids and times.

    Raw is the same for both: what is known of a night changes with late rows, so a night can only
    be compared as it is known on one day. One company's facts followed each change, however old the
    row, as every night's do; the other's are built from nothing but raw.
    """
    company.move("a day passes")
    company.play()
    company.publish()
    incremental, grown, kept = company.facts(), company.marts(), company.kept()
    company.lose_candidates()
    company.rebuild()
    company.publish()
    rebuilt, anew = company.facts(), company.marts()
    for fact in FACTS:
        assert incremental[fact] == rebuilt[fact], fact
    for table in grown:
        assert grown[table] == anew[table], table
    assert not company.is_continued()
    for table, rows in company.kept().items():
        assert kept[table] == rows, table
        assert len(rows) > FEW.get(table, 50), table
    assert len(rebuilt["fct_sales_days"]) > 1000
    assert len(anew["bi.tier_decision"]) > 200
    assert len(anew["bi.tier_change"]) > 0
    assert {name for names in NIGHTS for name in names} == set(MOVES)


def test_a_change_that_is_not_marked_is_missed(company, monkeypatch):
    """The proof that the test above can fail: without the marks the facts differ."""
    monkeypatch.setattr(dirty, "mark", lambda connection, entity: 0)
    company.move("documents move to another day")
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


MONTHS = ("int_contributions_aggregated_to_months", "customer_contribution")


@pytest.mark.parametrize(
    ("kind", "move", "tables"),
    [
        (
            "sales",
            "quantities and amounts are corrected",
            ("int_sales_aggregated_to_months", *MONTHS),
        ),
        (
            "receivables",
            "bills are given up in an old month",
            ("int_receivables_resolved", "int_receivables_aggregated_to_months", *MONTHS),
        ),
    ],
)
def test_a_change_that_is_not_remembered_is_missed(company, kind, move, tables):
    """The proof that kept tables can be wrong: without the names of customers they are."""
    company.publish()
    company.move(move)
    company.play()
    company.rows(f"delete from candidate.int_inputs_remembered where kind = '{kind}' returning 1")
    company.decide()
    assert company.is_continued()
    missed = company.kept()
    company.dbt("rebuild", "tag:facts", full_refresh=True)
    company.decide()
    for table in tables:
        assert missed[table] != company.kept()[table], table


@pytest.mark.parametrize(
    "reason", ["broke off", "went back", "another rule", "another window", "another code"]
)
def test_a_night_after_one_that_cannot_be_continued_makes_all_anew(company, reason):
    memory = "candidate.int_inputs_remembered"
    company.decide()
    company.decide()
    assert company.is_continued()
    company.rows(
        {
            "broke off": f"delete from {memory} where key_id = 'int_order_days_resolved' "
            "and kind = 'table' returning 1",
            "went back": f"update {memory} set input_value = '2099-01-01' where kind = 'date' "
            "returning 1",
            "another rule": f"update {memory} set input_value = 'another' where kind = 'rule' "
            "and key_id like 'cost of%' returning 1",
            "another code": f"update {memory} set input_value = 'another' where key_id = 'code' "
            "returning 1",
            "another window": f"update {memory} set input_value = '24 24' where key_id = 'windows' "
            "returning 1",
        }[reason]
    )
    company.decide()
    assert not company.is_continued()
