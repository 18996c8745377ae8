"""Pętla's public HTTP API as the simulated shop and its agents use it: with a key, and waiting when asked to."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec

from services.demo.journey import Event

Sleep = Callable[[float], Awaitable[None]]

_BUSY = (429, 503)
_PATIENCE_SECONDS = 60.0
_BATCH_MEDIA = "application/cloudevents-batch+json"
_CONFLICT = 409


class DemoError(Exception):
    """Why the demo cannot go on, in one sentence."""


class Client:
    """One key at one address. DemoError for every answer that a healthy Pętla would not give."""

    def __init__(self, http: httpx.AsyncClient, key: str, sleep: Sleep) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}
        self._sleep = sleep

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return _read(await self._ask("GET", path, params=query))

    async def send(self, events: Sequence[Event]) -> str:
        """All of them accepted; how durably (`local`, `broker`, `replicated`)."""
        headers = {"Content-Type": _BATCH_MEDIA}
        response = await self._ask("POST", "/v1/events", content=msgspec.json.encode(events), headers=headers)
        answer = _read(response)
        if answer["rejected"]:
            refused = next(item for item in answer["items"] if item["status"] == "rejected")
            raise DemoError(f"an event was refused: {refused['field']}: {refused['message']}")
        return str(answer["items"][0]["durability"])

    async def act(self, followup: dict[str, Any], action: str, by: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The follow-up afterwards; None when somebody else was quicker (409)."""
        path = f"/v1/followups/{followup['id']}/{action}"
        response = await self._ask("POST", path, json={"version": followup["version"], "by": by, **body})
        return None if response.status_code == _CONFLICT else _read(response)

    async def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        waited = 0.0
        while True:
            try:
                response = await self._http.request(method, path, headers={**self._headers, **(headers or {})}, **more)
            except httpx.HTTPError as error:
                raise DemoError(f"{method} {path} got no answer ({type(error).__name__})") from error
            if response.status_code not in _BUSY or waited >= _PATIENCE_SECONDS:
                return response
            pause = _pause(response)
            await self._sleep(pause)
            waited += pause


def _read(response: httpx.Response) -> dict[str, Any]:
    answer = _object(response)
    if response.is_success:
        return answer
    asked = f"{response.request.method} {response.request.url.path}"
    raise DemoError(f"{asked} was answered {response.status_code}: {answer.get('detail', 'no reason given')}")


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {}


def _pause(response: httpx.Response) -> float:
    """Seconds, as `Retry-After` says."""
    asked = response.headers.get("Retry-After", "")
    return min(max(float(asked), 0.2), 10.0) if asked.isdecimal() else 0.5
