"""Samples as the tests write them: scores as people read them (4.5), not in tenths."""

from services.scoring.metrics.cells import Cells, Scale

ZERO_TO_TEN = Scale(0, 100)
ONE_TO_FIVE = Scale(10, 50)
ONE_TO_SEVEN = Scale(10, 70)
YES_NO = Scale(0, 10)


def tenths(score: float) -> int:
    return round(10 * score)


def answers(scale: Scale, histogram: dict[float, int]) -> Cells:
    cells = Cells()
    for score, number in histogram.items():
        cells.add(scale, tenths(score), number)
    return cells


def nps_answers(promoters: int, passives: int, detractors: int) -> Cells:
    return answers(ZERO_TO_TEN, {10: promoters, 8: passives, 3: detractors})
