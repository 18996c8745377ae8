import json

import pytest

from services.scoring.metrics.cells import Cells
from services.scoring.metrics.comparison import compare
from services.scoring.metrics.definition import Sample
from services.scoring.metrics.outcomes import Durations, Outcomes
from services.scoring.metrics.registry import METRICS
from tests.scoring.metrics.samples import ONE_TO_FIVE, ONE_TO_SEVEN, answers, nps_answers


def test_nps_as_the_api_shows_it() -> None:
    found = compare(METRICS["nps"], nps_answers(60, 25, 15), nps_answers(50, 30, 20), 0.95).as_json()
    assert found.pop("z") == pytest.approx(1.3716, abs=5e-5)
    assert found.pop("p") == pytest.approx(0.1702, abs=5e-5)
    assert found == {"value": 30.0, "n": 100, "difference": 15.0, "changed": False}


def test_ten_times_the_answers_make_it_a_change() -> None:
    found = compare(METRICS["nps"], nps_answers(600, 250, 150), nps_answers(500, 300, 200), 0.95)
    assert (found.difference, found.changed) == (15.0, True)


def test_the_confidence_decides_what_a_change_is() -> None:
    """p is 0.1702, so 80 % confidence calls it a change and 85 % does not."""
    now, before = nps_answers(60, 25, 15), nps_answers(50, 30, 20)
    assert compare(METRICS["nps"], now, before, 0.8).changed
    assert not compare(METRICS["nps"], now, before, 0.85).changed


def test_shares_of_answers_and_of_facts() -> None:
    csat = compare(METRICS["csat"], answers(ONE_TO_FIVE, {5: 120, 1: 80}), answers(ONE_TO_FIVE, {5: 90, 1: 110}), 0.95)
    late = compare(
        METRICS["late_delivery"], Outcomes({"late": 120, "on_time": 80}), Outcomes({"late": 90, "on_time": 110}), 0.95
    )
    assert csat == late
    assert (csat.difference, csat.changed) == (15.0, True)
    assert csat.z == pytest.approx(3.00376, abs=5e-6)


def test_means() -> None:
    """1, 2, 3 against 3, 4, 5: error √(2/3), t -2.44949 at 4 degrees of freedom, p 0.0705."""
    found = compare(
        METRICS["rating"], answers(ONE_TO_FIVE, {1: 1, 2: 1, 3: 1}), answers(ONE_TO_FIVE, {3: 1, 4: 1, 5: 1}), 0.95
    )
    assert (found.value, found.difference, found.changed) == (4.0, -2.0, False)
    assert found.z == pytest.approx(-2.44949, abs=5e-6)
    assert found.p == pytest.approx(0.0705, abs=5e-5)


def test_medians_have_a_difference_and_no_test() -> None:
    found = compare(METRICS["time_to_first_attempt"], Durations([7200.0]), Durations([3600.0, 3600.0]), 0.95)
    assert (found.value, found.n, found.difference) == (1.0, 2, 1.0)
    assert (found.z, found.p, found.changed) == (None, None, False)


@pytest.mark.parametrize(
    ("metric", "now", "before", "value"),
    [
        ("nps", Cells(), nps_answers(1, 0, 0), 100.0),
        ("nps", nps_answers(1, 0, 0), Cells(), None),
        ("csat", Cells(), answers(ONE_TO_FIVE, {1: 2}), 0.0),
        ("rating", answers(ONE_TO_FIVE, {1: 2}), Cells(), None),
        ("close_rate", Outcomes(), Outcomes({"closed": 1}), 100.0),
        ("time_to_first_attempt", Durations([1.0]), Durations(), None),
    ],
)
def test_a_side_without_answers_gives_no_difference(
    metric: str, now: Sample, before: Sample, value: float | None
) -> None:
    assert compare(METRICS[metric], now, before, 0.95).as_json() == {
        "value": value,
        "n": before.n,
        "difference": None,
        "z": None,
        "p": None,
        "changed": False,
    }


def mixed() -> Cells:
    cells = answers(ONE_TO_FIVE, {5: 2})
    cells.merge(answers(ONE_TO_SEVEN, {7: 1}))
    return cells


@pytest.mark.parametrize(
    ("now", "before", "value"),
    [
        (answers(ONE_TO_FIVE, {5: 2, 4: 1}), answers(ONE_TO_SEVEN, {7: 2, 4: 1}), 6.0),
        (mixed(), answers(ONE_TO_FIVE, {4: 2}), 4.0),
        (answers(ONE_TO_FIVE, {4: 2}), mixed(), None),
    ],
)
def test_differing_scales_are_not_compared(now: Cells, before: Cells, value: float | None) -> None:
    found = compare(METRICS["ces"], now, before, 0.95)
    assert (found.value, found.n) == (value, before.n)
    assert (found.difference, found.z, found.p, found.changed) == (None, None, None, False)
    assert found.as_json()["reason"] == "mixed_scales"


@pytest.mark.parametrize(("now", "difference", "z", "p"), [(4, 0.0, 0.0, 1.0), (5, 1.0, None, None)])
def test_unanimous_means_never_count_as_a_change(now: int, difference: float, z: float | None, p: float | None) -> None:
    found = compare(METRICS["rating"], answers(ONE_TO_FIVE, {now: 2}), answers(ONE_TO_FIVE, {4: 2}), 0.95)
    assert (found.difference, found.z, found.p, found.changed) == (difference, z, p, False)
    json.dumps(found.as_json(), allow_nan=False)
