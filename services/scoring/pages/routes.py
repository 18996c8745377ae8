"""The pages' addresses: `/` for everybody on this machine, elsewhere for a key that may read metrics."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.scoring.asking import Scores
from services.scoring.pages.overview import gather, overview
from services.scoring.pages.rendering import Pages, files
from services.scoring.pages.wording import wording
from shared.access import is_loopback, requires
from shared.pages.files import file_answer
from shared.pages.language import Language, choose
from shared.pages.policy import page_headers

_with_key = requires("metrics:read")


async def may_look(request: Request) -> None:
    if not is_loopback(request.scope):
        await _with_key(request)


def routes(scores: Scores) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    static = files()
    pages = Pages(static)

    @router.get("/", dependencies=[Depends(may_look)])
    async def get_overview(request: Request, lang: Language | None = None) -> Response:
        words = wording(choose(lang, request.headers.get("accept-language", "")))
        page = overview(await gather(scores), words)
        headers = {**page_headers(), "Cache-Control": "no-store", "Content-Language": words.language}
        return HTMLResponse(pages.overview(page, words), headers=headers)

    @router.get("/static/{digest}/{name}")
    async def get_static_file(digest: str, name: str) -> Response:
        return file_answer(static, digest, name)

    return router
