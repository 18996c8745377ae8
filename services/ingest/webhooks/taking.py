"""Verified deliveries judged and kept. Whoever is answered 2xx has its events and its record on the log.

Those that come within a turn of the event loop are handled stage by stage and go to the log with one append: each stage
finds its code and its data where the processor is fastest, and what an append costs is shared.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response

from services.ingest.keeping import Keeping
from services.ingest.webhooks.judging import Delivered, Judgement, judge_all
from services.ingest.webhooks.records import received_of, record
from services.ingest.webhooks.registry import Source
from services.ingest.webhooks.request import Request
from shared.clock import Clock
from shared.log.port import LogUnavailable
from shared.problems import problem

# So many at the most: the others' requests wait for them, and their bodies should fit into a processor's own memory.
_TOGETHER = 32
# A larger body is mapped beside the others' requests, which do not wait for it.
_MAPPED_ASIDE_BYTES = 32 * 1024


class Taken(NamedTuple):
    judgement: Judgement
    response: Response


class _Waiting(NamedTuple):
    source: Source
    request: Request
    traceparent: str | None
    done: "asyncio.Future[Taken]"


class Taking:
    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self._keeping = keeping
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def take(self, source: Source, request: Request, traceparent: str | None) -> "asyncio.Future[Taken]":
        """Done when the log has acknowledged; raises what its `append` raises."""
        loop = asyncio.get_running_loop()
        one = _Waiting(source, request, traceparent, loop.create_future())
        if len(request.body) > _MAPPED_ASIDE_BYTES:
            self._begin([one])
        else:
            if not self._waiting:
                loop.call_soon(self._begin_all)
            self._waiting.append(one)
        return one.done

    def _begin_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for first in range(0, len(waiting), _TOGETHER):
            self._begin(waiting[first : first + _TOGETHER])

    def _begin(self, some: Sequence[_Waiting]) -> None:
        task = asyncio.get_running_loop().create_task(self._take(some))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _take(self, some: Sequence[_Waiting]) -> None:
        try:
            taken = await self._taken(some)
        except Exception as error:  # whatever it is: those who wait for an answer must get one
            if len(some) > 1 and not isinstance(error, LogUnavailable):
                for one in some:  # it is one of them, and not the others' fault
                    await self._take([one])
                return
            for one in some:
                if not one.done.done():
                    one.done.set_exception(error)
            return
        for one, answer in zip(some, taken, strict=True):
            if not one.done.done():  # the sender may have gone
                one.done.set_result(answer)

    async def _taken(self, some: Sequence[_Waiting]) -> list[Taken]:
        arrival = self._clock.now()
        delivered = [Delivered(one.source.document, one.request, arrival, one.traceparent) for one in some]
        if len(some) == 1 and len(some[0].request.body) > _MAPPED_ASIDE_BYTES:
            judgements = await asyncio.to_thread(judge_all, delivered)
        else:
            judgements = judge_all(delivered)
        taken = [
            Taken(judgement, one.source.answer if judgement.readable else _unreadable(judgement))
            for one, judgement in zip(some, judgements, strict=True)
        ]
        kept = [
            received_of(one.source, one.request, judgement, response.status_code)
            for one, (judgement, response) in zip(some, taken, strict=True)
        ]
        records = [record(told, arrival, traceparent=one.traceparent) for one, told in zip(some, kept, strict=True)]
        await self._keeping.keep([made.admitted for judgement in judgements for made in judgement.made], records)
        return taken


def _unreadable(judgement: Judgement) -> Response:
    code = next(iter(judgement.errors))
    return problem(400, code, judgement.mistakes[0])
