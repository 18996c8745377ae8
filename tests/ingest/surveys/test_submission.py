"""Whatever is sent as a form is read without a fault, and what becomes of it can be kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.admission import admit
from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.submission import Form, answer_event, invited_event, read_form, revision_at
from tests.ingest.running import ARRIVAL

INVITATION = Invitation(
    sender="shop", survey_id="s", invitation_id="x" * 200, metric="nps", customer="c-1", expires=2_000_000_000
)
NOW = int(ARRIVAL.timestamp() * 1000)
HOUR = 3_600_000


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"score=9&text=" + tail))
def test_any_body_is_a_form_whose_answer_can_be_kept(body: bytes) -> None:
    form = read_form(body)
    event = answer_event(INVITATION, 9, form, "pl", ARRIVAL)
    assert admit(event, "shop", ARRIVAL).topic == "feedback"


def test_the_fields() -> None:
    form = read_form(b"lang=en&revision=12&score=3&text=Za+p%C3%B3%C5%BAno%0D%0Ai+mokra&other=1")
    assert form == Form(score="3", text="Za późno\ni mokra", language="en", seen=12)


def test_the_button_that_was_pressed_is_the_last_of_its_name() -> None:
    assert read_form(b"score=3&score=9").score == "9"


@pytest.mark.parametrize(
    ("seen", "revision"),
    [(None, NOW), (0, NOW), (NOW - 1, NOW), (NOW, NOW + 1), (NOW + HOUR, NOW + HOUR + 1), (NOW + HOUR + 1, NOW)],
)
def test_a_revision_grows_as_far_as_clocks_differ(seen: int | None, revision: int) -> None:
    assert revision_at(ARRIVAL, seen) == revision


def test_an_invitation_can_be_kept() -> None:
    assert admit(invited_event(INVITATION), "shop", ARRIVAL).topic == "activity"
