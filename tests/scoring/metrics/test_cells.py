from hypothesis import given
from hypothesis import strategies as st

from services.scoring.metrics.cells import Cells, Scale
from services.scoring.metrics.outcomes import Durations, Outcomes
from tests.scoring.metrics.samples import ONE_TO_FIVE, ONE_TO_SEVEN, answers

histograms = st.dictionaries(st.integers(10, 50), st.integers(1, 1000))
reasons = st.dictionaries(st.sampled_from(["retracted", "no_promise"]), st.integers(1, 9))
some_cells = st.builds(
    Cells, scores=st.dictionaries(st.sampled_from([ONE_TO_FIVE, ONE_TO_SEVEN]), histograms), excluded=reasons
)


@given(st.lists(some_cells, max_size=5).flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_the_order_of_merging_does_not_matter(orders: tuple[list[Cells], list[Cells]]) -> None:
    straight, shuffled = Cells(), Cells()
    for part in orders[0]:
        straight.merge(part)
    for part in orders[1]:
        shuffled.merge(part)
    assert straight == shuffled
    assert straight.n == sum(part.n for part in orders[0])


def test_merging_leaves_the_merged_cells_alone() -> None:
    total, part = Cells(), answers(ONE_TO_FIVE, {4: 2})
    total.merge(part)
    total.merge(part)
    assert total.scores == {ONE_TO_FIVE: {40: 4}}
    assert part.scores == {ONE_TO_FIVE: {40: 2}}


def test_a_count_of_zero_does_not_bring_its_scale_in() -> None:
    cells = answers(ONE_TO_FIVE, {4: 1})
    cells.add(ONE_TO_SEVEN, 50, 0)
    assert list(cells.scores) == [ONE_TO_FIVE]


def test_cells_fall_apart_by_scale_and_direction() -> None:
    flipped = Scale(10, 50, "lower_better")
    cells = answers(ONE_TO_SEVEN, {7: 1})
    cells.merge(answers(flipped, {1: 2}))
    cells.merge(answers(ONE_TO_FIVE, {5: 3}))
    assert [(scale, part.n) for scale, part in cells.by_scale().items()] == [
        (ONE_TO_FIVE, 3),
        (flipped, 2),
        (ONE_TO_SEVEN, 1),
    ]


def test_a_scale_names_its_direction_only_when_lower_is_better() -> None:
    assert ONE_TO_FIVE.as_json() == {"min": 1, "max": 5}
    assert Scale(5, 50, "lower_better").as_json() == {"min": 0.5, "max": 5, "direction": "lower_better"}


def test_outcomes_and_durations_merge() -> None:
    outcomes = Outcomes({"late": 1}, {"no_promise": 2})
    outcomes.merge(Outcomes({"late": 2, "on_time": 5}, {"no_promise": 1}))
    assert outcomes == Outcomes({"late": 3, "on_time": 5}, {"no_promise": 3})
    durations = Durations([60.0])
    durations.merge(Durations([30.0], {"no_attempt": 1}))
    assert (sorted(durations.seconds), durations.excluded, durations.n) == ([30.0, 60.0], {"no_attempt": 1}, 2)
