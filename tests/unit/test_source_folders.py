"""Two real data sets are read as their folders say: the sums agree with a count of our own.

Nobody here wrote these rows and none is copied into the project, so the tests need the folders.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from customer_tiers import contract, settings
from customer_tiers.sources import definition, opening
from customer_tiers.sources.extract import Window

TERMS = contract.load()
CENT = Decimal("0.01")


def folder(name: str) -> Path:
    path = settings.PROJECT / "../shared/data" / name
    if not path.is_dir():
        pytest.skip(f"the data set {name} is not beside the project")
    return path


def delivered(name: str, entity: str) -> list[dict[str, str]]:
    source = definition.load(name, TERMS)
    with opening.opened(source, entity.split(".")[0], None) as open_extract:
        extract = open_extract(TERMS.entities[entity], None)
        assert extract is not None
        content = b"".join(bytes(block) for block in extract.copy_csv(Window(None, None))).decode()
        names = extract.columns
    return [dict(zip(names, row, strict=True)) for row in csv.reader(io.StringIO(content))]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_won_opportunities_of_the_crm_export_stand_in_for_invoices():
    own = rows(folder("regional_sales_crm") / "Opportunities.csv")
    won = [row for row in own if row["Status"] == "Won"]
    lines = delivered("regional_sales_crm", "erp.invoice_lines")
    assert len(lines) == len(won) == 7282
    assert sum(Decimal(line["net_amount"]) for line in lines) == sum(
        Decimal(row["Value"]) for row in won
    )
    assert len(delivered("regional_sales_crm", "crm.opportunities")) == len(own) == 20_000
    assert len(delivered("regional_sales_crm", "crm.accounts")) == 300
    owners = delivered("regional_sales_crm", "crm.owners")
    assert {row["manager_id"] for row in owners} - {""} <= {row["owner_id"] for row in owners}


def test_the_dirty_sales_of_the_wholesaler_add_up():
    own = [
        row for file in sorted(folder("online_retail_weeks").glob("*.csv")) for row in rows(file)
    ]
    unlike = {tuple(row.items()): row for row in own}.values()
    assert (len(own), len(unlike)) == (31_102, 30_663)
    lines = delivered("online_retail", "erp.invoice_lines")
    assert len({(line["invoice_id"], line["line_no"]) for line in lines}) == len(lines)
    assert all(Decimal(line["quantity"]) > 0 for line in lines)
    for document_type, sign in (("invoice", 1), ("credit_note", -1)):
        expected = [
            Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]) * sign
            for row in unlike
            if Decimal(row["Quantity"]) * sign > 0
            and (sign > 0 or row["InvoiceNo"].startswith("C"))
            and row["StockCode"] not in ("AMAZONFEE", "BANK CHARGES")
        ]
        found = [
            Decimal(line["net_amount"]) for line in lines if line["document_type"] == document_type
        ]
        assert len(found) == len(expected)
        assert abs(sum(found) - sum(expected)) <= CENT * len(found)
    customers = {row["customer_id"] for row in delivered("online_retail", "erp.customers")}
    assert {line["customer_id"] for line in lines} <= customers
    nameless = sum(not row["CustomerID"] for row in unlike)
    assert nameless > 10_000
    assert sum(line["customer_id"] == "NONE" for line in lines) > 10_000
