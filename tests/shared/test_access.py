"""API keys and their scopes, and what counts as this machine."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.access import (
    SCOPES,
    AccessDenied,
    Principal,
    authenticate,
    create_key,
    is_loopback,
    list_keys,
    require,
    revoke_key,
)
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import Topic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def store() -> AsyncIterator[ConfigStore]:
    made = ConfigStore(MemoryLog([Topic("petla.config", 1, None, compacted=True)]), "petla.config")
    await made.start()
    yield made
    await made.stop()


def bearer(key: str) -> bytes:
    return f"Bearer {key}".encode()


async def test_a_key_is_who_it_was_made_for(store: ConfigStore) -> None:
    created = await create_key(store, "shop", ["events:write", "metrics:read", "events:write"])
    assert created.key.startswith(f"petla_{created.id}_")
    assert len(created.key.removeprefix(f"petla_{created.id}_")) == 43  # 32 bytes in base64url
    assert created.scopes == ["events:write", "metrics:read"]
    expected = Principal(created.id, "shop", frozenset({"events:write", "metrics:read"}))
    for header in (bearer(created.key), b"bearer " + created.key.encode(), bearer(created.key + " ")):
        assert authenticate(store, header) == expected


async def test_the_secret_is_nowhere_but_in_the_answer(store: ConfigStore) -> None:
    created = await create_key(store, "shop", ["admin"])
    kept = store.get(f"key/{created.id}")
    assert kept is not None
    assert kept["sha256"] == hashlib.sha256(created.key.encode()).hexdigest()
    assert created.key.split("_", 2)[2] not in str(store.items(""))
    assert created.key not in str(list_keys(store))


async def test_two_keys_are_never_the_same(store: ConfigStore) -> None:
    made = [await create_key(store, "shop", ["admin"]) for _ in range(20)]
    assert len({key.id for key in made}) == len({key.key for key in made}) == 20
    assert [key.id for key in list_keys(store)] == sorted(key.id for key in made)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "no_key"),
        (b"", "no_key"),
        (b"petla_a_b", "no_key"),
        (b"Basic YTpi", "no_key"),
        (b"Bearer", "unknown_key"),
        (b"Bearer petla_a_b", "unknown_key"),
        (b"Bearer \xff\xfe", "unknown_key"),
        ("Bearer petla_é_ó".encode(), "unknown_key"),
        (b"Bearer " + b"x" * 100_000, "unknown_key"),
    ],
)
async def test_nobody_we_know_is_401(store: ConfigStore, header: bytes | None, code: str) -> None:
    with pytest.raises(AccessDenied) as denied:
        authenticate(store, header)
    assert (denied.value.status, denied.value.code) == (401, code)


async def test_the_id_of_a_key_is_no_key(store: ConfigStore) -> None:
    created = await create_key(store, "shop", ["admin"])
    other = await create_key(store, "shop", ["admin"])
    secret = other.key.split("_", 2)[2]
    for key in (f"petla_{created.id}_", f"petla_{created.id}_{secret}", created.key[:-1], created.key.upper()):
        with pytest.raises(AccessDenied):
            authenticate(store, bearer(key))


async def test_a_revoked_key_stays_with_its_first_time_and_opens_nothing(store: ConfigStore) -> None:
    created = await create_key(store, "shop", ["admin"])
    revoked = await revoke_key(store, created.id, NOW)
    assert revoked.revoked == "2026-11-20T12:00:00Z"
    assert await revoke_key(store, created.id, NOW.replace(year=2030)) == revoked
    assert list_keys(store) == [revoked]
    with pytest.raises(AccessDenied) as denied:
        authenticate(store, bearer(created.key))
    assert (denied.value.status, denied.value.code) == (401, "revoked_key")


async def test_a_key_that_is_not_there_cannot_be_revoked(store: ConfigStore) -> None:
    with pytest.raises(LookupError, match="there is no key 'nope'"):
        await revoke_key(store, "nope", NOW)


@pytest.mark.parametrize("scopes", [["events:read"], ["events:write", "root"], [], [""]])
async def test_an_unknown_scope_is_answered_with_the_list(store: ConfigStore, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="choose from events:write, metrics:read, followups:read") as refused:
        await create_key(store, "shop", scopes)
    assert "admin" in str(refused.value)
    assert list_keys(store) == []


@pytest.mark.parametrize("source", ["", "a\nb", "x" * 257, "a\0"])
async def test_a_source_that_could_not_be_part_of_an_identity_is_refused(store: ConfigStore, source: str) -> None:
    with pytest.raises(ValueError, match="a source is"):
        await create_key(store, source, ["admin"])


def test_what_each_scope_allows() -> None:
    allowed = {
        "events:write": {"events:write"},
        "metrics:read": {"metrics:read"},
        "followups:read": {"followups:read"},
        "followups:write": {"followups:read", "followups:write"},
        "admin": set(SCOPES),
    }
    for held, wanted in allowed.items():
        principal = Principal("k", "shop", frozenset({held}))
        assert {scope for scope in SCOPES if permits(principal, scope)} == wanted


def permits(principal: Principal, scope: str) -> bool:
    try:
        require(principal, scope)
    except AccessDenied:
        return False
    return True


def test_a_missing_scope_is_403_and_named() -> None:
    with pytest.raises(AccessDenied, match="the API key k lacks the scope metrics:read") as denied:
        require(Principal("k", "shop", frozenset({"events:write"})), "metrics:read")
    assert (denied.value.status, denied.value.code) == (403, "missing_scope")


def request_from(client: str | None, *headers: tuple[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "client": (client, 50_000) if client else None,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LocalHost:80", "127.0.0.1:8080", "[::1]:8080", "[::1]"]
)
def test_this_machine_asks_this_machine(client: str, host: str) -> None:
    assert is_loopback(request_from(client, ("host", host), ("accept", "text/html")))


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("192.168.0.7", [("host", "localhost")]),
        ("::ffff:192.168.0.7", [("host", "localhost")]),
        (None, [("host", "localhost")]),
        ("unix", [("host", "localhost")]),
        ("127.0.0.1", []),
        ("127.0.0.1", [("host", "localhost"), ("host", "petla.example")]),
        ("127.0.0.1", [("host", "petla.example")]),
        ("127.0.0.1", [("host", "localhost.example:8080")]),
        ("127.0.0.1", [("host", "127.0.0.1.nip.io")]),
        ("127.0.0.1", [("host", "localhost:8080\n")]),
        ("127.0.0.1", [("host", "localhost:x")]),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-for", "8.8.8.8")]),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-host", "petla.example")]),
        ("127.0.0.1", [("host", "localhost"), ("forwarded", "for=8.8.8.8")]),
        ("127.0.0.1", [("host", "localhost"), ("x-real-ip", "8.8.8.8")]),
        ("127.0.0.1", [("host", "localhost"), ("via", "1.1 proxy")]),
    ],
)
def test_others_and_proxies_are_not_this_machine(client: str | None, headers: list[tuple[str, str]]) -> None:
    assert not is_loopback(request_from(client, *headers))
