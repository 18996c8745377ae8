"""What was known of a configuration topic at the last look, on the disk: whole or not at all, for its owner alone.

It is a help at a start without the log, never the truth: what cannot be written or read is told and done without.
"""

import os
from pathlib import Path
from typing import Any

import msgspec
import structlog

_log = structlog.get_logger(__name__)


class _Kept(msgspec.Struct):
    topic: str
    values: dict[str, dict[str, Any]]


class Snapshot:
    """Several processes may keep the same file: they know the same."""

    def __init__(self, path: Path, topic: str) -> None:
        self._path = path
        self._topic = topic

    def load(self) -> dict[str, dict[str, Any]] | None:
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("config_snapshot_not_read", error=type(error).__name__)
            return None
        return kept.values if kept.topic == self._topic else None

    def save(self, values: dict[str, dict[str, Any]]) -> None:
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as opened:
                opened.write(msgspec.json.encode(_Kept(self._topic, values)))
                opened.flush()
                os.fsync(file)  # or a power cut could leave the name with nothing in it
            new.replace(self._path)
        except OSError as error:
            new.unlink(missing_ok=True)
            _log.warning("config_snapshot_not_written", error=type(error).__name__)
