"""A topic that was deleted and made again, and records that expired before they were read, on either log.

Another log under the same name is read from its start (B-09); what is gone is counted as `lost` and shown (B-10).
Never a jump to the end.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.log.kafka import KafkaLog
from shared.log.kafka_topics import create_topics
from shared.log.port import LogUnavailable
from shared.log.sqlite import SqliteLog
from tests.faults.world import HEALS_SECONDS, World, answers
from tests.kafka import Kafka
from tests.shared.log.conftest import HOUR_MS, administrator


async def made_anew(world: World, kafka: Kafka, name: str) -> None:
    topic = world.settings.topic(name)
    (described,) = [each for each in world.settings.topics() if each.name == topic]
    async with administrator(kafka) as client:
        await client.delete_topics([topic])
    while not await create_topics(kafka.connection, [described]):
        pass


async def read_to(world: World, new: int) -> dict[str, Any]:
    """The reconciliation once so many answers are new."""
    topic = world.settings.topic("feedback")
    async with asyncio.timeout(HEALS_SECONDS):
        while (found := await world.healed())["topics"][topic]["new"] < new:
            await world.once()
    return found


async def sent(world: World, *names: str) -> None:
    """Once the topic takes records again."""
    async with asyncio.timeout(HEALS_SECONDS):
        while True:
            with suppress(LogUnavailable):
                return await world.send(*answers(*names))


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("again", [3, 60])
async def test_a_topic_made_anew_is_read_from_its_start(
    on_kafka: World, kafka: Kafka, running: bool, again: int
) -> None:
    """`again` answers lie on the new one: fewer or more than the old one held where it was left."""
    await on_kafka.send(*answers(*(f"old-{n}" for n in range(20))))
    await on_kafka.assert_counted_once(20, 20)
    if not running:
        await on_kafka.stop()
    await made_anew(on_kafka, kafka, "feedback")
    await sent(on_kafka, *(f"old-{n}" for n in range(2)), *(f"new-{n}" for n in range(again)))
    if not running:
        on_kafka.start()
    with structlog.testing.capture_logs() as logged:
        await read_to(on_kafka, 20 + again)
    await on_kafka.assert_counted_once(20 + again, 20 + again)
    assert {entry["event"] for entry in logged if entry["log_level"] == "error"} == {"log_recreated"}


async def expire(world: World, name: str) -> None:
    """What retention does, at once: on Kafka to one topic, on the embedded log to all."""
    topic = world.settings.topic(name)
    if isinstance(world.log, SqliteLog):
        await world.log.expire(int(time.time() * 1000) + 200 * HOUR_MS)
        return
    ends = {TopicPartition(topic, number): end for number, (_, end) in (await world.log.bounds(topic)).items()}
    assert isinstance(world.log, KafkaLog)
    client = AIOKafkaAdminClient(bootstrap_servers=world.log._connection.servers)
    await client.start()
    await client.delete_records({at: RecordsToDelete(before_offset=end) for at, end in ends.items()})
    await client.close()


async def test_what_expired_before_it_was_scored_is_shown_as_lost(world: World) -> None:
    await world.send(*answers(*(f"read-{n}" for n in range(5))))
    await world.assert_counted_once(5, 5)
    await world.stop()
    await world.send(*answers(*(f"gone-{n}" for n in range(7))))
    await expire(world, "feedback")
    await world.send(*answers("late-1", "late-2"))
    world.start()
    with structlog.testing.capture_logs() as logged:
        found = await read_to(world, 7)
    topic = found["topics"][world.settings.topic("feedback")]
    assert (topic["read"], topic["new"], topic["lost"]) == (7, 7, 7)
    assert not found["balanced"]
    assert (await world.nps())["n"] == await world.followups() == 7
    lost = [entry for entry in logged if entry["event"] == "records_lost"]
    assert sum(entry["count"] for entry in lost) == 7
    assert {entry["log_level"] for entry in lost} == {"error"}


async def test_what_expired_before_alerts_had_read_it_is_missing(world: World) -> None:
    """Its own count of what was lost is for the doctor; the reconciliation says who has no follow-up."""
    await world.send(*answers("read"))
    await world.assert_counted_once(1, 1)
    await world.alerts.stop()
    await world.send(*answers(*(f"gone-{n}" for n in range(7))))
    while (await world.nps())["n"] < 8 or await world.scoring.run_once():
        await world.scoring.run_once()
    await expire(world, "scores")
    await world.stop()
    world.start()
    found = await world.healed()
    assert found["detractors"] == {"total": 8, "followups": 1, "suppressed": {}, "missing": 7}
    assert not found["balanced"]
    assert await world.rows("alerts", "SELECT sum(count)::int FROM log_gap") == [(7,)]
