"""Configuration as a log: read whole, followed, read back; and what happens while the log is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared import config
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import LogUnavailable, NewRecord, Topic
from shared.log.sqlite import SqliteLog

TOPIC = Topic("petla.config", 1, None, compacted=True)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog([TOPIC])


@pytest.fixture
async def store(log: MemoryLog) -> AsyncIterator[ConfigStore]:
    made = ConfigStore(log, TOPIC.name)
    await made.start()
    yield made
    await made.stop()


async def seen(store: ConfigStore, condition: Callable[[], bool]) -> None:
    """Returns when the store has read what makes `condition` true."""
    async with asyncio.timeout(10), store._advanced:
        await store._advanced.wait_for(condition)


def noted_pauses(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """No pause takes time; the event is set by the first one."""
    paused, sleep = asyncio.Event(), asyncio.sleep

    async def pause(seconds: float) -> None:
        paused.set()
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", pause)
    return paused


async def test_what_was_put_is_in_force_when_put_returns(store: ConfigStore) -> None:
    await store.put("key/a", {"source": "shop"})
    assert store.get("key/a") == {"source": "shop"}
    await store.put("key/a", {"source": "other"})
    assert store.get("key/a") == {"source": "other"}
    await store.put("key/a", None)
    assert store.get("key/a") is None


async def test_items_are_those_of_the_prefix_in_order(store: ConfigStore) -> None:
    for key in ("key/b", "source/x", "key/a"):
        await store.put(key, {"name": key})
    assert [key for key, _ in store.items("key/")] == ["key/a", "key/b"]


async def test_a_later_start_reads_all_of_it(log: MemoryLog, store: ConfigStore) -> None:
    for number in range(3):
        await store.put(f"key/{number}", {"number": number})
    await store.put("key/1", None)
    later = ConfigStore(log, TOPIC.name)
    await later.start()
    assert [key for key, _ in later.items("")] == ["key/0", "key/2"]
    await later.stop()


async def test_a_change_of_another_process_is_seen(tmp_path: Path) -> None:
    here, there = (ConfigStore(SqliteLog(tmp_path, [TOPIC]), TOPIC.name) for _ in range(2))
    await here.start()
    await there.start()
    await there.put("key/a", {"source": "shop"})
    await seen(here, lambda: here.get("key/a") is not None)
    await here.stop()
    await there.stop()


async def test_two_who_put_the_same_key_at_once_both_return_and_agree(tmp_path: Path) -> None:
    stores = [ConfigStore(SqliteLog(tmp_path, [TOPIC]), TOPIC.name) for _ in range(2)]
    for store in stores:
        await store.start()
    await asyncio.gather(
        *(store.put("key/a", {"by": n, "turn": turn}) for turn in range(5) for n, store in enumerate(stores))
    )
    for store in stores:
        await seen(store, lambda: stores[0].get("key/a") == stores[1].get("key/a"))
    for store in stores:
        await store.stop()


async def test_while_the_log_is_away_what_is_known_stays_known(
    log: MemoryLog, store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_WAIT_SECONDS", 0.01)
    await store.put("key/a", {"source": "shop"})
    paused = noted_pauses(monkeypatch)
    log.unavailable = "away"
    await paused.wait()
    assert store.problem == "petla.config cannot be read: the log of the service says why"
    assert store.get("key/a") == {"source": "shop"}
    with pytest.raises(LogUnavailable):
        await store.put("key/b", {})
    log.unavailable = None
    await store.put("key/b", {"source": "other"})
    assert store.get("key/b") == {"source": "other"}
    await store.put("key/c", {})  # the pass that read key/b is over
    assert store.problem is None


async def test_an_error_nobody_foresaw_does_not_end_the_following(
    log: MemoryLog, store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted_pauses(monkeypatch)
    failures = iter([ValueError("?"), TypeError("?")])
    whole = store.follow_once

    async def failing(wait_seconds: float) -> int:
        for error in failures:
            raise error
        return await whole(wait_seconds)

    monkeypatch.setattr(store, "follow_once", failing)
    await log.append([NewRecord(TOPIC.name, b"key/a", b'{"source":"shop"}')])
    await seen(store, lambda: store.get("key/a") is not None)


async def test_a_record_that_cannot_be_read_hides_no_other(log: MemoryLog, store: ConfigStore) -> None:
    for value in (b"\xff", b"[]", b"{", b""):
        await log.append([NewRecord(TOPIC.name, b"key/bad", value)])
    await log.append([NewRecord(TOPIC.name, b"\xff", b"{}")])
    await store.put("key/good", {"source": "shop"})
    assert [key for key, _ in store.items("")] == ["key/good"]


async def test_a_log_made_anew_replaces_what_was_known(log: MemoryLog, store: ConfigStore) -> None:
    for key in ("key/a", "key/b"):
        await store.put(key, {"source": "shop"})
    log.recreate(TOPIC.name)
    await log.append([NewRecord(TOPIC.name, b"key/c", b"{}")])
    await seen(store, lambda: store.get("key/c") is not None)
    assert [key for key, _ in store.items("")] == ["key/c"]


async def test_what_cannot_be_read_back_is_not_said_to_be_kept(
    log: MemoryLog, store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_READ_BACK_SECONDS", 0.0)
    with pytest.raises(LogUnavailable, match="could not be read back"):
        await store.put("key/a", {})


async def test_a_start_without_the_log_says_so(log: MemoryLog) -> None:
    log.unavailable = "away"
    store = ConfigStore(log, TOPIC.name)
    with pytest.raises(LogUnavailable, match="away"):
        await store.start()
    await store.stop()
