"""A check hints at mappings that read each line rightly and all of them wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_tiers import contract, settings
from customer_tiers.sources import check

TERMS = contract.load()
COLUMNS = (
    "invoice_id,line_no,customer_id,product_id,invoice_date,document_type,original_invoice_id,"
    "line_kind,quantity,net_amount"
)
SALES = (
    "I1,1,1,1,2026-01-02,invoice,,,30,3000",
    "I2,1,1,1,2026-02-02,invoice,,,10,1000",
    "I3,1,2,2,2026-02-03,invoice,,,5,50",
)


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    sources, data = tmp_path / "sources", tmp_path / "data"
    (sources / "shop" / "erp").mkdir(parents=True)
    data.mkdir()
    monkeypatch.setattr(settings, "SOURCES", sources)
    (sources / "shop" / "source.yml").write_text(
        f"name: shop\nbase_currency: EUR\nsystems:\n  erp: {{kind: files, path: {data}}}\n"
    )
    (data / "customers.csv").write_text("customer_id,name\n1,Acme\n2,Globex\n")
    (data / "products.csv").write_text("product_id,name,standard_cost\n1,Oxygen,60\n2,Argon,5\n")
    for table in ("customers", "products", "invoice_lines"):
        (sources / "shop" / "erp" / f"{table}.sql").write_text(f"select * from {table}")
    return data


def hints(shop: Path, *lines: str, select: str | None = None) -> list[str]:
    (shop / "invoice_lines.csv").write_text("\n".join([COLUMNS, *SALES, *lines, ""]))
    if select:
        (settings.SOURCES / "shop" / "erp" / "invoice_lines.sql").write_text(select)
    report = check.check("shop", TERMS, None)
    assert report.faults == []
    return [hint for hint in report.hints if "empty in every row" not in hint]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["G1,1,1,1,2026-03-01,credit_note,I1,,30,300"], ["'G1'", "price of the invoice"]),
        (["G2,1,1,1,2026-03-01,credit_note,,,30,300"], ["'G2'", "lowest price"]),
        (["I4,1,1,1,2026-03-01,invoice,,,-30,-3000"], ["'I4'", "negative total", "credit_note"]),
        (["G3,1,1,1,2026-03-01,credit_note,I1,price,0,-9"], ["'G3'", "negative total"]),
        (
            ["I5,1,1,1,2026-03-01,invoice,,,9,900", "I5,2,1,2,2026-03-01,invoice,,,1,-90"],
            ["'I5'", "units and a negative amount", "line_kind 'price'"],
        ),
        (
            [f"I8,{n},1,1,2026-03-01,invoice,,,1,9.2345" for n in range(9)],
            ["'I8'", "9 lines", "more than two decimals"],
        ),
        (
            [
                "I6,1,1,2,2026-03-01,invoice,,,1,500",
                "I7,1,1,1,2026-03-09,invoice,,,9,900",
                "I7,2,1,2,2026-03-09,invoice,,price,-1,-500",
            ],
            ["'I7'", "advance", "down_payment"],
        ),
    ],
)
def test_what_no_row_shows_by_itself_is_hinted_at(shop, lines, words):
    found = hints(shop, *lines)
    assert any(all(word in hint for word in words) for hint in found), found


def test_honest_business_is_not_hinted_at(shop):
    """Returns at the price less a fee, priced money, advances that say so, all goods of a line."""
    assert (
        hints(
            shop,
            "G1,1,1,1,2026-03-01,credit_note,I1,,30,2900",
            "G2,1,1,1,2026-03-01,credit_note,I1,price,30,300",
            "G3,1,1,1,2026-03-01,credit_note,,,1,95",
            "G3,2,1,1,2026-03-01,credit_note,,price,0,-5",
            "I5,1,1,1,2026-03-01,invoice,,,9,900",
            "I5,2,1,2,2026-03-01,invoice,,price,1,-90",
            "I6,1,1,2,2026-03-01,invoice,,down_payment,1,500",
            "I7,1,1,1,2026-03-09,invoice,,,9,900",
            "I7,2,1,2,2026-03-09,invoice,,down_payment,-1,-500",
        )
        == []
    )


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("select * replace (abs(net_amount::int) as net_amount) from {}", "abs()"),
        ("select * from {} where quantity::decimal(18, 3) <> 0", "quantity of 0"),
        ("select * from {} where quantity != '0' and quantity::int != 0", "quantity of 0"),
    ],
)
def test_a_select_that_turns_or_drops_money_without_goods_is_hinted_at(shop, select, words):
    [hint] = hints(shop, select=select.format("invoice_lines"))
    assert words in hint


def test_a_comment_is_no_code(shop):
    select = "-- never abs(x), nor where qty <> 0\nselect * from invoice_lines /* abs( */"
    assert hints(shop, select=select) == []
