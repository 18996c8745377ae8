"""`make up-kafka`: a broker, a PostgreSQL and the three services, each a process of its own, until Ctrl-C.

KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL of the environment stand for a broker and a server that run already. When one
of the processes ends, all end, and it is said which one and why.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from deploy.kafka.broker import Broker, BrokerFailed
from deploy.kafka.jars import KafkaMissing
from deploy.local.postgres import LocalPostgres
from deploy.local.services import CommandFailed, ServiceProcess, petla, ran
from shared.data_folder import DataFolderError, default_data, prepare
from shared.postgres_binaries import PostgresError

_POLL_SECONDS = 0.2
_EXPECTED = (BrokerFailed, KafkaMissing, PostgresError, DataFolderError, CommandFailed, OSError)
_EVENT = {
    "specversion": "1.0",
    "id": "r-1",
    "source": "/survey",
    "type": "feedback.received.v1",
    "data": {"metric": "nps", "score": 3, "text": "Za późno", "customer": "c-1", "order_id": "o-9"},
}


class Part(Protocol):
    """Of what runs here."""

    @property
    def name(self) -> str: ...

    def ended(self) -> str | None:
        """Why, once it has ended without being told to; None while it runs."""
        ...


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="Pętla on a real Kafka, on this machine."
    )
    named = os.environ.get("PETLA_DATA")
    folder = Path(named) if named else default_data().with_name("petla-kafka")
    parser.add_argument("--data", type=Path, default=folder, help=f"where all of it is kept; PETLA_DATA, here {folder}")
    names = ("INGEST", "SCORING", "ALERTS")
    parser.add_argument("--ports", type=int, nargs=3, metavar=names, default=[8081, 8082, 8083], help="8081 8082 8083")
    parser.add_argument("--kafka-port", type=int, default=9092, help="default 9092")
    parser.add_argument("--postgres-port", type=int, default=5433, help="default 5433")
    return parser.parse_args()


def _run(chosen: argparse.Namespace, stack: ExitStack) -> None:
    """Returns never: what was started ends with the stack."""
    data = prepare(chosen.data)
    environment, parts = os.environ | {"PETLA_DATA": str(data)}, list[Part]()
    if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        broker = Broker(data / "kafka", port=chosen.kafka_port)
        stack.callback(broker.stop)
        broker.start()
        environment["KAFKA_BOOTSTRAP_SERVERS"] = broker.address
        parts.append(broker)
    if not os.environ.get("DATABASE_URL"):
        postgres = LocalPostgres(data, chosen.postgres_port)
        stack.callback(postgres.stop)
        postgres.start()
        environment["DATABASE_URL"] = postgres.url
        parts.append(postgres)
    ran([sys.executable, "deploy/prepare.py"], environment)
    services = _started(chosen.ports, environment, data, stack)
    key = json.loads(ran(petla("keys", "create", "--source", "local", "--scope", "admin", "--json"), environment))[
        "key"
    ]
    _say(environment, services, key)
    _watch([*parts, *services])


def _started(ports: Sequence[int], environment: dict[str, str], data: Path, stack: ExitStack) -> list[ServiceProcess]:
    names = ("ingest", "scoring", "alerts")
    services = [ServiceProcess(name, port, environment, data) for name, port in zip(names, ports, strict=True)]
    for service in services:
        stack.callback(service.stop)
        service.start()
    for service in services:
        stack.callback(service.ask_to_end)  # all are asked before the first is waited for: they drain together
    for service in services:
        service.wait_until_ready()
    return services


def _say(environment: dict[str, str], services: Sequence[ServiceProcess], key: str) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "PETLA_DATA"):
        print(f"{name}={environment[name]}")
    for service in services:
        print(f"{service.name:8} {service.url}")
    ingest, _, alerts = services
    print(f"key      {key}")
    event = json.dumps(_EVENT, ensure_ascii=False)
    headers = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    print(f"\ncurl {ingest.url}/v1/events {headers} -d '{event}'")
    print(f"\nThe follow-up is then at {alerts.url}/v1/followups. Ctrl-C ends all of it.", flush=True)


def _watch(parts: Sequence[Part]) -> None:
    while True:
        for part in parts:
            if (reason := part.ended()) is not None:
                raise CommandFailed(f"{part.name} ended, and so did all: {reason}")
        time.sleep(_POLL_SECONDS)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    chosen = _chosen()
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background ignores the second, unless it is asked for
        signal.signal(number, _interrupted)
    try:
        with ExitStack() as stack:
            _run(chosen, stack)
    except _EXPECTED as error:
        print(f"up-kafka: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
