"""What was erased where and when, signed: anybody with the public key can tell that Pętla said so, and said just that.

Ed25519 over the receipt without its signature, as JSON with sorted names and no spaces, in UTF-8. The key is derived
from `PETLA_SECRET`.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.clock import rfc3339
from shared.erasure.requests import STORES, Report, Request, Requests
from shared.events.topics import TOPICS, TopicKind
from shared.log.port import SEGMENT_HOURS
from shared.sealing import Sealing

# Whose loop rewrites a topic where the log is embedded.
_REWRITTEN_BY = {"scores": "alerts", "followups": "alerts"}
_ELSEWHERE = (
    ("backups", "expire elsewhere: one that is restored is brought to this erasure by the first start on it"),
    ("what was sent to other systems", "webhooks that were delivered, exports, mail: erase there"),
)


class Receipts:
    """`on_kafka`: the log is not ours to rewrite, and what stands on it expires."""

    def __init__(self, requests: Requests, sealing: Sealing, *, on_kafka: bool) -> None:
        self._requests = requests
        self._key = Ed25519PrivateKey.from_private_bytes(sealing.key("erasure receipts"))
        self._on_kafka = on_kafka

    def receipt(self, request: Request) -> dict[str, Any]:
        """`customer` is the hash under which the erasure is known; `complete` when nothing of ours is pending."""
        reports = {store: self._requests.reported(request, store) for store in STORES}
        told: dict[str, Any] = {
            "customer": request.hash,
            "requested_at": rfc3339(request.at),
            "complete": self._requests.is_complete(request),
            "stores": [*_databases(reports), *self._topics(request, reports), *_others()],
        }
        return told | {"signature": self._signature(told)}

    def _topics(self, request: Request, reports: Mapping[str, Report | None]) -> Iterable[dict[str, Any]]:
        for kind in TOPICS:
            if kind.retention_hours is not None:
                yield self._expiring(kind, reports) if self._on_kafka else _rewritten(kind, reports)

    def _expiring(self, kind: TopicKind, reports: Mapping[str, Report | None]) -> dict[str, Any]:
        assert kind.retention_hours is not None
        store = f"topic {kind.name}"
        done = [report.rows_at for report in reports.values() if report]
        if len(done) < len(STORES):
            return {"store": store, "state": "pending", "at": None}
        # What services said of the person before they had erased them is as old as that; a segment goes as a whole.
        gone = max(done) + timedelta(hours=kind.retention_hours + SEGMENT_HOURS)
        return {"store": store, "state": "expires", "at": rfc3339(gone)}

    def _signature(self, told: Mapping[str, Any]) -> dict[str, str]:
        public = self._key.public_key().public_bytes_raw()
        value = self._key.sign(_signed(told))
        return {"algorithm": "ed25519", "public_key": _base64(public), "value": _base64(value)}


def is_genuine(receipt: Mapping[str, Any], public_key: str) -> bool:
    """Whether whoever holds the secret behind this public key (base64) signed exactly this."""
    told = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        signature = base64.b64decode(receipt["signature"]["value"])
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(signature, _signed(told))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


def _databases(reports: Mapping[str, Report | None]) -> Iterable[dict[str, Any]]:
    for store, report in reports.items():
        name = f"{store} database"
        if report is None:
            yield {"store": name, "state": "pending", "at": None}
            continue
        yield {"store": name, "state": "erased", "at": rfc3339(report.rows_at), "rows": report.rows}
        files = {"store": f"{name}, files", "state": "rewritten" if report.traces_at else "pending"}
        yield files | {"at": report.traces_at and rfc3339(report.traces_at), "left": report.left}


def _rewritten(kind: TopicKind, reports: Mapping[str, Report | None]) -> dict[str, Any]:
    report = reports[_REWRITTEN_BY.get(kind.name, STORES[0])]
    at = report and report.traces_at
    return {"store": f"log {kind.name}", "state": "rewritten" if at else "pending", "at": at and rfc3339(at)}


def _others() -> Iterable[dict[str, Any]]:
    yield {"store": "spill of ingest", "state": "rewritten", "at": None, "note": "where a broker is away"}
    yield {"store": "service logs", "state": "never", "at": None, "note": "they name no person"}
    yield from ({"store": store, "state": "elsewhere", "at": None, "note": note} for store, note in _ELSEWHERE)


def _signed(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
