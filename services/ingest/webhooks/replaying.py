"""What came in, mapped again by the document that is in force now: `petla replay`.

Every fact ends as if that document had always been there since the moment that is named: what it makes otherwise is
replaced by a higher revision, what it no longer makes is retracted, what is the same is left alone. Done again, or
stopped on the way and done again, it changes nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from services.ingest.admission import Admitted
from services.ingest.keeping import Keeping
from services.ingest.mapping.document import STEPS
from services.ingest.webhooks.document import SourceDocument
from services.ingest.webhooks.history import Delivery, History, Standing
from services.ingest.webhooks.judging import Judgement, judge
from services.ingest.webhooks.making import Made, at_revision, senders_revision
from services.ingest.webhooks.records import record
from services.ingest.webhooks.retracting import retraction
from shared.events.activity import ACTIVITY_RETRACTED
from shared.events.feedback import RETRACTED
from shared.events.raw import Emitted, WebhookReceived

_RETRACTIONS = (RETRACTED, ACTIVITY_RETRACTED)
_EXAMPLES = 20
Change = Literal["added", "changed", "retracted"]


class VersionNotRaisedError(Exception):
    """The document has the version that made the facts: what it makes now would be a conflict."""


@dataclass
class Replayed:
    """How many deliveries were mapped again, how many facts they change, and the first of those.

    `failed` deliveries have a mistake now: what they made before stays (`kept`), and what those made whose content was
    `erased` with a person. `answers` are the ids of changed and
    retracted feedback.
    """

    deliveries: int = 0
    failed: int = 0
    erased: int = 0
    unchanged: int = 0
    added: int = 0
    changed: int = 0
    retracted: int = 0
    kept: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def note(self, change: Change, emitted: Emitted) -> None:
        setattr(self, change, getattr(self, change) + 1)
        if len(self.examples) < _EXAMPLES:
            self.examples.append({"change": change, "type": emitted.type, "id": emitted.name, "fact": emitted.fact})
        if change != "added" and emitted.type.startswith("feedback."):
            self.answers.append(emitted.fact)


class _Winner(NamedTuple):
    """Of all that the deliveries make of a fact now, the greatest: of equal revisions, what stands already."""

    revision: int
    stands: bool
    digest: str
    delivery: str


class Replay:
    """`keeping` writes; without it nothing is written."""

    def __init__(self, history: History, document: SourceDocument, keeping: Keeping | None) -> None:
        self._history = history
        self._document = document
        self._keeping = keeping
        self._winners: dict[str, _Winner] = {}
        self._protected: set[str] = set()
        self.done = Replayed()

    async def run(self, since: datetime) -> Replayed:
        """Raises `VersionNotRaisedError` before anything is written, `LogUnavailable` at any time."""
        await self._history.read(since)
        self.done.erased = len(self._history.erased)
        async for delivery in self._history.deliveries(since):
            self._look_at(delivery, self._judged(delivery))
        changed = {fact for fact, winner in self._winners.items() if self._replaces(fact, winner, since)}
        gone = [one for one in self._history.standing.values() if self._is_gone(one.emitted)]
        self._check_version(changed, [one.emitted for one in gone])
        self.done.unchanged = len(self._winners) - len(changed)
        async for delivery in self._history.deliveries(since):
            await self._emit(delivery, changed)
        for one in gone:
            await self._retract(one)
        return self.done

    def _judged(self, delivery: Delivery) -> Judgement:
        return judge(self._document, delivery.request, delivery.arrival)

    def _look_at(self, delivery: Delivery, judgement: Judgement) -> None:
        self.done.deliveries += 1
        if judgement.errors:
            self.done.failed += 1
            self._protected |= self._history.made_by(delivery)
        for made in judgement.made:
            fact, winner = made.emitted.fact, self._winner(made.emitted, delivery)
            self._winners[fact] = max(self._winners.get(fact, winner), winner)

    def _winner(self, emitted: Emitted, delivery: Delivery) -> _Winner:
        standing = self._history.standing.get(emitted.fact)
        stands = standing is not None and standing.emitted.digest == emitted.digest
        return _Winner(emitted.revision, stands, emitted.digest, delivery.id)

    def _replaces(self, fact: str, winner: _Winner, since: datetime) -> bool:
        """What an earlier delivery made, and no later one changed, is not this replay's to change."""
        standing = self._history.standing.get(fact)
        if winner.stands or standing is None:
            return not winner.stands
        is_newer = senders_revision(winner.revision) > senders_revision(standing.emitted.revision)
        return standing.arrival >= since or is_newer

    def _is_gone(self, emitted: Emitted) -> bool:
        """Made only by deliveries that were mapped again, and by none of them any more."""
        fact = emitted.fact
        if fact in self._winners or fact in self._history.elsewhere or emitted.type in _RETRACTIONS:
            return False
        if emitted.fact in self._protected:
            self.done.kept += 1
            return False
        return True

    def _check_version(self, changed: set[str], gone: Sequence[Emitted]) -> None:
        facts = [standing.emitted for fact in changed if (standing := self._history.standing.get(fact))]
        if any(self._above(emitted, 0) <= emitted.revision for emitted in (*facts, *gone)):
            raise VersionNotRaisedError(
                f"version {self._document.version} of {self._document.name} is not above the one that made these"
                " events: raise `version` in the document"
            )

    def _above(self, standing: Emitted, revision: int) -> int:
        """The revision that replaces what stands, also where a delivery that no longer counts had a higher one."""
        return max(revision, senders_revision(standing.revision) * STEPS + self._document.version)

    async def _emit(self, delivery: Delivery, changed: set[str]) -> None:
        mine = {
            made.emitted.fact: made
            for made in self._judged(delivery).made
            if made.emitted.fact in changed and self._winners[made.emitted.fact] == self._winner(made.emitted, delivery)
        }
        if not mine:
            return
        raised = [self._raised(made, delivery) for made in mine.values()]
        for made in raised:
            changed.discard(made.emitted.fact)
            self.done.note("changed" if made.emitted.fact in self._history.standing else "added", made.emitted)
        await self._keep(delivery.id, delivery.arrival, [made.admitted for made in raised], [m.emitted for m in raised])

    def _raised(self, made: Made, delivery: Delivery) -> Made:
        standing = self._history.standing.get(made.emitted.fact)
        revision = self._above(standing.emitted, made.emitted.revision) if standing else made.emitted.revision
        return at_revision(made.event, revision, self._document.name, delivery.arrival)

    async def _retract(self, gone: Standing) -> None:
        revision = self._above(gone.emitted, 0)
        made = retraction(gone.emitted, revision, self._document.name, gone.arrival)
        self.done.note("retracted", gone.emitted)
        await self._keep(gone.delivery, gone.arrival, [made.admitted], [made.emitted])

    async def _keep(
        self, delivery: str, arrival: datetime, events: Sequence[Admitted], emitted: Sequence[Emitted]
    ) -> None:
        """With a record of its own, which says what stands now."""
        if self._keeping is None:
            return
        version = self._document.version
        told = WebhookReceived(
            source=self._document.name,
            version=version,
            delivery="replay",
            outcome="accepted",
            status=202,
            size=0,
            events=list(emitted),
            replays=delivery,
        )
        name = f"{delivery}/{version}/{emitted[0].fact}"
        await self._keeping.keep(events, [record(told, arrival, name)])
