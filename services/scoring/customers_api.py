"""What scoring knows of one customer, for whoever answers that person's question. Admin only."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from services.scoring.asking import Scores
from shared.access import requires
from shared.problems import wrong_cursor


def routes(scores: Scores) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(requires("admin"))])

    @router.get("/customers/{customer:path}/facts", summary="Every fact of a customer")
    async def get_facts(
        customer: str,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        """Every revision that names the customer, or names nobody and belongs to their orders and contacts; oldest
        first. An erased customer has none.
        """
        try:
            return await scores.facts_of(customer, limit, cursor)
        except LookupError as error:
            raise wrong_cursor() from error

    return router
