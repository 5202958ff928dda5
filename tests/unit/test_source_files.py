"""A folder of CSV files is read by SELECTs; each fault in it is one line that names the place."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import drops, files
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window

PRODUCTS = contract.load().entities["erp.products"]
QUERY = "select Key as product_id, Label as name, Cost as standard_cost from Product"
ALL = Window(None, None)


def read(folder: Path, query: str = QUERY, window: Window = ALL, **options: object) -> str:
    system = System("shop", "erp", "files", {"kind": "files", "path": str(folder), **options})
    with files.connect(system, str(folder)) as connection:
        extract = files.FileExtract(connection, "shop", PRODUCTS, query)
        return b"".join(bytes(block) for block in extract.copy_csv(window)).decode()


def write(folder: Path, content: bytes, name: str = "Product.csv") -> Path:
    (folder / name).write_bytes(content)
    return folder


def refused(folder: Path, query: str = QUERY) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, query)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 700
    return line


def test_values_stay_text_and_absent_differs_from_empty(tmp_path):
    write(tmp_path, b'Key,Label,Cost\n007,"Tube, ""thin""",1.10\n8,x,\n')
    assert read(tmp_path).splitlines() == ['"007","Tube, ""thin""","1.10"', '"8","x",']


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    write(tmp_path, b"\xef\xbb\xbfKey,Label,Cost\n1,a,2\n")
    assert read(tmp_path) == "1,a,2\n"


def test_a_long_cell_is_read(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1," + b"y" * 10_000_000 + b",2\n")
    assert len(read(tmp_path)) > 10_000_000


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path, b"Key\n1\n", "Other.csv")
    line = refused(tmp_path)
    for word in ("source shop", "entity erp.products", "Product.csv", str(tmp_path)):
        assert word in line


def test_a_missing_column_is_named(tmp_path):
    write(tmp_path, b"Key,Name,Cost\n1,a,2\n")
    line = refused(tmp_path)
    for word in ("source shop", "entity erp.products", "column Label"):
        assert word in line


def test_columns_that_the_contract_does_not_have_come_last_as_json(tmp_path):
    write(tmp_path, b'Key,Label,Cost,Their Note\n1,a,2,"x ""y"""\n2,b,,\n')
    query = QUERY.replace("standard_cost", 'std_cost, "Their Note"')
    found = list(csv.reader(io.StringIO(read(tmp_path, query))))
    assert [row[:2] for row in found] == [["1", "a"], ["2", "b"]]
    assert [json.loads(row[2]) for row in found] == [
        {"std_cost": "2", "Their Note": 'x "y"'},
        {"std_cost": None, "Their Note": None},
    ]


def test_a_required_column_that_the_select_leaves_out_is_named(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    assert "column name" in refused(tmp_path, "select Key as product_id from Product")


def test_text_that_is_not_utf8_is_named_by_file_line_and_column(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,ok,2\n2,B\xfccher,3\n")
    line = refused(tmp_path)
    for word in ("source shop", "Product.csv", "line 3", "column Label", "UTF-8"):
        assert word in line


def test_a_row_with_too_many_values_is_named_by_file_and_line(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n2,b,3,4\n")
    line = refused(tmp_path)
    for word in ("Product.csv", "line 3"):
        assert word in line


def test_an_empty_file_counts_as_no_file(tmp_path):
    write(tmp_path, b"")
    assert "Product.csv" in refused(tmp_path)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"Key,Label,Cost,Label", ["column Label", "twice"]),
        (b"Key,Label,Cost,LABEL", ["column Label", "twice"]),
        (b"Key,Label,Cost,", ["column 4", "no name"]),
    ],
)
def test_a_header_that_names_no_table_is_refused(tmp_path, header, words):
    write(tmp_path, header + b"\n1,a,2,3\n")
    line = refused(tmp_path)
    for word in ("source shop", "Product.csv", *words):
        assert word in line


@pytest.mark.parametrize("value", ["yesterday", "03.04.2026", "4/3/2026", "infinity", "2026-4-3"])
def test_a_day_that_is_not_iso_is_named_with_its_column(tmp_path, value):
    write(tmp_path, f"Key,Label,Cost,Changed\n1,a,2,2026-01-01\n2,b,2,{value}\n".encode())
    line = refused(tmp_path, QUERY.replace(" from", ", Changed as updated_at from"))
    for word in ("source shop", "entity erp.products", "column updated_at", value):
        assert word in line


def test_a_day_in_another_form_can_be_read_by_the_select(tmp_path):
    write(tmp_path, b"Key,Label,Cost,Changed\n1,a,2,03.04.2026\n")
    day = ", strptime(Changed, '%d.%m.%Y')::date as updated_at from"
    assert read(tmp_path, QUERY.replace(" from", day)).strip().endswith("2026-04-03")


def test_a_fault_far_down_the_file_is_as_clear_as_one_at_its_top(tmp_path):
    good = b"".join(b"%d,a,2\n" % key for key in range(60_000))
    for bad, words in ((b"x,y\n", ["line 60002"]), (b"7,\xff,2\n", ["column Label", "UTF-8"])):
        write(tmp_path, b"Key,Label,Cost\n" + good + bad)
        line = refused(tmp_path)
        for word in ("source shop", "Product.csv", *words):
            assert word in line


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_found(tmp_path, delimiter):
    rows = ["Key,Label,Cost", '1,"a,b;c",2', "2,x,3"]
    text = "\n".join(
        row.replace(",", delimiter) if "a," not in row else f'1{delimiter}"a,b;c"{delimiter}2'
        for row in rows
    )
    write(tmp_path, text.encode())
    assert sorted(read(tmp_path).splitlines()) == ['"1","a,b;c","2"', '"2","x","3"']


def test_a_file_that_two_delimiters_cut_alike_is_refused(tmp_path):
    write(tmp_path, b"Key,Label;Cost\n1,a;2\n")
    assert "`delimiter`" in refused(tmp_path)


CHINESE = "Key,Label,Cost\n1,上海气体有限公司,2\n2,液氧工业用,3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_text_is_read_in_the_encodings_it_comes_in(tmp_path, encoding):
    write(tmp_path, CHINESE.encode(encoding))
    assert sorted(read(tmp_path).splitlines()) == [
        "1,上海气体有限公司,2",
        "2,液氧工业用,3",
    ]


@pytest.mark.parametrize("name", ["Größe", "Bücher", "Façade", "Ångström", "Łódź"])
def test_western_text_is_not_taken_for_chinese(tmp_path, name):
    for encoding in ("latin-1", "cp1252", "iso8859-2"):
        try:
            write(tmp_path, f"Key,Label,Cost\n1,{name},2\n".encode(encoding))
        except UnicodeEncodeError:
            continue
        assert "`encoding: gbk`" in refused(tmp_path)
        content = read(tmp_path, encoding=encoding)
        assert name in content


@pytest.mark.parametrize(
    ("values", "read_as"),
    [
        (["1.234,56", "7"], ["1234.56", "7"]),
        (["0,75", "12,5"], ["0.75", "12.5"]),
        (["1,234.56", "7"], ["1234.56", "7"]),
        (["1,234,567", "8.5"], ["1234567", "8.5"]),
        (["1.234", "8.5"], ["1.234", "8.5"]),
    ],
)
def test_decimal_commas_and_points_are_told_apart(tmp_path, values, read_as):
    rows = "".join(f"{n};x;{value}\n" for n, value in enumerate(values))
    write(tmp_path, ("Key;Label;Cost\n" + rows).encode())
    assert sorted(read(tmp_path).splitlines()) == [
        f"{n},x,{value}" for n, value in enumerate(read_as)
    ]


@pytest.mark.parametrize("values", [["1,234"], ["1.234,5", "1,234.5"]])
def test_a_comma_that_could_be_either_is_refused(tmp_path, values):
    rows = "".join(f"{n};x;{value}\n" for n, value in enumerate(values))
    write(tmp_path, ("Key;Label;Cost\n" + rows).encode())
    line = refused(tmp_path)
    for word in ("column standard_cost", "decimal comma", "replace("):
        assert word in line


def workbook(folder: Path, sheets: dict[str, list[list[object]]], name: str = "B.xlsx") -> Path:
    import xlsxwriter

    with xlsxwriter.Workbook(folder / name, {"default_date_format": "dd.mm.yyyy"}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for row, values in enumerate(rows):
                sheet.write_row(row, 0, values)
    return folder


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


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["Key", "key"], [1, 2]], ["column Key", "twice"]),
        ([["Key", None, "Cost"], [1, 2, 3]], ["column 2", "no name", "`header_row`"]),
    ],
)
def test_a_sheet_without_clear_names_is_refused(tmp_path, rows, words):
    workbook(tmp_path, {"S": rows})
    line = refused(tmp_path, QUERY.replace("Product", "B"))
    for word in ("source shop", "B.xlsx", "sheet S", *words):
        assert word in line


def test_a_workbook_that_is_none_is_named(tmp_path):
    write(tmp_path, b"PK nonsense", "B.xlsx")
    assert "B.xlsx" in refused(tmp_path)


DAILY = {"products": {"files": "p_*.csv"}}
BY_FILE = "select Key as product_id, Label as name, Cost as standard_cost from products"


def test_files_of_one_pattern_are_one_table_and_a_second_delivery_counts_once(tmp_path):
    for name, key in (("p_01.csv", 1), ("p_02.csv", 2), ("p_02 copy.csv", 2)):
        write(tmp_path, f"Key,Label,Cost\n{key},a,2\n".encode(), name)
    assert sorted(read(tmp_path, BY_FILE, tables=DAILY).splitlines()) == [
        "1,a,2",
        "2,a,2",
    ]


def test_files_that_are_not_whole_yet_are_left(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n", "p_01.csv")
    write(tmp_path, b"Key,La", "p_02.csv.part")
    write(tmp_path, b"Key,La", "p_03.csv")
    write(tmp_path, b"", "p_03.csv.filepart")
    write(tmp_path, b"", "~$p_04.csv")
    assert read(tmp_path, BY_FILE, tables=DAILY) == "1,a,2\n"
    write(tmp_path, b"", "p_01.done")
    write(tmp_path, b"Key,Label,Cost\n2,a,2\n", "p_05.csv")
    done = read(tmp_path, BY_FILE, tables=DAILY, done_suffix=".done")
    assert done == "1,a,2\n"


def test_a_file_that_grows_is_waited_for(tmp_path, monkeypatch):
    file = write(tmp_path, b"Key,Label,Cost\n1,a,2\n") / "Product.csv"
    monkeypatch.setattr(drops, "SETTLE_SECONDS", 5.0)
    rows = iter(["2,b,2\n", "3,c,2\n"])

    def write_on(seconds: float) -> None:
        with file.open("a") as stream:
            stream.write(next(rows, ""))

    monkeypatch.setattr(drops.time, "sleep", write_on)
    assert len(read(tmp_path).splitlines()) == 3
    monkeypatch.setattr(drops, "PATIENCE_SECONDS", 0.0)
    assert "still being written" in refused(tmp_path)


def test_the_archive_keeps_what_was_read_and_stays_a_part_of_the_table(tmp_path):
    folder, archive = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    options = {"tables": DAILY, "archive": str(archive)}
    write(folder, b"Key,Label,Cost\n1,a,2\n", "p_01.csv")
    first = read(folder, BY_FILE, **options)
    assert read(folder, BY_FILE, **options) == first
    assert len(list(archive.iterdir())) == 1
    (folder / "p_01.csv").unlink()  # the sender cleans up, corrects, and sends the next
    write(folder, b"Key,Label,Cost\n2,a,2\n", "p_02.csv")
    assert sorted(read(folder, BY_FILE, **options).splitlines()) == ["1,a,2", "2,a,2"]
    for old in archive.iterdir():  # as if an hour had gone by
        old.rename(old.with_name("20200101T000000Z" + old.name[16:]))
    write(folder, b"Key,Label,Cost\n2,a,9\n", "p_02.csv")
    assert sorted(read(folder, BY_FILE, **options).splitlines()) == ["1,a,2", "2,a,9"]
    assert len(list(archive.iterdir())) == 3
    for old in archive.iterdir():
        if old.name.startswith("2020"):
            old.rename(old.with_name("2019" + old.name[4:]))
        else:
            old.rename(old.with_name("20200101T000000Z" + old.name[16:]))
    write(folder, b"Key,Label,Cost\n2,a,2\n", "p_02.csv")  # the first was right after all
    assert sorted(read(folder, BY_FILE, **options).splitlines()) == ["1,a,2", "2,a,2"]
    assert len(list(archive.iterdir())) == 4


def test_a_check_leaves_the_archive_as_it_is(tmp_path):
    folder, archive = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    write(folder, b"Key,Label,Cost\n1,a,2\n")
    options = {"path": str(folder), "archive": str(archive)}
    system = System("x", "erp", "files", options)
    with files.connect(system, None, keeps=False) as opened:
        assert opened.connection.execute("select count(*) from Product").fetchall() == [(1,)]
    assert not archive.exists()


def test_old_mac_line_ends_are_refused_in_one_line(tmp_path):
    write(tmp_path, b"Key,Label,Cost\r1,a,2\r")
    assert "Product.csv" in refused(tmp_path)


def test_files_that_differ_only_in_case_are_refused(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n", "product.csv")
    assert "upper and lower case" in refused(tmp_path)


def test_a_line_beyond_the_limit_is_named_without_its_content(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1," + b"y" * 25_000_000 + b",2\n")
    line = refused(tmp_path)
    assert "Product.csv" in line
    assert "yyyyyy" not in line


def test_a_select_that_is_no_sql_is_named_by_its_file(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    assert "sources/shop/erp/products.sql" in refused(tmp_path, "select Key as")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert "--path" in refused(tmp_path / "nowhere")


def test_only_the_window_is_read_and_rows_without_a_time_always_are(tmp_path):
    write(
        tmp_path,
        b"Key,Label,Cost,Changed\n1,a,2,2026-01-01 10:00\n2,b,2,2026-01-02 10:00\n3,c,2,\n"
        b"4,d,2,2026-01-03 10:00\n",
    )
    query = QUERY.replace(" from", ", Changed as updated_at from")
    window = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, 10, tzinfo=UTC))
    keys = sorted(row.split(",")[0] for row in read(tmp_path, query, window).splitlines())
    assert keys == ["2", "3"]


def test_a_large_workbook_is_converted_by_a_process_of_its_own(tmp_path, monkeypatch):
    from customer_tiers.sources import workbook as reader

    monkeypatch.setattr(reader, "SMALL_FILE", 0)
    workbook(tmp_path, {"S": [["Key", "Label", "Cost"], ["1", "a", 2]]})
    assert read(tmp_path, QUERY.replace("Product", "B")) == "1,a,2\n"
    workbook(tmp_path, {"S": [["Key", "Label", "Key"], ["1", "a", 2]]})
    assert "column Key: there twice" in refused(tmp_path, QUERY.replace("Product", "B"))
