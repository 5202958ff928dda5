"""The sample company's own stories: who stopped buying is warned of, who is stable is not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from customer_tiers import contract, sample, settings
from helpers.warehouse import Warehouse

STORY_DAY = date(2026, 6, 30)
STABLE = ("stable", "stable_low", "fx")


@pytest.fixture(scope="module")
def told(cluster: Any) -> Iterator[tuple[Warehouse, dict[str, str]]]:
    """The company as it is on the story day, with its warnings, and who plays which story."""
    names = [f"warnings_{uuid.uuid4().hex[:10]}" for _ in range(3)]
    urls = [cluster.ensure_database(name) for name in names]
    sample.create(*urls[:2], customers=120, months=26, seed=11, through=STORY_DAY)
    warehouse = Warehouse(urls[2])
    for entity in contract.load().entities.values():
        system = urls[0] if entity.system == "erp" else urls[1]
        warehouse.load(**{entity.table: rows(system, entity)})
    warehouse.build(STORY_DAY.isoformat(), "+early_warning", "+risk_customers", "+risk_evidence")
    with psycopg.connect(urls[0]) as connection:
        stories = connection.execute("select story, customer_id from truth.story").fetchall()
    yield warehouse, dict(stories)
    for name in names:
        cluster.drop_database(name)


def rows(url: str, entity: contract.Entity) -> list[dict[str, Any]]:
    system, name = entity.name.split(".")
    query = (settings.SOURCES / "sample" / system / f"{name}.sql").read_text(encoding="utf-8")
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_the_churner_raises_cadence_lapse(told):
    warehouse, customers = told
    [(since, last, usual, current)] = warehouse.query(
        "select since, subject_date, baseline_value, current_value from candidate.early_warning "
        f"where signal = 'cadence_lapse' and customer_id = '{customers['churner']}'"
    )
    assert since == last + timedelta(days=int(2 * usual) + 1)
    assert current == (STORY_DAY - last).days > 300
    assert 27 <= usual <= 32


def test_stable_customers_raise_nothing(told):
    warehouse, customers = told
    warned = {row[0] for row in warehouse.query("select customer_id from candidate.early_warning")}
    assert {story for story in STABLE if customers[story] in warned} == set()


def test_no_warning_of_internal_merged_or_lost_customers(told):
    warehouse, _ = told
    assert (
        warehouse.query(
            "select w.customer_id from candidate.early_warning as w "
            "left join candidate.int_customers_described as c using (customer_id) "
            "left join candidate.int_orders_aggregated_to_customers as o using (customer_id) "
            "where c.customer_id is null or o.last_sale_date <= date '2025-06-30'"
        )
        == []
    )


def test_the_non_payer_is_flagged_with_its_invoices_and_not_sent_away(told):
    warehouse, customers = told
    who = customers["non_payer"]
    [(flag, periods, recommended, approved, amount)] = warehouse.query(
        "select risk_flag, periods_flagged, recommended_step, approved_step, evidence_amount "
        f"from candidate.risk_customers where customer_id = '{who}'"
    )
    assert (flag, recommended, approved) == ("dishonest", "restrict", "prepay")
    assert periods == 2, "nothing paid since October: too old by March and by June"
    evidence = warehouse.query(
        "select fact, count(*), min(days_overdue), sum(amount) from candidate.risk_evidence "
        f"where customer_id = '{who}' group by fact"
    )
    assert [(fact, total) for fact, _, _, total in evidence] == [("receivable_overdue", amount)]
    assert evidence[0][1] >= 3
    assert evidence[0][2] > 90
