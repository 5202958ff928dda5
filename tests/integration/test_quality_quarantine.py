"""Bad rows are set aside whole, counted like GX counted them, and let in once they can come in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.load import tables
from customer_tiers.quality import Outcome, check_entity, decide, quarantine

LINES = contract.load().entities["erp.invoice_lines"]
STAGE = "stage.erp_invoice_lines"
LATEST = date(2026, 5, 31)
LINE = {
    "invoice_id": "I1",
    "line_no": 1,
    "customer_id": "C1",
    "product_id": "P1",
    "invoice_date": date(2026, 5, 1),
    "document_type": "invoice",
    "quantity": 2,
    "list_amount": 110,
    "discount_amount": 10,
    "net_amount": 100,
    "cost_amount": 60,
}


class Warehouse:
    """A warehouse with one known customer and product, and nights that load invoice lines."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        with self.connection.transaction():
            tables.prepare(self.connection, contract.load(), "test")
        self.put("raw.erp_customers", {"customer_id": "C1", "name": "Ann", "_run_id": "r0"})
        self.put("raw.erp_products", {"product_id": "P1", "name": "Pump", "_run_id": "r0"})

    def put(self, table: str, *rows: dict[str, Any]) -> None:
        for row in rows:
            self.connection.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(*table.split(".")),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(map(sql.Literal, row.values())),
                )
            )

    def stage(self, *rows: dict[str, Any], is_complete: bool = False) -> int:
        """A new extract; returns how many rows quarantine offers again."""
        tables.create_stage(self.connection, LINES)
        self.put(STAGE, *[{**LINE, **row} for row in rows])
        self.collapsed = quarantine.collapse_duplicates(self.connection, LINES, STAGE)
        return 0 if is_complete else quarantine.reoffer(self.connection, LINES, STAGE)

    def check(self) -> list[Outcome]:
        return check_entity(self.url, LINES, latest_date=LATEST)

    def settle(
        self, outcomes: list[Outcome], run_id: str, *, is_complete: bool = False
    ) -> quarantine.Moved:
        with self.connection.transaction():
            moved = quarantine.move_bad_rows(self.connection, LINES, STAGE, outcomes, run_id)
            everywhere = sql.SQL("true") if is_complete else None
            self.resolved = quarantine.resolve(
                self.connection, LINES, run_id, complete_where=everywhere
            )
        return moved

    def night(self, run_id: str, *rows: dict[str, Any], is_complete: bool = False):
        self.offered = self.stage(*rows, is_complete=is_complete)
        return self.settle(self.check(), run_id, is_complete=is_complete)

    def staged(self) -> list[tuple[str | None, int | None]]:
        return list(
            self.connection.execute(f"select invoice_id, line_no from {STAGE} order by 1, 2")
        )

    def held(self, columns: str = "row_key, rule", where: str = "resolved_run is null") -> list:
        return list(
            self.connection.execute(
                f"select {columns} from quarantine.rows where {where} order by row_key, rule"
            )
        )


@pytest.fixture(scope="module")
def warehouse_url(cluster) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield cluster.ensure_database(name)
    cluster.drop_database(name)


@pytest.fixture
def warehouse(warehouse_url) -> Iterator[Warehouse]:
    made = Warehouse(warehouse_url)
    yield made
    with made.connection as connection:
        for schema in ("stage", "raw", "quarantine", "ops"):
            connection.execute(f"drop schema {schema} cascade")


def test_a_bad_row_leaves_the_stage_and_is_kept_whole_with_its_reason(warehouse):
    moved = warehouse.night("r1", {}, {"line_no": 2, "quantity": -3})
    assert moved == {"quantity_has_its_sign": 1}
    assert moved.rows == 1
    assert warehouse.staged() == [("I1", 1)]
    ((key, rule, column, reason, data, first, last),) = warehouse.held(
        "row_key, rule, column_name, reason, row_data, first_seen_run, last_seen_run"
    )
    assert (key, rule, column, first, last) == (
        "I1|2",
        "quantity_has_its_sign",
        "quantity, document_type, net_amount, line_kind",
        "r1",
        "r1",
    )
    assert "wrong sign" in reason
    assert data["quantity"] == -3
    assert set(data) == set(LINES.column_names)


def test_a_row_that_breaks_two_rules_has_two_entries_and_counts_once(warehouse):
    moved = warehouse.night("r1", {}, {"line_no": 2, "quantity": -1, "document_type": "fax"})
    assert moved == {"quantity_has_its_sign": 1, "document_type.be_in_set": 1}
    assert moved.rows == 1
    assert warehouse.held() == [
        ("I1|2", "document_type.be_in_set"),
        ("I1|2", "quantity_has_its_sign"),
    ]


def test_rows_without_a_key_are_told_apart_by_a_hash(warehouse):
    moved = warehouse.night(
        "r1", {"invoice_id": None}, {"invoice_id": None, "line_no": 7}, {"line_no": 3}
    )
    assert moved == {"invoice_id.not_be_null": 2}
    keys = [key for key, _ in warehouse.held()]
    assert len(set(keys)) == 2
    assert all(key.startswith("#") for key in keys)
    assert warehouse.night("r2") == {}, "a row without a key is never offered again"


def test_equal_rows_collapse_and_differing_ones_are_all_set_aside(warehouse):
    moved = warehouse.night("r1", {}, {}, {}, {"line_no": 2}, {"line_no": 2, "net_amount": 99})
    assert warehouse.collapsed == 2
    assert moved == {"invoice_id_line_no.be_unique": 2}
    assert warehouse.staged() == [("I1", 1)]
    keys = [key for key, _ in warehouse.held()]
    assert len(set(keys)) == 2
    assert all(key.startswith("I1|2#") for key in keys)


def test_duplicates_are_resolved_when_the_source_sends_the_right_one(warehouse):
    warehouse.night("r1", {"line_no": 2}, {"line_no": 2, "net_amount": 99})
    moved = warehouse.night("r2", {"line_no": 2, "net_amount": 98})
    assert (moved, warehouse.offered, warehouse.resolved) == ({}, 0, 2)
    assert warehouse.staged() == [("I1", 2)]
    assert warehouse.held() == []


def test_a_line_comes_in_by_itself_once_its_customer_is_known(warehouse):
    moved = warehouse.night("r1", {}, {"line_no": 2, "customer_id": "C2"})
    assert moved == {"customer_id_is_known": 1}

    moved = warehouse.night("r2", {"line_no": 3})
    assert (warehouse.offered, moved) == (1, {"customer_id_is_known": 1})
    ((first, last),) = warehouse.held("first_seen_run, last_seen_run")
    assert (first, last) == ("r1", "r2")

    warehouse.put("raw.erp_customers", {"customer_id": "C2", "name": "Bo", "_run_id": "r3"})
    moved = warehouse.night("r3")
    assert (warehouse.offered, moved, warehouse.resolved) == (1, {}, 1)
    assert warehouse.staged() == [("I1", 2)]
    assert warehouse.connection.execute(
        f"select net_amount, invoice_date from {STAGE}"
    ).fetchone() == (100, date(2026, 5, 1))
    assert warehouse.held("resolved_run", "true") == [("r3",)]


def test_a_customer_of_the_same_night_is_known_from_its_stage_table(warehouse):
    customers = contract.load().entities["erp.customers"]
    tables.create_stage(warehouse.connection, customers)
    warehouse.put("stage.erp_customers", {"customer_id": "C9", "name": "Cy"})
    assert warehouse.night("r1", {"customer_id": "C9"}) == {}


def test_a_new_version_in_the_extract_goes_before_the_one_in_quarantine(warehouse):
    warehouse.night("r1", {"line_no": 2, "quantity": -1})
    warehouse.night("r2", {"line_no": 2, "quantity": 5})
    assert (warehouse.offered, warehouse.resolved) == (0, 1)
    assert warehouse.connection.execute(f"select quantity from {STAGE}").fetchone() == (5,)


def test_an_entry_closes_when_its_rule_is_met_though_another_is_not(warehouse):
    warehouse.night("r1", {"line_no": 2, "quantity": -1, "document_type": "fax"})
    warehouse.night("r2", {"line_no": 2, "quantity": -1})
    assert warehouse.held() == [("I1|2", "quantity_has_its_sign")]
    assert warehouse.held("rule, resolved_run", "resolved_run is not null") == [
        ("document_type.be_in_set", "r2")
    ]


def test_an_entry_opens_again_when_the_row_turns_bad_again(warehouse):
    for run, quantity in (("r1", -1), ("r2", 1), ("r3", -1)):
        warehouse.night(run, {"line_no": 2, "quantity": quantity})
    assert warehouse.held("first_seen_run, last_seen_run") == [("r1", "r3")]


def test_a_complete_extract_that_no_longer_has_the_row_closes_its_entry(warehouse):
    warehouse.night("r1", {}, {"line_no": 2, "quantity": -1}, is_complete=True)
    warehouse.night("r2", {}, is_complete=True)
    assert warehouse.staged() == [("I1", 1)]
    assert warehouse.held() == []


def test_rows_that_wait_do_not_use_up_the_limit_of_later_nights(warehouse):
    unknown = [{"line_no": n, "customer_id": "C2"} for n in range(2, 62)]
    first = [{"invoice_id": f"I{n}"} for n in range(900)]
    warehouse.night("r1", *first, *unknown)
    warehouse.stage({"line_no": 100})
    outcomes = warehouse.check()
    (line,) = [o for o in outcomes if o.expectation == "customer_id_is_known"]
    assert (line.rows_failed, line.rows_again, line.rows_offered) == (60, 60, 60)
    assert any("customer_id_is_known" in text for text in decide(outcomes, source="test"))


def test_too_many_bad_rows_stop_the_run_with_an_example(warehouse):
    warehouse.stage(*[{"line_no": n, "quantity": -1} for n in range(11)], {"line_no": 99})
    with pytest.raises(UserError, match=r"11 of 12 rows .* for example I1\|\d+: .*sign") as stopped:
        decide(warehouse.check(), source="test", entity=LINES)
    assert "\n" not in str(stopped.value)


def test_a_cell_of_ten_megabytes_is_set_aside_with_a_short_reason(warehouse):
    moved = warehouse.night("r1", {}, {"line_no": 2, "order_id": "x" * 10_000_000})
    assert moved == {"order_id.value_lengths_to_be_between": 1}
    ((reason, size),) = warehouse.held("reason, length(row_data ->> 'order_id')")
    assert size == 10_000_000
    assert len(reason) < 200
    assert "\n" not in reason


def test_a_key_of_ten_megabytes_is_cut_and_hashed(warehouse):
    warehouse.night("r1", {}, {"invoice_id": "y" * 10_000_000})
    assert {len(key) for key, _ in warehouse.held()} == {200 + 1 + 32}


def test_another_count_than_gx_found_moves_nothing(warehouse):
    warehouse.stage({}, {"line_no": 2, "quantity": -1})
    outcomes = warehouse.check()
    warehouse.put(STAGE, {**LINE, "line_no": 3, "quantity": -1})
    with pytest.raises(UserError, match="breaks 2 staged rows, but 1 when it was checked"):
        warehouse.settle(outcomes, "r1")
    assert len(warehouse.staged()) == 3
    assert warehouse.held() == []


def test_a_failed_load_leaves_quarantine_as_it_was(warehouse):
    warehouse.stage({}, {"line_no": 2, "quantity": -1})
    outcomes = warehouse.check()
    with warehouse.connection.transaction(force_rollback=True):
        moved = quarantine.move_bad_rows(warehouse.connection, LINES, STAGE, outcomes, "r1")
        assert moved.rows == 1
    assert len(warehouse.staged()) == 2
    assert warehouse.held() == []


def test_only_failed_rules_that_quarantine_move_rows(warehouse):
    warehouse.stage({}, {"line_no": 2, "quantity": -1})
    outcomes = [
        replace(outcome, rule=replace(outcome.rule, on_failure="stop"))
        for outcome in warehouse.check()
    ]
    assert warehouse.settle(outcomes, "r1") == {}
    assert len(warehouse.staged()) == 2


def test_a_bar_in_a_key_does_not_mix_up_two_rows(warehouse):
    orders = contract.load().entities["erp.product_costs"]
    tables.create_stage(warehouse.connection, orders)
    warehouse.night("r1", {"invoice_id": "A|1", "line_no": 1, "quantity": -1})
    assert warehouse.held("row_key") == [("A\\|1|1",)]
