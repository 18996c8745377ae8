"""Real Kafka brokers on this machine, as children that can be stopped, killed, frozen and started again.

A broker started again has its address and, whatever its end was, all that it had acknowledged. It ends with whoever
started it.
"""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.kafka import jars
from deploy.kafka.properties import HOST, Node, Security, identity, properties
from deploy.lifeline import Lifeline

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05
_LAST_LINES = 5
# Compiles less well and so at less cost: for what does not run long.
QUICK = "-XX:TieredStopAtLevel=1"
# ApiVersions, version 0, from a client without a name: the first thing that any client asks.
_HELLO = bytes.fromhex("0000000a 0012 0000 00000001 ffff")


class BrokerFailed(Exception):  # noqa: N818 - it is a state of the broker, not a mistake of the caller
    """Why the broker does not run, with the last lines that it wrote."""


class Broker:
    """One broker under `folder`, alone or as one `node` of `nodes`. Not running before `start`."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        security: Security | None = None,
        settings: Mapping[str, str] | None = None,
        node: Node | None = None,
        nodes: Sequence[Node] = (),
        java_options: str = "-Xms256m -Xmx512m",
    ) -> None:
        self.node = node or _node(1, port)
        self._nodes = nodes or [self.node]
        self._folder = folder
        self._security = security
        self._settings = dict(settings or {})
        self._java_options = java_options.split()
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    @property
    def name(self) -> str:
        return f"Kafka on {self.address}"

    @property
    def address(self) -> str:
        return f"{HOST}:{self.node.port}"

    @property
    def secure_address(self) -> str:
        return f"{HOST}:{self.node.secure_port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, *, wait: bool = True) -> None:
        """Returns when a client gets an answer."""
        if self._answers():  # or a stranger's answer would be taken for this broker's
            raise BrokerFailed(f"another broker answers on {self.address}: stop it, or choose another port.")
        self._forget()
        self._process = self._launch()
        self._lifeline = Lifeline(self._process.pid)
        if wait:
            self.wait_until_it_answers()

    def stop(self) -> None:
        """In order; a broker that does not end is killed."""
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
            self._forget()
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._forget()

    def freeze(self) -> None:
        """Returns when its last thread stands still."""
        if self._process is not None:
            self._signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BrokerFailed(f"Kafka did not start on {self.address}: {self._last_lines()}")
            time.sleep(_POLL_SECONDS)

    def wait_until_it_ends(self) -> None:
        """For whoever runs it in the foreground."""
        if self._process is not None:
            self._process.wait()

    def ended(self) -> str | None:
        """The last that it wrote, once it has ended without being told to; None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        return self._last_lines()

    def _forget(self) -> None:
        self._process = None
        if self._lifeline is not None:
            self._lifeline.cut()
            self._lifeline = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.node.port), timeout=1) as connection:
                connection.sendall(_HELLO)
                return len(connection.recv(4)) == 4
        except OSError:
            return False

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    def _launch(self) -> "subprocess.Popen[bytes]":
        configuration = self._prepared()
        command = [*self._java(*self._java_options, "-XX:+UseSerialGC"), "kafka.Kafka", str(configuration)]
        with self._log.open("ab") as log:
            # A process group of its own: Ctrl-C in the terminal is for whoever started it, who then stops it in order.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder, process_group=0
            )

    def _prepared(self) -> Path:
        """The configuration; at the first start also formats the data folder."""
        data, configuration = self._folder / "data", self._folder / "server.properties"
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration.write_text(properties(self.node, self._nodes, data, self._security, self._settings))
        if not (data / "meta.properties").exists():
            self._format(configuration)
        return configuration

    def _format(self, configuration: Path) -> None:
        alone = len(self._nodes) == 1
        voters = ["--standalone"] if alone else ["--initial-controllers", ",".join(node.voter for node in self._nodes)]
        users = []
        if self._security:
            users = ["--add-scram", f"SCRAM-SHA-512=[name={self._security.user},password={self._security.password}]"]
        # All of a cluster must name it alike, and the first node's name is as good as any.
        cluster = ["-t", self._nodes[0].identity, "-c", str(configuration)]
        command = [*self._java(QUICK), "kafka.tools.StorageTool", "format", *voters, *cluster, *users]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, check=False)
        if done.returncode:
            raise BrokerFailed(f"Kafka could not format {self._folder}: {(done.stderr or done.stdout).strip()}")

    def _java(self, *options: str) -> list[str]:
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [jars.java(), *options, "-cp", jars.classpath(), quiet]

    @property
    def _log(self) -> Path:
        return self._folder / "broker.log"

    def _last_lines(self) -> str:
        written = self._log.read_text(encoding="utf-8", errors="replace").splitlines() if self._log.exists() else []
        return " ".join(written[-_LAST_LINES:]) or "it wrote nothing"


class Cluster:
    """Three brokers that keep every record on all three and acknowledge it when two have it."""

    def __init__(
        self, folder: Path, settings: Mapping[str, str] | None = None, java_options: str = "-Xms128m -Xmx384m"
    ) -> None:
        nodes = [_node(number) for number in (1, 2, 3)]
        self.brokers = [
            Broker(folder / str(node.number), settings=settings, node=node, nodes=nodes, java_options=java_options)
            for node in nodes
        ]

    @property
    def address(self) -> str:
        return ",".join(broker.address for broker in self.brokers)

    def start(self) -> None:
        for broker in self.brokers:
            broker.start(wait=False)
        for broker in self.brokers:
            broker.wait_until_it_answers()

    def stop(self) -> None:
        for broker in self.brokers:
            broker.stop()


def _node(number: int, port: int | None = None) -> Node:
    first, second, third = _free_ports(3)
    return Node(number, port or first, second, third, identity())


def _free_ports(count: int) -> list[int]:
    """Below those that the kernel gives to outgoing connections, which might take one while its broker is down."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex((HOST, port)) != 0:
                found.append(port)
    return found
