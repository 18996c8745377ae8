"""Feedback as Hypothesis makes it up: few names, so that facts meet; times around midnights and a clock change."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tests.scoring.naive import Fact

# Midnight in Warsaw is 23:00 or 22:00 UTC; the clocks went back on 25 October 2026.
_DAYS = [datetime(2026, 10, 24, tzinfo=UTC) + timedelta(days=number) for number in (0, 1, 2, 8, 27)]
times = st.builds(
    lambda day, hour, second: day + timedelta(hours=hour, seconds=second),
    st.sampled_from(_DAYS),
    st.sampled_from([0, 10, 21, 22, 23]),
    st.sampled_from([0, 1, 3599]),
)
values = {
    "channel": ["email", "sms"],
    "store": ["Gdynia", "Łódź"],
    "campaign": ["spring", "autumn"],
    "product": ["p1", "p2"],
}
named = st.fixed_dictionaries(
    {}, optional={dimension: st.sampled_from(known) for dimension, known in values.items()}
).map(lambda chosen: tuple(sorted(chosen.items())))
scores = st.one_of(
    st.tuples(st.just("nps"), st.integers(0, 10), st.none(), st.just("higher_better")),
    st.tuples(st.just("csat"), st.integers(1, 5), st.none(), st.just("higher_better")),
    st.tuples(st.just("csat"), st.integers(1, 7), st.just((1, 7)), st.just("higher_better")),
    st.tuples(st.just("ces"), st.integers(1, 5), st.just((1, 5)), st.just("lower_better")),
    st.tuples(st.just("rating"), st.sampled_from([1, 2.5, 4.5, 5]), st.none(), st.just("higher_better")),
    st.tuples(st.just("recommend"), st.integers(0, 1), st.none(), st.just("higher_better")),
)


@st.composite
def revisions(draw: st.DrawFn, name: str) -> list[Fact]:
    """Some of the revisions of one feedback, the first one perhaps missing."""
    sender = draw(st.sampled_from(["shop", "till"]))
    facts = []
    for revision in sorted(draw(st.sets(st.integers(0, 4), min_size=1, max_size=4))):
        if revision and draw(st.integers(0, 2)) == 0:
            facts.append(Fact(name, revision, sender=sender))
            continue
        metric, score, scale, direction = draw(scores)
        facts.append(Fact(name, revision, metric, score, draw(times), draw(named), scale, direction, sender))
    return facts


@st.composite
def feedback(draw: st.DrawFn, at_most: int = 8) -> list[Fact]:
    count = draw(st.integers(1, at_most))
    return [fact for number in range(count) for fact in draw(revisions(f"f{number}"))]
