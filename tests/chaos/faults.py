"""What can go wrong, and how it comes right again by whoever has to do it: an operator, or the machine."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]

from deploy.kafka.broker import Broker
from tests.chaos.fleet import Fleet
from tests.chaos.sites import Postgres, Site


@dataclass(frozen=True)
class Fault:
    """Lasts `seconds` from the end of `strike` to the begin of `heal`, which returns when a broker answers again.

    A process of ours and PostgreSQL are not waited for: how fast they are used again is what a run measures.
    """

    name: str
    seconds: float
    strike: Callable[[], None]
    heal: Callable[[], None]


def process_killed(fleet: Fleet, service: str, number: int, seconds: float) -> Fault:
    return Fault(
        f"{service} {number + 1} killed",
        seconds,
        lambda: fleet.kill(service, number),
        lambda: fleet.start_again(service, number),
    )


def postgres_stopped(postgres: Postgres, seconds: float) -> Fault:
    """As `pg_ctl stop -m immediate`: the next start recovers."""
    return Fault("PostgreSQL stopped at once", seconds, postgres.stop_immediately, postgres.start)


def broker_killed(broker: Broker, seconds: float) -> Fault:
    return Fault("broker killed", seconds, broker.kill, broker.start)


def broker_frozen(broker: Broker, seconds: float) -> Fault:
    return Fault("broker frozen", seconds, broker.freeze, broker.thaw)


class _Struck:
    """The brokers of a cluster that a fault hit: which they are is known only then."""

    def __init__(self, brokers: Sequence[Broker], topic: str) -> None:
        self._brokers = brokers
        self._topic = topic
        self._hit: list[Broker] = []

    def kill(self, count: int) -> None:
        """The leader first."""
        leader = asyncio.run(_leader(self._brokers, self._topic))
        ordered = sorted(self._brokers, key=lambda broker: broker.node.number != leader)
        self._hit = ordered[:count]
        for broker in self._hit:
            broker.kill()

    def freeze(self) -> None:
        leader = asyncio.run(_leader(self._brokers, self._topic))
        self._hit = [broker for broker in self._brokers if broker.node.number == leader]
        for broker in self._hit:
            broker.freeze()

    def start(self) -> None:
        started(self._hit)

    def thaw(self) -> None:
        for broker in self._hit:
            broker.thaw()


def started(brokers: Sequence[Broker]) -> None:
    """At once; Java takes its seconds."""
    for broker in brokers:
        broker.start(wait=False)
    for broker in brokers:
        broker.wait_until_it_answers()


async def _leader(brokers: Sequence[Broker], topic: str) -> int:
    """The number of the broker that leads the topic's first partition."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=",".join(broker.address for broker in brokers))
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return int(next(each["leader"] for each in described["partitions"] if each["partition"] == 0))


def leader_killed(brokers: Sequence[Broker], topic: str, seconds: float) -> Fault:
    struck = _Struck(brokers, topic)
    return Fault("the leader killed", seconds, lambda: struck.kill(1), struck.start)


def leader_frozen(brokers: Sequence[Broker], topic: str, seconds: float) -> Fault:
    struck = _Struck(brokers, topic)
    return Fault("the leader frozen", seconds, struck.freeze, struck.thaw)


def two_killed(brokers: Sequence[Broker], topic: str, seconds: float) -> Fault:
    struck = _Struck(brokers, topic)
    return Fault("two of three brokers killed", seconds, lambda: struck.kill(2), struck.start)


def all_started_without_anything(site: Site, fleet: Fleet, seconds: float) -> Fault:
    """Everything ends; then the services start, and what they stand on comes only later."""

    def strike() -> None:
        for member in fleet.members():
            fleet.kill(*member)
        for broker in site.brokers:
            broker.kill()
        site.postgres.stop_immediately()
        for member in fleet.members():
            fleet.start_again(*member)

    def heal() -> None:
        site.postgres.start()
        started(site.brokers)

    return Fault("all started without broker and PostgreSQL", seconds, strike, heal)
