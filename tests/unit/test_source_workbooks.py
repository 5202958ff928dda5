"""The sheets of a workbook are read by SELECTs; each fault is one line that names the sheet."""

from __future__ import annotations

import zipfile
from datetime import datetime

from helpers.delivery import QUERY, read, refused, workbook, write


def test_the_sheets_of_a_workbook_are_tables(tmp_path):
    day = datetime(2026, 3, 1)
    head = ["Key", "Label", "Cost", "Changed"]
    rows = [head, ["007", "液氧", 1234.5, day], [], [8, "x", 19.99 * 3, day]]
    workbook(tmp_path, {"产品 2026": rows, "Leer": []})
    query = (
        "select Key as product_id, Label as name, Cost as standard_cost, Changed as updated_at "
        'from "B_产品_2026"'
    )
    assert sorted(read(tmp_path, query).splitlines()) == [
        "007,液氧,1234.5,2026-03-01 00:00:00",
        "8,x,59.97,2026-03-01 00:00:00",
    ]


def test_a_sheet_of_opendocument_is_a_table(tmp_path):
    def cell(value: object) -> str:
        kind = f'float" office:value="{value}' if isinstance(value, float) else "string"
        text = f"<text:p>{value}</text:p>"
        return f'<table:table-cell office:value-type="{kind}">{text}</table:table-cell>'

    rows = [["Key", "Label", "Cost"], ["007", "液氧", 1234.5], ["8", "x, y", 19.99]]
    cells = "".join(f"<table:table-row>{''.join(map(cell, r))}</table:table-row>" for r in rows)
    space = "urn:oasis:names:tc:opendocument:xmlns"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    parts = {
        "mimetype": kind,
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        "</manifest:manifest>",
        "content.xml": f'<office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="S">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>",
    }
    with zipfile.ZipFile(tmp_path / "Product.ods", "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert sorted(read(tmp_path).splitlines()) == [
        '"007","液氧","1234.5"',
        '"8","x, y","19.99"',
    ]


def test_names_below_a_title_are_found_by_their_row(tmp_path):
    workbook(tmp_path, {"S": [["Prices of March"], [], ["Key", "Label", "Cost"], ["1", "a", 2]]})
    tables = {"prices": {"files": "B*.xlsx", "sheet": "S", "header_row": 3}}
    assert read(tmp_path, QUERY.replace("Product", "prices"), tables=tables) == "1,a,2\n"


def test_a_large_sheet_is_read_in_parts(tmp_path, monkeypatch):
    from customer_tiers.sources import sheet_parts

    rows: list[list[object]] = [["Key", "Label", "Cost"]]
    rows += [[n, None if n % 3 else f"text {n % 7}", n / 4] for n in range(1, 3000)]
    workbook(tmp_path, {"S": rows})
    query = "select Key as product_id, coalesce(Label, '') as name, Cost as standard_cost from B"
    whole = sorted(read(tmp_path, query).splitlines())
    monkeypatch.setattr(sheet_parts, "PART_BYTES", 10_000)
    assert sorted(read(tmp_path, query).splitlines()) == whole
    assert len(whole) == 2999


def test_a_workbook_that_is_none_is_named(tmp_path):
    write(tmp_path, b"PK nonsense", "B.xlsx")
    assert "B.xlsx" in refused(tmp_path)


def test_a_large_workbook_is_converted_by_a_process_of_its_own(tmp_path, monkeypatch):
    from customer_tiers.sources import workbook as reader

    monkeypatch.setattr(reader, "SMALL_FILE", 0)
    workbook(tmp_path, {"S": [["Key", "Label", "Cost"], ["1", "a", 2]]})
    assert read(tmp_path, QUERY.replace("Product", "B")) == "1,a,2\n"
    workbook(tmp_path, {"S": [["Key", "Label", "Key"], ["1", "a", 2]]})
    assert "column Cost is not" in refused(tmp_path, QUERY.replace("Product", "B"))
