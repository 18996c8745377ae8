"""Worked examples that others published, and a survey whose answer is known. Absent test material is a visible skip."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from services.scoring.metrics.cells import Cells
from services.scoring.metrics.nps import NetPromoter
from services.scoring.metrics.registry import METRICS
from services.scoring.metrics.summary import summarize
from tests.scoring.metrics.samples import ONE_TO_FIVE, ZERO_TO_TEN, answers, nps_answers, tenths

MATERIAL = Path(__file__).parents[3] / "../shared/data"
QUESTION = "On a scale of 0-10, how would you rate Sudzilla?"


def examples(kind: str) -> list[Any]:
    path = MATERIAL / "oracle_vectors/vectors.json"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    found = [case for case in json.loads(path.read_text()) if case["kind"] == kind and case["arithmetic_verified"]]
    assert found
    return found


def nps_of(cells: Cells) -> float | None:
    return summarize(METRICS["nps"], cells, 0.95).value


def test_nps_of_scores() -> None:
    for case in examples("nps_scores"):
        cells = Cells()
        for score in case["input"]:
            cells.add(ZERO_TO_TEN, tenths(score))
        assert nps_of(cells) == case["expected"]


def test_nps_of_counts() -> None:
    for case in examples("nps_counts"):
        cells = nps_answers(*(case["input"][name] for name in ("promoters", "passives", "detractors")))
        assert nps_of(cells) == case["expected"]


def test_nps_is_pooled_before_it_is_divided() -> None:
    for case in examples("nps_pooled_counts"):
        total = Cells()
        for detractors, passives, promoters in case["input"]:
            total.merge(nps_answers(promoters, passives, detractors))
        assert nps_of(total) == case["expected"]


def test_nps_standard_error() -> None:
    """The plain error is not ours; ours is that formula with three more answers, so it comes out a hair apart."""
    for case in examples("nps_se"):
        promoters, passives, detractors = (case["input"][name] for name in ("promoters", "passives", "detractors"))
        score = NetPromoter(promoters, detractors, promoters + passives + detractors)
        assert score.value == pytest.approx(case["expected"]["nps"])
        assert math.sqrt(score.adjusted()[1]) == pytest.approx(case["expected"]["se_points"], rel=0.005)


def test_easy_answers_on_five_points() -> None:
    for case in examples("ces_top2_5pt"):
        hard, neutral, easy = (case["input"][name] for name in ("disagree_1_2", "neutral_3", "agree_4_5"))
        cells = answers(ONE_TO_FIVE, {2: hard, 3: neutral, 4: easy})
        assert summarize(METRICS["ces_easy"], cells, 0.95).value == case["expected"]


def test_satisfied_answers() -> None:
    for case in examples("csat_top2"):
        positive, total = case["input"]["positive"], case["input"]["total"]
        cells = answers(ONE_TO_FIVE, {5: positive, 3: total - positive})
        assert summarize(METRICS["csat"], cells, 0.95).value == case["expected"]


def test_a_survey_of_a_conference() -> None:
    """39 answers, 8 promoters, 22 detractors: the published score is -35.9."""
    path = MATERIAL / "oracle_preppin/case_040/input_02.csv"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    cells = Cells()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            cells.add(ZERO_TO_TEN, tenths(int(row[QUESTION])))
    found = summarize(METRICS["nps"], cells, 0.95)
    assert (found.n, found.counts["promoter"], found.counts["detractor"]) == (39, 8, 22)
    assert found.value is not None
    assert round(found.value, 1) == -35.9
