"""What a workbook would cost, found out before it is read: it is a .zip, and a few kilobytes can unpack to gigabytes.

Its parts pass by in pieces; sizes that the archive states are not believed.
"""

import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from services.ingest.imports.rows import FileError
from services.ingest.imports.sheet_look import Look, Sheet

MOST_PACKED = 100 * 1024 * 1024
MOST_UNPACKED = 512 * 1024 * 1024
# All but sheets is read whole and at once, the shared texts above all.
MOST_BESIDE_SHEETS = 128 * 1024 * 1024
_MOST_PARTS = 2_000
_LONGEST_LIST = 1024 * 1024
_PIECE = 1024 * 1024
_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TOO_MUCH = "split it, or save the sheet as CSV"


def inspect(file: IO[bytes], size: int) -> list[Sheet]:
    """Every worksheet, in the workbook's order. Raises `FileError`."""
    if size > MOST_PACKED:
        sentence = f"the workbook has {size:,} bytes, {MOST_PACKED:,} is the most: {_TOO_MUCH}"
        raise FileError(sentence, code="too_large")
    try:
        with zipfile.ZipFile(file) as archive:
            return _inspect(archive)
    except FileError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        ValueError,
        OSError,
        SyntaxError,
        ExpatError,
    ) as bad:
        sentence = f"the workbook is damaged ({str(bad)[:100]}): save it again as .xlsx"
        raise FileError(sentence, code="damaged") from None


def _inspect(archive: zipfile.ZipFile) -> list[Sheet]:
    by_name = {part.filename.lower(): part for part in archive.infolist()}
    if len(by_name) < len(archive.infolist()) or len(by_name) > _MOST_PARTS:
        sentence = "the archive has two parts of one name, or too many: save the workbook again as .xlsx"
        raise FileError(sentence, code="damaged")
    if _WORKBOOK not in by_name:
        raise FileError("the .zip holds no Excel workbook: save the table as .xlsx or CSV", code="no_workbook")
    sheets = {by_name[part].filename: sheet for part, sheet in _listed(archive, by_name) if part in by_name}
    _look_through(archive, sheets)
    return list(sheets.values())


def _look_through(archive: zipfile.ZipFile, sheets: dict[str, Sheet]) -> None:
    left, beside = MOST_UNPACKED, MOST_BESIDE_SHEETS
    for part in archive.infolist():
        look = Look(sheets[part.filename]) if part.filename in sheets else None
        for piece in _pieces(archive, part):
            left -= len(piece)
            if look:
                look.feed(piece)
            else:
                beside -= len(piece)
            if min(left, beside) < 0:
                most = MOST_UNPACKED if left < 0 else MOST_BESIDE_SHEETS
                sentence = f"the workbook unpacks to more than {most:,} bytes: {_TOO_MUCH}"
                raise FileError(sentence, code="too_large")
        if look:
            look.finish()


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
        sentence = f"{part.filename} is not as workbooks have it: save the workbook again as .xlsx"
        raise FileError(sentence, code="damaged")
    return ElementTree.fromstring(text)


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            yield piece
