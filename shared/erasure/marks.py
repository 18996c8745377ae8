"""What a person is recognised by in bytes that nobody can read as an event. Pure."""

import json
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from shared.events.raw import WebhookReceived, unpacked

_SHORTEST = 5  # what is shorter is found where it means nothing


class Marks:
    """Names, addresses and numbers, as UTF-8, as JSON escapes them, and as UTF-16 writes them."""

    def __init__(self, marks: Iterable[str | None]) -> None:
        self._written = {
            written for mark in marks if mark is not None and len(mark) >= _SHORTEST for written in _writings(mark)
        }

    def found_in(self, content: bytes) -> bool:
        return any(written in content for written in self._written)


def _writings(mark: str) -> Iterable[bytes]:
    yield mark.encode("utf-8", "surrogatepass")
    yield json.dumps(mark)[1:-1].encode()
    yield json.dumps(mark, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    yield mark.encode("utf-16-le", "surrogatepass")
    yield mark.encode("utf-16-be", "surrogatepass")


def body_of(delivery: WebhookReceived) -> bytes:
    """What a sender sent, also as a form writes it, and to which address; empty where nobody can read it."""
    try:
        body = unpacked(delivery.body or b"")
    except ValueError:
        return b""
    return b"\n".join((body, unquote_to_bytes(body.replace(b"+", b" ")), delivery.url.encode()))
