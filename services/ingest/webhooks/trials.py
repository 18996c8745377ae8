"""`POST /v1/sources/{name}/deliveries/…/dry-run`: a kept delivery mapped again, with nothing becoming of it.

For a program it is JSON; for a browser that sends the form of the page `/sources` it is a page.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, Response

from services.ingest.webhooks import kept
from services.ingest.webhooks.explaining import Explanation, explain_again
from services.ingest.webhooks.kept import Kept, Place
from services.ingest.webhooks.registry import Sources
from services.ingest.webhooks.trial_texts import TEXTS
from shared.clock import Clock
from shared.erasure.requests import Requests
from shared.log.port import Log
from shared.page_access import page_requires
from shared.pages.files import file_answer, static_files, templates
from shared.pages.language import Language, choose
from shared.pages.policy import page_headers
from shared.problems import Refusal

_HERE = Path(__file__).parent
# Under the service's own name: `/static` on the shared port is another's.
_STATIC = "/ingest/static"
_Number = Annotated[int, InPath(ge=0, lt=2**63)]
_GONE = "this delivery is not kept: its body stays 30 days, and only where it was shown to be the sender's"
_EXAMPLE = {
    "source": "repairs",
    "version": 2,
    "verified": True,
    "verification_failed": None,
    "verification": [],
    "delivery": "9b1c7d20e4a5f3880c6d2e1f4a7b9c35",
    "outcome": "accepted",
    "reason": None,
    "rules": [
        {"rule": 1, "does": "feedback.received.v1", "holds": True, "events": 1, "errors": [], "ignored": []},
    ],
    "events": [
        {"specversion": "1.0", "type": "feedback.received.v1", "id": "4711-q1", "source": "/repairs", "revision": 2,
         "data": {"metric": "csat", "score": 2}},
    ],
    "errors": [],
}  # fmt: skip
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What would become of it",
        "content": {"application/json": {"example": _EXAMPLE}, "text/html": {}},
    }
}


def routes(sources: Sources, log: Log, topic: str, clock: Clock, requests: Requests) -> APIRouter:
    """`requests` are erasures: a log that others keep still has what a person left there, and it is not shown."""
    router = APIRouter(tags=["sources"])
    static = static_files(_HERE / "static")
    page = templates(_HERE / "templates", static, _STATIC).get_template("trial.html")

    async def get_file(request: Request) -> Response:
        return file_answer(static, request.path_params["digest"], request.path_params["name"])

    router.add_route("/static/{digest}/{name}", get_file, include_in_schema=False)

    @router.post(
        "/v1/sources/{name}/deliveries/{partition}/{offset}/dry-run",
        summary="What would become of a delivery that came, by the document of today",
        dependencies=[Depends(page_requires("admin"))],
        response_class=Response,
        responses=_ANSWERS,
    )
    async def try_again(
        request: Request,
        name: str,
        partition: _Number,
        offset: _Number,
        id: Annotated[str, Query(max_length=64, description="of the delivery, as `GET /v1/sources/{name}` has it")],  # noqa: A002
        lang: Language | None = None,
    ) -> Response:
        """`verified` is true without a step: it was when it came, and signatures are not kept. HTML where that is
        what the `Accept` header asks for.
        """
        source = sources.get(name, clock.now())
        found = await kept.find(log, topic, name, Place(partition, offset, id)) if source else None
        told = None
        if source and found:
            explained = await asyncio.to_thread(explain_again, source.document, found.request, found.arrival)
            told = None if _is_erased(explained, found, requests) else explained
        if "text/html" not in request.headers.get("accept", ""):
            return _json(told)
        language = choose(lang, request.headers.get("accept-language", ""))
        html = page.render(language=language, say=TEXTS[language], name=name, **_model(told, found))
        headers = {**page_headers(), "Cache-Control": "no-store", "Content-Language": language}
        return HTMLResponse(html, 200 if told else 404, headers)

    return router


def _is_erased(told: Explanation, found: Kept, requests: Requests) -> bool:
    named = {event["data"].get("customer") for event in told.events} - {None}
    asked = [request for customer in named if (request := requests.find(str(customer)))]
    return any(found.arrival <= request.at for request in asked)


def _json(told: Explanation | None) -> Response:
    if told is None:
        raise Refusal(404, "not_kept", _GONE)
    return Response(msgspec.json.encode(told), media_type="application/json")


def _model(told: Explanation | None, found: Kept | None) -> dict[str, Any]:
    events = (
        [msgspec.json.format(msgspec.json.encode(event), indent=1).decode() for event in told.events] if told else []
    )
    return {"told": told, "found": found, "events": events}
