"""A sender's API over HTTP: JSON, or why there is none. Nothing that the other side does can hold the puller."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec

from services.ingest.pulling.port import PullFailed
from shared.clock import Clock
from shared.retry_after import retry_after_seconds

TIMEOUT_SECONDS = 20.0
MOST_BYTES = 16 * 1024 * 1024
_THROTTLED_FOR_MS = "x-rate-limit-time-reset-ms"

_decode = msgspec.json.Decoder().decode
Parameters = Sequence[tuple[str, str]]


class Unauthorised(PullFailed):
    """The token is no longer taken."""

    code = "token_not_taken"


class Throttled(PullFailed):
    """Too much was asked of it: 429."""


class Refused(PullFailed):
    """The request itself is refused: 4xx."""


class Remote:
    """One sender at `base`; `who` is its name in sentences. `transport` is for tests."""

    def __init__(self, who: str, base: str, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.base = base.rstrip("/")
        self._who = who
        self._clock = clock
        self._client = httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=TIMEOUT_SECONDS, transport=transport
        )

    async def get(self, path: str, headers: Mapping[str, str], parameters: Parameters = ()) -> Any:
        """The answer's JSON; None where there is no such thing (404) or nothing in it (204). Raises `PullFailed`."""
        request = self._client.build_request("GET", self.base + path, headers=headers, params=list(parameters))
        return await self._answer(request)

    async def post_form(self, path: str, form: Mapping[str, str], user: str, password: str) -> Any:
        """As `get`, for a token endpoint."""
        authorisation = httpx.BasicAuth(user, password)
        request = self._client.build_request("POST", self.base + path, data=dict(form))
        return await self._answer(next(authorisation.auth_flow(request)))

    async def close(self) -> None:
        await self._client.aclose()

    async def _answer(self, request: httpx.Request) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise PullFailed(f"{self._who} did not answer within {TIMEOUT_SECONDS:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise PullFailed(f"{self._who} cannot be reached ({type(error).__name__})") from None
        return self._judged(response, body)

    def _judged(self, response: httpx.Response, body: bytes | None) -> Any:
        status = response.status_code
        if status in (204, 404):
            return None
        if status == 401:
            raise Unauthorised(f"{self._who} does not take the token (401)")
        if status != 200:
            raise _kind_of(status)(f"{self._who} answered {status}", self._asked_for(response))
        if body is None:
            raise PullFailed(f"{self._who} answered more than {MOST_BYTES:,} bytes")
        try:
            return _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise PullFailed(f"{self._who} answered something that is not JSON") from None

    def _asked_for(self, response: httpx.Response) -> float | None:
        milliseconds = response.headers.get(_THROTTLED_FOR_MS, "")
        if milliseconds.isascii() and milliseconds.isdigit():
            return float(milliseconds[:12]) / 1000
        return retry_after_seconds(response.headers.get("retry-after"), self._clock.now())


def _kind_of(status: int) -> type[PullFailed]:
    if status == 429:
        return Throttled
    return Refused if 400 <= status < 500 and status not in (408, 425) else PullFailed


async def _read(response: httpx.Response) -> bytes | None:
    """None for more than anybody needs."""
    read = bytearray()
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > MOST_BYTES:
            return None
    return bytes(read)
