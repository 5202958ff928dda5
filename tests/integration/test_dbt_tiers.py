"""Whole nights in dbt: the empty company, a small one, and one with all that systems can hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from customer_tiers import transform
from customer_tiers.errors import UserError
from helpers.warehouse import Warehouse

NIGHT, NEXT_NIGHT = "2025-06-30", "2025-07-01"


@pytest.fixture
def warehouse(cluster: Any) -> Iterator[Warehouse]:
    name = "test_warehouse"  # the same each time, so that dbt parses once
    cluster.drop_database(name)
    yield Warehouse(cluster.ensure_database(name))
    cluster.drop_database(name)


def customers(count: int) -> list[dict[str, Any]]:
    return [{"customer_id": f"C{n:02}", "name": f"Customer {n}"} for n in range(1, count + 1)]


def sales(count: int) -> list[dict[str, Any]]:
    """Three invoices of each customer, dearer for larger numbers, at half the price in cost."""
    return [
        {
            "invoice_id": f"I{n:02}-{month}",
            "line_no": 1,
            "customer_id": f"C{n:02}",
            "product_id": "P",
            "invoice_date": date(2025, month, 15),
            "document_type": "invoice",
            "quantity": 1,
            "net_amount": Decimal(100 * n),
            "cost_amount": Decimal(50 * n),
        }
        for n in range(1, count + 1)
        for month in (1, 2, 6)
    ]


DECIDED = (
    *("+customer_tier", "+tier_change", "+customer_contribution", "+customer_loyalty"),
    *("+ledger_reconciliation", "+window_rate", "+pyramid_health"),
)
"""All that a night decides; whom it tells and who is who is left to other tests."""

PRODUCTS = [{"product_id": "P", "name": "Gas", "category": "Gas", "standard_cost": Decimal(1)}]


def test_unit_tests_hold_and_an_empty_company_builds(warehouse: Warehouse) -> None:
    warehouse.build(NIGHT, is_checked=True)
    assert warehouse.query("select count(*) from candidate.customer_tier") == [(0,)]
    assert warehouse.query("select sum(customers) from candidate.pyramid_health") == [(0,)]
    counts = warehouse.build(NIGHT, "test_type:unit", command="test")
    assert counts["pass"] >= 37


def test_two_nights_of_an_erp_alone(warehouse: Warehouse) -> None:
    lines = sales(20)
    for line in lines:
        if line["customer_id"] == "C05":
            line["currency"] = "USD"
    warehouse.load(
        erp_customers=customers(21),
        erp_products=PRODUCTS,
        erp_invoice_lines=lines,
        erp_fx_rates=[{"currency": "USD", "valid_from": date(2025, 1, 1), "rate": Decimal(1)}],
    )
    warehouse.build(NIGHT, *DECIDED)
    tiers = dict(warehouse.query("select customer_id, tier from candidate.customer_tier"))
    assert "C21" not in tiers, "no posted sale, no tier"
    assert [tiers[f"C{n:02}"] for n in (20, 19, 17, 16, 11, 10, 1)] == [
        *("key", "major", "major", "regular", "regular", "low", "low")
    ]
    assert warehouse.query("select distinct cause from candidate.tier_decision") == [("initial",)]
    assert warehouse.query("select count(*) from candidate.tier_change") == [(0,)]
    assert warehouse.query("select distinct missing_lines from candidate.customer_tier") == [
        (
            "discounts,rebates,freight,packaging,payment_fees,commissions,cost_to_serve.visits,"
            "cost_to_serve.calls,cost_to_serve.tickets,cost_to_serve.custom_work,financing,"
            "bad_debt,bad_debt.provision_change,retention_and_loyalty_benefits",
        )
    ]
    assert warehouse.query(
        "select sum(cm1), sum(net_revenue) - sum(cogs) from candidate.customer_contribution"
    ) == [(Decimal("31500.00"), Decimal("31500.00"))]
    assert warehouse.query(
        "select distinct ledger_total, difference, is_within_limit, verdict "
        "from candidate.ledger_reconciliation"
    ) == [(None, None, None, "ledger_missing")]
    warehouse.publish()

    big = {"invoice_id": "big", "net_amount": Decimal(99_000), "invoice_date": NEXT_NIGHT}
    lines.append({**lines[0], **big})
    warehouse.load(erp_invoice_lines=lines)
    warehouse.build(NEXT_NIGHT, *DECIDED)
    changes = {
        row[0]: row[1:]
        for row in warehouse.query(
            "select customer_id, from_tier, to_tier, direction, cause, reason_code, main_driver, "
            "main_driver_change, contribution_12m_change from candidate.tier_change"
        )
    }
    assert changes["C01"] == (
        *("low", "key", "up", "own_change", "contribution_up", "price"),
        *(Decimal("98900.00"), Decimal("98936.50")),
    )
    assert set(changes) == {"C01"}, "whom it passed are held: a place is no margin"
    assert warehouse.query(
        "select tier, rule, own_move, others_move from candidate.tier_decision "
        "where customer_id = 'C20'"
    ) == [("key", "held_band", 0, -1)]
    [(since, previous)] = warehouse.query(
        "select tier_since, previous_tier from candidate.tier_decision where customer_id = 'C19'"
    )
    assert (since, previous) == (date(2025, 6, 30), "major")
    warehouse.publish()
    check_that_behaviour_is_compared_with_a_quarter_ago(warehouse)
    check_that_rates_alone_are_nobodys_doing(warehouse)


def check_that_behaviour_is_compared_with_a_quarter_ago(warehouse: Warehouse) -> None:
    """The night before the two calendar months that precede tonight's; all were there then."""
    for day, compared in (("2025-08-31", (None, 0)), ("2025-09-01", (date(2025, 6, 30), 20))):
        warehouse.build(day, "stg_bi__behaviours")
        found = "select max(business_date), count(behaviour_segment) from candidate."
        assert warehouse.query(found + "stg_bi__behaviours") == [compared], day


def check_that_rates_alone_are_nobodys_doing(warehouse: Warehouse) -> None:
    """The night after, nothing is sold, and the rate turns out to have been 90 all the time."""
    warehouse.load(
        erp_fx_rates=[{"currency": "USD", "valid_from": date(2025, 1, 1), "rate": Decimal(90)}]
    )
    tables = ("digest_item", "tier_decision", "window_rate")
    warehouse.build("2025-07-02", "tag:facts", *(f"+{table},tag:tiers" for table in tables))
    assert warehouse.query(
        "select customer_id, direction, cause, reason_code, main_driver, second_driver, "
        "main_driver_change = contribution_12m_change from candidate.tier_change"
    ) == [("C05", "up", "fx", "rates_moved", "fx", None, True)]
    assert warehouse.query(
        "select contribution_12m_before, contribution_12m, contribution_12m_constant, fx_effect, "
        "restated_12m, volume_effect, price_effect, mix_effect, cost_effect "
        "from candidate.tier_decision where customer_id = 'C05'"
    ) == [tuple(map(Decimal, ("709.50", "67459.50", "709.50", "66750", *("0",) * 5)))]
    assert warehouse.query("select count(*) from candidate.tier_decision where fx_effect <> 0") == [
        (1,)
    ]
    assert warehouse.query("select count(*) from candidate.digest_item") == [(0,)]


def test_past_night_does_not_know_what_was_posted_later(warehouse: Warehouse) -> None:
    """What comes back in July belongs to the sale in June, but not to a night in June."""
    tables = ("tier_decision", "customer_tier", "customer_contribution", "customer_loyalty")
    tables += ("ledger_reconciliation",)
    lines = sales(8)
    totals = {"period": date(2025, 6, 1), "account_kind": "revenue", "amount": Decimal(3600)}
    warehouse.load(
        erp_customers=customers(9),
        erp_products=PRODUCTS,
        erp_invoice_lines=lines,
        erp_gl_controls=[{**totals, "updated_at": "2025-06-30 20:00+00"}],
    )
    warehouse.build(NIGHT, *DECIDED)
    first = {t: warehouse.query(f"select * from candidate.{t} order by 1, 2") for t in tables}

    later = {
        **lines[-1],
        "line_no": 2,
        "invoice_id": "later",
        "invoice_date": date(2025, 7, 20),
        "list_amount": Decimal(900),
        "freight_amount": Decimal(5),
        "product_id": "Q",
    }
    warehouse.load(
        erp_products=[*PRODUCTS, {"product_id": "Q", "name": "Tank", "category": "Tanks"}],
        erp_invoice_lines=[
            *lines,
            later,
            {**later, "invoice_id": "early", "customer_id": "C09", "document_type": "credit_note"},
            {
                **lines[-1],
                "invoice_id": "back",
                "invoice_date": date(2025, 7, 10),
                "document_type": "credit_note",
                "original_invoice_id": lines[-1]["invoice_id"],
            },
        ],
        erp_receivables=[
            {
                "invoice_id": "later",
                "customer_id": "C08",
                "issued": date(2025, 7, 20),
                "due_date": date(2025, 8, 1),
                "amount": Decimal(900),
                "written_off_amount": Decimal(900),
            }
        ],
    )
    warehouse.publish()
    warehouse.build("2025-07-31", *DECIDED)
    warehouse.publish()
    assert warehouse.query(
        "select month_start_date::text, ledger_total, customers_total, difference, verdict "
        "from candidate.ledger_reconciliation where account_kind = 'revenue' "
        "and month_start_date >= '2025-06-01' order by 1"
    ) == [
        ("2025-06-01", Decimal("3600.00"), Decimal("3600.00"), Decimal("0.00"), "reconciled"),
        ("2025-07-01", None, Decimal("-800.00"), None, "ledger_missing"),
    ]
    assert warehouse.query(
        "select month_start_date::text, returns, net_revenue from candidate.customer_contribution "
        "where customer_id = 'C08' and month_start_date >= '2025-06-01' order by 1"
    ) == [
        ("2025-06-01", Decimal("800.00"), Decimal("0.00")),
        ("2025-07-01", Decimal("0.00"), Decimal("800.00")),
    ]
    warehouse.build(NIGHT, *DECIDED)
    for table, rows in first.items():
        again = warehouse.query(f"select * from candidate.{table} order by 1, 2")
        assert again == rows, table


def test_two_full_systems(warehouse: Warehouse) -> None:
    people = customers(6)
    people[1]["merged_into_id"] = "C01"
    people[2].update(status="internal")
    people[3].update(tax_id="DE 44")
    lines = sales(6)
    next(x for x in lines if x["customer_id"] == "C05").update(product_id="R", cost_amount=None)
    warehouse.load(
        erp_customers=people,
        erp_products=[*PRODUCTS, {"product_id": "R", "name": "Rent", "category": "Rent"}],
        erp_invoice_lines=[
            {**x, "list_amount": x["net_amount"] + 10, "freight_amount": 5} for x in lines
        ],
        erp_receivables=[
            {
                "invoice_id": "I04-1",
                "customer_id": "C04",
                "issued": date(2025, 1, 1),
                "due_date": date(2025, 1, 31),
                "amount": Decimal(3650),
                "paid_amount": Decimal(3600),
                "paid_date": date(2025, 1, 11),
                "written_off_amount": Decimal(50),
            }
        ],
        crm_accounts=[
            {"account_id": "A1", "name": "One", "erp_customer_id": "C02", "owner_id": "anna"},
            {"account_id": "A4", "name": "Four", "tax_id": "de44", "owner_id": "anna"},
        ],
        crm_owners=[
            {"owner_id": "anna", "name": "Anna", "email": "a@example.com", "manager_id": "boss"},
            {"owner_id": "boss", "name": "Boss", "email": "b@example.com"},
        ],
        crm_activities=[
            {
                "activity_id": "1",
                "account_id": "A4",
                "kind": "visit",
                "minutes": 30,
                "at": "2025-03-01 23:30:00-02",
            },
        ],
    )
    warehouse.build(NIGHT, is_checked=True)
    assert warehouse.query(
        "select month_start_date::text, receivable_financing_cost, bad_debt_cost, cost_to_serve "
        "from candidate.customer_contribution where customer_id = 'C04' order by 1"
    ) == [
        # 3,650 over ten days at 6 % a year is 6.00; one line and one delivery cost 13.50
        ("2025-01-01", Decimal("6.00"), Decimal("50.00"), Decimal("13.50")),
        ("2025-02-01", Decimal("0.00"), Decimal("0.00"), Decimal("13.50")),
        # half an hour on 2 March, UTC
        ("2025-03-01", Decimal("0.00"), Decimal("0.00"), Decimal("37.50")),
        ("2025-06-01", Decimal("0.00"), Decimal("0.00"), Decimal("13.50")),
    ]
    missing = (
        "rebates,packaging,payment_fees,commissions,cost_to_serve.calls,cost_to_serve.tickets,"
        "cost_to_serve.custom_work,bad_debt.provision_change,retention_and_loyalty_benefits"
    )
    assert warehouse.query(
        "select customer_id, owner_name, net_revenue_12m, rule, missing_lines "
        "from candidate.customer_tier where customer_id <= 'C04' order by 1"
    ) == [
        ("C01", "Anna", Decimal("900.00"), "small_population", missing),
        ("C04", "Anna", Decimal("1200.00"), "small_population", missing),
    ]
    assert warehouse.query(
        "select lines_without_cost, cm1 from candidate.customer_contribution "
        "where customer_id = 'C05' order by month_start_date"
    ) == [(1, Decimal("500.00")), (0, Decimal("250.00")), (0, Decimal("250.00"))]
    assert warehouse.query(
        "select customer_id, net_revenue from candidate.int_customers_excluded"
    ) == [("C03", Decimal("900.00"))]
    [(comment,)] = warehouse.query(
        "select col_description('candidate.customer_tier'::regclass, attnum) from pg_attribute "
        "where attrelid = 'candidate.customer_tier'::regclass and attname = 'cm1_12m'"
    )
    assert comment == "Net revenue less cost of goods."


def test_fault_is_one_line_with_the_test_that_failed(warehouse: Warehouse) -> None:
    warehouse.build(NIGHT, "warning_rules", is_checked=True)
    with psycopg.connect(warehouse.url) as connection:
        connection.execute("insert into policy.warning_rules select * from policy.warning_rules")
    test = "unique_combination_warning_rules_signal__valid_from"
    with pytest.raises(UserError) as caught:
        warehouse.build(NIGHT, test, is_checked=True)
    assert str(caught.value).startswith(f"dbt test {test}")
    assert "\n" not in str(caught.value)
    rows = warehouse.query(
        f"select kind, status from ops.dbt_node_run where run_id = 'test_{NIGHT}' "
        f"and node like '%{test}%' order by finished_at"
    )
    assert rows == [("test", "pass"), ("test", "fail")]


@pytest.mark.parametrize(
    ("customer_id", "said"),
    [("'C01'", "Key (customer_id)=(C01) is duplicated."), ("null", "contains null values")],
)
def test_table_without_a_key_is_refused_by_name(
    warehouse: Warehouse, customer_id: str, said: str
) -> None:
    warehouse.load(erp_customers=customers(1))
    warehouse.build(NIGHT, "+int_customers_merged")
    with psycopg.connect(warehouse.url) as connection:
        connection.execute("alter view candidate.stg_erp__customers rename to as_it_was")
        connection.execute(
            "create view candidate.stg_erp__customers as select * from candidate.as_it_was "
            "union all select (json_populate_record(as_it_was, json_build_object('customer_id', "
            f"{customer_id}))).* from candidate.as_it_was"
        )
    with pytest.raises(UserError) as caught:
        warehouse.build(NIGHT, "int_customers_merged")
    assert str(caught.value).startswith("dbt model int_customers_merged")
    assert said in str(caught.value)


BROKEN = (
    {
        "update policy.score_weights set weight = 0.8 where component = 'contribution' "
        "and policy_id = 'standard'": "score_weights.csv, policy standard, component contribution: "
        "the weights of a policy sum to 1",
        "update policy.tier_ladder set name_zh = '' where policy_id = 'abc' and tier = 'B'": (
            "tier_ladder.csv, policy abc, tier B: a tier has a name in both languages"
        ),
        "update policy.tier_cuts set axis = 'mood' where policy_id = 'amounts' and tier = 'key'": (
            "tier_cuts.csv, policy amounts, tier key, axis mood: unknown axis; there are customer_"
        ),
        "insert into policy.grace_rules values ('abc', 'bad_mood', 3)": (
            "grace_rules.csv, policy abc, warning bad_mood: unknown warning; there are cadence_lap"
        ),
        "update policy.tier_policies set measured_as = 'none' where policy_id = 'buyers'": (
            "tier_policies.csv, policy buyers, role offered: measured_as names no policy"
        ),
        "insert into policy.tier_overrides "
        "values ('C1', 'gold', '2025-01-01', '2025-12-31', 'x', 'y')": (
            "tier_overrides.csv, customer C1: the tier is on no leading ladder"
        ),
    },
    {
        "update policy.tier_policies set valid_from = '2999-01-01'": (
            "tier_policies.csv, policy standard, role leading: it leads, but from a later day on"
        ),
        "update policy.score_weights set component = 'charm' where component = 'loyalty' "
        "and policy_id = 'standard'": "policy standard, component charm: unknown component; there",
        "update policy.tier_ladder set tier_rank = 5 where policy_id = 'standard' "
        "and tier = 'low'": "tier_ladder.csv, policy standard, tier low: ranks are 1, 2, 3",
        "update policy.tier_ladder set best_if_negative = true where policy_id = 'abc'": (
            "tier_ladder.csv, policy abc, tier A: best_if_negative is true once"
        ),
        "update policy.tier_ladder set review_months = 0 where policy_id = 'six_levels' "
        "and tier = 'gold'": "tier_ladder.csv, policy six_levels, tier gold: a review comes after",
        "update policy.tier_cuts set enter_at = 40000 where policy_id = 'amounts' "
        "and tier = 'key'": "tier_cuts.csv, policy amounts, tier key, axis net_revenue: it must be "
        "harder to enter a tier than to stay",
        "update policy.tier_cuts set enter_at = 0.04 where policy_id = 'buyers' "
        "and tier = 'major'": "tier_cuts.csv, policy buyers, tier major, axis customer_share: it "
        "does not reach further than the tier above",
        "insert into policy.tier_overrides values ('C1', 'key', '2025-01-01', null, 'x', 'y')": (
            "tier_overrides.csv, customer C1: an override has a first and a last day"
        ),
    },
    {
        "delete from policy.tier_cuts where policy_id = 'standard' and tier = 'major'": (
            "tier_ladder.csv, policy standard, tier major: every tier but the lowest has a cut"
        ),
        "insert into policy.tier_cuts values ('abc', 'D', 'score', 9000, 9000, 9000)": (
            "tier_cuts.csv, policy abc, tier D, axis score: the tier is not on the ladder"
        ),
        "update policy.tier_cuts set exit_at = 0.21 where policy_id = 'buyers' and tier = 'key'": (
            "policy buyers, tier major, axis customer_share: exit_at of the tier above reaches over"
        ),
        "update policy.grace_rules set nights = 0 where policy_id = 'standard'": (
            "grace_rules.csv, policy standard, warning owner_change: a grace lasts at least a night"
        ),
        "update policy.tier_policies set borderline_below = 2 where policy_id = 'abc'": (
            "policy abc, role offered: borderline_below lies between 0 and 1"
        ),
        "update policy.tier_policies set confirm_down_nights = 0 where policy_id = 'amounts'": (
            "policy amounts, role offered: a change needs at least one night"
        ),
    },
)
"""Rounds of what breaks policies -> what the line says of it."""


def test_broken_policies_are_refused_with_the_rows_that_break_them(warehouse: Warehouse) -> None:
    check = "policies_are_sound_tier_ladder_"
    warehouse.build(NIGHT, "resource_type:seed", "stg_ops__tier_overrides", check, is_checked=True)
    seeds = ("tier_policies", "score_weights", "tier_ladder", "tier_cuts", "tier_overrides")
    seeds += ("grace_rules",)
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        for seed in seeds:
            connection.execute(f"create table policy.good_{seed} as table policy.{seed}")
        for faults in BROKEN:
            for statement in faults:
                connection.execute(statement)
            with pytest.raises(UserError) as caught:
                warehouse.build(NIGHT, check, is_checked=True)
            line = str(caught.value)
            assert line.startswith("source test, ")
            assert "\n" not in line
            for words in faults.values():
                assert words in line, line
            for seed in seeds:
                connection.execute(
                    f"truncate policy.{seed}; insert into policy.{seed} "
                    f"select * from policy.good_{seed}"
                )
    warehouse.build(NIGHT, check, is_checked=True)


def test_warehouse_that_is_down_is_one_line(warehouse: Warehouse) -> None:
    with pytest.raises(UserError, match="dbt"):
        transform.run(
            "postgresql://nobody:wrong@127.0.0.1:1/test_warehouse",
            select=["tag:facts"],
            variables={"business_date": NIGHT},
            run_id="x",
        )


def test_dbt_takes_the_options_in_the_warehouses_url(warehouse: Warehouse) -> None:
    warehouse.build(NIGHT, "match_limits")
    before = dict(os.environ)
    with psycopg.connect(warehouse.url) as other:
        other.execute("set idle_in_transaction_session_timeout = '20s'")  # then it would not fail
        other.execute("lock table policy.match_limits")
        warehouse.url += "?options=-c%20lock_timeout%3D50ms"
        with pytest.raises(UserError, match="lock timeout"):
            warehouse.build(NIGHT, "match_limits")
    assert dict(os.environ) == before
