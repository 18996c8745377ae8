"""A server that takes events, and a round of load on it from a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.measure import PETLA, Round, cpu_seconds, free_port, new_key, process

SECONDS = 2.0
CONNECTIONS = 64
BATCH = 100


class Server(NamedTuple):
    """`beside` are processes that work for it, whose CPU time is counted apart."""

    port: int
    key: str
    process: psutil.Process
    beside: Sequence[psutil.Process] = ()

    def loaded(self, batch: int, path: str = "/v1/events", *, array: bool = False) -> Round:
        """So many events a request, over 64 connections, for two seconds."""
        numbers = (str(CONNECTIONS), str(SECONDS), str(batch))
        return self.driven("bench.load", str(self.port), self.key, path, *numbers, *["array"] * array)

    def driven(self, generator: str, *arguments: str) -> Round:
        """A round of that load generator."""
        before, beside = cpu_seconds([self.process]), cpu_seconds(self.beside)
        command = [sys.executable, "-m", generator, *arguments]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        result = json.loads(done.stdout)
        if result["failed"]:
            raise RuntimeError(f"{result['failed']} requests were refused")
        spent = cpu_seconds([self.process]) - before
        return Round(result["events"], spent, result["wall"], cpu_seconds(self.beside) - beside)


@contextmanager
def ingest(data: Path, beside: Sequence[psutil.Process] = (), **environment: str) -> Iterator[Server]:
    port = free_port()
    with process(PETLA, "up", "ingest", "--port", str(port), "--data", data, port=port, **environment) as server:
        yield Server(port, new_key(data, "events:write", **environment), server, beside)


@contextmanager
def peer(module: str, *arguments: str | Path, beside: Sequence[psutil.Process] = ()) -> Iterator[Server]:
    port = free_port()
    with process(sys.executable, "-m", f"bench.peers.{module}", str(port), *arguments, port=port) as server:
        yield Server(port, "none", server, beside)
