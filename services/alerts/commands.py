"""What people do to a follow-up: one transaction each, and of two who act at once one wins and the other is told."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.alerts import states
from services.alerts.changes import changed, restart_deadline
from services.alerts.models import Followup
from services.alerts.settings import AlertsSettings
from services.alerts.sla import is_overdue
from services.alerts.states import Action, Outcome
from services.alerts.store import followups, journal
from services.alerts.store.lists import Listed
from shared.db import Database


class Command(NamedTuple):
    """`version` is the one that `by` has seen; `details` are fields of the event."""

    action: Action
    version: int
    by: str
    details: dict[str, str]

    @property
    def outcome(self) -> Outcome | None:
        return self.details.get("outcome")  # type: ignore[return-value]


class Refused(Exception):  # noqa: N818 - an answer to a person, not a mistake of the program
    """The follow-up is not where the person believes it to be: `current` is where it is."""

    def __init__(self, code: str, detail: str, current: Listed) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.current = current


class Desk:
    """`wake` is called when an event is waiting to be sent."""

    def __init__(self, db: Database, settings: AlertsSettings, wake: Callable[[], None]) -> None:
        self._db = db
        self._settings = settings
        self._wake = wake

    async def act(self, id_: UUID, command: Command) -> Listed:
        """The follow-up afterwards. LookupError when there is none, Refused when it cannot be done."""
        async with self._db.transaction() as tx:
            locked = await followups.lock([id_], (), (), tx)
            if not locked:
                raise LookupError(f"there is no follow-up {id_}")
            followup, now = locked[0], await followups.clock(tx)
            _apply(command, followup, _allowed(command, _listed(followup, now)))
            details: dict[str, object] = dict(command.details)
            if command.action == "reopen":
                restart_deadline(followup, now, self._settings.first_attempt_hours)
                details["first_attempt_due"] = followup.first_attempt_due
            kind = states.KINDS[command.action]
            await journal.move([changed(followup, kind, now, command.by, **details)], False, tx)
        self._wake()
        return _listed(followup, now)


def _listed(followup: Followup, now: datetime) -> Listed:
    return Listed(followup, is_overdue(followup.state, followup.first_attempt_due, now))


def _allowed(command: Command, before: Listed) -> str:
    followup = before.followup
    if followup.version != command.version:
        detail = f"version {command.version} is not the newest: this is version {followup.version} now"
        raise Refused("stale_version", detail, before)
    state: Any = followup.state
    reached = states.reached(command.action, state, command.outcome)
    if reached is None:
        allowed = " or ".join(states.allowed_from(command.action))
        raise Refused("not_allowed", f"{command.action} is for {allowed}; this follow-up is {state}", before)
    return reached


def _apply(command: Command, followup: Followup, state: str) -> None:
    followup.state = state
    if command.action == "claim":
        followup.assignee = command.by
    if command.action in ("resolve", "reopen"):
        followup.root_cause, followup.action = command.details.get("root_cause"), command.details.get("action")
