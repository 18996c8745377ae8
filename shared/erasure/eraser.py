"""Erases in one service whoever is to be erased there, and says so: rows at once, then what is left of them on disks.

Every step can be done again: who is killed in between goes on at the next start, and a database that was restored from
a backup is brought to what was erased since, because it does not know of it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.db import Database
from shared.erasure import letters, rows
from shared.erasure.belongings import Belongings
from shared.erasure.marks import Marks
from shared.erasure.requests import STORES, Report, Request, Requests
from shared.erasure.rows import Done

_LETTERS_EVERY_SECONDS = 15.0
_LATE_EVERY_SECONDS = 300.0
_log = structlog.get_logger(__name__)


class Swept(NamedTuple):
    """How many rows lost something, what belonged to the person, and what they were known by."""

    rows: int
    belongings: Belongings
    marks: Sequence[str | None]


class Store(Protocol):
    """What a service keeps of persons."""

    name: str

    async def sweep(self, customer: str, at: datetime, tx: AsyncConnection) -> Swept:
        """Takes the person out of everything that happened or arrived until `at`, and is theirs."""
        ...

    def customers(self, tx: AsyncConnection) -> AsyncIterator[str]:
        """Everybody who is named, each at least once: for a request that does not hold the name any more."""
        ...


class Disks(Protocol):
    """What keeps what was there before."""

    async def rewrite_log(self, marks: Marks) -> None: ...

    async def rewrite_files(self) -> list[str]:
        """Of the database; a sentence for each thing that was left."""
        ...


class Eraser:
    def __init__(self, requests: Requests, db: Database, store: Store, disks: Disks, clock: Clock) -> None:
        self._requests = requests
        self._db = db
        self._store = store
        self._disks = disks
        self._clock = clock
        self._done: dict[bytes, Done] | None = None
        self._marks: list[str | None] = []
        self._letters_due = 0.0
        self._late_due = 0.0
        self._warned = False

    async def run_once(self) -> int:
        """Everything that is to be done at the moment; the number of persons."""
        self._warn_of_another_secret()
        requests = {bytes.fromhex(request.hash): request for request in self._requests.all()}
        if not requests:
            return 0
        if self._done is None:
            await self._look()
        pending = {digest: one for digest, one in requests.items() if not self._is_done(digest, one)}
        if pending:
            await self._sweep(pending)
        await self._empty_letters()
        for digest, request in requests.items():
            await self._report(digest, request)
        await self._remove_traces(requests)
        await self._remove_late_copies()
        for request in requests.values():
            await self._forget_name(request)
        return len(pending)

    def _warn_of_another_secret(self) -> None:
        """Once: it does not end by itself, and everything else goes on."""
        if self._requests.foreign and not self._warned:
            _log.warning("erasures_of_another_secret", count=self._requests.foreign)
            self._warned = True

    async def _look(self) -> None:
        async with self._db.snapshot() as tx:
            self._done = await rows.customers(tx)

    def _is_done(self, digest: bytes, request: Request) -> bool:
        done = (self._done or {}).get(digest)
        return done is not None and done.at >= request.at

    async def _sweep(self, pending: Mapping[bytes, Request]) -> None:
        names = {digest: self._requests.names.unseal(one.sealed) for digest, one in pending.items()}
        nameless = {digest for digest, name in names.items() if name is None}
        if nameless:
            names |= await self._found_by_looking(nameless)
        for digest, request in pending.items():
            await self._erase(digest, request, names[digest])
        await self._look()

    async def _found_by_looking(self, wanted: set[bytes]) -> dict[bytes, str | None]:
        found: dict[bytes, str | None] = {}
        async with self._db.snapshot() as tx:
            async for customer in self._store.customers(tx):
                digest = self._requests.names.customer(customer)
                if digest in wanted:
                    found[digest] = customer
        return found

    async def _erase(self, digest: bytes, request: Request, customer: str | None) -> None:
        """In one transaction, with no batch under way: a late copy finds all of it, or nothing of it."""
        names = self._requests.names
        async with self._db.transaction() as tx:
            await rows.hold_alone(tx)
            known = (await rows.customers(tx)).get(digest)
            if known is not None and known.at >= request.at:
                return
            swept = await self._store.sweep(customer, request.at, tx) if customer else Swept(0, Belongings(), [])
            await rows.remember(names, swept.belongings, tx)
            await rows.done(digest, request.at, swept.rows, tx)
            marks = Marks([customer, *swept.marks])
            emptied = await letters.empty(names, swept.belongings, marks, tx)
        self._marks += [customer, *swept.marks]
        _log.info("person_erased", store=self._store.name, rows=swept.rows, dead_letters=emptied)

    async def _empty_letters(self) -> None:
        """Those that came after the erasure, and could not be taken for an event."""
        if self._clock.monotonic() < self._letters_due:
            return
        async with self._db.transaction() as tx:
            await letters.empty(self._requests.names, Belongings(), Marks([]), tx)
        self._letters_due = self._clock.monotonic() + _LETTERS_EVERY_SECONDS

    async def _report(self, digest: bytes, request: Request) -> None:
        """What is done, as far as it has not been told yet."""
        done = (self._done or {}).get(digest)
        told = self._requests.reported(request, self._store.name)
        if done is None or done.at < request.at:
            return
        if told is not None and (told.traces_at is not None or done.traces_at is None):
            return
        report = Report(request.at, done.rows, done.rows_at, done.traces_at, [])
        await self._requests.report(request, self._store.name, report)

    async def _remove_traces(self, requests: Mapping[bytes, Request]) -> None:
        """For all who are erased by now, since log and files are rewritten as a whole."""
        owing = {digest: done for digest, done in (self._done or {}).items() if done.traces_at is None}
        if not owing:
            return
        await self._disks.rewrite_log(Marks(self._marks))
        left = await self._disks.rewrite_files()
        now = self._clock.now()
        for digest, done in owing.items():
            if (request := requests.get(digest)) and request.at <= done.at:
                report = Report(request.at, done.rows, done.rows_at, now, left)
                await self._requests.report(request, self._store.name, report)
        # Last: who is killed before it does it all again.
        async with self._db.transaction() as tx:
            await rows.traces_gone(list(owing), tx)
        self._marks.clear()
        await self._look()

    async def _remove_late_copies(self) -> None:
        """Records that came after the log was rewritten; the rows never held what they said."""
        if self._clock.monotonic() < self._late_due:
            return
        self._late_due = self._clock.monotonic() + _LATE_EVERY_SECONDS
        async with self._db.snapshot() as tx:
            late = await rows.late_copies(self._requests.names, tx)
        if late is not None:
            await self._disks.rewrite_log(Marks([]))
            async with self._db.transaction() as tx:
                await rows.late_copies_gone(self._requests.names, late, tx)

    async def _forget_name(self, request: Request) -> None:
        if self._store.name == STORES[-1] and request.sealed and self._requests.is_complete(request):
            await self._requests.forget_name(request)
