"""Looking on from outside, through the API: until Pętla has taken everything in, and what it says then."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, get_args

from services.demo.client import Client, DemoError, Sleep
from shared.clock import Clock
from shared.events.followups import State

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 60.0

Document = dict[str, Any]


class Watch:
    """DemoError where nothing moves for a minute."""

    def __init__(self, client: Client, clock: Clock, sleep: Sleep) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep

    async def settled(self, seen: Callable[[Document], None] = lambda document: None) -> Document:
        """The reconciliation once everything is read; `seen` is given each one on the way."""
        found: Document = {}

        async def look() -> tuple[bool, object]:
            nonlocal found
            found = await self._client.get("/v1/reconciliation")
            seen(found)
            return found["settled"], found["as_of"]["offsets"]

        await self._until("reading everything", look)
        return found

    async def everyone_told(self) -> None:
        """Returns when no notification is waiting to be sent."""

        async def look() -> tuple[bool, object]:
            pending = await self.notifications("pending")
            return pending == 0, pending

        await self._until("sending the notifications", look)

    async def notifications(self, state: str) -> int:
        total: int = (await self._client.get("/v1/notifications", state=state, limit=1))["total"]
        return total

    async def followups(self) -> dict[str, int]:
        """How many there are in each state."""
        pages = {state: await self._client.get("/v1/followups", state=state, limit=1) for state in get_args(State)}
        return {state: page["total"] for state, page in pages.items()}

    async def metric(self, name: str, start: datetime) -> Document:
        """Over the weeks that the shop's events lie in, whenever this is asked."""
        window = {"from": (start - timedelta(days=40)).date(), "to": (start + timedelta(days=1)).date()}
        return await self._client.get(f"/v1/metrics/{name}", **{name: str(day) for name, day in window.items()})

    async def _until(self, what: str, look: Callable[[], Awaitable[tuple[bool, object]]]) -> None:
        """`look` says whether it is so, and what moves on the way there."""
        moved, patient_until = None, 0.0
        while True:
            is_so, now = await look()
            if is_so:
                return
            if now != moved:
                moved, patient_until = now, self._clock.monotonic() + _PATIENCE_SECONDS
            if self._clock.monotonic() > patient_until:
                raise DemoError(f"Pętla stopped {what}: /readyz says what is wrong")
            await self._sleep(_POLL_SECONDS)
