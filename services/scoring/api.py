"""The HTTP API of scoring: numbers, single answers, what was set aside, and whether it all adds up."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.scoring import examples
from services.scoring.asking import Scores
from services.scoring.metrics.definition import Definition
from services.scoring.metrics.registry import METRICS
from services.scoring.metrics.windows import WindowError
from services.scoring.question import FEEDBACK_DIMENSIONS, Question, ask, dimensions_of
from shared.access import requires
from shared.problems import Refusal, mistake, wrong_cursor
from shared.web import json_response

_Values = list[Annotated[str, StringConstraints(min_length=1, max_length=256)]]


class Asked(BaseModel):
    """The query of a metric; any dimension may stand beside these as a filter, repeated for either-or."""

    model_config = ConfigDict(extra="forbid")

    start: str | None = Field(None, alias="from", description="date in `tz`, or RFC 3339 time", examples=["2026-11-01"])
    end: str | None = Field(None, alias="to", description="half-open; default: the end of today")
    tz: str | None = Field(None, description="default: the deployment's time zone", examples=["Europe/Warsaw"])
    granularity: str | None = Field(None, description="day, week or month: adds `series`")
    group_by: str | None = Field(None, description="dimensions, separated by commas: adds `groups`")
    compare_to: str | None = Field(None, description="previous, or FROM..TO: adds `comparison`")
    confidence: float = 0.95
    journey_stage: _Values = []
    touchpoint: _Values = []
    channel: _Values = []
    product: _Values = []
    store: _Values = []
    agent: _Values = []
    team: _Values = []
    segment: _Values = []
    campaign: _Values = []
    survey_id: _Values = []
    language: _Values = []
    experiment: _Values = []
    variant: _Values = []
    source: _Values = []


def routes(scores: Scores) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(requires("metrics:read"))])
    _add_metrics(router, scores)
    _add_records(router, scores)
    return router


def _answers(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The answer", "content": {"application/json": {"example": example}}}}


def _add_metrics(router: APIRouter, scores: Scores) -> None:
    @router.get("/metrics", summary="What can be asked for", responses=_answers(examples.METRICS))
    async def list_metrics() -> dict[str, list[dict[str, Any]]]:
        listed = [
            {"metric": one.id, "formula": one.formula, "unit": one.unit, "dimensions": dimensions_of(one)}
            for one in METRICS.values()
        ]
        return {"items": listed}

    @router.get(
        "/metrics/{metric}",
        summary="One metric with n, interval and provenance",
        response_class=Response,
        responses=_answers(examples.METRIC),
    )
    async def get_metric(metric: str, asked: Annotated[Asked, Query()]) -> Response:
        """The value is null where nobody answered, or where scales are mixed; `reason` then says so."""
        definition = METRICS.get(metric)
        if definition is None:
            raise Refusal(404, "unknown_metric", f"there is no metric {metric[:100]!r}: see GET /v1/metrics")
        return json_response(await scores.answer(_question(definition, asked, scores)))


def _question(definition: Definition, asked: Asked, scores: Scores) -> Question:
    try:
        return ask(
            definition,
            start=asked.start,
            end=asked.end,
            timezone=asked.tz or scores.timezone,
            granularity=asked.granularity,
            group_by=asked.group_by,
            compare_to=asked.compare_to,
            confidence=asked.confidence,
            filters={name: values for name in FEEDBACK_DIMENSIONS if (values := getattr(asked, name))},
            now=scores.now(),
        )
    except WindowError as error:
        raise mistake(error.field, "invalid_question", error.message) from error


def _add_records(router: APIRouter, scores: Scores) -> None:
    @router.get("/feedback/{id}", summary="One answer as it stands", responses=_answers(examples.FEEDBACK))
    async def get_feedback(id: str) -> dict[str, Any]:  # noqa: A002 - the path's name
        """`id` is the one that POST /v1/events gave back; 404 until the answer has been scored."""
        known = _uuid(id)
        found = await scores.feedback(known) if known else None
        if found is None:
            raise Refusal(404, "not_found", "no answer with this id has been scored (yet)")
        return found

    @router.get(
        "/dead-letters", summary="Records set aside, and conflicting copies", responses=_answers(examples.DEAD_LETTERS)
    )
    async def list_dead_letters(
        kind: Annotated[str | None, Query(pattern="^(dead_letter|conflict)$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        try:
            return await scores.dead_letters(kind, limit, cursor)
        except ValueError as error:
            raise wrong_cursor() from error

    @router.get("/reconciliation", summary="Whether it all adds up", responses=_answers(examples.RECONCILIATION))
    async def get_reconciliation() -> dict[str, Any]:
        """`read = new + duplicates + conflicts + rejected`, and every detractor has a follow-up or a reason."""
        return await scores.reconciliation()


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
