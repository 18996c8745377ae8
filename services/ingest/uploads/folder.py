"""Uploads on the disk: a folder each, for its owner alone, from which whoever looks can tell how it stands.

Any process on DATA can: what runs holds a lock that ends with it, what is done left its result, and what was begun and
has neither was interrupted. Files hold personal data: they go when they are imported, and everything goes after a day.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from services.ingest.uploads.files import BEGUN, CONTENT, DOCUMENT, ENDED, FACTS, LOOK, locked, private, write
from services.ingest.uploads.kept import Counted, Ended, Facts, Look, Standing

MOST_UPLOADS, MOST_BYTES_KEPT = 20, 400 * 1024 * 1024
KEPT = timedelta(days=1)
_COMING = timedelta(hours=1)  # how long what is being written may take
_LOCK, _TURN, _GUARD = "lock", "turn.lock", "guard.lock"
_NEW = ".new-"
_ID_BYTES = 16
_ID = re.compile(r"[A-Za-z0-9_-]{22}")

Stage = Literal["looked", "running", "stopped", "done"]
Kept = TypeVar("Kept", bound=Struct)


class Full(Exception):  # noqa: N818 - an answer to a person
    """As many files wait here as may."""


class Busy(Exception):  # noqa: N818 - an answer to a person
    """`same`: this upload runs already; else another one does, and they take turns."""

    def __init__(self, same: bool) -> None:
        super().__init__(same)
        self.same = same


class Upload(NamedTuple):
    """How it stands: `look` None where it could not be looked at, `ended` None before its end."""

    id: str
    facts: Facts
    stage: Stage
    look: Look | None
    ended: Ended | None
    standing: Standing


class Uploads:
    """Every method does I/O of little size, but `add`. The folder is made when there is something to keep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, id_: str) -> Path:
        return self._folder / id_

    def add(self, facts: Facts, content: BinaryIO, document: str) -> str:
        """The id, which nobody guesses. Raises Full, OSError."""
        self._make(self._folder)
        with self._alone():
            if len(self._ids()) >= MOST_UPLOADS or self._bytes_kept() + facts.size > MOST_BYTES_KEPT:
                raise Full
            id_ = secrets.token_urlsafe(_ID_BYTES)
            new = self._folder / f"{_NEW}{id_}"
            self._make(new)
        with private(new / CONTENT) as file:
            shutil.copyfileobj(content, file, 1024 * 1024)
        self._write(new, facts, document)
        new.rename(self._folder / id_)
        return id_

    def change(self, id_: str, facts: Facts, document: str) -> None:
        """Another way to read it; the file stays."""
        with self._alone():
            if self.path(id_).exists() and self._stage(id_) == "looked":
                (self.path(id_) / LOOK).unlink(missing_ok=True)
                self._write(self.path(id_), facts, document)

    def document(self, id_: str) -> str:
        """The mapping that it is read with, empty once it is done."""
        path = self.path(id_) / DOCUMENT
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def find(self, id_: str, sender: str) -> Upload | None:
        """None where there is none of this sender: it may lie with another process, or its day is over."""
        if not _ID.fullmatch(id_) or not self._folder.exists():
            return None
        with self._alone():
            facts = self._read(id_, FACTS, Facts)
            return self._upload(id_, facts) if facts is not None and facts.sender == sender else None

    def all(self, sender: str) -> list[Upload]:
        """The newest first."""
        found = [upload for id_ in self._ids() if (upload := self.find(id_, sender))]
        return sorted(found, key=lambda upload: upload.facts.made_at, reverse=True)

    def begin(self, id_: str) -> list[int]:
        """Locks to be handed to the process that imports it, as descriptors. Raises Busy."""
        with self._alone():
            mine = locked(self.path(id_) / _LOCK) if self.path(id_).exists() else None
            if mine is None:
                raise Busy(same=True)
            turn = locked(self._folder / _TURN)
            if turn is None:
                os.close(mine)
                raise Busy(same=False)
            (self.path(id_) / ENDED).unlink(missing_ok=True)
            (self.path(id_) / BEGUN).touch(mode=0o600)
            return [mine, turn]

    def drop(self, id_: str) -> None:
        with self._alone():
            if self.path(id_).exists() and self._stage(id_) != "running":
                shutil.rmtree(self.path(id_), ignore_errors=True)

    def sweep(self, now: datetime, erased_until: datetime | None) -> int:
        """Remove what is older than a day; all that lay here when somebody was erased too: it may name that person."""
        if not self._folder.exists():
            return 0
        with self._alone():
            gone = [id_ for id_ in self._ids() if self._is_over(id_, now, erased_until)]
            for path in (*map(self.path, gone), *self._left_in_the_middle(now)):
                shutil.rmtree(path, ignore_errors=True)
        return len(gone)

    def _is_over(self, id_: str, now: datetime, erased_until: datetime | None) -> bool:
        facts = self._read(id_, FACTS, Facts)
        if self._stage(id_) == "running":
            return False
        return (
            facts is None or now - facts.made_at > KEPT or (erased_until is not None and facts.made_at <= erased_until)
        )

    def _left_in_the_middle(self, now: datetime) -> list[Path]:
        before = (now - _COMING).timestamp()
        return [path for path in self._folder.glob(f"{_NEW}*") if path.stat().st_mtime < before]

    def _ids(self) -> list[str]:
        if not self._folder.exists():
            return []
        return [path.name for path in self._folder.iterdir() if path.is_dir() and not path.name.startswith(".")]

    def _bytes_kept(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob(f"*/{CONTENT}"))

    def _upload(self, id_: str, facts: Facts) -> Upload:
        stage = self._stage(id_)
        ended = self._read(id_, ENDED, Ended)
        standing = self._read(id_, f"{CONTENT}.progress.json", Standing)
        standing = standing or Standing(ended.counts if ended else Counted())
        return Upload(id_, facts, stage, self._read(id_, LOOK, Look), ended, standing)

    def _stage(self, id_: str) -> Stage:
        """Under the guard: nobody else tries the lock meanwhile."""
        path = self.path(id_)
        lock = locked(path / _LOCK)
        if lock is None:
            return "running"
        os.close(lock)
        ended = self._read(id_, ENDED, Ended)
        if ended is not None:
            return "stopped" if ended.stopped else "done"
        return "stopped" if (path / BEGUN).exists() else "looked"

    def _read(self, id_: str, name: str, kind: type[Kept]) -> Kept | None:
        try:
            return msgspec.json.decode((self.path(id_) / name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def _write(self, folder: Path, facts: Facts, document: str) -> None:
        write(folder / DOCUMENT, document.encode())
        write(folder / FACTS, msgspec.json.encode(facts))

    def _make(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=False, exist_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        guard = os.open(self._folder / _GUARD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield
        finally:
            os.close(guard)
