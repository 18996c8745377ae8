"""Access tokens from a refresh token that the sender replaces at every use; the newest is kept sealed.

The new one is on the log before the access token is used: a process that is killed between the two has lost nothing.
"""

import hashlib
from typing import Any, Protocol

import msgspec

from services.ingest.pulling.port import PullFailed
from services.ingest.pulling.remote import Refused, Remote, Unauthorised
from shared.clock import Clock
from shared.config import ConfigStore
from shared.sealing import NotUnsealed, Sealing

PREFIX = "token/"
PURPOSE = "pull token"
_LEFT_SECONDS = 60.0


class Tokens(Protocol):
    async def access(self) -> str:
        """Raises `PullFailed`."""
        ...

    def forget(self) -> None:
        """The sender did not take the last one."""
        ...


class KeptRefreshToken:
    """`given` is the one the user put into the environment: a chain of replaced ones begins with it."""

    def __init__(self, name: str, given: str, config: ConfigStore, sealing: Sealing) -> None:
        self._key = PREFIX + name
        self._given = given
        self._begins_with = hashlib.sha256(given.encode()).hexdigest()
        self._config = config
        self._sealing = sealing

    def newest(self) -> str:
        """The given one, where none of its chain is kept or what is kept cannot be read any more."""
        kept = self._config.get(self._key) or {}
        try:
            content: dict[str, Any] = msgspec.json.decode(self._sealing.unseal(PURPOSE, str(kept.get("sealed", ""))))
        except (NotUnsealed, msgspec.DecodeError):
            return self._given
        return str(content["token"]) if content.get("begins_with") == self._begins_with else self._given

    async def replace(self, token: str) -> None:
        """Raises `LogUnavailable`."""
        content = msgspec.json.encode({"token": token, "begins_with": self._begins_with})
        await self._config.put(self._key, {"sealed": self._sealing.seal(PURPOSE, content)})


class RefreshedTokens:
    """OAuth 2, RFC 6749 section 6, with the client's id and secret in Basic authentication."""

    def __init__(
        self, remote: Remote, path: str, client: tuple[str, str], refresh: KeptRefreshToken, clock: Clock
    ) -> None:
        self._remote = remote
        self._path = path
        self._client = client
        self._refresh = refresh
        self._clock = clock
        self._access = ""
        self._until = 0.0

    async def access(self) -> str:
        if not self._access or self._clock.monotonic() >= self._until:
            await self._renew()
        return self._access

    def forget(self) -> None:
        self._access = ""

    async def _renew(self) -> None:
        used = self._refresh.newest()
        try:
            answer = await self._exchanged(used)
        except Unauthorised:
            # Another process may have used it just before this one.
            if (newer := self._refresh.newest()) == used:
                raise
            answer = await self._exchanged(newer)
        await self._take(answer)

    async def _exchanged(self, token: str) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        try:
            return await self._remote.post_form(self._path, form, *self._client)
        except (Refused, Unauthorised):
            raise Unauthorised(
                "the refresh token is no longer taken: connect again and put the new one into the environment"
            ) from None

    async def _take(self, answer: Any) -> None:
        if not (isinstance(answer, dict) and isinstance(answer.get("access_token"), str)):
            raise PullFailed("the answer of the token endpoint names no access token")
        if isinstance(answer.get("refresh_token"), str):
            await self._refresh.replace(answer["refresh_token"])
        lasts = answer.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
        self._access, self._until = answer["access_token"], self._clock.monotonic() + seconds - _LEFT_SECONDS
