"""A name of a file or folder is a name: whatever letters it has, it is read as itself."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import unicodedata
from pathlib import Path

import pytest

from customer_tiers.sources import drops
from helpers.delivery import QUERY, read, refused, workbook, write

# Beside each name lies what it would match if it were a pattern.
NAMES = [
    ("Fact_[1]", "Fact_1"),
    ("[abc]", "a"),
    ("[!x]", "a"),
    ("[[]", "["),
    ("a*b", "aXb"),
    ("**", "anything"),
    ("a?b", "aXb"),
    ("{a,b}", "a"),
    ("back\\[1]", "back1"),
    ("back\\*", "back*"),
    ("quote'd", "quoted"),
    ('say "x"', "say x"),
    ("two  blanks", "two blanks"),
    ("100%41", "100A"),
    ("year=2026", "year"),
    ("Umsätze №1", "Umsatze"),
    ("销售明细", "sales"),
    ("$HOME;x#y", "x"),
    ("~", "home"),
]


def table(name: str) -> str:
    quoted = name.replace('"', '""')
    return QUERY.replace("Product", f'"{quoted}"')


def rows(key: str) -> bytes:
    return f"Key,Label,Cost\n{key},a,2\n".encode()


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_a_file_is_read_as_itself(tmp_path, name, other):
    write(tmp_path, rows("own"), f"{name}.csv")
    write(tmp_path, rows("wrong"), f"{other}.csv")
    assert read(tmp_path, table(name)) == "own,a,2\n"


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_a_folder_is_read_as_itself(tmp_path, name, other):
    for place, key in ((name, "own"), (other, "wrong")):
        (tmp_path / place).mkdir()
        write(tmp_path / place, rows(key))
        workbook(tmp_path / place, {"S": [["Key", "Label", "Cost"], [key, "b", 3]]})
    assert read(tmp_path / name) == "own,a,2\n"
    assert read(tmp_path / name, table("B")) == "own,b,3\n"


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_an_archive_is_read_as_itself(tmp_path, name, other):
    (tmp_path / "in").mkdir()
    for place in (name, other):
        options = {"archive": str(tmp_path / "kept" / place)}
        write(tmp_path / "in", rows("own" if place == name else "wrong"), f"{name}.csv")
        read(tmp_path / "in", table(name), **options)
    (tmp_path / "in" / f"{name}.csv").unlink()
    options = {"archive": str(tmp_path / "kept" / name)}
    assert read(tmp_path / "in", table(name), **options) == "own,a,2\n"


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_a_mark_that_a_file_is_whole_belongs_to_that_file(tmp_path, name, other):
    write(tmp_path, rows("own"), f"{name}.csv")
    write(tmp_path, b"", f"{other}.done")
    assert "there is no file" in refused(tmp_path, table(name), done_suffix=".done")
    write(tmp_path, b"", f"{name}.done")
    assert read(tmp_path, table(name), done_suffix=".done") == "own,a,2\n"


@pytest.mark.parametrize("suffix", [".done", "_ok", "-[1]", ".csv.fin"])
def test_a_mark_of_any_ending_is_found(tmp_path, suffix):
    write(tmp_path, rows("own"))
    write(tmp_path, b"", f"Product{suffix}")
    assert read(tmp_path, done_suffix=suffix) == "own,a,2\n"


@pytest.mark.parametrize("place", ["[tmp]", "t*p", "t{m,n}p", "t'p"])
def test_a_scratch_folder_may_have_any_name(tmp_path, monkeypatch, place):
    scratch = tmp_path / "scratch" / place
    scratch.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, rows("own"))
    workbook(folder, {"S": [["Key", "Label", "Cost"], ["own", "b", 3]]})
    assert read(folder) == "own,a,2\n"
    assert read(folder, table("B")) == "own,b,3\n"


@pytest.mark.parametrize(("name", "other"), NAMES)
def test_rows_say_the_name_of_their_file(tmp_path, name, other):
    for number, one in enumerate((name, other)):
        write(tmp_path, rows(str(number)), f"{one}.csv")
    query = "select Key as product_id, _file as name, Cost as standard_cost from products"
    content = read(tmp_path, query, tables={"products": {"files": "*.csv"}})
    found = {row[0]: row[1] for row in csv.reader(io.StringIO(content))}
    assert found == {"0": f"{name}.csv", "1": f"{other}.csv"}


def test_the_pattern_of_a_table_is_one_and_a_bracket_can_be_written_in_it(tmp_path):
    write(tmp_path, rows("own"), "Fact_[1].csv")
    write(tmp_path, rows("other"), "Fact_1.csv")
    query = QUERY.replace("Product", "fact")
    assert read(tmp_path, query, tables={"fact": {"files": "Fact_[[]1].csv"}}) == "own,a,2\n"
    assert read(tmp_path, query, tables={"fact": {"files": "Fact_[12].csv"}}) == "other,a,2\n"
    line = refused(tmp_path, query, tables={"fact": {"files": "Fact_[1].csv"}})
    for word in ("source shop", "table fact", "Fact_[[]1].csv"):
        assert word in line


def test_the_case_of_a_name_does_not_take_a_file_out_of_its_table(tmp_path):
    for name, key in (("sales_01.csv", 1), ("Sales_02.csv", 2), ("SALES_03.CSV", 3)):
        write(tmp_path, rows(str(key)), name)
    query = QUERY.replace("Product", "sales")
    options = {"tables": {"sales": {"files": "Sales_*.csv"}}}
    assert len(read(tmp_path, query, **options).splitlines()) == 3
    write(tmp_path, rows("3"), "sales_03.csv")
    assert len(read(tmp_path, query, **options).splitlines()) == 3, "the same content once"
    write(tmp_path, rows("9"), "sales_03.csv")
    line = refused(tmp_path, query, **options)
    for word in ("table sales", "SALES_03.CSV", "sales_03.csv", "upper and lower case"):
        assert word in line


def test_accents_may_be_composed_or_not(tmp_path):
    for number, form in enumerate(("NFC", "NFD")):
        write(tmp_path, rows(str(number)), unicodedata.normalize(form, f"Umsätze_{number}.csv"))
    query = QUERY.replace("Product", "sales")
    options = {"tables": {"sales": {"files": "umsätze_*.csv"}}}
    assert len(read(tmp_path, query, **options).splitlines()) == 2
    assert read(tmp_path, table("Umsätze_1")) == "1,a,2\n"


def test_a_name_that_is_no_text_is_read_and_shown(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Ums\xe4tze_1.csv"))
    path.write_bytes(rows("own"))
    query = "select Key as product_id, _file as name, Cost as standard_cost from sales"
    options = {"tables": {"sales": {"files": "Ums*.csv"}}}
    assert read(tmp_path, query, **options) == "own,Ums?tze_1.csv,2\n"
    path.write_bytes(b"Key,Label,Cost\n1,2\n")
    assert "line 2" in refused(tmp_path, query, **options)


def test_a_name_too_long_for_the_archive_is_refused_in_one_line(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    name = "n" * 240
    write(folder, rows("own"), f"{name}.csv")
    line = refused(folder, table(name), archive=str(tmp_path / "kept"))
    assert "34 bytes longer" in line
    assert not list((tmp_path / "kept").iterdir())


def test_what_is_no_copy_in_the_archive_is_not_read(tmp_path):
    folder, archive = tmp_path / "in", tmp_path / "kept"
    folder.mkdir()
    write(folder, rows("own"), "p_1.csv")
    query = QUERY.replace("Product", "products")
    options = {"archive": str(archive), "tables": {"products": {"files": "p_*"}}}
    read(folder, query, **options)
    (copy,) = archive.iterdir()
    write(archive, rows("half"), copy.name.replace("p_1", "p_2") + ".part")
    write(archive, rows("note"), "p_3_x_y.csv")
    assert read(folder, query, **options) == "own,a,2\n"
    assert drops.delivered_name(copy) == "p_1.csv"
