"""What customers are asked and what they answer: after a delivery, after a contact, in a store. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from services.demo import answers, comments
from services.demo.chances import Even, pick
from services.demo.journey import Journey
from services.demo.people import Article, Customer

CHANNELS = {"email": 0.55, "sms": 0.25, "www": 0.2}
_ANSWER_SHARE = 0.62
_NPS_SHARE = 0.55
_CORRECTED_SHARE = 0.04
_RETRACTED_SHARE = 0.015


class Purchase(NamedTuple):
    """Who bought what where; `days_late` is 0 when it came on time."""

    customer: Customer
    article: Article
    store: str
    days_late: int


def after_delivery(journey: Journey, purchase: Purchase, completed: datetime, stars: Mapping[bool, Even]) -> int | None:
    """The stars that were given, None when nobody answered. `stars` draws them, by whether it came late."""
    channel = pick(journey.random.random(), CHANNELS)
    invited = journey.after(completed, 2, 20)
    name = f"{journey.name}-ankieta"
    invitation = {
        "invitation_id": name,
        "survey_id": "po-dostawie",
        "customer": purchase.customer.id,
        "channel": channel,
    }
    journey.add("survey.invited.v1", name, invited, invitation)
    if not journey.happens(_ANSWER_SHARE):
        if journey.happens(0.06):
            journey.add("survey.bounced.v1", f"{name}-zwrot", invited, invitation)
        return None
    is_late = purchase.days_late > 0
    weights = answers.STARS_LATE if is_late else answers.STARS_ON_TIME
    given = stars[is_late].choose(weights)
    asked = {
        **_dimensions(purchase, "purchase", "dostawa", channel),
        "order_id": journey.name,
        "survey_id": "po-dostawie",
        "submission_id": name,
    }
    answered = journey.after(invited, 0.2, 30)
    text = _comment(journey, purchase, comments.mood_of_delivery(given, is_late), 0.75 if given <= 3 else 0.45)
    first = pick(journey.random.random(), weights)
    _answer(journey, "rating", (first, given), answered, text=text, **asked)
    if journey.happens(_NPS_SHARE):
        nps = pick(journey.random.random(), answers.NPS_BY_STARS[given])
        _answer(journey, "nps", (nps, nps), answered, **asked)
    return given


def after_contact(journey: Journey, purchase: Purchase, contact: str, agent: str, at: datetime, helped: bool) -> None:
    channel = pick(journey.random.random(), CHANNELS)
    asked = {
        **_dimensions(purchase, "use", "kontakt z obsługą", channel),
        "contact_id": contact,
        "agent": agent,
        "team": "obsługa klienta",
        "survey_id": "po-kontakcie",
        "submission_id": f"{contact}-ankieta",
    }
    answered = journey.after(at, 0.1, 12)
    csat = pick(journey.random.random(), answers.CSAT_BY_OUTCOME[helped])
    text = _comment(journey, purchase, "helped" if csat >= 4 else "not_helped", 0.7)
    _answer(journey, "csat", (csat, csat), answered, name=contact, text=text, **asked)
    if journey.happens(0.6):
        ces = pick(journey.random.random(), answers.CES_BY_OUTCOME[helped])
        _answer(journey, "ces", (ces, ces), answered, name=contact, **asked)


def in_store(journey: Journey, purchase: Purchase, placed: datetime) -> None:
    would = pick(journey.random.random(), answers.RECOMMENDS_IN_STORE)
    asked = _dimensions(purchase, "purchase", "salon", "tablet w salonie")
    text = _comment(journey, purchase, "in_store" if would else "in_store_angry", 0.5)
    _answer(journey, "recommend", (would, would), journey.after(placed, 0.02, 0.3), text=text, **asked)


def idea(journey: Journey, purchase: Purchase, placed: datetime) -> None:
    """Words without a score."""
    text = _comment(journey, purchase, "idea", 1.0)
    asked = {**_dimensions(purchase, "consideration", "strona sklepu", "www"), "metric": "comment", "text": text}
    journey.add("feedback.received.v1", f"{journey.name}-uwaga", journey.after(placed, 0.1, 5), asked)


def _dimensions(purchase: Purchase, stage: str, touchpoint: str, channel: str) -> dict[str, Any]:
    return {
        "customer": purchase.customer.id,
        "segment": purchase.customer.segment,
        "product": purchase.article.name,
        "store": purchase.store,
        "journey_stage": stage,
        "touchpoint": touchpoint,
        "channel": channel,
        "language": "pl",
    }


def _comment(journey: Journey, purchase: Purchase, mood: str, share: float) -> str | None:
    if not journey.happens(share):
        return None
    return comments.written(mood, purchase.customer, purchase.article.wanted, purchase.days_late, journey.random)


def _answer(
    journey: Journey, metric: str, scores: tuple[int, int], at: datetime, name: str | None = None, **asked: Any
) -> None:
    """`scores`: the slip of who corrects the answer later, and the answer that stands in the end."""
    id_ = f"{name or journey.name}-{metric}"
    is_corrected, is_retracted = journey.happens(_CORRECTED_SHARE), journey.happens(_RETRACTED_SHARE)
    score = scores[0] if is_corrected else scores[1]
    journey.add("feedback.received.v1", id_, at, {"metric": metric, "score": score, **asked})
    later = journey.after(at, 0.5, 30)
    if is_retracted:
        journey.add("feedback.retracted.v1", id_, later, {"feedback_id": id_}, revision=1)
    elif is_corrected:
        corrected = {"feedback_id": id_, "metric": metric, "score": scores[1], **asked}
        journey.add("feedback.updated.v1", id_, later, corrected, revision=1)
