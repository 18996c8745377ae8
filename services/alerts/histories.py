"""Everything alerts knows of one customer, as it is told to whoever answers that person's question."""

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.records import told_by
from services.alerts.store import customers, lists, notifications, persons
from services.alerts.store.lists import Listed
from services.alerts.store.persons import Happened, Step
from shared.clock import rfc3339
from shared.erasure.belongings import Belongings
from shared.events.scores import FeedbackScored

_EVER = datetime(2200, 1, 1, tzinfo=UTC)


class History(NamedTuple):
    """`items` in the order they are shown, each with a `kind` and a `ref` that is its own."""

    customer: str
    contact: dict[str, str | None]
    items: list[dict[str, Any]]

    def page(self, limit: int, cursor: str | None) -> dict[str, Any]:
        """LookupError for a cursor that names none of the items."""
        places = {f"{item['kind']}/{item['ref']}": at for at, item in enumerate(self.items)}
        first = places[cursor] + 1 if cursor else 0
        shown = self.items[first : first + limit]
        more = f"{shown[-1]['kind']}/{shown[-1]['ref']}" if first + limit < len(self.items) else None
        known = {"customer": self.customer, "contact": self.contact}
        return known | {"items": shown, "next_cursor": more, "total": len(self.items)}


async def read(customer: str, tx: AsyncConnection) -> History:
    """What names the customer, and what names nobody and belongs to them."""
    happened = await persons.happened(customer, _EVER, tx)
    answers = await persons.answers(customer, _EVER, tx)
    belongings = Belongings()
    for one in happened:
        belongings.add(one.told, "")
    for answer in answers:
        belongings.add(answer, answer.sender)
    found = await persons.followups(customer, _EVER, [one.feedback for one in answers], belongings.orders, tx)
    for one in await persons.contacts(belongings, tx):
        belongings.add(one.told, "")
    happened += await persons.around(belongings, tx)
    answers += await persons.nameless_answers(belongings.orders, found, tx)
    items = [_happened(one) for one in happened] + [_answered(one) for one in answers]
    items += [_followup(listed, await persons.steps([id_], tx)) for id_, listed in (await _listed(found, tx)).items()]
    items += [_notification(row) for row in await notifications.of(found, tx)]
    contact = await customers.contact(customer, tx)
    return History(customer, contact, sorted(items, key=lambda item: (str(item["at"]), item["kind"], item["ref"])))


async def _listed(found: dict[UUID, str | None], tx: AsyncConnection) -> dict[UUID, Listed]:
    listed = {id_: await lists.find(id_, tx) for id_ in found}
    return {id_: one for id_, one in listed.items() if one is not None}


def _happened(one: Happened) -> dict[str, Any]:
    data = msgspec.to_builtins(one.told)
    return {
        "kind": "activity",
        "ref": f"{one.id}/{one.revision}",
        "at": rfc3339(one.at),
        "type": one.type,
        "data": data,
    }


def _answered(scored: FeedbackScored) -> dict[str, Any]:
    data = msgspec.to_builtins(scored)
    return {"kind": "answer", "ref": scored.feedback, "at": rfc3339(scored.time), "data": data}


def _followup(listed: Listed, steps: list[Step]) -> dict[str, Any]:
    row = listed.followup.model_dump(mode="json")
    history = [{"type": step.kind, **msgspec.to_builtins(told_by(step.value))} for step in steps]
    opened_at = rfc3339(listed.followup.opened_at)
    return {"kind": "followup", "ref": str(listed.followup.id), "at": opened_at, "data": row, "history": history}


def _notification(row: Any) -> dict[str, Any]:
    data = row.model_dump(mode="json", exclude={"lease_token", "lease_until"})
    return {"kind": "notification", "ref": str(row.id), "at": rfc3339(row.created_at), "data": data}
