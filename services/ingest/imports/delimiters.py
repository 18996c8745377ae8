"""What stands between the cells of a CSV file whose mapping does not say it."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from services.ingest.imports.rows import FileError

CANDIDATES = ";,\t|"
# Excel writes this line above the names, for itself.
NAMED_ABOVE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_ROWS_LOOKED_AT = 50
_LEAST_SHARE = 0.9


class DelimiterError(FileError):
    """More than one reading makes sense; says what to name."""


def sniff(sample: str) -> str:
    """Of the beginning of a file: the character that cuts nearly all rows into as many cells as there are names.

    Where several do, the one that finds the most names; where none does (rows may be damaged, and are told one by one),
    the one that cuts the names; a comma for a file of one column.
    """
    if named := NAMED_ABOVE.match(sample):
        return named[1]
    widths = {mark: width for mark in CANDIDATES if (width := _width(sample, mark)) > 1} or _named(sample)
    if not widths:
        return ","
    most = max(widths.values())
    best = [mark for mark, width in widths.items() if width == most]
    if len(best) > 1:
        shown = " or ".join(repr(mark) for mark in best)
        sentence = f"the cells may be separated by {shown}: name it in the mapping (format: delimiter)"
        raise DelimiterError(sentence, code="delimiter")
    return best[0]


def _named(sample: str) -> dict[str, int]:
    """How many names each character finds in the first line, where that is more than one."""
    found = {mark: next(_rows(sample, mark), []) for mark in CANDIDATES}
    return {mark: len(names) for mark, names in found.items() if len(names) > 1}


def _rows(sample: str, mark: str) -> Iterator[list[str]]:
    try:
        yield from filter(None, csv.reader(io.StringIO(sample, newline=""), delimiter=mark))
    except csv.Error:
        return


def _width(sample: str, mark: str) -> int:
    """How many names the first line has; 0 where the rows below do not have as many cells."""
    rows = list(islice(_rows(sample, mark), _ROWS_LOOKED_AT + 2))
    if not rows:
        return 0
    # The sample may end in the middle of its last row.
    names, below = rows[0], rows[1:-1] or rows[1:]
    fitting = sum(len(row) == len(names) for row in below)
    return len(names) if fitting >= _LEAST_SHARE * len(below) else 0
