"""What a process started ends with it, also when it is killed and nothing of its own can run any more."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.kafka.broker import Broker
from deploy.lifeline import Lifeline
from tests.kafka import Kafka

PROJECT = Path(__file__).parent.parent.parent
SECONDS = 20.0
STARTER = """
import subprocess, sys, threading
from deploy.lifeline import Lifeline
def start():
    child = subprocess.Popen(["sleep", "600"])
    kept.append(Lifeline(child.pid))
    print(child.pid, flush=True)
kept = []
thread = threading.Thread(target=start)
thread.start()
thread.join()
print("the thread has ended", flush=True)
sys.stdin.read()
"""


@contextmanager
def started(*words: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_child_outlives_the_thread_and_not_the_process_that_started_it() -> None:
    with started("-c", STARTER) as starter:
        child = psutil.Process(int(said(starter)))
        assert said(starter) == "the thread has ended"
        assert child.is_running()
        assert child.status() != psutil.STATUS_ZOMBIE
        starter.kill()
        child.wait(SECONDS)


def test_a_lifeline_that_is_cut_is_gone() -> None:
    before = psutil.Process().children()
    with subprocess.Popen(["true"]) as child:
        lifeline = Lifeline(child.pid)
        child.wait()
        lifeline.cut()
    assert psutil.Process().children() == before


def test_a_broker_ends_with_a_test_run_that_was_killed(kafka: Kafka, tmp_path: Path) -> None:
    assert kafka.connection  # jars and Java are here
    port = str(Broker(tmp_path).node.port)
    with started("-m", "deploy.kafka", "--port", port, "--data", str(tmp_path / "data")) as starter:
        assert said(starter) == f"KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:{port}"
        family = psutil.Process(starter.pid).children(recursive=True)
        assert "java" in {process.name() for process in family}
        starter.kill()
        gone, left = psutil.wait_procs(family, timeout=SECONDS)
    assert (len(gone), left) == (2, [])
