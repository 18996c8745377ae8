"""One thing that a sender never answers holds up nothing for ever, and an outage of the sender passes over nothing.

What fails counts against a thing only while the same sender answers otherwise, and once in `APART_SECONDS`; after
`TRIES` of those it is passed over, and at once where the sender says that there is no such thing, or not for us. Only
this process knows of it: another begins to count anew.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from services.ingest.pulling.port import PullFailed
from services.ingest.pulling.remote import Refused, Throttled, Unauthorised
from services.ingest.webhooks.request import Request
from shared.clock import Clock

TRIES, APART_SECONDS = 6, 300.0
# Each may take a timeout, and a sender that is away need not be asked for all that waits.
_MISSED_AT_ONCE = 3

Ask = Callable[[], Awaitable[Request]]


class Answers(NamedTuple):
    """By the things' names. `passed_over` says why; `settled` are those that need no asking any more; `failed` is the
    last that failed.
    """

    came: dict[str, Request]
    passed_over: dict[str, str]
    settled: set[str]
    failed: PullFailed | None


class _Asked(NamedTuple):
    came: dict[str, Request]
    refused: dict[str, str]
    missed: dict[str, PullFailed]


class _Failing(NamedTuple):
    tries: int = 0
    counted_at: float = -math.inf


class Patience:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing: dict[str, _Failing] = {}
        self._settled: set[str] = set()
        self._handed_out: set[str] = set()
        self._answered: Ask | None = None

    async def ask(self, things: Mapping[str, Ask], most: int, known: Mapping[str, Request] | None = None) -> Answers:
        """All that lies behind the position; `known` needs no asking. What was kept before is not given again, and what
        has failed before is asked for behind the others. An ask that raises `Refused` is final.
        """
        known = known or {}
        self._failing = {name: failing for name, failing in self._failing.items() if name in things}
        self._settled &= things.keys() | known.keys()
        asked = await self._asked([name for name in things if name not in self._settled], things, most)
        came, passed_over = asked.came, asked.refused | await self._given_up(asked)
        came |= {name: one for name, one in known.items() if name not in self._settled}
        self._handed_out = self._settled | came.keys() | passed_over.keys()
        return Answers(came, passed_over, self._handed_out, next(reversed(asked.missed.values()), None))

    def kept(self) -> None:
        """All that the last `ask` gave is on the log."""
        self._settled = self._handed_out

    async def _asked(self, waiting: Sequence[str], things: Mapping[str, Ask], most: int) -> _Asked:
        asked = _Asked({}, {}, {})
        for name in sorted(waiting, key=self._failing.__contains__):
            try:
                asked.came[name] = await things[name]()
            except Refused as refused:
                asked.refused[name] = str(refused)
            except PullFailed as failed:
                asked.missed[name] = failed
                if _is_of_all(failed) or len(asked.missed) >= _MISSED_AT_ONCE:
                    break
            else:
                self._answered = things[name]
            if len(asked.came) + len(asked.refused) >= most:
                break
        return asked

    async def _given_up(self, asked: _Asked) -> dict[str, str]:
        own = {name: failed for name, failed in asked.missed.items() if not _is_of_all(failed)}
        for name in asked.missed:
            self._failing.setdefault(name, _Failing())
        if not own or len(own) < len(asked.missed) or not (asked.came or await self._is_answered_otherwise()):
            return {}
        for name in own:
            self._count(name)
        why = f"passed over after {TRIES} tries, beside which others were answered"
        return {name: f"{failed}: {why}" for name, failed in own.items() if self._failing[name].tries >= TRIES}

    async def _is_answered_otherwise(self) -> bool:
        """Where nothing else waits, what came last is asked for once more."""
        try:
            return self._answered is not None and bool(await self._answered())
        except PullFailed:
            return False

    def _count(self, name: str) -> None:
        now, failing = self._clock.monotonic(), self._failing[name]
        if now - failing.counted_at >= APART_SECONDS:
            self._failing[name] = _Failing(failing.tries + 1, now)


def _is_of_all(failed: PullFailed) -> bool:
    """It says something of the sender or of us, nothing of the thing."""
    return isinstance(failed, Throttled | Unauthorised)
