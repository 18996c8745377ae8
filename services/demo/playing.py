"""The order of the play: keys, the shop's events, scoring, the agents, and the figures at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import httpx

from services.demo import agents, shop
from services.demo.client import Client, Sleep
from services.demo.figures import Figures
from services.demo.journey import Event
from services.demo.receiver import Receiver
from services.demo.watching import Document, Watch
from services.running import Running, StartError
from shared.access import create_key, list_keys, revoke_key
from shared.clock import Clock
from shared.config import ConfigStore

SHOP, AGENTS = "demo-shop", "demo-agents"
_SCOPES = {SHOP: ["events:write"], AGENTS: ["followups:write", "metrics:read"]}
_STARTS = "demo/"
_BATCHES = 40
_SMALLEST_BATCH, _LARGEST_BATCH = 50, 500
_CALL_SECONDS = 30.0


class Screen(Protocol):
    def progress(self, task: str, done: int, total: int) -> None:
        """How far one of `sending`, `scoring`, `following up` is."""
        ...


class Delivery(NamedTuple):
    """`repeated` events were sent twice; `durability` as the last answer said it."""

    repeated: int
    durability: str


class Play:
    """One performance of `events` events. `receiver` is None where the user has named another for the webhooks."""

    def __init__(
        self, seed: int, events: int, clock: Clock, sleep: Sleep, receiver: Receiver | None, screen: Screen
    ) -> None:
        self._seed = seed
        self._events = events
        self._clock = clock
        self._sleep = sleep
        self._receiver = receiver
        self._screen = screen

    async def perform(self, running: Running) -> Figures:
        """On data of an earlier start all of it is known, and nothing counts twice. DemoError when it cannot go on."""
        async with self._clients(running) as (sender, agent):
            watch = Watch(agent, self._clock, self._sleep)
            await agent.get("/readyz")
            before = await watch.settled()
            start = await first_start(running.config, self._seed, self._clock.now(), before)
            told_before = await watch.notifications("delivered") - self._received()
            history = await asyncio.to_thread(shop.history, self._seed, self._events, start)
            delivery = await self._deliver(sender, history)
            await watch.settled(self._scoring(before, len(history) + delivery.repeated))
            await agents.work(agent, self._seed, lambda done, of: self._screen.progress("following up", done, of))
            return await self._figures(watch, start, before, told_before, delivery)

    async def _deliver(self, sender: Client, history: Sequence[Event]) -> Delivery:
        """In batches by time; what is sent twice comes a second time at the end, as after a timeout."""
        repeated = shop.sent_twice(history, self._seed)
        everything, durability = [*history, *repeated], ""
        batch = min(max(len(everything) // _BATCHES, _SMALLEST_BATCH), _LARGEST_BATCH)
        for place in range(0, len(everything), batch):
            durability = await sender.send(everything[place : place + batch])
            self._screen.progress("sending", min(place + batch, len(everything)), len(everything))
        return Delivery(len(repeated), durability)

    def _scoring(self, before: Document, total: int) -> Callable[[Document], None]:
        return lambda now: self._screen.progress("scoring", _count(now, "read") - _count(before, "read"), total)

    async def _figures(
        self, watch: Watch, start: datetime, before: Document, told_before: int, delivery: Delivery
    ) -> Figures:
        if self._receiver:
            await watch.everyone_told()
        reconciliation = await watch.settled()
        return Figures(
            start=start,
            sent=self._events,
            new=_count(reconciliation, "new") - _count(before, "new"),
            repeated=delivery.repeated,
            durability=delivery.durability,
            nps=await watch.metric("nps", start),
            late_delivery=await watch.metric("late_delivery", start),
            followups=await watch.followups(),
            notified=told_before + self._received() if self._receiver else await watch.notifications("delivered"),
            forged=self._receiver.refused if self._receiver else None,
            reconciliation=reconciliation,
        )

    def _received(self) -> int:
        return len(self._receiver.notified) if self._receiver else 0

    @asynccontextmanager
    async def _clients(self, running: Running) -> AsyncIterator[tuple[Client, Client]]:
        """The shop and the agents, each with a key that ends with the play; those of a killed one end here too."""
        await self._revoke(running.config)
        keys = [(await create_key(running.config, source, scopes)).key for source, scopes in _SCOPES.items()]
        try:
            async with httpx.AsyncClient(base_url=running.address, timeout=_CALL_SECONDS, trust_env=False) as http:
                yield Client(http, keys[0], self._sleep), Client(http, keys[1], self._sleep)
        finally:
            await self._revoke(running.config)

    async def _revoke(self, config: ConfigStore) -> None:
        for key in list_keys(config):
            if key.source in _SCOPES and key.revoked is None:
                await revoke_key(config, key.id, self._clock.now())


async def first_start(config: ConfigStore, seed: int, now: datetime, found: Document) -> datetime:
    """When this seed was played first on this data: only the same times make the same events.

    StartError where others have sent events and the demo never has: they could not be told apart again.
    """
    known = config.get(f"{_STARTS}{seed}")
    if known:
        return datetime.fromisoformat(known["start"])
    if _count(found, "read") and not config.items(_STARTS):
        raise StartError(
            "this data folder holds real events, and simulated ones would mix with them: name another --data"
        )
    start = now.astimezone(UTC).replace(microsecond=0)
    await config.put(f"{_STARTS}{seed}", {"start": start.isoformat()})
    return start


def _count(reconciliation: dict[str, Any], what: str) -> int:
    return sum(topic[what] for topic in reconciliation["topics"].values())
