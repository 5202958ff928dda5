"""What a delivered text file is like: its encoding, delimiter and longest record, in one pass.

Nothing is guessed in silence: a file that is neither UTF-8 nor plainly GBK, or that could be cut
by two delimiters, is refused with the option that says which it is.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

from customer_tiers.errors import UserError

BLOCK_BYTES = 1 << 20

DELIMITERS = (",", ";", "\t", "|")

HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
COMMON_CHINESE = re.compile(rb"(?:[\xa1-\xa9\xb0-\xd7][\xa1-\xfe])+")
"""GB2312's punctuation and its 3,755 frequent characters, which make up nearly all Chinese text.
Western encodings set single high bytes between ASCII letters, which this never matches."""

COMMON_SHARE = 0.9
"""Share of the high bytes that must be frequent Chinese for a file to count as GBK."""

SAMPLE_LINES = 50

BLANK = (b"", b"\r", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"\r")
"""Lines without a value, as they are between two line feeds."""


@dataclass(frozen=True)
class TextFile:
    """One inspected file.

    `encoding` is a codec of Python; `longest` the bytes of its longest record, with line breaks
    inside quotes; `digest` the SHA-256 of its content; `has_quotes` whether a value may be quoted;
    `records` how many records there are that are not blank, the names among them.
    """

    path: Path
    encoding: str
    longest: int
    digest: str
    has_quotes: bool
    records: int


def inspect(path: Path, encoding: str | None) -> TextFile:
    """Read a file once and say what it is.

    Args:
        path: The file.
        encoding: As source.yml says, or None to find out.

    Raises:
        UserError: It is not text in that encoding, or in none that can be told for certain.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    codec = encoding or _from_mark(start)
    scan = _Scan(codec or "utf-8")
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            scan.add(block)
    scan.close()
    if scan.has_nul:
        raise UserError(
            f"{path}: holds NUL bytes, as a file does that was not written to its end; get it "
            "again, or set `encoding: utf-16-le` in source.yml if it is UTF-16"
        )
    if scan.is_valid:
        return scan.result(path, codec or "utf-8")
    if encoding is None and codec is None and scan.is_chinese:
        return scan.result(path, "gb18030")
    raise UserError(_bad_text(path, codec or "utf-8"))


def _from_mark(start: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    for mark, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if start.startswith(mark):
            return codec
    return None


class _Scan:
    """Collects over the blocks of a file what can be known only at its end."""

    def __init__(self, codec: str) -> None:
        self.digest = hashlib.sha256()
        self.is_valid = True
        self.has_nul = False
        self.longest = 0
        self._is_utf8 = codec.startswith("utf-8")
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._record = self._records = 0
        self._is_blank = True
        self._is_quoted = self._has_quotes = False
        self._high = self._common = 0

    def add(self, block: bytes) -> None:
        self.digest.update(block)
        is_plain = block.isascii()
        text = ""
        if self.is_valid and not (is_plain and self._is_utf8 and not self._decoder.getstate()[0]):
            text = self._decode(block)
        if not is_plain:
            runs = HIGH_BYTES.findall(block)
            self._high += sum(map(len, runs))
            self._common += sum(len(m) for run in runs for m in COMMON_CHINESE.findall(run))
        self._measure(block if self._is_utf8 else text.encode())

    def close(self) -> None:
        if self.is_valid:
            self._decode(b"", final=True)
        self.longest = max(self.longest, self._record)
        self._records += not self._is_blank

    def result(self, path: Path, codec: str) -> TextFile:
        digest = self.digest.hexdigest()
        return TextFile(path, codec, self.longest, digest, self._has_quotes, self._records)

    @property
    def is_chinese(self) -> bool:
        return self._high >= 4 and self._common >= COMMON_SHARE * self._high

    def _decode(self, block: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(block, final)
        except UnicodeDecodeError:
            self.is_valid = False
            return ""

    def _measure(self, block: bytes) -> None:
        first, *others = block.split(b"\n")
        has_quotes = b'"' in block
        self._has_quotes |= has_quotes
        self.has_nul |= b"\0" in block
        if has_quotes or self._is_quoted:
            self._measure_quoted((first, *others))
            return
        self._is_blank &= first in BLANK
        if not others:
            self._record += len(first)
            return
        self.longest = max(self.longest, self._record + len(first), *map(len, others))
        self._record = len(others[-1])
        whole = len(others) - others.count(b"") - others.count(b"\r")
        self._records += (not self._is_blank) + whole - (others[-1] not in BLANK[:2])
        self._is_blank = others[-1] in BLANK

    def _measure_quoted(self, lines: tuple[bytes, ...]) -> None:
        """Lines with quotes in them, or within quotes that were opened in a block before."""
        for number, line in enumerate(lines):
            if number and not self._is_quoted:
                self.longest = max(self.longest, self._record)
                self._records += not self._is_blank
                self._record, self._is_blank = 0, True
            self._record += len(line) + 1
            self._is_blank &= line in BLANK
            if line.count(b'"') % 2:
                self._is_quoted = not self._is_quoted


def _bad_text(path: Path, codec: str) -> str:
    """Say in which line the text is not what it should be."""
    name = "UTF-8" if codec.startswith("utf-8") else codec
    with path.open("rb") as stream:
        header = stream.readline().decode(codec, "replace").strip()
        delimiter = max(DELIMITERS, key=header.count)
        stream.seek(0)
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(codec)
            except UnicodeDecodeError as error:
                names = header.split(delimiter)
                index = min(line[: error.start].count(delimiter.encode()), len(names) - 1)
                return (
                    f"{path}, line {number}, column {names[index]}: not valid {name}; save the "
                    "file as UTF-8, or say what it is: `encoding: gbk` (or latin-1, ...) in "
                    "source.yml"
                )
    return f"{path}: not valid {name}; save the file as UTF-8, or set `encoding` in source.yml"


def delimiter_of(file: TextFile, given: str | None) -> str:
    """Return what separates the values: as source.yml says, or the one that cuts all lines alike.

    Raises:
        UserError: Two delimiters would do.
    """
    if given is not None:
        return given
    text = head(file)
    widths = {mark: _width(text, mark) for mark in DELIMITERS}
    fitting = [mark for mark, width in widths.items() if width > 1]
    if len(fitting) > 1:  # a comma within values cuts some lines only, so the widest is meant
        widest = max(widths.values())
        fitting = [mark for mark in fitting if widths[mark] == widest]
    if len(fitting) > 1:
        raise UserError(
            f"{file.path}: could be separated by {' or '.join(map(repr, fitting))}; "
            "set `delimiter` in source.yml"
        )
    # Without one that fits, lines differ in width: cut by what the first line holds most of.
    first = text.split("\n", 1)[0]
    return fitting[0] if fitting else max(DELIMITERS, key=first.count)


def _width(text: str, delimiter: str) -> int:
    """Values per line, 0 where lines differ."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error:
        return 0
    widths = {len(row) for row in rows}
    return widths.pop() if len(widths) == 1 else 0


def head(file: TextFile) -> str:
    """The first lines as text, whole lines only."""
    with file.path.open("rb") as stream:
        lines = [stream.readline(BLOCK_BYTES) for _ in range(SAMPLE_LINES)]
    text = codecs.getincrementaldecoder(file.encoding)("replace").decode(b"".join(lines))
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def as_utf8(file: TextFile, folder: Path) -> Path:
    """Return the file itself, or a copy in UTF-8 in the folder where it is something else."""
    if file.encoding in ("utf-8", "utf-8-sig", "ascii"):
        return file.path
    target = folder / f"{file.digest[:16]}.csv"
    decoder = codecs.getincrementaldecoder(file.encoding)()
    try:
        with file.path.open("rb") as source, target.open("wb") as copy:
            while block := source.read(BLOCK_BYTES):
                copy.write(decoder.decode(block).encode())
            copy.write(decoder.decode(b"", True).encode())
    except UnicodeDecodeError:
        raise UserError(_bad_text(file.path, file.encoding)) from None
    return target
