"""`make bench`: every claim, a table on the terminal and JSON under bench/results/. Not a test: nothing fails here.

python -m bench [NAME ...]     names: single batches webhooks scoring latency memory, and on a real Kafka:
                               kafka-single kafka-batches kafka-scoring kafka-latency kafka-rebuild
"""

import json
import sys
import time
from typing import Any

from bench import kafka_door, kafka_latency, kafka_rebuild, kafka_scoring
from bench.door import batches, single_posts
from bench.latency import post_to_followup
from bench.measure import RESULTS, NotRun, machine
from bench.memory import memory
from bench.scoring import exact_scoring
from bench.webhooks import mapped_orders

CLAIMS = {
    "single": single_posts,
    "batches": batches,
    "webhooks": mapped_orders,
    "scoring": exact_scoring,
    "latency": post_to_followup,
    "memory": memory,
    "kafka-single": kafka_door.single_posts,
    "kafka-batches": kafka_door.batches,
    "kafka-scoring": kafka_scoring.exact_scoring,
    "kafka-latency": kafka_latency.post_to_followup,
    "kafka-rebuild": kafka_rebuild.rebuild,
}


def main(names: list[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    print(json.dumps(machine()))
    for name in names or CLAIMS:
        started = time.monotonic()
        try:
            result = CLAIMS[name]()
        except NotRun as reason:
            print(f"\n{name}: not run: {reason}")
            continue
        print(f"\n{result['claim']}  ({time.monotonic() - started:.0f} s)")
        for figure, value in result.items():
            if figure != "claim" and value is not None:
                print(f"  {figure:24} {_shown(value)}")
        (RESULTS / f"{name}.json").write_text(json.dumps({**machine(), **result}, indent=1) + "\n")


def _shown(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main(sys.argv[1:])
