"""GX checks the real table, its results are kept, and what cannot be checked is said in a line."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine, event

from customer_tiers import contract, settings
from customer_tiers.errors import UserError
from customer_tiers.load import tables
from customer_tiers.quality import check_entity, docs, engine, results, run_suite, suites

PRODUCTS = contract.load().entities["erp.products"]
LATEST = date(2026, 5, 31)


@pytest.fixture
def warehouse(database):
    with psycopg.connect(database) as connection:
        tables.prepare(connection, contract.load(), "test")
        tables.create_stage(connection, PRODUCTS)
        connection.execute(
            "insert into stage.erp_products (product_id, name, standard_cost) "
            "values ('P1', 'Pump', 5), ('P2', 'Valve', -5), ('P3', null, 1)"
        )
    return database


def test_outcomes_come_in_the_order_of_the_suite_with_counts_and_an_example(warehouse):
    outcomes = check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    assert [o.expectation for o in outcomes] == [r.name for r in suites.of_entity(PRODUCTS).rules]
    failed = {o.expectation: o for o in outcomes if not o.is_met}
    assert set(failed) == {"name.not_be_null", "standard_cost.be_between"}
    name = failed["name.not_be_null"]
    assert (name.severity, name.column, name.rows_checked, name.rows_failed) == (
        "critical",
        "name",
        3,
        1,
    )
    assert (name.observed, name.example) == ("1 of 3 rows", "P3")
    assert failed["standard_cost.be_between"].rule.on_failure == "quarantine"


def test_an_empty_table_is_checked_without_a_fault(warehouse):
    with psycopg.connect(warehouse) as connection:
        connection.execute("truncate stage.erp_products")
    outcomes = check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    assert all(o.is_met for o in outcomes)
    assert {o.rows_checked for o in outcomes} == {0}


def test_results_are_stored_and_replaced_when_the_run_checks_again(warehouse):
    outcomes = check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    with psycopg.connect(warehouse) as connection:
        results.store(connection, "r1", outcomes)
        results.store(connection, "r1", outcomes)
        results.store(connection, "r2", outcomes)
        rows = connection.execute(
            "select expectation, severity, is_met, rows_checked, rows_failed, reason, observed "
            "from ops.expectation_result where run_id = 'r1' and column_name = 'name' "
            "and expectation = 'name.not_be_null'"
        ).fetchall()
        counts = connection.execute("select count(*) from ops.expectation_result").fetchone()
    reason = next(o.reason for o in outcomes if o.expectation == "name.not_be_null")
    assert rows == [("name.not_be_null", "critical", False, 3, 1, reason, "1 of 3 rows")]
    assert counts == (2 * len(outcomes),)


def test_a_missing_table_or_column_is_said_with_its_place(warehouse):
    suite = suites.of_entity(PRODUCTS)
    with pytest.raises(UserError, match=r"no table stage\.nothing"):
        run_suite(warehouse, suite, "stage.nothing", parameters={"latest_date": LATEST})
    with psycopg.connect(warehouse) as connection:
        connection.execute("alter table stage.erp_products drop column category")
    with pytest.raises(UserError, match=r"expectation \d+ .* has no column category"):
        check_entity(warehouse, PRODUCTS, latest_date=LATEST)


def test_a_missing_parameter_is_named(warehouse):
    with pytest.raises(UserError, match="parameter latest_date has no value"):
        run_suite(warehouse, suites.of_entity(PRODUCTS))


def test_a_query_that_postgres_refuses_is_a_fault_and_not_a_failed_expectation(warehouse):
    suite = suites.of_entity(contract.load().entities["erp.customers"])
    rule = next(rule for rule in suite.rules if rule.query)
    broken = replace(
        rule,
        name="broken",
        kwargs={"unexpected_rows_query": "select 1 from {batch} where subselect.name = 1 / 0"},
    )
    suite = replace(suites.of_entity(PRODUCTS), rules=(broken,))
    with pytest.raises(UserError, match="rule broken could not be computed") as refused:
        run_suite(warehouse, suite)
    assert "\n" not in str(refused.value)


@pytest.fixture
def statements():
    """The SQL that GX sends."""
    sent = []

    def send(_connection, _cursor, statement, *_):
        sent.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", send)
    yield sent
    event.remove(Engine, "before_cursor_execute", send)


def test_one_query_counts_the_rows_that_break_the_rules_of_columns(warehouse, statements):
    check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    counting = [statement for statement in statements if "unexpected_count" in statement]
    assert len(counting) == 1
    assert "count(*) FILTER (WHERE" in counting[0]
    assert "sum(" not in counting[0]


def test_a_bound_is_compared_exactly_and_not_as_a_float(warehouse):
    with psycopg.connect(warehouse) as connection:
        connection.execute("update stage.erp_products set standard_cost = 1000000000000.00001")
    outcomes = check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    assert {o.expectation: o.rows_failed for o in outcomes}["standard_cost.be_between"] == 3


@pytest.mark.parametrize(
    ("index", "is_proof"),
    [
        ("(product_id)", True),
        ("(product_id, name)", False),
        ("(product_id) where name is null", False),
        ("((product_id || name))", False),
    ],
)
def test_a_key_is_looked_through_unless_an_index_has_proved_it(
    warehouse, statements, index, is_proof
):
    with psycopg.connect(warehouse) as connection:
        if not is_proof:
            connection.execute(
                "insert into stage.erp_products (product_id, name) values ('P1', 'Pipe')"
            )
        connection.execute(f"create unique index on stage.erp_products {index}")
    outcomes = check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    (key,) = [o for o in outcomes if o.rule.type in engine.UNIQUE]
    assert key.rows_failed == (0 if is_proof else 2)
    assert any("having count(*) > 1" in each for each in statements) is not is_proof


def test_gx_is_quiet_and_leaves_nothing_behind(warehouse, capfd, caplog):
    engine.gx()  # whose import warns of a module that Python gave up
    with caplog.at_level(logging.INFO):
        check_entity(warehouse, PRODUCTS, latest_date=LATEST)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    context = engine.context()
    assert len(context.data_sources.all()) == 0
    assert len(list(context.suites.all())) == 0
    with psycopg.connect(warehouse) as connection:
        others = connection.execute(
            "select count(*) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
    assert others == (0,)


def test_a_password_with_signs_that_gx_would_expand_works(warehouse):
    with psycopg.connect(warehouse) as connection:
        connection.execute("drop role if exists quality_reader")
        connection.execute("create role quality_reader superuser login password 'a$b{c}'")
    place = warehouse.partition("@")[2]
    url = f"postgresql://quality_reader:a$b%7Bc%7D@{place}"
    assert len(check_entity(url, PRODUCTS, latest_date=LATEST)) > 0
    with psycopg.connect(warehouse) as connection:
        connection.execute("drop role quality_reader")


@pytest.mark.soak
def test_all_entities_are_checked_within_seconds_at_120_000_lines(warehouse):
    with psycopg.connect(warehouse) as connection:
        for entity in contract.load().entities.values():
            tables.create_stage(connection, entity)
        connection.execute(
            """
            insert into raw.erp_customers (customer_id, name, _run_id)
            select 'C' || n, 'Customer ' || n, 'r0' from generate_series(0, 999) as n;
            insert into raw.erp_products (product_id, name, _run_id)
            select 'P' || n, 'Product ' || n, 'r0' from generate_series(0, 99) as n;
            insert into stage.erp_invoice_lines (
                invoice_id, line_no, customer_id, product_id, invoice_date, document_type,
                quantity, list_amount, discount_amount, net_amount, cost_amount
            )
            select
                'I' || n / 5, n % 5, 'C' || n % 1000, 'P' || n % 100,
                date '2024-01-01' + n % 800, 'invoice', 1, 10, 1, 9, 5
            from generate_series(1, 120000) as n
            """
        )
    engine.context()
    started = time.monotonic()
    for entity in contract.load().entities.values():
        assert all(o.is_met for o in check_entity(warehouse, entity, latest_date=LATEST))
    assert time.monotonic() - started < 30, "some seconds on an idle machine"


def test_data_docs_show_the_run_and_load_nothing_from_elsewhere(warehouse):
    with psycopg.connect(warehouse, autocommit=True) as connection:
        results.store(connection, "r1", check_entity(warehouse, PRODUCTS, latest_date=LATEST))
        index = docs.build(connection, "test", "r1")
    assert index == settings.DATA_DOCS / "test" / "index.html"
    pages = {
        p.relative_to(index.parent).as_posix(): p.read_text() for p in index.parent.rglob("*.html")
    }
    (page,) = [text for name, text in pages.items() if name.startswith("validations/erp/products")]
    assert "Failed" in page
    assert "$latest_date" in page
    assert "PARAMETER" not in page
    text = "".join(pages.values())
    assert "the contract says it is never empty" in text
    for tag in (
        '<script src="http',
        "<script src=http",
        '<img src="http',
        'stylesheet" href="http',
    ):
        assert tag not in text
    assert not list(settings.DATA_DOCS.glob(".test*"))


def test_data_docs_that_cannot_be_written_do_not_fail_the_run(warehouse, monkeypatch, caplog):
    with psycopg.connect(warehouse, autocommit=True) as connection:
        assert docs.build(connection, "test", "never ran") is None
        results.store(connection, "r1", check_entity(warehouse, PRODUCTS, latest_date=LATEST))
        monkeypatch.setattr(settings, "DATA_DOCS", settings.PROJECT / "README.md" / "no folder")
        assert docs.build(connection, "test", "r1") is None
    assert "data docs: not written for source test" in caplog.text
