"""Connections to Kafka that lose answers, break, fall silent or are slow: nothing lost, nothing twice (B-02 to B-06).

What was appended and not acknowledged is spilled and sent again; the facts' unique key absorbs it.
"""

import asyncio
import random
import time
from asyncio import StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from shared.clock import SystemClock
from shared.log.kafka import KafkaLog
from shared.log.kafka_connection import KafkaConnection
from shared.log.port import Durability, Log
from shared.log.spilling import SpillingLog
from tests.builders import answer
from tests.faults.conftest import MakeWorld
from tests.faults.proxy import Fault, Link, Pace, Proxy
from tests.faults.wires import answered_number, produce_number, said_of_first_partition
from tests.faults.world import HEALS_SECONDS, World, answers

# Two seconds are promised; the rest is for a machine that does other things too.
MOST_SECONDS = 6.0
NAMES = [f"low-{number}" for number in range(5)]
_NOT_ENOUGH_REPLICAS, _NOT_ENOUGH_REPLICAS_AFTER_APPEND = 19, 20


class Sender:
    """What ingest does with events before it answers, and its loop that sends what was spilled."""

    def __init__(self, world: World, primary: Log, folder: Path) -> None:
        self.log = SpillingLog(primary, folder, SystemClock())
        self.longest = 0.0
        self._world = world

    async def send(self, *names: str) -> Durability:
        """Detractors; how they were kept."""
        began = time.monotonic()
        durability = await self.log.append(self._world.named(*answers(*names)))
        self.longest = max(self.longest, time.monotonic() - began)
        return durability

    async def forwarded(self) -> None:
        """Returns when nothing is spilled any more."""
        async with asyncio.timeout(HEALS_SECONDS):
            while self.log.spilled:
                await self.log.forward_once()


@pytest.fixture
async def kafka_log(to_kafka: Proxy) -> AsyncIterator[KafkaLog]:
    """Through the proxy."""
    log = KafkaLog(KafkaConnection(f"127.0.0.1:{to_kafka.port}"))
    yield log
    await log.close()


@pytest.fixture
async def sender(on_kafka: World, kafka_log: KafkaLog, tmp_path: Path) -> AsyncIterator[Sender]:
    """Through the proxy; `on_kafka` reads past it."""
    made = Sender(on_kafka, kafka_log, tmp_path / "spill")
    yield made
    await made.log.close()


@pytest.fixture
async def reading(on_kafka: World, make_world: MakeWorld, kafka_log: KafkaLog) -> AsyncIterator[World]:
    """Services that read and write the topics of `on_kafka` through the proxy."""
    made = await make_world(kafka_log, on_kafka.log, on_kafka.settings.topic_prefix)
    yield made
    await made.stop()


class LostAcknowledgements(Fault):
    """Appends reach the broker; of its answers none comes back, or another one. `cuts` also breaks the connection."""

    def __init__(self, *, cuts: bool = False, error: int | None = None) -> None:
        self.appended = 0
        self._cuts = cuts
        self._error = error
        self._asked: set[tuple[Link, int]] = set()

    def request(self, link: Link, message: bytes) -> bytes | None:
        if (number := produce_number(message)) is not None:
            self._asked.add((link, number))
        return message

    def answer(self, link: Link, message: bytes) -> bytes | None:
        if (link, answered_number(message)) not in self._asked:
            return message
        self.appended += 1
        if self._cuts:
            link.cut()
        return None if self._error is None else said_of_first_partition(message, self._error)


@pytest.mark.parametrize("cuts", [False, True], ids=["silence", "reset"])
async def test_what_was_appended_and_not_acknowledged_counts_once(
    on_kafka: World, sender: Sender, to_kafka: Proxy, cuts: bool
) -> None:
    fault = to_kafka.fault = LostAcknowledgements(cuts=cuts)
    assert await sender.send(*NAMES) == "local"
    assert sender.longest < MOST_SECONDS
    assert fault.appended > 0
    to_kafka.fault = Fault()
    await on_kafka.assert_counted_once(5, 5)
    await sender.forwarded()
    found = await on_kafka.assert_counted_once(5, 5)
    assert found["topics"][on_kafka.settings.topic("feedback")]["duplicates"] >= 5


@pytest.mark.parametrize("error", [_NOT_ENOUGH_REPLICAS, _NOT_ENOUGH_REPLICAS_AFTER_APPEND])
async def test_too_few_replicas_are_no_acknowledgement(
    on_kafka: World, sender: Sender, to_kafka: Proxy, error: int
) -> None:
    """One broker cannot lack replicas; what it answers is changed on its way (B-12)."""
    to_kafka.fault = LostAcknowledgements(error=error)
    assert await sender.send("low") == "local"
    assert sender.longest < MOST_SECONDS
    to_kafka.fault = Fault()
    await sender.forwarded()
    await on_kafka.assert_counted_once(1, 1)


async def test_what_a_frozen_broker_took_after_all_counts_once(on_kafka: World, broker: Broker, tmp_path: Path) -> None:
    """It finds the append in its socket when it wakes: given up, spilled, and delivered late (B-02)."""
    sender = Sender(on_kafka, on_kafka.log, tmp_path / "spill")
    assert await sender.send("before") == "broker"
    broker.freeze()
    assert await sender.send(*NAMES) == "local"
    assert sender.longest < MOST_SECONDS
    broker.thaw()
    await sender.forwarded()
    await sender.log.close()
    found = await on_kafka.assert_counted_once(6, 6)
    assert found["topics"][on_kafka.settings.topic("feedback")]["duplicates"] > 0


async def test_connections_that_are_reset_again_and_again_cost_nothing(
    reading: World, sender: Sender, to_kafka: Proxy
) -> None:
    """Of the one who sends and of the ones who read and publish (B-04)."""
    for number in range(5):
        await sender.send(f"low-{number}")
        await reading.once()
        assert to_kafka.cut_all() > 1
        await sender.send(f"late-{number}")
    await sender.forwarded()
    await reading.assert_counted_once(10, 10)


async def test_a_broker_that_nothing_reaches_holds_nobody_up(reading: World, sender: Sender, to_kafka: Proxy) -> None:
    """Connections stay open and say nothing, then break (B-05)."""
    assert await sender.send("before") == "broker"
    await reading.assert_counted_once(1, 1)
    to_kafka.hush()
    began = time.monotonic()
    while time.monotonic() - began < 4:
        assert await sender.send(f"silence-{time.monotonic()}") == "local"
        async with asyncio.timeout(2 * MOST_SECONDS):
            await reading.once()
    assert sender.longest < MOST_SECONDS
    assert reading.errors
    to_kafka.cut_all()
    to_kafka.speak()
    sent = 1 + sender.log.spilled
    await sender.forwarded()
    await reading.assert_counted_once(sent, sent)


async def late(to: StreamWriter, message: bytes) -> None:
    """By a tenth to three tenths of a second."""
    await asyncio.sleep(random.uniform(0.1, 0.3))
    to.write(message)
    await to.drain()


async def in_drops(to: StreamWriter, message: bytes) -> None:
    """Seven bytes at a time, 16 kB in a second."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at in range(0, len(message), 7):
        to.write(message[at : at + 7])
        await to.drain()
        if (early := at / 16_000 - (loop.time() - began)) > 0:
            await asyncio.sleep(early)


@pytest.mark.slow
@pytest.mark.parametrize("pace", [late, in_drops])
async def test_a_slow_line_is_slower_and_nothing_else(
    reading: World, sender: Sender, to_kafka: Proxy, pace: Pace
) -> None:
    """Whatever ingest cannot send in two seconds is spilled, and sent in smaller parts (B-06)."""
    to_kafka.pace_of_answers = pace
    if pace is in_drops:
        to_kafka.pace_of_requests = pace
    for number in range(6):
        await sender.send(*(f"low-{number}-{n}" for n in range(5)))
    await sender.forwarded()
    await reading.assert_counted_once(30, 30)


@pytest.mark.slow
async def test_what_waits_is_read_over_a_slow_line(on_kafka: World, reading: World, to_kafka: Proxy) -> None:
    """All of it in one answer would take longer than an answer may (B-06)."""
    for number in range(40):
        await on_kafka.send(answer(f"high-{number}", 10, text="x" * 1_000))
    to_kafka.pace_of_answers = in_drops
    await reading.assert_counted_once(40, 0)
