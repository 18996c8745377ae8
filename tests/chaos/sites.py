"""What a run stands on: a data folder, brokers and a PostgreSQL of its own, all ended with the run."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.kafka import broker as kafka
from deploy.kafka.broker import QUICK, Broker
from shared.postgres_binaries import server_account
from shared.postgres_cluster import PORT, Cluster
from tests.e2e.processes import Installation, temporary_installation
from tests.postgres_server import operators_server


class Postgres(Protocol):
    """`start` does not wait."""

    def start(self) -> None: ...

    def stop_immediately(self) -> None: ...


class EmbeddedServer:
    """The one that Pętla brings along, and starts again by itself."""

    def __init__(self, installation: Installation) -> None:
        self._cluster = Cluster(installation.data, server_account())

    def start(self) -> None:
        """That is the product's part."""

    def stop_immediately(self) -> None:
        if pid := self._cluster.running_pid():
            os.kill(pid, signal.SIGQUIT)

    @property
    def scoring(self) -> str:
        return f"postgresql://petla@/petla_scoring?host={self._cluster.socket_folder}&port={PORT}"


@dataclass
class Site:
    """`scoring` is the URL of that service's database, `brokers` are none on the embedded log."""

    installation: Installation
    postgres: Postgres
    scoring: str
    brokers: list[Broker] = field(default_factory=list)


Place = AbstractContextManager[Site]


@contextmanager
def embedded() -> Iterator[Site]:
    with temporary_installation() as installation:
        server = EmbeddedServer(installation)
        yield Site(installation, server, server.scoring)


@contextmanager
def one_broker() -> Iterator[Site]:
    with _folder() as folder:
        broker = Broker(folder / "broker", java_options=f"-Xms256m -Xmx512m {QUICK}")
        try:
            broker.start()
            yield from _on([broker])
        finally:
            broker.stop()


@contextmanager
def three_brokers() -> Iterator[Site]:
    """Three copies of every record; two of them acknowledge it."""
    with _folder() as folder:
        cluster = kafka.Cluster(folder, java_options=f"-Xms128m -Xmx384m {QUICK}")
        try:
            cluster.start()
            yield from _on(cluster.brokers)
        finally:
            for broker in cluster.brokers:
                broker.kill()  # they have nothing to hand over any more, and one may be frozen


def _on(brokers: list[Broker]) -> Iterator[Site]:
    servers = ",".join(broker.address for broker in brokers)
    with operators_server() as postgres:
        postgres.start()
        environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "DATABASE_URL": postgres.url}
        with temporary_installation(**environment) as installation:
            yield Site(installation, postgres, f"{postgres.url}/petla_scoring", brokers)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="petla-chaos-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
