"""A COMMIT whose answer is lost, and one that is lost itself, at every transaction of scoring and of alerts (D-03)."""

import pytest

from tests.faults.proxy import Fault, Link, Proxy
from tests.faults.wires import is_commit
from tests.faults.world import World, answers, promoters


class LostCommit(Fault):
    """The COMMIT numbered `at` reaches the server, whose answer is lost; or it never does. The client sees a reset."""

    def __init__(self, at: int, *, reaches_the_server: bool) -> None:
        self.struck = False
        self._left = at
        self._reaches_the_server = reaches_the_server
        self._waiting: Link | None = None

    def request(self, link: Link, message: bytes) -> bytes | None:
        if is_commit(message):
            self._left -= 1
            if self._left == 0:
                return self._strike(link, message)
        return message

    def _strike(self, link: Link, message: bytes) -> bytes | None:
        self.struck = True
        if self._reaches_the_server:
            self._waiting = link
            return message
        link.cut()
        return None

    def answer(self, link: Link, message: bytes) -> bytes | None:
        if link is self._waiting:
            link.cut()
            return None
        return message


@pytest.mark.parametrize("reaches_the_server", [True, False])
async def test_whichever_commit_it_is_nothing_is_counted_twice_or_lost(
    embedded: World, to_postgres: Proxy, reaches_the_server: bool
) -> None:
    at, struck = 0, True
    while struck:
        at += 1
        embedded.start()
        low, high = [f"low-{at}-{n}" for n in range(3)], [f"high-{at}-{n}" for n in range(2)]
        await embedded.send(*answers(*low), *promoters(high))
        fault = to_postgres.fault = LostCommit(at, reaches_the_server=reaches_the_server)
        await embedded.assert_counted_once(5 * at, 3 * at)
        to_postgres.fault = Fault()
        await embedded.stop()
        struck = fault.struck
        assert bool(embedded.errors) == struck, embedded.errors
        embedded.errors.clear()
    assert at > 15
