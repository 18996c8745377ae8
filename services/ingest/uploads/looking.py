"""A look at the first rows of a file, and at what would become of them; nothing is sent."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.ingest.admission import admit_document
from services.ingest.imports.batches import Rejection, lines_of
from services.ingest.imports.opening import Source, open_source
from services.ingest.imports.rows import FileError, Row, Unreadable
from services.ingest.mapping import MappingDocument, MappingError
from services.ingest.sent_event import is_plain
from services.ingest.uploads.kept import Asks, Look, Mistake, SeenEvent, SeenRow
from services.ingest.uploads.own import Own
from services.ingest.uploads.reading import compiled, form
from shared.clock import Clock
from shared.events.fields import EventError

MOST_LOOKED_AT = 1_000
LONGEST_LOOK_SECONDS = 3.0
MOST_SHOWN = 5
MOST_MISTAKES = 10
_LONGEST_CELL, _MOST_CELLS = 120, 60
_UNREADABLE = {"id": "missing", "time": "not_a_time"}  # what a row that cannot be mapped lacks, by field
# What is to be chosen on the page, by the code of the fault.
_ASKS: dict[str, Asks] = {
    "encoding": "encoding",
    "wrong_encoding": "encoding",
    "delimiter": "delimiter",
    "sheet": "sheet",
    "no_sheet": "sheet",
    "sheets_empty": "sheet",
}


def look(own: Own, clock: Clock) -> Look:
    """Of the whole file where that is quick."""
    facts = own.facts()
    try:
        mapping = compiled(facts, own.document())
        with open_source(own.content, form(facts.choice, mapping)) as source:
            return _Looking(mapping, facts.sender, clock).through(source)
    except MappingError as error:
        return Look(f"line {error.line}: {error.reason}", error.code, "document")
    except FileError as error:
        return Look(own.without_place(str(error)), error.code, _ASKS.get(error.code), list(error.choices))


class _Looking:
    def __init__(self, mapping: MappingDocument, sender: str, clock: Clock) -> None:
        self._mapping = mapping
        self._sender = sender
        self._clock = clock
        self._now: datetime = clock.now()
        self._facts: set[str] = set()
        self._kinds: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._repeated = 0
        self._shown: list[SeenRow] = []
        self._mistakes: list[Mistake] = []

    def through(self, source: Source) -> Look:
        is_all = all(self._take(row) for row in self._within_limits(source.rows()))
        found = source.found
        return Look(
            kind=found.type,
            encoding=found.encoding,
            delimiter=found.delimiter,
            sheet=found.sheet,
            rows=sum(self._rows.values()),
            is_all=is_all,
            giving=self._rows["giving"],
            ignored=self._rows["ignored"],
            rejected=self._rows["rejected"],
            repeated=self._repeated,
            events=dict(self._kinds.most_common()),
            shown=self._shown,
            mistakes=self._mistakes,
        )

    def _within_limits(self, rows: Iterator[Row]) -> Iterator[Row | None]:
        """None in place of the first row that is not looked at."""
        until = self._clock.monotonic() + LONGEST_LOOK_SECONDS
        for number, row in enumerate(rows):
            is_over = number >= MOST_LOOKED_AT or (number >= MOST_SHOWN and self._clock.monotonic() > until)
            yield None if is_over else row
            if is_over:
                return

    def _take(self, row: Row | None) -> bool:
        if row is None:
            return False
        lines = lines_of(row, self._mapping)
        mistake = _mistake(lines) if isinstance(lines, Rejection) else None
        events = [] if isinstance(lines, Rejection) else lines
        for line in events:
            mistake = self._admit(line, row.number) or mistake
        if mistake and len(self._mistakes) < MOST_MISTAKES:
            self._mistakes.append(mistake)
        self._rows["rejected" if mistake else "giving" if events else "ignored"] += 1
        if len(self._shown) < MOST_SHOWN:
            self._shown.append(SeenRow(row.number, _cells(row.cells), [_seen(line) for line in events], mistake))
        return True

    def _admit(self, line: bytes, row: int) -> Mistake | None:
        """As the door would; an event that only repeats another is no mistake."""
        try:
            fact = admit_document(line, is_plain(line), self._sender, self._now).fact
        except EventError as error:
            return Mistake(row, error.field, error.message, error.code)
        self._kinds[msgspec.json.decode(line)["type"]] += 1
        self._repeated += fact in self._facts
        self._facts.add(fact)
        return None


def _mistake(rejection: Rejection) -> Mistake:
    return Mistake(rejection.row, rejection.field, rejection.message, _UNREADABLE.get(rejection.field or ""))


def _cells(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name[:_LONGEST_CELL], _cell(value)) for name, value in list(values.items())[:_MOST_CELLS]]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.reason if isinstance(value, Unreadable) else value if isinstance(value, str) else _json(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _seen(line: bytes) -> SeenEvent:
    event = msgspec.json.decode(line)
    time = {"time": event["time"]} if "time" in event else {}
    return SeenEvent(event["type"], _cells({**time, **event["data"]}))
