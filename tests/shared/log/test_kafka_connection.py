"""The environment's settings for Kafka: checked together, one sentence each, before anything connects."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.log.kafka import KafkaLog
from shared.log.sqlite import SqliteLog
from shared.opening import open_log
from shared.settings import Settings

LOGIN = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "petla", "KAFKA_SASL_PASSWORD": "correct-horse"}


@pytest.fixture(autouse=True)
def only_what_the_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*LOGIN, "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SSL_CAFILE"):
        monkeypatch.delenv(name, raising=False)


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in {"KAFKA_BOOTSTRAP_SERVERS": "a:9092,b:9092", **environment}.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "a:9092,,b"}, "KAFKA_BOOTSTRAP_SERVERS: '' is no host:port"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka://a:9092"}, "KAFKA_BOOTSTRAP_SERVERS: 'kafka://a:9092' is no host:port"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL: 'TLS' is none of PLAINTEXT, SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_MECHANISM: SASL_SSL needs one of PLAIN"),
        (
            {**LOGIN, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "GSSAPI"},
            "needs one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, not GSSAPI",
        ),
        (
            {**LOGIN, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_PASSWORD": ""},
            "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: SASL_SSL needs both",
        ),
        ({"KAFKA_SASL_USERNAME": "petla"}, "KAFKA_SASL_USERNAME is set, but KAFKA_SECURITY_PROTOCOL=PLAINTEXT has no"),
        ({"KAFKA_SSL_CAFILE": "ca.pem"}, "KAFKA_SSL_CAFILE is set, but KAFKA_SECURITY_PROTOCOL=PLAINTEXT has no TLS"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": "/nowhere/ca.pem"},
            "KAFKA_SSL_CAFILE: /nowhere/ca.pem holds no certificates in PEM",
        ),
    ],
)
def test_what_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValidationError) as told:
        settings(monkeypatch, **environment)
    (error,) = told.value.errors()
    assert error["loc"] == ()  # else the sentence would name a variable twice
    assert sentence in error["msg"]


def test_all_of_it_reaches_the_clients_and_the_password_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT", **LOGIN)
    assert made.kafka is not None
    assert made.kafka.servers == "a:9092,b:9092"
    assert made.kafka.options == {
        "request_timeout_ms": 1_500,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "petla",
        "sasl_plain_password": "correct-horse",
    }
    assert "correct-horse" not in f"{made!r} {made.kafka!r}"


async def test_kafka_is_used_where_its_brokers_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PETLA_DATA", str(tmp_path / "data"))
    embedded = open_log(Settings())
    assert isinstance(embedded, SqliteLog)
    await embedded.close()
    on_kafka = open_log(settings(monkeypatch))
    assert isinstance(on_kafka, KafkaLog)
    await on_kafka.close()
