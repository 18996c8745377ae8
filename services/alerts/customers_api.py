"""A customer's rights: everything alerts knows of them, and their erasure everywhere. Admin only."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.alerts import histories
from services.alerts.bodies import Name
from shared.access import requires
from shared.clock import Clock
from shared.db import Database
from shared.erasure.receipts import Receipts
from shared.erasure.requests import Requests
from shared.problems import Refusal, wrong_cursor
from shared.web import json_response

_ADMIN = [Depends(requires("admin"))]


def routes(db: Database, requests: Requests, receipts: Receipts, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=_ADMIN)
    _add_history(router, db)
    _add_erasure(router, requests, receipts, clock)
    return router


def _add_history(router: APIRouter, db: Database) -> None:
    @router.get("/customers/{customer:path}/history", summary="Everything alerts knows of a customer")
    async def get_history(
        customer: Name,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        """Whom to call, what happened, answers, follow-ups with every step, and who was told of them; oldest first."""
        async with db.snapshot() as tx:
            known = await histories.read(customer, tx)
        try:
            return known.page(limit, cursor)
        except LookupError as error:
            raise wrong_cursor() from error


def _add_erasure(router: APIRouter, requests: Requests, receipts: Receipts, clock: Clock) -> None:
    @router.post("/customers/{customer:path}/erase", summary="Erase a customer everywhere", status_code=202)
    async def erase(customer: Name) -> Response:
        """Returns when it is on the log: within a minute nothing of ours says who it was. The receipt grows with what
        is done; asked again, it counts from then on.
        """
        request = await requests.ask(customer, clock.now())
        return json_response(receipts.receipt(request), 202)

    @router.get("/customers/{customer:path}/erasure", summary="The signed receipt of an erasure")
    async def get_erasure(customer: Name) -> Response:
        request = requests.find(customer)
        if request is None:
            raise Refusal(404, "not_found", "nobody has asked to erase this customer")
        return json_response(receipts.receipt(request))
