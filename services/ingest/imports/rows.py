"""A row of a file, whatever the file is: cells under names, counted from 1.

A row that cannot be read is a row with a fault, and reading goes on behind it; a file that cannot be read raises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class FileError(ValueError):
    """The file cannot be read on from here. `choices` are the sheets of which one would settle it.

    `code` is one of few, for whoever says it in another language: the page of uploads has a sentence for each.
    """

    def __init__(self, sentence: str, *, code: str, choices: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.choices = choices


@dataclass(frozen=True)
class Unreadable:
    """In place of a cell's value where there is none that may be used. `reason` says why, and what to do."""

    reason: str


@dataclass(frozen=True)
class Row:
    """`number` counts rows from 1 (no header, no rows without a value); `fault` says why `cells` is empty."""

    number: int
    cells: dict[str, Any]
    fault: str | None = None

    def scope(self) -> dict[str, Any]:
        """What expressions see: the cells and `_row`. Asking for an unreadable cell raises ValueError."""
        cells = {**self.cells, "_row": self.number}
        is_whole = not any(isinstance(value, Unreadable) for value in cells.values())
        return cells if is_whole else _Guarded(cells)


class _Guarded(dict[str, Any]):
    """A column that a mapping does not ask for does no harm."""

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if isinstance(value, Unreadable):
            raise ValueError(value.reason)
        return value


def column_names(cells: list[str]) -> list[str]:
    """The first line's cells without blanks around them, which nobody sees; an empty one names a column that is left
    out. Raises `FileError`.
    """
    cells = [name.strip() for name in cells]
    named = [name for name in cells if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise FileError(f"the column {twice!r:.60} stands in the first line twice: rename one", code="column_twice")
    return cells
