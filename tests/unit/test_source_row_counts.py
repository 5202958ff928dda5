"""As many rows are read as a file holds, however its lines end; another number is refused."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from customer_tiers.sources import text_file, text_table
from helpers.delivery import QUERY, read, refused, write

HEAD = b"Key,Label,Cost\n"


def keys(folder: Path, **options: object) -> list[str]:
    content = read(folder, **options)
    return sorted(row[0] for row in csv.reader(io.StringIO(content)))


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"1,a,2\n2,b,3\n",
        HEAD + b"1,a,2\n2,b,3",
        HEAD + b"\n1,a,2\n\n\n2,b,3\n\n",
        b"\n\n" + HEAD + b"1,a,2\n2,b,3\n",
        b"\r\n" + (HEAD + b"\n1,a,2\n2,b,3\n\n").replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + HEAD + b"1,a,2\n2,b,3\n",
        b"\xef\xbb\xbf\n" + HEAD + b"1,a,2\n2,b,3\n",
        HEAD + b'1,"a\nb\n\nc",2\n2,"d\r\ne",3\n',
        HEAD + b'1,"a ""big"" one",2\n2,"",3\n',
        HEAD + b'1,5" pipe,2\n2,b,3\n',
        HEAD + b'1,5" pipe,2\n2,6" pipe,3\n',
        HEAD + b'1,"a\nb",2\n2,6" pipe,3\n',
        HEAD + b'1, "a\nb",2\n2,b,3\n',
        (HEAD + b"1,\xe4,2\n2,b,3\n").decode("latin-1").encode("utf-16"),
        (HEAD + b'\n1,"a\n\nb",2\n\n2,b,3').decode().encode("utf-16"),
    ],
)
def test_all_rows_are_read_and_none_twice(tmp_path, content):
    assert keys(write(tmp_path, content)) == ["1", "2"]


@pytest.mark.parametrize(
    "content", [b"Key\n1\n\n2\n", b"\r\nKey\r\n1\r\n\r\n2", b'Key\n1\n""\n"2"\n']
)
def test_a_blank_line_is_no_row_of_a_single_column(tmp_path, content):
    query = "select Key as product_id, Key as name from Product"
    assert sorted(read(write(tmp_path, content), query).splitlines()) == ["1,1", "2,2"]


@pytest.mark.parametrize("seed", range(20))
def test_records_are_counted_over_the_ends_of_blocks(tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    values = ["", "a", "b c", "d\ne", "f\n\ng", 'h"i', "\n", "j,k"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=chance.choice(["\n", "\r\n"]))
    rows = chance.randrange(1, 30)
    for _ in range(rows):
        writer.writerow([chance.choice(values), chance.choice(values), "x"])
        if chance.random() < 0.2:
            writer.writerow([])
    content = text.getvalue().encode()
    file = write(tmp_path, content if chance.random() < 0.5 else content.rstrip()) / "Product.csv"
    monkeypatch.setattr(text_file, "BLOCK_BYTES", chance.randrange(1, 12))
    assert text_file.inspect(file, None).records == rows
    monkeypatch.undo()
    assert text_file.inspect(file, None).records == rows


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
def test_blank_lines_are_no_records(tmp_path, monkeypatch, end, block):
    file = write(tmp_path, end.join([b"", b"Key", b"1", b"", b"", b"2", b""])) / "Product.csv"
    monkeypatch.setattr(text_file, "BLOCK_BYTES", block)
    assert text_file.inspect(file, None).records == 3


def losing(monkeypatch: pytest.MonkeyPatch, condition: str) -> None:
    """Let the reader of text files lose the rows that do not meet a condition."""
    whole = text_table._read_csv
    monkeypatch.setattr(
        text_table,
        "_read_csv",
        lambda *values: f"(select * from {whole(*values)} where {condition})",
    )


def test_a_file_of_which_rows_were_lost_is_named_with_both_numbers(tmp_path, monkeypatch):
    for day in range(1, 4):
        write(tmp_path, HEAD + b"%d,a,2\n%d,b,2\n" % (day, day + 10), f"p_{day}.csv")
    losing(monkeypatch, "Key <> '12'")
    query = QUERY.replace("Product", "products")
    line = refused(tmp_path, query, tables={"products": {"files": "p_*.csv"}})
    for word in ("source shop", "p_2.csv", "holds 2 rows", "1 were read"):
        assert word in line
    assert "p_1.csv" not in line


def test_a_single_file_of_which_all_rows_were_lost_is_refused(tmp_path, monkeypatch):
    losing(monkeypatch, "false")
    assert "holds 1 rows" in refused(write(tmp_path, HEAD + b"1,a,2\n"))


@pytest.mark.parametrize("content", [HEAD + b"1,a\0b,2\n", HEAD + b"1,a,2\n" + b"\0" * 500])
def test_a_file_that_was_not_written_to_its_end_is_refused(tmp_path, content):
    line = refused(write(tmp_path, content))
    for word in ("source shop", "Product.csv", "NUL bytes", "utf-16-le"):
        assert word in line


def test_utf_16_without_a_mark_is_read_when_it_is_said(tmp_path):
    write(tmp_path, (HEAD + b'1,"a\nb",2\n2,b,3\n').decode().encode("utf-16-le"))
    assert "`encoding: utf-16-le`" in refused(tmp_path)
    assert keys(tmp_path, encoding="utf-16-le") == ["1", "2"]


def test_text_that_only_begins_as_chinese_is_refused_in_one_line(tmp_path):
    write(tmp_path, HEAD + "1,上海气体有限公司液氧,2\n".encode("gbk") * 50 + b"2,\xff\xff,2\n")
    line = refused(tmp_path)
    for word in ("Product.csv", "line 52"):
        assert word in line
