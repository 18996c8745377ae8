"""Rows of a CSV or JSONL file, plain or gzip, one at a time: memory does not grow with the file.

A row that cannot be read is a row with a fault, and reading goes on behind it; a file that cannot be read raises.
"""

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast

from services.ingest.mapping import Format

LONGEST_LINE = 1024 * 1024
_GZIP = b"\x1f\x8b"
# What errors="surrogateescape" makes of a byte that the encoding does not know.
_UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")


class FileError(ValueError):
    """The file cannot be read on from here."""


@dataclass(frozen=True)
class Row:
    """`number` counts rows from 1 (no header, no blank lines); `fault` says why `cells` is empty."""

    number: int
    cells: dict[str, Any]
    fault: str | None = None


class Source:
    """An open file: `size` and `position` in bytes of the file as it lies on the disk."""

    def __init__(self, raw: io.BufferedReader, text: TextIO, size: int, form: Format) -> None:
        self._raw = raw
        self._text = text
        self._form = form
        self.size = size

    def position(self) -> int:
        return self._raw.tell()

    def rows(self) -> Iterator[Row]:
        """Raises `FileError`, also for damage in the middle."""
        read = _csv_rows if self._form.type == "csv" else _json_rows
        try:
            yield from read(_Lines(self._text, self._form.encoding), self._form)
        except (EOFError, zlib.error, OSError) as error:
            raise FileError(f"the file is damaged: {error}") from None
        except UnicodeError:
            raise FileError(_wrong_encoding(self._form.encoding)) from None


@contextmanager
def open_source(path: Path, form: Format) -> Iterator[Source]:
    """Raises OSError when the file cannot be opened."""
    with path.open("rb") as raw, _text(raw, form.encoding) as text:
        yield Source(raw, text, path.stat().st_size, form)


def _text(raw: io.BufferedReader, encoding: str) -> TextIO:
    packed = raw.peek(2)[:2] == _GZIP
    stream = gzip.GzipFile(fileobj=raw) if packed else raw
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(cast(io.BufferedReader, stream), codec, errors="surrogateescape", newline="")


class _RowReadError(ValueError):
    pass


class _Lines:
    """Lines of bounded length; one with too many characters or unknown bytes raises, and the next follows."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self._text = text
        self._encoding = encoding

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            self._skip_the_rest()
            raise _RowReadError(f"the line is longer than {LONGEST_LINE} characters")
        if not line.isascii() and _UNKNOWN_BYTE.search(line):
            raise _RowReadError(_wrong_encoding(self._encoding))
        return line

    def _skip_the_rest(self) -> None:
        while (piece := self._text.readline(LONGEST_LINE)) and not piece.endswith(("\n", "\r")):
            pass


def _wrong_encoding(encoding: str) -> str:
    return f"there are bytes that are not {encoding}: name the file's encoding in the mapping (format: encoding)"


def _csv_rows(lines: _Lines, form: Format) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines, delimiter=form.delimiter, strict=True)
    names = _header(reader)
    number = 0
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if cells:
                number += 1
                yield _csv_row(number, names, cells)
        except (csv.Error, _RowReadError) as error:
            number += 1
            yield Row(number, {}, f"not readable as CSV: {error}")


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        names = next((cells for cells in reader if cells), None)
    except (csv.Error, _RowReadError) as error:
        raise FileError(f"the line of column names is not readable: {error}") from None
    if names is None:
        raise FileError("the file is empty: a CSV file begins with a line of column names")
    named = [name for name in names if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise FileError(f"the column {twice!r:.60} stands in the first line twice: rename one")
    return names


def _csv_row(number: int, names: list[str], cells: list[str]) -> Row:
    if len(cells) != len(names):
        return Row(number, {}, f"{len(cells)} cells where the first line names {len(names)} columns")
    return Row(number, {name: cell or None for name, cell in zip(names, cells, strict=True) if name})


def _json_rows(lines: _Lines, _: Format) -> Iterator[Row]:
    number = 0
    while True:
        try:
            line = next(lines, None)
            if line is None:
                return
            if line.strip():
                number += 1
                yield _json_row(number, line)
        except _RowReadError as error:
            number += 1
            yield Row(number, {}, str(error))


def _json_row(number: int, line: str) -> Row:
    try:
        value = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return Row(number, {}, f"the line is not JSON: {error}")
    if not isinstance(value, dict):
        return Row(number, {}, "the line is not a JSON object")
    return Row(number, value)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
