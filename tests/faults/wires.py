"""Where a message begins and ends on a connection, as PostgreSQL and Kafka write them: a proxy acts on whole ones."""

from asyncio import StreamReader
from typing import Protocol

from deploy.kafka.properties import HOST, Node

_PROTOCOL_3 = 196_608


class Wire(Protocol):
    """One connection, from its first byte on. Both raise `IncompleteReadError` at its end."""

    async def request(self, reader: StreamReader) -> bytes: ...

    async def answer(self, reader: StreamReader) -> bytes: ...


class KafkaWire:
    """A length of four bytes, then so many. Where an answer says where the broker is, it says `port` instead."""

    def __init__(self, broker: Node, port: int) -> None:
        self._broker, self._port = (HOST.encode() + number.to_bytes(4) for number in (broker.port, port))

    async def request(self, reader: StreamReader) -> bytes:
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head))

    async def answer(self, reader: StreamReader) -> bytes:
        return (await self.request(reader)).replace(self._broker, self._port)


class PostgresWire:
    """A letter and a length that counts itself; what a client says first has no letter. Without TLS."""

    def __init__(self) -> None:
        self._began = False

    async def request(self, reader: StreamReader) -> bytes:
        if self._began:
            return await self.answer(reader)
        head = await reader.readexactly(8)
        self._began = int.from_bytes(head[4:]) == _PROTOCOL_3
        return head + await reader.readexactly(int.from_bytes(head[:4]) - 8)

    async def answer(self, reader: StreamReader) -> bytes:
        head = await reader.readexactly(5)
        return head + await reader.readexactly(int.from_bytes(head[1:]) - 4)


def is_commit(message: bytes) -> bool:
    """A simple query that commits, as SQLAlchemy on asyncpg sends it."""
    return message[:1] == b"Q" and message[5:].startswith(b"COMMIT")


def produce_number(message: bytes) -> int | None:
    """The number of a request to append, by which its answer is known; None for other requests."""
    is_produce = int.from_bytes(message[4:6]) == 0
    return int.from_bytes(message[8:12]) if is_produce else None


def answered_number(message: bytes) -> int:
    return int.from_bytes(message[4:8])


def said_of_first_partition(message: bytes, error: int) -> bytes:
    """An answer to an append to one partition, which says this error instead of none."""
    length = int.from_bytes(message[12:14])
    at = 14 + length + 4 + 4  # the topic's name, how many partitions, the first one's number
    return message[:at] + error.to_bytes(2) + message[at + 2 :]
