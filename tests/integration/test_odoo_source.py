"""Facts of an Odoo database that decide whose revenue it is, how much, and in which currency.

The tables have the columns of Odoo's models; each test says by hand what is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from customer_tiers.sources import check
from helpers import systems
from helpers.systems import TERMS, by, rows

CENT = Decimal("0.01")

COMPANY = """
insert into res_currency (id, name) values (1, 'EUR'), (2, 'USD'), (3, 'GBP'), (4, 'CHF');
insert into res_company (id, name, partner_id, parent_id, currency_id) values
    (1, 'Ours GmbH', 1, null, 1), (2, 'Ours Inc', 2, null, 2), (3, 'Ours AT', 3, null, 1);
insert into res_currency_rate (name, rate, currency_id, company_id) values
    ('2026-01-01', 1.10, 2, 1), ('2026-01-01', 1.00, 2, 2), ('2026-01-01', 1.20, 2, 3),
    ('2026-01-01', 0.9090909, 1, 2),
    ('2025-01-01', 0.80, 3, null), ('2026-03-01', 0.90, 3, 1), ('2026-04-01', 0.70, 3, null);
insert into uom_uom (id, name, category_id, uom_type, factor) values
    (1, '{"en_US": "Units"}', 1, 'reference', 1),
    (2, '{"en_US": "Dozens"}', 1, 'bigger', 0.083333333333333);
insert into res_partner (id, name, commercial_partner_id, parent_id, customer_rank) values
    (1, 'Ours GmbH', 1, null, 1), (2, 'Ours Inc', 2, null, 0), (3, 'Ours AT', 3, null, 0),
    (10, 'Acme', 10, null, 1), (11, 'Acme, Ms. Li', 10, 10, 0),
    (12, 'Only ordered', 12, null, 0), (13, 'Only ordered, Mr. Ode', 12, 12, 0),
    (14, 'Only a lead', 14, null, 0), (15, 'Only a lead, Ms. Lou', 14, 14, 0);
insert into product_category (id, complete_name) values (1, 'All');
insert into product_template (id, name, categ_id, uom_id) values
    (5, '{"en_US": "Valve"}', 1, 1), (6, '{"en_US": "Discount"}', 1, 1);
insert into product_product (id, product_tmpl_id) values (50, 5), (60, 6);
insert into account_account (id, code, account_type) values
    (400, '4000', 'income'), (999, '9999', 'equity_unaffected');
"""


@pytest.fixture
def odoo(cluster, monkeypatch) -> Iterator[str]:
    url = cluster.ensure_database("odoo_facts")
    systems.create_odoo(url)
    systems.change_postgres(url, COMPANY)
    monkeypatch.setenv("AIRFLOW_CONN_ERP", url)
    yield url
    cluster.drop_database("odoo_facts")


def invoice(url: str, number: int, lines: str, **fields: object) -> None:
    """Add a document, posted on 10 May 2026 by the first company for Acme in EUR unless said
    otherwise, and its lines: values of id, product, unit, quantity, amount, account."""
    document = {
        "id": number,
        "move_type": "out_invoice",
        "state": "posted",
        "invoice_date": "2026-05-10",
        "company_id": 1,
        "partner_id": 10,
        "commercial_partner_id": 10,
        "currency_id": 1,
        "amount_total": 100,
        "amount_residual": 0,
    } | fields
    names = ", ".join(document)
    values = ", ".join("null" if v is None else f"'{v}'" for v in document.values())
    systems.change_postgres(
        url,
        f"insert into account_move ({names}) values ({values});\n"
        "insert into account_move_line (id, product_id, product_uom_id, quantity, price_subtotal,"
        f" account_id, move_id, display_type) select line.*, {number}, 'product' from (values"
        f" {lines}) as line",
    )


def lines() -> dict[str, dict[str, str]]:
    return by("line_no", rows("odoo", "erp.invoice_lines"))


def revenue() -> Decimal:
    """What the warehouse would make of the lines: posted, signed, at the last rate of the day."""
    rates = rows("odoo", "erp.fx_rates")
    total = Decimal(0)
    for line in rows("odoo", "erp.invoice_lines"):
        if line["posted"] != "t" or line["line_kind"] == "down_payment":
            continue
        rate = Decimal(1)
        if line["currency"] != "EUR":
            known = [r for r in rates if r["currency"] == line["currency"]]
            usable = [r for r in known if r["valid_from"] <= line["invoice_date"]]
            rate = Decimal(max(usable, key=lambda r: r["valid_from"])["rate"])
        sign = 1 if line["document_type"] == "invoice" else -1
        total += sign * rate * Decimal(line["net_amount"])
    return total.quantize(CENT)


@pytest.mark.parametrize(
    ("company", "currency", "right"),
    [
        (1, 2, "40909.09"),  # 45,000 USD at 1.10 of the first company
        (3, 2, "37500.00"),  # at 1.20 of the third, which keeps EUR too
        (2, 2, "40909.09"),  # a company in USD: its dollars at the rates of the first
        (2, 1, "45000.00"),  # a company in USD that invoices in EUR
        (1, 3, "50000.00"),  # 45,000 GBP at 0.90: a rate of the company before the shared ones
        (3, 3, "64285.71"),  # at 0.70: the third has none of its own
    ],
)
def test_the_rates_of_the_company_that_invoices_count(odoo, company, currency, right):
    for n in range(9):
        invoice(odoo, n, f"({n}, 50, 1, 1, 5000, 400)", company_id=company, currency_id=currency)
    assert revenue() == Decimal(right)


def test_rates_are_relative_to_the_base_currencys_own_rate(odoo):
    systems.change_postgres(
        odoo,
        "insert into res_currency_rate (name, rate, currency_id, company_id) values "
        "('2026-01-01', 2, 4, null), ('2026-01-01', 4, 1, null), ('2026-04-01', 5, 1, null)",
    )
    rates = {
        r["valid_from"]: r["rate"] for r in rows("odoo", "erp.fx_rates") if r["currency"] == "CHF"
    }
    assert {day: float(rate) for day, rate in rates.items()} == {"2026-01-01": 2, "2026-04-01": 2.5}


def test_a_currency_without_a_rate_is_refused(odoo):
    invoice(odoo, 1, "(1, 50, 1, 1, 100, 400)", currency_id=4)
    [fault] = check.check("odoo", TERMS, None).faults
    assert "1 rows in CHF" in fault
    assert "no rate" in fault


def test_what_is_owed_in_a_currency_without_a_rate_is_refused_too(odoo):
    invoice(odoo, 1, "(1, null::int, null::int, 1, 100, 999)", currency_id=4)  # sold nothing here
    [fault] = check.check("odoo", TERMS, None).faults
    assert fault.startswith("erp.receivables, column currency: 1 rows in CHF")


def test_the_months_of_a_company_in_the_base_currency_alone_need_no_rates(odoo):
    systems.change_postgres(odoo, "delete from res_currency_rate")
    invoice(odoo, 1, "(1, 50, 1, 1, 100, 400)")
    assert revenue() == 100
    assert check.check("odoo", TERMS, None).faults == []


def test_orders_and_leads_of_a_contact_are_those_of_its_company(odoo):
    systems.change_postgres(
        odoo,
        "insert into sale_order (id, partner_id, date_order, state) values "
        + ", ".join(f"({n}, 11, '2026-0{n}-01', 'sale')" for n in range(1, 10))
        + ", (10, 13, '2026-05-01', 'sale');\n"
        "insert into crm_lead (id, type, partner_id, company_id, expected_revenue) values "
        "(1, 'opportunity', 15, 2, 500), (2, 'opportunity', 11, null, 500)",
    )
    orders = [row["customer_id"] for row in rows("odoo", "erp.orders")]
    assert (orders.count("10"), orders.count("12")) == (9, 1)
    assert {"10", "12"} <= set(by("customer_id", rows("odoo", "erp.customers")))
    leads = by("opportunity_id", rows("odoo", "crm.opportunities"))
    assert [(lead["account_id"], lead["currency"]) for lead in leads.values()] == [
        ("14", "USD"),
        ("10", ""),
    ]
    assert {"10", "14"} <= set(by("account_id", rows("odoo", "crm.accounts")))


@pytest.mark.parametrize("release", [16, 19])
def test_quantities_and_costs_are_in_the_units_that_belong_to_them(odoo, release):
    systems.change_postgres(
        odoo,
        "insert into sale_order (id, partner_id, date_order, state) values "
        "(7, 10, '2026-05-01', 'sale');\n"
        "insert into sale_order_line (id, order_id, product_uom, purchase_price) values "
        "(70, 7, 2, 48), (71, 7, 1, 4);\n"  # a dozen costs 48, a valve 4
        "insert into sale_order_line_invoice_rel values (70, 1), (71, 2), (70, 3)",
    )
    if release == 19:  # a factor is what the unit holds; the order's unit has another name
        systems.change_postgres(
            odoo,
            "alter table uom_uom add relative_factor numeric;\n"
            "update uom_uom set factor = 12, relative_factor = 12 where id = 2;\n"
            "update uom_uom set relative_factor = 1 where id = 1;\n"
            "alter table sale_order_line rename product_uom to product_uom_id",
        )
    invoice(
        odoo,
        1,
        "(1, 50, 2, 2, 240, 400), (2, 50, 2, 1, 120, 400), (3, 50, 1, 6, 60, 400), "
        "(4, 50, 1, 3, 30, 400)",
    )
    found = lines()
    assert [float(found[n]["quantity"]) for n in "1234"] == [24, 12, 6, 3]
    assert [float(found[n]["cost_amount"]) for n in "123"] == pytest.approx([96, 48, 24])
    assert found["4"]["cost_amount"] == ""


def test_without_the_module_of_margins_there_is_no_cost(odoo):
    systems.change_postgres(odoo, "alter table sale_order_line drop purchase_price")
    invoice(odoo, 1, "(1, 50, 1, 2, 100, 400)")
    assert lines()["1"]["cost_amount"] == ""


def test_down_payments_and_discounts_are_money_without_goods(odoo):
    systems.change_postgres(
        odoo,
        "insert into sale_order (id, partner_id, date_order, state) values "
        "(7, 10, '2026-05-01', 'sale');\n"
        "insert into sale_order_line (id, order_id, is_downpayment, purchase_price) values "
        "(70, 7, true, 0), (71, 7, false, 4);\n"
        "insert into sale_order_line_invoice_rel values (70, 1), (71, 2), (70, 3)",
    )
    invoice(odoo, 1, "(1, 60, 1, 1, 300, 400)")
    invoice(
        odoo,
        2,
        "(2, 50, 1, 10, 1000, 400), (3, 60, 1, -1, -300, 400), (4, 60, 1, 1, -50, 400), "
        "(5, 50, 1, -2, -200, 400)",
    )
    kinds = {n: (row["line_kind"], float(row["net_amount"])) for n, row in lines().items()}
    assert kinds == {
        "1": ("down_payment", 300),
        "2": ("goods", 1000),
        "3": ("down_payment", -300),
        "4": ("price", -50),
        "5": ("goods", -200),
    }
    assert revenue() == 750


def test_a_refund_takes_goods_back_and_sells_those_of_a_negative_quantity(odoo):
    invoice(odoo, 1, "(1, 50, 1, 10, 1000, 400)")
    invoice(
        odoo,
        2,
        "(2, 50, 1, 4, 400, 400), (3, 50, 1, -1, -100, 400)",
        move_type="out_refund",
        reversed_entry_id=1,
    )
    back, again = lines()["2"], lines()["3"]
    assert (back["document_type"], back["original_invoice_id"]) == ("credit_note", "1")
    assert (again["document_type"], again["original_invoice_id"]) == ("invoice", "")
    assert float(again["quantity"]) == 1
    assert revenue() == 700


def test_receipts_count_and_one_of_nobody_has_a_customer(odoo):
    assert "0" not in by("customer_id", rows("odoo", "erp.customers"))
    invoice(odoo, 1, "(1, 50, 1, 1, 100, 400)", move_type="out_receipt")
    invoice(
        odoo,
        2,
        "(2, 50, 1, 1, 70, 400)",
        move_type="out_receipt",
        partner_id=None,
        commercial_partner_id=None,
    )
    assert {n: row["customer_id"] for n, row in lines().items()} == {"1": "10", "2": "0"}
    assert by("customer_id", rows("odoo", "erp.customers"))["0"]["status"] == "internal"
    assert check.check("odoo", TERMS, None).faults == []


def test_only_what_was_sold_and_posted_counts(odoo):
    invoice(odoo, 1, "(1, 50, 1, 1, 100, 400)")
    invoice(odoo, 2, "(2, null::int, null::int, 1, 5000, 999)")  # a balance brought forward
    invoice(odoo, 3, "(3, 50, 1, 1, 100, 400)", state="cancel")
    invoice(odoo, 4, "(4, 50, 1, 1, 100, 400)", state="draft")
    invoice(odoo, 5, "(5, 50, 1, 1, 100, 400)", state="draft", invoice_date=None, name="/")
    invoice(odoo, 6, "(6, 50, 1, 1, 100, 400)", move_type="entry")
    posted = {n: row["posted"] for n, row in lines().items()}
    assert posted == {"1": "t", "2": "f", "3": "f", "4": "f"}
    assert set(by("invoice_id", rows("odoo", "erp.receivables"))) == {"1", "2"}
    systems.change_postgres(
        odoo, "update account_move set state = 'posted', invoice_date = '2026-05-20' where id = 5"
    )
    assert lines()["5"]["posted"] == "t"


def test_a_company_of_the_database_is_an_internal_customer(odoo):
    invoice(odoo, 1, "(1, 50, 1, 1, 100, 400)", partner_id=3, commercial_partner_id=3)
    status = {
        k: row["status"] for k, row in by("customer_id", rows("odoo", "erp.customers")).items()
    }
    assert (status["3"], status["10"]) == ("internal", "active")


def test_what_is_owed_is_in_the_currency_of_the_lines(odoo):
    fields = {"amount_total": 1190, "amount_residual": 595, "currency_id": 2}
    invoice(odoo, 1, "(1, 50, 1, 1, 1000, 400)", **fields)
    invoice(odoo, 2, "(2, 50, 1, 1, 1000, 400)", **fields, company_id=3)
    owed = by("invoice_id", rows("odoo", "erp.receivables"))
    assert (owed["1"]["currency"], float(owed["1"]["amount"])) == ("USD", 1190)
    assert (owed["2"]["currency"], round(float(owed["2"]["amount"]), 2)) == ("EUR", 991.67)
    assert round(float(owed["2"]["paid_amount"]), 2) == 495.83
