"""Signed webhooks out, as Standard Webhooks says: the id stays through all attempts, the time and signature do not.

Nothing that the receiver does can hold the sender: one time limit over all, no redirect, 16 KiB of an answer at most.
"""

import asyncio
from datetime import UTC

import httpx
from standardwebhooks import Webhook

from services.alerts.schedule import Reply
from shared.clock import Clock
from shared.retry_after import retry_after_seconds

TIMEOUT_SECONDS = 15.0
MAX_CONNECTIONS = 4
_MAX_ANSWER_BYTES = 16 * 1024
_CONTENT_TYPE = "application/cloudevents+json"


class WebhookChannel:
    """One endpoint. `secret` is `whsec_…`; `clock` gives the time that is signed."""

    def __init__(self, url: str, secret: str, clock: Clock, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = url
        self._signer = Webhook(secret)
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )

    async def send(self, id_: str, body: bytes) -> Reply:
        """Never raises for what the receiver or the network does."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._post(self._headers(id_, body), body)
        except TimeoutError:
            return Reply(None, f"no answer within {self._timeout_seconds:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Reply(None, type(error).__name__)

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, headers: dict[str, str], body: bytes) -> Reply:
        async with self._client.stream("POST", self._url, headers=headers, content=body) as response:
            read = 0
            async for chunk in response.aiter_raw():  # an answer that is read to its end keeps the connection usable
                read += len(chunk)
                if read > _MAX_ANSWER_BYTES:
                    break
        if response.is_success:
            return Reply(response.status_code)
        retry_after = retry_after_seconds(response.headers.get("retry-after"), self._clock.now())
        return Reply(response.status_code, f"the endpoint answered {response.status_code}", retry_after)

    def _headers(self, id_: str, body: bytes) -> dict[str, str]:
        now = self._clock.now().astimezone(UTC)  # the library takes any time for UTC
        return {
            "content-type": _CONTENT_TYPE,
            "user-agent": "petla",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(id_, now, body.decode()),
        }
