"""Rows of an .xlsx workbook, as a person sees the sheet: values of formulas, dates as dates, digits as they stand.

The reader holds one sheet in memory, at most `MOST_CELLS` cells (about 80 bytes each); what would be more is refused
before it is read.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from services.ingest.imports.rows import FileError, Row, Unreadable, column_names
from services.ingest.imports.sheet_look import Position, Sheet, named
from services.ingest.imports.workbook_guard import inspect
from services.ingest.mapping import Format

# Excel keeps fifteen digits of a number; the sixteenth is made up.
_DIGITS_KEPT = 10**15


@contextmanager
def open_workbook(raw: io.BufferedReader, size: int, sheet: str | None) -> Iterator["Workbook"]:
    """`sheet` None: the only one that is visible and not empty. Raises `FileError`."""
    chosen = _choose(inspect(raw, size), sheet)
    chosen.check()
    raw.seek(0)
    try:
        with CalamineWorkbook.from_filelike(raw) as opened:
            yield Workbook(opened.get_sheet_by_name(chosen.name), chosen, size)
    except CalamineError as error:
        sentence = f"the workbook is damaged ({str(error)[:100]}): save it again as .xlsx"
        raise FileError(sentence, code="damaged") from None


def _choose(sheets: list[Sheet], name: str | None) -> Sheet:
    shown = ", ".join(repr(sheet.name) for sheet in sheets)[:300]
    if name is not None:
        found = [sheet for sheet in sheets if sheet.name == name]
        if not found:
            sentence = f"there is no sheet {name!r:.60} (there are: {shown}): name one of them (format: sheet)"
            raise FileError(sentence, code="no_sheet", choices=[sheet.name for sheet in sheets])
        return found[0]
    found = [sheet for sheet in sheets if sheet.values and not sheet.hidden]
    if len(found) > 1:
        names = [sheet.name for sheet in found]
        sentence = f"the workbook has the sheets {shown}: name one of them in the mapping (format: sheet)"
        raise FileError(sentence, code="sheet", choices=names)
    if not found:
        sentence = "every sheet of the workbook is empty or hidden: name the one to read (format: sheet)"
        raise FileError(sentence, code="sheets_empty", choices=[sheet.name for sheet in sheets])
    return found[0]


class Workbook:
    """A `Source` of one sheet; its position is the share of the rows that were read."""

    def __init__(self, table: CalamineSheet, sheet: Sheet, size: int) -> None:
        self.size = size
        self.found = Format("xlsx", sheet=sheet.name)
        self._table = table
        self._sheet = sheet
        self._first_column = table.start[1] if table.start else 0
        self._read = 0

    def position(self) -> int:
        height = self._table.end[0] + 1 if self._table.end else 1
        return self.size * self._read // height

    def rows(self) -> Iterator[Row]:
        names: list[str] | None = None
        number = 0
        for line in self._lines():
            if names is None:
                names = column_names([cell or "" for cell in line.texts])
            else:
                number += 1
                yield self._row(number, names, line)
        if names is None:
            raise FileError("the sheet is empty: it begins with a line of column names", code="empty")

    def _lines(self) -> Iterator["_Line"]:
        merged = _Merged(self._table.merged_cell_ranges or ())
        for index, values in enumerate(self._table.iter_rows()):
            self._read = index + 1
            values = merged.filled(index, self._first_column, values)
            texts = [_text(value) for value in values]
            if any(text is not None for text in texts):
                yield _Line(index, values, texts)

    def _row(self, number: int, names: list[str], line: "_Line") -> Row:
        cells = {name: self._cell(line, column) for column, name in enumerate(names) if name}
        return Row(number, cells)

    def _cell(self, line: "_Line", column: int) -> str | Unreadable | None:
        place, value = (line.index, self._first_column + column), line.values[column]
        if place in self._sheet.errors:
            return Unreadable(f"the cell {named(place)} holds an error such as #N/A: mend it")
        if isinstance(value, float) and abs(value) >= _DIGITS_KEPT:
            many = "more than 15 digits, which Excel rounds"
            return Unreadable(f"the number in {named(place)} has {many}: keep the column as text")
        return line.texts[column]


@dataclass(frozen=True)
class _Line:
    """`index` counts from 0 in the sheet; `texts` are the values as a CSV file would hold them."""

    index: int
    values: Sequence[Any]
    texts: list[str | None]


class _Merged:
    """A cell merged over several rows says the same of each of them; over columns it stays in the first."""

    def __init__(self, ranges: Sequence[tuple[Position, Position]]) -> None:
        self._waiting = sorted(
            ((top, left, bottom) for (top, left), (bottom, _) in ranges if bottom > top), reverse=True
        )
        self._running: dict[int, tuple[int, Any]] = {}

    def filled(self, row: int, first_column: int, values: list[Any]) -> list[Any]:
        for column, (bottom, value) in list(self._running.items()):
            if row > bottom:
                del self._running[column]
            else:
                values[column] = value
        while self._waiting and self._waiting[-1][0] <= row:
            top, left, bottom = self._waiting.pop()
            if top == row and 0 <= left - first_column < len(values):
                self._running[left - first_column] = (bottom, values[left - first_column])
        return values


def _text(value: Any) -> str | None:
    """Numbers with a point and without `.0`; moments in ISO 8601; true and false; lengths of time as h:mm:ss."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(value)
