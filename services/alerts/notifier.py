"""Tells people outside: at least once, with one id through all attempts, and never silently dropped.

A notification is claimed by lease and token, sent outside of any transaction, and its result written only where the
token still matches: who was frozen longer than the lease changes nothing.
"""

import asyncio
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from prometheus_client import CollectorRegistry, Counter

from services.alerts.breaker import Breaker
from services.alerts.records import traceparent_of
from services.alerts.schedule import Random, Reply, next_delay
from services.alerts.store import notifications
from services.alerts.store.notifications import Claimed
from shared.clock import Clock
from shared.db import Database
from shared.tracing import UNTRACED, Tracing

CONCURRENCY = 4

_log = structlog.get_logger(__name__)


class Channel(Protocol):
    async def send(self, id_: str, body: bytes) -> Reply: ...


class Notifier:
    """One endpoint. `random` gives 0…1 for the jitter."""

    def __init__(
        self,
        db: Database,
        channel: Channel,
        clock: Clock,
        random: Random,
        registry: CollectorRegistry,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._db = db
        self._channel = channel
        self._random = random
        self._breaker = Breaker(clock)
        self._tracing = tracing
        self._attempts = Counter(
            "petla_notification_attempts", "Attempts to notify, by what came of them", ["outcome"], registry=registry
        )

    async def run_once(self) -> int:
        """Send what is due, at most CONCURRENCY at once; the number of attempts."""
        token = uuid4()
        claimed = await self._claim(token)
        results = await asyncio.gather(*(self._notify(one, token) for one in claimed), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(claimed)

    async def _claim(self, token: UUID) -> list[Claimed]:
        probing = self._breaker.is_open
        if probing and not self._breaker.probe_is_due:
            return []
        async with self._db.transaction() as tx:
            return await notifications.claim(token, 1 if probing else CONCURRENCY, not probing, tx)

    async def _notify(self, one: Claimed, token: UUID) -> None:
        cause = traceparent_of(one.body) if self._tracing.on else None
        span = self._tracing.start("notify", "client", caused_by=cause)
        reply = await self._channel.send(str(one.id), one.body)
        status = {"http.response.status_code": reply.status} if reply.status else {}
        span.end({"petla.notification_id": str(one.id), **status}, failed=not reply.taken)
        if reply.taken:
            await self._succeeded(one, token, reply)
        else:
            await self._failed(one, token, reply)

    async def _succeeded(self, one: Claimed, token: UUID, reply: Reply) -> None:
        closed = self._breaker.succeeded()
        async with self._db.transaction() as tx:
            await notifications.delivered(one.id, token, reply.status, tx)
            if closed:
                await notifications.make_all_due(tx)
        self._attempts.labels("delivered").inc()

    async def _failed(self, one: Claimed, token: UUID, reply: Reply) -> None:
        self._breaker.failed()
        self._attempts.labels("failed").inc()
        error = reply.error or "not taken"
        async with self._db.transaction() as tx:
            if not one.is_due:
                await notifications.probed(one.id, token, reply.status, error, tx)
                return
            delay = next_delay(reply, one.attempts + 1, self._random)
            mine = await notifications.failed(one.id, token, one.attempts + 1, delay, reply.status, error, tx)
        if mine and delay is None:
            self._attempts.labels("dead").inc()
            _log.error("notification_dead", id=str(one.id), status=reply.status, error=error)
