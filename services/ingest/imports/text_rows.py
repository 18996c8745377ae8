"""Rows of CSV and JSON lines, one at a time: memory does not grow with the file."""

import csv
import json
import re
from collections.abc import Iterator
from typing import NoReturn, TextIO

from services.ingest.imports.delimiters import NAMED_ABOVE
from services.ingest.imports.rows import FileError, Row, column_names

LONGEST_LINE = 1024 * 1024
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
# What errors="surrogateescape" makes of a byte that the encoding does not know.
_UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")


class _RowReadError(ValueError):
    pass


class Lines:
    """Lines of bounded length; one with too many characters or unknown bytes raises, and the next follows."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self._text = text
        self._encoding = encoding
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            self._skip_the_rest()
            raise _RowReadError(f"the line is longer than {LONGEST_LINE} characters")
        if not line.isascii() and (unknown := _UNKNOWN_BYTE.search(line)):
            raise _RowReadError(self._unknown_byte(unknown))
        return line.removeprefix(BYTE_ORDER_MARK) if self.count == 1 else line

    def _unknown_byte(self, unknown: re.Match[str]) -> str:
        byte = ord(unknown[0]) - 0xDC00
        place = f"line {self.count}, column {unknown.start() + 1} holds the byte 0x{byte:02X}"
        return f"{place}, which is not {self._encoding}: mend it, or name the file's encoding (format: encoding)"

    def _skip_the_rest(self) -> None:
        while (piece := self._text.readline(LONGEST_LINE)) and not piece.endswith(("\n", "\r")):
            pass


def csv_rows(lines: Lines, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    names = _header(reader, lines, delimiter)
    number = 0
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
            if any(cells):  # spreadsheets write lines of nothing but delimiters
                number += 1
                yield _csv_row(number, names, cells)
        except (csv.Error, _RowReadError) as error:
            number += 1
            yield Row(number, {}, f"not readable as CSV: {error}")


def _header(reader: Iterator[list[str]], lines: Lines, delimiter: str) -> list[str]:
    try:
        names = next(
            (cells for cells in reader if any(cells) and not (lines.count == 1 and _is_named_above(cells, delimiter))),
            None,
        )
    except (csv.Error, _RowReadError) as error:
        raise FileError(f"the line of column names is not readable: {error}", code="headers") from None
    if names is None:
        raise FileError("the file is empty: a CSV file begins with a line of column names", code="empty")
    return column_names(names)


def _is_named_above(cells: list[str], delimiter: str) -> bool:
    return NAMED_ABOVE.fullmatch(delimiter.join(cells) + "\n") is not None


def _csv_row(number: int, names: list[str], cells: list[str]) -> Row:
    if len(cells) != len(names):
        return Row(number, {}, f"{len(cells)} cells where the first line names {len(names)} columns")
    return Row(number, {name: cell or None for name, cell in zip(names, cells, strict=True) if name})


def json_rows(lines: Lines) -> Iterator[Row]:
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
