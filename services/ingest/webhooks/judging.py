"""Which events a delivery is: the rules applied, each event admitted as if its sender had sent it here. Pure.

The events' revision is 1,000 × the sender's + the document's version, so that what is made by a mended document is
newer, and never newer than the sender's next change.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from services.ingest.admission import Admitted, admit
from services.ingest.mapping.applying import Applied, RowError, apply, value_of
from services.ingest.mapping.document import STEPS
from services.ingest.mapping.interpreter import Interpreter
from services.ingest.mapping.payload_functions import spelled
from services.ingest.sent_event import SentEvent, from_document
from services.ingest.webhooks.bodies import read_body
from services.ingest.webhooks.document import SourceDocument
from services.ingest.webhooks.request import Request
from shared.events.catalogue import SOURCE_TYPES
from shared.events.envelope import content_digest
from shared.events.feedback import RETRACTED
from shared.events.fields import EventError
from shared.events.identity import FEEDBACK_TYPES
from shared.events.raw import Emitted, Outcome

MOST_EVENTS = 1_000
_LARGEST_REVISION = (2**53 - 1) // STEPS - 1
NO_RULE = "no_rule"


class Made(NamedTuple):
    """An event as it goes on the log, and how the record of the delivery names it."""

    admitted: Admitted
    emitted: Emitted
    event: dict[str, Any]


@dataclass
class Judgement:
    """`applied` has an entry for each rule that was looked at; `errors` by code, `mistakes` in words."""

    delivery: str
    made: list[Made] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)
    readable: bool = True

    @property
    def outcome(self) -> Outcome:
        if self.made:
            return "accepted"
        return "rejected" if self.errors else "ignored"

    @property
    def reason(self) -> str | None:
        """The commonest: of the errors, else of what was ignored; none where all went well."""
        counted = self.ignored if not (self.errors or self.made) else self.errors
        return counted.most_common(1)[0][0] if counted else None

    def fail(self, code: str, sentence: str) -> None:
        self.errors[code] += 1
        self.mistakes.append(sentence)


def scope_of(request: Request, root: Any, *, by_field: bool = False) -> dict[str, Any]:
    """What expressions see of a delivery. `by_field`: they ask for fields alone, so the hash is made when they do."""
    beside = {
        "root": root,
        "item": root,
        "headers": request.headers,
        "query": request.query,
        "_index": 1,
        "_body_sha256": (lambda: request.body_sha256) if by_field else request.body_sha256,
    }
    return {**root, **beside} if isinstance(root, dict) else beside


def judge(document: SourceDocument, request: Request, arrival: datetime, traceparent: str | None = None) -> Judgement:
    """Never raises for what a delivery holds. `readable` is False where nothing of the body could be read."""
    try:
        root = read_body(document.body, request, document.read_json)
        scope = scope_of(request, root, by_field=document.is_read_by_field)
    except EventError as error:
        judgement = Judgement(delivery=_fallback(request), readable=False)
        judgement.fail(error.code, str(error))
        return judgement
    judgement = Judgement(delivery=_delivery(document, request, scope))
    for applied in apply(document.rules, document.context, scope):
        judgement.applied.append(applied)
        if applied.ignored:
            judgement.ignored.update(applied.ignored)
        for mistake in applied.errors:
            judgement.fail("mapping_failed", str(mistake))
        for event in applied.events:
            _take(judgement, document, event, arrival, traceparent)
    if not (judgement.made or judgement.errors or judgement.ignored):
        judgement.ignored[NO_RULE] += 1
    return judgement


def _take(
    judgement: Judgement, document: SourceDocument, event: dict[str, Any], arrival: datetime, traceparent: str | None
) -> None:
    if len(judgement.made) >= MOST_EVENTS:
        if "too_many_events" not in judgement.errors:
            judgement.fail("too_many_events", f"a delivery makes at most {MOST_EVENTS} events")
        return
    try:
        judgement.made.append(make(event, document, arrival, traceparent))
    except EventError as error:
        judgement.fail(error.code, f"{event['type']}: {error}")


def make(event: dict[str, Any], document: SourceDocument, arrival: datetime, traceparent: str | None = None) -> Made:
    """`event` with the sender's revision. Raises `EventError`."""
    revision = revised(event.get("revision", 0), document.version)
    return at_revision(event, revision, document.name, arrival, traceparent)


def at_revision(
    event: dict[str, Any], revision: int, sender: str, arrival: datetime, traceparent: str | None = None
) -> Made:
    """The same event with another revision, as it stands on the log. Raises `EventError`."""
    numbered = {**event, "revision": revision}
    try:
        encoded = msgspec.json.encode(numbered)
    except (OverflowError, ValueError, TypeError, RecursionError) as error:
        raise EventError("event", "unusable", "holds a value that no event can hold") from error
    sent = from_document(encoded)
    admitted = admit(sent, sender, arrival, traceparent, beside=SOURCE_TYPES)
    return Made(admitted, _emitted(sent, admitted), numbered)


def revised(revision: Any, version: int) -> int:
    """Raises `EventError`."""
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise EventError("revision", "wrong_type", "must be a whole number: milliseconds(…) makes one of a time")
    if not 0 <= revision <= _LARGEST_REVISION:
        raise EventError("revision", "out_of_range", f"must lie between 0 and {_LARGEST_REVISION}")
    return revision * STEPS + version


def senders_revision(revision: int) -> int:
    return revision // STEPS


def _emitted(sent: SentEvent, admitted: Admitted) -> Emitted:
    record = _on_the_log(admitted.value)
    name = record.data_name if sent.type in FEEDBACK_TYPES else sent.id
    kind = "retraction" if sent.type == RETRACTED else "answer" if sent.type in FEEDBACK_TYPES else sent.type
    digest = content_digest(kind, record.data).hex()
    return Emitted(
        sent.type, sent.source, name or sent.id, admitted.fact, sent.revision or 0, digest, admitted.key.hex()
    )


class _Recorded(msgspec.Struct):
    data: msgspec.Raw

    @property
    def data_name(self) -> str | None:
        return _decode_named(self.data).feedback_id


class _Named(msgspec.Struct):
    feedback_id: str | None = None


_on_the_log = msgspec.json.Decoder(_Recorded).decode
_decode_named = msgspec.json.Decoder(_Named).decode


def _delivery(document: SourceDocument, request: Request, scope: Mapping[str, Any]) -> str:
    """Hashed: what a sender names its deliveries by may be anything, also personal."""
    if document.idempotency is None:
        return _fallback(request)
    try:
        value = value_of("idempotency", document.idempotency, Interpreter(), scope)
        named = spelled(value) if value is not None else ""
    except (RowError, ValueError):
        named = ""
    return hashlib.sha256(named.encode()).hexdigest()[:32] if named else _fallback(request)


def _fallback(request: Request) -> str:
    """Of the body alone: retries are signed anew, at another time."""
    return request.body_sha256[:32]
