"""A wrong setting is one sentence that names the variable and never shows a secret."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.alerts.settings import AlertsSettings
from tests.alerts.world import SECRET

URL = "http://10.0.0.5:9000/hook"


def mistake(**settings: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        AlertsSettings(**settings)
    (error,) = raised.value.errors()
    assert "input_value" not in str(raised.value)
    return str(error["msg"])


def test_the_defaults_of_the_contract() -> None:
    settings = AlertsSettings()
    assert (settings.first_attempt_hours, settings.max_feedback_age_days, settings.notifies) == (24, 30, False)


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + "A" * 32, "whsec_" + "A" * 86])
def test_a_private_address_and_a_secret_are_taken(secret: str) -> None:
    settings = AlertsSettings(ALERTS_WEBHOOK_URL=URL, ALERTS_WEBHOOK_SECRET=secret)
    assert settings.notifies
    assert secret not in repr(settings)


@pytest.mark.parametrize(
    "secret",
    [None, "", "secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_AAAA", "whsec_" + "A" * 31 + "!",
     "whsec_" + "A" * 88, "whsec_" + "ż" * 32],
)  # fmt: skip
def test_an_address_without_a_usable_secret_is_refused(secret: str | None) -> None:
    sentence = mistake(ALERTS_WEBHOOK_URL=URL, ALERTS_WEBHOOK_SECRET=secret)
    assert "ALERTS_WEBHOOK_SECRET must be whsec_" in sentence


@pytest.mark.parametrize(
    "url", ["crm.example.com/hook", "ftp://crm.example.com", "http://", "http://[::1", "http://a:b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert "is no address: give one like https://" in mistake(ALERTS_WEBHOOK_URL=url, ALERTS_WEBHOOK_SECRET=SECRET)


@pytest.mark.parametrize(
    "wrong",
    [{"ALERTS_FIRST_ATTEMPT_HOURS": 0}, {"ALERTS_FIRST_ATTEMPT_HOURS": "x"}, {"ALERTS_MAX_FEEDBACK_AGE_DAYS": -1}],
)
def test_numbers_have_limits(wrong: dict[str, Any]) -> None:
    assert mistake(**wrong)


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", "")
    monkeypatch.setenv("ALERTS_WEBHOOK_SECRET", "")
    monkeypatch.setenv("ALERTS_FIRST_ATTEMPT_HOURS", "0.5")
    settings = AlertsSettings()
    assert (settings.notifies, settings.first_attempt_hours) == (False, 0.5)
