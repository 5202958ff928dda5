"""A slip in source.yml is one line that names the file, the system, the table and the field."""

from __future__ import annotations

import pytest

from customer_tiers import contract, settings
from customer_tiers.errors import UserError
from customer_tiers.sources import definition

TERMS = contract.load()
REST = "crm: {kind: rest, tables: {people: {path: x, %s}}}"


@pytest.mark.parametrize(
    ("systems", "words"),
    [
        ("crm: {kind: soap}", ["system crm", "sql, files, rest"]),
        ("crm: {kind: rest}", ["system crm", "`tables`"]),
        ("crm: {kind: rest, tables: {people: {}}}", ["table people", "`path`"]),
        ("erp: {kind: files, delimiter: ';;'}", ["system erp", "one character"]),
        ("erp: {kind: files, encoding: gbkk}", ["gbkk", "latin-1"]),
        ("erp: {kind: files, encodings: gbk}", ["'encodings'", "encoding"]),
        ("erp: {kind: files, tables: {a: {file: x}}}", ["table a", "`files`"]),
        ("erp: {kind: files, tables: {a: {files: x, header_row: 0}}}", ["table a", "from 1"]),
        (REST % "paging: {kind: pages}", ["table people", "page, offset, cursor"]),
        (REST % "paging: {kind: page, length: 5}", ["table people", "'length'"]),
        (REST % "paging: {kind: cursor}", ["table people", "`next`"]),
        (REST % "since: {parameter: a}", ["table people", "`columns`"]),
        ("erp: {kind: sql}\n  erp: {kind: files}", ["twice"]),
        ("erp: {kind: sql}\npolicy: best", ["`policy` 'best'", "standard", "buyers"]),
    ],
)
def test_a_slip_is_named(tmp_path, monkeypatch, systems, words):
    monkeypatch.setattr(settings, "SOURCES", tmp_path)
    (tmp_path / "shop" / "erp").mkdir(parents=True)
    for entity in ("customers", "products", "invoice_lines"):
        (tmp_path / "shop" / "erp" / f"{entity}.sql").write_text("select 1")
    text = f"name: shop\nbase_currency: EUR\nsystems:\n  {systems}\n"
    (tmp_path / "shop" / "source.yml").write_text(text)
    with pytest.raises(UserError) as caught:
        definition.load("shop", TERMS)
    for word in ("source.yml", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", definition.names())
def test_every_folder_here_is_a_source(name):
    assert definition.load(name, TERMS).name == name
