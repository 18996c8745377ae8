"""The spill while the broker is away: nothing that was acknowledged is lost, nobody waits, everything is sent later."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from shared.log import spilling
from shared.log.port import LogUnavailable, Overloaded
from shared.log.spill_file import SpillFile
from shared.log.spilling import SpillingLog
from tests.shared.log.brokers import Broker, HeldClock, record

MakeLog = Callable[..., SpillingLog]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def make(broker: Broker, clock: HeldClock, tmp_path: Path) -> AsyncIterator[MakeLog]:
    """A log of one more process on the same folder."""
    made: list[SpillingLog] = []

    def log(**options: int) -> SpillingLog:
        clock.passed += 1
        made.append(SpillingLog(broker, tmp_path / "spill", clock, **options))
        return made[-1]

    yield log
    for one in made:
        await one.close()


async def drain(log: SpillingLog) -> int:
    sent = 0
    while count := await log.forward_once():
        sent += count
    return sent


def die(log: SpillingLog) -> None:
    """What a kill does to a process: its locks are free, its files stay."""
    for file in log._files():
        fcntl.flock(file._lock, fcntl.LOCK_UN)


async def spill_until_refused(log: SpillingLog) -> tuple[int, str]:
    """How many records were taken, and what was said to the first that was not."""
    for number in range(3_000):
        try:
            await log.append([record(f"{number:04}" + "x" * 900)])
        except LogUnavailable as error:
            return number, str(error)
    raise AssertionError("3,000 records were taken")


async def test_with_a_broker_nothing_is_spilled(make: MakeLog, broker: Broker) -> None:
    log = make()
    assert await log.append([record("a")]) == "replicated"
    assert (log.spilled, log.problem, broker.kept) == (0, None, [b"a"])


async def test_while_the_broker_is_away_events_are_kept_here_and_sent_oldest_first(
    make: MakeLog, broker: Broker
) -> None:
    log = make()
    broker.unavailable = "silent"
    for number in range(5):
        assert await log.append([record(f"{number}-{half}") for half in "ab"]) == "local"
    assert (log.spilled, log.problem) == (10, None)
    assert await log.forward_once() == 0

    broker.unavailable = None
    assert await drain(log) == 10
    assert broker.kept == [f"{number}-{half}".encode() for number in range(5) for half in "ab"]
    assert log.spilled == 0
    assert await log.append([record("after")]) == "replicated"


async def test_only_the_first_waits_for_a_silent_broker(make: MakeLog, broker: Broker) -> None:
    log = make()
    broker.unavailable = "silent"
    await log.append([record("first")])
    broker.gate.clear()  # whoever asks it now waits for ever
    asked = broker.asked
    async with asyncio.timeout(10):
        await asyncio.gather(*(log.append([record(f"{number}")]) for number in range(20)))
    assert (broker.asked, log.spilled) == (asked, 21)
    broker.gate.set()


async def test_many_who_spill_at_once_share_flushes(make: MakeLog, broker: Broker) -> None:
    log = make()
    broker.unavailable = "silent"
    await log.append([record("first")])
    with patch.object(log._own._writer.file, "append", wraps=log._own._writer.file.append) as commit:
        await asyncio.gather(*(log.append([record(f"{number}")]) for number in range(100)))
    assert commit.call_count <= 3
    assert log.spilled == 101


async def test_a_flapping_broker_loses_and_disorders_nothing_of_one_outage(make: MakeLog, broker: Broker) -> None:
    log = make()
    sent = []
    for number in range(30):
        broker.unavailable = "silent" if number % 3 else None
        await log.append([record(f"{number:02}")])
        sent.append(f"{number:02}".encode())
        await log.forward_once()
    broker.unavailable = None
    await drain(log)
    assert sorted(broker.kept) == sent
    assert log.spilled == 0


async def test_overload_of_the_broker_is_passed_on_and_spills_nothing(make: MakeLog, broker: Broker) -> None:
    log = make()

    async def overloaded(records: object) -> str:
        raise Overloaded("too much waits")

    append, broker.append = broker.append, overloaded  # type: ignore[assignment]
    with pytest.raises(Overloaded):
        await log.append([record("a")])
    broker.append = append  # type: ignore[method-assign]
    assert await log.append([record("b")]) != "local"  # it is there, and busy
    assert log.spilled == 0


async def test_a_crash_between_acknowledgement_and_deletion_sends_twice(
    make: MakeLog, broker: Broker, clock: HeldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make()
    broker.unavailable = "silent"
    await log.append([record("a"), record("b")])
    broker.unavailable = None

    async def killed(file: SpillFile, count: int) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr(SpillFile, "forget", killed)
        with pytest.raises(RuntimeError):
            await log.forward_once()
    die(log)
    assert await drain(make()) == 2
    assert broker.kept == [b"a", b"b"] * 2


async def test_the_file_of_a_process_that_is_gone_is_sent_before_the_own(
    make: MakeLog, broker: Broker, clock: HeldClock
) -> None:
    broker.unavailable = "silent"
    gone, later, alive = make(), make(), make()
    for log, name in ((gone, "gone"), (later, "later"), (alive, "alive")):
        await log.append([record(name)])
    for log in (gone, later):
        die(log)
    broker.unavailable = None
    assert await drain(alive) == 3
    assert broker.kept == [b"gone", b"later", b"alive"]


async def test_the_file_of_a_living_process_is_left_to_it(make: MakeLog, broker: Broker) -> None:
    broker.unavailable = "silent"
    one, other = make(), make()
    await one.append([record("one")])
    broker.unavailable = None
    assert await drain(other) == 0
    assert one.spilled == 1


async def test_the_dead_are_looked_for_again_every_ten_seconds(make: MakeLog, broker: Broker, clock: HeldClock) -> None:
    broker.unavailable = "silent"
    dying, alive = make(), make()
    await dying.append([record("a")])
    await alive.forward_once()
    die(dying)
    broker.unavailable = None
    assert await alive.forward_once() == 0
    clock.passed += 10
    assert await alive.forward_once() == 1


async def test_an_orderly_end_leaves_what_is_spilled_and_nothing_else(
    make: MakeLog, broker: Broker, tmp_path: Path
) -> None:
    empty = SpillingLog(broker, tmp_path / "other", HeldClock())
    await empty.close()
    assert list((tmp_path / "other").iterdir()) == []
    broker.unavailable = "silent"
    full = SpillingLog(broker, tmp_path / "other", HeldClock())
    await full.append([record("a")])
    await full.close()
    assert [path.suffix for path in (tmp_path / "other").iterdir() if not path.name.endswith(".lock")] == [".db"]
    broker.unavailable = None
    next_one = SpillingLog(broker, tmp_path / "other", HeldClock())
    assert await drain(next_one) == 1
    await next_one.close()


async def test_a_full_spill_refuses_until_the_broker_takes_some(make: MakeLog, broker: Broker) -> None:
    log = make(max_bytes=300_000)
    broker.unavailable = "silent"
    taken, refused = await spill_until_refused(log)
    assert "holds as much as it may" in refused
    assert 100 < taken < 1_000
    assert "bring it back" in str(log.problem)
    broker.unavailable = None
    assert await drain(log) == taken
    assert log.problem is None
    assert await log.append([record("after")]) == "replicated"


async def test_where_nothing_can_be_spilled_one_at_a_time_asks_the_broker(make: MakeLog, broker: Broker) -> None:
    log = make(max_bytes=0)
    broker.unavailable = "silent"
    with pytest.raises(LogUnavailable):
        await log.append([record("a")])
    broker.gate.clear()
    broker.reached.clear()
    asked = broker.asked
    probing = asyncio.create_task(log.append([record("probe")]))
    await broker.reached.wait()
    for number in range(5):
        with pytest.raises(LogUnavailable, match="holds as much as it may"):
            await log.append([record(f"{number}")])
    assert broker.asked == asked + 1
    broker.unavailable = None
    broker.gate.set()
    assert await probing == "replicated"
    assert log.problem is None


async def test_what_the_broker_will_never_take_is_set_aside_and_blocks_nobody(broker: Broker, tmp_path: Path) -> None:
    log = SpillingLog(broker, tmp_path, HeldClock())
    large = b"x" * 2_000
    broker.unavailable = "silent"
    await log.append([record("a"), record(large), record("b")])
    await log.append([record("c")])
    broker.unavailable = None
    await drain(log)
    assert broker.kept == [b"a", b"b", b"c"]
    assert (log.spilled, log.refused) == (0, 1)
    assert await log.append([record(large), record("d")]) == "local"  # kept, but not where it should be
    assert (broker.kept[-1], log.refused) == (b"d", 2)
    await log.close()
    (kept,) = SpillFile.take_over(tmp_path / "refused")
    assert [one.value for one in await kept.oldest(10, 10_000_000)] == [large, large]
    await kept.close()


async def test_a_slice_that_is_too_much_for_the_line_is_made_smaller(make: MakeLog, broker: Broker) -> None:
    log = make()
    broker.unavailable = "silent"
    await log.append([record(f"{number}") for number in range(100)])
    broker.unavailable = None
    carry = broker.append

    async def slow_line(records: list[object]) -> str:
        if len(records) > 10:
            raise LogUnavailable("not within two seconds")
        return await carry(records)  # type: ignore[arg-type]

    broker.append = slow_line  # type: ignore[assignment]
    for _ in range(50):
        await log.forward_once()
    assert len(broker.kept) == 100


async def test_the_disk_gets_its_room_back(
    make: MakeLog, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilling, "_KEPT_BYTES", 200_000)
    log = make()
    broker.unavailable = "silent"
    await log.append([record(f"{number:04}" + "x" * 900) for number in range(1_000)])
    broker.unavailable = None
    await drain(log)
    assert sum(path.stat().st_size for path in (tmp_path / "spill").iterdir()) < 200_000
