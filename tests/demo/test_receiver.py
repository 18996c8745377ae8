"""The receiver takes what alerts signs, counts each id once, and refuses what is not signed."""

import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from standardwebhooks import Webhook

from services.demo.receiver import Receiver, receiving, verified
from tests.demo.clocks import HeldClock

# The worked example of the Standard Webhooks libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, SIGNED_AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": ID, "webhook-timestamp": SIGNED_AT, "webhook-signature": SIGNATURE}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving(HeldClock()) as one:
        yield one


def test_a_valid_signature_holds() -> None:
    assert verified(HEADERS, BODY, SECRET, 1614265330.0)
    assert verified({**HEADERS, "webhook-signature": f"v1,AAAA {SIGNATURE}"}, BODY, SECRET, 1614265330.0)


@pytest.mark.parametrize(
    ("changed", "body", "late"),
    [
        ({"webhook-id": "another"}, BODY, 0),
        ({"webhook-timestamp": "1614265331"}, BODY, 0),
        ({"webhook-timestamp": "soon"}, BODY, 0),
        ({"webhook-signature": "v1,AAAA"}, BODY, 0),
        ({"webhook-signature": ""}, BODY, 0),
        ({}, b'{"test": 1}', 0),
        ({}, BODY, 301),
    ],
)
def test_anything_else_does_not(changed: dict[str, str], body: bytes, late: int) -> None:
    assert not verified({**HEADERS, **changed}, body, SECRET, 1614265330.0 + late)


async def post(receiver: Receiver, id_: str, secret: str) -> int:
    now = HeldClock().now()
    signature = Webhook(secret).sign(id_, now, BODY.decode())
    headers = {"webhook-id": id_, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(receiver.url, content=BODY, headers=headers)).status_code


async def test_an_id_counts_once_however_often_it_comes(receiver: Receiver) -> None:
    assert [await post(receiver, id_, receiver.secret) for id_ in ("a", "b", "a")] == [204, 204, 204]
    assert receiver.notified == {"a", "b"}
    assert receiver.refused == 0


async def test_a_stranger_is_refused_and_counted(receiver: Receiver) -> None:
    assert await post(receiver, "a", SECRET) == 401
    assert (receiver.notified, receiver.refused) == (set(), 1)


async def test_it_is_gone_afterwards() -> None:
    async with receiving(HeldClock()) as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
