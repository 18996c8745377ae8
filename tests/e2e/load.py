"""Requests under way: threads that send until nobody answers, and one request that stands still in its middle."""

import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.processes import Server


def answer(name: str) -> dict[str, Any]:
    """A detractor's."""
    data = {"metric": "nps", "score": 3}
    return {"specversion": "1.0", "id": name, "source": "/load", "type": "feedback.received.v1", "data": data}


@dataclass
class Senders:
    """Threads that send one event after the other until nobody answers. What got no answer may have been taken."""

    server: Server
    key: str
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    def send(self, sender: int) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.server.url, headers=headers, trust_env=False) as http:
            number = 0
            while not self.unanswered:
                name, number = f"{sender}-{number}", number + 1
                try:
                    status = http.post("/v1/events", json=answer(name)).status_code
                except httpx.TransportError:
                    self.unanswered.append(name)
                    return
                self.statuses[status] += 1
                self.accepted.append(name)


class HalfSent:
    """A request whose body stands still in the middle: the server has said that it is waiting for it."""

    def __init__(self, server: Server, key: str, event: bytes) -> None:
        self._rest = event[10:]
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        head = (
            "POST /v1/events HTTP/1.1\r\nHost: petla\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
            f"Content-Length: {len(event)}\r\nAuthorization: Bearer {key}\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        assert self._socket.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        self._socket.sendall(event[:10])

    def finish(self) -> bytes:
        """The first line of the answer."""
        with self._socket:
            self._socket.sendall(self._rest)
            return self._socket.recv(10_000).split(b"\r\n")[0]

    def close(self) -> None:
        self._socket.close()


def refuses(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except OSError:
        return True
    return False
