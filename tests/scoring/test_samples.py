"""The rollups and the facts give the same digits, for every question that both can answer."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring import rollups
from services.scoring.answers import answer as answered
from services.scoring.metrics.registry import METRICS
from services.scoring.question import Question
from services.scoring.store import samples
from shared.log.port import NewRecord
from tests.builders import activity
from tests.conftest import MakeDatabase
from tests.scoring import naive
from tests.scoring.naive import SCALES, Fact
from tests.scoring.world import World, question

WARSAW = ZoneInfo("Europe/Warsaw")
ROLLED = [name for name, one in METRICS.items() if (one.reads or name) in rollups.DIMENSIONS]
START = datetime(2026, 10, 20, tzinfo=UTC)
NAMES = {
    "journey_stage": ["use", "purchase"],
    "touchpoint": ["till"],
    "channel": ["email", "sms", "web"],
    "store": ["Gdynia", "Łódź"],
    "team": ["a", "b"],
    "segment": ["new"],
    "language": ["pl", "en"],
}


def some_facts(chance: random.Random) -> list[Fact]:
    """Answers on several scales, changed and taken back, over a clock change, with and without each dimension."""
    facts = []
    for number in range(150):
        sender = chance.choice(["shop", "till"])
        for revision in range(chance.choice([1, 1, 2, 3])):
            if revision and chance.random() < 0.4:
                facts.append(Fact(f"f{number}", revision, sender=sender))
                continue
            metric = chance.choice(list(SCALES))
            scale = (1, 7) if metric == "csat" and chance.random() < 0.3 else None
            low, high = scale or SCALES[metric]
            facts.append(
                Fact(f"f{number}", revision, metric, chance.randint(low, high), a_moment(chance), named(chance), scale,
                    sender=sender)
            )  # fmt: skip
    return facts


def named(chance: random.Random) -> tuple[tuple[str, str], ...]:
    return tuple((name, chance.choice(values)) for name, values in NAMES.items() if chance.random() < 0.6)


def a_moment(chance: random.Random) -> datetime:
    return START + timedelta(hours=chance.randrange(24 * 24), minutes=chance.choice([0, 1, 59]))


def some_deliveries(chance: random.Random) -> list[NewRecord]:
    records = []
    for number in range(60):
        order = f"o{number}"
        done = a_moment(chance)
        records.append(activity("delivery.completed.v1", order, order_id=order, completed_at=done))
        if number % 5:
            promised = done.date() + timedelta(days=chance.choice([-1, 0, 3]))
            records.append(activity("delivery.promised.v1", order, order_id=order, promised_date=promised.isoformat()))
        if number % 3:
            where = dict(pair for pair in named(chance) if pair[0] in ("store", "channel"))
            records.append(activity("order.placed.v1", order, order_id=order, **where))
    return records


FACTS = some_facts(random.Random(7))


@pytest.fixture(scope="module")
async def filled(database: MakeDatabase) -> AsyncIterator[World]:
    world = World(await database("scoring"))
    chance = random.Random(8)
    records = [fact.record() for fact in FACTS] + some_deliveries(chance)
    chance.shuffle(records)
    half = len(records) // 2
    await world.told(*records[:half])
    await world.told(*records[half:])
    yield world
    await world.worker.stop()


days = st.integers(-1, 26).map(lambda number: (START + timedelta(days=number)).date().isoformat())


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any that the rollups can answer."""
    metric = draw(st.sampled_from(ROLLED))
    start, end = sorted(draw(st.lists(days, min_size=2, max_size=2, unique=True)))
    asked: dict[str, Any] = {"granularity": draw(st.sampled_from([None, "day", "week", "month"]))}
    dimension = draw(st.sampled_from(rollups.DIMENSIONS[METRICS[metric].reads or metric]))
    known = ["shop", "till"] if dimension == "source" else NAMES[dimension]
    if draw(st.booleans()):
        asked["group_by"] = dimension
    if draw(st.booleans()):
        allowed = draw(st.lists(st.sampled_from([*known, "nowhere"]), min_size=1, max_size=2, unique=True))
        asked["filters"] = {dimension: allowed}
    return question(metric, start=start, end=end, **asked)


@settings(max_examples=150, deadline=None)
@given(asked=questions())
async def test_rollups_and_facts_give_the_same_digits(filled: World, asked: Question) -> None:
    assert samples.rollups_suffice(asked, WARSAW)
    async with filled.db.snapshot() as tx:
        from_rollups = await samples.read(asked, WARSAW, tx)
        from_facts = await samples.read_facts(asked, tx)
    assert answered(asked, from_rollups, None) == answered(asked, from_facts, None)
    if asked.definition.reads:
        assert answered(asked, from_facts, None) == answered(asked, naive.samples(FACTS, asked), None)


@pytest.mark.parametrize(
    "asked",
    [
        {"timezone": "Asia/Tokyo"},
        {"start": "2026-11-01T00:00:01+01:00"},
        {"group_by": "channel,store"},
        {"group_by": "channel", "filters": {"store": ["Gdynia"]}},
        {"filters": {"channel": ["email"], "team": ["a", "b"]}, "granularity": "week"},
        {"timezone": "America/Sao_Paulo", "granularity": "day", "group_by": "language,segment"},
    ],
)
@pytest.mark.parametrize("metric", ["nps", "csat", "ces_easy"])
async def test_what_the_rollups_cannot_answer_comes_from_the_facts(
    filled: World, metric: str, asked: dict[str, Any]
) -> None:
    one = question(metric, **{"start": "2026-10-01", **asked})
    assert not samples.rollups_suffice(one, WARSAW)
    assert await filled.scores.answer(one) == answered(one, naive.samples(FACTS, one), None)


async def test_no_cell_is_left_over_where_everything_was_taken_back(filled: World) -> None:
    """Sums over the writers' partitions: none of them is negative."""
    sums = "SELECT sum(n) FROM rollup GROUP BY metric, dimension, value, day, scale_min, scale_max, score, excluded"
    assert all(total >= 0 for (total,) in await filled.rows(sums))
