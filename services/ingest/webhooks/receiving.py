"""`/webhooks/{source}`: verified over the bytes as they came, mapped, and on the log before the sender is answered.

Whatever is sent, the answer is as small as the strictest sender wants: 2xx for all that is the sender's, also copies
and types nobody maps; 401 for what is not; 429 and 503 with `Retry-After` for what cannot be taken now.
"""

import math
import re
from contextlib import suppress
from functools import cache
from typing import NamedTuple

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.direct import Answers
from services.ingest.body import BodyReading, Disconnected
from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.limits import BytesAtOnce, FewAtOnce, RateLimit
from services.ingest.webhooks.bodies import MAX_BODY_BYTES, read_body
from services.ingest.webhooks.handshakes import Handshake, Reply
from services.ingest.webhooks.judging import scope_of
from services.ingest.webhooks.records import record, unverified
from services.ingest.webhooks.registry import Source, Sources
from services.ingest.webhooks.replies import answer
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.taking import Taking
from services.ingest.webhooks.verification import REASONS
from shared.access import AccessDenied
from shared.clock import Clock
from shared.events.fields import EventError
from shared.log.port import LogUnavailable, Overloaded
from shared.problems import Refusal, access_denied, internal_error, problem
from shared.tracing import Tracing

PREFIX = "/webhooks/"
# What a stranger may have expressions look at.
_GREETING_BYTES = 16 * 1024
_is_plain = re.compile(rb"/webhooks/[a-z0-9_-]+").fullmatch  # without parameters, escapes and what a proxy puts before
_log = structlog.get_logger(__name__)


class Received(NamedTuple):
    """What is answered, and what the counter is told."""

    response: Response
    outcome: str
    reason: str = ""


class Receiving:
    """The door of the sources; `rest` answers every other path. `public_url` is how senders call this server."""

    def __init__(
        self,
        rest: ASGIApp,
        *,
        sources: Sources,
        keeping: Keeping,
        clock: Clock,
        rate: RateLimit,
        often: FewAtOnce,
        at_once: BytesAtOnce,
        counters: Counters,
        tracing: Tracing,
        public_url: str | None,
    ) -> None:
        self._rest = rest
        self._sources = sources
        self._keeping = keeping
        self._taking = Taking(keeping, clock)
        self._clock = clock
        self._rate = rate
        self._often = often
        self._at_once = at_once
        self._counters = counters
        self._counted = cache(counters.deliveries.labels)
        self._tracing = tracing
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not own_path(scope).startswith(PREFIX):
            await self._rest(scope, receive, send)
        elif (response := await self.answer(scope, receive)) is not None:
            await response(scope, receive, send)

    def answering(self, url: bytes) -> Answers | None:
        """What a request that came in whole is given to."""
        return self.answer if _is_plain(url) else None

    async def answer(self, scope: Scope, sent: Receive | bytes) -> Response | None:
        """To a request for a source, whose body is there or is still to be received; None when the sender has gone."""
        name = own_path(scope).removeprefix(PREFIX)
        span = self._tracing.start(f"{scope['method']} {PREFIX}{{source}}", "server")
        try:
            source = self._sources.get(name, self._clock.now())
            received = await self._answered(source, scope, sent, span.traceparent)
        except Disconnected:
            span.end(failed=True)
            return None
        self._counted(name if source else "", received.outcome, received.reason).inc()
        status = received.response.status_code
        span.end({"http.response.status_code": status}, failed=status >= 500)
        return received.response

    async def _answered(
        self, source: Source | None, scope: Scope, sent: Receive | bytes, traceparent: str | None
    ) -> Received:
        try:
            if source is None:
                self._refuse_while_unsure()
                return Received(problem(404, "unknown_source", "there is no source of this name"), "refused", "unknown")
            return await self._read(source, scope, sent, traceparent)
        except Refusal as refusal:
            return Received(refusal.response, "refused", refusal.code)
        except AccessDenied as denied:
            return Received(access_denied(denied), "refused", denied.code)
        except LogUnavailable as error:
            code = "overloaded" if isinstance(error, Overloaded) else "log_unavailable"
            headers = {"Retry-After": "1" if code == "overloaded" else "5"}
            detail = "deliveries cannot be kept at the moment: send the same again"
            return Received(problem(503, code, detail, headers=headers), "refused", code)
        except Disconnected:
            raise
        except Exception as error:
            return Received(internal_error(error), "refused", "internal_error")

    async def _read(self, source: Source, scope: Scope, sent: Receive | bytes, traceparent: str | None) -> Received:
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
            raise Refusal(415, "content_encoding", "a compressed body is not taken: send it without Content-Encoding")
        if scope["method"] != "POST":
            return self._without_a_body(source, request_of(scope, b"", self._public_url))
        reading = BodyReading(self._at_once, MAX_BODY_BYTES)
        try:
            body = reading.take(headers, sent) if isinstance(sent, bytes) else await reading.read(headers, sent)
            return await self._delivered(source, request_of(scope, body, self._public_url), traceparent)
        finally:
            reading.release()

    def _without_a_body(self, source: Source, request: Request) -> Received:
        for handshake in source.document.handshakes:
            if handshake.method == request.method and (reply := _reply(source, handshake, request)):
                return Received(answer(reply), "handshake")
        allowed = ", ".join(sorted({"POST", *(one.method for one in source.document.handshakes)}))
        raise Refusal(405, "method_not_allowed", "deliveries are sent with POST", headers={"Allow": allowed})

    async def _delivered(self, source: Source, request: Request, traceparent: str | None) -> Received:
        if greeted := self._greeted(source, request, verified=False):
            return greeted
        if (reason := source.verifier.reason(request, self._clock.now())) is not None:
            self._refuse_while_unsure()
            return await self._refused(source, request, reason)
        if greeted := self._greeted(source, request, verified=True):
            return greeted
        if (seconds := self._rate.seconds_to_wait(source.document.name, 1)) > 0:
            detail = "this source sends more a second than it may"
            raise Refusal(429, "too_many_events", detail, headers={"Retry-After": str(math.ceil(seconds))})
        return await self._taken(source, request, traceparent)

    def _refuse_while_unsure(self) -> None:
        """Who is told 404 or 401 may throw the delivery away, and the source or its newest secret may well exist."""
        if not self._sources.are_all_known:
            detail = "sources are not known yet, because the log is away: send the same again"
            raise Refusal(503, "sources_unknown", detail, headers={"Retry-After": "5"})

    def _greeted(self, source: Source, request: Request, verified: bool) -> Received | None:
        for handshake in source.document.handshakes:
            if handshake.method != "POST" or handshake.verified is not verified:
                continue
            if verified or len(request.body) <= _GREETING_BYTES:
                reply = _reply(source, handshake, request)
                if reply is not None:
                    return Received(answer(reply), "handshake")
        return None

    async def _taken(self, source: Source, request: Request, traceparent: str | None) -> Received:
        judgement, response = await self._taking.take(source, request, traceparent)
        self._counters.received.inc(len(judgement.made) + sum(judgement.errors.values()))
        if judgement.errors:
            for code, count in judgement.errors.items():
                self._counters.rejected.labels(code).inc(count)
            _log.warning("delivery_not_mapped", source=source.document.name, reasons=judgement.errors)
        return Received(response, judgement.outcome, judgement.reason or "")

    async def _refused(self, source: Source, request: Request, reason: str) -> Received:
        """Recorded only so often: anybody may send anything here, and the log is not theirs."""
        document = source.document
        if self._often.lets(document.name):
            kept = unverified(request, document.name, document.version, "rejected", reason, 401)
            with suppress(LogUnavailable):  # the counter has it; a stranger's 401 does not wait for a log
                await self._keeping.keep([], [record(kept, self._clock.now())])
        return Received(problem(401, reason, REASONS[reason]), "refused", reason)


def own_path(scope: Scope) -> str:
    """Without what a proxy, or the shared port, puts before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def request_of(scope: Scope, body: bytes, public_url: str | None) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    before = public_url or f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}"
    return Request(scope["method"], f"{before}{own_path(scope)}{'?' if query else ''}{query}", headers, body)


def _reply(source: Source, handshake: Handshake, request: Request) -> Reply | None:
    """What the handshake says, where that is what the request asks for."""
    root = None
    if request.method == "POST":
        try:
            root = read_body(handshake.body or source.document.body, request)
        except EventError:
            return None
    return handshake.reply(scope_of(request, root))
