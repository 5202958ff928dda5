"""Any number of files is one table: in bounded memory, of other columns, delimiters and kinds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from customer_tiers import settings
from customer_tiers.sources import drops
from helpers.delivery import read, refused, workbook, write

TABLES = {"products": {"files": "p_*"}}
QUERY = "select Key as product_id, Label as name, Cost as standard_cost from products"
WINDOW = """
select
    Key as product_id,
    Label as name,
    row_number() over (partition by Label order by Key) as standard_cost
from (select distinct * from products)
"""


def deliver(folder: Path, days: int, lines: int = 3) -> Path:
    for day in range(days):
        rows = "".join(f"{day:04d}-{line:05d},a{line % 7},2\n" for line in range(lines))
        write(folder, f"Key,Label,Cost\n{rows}".encode(), f"p_{day:04d}.csv")
    return folder


def test_a_window_over_hundreds_of_files_fits_into_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "LOADER_MEMORY", "48MB")
    rows = read(deliver(tmp_path, 400, 50), WINDOW, tables=TABLES).splitlines()
    assert len(rows) == 20_000
    assert len({row.split(",")[0] for row in rows}) == 20_000


def test_files_that_all_have_another_shape_are_one_table(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "LOADER_MEMORY", "48MB")
    for number in range(100):
        content = f"Key,Label,Cost,Column{number}\n{number},a,2,{number}\n"
        write(tmp_path, content.encode(), f"p_{number}.csv")
    query = "select Key as product_id, Column7 as name, Cost as standard_cost from products"
    rows = read(tmp_path, query + " where Column7 is not null or Key = '8'", tables=TABLES)
    assert sorted(rows.splitlines()) == ["7,7,2", "8,,2"]


def test_files_of_other_columns_delimiters_encodings_and_kinds_are_one_table(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n", "p_1.csv")
    write(tmp_path, b"Cost;KEY;Label;Extra\n3;2;b;x\n", "p_2.csv")
    write(tmp_path, b"Key\tLabel\n3\tc\n", "p_3.txt")
    write(tmp_path, "Key,Label,Cost\n4,Größe,4\n".encode("utf-16"), "p_4.csv")
    write(tmp_path, "Key,Label,Cost\n5,上海气体有限公司,5\n".encode("gbk"), "p_5.csv")
    workbook(
        tmp_path, {"S": [["Key", "Label", "Cost"], ["6", "f", 6], [], ["7", "g", 7]]}, "p_6.xlsx"
    )
    workbook(tmp_path, {"S": [["Label", "Key", "More"], ["h", "8", "y"]]}, "p_7.xlsx")
    write(tmp_path, b"", "p_8.csv")
    query = (
        "select Key as product_id, concat_ws('/', Label, Extra, More, _file) as name, "
        "Cost as standard_cost from products"
    )
    assert sorted(read(tmp_path, query, tables=TABLES).splitlines()) == [
        "1,a/p_1.csv,2",
        "2,b/x/p_2.csv,3",
        "3,c/p_3.txt,",
        "4,Größe/p_4.csv,4",
        "5,上海气体有限公司/p_5.csv,5",
        "6,f/p_6.xlsx,6",
        "7,g/p_6.xlsx,7",
        "8,h/y/p_7.xlsx,",
    ]


def test_many_workbooks_are_one_table(tmp_path):
    for number in range(40):
        head = ["Key", "Label", "Cost"] if number % 2 else ["Label", "Key", "Cost"]
        workbook(tmp_path, {"S": [head, [number, number, 1]]}, f"p_{number}.xlsx")
    rows = read(tmp_path, QUERY, tables=TABLES).splitlines()
    assert sorted(rows, key=lambda row: int(row.split(",")[0])) == [f"{n},{n},1" for n in range(40)]


def test_a_column_of_the_sender_is_not_covered_by_the_name_of_the_file(tmp_path):
    write(tmp_path, b"Key,Label,_File\n1,a,theirs\n", "p_1.csv")
    write(tmp_path, b"Key,Label\n2,b\n", "p_2.csv")
    query = "select Key as product_id, Label as name, _file as standard_cost from products"
    assert sorted(read(tmp_path, query, tables=TABLES).splitlines()) == ["1,a,theirs", "2,b,"]


def test_a_bad_line_is_named_by_its_file_among_many(tmp_path):
    deliver(tmp_path, 30)
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n2,b\n", "p_0017.csv")
    line = refused(tmp_path, QUERY, tables=TABLES)
    assert "p_0017.csv, line 3" in line


def test_a_line_that_no_reader_understands_is_named_by_its_file_among_many(tmp_path):
    deliver(tmp_path, 30)
    write(tmp_path, b'Key,Label,Cost\n1,a,2\n2,"b,3\n', "p_0017.csv")
    assert "p_0017.csv" in refused(tmp_path, QUERY, tables=TABLES)


def test_a_second_night_looks_once_at_each_file(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    for day in range(50):
        write(folder, b"Key,Label,Cost\n1%s,a,2\n" % (b"0" * day), f"p_{day:02d}.csv")
    options = {"tables": TABLES, "archive": str(tmp_path / "kept")}
    first = read(folder, QUERY, **options)
    looked: list[Path] = []
    digest = drops.digest
    monkeypatch.setattr(drops, "digest", lambda path: looked.append(path) or digest(path))
    assert sorted(read(folder, QUERY, **options)) == sorted(first)
    assert len(looked) == 50
    assert len(list((tmp_path / "kept").iterdir())) == 50


def test_a_limit_of_ours_is_said_to_be_ours_and_can_be_raised(tmp_path, monkeypatch):
    query = (
        "select max(Key) as product_id, Label as name, "
        "length(string_agg(Key || repeat('x', 2000), ' ')) as standard_cost "
        "from products group by Label"
    )
    deliver(tmp_path, 10, 2000)
    monkeypatch.setattr(settings, "LOADER_MEMORY", "24MB")
    line = refused(tmp_path, query, tables=TABLES)
    for word in ("24MB", "limit of this program", "CUSTOMER_TIERS_LOADER_MEMORY"):
        assert word in line
    assert "correct what was delivered" not in line
    monkeypatch.setattr(settings, "LOADER_MEMORY", "400MB")
    assert len(list(csv.reader(io.StringIO(read(tmp_path, query, tables=TABLES))))) == 7


def test_a_limit_that_is_no_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "LOADER_MEMORY", "much")
    assert "CUSTOMER_TIERS_LOADER_MEMORY 'much'" in refused(deliver(tmp_path, 1), tables=TABLES)
