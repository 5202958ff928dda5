"""A CSV file is read by SELECTs; each fault in it is one line that names the place."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from customer_tiers.sources.extract import Window
from helpers.delivery import QUERY, read, refused, write


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


@pytest.mark.parametrize("value", ["yesterday", "03.04.2026", "4/3/2026", "2026-4-3"])
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


def test_a_line_beyond_the_limit_is_named_without_its_content(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1," + b"y" * 25_000_000 + b",2\n")
    line = refused(tmp_path)
    assert "Product.csv" in line
    assert "yyyyyy" not in line


def test_a_select_that_is_no_sql_is_named_by_its_file(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    assert "sources/shop/erp/products.sql" in refused(tmp_path, "select Key as")


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
