"""Which events a delivery is: the rules applied, each event admitted as if its sender had sent it here. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.ingest.mapping.applying import Applied, RowError, apply, value_of
from services.ingest.mapping.expressions import FAILURES
from services.ingest.mapping.interpreter import Interpreter
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.straight import Mapped
from services.ingest.webhooks.bodies import read_body
from services.ingest.webhooks.document import SourceDocument
from services.ingest.webhooks.making import Made, make
from services.ingest.webhooks.request import Request
from shared.events.fields import EventError
from shared.events.raw import Outcome

MOST_EVENTS = 1_000
NO_RULE = "no_rule"


@dataclass
class Judgement:
    """`applied` has an entry for each rule that was looked at; `errors` by code, `mistakes` in words."""

    delivery: str
    made: list[Made] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
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
        return max(counted, key=counted.__getitem__) if counted else None

    def fail(self, code: str, sentence: str) -> None:
        self.errors[code] = self.errors.get(code, 0) + 1
        self.mistakes.append(sentence)

    def ignore(self, reason: str) -> None:
        self.ignored[reason] = self.ignored.get(reason, 0) + 1


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


class Delivered(NamedTuple):
    document: SourceDocument
    request: Request
    arrival: datetime
    traceparent: str | None = None


def judge_all(deliveries: Sequence[Delivered]) -> list[Judgement]:
    """As `judge`, but for what only people want to know: which rule did what, and the events as the rules made them.

    Stage by stage, each of which leaves out what is not as nearly all is: `judge` finds out what that is.
    """
    mapped = [_mapped(one, parts) for one, parts in zip(deliveries, [_parts(one) for one in deliveries], strict=True)]
    made = [_made(one, found) for one, found in zip(deliveries, mapped, strict=True)]
    return [
        (judgement and _judged(one, *judgement)) or judge(*one) for one, judgement in zip(deliveries, made, strict=True)
    ]


def _parts(delivery: Delivered) -> Any | None:
    if delivery.document.straight is None:
        return None
    try:
        return delivery.document.read_parts(delivery.request.body)
    except EventError:
        return None


def _mapped(delivery: Delivered, parts: Any | None) -> Mapped | None:
    document = delivery.document
    if parts is None or document.straight is None:
        return None
    try:
        return document.straight(parts, delivery.request, document.context.source)
    except FAILURES:
        return None


def _made(delivery: Delivered, mapped: Mapped | None) -> tuple[Mapped, list[Made]] | None:
    if mapped is None:
        return None
    document, _, arrival, traceparent = delivery
    try:
        return mapped, [make(event, document, arrival, traceparent) for event in mapped.events]
    except EventError:
        return None


def _judged(delivery: Delivered, mapped: Mapped, made: list[Made]) -> Judgement | None:
    try:
        judgement = Judgement(_hashed(mapped.named) or _fallback(delivery.request), made)
    except ValueError:
        return None
    if mapped.ignored is not None:
        judgement.ignore(mapped.ignored)
    elif not made:
        judgement.ignore(NO_RULE)
    return judgement


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
        for reason in applied.ignored:
            judgement.ignore(reason)
        for mistake in applied.errors:
            judgement.fail("mapping_failed", str(mistake))
        for event in applied.events:
            _take(judgement, document, event, arrival, traceparent)
    if not (judgement.made or judgement.errors or judgement.ignored):
        judgement.ignore(NO_RULE)
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


def _delivery(document: SourceDocument, request: Request, scope: Mapping[str, Any]) -> str:
    """Hashed: what a sender names its deliveries by may be anything, also personal."""
    if document.idempotency is None:
        return _fallback(request)
    try:
        named = _hashed(value_of("idempotency", document.idempotency, Interpreter(), scope))
    except (RowError, ValueError):
        named = None
    return named or _fallback(request)


def _hashed(name: Any) -> str | None:
    """Raises ValueError for what is no name."""
    spelled_out = spelled(name) if name is not None else ""
    return hashlib.sha256(spelled_out.encode()).hexdigest()[:32] if spelled_out else None


def _fallback(request: Request) -> str:
    """Of the body alone: retries are signed anew, at another time."""
    return request.body_sha256[:32]
