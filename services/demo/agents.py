"""The agents who call customers back, each working through a share of the open follow-ups, through the API only."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from services.demo.client import Client
from services.demo.plans import plan

NAMES = ("anna", "piotr", "kasia")
MOST_FOLLOWUPS = 120


async def work(client: Client, seed: int, done: Callable[[int, int], None]) -> None:
    """The most urgent deadlines first, at most MOST_FOLLOWUPS; `done` is told how many of how many."""
    waiting = (await client.get("/v1/followups", state="new", limit=MOST_FOLLOWUPS))["items"]
    worked = 0
    done(worked, len(waiting))

    async def agent(name: str, mine: Sequence[dict[str, Any]]) -> None:
        nonlocal worked
        for followup in mine:
            await _follow_up(client, followup, name, seed)
            worked += 1
            done(worked, len(waiting))

    await asyncio.gather(*(agent(name, waiting[place :: len(NAMES)]) for place, name in enumerate(NAMES)))


async def _follow_up(client: Client, followup: dict[str, Any], by: str, seed: int) -> None:
    for step in plan(followup, seed):
        moved = await client.act(followup, step.action, by, step.body)
        if moved is None:  # whoever was quicker has it now
            return
        followup = moved
