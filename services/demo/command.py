"""`petla demo`: the three services on one port, the play beside them, and the verdict as the exit code."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from typing import NamedTuple

from rich.console import Console

from services.demo.client import DemoError
from services.demo.figures import Figures
from services.demo.playing import Play
from services.demo.receiver import Receiver, receiving
from services.demo.terminal import Terminal
from services.running import SERVICES, Running, serve
from shared.clock import Clock
from shared.settings import Settings


class Options(NamedTuple):
    """`ends`: stop after the verdict instead of serving on; `as_json`: one JSON object on stdout and nothing else."""

    seed: int
    events: int
    ends: bool
    as_json: bool


async def demo(options: Options, clock: Clock) -> int:
    """The exit code: 0 when everything balanced, 1 when it did not or was stopped before that was known."""
    async with AsyncExitStack() as stack:
        receiver = await _receiver(stack, clock)
        screen = stack.enter_context(Terminal(Console(), hidden=options.as_json))
        play = Play(options.seed, options.events, clock, asyncio.sleep, receiver, screen)
        evening = _Evening(options, play, screen)
        await serve(SERVICES, lambda address: screen.started(), evening.pass_)
    return evening.exit_code


async def _receiver(stack: AsyncExitStack, clock: Clock) -> Receiver | None:
    """Alerts of this process notifies it, unless the user has named somebody else."""
    if os.environ.get("ALERTS_WEBHOOK_URL"):
        return None
    receiver = await stack.enter_async_context(receiving(clock))
    os.environ["ALERTS_WEBHOOK_URL"], os.environ["ALERTS_WEBHOOK_SECRET"] = receiver.url, receiver.secret
    return receiver


class _Evening:
    """The play, its verdict, and then, unless it is to end, the services for whoever wants to look."""

    def __init__(self, options: Options, play: Play, screen: Terminal) -> None:
        self.exit_code = 1
        self._options = options
        self._play = play
        self._screen = screen

    async def pass_(self, running: Running) -> None:
        try:
            figures = await self._play.perform(running)
        except asyncio.CancelledError:
            self._complain("stopped before the end; start it again, and nothing counts twice")
            raise
        except DemoError as error:
            self._complain(str(error))
            return
        self.exit_code = 0 if figures.balanced else 1
        self._show(figures, running.address)
        if not self._options.ends:
            await asyncio.Event().wait()

    def _complain(self, sentence: str) -> None:
        self._screen.tell()
        print(f"petla demo: {sentence}", file=sys.stderr)

    def _show(self, figures: Figures, address: str) -> None:
        self._screen.show(self._options.seed, figures)
        if self._options.as_json:
            print(json.dumps(figures.document(), ensure_ascii=False), flush=True)
        if not self._options.ends:
            self._screen.tell(
                "",
                f"  {address}/      the loop at a glance",
                f"  {address}/docs  the APIs of the three services",
                "",
                f"  It serves until Ctrl-C; the data stays in {Settings().data}.",
            )
