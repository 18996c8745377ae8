"""Where an import stands: counts, the checkpoint that a run after a stop goes on from, and the error file."""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.ingest.imports.batches import Batch, Rejection
from services.ingest.imports.error_table import write_table
from services.ingest.imports.faults import NothingSentError
from shared.clock import Clock

_SECONDS_BETWEEN_SAVES = 1.0


@dataclass(frozen=True)
class Counts:
    """`rows` and `ignored` count rows; the others events, and a row that could not be mapped as one rejected."""

    rows: int = 0
    sent: int = 0
    accepted: int = 0
    ignored: int = 0
    rejected: int = 0

    def plus(self, batch: Batch, rejected: int) -> "Counts":
        """With a batch of which `rejected` rows and events were rejected, those that were never sent included."""
        refused = rejected - len(batch.rejections)
        return Counts(
            rows=self.rows + batch.rows,
            sent=self.sent + len(batch.lines),
            accepted=self.accepted + len(batch.lines) - refused,
            ignored=self.ignored + batch.ignored,
            rejected=self.rejected + rejected,
        )

    def json(self) -> str:
        return json.dumps(asdict(self))


def companion(file: Path, suffix: str) -> Path:
    """`FILE.errors.jsonl` beside FILE or FILE.gz, or in the working folder where FILE's folder is read-only.

    Raises `NothingSentError` when neither can be written to.
    """
    for folder in (file.parent, Path.cwd()):
        if _is_writable(folder):
            return folder / (file.name.removesuffix(".gz") + suffix)
    raise NothingSentError(f"neither {file.parent} nor the working folder is writable: run it from a folder that is")


def _is_writable(folder: Path) -> bool:
    # Root may write everywhere; a folder without any write bit is meant to stay as it is.
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def identity(file: Path, mapping: bytes, url: str, source: str) -> dict[str, Any]:
    """What must be the same for a second run to go on where the first one stopped."""
    found = file.stat()
    digest = hashlib.sha256(mapping).hexdigest()
    return {"size": found.st_size, "mtime": found.st_mtime_ns, "mapping": digest, "url": url, "source": source}


class ErrorFile:
    """One JSON line a rejection. Nothing is touched before the first `add`: then the files of an earlier run go.

    `table`, beside it, holds the same for a spreadsheet once the import is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table = path.with_suffix(".csv")

    def holds(self, size: int) -> bool:
        return size == 0 or (self.path.is_file() and self.path.stat().st_size >= size)

    def add(self, rejections: Iterable[Rejection], size: int) -> int:
        """Write the lines behind the first `size` bytes, drop what else is there; the new size. Raises OSError."""
        lines = b"".join(rejection.line() for rejection in rejections)
        self.table.unlink(missing_ok=True)
        if size + len(lines) == 0:
            self.path.unlink(missing_ok=True)
            return 0
        with self.path.open("r+b" if size else "wb") as file:
            file.truncate(size)
            file.seek(size)
            file.write(lines)
        return size + len(lines)

    def finish(self, size: int) -> None:
        """Raises OSError."""
        if self.add([], size):
            write_table(self.path, self.table)


class Checkpoint:
    """The counts of the rows that are settled, replaced whole, at most once a second unless `save` is told to.

    Lines of the error file behind the remembered size belong to rows that come again.
    """

    def __init__(self, path: Path, identity: dict[str, Any], clock: Clock) -> None:
        self._path = path
        self._identity = identity
        self._clock = clock
        self._saved_at: float | None = None

    def load(self) -> tuple[Counts, int] | None:
        """The counts and the size of the error file; None without a checkpoint of just this import."""
        try:
            stored = json.loads(self._path.read_bytes())
            if stored["identity"] != self._identity:
                return None
            return Counts(**stored["counts"]), int(stored["errors_size"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, counts: Counts, errors_size: int, position: int, *, now: bool = False) -> None:
        """`position` is for whoever looks on: bytes of the file that were read."""
        moment = self._clock.monotonic()
        if not now and self._saved_at is not None and moment - self._saved_at < _SECONDS_BETWEEN_SAVES:
            return
        stored = {"identity": self._identity, "counts": asdict(counts), "errors_size": errors_size}
        stored["position"] = position
        written = self._path.with_name(self._path.name + ".new")
        written.write_text(json.dumps(stored))
        written.replace(self._path)
        self._saved_at = moment

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


class Standing:
    """What is settled so far, in memory and on the disk: the pair of both is replaced whole, also under Ctrl-C."""

    def __init__(self, checkpoint: Checkpoint, errors: ErrorFile) -> None:
        self.errors = errors
        self._checkpoint = checkpoint
        loaded = checkpoint.load()
        self._settled = loaded if loaded and errors.holds(loaded[1]) else (Counts(), 0)
        self._position = 0

    @property
    def counts(self) -> Counts:
        return self._settled[0]

    def settle(self, batch: Batch, refused: list[Rejection], position: int) -> None:
        """A batch whose every row is answered for; `refused` by the server. Raises OSError."""
        counts, size = self._settled
        rejections = sorted(batch.rejections + refused, key=lambda rejection: rejection.row)
        self._settled = counts.plus(batch, len(rejections)), self.errors.add(rejections, size)
        self._position = position
        self._checkpoint.save(*self._settled, position)

    def keep(self) -> None:
        """Before the end of a run that stopped; without it the next run repeats a second's work."""
        if self.counts.rows:
            with suppress(OSError):
                self._checkpoint.save(*self._settled, self._position, now=True)

    def finish(self) -> None:
        """The whole file is settled: the next run begins at its first row, and no error file of an older run stays."""
        self.errors.finish(self._settled[1])
        self._checkpoint.remove()
