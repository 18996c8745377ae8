"""What a service is to the process that runs it."""

from typing import Protocol

from starlette.types import ASGIApp


class Service(Protocol):
    """One of ingest, scoring, alerts: an ASGI application and the loops behind it."""

    name: str

    @property
    def app(self) -> ASGIApp: ...

    async def start(self) -> None:
        """Connect and start the loops; raises when it cannot ever work (a wrong setting), not when a part is away."""
        ...

    async def stop(self) -> None:
        """Finish what is under way, give back what is held (leases), close connections; at most a few seconds."""
        ...

    async def checks(self) -> dict[str, str]:
        """What readiness depends on: a name and `ok`, or a sentence that says what is wrong."""
        ...
