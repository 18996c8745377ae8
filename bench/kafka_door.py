"""Durable events a core-second at the door on a real Kafka: against the idiom, and against the client's limit.

CPU is the server's; what an event costs the broker is shown beside it.
"""

import json
import subprocess
import sys
from typing import Any

from bench.kafka import Kafka, kafka
from bench.measure import (
    Round,
    data_folder,
    interleaved,
    median_rate,
    median_ratio,
    microseconds_beside,
)
from bench.servers import BATCH, ingest, peer

_ROUNDS = 5
_LIMIT_EVENTS = 500_000
_PEERS, _LIMIT = "bench.idiom", "bench.limit"


def single_posts() -> dict[str, Any]:
    """64 connections, one event a request, 202 after the broker's ack."""
    with data_folder() as data, kafka(data) as broker, ingest(data, [broker.process], **broker.environment) as server:
        broker.make(_PEERS)
        with peer("fastapi_kafka", broker.address, _PEERS, beside=[broker.process]) as idiom:
            ours, theirs = interleaved([lambda: server.loaded(1), lambda: idiom.loaded(1)], _ROUNDS)
    return {
        "claim": "G1: single POST on Kafka against FastAPI + Pydantic + aiokafka send_and_wait",
        "must": 4.0,
        "ratio": median_ratio(ours, theirs),
        "ours": median_rate(ours),
        "reference": median_rate(theirs),
        "unit": "events a core-second",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
        "broker_us_an_event": microseconds_beside(ours),
        "broker_us_an_event_idiom": microseconds_beside(theirs),
    }


def batches() -> dict[str, Any]:
    """NDJSON of 100 over HTTP against the client alone, and against a JSON array through the idiom."""
    with data_folder() as data, kafka(data) as broker, ingest(data, [broker.process], **broker.environment) as server:
        broker.make(_PEERS, _LIMIT)
        with peer("fastapi_kafka", broker.address, _PEERS, beside=[broker.process]) as idiom:
            ours, limit, theirs = interleaved(
                [
                    lambda: server.loaded(BATCH),
                    lambda: _limit(broker),
                    lambda: idiom.loaded(BATCH, "/v1/batches", array=True),
                ],
                _ROUNDS,
            )
    return {
        "claim": "NDJSON x 100 on Kafka; G2: against aiokafka alone, G3: against FastAPI list[Model] + gather(send)",
        "must": {"G2": 0.4, "G3": 40.0},
        "ratio_limit": median_ratio(ours, limit),
        "ratio_idiom": median_ratio(ours, theirs),
        "ours": median_rate(ours),
        "reference_limit": median_rate(limit),
        "reference_idiom": median_rate(theirs),
        "unit": "events a core-second",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
        "broker_us_an_event": microseconds_beside(ours),
        "broker_us_an_event_idiom": microseconds_beside(theirs),
    }


def _limit(broker: Kafka) -> Round:
    """In a fresh process: what an earlier round left in its memory would count too."""
    command = [sys.executable, "-m", "bench.peers.producer", broker.address, _LIMIT, str(_LIMIT_EVENTS)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    result = json.loads(done.stdout)
    return Round(result["events"], result["cpu"], result["wall"])
