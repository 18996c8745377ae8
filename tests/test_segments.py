"""Answers go out whole: what is written in one turn of the loop is one segment, and nothing is lost at the end."""

import asyncio
from typing import Any, cast

from services.segments import GatheringTransport


class Sent:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.segments: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.segments.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return name


def gathering(to: Sent) -> GatheringTransport:
    return GatheringTransport(cast(Any, to))


async def test_head_and_body_are_one_segment() -> None:
    transport = gathering(sent := Sent())
    transport.write(b"head ")
    transport.write(b"body")
    assert sent.segments == []
    await asyncio.sleep(0)
    assert sent.segments == [b"head body"]


async def test_the_next_turn_is_a_segment_of_its_own() -> None:
    transport = gathering(sent := Sent())
    transport.write(b"one")
    await asyncio.sleep(0)
    transport.writelines([b"t", b"wo"])
    await asyncio.sleep(0)
    assert sent.segments == [b"one", b"two"]


async def test_what_is_whole_is_sent_at_once_but_not_before_what_waits() -> None:
    transport = gathering(sent := Sent())
    transport.send(b"one")
    assert sent.segments == [b"one"]
    transport.write(b"two ")
    transport.send(b"three")
    assert sent.segments == [b"one"]
    await asyncio.sleep(0)
    assert sent.segments == [b"one", b"two three"]
    sent.close()
    transport.send(b"too late")
    assert len(sent.segments) == 2


async def test_what_was_written_goes_out_before_the_end() -> None:
    transport = gathering(sent := Sent())
    transport.write(b"last")
    transport.close()
    assert (sent.segments, sent.closed) == ([b"last"], True)


async def test_a_connection_that_broke_is_not_written_to() -> None:
    transport = gathering(sent := Sent())
    transport.write(b"too late")
    sent.close()
    await asyncio.sleep(0)
    assert sent.segments == []


async def test_much_is_sent_at_once_so_that_the_sender_can_be_told_to_pause() -> None:
    transport = gathering(sent := Sent())
    transport.write(bytes(40_000))
    transport.write(bytes(40_000))
    assert [len(segment) for segment in sent.segments] == [80_000]


async def test_all_else_is_the_transports_own() -> None:
    assert gathering(Sent()).get_extra_info("peername") == "peername"
