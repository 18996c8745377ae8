"""A database that is silent, and one whose rows somebody holds: nobody hangs, nothing is lost, all heals (D-02, D-08).

That a database away holds up no ingest needs no test here: ingest has none.
"""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import database_server, db
from shared.db import is_transient, sqlstate
from tests.faults.proxy import Fault, Link, Proxy
from tests.faults.wires import is_commit
from tests.faults.world import World, answers

_LOCK_NOT_AVAILABLE = "55P03"
# Of each of three loops; the rest is for a machine that does other things too.
MOST_SECONDS = 3 * 5.0


class SilenceAtCommit(Fault):
    """From the commit numbered `at` on nothing passes any more, in either direction; the server has got it."""

    def __init__(self, proxy: Proxy, at: int) -> None:
        self.struck = False
        self._proxy = proxy
        self._left = at

    def request(self, link: Link, message: bytes) -> bytes | None:
        if is_commit(message):
            self._left -= 1
            if self._left == 0:
                self.struck = True
                self._proxy.hush()
        return message


class Deaf(Fault):
    """Of an answer nothing passes."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def answer(self, link: Link, message: bytes) -> bytes | None:
        if message[:1] == b"D":  # a row
            self._proxy.hush()
        return message


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of 25 and of 5 seconds; before the databases are made."""
    monkeypatch.setattr(db, "_COMMAND_SECONDS", 0.5)
    monkeypatch.setattr(database_server, "_CONNECT_SECONDS", 0.5)


@pytest.mark.parametrize("at", [3, 7, 11])
@pytest.mark.usefixtures("little_patience")
async def test_a_silent_database_is_given_up_in_time(embedded: World, to_postgres: Proxy, at: int) -> None:
    await embedded.send(*answers("a", "b", "c"))
    fault = to_postgres.fault = SilenceAtCommit(to_postgres, at)
    while not fault.struck:
        async with asyncio.timeout(MOST_SECONDS):
            await embedded.once()
    async with asyncio.timeout(MOST_SECONDS):
        await embedded.once()
    assert all(is_transient(error) for error in embedded.errors), embedded.errors
    assert len(embedded.errors) >= 3
    to_postgres.fault = Fault()
    to_postgres.speak()
    await embedded.assert_counted_once(3, 3)


async def test_who_does_not_read_an_answer_holds_rows_for_no_longer_than_a_statement_may_take(
    embedded: World, to_postgres: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen client whose answer does not fit into the buffers on the way: the session is busy for ever."""
    monkeypatch.setitem(db._FROZEN_SECONDS, "writing", 0.0)
    seen = embedded.seen["scoring"]
    name = (await embedded.rows("scoring", "SELECT current_database()"))[0][0]
    frozen = db.Database(f"postgresql://petla@127.0.0.1:{to_postgres.port}/{name}?sslmode=disable")

    async def ask_and_not_read() -> None:
        async with frozen.transaction() as tx:
            await tx.execute(text("LOCK TABLE feedback"))
            to_postgres.fault = Deaf(to_postgres)
            await tx.execute(text("SELECT repeat('x', 1000) FROM generate_series(1, 20000)"))

    asking = asyncio.create_task(ask_and_not_read())
    async with asyncio.timeout(MOST_SECONDS):
        while not await seen.end_frozen_sessions():
            pass
    to_postgres.fault = Fault()
    to_postgres.speak()
    with pytest.raises(DBAPIError):
        await asking
    await embedded.send(*answers("a"))
    await embedded.assert_counted_once(1, 1)
    await frozen.close()


@pytest.mark.parametrize(("service", "table"), [("scoring", "feedback"), ("alerts", "followup")])
async def test_rows_that_somebody_holds_are_waited_for_and_not_given_up(
    embedded: World, service: str, table: str
) -> None:
    """An administrator's session that forgot to commit: no letter, no loss, and the same once it has ended."""
    await embedded.send(*answers("a", "b", "c"))
    async with embedded.seen[service].transaction() as held:
        await held.execute(text(f"LOCK TABLE {table}"))
        async with asyncio.timeout(MOST_SECONDS):
            while not embedded.errors:
                await embedded.once()
        await held.rollback()
    assert {sqlstate(error) for error in embedded.errors} == {_LOCK_NOT_AVAILABLE}
    await embedded.assert_counted_once(3, 3)
    assert await embedded.rows(service, "SELECT count(*) FROM dead_letter") == [(0,)]
