"""The error file once more, as a table that a Polish Excel opens on a double click: `;`, UTF-8 with its mark, CRLF.

No cell of it is a formula, whatever a row or a column name held.
"""

import csv
import json
from pathlib import Path

_FORMULA = tuple("=+-@＝＋－＠\t\r\n\0")


def write_table(lines: Path, table: Path) -> None:
    """From `FILE.errors.jsonl`, line by line. Raises OSError."""
    with lines.open(encoding="utf-8") as source, table.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow(("row", "field", "message"))
        for line in source:
            rejection = json.loads(line)
            writer.writerow((rejection["row"], cell(rejection["field"] or ""), cell(rejection["message"])))


def cell(text: str) -> str:
    """With `'` in front where a spreadsheet could compute it, also behind spaces."""
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
