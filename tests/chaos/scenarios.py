"""Which faults meet which installation. The order of faults, and which of two processes is hit, are the seed's."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.chaos import faults
from tests.chaos.faults import Fault
from tests.chaos.fleet import SERVICES, Fleet
from tests.chaos.sites import Place, Site, embedded, one_broker, three_brokers

FEEDBACK = "petla.feedback"
# Longer and shorter than a lease, which lasts five seconds.
_LEAST_DOWN, _MOST_DOWN = 0.0, 7.0

Plan = Callable[[Site, Fleet, Random], list[Fault]]


@dataclass(frozen=True)
class Scenario:
    """`each` is how many processes of each service there are."""

    about: str
    place: Callable[[], Place]
    each: int
    plan: Plan


def none(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    return []


def nine_kills(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    """Each started again at once."""
    return _shuffled(random, [faults.process_killed(fleet, service, 0, 0) for service in SERVICES for _ in range(3)])


def processes_and_postgres(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    killed = [
        faults.process_killed(fleet, service, random.randrange(2), random.uniform(_LEAST_DOWN, _MOST_DOWN))
        for service in SERVICES
    ]
    return _shuffled(random, [*killed, faults.postgres_stopped(site.postgres, 3)])


def everything(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    (broker,) = site.brokers
    broken = [faults.broker_killed(broker, 3), faults.broker_frozen(broker, 10)]
    return _shuffled(random, [*processes_and_postgres(site, fleet, random), *broken])


def leaders(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    return _shuffled(
        random,
        [
            faults.leader_killed(site.brokers, FEEDBACK, 6),
            faults.leader_frozen(site.brokers, FEEDBACK, 10),
            faults.two_killed(site.brokers, FEEDBACK, 5),
        ],
    )


def cold_start(site: Site, fleet: Fleet, random: Random) -> list[Fault]:
    return [faults.all_started_without_anything(site, fleet, 10)]


def _shuffled(random: Random, planned: list[Fault]) -> list[Fault]:
    return random.sample(planned, len(planned))


SCENARIOS = {
    "embedded-plain": Scenario("embedded log and PostgreSQL, no fault", embedded, 2, none),
    "embedded-kills": Scenario("one process of each service, each killed three times", embedded, 1, nine_kills),
    "embedded-faults": Scenario(
        "a process of each service killed, the embedded PostgreSQL stopped at once", embedded, 2, processes_and_postgres
    ),
    "kafka-plain": Scenario("Kafka and PostgreSQL, no fault", one_broker, 2, none),
    "kafka-faults": Scenario(
        "a process of each service killed, the broker killed and frozen, PostgreSQL stopped at once",
        one_broker,
        2,
        everything,
    ),
    "kafka-cold-start": Scenario("every process starts without its broker and PostgreSQL", one_broker, 2, cold_start),
    "cluster-faults": Scenario(
        "three brokers: the leader killed, the leader frozen, two killed", three_brokers, 2, leaders
    ),
}
