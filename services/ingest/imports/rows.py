"""A row of a file, whatever the file is: cells under names, counted from 1.

A row that cannot be read is a row with a fault, and reading goes on behind it; a file that cannot be read raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class FileError(ValueError):
    """The file cannot be read on from here."""


@dataclass(frozen=True)
class Row:
    """`number` counts rows from 1 (no header, no blank lines); `fault` says why `cells` is empty.

    `unreadable` says of a column why its cell has no value that may be used.
    """

    number: int
    cells: dict[str, Any]
    fault: str | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """What expressions see: the cells and `_row`. Asking for an unreadable cell raises ValueError."""
        cells = {**self.cells, "_row": self.number}
        return _Guarded(cells, self.unreadable) if self.unreadable else cells


class _Guarded(dict[str, Any]):
    """A column that a mapping does not ask for does no harm."""

    def __init__(self, cells: dict[str, Any], unreadable: Mapping[str, str]) -> None:
        super().__init__(cells)
        self._unreadable = unreadable

    def get(self, name: str, default: Any = None) -> Any:
        if name in self._unreadable:
            raise ValueError(self._unreadable[name])
        return super().get(name, default)


def column_names(cells: list[str]) -> list[str]:
    """The first line's cells; an empty one names a column that is left out. Raises `FileError`."""
    named = [name for name in cells if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise FileError(f"the column {twice!r:.60} stands in the first line twice: rename one")
    return cells
