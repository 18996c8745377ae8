"""Geometry in units of the view boxes: a bar of 184 with margins of 4, a trend of 168 by 40 with margins of 5."""

import pytest

from services.scoring.pages.marks import Bar, Week, interval_bar, trend


def test_an_interval_lies_on_the_whole_scale() -> None:
    assert interval_bar(25, 50, 75, (0, 100)) == Bar(left=48.0, width=88.0, tick=92.0, zero=None)
    assert interval_bar(1, 1, 7, (1, 7)) == Bar(left=4.0, width=176.0, tick=4.0, zero=None)


def test_a_scale_with_negative_values_marks_its_zero() -> None:
    assert interval_bar(-50, 0, 50, (-100, 100)).zero == 92.0


def test_a_narrow_interval_can_still_be_seen() -> None:
    bar = interval_bar(50, 50, 50, (0, 100))
    assert bar.width == 3.0
    assert bar.left + bar.width / 2 == pytest.approx(bar.tick)


def test_a_trend_spans_the_drawing() -> None:
    drawn = trend([Week(0, None), Week(10, None), Week(20, None)], least_span=1, running=False)
    assert drawn.lines == ["5,35 84,20 163,5"]
    assert drawn.last == (163, 5)
    assert drawn.bands == []


def test_small_changes_do_not_fill_the_height() -> None:
    drawn = trend([Week(49, None), Week(51, None)], least_span=20, running=True)
    assert drawn.lines == ["5,21.5 163,18.5"]
    assert drawn.running


def test_a_gap_parts_line_and_band() -> None:
    weeks = [Week(1, (0, 2)), Week(1, (0, 2)), None, Week(1, None), None, Week(1, (0, 2)), Week(1, None)]
    drawn = trend(weeks, least_span=1, running=False)
    assert len(drawn.lines) == 2
    assert drawn.bands == ["5,5 31.3,5 31.3,35 5,35"]
    assert drawn.dots == [(84.0, 20.0)]
