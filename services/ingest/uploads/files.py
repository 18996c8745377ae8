"""Files for their owner alone, written whole or not at all, and locks that end with whoever holds them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

CONTENT, DOCUMENT = "content", "document.yaml"
FACTS, LOOK, ENDED, BEGUN = "upload.json", "look.json", "ended.json", "begun"


def write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    with private(new) as file:
        file.write(content)
    new.replace(path)


@contextmanager
def private(path: Path) -> Iterator[BinaryIO]:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as opened:
        yield opened


def locked(path: Path) -> int | None:
    """A descriptor that holds the lock, None where somebody else does."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
