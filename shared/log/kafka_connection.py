"""How a Kafka broker is reached: addresses, TLS and login, checked together before anything connects."""

import re
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_ADDRESS = re.compile(r"([^\s:,]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?")

# A request without an answer is given up after this, and the connection with it.
REQUEST_MS = 1_500


@dataclass(frozen=True)
class KafkaConnection:
    """Raises `ValueError` with one sentence that names the environment's variable."""

    servers: str
    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    cafile: Path | None = None

    def __post_init__(self) -> None:
        self._check_servers()
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL: {self.protocol!r} is none of {', '.join(PROTOCOLS)}")
        if self.has_login:
            self._check_login()
        else:
            self._check_no_login()
        if self.cafile is not None:
            self._check_cafile()

    @property
    def has_login(self) -> bool:
        return self.protocol.startswith("SASL_")

    @property
    def has_tls(self) -> bool:
        return self.protocol.endswith("SSL")

    @cached_property
    def options(self) -> dict[str, Any]:
        """What every client and every connection of aiokafka takes."""
        options: dict[str, Any] = {"request_timeout_ms": REQUEST_MS, "security_protocol": self.protocol}
        if self.has_tls:
            options["ssl_context"] = self._tls()
        if self.has_login:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options

    def _check_servers(self) -> None:
        for address in self.servers.split(","):
            if not _ADDRESS.fullmatch(address.strip()):
                raise ValueError(f"KAFKA_BOOTSTRAP_SERVERS: {address!r} is no host:port; several stand with commas")

    def _check_login(self) -> None:
        if self.mechanism not in MECHANISMS:
            raise ValueError(
                f"KAFKA_SASL_MECHANISM: {self.protocol} needs one of {', '.join(MECHANISMS)},"
                f" not {self.mechanism or 'nothing'}"
            )
        if not self.username or not self.password:
            raise ValueError(f"KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: {self.protocol} needs both")

    def _check_no_login(self) -> None:
        given = {"MECHANISM": self.mechanism, "USERNAME": self.username, "PASSWORD": self.password}
        for name, value in given.items():
            if value:
                raise ValueError(
                    f"KAFKA_SASL_{name} is set, but KAFKA_SECURITY_PROTOCOL={self.protocol} has no login:"
                    " set it to SASL_SSL or SASL_PLAINTEXT"
                )

    def _check_cafile(self) -> None:
        if not self.has_tls:
            raise ValueError(
                f"KAFKA_SSL_CAFILE is set, but KAFKA_SECURITY_PROTOCOL={self.protocol} has no TLS:"
                " set it to SSL or SASL_SSL"
            )
        try:
            self._tls()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"KAFKA_SSL_CAFILE: {self.cafile} holds no certificates in PEM ({error})") from error

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.cafile)
