"""What the user sees: a bar on a terminal's stderr while it runs, the outcome on stdout at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.ingest.imports.progress import Counts


@dataclass(frozen=True)
class Bar:
    """`shown` and `waiting` do nothing when stderr is no terminal or the output is for a program."""

    progress: Progress
    task: TaskID

    def shown(self, position: int, counts: Counts) -> None:
        """`position` in bytes of the file on the disk."""
        self.progress.update(self.task, completed=position, state=f"{counts.rows:,} rows, {counts.rejected:,} rejected")

    def waiting(self, seconds: float) -> None:
        self.progress.update(self.task, state=f"waiting {seconds:.0f} s for the server")


@contextmanager
def progress_bar(size: int, stream: TextIO, *, hidden: bool) -> Iterator[Bar]:
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} % {task.fields[state]}"), TimeRemainingColumn())
    hidden = hidden or not stream.isatty()
    with Progress(*columns, console=Console(file=stream), disable=hidden, transient=True) as progress:
        yield Bar(progress, progress.add_task("import", total=size, state=""))


def outcome(counts: Counts, errors: Path, table: Path) -> str:
    """One sentence, with the error file where there is one."""
    told = f"{counts.rows:,} rows: {counts.accepted:,} events accepted, {counts.ignored:,} rows ignored"
    return told + (
        f", {counts.rejected:,} rejected (see {errors}; for a spreadsheet {table.name})." if counts.rejected else "."
    )
