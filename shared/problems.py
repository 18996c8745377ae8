"""Every refusal is `application/problem+json` that says what to change; it never repeats what was sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from shared.access import AccessDenied
from shared.logs import failure

MEDIA_TYPE = "application/problem+json"

_TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["title", "status", "code", "detail"],
    "properties": {
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {"index": {"type": "integer"}, "field": _TEXT, "code": _TEXT, "message": _TEXT},
            },
        },
    },
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
    for status, description in (("4XX", "Refused; `detail` says what to change"), ("5XX", "Not possible at the moment"))
}

_TITLES = {413: "Content too large", 422: "Invalid request"}  # the library's differ from one Python to the next
_PLAIN = {  # what the framework itself refuses, in our words
    400: ("bad_request", "the body cannot be read: send JSON in UTF-8"),
    404: ("not_found", "there is nothing at this path"),
    405: ("method_not_allowed", "this path does not take that method; the header Allow names those it takes"),
}
_RETRY_AFTER_SECONDS = 1
_NOT_KNOWN_SECONDS = 5
_log = structlog.get_logger(__name__)


class Refusal(HTTPException):
    """Raised anywhere in an API to answer `problem(...)` with the same arguments."""

    # FastAPI lets an HTTPException through where any other error while it reads a body becomes its own 400.

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, detail)
        self.code = code
        self.response = problem(status, code, detail, errors, **more)


def mistake(field: str, code: str, message: str) -> Refusal:
    """422 for one field or parameter; `message` goes on from its name."""
    return Refusal(422, code, f"{field}: {message}", [{"field": field, "code": code, "message": message}])


def wrong_cursor() -> Refusal:
    return mistake("cursor", "invalid_cursor", "send `next_cursor` of the page before as it came, or leave it out")


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, Any]] | None = None,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> Response:
    """`extra` members stand beside the others (`current` of a 409)."""
    body: dict[str, Any] = {"title": title or _title(status), "status": status, "code": code, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return Response(msgspec.json.encode(body | extra), status, headers, MEDIA_TYPE)


def _title(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def access_denied(denied: AccessDenied) -> Response:
    headers = {401: {"WWW-Authenticate": denied.challenge}, 503: {"Retry-After": str(_NOT_KNOWN_SECONDS)}}
    return problem(denied.status, denied.code, denied.detail, headers=headers.get(denied.status))


def internal_error(error: Exception) -> Response:
    """Log what happened and answer 500 without a word about it."""
    _log.error("request_failed", **failure(error))
    return problem(500, "internal_error", "something went wrong here; the log of the service says what")


def unavailable(error: Exception) -> Response:
    """503 for what the service cannot answer without and does not reach at the moment."""
    _log.warning("request_not_possible", **failure(error))
    headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
    return problem(
        503, "unavailable", "the database or the log does not answer at the moment: try again", headers=headers
    )


def add_handlers(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def on_refusal(request: Request, error: Refusal) -> Response:
        return error.response

    @app.exception_handler(AccessDenied)
    async def on_access_denied(request: Request, error: AccessDenied) -> Response:
        return access_denied(error)

    @app.exception_handler(HTTPException)
    async def on_http_exception(request: Request, error: HTTPException) -> Response:
        code, detail = _PLAIN.get(error.status_code, (f"http_{error.status_code}", str(error.detail)))
        return problem(error.status_code, code, detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
        return invalid_request(error)


def invalid_request(error: RequestValidationError) -> Response:
    """400 when the body is no JSON, else 422 with a field, a code and a message for each mistake."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem(400, "not_json", "the body is not JSON")
    errors = [{"field": _field(item["loc"]), "code": item["type"], "message": item["msg"]} for item in found]
    return problem(422, "invalid_request", f"{errors[0]['field']}: {errors[0]['message']}", errors)


def _field(location: Sequence[int | str]) -> str:
    """The path without where it was found (body, query)."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])
