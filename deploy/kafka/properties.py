"""The settings of a local broker: quick to start, quick to be let in again after a kill, nothing kept twice on one."""

import base64
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.kafka.certificates import Certificates

HOST = "127.0.0.1"


class Security(NamedTuple):
    """A second listener with TLS and a login; `refused` is a user whom nobody knows the password of."""

    certificates: Certificates
    user: str
    password: str


class Node(NamedTuple):
    """Where one broker listens. `identity` is its directory's id, which the others of a cluster are told."""

    number: int
    port: int
    secure_port: int
    controller_port: int
    identity: str

    @property
    def voter(self) -> str:
        return f"{self.number}@{HOST}:{self.controller_port}:{self.identity}"


def identity() -> str:
    """22 characters, as Kafka names clusters and directories; none begins with '-', which would be an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made


def properties(
    node: Node, nodes: Sequence[Node], data: Path, security: Security | None, more: Mapping[str, str]
) -> str:
    """The file that `kafka.Kafka` reads."""
    controllers = ",".join(f"{HOST}:{other.controller_port}" for other in nodes)
    merged = {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.bootstrap.servers": controllers,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        "unclean.leader.election.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        **(_ALONE if len(nodes) == 1 else _TOGETHER),
        **_listeners(node, security),
        **(_login(security) if security else {}),
        **more,
    }
    return "".join(f"{name}={value}\n" for name, value in merged.items())


_ALONE = {
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    # A killed broker is not let in again before its old registration has timed out.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
}
_TOGETHER = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "replica.lag.time.max.ms": "3000",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}


def _listeners(node: Node, security: Security | None) -> dict[str, str]:
    clients = f"PLAINTEXT://{HOST}:{node.port}"
    if security:
        clients += f",SASL_SSL://{HOST}:{node.secure_port}"
    controller = f"CONTROLLER://{HOST}:{node.controller_port}"
    return {
        "listeners": f"{clients},{controller}",
        "advertised.listeners": f"{clients},{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
    }


def _login(security: Security) -> dict[str, str]:
    modules = "org.apache.kafka.common.security"
    listener = "listener.name.sasl_ssl"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(security.certificates.broker),
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        f"{listener}.plain.sasl.jaas.config": (
            f'{modules}.plain.PlainLoginModule required user_{security.user}="{security.password}";'
        ),
        f"{listener}.scram-sha-512.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;",
    }
