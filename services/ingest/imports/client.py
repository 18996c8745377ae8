"""Sends batches to `POST /v1/events` until each event has an answer: accepted, or rejected with its reason.

A batch that was sent twice is harmless: an event's id is derived from its row.
"""

import math
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from services.ingest.imports.faults import EndedEarlyError, NothingSentError, StoppedError

PATIENCE_SECONDS = 60.0
_LONGEST_WAIT = 600.0
_LONGEST_BACKOFF = 10.0
_ANSWERED = (200, 202, 207, 422)
_BUSY = (429, 503)
_FAILING = (500, 502, 504)
_KEY_REFUSED = (401, 403)
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_RUN_AGAIN = "run it again to go on from there"

Refusal = tuple[str | None, str]


class Sender:
    """`sleep` takes seconds. A server that is away is tried for `PATIENCE_SECONDS`, one that says "later" for ever."""

    def __init__(self, http: httpx.Client, url: str, key: str, sleep: Callable[[float], None]) -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        self._sleep = sleep
        self._reached = False
        self._settled = False

    def send(self, lines: list[bytes]) -> dict[int, Refusal]:
        """The rejected events by index, with field and message; all others are accepted. Raises `EndedEarlyError`."""
        body = b"\n".join(lines) + b"\n"
        attempt = 0
        while (response := self._post(body)).status_code in _BUSY:
            self._sleep(_wait_asked_for(response, attempt))
            attempt += 1
        if response.status_code in _KEY_REFUSED:
            raise self._fault(_refusal_reason(self._url, response), code="key")
        if response.status_code not in _ANSWERED:
            raise self._fault(_refusal_reason(self._url, response), code="refused")
        refusals = _refusals(response, len(lines))
        if refusals is None:
            reason = f"{self._url} gives answers that are not Pętla's: name Pętla's address with --url"
            raise self._fault(reason, code="refused")
        self._settled = True
        return refusals

    def _post(self, body: bytes) -> httpx.Response:
        waited, attempt = 0.0, 0
        while True:
            try:
                response = self._http.post(self._url, content=body, headers=self._headers)
                self._reached = True
                if response.status_code not in _FAILING:
                    return response
                reason = f"answers {response.status_code}"
            except httpx.TransportError as error:
                reason = f"cannot be reached ({_named(error)})"
                if not self._reached and isinstance(error, _NO_CONNECTION):
                    remedy = "start Pętla, or name its address with --url"
                    sentence = f"nothing was sent, {self._url} {reason}: {remedy}"
                    raise NothingSentError(sentence, code="unreachable") from None
            if waited >= PATIENCE_SECONDS:
                sentence = f"stopped on the way, {self._url} {reason}: {_RUN_AGAIN}"
                raise StoppedError(sentence, code="unreachable")
            pause = _backoff(attempt)
            self._sleep(pause)
            waited, attempt = waited + pause, attempt + 1

    def _fault(self, reason: str, *, code: str) -> EndedEarlyError:
        if self._settled:
            return StoppedError(f"stopped on the way, {reason}; then {_RUN_AGAIN}", code=code)
        return NothingSentError(f"nothing was sent, {reason}", code=code)


def _refusal_reason(url: str, response: httpx.Response) -> str:
    reasons = {
        401: "the key is not known (401): make one with `petla keys create --source NAME --scope events:write`",
        403: "the key lacks the scope events:write (403): make another with `petla keys create`",
        404: f"{url} is not there (404): name Pętla's own address with --url",
    }
    return reasons.get(response.status_code, f"{url} answers {response.status_code}: {_detail(response)}")


def _refusals(response: httpx.Response, count: int) -> dict[int, Refusal] | None:
    """None when the answer does not speak of every event: then nothing is known."""
    body = _body(response)
    items = body.get("items", body.get("errors") if response.status_code == 422 else None)
    if not isinstance(items, list):
        return None
    answers = {item["index"]: item for item in items if isinstance(item, dict) and "index" in item}
    if set(answers) != set(range(count)):
        return None
    return {index: _refusal(item) for index, item in answers.items() if item.get("status") != "accepted"}


def _refusal(item: dict[str, Any]) -> Refusal:
    field = item.get("field")
    return str(field) if field else None, str(item.get("message") or item.get("code") or "rejected")


def _wait_asked_for(response: httpx.Response, attempt: int) -> float:
    """Seconds: what `Retry-After` says (a number, or a date against the answer's own), else a growing pause."""
    asked = response.headers.get("Retry-After", "")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            until, now = parsedate_to_datetime(asked), parsedate_to_datetime(response.headers.get("Date", ""))
            seconds = (until - now).total_seconds()
        except (ValueError, TypeError):
            seconds = _backoff(attempt)
    return min(max(seconds, 0.5), _LONGEST_WAIT) if math.isfinite(seconds) else _backoff(attempt)


def _backoff(attempt: int) -> float:
    return min(0.5 * 2.0 ** min(attempt, 10), _LONGEST_BACKOFF)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _detail(response: httpx.Response) -> str:
    body = _body(response)
    return str(body.get("detail") or body.get("title") or response.reason_phrase or "no reason given")[:300]


def _named(error: httpx.TransportError) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
