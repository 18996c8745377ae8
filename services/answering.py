"""An ASGI application that answers at a socket for as long as a block of code runs."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from services.direct import Hot, protocol

_DRAIN_SECONDS = 5
BACKLOG = 2048  # connections that wait to be taken


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, without signal handlers of its own: the process decides when it ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def answering(app: ASGIApp, listener: socket.socket, hot: Hot | None = None) -> AsyncIterator[None]:
    """Requests are answered inside of the block; at its end those under way have five seconds left.

    `hot` answers its path as `app` would, and is asked directly where that is possible.
    """
    config = uvicorn.Config(
        app,
        http=cast(Any, protocol(hot)),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # a header must not say who the client is
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        backlog=BACKLOG,
    )
    server = _Server(config)
    serving, started = asyncio.create_task(server.serve(sockets=[listener])), asyncio.create_task(server.answers.wait())
    await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    if serving.done():  # it never came to answer: say why
        serving.result()
    try:
        yield
    finally:
        server.should_exit = True
        await serving
