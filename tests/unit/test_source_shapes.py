"""Files as robots send them: lines around the table, odd names, quotes and ends of lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from customer_tiers.errors import UserError
from customer_tiers.sources import files, sheet_parts, workbook
from customer_tiers.sources.definition import System

ROWS = [("1", "a", "2"), ("2", "b", "3")]


def rows(folder: Path, query: str, **options: object) -> list[tuple]:
    """What a SELECT gives; a table block of source.yml for `t` is made of the options."""
    tables = {"t": {"files": "t*", **options}} if options else {}
    system = System("shop", "erp", "files", {"path": str(folder), "tables": tables})
    with files.connect(system, str(folder), query) as opened:
        return opened.connection.execute(query).fetchall()


def refusal(folder: Path, query: str = "select * from t", **options: object) -> str:
    with pytest.raises(UserError) as caught:
        rows(folder, query, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def text(folder: Path, content: str, name: str = "t.csv") -> None:
    (folder / name).write_bytes(content.encode())


def book(folder: Path, cells: list[list[object]], name: str = "t.xlsx") -> None:
    with xlsxwriter.Workbook(folder / name) as made:
        sheet = made.add_worksheet("Data")
        for row, values in enumerate(cells):
            for column, value in enumerate(values):
                if value is not None:
                    sheet.write(row, column, value)


def deliver(folder: Path, form: str, cells: list[list[str]]) -> None:
    """The same table as a text file or a workbook."""
    if form == "xlsx":
        book(folder, cells)
    else:
        text(folder, "".join(";".join(row) + "\n" for row in cells))


FORMS = pytest.mark.parametrize("form", ["csv", "xlsx"])
NAMES = ["k", "n", "v"]


@FORMS
@pytest.mark.parametrize("footer", [0, 1, 2])
def test_lines_above_and_behind_the_table_are_left_out(tmp_path, form, footer):
    above = [["EXTF", "700", "21", "x", "y"], ["made", "by", "a", "robot"]]
    behind = [["Total", "2", "5"], ["end", "", ""]][:footer]
    deliver(tmp_path, form, [*above, NAMES, *map(list, ROWS), *behind])
    found = rows(tmp_path, "select k, n, v from t", header_row=3, footer_rows=footer)
    assert sorted(found) == ROWS


@FORMS
def test_a_header_row_without_names_is_refused(tmp_path, form):
    deliver(tmp_path, form, [NAMES, *map(list, ROWS)])
    assert "`header_row` in source.yml" in refusal(tmp_path, header_row=9)


@FORMS
def test_more_footer_rows_than_rows_are_refused(tmp_path, form):
    deliver(tmp_path, form, [NAMES, *map(list, ROWS)])
    assert "`footer_rows`" in refusal(tmp_path, footer_rows=3)


@FORMS
def test_columns_without_a_name_or_with_the_same_one_are_named_by_place(tmp_path, form):
    deliver(tmp_path, form, [["k", "Cur", "", "cur", "Cur_1"], ["1", "a", "b", "c", "d"]])
    query = 'select k, "Cur", column3, "cur_2", "Cur_1" from t'
    assert rows(tmp_path, query) == [("1", "a", "b", "c", "d")]


@FORMS
def test_an_empty_last_column_without_a_name_is_left_out(tmp_path, form):
    deliver(tmp_path, form, [[*NAMES, ""], *([*row, ""] for row in ROWS)])
    assert sorted(rows(tmp_path, "select * from t")) == ROWS


@pytest.mark.parametrize(
    "content",
    ["k;n;v;\n1;a;2;\n2;b;3;\n", "k;n;v;\n1;a;2\n2;b;3\n", "k;n;v\n1;a;2;\n2;b;3;\n"],
)
def test_a_delimiter_at_the_end_of_names_or_rows_is_no_column(tmp_path, content):
    text(tmp_path, content)
    assert sorted(rows(tmp_path, "select * from t")) == ROWS


def test_a_last_column_without_a_name_that_holds_values_stays(tmp_path):
    text(tmp_path, "k;n;\n1;a;2\n2;b;3\n")
    assert sorted(rows(tmp_path, "select k, n, column3 from t")) == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("other", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_and_in_several(tmp_path, end, other):
    text(tmp_path, f"k;n;v{end}1;a;2{other}2;b;3{end}")
    assert sorted(rows(tmp_path, "select * from t")) == ROWS


def test_a_line_break_within_quotes_stays_where_lines_end_in_another_way(tmp_path):
    text(tmp_path, 'k;n;v\r\n1;"a\nb";2\r\n')
    assert rows(tmp_path, "select * from t") == [("1", "a\nb", "2")]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_a_first_line_for_excel_names_the_delimiter(tmp_path, line):
    text(tmp_path, f"{line}\r\nk;n;v\r\n1;a;2\r\n2;b;3\r\n")
    assert sorted(rows(tmp_path, "select * from t")) == ROWS


def test_a_file_without_quoting_is_read_as_it_is(tmp_path):
    text(tmp_path, 'k;n\n1;Rack 19" steel\n2;"Premium" hose 1"\n3;"x\n')
    assert "`quote: none`" in refusal(tmp_path)
    found = rows(tmp_path, "select n from t order by k", quote="none")
    assert found == [('Rack 19" steel',), ('"Premium" hose 1"',), ('"x',)]


def test_another_character_may_quote(tmp_path):
    text(tmp_path, "k;n\n1;'a;''b'\n2;c\"\n")
    found = rows(tmp_path, "select n from t order by k", quote="'", delimiter=";")
    assert found == [("a;'b",), ('c"',)]


@pytest.mark.parametrize("line", ["1;a", "1;a;2;3"])
def test_a_line_of_another_width_is_named_with_what_the_receiver_can_do(tmp_path, line):
    text(tmp_path, f"k;n;v\n1;a;2\n{line}\n2;b;3\n")
    said = refusal(tmp_path)
    for word in ("t.csv, line 3", "3 columns are named", "`footer_rows`"):
        assert word in said


@pytest.mark.parametrize("option", [{"sheet": "x"}])
def test_an_option_that_no_file_of_the_table_can_follow_is_refused(tmp_path, option):
    text(tmp_path, "k\n1\n")
    assert "is for workbooks" in refusal(tmp_path, **option)
    (tmp_path / "t.csv").unlink()
    book(tmp_path, [["k"], ["1"]])
    assert "is for text files" in refusal(tmp_path, quote="none")


FILL = (
    "select last_value(g ignore nulls) over (partition by _file order by _row) as g, v, _row "
    "from t order by _file, _row"
)


@FORMS
def test_a_value_is_filled_down_within_its_file(tmp_path, form):
    for number in (1, 2):
        name = f"t{number}.{form}"
        cells = [["g", "v"], [f"A{number}", "1"], ["", "2"], [f"B{number}", "3"], ["", "4"]]
        if form == "xlsx":
            book(tmp_path, [[value or None for value in row] for row in cells], name)
        else:
            text(tmp_path, "".join(";".join(row) + "\n" for row in cells), name)
    assert rows(tmp_path, FILL, header_row=1) == [
        (f"{letter}{number}", str(row), row)
        for number in (1, 2)
        for row, letter in enumerate("AABB", start=1)
    ]


@FORMS
def test_a_file_of_its_own_has_file_and_row_for_a_select_that_asks(tmp_path, form):
    deliver(tmp_path, form, [NAMES, *map(list, ROWS)])
    assert rows(tmp_path, "select _file, _row, k from t order by _row") == [
        (f"t.{form}", 1, "1"),
        (f"t.{form}", 2, "2"),
    ]


def test_rows_of_a_workbook_in_parts_keep_their_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_parts, "PART_BYTES", 3_000)
    monkeypatch.setattr(workbook, "SMALL_FILE", 10_000_000)
    cells = [["x", None], [], ["g", "v"]]
    cells += [[f"G{n}" if n % 100 == 1 else None, n] for n in range(1, 1001)]
    book(tmp_path, cells)
    found = rows(tmp_path, FILL, header_row=3)
    assert found == [(f"G{n - (n - 1) % 100}", str(n), n) for n in range(1, 1001)]
