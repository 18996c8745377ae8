"""Without its database alerts can answer nothing: 503, and when to ask again."""

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from shared.db import is_transient
from shared.problems import problem

_RETRY_AFTER_SECONDS = 1


def answer_outages(app: Starlette) -> None:
    """What may succeed a moment later is no internal error."""

    async def on_error(request: Request, error: Exception) -> Response:
        if not is_transient(error):
            raise error
        headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
        return problem(503, "unavailable", "the database does not answer at the moment: try again", headers=headers)

    for kind in (SQLAlchemyError, OSError):
        app.add_exception_handler(kind, on_error)
