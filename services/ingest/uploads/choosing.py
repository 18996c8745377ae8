"""Which documents a file can be read with: the one that comes with the page, sources added here, one's own."""

from datetime import datetime
from typing import NamedTuple

from services.ingest.uploads.documents import FOLDER
from services.ingest.webhooks.registry import Sources

ANSWERS = "answers"
_SOURCE = "source:"

# The columns of `ANSWERS` and a row, for whoever begins with an empty sheet.
COLUMNS = {
    "pl": ("Numer", "Data", "Miara", "Ocena", "Komentarz", "Klient", "Zamówienie", "Kanał"),
    "en": ("id", "date", "metric", "score", "comment", "customer", "order", "channel"),
}
_ROWS = {
    "pl": ("2026-001", "15.10.2026 14:05", "nps", "9", "Szybka dostawa", "K-17", "4711", "email"),
    "en": ("2026-001", "2026-10-15 14:05", "nps", "9", "Fast delivery", "C-17", "4711", "email"),
}


class Document(NamedTuple):
    """`ce_source` and `version` where they are not those of the text."""

    text: str
    ce_source: str | None = None
    version: int | None = None


class Offered(NamedTuple):
    name: str
    source: str
    about: str


class Documents:
    """Built-in sources are for deliveries: of these a file has other columns. What was added here may be for files."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._answers = (FOLDER / f"{ANSWERS}.yaml").read_text(encoding="utf-8")

    def offered(self, now: datetime) -> list[Offered]:
        found = [(name, self._sources.get(name, now)) for name in self._sources.names()]
        return [
            Offered(f"{_SOURCE}{name}", name, source.document.about)
            for name, source in found
            if source is not None and source.origin != "built in"
        ]

    def find(self, name: str, now: datetime) -> Document | None:
        if name == ANSWERS:
            return Document(self._answers)
        source = self._sources.get(name.removeprefix(_SOURCE), now) if name.startswith(_SOURCE) else None
        if source is None:
            return None
        return Document(source.text, source.document.context.source, source.document.version)


def example(language: str) -> bytes:
    """An empty table with one row, as a spreadsheet opens it."""
    lines = (";".join(cells) for cells in (COLUMNS[language], _ROWS[language]))
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()
