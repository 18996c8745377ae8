"""Appends without a timer: one request a broker on its way, the rest collects; everybody gets an answer."""

import asyncio
import gc
from collections.abc import Mapping, Sequence

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
)

from shared.log import kafka_lanes
from shared.log.kafka_lanes import Lanes
from shared.log.port import LogUnavailable, NewRecord, Overloaded, Partition, RecordsRefused
from tests.shared.log.fake_kafka import FakeProducer, disposable
from tests.turns import until

Appending = asyncio.Future[None]


class World:
    def __init__(self) -> None:
        self.made: list[FakeProducer] = []
        self.lanes = Lanes(disposable(self.made, FakeProducer))

    @property
    def producer(self) -> FakeProducer:
        return self.made[-1]

    def append(self, *values: str, partition: int = 0) -> Appending:
        return self.append_to({partition: values})

    def append_to(self, values: Mapping[int, Sequence[str]]) -> Appending:
        placed = {
            Partition("facts", number): [(b"k", value.encode()) for value in of_one]
            for number, of_one in values.items()
        }
        return self.lanes.append(placed)

    async def started(self, appending: Appending) -> Appending:
        """Returns when its batch is on its way."""
        await until(lambda: self.made and self.producer.sent)
        return appending


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_first_goes_at_once_and_the_rest_waits_for_its_answer(world: World) -> None:
    first = await world.started(world.append("a"))
    rest = [world.append(value) for value in "bcd"]
    await asyncio.sleep(0)
    assert await world.producer.take() == [b"a"]
    await first
    assert await world.producer.take() == [b"b", b"c", b"d"]
    await asyncio.gather(*rest)


async def test_who_is_ready_in_the_same_moment_shares_a_batch(world: World) -> None:
    appending = [world.append(value) for value in "abc"]
    await world.started(appending[0])
    assert await world.producer.take() == [b"a", b"b", b"c"]
    await asyncio.gather(*appending)


async def test_all_partitions_of_a_broker_share_a_request(world: World) -> None:
    appending = [world.append("a"), world.append("b", partition=1)]
    await world.started(appending[0])
    assert [request.values for request in world.producer.sent] == [{0: [b"a"], 1: [b"b"]}]
    appending += [world.append("c", partition=1), world.append("d")]
    await asyncio.sleep(0)
    await world.producer.take()
    assert sorted(await world.producer.take()) == [b"c", b"d"]
    await asyncio.gather(*appending)


async def test_brokers_do_not_wait_for_one_another(world: World) -> None:
    await lead(world, {0: 1, 1: 2})
    first = await world.started(world.append("a"))
    other = world.append("b", partition=1)
    await until(lambda: len(world.producer.sent) == 2)
    assert [request.broker for request in world.producer.sent] == [1, 2]
    await world.producer.take()
    await first
    assert not other.done()
    await world.producer.take()
    await other


async def lead(world: World, led_by: dict[int, int | Exception]) -> None:
    (await world.lanes._producer.get()).led_by = led_by  # type: ignore[attr-defined]


async def test_a_partition_that_moved_is_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lanes, "_PAUSE_SECONDS", 0.0)
    moved = await world.started(world.append("a"))
    behind = world.append("b")
    await lead(world, {0: 2})
    await asyncio.sleep(0)
    assert await world.producer.take(NotLeaderForPartitionError()) == [b"a"]
    await until(lambda: world.producer.sent)
    assert [(request.broker, request.values) for request in world.producer.sent] == [(2, {0: [b"a", b"b"]})]
    await world.producer.take()
    await asyncio.gather(moved, behind)
    assert len(world.made) == 1


async def test_what_passes_in_time_is_no_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lanes, "_PAUSE_SECONDS", 0.0)
    appending = await world.started(world.append("a"))
    await world.producer.break_off(KafkaConnectionError())
    await until(lambda: world.producer.sent)
    await world.producer.take()
    await appending
    assert len(world.made) == 1


async def test_who_leads_is_asked_once(world: World) -> None:
    for value in "abc":
        appending = await world.started(world.append(value))
        await world.producer.take()
        await appending
    assert world.producer.asked == 1


async def test_a_topic_that_may_not_be_used_is_said_at_once(world: World) -> None:
    await lead(world, {0: TopicAuthorizationFailedError("facts")})
    with pytest.raises(LogUnavailable, match="grant it Read, Write and Describe"):
        await world.append("a")


async def test_an_append_is_answered_when_its_last_partition_is(world: World) -> None:
    await lead(world, {0: 1, 1: 2})
    appending = await world.started(world.append_to({0: "a", 1: "b"}))
    await until(lambda: len(world.producer.sent) == 2)
    await world.producer.take()
    await asyncio.sleep(0)
    assert not appending.done()
    await world.producer.take(TopicAuthorizationFailedError("facts"))
    with pytest.raises(LogUnavailable, match="does not let this user"):
        await appending


async def test_a_silent_broker_is_given_up_for_all_who_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lanes, "SILENCE_SECONDS", 0.05)
    sent = await world.started(world.append("a"))
    behind = [world.append(value) for value in "bc"]
    results = await asyncio.gather(sent, *behind, return_exceptions=True)
    assert [str(result) for result in results] == ["facts: Kafka has not answered within 0.05 seconds"] * 3
    assert world.lanes.problem == str(results[0])


async def test_an_answer_that_comes_too_late_disturbs_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lanes, "SILENCE_SECONDS", 0.05)
    complaints: list[object] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_exception_handler", complaints.append)
    with pytest.raises(LogUnavailable):
        await world.append("a")
    assert world.producer.sent[0].answer.cancelled()
    await asyncio.sleep(0)
    gc.collect()
    assert complaints == []


async def test_a_producer_that_failed_is_never_used_again(world: World) -> None:
    failing = await world.started(world.append("a"))
    await world.producer.break_off(RuntimeError())
    with pytest.raises(LogUnavailable):
        await failing
    again = world.append("b")
    await until(lambda: len(world.made) == 2)
    await world.producer.take()
    await again
    assert [producer.stopped for producer in world.made] == [True, False]
    assert world.lanes.problem is None


async def test_what_is_too_large_is_found_among_its_neighbours(world: World) -> None:
    appending = await world.started(world.append("a", "b", "large", "c"))
    taken = []
    while not appending.done():
        large = b"large" in world.producer.sent[0].values[0]
        taken.append(await world.producer.take(MessageSizeTooLargeError() if large else None))
        await until(lambda: world.producer.sent or appending.done())
    with pytest.raises(RecordsRefused) as refused:
        await appending
    assert refused.value.records == [NewRecord("facts", b"k", b"large")]
    assert taken == [[b"a", b"b", b"large", b"c"], [b"a", b"b"], [b"large", b"c"], [b"large"], [b"c"]]
    assert len(world.made) == 1
    assert world.lanes.problem is None


async def test_no_more_waits_than_may(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lanes, "MAX_WAITING_BYTES", 10)
    for _ in range(3):  # what was answered waits no longer
        taken = await world.started(world.append("1234"))
        with pytest.raises(Overloaded, match="5 bytes are waiting for Kafka"):
            await world.append("123456")
        await world.producer.take()
        await taken


async def test_who_gave_up_waiting_does_not_disturb_the_others(world: World) -> None:
    gone, stays = world.append("a"), world.append("b")
    await world.started(stays)
    gone.cancel()
    assert await world.producer.take() == [b"a", b"b"]
    await stays
    assert gone.cancelled()


async def test_closing_waits_for_what_is_on_its_way(world: World) -> None:
    appending = await world.started(world.append("a"))
    closing = asyncio.create_task(world.lanes.close())
    await asyncio.sleep(0)
    await world.producer.take()
    await closing
    await appending
    assert world.producer.stopped
