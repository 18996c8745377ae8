"""File systems of their own, for what only a disk can do, and what is on one; who may not mount skips, visibly."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.log.sqlite import SqliteLog
from shared.settings import Settings
from tests.e2e.processes import Installation


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs at `folder` with these mount options, gone at the end."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"this system lets nobody mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all that is left; remove it to free the space."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096, 1):
            _write_until_full(file.fileno(), b"\0" * size)
    return filler


def _write_until_full(file: int, chunk: bytes) -> None:
    try:
        while os.write(file, chunk):
            pass
    except OSError:
        return


def kept(installation: Installation, topic: str) -> int:
    """How many records the topic was ever given."""
    return asyncio.run(_kept(SqliteLog(installation.data / "log", Settings(data=installation.data).topics()), topic))


async def _kept(log: SqliteLog, topic: str) -> int:
    try:
        return sum(bounds.end for bounds in (await log.bounds(topic)).values())
    finally:
        await log.close()
