"""A start while the log is away: with what was known, or with nothing yet; and with everything when it is back."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared import config
from shared.access import AccessDenied, authenticate, create_key
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import LogUnavailable
from tests.shared.test_config import TOPIC, noted_pauses, seen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.snapshot.json"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog([TOPIC])


@pytest.fixture
async def running(log: MemoryLog, path: Path) -> AsyncIterator[ConfigStore]:
    store = ConfigStore(log, TOPIC.name, path)
    await store.start()
    yield store
    await store.stop()


def on_disk(path: Path) -> bytes:
    return path.read_bytes()


def put_on_disk(path: Path, content: bytes) -> None:
    path.write_bytes(content)


async def started_without(log: MemoryLog, path: Path) -> ConfigStore:
    log.unavailable = "away"
    store = ConfigStore(log, TOPIC.name, path)
    await store.start()
    return store


async def test_what_was_known_is_known_at_a_start_without_the_log(
    log: MemoryLog, running: ConfigStore, path: Path
) -> None:
    await running.put("key/a", {"source": "shop"})
    await running.put("key/b", {"source": "shop"})
    await running.put("key/b", None)
    later = await started_without(log, path)
    assert later.items("") == [("key/a", {"source": "shop"})]
    assert (later.is_usable, later.is_complete) == (True, False)
    assert later.problem is not None
    await later.stop()


async def test_it_catches_up_by_itself_and_forgets_what_was_deleted_meanwhile(
    log: MemoryLog, running: ConfigStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_WAIT_SECONDS", 0.01)
    noted_pauses(monkeypatch)
    await running.put("key/old", {})
    kept = on_disk(path)
    await running.put("key/old", None)
    await running.put("key/new", {})
    put_on_disk(path, kept)
    later = await started_without(log, path)
    assert later.get("key/old") is not None
    log.unavailable = None
    await seen(later, lambda: later.get("key/new") is not None)
    assert later.get("key/old") is None
    assert later.is_complete
    await later.put("key/newer", {})
    assert later.problem is None
    await later.stop()


async def test_without_a_snapshot_nothing_is_known_yet(
    log: MemoryLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted_pauses(monkeypatch)
    store = await started_without(log, path)
    assert (store.items(""), store.is_usable, store.is_complete) == ([], False, False)
    log.unavailable = None
    await store.put("key/a", {})
    assert (store.is_usable, store.is_complete) == (True, True)
    await store.stop()


async def test_a_key_that_is_not_known_yet_is_not_refused_for_good(
    log: MemoryLog, running: ConfigStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted_pauses(monkeypatch)
    known = await create_key(running, "shop", ["events:write"])
    kept = on_disk(path)
    newer = await create_key(running, "shop", ["events:write"])
    put_on_disk(path, kept)
    later = await started_without(log, path)
    assert authenticate(later, f"Bearer {known.key}".encode()).id == known.id
    for key, code in ((newer.key, (503, "keys_unknown")), (known.key + "x", (401, "unknown_key"))):
        with pytest.raises(AccessDenied) as denied:
            authenticate(later, f"Bearer {key}".encode())
        assert (denied.value.status, denied.value.code) == code
    log.unavailable = None
    await seen(later, lambda: later.is_complete)
    assert authenticate(later, f"Bearer {newer.key}".encode()).id == newer.id
    with pytest.raises(AccessDenied) as denied:
        authenticate(later, b"Bearer petla_a_b")
    assert denied.value.status == 401
    await later.stop()


async def test_nobody_else_reads_the_snapshot_and_nothing_else_is_left(running: ConfigStore, path: Path) -> None:
    await running.put("key/a", {"sha256": "…"})
    assert [(found.name, stat.S_IMODE(found.stat().st_mode)) for found in path.parent.iterdir()] == [(path.name, 0o600)]


@pytest.mark.parametrize(
    "written",
    [b"", b"{", b"[]", b'{"topic":"petla.config","values":{"a":1}}', b'{"topic":"other.config","values":{"a":{}}}'],
)
async def test_a_snapshot_that_is_none_of_ours_is_done_without(log: MemoryLog, path: Path, written: bytes) -> None:
    put_on_disk(path, written)
    store = await started_without(log, path)
    assert not store.is_usable
    await store.stop()


async def test_a_snapshot_that_cannot_be_written_ends_nothing(log: MemoryLog, tmp_path: Path) -> None:
    store = ConfigStore(log, TOPIC.name, tmp_path / "missing" / "config.snapshot.json")
    await store.start()
    await store.put("key/a", {})
    assert store.get("key/a") == {}
    await store.stop()


async def test_a_log_that_never_answers_does_not_hold_a_start_up(
    log: MemoryLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_START_SECONDS", 0.01)

    async def never(topic: str) -> object:
        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(log, "bounds", never)
    store = ConfigStore(log, TOPIC.name, path)
    await store.start()
    assert not store.is_usable
    await store.stop()
    with pytest.raises(LogUnavailable, match="not read within"):
        await ConfigStore(log, TOPIC.name).start()
