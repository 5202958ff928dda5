"""A folder of CSV files is read by SELECTs; each fault in it is one line that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from customer_tiers import contract
from customer_tiers.errors import UserError
from customer_tiers.sources import files
from customer_tiers.sources.definition import System
from customer_tiers.sources.extract import Window

PRODUCTS = contract.load().entities["erp.products"]
QUERY = "select Key as product_id, Label as name, Cost as standard_cost from Product"
ALL = Window(None, None)


def read(folder: Path, query: str = QUERY, window: Window = ALL) -> str:
    system = System("shop", "erp", "files", {"kind": "files", "path": str(folder)})
    with files.connect(system, str(folder)) as connection:
        extract = files.FileExtract(connection, system, str(folder), PRODUCTS, query)
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
    assert read(tmp_path) == '"1","a","2"\n'


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


def test_a_column_that_the_contract_does_not_have_is_kept_aside(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    system = System("shop", "erp", "files", {"kind": "files", "path": str(tmp_path)})
    query = QUERY.replace("standard_cost", "std_cost")
    with files.connect(system, str(tmp_path)) as connection:
        extract = files.FileExtract(connection, system, str(tmp_path), PRODUCTS, query)
        assert (extract.columns, extract.extra) == (("product_id", "name"), ("std_cost",))
        assert b"".join(bytes(block) for block in extract.copy_csv(ALL)) == b'"1","a"\n'


def test_a_renamed_required_column_is_named_with_what_is_there_instead(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    line = refused(tmp_path, QUERY.replace("as name", "as label"))
    assert "column name" in line
    assert "column label" in line


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
    assert read(tmp_path, QUERY.replace(" from", day)).strip().endswith('"2026-04-03"')


def test_a_fault_far_down_the_file_is_as_clear_as_one_at_its_top(tmp_path):
    good = b"".join(b"%d,a,2\n" % key for key in range(60_000))
    for bad, words in ((b"x,y\n", ["line 60002"]), (b"7,\xff,2\n", ["column Label", "UTF-8"])):
        write(tmp_path, b"Key,Label,Cost\n" + good + bad)
        line = refused(tmp_path)
        for word in ("source shop", "entity erp.products", "Product.csv", *words):
            assert word in line


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_guessed_at_and_named(tmp_path, delimiter):
    write(tmp_path, delimiter.join(["Key", "Label", "Cost"]).encode() + b"\n1;a;2\n")
    assert "`delimiter`" in refused(tmp_path)


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
    from datetime import UTC, datetime

    write(
        tmp_path,
        b"Key,Label,Cost,Changed\n1,a,2,2026-01-01 10:00\n2,b,2,2026-01-02 10:00\n3,c,2,\n"
        b"4,d,2,2026-01-03 10:00\n",
    )
    query = QUERY.replace(" from", ", Changed as updated_at from")
    window = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, 10, tzinfo=UTC))
    keys = sorted(row.split(",")[0] for row in read(tmp_path, query, window).splitlines())
    assert keys == ['"2"', '"3"']
