"""The spill when its disk does not do its part, and when a process dies in the middle: what was kept is sent."""

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest

from shared.log.port import LogUnavailable
from shared.log.spill_file import SpillFile
from shared.log.spilling import SpillingLog
from tests.e2e.disks import fill, mounted
from tests.shared.log.brokers import Broker, HeldClock, record
from tests.shared.log.test_spilling import drain, spill_until_refused


@pytest.fixture
def broker() -> Broker:
    made = Broker()
    made.unavailable = "silent"
    return made


@pytest.fixture
async def log(broker: Broker, tmp_path: Path) -> AsyncIterator[SpillingLog]:
    made = SpillingLog(broker, tmp_path, HeldClock())
    yield made
    await made.close()


async def left_by_another(folder: Path, broker: Broker, values: list[str], name: str = "") -> Path:
    """A file with these records, whose process is gone."""
    other = SpillingLog(broker, folder, HeldClock())
    for value in values:
        await other.append([record(value)])
    path = other._own.path
    await other.close()
    return path.rename(path.with_name(f"{name}{path.name}")) if name else path


def spilling(folder: Path) -> "subprocess.Popen[str]":
    """A process that has spilled 50 times, and goes on."""
    command = [sys.executable, "-m", "tests.shared.log.spill_forever", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 50:
            break
    return process


def killed(process: "subprocess.Popen[str]") -> int:
    """How often it was told that its records are kept."""
    process.kill()
    return max([50, *(int(line) for line in process.communicate(timeout=60)[0].split())])


async def test_a_process_killed_while_it_spills_loses_nothing_it_acknowledged(
    log: SpillingLog, broker: Broker, tmp_path: Path
) -> None:
    process = spilling(tmp_path)
    await log.forward_once()
    assert log.spilled == 0  # it lives, so its file is its own
    acknowledged = killed(process)
    broker.unavailable = None
    log._take_over_due = 0.0
    assert await drain(log) >= 2 * acknowledged
    kept = {found.key for found in broker.records("facts")}
    assert {f"{process.pid}-{done}-{half}".encode() for done in range(acknowledged) for half in "ab"} <= kept
    assert len(kept) % 2 == 0  # an append is kept whole or not at all


async def test_a_full_disk_refuses_and_takes_again_when_there_is_space(broker: Broker, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m,mode=755") as disk:
        log = SpillingLog(broker, disk / "spill", HeldClock())
        await log.append([record("before")])
        filler = fill(disk)
        taken, refused = await spill_until_refused(log)
        assert "is full: free some space" in refused
        assert "is full" in str(log.problem)
        filler.unlink()
        assert await log.append([record("after")]) == "local"
        broker.unavailable = None
        assert await drain(log) == taken + 2
        await log.close()


async def test_on_a_full_disk_what_was_forwarded_is_not_forwarded_again(broker: Broker, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=2m,mode=755") as disk:
        log = SpillingLog(broker, disk / "spill", HeldClock())
        await log.append([record("a"), record("b")])
        fill(disk)
        await spill_until_refused(log)
        broker.unavailable = None
        await drain(log)
        assert await drain(log) == 0
        assert broker.kept.count(b"a") == 1
        await log.close()


async def test_after_a_failed_flush_nothing_is_said_to_be_kept(log: SpillingLog, broker: Broker) -> None:
    await log.append([record("before")])
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    with (
        patch.object(log._own._writer.file, "append", side_effect=error),
        pytest.raises(LogUnavailable, match="check the disk"),
    ):
        await log.append([record("a")])
    with pytest.raises(LogUnavailable):
        await log.append([record("b")])
    assert "check the disk and restart" in str(log.problem)
    broker.unavailable = None
    await drain(log)
    assert broker.kept == [b"before"]
    assert await log.append([record("c")]) == "replicated"
    assert log.problem is None


async def test_a_truncated_file_is_set_aside_and_the_others_are_sent(
    log: SpillingLog, broker: Broker, tmp_path: Path
) -> None:
    path = await left_by_another(tmp_path, broker, [f"{number:03}" + "x" * 900 for number in range(200)], "0-")
    await left_by_another(tmp_path, broker, ["whole"])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    broker.unavailable = None
    await drain(log)
    assert broker.kept == [b"whole"]
    assert [found.name for found in (tmp_path / "damaged").glob("*.db")] == [path.name]
    assert not path.exists()


async def test_of_a_damaged_file_what_can_be_read_is_sent(log: SpillingLog, broker: Broker, tmp_path: Path) -> None:
    values = [f"{number:03}" + "x" * 900 for number in range(200)]
    path = await left_by_another(tmp_path, broker, values)
    with path.open("r+b") as file:
        file.seek(10 * 8192)
        file.write(b"\xff" * 8192)
    broker.unavailable = None
    await drain(log)
    sent = {value.decode() for value in broker.kept}
    assert sent < set(values)
    assert len(sent) > 180
    assert [found.name for found in (tmp_path / "damaged").glob("*.db")] == [path.name]


async def test_a_file_that_is_none_is_set_aside_and_the_others_are_sent(
    log: SpillingLog, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "0-none.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    await left_by_another(tmp_path, broker, ["whole"])
    broker.unavailable = None
    assert await drain(log) == 1
    assert broker.kept == [b"whole"]
    assert [found.name for found in (tmp_path / "damaged").iterdir()] == ["0-none.db"]


async def test_a_record_that_nobody_wrote_is_left_out_and_its_neighbours_are_sent(
    log: SpillingLog, broker: Broker, tmp_path: Path
) -> None:
    path = await left_by_another(tmp_path, broker, ["a", "b", "c", "d"])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE record SET value = x'ff00' WHERE position = 1")
        connection.execute("DELETE FROM record WHERE position = 3")
    connection.close()
    broker.unavailable = None
    assert await drain(log) == 2
    assert broker.kept == [b"a", b"c"]
    assert [found.name for found in (tmp_path / "damaged").glob("*.db")] == [path.name]


async def test_records_that_are_gone_are_not_taken_for_an_empty_file(
    log: SpillingLog, broker: Broker, tmp_path: Path
) -> None:
    path = await left_by_another(tmp_path, broker, ["a"])
    for statement in ("DELETE FROM record", "DELETE FROM head"):
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()
        broker.unavailable = None
        log._take_over_due = 0.0
        assert await drain(log) == 0
        (kept,) = (tmp_path / "damaged").glob("*.db")
        path = kept.rename(path)


async def test_the_own_file_when_it_is_damaged_is_replaced(log: SpillingLog, broker: Broker, tmp_path: Path) -> None:
    await log.append([record("a"), record("b")])
    damaged = log._own.path
    with sqlite3.connect(damaged) as connection:
        connection.execute("UPDATE record SET value = x'ff00' WHERE position = 0")
    connection.close()
    broker.unavailable = None
    await drain(log)
    assert broker.kept == [b"b"]
    broker.unavailable = "silent"
    await log.append([record("c")])
    assert await log.append([record("d")]) == "local"
    broker.unavailable = None
    await drain(log)
    assert broker.kept == [b"b", b"c", b"d"]
    assert (tmp_path / "damaged" / damaged.name).exists()


async def test_a_file_that_cannot_be_read_at_the_moment_blocks_no_other(
    log: SpillingLog, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await left_by_another(tmp_path, broker, ["a"], "0-")
    await left_by_another(tmp_path, broker, ["b"])
    read = SpillFile._oldest

    def failing(file: SpillFile, limit: int, max_bytes: int) -> object:
        if file.path.name.startswith("0-"):
            raise LogUnavailable("the disk is busy")
        return read(file, limit, max_bytes)

    broker.unavailable = None
    with monkeypatch.context() as patched:
        patched.setattr(SpillFile, "_oldest", failing)
        await drain(log)
        assert broker.kept == [b"b"]
    await drain(log)
    assert broker.kept == [b"b", b"a"]


async def test_a_start_on_a_full_disk_says_so(broker: Broker, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=1m,mode=755") as disk:
        fill(disk)
        with pytest.raises(LogUnavailable, match="disk is full"):
            SpillingLog(broker, disk / "spill", HeldClock())


async def test_a_start_where_no_folder_can_be_says_so(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "spill").touch()
    with pytest.raises(LogUnavailable, match=r"spill cannot be written .* mend that"):
        SpillingLog(broker, tmp_path / "spill", HeldClock())


async def test_a_file_that_nobody_can_count_is_not_removed(broker: Broker, tmp_path: Path) -> None:
    log = SpillingLog(broker, tmp_path, HeldClock())
    await log.append([record("a")])
    with sqlite3.connect(log._own.path) as connection:
        connection.execute("DELETE FROM head")
    connection.close()
    await log.close()
    assert log._own.path.exists()


def test_a_file_that_its_process_removed_a_moment_ago_is_not_made_again(tmp_path: Path) -> None:
    assert SpillFile._taken(tmp_path / "gone.db") is None
    assert list(tmp_path.iterdir()) == []
