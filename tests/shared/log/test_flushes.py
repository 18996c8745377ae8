"""What is acknowledged from this disk has been flushed to it: the system calls say in which order that happened."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.log.topic_file import TopicFile
from tests.shared.log.conftest import TOPICS

APPENDS = 5
_FLUSH = re.compile(r"f(data)?sync\(\d+<[^>]*\.db-wal>")
_SAID = re.compile(r'write\(1<[^>]*>, "(\d+)')


def traced(program: str, folder: Path) -> list[str]:
    """Its flushes and what it said, one line each, in their order."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    trace = folder / "trace"
    command = ["strace", "-f", "-y", "-e", "trace=fdatasync,fsync,write", "-o", str(trace), sys.executable, "-m"]
    done = subprocess.run(
        [*command, f"tests.shared.log.{program}", str(folder / "log"), str(APPENDS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "ptrace" in done.stderr:
        pytest.skip(f"this system lets nobody trace: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return trace.read_text(errors="replace").splitlines()


@pytest.mark.parametrize("program", ["append_forever", "spill_forever"])
def test_every_answer_comes_after_a_flush_of_its_own(program: str, tmp_path: Path) -> None:
    flushed, said = 0, []
    for line in traced(program, tmp_path):
        flushed += bool(_FLUSH.search(line))
        if answer := _SAID.search(line):
            said.append(int(answer[1]))
            assert flushed > 0, f"nothing was flushed before answer {answer[1]}"
            flushed = 0
    assert said == list(range(1, APPENDS + 1))


def test_a_file_waits_for_the_disk(tmp_path: Path) -> None:
    """Where nobody may trace: SQLite is told to."""
    file = TopicFile(tmp_path / "facts.db", TOPICS[0])
    try:
        assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert file._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        file.close()
