"""Requests to an application in this process, without a socket."""

from typing import Any

import httpx
from starlette.types import ASGIApp


async def request(app: ASGIApp, method: str, path: str, **more: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path, **more)
