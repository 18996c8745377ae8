"""What a document says is answered, as an answer that HTTP can carry whatever it says."""

from starlette.responses import Response

from services.ingest.webhooks.handshakes import Reply

# What holds an answer together is the server's: a document that says otherwise would break the connection.
_FRAMING = frozenset(("connection", "content-length", "transfer-encoding"))
_NO_CONTENT = 204


def answer(reply: Reply) -> Response:
    headers = {name: value for name, value in reply.headers.items() if name.lower() not in _FRAMING}
    if reply.media:
        headers["X-Content-Type-Options"] = "nosniff"
    body = reply.body if reply.status != _NO_CONTENT else b""
    return Response(body, reply.status, headers, reply.media or None)
