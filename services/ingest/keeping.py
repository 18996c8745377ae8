"""Admitted events onto the log, from whichever way they came in: whoever is answered 2xx waits for this."""

from collections.abc import Callable, Sequence
from functools import cache

from services.ingest.admission import Admitted
from services.ingest.counters import Counters
from shared.clock import Clock
from shared.log.port import Durability, Log, NewRecord


class Keeping:
    """`topic` puts the deployment's prefix before a topic's name."""

    def __init__(self, log: Log, topic: Callable[[str], str], clock: Clock, counters: Counters) -> None:
        self._log = log
        self._topic = cache(topic)  # asked for every record
        self._clock = clock
        self._counters = counters

    async def keep(self, admitted: Sequence[Admitted], beside: Sequence[Admitted] = ()) -> Durability:
        """Returns when the log has acknowledged all of them; raises what its `append` raises.

        `beside` are records that are no events of a sender: they are not counted.
        """
        begun = self._clock.monotonic()
        every = [*admitted, *beside] if beside else admitted
        durability = await self._log.append([NewRecord(self._topic(one.topic), one.key, one.value) for one in every])
        self._counters.append_seconds.observe(self._clock.monotonic() - begun)
        self._counters.accepted.inc(len(admitted))
        return durability
