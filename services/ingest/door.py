"""POST /v1/events as one pure ASGI application in front of the others: 2xx only after the log has acknowledged."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.direct import Answers, Hot
from services.ingest import answers
from services.ingest.admission import Admitted, admit, admit_answers, admit_document
from services.ingest.answers import Answer
from services.ingest.body import BodyReading, Disconnected
from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.limits import BytesAtOnce, RateLimit
from services.ingest.media import Form, Headers, form_of
from services.ingest.naming import fact_in, fact_of, known_field
from services.ingest.sent_event import MAX_EVENT_BYTES, SentEvent, from_headers, is_plain
from services.ingest.splitting import MAX_BATCH_BYTES, SPACE, is_batch, split
from shared.access import AccessDenied, authenticate, require
from shared.clock import Clock
from shared.config import ConfigStore
from shared.events.fields import EventError
from shared.log.port import LogUnavailable, Overloaded
from shared.problems import Refusal, access_denied, internal_error, problem
from shared.tracing import Tracing

PATH = "/v1/events"
_URL = PATH.encode()
_SINGLE = (Form.ONE, Form.BINARY)
_MOST_LOGGED = 10  # rejected events of one request: a thousand lines would say no more

_log = structlog.get_logger(__name__)


class _Rest(Hot, Protocol):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Door:
    """`rest` answers every other path."""

    def __init__(
        self,
        rest: _Rest,
        *,
        keeping: Keeping,
        config: ConfigStore,
        clock: Clock,
        rate: RateLimit,
        at_once: BytesAtOnce,
        counters: Counters,
        tracing: Tracing,
    ) -> None:
        self._rest = rest
        self._keeping = keeping
        self._config = config
        self._clock = clock
        self._rate = rate
        self._at_once = at_once
        self._counters = counters
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != scope.get("root_path", "") + PATH:
            await self._rest(scope, receive, send)
        elif (answer := await self.answer(scope, receive)) is not None:
            await answer(scope, receive, send)

    def answering(self, url: bytes) -> Answers | None:
        """What a request that came in whole is given to."""
        return self.answer if url == _URL else self._rest.answering(url)

    async def answer(self, scope: Scope, sent: Receive | bytes) -> Answer | Response | None:
        """To a request for `PATH`, whose body is there or is still to be received; None when the sender has gone."""
        begun = self._clock.monotonic()
        span = self._tracing.start(f"POST {PATH}", "server", caused_by=_caused_by(scope) if self._tracing.on else None)
        answer: Answer | Response
        try:
            taking = self._take(scope, sent, span.traceparent)
            del sent  # while the log takes what was made of it, what was sent would only fill the processor's caches
            answer = await taking
        except Disconnected:
            span.end(failed=True)
            return None
        except Exception as error:
            answer = self._refused(error)
        self._counters.request_seconds.observe(self._clock.monotonic() - begun)
        traced = answer.traced if isinstance(answer, Answer) else {}
        span.end({"http.response.status_code": answer.status_code, **traced}, failed=answer.status_code >= 500)
        return answer

    def _refused(self, error: Exception) -> Response:
        if isinstance(error, EventError):
            self._counters.rejected.labels(error.code).inc()
            return answers.invalid(error)
        if isinstance(error, LogUnavailable):
            return self._unavailable(error)
        code = error.code if isinstance(error, AccessDenied | Refusal) else "internal_error"
        self._counters.refused.labels(code).inc()
        if isinstance(error, AccessDenied):
            return access_denied(error)
        return error.response if isinstance(error, Refusal) else internal_error(error)

    async def _take(self, scope: Scope, sent: Receive | bytes, traceparent: str | None) -> Answer | Response:
        _check_request(scope)
        headers = dict(scope["headers"])
        principal = authenticate(self._config, headers.get(b"authorization"))
        require(principal, "events:write")
        form = form_of(headers)
        reading = BodyReading(self._at_once, MAX_EVENT_BYTES if form in _SINGLE else MAX_BATCH_BYTES)
        try:
            body = reading.take(headers, sent) if isinstance(sent, bytes) else await reading.read(headers, sent)
            if is_batch(form, body):
                taking = self._take_batch(form, body, principal.source, traceparent)
                del body, sent  # as above
                return await taking
            return await self._take_one(form, headers, body, principal.source, traceparent)
        finally:
            reading.release()

    async def _take_one(
        self, form: Form, headers: Headers, body: bytes, sender: str, traceparent: str | None
    ) -> Answer:
        self._let_through(sender, 1)
        sent: SentEvent | None = None
        try:
            if form is Form.BINARY:
                sent = from_headers(headers, body)
                admitted = admit(sent, sender, self._clock.now(), traceparent)
            else:
                admitted = admit_document(body, is_plain(body), sender, self._clock.now(), traceparent)
        except EventError as error:
            _log_rejected(error, sender, fact_of(sent, sender) if sent else fact_in(body, sender))
            raise
        return answers.one(admitted, await self._keeping.keep([admitted]))

    async def _take_batch(self, form: Form, body: bytes, sender: str, traceparent: str | None) -> Answer | Response:
        documents = split(form, body)
        self._let_through(sender, len(documents))
        arrival, plain = self._clock.now(), is_plain(body)
        if plain and (admitted := admit_answers(body, documents, sender, arrival, traceparent)) is not None:
            del body, documents
            return answers.all_taken(admitted.facts, await self._keeping.keep_answers(admitted))
        documents = [document.strip(SPACE) for document in documents]
        outcomes = [_judged(document, plain, sender, arrival, traceparent) for document in documents]
        taken = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
        if len(taken) < len(outcomes):
            rejected = [outcome for outcome in outcomes if isinstance(outcome, EventError)]
            for error in rejected:
                self._counters.rejected.labels(error.code).inc()
            _log_all_rejected(documents, outcomes, sender)
            if not taken:
                return answers.none(rejected)
        return answers.batch(outcomes, await self._keeping.keep(taken))

    def _let_through(self, source: str, events: int) -> None:
        self._counters.received.inc(events)
        if (seconds := self._rate.seconds_to_wait(source, events)) > 0:
            headers = {"Retry-After": str(math.ceil(seconds))}
            raise Refusal(429, "too_many_events", "this source sends more events a second than it may", headers=headers)

    def _unavailable(self, error: LogUnavailable) -> Response:
        code = "overloaded" if isinstance(error, Overloaded) else "log_unavailable"
        self._counters.refused.labels(code).inc()
        detail = "events cannot be kept at the moment: send the same again"
        return problem(503, code, detail, headers={"Retry-After": "1" if code == "overloaded" else "5"})


def _judged(
    document: bytes, plain: bool, sender: str, arrival: datetime, traceparent: str | None
) -> Admitted | EventError:
    try:
        return admit_document(document, plain, sender, arrival, traceparent)
    except EventError as error:
        return error


def _log_all_rejected(documents: Sequence[bytes], outcomes: Sequence[Admitted | EventError], sender: str) -> None:
    rejected = [
        (document, one) for document, one in zip(documents, outcomes, strict=True) if isinstance(one, EventError)
    ]
    for document, error in rejected[:_MOST_LOGGED]:
        _log_rejected(error, sender, fact_in(document, sender))
    if len(rejected) > _MOST_LOGGED:
        _log.warning("more_events_rejected", sender=sender, count=len(rejected) - _MOST_LOGGED)


def _log_rejected(error: EventError, sender: str, fact: str | None) -> None:
    _log.warning("event_rejected", code=error.code, field=known_field(error.field), sender=sender, fact=fact)


def _caused_by(scope: Scope) -> str | None:
    """The sender's own trace, where it says so."""
    found = dict(scope["headers"]).get(b"traceparent")
    return found.decode("latin-1") if found else None


def _check_request(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise Refusal(405, "method_not_allowed", "events are sent with POST", headers={"Allow": "POST"})
    if scope["query_string"]:
        raise Refusal(422, "unknown_parameter", "there are no parameters here: leave out what follows the ?")
