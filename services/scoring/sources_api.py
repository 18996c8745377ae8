"""`GET /v1/sources…`: what came in, source by source. What changes a source is asked of ingest."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from services.scoring import examples
from services.scoring.sources import Sources, Window
from shared.access import requires
from shared.problems import Refusal, mistake

_MOST_DAYS = timedelta(days=3660)


def _day(text: str) -> date:
    """Pydantic would read `0` as a day of 1970, and would drop the hours of a time."""
    try:
        day = date.fromisoformat(text)
        if day.isoformat() == text:
            return day
    except ValueError:
        pass
    raise PydanticCustomError("not_a_date", "must be a date as 2026-11-14")


_Day = Annotated[
    Annotated[date, BeforeValidator(_day)] | None, Query(description="a day in PETLA_TIMEZONE", examples=["2026-11-14"])
]


def routes(sources: Sources) -> APIRouter:
    router = APIRouter(prefix="/v1/sources", dependencies=[Depends(requires("metrics:read"))])
    asked = window_of(sources)

    @router.get("", summary="How each source is doing", responses=_answers(examples.SOURCES))
    async def list_sources(window: Annotated[Window, Depends(asked)]) -> dict[str, Any]:
        """Each delivery counts once: `received = accepted + duplicates + conflicts + Σ ignored + Σ rejected`.

        `incomplete` are those among them of which an item made no event. `state`: `waiting` (nothing ever came),
        `silent` (nothing for 24 h), `failing` (of the newest, 5 % or more at fault in 24 h), `receiving`.
        """
        return await sources.all(window)

    @router.get("/{name}", summary="One source, day by day", responses=_answers(examples.SOURCE))
    async def get_source(name: str, window: Annotated[Window, Depends(asked)]) -> dict[str, Any]:
        """With its newest 100 deliveries. `kept`: its body is on the log (30 days), so that it can be tried again."""
        found = await sources.one(name, window)
        if found is None:
            raise Refusal(404, "unknown_source", "nothing came from a source of this name, and nobody added one")
        return found

    return router


def window_of(sources: Sources) -> Callable[..., Window]:
    """The days that are asked for."""

    def window(
        start: Annotated[_Day, Query(alias="from")] = None, end: Annotated[_Day, Query(alias="to")] = None
    ) -> Window:
        try:
            asked = sources.window(start, end)
            too_long = asked.end - asked.first > _MOST_DAYS
        except (ValueError, OverflowError) as error:
            raise mistake("from", "invalid_window", "must lie before `to`") from error
        if too_long:
            raise mistake("from", "invalid_window", "ask for ten years at the most")
        return asked

    return window


def _answers(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The answer", "content": {"application/json": {"example": example}}}}
