"""Facts of an ERPNext site that decide whose revenue it is, how much, and in which currency.

The tables have the columns of ERPNext's doctypes; each test says by hand what is right.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal

import pytest

from customer_tiers import settings
from customer_tiers.sources import check
from helpers import mariadb, systems
from helpers.systems import TERMS, by, rows

SITE = """
insert into `tabCompany` (name, default_currency) values ('Alpha', 'EUR'), ('Beta', 'USD');
insert into `tabCustomer` (name, customer_name, is_internal_customer) values
    ('ACME', 'Acme', 0), ('BETA-IC', 'Beta', 1);
insert into `tabItem` (name, item_name, stock_uom, valuation_rate) values
    ('VALVE', 'Valve', 'Nos', 6);
"""
TABLES = ("Company", "Customer", "Item", "Sales Invoice", "Sales Invoice Item", "Payment Entry",
          "Payment Entry Reference", "Currency Exchange", "POS Invoice")  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if not mariadb.is_present():
        pytest.skip("no mariadbd on this machine: apt-get install mariadb-server")
    with mariadb.running() as url:
        systems.create_erpnext(url)
        yield url


@pytest.fixture
def site(server, monkeypatch) -> str:
    cleared = "".join(f"delete from `tab{table}`;\n" for table in TABLES)
    systems.change_mariadb(server, cleared + SITE)
    monkeypatch.setenv("AIRFLOW_CONN_ERP", server)
    return server


def insert(url: str, table: str, **values: object) -> None:
    names = ", ".join(values)
    written = ", ".join("null" if value is None else f"'{value}'" for value in values.values())
    systems.change_mariadb(url, f"insert into `tab{table}` ({names}) values ({written})")


def invoice(url: str, name: str, *lines: dict[str, object], **fields: object) -> None:
    """Add a document, submitted on 10 May 2026 by Alpha for Acme in EUR unless said otherwise."""
    document = {
        "name": name,
        "company": "Alpha",
        "customer": "ACME",
        "posting_date": "2026-05-10",
        "currency": "EUR",
        "party_account_currency": "EUR",
    } | fields
    insert(url, "Sales Invoice", **document)
    for number, line in enumerate(lines, start=1):
        own = {"name": f"{name}-{number}", "parent": name, "idx": number, "item_code": "VALVE"}
        insert(url, "Sales Invoice Item", **own, **({"stock_qty": line.get("qty", 0)} | line))


def lines() -> dict[str, dict[str, str]]:
    return by("invoice_id", rows("erpnext", "erp.invoice_lines"))


def revenue() -> Decimal:
    """What the warehouse would make of the posted lines, all of them in base currency."""
    return sum(
        (
            (1 if line["document_type"] == "invoice" else -1) * Decimal(line["net_amount"])
            for line in rows("erpnext", "erp.invoice_lines")
            if line["posted"] == "1" and line["currency"] == "EUR"
        ),
        Decimal(0),
    )


def test_credit_and_debit_notes_without_a_quantity_move_money_alone(site):
    invoice(site, "SI-1", {"qty": 450, "base_net_amount": 45000})
    invoice(site, "SI-R", {"qty": 0, "base_net_amount": -4500}, is_return=1, return_against="SI-1")
    invoice(
        site, "SI-D", {"qty": 0, "base_net_amount": 700}, is_debit_note=1, return_against="SI-1"
    )
    invoice(site, "SI-E", {"qty": 3, "base_net_amount": 30}, is_debit_note=1, return_against="SI-1")
    invoice(site, "SI-G", {"qty": -2, "base_net_amount": -200}, is_return=1, return_against="SI-1")
    found = lines()
    kinds = {name: (row["document_type"], row["line_kind"]) for name, row in found.items()}
    assert kinds == {
        "SI-1": ("invoice", "goods"),
        "SI-R": ("credit_note", "price"),
        "SI-D": ("invoice", "price"),
        "SI-E": ("invoice", "price"),
        "SI-G": ("credit_note", "goods"),
    }
    assert [found[name]["original_invoice_id"] for name in ("SI-R", "SI-D")] == ["SI-1", ""]
    assert float(found["SI-G"]["quantity"]) == 2
    assert revenue() == 45000 - 4500 + 700 + 30 - 200


def test_a_company_in_another_currency_is_refused_until_there_are_rates(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 1000})
    invoice(
        site, "SI-2", {"qty": 1, "base_net_amount": 27000}, company="Beta", currency="USD",
        conversion_rate=1,
    )  # fmt: skip
    assert revenue() == 1000
    [fault] = check.check("erpnext", TERMS, None).faults
    assert "1 rows in USD" in fault
    assert "no rate in erp.fx_rates" in fault


def test_what_a_company_in_another_currency_invoices_in_the_base_currency_is_taken_so(site):
    invoice(
        site, "SI-1", {"qty": 1, "base_net_amount": 1100}, company="Beta", currency="EUR",
        conversion_rate=1.1,
    )  # fmt: skip
    assert round(revenue(), 6) == 1000


def test_foreign_documents_of_the_base_company_are_as_its_books_have_them(site):
    invoice(
        site, "SI-1", {"qty": 1, "net_amount": 1000, "base_net_amount": 912.35}, currency="USD",
        conversion_rate=0.91235,
    )  # fmt: skip
    assert revenue() == Decimal("912.35")


def test_the_sites_own_rates_are_there_to_be_switched_on(site, tmp_path, monkeypatch):
    shutil.copytree(settings.SOURCES / "erpnext", tmp_path / "erpnext")
    (tmp_path / "erpnext" / "erp" / "fx_rates.sql.off").rename(
        tmp_path / "erpnext" / "erp" / "fx_rates.sql"
    )
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    for name, day, source, target, rate, selling in (
        ("a", "2026-01-01", "USD", "EUR", 0.9, 1),
        ("b", "2026-01-01", "EUR", "USD", 5, 1),  # the direct rate of the day goes first
        ("c", "2026-02-01", "EUR", "USD", 1.25, 1),
        ("d", "2026-03-01", "USD", "EUR", 7, 0),  # for purchases only
    ):
        insert(
            site, "Currency Exchange", name=name, date=day, from_currency=source,
            to_currency=target, exchange_rate=rate, for_selling=selling,
        )  # fmt: skip
    invoice(
        site, "SI-2", {"qty": 1, "base_net_amount": 27000}, company="Beta", currency="USD",
        conversion_rate=1,
    )  # fmt: skip
    rates = {row["valid_from"]: float(row["rate"]) for row in rows("erpnext", "erp.fx_rates")}
    assert rates == {"2026-01-01": 0.9, "2026-02-01": 0.8}
    assert check.check("erpnext", TERMS, None).faults == []


def test_quantities_are_in_the_stock_unit_that_the_cost_is_for(site):
    box = {"uom": "Box", "conversion_factor": 10, "base_net_amount": 300}
    invoice(site, "SI-1", {"qty": 3, "stock_qty": 30, **box})
    invoice(site, "SI-2", {"qty": -1, "stock_qty": -10, **box | {"base_net_amount": -100}},
            is_return=1)  # fmt: skip
    invoice(site, "SI-3", {"qty": 2, "stock_qty": 0, **box})
    assert [float(row["quantity"]) for row in lines().values()] == [30, 10, 20]
    [item] = [row for row in rows("erpnext", "erp.products") if row["product_id"] == "VALVE"]
    assert (item["unit"], float(item["standard_cost"])) == ("Nos", 6)


def test_an_opening_invoice_is_owed_and_sold_nothing(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 900}, is_opening="Yes",
            base_grand_total=900, outstanding_amount=900)  # fmt: skip
    assert lines()["SI-1"]["posted"] == "0"
    [owed] = rows("erpnext", "erp.receivables")
    assert (float(owed["amount"]), float(owed["paid_amount"])) == (900, 0)


def test_drafts_cancelled_and_amended_documents_count_once(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 100}, docstatus=2)
    invoice(site, "SI-1-1", {"qty": 1, "base_net_amount": 90}, amended_from="SI-1")
    invoice(site, "SI-2", {"qty": 1, "base_net_amount": 50}, docstatus=0)
    assert revenue() == 90


def test_a_point_of_sale_counts_when_consolidated_and_only_once(site):
    insert(site, "POS Invoice", name="POS-1", customer="ACME", base_grand_total=60,
           consolidated_invoice="SI-1")  # fmt: skip
    invoice(site, "SI-1", {"qty": 6, "base_net_amount": 60}, is_pos=1, is_consolidated=1)
    assert revenue() == 60


def test_a_discount_on_the_document_is_in_the_lines(site):
    invoice(
        site, "SI-1", {"qty": 1, "base_amount": 100, "base_net_amount": 90},
        {"qty": 1, "base_amount": 200, "base_net_amount": 180}, discount_amount=30,
        base_net_total=270,
    )  # fmt: skip
    assert revenue() == 270


@pytest.mark.parametrize(
    ("account_currency", "outstanding", "open_amount"),
    [("EUR", 450, 450), ("USD", 500, 450), ("USD", 1000, 900), ("EUR", 0, 0)],
)
def test_what_is_outstanding_is_in_the_currency_of_its_account(
    site, account_currency, outstanding, open_amount
):
    invoice(
        site, "SI-1", {"qty": 1, "base_net_amount": 900}, currency="USD", conversion_rate=0.9,
        base_grand_total=900, outstanding_amount=outstanding,
        party_account_currency=account_currency,
    )  # fmt: skip
    [owed] = rows("erpnext", "erp.receivables")
    assert owed["currency"] == "EUR"
    assert float(owed["amount"]) - float(owed["paid_amount"]) == pytest.approx(open_amount)


def test_what_a_document_writes_off_is_no_payment(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 100}, base_grand_total=100,
            outstanding_amount=0, base_write_off_amount=4)  # fmt: skip
    [owed] = rows("erpnext", "erp.receivables")
    assert (float(owed["paid_amount"]), float(owed["written_off_amount"])) == (96, 4)


def test_a_payment_that_names_only_the_customer_pays_no_invoice_yet(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 100}, base_grand_total=100,
            outstanding_amount=100)  # fmt: skip
    insert(site, "Payment Entry", name="PE-1", posting_date="2026-06-01", party="ACME",
           paid_amount=100, unallocated_amount=100)  # fmt: skip
    [owed] = rows("erpnext", "erp.receivables")
    assert (float(owed["paid_amount"]), owed["paid_date"]) == (0, "")


def test_a_site_that_lacks_columns_of_receivables_is_read_all_the_same(site):
    invoice(site, "SI-1", {"qty": 1, "base_net_amount": 100}, base_grand_total=100,
            outstanding_amount=40, base_write_off_amount=4)  # fmt: skip
    lacking = ("party_account_currency varchar(140)", "base_write_off_amount decimal(21,9)")
    for column in lacking:
        systems.change_mariadb(site, f"alter table `tabSales Invoice` drop {column.split()[0]}")
    try:
        [owed] = rows("erpnext", "erp.receivables")
    finally:
        for column in lacking:
            systems.change_mariadb(site, f"alter table `tabSales Invoice` add {column} default 0")
    assert (float(owed["paid_amount"]), float(owed["written_off_amount"])) == (60, 0)


def test_a_company_of_the_group_is_an_internal_customer(site):
    status = {row["customer_id"]: row["status"] for row in rows("erpnext", "erp.customers")}
    assert status == {"ACME": "active", "BETA-IC": "internal"}
