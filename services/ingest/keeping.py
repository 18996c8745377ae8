"""Admitted events onto the log, from whichever way they came in: whoever is answered 2xx waits for this."""

from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from typing import Any

from services.ingest.admission import Admitted, AdmittedAnswers
from services.ingest.counters import Counters
from shared.clock import Clock
from shared.events.catalogue import FEEDBACK_TOPIC
from shared.log.port import Column, Durability, Log, NewRecord


class Keeping:
    """`topic` puts the deployment's prefix before a topic's name."""

    def __init__(self, log: Log, topic: Callable[[str], str], clock: Clock, counters: Counters) -> None:
        self._log = log
        self._topic = cache(topic)  # asked for every record
        self._clock = clock
        self._counters = counters

    def keep(self, admitted: Sequence[Admitted], beside: Sequence[Admitted] = ()) -> Coroutine[Any, Any, Durability]:
        """Returns when the log has acknowledged all of them; raises what its `append` raises.

        `beside` are records that are no events of a sender: they are not counted.
        """
        every = [*admitted, *beside] if beside else admitted
        return self._keep([NewRecord(self._topic(one.topic), one.key, one.value) for one in every], len(admitted))

    def keep_answers(self, admitted: AdmittedAnswers) -> Coroutine[Any, Any, Durability]:
        """The same for a batch."""
        records = Column(self._topic(FEEDBACK_TOPIC), admitted.keys, admitted.values)
        return self._keep(records, len(records))

    async def _keep(self, records: Sequence[NewRecord], events: int) -> Durability:
        begun = self._clock.monotonic()
        durability = await self._log.append(records)
        self._counters.append_seconds.observe(self._clock.monotonic() - begun)
        self._counters.accepted.inc(events)
        return durability
