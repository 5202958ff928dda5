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
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from customer_tiers.errors import UserError
from customer_tiers.sources import sheet_parts
from customer_tiers.sources.content import NUMBER, OLE, UNCLEAR, WORKBOOKS, Converted
from customer_tiers.sources.headers import column_names

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

DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError),
    *(EOFError, KeyError, NotImplementedError, RuntimeError, UnicodeDecodeError),
)
"""What the readers of an archive raise for bytes that were changed, cut off or encrypted."""

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
    with path.open("rb") as stream:
        is_old = stream.read(len(OLE)) == OLE
    if is_old or path.suffix.lower() in (".xlsb", ".ods"):
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
    except DAMAGED as error:
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


def _has_own_suffix(path: Path) -> bool:
    """Whether a workbook's name ends as its format asks for."""
    with path.open("rb") as stream:
        is_old = stream.read(len(OLE)) == OLE
    return path.suffix.lower() in WORKBOOKS and is_old == (path.suffix.lower() == ".xls")


def _open(source: Path | bytes) -> fastexcel.ExcelReader:
    path = source if isinstance(source, Path) else None
    try:
        if isinstance(source, Path) and not _has_own_suffix(source):
            source = source.read_bytes()  # by its name it would be taken for something else
        return fastexcel.read_excel(source)
    except fastexcel.FastExcelError as error:
        said = str(error).splitlines()[0]
        raise UserError(
            f"{path or 'a part'}: cannot be read as a workbook ({said}); save it again as .xlsx, "
            "without a password, or as .csv"
        ) from None


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
    return _joined([sheet for worker in workers for sheet in _result(path, worker)], path)


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


def _joined(parts: list[Converted], path: Path) -> list[Converted]:
    """Parts with the same names as one, in the order of the sheets; empty ones only if alone."""
    made: dict[tuple[str, tuple[str, ...]], Converted] = {}
    filled = {part.sheet for part in parts if part.names}
    first: dict[str, Converted] = {}
    for part in parts:
        if part.sheet in filled and not part.names:
            continue
        before = first.setdefault(part.sheet, part)
        if part.names[:1] != before.names[:1]:
            raise UserError(
                f"{path}, sheet {part.sheet}: a value lies left of the first named column; name "
                "that column, or give `header_row` in source.yml"
            )
        same = made.get((part.sheet, tuple(part.names)))
        if same is not None:
            unclear = sorted({*same.unclear, *part.unclear})
            part = replace(same, files=same.files + part.files, unclear=unclear)
        made[part.sheet, tuple(part.names)] = part
    return list(made.values())


def _convert(order: Order) -> list[Converted]:
    path = Path(order.path)
    found = sheets(path)
    chosen = [sheet for sheet in found if order.wanted in (None, sheet.name)]
    if not chosen:
        there = ", ".join(sheet.name for sheet in found)
        raise UserError(f"{path}: there is no sheet {order.wanted!r}; it has: {there}")
    return _joined([part for sheet in chosen for part in to_parquet(sheet, order)], path)


def to_parquet(sheet: Sheet, order: Order) -> Iterator[Converted]:
    """Write a sheet's rows, or a share of them; one part without names if there are none.

    Raises:
        UserError: The sheet cannot be read, or has no row of that number.
    """
    where = f"{sheet.path}, sheet {sheet.name}"
    is_empty = True
    try:
        for batch in _batches(sheet, order):
            names = _names(batch.cells)
            if not names:
                continue
            is_empty = False
            columns = batch.cells.columns[: len(names)]
            first = batch.first_row
            numbers = pa.array(range(first - 1, first - 1 + batch.cells.num_rows), pa.int64())
            rows = pa.table([*columns, numbers], names=[*names, NUMBER]).slice(1)
            handle, target = tempfile.mkstemp(suffix=".parquet", dir=order.folder)
            os.close(handle)
            parquet.write_table(
                rows, target, compression="none", use_dictionary=False, row_group_size=10_000
            )
            yield Converted(sheet.name, names, [target], _unclear(batch, names))
    except fastexcel.FastExcelError as error:
        if order.header_row is not None and "Too many rows skipped" in str(error):
            raise UserError(_no_header(where, order.header_row)) from None
        raise UserError(f"{where}: {str(error).splitlines()[0]}; save it again") from None
    except DAMAGED as error:
        raise UserError(f"{where}: is damaged ({error}); have it delivered again") from None
    if is_empty and order.header_row is not None and order.share == 0 and sheet.part is None:
        raise UserError(_no_header(where, order.header_row))
    if is_empty:
        yield Converted(sheet.name, [], [], [])


def _no_header(where: str, row: int) -> str:
    return (
        f"{where}: has no names in row {row}, which `header_row` in source.yml names; give the row "
        "in which the names of the columns stand"
    )


def _names(cells: pa.RecordBatch) -> list[str]:
    """The first row, without the empty columns at its end; none if there are no values."""
    if not cells.num_rows:
        return []
    written = [(column[0].as_py() or "").strip() for column in cells.columns]
    while written and not written[-1] and cells.columns[len(written) - 1].null_count == len(cells):
        written.pop()
    return column_names(written) if any(written) else []


def _unclear(batch: _Batch, names: list[str]) -> list[str]:
    """The columns with texts that could be two numbers; number cells have a point."""
    looked = {
        name: place
        for place, name in enumerate(names)
        if pc.any(pc.match_substring_regex(batch.cells.columns[place].slice(1), UNCLEAR)).as_py()
    }
    if not looked:
        return []
    kinds = batch.kinds()
    return [
        name
        for name, place in looked.items()
        if len(kinds) != batch.cells.num_columns or not pa.types.is_floating(kinds[place])
    ]


@dataclass(frozen=True)
class _Batch:
    """Cells as text, the names on top; `first_row` is the number of the row below them.

    `kinds` gives the types of the columns' cells without the names.
    """

    cells: pa.RecordBatch
    first_row: int
    kinds: Callable[[], list[pa.DataType]]


def _batches(sheet: Sheet, order: Order) -> Iterator[_Batch]:
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
            for number, part in enumerate(sheet_parts.cut(stream, order.header_row)):
                if number % order.shares == order.share:
                    packed = sheet_parts.packed(shell, sheet.part, part.xml)
                    yield _load(_open(packed), sheet.name, None, part.first_row)


def _whole(sheet: Sheet, order: Order) -> Iterator[_Batch]:
    """A sheet that is not cut falls to the first share."""
    above = None if order.header_row is None else order.header_row - 1
    if order.share == 0:
        yield _load(_open(sheet.path), sheet.name, above, 1)


def _load(reader: fastexcel.ExcelReader, name: str, above: int | None, first_row: int) -> _Batch:
    def kinds() -> list[pa.DataType]:
        below = (above or 0) + 1
        typed = reader.load_sheet(
            name, header_row=None, skip_rows=below, schema_sample_rows=None
        ).to_arrow()
        return list(typed.schema.types)

    sheet = reader.load_sheet(name, header_row=None, skip_rows=above, dtypes="string")
    return _Batch(sheet.to_arrow(), first_row, kinds)


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
