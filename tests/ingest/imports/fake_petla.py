"""The answering side of `POST /v1/events` as far as an import sees it, in memory."""

import json
from collections.abc import Callable
from typing import Any

import httpx

Answer = Callable[[httpx.Request], httpx.Response]


class FakePetla:
    """Accepts every event whose `data.score` is at most 5; `interludes` answer the first requests instead."""

    def __init__(self, *interludes: Answer | Exception | int) -> None:
        self.interludes = list(interludes)
        self.requests: list[httpx.Request] = []
        self.events: list[dict[str, Any]] = []

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        interlude = self.interludes.pop(0) if self.interludes else self.accept
        if isinstance(interlude, Exception):
            raise interlude
        if isinstance(interlude, int):
            return httpx.Response(interlude, json={"title": "no", "status": interlude, "detail": "because"})
        return interlude(request)

    def accept(self, request: httpx.Request) -> httpx.Response:
        events = [json.loads(line) for line in request.content.splitlines()]
        assert 0 < len(events) <= 1000
        assert len(request.content) <= 5 * 1024 * 1024
        items = [self._item(index, event) for index, event in enumerate(events)]
        accepted = sum(item["status"] == "accepted" for item in items)
        status = 202 if accepted == len(items) else 207 if accepted else 422
        body = {"accepted": accepted, "rejected": len(items) - accepted, "items": items}
        return httpx.Response(status, json=body)

    def reject_saying(self, message: str) -> Answer:
        """Rejects everything for this reason."""

        def answer(request: httpx.Request) -> httpx.Response:
            count = len(request.content.splitlines())
            items = [{"index": i, "status": "rejected", "field": "data", "message": message} for i in range(count)]
            return httpx.Response(422, json={"accepted": 0, "rejected": count, "items": items})

        return answer

    def _item(self, index: int, event: dict[str, Any]) -> dict[str, Any]:
        score = event["data"].get("score", 0)
        if score > 5:
            message = f"{score} is above scale_max 5"
            return {"index": index, "status": "rejected", "field": "data.score", "code": "range", "message": message}
        self.events.append(event)
        return {"index": index, "status": "accepted", "id": f"fact-{event['id']}", "durability": "local"}


def busy(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, headers=named)
