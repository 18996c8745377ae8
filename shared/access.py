"""Who may do what: API keys, their scopes, and what counts as this machine.

A key is shown once; the log holds its SHA-256 (32 random bytes need no slow hash). A revoked key stays, with its time.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, NamedTuple

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from shared.clock import rfc3339
from shared.config import ConfigStore

SCOPES = ("events:write", "metrics:read", "followups:read", "followups:write", "admin")
_IMPLIED_BY = {"followups:read": "followups:write"}

_PREFIX = "key/"
_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another
_ID_LENGTH = 6
_LONGEST_KEY = 128  # bytes that are looked at: ours have half as many
_LONGEST_HEADER = _LONGEST_KEY + 32
_SOURCE = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,256}")
_PROXY_HEADERS = (b"forwarded", b"x-forwarded-", b"x-real-ip", b"via")


class CreatedKey(NamedTuple):
    """`key` is the only copy of the secret."""

    id: str
    key: str
    source: str
    scopes: list[str]


class ListedKey(NamedTuple):
    """`revoked` is the time it was revoked (RFC 3339, UTC), None while it works."""

    id: str
    source: str
    scopes: list[str]
    revoked: str | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from. `source` is the first part of the identity of every event it sends."""

    id: str
    source: str
    scopes: frozenset[str]


class AccessDenied(Exception):  # noqa: N818 - an answer to a request, not a mistake of the program
    """401 (nobody we know), 403 (not allowed) or 503 (not known yet), with a short code and what to change.

    `challenge` is how a 401 may be answered (RFC 9110, 11.6.1).
    """

    def __init__(self, status: int, code: str, detail: str, challenge: str = "Bearer") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.challenge = challenge


async def create_key(store: ConfigStore, source: str, scopes: Sequence[str]) -> CreatedKey:
    """A new key; ValueError names an unknown scope or a source that cannot be one."""
    chosen = _checked_scopes(scopes)
    if not _SOURCE.fullmatch(source):
        raise ValueError("a source is 1 to 256 characters without control characters, like shop")
    key_id = _free_id(store)
    key = f"petla_{key_id}_{secrets.token_urlsafe(32)}"
    await store.put(
        _PREFIX + key_id, {"sha256": _digest(key.encode()), "source": source, "scopes": chosen, "revoked": None}
    )
    return CreatedKey(key_id, key, source, chosen)


def _checked_scopes(scopes: Sequence[str]) -> list[str]:
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ValueError(f"{unknown[0] if unknown else 'nothing'!r} is no scope: choose from {', '.join(SCOPES)}")
    return list(dict.fromkeys(scopes))


def _free_id(store: ConfigStore) -> str:
    while True:
        key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
        if store.get(_PREFIX + key_id) is None:
            return key_id


def list_keys(store: ConfigStore) -> list[ListedKey]:
    return [
        ListedKey(name.removeprefix(_PREFIX), value["source"], value["scopes"], value["revoked"])
        for name, value in store.items(_PREFIX)
    ]


async def revoke_key(store: ConfigStore, key_id: str, now: datetime) -> ListedKey:
    """The key as it is from now on; revoking again keeps the first time. LookupError when there is no such key."""
    value = store.get(_PREFIX + key_id)
    if value is None:
        raise LookupError(f"there is no key {key_id!r}: `petla keys list` shows the ids")
    if value["revoked"] is None:
        value = {**value, "revoked": rfc3339(now.replace(microsecond=0))}
        await store.put(_PREFIX + key_id, value)
    return ListedKey(key_id, value["source"], value["scopes"], value["revoked"])


def authenticate(store: ConfigStore, authorization: bytes | None) -> Principal:
    """Who sent this `Authorization` header; AccessDenied (401; 503 before all keys are known) when nobody we know."""
    if not authorization:
        raise AccessDenied(401, "no_key", "send an API key as 'Authorization: Bearer petla_…'")
    key_id, digest = _claimed(authorization[:_LONGEST_HEADER])
    if not digest:
        raise AccessDenied(401, "no_key", "the Authorization header is not 'Bearer petla_…'")
    return _owner(store, key_id, digest)


def _owner(store: ConfigStore, key_id: str, digest: str) -> Principal:
    known = store.get(_PREFIX + key_id)
    expected = known["sha256"] if known else ""
    matches = hmac.compare_digest(digest, expected)
    if known is None and not store.is_complete:
        # Who is told 401 may throw the event away, and the key may well exist.
        raise AccessDenied(503, "keys_unknown", "keys are not known yet, because the log is away: try again")
    if not matches or known is None:
        raise AccessDenied(401, "unknown_key", "this API key is not known: `petla keys create` makes one")
    if known["revoked"] is not None:
        raise AccessDenied(401, "revoked_key", f"the API key {key_id} was revoked: use another")
    return _principal(key_id, known["source"], tuple(known["scopes"]))


@lru_cache(maxsize=1024)
def _principal(key_id: str, source: str, scopes: tuple[str, ...]) -> Principal:
    return Principal(key_id, source, frozenset(scopes))


@lru_cache(maxsize=1024)
def _claimed(authorization: bytes) -> tuple[str, str]:
    """The key's id and digest; without a digest where the header holds none.

    Remembered: a sender's key comes with every request. Whether it is still good is asked of the store each time.
    """
    scheme, _, key = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        return "", ""
    key = key.strip()
    return key[6:].partition(b"_")[0].decode("latin-1"), _digest(key[:_LONGEST_KEY])


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def require(principal: Principal, scope: str) -> None:
    """AccessDenied (403) when the principal may not."""
    held = principal.scopes
    if scope not in held and "admin" not in held and _IMPLIED_BY.get(scope) not in held:
        raise AccessDenied(
            403, "missing_scope", f"the API key {principal.id} lacks the scope {scope}: use one that has it"
        )


BEARER = HTTPBearer(auto_error=False, description="An API key: petla_…")


def requires(scope: str) -> Callable[..., Awaitable[Principal]]:
    """A FastAPI dependency: the principal of the request, who has `scope`. The app's state holds the store."""

    async def principal(
        request: Request, shown_in_docs: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None
    ) -> Principal:
        header = request.headers.get("authorization")
        found = authenticate(request.app.state.config, header.encode("latin-1") if header else None)
        require(found, scope)
        return found

    return principal


def is_loopback(scope: Scope) -> bool:
    """The request came from this machine, to this machine, and no proxy stands between (which any client may use)."""
    client = scope.get("client")
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return (
        client is not None
        and _is_loopback_address(client[0])
        and len(hosts) == 1
        and _is_loopback_name(hosts[0].decode("latin-1"))
        and not any(name.startswith(_PROXY_HEADERS) for name, _ in scope["headers"])
    )


def _is_loopback_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # how a socket for both families shows IPv4
    return (mapped or address).is_loopback


def _is_loopback_name(host: str) -> bool:
    return re.fullmatch(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", host, re.IGNORECASE) is not None
