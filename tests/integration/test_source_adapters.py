"""Odoo on PostgreSQL and ERPNext on MariaDB: tables made like theirs, read by the folders' SELECTs.

What the SELECTs return is checked by `tiers source check`, and the rows that show a trap of the
system (drafts, returns, contacts, archived leads) by their values.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from customer_tiers import night
from customer_tiers.errors import UserError
from customer_tiers.load import entity as loader
from customer_tiers.sources import check, database
from customer_tiers.sources.extract import Window
from helpers import mariadb, systems
from helpers.systems import TERMS, WHOLE, by, rows
from helpers.systems import change_mariadb as change

ODOO = """
insert into res_country (id, code) values (1, 'DE');
insert into res_currency (id, name) values (1, 'EUR'), (2, 'USD');
insert into res_company (id, name, currency_id) values (1, 'Ours', 1);
insert into res_currency_rate (id, name, rate, currency_id, company_id) values
    (1, '2026-01-01', 1.25, 2, 1);
insert into res_partner (
    id, name, vat, email, lang, active, country_id, state_id, parent_id, user_id,
    commercial_partner_id, customer_rank, create_date, write_date
) values
    (10, 'Acme GmbH', 'DE1', 'info@acme.example', 'de_DE', true, 1, null, null, 1, 10, 1,
     '2025-01-01', '2025-01-02'),
    (11, 'Acme GmbH, Mr. Li', null, null, null, true, 1, null, 10, null, 10, 0,
     '2025-01-01', '2025-01-02'),
    (12, 'Our vendor', null, null, null, true, 1, null, null, null, 12, 0,
     '2025-01-01', '2025-01-02'),
    (13, 'Mitchell', null, null, 'en_US', true, 1, null, null, null, 13, 0,
     '2025-01-01', '2025-01-02');
insert into res_users (id, login, partner_id, active, share, write_date) values
    (1, 'mitchell@example.com', 13, true, false, '2025-01-01');
insert into product_category (id, complete_name) values (1, 'All / Gases');
insert into product_template (id, name, categ_id, write_date) values
    (5, '{"en_US": "Oxygen", "zh_CN": "氧气"}', 1, '2025-01-01');
insert into product_product (id, product_tmpl_id, write_date) values (50, 5, '2025-01-03');
insert into sale_order (id, partner_id, date_order, commitment_date, state, write_date) values
    (7, 11, '2026-01-05 09:00', null, 'sale', '2026-01-05');
insert into sale_order_line (id, order_id, purchase_price) values (70, 7, 4.00);
insert into account_move (
    id, move_type, state, invoice_date, invoice_date_due, commercial_partner_id, partner_id,
    currency_id, reversed_entry_id, amount_total, amount_residual, write_date
) values
    (100, 'out_invoice', 'posted', '2026-01-10', '2026-02-10', 10, 11, 2, null, 119, 19,
     '2026-01-11 12:00'),
    (101, 'out_refund', 'posted', '2026-01-20', null, 10, 10, 2, 100, 11.9, 0, '2026-01-20'),
    (102, 'out_invoice', 'draft', null, null, 10, 10, 2, null, 0, 0, '2026-01-21'),
    (103, 'out_invoice', 'cancel', '2026-01-22', null, 10, 10, 1, null, 50, 50, '2026-01-22'),
    (104, 'in_invoice', 'posted', '2026-01-22', null, 12, 12, 1, null, 50, 50, '2026-01-22');
insert into account_move_line (
    id, move_id, product_id, quantity, price_subtotal, display_type, write_date
) values
    (1000, 100, 50, 10, 100, 'product', '2026-01-10'),
    (1001, 100, null, 0, 0, 'line_section', '2026-01-10'),
    (1002, 100, null, 1, 19, 'tax', '2026-01-10'),
    (1003, 101, 50, 1, 10, 'product', '2026-01-20'),
    (1004, 103, null, 1, 50, 'product', '2026-01-22'),
    (1005, 104, 50, 1, 50, 'product', '2026-01-22');
insert into sale_order_line_invoice_rel values (70, 1000);
insert into account_partial_reconcile (id, debit_move_id, max_date) values (1, 1000, '2026-02-01');
insert into crm_stage (id, name) values (1, '{"en_US": "Won"}');
insert into crm_lead (
    id, type, partner_id, stage_id, probability, expected_revenue, create_date, date_deadline,
    date_closed, active, write_date
) values
    (1, 'opportunity', 11, 1, 100, 500, '2026-01-01', null, '2026-01-05', true, '2026-01-05'),
    (2, 'opportunity', 10, null, 0, 900, '2026-01-01', null, '2026-01-06', false, '2026-01-06'),
    (3, 'opportunity', 10, null, 30, 900, '2026-01-01', '2026-03-01', null, true, '2026-01-06'),
    (4, 'lead', null, null, 10, 0, '2026-01-01', null, null, true, '2026-01-06');
"""

ERPNEXT = """
insert into `tabCompany` (name, default_currency) values ('Ours', 'EUR');
insert into `tabCustomer` (name, customer_name, customer_group, territory, tax_id,
    default_currency, account_manager, disabled, is_frozen, is_internal_customer, creation,
    modified) values
    ('CUST-1', '上海气体有限公司', 'Chemicals', 'China', '91310000', 'CNY', 'li@example.com',
     0, 0, 0, '2025-01-01', '2025-01-02 03:04:05.678901'),
    ('CUST-2', 'Ampère, "Paris"', 'Metal', 'France', '', 'EUR', null, 0, 1, 0,
     '2025-01-01', '2025-01-02');
insert into `tabItem` (name, item_name, item_group, stock_uom, valuation_rate, modified) values
    ('OX', 'Oxygen', 'Gases', 'kg', 4.5, '2025-01-01');
insert into `tabSales Invoice` (name, customer, posting_date, due_date, is_return,
    return_against, base_grand_total, outstanding_amount, conversion_rate, currency, docstatus,
    modified, company) values
    ('SI-1', 'CUST-1', '2026-01-10', '2026-02-10', 0, null, 119, 19, 1, 'EUR', 1,
     '2026-01-11 12:00', 'Ours'),
    ('SI-2', 'CUST-1', '2026-01-20', null, 1, 'SI-1', -11.9, 0, 1, 'EUR', 1, '2026-01-20',
     'Ours'),
    ('SI-3', 'CUST-2', '2026-01-21', null, 0, null, 5, 5, 1, 'EUR', 0, '2026-01-21',
     'Ours'),
    ('SI-4', 'CUST-2', '2026-01-22', null, 0, null, 5, 5, 1, 'EUR', 2, '2026-01-22',
     'Ours');
insert into `tabSales Invoice Item` (name, parent, idx, item_code, qty, base_net_amount,
    sales_order, modified) values
    ('a', 'SI-1', 1, 'OX', 10, 100, 'SO-1', '2026-01-10'),
    ('b', 'SI-2', 1, 'OX', -1, -10, null, '2026-01-20'),
    ('c', 'SI-3', 1, null, 1, 5, null, '2026-01-21'),
    ('d', 'SI-4', 1, 'OX', 1, 5, null, '2026-01-22');
insert into `tabPayment Entry` (name, posting_date, docstatus) values
    ('PE-1', '2026-02-01', 1), ('PE-2', '2026-03-01', 2);
insert into `tabPayment Entry Reference` (name, parent, reference_name, allocated_amount) values
    ('r1', 'PE-1', 'SI-1', 100), ('r2', 'PE-2', 'SI-1', 19);
insert into `tabUser` (name, full_name, email, language, enabled, user_type, modified) values
    ('li@example.com', 'Li Wei', 'li@example.com', 'zh', 1, 'System User', '2025-01-01');
insert into `tabOpportunity` (name, party_name, opportunity_from, sales_stage,
    opportunity_amount, currency, probability, status, expected_closing, creation,
    modified) values
    ('O-1', 'CUST-1', 'Customer', 'Negotiation', 900, 'CNY', 40, 'Open', '2026-05-01',
     '2026-01-01', '2026-01-02'),
    ('O-2', 'LEAD-1', 'Lead', 'New', 9, 'CNY', 4, 'Open', null, '2026-01-01', '2026-01-02');
insert into `tabIssue` (name, customer, issue_type, priority, status, first_responded_on,
    creation, modified) values ('I-1', 'CUST-1', 'Complaint about purity', 'High', 'Closed',
    '2026-01-02', '2026-01-01', '2026-01-03');
insert into `tabWarranty Claim` (name, customer, status, resolution_date, creation,
    modified) values
    ('W-1', 'CUST-2', 'Open', null, '2026-01-01', '2026-01-03');
"""


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def odoo(cluster, patched) -> Iterator[str]:
    url = cluster.ensure_database("odoo")
    systems.create_odoo(url)
    systems.change_postgres(url, ODOO)
    patched.setenv("AIRFLOW_CONN_ERP", url)
    yield url
    cluster.drop_database("odoo")


@pytest.fixture(scope="module")
def erpnext(patched) -> Iterator[str]:
    if not mariadb.is_present():
        pytest.skip("no mariadbd on this machine: apt-get install mariadb-server")
    with mariadb.running() as url:
        systems.create_erpnext(url)
        change(url, ERPNEXT)
        patched.setenv("AIRFLOW_CONN_ERP", url)
        yield url


def usable(name: str) -> list[str]:
    report = check.check(name, TERMS, None)
    assert report.faults == []
    return report.hints


def test_odoo_is_read_by_its_folder(odoo):
    usable("odoo")
    assert {row["customer_id"] for row in rows("odoo", "erp.customers")} == {"10"}
    lines = by("line_no", rows("odoo", "erp.invoice_lines"))
    assert set(lines) == {"1000", "1003", "1004"}
    sale, refund, cancelled = (lines[key] for key in ("1000", "1003", "1004"))
    assert (sale["customer_id"], sale["currency"], sale["net_amount"]) == ("10", "USD", "100")
    assert (float(sale["cost_amount"]), sale["order_id"]) == (40.0, "7")
    assert sale["updated_at"] == "2026-01-11 12:00:00"  # posting it counts as a change
    assert (refund["document_type"], refund["original_invoice_id"]) == ("credit_note", "100")
    assert (cancelled["posted"], cancelled["product_id"]) == ("f", "0")
    [owed] = rows("odoo", "erp.receivables")
    assert (owed["paid_amount"], owed["paid_date"], owed["due_date"]) == (
        "100",
        "2026-02-01",
        "2026-02-10",
    )
    [rate] = rows("odoo", "erp.fx_rates")
    assert float(rate["rate"]) == 0.8
    won = {row["opportunity_id"]: row["won"] for row in rows("odoo", "crm.opportunities")}
    assert won == {"1": "t", "2": "f", "3": ""}


def test_erpnext_is_read_by_its_folder(erpnext):
    usable("erpnext")
    customers = by("customer_id", rows("erpnext", "erp.customers"))
    assert customers["CUST-1"]["name"] == "上海气体有限公司"
    assert customers["CUST-1"]["updated_at"] == "2025-01-02 03:04:05.678901"
    assert (customers["CUST-2"]["name"], customers["CUST-2"]["status"]) == (
        'Ampère, "Paris"',
        "blocked",
    )
    lines = by("invoice_id", rows("erpnext", "erp.invoice_lines"))
    assert [lines[name]["posted"] for name in ("SI-1", "SI-2", "SI-3", "SI-4")] == list("1100")
    back = lines["SI-2"]
    assert (back["document_type"], float(back["quantity"]), float(back["net_amount"])) == (
        "credit_note",
        1,
        10,
    )
    assert lines["SI-3"]["product_id"] == "-"
    [owed] = rows("erpnext", "erp.receivables")
    assert (float(owed["paid_amount"]), owed["paid_date"]) == (100, "2026-02-01")
    assert {row["kind"] for row in rows("erpnext", "crm.cases")} == {"complaint"}
    assert [row["opportunity_id"] for row in rows("erpnext", "crm.opportunities")] == ["O-1"]


def test_a_night_loads_mariadb_and_then_what_changed_or_is_gone(erpnext, cluster, monkeypatch):
    def load(number: int) -> list[str]:
        run = night.Run(f"test_{number}", "erpnext", None, date(2026, 3, 1), date(2026, 3, 1))
        night.begin(run)
        return night.load(run, "erp")

    assert any("erp.invoice_lines: 4 read, 4 new" in line for line in load(1))
    change(
        erpnext,
        "update `tabSales Invoice` set docstatus = 1, modified = '2026-01-25' where name = 'SI-3'",
    )
    lines = load(2)  # SI-4 lies within the overlap, and is as it was
    assert any("erp.invoice_lines: 2 read, 0 new, 1 changed" in line for line in lines), lines
    change(
        erpnext,
        "update `tabSales Invoice` set docstatus = 0, modified = '2026-01-21' "
        "where name = 'SI-3';\n"
        "update `tabSales Invoice Item` set parent = 'gone' where parent = 'SI-1'",
    )
    monkeypatch.setattr(loader.quality, "check_entity", lambda *_, **__: [])  # it has its own tests
    lines = load(3)  # both lie before the overlap: only the month tells
    assert any("erp.invoice_lines: 2026-01 differed from the source" in line for line in lines)
    assert any("(reconcile): 3 read, 0 new, 1 changed, 1 deleted" in line for line in lines), lines
    assert not any("differed" in line for line in load(4))
    change(erpnext, "update `tabSales Invoice Item` set parent = 'SI-1' where parent = 'gone'")
    columns = "insert into tabCustomer (name, customer_name, modified)"
    change(erpnext, f"{columns} values ('C-9', 'Gone', '2026-01-02')")
    load(5)
    change(erpnext, "delete from tabCustomer where name = 'C-9'")
    assert any("erp.customers: the number of rows differed" in line for line in load(6))
    change(erpnext, "alter table `tabSales Invoice Item` modify qty varchar(40)")
    with pytest.raises(UserError, match="column quantity: it was a decimal number until now"):
        load(7)
    change(erpnext, "alter table `tabSales Invoice Item` modify qty decimal(30, 9)")
    load(8)
    cluster.drop_database("warehouse_erpnext")


def test_only_the_window_is_read_from_mariadb(erpnext):
    window = Window(datetime(2026, 1, 12, tzinfo=UTC), datetime(2026, 1, 21, tzinfo=UTC))
    found = {row["invoice_id"] for row in rows("erpnext", "erp.invoice_lines", window)}
    assert found == {"SI-2", "SI-3"}


def test_only_rows_of_some_keys_are_read_from_mariadb(erpnext):
    found = rows("erpnext", "erp.invoice_lines", Window(keys=("SI-2", "SI-3", "none's")))
    assert {row["invoice_id"] for row in found} == {"SI-2", "SI-3"}


def read_plainly(url: str, query: str) -> list[bytes | memoryview]:
    with database.connect("shop", "erp", "erp", url) as connection:
        entity = TERMS.entities["erp.customers"]
        return list(database.DatabaseExtract(connection, "shop", entity, query).copy_csv(WHOLE))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select 1 as customer_id, x.name from nowhere as x", ["nowhere", "doesn't exist"]),
        ("select name as customer_id, nam as name from `tabCustomer`", ["nam", "Unknown column"]),
        ("select name as customer_id from `tabCustomer`", ["column name", "required"]),
        (
            "select name as customer_id, x'80ff' as name from `tabCustomer`",
            ["column name", "bytes"],
        ),
        ("select name as customer_id, 'a:b %s' as name fro", ["SQL syntax"]),
    ],
)
def test_a_fault_of_mariadb_is_one_line_that_says_where(erpnext, query, words):
    with pytest.raises(UserError) as caught:
        read_plainly(erpnext, query)
    line = str(caught.value)
    assert "\n" not in line
    assert "source shop, entity erp.customers" in line
    for word in words:
        assert word in line, line


def test_colons_percents_and_nothing_can_be_written(erpnext):
    entity = TERMS.entities["erp.customers"]
    with database.connect("shop", "erp", "erp", erpnext) as connection:
        query = "select name as customer_id, '12:30 :x 5%' as name from `tabCustomer` limit 1"
        extract = database.DatabaseExtract(connection, "shop", entity, query)
        assert list(extract.copy_csv(WHOLE)) == [b"CUST-1,12:30 :x 5%\n"]
        assert extract.has_rows()
        more = query.replace(" from", ", 1.50 as rate, null as note, x'80' as logo from")
        extract = database.DatabaseExtract(connection, "shop", entity, more)
        [row] = csv.reader(io.StringIO(b"".join(extract.copy_csv(WHOLE)).decode()))
        assert row[:2] == ["CUST-1", "12:30 :x 5%"]
        assert json.loads(row[2]) == {"rate": "1.50", "note": None, "logo": "b'\\x80'"}
        with pytest.raises(Exception, match="READ ONLY"):
            connection.exec_driver_sql("delete from `tabCustomer`")


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        ({"p%40ss": "wrong"}, ["cannot connect", "Access denied", "AIRFLOW_CONN_ERP"]),
        ({"@127.0.0.1:": "@127.0.0.1:1"}, ["cannot connect"]),
        ({"/erp": "/erp?colour=red"}, ["an option too many", "'colour'"]),
        ({"mysql:": "db2:"}, ["'db2'", "postgresql, mysql"]),
    ],
)
def test_an_address_that_is_wrong_is_named_without_its_password(erpnext, change_of, words):
    url = erpnext
    for before, after in change_of.items():
        url = url.replace(before, after)
    with pytest.raises(UserError) as caught, database.connect("shop", "erp", "erp", url):
        pass
    line = str(caught.value)
    assert "p@ss" not in line
    assert "p%40ss" not in line
    for word in words:
        assert word in line, line


def test_every_kind_of_database_says_which_driver_it_wants():
    for url, extra in (("mssql://u:p@h/d", "mssql"), ("oracle://u:p@h/d", "oracle")):
        with pytest.raises(UserError) as caught, database.connect("shop", "erp", "erp", url):
            pass
        assert f"customer-tiers[{extra}]" in str(caught.value)
