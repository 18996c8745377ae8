"""What a workbook would cost and what it would hide, found out before it is read: its parts pass by in pieces.

A workbook is a .zip: a few kilobytes can unpack to gigabytes, and one cell in the last corner of a sheet makes the
reader hold seventeen thousand million empty ones. An error (`#N/A`) and a formula that was never computed look empty to
the reader, so they are looked for here.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.etree import ElementTree

from services.ingest.imports.rows import FileError

MOST_PACKED = 100 * 1024 * 1024
MOST_UNPACKED = 512 * 1024 * 1024
MOST_CELLS = 4_000_000
MOST_ERRORS = 100_000
_MOST_PARTS = 2_000
_LONGEST_LIST = 1024 * 1024
_LONGEST_CELL = 4 * 1024 * 1024
_PIECE = 1024 * 1024
_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"

_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,8})["']""")
_VALUE = re.compile(rb"<(?:[A-Za-z0-9]+:)?(?:v|is)[\s/>]")
_ERROR = re.compile(rb"""<(?:[A-Za-z0-9]+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>""")
# A formula without a value behind it; `t="str"` is one whose value is the empty text.
_UNCOMPUTED = re.compile(
    rb"""<c\s((?:(?!\bt=["']str["'])[^>])*)>\s*<f(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"""
)
_TOO_MUCH = "split it, or save the sheet as CSV"


@dataclass
class Sheet:
    """What is known of one sheet before it is read; cells by (row, column), counted from 0."""

    name: str
    hidden: bool
    rows: int = 0
    columns: int = 0
    values: int = 0
    errors: set[tuple[int, int]] = field(default_factory=set)
    uncomputed: str | None = None

    def check(self) -> None:
        """Raises `FileError` for a sheet that costs or hides too much."""
        if self.values > MOST_CELLS or self.rows * self.columns > MOST_CELLS:
            raise FileError(
                f"the sheet {self.name!r:.60} reaches to row {self.rows:,} and column {self.columns:,}, more than "
                f"{MOST_CELLS:,} cells: delete what stands far below or beside the table, {_TOO_MUCH}"
            )
        if len(self.errors) > MOST_ERRORS:
            raise FileError(f"the sheet {self.name!r:.60} holds more than {MOST_ERRORS:,} errors: mend its formulas")
        if self.uncomputed is not None:
            raise FileError(
                f"the formula in {self.uncomputed} of the sheet {self.name!r:.60} has no value: open the workbook in "
                "Excel or LibreOffice, save it, and import that"
            )


def inspect(file: IO[bytes], size: int) -> list[Sheet]:
    """Every worksheet, in the workbook's order. Raises `FileError`."""
    if size > MOST_PACKED:
        raise FileError(f"the workbook has {size:,} bytes, {MOST_PACKED:,} is the most: {_TOO_MUCH}")
    try:
        with zipfile.ZipFile(file) as archive:
            return _inspect(archive)
    except FileError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError, ElementTree.ParseError) as bad:
        raise FileError(f"the workbook is damaged ({str(bad)[:100]}): save it again as .xlsx") from None


def _inspect(archive: zipfile.ZipFile) -> list[Sheet]:
    by_name = {part.filename.lower(): part for part in archive.infolist()}
    if len(by_name) < len(archive.infolist()) or len(by_name) > _MOST_PARTS:
        raise FileError("the archive has two parts of one name, or too many: save the workbook again as .xlsx")
    if _WORKBOOK not in by_name:
        raise FileError("the .zip holds no Excel workbook: save the table as .xlsx or CSV")
    sheets = {by_name[part].filename: sheet for part, sheet in _listed(archive, by_name) if part in by_name}
    left = MOST_UNPACKED
    for part in archive.infolist():
        look = _Look(sheets[part.filename]) if part.filename in sheets else None
        for piece in _pieces(archive, part):
            left -= len(piece)
            if left < 0:
                raise FileError(f"the workbook unpacks to more than {MOST_UNPACKED:,} bytes: {_TOO_MUCH}")
            if look:
                look.feed(piece)
        if look:
            look.finish()
    return list(sheets.values())


def _listed(archive: zipfile.ZipFile, by_name: dict[str, zipfile.ZipInfo]) -> Iterator[tuple[str, Sheet]]:
    """The part (in small letters) and the name of each worksheet that the workbook lists."""
    targets = {
        entry.get("Id"): _resolved(entry.get("Target", ""))
        for entry in _root(archive, by_name[_RELATIONS])
        if entry.get("Type", "").endswith("/worksheet")
    }
    for entry in _root(archive, by_name[_WORKBOOK]).iter():
        if entry.tag.rpartition("}")[2] == "sheet":
            relation = next((value for name, value in entry.items() if name.endswith("}id")), None)
            if relation in targets:
                yield targets[relation], Sheet(entry.get("name", ""), entry.get("state", "visible") != "visible")


def _resolved(target: str) -> str:
    return target.lstrip("/").lower() if target.startswith("/") else "xl/" + target.lower()


def _root(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> ElementTree.Element:
    with archive.open(part) as stream:
        text = stream.read(_LONGEST_LIST + 1)
    if len(text) > _LONGEST_LIST or b"<!" in text.replace(b"<!--", b""):
        raise FileError(f"{part.filename} is not as workbooks have it: save the workbook again as .xlsx")
    return ElementTree.fromstring(text)


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            yield piece


class _Look:
    """Fed with a sheet's part in pieces; looks at whole cells only."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        text = self._rest + piece
        cut = text.rfind(b"c>") + 2
        if cut < 2 and len(text) > _LONGEST_CELL:
            cut = text.rfind(b">") + 1
        if len(text) - cut > 2 * _LONGEST_CELL:
            raise FileError(f"the sheet {self._sheet.name!r:.60} holds a cell that is too large: {_TOO_MUCH}")
        self._rest = text[max(cut, 0) :]
        self._look(text[: max(cut, 0)])

    def finish(self) -> None:
        self._look(self._rest)

    def _look(self, text: bytes) -> None:
        sheet = self._sheet
        references = set(_REFERENCE.findall(text))
        if references:
            sheet.rows = max(sheet.rows, *(int(row) for _, row in references))
            sheet.columns = max(sheet.columns, *(_column(letters) for letters, _ in references))
        sheet.values += len(_VALUE.findall(text))
        if len(sheet.errors) <= MOST_ERRORS:
            sheet.errors.update(_position(attributes) for attributes in _ERROR.findall(text))
        if sheet.uncomputed is None and (uncomputed := _UNCOMPUTED.search(text)) is not None:
            sheet.uncomputed = _name(uncomputed[1])


def _position(attributes: bytes) -> tuple[int, int]:
    reference = _REFERENCE.search(b" " + attributes)
    if reference is None:
        raise FileError("the workbook has an error in a cell without a name: save it again as .xlsx")
    return int(reference[2]) - 1, _column(reference[1]) - 1


def _name(attributes: bytes) -> str:
    reference = _REFERENCE.search(b" " + attributes)
    return (reference[1] + reference[2]).decode() if reference else "a cell"


def _column(letters: bytes) -> int:
    """1 for A."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
