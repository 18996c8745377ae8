"""Durable events a core-second at the door: single POSTs against the idiom, NDJSON against the limit."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from bench.load import event
from bench.measure import Round, cpu_seconds, data_folder, interleaved, median_rate, median_ratio
from bench.servers import BATCH, SECONDS, ingest, peer
from services.ingest.admission import admit
from services.ingest.sent_event import SentEvent, from_document
from shared.events.envelope import NewEvent, encode
from shared.events.envelope import decode_event as decode_record
from shared.events.feedback import Answer
from shared.log.port import Topic
from shared.log.topic_file import Row, TopicFile

_ROUNDS = 7  # short ones that take turns: the machine's own pace drifts more than the ratio


def post_batches(port: int, key: str, events: int) -> None:
    """As many events, in batches of a hundred, one after another."""
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=head) as http:
        for first in range(0, events, BATCH):
            body = b"\n".join(event("memory", number) for number in range(first, first + BATCH))
            http.post("/v1/events", content=body).raise_for_status()


def single_posts() -> dict[str, Any]:
    """64 connections, one event a request, 202 after the flush; against FastAPI + Pydantic + one commit each."""
    with data_folder() as data, data_folder() as peers, ingest(data) as server, peer("fastapi_sqlite", peers) as idiom:
        ours, theirs = interleaved([lambda: server.loaded(1), lambda: idiom.loaded(1)], _ROUNDS)
    return {
        "claim": "single durable POST against FastAPI + Pydantic + one SQLite commit each",
        "must": 4.0,
        "ratio": median_ratio(ours, theirs),
        "ours": median_rate(ours),
        "reference": median_rate(theirs),
        "unit": "events a core-second",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


def batches() -> dict[str, Any]:
    """NDJSON of 100 over HTTP against its limit: decode with msgspec, the same rows in one commit, no HTTP."""
    with data_folder() as data, data_folder() as peers, ingest(data) as server:
        ours, theirs = interleaved([lambda: server.loaded(BATCH), lambda: _limit(peers)], _ROUNDS)
    return {
        "claim": "NDJSON x 100 against its limit (msgspec decode + the same rows in one commit, no HTTP)",
        "must": 0.4,
        "ratio": median_ratio(ours, theirs),
        "ours": median_rate(ours),
        "reference": median_rate(theirs),
        "unit": "events a core-second",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


def _limit(folder: Path) -> Round:
    """One process, one thread: decode into the structs that validate, write each as a row, 800 events a commit.

    Nothing is identified, checked, placed or answered; the rows have the size of ours.
    """
    file = TopicFile(folder / "limit.db", Topic("limit", 12, None))
    documents = [event("limit", number) for number in range(8 * BATCH)]
    decode_event, decode_answer = msgspec.json.Decoder(SentEvent).decode, msgspec.json.Decoder(Answer).decode
    known = decode_record(admit(from_document(documents[0]), "bench", datetime.now(UTC)).value)

    def row(number: int, document: bytes) -> Row:
        sent = decode_event(document)
        record = NewEvent(
            sent.specversion, sent.id, sent.source, sent.type, known.time, known.sender, known.factid,
            known.receivedat, decode_answer(sent.data),
        )  # fmt: skip
        return number % 12, b"key", encode(record)

    own = psutil.Process()
    before, start, events = cpu_seconds([own]), time.monotonic(), 0
    while time.monotonic() < start + SECONDS:
        file.append([row(number, document) for number, document in enumerate(documents)], 0)
        events += len(documents)
    file.close()
    return Round(events, cpu_seconds([own]) - before, time.monotonic() - start)
