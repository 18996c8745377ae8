"""A database that is silent, and one whose rows somebody holds: nobody hangs, nothing is lost, all heals (D-02, D-08).

That a database away holds up no ingest needs no test here: ingest has none.
"""

import asyncio

import pytest
from sqlalchemy import text

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
