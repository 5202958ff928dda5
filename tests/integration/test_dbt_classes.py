"""The classes beside the tier, on the sample company: each customer once, in any order of rows.

What a class means at its bounds is in dbt's unit tests; here are properties of a whole night.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from customer_tiers import connections, night, sample, transform
from customer_tiers.errors import UserError

DAY = date(2026, 6, 29)
RESULTS = {
    "customer_class": "*",
    "customer_loyalty": "customer_id, cooperation, referrals, loyalty_index",
}

LATER = (
    "insert into raw.crm_opportunities "
    "(opportunity_id, account_id, amount, probability, opened_at, _run_id) "
    "select 'later-' || account_id, account_id, 1000000, 1, '2026-06-30 00:00+00', 'later' "
    "from raw.crm_accounts",
    "insert into raw.crm_surveys (survey_id, account_id, kind, sent_at, _run_id) "
    "select 'later-' || account_id, account_id, 'nps', '2026-06-30 00:00+00', 'later' "
    "from raw.crm_accounts",
    "insert into raw.crm_activities (activity_id, account_id, kind, at, _run_id) "
    "select 'later-' || account_id, account_id, 'meeting', '2026-06-30 00:00+00', 'later' "
    "from raw.crm_accounts",
)
"""What happens on the day after the night."""

SHUFFLED = (
    *("candidate.fct_sales_days", "candidate.fct_product_days", "raw.erp_customers"),
    *("raw.crm_accounts", "raw.crm_opportunities", "raw.crm_activities", "raw.crm_surveys"),
)
"""Tables that the second build reads and does not write."""


class Company:
    """The sample company with its warehouse."""

    def __init__(self, cluster: Any) -> None:
        erp, crm = cluster.ensure_database("sample_erp"), cluster.ensure_database("sample_crm")
        sample.create(erp, crm, customers=150, months=16, through=DAY)
        self.run = night.Run("night", "sample", None, DAY, DAY)
        night.begin(self.run)
        for system in ("erp", "crm"):
            night.load(self.run, system)
        night.build(self.run, DAY.isoformat(), "facts", is_checked=False)
        self.build(
            *(f"+{mart},tag:tiers" for mart in (*RESULTS, "customer_tier")), is_checked=False
        )

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    def change(self, *statements: str) -> None:
        """Change the warehouse."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    def shuffle(self) -> None:
        """Write the rows of tables anew, in another order."""
        with psycopg.connect(connections.warehouse("sample")) as connection:
            for name in SHUFFLED:
                table = sql.Identifier(*name.split("."))
                for statement in (
                    "create temporary table mixed as select * from {} order by md5({}::text)",
                    "delete from {}",
                    "insert into {} select * from mixed",
                ):
                    alias = sql.Identifier(name.split(".")[1])
                    connection.execute(sql.SQL(statement).format(table, alias))
                connection.execute("drop table mixed")

    def build(self, *select: str, is_checked: bool = True) -> None:
        """Build a part of the night."""
        transform.run(
            connections.warehouse("sample"),
            select=list(select),
            variables={
                "business_date": DAY,
                "base_currency": "EUR",
                "rounding": "line",
                "source": "sample",
            },
            run_id="again",
            is_checked=is_checked,
        )

    def results(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the night says, by customer."""
        return {
            table: self.query(f"select {columns} from candidate.{table} order by customer_id")
            for table, columns in RESULTS.items()
        }


@pytest.fixture(scope="module")
def company(cluster: Any) -> Iterator[Company]:
    yield Company(cluster)
    for name in ("sample_erp", "sample_crm", "warehouse_sample"):
        cluster.drop_database(name)


def test_every_customer_is_in_exactly_one_class_of_each_kind(company: Company) -> None:
    assert company.query(
        "select count(*), count(distinct customer_id), count(abc_class), count(star_level), "
        "count(behaviour_segment), count(potential_class) - count(action) "
        "from candidate.customer_class"
    ) == company.query(
        "select count(*), count(*), count(*), count(*), count(*), 0 from candidate.customer_tier"
    )
    [found] = company.query(
        "select count(distinct abc_class), count(distinct star_level), "
        "count(distinct potential_class), count(distinct behaviour_segment), "
        "count(distinct industry_code), count(distinct action) from candidate.customer_class"
    )
    assert found[:3] == (3, 5, 3)
    assert found[3] >= 5
    assert found[4] >= 6
    assert found[5] == 3


def test_shares_add_up_and_classes_follow_from_them(company: Company) -> None:
    [(total,)] = company.query("select sum(contribution_share) from candidate.customer_class")
    assert abs(total - 1) < Decimal("0.00000005")
    for code, share in company.query(
        "select industry_code, sum(industry_share) from candidate.customer_class group by 1"
    ):
        assert abs(share - 1) < Decimal("0.00000005"), code
    # The cuts again, from the published rows alone: the share of all who earn more.
    assert company.query(
        """
        select distinct abc_class, case
            when mine.contribution_12m <= 0 then 'C'
            when above.earned < 0.80 * pool.earned then 'A'
            when above.earned < 0.95 * pool.earned then 'B' else 'C' end as expected
        from candidate.customer_class as mine
        cross join lateral (
            select coalesce(sum(contribution_12m), 0) as earned from candidate.customer_class
            where contribution_12m > greatest(mine.contribution_12m, 0)
        ) as above
        cross join (
            select sum(contribution_12m) as earned from candidate.customer_class
            where contribution_12m > 0
        ) as pool order by 1
        """
    ) == [("A", "A"), ("B", "B"), ("C", "C")]
    assert company.query(
        "select count(*) from candidate.customer_class as mine "
        "inner join candidate.customer_class as other on mine.contribution_12m "
        "> other.contribution_12m and (mine.abc_class > other.abc_class or mine.star_level "
        "< other.star_level or mine.contribution_rank >= other.contribution_rank)"
    ) == [(0,)]


def test_parts_of_loyalty_without_weight_are_shown_and_do_not_count(company: Company) -> None:
    [(cooperation, referrals, indices)] = company.query(
        """
        select count(distinct cooperation), count(distinct referrals), count(*) filter (
            where abs(loyalty_index - 100 * (
                coalesce(0.25 * tenure, 0) + coalesce(0.20 * regularity, 0)
                + coalesce(0.20 * retention, 0) + coalesce(0.15 * breadth, 0)
                + coalesce(0.10 * satisfaction, 0) + coalesce(0.10 * payment, 0)
            ) / loyalty_completeness) > 0.001)
        from candidate.customer_loyalty
        """
    )
    assert cooperation > 5
    assert referrals >= 2
    assert indices == 0


def test_neither_order_of_rows_nor_the_next_day_changes_a_night(company: Company) -> None:
    before = company.results()
    company.shuffle()
    company.change(*LATER)
    company.build("+customer_class,tag:tiers", "+customer_loyalty,tag:tiers")
    after = company.results()
    for table, rows in before.items():
        assert after[table] == rows, table
    company.change("update raw.crm_opportunities set opened_at = null where _run_id = 'later'")
    company.build("int_pipelines_measured+,+customer_class")
    assert company.results() != before, "the later opportunities would have counted"


FAULTS = {
    "abc_cuts": (
        ("set max_share = 0.96 where abc_class = 'A'", "abc_class B has a max_share that is not"),
        ("set abc_class = 'B' where abc_class = 'A'", "abc_class B is there twice"),
        ("set abc_class = 'D' where abc_class = 'A'", "2000-01-01, A is missing"),
        ("set max_share = 0.99 where abc_class = 'C'", "abc_class C must have max_share 1"),
    ),
    "star_cuts": (
        ("set minimum_rank = 70 where star_level = 5", "star_level 5 has a minimum_rank"),
        ("set best_if_negative = true", "not exactly one row has best_if_negative"),
        ("set star_level = 6 where star_level = 5", "2000-01-01, 5 is missing"),
    ),
    "potential_bands": (
        ("set minimum_score = 10 where potential_class = 'low'", "potential_class low must have"),
        ("set minimum_score = 30 where class_rank = 1", "potential_class high has a minimum"),
    ),
    "potential_weights": (
        ("set growth_weight = 0.5", "valid_from 2000-01-01 has weights that do not add up to 1"),
        ("set growth_weight = -0.1, headroom_weight = 0.85", "has a weight below 0"),
        ("set minimum_completeness = null", "has a minimum_completeness that is not"),
    ),
    "cell_actions": (
        ("set action = 'GROW' where abc_class = 'B'", "abc_class B, potential_class low has an"),
        ("set abc_class = 'B' where potential_class = 'high'", "2000-01-01, A-high is missing"),
    ),
    "behaviour_rules": (
        ("set min_orders = 1 where priority = 10", "priority 10 must have no bound"),
        ("set max_orders = null where priority = 2", "priority 2 must have no bound if"),
        ("set max_tenure_months = 1, min_tenure_months = 2 where priority = 1", "upper bound"),
        ("set priority = 3 where priority = 2", "priority 3 is there twice"),
        ("set segment = 'lost' where priority = 3", "priority 3 has an unknown segment"),
    ),
    "industry_codes": (
        ("set spelling = 'metal.' where spelling = 'CHEM'", "spelling metal. is spelt like"),
        ("set industry_code = 'Food ' where spelling = 'FOOD'", "spelling FOOD has a code"),
    ),
}


def test_faults_of_seeds_name_their_rows(company: Company) -> None:
    """Round by round one fault of each seed, so that dbt starts a few times only."""
    for seed in FAULTS:
        company.change(f"create table policy.kept_{seed} as select * from policy.{seed}")
    for number in range(max(map(len, FAULTS.values()))):
        faults = {seed: rows[number] for seed, rows in FAULTS.items() if number < len(rows)}
        company.change(*(f"update policy.{seed} {change}" for seed, (change, _) in faults.items()))
        with pytest.raises(UserError) as caught:
            company.build(*(f"{seed}_are_sound" for seed in faults))
        company.change(
            *(f"delete from policy.{seed}" for seed in faults),
            *(f"insert into policy.{seed} select * from policy.kept_{seed}" for seed in faults),
        )
        assert "\n" not in str(caught.value)
        said = dict(
            company.query(
                "select replace(split_part(node, '.', 3), '_are_sound', ''), message "
                "from (select distinct on (node) * from ops.dbt_node_run "
                "where run_id = 'again' and node like '%_are_sound%' "
                "order by node, finished_at desc) as last"
            )
        )
        for seed, (_, message) in faults.items():
            assert f"source sample, seed {seed}: row " in said[seed]
            assert message in said[seed]
    company.change(*(f"drop table policy.kept_{seed}" for seed in FAULTS))


def test_unknown_industry_is_a_warning_that_lists_it(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    company.change("delete from policy.industry_codes where industry_code = 'metal'")
    company.build("int_industries_ranked")
    assert "industry_codes does not know METAL (" in caplog.text
    assert company.query(
        "select distinct status from ops.dbt_node_run where node like '%industries_are_mapped' "
        "and run_id = 'again' and status <> 'pass'"
    ) == [("warn",)]
    assert company.query(
        "select distinct industry_code from candidate.int_industries_ranked "
        "where industry = 'METAL'"
    ) == [("other",)]
