"""Readiness for all three: open to anyone, so it costs one look and ends in time; one slow part hides no other."""

import asyncio
from typing import Any

import pytest

from services.dispatch import Dispatch
from shared import web
from shared.problems import problem
from tests.asgi import request


class Slow:
    """A service whose checks take as long as a test lets them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.app = problem(404, "not_found", "nothing")
        self.looks = 0
        self.answers = asyncio.Event()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def checks(self) -> dict[str, str]:
        self.looks += 1
        await self.answers.wait()
        return {"log": "ok"}


@pytest.fixture
def services() -> dict[str, Slow]:
    return {name: Slow(name) for name in ("ingest", "scoring")}


async def ready(app: Dispatch) -> dict[str, Any]:
    found: dict[str, Any] = (await request(app, "GET", "/readyz")).json()
    return found


async def test_many_who_ask_cost_one_look(services: dict[str, Slow]) -> None:
    app = Dispatch(services)
    asking = [asyncio.create_task(ready(app)) for _ in range(50)]
    while not all(service.looks for service in services.values()):  # noqa: ASYNC110 - until they have asked
        await asyncio.sleep(0)
    for service in services.values():
        service.answers.set()
    assert (
        await asyncio.gather(*asking)
        == [{"ready": True, "checks": {"ingest.log": "ok", "scoring.log": "ok"}, "spilled": 0}] * 50
    )
    assert [service.looks for service in services.values()] == [1, 1]


async def test_a_part_that_hangs_is_said_and_hides_no_other(
    services: dict[str, Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_CHECKS_SECONDS", 0.01)
    services["ingest"].answers.set()
    found = await ready(Dispatch(services))
    assert found["ready"] is False
    assert found["checks"]["ingest.log"] == "ok"
    assert "no answer" in found["checks"]["scoring.checks"]
