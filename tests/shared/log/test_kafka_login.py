"""TLS and login on a real broker; and what is said when one of them, or the address, is wrong."""

from dataclasses import replace

import pytest

from shared.log.kafka import KafkaLog
from shared.log.kafka_connection import KafkaConnection
from shared.log.port import LogUnavailable, NewRecord, Partition, Topic
from tests.kafka import Kafka


async def append(connection: KafkaConnection, topic: str = "facts") -> str:
    log = KafkaLog(connection)
    try:
        return await log.append([NewRecord(topic, b"k", b"v")])
    finally:
        await log.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_appends_and_reads_with_a_login_through_tls(kafka: Kafka, mechanism: str) -> None:
    (topic,) = await kafka.make(Topic("facts", 1, 24))
    log = KafkaLog(kafka.secured(mechanism))
    await log.append([NewRecord(topic.name, b"k", b"v")])
    reader = log.reader()
    await reader.assign({Partition(topic.name, 0): 0})
    assert [found.key for found in await reader.read(10, 10)] == [b"k"]
    await reader.close()
    await log.close()


@pytest.mark.parametrize(
    ("mechanism", "password"), [("PLAIN", "wrong"), ("SCRAM-SHA-512", "wrong"), ("SCRAM-SHA-256", "correct-horse")]
)
async def test_a_refused_login_names_user_and_variables(kafka: Kafka, mechanism: str, password: str) -> None:
    connection = kafka.secured(mechanism, password)
    with pytest.raises(LogUnavailable) as told:
        await append(connection)
    assert str(told.value) == (
        f"Kafka at {connection.servers} refused the login of 'petla' with {mechanism}:"
        " check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
    )


async def test_a_broker_that_is_down_is_not_taken_for_the_cause(kafka: Kafka) -> None:
    secured = kafka.secured("PLAIN", "wrong")
    connection = replace(secured, servers=f"127.0.0.1:9,{secured.servers}")
    with pytest.raises(LogUnavailable, match=f"Kafka at {secured.servers} refused the login"):
        await append(connection)


async def test_a_certificate_nobody_vouches_for_is_said(kafka: Kafka) -> None:
    with pytest.raises(LogUnavailable, match=r"certificate of .* is not trusted .*: check KAFKA_SSL_CAFILE"):
        await append(kafka.secured("PLAIN", trusted=False))


async def test_where_the_broker_says_nothing_both_causes_are_named(kafka: Kafka) -> None:
    secured = kafka.secured("PLAIN")
    without_tls = KafkaConnection(secured.servers, "SASL_PLAINTEXT", "PLAIN", "petla", secured.password)
    with_tls = KafkaConnection(kafka.connection.servers, "SSL")
    for connection in (without_tls, with_tls):
        with pytest.raises(LogUnavailable, match=r"the broker is away .* or it does not .* KAFKA_SECURITY_PROTOCOL"):
            await append(connection)


@pytest.mark.parametrize(
    ("servers", "reason"), [("127.0.0.1:9", "Connection refused"), ("nowhere.invalid:9092", "known|resolution")]
)
async def test_an_address_without_a_broker_is_told_from_a_wrong_login(servers: str, reason: str) -> None:
    with pytest.raises(LogUnavailable, match=rf"no Kafka at {servers} \(.*({reason})\): check KAFKA_BOOTSTRAP_SERVERS"):
        await append(KafkaConnection(servers, "SASL_PLAINTEXT", "PLAIN", "petla", "secret"))
