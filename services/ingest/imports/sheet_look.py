"""What a sheet would cost and what it would hide, seen in its XML before it is read.

One cell in the last corner makes the reader hold seventeen thousand million empty ones. An error (`#N/A`) and a formula
that was never computed look empty to the reader.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from xml.parsers import expat

from services.ingest.imports.rows import FileError

MOST_CELLS = 4_000_000
MOST_MERGED = 100_000
MOST_ERRORS = 100_000
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROW = re.compile(r"[1-9][0-9]{0,6}")

Position = tuple[int, int]


@dataclass
class Sheet:
    """What is known of one sheet before it is read; cells by (row, column), counted from 0."""

    name: str
    hidden: bool
    rows: int = 0
    columns: int = 0
    values: int = 0
    merged: int = 0
    errors: set[Position] = field(default_factory=set)
    uncomputed: Position | None = None

    def check(self) -> None:
        """Raises `FileError` for a sheet that costs or hides too much."""
        if self.values > MOST_CELLS or self.rows * self.columns > MOST_CELLS:
            raise FileError(
                f"the sheet {self.name!r:.60} reaches to row {self.rows:,} and column {self.columns:,}, more than "
                f"{MOST_CELLS:,} cells: delete what stands far below or beside the table, or save the sheet as CSV",
                code="too_large",
            )
        if self.merged > MOST_MERGED or len(self.errors) > MOST_ERRORS:
            many = "merged cells" if self.merged > MOST_MERGED else "errors such as #N/A"
            sentence = f"the sheet {self.name!r:.60} holds more than {MOST_MERGED:,} {many}: save it as CSV"
            raise FileError(sentence, code="too_large")
        if self.uncomputed is not None:
            raise FileError(
                f"the formula in {named(self.uncomputed)} of the sheet {self.name!r:.60} has no value: open the "
                "workbook in Excel or LibreOffice, save it, and import that",
                code="formula",
            )


class Look:
    """Fed with a sheet's XML in pieces; reads every cell's place as the reader will, and refuses what is no place."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._row = self._column = 0
        self._cell: Position = (0, 0)
        self._kind: str | None = None
        self._has_value = False
        # The reader takes every sheet for UTF-8, whatever the sheet says.
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, piece: bytes) -> None:
        """Raises `FileError` and `expat.ExpatError`."""
        self._parser.Parse(piece, False)

    def finish(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._start_cell(attributes.get("r"), attributes.get("t"))
        elif name in ("v", "is"):
            self._sheet.values += 1
        elif name == "row":
            self._row = _row(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
        elif name == "f":
            self._start_formula()
        elif name == "mergeCell":
            self._sheet.merged += 1

    def _start_cell(self, reference: str | None, kind: str | None) -> None:
        sheet = self._sheet
        self._cell = row, column = _place(reference) if reference is not None else (max(self._row - 1, 0), self._column)
        self._kind = kind
        self._column = column + 1
        sheet.rows, sheet.columns = max(sheet.rows, row + 1), max(sheet.columns, column + 1)
        if kind == "e" and len(sheet.errors) <= MOST_ERRORS:
            sheet.errors.add(self._cell)

    def _start_formula(self) -> None:
        """Most cells have none: ends and texts are listened to from here to the cell's end only."""
        self._has_value = False
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = None

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "f":
            self._parser.CharacterDataHandler = self._text
        elif name == "c":
            # The value of a formula may be the empty text.
            if not self._has_value and self._kind != "str" and self._sheet.uncomputed is None:
                self._sheet.uncomputed = self._cell
            self._parser.EndElementHandler = self._parser.CharacterDataHandler = None

    def _text(self, text: str) -> None:
        self._has_value = self._has_value or bool(text.strip())


def named(place: Position) -> str:
    """B7 for (6, 1)."""
    row, column = place[0] + 1, place[1] + 1
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


def _place(reference: str) -> Position:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise FileError(
            f"a cell of the workbook has the place {reference!r:.40}, which is none: save it again as .xlsx",
            code="damaged",
        )
    return int(match[2]) - 1, _column(match[1])


@cache
def _column(letters: str) -> int:
    """0 for A; there are 18,278 of up to three letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _row(reference: str) -> int:
    if not _ROW.fullmatch(reference):
        sentence = f"a row of the workbook has the number {reference!r:.40}: save it again as .xlsx"
        raise FileError(sentence, code="damaged")
    return int(reference)


def _refuse_doctype(*_: object) -> None:
    raise FileError("a sheet of the workbook begins as no sheet does: save it again as .xlsx", code="damaged")
