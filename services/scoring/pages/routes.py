"""The pages' addresses: for a key that may read metrics, and `/` for everybody on this machine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.scoring.asking import Scores
from services.scoring.pages.overview import gather, overview
from services.scoring.pages.rendering import Pages, files
from services.scoring.pages.sources import first_to_show, sources_page
from services.scoring.pages.wording import wording
from services.scoring.sources import Sources
from shared.access import is_loopback
from shared.page_access import page_requires
from shared.pages.files import file_answer
from shared.pages.language import Language, choose
from shared.pages.policy import page_headers

_with_key = page_requires("metrics:read")


async def may_look(request: Request) -> None:
    if not is_loopback(request.scope):
        await _with_key(request)


def routes(scores: Scores, sources: Sources) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    static = files()
    pages = Pages(static)

    @router.get("/", dependencies=[Depends(may_look)])
    async def get_overview(request: Request, lang: Language | None = None) -> Response:
        words = wording(choose(lang, request.headers.get("accept-language", "")))
        page = overview(await gather(scores), words)
        headers = {**page_headers(), "Cache-Control": "no-store", "Content-Language": words.language}
        return HTMLResponse(pages.overview(page, words), headers=headers)

    @router.get("/sources", dependencies=[Depends(_with_key)])
    async def get_sources(
        request: Request, source: Annotated[str | None, Query(max_length=256)] = None, lang: Language | None = None
    ) -> Response:
        """Without `source`, one that needs looking at is shown; of one that nobody knows, nothing."""
        words = wording(choose(lang, request.headers.get("accept-language", "")))
        window = sources.window(None, None)
        every = await sources.all(window)
        name = source or first_to_show(every["items"])
        one = await sources.one(name, window) if name else None
        html = pages.sources(sources_page(every, one, sources.now(), words), words)
        headers = {**page_headers(forms=True), "Cache-Control": "no-store", "Content-Language": words.language}
        return HTMLResponse(html, headers=headers)

    @router.get("/static/{digest}/{name}")
    async def get_static_file(digest: str, name: str) -> Response:
        return file_answer(static, digest, name)

    return router
