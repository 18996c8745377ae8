"""One pass: whose turn it is, what the sender has, onto the log, and only then the new position."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import structlog

from services.ingest.admission import Admitted
from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.pulling.pacing import Random, pause_seconds
from services.ingest.pulling.port import Poller, Pulled, PullFailed
from services.ingest.pulling.turns import Turn
from services.ingest.webhooks.judging import judge
from services.ingest.webhooks.records import not_pulled, received_of, record
from services.ingest.webhooks.registry import Source
from services.ingest.webhooks.request import Request
from shared.clock import Clock
from shared.log.port import LogUnavailable, RecordsRefused

_DELIVERIES_AT_ONCE = 50
_TAKEN = 200
PASSED_OVER = "passed_over"
_log = structlog.get_logger(__name__)

FindSource = Callable[[str, datetime], Source | None]


class Puller:
    """`interval_seconds` lie between two askings of a sender that had nothing more. `random` gives 0…1."""

    def __init__(
        self,
        poller: Poller,
        turn: Turn,
        *,
        source: FindSource,
        keeping: Keeping,
        counters: Counters,
        clock: Clock,
        random: Random,
        interval_seconds: float,
    ) -> None:
        self._poller = poller
        self._turn = turn
        self._source = source
        self._keeping = keeping
        self._counters = counters
        self._clock = clock
        self._random = random
        self._interval_seconds = interval_seconds
        self._due_at = 0.0
        self._failures = 0
        self.problem: str | None = None

    async def run_once(self) -> int:
        """The number of deliveries that were kept. Raises `LogUnavailable`: then nothing has moved."""
        if self._clock.monotonic() < self._due_at or not await self._turn.take():
            return 0
        source = self._source(self._poller.name, self._clock.now())
        if source is None:
            self._wait(f"there is no source {self._poller.name} whose rules could be applied")
            return 0
        try:
            pulled = await self._poller.pull(self._turn.position)
        except PullFailed as failed:
            self._wait(str(failed), failed.retry_after)
            await self._tell(source, failed.code, str(failed))
            return 0
        return await self._keep(source, pulled)

    async def leave(self) -> None:
        try:
            await self._turn.leave()
        except LogUnavailable:
            _log.warning("turn_not_left", source=self._poller.name)  # others wait until it is stale

    async def _keep(self, source: Source, pulled: Pulled) -> int:
        for some in _parts(pulled.deliveries):
            await self._keep_some(source, some)
        for sentence in pulled.passed_over:
            _log.error("pull_passed_over", source=self._poller.name, reason=sentence)
            await self._tell(source, PASSED_OVER, sentence)
        self._poller.kept()
        if pulled.position != self._turn.position and not await self._turn.move(pulled.position):
            _log.warning("turn_lost", source=self._poller.name)
        self._failures, self.problem = 0, None
        self._due_at = 0.0 if pulled.more else self._clock.monotonic() + self._interval_seconds
        return len(pulled.deliveries)

    async def _keep_some(self, source: Source, deliveries: Sequence[Request]) -> None:
        arrival = self._clock.now()
        events: list[Admitted] = []
        beside: list[Admitted] = []
        for delivery in deliveries:
            judgement = judge(source.document, delivery, arrival)
            events += [made.admitted for made in judgement.made]
            kept = received_of(source, delivery, judgement, _TAKEN)
            beside.append(record(kept, arrival))
            self._count(judgement.outcome, judgement.reason or "")
        try:
            await self._keeping.keep(events, beside)
        except RecordsRefused as refused:
            # They will never be taken; what lies behind them must not wait for ever.
            _log.error("pulled_records_refused", source=self._poller.name, count=len(refused.records))

    async def _tell(self, source: Source, reason: str, sentence: str) -> None:
        """Beside the deliveries, where whoever wonders why nothing comes looks first."""
        self._count("rejected", reason)
        await self._keeping.keep([], [record(not_pulled(source, reason, sentence), self._clock.now())])

    def _count(self, outcome: str, reason: str) -> None:
        self._counters.deliveries.labels(self._poller.name, outcome, reason).inc()

    def _wait(self, sentence: str, retry_after: float | None = None) -> None:
        self._failures += 1
        pause = pause_seconds(self._failures, retry_after, self._random)
        self._due_at = self._clock.monotonic() + pause
        self.problem = sentence
        _log.warning("pull_failed", source=self._poller.name, reason=sentence, retry_in=round(pause, 1))


def _parts(deliveries: Sequence[Request]) -> Iterator[Sequence[Request]]:
    for start in range(0, len(deliveries), _DELIVERIES_AT_ONCE):
        yield deliveries[start : start + _DELIVERIES_AT_ONCE]
