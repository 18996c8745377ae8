"""Webhooks out, on real sockets: signed, at least once, with one id, by schedule, and nothing can hold the sender."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook

from services.alerts.channels.webhook import WebhookChannel
from services.alerts.notifier import Notifier
from services.alerts.schedule import Reply
from services.alerts.store import notifications
from shared.db import Database
from tests.alerts.receiver import Receiver, answer, receiving
from tests.alerts.world import SECRET, Killed, World, scored

DUE = "UPDATE notification SET next_at = clock_timestamp()"


class Notifying(World):
    """A world whose follow-ups are told to a receiver."""

    def __init__(self, db: Database, receiver: Receiver) -> None:
        super().__init__(db, ALERTS_WEBHOOK_URL=receiver.url, ALERTS_WEBHOOK_SECRET=SECRET)
        self.channel = WebhookChannel(receiver.url, SECRET, self.clock, timeout_seconds=2.0)
        self.notifier = self.new_notifier()

    def new_notifier(self) -> Notifier:
        self.registry = CollectorRegistry()
        return Notifier(self.db, self.channel, self.clock, lambda: 0.5, self.registry)  # type: ignore[arg-type]

    def attempts(self, outcome: str) -> float | None:
        return self.registry.get_sample_value("petla_notification_attempts_total", {"outcome": outcome})

    async def notification(self) -> dict[str, Any]:
        (found,) = await self.rows(
            "SELECT *, extract(epoch FROM next_at - clock_timestamp())::float AS wait FROM notification"
        )
        return found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def world(db: Database, receiver: Receiver) -> AsyncIterator[Notifying]:
    made = Notifying(db, receiver)
    yield made
    await made.worker.stop()
    await made.channel.close()


async def test_an_opened_follow_up_is_told_with_a_signature_that_holds(world: Notifying, receiver: Receiver) -> None:
    await world.told(scored("low"), scored("high", score=9))

    assert await world.notifier.run_once() == 1

    (delivery,) = receiver.received
    event = Webhook(SECRET).verify(delivery.body, delivery.headers)
    assert event["type"] == "followup.opened.v1"
    assert event["data"]["feedback"] == str((await world.followup("low"))["feedback"])
    assert delivery.headers["content-type"] == "application/cloudevents+json"
    notification = await world.notification()
    assert (notification["state"], notification["attempts"], notification["last_status"]) == ("delivered", 1, 200)
    assert delivery.headers["webhook-id"] == str(notification["id"])
    assert world.attempts("delivered") == 1
    assert await world.notifier.run_once() == 0


async def test_the_body_is_the_event_of_the_log(world: Notifying, receiver: Receiver) -> None:
    await world.told(scored("low"))
    await world.notifier.run_once()
    await world.relay.run_once()

    assert [json.loads(receiver.received[0].body)] == world.published()


async def test_overdue_is_told_and_other_steps_are_not(world: Notifying, receiver: Receiver) -> None:
    await world.told(scored("low"))
    await world.told(scored("low", 1, score=2))
    await world.execute("UPDATE followup SET first_attempt_due = clock_timestamp() - interval '1 s'")
    await world.watch.run_once()
    while await world.notifier.run_once():
        pass

    told = [json.loads(delivery.body)["type"] for delivery in receiver.received]
    assert sorted(told) == ["followup.opened.v1", "followup.overdue.v1"]


@pytest.mark.parametrize("status", [500, 404, 301, 429])
async def test_n03_what_is_not_taken_is_tried_by_schedule(world: Notifying, receiver: Receiver, status: int) -> None:
    receiver.answers = [answer(status)]
    await world.told(scored("low"))
    await world.notifier.run_once()

    failed = await world.notification()
    assert (failed["state"], failed["attempts"], failed["last_status"]) == ("pending", 1, status)
    assert failed["last_error"] == f"the endpoint answered {status}"
    assert 4 < failed["wait"] <= 5
    assert await world.notifier.run_once() == 0, "it is not due"


async def test_every_attempt_has_the_same_id_and_a_signature_of_its_own(world: Notifying, receiver: Receiver) -> None:
    receiver.answers = [answer(500), answer(200)]
    await world.told(scored("low"))
    await world.notifier.run_once()
    await world.execute(DUE)
    world.clock.seconds += 5
    await world.notifier.run_once()

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.body == second.body
    for delivery in (first, second):
        Webhook(SECRET).verify(delivery.body, delivery.headers)


async def test_n04_a_redirect_is_not_followed(world: Notifying, receiver: Receiver) -> None:
    async with receiving() as elsewhere:
        receiver.answers = [answer(307, f"location: {elsewhere.url}")]
        await world.told(scored("low"))
        await world.notifier.run_once()

        assert elsewhere.received == []
    assert (await world.notification())["last_status"] == 307


async def test_n03_a_receiver_that_hangs_costs_no_more_than_the_time_limit(
    world: Notifying, receiver: Receiver
) -> None:
    receiver.answers, receiver.then_hang = [b"HTTP/1.1 200"], True
    await world.told(scored("low"))
    await world.notifier.run_once()

    assert (await world.notification())["last_error"] == "no answer within 2 seconds"


async def test_n03_headers_that_never_end_are_cut_off(world: Notifying, receiver: Receiver) -> None:
    receiver.answers, receiver.endless = [b"HTTP/1.1 200 Said\r\n"], b"x: " + b"y" * 1_000 + b"\r\n"
    await world.told(scored("low"))
    await world.notifier.run_once()

    assert (await world.notification())["state"] == "pending"


async def test_n03_an_endless_answer_is_not_read(world: Notifying, receiver: Receiver) -> None:
    receiver.answers, receiver.endless = [b"HTTP/1.1 200 Said\r\n\r\n"], b"z" * 16_384
    await world.told(scored("low"))
    await world.notifier.run_once()

    assert (await world.notification())["state"] == "delivered"
    assert receiver.sent < 10 * 1024 * 1024, "no more than what fits the buffers between us"


async def test_n03_a_refused_connection_is_tried_again(world: Notifying) -> None:
    async with receiving() as gone:
        url = gone.url
    world.channel = WebhookChannel(url, SECRET, world.clock)
    await world.told(scored("low"))
    await world.new_notifier().run_once()
    await world.channel.close()

    failed = await world.notification()
    assert (failed["state"], failed["last_status"], failed["last_error"]) == ("pending", None, "ConnectError")


async def test_n05_who_is_gone_is_dead_at_once(world: Notifying, receiver: Receiver) -> None:
    receiver.answers = [answer(410)]
    await world.told(scored("low"))
    await world.notifier.run_once()

    assert (await world.notification())["state"] == "dead"


async def test_n05_retry_after_moves_the_next_attempt(world: Notifying, receiver: Receiver) -> None:
    receiver.answers = [answer(503, "retry-after: 100")]
    await world.told(scored("low"))
    await world.notifier.run_once()

    assert 99 < (await world.notification())["wait"] <= 100


async def test_n09_an_exhausted_schedule_is_a_dead_letter_and_replayed_once_is_one_delivery(
    world: Notifying, receiver: Receiver
) -> None:
    receiver.answers = [answer(500)]
    await world.told(scored("low"))
    await world.execute("UPDATE notification SET attempts = 9")
    await world.notifier.run_once()
    dead = await world.notification()
    assert (dead["state"], dead["attempts"]) == ("dead", 10)
    assert world.attempts("dead") == 1
    assert await world.notifier.run_once() == 0

    receiver.answers = [answer(200)]
    async with world.db.transaction() as tx:
        assert await notifications.replay(dead["id"], tx)
        assert not await notifications.replay(dead["id"], tx), "it is not dead any more"
    assert [await world.notifier.run_once(), await world.notifier.run_once()] == [1, 0]
    assert len(receiver.received) == 2
    assert (await world.notification())["state"] == "delivered"


async def test_n01_a_sender_killed_before_it_wrote_the_result_sends_again_with_the_same_id(
    world: Notifying, receiver: Receiver
) -> None:
    await world.told(scored("low"))
    send = world.channel.send

    async def send_and_die(id_: str, body: bytes) -> Reply:
        await send(id_, body)
        raise Killed

    world.channel.send = send_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await world.notifier.run_once()
    world.channel.send = send  # type: ignore[method-assign]
    assert await world.new_notifier().run_once() == 0, "the lease of the dead one holds"
    await world.execute("UPDATE notification SET lease_until = clock_timestamp() - interval '1 s'")
    await world.new_notifier().run_once()

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_n02_a_sender_frozen_longer_than_its_lease_changes_nothing(world: Notifying, receiver: Receiver) -> None:
    await world.told(scored("low"))
    frozen, other = uuid4(), uuid4()
    async with world.db.transaction() as tx:
        (claimed,) = await notifications.claim(frozen, 4, only_due=True, tx=tx)
    await world.execute("UPDATE notification SET lease_until = clock_timestamp() - interval '1 s'")
    async with world.db.transaction() as tx:
        (again,) = await notifications.claim(other, 4, only_due=True, tx=tx)
        await notifications.delivered(again.id, other, 200, tx)
        assert not await notifications.failed(claimed.id, frozen, 1, 5.0, 500, "late", tx)

    notification = await world.notification()
    assert (notification["state"], notification["attempts"]) == ("delivered", 1)


async def test_at_most_four_at_once(world: Notifying, receiver: Receiver) -> None:
    await world.told(*(scored(f"low {n}") for n in range(9)))
    passes = [await world.notifier.run_once() for _ in range(4)]

    assert passes == [4, 4, 1, 0]
    assert receiver.most_at_once <= 4
    assert len({delivery.headers["webhook-id"] for delivery in receiver.received}) == 9


async def test_after_five_failures_the_endpoint_gets_a_probe_every_thirty_seconds(
    world: Notifying, receiver: Receiver
) -> None:
    receiver.answers = [answer(500)]
    await world.told(*(scored(f"low {n}") for n in range(20)))
    assert [await world.notifier.run_once() for _ in range(3)] == [4, 4, 0]

    world.clock.seconds += 30
    assert [await world.notifier.run_once() for _ in range(2)] == [1, 0]

    world.clock.seconds += 30
    receiver.answers = [answer(200)]
    assert await world.notifier.run_once() == 1
    waiting = await world.rows("SELECT 1 FROM notification WHERE state = 'pending' AND next_at > clock_timestamp()")
    assert waiting == [], "everything that waited is due at once"
    while await world.notifier.run_once():
        pass
    assert await world.rows("SELECT DISTINCT state FROM notification") == [{"state": "delivered"}]


async def test_a_probe_before_its_time_uses_up_no_attempt(world: Notifying, receiver: Receiver) -> None:
    receiver.answers = [answer(500)]
    await world.told(scored("low"))
    for _ in range(5):
        await world.execute(DUE)
        await world.notifier.run_once()
    before = await world.notification()
    assert (before["attempts"], before["state"]) == (5, "pending")

    world.clock.seconds += 30
    assert await world.notifier.run_once() == 1
    after = await world.notification()
    assert (after["attempts"], after["next_at"]) == (5, before["next_at"])


async def test_without_an_address_nobody_is_told(db: Database) -> None:
    silent = World(db)
    await silent.told(scored("low"))
    await silent.worker.stop()

    assert await silent.rows("SELECT * FROM notification") == []
