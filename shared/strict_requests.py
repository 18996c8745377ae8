"""What every API refuses before its own models see it: parameters nobody declared, text that no database keeps."""

import re

import msgspec
from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Cookie, Header, Path
from fastapi.routing import APIRoute

from shared.problems import Refusal

_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


async def refuse_unknown_parameters(request: Request) -> None:
    """A misspelt filter would silently answer another question."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    elsewhere = (Path, Header, Cookie)  # what is left is a query parameter, or a field of a model of them
    known = {item.alias for item in get_flat_params(route.dependant) if not isinstance(item.field_info, elsewhere)}
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        raise Refusal(422, "unknown_parameter", _unknown(unknown, sorted(known)), [_error(unknown)])


async def refuse_unusable_text(request: Request) -> None:
    """NUL and half of a surrogate pair pass every model of Pydantic, and then fail in the database as a 500."""
    for name, value in (*request.query_params.multi_items(), *request.path_params.items()):
        if "\0" in str(value):
            raise _unusable(name)
    if "json" in request.headers.get("content-type", "") and not _is_usable(await request.body()):
        raise _unusable("body")


def _is_usable(body: bytes) -> bool:
    if b"\\u" not in body:
        return True
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return _NUL_IN_JSON.search(body) is None


def _unusable(field: str) -> Refusal:
    message = "holds NUL or half of a surrogate pair: remove it"
    error = {"field": field[:100], "code": "unusable_text", "message": message}
    return Refusal(422, "unusable_text", f"{field[:100]}: {message}", [error])


def _unknown(name: str, known: list[str]) -> str:
    return f"there is no parameter {name[:100]!r} here; " + (
        f"known are {', '.join(known)}" if known else "none is known"
    )


def _error(name: str) -> dict[str, str]:
    return {"field": name[:100], "code": "unknown_parameter", "message": "leave it out, or correct its name"}
