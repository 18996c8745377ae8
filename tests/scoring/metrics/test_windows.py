from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.scoring.metrics.windows import (
    Window,
    WindowError,
    is_day_aligned,
    parse_comparison,
    parse_window,
    previous,
)

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WARSAW = "Europe/Warsaw"


def window(start: str | None, end: str | None, timezone: str = WARSAW, now: datetime = NOW) -> dict[str, str]:
    return parse_window(start, end, timezone, now).as_json()


def span(start: str, end: str, timezone: str = WARSAW) -> Window:
    return Window(datetime.fromisoformat(start), datetime.fromisoformat(end), timezone)


def test_the_default_is_90_days_to_the_end_of_today() -> None:
    assert window(None, None) == {
        "from": "2026-08-22T22:00:00Z",  # summer time, +02:00
        "to": "2026-11-20T23:00:00Z",
        "timezone": WARSAW,
    }


def test_today_is_the_day_of_the_time_zone() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert window(None, None, WARSAW, late)["to"] == "2026-11-21T23:00:00Z"
    assert window(None, None, "UTC", late)["to"] == "2026-11-21T00:00:00Z"


def test_an_end_alone_looks_90_days_back_from_it() -> None:
    assert window(None, "2026-06-01")["from"] == "2026-03-02T23:00:00Z"
    assert window(None, "2026-06-01T10:00:00+02:00")["from"] == "2026-03-03T09:00:00Z"


def test_a_start_alone_reaches_to_the_end_of_today() -> None:
    assert window("2026-11-19", None) == {
        "from": "2026-11-18T23:00:00Z",
        "to": "2026-11-20T23:00:00Z",
        "timezone": WARSAW,
    }


def test_dates_are_midnights_of_the_zone_and_the_end_is_not_included() -> None:
    assert window("2026-03-29", "2026-03-30") == {
        "from": "2026-03-28T23:00:00Z",
        "to": "2026-03-29T22:00:00Z",
        "timezone": WARSAW,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("2026-11-20t10:00:00z", "2026-11-20T10:00:00Z"),
        ("2026-11-20 10:00:00+01:00", "2026-11-20T09:00:00Z"),
        ("2026-11-20T10:00:00.25-05:30", "2026-11-20T15:30:00.250000Z"),
        ("2026-11-20T10:00:00.123456789Z", "2026-11-20T10:00:00.123456Z"),
        ("2024-02-29", "2024-02-28T23:00:00Z"),
    ],
)
def test_moments_that_can_be_read(text: str, expected: str) -> None:
    assert window(text, None)["from"] == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "neither a date such as"),
        ("yesterday", "neither a date such as"),
        ("20261120", "neither a date such as"),
        ("2026-W01-1", "neither a date such as"),
        ("2026-11-20T10:00:00", "nor a time with an offset"),
        ("2026-11-20T10:00:00 01:00", "write \\+ as %2B"),
        ("２０２６-11-20", "neither a date such as"),
        ("2026-02-29", "does not exist"),
        ("2026-11-20T25:00:00Z", "does not exist"),
        ("2026-11-20T10:00:60Z", "does not exist"),
        ("1969-12-31", "must lie in the years 1970 to 2100"),
        ("2101-01-01", "must lie in the years 1970 to 2100"),
        ("0001-01-01T00:00:00+14:00", "must lie in the years 1970 to 2100"),
        ("9999-12-31T23:59:59-14:00", "must lie in the years 1970 to 2100"),
    ],
)
@pytest.mark.parametrize("field", ["from", "to"])
def test_moments_that_cannot_be_read(text: str, told: str, field: str) -> None:
    with pytest.raises(WindowError, match=told) as refused:
        parse_window(text if field == "from" else None, text if field == "to" else None, WARSAW, NOW)
    assert refused.value.field == field
    assert refused.value.message in str(refused.value)


@pytest.mark.parametrize(
    ("start", "end"), [("2026-02-01", "2026-01-01"), ("2026-01-01", "2026-01-01"), ("2027-01-01", None)]
)
def test_the_start_must_be_earlier_than_the_end(start: str, end: str | None) -> None:
    with pytest.raises(WindowError, match="start must be earlier than the end") as refused:
        parse_window(start, end, WARSAW, NOW)
    assert refused.value.field == "from"


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "Europe", "../../etc/passwd", "/etc/passwd", "a" * 5000, "a\0b", "leapseconds", "\udcff"]
)
def test_a_time_zone_that_does_not_exist(name: str) -> None:
    with pytest.raises(WindowError, match="is not a time zone: use a name such as Europe/Warsaw") as refused:
        parse_window(None, None, name, NOW)
    assert refused.value.field == "tz"


def test_an_error_of_a_window_is_a_value_error() -> None:
    assert issubclass(WindowError, ValueError)


def test_a_day_whose_midnight_is_skipped_starts_when_the_gap_ends() -> None:
    """São Paulo went from 00:00 to 01:00 on 2018-11-04."""
    assert window("2018-11-04", "2018-11-05", "America/Sao_Paulo") == {
        "from": "2018-11-04T03:00:00Z",
        "to": "2018-11-05T02:00:00Z",
        "timezone": "America/Sao_Paulo",
    }


def test_the_days_before_are_counted_in_the_calendar_over_a_clock_change() -> None:
    """The two days before 30 and 31 March are 28 and 29 March: 47 hours."""
    assert previous(parse_window("2026-03-30", "2026-04-01", WARSAW, NOW)).as_json() == {
        "from": "2026-03-27T23:00:00Z",
        "to": "2026-03-29T22:00:00Z",
        "timezone": WARSAW,
    }


def test_a_day_that_starts_late_is_preceded_by_one_that_does_not() -> None:
    """São Paulo's 4 November 2018 starts at 01:00; the day before starts at 00:00 all the same, and the other way."""
    late = parse_window("2018-11-04", "2018-11-05", "America/Sao_Paulo", NOW)
    after = parse_window("2018-11-05", "2018-11-06", "America/Sao_Paulo", NOW)
    assert previous(late).start == datetime(2018, 11, 3, 3, tzinfo=UTC)
    assert previous(after).start == late.start


def test_the_hours_before_are_as_long() -> None:
    asked = parse_window("2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00", WARSAW, NOW)
    assert previous(asked).end == asked.start
    assert asked.start - previous(asked).start == timedelta(hours=12)


def test_a_comparison_is_the_window_before_or_a_window_of_its_own() -> None:
    asked = parse_window("2026-11-01", "2026-11-08", WARSAW, NOW)
    assert parse_comparison("previous", asked) == previous(asked)
    assert parse_comparison("2026-01-01..2026-02-01T00:00:00Z", asked).as_json() == {
        "from": "2025-12-31T23:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        "timezone": WARSAW,
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("last", "neither previous nor FROM..TO"),
        ("2026-01-01", "neither previous nor FROM..TO"),
        ("2026-01-01..", "neither a date such as"),
        ("..2026-01-01", "neither a date such as"),
        ("2026-02-01..2026-01-01", "start must be earlier than the end"),
    ],
)
def test_a_comparison_that_cannot_be_read(text: str, told: str) -> None:
    with pytest.raises(WindowError, match=told) as refused:
        parse_comparison(text, parse_window(None, None, WARSAW, NOW))
    assert refused.value.field == "compare_to"


@pytest.mark.parametrize(
    ("asked", "zone", "expected"),
    [
        (span("2026-11-18T23:00Z", "2026-11-20T23:00Z"), WARSAW, True),
        (span("2026-11-18T23:00Z", "2026-11-20T23:00Z"), "UTC", False),
        (span("2026-11-19T00:00Z", "2026-11-20T00:00Z"), "UTC", True),
        (span("2026-11-18T23:00:00.000001Z", "2026-11-20T23:00Z"), WARSAW, False),
        (span("2026-11-18T23:00Z", "2026-11-20T22:00Z"), WARSAW, False),
        (span("2018-11-04T03:00Z", "2018-11-05T02:00Z"), "America/Sao_Paulo", True),
    ],
)
def test_whether_a_window_is_made_of_whole_days(asked: Window, zone: str, expected: bool) -> None:
    assert is_day_aligned(asked, ZoneInfo(zone)) is expected
