"""Every expectation of every suite turns away a row, or a table, that it is there to turn away.

GX drops what it does not know and passes, so an expectation that never failed proves nothing. The
bad rows are made from the suites themselves: a new expectation is tried the day it is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import psycopg
import pytest
from psycopg import sql

from customer_tiers import contract, settings
from customer_tiers.load import tables
from customer_tiers.quality import check, rows, run_suite, suites
from customer_tiers.quality.predicates import bad_rows, can_find_rows
from customer_tiers.quality.results import Outcome
from customer_tiers.quality.rules import Rule
from customer_tiers.quality.suites import Suite

DAY = date(2026, 5, 31)
PARAMETERS = check.parameters_of(latest_date=DAY)
TEXT = {
    "status": {"erp.customers": "active", "erp.orders": "shipped", "crm.cases": "closed"},
    "kind": {"crm.activities": "visit", "crm.cases": "complaint", "crm.surveys": "nps"},
}
VALUES: dict[str, Any] = {
    "document_type": "invoice",
    "line_kind": "goods",
    "channel": "edi",
    "account_kind": "revenue",
    "contact_level": "manager",
    "severity": "high",
    "currency": "EUR",
    "email": "ann@example.com",
    "locale": "en",
    "list_amount": 110,
    "discount_amount": 10,
    "net_amount": 100,
    "cost_amount": 60,
    "amount": 100,
    "paid_amount": 100,
    "written_off_amount": 0,
    "probability": 0.5,
    "period": date(2026, 5, 1),
}
REFERENCES = {
    "customer_id": "C1",
    "parent_customer_id": "C1",
    "merged_into_id": None,
    "erp_customer_id": "C1",
    "product_id": "P1",
    "account_id": "A1",
    "referred_by_account_id": "A1",
    "owner_id": "O1",
    "manager_id": "O1",
}
TYPES: dict[str, Any] = {
    "text": "text",
    "integer": 7,
    "numeric": 7,
    "boolean": True,
    "date": date(2026, 5, 10),
    "timestamp": datetime(2026, 5, 10, tzinfo=UTC),
}


def good_row(entity: contract.Entity) -> dict[str, Any]:
    row = {}
    for column in entity.columns:
        value = REFERENCES.get(column.name, VALUES.get(column.name, TYPES[column.type]))
        row[column.name] = TEXT.get(column.name, {}).get(entity.name, value)
    return row


def bad_values(rule: Rule, row: dict[str, Any]) -> dict[str, Any]:
    """The values that the rule must turn away, from its own arguments."""
    kwargs, column = rule.kwargs, rule.kwargs.get("column", "")
    if rule.query:
        return rule.rejects
    match rule.type:
        case "expect_column_values_to_not_be_null":
            return {column: None}
        case "expect_column_values_to_be_between":
            return {column: beyond(kwargs)}
        case "expect_column_value_lengths_to_be_between":
            return {column: "x" * (kwargs["max_value"] + 1)}
        case "expect_column_values_to_be_in_set" | "expect_column_values_to_match_regex":
            return {column: "none of these"}
        case "expect_column_pair_values_a_to_be_greater_than_b":
            return {kwargs["column_A"]: row[kwargs["column_B"]] - timedelta(days=1)}
        case "expect_column_values_to_be_unique" | "expect_compound_columns_to_be_unique":
            return {}
    raise NotImplementedError(f"no bad row for {rule.type}: say here how one is made")


def beyond(kwargs: dict[str, Any]) -> Any:
    bound = kwargs.get("max_value")
    if isinstance(bound, dict):
        return PARAMETERS[bound["$PARAMETER"]] + timedelta(days=1)
    return bound + 1 if bound is not None else kwargs["min_value"] - 1


@dataclass
class Tried:
    """One suite run over a table that holds a bad row per rule, numbered by the rule's position."""

    good: dict[str, Outcome]
    bad: dict[str, Outcome]
    hit: dict[str, list[int]]


@pytest.fixture(scope="module")
def warehouse(cluster) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = cluster.ensure_database(name)
    known = contract.load()
    with psycopg.connect(url) as connection:
        tables.prepare(connection, known, "test")
        for name_ in ("erp.customers", "erp.products", "crm.accounts", "crm.owners"):
            entity = known.entities[name_]
            insert(connection, f"raw.{entity.table}", {**good_row(entity), "_run_id": "before"})
        connection.execute(LADDER)
    yield url
    cluster.drop_database(name)


LADDER = """
create schema if not exists policy;
create table policy.tier_ladder as
select * from (values
    ('standard', 'key', 1, false), ('standard', 'major', 2, false),
    ('standard', 'regular', 3, true), ('standard', 'low', 4, false)
) as ladder (policy_id, tier, tier_rank, best_if_negative)
"""


def insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            rows.identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Literal, row.values())),
        )
    )


@cache
def try_entity(url: str, name: str) -> Tried:
    entity = contract.load().entities[name]
    suite = suites.of_entity(entity)
    stage = f"stage.{entity.table}"
    row = good_row(entity)
    with psycopg.connect(url) as connection:
        tables.create_stage(connection, entity)
        connection.execute(
            sql.SQL("alter table {} add column _n integer").format(rows.identifier(stage))
        )
        insert(connection, stage, {**row, **numbered(entity, 0), "_n": 0})
        connection.commit()
        good = run_suite(url, suite, parameters=PARAMETERS)
        for rule in suite.rules:
            mine = {**row, **numbered(entity, rule.position)}
            bad = {**mine, **bad_values(rule, mine)}
            insert(connection, stage, {**bad, "_n": rule.position})
            if rule.type.endswith("_to_be_unique"):
                insert(connection, stage, {**bad, "updated_at": None, "_n": rule.position})
        connection.commit()
        bad_outcomes = {o.expectation: o for o in run_suite(url, suite, parameters=PARAMETERS)}
        hit = {
            outcome.expectation: numbers_hit(connection, stage, outcome.rule)
            for outcome in bad_outcomes.values()
            if "mostly" not in outcome.rule.kwargs
        }
        connection.execute(sql.SQL("drop table {}").format(rows.identifier(stage)))
    return Tried({o.expectation: o for o in good}, bad_outcomes, hit)


def numbered(entity: contract.Entity, number: int) -> dict[str, Any]:
    """A key of its own for each row; a reference to a known row must stay one."""
    for name in entity.key:
        kind = entity.column(name).type
        if name in REFERENCES and len(entity.key) > 1:
            continue
        if kind == "text" and name not in ("currency", "account_kind"):
            return {name: f"R{number}"}
        if kind == "integer":
            return {name: number}
        if kind == "date":
            step = timedelta(days=number) if entity.name != "erp.gl_controls" else timedelta()
            years = number if entity.name == "erp.gl_controls" else 0
            return {name: date(2020 - years, 1, 1) + step}
    raise AssertionError(entity.key)


def numbers_hit(connection: psycopg.Connection, stage: str, rule: Rule) -> list[int]:
    """The numbers of the rows that our SQL finds for the rule."""
    assert can_find_rows(rule) is None, rule.name
    table = rows.identifier(stage)
    return [
        row[0]
        for row in connection.execute(
            sql.SQL("select _n from {} as subselect where {} order by 1").format(
                table, bad_rows(rule, table)
            )
        )
    ]


ENTITY_RULES = [
    pytest.param(name, rule.name, id=f"{name}-{rule.name}")
    for name, entity in contract.load().entities.items()
    for rule in suites.of_entity(entity).rules
]


@pytest.mark.parametrize("name", list(contract.load().entities))
def test_a_good_row_meets_every_expectation(warehouse, name):
    tried = try_entity(warehouse, name)
    assert [o.expectation for o in tried.good.values() if not o.is_met] == []


@pytest.mark.parametrize(("name", "rule_name"), ENTITY_RULES)
def test_every_expectation_on_an_entity_turns_its_bad_row_away(warehouse, name, rule_name):
    tried = try_entity(warehouse, name)
    outcome = tried.bad[rule_name]
    if "mostly" in outcome.rule.kwargs:
        assert_mostly_fails(warehouse, name, rule_name)
        return
    assert not outcome.is_met
    found = tried.hit[rule_name]
    assert outcome.rule.position in found, "its own bad row got through"
    assert 0 not in found, "it turns a good row away"
    assert outcome.rows_failed == len(found), "GX and our SQL count differently"


def assert_mostly_fails(url: str, name: str, rule_name: str) -> None:
    entity = contract.load().entities[name]
    suite = suites.of_entity(entity)
    rule = next(rule for rule in suite.rules if rule.name == rule_name)
    with psycopg.connect(url) as connection:
        tables.create_stage(connection, entity)
        insert(connection, f"stage.{entity.table}", {**good_row(entity), **bad_values(rule, {})})
    (outcome,) = run_suite(url, replace(suite, rules=(rule,)), parameters=PARAMETERS)
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier("stage", entity.table)))
    assert not outcome.is_met


NIGHT = date(2026, 5, 31)
WATERFALL = (
    *("volume_effect", "price_effect", "mix_effect", "discount_effect", "returns_effect"),
    *("cost_effect", "freight_effect", "cost_to_serve_effect", "financing_effect"),
    *("bad_debt_effect", "restated_12m", "fx_effect"),
)
PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "tier_decision": [
        {
            "business_date": NIGHT,
            "customer_id": customer,
            "policy_id": "standard",
            "policy_version": "v1",
            "rule": "cut",
            "tier": tier,
            "tier_rank": rank,
            "computed_tier": tier,
            "computed_tier_rank": rank,
            "previous_tier": before,
            "is_changed": before != tier,
            "contribution_12m": money,
            "contribution_12m_before": money - 40,
            **dict.fromkeys(WATERFALL, 0),
            "volume_effect": 40,
            "contribution_score": 50,
            "loyalty_index": 40,
            "tier_score": 4700,
            "cause": "own_change",
        }
        for customer, tier, rank, before, money in (
            ("C1", "key", 1, "major", 900),
            ("C2", "low", 4, "low", -5),
        )
    ],
    "policy": [
        {
            "business_date": NIGHT,
            "policy_id": "standard",
            "role": "leading",
            "policy_version": "v1",
            "seed": "tier_cuts",
            "row_key": f"tier {number}",
        }
        for number in range(5)
    ],
    "tier": [
        {"policy_id": "standard", "tier": tier, "tier_rank": rank, "value_class": value}
        for rank, (tier, value) in enumerate((("key", "high"), ("low", "low")), start=1)
    ],
    "window_rate": [
        {"business_date": NIGHT, "currency": "USD", "window_rate": 0.9, "constant_rate": 0.8}
    ],
    "tier_decision_beside": [
        {"business_date": NIGHT, "policy_id": "abc", "customer_id": "C1", "tier": "A"},
        {"business_date": NIGHT, "policy_id": "abc", "customer_id": "C2", "tier": "C"},
    ],
    "customer_tier": [
        {"customer_id": "C1", "tier": "key", "contribution_12m": 900},
        {"customer_id": "C2", "tier": "low", "contribution_12m": -5},
    ],
    "tier_change": [
        {
            "business_date": NIGHT,
            "customer_id": "C1",
            "from_tier": "major",
            "to_tier": "key",
            "direction": "up",
            "reason_code": "contribution_up",
            "contribution_12m_before": 700,
            "contribution_12m": 900,
            "contribution_12m_change": 200,
        }
    ],
    "tier_migration": [
        {"business_date": NIGHT, "from_tier": "major", "to_tier": "key", "customers": 1},
        {"business_date": NIGHT, "from_tier": "low", "to_tier": "low", "customers": 1},
    ],
    "customer_contribution": [
        {
            "customer_id": customer,
            "month_start_date": date(2026, 5, 1),
            "gross_revenue": 110,
            "discounts": 8,
            "returns": 2,
            "net_revenue": 100,
            "cogs": cogs,
            "cm1": 100 - (cogs or 0),
            "freight_cost": 5,
            "cm2": 95 - (cogs or 0),
            "cost_to_serve": 4,
            "cm3": 91 - (cogs or 0),
            "receivable_financing_cost": 1,
            "bad_debt_cost": None,
            "contribution": 90 - (cogs or 0),
        }
        for customer, cogs in (("C1", 60), ("C2", None))
    ],
    "ledger_reconciliation": [
        {
            "month_start_date": month,
            "account_kind": kind,
            "ledger_total": ledger,
            "customers_total": 90,
            "excluded_customers_total": 8,
            "other_total": 0,
            "unallocated_total": 8,
            "difference": None if ledger is None else ledger - 98,
            "verdict": verdict,
            "quarantined_lines": 0,
            "lines_without_cost": None,
        }
        for month, kind, ledger, verdict in (
            (date(2026, 4, 1), "revenue", 98, "reconciled"),
            (date(2026, 5, 1), "revenue", 200, "open"),
            (date(2026, 5, 1), "cogs", None, "ledger_missing"),
        )
    ],
    "customer_loyalty": [
        {"customer_id": "C1", "loyalty_index": 40},
        {"customer_id": "C2", "loyalty_index": 0},
    ],
    "customer_class": [
        {
            "customer_id": customer,
            "business_date": NIGHT,
            "contribution_12m": money,
            "abc_class": abc,
            "star_level": stars,
            "contribution_share": share,
            "potential_class": potential,
            "potential_score": score,
            "value_potential_cell": f"{abc}-{potential}",
            "action": action,
            "industry_code": "metal",
            "industry_share": share,
            "behaviour_segment": segment,
        }
        for customer, money, abc, stars, share, potential, score, action, segment in (
            ("C1", 900, "A", 5, 1, "high", 80, "INVEST", "loyal"),
            ("C2", -5, "C", 1, 0, "low", 0, "REDUCE", "dormant"),
        )
    ],
    "pyramid_health": [
        {
            "business_date": NIGHT,
            "tier": tier,
            "customers": customers,
            "customer_share": customers / 2,
            "contribution_share": share,
        }
        for tier, customers, share in (("key", 1, 1.2), ("low", 1, -0.2), ("new", 0, 0))
    ],
    "policy_health": [
        {
            "business_date": NIGHT,
            "flap_rate": 0.1,
            "top20_profit_share": 0.8,
            "gini": 0.5,
        }
    ],
    "customer_identity": [
        {"source_system": "erp", "record_id": "C1", "customer_id": "C1", "confidence": 1},
        {"source_system": "crm", "record_id": "A1", "customer_id": None, "confidence": None},
    ],
    "match_review": [
        {"pair_kind": "account", "record_id": "A2", "customer_id": "C1"},
        {"pair_kind": "duplicate", "record_id": "C1", "customer_id": "C2"},
    ],
    "contact_capacity": [
        {"business_date": NIGHT, "customer_group": group, "contact_share": share}
        for group, share in (("A", 0.6), ("risers", 0.4))
    ],
    "customer_rollforward": [
        {
            "business_date": NIGHT,
            "cohort_year": 2024,
            "opening_customers": 3,
            "won_customers": 2,
            "reactivated_customers": 0,
            "lost_customers": 1,
            "exited_customers": 1,
            "closing_customers": 3,
        }
    ],
    "contribution_bridge": [
        {
            "customer_id": "C1",
            "bridge_term": "goods",
            "product_category": "Gas",
            "amount_before": 90,
            "amount_now": 100,
            "amount_change": 10,
            "sales_effect": 12,
            "discount_effect": -2,
            "returns_effect": 0,
            "cost_effect": 0,
            "freight_effect": 0,
        }
    ],
    "customer_group": [{"group_id": "C1", "customers": 2, "contribution_12m": 895}],
    "customer_360": [
        {"customer_id": customer, "completeness": 0.5, "data_confidence": 1}
        for customer in ("C1", "C2")
    ],
    "early_warning": [
        {
            "business_date": NIGHT,
            "customer_id": customer,
            "signal": "cadence_lapse",
            "since": date(2026, 5, 1),
            "strength": 40,
            "amount_at_risk": money,
            "cause_code": cause,
        }
        for customer, money, cause in (("C1", 900, "contraction"), ("C2", 0, None))
    ],
    "risk_customers": [
        {
            "customer_id": "C2",
            "risk_flag": "dishonest",
            "periods_flagged": 2,
            "evidence_amount": 1500,
            "recommended_step": "restrict",
            "approved_step": "restrict",
            "approver": "Ann",
            "protected_by": None,
        },
        {
            "customer_id": "C1",
            "risk_flag": "dishonest",
            "periods_flagged": 2,
            "evidence_amount": 500,
            "recommended_step": "prepay",
            "approved_step": "prepay",
            "approver": None,
            "protected_by": "strategic",
        },
    ],
    "risk_evidence": [
        {
            "customer_id": customer,
            "fact": "receivable_overdue",
            "fact_id": invoice,
            "days_overdue": 100,
            "amount": amount,
        }
        for customer, invoice, amount in (
            ("C2", "I1", 1000),
            ("C2", "I2", 500),
            ("C1", "I3", 500),
        )
    ],
}
SQL_TYPES = {date: "date", bool: "boolean", int: "numeric", float: "numeric", str: "text"}


def build_published(url: str, changed: str = "", table_rows: list[dict[str, Any]] | None = None):
    """Write good candidates, one table of them replaced."""
    with psycopg.connect(url) as connection:
        for name, good in PUBLISHED.items():
            types = {
                column: next(
                    (SQL_TYPES[type(r[column])] for r in good if r[column] is not None), "numeric"
                )
                for column in good[0]
            }
            connection.execute(
                sql.SQL("drop table if exists candidate.{}").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL("create table candidate.{} ({})").format(
                    sql.Identifier(name),
                    sql.SQL(", ").join(
                        sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t))
                        for c, t in types.items()
                    ),
                )
            )
            for row in table_rows if name == changed and table_rows is not None else good:
                insert(connection, f"candidate.{name}", row)


def spoilt(suite: Suite, rule: Rule) -> list[dict[str, Any]]:
    """The good table with what the rule must turn away."""
    good = [dict(row) for row in PUBLISHED[suite.name.partition(".")[2]]]
    if rule.type == "expect_table_row_count_to_be_between":
        return []
    if rule.type == "expect_column_unique_value_count_to_be_between":
        return [*good, {**good[0], rule.kwargs["column"]: NIGHT - timedelta(days=1)}]
    if rule.type.endswith("_to_be_unique"):
        return [*good, good[0]]
    bad = bad_values(rule, good[0])
    one_row_is_enough = rule.query and can_find_rows(rule) is None
    return [{**row, **bad} for row in good[: 1 if one_row_is_enough else None]]


PUBLISHED_RULES = [
    pytest.param(suite.name, rule.name, id=f"{suite.name}-{rule.name}")
    for suite in suites.published()
    for rule in suite.rules
]


@pytest.fixture(scope="module")
def published_suites() -> dict[str, Suite]:
    return {suite.name: suite for suite in suites.published()}


def test_good_published_tables_meet_every_expectation(warehouse):
    build_published(warehouse)
    outcomes = check.check_published(warehouse)
    assert [o for o in outcomes if not o.is_met] == []
    assert {o.suite for o in outcomes} == {f"bi.{name}" for name in PUBLISHED}


@pytest.mark.parametrize(("name", "rule_name"), PUBLISHED_RULES)
def test_every_expectation_on_a_published_table_fails_for_a_bad_one(
    warehouse, published_suites, name, rule_name
):
    suite = published_suites[name]
    rule = next(rule for rule in suite.rules if rule.name == rule_name)
    table = name.partition(".")[2]
    build_published(warehouse, table, spoilt(suite, rule))
    (outcome,) = run_suite(
        warehouse,
        replace(suite, rules=(rule,)),
        f"candidate.{table}",
        parameters={"min_customers": 1},
    )
    assert not outcome.is_met


def test_every_entity_and_every_published_table_has_a_suite():
    paths = settings.EXPECTATIONS.glob("*/*.yml")
    assert {f"{path.parent.name}.{path.stem}" for path in paths} == {
        *contract.load().entities,
        *(f"bi.{name}" for name in PUBLISHED),
    }
