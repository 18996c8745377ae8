"""What is wrong with the broker, in one sentence that says what to look at.

aiokafka says the same of a wrong password, a missing broker and a certificate that nobody trusts; one connection made
by hand tells them apart as far as the broker lets it.
"""

import asyncio
import os
import ssl
import time

from aiokafka.conn import collect_hosts, create_conn  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaTimeoutError,
    NodeNotReadyError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)

from shared.log.kafka_connection import KafkaConnection

_PROBE_SECONDS = 1.0
_LOGIN_REFUSED = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


def sentence(error: BaseException, seconds: float) -> str:
    """Why a broker that could be reached did not do what it was asked within so many seconds."""
    match error:
        case TimeoutError() | KafkaTimeoutError() | RequestTimedOutError():
            return f"Kafka has not answered within {seconds:g} seconds"
        case NotEnoughReplicasError() | NotEnoughReplicasAfterAppendError():
            return "too few replicas of the topic are in sync: start the brokers that are down"
        case TopicAuthorizationFailedError():
            return "Kafka does not let this user use the topic: grant it Read, Write and Describe"
        case UnknownTopicOrPartitionError():
            return "the topic does not exist on this Kafka: make it with 'python deploy/prepare.py'"
        case NodeNotReadyError():
            return "one of Kafka's brokers cannot be reached: look whether all of them run"
        case _:
            return f"Kafka is not there at the moment ({type(error).__name__})"


async def why_unreachable(connection: KafkaConnection, started: float) -> str:
    """Why no client could be started since `started`, on the monotonic clock. Takes a second at most."""
    servers = connection.servers
    if time.monotonic() - started > _PROBE_SECONDS:  # nothing answers; another try would only double the wait
        return _no_answer(servers)
    hosts = list(dict.fromkeys((host, port) for host, port, _ in collect_hosts(servers, randomize=False)))
    errors = await asyncio.gather(*(_tried(connection, host, port) for host, port in hosts))
    refused = {f"{host}:{port}": error for (host, port), error in zip(hosts, errors, strict=True) if error}
    if len(refused) < len(hosts):
        return f"{servers} could not be used a moment ago, and answers now"
    # A broker that is down beside one that refuses us is not what is wrong.
    address = next((address for address, error in refused.items() if not _is_absence(error)), next(iter(refused)))
    return _refusal(connection, address, refused[address])


async def _tried(connection: KafkaConnection, host: str, port: int) -> Exception | None:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            probe = await create_conn(host, port, **connection.options)
    except Exception as error:
        return error
    probe.close()
    return None


def _is_absence(error: Exception) -> bool:
    return isinstance(error, OSError) and not isinstance(error, ssl.SSLError | ConnectionResetError)


def _no_answer(servers: str) -> str:
    return f"nothing answers at {servers} (KAFKA_BOOTSTRAP_SERVERS), or not with this KAFKA_SECURITY_PROTOCOL"


def _refusal(connection: KafkaConnection, address: str, error: Exception) -> str:
    match error:
        case _ if isinstance(error, _LOGIN_REFUSED):
            return (
                f"Kafka at {address} refused the login of {connection.username!r} with {connection.mechanism}:"
                " check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
            )
        case ssl.SSLCertVerificationError():
            return f"the certificate of {address} is not trusted ({error.verify_message}): check KAFKA_SSL_CAFILE"
        case ssl.SSLError():
            return f"{address} does not speak TLS as expected: check KAFKA_SECURITY_PROTOCOL"
        case TimeoutError():
            return _no_answer(address)
        case OSError() if _is_absence(error):
            known = error.errno is not None and error.errno > 0  # name resolution has numbers of its own, below zero
            reason = os.strerror(error.errno or 0) if known else error.strerror or type(error).__name__
            return f"no Kafka at {address} ({reason}): check KAFKA_BOOTSTRAP_SERVERS and that the broker runs"
        case _:
            return (
                f"{address} closed the connection: either the broker is away (KAFKA_BOOTSTRAP_SERVERS), or it does not"
                " accept this KAFKA_SECURITY_PROTOCOL or this login (KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD)"
            )
