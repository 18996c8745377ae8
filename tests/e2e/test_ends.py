"""How processes end, by a signal under load, by a second one, by a kill, and that nothing is lost at the next start."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.postgres_binaries import server_account
from shared.postgres_cluster import Cluster
from tests.e2e.client import Client
from tests.e2e.load import HalfSent, Senders, answer, refuses
from tests.e2e.processes import Installation, Server, until

ENDS_SECONDS = 10.0
_SENDERS = 4


def postgres_of(installation: Installation) -> int | None:
    return Cluster(installation.data, server_account()).running_pid()


def counted(server: Server, key: str) -> tuple[int, int]:
    """Answers and follow-ups, once everything has been read."""
    with Client(server.url, key) as client:
        assert client.settled()["balanced"]
        return client.get("/v1/metrics/nps")["n"], client.followups()


@pytest.mark.slow
def test_a_signal_under_load_ends_in_order(installation: Installation) -> None:
    server, key = installation.up(), installation.create_key()["key"]
    under_way = HalfSent(server, key, json.dumps(answer("half")).encode())
    senders = Senders(server, key)
    with ThreadPoolExecutor(_SENDERS) as pool:
        sending = [pool.submit(senders.send, number) for number in range(_SENDERS)]
        until(lambda: len(senders.accepted) > 200, 30, "load")
        begun = time.monotonic()
        server.process.terminate()
        until(lambda: refuses(server), ENDS_SECONDS, "no new connections")
        assert under_way.finish() == b"HTTP/1.1 202 Accepted"
        assert server.process.wait(ENDS_SECONDS) == 0
        print(f"\nended {time.monotonic() - begun:.1f} s after SIGTERM, {len(senders.accepted)} events taken")
        assert time.monotonic() - begun < ENDS_SECONDS
        for sender in sending:
            sender.result()
    assert set(senders.statuses) == {202}, senders.statuses
    assert postgres_of(installation) is None
    assert server.complaints() == ""

    again = installation.up()
    with Client(again.url, key) as client:
        client.send([answer(name) for name in senders.unanswered])  # taken or not: now it is, once
    total = len(senders.accepted) + len(senders.unanswered) + 1
    assert counted(again, key) == (total, total)


@pytest.mark.slow
def test_a_second_signal_ends_at_once(installation: Installation) -> None:
    server, key = installation.up(), installation.create_key()["key"]
    with Client(server.url, key) as client:
        client.send([answer(f"a-{number}") for number in range(100)])
    under_way = HalfSent(server, key, json.dumps(answer("half")).encode())
    server.process.terminate()
    until(lambda: refuses(server), ENDS_SECONDS, "no new connections")
    server.process.terminate()
    assert server.process.wait(2) == 1
    under_way.close()
    assert counted(installation.up(), key) == (100, 100)


@pytest.mark.slow
def test_after_a_kill_nothing_is_lost_and_postgresql_is_taken_over(installation: Installation) -> None:
    server, key = installation.up(), installation.create_key()["key"]
    with Client(server.url, key) as client:
        client.send([answer(f"a-{number}") for number in range(500)])
    server.kill()
    left = postgres_of(installation)
    assert left is not None

    begun = time.monotonic()
    again = installation.up(port=server.port)
    print(f"\nready {time.monotonic() - begun:.1f} s after the start that follows a kill")
    assert postgres_of(installation) == left
    assert counted(again, key) == (500, 500)
    assert again.terminate() == 0
    assert postgres_of(installation) is None


def test_stop_ends_the_postgresql_that_killed_processes_left(installation: Installation) -> None:
    servers = [installation.start(name) for name in ("scoring", "alerts")]
    for server in servers:
        server.wait_ready()
    for server in servers:
        server.kill()
    assert postgres_of(installation) is not None

    stopped = installation.command("stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "stopped the embedded PostgreSQL\n", "")
    assert postgres_of(installation) is None
    assert installation.command("stop").stdout == "no embedded PostgreSQL is running\n"
