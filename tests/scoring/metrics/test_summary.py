import json

import pytest

from services.scoring.metrics.cells import Cells, Scale
from services.scoring.metrics.outcomes import Durations, Outcomes
from services.scoring.metrics.registry import METRICS
from services.scoring.metrics.summary import summarize
from tests.scoring.metrics.samples import ONE_TO_FIVE, ONE_TO_SEVEN, YES_NO, answers, nps_answers


def test_nps_answers_as_the_api_shows_them() -> None:
    found = summarize(METRICS["nps"], nps_answers(60, 25, 15), 0.95).as_json()
    interval = found.pop("interval")
    assert (round(interval["low"], 2), round(interval["high"], 2)) == (29.34, 58.04)
    assert interval["method"] == "adjusted_wald"
    assert found == {
        "value": 45.0,
        "n": 100,
        "counts": {"promoter": 60, "passive": 25, "detractor": 15},
        "histogram": {"3": 15, "8": 25, "10": 60},
        "scale": {"min": 0, "max": 10},
    }


def test_a_histogram_names_half_points_and_is_in_the_order_of_numbers() -> None:
    cells = answers(Scale(0, 100), {10: 1, 4.5: 2, 3: 15})
    assert list(summarize(METRICS["rating"], cells, 0.95).as_json()["histogram"].items()) == [
        ("3", 15),
        ("4.5", 2),
        ("10", 1),
    ]


@pytest.mark.parametrize(
    ("metric", "cells", "value", "method", "counts"),
    [
        ("csat", answers(ONE_TO_FIVE, {5: 50, 4: 30, 3: 5, 1: 15}), 80.0, "wilson", [80, 5, 15]),
        ("ces", answers(ONE_TO_SEVEN, {7: 1, 4: 1, 1: 2}), 3.25, "student_t", [1, 1, 2]),
        ("ces_easy", answers(ONE_TO_SEVEN, {7: 1, 4: 1, 1: 2}), 25.0, "wilson", [1, 1, 2]),
        ("rating", answers(ONE_TO_FIVE, {4.5: 1, 3: 1}), 3.75, "student_t", [1, 1, 0]),
        ("rating_top2", answers(ONE_TO_FIVE, {4.5: 1, 3: 1}), 50.0, "wilson", [1, 1, 0]),
        ("recommend", answers(YES_NO, {1: 3, 0: 1}), 75.0, "wilson", [3, 0, 1]),
    ],
)
def test_every_family_of_answers(metric: str, cells: Cells, value: float, method: str, counts: list[int]) -> None:
    found = summarize(METRICS[metric], cells, 0.95)
    assert found.value == value
    assert found.interval is not None
    assert found.interval.method == method
    assert found.counts == dict(zip(("positive", "neutral", "detractor"), counts, strict=True))


def test_a_scale_that_runs_the_other_way_says_so() -> None:
    found = summarize(METRICS["ces_easy"], answers(Scale(10, 50, "lower_better"), {1: 3, 5: 1}), 0.95).as_json()
    assert found["value"] == 75.0
    assert found["scale"] == {"min": 1, "max": 5, "direction": "lower_better"}


def test_another_confidence_gives_another_interval() -> None:
    wide = summarize(METRICS["nps"], nps_answers(50, 30, 20), 0.99).interval
    narrow = summarize(METRICS["nps"], nps_answers(50, 30, 20), 0.8).interval
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < 30 < narrow.high < wide.high


@pytest.mark.parametrize("metric", ["nps", "csat", "ces", "ces_easy", "rating", "rating_top2", "recommend"])
def test_no_answers_have_no_value(metric: str) -> None:
    found = summarize(METRICS[metric], Cells(excluded={"retracted": 2}), 0.95).as_json()
    assert (found["value"], found["interval"], found["n"], found["scale"]) == (None, None, 0, None)
    assert found["histogram"] == {}
    assert set(found["counts"].values()) == {0}
    assert "reason" not in found


def test_answers_on_two_scales_are_not_pooled() -> None:
    cells = answers(ONE_TO_FIVE, {5: 2, 1: 1})
    cells.merge(answers(ONE_TO_SEVEN, {7: 1, 4: 3}))
    assert summarize(METRICS["ces"], cells, 0.95).as_json() == {
        "value": None,
        "n": 7,
        "interval": None,
        "counts": {"positive": 3, "neutral": 3, "detractor": 1},
        "histogram": {},
        "scale": None,
        "reason": "mixed_scales",
    }
    assert [summarize(METRICS["ces"], part, 0.95).value for part in cells.by_scale().values()] == [11 / 3, 4.75]


def test_the_same_ends_in_two_directions_are_two_scales() -> None:
    cells = answers(ONE_TO_FIVE, {5: 2})
    cells.merge(answers(Scale(10, 50, "lower_better"), {1: 2}))
    assert summarize(METRICS["ces"], cells, 0.95).reason == "mixed_scales"


@pytest.mark.parametrize(
    ("metric", "found_counts", "value", "counts", "histogram"),
    [
        ("late_delivery", {"on_time": 3, "late": 1}, 25.0, {"late": 1, "on_time": 3}, {"0": 3, "1": 1}),
        ("late_delivery", {"on_time": 3}, 0.0, {"late": 0, "on_time": 3}, {"0": 3}),
        ("close_rate", {"open": 1, "closed": 3}, 75.0, {"closed": 3, "open": 1}, {"0": 1, "1": 3}),
        (
            "followup_coverage",
            {"too_old": 1, "followup": 18, "same_submission": 1},
            90.0,
            {"followup": 18, "missing": 0, "same_submission": 1, "too_old": 1},
            {"0": 2, "1": 18},
        ),
    ],
)
def test_shares_of_facts(
    metric: str, found_counts: dict[str, int], value: float, counts: dict[str, int], histogram: dict[str, int]
) -> None:
    found = summarize(METRICS[metric], Outcomes(found_counts), 0.95).as_json()
    assert found["value"] == value
    assert found["interval"]["method"] == "wilson"
    assert list(found["counts"].items()) == list(counts.items())
    assert found["histogram"] == histogram
    assert found["scale"] == {"min": 0, "max": 1}


def test_the_share_of_no_facts_is_null() -> None:
    found = summarize(METRICS["close_rate"], Outcomes(), 0.95)
    assert (found.value, found.interval, found.n, found.counts) == (None, None, 0, {"closed": 0, "open": 0})


def test_the_median_of_durations() -> None:
    assert summarize(METRICS["time_to_first_attempt"], Durations([7200.0, 1800.0, 5400.0]), 0.95).as_json() == {
        "value": 1.5,
        "n": 3,
        "interval": None,
        "counts": {},
        "histogram": {},
        "scale": None,
    }


def test_every_summary_is_json() -> None:
    for cells in (Cells(), nps_answers(1, 0, 0), nps_answers(1, 1, 1)):
        json.dumps(summarize(METRICS["nps"], cells, 0.95).as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("metric", "sample"), [("nps", Outcomes()), ("time_to_first_attempt", Cells()), ("close_rate", Durations())]
)
def test_a_metric_refuses_a_sample_of_another_kind(metric: str, sample: Cells | Outcomes | Durations) -> None:
    with pytest.raises(TypeError, match=f"{metric} is not computed from {type(sample).__name__}"):
        summarize(METRICS[metric], sample, 0.95)
