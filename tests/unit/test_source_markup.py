"""Files called .xls that are text, HTML or XML are read by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_tiers.errors import UserError
from customer_tiers.sources import files
from customer_tiers.sources.definition import System

SS = "urn:schemas-microsoft-com:office:spreadsheet"


def read(folder: Path, query: str = "select k, d, v from t order by k", **options: object) -> list:
    tables = {"t": {"files": "t.*", **options}} if options else {}
    system = System("shop", "erp", "files", {"path": str(folder), "tables": tables})
    with files.connect(system, str(folder), query) as opened:
        return opened.connection.execute(query).fetchall()


def spreadsheet(rows: str, start: str = '<?xml version="1.0"?>') -> str:
    return (
        f'{start}<Workbook xmlns="{SS}" xmlns:ss="{SS}"><Worksheet ss:Name="A"><Table>{rows}'
        "</Table></Worksheet></Workbook>"
    )


def cell(value: str, kind: str = "String", more: str = "") -> str:
    return f'<Cell {more}><Data ss:Type="{kind}">{value}</Data></Cell>'


HEAD = f"<Row>{cell('k')}{cell('d')}{cell('v')}</Row>"
XML = spreadsheet(
    HEAD
    + f"<Row>{cell('1')}{cell('2026-02-10T00:00:00.000', 'DateTime')}{cell('1.5', 'Number')}</Row>"
    + f"""<Row ss:Index="4">{cell("2")}{cell("7 &amp; 8", "Number", 'ss:Index="3"')}</Row>"""
)
HTML = (
    "<html><body><table><tr><th>k</th><th>d</th><th>v</th></tr>"
    "<tr><td>1<td>2026-02-10</td><td> 1.5 </td></tr>"
    "<tr><td colspan=2>2</td><td>7 &amp; 8</td></tr></table></body></html>"
)
TABS = "k\td\tv\n1\t2026-02-10\t1.5\n2\t\t7 & 8\n"
EXPECTED = [("1", "2026-02-10", "1.5"), ("2", None, "7 & 8")]


@pytest.mark.parametrize("content", [XML, HTML, TABS])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["t.xls", "t.xlsx", "t.csv"])
def test_a_file_is_read_by_its_content(tmp_path, content, encoding, name):
    (tmp_path / name).write_bytes(content.encode(encoding))
    assert read(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    "start", ["<!DOCTYPE a [<!ENTITY b 'cc'>]>", '<!DOCTYPE a [<!ENTITY % b "c">]>']
)
def test_entities_are_refused(tmp_path, start):
    (tmp_path / "t.xls").write_text(spreadsheet(HEAD, f'<?xml version="1.0"?>{start}'))
    with pytest.raises(UserError, match="declares entities"):
        read(tmp_path)


@pytest.mark.parametrize("content", [XML[:300], "<html><body>Please log in</body></html>"])
def test_a_file_without_a_whole_table_is_refused_with_what_it_is(tmp_path, content):
    (tmp_path / "t.xls").write_text(content)
    with pytest.raises(
        UserError, match=r"XML Spreadsheet 2003 that is not whole|HTML without a table"
    ):
        read(tmp_path)


@pytest.mark.parametrize("content", [XML, HTML])
def test_lines_around_the_table_are_left_out(tmp_path, content):
    above = {
        XML: ("<Table>", f"<Table><Row>{cell('Report')}</Row>"),
        HTML: ("<table>", "<table><tr><td>R</td></tr>"),
    }
    (tmp_path / "t.xls").write_text(content.replace(*above[content]))
    assert read(tmp_path, header_row=2, footer_rows=1) == EXPECTED[:1]
