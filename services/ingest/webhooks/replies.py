"""What a document says is answered, as an answer that HTTP can carry whatever it says."""

from collections.abc import Mapping

from starlette.responses import Response

from services.ingest.webhooks.handshakes import Reply

# What holds an answer together is the server's: a document that says otherwise would break the connection.
_FRAMING = frozenset(("connection", "content-length", "transfer-encoding"))
_NO_CONTENT = 204


class Said(Response):
    """Made once, given to many: `lines` are its headers as they are sent."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        self.lines = b"".join([b"%b: %b\r\n" % header for header in self.raw_headers])


def answer(reply: Reply) -> Said:
    headers = {name: value for name, value in reply.headers.items() if name.lower() not in _FRAMING}
    if reply.media:
        headers["X-Content-Type-Options"] = "nosniff"
    body = reply.body if reply.status != _NO_CONTENT else b""
    return Said(body, reply.status, headers, reply.media or None)
