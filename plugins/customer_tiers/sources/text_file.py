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
from collections.abc import Iterable, Iterator
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

LINE = re.compile(rb"[^\r\n]+")
"""A line that is not blank."""

BLANK = (b"", b"\r", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"\r")
"""Lines without a value, as they are between two line feeds."""


@dataclass(frozen=True)
class TextFile:
    """One inspected file.

    `encoding` is a codec of Python; `longest` the bytes of its longest record, with line breaks
    inside quotes; `digest` the SHA-256 of its content; `has_quotes` whether a value may be quoted;
    `records` how many records there are that are not blank, the names among them;
    `has_mixed_ends` whether its lines end in more than one way.
    """

    path: Path
    encoding: str
    longest: int
    digest: str
    has_quotes: bool
    records: int
    has_mixed_ends: bool


def inspect(path: Path, encoding: str | None, quote: str = '"') -> TextFile:
    """Read a file once and say what it is.

    Args:
        path: The file.
        encoding: As source.yml says, or None to find out.
        quote: What values are quoted with; empty for nothing.

    Raises:
        UserError: It is not text in that encoding, or in none that can be told for certain.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    codec = encoding or _from_mark(start)
    scan = _Scan(codec or "utf-8", quote.encode())
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

    def __init__(self, codec: str, quote: bytes) -> None:
        self._quote = quote
        self._ends = {b"\r\n": 0, b"\n": 0, b"\r": 0}
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
        self._measure(self._with_feeds(block if self._is_utf8 else text.encode()))

    def close(self) -> None:
        if self.is_valid:
            self._decode(b"", final=True)
        self.longest = max(self.longest, self._record)
        self._records += not self._is_blank

    def result(self, path: Path, codec: str) -> TextFile:
        digest = self.digest.hexdigest()
        has_mixed_ends = sum(map(bool, self._ends.values())) > 1
        return TextFile(
            path, codec, self.longest, digest, self._has_quotes, self._records, has_mixed_ends
        )

    @property
    def is_chinese(self) -> bool:
        return self._high >= 4 and self._common >= COMMON_SHARE * self._high

    def _decode(self, block: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(block, final)
        except UnicodeDecodeError:
            self.is_valid = False
            return ""

    def _with_feeds(self, block: bytes) -> bytes:
        """The block with a line feed at the end of each line, whatever ends it in the file."""
        returns = block.count(b"\r")
        both = block.count(b"\r\n") if returns else 0
        self._ends[b"\r\n"] += both
        self._ends[b"\n"] += block.count(b"\n") - both
        self._ends[b"\r"] += returns - both
        return block if returns == both else block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _measure(self, block: bytes) -> None:
        first, *others = block.split(b"\n")
        has_quotes = bool(self._quote) and self._quote in block
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
            if self._quote and line.count(self._quote) % 2:
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


def delimiter_of(path: Path, text: str, quote: str) -> str:
    """Return what separates the values: the delimiter that cuts all lines alike.

    Args:
        path: The file, for messages.
        text: Its first lines, from the names on.
        quote: What values are quoted with; empty for nothing.

    Raises:
        UserError: Two delimiters would do.
    """
    widths = {mark: _width(text, mark, quote) for mark in DELIMITERS}
    fitting = [mark for mark, width in widths.items() if width > 1]
    if len(fitting) > 1:  # a comma within values cuts some lines only, so the widest is meant
        widest = max(widths.values())
        fitting = [mark for mark in fitting if widths[mark] == widest]
    if len(fitting) > 1:
        raise UserError(
            f"{path}: could be separated by {' or '.join(map(repr, fitting))}; "
            "set `delimiter` in source.yml"
        )
    # Without one that fits, lines differ in width: cut by what the first line holds most of.
    first = text.split("\n", 1)[0]
    return fitting[0] if fitting else max(DELIMITERS, key=first.count)


def _width(text: str, delimiter: str, quote: str) -> int:
    """Values per line, 0 where lines differ."""
    try:
        widths = {len(row) for row in rows_of(io.StringIO(text), delimiter, quote) if row}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def rows_of(
    lines: Iterable[str], delimiter: str, quote: str, *, skips_blanks: bool = False
) -> Iterator[list[str]]:
    """The rows of lines of text by Python's reader, to which a quote within a value is a letter."""
    if quote:
        return csv.reader(
            lines, delimiter=delimiter, quotechar=quote, skipinitialspace=skips_blanks
        )
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def head(file: TextFile, lines: int = SAMPLE_LINES) -> str:
    """The first lines as text, whole lines only."""
    with file.path.open("rb") as stream:
        first = b"".join(stream.readline(BLOCK_BYTES) for _ in range(lines))
    text = codecs.getincrementaldecoder(file.encoding)("replace").decode(first)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def as_plain(file: TextFile, folder: Path, footer_rows: int) -> Path:
    """Return the file itself, or a copy in the folder: in UTF-8, with line feeds, without its end.

    Args:
        file: The file.
        folder: Where a copy is written if one is needed.
        footer_rows: How many lines that are not blank to leave out at its end.

    Raises:
        UserError: It is not text in its encoding to the end.
    """
    path = file.path
    if file.encoding not in ("utf-8", "utf-8-sig", "ascii") or file.has_mixed_ends:
        path = _copied(file, folder)
    if footer_rows:
        path = _without_footer(path, folder, footer_rows)
    return path


def _copied(file: TextFile, folder: Path) -> Path:
    target = folder / f"{file.digest[:16]}.csv"
    try:
        # Without a translation of line ends each would stay as it is.
        newline = None if file.has_mixed_ends else ""
        with (
            file.path.open(encoding=file.encoding, newline=newline) as source,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while block := source.read(BLOCK_BYTES):
                copy.write(block)
    except UnicodeDecodeError:
        raise UserError(_bad_text(file.path, file.encoding)) from None
    return target


def _without_footer(path: Path, folder: Path, rows: int) -> Path:
    """A copy without its last lines."""
    size = path.stat().st_size
    with path.open("rb") as source:
        length = BLOCK_BYTES
        while True:
            source.seek(max(0, size - length))
            tail = source.read()
            ends = [match.start() for match in LINE.finditer(tail)]
            if len(ends) > rows or length >= size:
                break
            length *= 2
        source.seek(0)
        target = folder / f"{path.stem}.body.csv"
        with target.open("wb") as copy:
            left = size - len(tail) + (ends[-rows] if len(ends) >= rows else 0)
            while left and (block := source.read(min(left, BLOCK_BYTES))):
                copy.write(block)
                left -= len(block)
    return target
