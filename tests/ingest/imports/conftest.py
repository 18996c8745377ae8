"""An import in a folder of its own, with sleeps that are only noted down."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.ingest.imports import command
from tests.ingest.imports.fake_petla import FakePetla

MAPPING = """\
format: {type: csv}
timezone: Europe/Warsaw
ce_source: /csv
rules:
  - when: "stars != 'skip'"
    emit: feedback.received.v1
    id: id
    time: parse_time(day)
    map: {metric: "'rating'", score: number(stars), text: text}
otherwise: ignore
"""


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


class Import:
    """Runs the command on `rows.csv` with `m.yaml`, both in `folder`; the working folder is `elsewhere`."""

    def __init__(self, folder: Path, elsewhere: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.elsewhere = elsewhere
        self.file = folder / "rows.csv"
        self.mapping = folder / "m.yaml"
        self.mapping.write_text(MAPPING)
        self.slept: list[float] = []
        self.sleep: Callable[[float], None] = self.slept.append
        self.stderr = ""
        self._capture = capture

    def rows(self, *rows: str) -> None:
        self.file.write_text("\n".join(("id,stars,day,text", *rows)) + "\n")

    def run(self, petla: FakePetla | None, *, key: str | None = "petla_k_s", url: str = "http://petla") -> int:
        transport: httpx.BaseTransport | None = petla.transport if petla else None
        code = command(
            self.file, self.mapping, url, key, True, transport=transport, sleep=self.sleep, clock=StillClock()
        )
        captured = self._capture.readouterr()
        self.stderr, self._stdout = captured.err, captured.out
        assert "Traceback" not in self.stderr
        assert len(self.stderr.splitlines()) == (code >= 2)
        return code

    @property
    def counts(self) -> dict[str, Any]:
        counts: dict[str, Any] = json.loads(self._stdout.splitlines()[-1])
        return counts

    def errors(self, folder: Path | None = None) -> list[dict[str, Any]]:
        name = self.file.name.removesuffix(".gz") + ".errors.jsonl"
        return [json.loads(line) for line in ((folder or self.folder) / name).read_text().splitlines()]

    def left(self) -> set[str]:
        """The names of the files that imports made."""
        return {path.name for path in self.folder.iterdir()} - {self.file.name, self.mapping.name}


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Import:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return Import(folder, elsewhere, capsys)
