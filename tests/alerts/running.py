"""The service with its HTTP API, a key for each scope, and no loop running: tests step what they need."""

from typing import Any

import httpx

from services.alerts.app import build
from shared.access import create_key
from shared.config import ConfigStore
from shared.db import Database
from tests.alerts.world import World
from tests.sealing import SEALING


class RunningAlerts(World):
    """`get` and `post` use a key that may read and write unless told otherwise."""

    def __init__(self, db: Database, **changed: Any) -> None:
        super().__init__(db, **changed)
        self.config = ConfigStore(self.log, self.settings.topic("config"))
        self.service = build(self.settings, self.log, self.config, db, self.clock, SEALING)
        self._keys: dict[str, str] = {}

    async def start(self) -> None:
        await self.config.start()

    async def stop(self) -> None:
        await self.worker.stop()
        await self.config.stop()

    async def request(self, method: str, path: str, scope: str | None, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {await self._key(scope)}"} if scope else {}
        transport = httpx.ASGITransport(self.service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://alerts") as client:
            return await client.request(method, path, headers=headers, **more)

    async def get(self, path: str, scope: str | None = "followups:write", **params: Any) -> httpx.Response:
        return await self.request("GET", path, scope, params=params)

    async def post(self, path: str, body: Any = None, scope: str | None = "followups:write") -> httpx.Response:
        return await self.request("POST", path, scope, json=body)

    async def act(self, name: str, action: str, seen: int, /, **body: Any) -> httpx.Response:
        id_ = (await self.followup(name))["id"]
        return await self.post(f"/v1/followups/{id_}/{action}", {"version": seen, "by": "anna", **body})

    async def _key(self, scope: str) -> str:
        if scope not in self._keys:
            self._keys[scope] = (await create_key(self.config, "desk", [scope])).key
        return self._keys[scope]
