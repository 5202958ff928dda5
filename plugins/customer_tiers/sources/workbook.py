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
from dataclasses import asdict, dataclass, replace
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

PROCESSES = 2
"""How many processes convert a larger one, each taking its share of the parts."""

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


@dataclass(frozen=True)
class Converted:
    """A sheet's rows as Parquet files with columns of text; without names the sheet is empty."""

    sheet: str
    names: list[str]
    files: list[str]


@dataclass(frozen=True)
class Order:
    """What to convert: a workbook's sheet of that name, or all, with the names in that row.

    `header_row` counts from 1; None is the first row that is not empty. Of the parts of a large
    sheet, every one whose number divided by `shares` leaves `share` is taken.
    """

    path: str
    wanted: str | None
    header_row: int | None
    folder: str
    share: int = 0
    shares: int = 1


def convert(
    path: Path, wanted: str | None, header_row: int | None, folder: Path
) -> list[Converted]:
    """Write the sheets of a workbook as Parquet files with columns of text.

    A large one is converted by processes of their own: its reader needs memory beside that of the
    loader, and gives it back only when it ends.

    Args:
        path: The workbook.
        wanted: Name of the one sheet to read; None for all.
        header_row: Row of the names, counted from 1; None for the first row that is not empty.
        folder: Where to write.

    Raises:
        UserError: Workbook, sheet or header cannot be read.
    """
    order = Order(str(path), wanted, header_row, str(folder))
    if path.stat().st_size <= SMALL_FILE:
        return _convert(order)
    workers = [
        _started(replace(order, share=share, shares=PROCESSES)) for share in range(PROCESSES)
    ]
    shares = [_result(path, worker) for worker in workers]
    return [_joined(path, parts) for parts in zip(*shares, strict=True)]


def _started(order: Order) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "customer_tiers.sources.workbook", json.dumps(asdict(order))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _result(path: Path, worker: subprocess.Popen[str]) -> list[Converted]:
    said, complaint = worker.communicate()
    if worker.returncode == USER_FAULT:
        raise UserError(complaint.strip())
    if worker.returncode:
        last = (complaint.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{path}: could not be read ({last[:200]}); save it as .csv")
    return [Converted(**sheet) for sheet in json.loads(said)]


def _joined(path: Path, parts: tuple[Converted, ...]) -> Converted:
    """A sheet from the shares that have any rows of it."""
    filled = [part for part in parts if part.names] or list(parts[:1])
    first = filled[0]
    if any(part.names != first.names for part in filled):
        raise UserError(_shifted(f"{path}, sheet {first.sheet}"))
    return replace(first, files=[file for part in filled for file in part.files])


def _shifted(where: str) -> str:
    return f"{where}: a value lies left of the first named column; name it"


def _convert(order: Order) -> list[Converted]:
    path = Path(order.path)
    found = sheets(path)
    chosen = [sheet for sheet in found if order.wanted in (None, sheet.name)]
    if not chosen:
        there = ", ".join(sheet.name for sheet in found)
        raise UserError(f"{path}: there is no sheet {order.wanted!r}; it has: {there}")
    made = []
    for sheet in chosen:
        handle, target = tempfile.mkstemp(suffix=".parquet", dir=order.folder)
        os.close(handle)
        made.append(Converted(sheet.name, to_parquet(sheet, order, Path(target)), [target]))
    return made


def to_parquet(sheet: Sheet, order: Order, target: Path) -> list[str]:
    """Write a sheet's rows, or a share of them, and return their names; none if there are none.

    Raises:
        UserError: A column has no name or one that is there already.
    """
    writer: parquet.ParquetWriter | None = None
    names: list[str] = []
    where = f"{sheet.path}, sheet {sheet.name}"
    try:
        for batch in _batches(sheet, order):
            if not batch.num_rows or not batch.num_columns:
                continue
            found = _names(where, batch)
            names = names or found
            if found != names:
                raise UserError(_shifted(where))
            rows = pa.table(batch.columns[: len(names)], names=names).slice(1)
            writer = writer or parquet.ParquetWriter(
                target, rows.schema, compression="none", use_dictionary=False
            )
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


def _batches(sheet: Sheet, order: Order) -> Iterator[pa.RecordBatch]:
    """The sheet's cells as text, in one batch or several; each has the names as its first row."""
    if sheet.part is None:
        yield from _whole(sheet, order)
        return
    with zipfile.ZipFile(sheet.path) as archive:
        if archive.getinfo(sheet.part).file_size <= sheet_parts.PART_BYTES:
            yield from _whole(sheet, order)
            return
        shell = {
            entry.filename: archive.read(entry)
            for entry in archive.infolist()
            if entry.filename.lower() in sheet_parts.SHELL
        }
        with archive.open(sheet.part) as stream:
            for number, rows in enumerate(sheet_parts.cut(stream, order.header_row)):
                if number % order.shares == order.share:
                    part = sheet_parts.packed(shell, sheet.part, rows)
                    yield _load(_open(part), sheet.name, None)


def _whole(sheet: Sheet, order: Order) -> Iterator[pa.RecordBatch]:
    """A sheet that is not cut falls to the first share."""
    above = None if order.header_row is None else order.header_row - 1
    if order.share == 0:
        yield _load(_open(sheet.path), sheet.name, above)


def _load(reader: fastexcel.ExcelReader, name: str, above: int | None) -> pa.RecordBatch:
    sheet = reader.load_sheet(name, header_row=None, skip_rows=above, dtypes="string")
    return sheet.to_arrow()


def main() -> None:
    """Convert in a process of its own; the order is the one argument, as JSON."""
    try:
        made = _convert(Order(**json.loads(sys.argv[1])))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(USER_FAULT)
    print(json.dumps([asdict(sheet) for sheet in made]))


if __name__ == "__main__":
    main()
