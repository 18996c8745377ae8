"""Somebody who is told of follow-ups: a webhook endpoint of this process that believes nothing without its signature.

The check is written out here, apart from the library that alerts signs with: it is what a receiver has to do.
"""

import base64
import hashlib
import hmac
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.types import Message, Receive, Scope, Send

from services.answering import answering
from shared.clock import Clock

_PREFIX = "whsec_"
_TOLERANCE_SECONDS = 300


class Receiver:
    """`notified` are the distinct webhook-ids that came signed; `refused` counts what did not."""

    def __init__(self, clock: Clock) -> None:
        self.secret = _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
        self.url = ""
        self.notified: set[str] = set()
        self.refused = 0
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        is_signed = verified(headers, body, self.secret, self._clock.now().timestamp())
        if is_signed:
            self.notified.add(headers["webhook-id"])
        else:
            self.refused += 1
        await send({"type": "http.response.start", "status": 204 if is_signed else 401, "headers": []})
        await send({"type": "http.response.body"})


@asynccontextmanager
async def receiving(clock: Clock) -> AsyncIterator[Receiver]:
    """A receiver at a free port of this machine."""
    receiver = Receiver(clock)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}/webhook"
        async with answering(receiver, listener):
            yield receiver


def verified(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Standard Webhooks: one of the v1 signatures is HMAC-SHA256 of `id.timestamp.body`, signed within 5 minutes."""
    id_, signed_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not signed_at.isdecimal() or abs(now - int(signed_at)) > _TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.digest(key, f"{id_}.{signed_at}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(digest)
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(one, expected) for one in given)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message: Message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
