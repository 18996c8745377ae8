from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.metrics.buckets import cut
from services.scoring.metrics.windows import Window, WindowError, parse_window

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def edges(start: str, end: str, granularity: str, timezone: str = "Europe/Warsaw") -> list[str]:
    """The starts of the buckets and the end of the last, in local time."""
    buckets = cut(parse_window(start, end, timezone, NOW), granularity)
    moments = [bucket.start for bucket in buckets] + [buckets[-1].end]
    return [f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%dT%H:%M}" for moment in moments]


def hours(start: str, end: str, timezone: str = "Europe/Warsaw") -> list[float]:
    buckets = cut(parse_window(start, end, timezone, NOW), "day")
    return [(bucket.end - bucket.start) / timedelta(hours=1) for bucket in buckets]


def test_days_of_clock_changes_have_23_and_25_hours() -> None:
    assert hours("2026-03-28", "2026-03-31") == [24, 23, 24]
    assert hours("2026-10-24", "2026-10-27") == [24, 25, 24]


def test_the_edges_of_days_of_clock_changes_in_utc() -> None:
    days = [("2026-03-29", "2026-03-30"), ("2026-10-25", "2026-10-26")]
    spring, autumn = (cut(parse_window(day, after, "Europe/Warsaw", NOW), "day")[0].as_json() for day, after in days)
    assert (spring["from"], spring["to"]) == ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
    assert (autumn["from"], autumn["to"]) == ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")


def test_a_leap_day_is_a_day() -> None:
    assert edges("2024-02-28", "2024-03-02", "day") == [
        "2024-02-28T00:00",
        "2024-02-29T00:00",
        "2024-03-01T00:00",
        "2024-03-02T00:00",
    ]
    assert edges("2024-02-01", "2024-04-01", "month") == ["2024-02-01T00:00", "2024-03-01T00:00", "2024-04-01T00:00"]


def test_iso_weeks_run_over_the_end_of_a_year_and_are_clipped() -> None:
    """1 January 2027 is a Friday, in the week of Monday 28 December 2026."""
    assert edges("2026-12-23", "2027-01-06", "week") == [
        "2026-12-23T00:00",
        "2026-12-28T00:00",
        "2027-01-04T00:00",
        "2027-01-06T00:00",
    ]


def test_months_are_clipped_to_the_window() -> None:
    assert edges("2026-01-31T15:00:00+01:00", "2026-03-01T12:00:00+01:00", "month") == [
        "2026-01-31T15:00",
        "2026-02-01T00:00",
        "2026-03-01T00:00",
        "2026-03-01T12:00",
    ]


def test_december_is_followed_by_january() -> None:
    assert edges("2026-12-31", "2027-02-01", "month")[1:] == ["2027-01-01T00:00", "2027-02-01T00:00"]


def test_a_window_within_a_day_is_one_bucket() -> None:
    asked = parse_window("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "Europe/Warsaw", NOW)
    assert [cut(asked, granularity) for granularity in ("day", "week", "month")] == [[asked], [asked], [asked]]


def test_a_day_that_never_was_has_no_bucket() -> None:
    """Samoa crossed the date line and had no 30 December 2011."""
    assert edges("2011-12-29", "2012-01-01", "day", "Pacific/Apia") == [
        "2011-12-29T00:00",
        "2011-12-31T00:00",
        "2012-01-01T00:00",
    ]


def test_at_most_4000_buckets() -> None:
    start = datetime(2015, 1, 1, tzinfo=UTC)
    assert len(cut(Window(start, start + timedelta(days=4000), "UTC"), "day")) == 4000
    with pytest.raises(WindowError, match="more than 4000 day buckets: ask for longer ones") as refused:
        cut(Window(start, start + timedelta(days=4000, seconds=1), "UTC"), "day")
    assert refused.value.field == "granularity"


def test_a_granularity_that_does_not_exist() -> None:
    with pytest.raises(WindowError, match="'hour' is not one of day, week, month") as refused:
        cut(parse_window(None, None, "UTC", NOW), "hour")
    assert refused.value.field == "granularity"


@given(
    st.timedeltas(timedelta(), timedelta(days=47_000)).map(lambda passed: datetime(1970, 1, 1, tzinfo=UTC) + passed),
    st.timedeltas(timedelta(microseconds=1), timedelta(days=800)),
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(["Europe/Warsaw", "America/Sao_Paulo", "America/Toronto", "Pacific/Apia", "Asia/Kathmandu", "UTC"]),
)
def test_buckets_cover_the_window_without_gaps_or_overlaps(
    start: datetime, length: timedelta, granularity: str, timezone: str
) -> None:
    asked = Window(start, start + length, timezone)
    buckets = cut(asked, granularity)
    assert (buckets[0].start, buckets[-1].end) == (asked.start, asked.end)
    assert all(bucket.start < bucket.end for bucket in buckets)
    assert [bucket.end for bucket in buckets[:-1]] == [bucket.start for bucket in buckets[1:]]
