"""Thousands of events while parts fail; exit 0 only when nothing was lost and nothing counted twice.

    python -m tests.chaos kafka-faults --seed 7 --events 20000

Needs Java and Maven for the scenarios on Kafka. The seed decides events, sizes of requests and the order of the
faults; what a fault hits is up to the machine.
"""

import argparse
import json
import secrets
import sys
from pathlib import Path

from deploy.kafka.broker import BrokerFailed
from deploy.kafka.jars import KafkaMissing
from tests.chaos.run import command, run
from tests.chaos.scenarios import SCENARIOS


def main() -> int:
    described = "\n".join(f"    {name:<18} {scenario.about}" for name, scenario in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=f"{__doc__}\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", choices=SCENARIOS, metavar="SCENARIO")
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed where none is given")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--logs", type=Path, default=None, help="a folder for what the processes logged")
    asked = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    print(command(asked.scenario, seed, asked.events), flush=True)
    try:
        outcome = run(asked.scenario, seed, asked.events, asked.logs)
    except (KafkaMissing, BrokerFailed) as missing:
        print(f"no Kafka here: {missing}", file=sys.stderr)
        return 2
    print("\n".join(outcome.lines()))
    if asked.json:
        print(json.dumps(outcome.document()))
    return 0 if outcome.held else 1


if __name__ == "__main__":
    raise SystemExit(main())
