"""A file, opened as what it is: CSV, JSON lines (plain or gzip) or a workbook.

What the mapping does not say is read from the file first, and what it says is held against the file: text is never read
in an encoding that its bytes contradict.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from services.ingest.imports.delimiters import sniff
from services.ingest.imports.encodings import Scan
from services.ingest.imports.rows import FileError, Row
from services.ingest.imports.text_rows import BYTE_ORDER_MARK, Lines, csv_rows, json_rows
from services.ingest.imports.workbook import open_workbook
from services.ingest.mapping import Format

_GZIP, _ZIP, _OLD_OFFICE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PIECE = 1024 * 1024
_SAMPLE = 64 * 1024


class Source(Protocol):
    """An open file: `size` and `position` in bytes of the file as it lies on the disk.

    `found` is how it is written, whole once the first row was read.
    """

    size: int
    found: Format

    def position(self) -> int: ...

    def rows(self) -> Iterator[Row]:
        """Raises `FileError`, also for damage in the middle."""


@contextmanager
def open_source(path: Path, form: Format) -> Iterator[Source]:
    """Raises OSError when the file cannot be opened, `FileError` for what it is not."""
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if _is_workbook(start, form):
            with open_workbook(raw, path.stat().st_size, form.sheet) as workbook:
                yield workbook
        else:
            with _TextSource(raw, path.stat().st_size, form) as text:
                yield text


def _is_workbook(start: bytes, form: Format) -> bool:
    if start.startswith(_OLD_OFFICE):
        sentence = "this is a workbook of before 2007, or one with a password: save it as .xlsx without one"
        raise FileError(sentence, code="old_workbook")
    is_packed = start.startswith(_ZIP)
    if is_packed and form.type not in (None, "xlsx"):
        sentence = f"this is a workbook or a .zip, no {form.type}: write `type: xlsx`, or leave type out"
        raise FileError(sentence, code="wrong_type")
    if form.type == "xlsx" and not is_packed:
        sentence = "this is no .xlsx workbook: save it as one, or leave type out of the mapping"
        raise FileError(sentence, code="wrong_type")
    return is_packed


class _TextSource:
    def __init__(self, raw: io.BufferedReader, size: int, form: Format) -> None:
        self.size = size
        self.found = form
        self._raw = raw
        self._form = form
        self._text: io.TextIOWrapper | None = None

    def __enter__(self) -> "_TextSource":
        return self

    def __exit__(self, *_: object) -> None:
        if self._text is not None:
            self._text.close()

    def position(self) -> int:
        return self._raw.tell()

    def rows(self) -> Iterator[Row]:
        lines = None
        try:
            encoding = self._encoding()
            sample = self._open(encoding).read(_SAMPLE).removeprefix(BYTE_ORDER_MARK)
            lines = Lines(self._open(encoding), encoding)
            self.found = self._found(encoding, sample)
            if self.found.delimiter:
                yield from csv_rows(lines, self.found.delimiter)
            else:
                yield from json_rows(lines)
        except (EOFError, zlib.error, OSError) as error:
            raise FileError(f"the file is damaged: {error}", code="damaged") from None
        except UnicodeError:
            raise FileError(self._wrong(lines.count if lines else 0), code="wrong_encoding") from None

    def _encoding(self) -> str:
        scan = Scan()
        stream = self._unpacked()
        while piece := stream.read(_PIECE):
            scan.feed(piece)
        return scan.encoding(self._form.encoding)

    def _found(self, encoding: str, sample: str) -> Format:
        kind = self._form.type or ("jsonl" if sample.lstrip().startswith("{") else "csv")
        return Format(kind, (self._form.delimiter or sniff(sample)) if kind == "csv" else None, encoding)

    def _open(self, encoding: str) -> io.TextIOWrapper:
        self._text = io.TextIOWrapper(self._unpacked(), encoding, errors="surrogateescape", newline="")
        return self._text

    def _unpacked(self) -> gzip.GzipFile | io.BufferedReader:
        if self._text is not None:
            self._text.detach()
            self._text = None
        self._raw.seek(0)
        packed = self._raw.peek(2)[:2] == _GZIP
        return gzip.GzipFile(fileobj=self._raw) if packed else self._raw

    def _wrong(self, line: int) -> str:
        named = self._form.encoding or (self._text and self._text.encoding)
        return f"behind line {line} there are bytes that are not {named}: name the file's encoding (format: encoding)"
