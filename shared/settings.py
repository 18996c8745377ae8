"""What every process reads from its environment. Each service adds its own in its `settings.py`."""

import re
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.data_folder import default_data
from shared.database_server import server_url
from shared.events.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX, TOPICS
from shared.log.kafka_connection import KafkaConnection
from shared.log.port import Topic

_HTTP = re.compile(r"https?://[^/\s]+")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,50}")
_SHORTEST_SECRET = 16
_DATABASE = re.compile(r"postgres(ql)?(\+asyncpg)?://")
_HOST_OF_DATABASE = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")


def refuse_no_server(value: str | None) -> str | None:
    """A validator; its words repeat nothing of the value, which may hold a password."""
    if value is not None:
        _of_a_server(value)
    return value


def refuse_no_database(value: str | None) -> str | None:
    """A validator for the address of one database, which names it."""
    if value is not None and not _of_a_server(value).path.strip("/"):
        raise ValueError("it names no database: give one like postgresql://user:password@host:5432/name")
    return value


def _of_a_server(value: str) -> SplitResult:
    try:
        address = urlsplit(value)
    except ValueError:
        address = urlsplit("")
    hosts = address.netloc.rpartition("@")[2].split(",")
    if not (_DATABASE.match(value) and all(map(_HOST_OF_DATABASE.fullmatch, hosts))):
        raise ValueError(
            "this is no address of PostgreSQL: give one like postgresql://user:password@host:5432, where @ : / of a"
            " password are written %40 %3A %2F"
        )
    return address


def first_mistake(error: ValidationError) -> str:
    """Named as in the environment; what several settings make wrong together names them itself."""
    first = error.errors()[0]
    sentence = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return sentence
    name = str(first["loc"][0])
    return f"{name if name.isupper() else f'PETLA_{name.upper()}'}: {sentence}"


class Settings(BaseSettings):
    """Environment names carry the prefix `PETLA_`; what has another name says so. An empty value is none."""

    model_config = SettingsConfigDict(env_prefix="PETLA_", env_ignore_empty=True, frozen=True, extra="ignore")

    data: Path = Field(default_factory=default_data)
    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65_535)
    topic_prefix: str = DEFAULT_PREFIX
    database_prefix: str = "petla_"
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1_000)
    timezone: str = "Europe/Warsaw"
    set_aside_all: bool = False
    secret: SecretStr | None = None
    postgres_bin: Path | None = None
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    kafka_bootstrap_servers: str | None = Field(default=None, validation_alias="KAFKA_BOOTSTRAP_SERVERS")
    kafka_security_protocol: str = Field(default="PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL")
    kafka_sasl_mechanism: str | None = Field(default=None, validation_alias="KAFKA_SASL_MECHANISM")
    kafka_sasl_username: str | None = Field(default=None, validation_alias="KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(default=None, validation_alias="KAFKA_SASL_PASSWORD")
    kafka_ssl_cafile: Path | None = Field(default=None, validation_alias="KAFKA_SSL_CAFILE")

    @field_validator("topic_prefix", "database_prefix")
    @classmethod
    def _names_anything(cls, value: str) -> str:
        """Topics are files too, and PostgreSQL cuts a long name off."""
        if not _PREFIX.fullmatch(value):
            raise ValueError(f"{value!r} is no prefix: at most 50 letters, digits, '.', '_' and '-'")
        return value

    @field_validator("secret")
    @classmethod
    def _cannot_be_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"give at least {_SHORTEST_SECRET} characters: `openssl rand -base64 32` makes them")
        return value

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _HTTP.match(value):
            raise ValueError(f"{value!r} is no address: give one like http://127.0.0.1:4318")
        return value

    @field_validator("database_url")
    @classmethod
    def _names_a_server(cls, value: str | None) -> str | None:
        return refuse_no_server(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{value!r} is no time zone; name one like Europe/Warsaw") from error
        return value

    @model_validator(mode="after")
    def _kafka_fits_together(self) -> Self:
        _ = self.kafka
        return self

    @cached_property
    def kafka(self) -> KafkaConnection | None:
        """None: the embedded log."""
        if self.kafka_bootstrap_servers is None:
            return None
        return KafkaConnection(
            self.kafka_bootstrap_servers,
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self.kafka_sasl_password.get_secret_value() if self.kafka_sasl_password else None,
            self.kafka_ssl_cafile,
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def database_on_server(self, service: str) -> str | None:
        """The URL of the service's database on the server of DATABASE_URL; None: on the embedded one."""
        return server_url(self.database_url, self.database_prefix + service) if self.database_url else None

    def topic(self, name: str) -> str:
        return self.topic_prefix + name

    def topics(self) -> list[Topic]:
        """Every topic with its retention."""
        return [
            Topic(self.topic(kind.name), kind.partitions or self.partitions, kind.retention_hours, kind.compacted)
            for kind in TOPICS
        ]
