"""What the answer to the survey after a follow-up does to it: the customer confirms that it is closed, or disputes it.

An unhappy answer opens no second follow-up: it joins the one that it is about. Pure.
"""

from datetime import datetime

from services.alerts.changes import Change, changed, restart_deadline
from services.alerts.records import PETLA
from services.alerts.settings import AlertsSettings
from services.alerts.verdicts import Known, Verdict, said

# NPS from 7, the top two of five: whom the follow-up has won back.
_HAPPY = ("promoter", "passive", "positive")
_CLOSED = ("resolved", "confirmed", "silent")


def answered_again(verdict: Verdict, known: Known, at: datetime, settings: AlertsSettings) -> list[Change]:
    """Steps of the follow-up that was asked about, whose row is altered here. None where the answer is taken back."""
    one = verdict.news
    followup = known.asked_about(one)
    if followup is None or one.scored.retracted:
        return []
    note = f"the customer answered the survey after it: {said(one.scored)}"
    if one.is_detractor and verdict.keeps != followup.id:  # nobody may act on it
        return []
    if one.is_detractor and followup.state in _CLOSED:
        followup.state = "disputed"
        disputed = changed(followup, "disputed", at, PETLA, note=note)
        followup.state, followup.level = "assigned", followup.level + 1
        followup.root_cause = followup.action = None
        restart_deadline(followup, at, settings.first_attempt_hours)
        due = followup.first_attempt_due
        return [disputed, changed(followup, "reopened", at, PETLA, first_attempt_due=due)]
    if one.scored.group in _HAPPY and followup.state == "resolved":
        followup.state = "confirmed"
        return [changed(followup, "confirmed", at, PETLA, note=note)]
    return [changed(followup, "commented", at, PETLA, note=note)]
