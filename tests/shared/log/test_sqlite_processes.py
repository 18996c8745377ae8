"""The embedded log between processes, and after one of them was killed."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from shared.log import sqlite
from shared.log.port import NewRecord, Partition, Record
from shared.log.sqlite import SqliteLog
from tests.shared.log.conftest import TOPICS


def appending(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.shared.log.append_forever", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def all_records(log: SqliteLog) -> list[Record]:
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    found: list[Record] = []
    while records := await reader.read(1000, 0):
        found += records
    await reader.close()
    return found


async def test_two_processes_append_and_every_offset_is_used_once(tmp_path: Path) -> None:
    processes = [appending(tmp_path, "100") for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    log = SqliteLog(tmp_path, TOPICS)
    records = await all_records(log)
    assert len({found.key for found in records}) == len(records) == 400
    for number, (start, end) in (await log.bounds("facts")).items():
        offsets = [found.offset for found in records if found.partition.number == number]
        assert offsets == list(range(start, end))
    await log.close()


async def test_a_writer_killed_in_the_middle_loses_nothing_it_was_told_is_kept(tmp_path: Path) -> None:
    process = appending(tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 50:
            break
    process.kill()
    told = [int(line) for line in process.communicate(timeout=60)[0].split()]
    acknowledged = max([50, *told])
    log = SqliteLog(tmp_path, TOPICS)
    kept = {found.key for found in await all_records(log)}
    for done in range(acknowledged):
        assert {f"{process.pid}-{done}-{half}".encode() for half in "ab"} <= kept
    assert len(kept) % 2 == 0  # an append is kept whole or not at all
    await log.close()


async def test_a_reader_sees_what_another_process_appends(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, TOPICS)
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    assert await reader.read(10, 0) == []
    process = appending(tmp_path, "1")
    async with asyncio.timeout(60):
        assert len(await reader.read(10, 60)) == 2
    process.communicate(timeout=60)
    await reader.close()
    await log.close()


async def test_a_reader_in_the_same_process_need_not_wait_for_its_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_POLL_SECONDS", 60.0)
    log = SqliteLog(tmp_path, TOPICS)
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    waiting = asyncio.create_task(reader.read(10, 60))
    await asyncio.sleep(0)
    await log.append([NewRecord("facts", b"key", b"value")])
    async with asyncio.timeout(10):
        assert len(await waiting) == 1
    await reader.close()
    await log.close()


async def test_a_log_made_anew_has_another_incarnation(tmp_path: Path) -> None:
    incarnations = []
    for folder in ("first", "first", "anew"):
        log = SqliteLog(tmp_path / folder, TOPICS)
        incarnations.append(await log.incarnation("facts"))
        await log.close()
    assert incarnations[0] == incarnations[1] != incarnations[2]
