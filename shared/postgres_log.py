"""What the embedded PostgreSQL writes, in one file under DATA that is emptied at a start once it has passed 10 MB."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LIMIT = 10_000_000  # bytes
REASON = re.compile(r"\b(?:FATAL|PANIC|DETAIL|error): +(.+)")


@dataclass(frozen=True)
class ServerLog:
    path: Path

    def open(self) -> BinaryIO:
        """For appending, positioned at the end. Only while no server writes to it."""
        log = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
        if log.tell() > LIMIT:
            log.truncate(0)
            log.seek(0)
        return log

    def complaint(self, since: int) -> str:
        """Why a program failed, from what it wrote after the byte `since`: one line for a sentence to the user."""
        with self.path.open("rb") as log:
            log.seek(since)
            written = log.read().decode("utf-8", "replace")
        reasons = list(dict.fromkeys(REASON.findall(written)))
        return " / ".join(reasons[:3]) or (written.strip().splitlines() or ["it gave no reason"])[-1]
