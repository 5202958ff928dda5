"""`tiers source new` lays out what `tiers source check` tells how to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from customer_tiers import contract, settings
from customer_tiers.errors import UserError
from customer_tiers.sources import check, definition

TERMS = contract.load()
TEMPLATE = settings.SOURCES / "template"

MOSTLY_NEEDED = {"erp.invoice_lines": {"quantity"}}
"""Empty in some rows only, by entity: a SELECT without the column is of no use."""

GOOD = {
    "customers.csv": "customer_id,name\n1,Acme\n2,Globex\n",
    "products.csv": "product_id,name,standard_cost\n1,Oxygen,4\n2,Argon,5\n",
    "invoice_lines.csv": "invoice_id,line_no,customer_id,product_id,invoice_date,document_type,"
    "quantity,net_amount,posted\n"
    "I1,1,1,1,2026-01-02,invoice,2,10.5,true\nI1,2,1,2,2026-01-02,invoice,1,7,true\n"
    "I2,1,2,1,2026-02-03,credit_note,1,3,true\n",
}


@pytest.fixture
def shop(tmp_path, monkeypatch) -> Path:
    """A source of good CSV files; returns their folder."""
    sources, data = tmp_path / "sources", tmp_path / "data"
    (sources / "shop" / "erp").mkdir(parents=True)
    data.mkdir()
    monkeypatch.setattr(settings, "SOURCES", sources)
    (sources / "shop" / "source.yml").write_text(
        f"name: shop\nbase_currency: EUR\nsystems:\n  erp: {{kind: files, path: {data}}}\n"
    )
    for name, text in GOOD.items():
        (data / name).write_text(text)
        table = name.removesuffix(".csv")
        (sources / "shop" / "erp" / f"{table}.sql").write_text(f"select * from {table}")
    return data


def checked(most_rows: int = 1000) -> check.Report:
    report = check.check("shop", TERMS, None, most_rows)
    assert all("\n" not in line for line in [*report.lines, *report.faults, *report.hints])
    return report


def test_a_good_source_is_usable(shop):
    report = checked()
    assert report.faults == report.hints == []
    assert any("erp.invoice_lines: 3 rows" in line for line in report.lines)
    assert any("tax_id" in line and "not delivered" in line for line in report.lines)
    assert any("customer_id=1, name=Acme" in line for line in report.lines)
    assert "usable" in list(check.verdict(report, "shop"))[-1]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("I1,1,", "I1,1.0,", ["column line_no", "1 of 3", "'1.0'", "bigint"]),
        ("10.5", "10.5 EUR", ["column net_amount", "10.5 EUR", "numeric"]),
        ("2026-02-03", "2026-02-30", ["column invoice_date", "2026-02-30"]),
        ("I2,1,2,1,2026-02-03", "I2,1,2,1,3.2.26", ["column invoice_date", "3.2.26", "strptime"]),
        (",3,true", ",3,maybe", ["column posted", "maybe", "boolean"]),
        ("I1,2,", "I1,1,", ["key invoice_id, line_no", "I1 | 1", "join"]),
        ("credit_note", "Gutschrift", ["column document_type", "Gutschrift", "case expression"]),
        ("net_amount", "amount", ["column net_amount", "returns column amount instead"]),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(shop, before, after, words):
    file = shop / "invoice_lines.csv"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    report = checked()
    assert report.faults
    for word in words:
        assert word in " ".join(report.faults), report.faults
    assert "unusable" in list(check.verdict(report, "shop"))[-1]


def test_a_few_empty_cells_wait_in_quarantine_and_many_stop_the_night(shop):
    file = shop / "invoice_lines.csv"
    text = file.read_text()
    file.write_text(text.replace("I2,1,", ",1,"))
    report = checked()
    assert report.faults == []
    [hint] = [hint for hint in report.hints if "invoice_id" in hint]
    assert "part of the key, but empty in 1 of 3 rows; these rows would wait" in hint
    example = text.splitlines()[1]
    many = [example.replace("I1,1", f",{n}", 1) for n in range(60)]
    file.write_text("\n".join([text.strip(), *many, ""]))
    [fault] = checked().faults
    assert "empty in 60 of 63 rows" in fault
    assert "exclude those rows in the SELECT, or give them a value" in fault


def test_what_will_be_set_aside_is_hinted_at(shop):
    file = shop / "invoice_lines.csv"
    file.write_text(file.read_text().replace("I2,1,2,", "I2,1,9,").replace(",3,true", ",-3,true"))
    report = checked()
    assert not report.faults
    assert any("customer_id_is_known, for example '9'" in hint for hint in report.hints)
    assert any("rule net_amount_has_its_sign, for example '-3." in hint for hint in report.hints)


def test_a_column_that_the_contract_does_not_know_is_hinted_at_and_judges_no_row(shop):
    file = shop / "customers.csv"
    header, *others = file.read_text().splitlines()
    again = [f"{line},{note}" for line in others for note in ("a", '"b, c"')]
    file.write_text("\n".join([f"{header},note", *again, ""]))
    report = checked()
    assert not report.faults
    [hint] = report.hints
    for words in ("erp.customers, column note: ", "_unknown of raw.erp_customers"):
        assert words in hint


def test_what_would_stop_the_night_is_a_fault(shop):
    """Signs that are wrong in more rows than a night sets aside; a currency without a rate."""
    line = "L{0},1,1,1,2026-01-02,invoice,{1},1,true\n"
    file = shop / "invoice_lines.csv"
    file.write_text(file.read_text() + "".join(line.format(n, n % 5 or -1) for n in range(60)))
    [fault] = checked().faults
    assert "column quantity, document_type, net_amount, line_kind: 12 of 63 rows against" in fault
    assert "rule quantity_has_its_sign, for example '-1." in fault
    assert "more than 5% of the rows would stop the night" in fault
    select = settings.SOURCES / "shop" / "erp" / "invoice_lines.sql"
    select.write_text(
        "select *, case invoice_id when 'I2' then 'CHF' else 'EUR' end as currency "
        "from invoice_lines where quantity <> '-1'"
    )
    [fault] = checked().faults
    assert "1 rows in CHF, from 2026-02-03 on, have no rate in erp.fx_rates" in fault
    (shop / "fx_rates.csv").write_text("currency,valid_from,rate\nCHF,2026-02-03,1.05\n")
    (select.parent / "fx_rates.sql").write_text("select * from fx_rates")
    assert checked().faults == []


def test_a_file_that_no_select_names_is_not_looked_at(shop):
    (shop / "notes.txt").write_bytes(b"Gr\xfc\xdfe\x00")
    (shop / "holiday.xlsx").write_bytes(b"no workbook")
    assert checked().faults == []


def test_every_entity_is_checked_though_one_cannot_be_read(shop):
    (shop / "products.csv").unlink()
    report = checked()
    assert len(report.faults) == 1
    assert "products.csv" in report.faults[0]
    assert any("erp.invoice_lines: 3 rows" in line for line in report.lines)


def test_an_empty_required_entity_makes_the_source_unusable(shop):
    file = shop / "customers.csv"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert any("no rows" in fault for fault in checked().faults)


def test_only_so_many_rows_are_looked_at(shop):
    file = shop / "products.csv"
    rows = "".join(f'{n},"text, ""{n}""\nof two lines",1\n' for n in range(3, 30_000))
    file.write_text(GOOD["products.csv"] + rows)
    report = checked(most_rows=10)
    assert "erp.products" in report.cut
    assert 10 <= report.counts["erp.products"] < 29_000
    assert not report.faults


def test_a_new_source_is_the_template_under_its_own_name(shop):
    import shutil

    shutil.copytree(TEMPLATE, settings.SOURCES / "template")
    folder = definition.create("mine")
    assert definition.load("mine", TERMS).name == "mine"
    assert "template" not in definition.names()
    assert (folder / "crm" / "accounts.sql.off").exists()
    assert "name: mine" in (folder / "source.yml").read_text()
    for bad in ("mine", "Mine", "../x", "template", ""):
        with pytest.raises(UserError):
            definition.create(bad)


@pytest.mark.parametrize("name", TERMS.entities)
def test_the_template_has_every_column_of_the_contract(name):
    entity = TERMS.entities[name]
    suffix = ".sql" if entity.required else ".sql.off"
    text = (TEMPLATE / entity.system / f"{name.split('.')[1]}{suffix}").read_text()
    offered = set(re.findall(r"your_column as (\w+)", text))
    assert offered == set(entity.column_names)
    needed = set(re.findall(r"^ +your_column as (\w+)", text, re.MULTILINE))
    required = {column.name for column in entity.columns if not column.nullable}
    assert needed == required | MOSTLY_NEEDED.get(name, set())
