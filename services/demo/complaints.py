"""What follows a purchase that went wrong, now and then one that did not: contacts, calls, returns, refunds. Pure."""

from datetime import datetime

from services.demo import surveys
from services.demo.chances import pick
from services.demo.journey import Journey
from services.demo.surveys import Purchase

AGENTS = {"Anna": 0.4, "Piotr": 0.35, "Kasia": 0.25}
_CHANNELS = {"telefon": 0.5, "email": 0.35, "czat": 0.15}
_TOPICS = {"uszkodzony towar": 0.35, "niezgodny z opisem": 0.25, "zwrot pieniędzy": 0.2, "faktura": 0.1, "pytanie": 0.1}
_WORST = 2
_HELPED_SHARE = 0.85


def after_delivery(journey: Journey, purchase: Purchase, completed: datetime, stars: int | None) -> None:
    """`stars` that were given, None when nobody answered."""
    is_unhappy = stars is not None and stars <= _WORST
    if journey.happens(0.5 if is_unhappy else 0.3 if purchase.days_late else 0.05):
        _contact(journey, purchase, journey.after(completed, 1, 30))
    if journey.happens(0.4 if is_unhappy and not purchase.days_late else 0.02):
        _send_back(journey, purchase, journey.after(completed, 12, 90))


def _contact(journey: Journey, purchase: Purchase, opened: datetime) -> None:
    name, channel = f"{journey.name}-sprawa", pick(journey.random.random(), _CHANNELS)
    agent = pick(journey.random.random(), AGENTS)
    topic = "opóźniona dostawa" if purchase.days_late else pick(journey.random.random(), _TOPICS)
    contact = {"contact_id": name}
    journey.add(
        "contact.opened.v1",
        name,
        opened,
        {
            **contact,
            "customer": purchase.customer.id,
            "order_id": journey.name,
            "topic": topic,
            "channel": channel,
        },
    )
    if channel == "telefon":
        _call(journey, name, agent, opened)
    replied = journey.after(opened, 0.1, 8)
    journey.add("contact.replied.v1", f"{name}-odpowiedź", replied, {**contact, "by": "agent", "public": True})
    if journey.happens(0.4):
        asked = journey.after(replied, 0.2, 6)
        journey.add("contact.replied.v1", f"{name}-dopytanie", asked, {**contact, "by": "customer", "public": True})
    has_helped = journey.happens(_HELPED_SHARE)
    closed = journey.after(replied, 0.5, 30)
    journey.add("contact.resolved.v1", f"{name}-koniec", closed, contact)
    if not has_helped and journey.happens(0.5):
        again = journey.after(closed, 1, 20)
        journey.add("contact.reopened.v1", f"{name}-ponownie", again, contact)
    if journey.happens(0.6):
        surveys.after_contact(journey, purchase, name, agent, closed, has_helped)


def _call(journey: Journey, contact: str, agent: str, at: datetime) -> None:
    is_answered = journey.happens(0.88)
    waited = round(journey.random.uniform(5, 120 if is_answered else 600))
    talked = round(journey.random.uniform(60, 600))
    journey.add(
        "call.ended.v1",
        f"{contact}-rozmowa",
        at,
        {
            "call_id": f"{contact}-rozmowa",
            "contact_id": contact,
            "outcome": "answered" if is_answered else "abandoned",
            "wait_seconds": waited,
            "talk_seconds": talked if is_answered else None,
            "agent": agent if is_answered else None,
        },
    )


def _send_back(journey: Journey, purchase: Purchase, requested: datetime) -> None:
    name = f"{journey.name}-zwrot"
    returned = {"return_id": name, "order_id": journey.name}
    journey.add("return.requested.v1", name, requested, returned)
    refunded = journey.after(requested, 20, 80)
    if journey.happens(0.8):
        amount = {"amount": purchase.article.price, "currency": "PLN"}
        refund = {"refund_id": name, "order_id": journey.name, "amount": amount}
        journey.add("refund.issued.v1", name, refunded, refund)
