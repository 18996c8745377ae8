"""Senders' APIs on a real socket of this machine, as their documents describe them."""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], Any]


@dataclass
class Api:
    """`interludes` answer the next requests instead; `refused` paths always that; `asked` is all that came."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    interludes: list[Answer] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def answered(self, asked: Asked) -> Answer:
        return (self.refused[asked.path], {}, {}) if asked.path in self.refused else self.answer(asked)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@contextmanager
def serving(api: Api) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            split = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, split.path, dict(parse_qsl(split.query)), headers, body)
            api.asked.append(asked)
            status, more, content = api.interludes.pop(0) if api.interludes else api.answered(asked)
            encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@dataclass
class AllegroApi(Api):
    """Order events oldest first behind `from`, forms, returns from `createdAt.gte` on, and its token endpoint.

    A refresh token is good for one use.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    returns: list[dict[str, Any]] = field(default_factory=list)
    client: tuple[str, str] = ("client", "secret")
    refresh: str = "refresh-0"
    renewed: int = 0

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/auth/oauth/token":
            return self._renew(asked)
        if asked.headers.get("authorization") != f"Bearer access-{self.renewed}":
            return 401, {}, {"error": "invalid_token"}
        if asked.path == "/order/customer-returns":
            return self._returned(asked)
        if asked.headers["accept"] != "application/vnd.allegro.public.v1+json":
            return 406, {}, {"errors": [{"code": "NotAcceptableException"}]}
        if asked.path == "/order/events":
            ids = [event["id"] for event in self.events]
            start = ids.index(asked.query["from"]) + 1 if "from" in asked.query else 0
            return 200, {}, {"events": self.events[start : start + int(asked.query.get("limit", 100))]}
        form = self.forms.get(asked.path.removeprefix("/order/checkout-forms/"))
        return (200, {}, form) if form else (404, {}, {"errors": []})

    def _returned(self, asked: Asked) -> Answer:
        if asked.headers["accept"] != "application/vnd.allegro.beta.v1+json":
            return 406, {}, {"errors": [{"code": "NotAcceptableException"}]}
        found = [one for one in self.returns if one["createdAt"] >= asked.query["createdAt.gte"]]
        start = int(asked.query["offset"])
        page = found[start : start + int(asked.query["limit"])]
        return 200, {}, {"count": len(found), "customerReturns": page}

    def _renew(self, asked: Asked) -> Answer:
        expected = "Basic " + b64encode(":".join(self.client).encode()).decode()
        form = parse_qs(asked.body.decode())
        if asked.headers.get("authorization") != expected:
            return 401, {}, {"error": "invalid_client"}
        if form != {"grant_type": ["refresh_token"], "refresh_token": [self.refresh]}:
            return 400, {}, {"error": "invalid_grant"}
        self.renewed += 1
        self.refresh = f"refresh-{self.renewed}"
        access = {"access_token": f"access-{self.renewed}", "token_type": "bearer", "expires_in": 43199}
        return 200, {}, {**access, "refresh_token": self.refresh}

    def order(self, number: int, kind: str = "READY_FOR_PROCESSING", form: str | None = None) -> dict[str, Any]:
        """An event at minute `number`, put behind the others."""
        form = form or f"29738e61-7f6a-11e8-ac45-09db60ede9{number:02d}"
        event = {
            "id": str(1_763_000_000_000_000 + number),
            "type": kind,
            "occurredAt": f"2026-11-20T09:{number:02d}:00.000Z",
            "order": {
                "seller": {"id": "7"},
                "buyer": {"id": "b-1", "email": "kupujacy+1@allegromail.pl", "login": "kupujacy", "guest": False},
                "lineItems": [{"id": "li-1", "quantity": 2, "price": {"amount": "61.50", "currency": "PLN"}}],
                "checkoutForm": {"id": form, "revision": "819b5836"},
                "marketplace": {"id": "allegro-pl"},
            },
        }
        self.events.append(event)
        return event

    def ordered_form(self, event: dict[str, Any]) -> None:
        form = event["order"]["checkoutForm"]["id"]
        self.forms[form] = {
            "id": form,
            "buyer": {"id": "b-1", "firstName": "Anna", "lastName": "Kowal", "phoneNumber": "+48500100200"},
            "delivery": {"time": {"from": "2026-11-23T00:00:00.000Z", "to": "2026-11-24T22:59:59.000Z"}},
            "summary": {"totalToPay": {"amount": "133.49", "currency": "PLN"}},
        }

    def returned(self, name: str, order: str, created: str, status: str = "CREATED") -> dict[str, Any]:
        one = {
            "id": name,
            "createdAt": created,
            "referenceNumber": "4LMK/2026",
            "orderId": order,
            "buyer": {"email": "kupujacy+1@allegromail.pl", "login": "kupujacy"},
            "items": [{"offerId": "1", "quantity": 1, "reason": {"type": "NOT_AS_DESCRIBED"}}],
            "status": status,
        }
        self.returns.append(one)
        return one


@dataclass
class BigCommerceApi(Api):
    """What lies under each path of the store, for one token."""

    token: str = "bc-token"
    things: dict[str, Any] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("x-auth-token") != self.token:
            return 401, {}, {"title": "unauthorised"}
        query = "?" + "&".join(f"{name}={value}" for name, value in asked.query.items()) if asked.query else ""
        found = self.things.get(asked.path + query)
        return (200, {}, found) if found is not None else (404, {}, {"status": 404})
