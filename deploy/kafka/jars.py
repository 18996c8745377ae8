"""What a broker runs on: Java, and Kafka's jars from Maven Central, fetched once and kept outside the repository."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
_FETCH_SECONDS = 600
_LAST_LINES = 3


class KafkaMissing(Exception):  # noqa: N818 - it is a state of the machine, not a mistake of the caller
    """Why no broker can be started here, in one sentence that says what to do."""


def cache() -> Path:
    """`PETLA_KAFKA_CACHE`, or `~/.cache/petla/kafka`."""
    named = os.environ.get("PETLA_KAFKA_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "petla" / "kafka"


def java() -> str:
    found = shutil.which("java")
    if found is None:
        raise KafkaMissing(
            "Kafka needs Java 17 or later: on Debian and Ubuntu install it with 'apt install default-jre'."
        )
    return found


def classpath() -> str:
    """Every jar of `pom.xml`; another pom gets a folder of its own. Safe from several processes at once."""
    folder = cache() / hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "fetching.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _fetch(folder)
    return f"{folder}/*"


def _fetch(folder: Path) -> None:
    """Whole or not at all: the folder gets its name when everything is in it."""
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaMissing(
            "Kafka's jars are fetched with Maven: on Debian and Ubuntu install it with 'apt install maven',"
            " or set KAFKA_BOOTSTRAP_SERVERS to a broker that runs already."
        )
    unfinished = Path(tempfile.mkdtemp(prefix="fetching-", dir=folder.parent))
    try:
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={unfinished}"]
        _run([maven, "-q", "-B", "-f", str(_POM), *goal])
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaMissing("Maven did not fetch Kafka's jars in ten minutes: check the network.") from error
    if done.returncode:
        said = " ".join(done.stdout.split("\n")[:_LAST_LINES])
        raise KafkaMissing(f"Maven could not fetch Kafka's jars, check the network and its settings: {said}")
