"""References in another case or with blanks are read as the one number they can mean, and told;
ids that differ in case alone stay apart; rings of merges are told, and stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from customer_tiers import contract, settings
from customer_tiers.sources import check
from helpers import small_company
from helpers.small_company import Night

OF_I010 = "select customer_id from raw.erp_invoice_lines where invoice_id = 'I010'"


@pytest.fixture
def shop(cluster, monkeypatch, tmp_path) -> Iterator[tuple[Night, Path]]:
    (tmp_path / "contract.yml").write_text((settings.SOURCES / "contract.yml").read_text())
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    folder = tmp_path / "in"
    small_company.fill_folder(folder)
    small_company.describe(tmp_path, "spelt", {"kind": "files", "path": str(folder)})
    yield Night("spelt"), folder
    cluster.drop_database("warehouse_spelt")


def test_a_reference_in_another_spelling_is_read_as_the_only_number_alike(shop):
    night, folder = shop
    rows = small_company.lines()
    for row, written in zip(rows, ("c01", " C01 ", "\uff2301"), strict=False):
        row["customer_id"] = written
    rows[7]["product_id"] = "p2"
    small_company.write_lines(folder, rows)
    for lines in (check.check("spelt", contract.load(), None).hints, night.load()):
        told = " ".join(lines)
        for words in ("name 'c01' where erp.customers has 'C01'", "' C01 '", "has 'P2'"):
            assert words in told
        assert "customer_id_is_known" not in told
    assert night.query("select 1 from quarantine.rows") == []
    assert night.query(OF_I010) == [("C01",)]
    assert any("name 'c01'" in line for line in night.load()), "told as long as it is so"


def test_ids_that_differ_in_case_alone_stay_apart_and_an_unclear_one_is_named(shop):
    night, folder = shop
    both = [*small_company.CUSTOMERS, ("AbC", "One"), ("aBC", "Two")]
    named = [dict(zip(("customer_id", "name"), each, strict=True)) for each in both]
    small_company.write_csv(folder / "customers.csv", named)
    rows = small_company.lines()
    rows[0]["customer_id"], rows[1]["customer_id"], rows[2]["customer_id"] = "AbC", "aBC", "abc"
    small_company.write_lines(folder, rows)
    told = " ".join(night.load())
    assert "name 'abc' where erp.customers has 'AbC' and 1 more" in told
    assert night.query(OF_I010) == [("AbC",)]
    assert night.query(OF_I010.replace("I010", "I011")) == [("aBC",)]
    assert night.query("select row_key from quarantine.rows") == [("I012|1",)]


def test_a_ring_of_merges_is_told_until_it_is_broken(shop):
    night, folder = shop
    into = {"C02": "C03", "C03": "C02", "C05": "C05", "C06": "C02", "C07": "C08"}
    customers = [
        {"customer_id": number, "name": name, "merged_into_id": into.get(number)}
        for number, name in small_company.CUSTOMERS
    ]
    small_company.write_csv(folder / "customers.csv", customers)
    for lines in (check.check("spelt", contract.load(), None).hints, night.load()):
        assert any("merged_into_id: C02, C03, C05 are merged in a ring" in line for line in lines)
    rings = "select row_key from bi.stewardship where rule = 'merged_in_a_ring' order by 1"
    assert night.query(rings) == [("C02",), ("C03",), ("C05",)]
    customers[1]["merged_into_id"] = customers[4]["merged_into_id"] = None
    small_company.write_csv(folder / "customers.csv", customers)
    assert not any("in a ring" in line for line in night.load())
    assert night.query(rings) == []
