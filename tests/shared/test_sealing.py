"""What is sealed is read back for the same purpose with the same secret, and in no other way."""

import base64
import stat
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from shared.sealing import NotUnsealed, Sealing, sealing_of
from shared.settings import Settings

SECRET = b"a secret of thirty-two characters"


@given(st.binary(max_size=2_000), st.text(max_size=40))
def test_what_was_sealed_is_read_back(content: bytes, purpose: str) -> None:
    text = Sealing(SECRET).seal(purpose, content)
    assert Sealing(SECRET).unseal(purpose, text) == content
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_same_is_never_sealed_to_the_same_text() -> None:
    sealing = Sealing(SECRET)
    assert len({sealing.seal("survey", b"same") for _ in range(100)}) == 100


def test_another_purpose_or_another_secret_reads_nothing() -> None:
    text = Sealing(SECRET).seal("survey", b"c-1")
    with pytest.raises(NotUnsealed):
        Sealing(SECRET).unseal("source", text)
    with pytest.raises(NotUnsealed):
        Sealing(SECRET + b".").unseal("survey", text)


def test_every_altered_byte_is_noticed() -> None:
    sealing = Sealing(SECRET)
    text = sealing.seal("survey", b"c-1")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for at in range(len(raw)):
        altered = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises(NotUnsealed):
            sealing.unseal("survey", base64.urlsafe_b64encode(altered).decode())


@pytest.mark.parametrize("text", ["", "x", "AQ", "ż", "\0", "A" * 100_000, "AQ==", "....", "+/+/", "a b"])
def test_any_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(NotUnsealed):
        Sealing(SECRET).unseal("survey", text)


def test_keys_differ_by_purpose_and_secret_and_stay_the_same() -> None:
    one = Sealing(SECRET)
    assert len({one.key("session"), one.key("survey"), Sealing(b"another").key("session")}) == 3
    assert one.key("session") == Sealing(SECRET).key("session")
    assert len(one.key("session")) == 32


def test_a_secret_is_made_once_for_all_who_share_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sealing.prepare", lambda data: data)
    settings = Settings(data=tmp_path)
    with ThreadPool(8) as pool:
        keys = set(pool.map(lambda _: sealing_of(settings).key("session"), range(32)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_the_secret_of_the_environment_goes_first(tmp_path: Path) -> None:
    sealing = sealing_of(Settings(data=tmp_path, secret=SecretStr(SECRET.decode())))
    assert sealing.key("session") == Sealing(SECRET).key("session")
    assert not list(tmp_path.iterdir())


def test_a_secret_that_can_be_guessed_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValidationError, match="at least 16 characters") as refused:
        Settings(secret=SecretStr("tooshort"))
    assert "tooshort" not in str(refused.value)
