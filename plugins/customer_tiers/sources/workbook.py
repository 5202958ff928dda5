"""Reading the sheets of a workbook as tables of text, in parts, so that memory stays bounded.

A sheet lies in memory whole while its reader works on it. The rows of a large one are therefore cut
into workbooks of their own, each with the header on top, which are read one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import fastexcel
import pyarrow as pa
import pyarrow.parquet as parquet

from customer_tiers.errors import UserError
from customer_tiers.sources import sheet_parts

LARGEST_TEXTS = 60_000_000
"""Unpacked bytes of the table of texts that all sheets share; it lies in memory whole."""

LARGEST_OLD = 15_000_000
"""Size of a file of another format than .xlsx, which cannot be cut."""

SMALL_FILE = 1_000_000
"""Packed size up to which a workbook is converted in the loader's own process."""

USER_FAULT = 3
"""Exit code of the converting process for a fault that the user can mend."""

RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook and the part of the file its rows lie in (only .xlsx)."""

    path: Path
    name: str
    part: str | None


def sheets(path: Path) -> list[Sheet]:
    """The sheets of a workbook, in order.

    Raises:
        UserError: It cannot be read, or not within the memory that a loader may take.
    """
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        if path.stat().st_size > LARGEST_OLD:
            raise UserError(f"{path}: too large for its format; save it as .xlsx or .csv")
        return [Sheet(path, name, None) for name in _open(path).sheet_names]
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename: entry for entry in archive.infolist()}
            texts = names.get("xl/sharedStrings.xml")
            if texts is not None and texts.file_size > LARGEST_TEXTS:
                raise UserError(
                    f"{path}: holds {texts.file_size / 1e6:,.0f} MB of different texts, more than "
                    "fits in memory; save each sheet as .csv"
                )
            return [Sheet(path, name, part) for name, part in _parts(archive) if part in names]
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise UserError(f"{path}: not a workbook ({error}); save it again as .xlsx") from None


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet, as the workbook lists them."""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = {node.get("Id"): node.get("Target", "") for node in relations}
    workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    for node in workbook.iter():
        if node.tag.endswith("}sheet") and node.get("state") in (None, "visible"):
            part = target.get(node.get(RELATION), "")
            yield node.get("name", ""), part.lstrip("/") if part[:1] == "/" else f"xl/{part}"


def _open(source: Path | bytes) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(source)
    except fastexcel.FastExcelError as error:
        said = str(error).splitlines()[0]
        raise UserError(f"{source if isinstance(source, Path) else ''}: {said}") from None


def convert(
    path: Path, wanted: str | None, header_row: int | None, folder: Path
) -> list[tuple[str, list[str], Path]]:
    """Write the sheets of a workbook as Parquet files with columns of text.

    A large one is converted by a process of its own: its reader needs memory beside that of the
    loader, and gives it back only when it ends.

    Args:
        path: The workbook.
        wanted: Name of the one sheet to read; None for all.
        header_row: Row of the names, counted from 1; None for the first row that is not empty.
        folder: Where to write.

    Returns:
        For each sheet its name, the names of its columns (none if it is empty), and its file.

    Raises:
        UserError: Workbook, sheet or header cannot be read.
    """
    if path.stat().st_size <= SMALL_FILE:
        return _convert(path, wanted, header_row, folder)
    order = json.dumps([str(path), wanted, header_row, str(folder)])
    done = subprocess.run(
        [sys.executable, "-m", "customer_tiers.sources.workbook", order],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if done.returncode == USER_FAULT:
        raise UserError(done.stderr.strip())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{path}: could not be read ({last[:200]}); save it as .csv")
    return [(name, names, Path(file)) for name, names, file in json.loads(done.stdout)]


def _convert(
    path: Path, wanted: str | None, header_row: int | None, folder: Path
) -> list[tuple[str, list[str], Path]]:
    found = sheets(path)
    chosen = [sheet for sheet in found if wanted in (None, sheet.name)]
    if not chosen:
        there = ", ".join(sheet.name for sheet in found)
        raise UserError(f"{path}: there is no sheet {wanted!r}; it has: {there}")
    made = []
    for sheet in chosen:
        handle, target = tempfile.mkstemp(suffix=".parquet", dir=folder)
        os.close(handle)
        made.append((sheet.name, to_parquet(sheet, header_row, Path(target)), Path(target)))
    return made


def to_parquet(sheet: Sheet, header_row: int | None, target: Path) -> list[str]:
    """Write a sheet's rows as columns of text and return their names; none for an empty sheet.

    Args:
        sheet: The sheet.
        header_row: Row of the names, counted from 1; None for the first row that is not empty.
        target: The file to write.

    Raises:
        UserError: A column has no name or one that is there already.
    """
    writer: parquet.ParquetWriter | None = None
    names: list[str] = []
    where = f"{sheet.path}, sheet {sheet.name}"
    try:
        for batch in _batches(sheet, header_row):
            if not batch.num_rows or not batch.num_columns:
                continue
            found = _names(where, batch)
            names = names or found
            if found != names:
                raise UserError(f"{where}: a value lies left of the first named column; name it")
            rows = pa.table(batch.columns[: len(names)], names=names).slice(1)
            writer = writer or parquet.ParquetWriter(target, rows.schema, compression="none")
            writer.write_table(rows, row_group_size=10_000)
    except fastexcel.FastExcelError as error:
        raise UserError(f"{where}: {str(error).splitlines()[0]}; save it again") from None
    finally:
        if writer is not None:
            writer.close()
    return names


def _names(where: str, batch: pa.RecordBatch) -> list[str]:
    """The first row, without the empty columns at its end."""
    names = [(column[0].as_py() or "").strip() for column in batch.columns]
    while names and not names[-1] and batch.columns[len(names) - 1].null_count == batch.num_rows:
        names.pop()
    lowered = [name.lower() for name in names]
    for position, name in enumerate(names, start=1):
        if not name:
            raise UserError(
                f"{where}: column {position} has no name; name it, or set `header_row` in "
                "source.yml if the names do not stand in the first row"
            )
        if lowered.count(name.lower()) > 1:
            raise UserError(f"{where}, column {name}: there twice; rename one in the header")
    return names


def _batches(sheet: Sheet, header_row: int | None) -> Iterator[pa.RecordBatch]:
    """The sheet's cells as text, in one batch or several; each has the names as its first row."""
    above = None if header_row is None else header_row - 1
    if sheet.part is None:
        yield _load(_open(sheet.path), sheet.name, above)
        return
    with zipfile.ZipFile(sheet.path) as archive:
        if archive.getinfo(sheet.part).file_size <= sheet_parts.PART_BYTES:
            yield _load(_open(sheet.path), sheet.name, above)
            return
        shell = {
            entry.filename: archive.read(entry)
            for entry in archive.infolist()
            if entry.filename.lower() in sheet_parts.SHELL
        }
        with archive.open(sheet.part) as stream:
            for rows in sheet_parts.cut(stream, header_row):
                yield _load(_open(sheet_parts.packed(shell, sheet.part, rows)), sheet.name, None)


def _load(reader: fastexcel.ExcelReader, name: str, above: int | None) -> pa.RecordBatch:
    sheet = reader.load_sheet(name, header_row=None, skip_rows=above, dtypes="string")
    return sheet.to_arrow()


def main() -> None:
    """Convert in a process of its own; the order is the one argument, as JSON."""
    path, wanted, header_row, folder = json.loads(sys.argv[1])
    try:
        made = _convert(Path(path), wanted, header_row, Path(folder))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(USER_FAULT)
    print(json.dumps([(name, names, str(file)) for name, names, file in made]))


if __name__ == "__main__":
    main()
