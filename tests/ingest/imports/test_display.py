"""The bar stands on a terminal only."""

import io

import pytest

from services.ingest.imports.display import progress_bar
from services.ingest.imports.progress import Counts


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "hidden"), [(io.StringIO(), False), (Terminal(), True)])
def test_no_bar_for_programs(stream: io.StringIO, hidden: bool) -> None:
    with progress_bar(100, stream, hidden=hidden) as bar:
        bar.shown(50, Counts(rows=3))
        bar.waiting(7)
    assert stream.getvalue() == ""


def test_a_bar_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    with progress_bar(100, stream, hidden=False) as bar:
        bar.shown(50, Counts(rows=1234, rejected=5))
        bar.progress.refresh()
        bar.waiting(7)
        bar.progress.refresh()
    assert "50 % 1,234 rows, 5 rejected" in stream.getvalue()
    assert "waiting 7 s for the server" in stream.getvalue()
