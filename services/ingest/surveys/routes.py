"""The addresses of surveys: the page under /s/ for whoever has the link, /v1/surveys/links for a key that sends events.

Pages are plain routes: mail tools add parameters of their own, and a customer is never answered in JSON.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.ingest.body import Disconnected
from services.ingest.surveys.answering import Answered, Answering, Visit
from services.ingest.surveys.links import LinkBody, LinkMade, Links
from services.ingest.surveys.page import Closed
from services.ingest.surveys.rendering import Brand, Pages, files
from shared.access import Principal, requires
from shared.pages.files import file_answer
from shared.pages.policy import page_headers
from shared.problems import internal_error
from shared.tracing import Tracing

_HEADERS = {**page_headers(scripts=True, forms=True), "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
_ID_BYTES = 12


def pages(answering: Answering, brand: Brand, tracing: Tracing) -> APIRouter:
    router = APIRouter()
    static = files(brand)
    rendered = Pages(brand, static)

    async def get_file(request: Request) -> Response:
        return file_answer(static, request.path_params["digest"], request.path_params["name"])

    async def open_survey(request: Request) -> Response:
        return _response(answering.opened(_visit(request)), rendered, request)

    async def answer_survey(request: Request) -> Response:
        span = tracing.start("POST /s", "server", caused_by=request.headers.get("traceparent") if tracing.on else None)
        visit = _visit(request, span.traceparent)
        try:
            answered = await answering.answered(visit, dict(request.scope["headers"]), request.receive)
        except Disconnected:
            span.end(failed=True)
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            internal_error(error)
            answered = answering.failed(visit)
        span.end({"http.response.status_code": answered.status}, failed=answered.status >= 500)
        return _response(answered, rendered, request)

    router.add_route("/s/static/{digest}/{name}", get_file, include_in_schema=False)
    router.add_route("/s/{token:path}", open_survey, include_in_schema=False)
    router.add_route("/s/{token:path}", answer_survey, methods=["POST"], include_in_schema=False)
    return router


def _visit(request: Request, traceparent: str | None = None) -> Visit:
    return Visit(
        token=request.path_params["token"],
        asked=request.query_params.get("lang", ""),
        accept_language=request.headers.get("accept-language", ""),
        score=request.query_params.get("score", ""),
        traceparent=traceparent,
    )


def _response(answered: Answered, rendered: Pages, request: Request) -> Response:
    headers = {**_HEADERS, "Content-Language": answered.say.language}
    if answered.retry is not None:
        headers["Retry-After"] = str(answered.retry)
    if isinstance(answered.page, Closed):
        headers["Content-Language"] = ", ".join(say.language for say in answered.page.wordings)
        return HTMLResponse(rendered.closed(answered.page), answered.status, headers)
    other = _in_the_other_language(answered) if request.method == "GET" else None
    return HTMLResponse(rendered.survey(answered.page, answered.say, other), answered.status, headers)


def _in_the_other_language(answered: Answered) -> str:
    assert not isinstance(answered.page, Closed)
    score = answered.page.filled.score
    return f"?lang={'en' if answered.say.language == 'pl' else 'pl'}{'' if score is None else f'&score={score}'}"


def api(links: Links) -> APIRouter:
    router = APIRouter(prefix="/v1/surveys")

    @router.post("/links", status_code=201, summary="Make a survey's link")
    async def make_link(
        body: LinkBody, request: Request, principal: Annotated[Principal, Depends(requires("events:write"))]
    ) -> LinkMade:
        """A link for one customer and one question, to send as you like; the invitation becomes an event.

        Append `?score=9` to it for each score of an e-mail. What is answered first counts until it is answered again.
        """
        return await links.make(body, principal.source, str(request.base_url))

    return router
