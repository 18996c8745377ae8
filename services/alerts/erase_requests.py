"""Erasures that senders asked for go on `petla.config`, outside of any transaction; asked again, nothing changes."""

from services.alerts.store import erase_requests
from shared.db import Database
from shared.erasure.requests import Requests


class EraseRequests:
    def __init__(self, db: Database, requests: Requests) -> None:
        self._db = db
        self._requests = requests

    async def run_once(self) -> int:
        """How many were passed on. Who is killed in between asks again, which the newest request absorbs."""
        async with self._db.snapshot() as tx:
            waiting = await erase_requests.waiting(tx)
        for one in waiting:
            found = self._requests.find(one.customer)
            if found is None or found.at < one.received_at:
                await self._requests.ask(one.customer, one.received_at)
            async with self._db.transaction() as tx:
                await erase_requests.forget(one.id, tx)
        return len(waiting)
