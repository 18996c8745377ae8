"""Which encoding a file of text is in: told by its bytes, or named by the user and not contradicted by them.

A reading is taken only when the bytes decide: a byte order mark, UTF-8 that holds to the end, or Polish that makes
sense in one code page and not in the other. Everything else is a sentence that says what to name.
"""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from services.ingest.imports.rows import FileError

CODE_PAGES = ("cp1250", "iso8859-2")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII = bytes(range(128))
_POLISH = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
# Not in Latin-1 at these bytes, so they tell Polish from French or Spanish.
_TELLING = frozenset("ąłśźĄŁŚŹ")
_POLISH_IN_UTF8 = re.compile(b"\xc3[\x93\xb3]|\xc4[\x84-\x87\x98\x99]|\xc5[\x81-\x84\x9a\x9b\xb9-\xbc]")
# The two code pages agree on every Polish letter but ą, ś and ź.
_LETTERS_APART = {page: "ąśźĄŚŹ".encode(page) for page in CODE_PAGES}
_LEAST_LETTERS, _LEAST_SHARE, _CLEAR_MAJORITY = 3, 0.8, 20


class EncodingError(FileError):
    """The file cannot be read as text without a guess, or not as what was named; says what to name."""


@dataclass(frozen=True)
class Place:
    """A byte that is not UTF-8: `line` and `column` count from 1, columns in characters."""

    line: int
    column: int
    byte: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column} holds the byte 0x{self.byte:02X}, which is not UTF-8"


class Scan:
    """Fed with the whole file in pieces; keeps counts only."""

    def __init__(self) -> None:
        self._start = b""
        self._pending = self._last = b""
        self._line, self._column = 1, 1
        self._beyond_ascii: Counter[int] = Counter()
        self._polish_in_utf8 = 0
        self._nuls_at = [0, 0]
        self._size = 0
        self._damage: Place | None = None

    def feed(self, piece: bytes) -> None:
        self._start = (self._start + piece[:4])[:4]
        if b"\0" in piece:
            for parity in (0, 1):
                self._nuls_at[(self._size + parity) % 2] += piece[parity::2].count(0)
        if not piece.isascii():
            self._beyond_ascii.update(piece.translate(None, _ASCII))
            self._polish_in_utf8 += len(_POLISH_IN_UTF8.findall(self._last + piece))
        if self._damage is None:
            self._check_utf8(self._pending + piece)
        self._size += len(piece)
        self._last = piece[-1:]

    def encoding(self, named: str | None) -> str:
        """A codec's name for `open`; raises `EncodingError`. `named` is Python's name of what the document says."""
        if self._pending and self._damage is None:
            self._damage = Place(self._line, self._column, self._pending[0])
        shown = self._shown()
        if named is None:
            return shown or self._refuse()
        if shown is not None and not self._agrees(shown, named):
            found = f"but its bytes are {shown}" + (f": {self._damage}" if self._damage and named == "utf-8" else "")
            remedy = f"write `encoding: {shown}`, or leave encoding out"
            raise EncodingError(f"the mapping says {named}, {found}: {remedy}", code="wrong_encoding")
        return named

    def _shown(self) -> str | None:
        mark = next((name for mark, name in _MARKS if self._start.startswith(mark)), None)
        if mark is not None:
            return mark
        if any(self._nuls_at):
            return self._utf16_without_mark()
        if self._damage is None or self._polish_in_utf8:
            return "utf-8"
        return self._code_page()

    def _utf16_without_mark(self) -> str | None:
        """Text in UTF-16 has a zero in every second byte of what is ASCII, and none in the other bytes."""
        even, odd = self._nuls_at
        if min(even, odd) == 0 and max(even, odd) >= self._size * 0.2:
            return "utf-16-le" if odd else "utf-16-be"
        return None

    def _code_page(self) -> str | None:
        readable = [page for page in CODE_PAGES if self._reads_as_polish(page)]
        if len(readable) == len(CODE_PAGES) and all(_same_in_both(byte) for byte in self._beyond_ascii):
            return CODE_PAGES[0]
        for page, other in (CODE_PAGES, CODE_PAGES[::-1]):
            own, others = (sum(self._beyond_ascii[byte] for byte in _LETTERS_APART[name]) for name in (page, other))
            if page in readable and own and own >= _CLEAR_MAJORITY * others:
                return page
        return None

    def _reads_as_polish(self, page: str) -> bool:
        read = {_character(byte, page): count for byte, count in self._beyond_ascii.items()}
        if "" in read:
            return False
        polish = {letter.lower() for letter in read if letter in _POLISH}
        share = sum(count for letter, count in read.items() if letter in _POLISH)
        letters = sum(count for letter, count in read.items() if letter.isalpha())
        telling = any(letter in _TELLING for letter in read)
        return telling and len(polish) >= _LEAST_LETTERS and share >= _LEAST_SHARE * letters

    def _agrees(self, shown: str, named: str) -> bool:
        if named == shown or (shown.startswith("utf-16") and named.startswith("utf-16")):
            return True
        if shown == "utf-8":
            # Plain ASCII is the same in all of them; a few letters may be UTF-8 by chance.
            return not self._polish_in_utf8 and not self._start.startswith(codecs.BOM_UTF8)
        if shown in CODE_PAGES and named in CODE_PAGES:
            return all(_same_in_both(byte) for byte in self._beyond_ascii)
        return False

    def _refuse(self) -> str:
        if any(self._nuls_at):
            sentence = "the file holds zero bytes and is no text: save it as CSV in UTF-8, or as .xlsx"
            raise EncodingError(sentence, code="not_text")
        remedy = "name it in the mapping, such as `format: {encoding: cp1250}` (Windows) or iso-8859-2"
        sentence = f"{self._damage}, and too little of it is Polish to tell its encoding: {remedy}"
        raise EncodingError(sentence, code="encoding")

    def _check_utf8(self, text: bytes) -> None:
        try:
            whole = text.decode()
            self._pending = b""
        except UnicodeDecodeError as error:
            whole = text[: error.start].decode()
            self._pending = text[error.start :]
            if error.reason != "unexpected end of data":
                self._advance(whole)
                self._damage = Place(self._line, self._column, self._pending[0])
                return
        self._advance(whole)

    def _advance(self, text: str) -> None:
        newlines = text.count("\n")
        self._line += newlines
        self._column = len(text) - text.rfind("\n") if newlines else self._column + len(text)


def _same_in_both(byte: int) -> bool:
    return len({_character(byte, page) for page in CODE_PAGES}) == 1


def _character(byte: int, page: str) -> str:
    """Empty for what no text in this code page holds."""
    character = bytes([byte]).decode(page, "ignore")
    return "" if 0x80 <= ord(character or "\x80") <= 0x9F else character
