"""A customer who takes back the consent to be asked is not asked: ingest is told, by hash, on `petla.config`.

What is to be told is settled in the transaction that takes the facts; telling it waits for the log, and so does not.
"""

from collections.abc import Collection
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store import customers, survey_refusals
from shared.db import Database
from shared.no_survey import SurveyRefusals

_AT_ONCE = 50
_CUSTOMERS_AT_ONCE = 1_000


async def note(told: Collection[str], refusals: SurveyRefusals, tx: AsyncConnection) -> None:
    """`told` are customers of whose consent something new is known."""
    places = {customer: refusals.place(customer) for customer in told}
    await survey_refusals.touch({place.bucket for place in places.values()}, refusals.fingerprint, tx)
    refusing = await customers.refusing(told, tx, "survey")
    await survey_refusals.note(places, refusing, refusals.fingerprint, tx)


class Telling:
    """Asked again after a kill it says the same, which is then not said again."""

    def __init__(self, db: Database, refusals: SurveyRefusals) -> None:
        self._db = db
        self._refusals = refusals
        self._is_known = False

    async def run_once(self) -> int:
        """How many records were told. `LogUnavailable` leaves the rest for later."""
        if not self._is_known:
            await self._look_at_everybody()
        key, token = self._refusals.fingerprint, uuid4()
        async with self._db.transaction() as tx:
            claimed = await survey_refusals.claim(key, token, _AT_ONCE, tx)
        for due in claimed:
            await self._refusals.tell(due.bucket, due.hashes)
            async with self._db.transaction() as tx:
                await survey_refusals.told(due, key, token, tx)
        return len(claimed)

    async def _look_at_everybody(self) -> None:
        """Once for each secret: customers who are known from before, and records that another secret wrote."""
        key = self._refusals.fingerprint
        async with self._db.snapshot() as tx:
            self._is_known = await survey_refusals.is_known(key, tx)
        last, found = "", not self._is_known
        while found:
            async with self._db.transaction() as tx:
                page = await survey_refusals.customers(last, _CUSTOMERS_AT_ONCE, tx)
                await note(page, self._refusals, tx)
            last, found = page[-1] if page else last, bool(page)
        async with self._db.transaction() as tx:
            await survey_refusals.touch(self._refusals.foreign(), key, tx)
            await survey_refusals.know(key, tx)
        self._is_known = True
