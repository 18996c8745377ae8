"""Requests as they arrive at a socket, part by part: for events, for sources, and what is neither."""

from collections.abc import Sequence

import msgspec

from tests.ingest.running import answer
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, signature

ONE = msgspec.json.encode(answer(1))
LINES = b"\n".join(msgspec.json.encode(answer(number)) for number in range(3))
MIXED = LINES + b"\n" + msgspec.json.encode(answer(9, score=99))
RATED = msgspec.json.encode(BODY)
HELLO = msgspec.json.encode({"event": "hello", "challenge": "c-1"})
PROVE = msgspec.json.encode({"event": "prove", "challenge": "c-2"})
# Says of its answer what only the server can know.
BOLD = (
    REPAIRS.replace("source: repairs", "source: bold")
    .replace("answer: {text: challenge}", "answer: {status: 204, text: challenge}")
    .replace("X-Echo: challenge", "Content-Length: \"'9'\", transfer-encoding: \"'chunked'\", Connection: \"'close'\"")
)
LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
JSON = b"Content-Type: application/json\r\n"


def post(body: bytes, more: bytes = JSON, url: bytes = b"/v1/events", version: bytes = b"1.1") -> bytes:
    head = b"POST %b HTTP/%b\r\nHost: a\r\nAuthorization: Bearer KEY\r\n%b" % (url, version, more)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def delivered(body: bytes, more: bytes = b"", url: bytes = b"/webhooks/repairs", secret: str = SECRET) -> bytes:
    return post(body, JSON + b"X-Repair-Signature: sha256=%b\r\n" % signature(body, secret).encode() + more, url)


def chunked(*chunks: bytes) -> bytes:
    head = post(b"").replace(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def halves(request: bytes) -> list[bytes]:
    at = request.index(b"\r\n\r\n") + 20
    return [request[:at], request[at:]]


# Segments as they arrive, and how many of the requests in them are answered directly.
CONVERSATIONS: dict[str, tuple[Sequence[bytes], int]] = {
    "an event": ([post(ONE)], 1),
    "one after the other": ([post(ONE), post(ONE)], 2),
    "lines": ([post(LINES, b"Content-Type: application/x-ndjson\r\n")], 1),
    "one of several rejected": ([post(MIXED, b"Content-Type: application/x-ndjson\r\n")], 1),
    "attributes in headers": (
        [post(b'{"metric":"nps","score":3}', JSON + b"ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\n"
              b"ce-type: feedback.received.v1\r\n")], 1),
    "an event that cannot be taken": ([post(msgspec.json.encode(answer(1, score=99)))], 1),
    "no JSON": ([post(b"{")], 1),
    "nothing": ([post(b"")], 1),
    "chunks at once": ([chunked(ONE[:9], ONE[9:])], 1),
    "another key": ([post(ONE).replace(b"KEY", b"petla_nobody_x")], 1),
    "no key": ([post(ONE).replace(b"Authorization", b"X")], 1),
    "another media type": ([post(ONE, b"Content-Type: text/plain\r\n")], 1),
    "compressed": ([post(ONE, JSON + b"Content-Encoding: gzip\r\n")], 1),
    "the last on its connection": ([post(ONE, JSON + b"Connection: close\r\n")], 1),
    "two at once": ([post(ONE) + post(ONE)], 1),
    "two at once, the second refused": ([post(ONE) + b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"], 1),
    "a body in two parts": (halves(post(ONE)), 1),
    "a head in two parts": ([post(ONE)[:40], post(ONE)[40:]], 1),
    "byte by byte": ([post(ONE)[at : at + 1] for at in range(len(post(ONE)))], 1),
    "chunks in two parts": (halves(chunked(ONE)), 0),
    "chunks that are none": ([chunked(ONE).replace(b"\r\n0\r\n", b"\r\nno\r\n")], 0),
    "a large body in two parts": (halves(post(LINES + b"\n" * 300_000, b"Content-Type: application/x-ndjson\r\n")), 0),
    "asks before it sends": ([post(ONE, JSON + b"Expect: 100-continue\r\n")], 0),
    "HTTP/1.0": ([post(ONE, version=b"1.0")], 0),
    "too large, as it says": ([post(ONE).replace(b"Content-Length: ", b"Content-Length: 9999999")], 0),
    "parameters": ([post(ONE, url=b"/v1/events?a=b")], 0),
    "behind the proxy": ([post(ONE, url=b"/ingest/v1/events")], 0),
    "only read": ([b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"], 0),
    "only the head": ([b"HEAD /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"], 0),
    "another path": ([post(ONE, url=b"/v1/other")], 0),
    "another protocol": ([post(ONE, JSON + b"Connection: upgrade\r\nUpgrade: other\r\n")], 0),
    "a delivery": ([delivered(RATED)], 1),
    "a delivery and an event": ([delivered(RATED), post(ONE), delivered(RATED)], 3),
    "a delivery of somebody else": ([delivered(RATED, secret="another")], 1),
    "a delivery that cannot be read": ([delivered(b"{")], 1),
    "a delivery that is not mapped": ([delivered(b'{"event":"repair.rated","answers":7}')], 1),
    "a delivery to nobody": ([delivered(RATED, url=b"/webhooks/nobody")], 1),
    "a delivery that is compressed": ([delivered(RATED, b"Content-Encoding: gzip\r\n")], 1),
    "a delivery that is too large": ([delivered(bytes(600_000))], 1),
    "a handshake": ([delivered(HELLO)], 1),
    "a handshake that is signed": ([delivered(PROVE)], 1),
    "a handshake with no content": ([delivered(HELLO, url=b"/webhooks/bold"), delivered(RATED)], 2),
    "a handshake that says how long it is": ([delivered(PROVE, url=b"/webhooks/bold"), delivered(RATED)], 2),
    "a delivery in two parts": (halves(delivered(RATED)), 1),
    "a delivery with parameters": ([delivered(RATED, url=b"/webhooks/repairs?a=b")], 0),
    "a delivery with escapes": ([delivered(RATED, url=b"/webhooks/rep%61irs")], 0),
    "a delivery behind the proxy": ([delivered(RATED, url=b"/ingest/webhooks/repairs")], 0),
    "a delivery by PUT": ([delivered(RATED).replace(b"POST", b"PUT")], 0),
    "a source that is only read": ([b"GET /webhooks/repairs HTTP/1.1\r\nHost: a\r\n\r\n"], 0),
    "no HTTP": ([b"what is this\r\n\r\n"], 0),
}  # fmt: skip
