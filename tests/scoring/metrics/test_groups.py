import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.metrics.cells import Scale
from services.scoring.metrics.groups import group, is_detractor
from tests.scoring.metrics.samples import ONE_TO_FIVE, ONE_TO_SEVEN, YES_NO, ZERO_TO_TEN, answers, tenths

P, N, D = "positive", "neutral", "detractor"


def groups_of(metric: str, low: int, high: int, direction: str = "higher_better") -> list[str | None]:
    scale = Scale(tenths(low), tenths(high), direction)
    return [group(metric, tenths(score), scale) for score in range(low, high + 1)]


def test_nps_groups() -> None:
    assert groups_of("nps", 0, 10) == ["detractor"] * 7 + ["passive"] * 2 + ["promoter"] * 2


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("csat", 1, 2, [D, P]),
        ("csat", 1, 3, [D, N, P]),
        ("csat", 1, 4, [D, D, P, P]),
        ("csat", 1, 5, [D, D, N, P, P]),
        ("csat", 0, 4, [D, D, N, P, P]),
        ("csat", 1, 7, [D, D, D, N, N, P, P]),
        ("csat", 1, 8, [D, D, D, N, N, P, P, P]),
        ("csat", 1, 10, [D, D, D, D, N, N, N, P, P, P]),
        ("rating", 1, 5, [D, D, N, P, P]),
        ("rating", 1, 10, [D, D, D, D, N, N, N, N, P, P]),
        ("rating", 1, 2, [D, P]),
        ("ces", 1, 7, [D, D, D, N, P, P, P]),
        ("ces", 1, 5, [D, D, N, P, P]),
        ("ces", 1, 4, [D, D, P, P]),
        ("recommend", 0, 1, [D, P]),
    ],
)
def test_groups_of_whole_scores(metric: str, low: int, high: int, expected: list[str]) -> None:
    assert groups_of(metric, low, high) == expected
    assert groups_of(metric, low, high, "lower_better") == expected[::-1]


@pytest.mark.parametrize(
    ("metric", "score", "scale", "expected"),
    [
        ("rating", 2.5, ONE_TO_FIVE, D),
        ("rating", 2.6, ONE_TO_FIVE, N),  # exactly 40 %
        ("ces", 3.4, ONE_TO_SEVEN, N),  # exactly 40 %, which floats take for 0.39999999999999997
        ("rating", 3.9, ONE_TO_FIVE, N),
        ("rating", 4.0, ONE_TO_FIVE, P),
        ("ces", 4.5, ONE_TO_SEVEN, N),  # above the midpoint, but no whole score
        ("ces", 4.9, ONE_TO_SEVEN, N),
        ("ces", 3.9, ONE_TO_FIVE, N),
        ("ces", 4.0, ONE_TO_FIVE, P),
        ("ces", 3.1, Scale(10, 70, "lower_better"), N),
        ("ces", 3.0, Scale(5, 40), P),  # the midpoint is 2.25
        ("ces", 0.0, Scale(-60, 50), P),  # the midpoint is -0.5
        ("csat", 1.9, Scale(5, 40), N),  # 4.5 points: more than 3, so the top two boxes
        ("csat", 3.0, Scale(5, 40), P),
    ],
)
def test_groups_between_whole_scores(metric: str, score: float, scale: Scale, expected: str) -> None:
    assert group(metric, tenths(score), scale) == expected


def test_a_comment_has_no_group() -> None:
    assert group("comment", None, None) is None
    assert not is_detractor("comment", None, None)


@pytest.mark.parametrize(
    ("metric", "score", "scale", "expected"),
    [
        ("nps", 6, ZERO_TO_TEN, True),
        ("nps", 7, ZERO_TO_TEN, False),
        ("recommend", 0, YES_NO, True),
        ("recommend", 1, YES_NO, False),
        ("csat", 2, ONE_TO_FIVE, True),
        ("ces", 3, ONE_TO_SEVEN, True),
        ("ces", 5, Scale(10, 70, "lower_better"), True),
        ("ces", 3, Scale(10, 70, "lower_better"), False),
    ],
)
def test_detractors(metric: str, score: int, scale: Scale, expected: bool) -> None:
    assert is_detractor(metric, tenths(score), scale) is expected


@given(
    st.sampled_from(["csat", "ces", "rating"]),
    st.integers(-100, 100).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, low + 1000))),
    st.data(),
)
def test_turning_a_scale_around_turns_its_scores_around(
    metric: str, ends: tuple[int, int], data: st.DataObject
) -> None:
    low, high = ends
    score = data.draw(st.integers(low, high))
    assert group(metric, score, Scale(low, high)) == group(metric, low + high - score, Scale(low, high, "lower_better"))


@given(st.sampled_from(["csat", "ces", "rating"]), st.integers(11, 1000))
def test_a_better_score_is_never_in_a_worse_group(metric: str, high: int) -> None:
    rank = [D, N, P]
    found = [rank.index(str(group(metric, score, Scale(0, high)))) for score in range(high + 1)]
    assert found == sorted(found)
    assert found[0] == 0


def test_the_builder_of_these_tests_keeps_half_points() -> None:
    assert answers(ONE_TO_FIVE, {4.5: 2}).scores == {ONE_TO_FIVE: {45: 2}}
