"""docker-compose.yml as data: there is no Docker where these tests run. What it says of us is true of the code."""

import re
import tomllib
from typing import Any

import pytest

from services.running import PORTS
from tests.deploy.documents import DEPLOY, is_pinned, known_names, read
from tests.deploy.nginx import TEMPLATE
from tests.e2e.processes import PROJECT

TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
(COMPOSE,) = read(PROJECT / "docker-compose.yml")
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES = ("ingest", "scoring", "alerts")
OURS = (*SERVICES, "prepare")
OBSERVING = ("prometheus", "grafana")


def mounts(name: str) -> dict[str, str]:
    """What is mounted where, by the path inside."""
    return {inside: source for source, inside, *_ in (text.split(":") for text in CONTAINERS[name].get("volumes", []))}


def test_all_of_them_are_there() -> None:
    assert set(CONTAINERS) == {"proxy", *OURS, "kafka", "postgres", *OBSERVING}
    assert {name for name, container in CONTAINERS.items() if container.get("profiles") == ["observe"]} == {*OBSERVING}


@pytest.mark.parametrize("name", CONTAINERS)
def test_images_are_pinned(name: str) -> None:
    assert is_pinned(CONTAINERS[name]["image"])


@pytest.mark.parametrize("image", ["nginx", "nginx:latest", "nginx:1", "nginx:1.30", "postgres:18", "python:3.13-slim"])
def test_an_image_that_moves_is_not_pinned(image: str) -> None:
    assert not is_pinned(image)


@pytest.mark.parametrize("name", CONTAINERS)
def test_nobody_has_more_rights_than_needed(name: str) -> None:
    container = CONTAINERS[name]
    user = container["user"].split(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(container)
    assert container["pids_limit"] > 0
    assert container["logging"]["options"]["max-size"]  # a log must not fill the disk of the log


@pytest.mark.parametrize("name", CONTAINERS)
def test_everyone_says_how_it_is(name: str) -> None:
    check = CONTAINERS[name]["healthcheck"]
    if name == "prepare":
        assert check == {"disable": True}  # it ends; others wait for its exit code
    else:
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


def test_everyone_waits_for_what_it_needs() -> None:
    for name in SERVICES:
        assert CONTAINERS[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
    healthy = {"condition": "service_healthy"}
    assert CONTAINERS["prepare"]["depends_on"] == {"kafka": healthy, "postgres": healthy}
    assert CONTAINERS["prepare"]["restart"] == "no"
    assert set(CONTAINERS["proxy"]["depends_on"]) == set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    assert set(CONTAINERS[name]["environment"]) <= known_names()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_port_and_what_it_shares(name: str) -> None:
    container = CONTAINERS[name]
    assert container["command"] == ["up", name]
    assert container["environment"]["PETLA_PORT"] == str(PORTS[name])
    assert {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"} <= set(container["environment"])
    for shared in ("PETLA_TIMEZONE", "PETLA_PARTITIONS", "KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        assert container["environment"][shared] == CONTAINERS["prepare"]["environment"][shared]


def test_one_image_of_this_version_for_all_of_ours() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {CONTAINERS[name]["image"] for name in OURS} == {f"petla:{version}"}
    assert {CONTAINERS[name]["user"] for name in OURS} == {"10001:10001"}
    for name in OURS:
        assert (PROJECT / CONTAINERS[name]["build"]["dockerfile"]).exists()


def test_what_must_outlive_a_container_has_a_volume() -> None:
    kept = {name: mounts(name)["/var/lib/petla"] for name in SERVICES}
    kept["kafka"] = mounts("kafka")[CONTAINERS["kafka"]["environment"]["KAFKA_LOG_DIRS"]]
    kept["postgres"] = mounts("postgres")["/var/lib/postgresql"]
    assert len(set(kept.values())) == len(kept)  # nobody shares
    assert set(kept.values()) <= set(COMPOSE["volumes"])


def test_what_is_mounted_from_here_exists() -> None:
    sources = [source for name in CONTAINERS for source in mounts(name).values() if source.startswith("./")]
    assert sources
    assert not [source for source in sources if not (PROJECT / source).exists()]


def test_only_the_proxy_is_open_to_other_machines() -> None:
    for name, container in CONTAINERS.items():
        for port in container.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), (name, port)
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert {name for name, container in CONTAINERS.items() if container["networks"] == ["back"]} == {
        "prepare",
        "kafka",
        "postgres",
    }
    assert CONTAINERS["proxy"]["networks"] == ["front"]


def test_a_statement_that_fails_is_logged_without_its_row() -> None:
    assert CONTAINERS["postgres"]["command"] == [
        "postgres", "-c", "log_min_messages=log", "-c", "log_min_error_statement=panic"
    ]  # fmt: skip


def test_the_secrets_of_sources_come_from_a_file_that_need_not_be_there() -> None:
    assert CONTAINERS["ingest"]["env_file"] == [{"path": "sources.env", "required": False}]
    assert "sources.env" in (PROJECT / ".gitignore").read_text("utf-8").splitlines()


def test_a_secret_is_asked_for_and_never_written_here() -> None:
    asked = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)([^}]*)\}", TEXT)
    assert [name for name, _ in asked].count("POSTGRES_PASSWORD") == 2
    for name, rest in asked:
        assert rest.startswith(":?") if name in ("POSTGRES_PASSWORD", "PETLA_SECRET") else rest == ":-", name
    assert not re.search(r"(PASSWORD|SECRET): +[^$]", TEXT)


def test_the_proxy_is_told_everything_its_template_asks() -> None:
    environment = CONTAINERS["proxy"]["environment"]
    asked = set(re.findall(r"\$\{(PROXY_\w+)\}", TEMPLATE.read_text(encoding="utf-8")))
    assert asked == {name for name in environment if name.startswith("PROXY_")}
    for name in SERVICES:
        assert environment[f"PROXY_{name.upper()}"] == f"{name}:{PORTS[name]} resolve"
    assert environment["PROXY_UPLOADS"] == environment["PROXY_INGEST"]  # they share a volume
    assert environment["PROXY_TLS"] in mounts("proxy")
    assert f"8443:{8443}" in CONTAINERS["proxy"]["ports"]
    assert "listen 8443 ssl" in (DEPLOY / "proxy" / "tls" / "tls.conf.example").read_text(encoding="utf-8")


def test_kafka_makes_no_topic_by_itself_and_is_reached_where_it_says() -> None:
    kafka = CONTAINERS["kafka"]["environment"]
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == kafka["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
    address = CONTAINERS["ingest"]["environment"]["KAFKA_BOOTSTRAP_SERVERS"]
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{address}"
    pom = (DEPLOY / "kafka" / "pom.xml").read_text(encoding="utf-8")
    assert f"<version>{CONTAINERS['kafka']['image'].split(':')[1]}</version>" in pom  # what the tests run on
