"""`/sources/upload`: a file from a browser, for a key that may send events; effects come from these pages only.

Plain routes: a person is never answered in JSON.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.ingest.uploads.choosing import ANSWERS, example
from services.ingest.uploads.desk import MOST_BYTES, Desk, Refused
from services.ingest.uploads.folder import Upload
from services.ingest.uploads.page import Chosen
from services.ingest.uploads.receiving import Receiving
from services.ingest.uploads.rendering import ROOT, Pages, files
from services.ingest.uploads.wording import Wording, wording
from shared.access import AccessDenied, Principal
from shared.page_access import ASK, key_of, page_requires, refuse_other_pages
from shared.pages.files import file_answer
from shared.pages.language import Language, choose
from shared.pages.policy import page_headers

_SCOPE = "events:write"
LARGER_BODIES = {ROOT: MOST_BYTES + 1024 * 1024}  # the file, and what stands around it
# A browser says where a form comes from only to pages that let it.
_HEADERS = {
    **page_headers(scripts=True, forms=True, fetches=True),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}
_with_key = page_requires(_SCOPE)
_AT_FIRST = Chosen(ANSWERS)

Answer = Callable[[Request], Awaitable[Response]]
OfUpload = Callable[[Request, Upload, Wording], Awaitable[Response]]


def routes(desk: Desk, zone: ZoneInfo) -> APIRouter:
    found = _Routes(desk, zone)
    router = APIRouter()

    def add(path: str, answer: Answer, *methods: str) -> None:
        router.add_route(ROOT + path, answer, methods=list(methods), include_in_schema=False)

    add("/static/{digest}/{name}", found.file, "GET")
    add("/key", found.another_key, "GET")
    add("/example.csv", found.example, "GET")
    add("", found.start, "GET")
    add("", found.add, "POST")
    add("/{id}", found.of_upload(found.show), "GET")
    add("/{id}/errors.csv", found.of_upload(found.errors), "GET")
    add("/{id}/settings", found.of_upload(found.change), "POST")
    add("/{id}/start", found.of_upload(found.begin), "POST")
    add("/{id}/drop", found.of_upload(found.drop), "POST")
    return router


class _Routes:
    def __init__(self, desk: Desk, zone: ZoneInfo) -> None:
        self._desk = desk
        self._static = files()
        self._pages = Pages(self._static, zone)
        self._receiving = Receiving()

    async def file(self, request: Request) -> Response:
        return file_answer(self._static, request.path_params["digest"], request.path_params["name"])

    async def example(self, request: Request) -> Response:
        content = example(_say(request).language)
        headers = {**_HEADERS, "Content-Disposition": 'attachment; filename="petla-example.csv"'}
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    async def another_key(self, request: Request) -> Response:
        """Asks for a key until one comes that is not `other`'s and may do this."""
        try:
            if (await _with_key(request)).source != request.query_params.get("other"):
                return _to("", request)
        except AccessDenied:
            pass
        return _page(self._pages.denied(_say(request)), _say(request), 401, {"WWW-Authenticate": ASK})

    async def start(self, request: Request) -> Response:
        principal = await self._principal(request)
        if isinstance(principal, Response):
            return principal
        return await self._start(principal, _say(request), _AT_FIRST)

    async def add(self, request: Request) -> Response:
        principal = await self._principal(request)
        if isinstance(principal, Response):
            return principal
        fields: Mapping[str, str] = {}
        try:
            async with self._receiving.form(request) as sent:
                fields = sent.fields
                return _to(f"/{await self._desk.add(sent, principal.source)}", request)
        except Refused as refused:
            return await self._start(principal, _say(request), _filled(fields), refused)

    def of_upload(self, answer: OfUpload) -> Answer:
        """Of another sender there is none, and of none a page says why."""

        async def answered(request: Request) -> Response:
            principal = await self._principal(request)
            if isinstance(principal, Response):
                return principal
            upload = await self._desk.find(request.path_params["id"], principal.source)
            if upload is None:
                return _page(self._pages.gone(_say(request)), _say(request), 404)
            try:
                return await answer(request, upload, _say(request))
            except Refused as refused:
                return await self._upload(upload, _say(request), refused)

        return answered

    async def show(self, request: Request, upload: Upload, say: Wording) -> Response:
        return await self._upload(upload, say)

    async def change(self, request: Request, upload: Upload, say: Wording) -> Response:
        async with self._receiving.form(request) as sent:
            await self._desk.change(upload, sent.fields, sent.document)
        return _to(f"/{upload.id}", request)

    async def begin(self, request: Request, upload: Upload, say: Wording) -> Response:
        address = _address(request.scope)
        if address is None:
            raise Refused("no_address", 503)
        await self._desk.begin(upload, address, key_of(request))
        return _to(f"/{upload.id}", request)

    async def drop(self, request: Request, upload: Upload, say: Wording) -> Response:
        await self._desk.drop(upload)
        return _to("", request)

    async def errors(self, request: Request, upload: Upload, say: Wording) -> Response:
        content = await self._desk.rejected(upload)
        if content is None:
            return _page(self._pages.gone(say), say, 404)
        headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="petla-{upload.id[:6]}.errors.csv"'}
        return Response(content, headers=headers, media_type="text/csv; charset=utf-8")

    async def _principal(self, request: Request) -> Principal | Response:
        """AccessDenied for who is not known; who may not do this reads why."""
        try:
            principal = await _with_key(request)
        except AccessDenied as denied:
            if denied.status != 403:
                raise
            return _page(self._pages.denied(_say(request)), _say(request), 403)
        if request.method == "POST":
            refuse_other_pages(request)
        return principal

    async def _start(
        self, principal: Principal, say: Wording, filled: Chosen, refused: Refused | None = None
    ) -> Response:
        uploads = await self._desk.all(principal.source)
        why = refused.why if refused else ""
        html = self._pages.start(principal.source, uploads, self._desk.offered(), filled, say, why)
        return _page(html, say, refused.status if refused else 200)

    async def _upload(self, upload: Upload, say: Wording, refused: Refused | None = None) -> Response:
        own = await self._desk.own_document(upload)
        html = self._pages.upload(upload, own, self._desk.offered(), say, refused.why if refused else "")
        return _page(html, say, refused.status if refused else 200)


def _filled(fields: Mapping[str, str]) -> Chosen:
    names = ("encoding", "delimiter", "sheet")
    return Chosen(fields.get("document", ANSWERS), fields.get("yaml", ""), *(fields.get(name, "") for name in names))


def _page(html: str, say: Wording, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(html, status, {**_HEADERS, "Content-Language": say.language, **(more or {})})


def _to(path: str, request: Request) -> Response:
    """What was done is looked at with a GET, which may be repeated."""
    return RedirectResponse(f"{ROOT}{path}?lang={_say(request).language}", 303, _HEADERS)


def _say(request: Request) -> Wording:
    asked = request.query_params.get("lang")
    known: Language | None = "pl" if asked == "pl" else "en" if asked == "en" else None
    return wording(choose(known, request.headers.get("accept-language", "")))


def _address(scope: Mapping[str, Any]) -> str | None:
    """Where this very process answers, None for a socket that is no address."""
    host, port = scope.get("server") or ("", None)
    if not port:
        return None
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
