"""What alerts does with a batch. Handlers change the database in the transaction they are given, nothing else.

Of a scored feedback the highest revision counts, whatever the order of arrival; of an activity fact too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts import consent, refusals
from services.alerts.answers import Followed, follow_up
from services.alerts.counters import Counters
from services.alerts.models import EraseRequest
from services.alerts.settings import AlertsSettings
from services.alerts.store import activity, erase_requests, feedback, survey_refusals
from services.alerts.store.activity import Fact, Key
from services.alerts.store.feedback import Seen
from services.alerts.verdicts import is_detractor, news_of
from shared.consumer.messages import Conflict, Handled, Message, Subscriptions
from shared.erasure.anonymous import customer_of, is_pseudonym
from shared.erasure.arrivals import Erased, NobodyErased
from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED, CUSTOMER_UPDATED
from shared.events.envelope import content_digest
from shared.events.rights import ERASE_REQUESTED
from shared.events.scores import SCORED
from shared.no_survey import SurveyRefusals
from shared.tracing import UNTRACED, Tracing

# What may stand in place of a fact that spoke of consent.
_MAY_TAKE_BACK = (CUSTOMER_UPDATED, ACTIVITY_RETRACTED)
_log = structlog.get_logger(__name__)


class Handlers:
    """`wake` is called after the commit of a batch that leaves something to be sent.

    `erased` takes erased persons out of what arrives; `refusals` is where those who do not want to be asked are told.
    """

    def __init__(
        self,
        settings: AlertsSettings,
        wake: Callable[[], None],
        counters: Counters | None = None,
        tracing: Tracing = UNTRACED,
        erased: Erased | None = None,
        refusals: SurveyRefusals | None = None,
    ) -> None:
        self._erased = erased or NobodyErased()
        self._refusals = refusals
        self._settings = settings
        self._wake = wake
        self._counters = counters or Counters(CollectorRegistry())
        self._tracing = tracing

    async def take_scores(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Promoters touch one row each; detractors, and who was one, go on to their follow-ups."""
        handled = Handled()
        rests = await self._erased.without_person(messages, tx)
        erased = {
            UUID(rest.data.feedback) for message, rest in zip(messages, rests, strict=True) if rest is not message
        }
        highest = _highest(rests, handled)
        kept = await feedback.remember([_seen(id_, message) for id_, message in highest.items()], tx)
        for id_, message in highest.items():
            handled.duplicates[message.record.partition] += id_ not in kept
        news = [
            news_of(message.data, before.keeps, before.was_seen, message.event.traceparent)
            for id_, message in highest.items()
            if (before := kept.get(id_))
        ]
        concerned = [one for one in news if one.is_detractor or one.kept or one.about]
        if concerned:
            followed = await follow_up(concerned, self._settings, tx, erased)
            handled.after_commit += [partial(self._report, followed), self._wake]
        return handled

    def _report(self, followed: Followed) -> None:
        self._counters.opened.inc(len(followed.opened))
        for suppressed in followed.suppressed:
            self._counters.suppressed.labels(suppressed.reason).inc()
        for followup, _, told, traceparent in followed.opened:
            _log.info("followup_opened", followup=told.followup_id, fact=told.feedback, priority=followup.priority)
            if traceparent:
                span = self._tracing.start("open follow-up", caused_by=traceparent)
                span.end({"petla.followup_id": told.followup_id, "petla.fact_id": told.feedback})

    async def record_activity(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """The same revision with the same content is a duplicate, with other content a conflict: the first stays."""
        handled = Handled()
        messages = await self._erased.without_person(messages, tx)
        facts = [_fact(message) for message in messages]
        first: dict[Key, Fact] = {}
        for fact in facts:
            first.setdefault((fact.id, fact.revision), fact)
        inserted = await activity.insert(list(first.values()), tx)
        if told := {fact.customer for fact in first.values() if fact.customer and _says_consent(fact, inserted)}:
            await consent.respect(told, tx)
            handled.after_commit.append(self._wake)
        await self._note_refusals(told, first, inserted, tx)
        contents = await activity.contents(first.keys() - inserted, tx)
        for message, fact in zip(messages, facts, strict=True):
            key = (fact.id, fact.revision)
            if key in inserted and first[key] is fact:
                continue
            if contents.get(key, first[key].content) == fact.content:
                handled.duplicates[message.record.partition] += 1
            else:
                handled.conflicts.append(_conflict(message, fact))
        return handled

    async def _note_refusals(
        self, told: Collection[str], first: Mapping[Key, Fact], inserted: Collection[Key], tx: AsyncConnection
    ) -> None:
        """A newer revision may say nothing of consent any more, or speak of somebody else."""
        if self._refusals is None:
            return
        replaced = [key[0] for key in inserted if key[1] and first[key].type in _MAY_TAKE_BACK]
        concerned = {*told, *await survey_refusals.spoken_of(replaced, tx)}
        if concerned:
            await refusals.note(concerned, self._refusals, tx)

    async def take_erase_requests(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Each for a loop to pass on; one whose log was rewritten since names nobody any more."""
        asked = [
            EraseRequest(
                id=UUID(message.event.factid), customer=message.data.customer, received_at=message.event.receivedat
            )
            for message in messages
            if not is_pseudonym(message.data.customer)
        ]
        await erase_requests.insert(asked, tx)
        return Handled()


def _highest(messages: Sequence[Message], handled: Handled) -> dict[UUID, Message]:
    """The highest revision of each feedback; the others of the batch change nothing."""
    highest: dict[UUID, Message] = {}
    for message in messages:
        id_ = UUID(message.data.feedback)
        best = highest.setdefault(id_, message)
        if best is message:
            continue
        superseded = message if message.data.revision <= best.data.revision else best
        handled.duplicates[superseded.record.partition] += 1
        if superseded is best:
            highest[id_] = message
    return highest


def _seen(id_: UUID, message: Message) -> Seen:
    scored = message.data
    return Seen(id_, scored.revision, scored if is_detractor(scored) else None)


def _fact(message: Message) -> Fact:
    event, data = message.event, message.data
    customer = customer_of(data)
    return Fact(
        id=UUID(event.factid),
        revision=event.revision,
        content=content_digest(event.type, event.data),
        type=event.type,
        customer=None if is_pseudonym(customer) else customer,
        order_id=getattr(data, "order_id", None),
        contact_id=getattr(data, "contact_id", None),
        at=event.time,
        received_at=event.receivedat,
        data=bytes(event.data).decode(),
    )


def _says_consent(fact: Fact, inserted: Collection[Key]) -> bool:
    return fact.type == CUSTOMER_UPDATED and (fact.id, fact.revision) in inserted and '"consent"' in fact.data


def _conflict(message: Message, fact: Fact) -> Conflict:
    detail = f"revision {fact.revision} is known with other content; send a change as a higher revision"
    return Conflict(message, str(fact.id), fact.content, detail)


def subscriptions(handlers: Handlers) -> Subscriptions:
    """Everything alerts reacts to."""
    activity_types = (*ACTIVITY, ACTIVITY_RETRACTED)
    return {
        SCORED: handlers.take_scores,
        **dict.fromkeys(activity_types, handlers.record_activity),
        ERASE_REQUESTED: handlers.take_erase_requests,
    }
