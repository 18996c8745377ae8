"""Configuration is a log too: this store has read `petla.config` whole and follows it.

What `put` returned for is in force here, and within about a second in every other process. When the log is away, what
was known stays known; a snapshot on the disk keeps it known over a restart.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog

from shared.config_snapshot import Snapshot
from shared.log.port import Log, LogUnavailable, NewRecord, OffsetOutOfRange, Partition, Reader, Record
from shared.reasons import reason

_READ_LIMIT = 1_000
_WAIT_SECONDS = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_READ_BACK_SECONDS = 10.0
_START_SECONDS = 10.0

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_log = structlog.get_logger(__name__)


class ConfigStore:
    """Keys like `key/ID` with a JSON object each. Not for use before `start` returned.

    `snapshot` is the file that lets a process start while the log is away.
    """

    def __init__(self, log: Log, topic: str, snapshot: Path | None = None) -> None:
        self._log = log
        self._partition = Partition(topic, 0)
        self._values: dict[str, dict[str, Any]] = {}
        self._reader: Reader
        self._position = 0
        self._following: asyncio.Task[None] | None = None
        self._advanced = asyncio.Condition()
        self._problem: str | None = None
        self._snapshot = Snapshot(snapshot, topic) if snapshot else None
        self._complete = False
        self._remembers = False

    @property
    def is_complete(self) -> bool:
        """The log has been read whole: what is not known here does not exist."""
        return self._complete

    @property
    def is_usable(self) -> bool:
        """Something is known, of the log or of the snapshot."""
        return self._complete or self._remembers

    @property
    def problem(self) -> str | None:
        """That changes are not seen at the moment, for anyone who asks; None when all is well."""
        return self._problem

    def get(self, key: str) -> dict[str, Any] | None:
        return self._values.get(key)

    def items(self, prefix: str) -> list[tuple[str, dict[str, Any]]]:
        return sorted((item for item in self._values.items() if item[0].startswith(prefix)), key=lambda item: item[0])

    async def start(self) -> None:
        """Returns when everything that is there was read. When it cannot be: with what the snapshot knows, or with
        nothing yet, and reads it as soon as the log is back; `LogUnavailable` where no snapshot is kept.
        """
        self._reader = self._log.reader()
        try:
            await self._begin()
        except BaseException:
            await self._reader.close()
            raise
        self._following = asyncio.create_task(self._follow())

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._read_whole()
        except (LogUnavailable, TimeoutError) as error:
            sentence = str(error) or f"{self._partition.topic} was not read within {_START_SECONDS:g} seconds"
            if self._snapshot is None:
                raise LogUnavailable(sentence) from error
            self._note(error)
            if (remembered := await asyncio.to_thread(self._snapshot.load)) is not None:
                self._values, self._remembers = remembered, True
            _log.warning("config_from_snapshot", found=self._remembers, reason=sentence)

    async def stop(self) -> None:
        if self._following is None:
            return
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following
        self._following = None
        await self._reader.close()

    async def put(self, key: str, value: dict[str, Any] | None) -> None:
        """Returns when the change is in force here; None deletes. `LogUnavailable` when it may not have been kept."""
        encoded = None if value is None else msgspec.json.encode(value)
        await self._log.append([NewRecord(self._partition.topic, key.encode(), encoded)])
        # Another's later record may replace ours before we read it, so wait for the place, not for the record.
        end = (await self._log.bounds(self._partition.topic))[0].end
        try:
            async with asyncio.timeout(_READ_BACK_SECONDS), self._advanced:
                while self._position < end:
                    await self._advanced.wait()
        except TimeoutError as error:
            raise LogUnavailable(f"{key} was written but could not be read back: {self._problem}") from error

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Waits until what is known makes `condition` true; False when it did not in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._advanced:
                await self._advanced.wait_for(condition)
                return True
        return False

    async def follow_once(self, wait_seconds: float) -> int:
        """One read of what is new, or of everything where that is still owed; the number of records."""
        if not self._complete:
            return await self._read_whole()
        try:
            records = await self._reader.read(_READ_LIMIT, wait_seconds)
        except OffsetOutOfRange:  # the log was made anew under its old name
            return await self._read_whole()
        for record in records:
            self._apply(record, self._values)
        if records:
            await self._save()
        await self._advance()
        return len(records)

    async def _read_whole(self) -> int:
        start, end = (await self._log.bounds(self._partition.topic))[0]
        await self._reader.assign({self._partition: start})
        values: dict[str, dict[str, Any]] = {}
        count = 0
        while await self._reader.position(self._partition) < end:
            for record in await self._reader.read(_READ_LIMIT, _WAIT_SECONDS):
                self._apply(record, values)
                count += 1
        self._values, self._complete = values, True
        await self._save()
        await self._advance()
        return count

    async def _save(self) -> None:
        if self._snapshot:
            await asyncio.to_thread(self._snapshot.save, self._values)

    async def _advance(self) -> None:
        self._position = await self._reader.position(self._partition)
        async with self._advanced:
            self._advanced.notify_all()

    def _apply(self, record: Record, values: dict[str, dict[str, Any]]) -> None:
        try:
            key = (record.key or b"").decode()
            if record.value is None:
                values.pop(key, None)
            else:
                values[key] = _decode(record.value)
        except ValueError:  # a record nobody can read must not hide the others
            _log.warning("config_record_not_read", topic=record.partition.topic, offset=record.offset)

    async def _follow(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.follow_once(_WAIT_SECONDS)
                self._problem, pause = None, _FIRST_PAUSE
            except Exception as error:  # whatever it is: what is known stays in force, and reading is tried again
                self._note(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _note(self, error: Exception) -> None:
        if self._problem is None:
            _log.warning("config_cannot_be_followed", reason=reason(error))
        self._problem = f"{self._partition.topic} cannot be read: the log of the service says why"
