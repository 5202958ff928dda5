"""Which files of a folder are read: patterns, files still being written, the archive."""

from __future__ import annotations

from customer_tiers.sources import drops, files
from customer_tiers.sources.definition import System
from helpers.delivery import read, refused, write

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


def test_files_that_differ_only_in_case_are_refused(tmp_path):
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n")
    write(tmp_path, b"Key,Label,Cost\n1,a,2\n", "product.csv")
    assert "upper and lower case" in refused(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert "--path" in refused(tmp_path / "nowhere")
