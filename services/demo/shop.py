"""What happens in a Polish shop: from a seed, the same events every time. Pure.

About 7 % of the deliveries are late, and whoever waited in vain says so. Ids derive from the seed, times from `start`:
told again with the same two, every event is a duplicate.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, count, islice
from random import Random
from zoneinfo import ZoneInfo

from services.demo import complaints, surveys
from services.demo.answers import LATE_SHARE
from services.demo.chances import Even, pick
from services.demo.journey import Event, Journey
from services.demo.people import ARTICLES, ONLINE, STORES, Customer, invented
from services.demo.surveys import Purchase

ZONE = ZoneInfo("Europe/Warsaw")
_DAYS = 23  # with what came before it, all answers lie inside the 30 days within which alerts acts on them
_LAST_EVENT_BEFORE_START = timedelta(minutes=4)
_SENT_TWICE_SHARE = 0.03


def history(seed: int, events: int, start: datetime) -> list[Event]:
    """The first `events` of the shop's events (distinct ones), by time, up to a few minutes before `start`.

    A longer history with the same seed and start holds the shorter one.
    """
    shop = _Shop(seed, start.astimezone(ZONE) - _LAST_EVENT_BEFORE_START)
    told = islice(chain.from_iterable(shop.purchase(number) for number in count(1)), events)
    return sorted(told, key=lambda event: (datetime.fromisoformat(event["time"]), event["id"]))


def sent_twice(history: Sequence[Event], seed: int) -> list[Event]:
    """Those that the shop sends a second time, as after a timeout."""
    random = Random(f"twice-{seed}")
    return [event for event in history if random.random() < _SENT_TWICE_SHARE]


class _Shop:
    def __init__(self, seed: int, latest: datetime) -> None:
        self._prefix = f"demo{seed}"
        self._latest = latest
        self._random = Random(seed)
        self._late = Even(self._random)
        self._stars = {False: Even(self._random), True: Even(self._random)}
        self._customers: list[Customer] = []

    def purchase(self, number: int) -> list[Event]:
        """Everything around one order."""
        journey = Journey(f"{self._prefix}-z{number}", f"/{self._prefix}", self._latest, self._random)
        completed = self._moment()
        placed = completed - timedelta(hours=24 * self._random.randint(2, 4) + self._random.uniform(0, 12))
        customer = self._customer(journey, placed)
        store = pick(self._random.random(), STORES)
        article = self._random.choice(ARTICLES)
        _order(journey, Purchase(customer, article, store, 0), placed)
        if journey.happens(0.03):
            journey.add("order.cancelled.v1", f"{journey.name}-anulowane", placed, {"order_id": journey.name})
            return journey.events
        days_late = self._random.randint(1, 8) if self._late.happens(LATE_SHARE) else 0
        purchase = Purchase(customer, article, store, days_late)
        self._deliver(journey, purchase, placed, completed)
        return journey.events

    def _customer(self, journey: Journey, at: datetime) -> Customer:
        if self._customers and journey.happens(0.3):
            return self._random.choice(self._customers)
        customer = invented(len(self._customers) + 1, self._prefix, self._random)
        self._customers.append(customer)
        journey.add("customer.updated.v1", customer.id, at - timedelta(minutes=3), customer.fields())
        return customer

    def _deliver(self, journey: Journey, purchase: Purchase, placed: datetime, completed: datetime) -> None:
        slack = timedelta(days=self._random.randint(0, 2))
        promised = completed - timedelta(days=purchase.days_late) if purchase.days_late else completed + slack
        order = {"order_id": journey.name}
        promise = {**order, "promised_date": promised.date().isoformat()}
        journey.add("delivery.promised.v1", f"{journey.name}-termin", placed, promise)
        delivery = {**order, "completed_at": completed.isoformat(timespec="seconds")}
        journey.add("delivery.completed.v1", f"{journey.name}-dostawa", completed, delivery)
        stars = surveys.after_delivery(journey, purchase, completed, self._stars)
        complaints.after_delivery(journey, purchase, completed, stars)

    def _moment(self) -> datetime:
        """When a courier rings: by day, in the last weeks."""
        day = self._latest - timedelta(days=self._random.uniform(0, _DAYS))
        at = day.replace(
            hour=self._random.randint(9, 19), minute=self._random.randint(0, 59), second=self._random.randint(0, 59)
        )
        at = at.replace(microsecond=0)
        return at if at <= self._latest else at - timedelta(days=1)


def _order(journey: Journey, purchase: Purchase, placed: datetime) -> None:
    article, is_online = purchase.article, purchase.store == ONLINE
    price = {"amount": article.price, "currency": "PLN"}
    journey.add(
        "order.placed.v1",
        journey.name,
        placed,
        {
            "order_id": journey.name,
            "customer": purchase.customer.id,
            "total": price,
            "store": purchase.store,
            "channel": "www" if is_online else "salon",
            "items": [{"name": article.name, "quantity": 1, "price": price}],
        },
    )
    if not is_online and journey.happens(0.35):
        surveys.in_store(journey, purchase, placed)
    if is_online and journey.happens(0.05):
        surveys.idea(journey, purchase, placed)
