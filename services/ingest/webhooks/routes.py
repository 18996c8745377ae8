"""`/v1/sources…`, as far as it changes something or tries something out; what came in is asked of scoring."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from services.ingest.mapping import MappingError
from services.ingest.webhooks.administration import Administration, SourceRefusedError, Wanted
from services.ingest.webhooks.bodies import MAX_BODY_BYTES
from services.ingest.webhooks.document import SourceDocument, compile_source
from services.ingest.webhooks.explaining import explain
from services.ingest.webhooks.registry import Source, Sources
from services.ingest.webhooks.request import Request
from shared.access import requires
from shared.clock import Clock
from shared.events.catalogue import ACCEPTED_TYPES
from shared.problems import Refusal, mistake

_STATUS = {"unknown_source": 404, "too_many_versions": 409}
_YAML = Annotated[str | None, Field(max_length=256 * 1024, description="the document, YAML")]
_LIKE = Annotated[str | None, Field(max_length=63, description="a built-in source whose document this one has")]
_SECRET = Annotated[str | None, Field(min_length=1, max_length=10_000)]
_ADMIN = [Depends(requires("admin"))]


def _model(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra={"example": example})


class Given(BaseModel):
    """What a source is to be; nothing but a secret sets up a built-in one."""

    model_config = _model({"secret": "whsec_…"})

    document: _YAML = None
    like: _LIKE = None
    secret: _SECRET = None

    def wanted(self) -> Wanted:
        if self.document is not None and self.like is not None:
            raise mistake("like", "document_or_like", "leave it out, or the document: not both")
        return Wanted(self.document, self.like, self.secret)


class GivenWithName(Given):
    model_config = _model({"name": "crm", "like": "standard-webhooks", "secret": "whsec_…"})

    name: Annotated[str, Field(max_length=63)]


class GivenSecret(BaseModel):
    """Without one, it is made here, where the sender lets you choose it."""

    model_config = _model({"secret": "whsec_…"})

    secret: _SECRET = None


class Tried(BaseModel):
    """A delivery to try: its body as text, or in base64. `document` stands in place of the source's own."""

    model_config = _model({"headers": {"X-Shopify-Topic": "orders/create"}, "body": '{"id": 1}'})

    headers: dict[str, str] = {}
    body: Annotated[str | None, Field(max_length=MAX_BODY_BYTES)] = None
    body_base64: Annotated[str | None, Field(max_length=MAX_BODY_BYTES * 4 // 3 + 4)] = None
    url: Annotated[str | None, Field(max_length=2_000)] = None
    document: _YAML = None

    def content(self) -> bytes:
        if self.body_base64 is None:
            return (self.body or "").encode()
        try:
            return base64.b64decode(self.body_base64, validate=True)
        except (binascii.Error, ValueError):
            raise mistake("body_base64", "not_base64", "is not base64: encode it again, or use `body`") from None


class Shown(BaseModel):
    """A source as it is in force. `secret` is one that was made now, and is not shown again."""

    name: str
    address: str
    origin: str
    version: int
    secrets: int
    about: str
    secret: str | None = None


def routes(administration: Administration, sources: Sources, clock: Clock, public_url: str | None) -> APIRouter:
    router = APIRouter(prefix="/v1/sources", dependencies=_ADMIN, tags=["sources"])

    def shown(source: Source, secret: str | None = None) -> Shown:
        name = source.document.name
        return Shown(
            name=name,
            address=f"{public_url or ''}/webhooks/{name}",
            origin=source.origin,
            version=source.document.version,
            secrets=source.secrets,
            about=source.document.about,
            secret=secret,
        )

    @router.post("", status_code=201, summary="Add a source")
    async def add(given: GivenWithName) -> Shown:
        now = clock.now()
        found = sources.get(given.name, now)
        if found is not None and found.origin == "api":
            raise Refusal(409, "exists", f"there is a source {given.name} already: PUT changes it")
        return shown(await _done(administration.put(given.name, given.wanted(), now)))

    @router.put("/{name}", summary="Add or change a source")
    async def put(name: str, given: Given) -> Shown:
        return shown(await _done(administration.put(name, given.wanted(), clock.now())))

    @router.delete("/{name}", status_code=204, summary="Remove what was added")
    async def remove(name: str) -> None:
        await _done(administration.remove(name, clock.now()))

    @router.post("/{name}/rotate", summary="Give a source another secret; the one before holds for two days more")
    async def rotate(name: str, given: GivenSecret) -> Shown:
        source, made = await _done(administration.rotate(name, given.secret, clock.now()))
        return shown(source, made)

    @router.post("/{name}/dry-run", summary="What would become of a delivery")
    async def dry_run(name: str, tried: Tried) -> Response:
        return await _dry_run(sources, _request(name, tried, public_url), name, tried.document, clock.now())

    return router


async def _dry_run(sources: Sources, request: Request, name: str, text: str | None, now: datetime) -> Response:
    source = sources.get(name, now)
    if source is None:
        raise Refusal(404, "unknown_source", "there is no source of this name")
    document, verifier = source.document, source.verifier
    if text is not None:
        document = await asyncio.to_thread(_tried_document, text, document)
        verifier = sources.verifier(document, now)
    told = await asyncio.to_thread(explain, document, verifier, request, now)
    return Response(msgspec.json.encode(told), media_type="application/json")


def _request(name: str, tried: Tried, public_url: str | None) -> Request:
    url = tried.url or f"{public_url or 'http://localhost'}/webhooks/{name}"
    return Request("POST", url, lower_names(tried.headers), tried.content())


def lower_names(headers: Mapping[str, str]) -> dict[str, str]:
    return {key.strip().lower(): value.strip() for key, value in headers.items()}


def _tried_document(text: str, current: SourceDocument) -> SourceDocument:
    try:
        return compile_source(text, "document", ACCEPTED_TYPES).named(current.name, None)
    except MappingError as error:
        raise _refusal(SourceRefusedError("invalid_document", error.reason, error.line)) from None


async def _done(work: Any) -> Any:
    try:
        return await work
    except SourceRefusedError as error:
        raise _refusal(error) from None


def _refusal(error: SourceRefusedError) -> Refusal:
    status = _STATUS.get(error.code, 422)
    if error.line is None:
        return Refusal(status, error.code, str(error))
    message = f"line {error.line}: {error}"
    return Refusal(
        status, error.code, message, [{"field": f"document:{error.line}", "code": error.code, "message": str(error)}]
    )
