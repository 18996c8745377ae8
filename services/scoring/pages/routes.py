"""The pages' addresses: `/` for everybody on this machine, elsewhere for a key that may read metrics."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.scoring.asking import Scores
from services.scoring.pages.language import Language, choose
from services.scoring.pages.overview import gather, overview
from services.scoring.pages.rendering import Pages, static_files
from services.scoring.pages.wording import wording
from shared.access import is_loopback, requires
from shared.problems import Refusal

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_KEPT = "no-cache"
_with_key = requires("metrics:read")


async def may_look(request: Request) -> None:
    if not is_loopback(request.scope):
        await _with_key(request)


def routes(scores: Scores) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    files = static_files()
    pages = Pages(files)

    @router.get("/", dependencies=[Depends(may_look)])
    async def get_overview(request: Request, lang: Language | None = None) -> Response:
        words = wording(choose(lang, request.headers.get("accept-language", "")))
        page = overview(await gather(scores), words)
        headers = {**_SECURITY, "Cache-Control": "no-store", "Content-Language": words.language}
        return HTMLResponse(pages.overview(page, words), headers=headers)

    @router.get("/static/{digest}/{name}")
    async def get_static_file(digest: str, name: str) -> Response:
        file = files.get(name)
        if file is None:
            raise Refusal(404, "not_found", "there is no such file: the page that named it is of another version")
        # A page that another version made still gets its looks, but nobody keeps them under that address.
        kept = _FOR_EVER if digest == file.digest else _NOT_KEPT
        return Response(file.content, media_type=file.media_type, headers={**_SECURITY, "Cache-Control": kept})

    return router
