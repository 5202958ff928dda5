"""The SELECTs that the documents teach are run as they stand there."""

from __future__ import annotations

import textwrap

import duckdb
import pytest

from customer_tiers import settings

TABLES = """
create table docs (
    id text, kind text, state text, cust text, day date, due date, total decimal(18, 2), cur text,
    changed timestamp
);
create table doc_lines (
    doc_id text, pos int, item text, qty decimal(18, 3), price decimal(18, 2),
    amount_gross decimal(18, 2), tax decimal(18, 2), changed timestamp
);
create table payments (id text, cust text, day date, amount decimal(18, 2), cur text);
"""


def example(column: str) -> str:
    """The block of code in docs/add-a-source.md that delivers a column under this name."""
    text = (settings.PROJECT / "docs" / "add-a-source.md").read_text(encoding="utf-8")
    blocks = [textwrap.dedent(block) for block in text.split("\n\n") if block.startswith("    ")]
    whole = [block for block in blocks if column in block]
    assert len(whole) == 1, whole
    return whole[0]


@pytest.fixture
def erp() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(TABLES)
    return connection


def found(erp: duckdb.DuckDBPyConnection, query: str) -> dict[tuple, dict[str, object]]:
    cursor = erp.execute(query)
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {(row["invoice_id"], row.get("line_no")): row for row in rows}


def test_the_lines_of_the_imaginary_erp_have_their_kinds_signs_and_days(erp):
    erp.execute("""
        insert into docs (id, kind, state, cust, day, cur) values
            ('R1', 'RE', 'booked', 'C', '2026-01-02', 'EUR'),
            ('R2', 'RE', 'draft', 'C', null, 'EUR'),
            ('R3', 'RE', 'draft', 'C', '2026-01-03', 'EUR'),
            ('G1', 'GU', 'booked', 'C', '2026-02-01', 'EUR');
        insert into doc_lines (doc_id, pos, item, qty, amount_gross, tax) values
            ('R1', 1, 'A', 10, 119, 19), ('R1', 2, 'DISCOUNT', 1, -11.90, -1.90),
            ('R1', 3, 'DOWNPAY', 1, -23.80, -3.80),
            ('R2', 1, 'A', 1, 119, 19), ('R3', 1, 'A', 1, 119, 19),
            ('G1', 1, 'A', -2, -23.80, -3.80), ('G1', 2, 'A', 0, -5.95, -0.95);
    """)
    rows = found(erp, example("as line_no"))
    values = {
        key: (
            row["document_type"],
            row["line_kind"],
            float(row["quantity"]),
            float(row["net_amount"]),
            row["posted"],
        )
        for key, row in rows.items()
    }
    assert values == {
        ("R1", 1): ("invoice", None, 10, 100, True),
        ("R1", 2): ("invoice", "price", 1, -10, True),
        ("R1", 3): ("invoice", "down_payment", 1, -20, True),
        ("R3", 1): ("invoice", None, 1, 100, False),
        ("G1", 1): ("credit_note", None, 2, 20, True),
        ("G1", 2): ("credit_note", "price", 0, 5, True),
    }


def test_payments_that_name_only_a_customer_pay_the_oldest_invoice_first(erp):
    erp.execute("""
        insert into docs (id, kind, state, cust, day, due, total, cur) values
            ('R1', 'RE', 'booked', 'C', '2026-01-01', '2026-01-31', 100, 'EUR'),
            ('R2', 'RE', 'booked', 'C', '2026-02-01', '2026-02-28', 200, 'EUR'),
            ('R3', 'RE', 'booked', 'C', '2026-03-01', '2026-03-31', 300, 'EUR'),
            ('R4', 'RE', 'booked', 'C', '2026-03-01', '2026-03-31', 70, 'USD'),
            ('R5', 'RE', 'booked', 'D', '2026-03-01', '2026-03-31', 50, 'EUR'),
            ('G1', 'GU', 'booked', 'C', '2026-02-10', null, -40, 'EUR');
        insert into payments values
            ('P1', 'C', '2026-01-20', 60, 'EUR'), ('P2', 'C', '2026-02-20', 150, 'EUR'),
            ('P3', 'C', '2026-03-20', 100, 'EUR');
    """)
    rows = found(erp, example("as paid_amount"))
    paid = {key[0]: (float(row["paid_amount"]), str(row["paid_date"])) for key, row in rows.items()}
    assert paid == {
        "R1": (100, "2026-02-10"),  # 60, and 40 of the credit note
        "R2": (200, "2026-03-20"),
        "R3": (50, "2026-03-20"),
        "R4": (0, "None"),
        "R5": (0, "None"),
    }
    assert sum(amount for amount, _ in paid.values()) == 60 + 150 + 100 + 40
