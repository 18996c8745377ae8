"""Ingest with sources in its configuration, and deliveries made by hand and signed by the standard library."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from services.ingest.webhooks.registry import Sources
from services.ingest.webhooks.stored import PREFIX
from shared.events.catalogue import ACCEPTED_TYPES
from shared.events.envelope import Event
from shared.events.raw import WebhookReceived
from shared.log.port import Log
from tests.ingest.running import RunningIngest

SECRET = "a secret of the repair shop"
BODY: dict[str, Any] = {
    "event": "repair.rated",
    "changed": "2026-11-20T10:00:00+01:00",
    "internal": False,
    "repair": {"number": 4711, "customer": {"id": 9, "mail": "a@example.com"}},
    "answers": [{"question": "q1", "stars": 2, "comment": "Za długo"}, {"question": "q2", "stars": 5}],
}
REPAIRS = """\
source: repairs
version: 1
verify:
  scheme: hmac
  encoding: hex
  header: x-repair-signature
  prefix: "sha256="
handshake:
  - when: "event == 'hello'"
    answer: {text: challenge}
  - when: "event == 'prove'"
    verified: true
    answer: {json: "{challenge: challenge}", headers: {X-Echo: challenge}}
  - method: HEAD
    answer: {status: 204}
idempotency: "join('|', [event, text(repair.number), changed])"
revision: milliseconds(changed)
tables:
  topics: {q1: repair, q2: counter}
rules:
  - when: internal
    ignore: internal_note
  - when: "event == 'repair.rated'"
    foreach: answers
    where: item.stars
    emit: feedback.received.v1
    id: "join('-', [text(root.repair.number), item.question])"
    time: changed
    map:
      metric: "'csat'"
      score: item.stars
      text: item.comment
      customer: repair.customer.id
      touchpoint: "lookup('topics', item.question)"
      submission_id: repair.number
otherwise: ignore
"""


class Doors(RunningIngest):
    """`environment` holds secrets; `folder` is the user's own documents."""

    def __init__(self, environment: Mapping[str, str] | None = None, folder: Path | None = None, per_second: int = 0):
        super().__init__(per_second)
        self.settings = IngestSettings(
            INGEST_MAX_EVENTS_PER_SECOND=per_second, sources=folder, public_url="https://petla.example.com"
        )
        self._environment = environment or {}
        self.serve_on(self.log)

    def serve_on(self, log: Log) -> None:
        self.service = build(self.settings, log, self.config, self.clock, self.sealing, self._environment)

    async def add(self, name: str, document: str = REPAIRS, version: int = 1) -> None:
        """As the API would, without its checks."""
        await self.config.put(PREFIX + name, {"version": version, "document": document})

    async def deliver(
        self,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        source: str = "repairs",
        secret: str = SECRET,
        method: str = "POST",
    ) -> httpx.Response:
        """What is not bytes is sent as JSON; signed unless the headers say otherwise."""
        content = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
        signed = {"content-type": "application/json", "x-repair-signature": f"sha256={signature(content, secret)}"}
        return await self.request(method, f"/webhooks/{source}", content=content, headers={**signed, **(headers or {})})

    def sources(self) -> Sources:
        return Sources(self.config, self.sealing, ACCEPTED_TYPES, {}, lambda _: False)

    def deliveries(self) -> list[WebhookReceived]:
        """The records of petla.raw, oldest first within a partition."""
        decode = msgspec.json.Decoder(WebhookReceived).decode
        return [decode(bytes(event.data)) for event in self.raw()]

    def raw(self) -> list[Event]:
        return self.events("petla.raw")


def signature(content: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
