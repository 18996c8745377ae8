"""Every mistake of whoever runs the command: one sentence on stderr, exit code 2, never a traceback."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.disks import mounted
from tests.e2e.processes import Installation, Server, free_port, temporary_installation, until
from tests.postgres_server import operators_server


@pytest.fixture(scope="module")
def shared_installation() -> Iterator[Installation]:
    with temporary_installation() as made:
        yield made


@pytest.fixture(scope="module")
def running(shared_installation: Installation) -> Server:
    return shared_installation.up("ingest")


def sentence(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of stderr of a command that refused."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("petla")
    assert "Traceback" not in line
    return line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("launch", "No such command 'launch': see 'petla --help'"),
        ("up everything", "'everything' is not one of 'ingest', 'scoring', 'alerts': see 'petla up --help'"),
        ("up --port 0", "'--port': Input should be greater than or equal to 1: see 'petla up --help'"),
        ("up --port http", "'--port': Input should be a valid integer"),
        ("up --host 192.0.2.1", "name an address of this machine with --host"),
        ("up --data /dev/null/petla", "/dev/null is a file: name another with --data"),
        ("keys create --source shop", "Missing option '--scope': see 'petla keys create --help'"),
        ("keys create --source shop --scope all", "'all' is no scope: choose from events:write,"),
        ("keys revoke nobody", "there is no key 'nobody': `petla keys list` shows the ids"),
        ("import rows.csv --mapping absent.yaml", "absent.yaml cannot be read"),
        ("erase c-1 --data absent", "no Pętla has ever run on absent: name its folder with --data or PETLA_DATA"),
        ("erase \x07", "a customer's name has 1 to 256 characters, none of them a control character"),
        (f"export {'x' * 257} --key k", "a customer's name has 1 to 256 characters"),
    ],
)
def test_a_wrong_word(shared_installation: Installation, words: str, says: str) -> None:
    assert says in sentence(shared_installation.command(*words.split()))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PETLA_PORT", "http", "PETLA_PORT: Input should be a valid integer"),
        ("PETLA_PARTITIONS", "0", "PETLA_PARTITIONS: Input should be greater than or equal to 1"),
        ("PETLA_TIMEZONE", "Mars", "PETLA_TIMEZONE: 'Mars' is no time zone; name one like Europe/Warsaw"),
        ("PETLA_TOPIC_PREFIX", "a/b", "PETLA_TOPIC_PREFIX: 'a/b' is no prefix: at most 50 letters"),
        ("PETLA_POSTGRES_BIN", "/dev", "There is no program 'postgres' in /dev"),
        ("INGEST_MAX_EVENTS_PER_SECOND", "many", "INGEST_MAX_EVENTS_PER_SECOND: Input should be a valid integer"),
    ],
)
def test_a_wrong_setting(installation: Installation, name: str, value: str, says: str) -> None:
    assert says in sentence(installation.command("up", environment={"PETLA_PORT": str(free_port()), name: value}))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALERTS_WEBHOOK_URL", "http://127.0.0.1:9/hook", "ALERTS_WEBHOOK_URL is set, so ALERTS_WEBHOOK_SECRET must"),
        ("ALERTS_MAX_FEEDBACK_AGE_DAYS", "-1", "ALERTS_MAX_FEEDBACK_AGE_DAYS: Input should be greater than or equal"),
    ],
)
def test_a_wrong_setting_of_alerts(shared_installation: Installation, name: str, value: str, says: str) -> None:
    port = str(free_port())
    assert says in sentence(shared_installation.command("up", "alerts", "--port", port, environment={name: value}))


@pytest.mark.parametrize("name", ["ALERTS_FIRST_ATTEMPT_HOURS", "INGEST_MAX_EVENTS_PER_SECOND", "SCORING_DATABASE_URL"])
def test_a_wrong_setting_of_any_service_is_told_before_anything_is_opened(
    installation: Installation, name: str
) -> None:
    port = str(free_port())
    assert f"{name}: " in sentence(installation.command("up", "--port", port, environment={name: "many"}))
    assert not installation.data.exists()


@pytest.mark.parametrize(
    ("words", "name", "value", "says"),
    [
        ("up scoring", "DATABASE_URL", "postgresql://petla:secret@127.0.0.1:http", "DATABASE_URL: this is no address"),
        ("up scoring", "SCORING_DATABASE_URL", "postgresql://petla:secret@127.0.0.1:5432", "it names no database"),
        ("rebuild", "DATABASE_URL", "postgresql://petla:secret@127.0.0.1:1", "nothing listens at its address: start"),
        ("keys list", "KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", "no Kafka at 127.0.0.1:1 (Connection refused): check"),
    ],
)
def test_a_server_that_is_not_there(installation: Installation, words: str, name: str, value: str, says: str) -> None:
    said = sentence(installation.command(*words.split(), environment={"PETLA_PORT": str(free_port()), name: value}))
    assert says in said
    assert "secret" not in said


def test_no_key_yet(installation: Installation) -> None:
    listed = installation.command("keys", "list")
    assert (listed.returncode, "petla keys create" in listed.stdout) == (0, True), listed.stderr


def test_a_login_that_postgresql_refuses(installation: Installation) -> None:
    with operators_server() as postgres:
        postgres.start()
        wrong = {"DATABASE_URL": postgres.url.replace("petla@", "nobody:secret@")}

        def said() -> str:
            return sentence(installation.command("rebuild", environment=wrong))

        refused = "petla: PostgreSQL refuses this user from here: correct the URL, or pg_hba.conf (28000)"
        until(lambda: said() == refused, 30, "PostgreSQL started, and refused")


def test_another_zone_than_the_numbers_were_counted_in(installation: Installation) -> None:
    tokyo = {"PETLA_TIMEZONE": "Asia/Tokyo"}
    server = installation.up("scoring")
    assert "a scoring process still reads" in sentence(installation.command("rebuild", environment=tokyo))
    assert server.terminate() == 0
    words = ["up", "scoring", "--port", str(free_port())]
    said = sentence(installation.command(*words, environment=tokyo))
    assert "the rollups count the days of Europe/Warsaw and PETLA_TIMEZONE is Asia/Tokyo" in said
    rebuilt = installation.command("rebuild", environment=tokyo)
    assert rebuilt.stdout == "counted 0 cells anew, in the days of Asia/Tokyo: start scoring again\n", rebuilt.stderr
    installation.up("scoring", **tokyo)


def test_an_empty_setting_is_none(installation: Installation) -> None:
    """An empty PETLA_HOST must not mean every address of the machine."""
    server = installation.up("ingest", PETLA_HOST="", PETLA_TIMEZONE="", PETLA_PARTITIONS="")
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{server.port:04X}" in listening
    assert f"00000000:{server.port:04X}" not in listening


def test_a_port_in_use(shared_installation: Installation, running: Server) -> None:
    said = sentence(shared_installation.command("up", "ingest", "--port", str(running.port)))
    assert f"port {running.port} on 127.0.0.1 cannot be used" in said
    assert "choose another with --port or free it" in said


def test_a_port_that_two_want_at_once(installation: Installation) -> None:
    """Both may be bound to it before one of them listens."""
    port = free_port()
    both = [installation.start("ingest", port) for _ in range(2)]
    (refused,) = until(lambda: [one for one in both if one.process.poll() is not None], 30, "one of them refused")
    assert refused.process.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used (Address already in use)" in refused.complaints()
    both[both[0] is refused].wait_ready()


def test_a_data_folder_in_use(shared_installation: Installation, running: Server) -> None:
    said = sentence(shared_installation.command("up", "--port", str(free_port())))
    assert f"another Pętla is running on {shared_installation.data}: stop it first" in said


def test_stop_while_it_runs(installation: Installation) -> None:
    server = installation.up("scoring")
    assert f"Pętla still runs on {installation.data} (process {server.process.pid}): end it first" in sentence(
        installation.command("stop")
    )


def test_a_folder_that_cannot_be_written(installation: Installation) -> None:
    with mounted(installation.data, "ro"):
        said = sentence(installation.command("up", "--port", str(free_port())))
    assert f"Pętla cannot write to the data folder {installation.data}: allow it to, or name another" in said


def test_an_import_with_a_wrong_key(shared_installation: Installation, running: Server, tmp_path: Path) -> None:
    rows, mapping = tmp_path / "rows.csv", tmp_path / "mapping.yaml"
    rows.write_text("id,stars\n1,5\n")
    mapping.write_text(
        "format: {type: csv}\ntimezone: Europe/Warsaw\nce_source: /x\nrules:\n"
        "  - {emit: feedback.received.v1, id: id, map: {metric: \"'rating'\", score: number(stars)}}\n"
    )
    words = ["import", str(rows), "--mapping", str(mapping), "--url", running.url]
    assert "the key is not known (401)" in sentence(shared_installation.command(*words, "--key", "petla_a_b"))
    reader = shared_installation.create_key("metrics:read")["key"]
    assert "lacks the scope events:write (403)" in sentence(shared_installation.command(*words, "--key", reader))
    words[-1] = f"http://127.0.0.1:{free_port()}"
    assert "cannot be reached" in sentence(shared_installation.command(*words, "--key", reader))
