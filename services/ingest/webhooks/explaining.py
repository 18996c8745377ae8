"""What would become of a delivery, step by step, without anything becoming of it."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from services.ingest.mapping.applying import Applied
from services.ingest.mapping.rules import Ignore, Rule
from services.ingest.webhooks.document import SourceDocument
from services.ingest.webhooks.judging import Judgement, judge
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.verification import REASONS, Verifier


class SeenStep(Struct):
    name: str
    ok: bool
    detail: str


class SeenRule(Struct):
    """`rule` counts from 1; `does` is the event type it emits, or the reason it ignores for."""

    rule: int
    does: str
    holds: bool
    events: int
    errors: list[str]
    ignored: list[str]


class Explanation(Struct):
    """`verified` is null where there is nothing to verify with. `verification` has the steps of each scheme.

    `events` are as they would be sent to `POST /v1/events`, by the source's own name.
    """

    source: str
    version: int
    verified: bool | None
    verification_failed: str | None
    verification: list[list[SeenStep]]
    delivery: str
    outcome: str
    reason: str | None
    rules: list[SeenRule]
    events: list[dict[str, Any]]
    errors: list[str]

    @property
    def is_fine(self) -> bool:
        return self.verified is not False and not self.errors


def explain(document: SourceDocument, verifier: Verifier, request: Request, now: datetime) -> Explanation:
    """Costs what a delivery costs; never raises for what it holds."""
    reason = verifier.reason(request, now)
    judgement = judge(document, request, now)
    return Explanation(
        source=document.name,
        version=document.version,
        verified=None if reason == "no_secret" else reason is None,
        verification_failed=REASONS[reason] if reason else None,
        verification=[
            [SeenStep(step.name, step.ok, step.detail) for step in steps] for steps in verifier.steps(request, now)
        ],
        delivery=judgement.delivery,
        outcome=judgement.outcome,
        reason=judgement.reason,
        rules=_rules(document, judgement),
        events=[made.event for made in judgement.made],
        errors=judgement.mistakes,
    )


def explain_again(document: SourceDocument, request: Request, arrival: datetime) -> Explanation:
    """Of a delivery that was verified when it came: its signature is not kept, so nothing is verified again."""
    judgement = judge(document, request, arrival)
    return Explanation(
        source=document.name,
        version=document.version,
        verified=True,
        verification_failed=None,
        verification=[],
        delivery=judgement.delivery,
        outcome=judgement.outcome,
        reason=judgement.reason,
        rules=_rules(document, judgement),
        events=[made.event for made in judgement.made],
        errors=judgement.mistakes,
    )


def _rules(document: SourceDocument, judgement: Judgement) -> list[SeenRule]:
    return [
        _seen(at, rule, applied)
        for at, (rule, applied) in enumerate(zip(document.rules, judgement.applied, strict=False), start=1)
    ]


def _seen(at: int, rule: Rule | Ignore, applied: Applied) -> SeenRule:
    if isinstance(rule, Ignore):
        does = f"ignore {rule.reason}"
    else:
        does = rule.emit if isinstance(rule.emit, str) else "the type that it names"
    errors = [str(error) for error in applied.errors]
    return SeenRule(at, does, applied.holds, len(applied.events), errors, list(applied.ignored))
