"""Appends to Kafka without a timer: what arrives while a broker has a request to answer goes into its next one.

Every append is answered: kept by all replicas in sync, refused for its size, or unavailable, at the latest two seconds
after its turn came. What was called unavailable may be kept all the same.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from shared.log.kafka_faults import sentence
from shared.log.kafka_produce import Batches
from shared.log.kafka_rows import MOST_ROWS, Append, Lane, Road, Row, Slice
from shared.log.port import LogUnavailable, NewRecord, Overloaded, Partition

SILENCE_SECONDS = 2.0
MAX_WAITING_BYTES = 64 * 1024 * 1024
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_PAUSE_SECONDS = 0.1  # before the same is tried again
# Whoever is told of a problem may stop sending, and then no append comes that could show it is over.
_REMEMBERED_SECONDS = 10.0


class Producing(Protocol):
    async def leaders(self, partitions: Sequence[Partition], *, anew: bool) -> list[int | Exception]: ...

    async def send(self, broker: int, batches: Batches) -> list[Exception | None]: ...


class To(Protocol):
    """Whoever has a producer that is started, or starts another once this one is discarded."""

    async def get(self) -> Producing: ...

    def discard(self, client: Any) -> None: ...

    async def close(self) -> None: ...


class Lanes:
    def __init__(self, to: To, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._producer = to
        self._monotonic = monotonic
        self._lanes: dict[Partition, Lane] = {}
        self._unknown = Road(None)
        self._roads: dict[int, Road] = {}
        self._waiting_bytes = 0
        self._failure: str | None = None
        self._failed_at = 0.0

    @property
    def problem(self) -> str | None:
        return self._failure if self._monotonic() - self._failed_at < _REMEMBERED_SECONDS else None

    def append(self, placed: Mapping[Partition, Sequence[Row]]) -> "asyncio.Future[None]":
        """Done when all are kept; else it raises `LogUnavailable` or `RecordsRefused`. `Overloaded` at once."""
        size = sum([len(key) + len(value or b"") for rows in placed.values() for key, value in rows])
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded(f"{self._waiting_bytes} bytes are waiting for Kafka; try again in a second")
        self._waiting_bytes += size
        append = Append(len(placed), size, asyncio.get_running_loop().create_future())
        for partition, rows in placed.items():
            lane = self._lanes.get(partition) or self._lane(partition)
            lane.waiting.append(Slice(rows, append))
            if lane.idle:
                self._line_up(lane)
        return append.done

    async def close(self) -> None:
        """What is on its way gets its answer; all of it is bounded."""
        while driving := [road.driving for road in (self._unknown, *self._roads.values()) if road.driving]:
            await asyncio.wait(driving)
        await self._producer.close()

    def _lane(self, partition: Partition) -> Lane:
        return self._lanes.setdefault(partition, Lane(partition, self._unknown))

    def _line_up(self, lane: Lane) -> None:
        road, lane.idle = lane.road, False
        road.lanes.append(lane)
        if road.driving is None:
            # As a task, so that all who are ready to append now get into the same request.
            road.driving = asyncio.create_task(self._drive(road))

    async def _drive(self, road: Road) -> None:
        try:
            while road.lanes:
                lanes, road.lanes = road.lanes, []
                await self._serve(road.broker, lanes)
        finally:
            road.driving = None

    async def _serve(self, broker: int | None, lanes: list[Lane]) -> None:
        """One request for all of them; each ends with an answer for its batch, or in a line again."""
        now = asyncio.get_running_loop().time()
        client: Producing | None = None
        try:
            async with asyncio.timeout_at(min([lane.begin(now, SILENCE_SECONDS) for lane in lanes])):
                client = await self._producer.get()
                outcomes = await (self._locate(client, lanes) if broker is None else self._send(client, broker, lanes))
        except LogUnavailable as error:
            for lane in lanes:
                self._give_up(lane, str(error))
        except Exception as error:  # whatever it is: those who wait for an answer must get one
            self._judge(client, lanes, [error] * len(lanes))
        else:
            self._judge(client, lanes, outcomes)
        for lane in lanes:
            lane.idle = True
            if lane.waiting:
                self._line_up(lane)

    async def _send(self, client: Producing, broker: int, lanes: list[Lane]) -> list[Exception | None]:
        return await client.send(broker, {lane.partition: lane.fill() for lane in lanes})

    async def _locate(self, client: Producing, lanes: list[Lane]) -> list[Exception | None]:
        """Each is moved to its broker's road."""
        again = any(lane.tried for lane in lanes)
        if again:
            await asyncio.sleep(_PAUSE_SECONDS)
        found = await client.leaders([lane.partition for lane in lanes], anew=again)
        for lane, leader in zip(lanes, found, strict=True):
            if isinstance(leader, int):
                lane.road = self._roads.setdefault(leader, Road(leader))
        return [leader if isinstance(leader, Exception) else None for leader in found]

    def _judge(self, client: Producing | None, lanes: list[Lane], outcomes: list[Exception | None]) -> None:
        for lane, error in zip(lanes, outcomes, strict=True):
            if error is None:
                self._done(lane)
            elif isinstance(error, _TOO_LARGE):
                self._too_large(lane)
            elif self._may_try_again(lane, error):
                lane.tried, lane.road = True, self._unknown
                lane.put_back()
            else:
                if client is not None:
                    self._producer.discard(client)
                self._give_up(lane, f"{lane.partition.topic}: {sentence(error, SILENCE_SECONDS)}")

    def _may_try_again(self, lane: Lane, error: Exception) -> bool:
        passes = isinstance(error, TimeoutError) or (isinstance(error, KafkaError) and error.retriable)
        return passes and asyncio.get_running_loop().time() + _PAUSE_SECONDS < (lane.until or 0.0)

    def _done(self, lane: Lane) -> None:
        if lane.batch:  # else it was only located
            self._failure = None
            lane.most_rows = min(2 * lane.most_rows, MOST_ROWS)
            self._settle(lane)

    def _too_large(self, lane: Lane) -> None:
        """The limit is on the batch, so only a row that went alone is too large itself."""
        rows = sum(len(one.rows) for one in lane.batch)
        if rows > 1:
            lane.most_rows, lane.until = rows // 2, None
            lane.put_back()
            return
        (only,) = lane.batch
        only.append.refusals += tuple(NewRecord(lane.partition.topic, *row) for row in only.rows)
        self._settle(lane)

    def _give_up(self, lane: Lane, reason: str) -> None:
        self._failure, self._failed_at = reason, self._monotonic()
        # Those behind have waited for this answer; to let them wait for one each could take minutes.
        lane.batch += lane.waiting
        lane.waiting.clear()
        lane.road = self._unknown
        for one in lane.batch:
            if not one.append.done.done():
                one.append.done.set_exception(LogUnavailable(reason))
        self._settle(lane)

    def _settle(self, lane: Lane) -> None:
        batch, lane.batch = lane.batch, []
        lane.until, lane.tried = None, False
        for one in batch:
            append = one.append
            append.left -= 1
            if not append.left:
                self._waiting_bytes -= append.size
                append.answer()
