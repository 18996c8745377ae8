"""Rows to batches: what is sent in one go, and what is known about its rows before the answer."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.ingest.imports.rows import Row
from services.ingest.mapping import MappingDocument, RowError

MOST_EVENTS = 500
MOST_BYTES = 4_500_000
LARGEST_EVENT = 256 * 1024
_MOST_ROWS = 5_000


@dataclass(frozen=True)
class Rejection:
    """A line of the error file; `field` is null where the whole row is at fault."""

    row: int
    field: str | None
    message: str

    def line(self) -> bytes:
        text = json.dumps({"row": self.row, "field": self.field, "message": self.message}, ensure_ascii=False)
        return text.encode("utf-8", errors="replace") + b"\n"


@dataclass
class Batch:
    """Whole rows: `lines[i]` is an event as JSON and comes from row `origins[i]`; a row without events is counted."""

    rows: int = 0
    ignored: int = 0
    size: int = 0
    lines: list[bytes] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)

    def has_room(self, lines: list[bytes]) -> bool:
        size = self.size + sum(map(len, lines)) + len(lines)
        return self.rows < _MOST_ROWS and len(self.lines) + len(lines) <= MOST_EVENTS and size <= MOST_BYTES

    def add(self, row: int, lines: list[bytes]) -> None:
        self.rows += 1
        self.ignored += not lines
        self.lines.extend(lines)
        self.origins.extend([row] * len(lines))
        self.size += sum(map(len, lines)) + len(lines)

    def reject(self, rejection: Rejection) -> None:
        self.rows += 1
        self.rejections.append(rejection)


def batches(rows: Iterable[Row], mapping: MappingDocument) -> Iterator[Batch]:
    """Every row lies in exactly one batch, in order; a row that cannot be mapped is a rejection of its batch."""
    batch = Batch()
    for row in rows:
        outcome = lines_of(row, mapping)
        if not batch.has_room(outcome if isinstance(outcome, list) else []):
            yield batch
            batch = Batch()
        if isinstance(outcome, Rejection):
            batch.reject(outcome)
        else:
            batch.add(row.number, outcome)
    if batch.rows:
        yield batch


def requests(batch: Batch) -> Iterator[slice]:
    """The events of a batch in parts that one request may hold: one part, unless a single row gave too many."""
    start = size = 0
    for index, line in enumerate(batch.lines):
        if index > start and (index - start >= MOST_EVENTS or size + len(line) + 1 > MOST_BYTES):
            yield slice(start, index)
            start, size = index, 0
        size += len(line) + 1
    if batch.lines:
        yield slice(start, len(batch.lines))


def lines_of(row: Row, mapping: MappingDocument) -> list[bytes] | Rejection:
    """The row's events as JSON."""
    if row.fault is not None:
        return Rejection(row.number, None, row.fault)
    try:
        return [_encode(event) for event in mapping.events(row.scope())]
    except RowError as error:
        return Rejection(row.number, error.field, error.message)


def _encode(event: dict[str, Any]) -> bytes:
    try:
        line = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError):
        raise RowError(
            "data", "the values cannot be written as JSON: no infinite numbers, no half characters"
        ) from None
    if len(line) > LARGEST_EVENT:
        raise RowError("data", f"the event has {len(line)} bytes, {LARGEST_EVENT} is the most: map fewer columns")
    return line
