"""A delivery that is verified and mapped, against a native event: the same server, one after the other."""

import re
from typing import Any

import httpx

from bench.measure import Round, data_folder, interleaved, median_rate, median_ratio
from bench.orders import EVENTS, SIZE
from bench.servers import CONNECTIONS, SECONDS, Server, ingest

_ROUNDS = 7
_SECRET = "a secret of the benchmark"


def mapped_orders() -> dict[str, Any]:
    """Shopify's orders/create: HMAC, mapping to two events and the raw record, 202 after the flush; single POSTs."""
    with data_folder() as data, ingest(data, PETLA_SOURCE_SHOPIFY_SECRET=_SECRET) as server:
        orders, native = interleaved([lambda: _deliveries(server), lambda: server.loaded(1)], _ROUNDS)
    return {
        "claim": "a mapped and verified Shopify order against a native event, both single and durable",
        "must": 1 / 3,
        "ratio": median_ratio(orders, native),
        "ours": median_rate(orders),
        "ours_as_events": EVENTS * median_rate(orders),
        "reference": median_rate(native),
        "unit": "deliveries a core-second, against events",
        "bytes_a_delivery": SIZE,
        "wall_deliveries_per_second": [round(one.events / one.wall) for one in orders],
    }


def _deliveries(server: Server) -> Round:
    """Raises RuntimeError where a delivery made more or fewer events than an order has."""
    before = _accepted(server)
    done = server.driven("bench.orders", str(server.port), _SECRET, str(CONNECTIONS), str(SECONDS))
    events = _accepted(server) - before
    if events != EVENTS * done.events:
        raise RuntimeError(f"{done.events} deliveries made {events} events")
    return done


def _accepted(server: Server) -> int:
    told = httpx.get(f"http://127.0.0.1:{server.port}/metrics").text
    found = re.search(r"^petla_ingest_events_accepted_total (\S+)$", told, re.MULTILINE)
    return int(float(found[1])) if found else 0
