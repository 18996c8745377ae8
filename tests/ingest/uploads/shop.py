"""Ingest at a real address with a folder of its own, and a shop's person who sends forms as a browser does."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.browser import serving
from tests.ingest.running import RunningIngest

ROOT = "/sources/upload"
ANSWERS = "Numer;Data;Miara;Ocena;Komentarz\r\n"
SECONDS = 60.0

MAPPING = """\
ce_source: /opinions
rules:
  - emit: feedback.received.v1
    id: id
    map: {metric: "'rating'", score: number(stars), text: text}
"""


class Shop:
    """`get` and `post` send the key as a browser does; forms come from Pętla's own page unless told otherwise."""

    def __init__(self, ingest: RunningIngest, url: str, data: Path) -> None:
        self.ingest = ingest
        self.url = url
        self.data = data
        self.key = ingest.key

    async def get(self, path: str = ROOT, **more: Any) -> httpx.Response:
        return await self._request("GET", path, **more)

    async def post(self, path: str = ROOT, **more: Any) -> httpx.Response:
        return await self._request("POST", path, headers={"Origin": self.url, **more.pop("headers", {})}, **more)

    async def send(
        self, content: bytes, name: str = "rows.csv", yaml: bytes | None = None, **fields: str
    ) -> httpx.Response:
        """The first form; without `document` the ready-made one is chosen."""
        files: dict[str, Any] = {"file": (name, content)}
        if yaml is not None:
            files["yaml_file"] = ("own.yaml", yaml)
        return await self.post(files=files, data={"document": "answers", **fields})

    async def sent(self, content: bytes, name: str = "rows.csv", yaml: bytes | None = None, **fields: str) -> str:
        """The path of the upload."""
        response = await self.send(content, name, yaml, **fields)
        assert response.status_code == 303, response.text
        return response.headers["location"].partition("?")[0]

    async def page(self, path: str, language: str = "en") -> str:
        """As text, one space between words."""
        response = await self.get(path, params={"lang": language})
        assert response.status_code == 200, response.text
        return words(response.text)

    async def imported(self, path: str) -> str:
        """The page once the import has come to an end, whichever."""
        response = await self.post(f"{path}/start")
        assert response.status_code == 303, response.text
        return await self.ended(path)

    async def ended(self, path: str) -> str:
        async with asyncio.timeout(SECONDS):
            while "data-running" in (html := (await self.get(path, params={"lang": "en"})).text):
                pass
        return words(html)

    def folder(self, path: str) -> Path:
        return self.data / "uploads" / path.rsplit("/", 1)[-1]

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Accept": "text/html", **more.pop("headers", {})}
        async with httpx.AsyncClient(base_url=self.url, timeout=SECONDS, trust_env=False) as client:
            return await client.request(method, path, auth=("anna", self.key), headers=headers, **more)


def words(html: str) -> str:
    body = html[html.index("<main") :]
    text = re.sub(r"<[^>]+>", " ", body).replace("&#39;", "'").replace("&#34;", '"').replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(text.split())


@asynccontextmanager
async def shop_at(data: Path, ingest: RunningIngest | None = None) -> AsyncIterator[Shop]:
    running = ingest or RunningIngest(data=data)
    await running.start()
    try:
        async with serving(running.service.app) as url:
            yield Shop(running, url, data)
    finally:
        await running.stop()
