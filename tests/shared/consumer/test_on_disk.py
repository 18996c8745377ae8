"""The same promises on the embedded log: its files are the ones that are deleted, restored and shortened."""

import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.log.port import Partition
from shared.log.sqlite import SqliteLog
from tests.builders import session
from tests.shared.consumer.ledger import TOLD, TOPICS, Killed, Ledger

NAMES = [f"s{number}" for number in range(8)]


@pytest.fixture
async def on_disk(ledger: Ledger, tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger.log = SqliteLog(tmp_path, TOPICS)
    yield ledger
    for process in ledger.processes:
        await process.worker.stop()
    ledger.processes.clear()
    await ledger.log.close()


async def told(ledger: Ledger) -> set[str]:
    reader = ledger.log.reader()
    await reader.assign({Partition(TOLD, 0): 0})
    records = await reader.read(1_000, 0)
    await reader.close()
    return {record.value.decode() for record in records}


async def test_a_kill_between_commit_and_publication(on_disk: Ledger) -> None:
    await on_disk.log.append([session(name) for name in NAMES])
    process = on_disk.process()
    process.log.append = _killed
    with pytest.raises(Killed):
        await process.run()
    assert await on_disk.counted() == NAMES
    assert await told(on_disk) == set()

    await on_disk.expire_leases()
    await on_disk.process().run()
    assert await told(on_disk) == set(NAMES)
    assert (await on_disk.progress()).outcomes == {"new": 8}
    await process.log.made_reader.close()
    on_disk.processes.remove(process)


async def _killed(records: object) -> None:
    raise Killed


async def test_files_deleted_and_made_anew_are_read_from_their_start(on_disk: Ledger, tmp_path: Path) -> None:
    process = on_disk.process()
    await on_disk.log.append([session(name) for name in NAMES])
    await process.run()
    await process.worker.stop()
    await on_disk.log.close()
    delete_files(tmp_path)
    on_disk.log = SqliteLog(tmp_path, TOPICS)
    await on_disk.log.append([session(name) for name in (*NAMES[4:], "new")])
    await on_disk.process().run()

    assert await on_disk.counted() == sorted([*NAMES, "new"])
    assert (await on_disk.progress()).outcomes == {"new": 9, "duplicate": 4}
    assert await on_disk.adds_up()


def delete_files(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


async def test_what_retention_took_unread_is_lost_and_said(on_disk: Ledger) -> None:
    process = on_disk.process()
    await process.run()
    await on_disk.log.append([session(name) for name in NAMES])
    await on_disk.log.expire(int(time.time() * 1000) + 200 * 3_600_000)
    await on_disk.log.append([session("later")])
    await process.run()
    await process.run()
    assert await on_disk.counted() == ["later"]
    assert (await on_disk.progress()).lost == 8
    assert await on_disk.adds_up()


async def test_a_log_whose_tail_was_torn_off_opens_and_what_comes_is_read(on_disk: Ledger, tmp_path: Path) -> None:
    """A power cut on a disk that lied: what the database has counted is gone, and its offsets are used again."""
    for names in (NAMES[:4], NAMES[4:]):
        await on_disk.log.append([session(name) for name in names])
    process = on_disk.process()
    await process.run()
    await process.worker.stop()
    torn = tmp_path / "torn"
    shutil.copytree(tmp_path, torn)
    await on_disk.log.close()
    wal = torn / "petla.activity.db-wal"
    os.truncate(wal, wal.stat().st_size - 100)

    on_disk.log = SqliteLog(torn, TOPICS)
    left = sum(bounds.end for bounds in (await on_disk.log.bounds("petla.activity")).values())
    assert left == 4
    new = [f"new-{number}" for number in range(8)]
    await on_disk.log.append([session(name) for name in new])
    await on_disk.process().run()
    assert await on_disk.counted() == sorted([*NAMES, *new])
    assert (await on_disk.progress()).lost == 0
    assert await on_disk.adds_up()
