"""The loops that ask: one a sender, in every process of ingest; whose turn it is, the configuration says."""

from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.pulling.pacing import Random
from services.ingest.pulling.puller import FindSource, Puller
from services.ingest.pulling.senders import Senders
from services.ingest.pulling.turns import Turn
from shared.clock import Clock
from shared.config import ConfigStore
from shared.loops import Loop

INTERVAL_SECONDS = 60.0
_LOOKED_AT_EVERY_SECONDS = 1.0


class Pulling:
    """`holder` names this process, and no other one ever."""

    def __init__(
        self,
        senders: Senders,
        *,
        source: FindSource,
        keeping: Keeping,
        counters: Counters,
        config: ConfigStore,
        clock: Clock,
        random: Random,
        holder: str,
    ) -> None:
        self._senders = senders
        self._pullers = [
            Puller(
                poller,
                Turn(poller.name, config, clock, holder),
                source=source,
                keeping=keeping,
                counters=counters,
                clock=clock,
                random=random,
                interval_seconds=INTERVAL_SECONDS,
            )
            for poller in senders.pollers
        ]
        names = [poller.name for poller in senders.pollers]
        self._loops = [
            Loop(f"ingest.pull.{name}", puller.run_once, _LOOKED_AT_EVERY_SECONDS)
            for name, puller in zip(names, self._pullers, strict=True)
        ]

    def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        for loop in self._loops:
            await loop.stop()
        for puller in self._pullers:
            await puller.leave()
        await self._senders.close()
