"""Resident memory after 20,000 events: each service as a process of its own, and all three in one. PostgreSQL apart."""

from pathlib import Path
from typing import Any

import psutil

from bench.door import post_batches
from bench.measure import PETLA, data_folder, free_port, new_key, process

EVENTS = 20_000


def memory() -> dict[str, Any]:
    with data_folder() as data:
        separate = _separate(data)
    with data_folder() as data:
        port = free_port()
        with process(PETLA, "up", "--port", str(port), "--data", data, port=port) as server:
            post_batches(port, new_key(data, "events:write"), EVENTS)
            together = _megabytes(server)
    return {
        "claim": f"resident memory after {EVENTS} events",
        "must": "each under 250 MB, all in one under 500 MB",
        **separate,
        "petla up": together,
        "unit": "MB",
    }


def _separate(data: Path) -> dict[str, float]:
    ports = {name: free_port() for name in ("ingest", "scoring", "alerts")}
    up = {
        name: process(PETLA, "up", name, "--port", str(port), "--data", data, port=port) for name, port in ports.items()
    }
    with up["ingest"] as ingest, up["scoring"] as scoring, up["alerts"] as alerts:
        post_batches(ports["ingest"], new_key(data, "events:write"), EVENTS)
        return {"ingest": _megabytes(ingest), "scoring": _megabytes(scoring), "alerts": _megabytes(alerts)}


def _megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6
