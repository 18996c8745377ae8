"""POST /v1/events as one pure ASGI application in front of the others: 2xx only after the log has acknowledged."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest import answers
from services.ingest.admission import Admitted, admit
from services.ingest.body import BodyReading, Disconnected
from services.ingest.counters import Counters
from services.ingest.limits import BytesAtOnce, RateLimit
from services.ingest.media import Form, Headers, form_of
from services.ingest.sent_event import MAX_EVENT_BYTES, from_document, from_headers
from services.ingest.splitting import MAX_BATCH_BYTES, is_batch, split
from shared.access import AccessDenied, authenticate, require
from shared.clock import Clock
from shared.config import ConfigStore
from shared.events.fields import EventError
from shared.log.port import Durability, Log, LogUnavailable, NewRecord, Overloaded
from shared.problems import Refusal, access_denied, internal_error, problem

PATH = "/v1/events"
_LARGEST = {Form.ONE: MAX_EVENT_BYTES, Form.BINARY: MAX_EVENT_BYTES}


class Door:
    """`topic` puts the deployment's prefix before a topic's name; `rest` answers every other path."""

    def __init__(
        self,
        rest: ASGIApp,
        *,
        log: Log,
        topic: Callable[[str], str],
        config: ConfigStore,
        clock: Clock,
        rate: RateLimit,
        at_once: BytesAtOnce,
        counters: Counters,
    ) -> None:
        self._rest = rest
        self._log = log
        self._topic = topic
        self._config = config
        self._clock = clock
        self._rate = rate
        self._at_once = at_once
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != scope.get("root_path", "") + PATH:
            await self._rest(scope, receive, send)
            return
        try:
            answer = await self._answer(scope, receive)
        except Disconnected:
            return
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> ASGIApp:
        try:
            return await self._take(scope, receive)
        except EventError as error:
            self._counters.rejected.labels(error.code).inc()
            return answers.invalid(error)
        except AccessDenied as denied:
            self._counters.refused.labels(denied.code).inc()
            return access_denied(denied)
        except Refusal as refusal:
            self._counters.refused.labels(refusal.code).inc()
            return refusal.response
        except LogUnavailable as error:
            return self._unavailable(error)
        except Disconnected:
            raise
        except Exception as error:
            self._counters.refused.labels("internal_error").inc()
            return internal_error(error)

    async def _take(self, scope: Scope, receive: Receive) -> ASGIApp:
        _check_request(scope)
        headers = dict(scope["headers"])
        principal = authenticate(self._config, headers.get(b"authorization"))
        require(principal, "events:write")
        form = form_of(headers)
        reading = BodyReading(self._at_once, _LARGEST.get(form, MAX_BATCH_BYTES))
        try:
            body = await reading.read(headers, receive)
            if is_batch(form, body):
                return await self._take_batch(split(form, body), principal.source)
            return await self._take_one(form, headers, body, principal.source)
        finally:
            reading.release()

    async def _take_one(self, form: Form, headers: Headers, body: bytes, sender: str) -> ASGIApp:
        self._let_through(sender, 1)
        sent = from_headers(headers, body) if form is Form.BINARY else from_document(body)
        admitted = admit(sent, sender, self._clock.now())
        return answers.one(admitted, await self._append([admitted]))

    async def _take_batch(self, documents: Sequence[bytes], sender: str) -> ASGIApp:
        self._let_through(sender, len(documents))
        arrival = self._clock.now()
        outcomes = [_judged(document, sender, arrival) for document in documents]
        admitted = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
        rejected = [outcome for outcome in outcomes if isinstance(outcome, EventError)]
        for error in rejected:
            self._counters.rejected.labels(error.code).inc()
        if not admitted:
            return answers.none(rejected)
        return answers.batch(outcomes, await self._append(admitted))

    def _let_through(self, source: str, events: int) -> None:
        self._counters.received.inc(events)
        if (seconds := self._rate.seconds_to_wait(source, events)) > 0:
            headers = {"Retry-After": str(math.ceil(seconds))}
            raise Refusal(429, "too_many_events", "this source sends more events a second than it may", headers=headers)

    async def _append(self, admitted: Sequence[Admitted]) -> Durability:
        durability = await self._log.append([NewRecord(self._topic(a.topic), a.key, a.value) for a in admitted])
        self._counters.accepted.inc(len(admitted))
        return durability

    def _unavailable(self, error: LogUnavailable) -> ASGIApp:
        code = "overloaded" if isinstance(error, Overloaded) else "log_unavailable"
        self._counters.refused.labels(code).inc()
        detail = "events cannot be kept at the moment: send the same again"
        return problem(503, code, detail, headers={"Retry-After": "1" if code == "overloaded" else "5"})


def _judged(document: bytes, sender: str, arrival: datetime) -> Admitted | EventError:
    try:
        return admit(from_document(document), sender, arrival)
    except EventError as error:
        return error


def _check_request(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise Refusal(405, "method_not_allowed", "events are sent with POST", headers={"Allow": "POST"})
    if scope["query_string"]:
        raise Refusal(422, "unknown_parameter", "there are no parameters here: leave out what follows the ?")
