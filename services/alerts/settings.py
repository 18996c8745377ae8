"""What alerts reads from its environment, beside what every process reads."""

import base64
import binascii
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import Settings, refuse_no_database

_SECRET_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)
_SECRET_WANTED = f"{_SECRET_PREFIX} and the base64 of {_SECRET_BYTES.start} to {_SECRET_BYTES.stop - 1} random bytes"


class AlertsSettings(Settings):
    """`alerts_database_url` names the database itself; without it, it is made on the server of DATABASE_URL.

    `first_attempt_hours` is how long somebody has to try; `max_feedback_age_days` 0 means no limit.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, hide_input_in_errors=True)

    alerts_database_url: str | None = Field(default=None, validation_alias="ALERTS_DATABASE_URL")
    webhook_url: str | None = Field(default=None, validation_alias="ALERTS_WEBHOOK_URL")
    webhook_secret: SecretStr | None = Field(default=None, validation_alias="ALERTS_WEBHOOK_SECRET")
    first_attempt_hours: float = Field(default=24, gt=0, le=8_760, validation_alias="ALERTS_FIRST_ATTEMPT_HOURS")
    max_feedback_age_days: float = Field(default=30, ge=0, le=36_500, validation_alias="ALERTS_MAX_FEEDBACK_AGE_DAYS")

    @field_validator("alerts_database_url")
    @classmethod
    def _names_a_database(cls, value: str | None) -> str | None:
        return refuse_no_database(value)

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not _is_http(value):
            raise ValueError("this is no address: give one like https://crm.example.com/hook")
        return value

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.webhook_url is not None and not _is_secret(self.webhook_secret):
            raise ValueError(f"ALERTS_WEBHOOK_URL is set, so ALERTS_WEBHOOK_SECRET must be {_SECRET_WANTED}")
        return self

    @property
    def own_database(self) -> str | None:
        """Its URL; None: on the embedded server."""
        return self.alerts_database_url or self.database_on_server("alerts")

    @property
    def notifies(self) -> bool:
        """Somebody outside is told of follow-ups."""
        return self.webhook_url is not None


def _is_http(value: str) -> bool:
    try:
        address = urlsplit(value)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


def _is_secret(value: SecretStr | None) -> bool:
    shown = value.get_secret_value() if value else ""
    if not shown.startswith(_SECRET_PREFIX):
        return False
    encoded = shown.removeprefix(_SECRET_PREFIX)
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(decoded) in _SECRET_BYTES
