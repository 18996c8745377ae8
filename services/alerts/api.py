"""The HTTP API of follow-ups, rules and notifications; every refusal says what to change."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.alerts import cursors, rules, timeline, views
from services.alerts.bodies import Act, Attempt, Comment, Name, Resolution
from services.alerts.commands import Command, Desk, Refused
from services.alerts.store import activity, customers, feedback, journal, lists, notifications
from services.alerts.store.lists import Wanted
from services.alerts.views import (
    FollowupDetail,
    FollowupPage,
    FollowupView,
    NotificationPage,
    NotificationView,
    RulePage,
)
from shared.access import requires
from shared.db import Database
from shared.events.followups import State
from shared.problems import Refusal, wrong_cursor

Limit = Annotated[int, Query(ge=1, le=200, description="rows a page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
_READ = [Depends(requires("followups:read"))]
_WRITE = [Depends(requires("followups:write"))]


def routes(db: Database, desk: Desk, wake: Callable[[], None]) -> APIRouter:
    """`wake` is called when a notification is waiting to be sent again."""
    router = APIRouter(prefix="/v1")
    _add_lists(router, db)
    _add_actions(router, desk)
    _add_notifications(router, db, wake)
    return router


def _add_lists(router: APIRouter, db: Database) -> None:
    @router.get("/followups", dependencies=_READ)
    async def list_followups(
        state: Annotated[list[State], Query(description="may be repeated")] = [],  # noqa: B006 - never changed
        assignee: Name | None = None,
        overdue: bool | None = None,
        customer: Name | None = None,
        feedback: UUID | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> FollowupPage:
        """Ordered by deadline; without `state` all of them, the withdrawn too."""
        wanted = Wanted(list(state), assignee, overdue, customer, feedback)
        async with db.snapshot() as tx:
            found, total = await lists.page(wanted, _place(cursor), limit + 1, tx)
        places = [(one.followup.first_attempt_due, one.followup.id) for one in found]
        items = [views.followup(one) for one in found[:limit]]
        return FollowupPage(items=items, next_cursor=_next_cursor(places, limit), total=total)

    @router.get("/followups/{id}", dependencies=_READ)
    async def get_followup(id: str) -> FollowupDetail:  # noqa: A002 - the name in the path
        """With whom to call, what is known about the customer, and every step so far."""
        return await _detail(_uuid(id, "follow-up"), db)

    @router.get("/rules", dependencies=_READ)
    async def list_rules() -> RulePage:
        """Which feedback gets a follow-up, in the order in which the rules are asked."""
        return RulePage(items=[views.rule(one) for one in rules.RULES], total=len(rules.RULES))


def _add_actions(router: APIRouter, desk: Desk) -> None:
    post = "/followups/{id}/"

    @router.post(post + "claim", dependencies=_WRITE)
    async def claim(id: str, body: Act) -> FollowupView:  # noqa: A002
        return await _acted(desk, id, body.command("claim"))

    @router.post(post + "attempt", dependencies=_WRITE)
    async def attempt(id: str, body: Attempt) -> FollowupView:  # noqa: A002
        """The customer was called or written to; with the outcome `reached` the follow-up is reached."""
        return await _acted(desk, id, body.command("attempt"))

    @router.post(post + "reach", dependencies=_WRITE)
    async def reach(id: str, body: Act) -> FollowupView:  # noqa: A002
        return await _acted(desk, id, body.command("reach"))

    @router.post(post + "comment", dependencies=_WRITE)
    async def comment(id: str, body: Comment) -> FollowupView:  # noqa: A002
        return await _acted(desk, id, body.command("comment"))

    @router.post(post + "resolve", dependencies=_WRITE)
    async def resolve(id: str, body: Resolution) -> FollowupView:  # noqa: A002
        return await _acted(desk, id, body.command("resolve"))

    @router.post(post + "reopen", dependencies=_WRITE)
    async def reopen(id: str, body: Act) -> FollowupView:  # noqa: A002
        """Back to whoever had it, with a new deadline."""
        return await _acted(desk, id, body.command("reopen"))


def _add_notifications(router: APIRouter, db: Database, wake: Callable[[], None]) -> None:
    @router.get("/notifications", dependencies=_READ)
    async def list_notifications(
        state: notifications.State | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> NotificationPage:
        """What people outside were or are to be told, the newest first."""
        async with db.snapshot() as tx:
            found, total = await notifications.page(state, _place(cursor), limit + 1, tx)
        places = [(one.created_at, one.id) for one in found]
        items = [views.notification(one) for one in found[:limit]]
        return NotificationPage(items=items, next_cursor=_next_cursor(places, limit), total=total)

    @router.post("/notifications/{id}/replay", dependencies=_WRITE)
    async def replay(id: str) -> NotificationView:  # noqa: A002
        """A dead notification goes through the whole schedule again, with the same webhook-id."""
        known = _uuid(id, "notification")
        async with db.transaction() as tx:
            replayed = await notifications.replay(known, tx)
            found = await notifications.find(known, tx)
        if found is None:
            raise _not_found("notification")
        if not replayed:
            current = views.notification(found).model_dump(mode="json")
            raise Refusal(
                409, "not_dead", f"only a dead notification is replayed; it is {found.state}", current=current
            )
        wake()
        return views.notification(found)


async def _detail(id_: UUID, db: Database) -> FollowupDetail:
    async with db.snapshot() as tx:
        found = await lists.find(id_, tx)
        if found is None:
            raise _not_found("follow-up")
        customer, order_id = found.followup.customer, found.followup.order_id
        contact = await customers.contact(customer, tx)
        around = await activity.story(customer, order_id, timeline.MAX_ENTRIES, tx)
        answers = (await feedback.keepers([id_], tx)).get(id_, [])
        history = await journal.history(id_, tx)
    entries = [timeline.happened(*one) for one in around] + [timeline.answered(one) for one in answers]
    return views.detail(found, contact, timeline.newest(entries), history)


async def _acted(desk: Desk, id_: str, command: Command) -> FollowupView:
    try:
        return views.followup(await desk.act(_uuid(id_, "follow-up"), command))
    except LookupError as error:
        raise _not_found("follow-up") from error
    except Refused as refused:
        current = views.followup(refused.current).model_dump(mode="json")
        raise Refusal(409, refused.code, refused.detail, current=current) from refused


def _uuid(value: str, what: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise _not_found(what) from error


def _not_found(what: str) -> Refusal:
    return Refusal(404, "not_found", f"there is no {what} of this id")


def _place(cursor: str | None) -> cursors.Place | None:
    try:
        return cursors.read(cursor) if cursor is not None else None
    except ValueError as error:
        raise wrong_cursor() from error


def _next_cursor(places: list[cursors.Place], limit: int) -> str | None:
    """One row more than the page holds was asked for, and tells whether there is a next one."""
    return cursors.written(places[limit - 1]) if len(places) > limit else None
